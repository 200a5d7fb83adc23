//! One command each of the verbs that do something.

use super::{Names, Scenario};

const FIX: &[&str] =
    &["task", "fix login", "--session", "backend", "--", "sh", "-c", "echo fixed >>src/api/login.rs"];
/// Two tasks of one session, and one of another that runs beside them.
const PLAN: &[&str] = &[
    "plan",
    "--run",
    "-j",
    "2",
    "fix src/api/login.rs",
    "fix src/api/login.rs too",
    "write docs/guide.md",
    "--",
    "sh",
    "-c",
    "case $GIT_ORCH_SESSION in writer) file=docs/guide.md;; *) file=src/api/login.rs;; esac
     echo $GIT_ORCH_TASK >>$file",
];
const MERGE: &[&str] = &["merge", "fix-login"];
const MERGE_AGAIN: &str =
    "[ \"$(state fix-login)\" = merged ] || git-orch merge fix-login || [ \"$(state fix-login)\" = merged ]";

/// A result went to another session, once, and its own is back at its base.
macro_rules! handed {
    () => {
        "git-orch show fix-login | grep -q 'session  *frontend'
         [ \"$(git-orch show fix-login | grep -c 'handed  *from backend')\" = 1 ]
         [ \"$(state fix-login)\" = changes ]; git show-ref -q refs/heads/review/fix-login
         [ \"$(git rev-parse orch/backend)\" = \"$(git rev-parse main)\" ]
         [ -z \"$(git -C ../shop.orch/backend status --porcelain)\" ];"
    };
}

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "add-session",
        given: "",
        command: &["add-session", "api", "--paths", "src/api"],
        exit: 0,
        next: "git-orch add-session api --paths src/api",
        done: "git-orch show api; cd ../shop.orch/api; [ -z \"$(git status --porcelain)\" ]
               [ \"$(git symbolic-ref --short HEAD)\" = orch/api ]; cat src/api/login.rs",
        names: Names::Nothing,
    },
    Scenario {
        name: "add-session-adopting",
        given: "",
        command: &["add-session", "api", "--paths", "src/api", "--adopt-history"],
        exit: 0,
        next: "git-orch add-session api --paths src/api --adopt-history",
        done: "git-orch history api | grep -q src/api; [ -z \"$(git -C ../shop.orch/api status --porcelain)\" ]",
        names: Names::Nothing,
    },
    Scenario {
        name: "add-session-set-up",
        given: "printf 'version: 1\\nsetup: echo ready >ready.secret\\n' >.orch.yml
                echo key.secret >.worktreeinclude; git-orch -q trust --yes",
        command: &["add-session", "api", "--paths", "src/api"],
        exit: 0,
        next: "git-orch add-session api --paths src/api",
        done: "[ -z \"$(git -C ../shop.orch/api status --porcelain)\" ]",
        names: Names::Nothing,
    },
    Scenario {
        name: "remove-session",
        given: "",
        command: &["remove-session", "frontend"],
        exit: 0,
        next: "git-orch remove-session frontend",
        done: "not git show-ref -q refs/heads/orch/frontend; [ ! -e ../shop.orch/frontend ]
               cat ../shop.orch/.trash/frontend-*/front.secret; git-orch show frontend --json | grep -q archived",
        names: Names::Nothing,
    },
    Scenario {
        name: "pause",
        given: "",
        command: &["pause", "backend", "-m", "on holiday"],
        exit: 0,
        next: "git-orch pause backend -m 'on holiday'",
        done: "git-orch show backend | grep -q 'on holiday'; not git-orch task x --session backend -- true
               git-orch resume backend; git-orch show backend | grep -q idle",
        names: Names::Nothing,
    },
    Scenario {
        name: "task",
        given: "",
        command: FIX,
        exit: 0,
        next: "[ \"$(state fix-login)\" = review ] ||
               git-orch task 'fix login' --session backend -- sh -c 'echo fixed >>src/api/login.rs'",
        done: "git grep -q fixed $(git for-each-ref --format='%(refname)' refs/heads/review) -- src/api/login.rs
               [ -z \"$(git -C ../shop.orch/backend status --porcelain)\" ]",
        names: Names::Nothing,
    },
    Scenario {
        name: "note",
        given: result!(),
        command: &["note", "keep it", "--task", "fix-login"],
        exit: 0,
        next: "git-orch note 'keep it' --task fix-login",
        done: "[ \"$(git-orch show fix-login | grep -c 'note .*: keep it')\" = 1 ]
               [ \"$(state fix-login)\" = review ]",
        names: Names::Nothing,
    },
    Scenario {
        name: "handoff",
        given: concat!(result!(), "git-orch -q review fix-login --request-changes -m more"),
        command: &["handoff", "fix-login", "--to", "frontend", "-m", "NEXT: more"],
        exit: 0,
        next: "git-orch handoff fix-login --to frontend -m 'NEXT: more'",
        done: handed!(),
        names: Names::Nothing,
    },
    Scenario {
        name: "handoff-of-a-session",
        given: concat!(
            result!(),
            "git-orch -q review fix-login --request-changes -m more
             git-orch -q task 'write guide' --session backend -- sh -c 'echo guide >guide; exit 3' ||:"
        ),
        command: &["handoff", "backend", "--to", "frontend"],
        exit: 0,
        next: "git-orch handoff backend --to frontend",
        done: concat!(
            handed!(),
            "git show refs/orch/task/write-guide:handoff.md | grep -q 'guide  (not committed)'
             git-orch remove-session backend"
        ),
        names: Names::Nothing,
    },
    Scenario {
        name: "task-committing",
        given: "",
        command: &[
            "task",
            "fix login",
            "--session",
            "backend",
            "--",
            "sh",
            "-c",
            "echo one >one; git add one; git commit -qm one; echo two >two; git add two; git commit -qm two
             echo three >three; echo kept >kept.secret",
        ],
        exit: 0,
        next: "[ \"$(state fix-login)\" = review ] ||
               git-orch task 'fix login' --session backend -- sh -c 'echo three >three'",
        done: "git grep -q three $(git for-each-ref --format='%(refname)' refs/heads/review) -- three",
        names: Names::Nothing,
    },
    Scenario {
        name: "task-failing",
        given: "",
        command: &[
            "task",
            "fix login",
            "--session",
            "backend",
            "--",
            "sh",
            "-c",
            "echo edit >>src/api/login.rs; echo new >new.rs; echo own >own.secret; git add new.rs
             echo later >>new.rs; exit 3",
        ],
        exit: 1,
        next: "case \"$(state fix-login)\" in
               failed) git-orch retry fix-login -- sh -c 'echo again >>src/api/login.rs';;
               *) git-orch task 'fix login' --session backend -- sh -c 'echo again >>src/api/login.rs';;
               esac",
        done: "git grep -q again $(git for-each-ref --format='%(refname)' refs/heads/review) -- src/api/login.rs",
        names: Names::Nothing,
    },
    Scenario {
        name: "task-failing-detached",
        given: "",
        command: &[
            "task",
            "fix login",
            "--session",
            "backend",
            "--",
            "sh",
            "-c",
            "echo one >one; git add one; git commit -qm one; git checkout -q --detach
             echo two >two; git add two; git commit -qm two; echo three >>two; exit 3",
        ],
        exit: 1,
        next: "case \"$(state fix-login)\" in
               failed) git-orch retry fix-login -- sh -c 'echo again >>src/api/login.rs';;
               *) git-orch task 'fix login' --session backend -- sh -c 'echo again >>src/api/login.rs';;
               esac",
        done: "git grep -q again $(git for-each-ref --format='%(refname)' refs/heads/review) -- src/api/login.rs",
        names: Names::Nothing,
    },
    Scenario {
        name: "task-stacked",
        given: result!(),
        command: &["task", "fix cart", "--session", "backend", "--", "sh", "-c", "echo more >>src/api/login.rs"],
        exit: 0,
        next: "[ \"$(state fix-cart)\" = review ] ||
               git-orch task 'fix cart' --session backend -- sh -c 'echo more >>src/api/login.rs'",
        done: "git grep -q more $(git for-each-ref --format='%(refname)' refs/heads/review) -- src/api/login.rs
               [ \"$(state fix-login)\" = review ]; git show review/fix-login:src/api/login.rs | grep -q fixed",
        names: Names::Nothing,
    },
    Scenario {
        name: "done",
        given: "git-orch -q task 'fix login' --session backend --agent person
                cd ../shop.orch/backend; echo fixed >>src/api/login.rs; echo new >new.rs; echo own >own.secret",
        command: &["done", "fix-login", "--commit"],
        exit: 0,
        next: "[ \"$(state fix-login)\" = review ] || git-orch done fix-login --commit",
        done: "git show review/fix-login:src/api/login.rs | grep -q fixed; git cat-file -e review/fix-login:new.rs
               cat ../shop.orch/backend/own.secret",
        names: Names::Nothing,
    },
    Scenario {
        name: "cancel-result",
        given: result!(),
        command: &["cancel", "fix-login"],
        exit: 0,
        next: "git-orch cancel fix-login",
        done: "[ \"$(state fix-login)\" = cancelled ]; not git show-ref -q refs/heads/review/fix-login
               git-orch task 'next' --session backend -- sh -c 'echo next >next'
               not git grep -q fixed review/next -- src/api/login.rs",
        names: Names::Nothing,
    },
    Scenario {
        name: "cancel-person",
        given: "git-orch -q task 'fix login' --session backend --agent person
                cd ../shop.orch/backend; echo fixed >>src/api/login.rs; echo new >new.rs; echo own >own.secret",
        command: &["cancel", "fix-login"],
        exit: 0,
        next: "git-orch cancel fix-login",
        done: "[ \"$(state fix-login)\" = cancelled ]; cat ../shop.orch/backend/own.secret
               git-orch task 'next' --session backend -- sh -c 'echo next >next'",
        names: Names::Nothing,
    },
    Scenario {
        name: "retry",
        given: "git-orch -q task 'fix login' --session backend -- sh -c 'echo half >>src/api/login.rs; exit 3' ||:",
        command: &["retry", "fix-login", "--", "sh", "-c", "echo fixed >>src/api/login.rs"],
        exit: 0,
        next: "[ \"$(state fix-login)\" = review ] ||
               git-orch retry fix-login -- sh -c 'echo fixed >>src/api/login.rs'",
        done: "git show review/fix-login:src/api/login.rs | grep -q half
               git show review/fix-login:src/api/login.rs | grep -q fixed",
        names: Names::Nothing,
    },
    Scenario {
        name: "approve",
        given: result!(),
        command: &["review", "fix-login", "--approve", "-m", "fine"],
        exit: 0,
        next: "git-orch review fix-login --approve -m fine",
        done: "git notes --ref orch/verdict show review/fix-login | grep -q approve; [ \"$(state fix-login)\" = review ]",
        names: Names::Nothing,
    },
    Scenario {
        name: "publish",
        given: concat!(result!(), "git init -q --bare ../hub.git; git remote add origin ../hub.git; git push -q origin main"),
        command: &["review", "fix-login", "--pr", "--forge", "none"],
        exit: 0,
        next: "git-orch review fix-login --pr --forge none",
        done: "[ \"$(git -C ../hub.git rev-parse review/fix-login)\" = \"$(git rev-parse review/fix-login)\" ]
               git-orch show fix-login --json | grep -q '\"forge\":\"none\"'; [ \"$(state fix-login)\" = review ]",
        names: Names::Nothing,
    },
    Scenario {
        name: "mail",
        given: result!(),
        command: &["review", "fix-login", "--pr", "--forge", "email"],
        exit: 0,
        next: "git-orch review fix-login --pr --forge email",
        done: "git apply --check .git/orch/mail/fix-login/v1/0001-*.patch; [ \"$(ls .git/orch/mail/fix-login)\" = v1 ]
               git-orch show fix-login --json | grep -q '\"forge\":\"email\"'",
        names: Names::Nothing,
    },
    Scenario {
        name: "request-changes",
        given: result!(),
        command: &["review", "fix-login", "--request-changes", "-m", "say why"],
        exit: 0,
        next: "git-orch review fix-login --request-changes -m 'say why'",
        done: "[ \"$(state fix-login)\" = changes ]; git-orch show fix-login --json | grep -q 'say why'
               git-orch retry fix-login -- sh -c 'echo why >>src/api/login.rs'",
        names: Names::Nothing,
    },
    Scenario {
        name: "plan",
        given: "git-orch -q add-session writer --paths docs --adopt-history",
        command: PLAN,
        exit: 0,
        next: "git-orch plan --run 'fix src/api/login.rs' 'fix src/api/login.rs too' 'write docs/guide.md' -- sh -c '
                   case $GIT_ORCH_SESSION in writer) file=docs/guide.md;; *) file=src/api/login.rs;; esac
                   echo $GIT_ORCH_TASK >>$file'",
        done: "for task in fix-src-api-login-rs fix-src-api-login-rs-too write-docs-guide-md; do
                   git grep -h \"^$task\" $(git for-each-ref --format='%(refname)' refs/heads/review) | grep -q .
               done
               for session in backend writer; do
                   [ -z \"$(git -C ../shop.orch/$session status --porcelain)\" ]; git-orch show $session --json | grep -q idle
               done",
        names: Names::Nothing,
    },
    Scenario {
        name: "merge-forward-here",
        given: result!(),
        command: MERGE,
        exit: 0,
        next: MERGE_AGAIN,
        done: landed!(),
        names: Names::Checkout,
    },
    Scenario {
        name: "merge-forward-away",
        given: concat!(away!(), result!()),
        command: MERGE,
        exit: 0,
        next: MERGE_AGAIN,
        done: landed!(),
        names: Names::Base,
    },
    Scenario {
        name: "merge-here",
        given: concat!(checked!("test -f README.md"), result!(), moved!()),
        command: MERGE,
        exit: 0,
        next: MERGE_AGAIN,
        done: landed!(),
        names: Names::Checkout,
    },
    Scenario {
        name: "merge-away",
        given: concat!(checked!("test -f README.md"), result!(), moved!(), away!()),
        command: MERGE,
        exit: 0,
        next: MERGE_AGAIN,
        done: landed!(),
        names: Names::Base,
    },
    Scenario {
        name: "merge-red",
        given: concat!(checked!("! grep -q fixed src/api/login.rs"), result!(), moved!()),
        command: MERGE,
        exit: 1,
        next: "not git-orch merge fix-login; [ \"$(state fix-login)\" = changes ]
               git-orch retry fix-login -- sh -c 'sed -i /fixed/d src/api/login.rs; echo other >>src/api/cart.rs'",
        done: "[ \"$(state fix-login)\" = review ]; not git grep -q fixed main -- src/api/login.rs
               git grep -q other review/fix-login -- src/api/cart.rs",
        names: Names::Nothing,
    },
    Scenario {
        name: "doctor",
        given: "git-orch -q task 'fix login' --session backend -- sh -c '
                    echo half >>src/api/login.rs; echo new >new.rs; echo own >own.secret
                    kill -9 $(cut -d \" \" -f 4 /proc/$PPID/stat); sleep 10' ||:",
        command: &["doctor", "--fix"],
        exit: 0,
        next: "git-orch doctor --fix; git-orch retry fix-login -- sh -c 'echo fixed >>src/api/login.rs'",
        done: "git-orch doctor",
        names: Names::Nothing,
    },
    Scenario {
        name: "gc",
        given: concat!(
            "for name in spare lively; do
                 git-orch -q add-session $name --paths docs; git-orch -q remove-session $name
             done
             git-orch -q task 'fix cart' --session backend -- false ||:
             for key in keepTrash keepOperations keepLogs keepConversations; do git config orch.$key 0s; done;",
            result!()
        ),
        command: &["gc", "--apply"],
        exit: 0,
        next: "git-orch gc --apply",
        done: "[ -z \"$(ls -d ../shop.orch/.trash/spare-* .git/orch/trash/spare-* .git/orch/task/fix-cart 2>/dev/null)\" ]
               cat ../shop.orch/.trash/old-*/old.secret; git-orch log --ops | grep -q 'remove-session old'
               git-orch trash --json | grep -q old-",
        names: Names::Nothing,
    },
    Scenario {
        name: "history-rebuild",
        given: concat!(result!(), "git update-ref -d refs/notes/orch/touch/backend"),
        command: &["history", "--rebuild"],
        exit: 0,
        next: "git-orch history --rebuild",
        done: "git-orch history backend | grep -q src/api
               git notes --ref orch/touch/backend show review/fix-login | grep -q login.rs",
        names: Names::Nothing,
    },
    Scenario {
        name: "trust",
        given: "printf 'version: 1\\nsetup: echo ready\\nchecks: [\"true\"]\\n' >.orch.yml",
        command: &["trust", "--yes"],
        exit: 0,
        next: "git-orch trust --yes",
        done: "git-orch doctor | grep -q 'no command waits'",
        names: Names::Nothing,
    },
    Scenario {
        name: "init",
        given: "",
        command: &["init"],
        exit: 0,
        next: "[ -e .orch.yml ] || git-orch init",
        done: "cat .orch.yml",
        names: Names::Settings,
    },
];
