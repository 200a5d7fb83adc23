//! Agents: their conversations, their questions, and what is said around a run.

use super::{Names, Scenario};

/// Two trusted agents that do what `../do` says and remember their talks in
/// `../talks`: one is told the id of its conversation, the other tells it.
macro_rules! talking {
    ($does:literal) => {
        concat!(
            "cat >../talker <<'END'
#!/bin/sh
[ $# -gt 0 ] || set -- --session-id \"$(cat /proc/sys/kernel/random/uuid)\"
{ cat; echo 'DO: . ../../do'; echo 'SAY: NEXT: all is well'; } |
    TMPDIR=\"$(dirname \"$0\")/talks\" sh ",
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/agents/talk.sh \"$@\"
END
cat >../takes-over <<'END'
#!/bin/sh
echo 'by hand' >>src/api/login.rs
END
chmod +x ../talker ../takes-over; top=$(dirname \"$PWD\")
common=\"timeout: 1m, resume: [$top/talker, --resume], attach: [$top/takes-over],
           transcript: ['$top/talks/talks/{id}']\"
reads='[{ when: { /type: system }, conversation: /session_id }, { when: { /type: result }, said: /result }]'
cat >.orch.yml <<END
version: 1
agents:
  talker: { run: [$top/talker], begin: [--session-id], like: claude, $common }
  teller: { run: [$top/talker], reads: $reads, $common }
END
git-orch -q trust --yes
cat >../do <<'END'
",
            $does,
            "
END
"
        )
    };
}

/// It needs to know a colour, and has done half of its work by then.
macro_rules! asking {
    () => {
        talking!(
            "case $brief in
*Blue*) echo blue >>src/api/login.rs;;
*) echo half >>src/api/login.rs; git-orch -q report input -m 'Which colour?';;
esac"
        )
    };
}

/// It has asked.
macro_rules! asked {
    () => {
        concat!(asking!(), "git-orch -q task 'fix login' --session backend --agent talker || [ $? = 6 ];")
    };
}

/// What must be known of the only conversation that there was.
macro_rules! talk {
    () => {
        "talk() { git-orch show \"$1\" --json | grep -o '\"conversation\":\"[^\"]*\"' | tail -n 1 | cut -d '\"' -f 4; }
         git show review/fix-login:src/api/login.rs | grep -q fixed
         git-orch show fix-login --json | grep -q '\"said\":\"NEXT: all is well\"'
         [ \"$(ls ../talks/talks | grep -v calls)\" = \"$(talk fix-login)\" ]
         git-orch log fix-login --transcript | grep -q 'Task fix-login';"
    };
}

/// A task of an agent, taken up again where it died.
macro_rules! again {
    ($agent:literal) => {
        concat!(
            "case \"$(state fix-login)\" in
             review) ;;
             failed) git-orch retry fix-login;;
             *) git-orch task 'fix login' --session backend --agent ",
            $agent,
            ";;
             esac"
        )
    };
}

/// A person goes on with it, at a terminal where the task asks.
const BY_HAND: &str = "case \"$(state fix-login)\" in
     running) ;;
     input) script -qec 'git-orch attach fix-login' /dev/null </dev/null;;
     *) git-orch retry fix-login --agent person;;
     esac";
