//! Several results that land at once, in other forms, or not.

use super::{Names, Scenario};

/// Two results that fit, and one that makes the check fail.
macro_rules! three {
    () => {
        concat!(
            checked!("test ! -e bad"),
            result!(),
            "for name in writer breaker; do git-orch -q add-session $name --paths docs; done
             git-orch -q task 'write guide' --session writer -- sh -c 'echo written >>docs/guide.md'
             git-orch -q task 'break it' --session breaker -- touch bad;"
        )
    };
}

/// A result of two commits with another one on top, which changes the same lines.
macro_rules! stack {
    () => {
        concat!(
            result!(),
            "git-orch -q review fix-login --request-changes -m more
     git-orch -q retry fix-login -- sh -c 'echo again >>src/api/login.rs'
     git-orch -q task 'more login' --session backend -- sh -c 'sed -i s/again/more/ src/api/login.rs';"
        )
    };
}

/// A result that conflicts with what landed of another session.
const CONFLICT: &str = concat!(
    "git-orch -q add-session writer --paths docs
     git-orch -q task 'redo login' --session writer -- sh -c 'echo redone >>src/api/login.rs';",
    result!(),
    "git-orch -q merge fix-login;"
);

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "merge-several",
        given: three!(),
        command: &["merge"],
        exit: 1,
        next: "git-orch merge || [ $? = 1 ]; [ \"$(state break-it)\" = changes ] || git-orch merge || [ $? = 1 ]",
        done: concat!(
            landed!(),
            "
             [ \"$(state write-guide)\" = merged ]; [ \"$(state break-it)\" = changes ]
             git show main:docs/guide.md | grep -q written; not git cat-file -e main:bad"
        ),
        names: Names::Steps,
    },
    Scenario {
        name: "merge-each-away",
        given: concat!(three!(), away!()),
        command: &["merge", "--each"],
        exit: 1,
        next: "git-orch merge --each || [ $? = 1 ]; [ \"$(state break-it)\" = changes ] || git-orch merge || [ $? = 1 ]",
        done: concat!(
            landed!(),
            "
             [ \"$(state write-guide)\" = merged ]; [ \"$(state break-it)\" = changes ]
             git show main:docs/guide.md | grep -q written; not git cat-file -e main:bad"
        ),
        names: Names::Steps,
    },
    Scenario {
        name: "merge-squash-below",
        given: stack!(),
        command: &["merge", "--squash", "fix-login"],
        exit: 0,
        next: "[ \"$(state fix-login)\" = merged ] || git-orch merge --squash fix-login || [ \"$(state fix-login)\" = merged ]
               git-orch doctor",
        done: concat!(
            landed!(),
            "
             [ \"$(git log --format=%s main..review/more-login)\" = 'more login' ]
             git show review/more-login:src/api/login.rs | grep -q more"
        ),
        names: Names::Checkout,
    },
    Scenario {
        name: "merge-rebase-away",
        given: concat!(stack!(), moved!(), away!()),
        command: &["merge", "--rebase"],
        exit: 0,
        next: "git-orch merge --rebase || :; [ \"$(state more-login)\" = merged ]",
        done: "[ \"$(state fix-login)\" = merged ]; [ \"$(state more-login)\" = merged ]
               git show main:src/api/login.rs | grep -q more; [ -z \"$(git rev-list --merges main)\" ]
               [ -z \"$(git for-each-ref refs/heads/review refs/orch/keep)\" ]",
        names: Names::Steps,
    },
    Scenario {
        name: "merge-conflict",
        given: CONFLICT,
        command: &["merge", "redo-login"],
        exit: 3,
        next: "git-orch merge redo-login || [ $? = 3 ]
               git-orch retry resolve-redo-login -- sh -c '
                   git merge -q review/redo-login || { printf \"fixed\\nredone\\n\" >src/api/login.rs; git commit -qam both; }'",
        done: "[ \"$(state redo-login)\" = review ] || [ \"$(state redo-login)\" = changes ]
               not git grep -q redone main -- src/api/login.rs",
        names: Names::Nothing,
    },
    Scenario {
        name: "retry-below",
        given: concat!(stack!(), "git-orch -q review fix-login --request-changes -m zero;"),
        command: &["retry", "fix-login", "--", "sh", "-c", "sed -i '1i zero' src/api/login.rs"],
        exit: 0,
        next: "[ \"$(state fix-login)\" = review ] || git-orch retry fix-login -- sh -c \"sed -i '1i zero' src/api/login.rs\"
               git-orch doctor --fix",
        done: "git show review/fix-login:src/api/login.rs | grep -q zero
               git show review/more-login:src/api/login.rs | grep -q zero
               git show review/more-login:src/api/login.rs | grep -q more",
        names: Names::Nothing,
    },
];