/// What the run before did is in the result, and what is done by hand.
const DONE_BY_HAND: &str = "echo 'by hand' >../shop.orch/backend/by-hand; git-orch done fix-login --commit
     git show review/fix-login:src/api/login.rs | grep -q half
     git cat-file -e review/fix-login:by-hand";

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "conversation",
        given: talking!("echo fixed >>src/api/login.rs"),
        command: &["task", "fix login", "--session", "backend", "--agent", "talker"],
        exit: 0,
        next: again!("talker"),
        done: talk!(),
        names: Names::Nothing,
    },
    Scenario {
        name: "conversation-told",
        given: talking!("echo fixed >>src/api/login.rs"),
        command: &["task", "fix login", "--session", "backend", "--agent", "teller"],
        exit: 0,
        next: again!("teller"),
        done: talk!(),
        names: Names::Nothing,
    },
    Scenario {
        name: "conversation-resumed",
        given: concat!(
            talking!("echo fixed >>src/api/login.rs"),
            "git-orch -q task 'look at login' --session backend --agent talker"
        ),
        command: &["task", "fix login", "--session", "backend", "--agent", "talker"],
        exit: 0,
        next: again!("talker"),
        done: concat!(
            talk!(),
            "[ \"$(talk fix-login)\" = \"$(talk look-at-login)\" ]
             git-orch log fix-login --transcript | grep -q 'Task look-at-login'"
        ),
        names: Names::Nothing,
    },
    Scenario {
        name: "task-asking",
        given: asking!(),
        command: &["task", "fix login", "--session", "backend", "--agent", "talker"],
        exit: 6,
        next: "case \"$(state fix-login)\" in
               input) ;;
               failed) git-orch retry fix-login || [ $? = 6 ];;
               *) git-orch task 'fix login' --session backend --agent talker || [ $? = 6 ];;
               esac",
        done: "[ \"$(state fix-login)\" = input ]; git-orch show fix-login | grep -q 'Which colour?'
               [ -z \"$(git -C ../shop.orch/backend status --porcelain)\" ]
               [ \"$(git rev-parse orch/backend)\" = \"$(git rev-parse main)\" ]
               git-orch answer fix-login Blue; git show review/fix-login:src/api/login.rs | grep -q half
               git show review/fix-login:src/api/login.rs | grep -q blue",
        names: Names::Nothing,
    },
    Scenario {
        name: "answer",
        given: asked!(),
        command: &["answer", "fix-login", "Blue."],
        exit: 0,
        next: "case \"$(state fix-login)\" in
               review) ;;
               input) git-orch answer fix-login Blue.;;
               *) git-orch retry fix-login;;
               esac",
        done: "[ \"$(git-orch show fix-login | grep -c 'answered  *Blue\\.')\" = 1 ]
               git show review/fix-login:src/api/login.rs | grep -q half
               git show review/fix-login:src/api/login.rs | grep -q blue
               [ \"$(git-orch show fix-login --json | grep -o '\"conversation\":\"[^\"]*\"' | sort -u | wc -l)\" = 1 ]",
        names: Names::Nothing,
    },
    Scenario {
        name: "attach",
        given: asked!(),
        command: &["attach", "fix-login"],
        exit: 0,
        next: BY_HAND,
        done: DONE_BY_HAND,
        names: Names::Nothing,
    },
    Scenario {
        name: "retry-by-hand",
        given: "git-orch -q task 'fix login' --session backend -- sh -c 'echo half >>src/api/login.rs; exit 3' ||:",
        command: &["retry", "fix-login", "--agent", "person"],
        exit: 0,
        next: BY_HAND,
        done: DONE_BY_HAND,
        names: Names::Nothing,
    },
    Scenario {
        name: "report",
        given: "git-orch -q task 'fix login' --session backend",
        command: &["-C", "../shop.orch/backend", "report", "input", "-m", "Which colour?"],
        exit: 0,
        next: "git-orch -C ../shop.orch/backend report input -m 'Which colour?'",
        done: "[ \"$(state fix-login)\" = input ]; git-orch show fix-login | grep -q 'Which colour?'
               echo fixed >>../shop.orch/backend/src/api/login.rs; git-orch done fix-login --commit
               [ \"$(state fix-login)\" = review ]; not git-orch -C ../shop.orch/backend report working",
        names: Names::Nothing,
    },
    Scenario {
        name: "note-in-a-run",
        given: "",
        command: &[
            "task",
            "fix login",
            "--session",
            "backend",
            "--",
            "sh",
            "-c",
            "git-orch -q report working -m 'looks around' ||:
             note=kept-$$; git-orch -q note $note && echo $note >>../../noted; echo fixed >>src/api/login.rs",
        ],
        exit: 0,
        next: "case \"$(state fix-login)\" in
               review) ;;
               failed) git-orch retry fix-login -- sh -c 'echo fixed >>src/api/login.rs';;
               *) git-orch task 'fix login' --session backend -- sh -c 'echo fixed >>src/api/login.rs';;
               esac",
        done: "[ \"$(state fix-login)\" = review ]; git show review/fix-login:src/api/login.rs | grep -q fixed
               for note in $(cat ../noted 2>/dev/null); do
                   [ \"$(git-orch show fix-login | grep -c \"note .*: $note\")\" = 1 ]
               done
               [ \"$(git-orch show fix-login --json | grep -c reported)\" = 0 ]",
        names: Names::Nothing,
    },
    Scenario {
        name: "note-of-a-running-task",
        given: "git-orch -q task 'fix login' --session backend",
        command: &["note", "keep it", "--task", "fix-login"],
        exit: 0,
        next: "git-orch note 'keep it' --task fix-login",
        done: "[ \"$(git-orch show fix-login | grep -c 'note .*: keep it')\" = 1 ]
               [ \"$(state fix-login)\" = running ]; echo fixed >>../shop.orch/backend/src/api/login.rs
               git-orch done fix-login --commit; git-orch show fix-login | grep -q 'note .*: keep it'",
        names: Names::Nothing,
    },
    Scenario {
        name: "resume",
        given: "git-orch -q pause backend -m 'on holiday'",
        command: &["resume", "backend"],
        exit: 0,
        next: "git-orch resume backend",
        done: "git-orch show backend | grep -q idle; [ \"$(git-orch show backend | grep -c 'on holiday')\" = 0 ]
               git-orch task 'fix login' --session backend -- sh -c 'echo fixed >>src/api/login.rs'",
        names: Names::Nothing,
    },
    Scenario {
        name: "task-detached",
        given: "",
        command: &[
            "task",
            "fix login",
            "--session",
            "backend",
            "--detach",
            "--",
            "sh",
            "-c",
            "echo fixed >>src/api/login.rs",
        ],
        exit: 0,
        next: "git-orch show fix-login ||
               git-orch task 'fix login' --session backend --detach -- sh -c 'echo fixed >>src/api/login.rs'",
        // Who was told that it is at work in the background knows no more than that.
        done: "git-orch wait fix-login || git-orch retry fix-login -- sh -c 'echo fixed >>src/api/login.rs'
               git-orch wait fix-login; git show review/fix-login:src/api/login.rs | grep -q fixed
               [ -z \"$(git -C ../shop.orch/backend status --porcelain)\" ]",
        names: Names::Nothing,
    },
];
