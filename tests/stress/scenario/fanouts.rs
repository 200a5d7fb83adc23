//! Fan-outs, here and elsewhere.

use super::{Names, Scenario};

/// What a shard does.
macro_rules! mark {
    () => {
        "for f; do echo marked >>\"$f\"; done"
    };
}

/// A shard fails until there is a file beside the repository.
macro_rules! unready {
    () => {
        "for f; do case $f in */web/*) [ -e \"$GIT_ORCH_ROOT/../ready\" ] || exit 3;; esac; echo marked >>\"$f\"; done"
    };
}

/// A checker, and what mends one of its problems in each file.
macro_rules! todo {
    () => {
        "grep -n TODO src/*/* | sed \"s/$/: to do/\""
    };
}
macro_rules! mend {
    () => {
        "for f; do sed -i \"0,/TODO/{/TODO/d}\" \"$f\"; done"
    };
}

/// There is one result, and nothing at work.
macro_rules! only {
    () => {
        "b=$(git for-each-ref --format='%(refname)' refs/heads/review); git rev-parse -q --verify $b
         [ -z \"$(ls ../shop.orch/.throwaway 2>/dev/null)\" ];"
    };
}

/// One of which shards may have failed is called off, and done again.
const AGAIN: &str =
    concat!("git-orch cancel mark ||:; git-orch fanout mark --run '", mark!(), "' --shards 3 --again");
const MARKED: &str =
    concat!(only!(), "[ $(git grep -l marked $b | wc -l) = $(git ls-tree -r --name-only $b | wc -l) ]");

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "fanout",
        given: "",
        command: &[
            "fanout",
            "mark",
            "--run",
            mark!(),
            "--shards",
            "3",
            "--check",
            "grep -q marked README.md",
        ],
        exit: 0,
        next: AGAIN,
        done: MARKED,
        names: Names::Nothing,
    },
    Scenario {
        name: "fanout-evicting",
        given: "",
        command: &[
            "fanout",
            "mark",
            "--run",
            mark!(),
            "--shards",
            "3",
            "--commits",
            "shard",
            "--check",
            "! grep -q marked README.md",
        ],
        exit: 1,
        next: AGAIN,
        done: MARKED,
        names: Names::Nothing,
    },
    Scenario {
        name: "fanout-failing",
        given: "",
        command: &[
            "fanout",
            "mark",
            "--run",
            "for f; do case $f in */web/*) exit 3;; esac; echo marked >>\"$f\"; done",
            "--shards",
            "3",
        ],
        exit: 1,
        next: AGAIN,
        done: MARKED,
        names: Names::Nothing,
    },
    Scenario {
        name: "fanout-resume",
        given: concat!("git-orch -q fanout mark --run '", unready!(), "' --shards 3 ||:; touch ../ready"),
        command: &["fanout", "mark", "--run", unready!(), "--shards", "3", "--resume"],
        exit: 0,
        next: concat!("git-orch fanout mark --run '", unready!(), "' --shards 3 --resume"),
        done: MARKED,
        names: Names::Nothing,
    },
    Scenario {
        name: "fanout-overlay",
        given: "",
        command: &["fanout", "mark", "--run", mark!(), "--shards", "3", "--tree", "overlay", "-j", "2"],
        exit: 0,
        next: AGAIN,
        done: MARKED,
        names: Names::Nothing,
    },
    Scenario {
        name: "fanout-fix",
        given: "git stash -q; for file in src/*/*; do echo TODO >>$file; done; echo TODO >>src/api/login.rs
                git commit -qam 'there is something to do'; git stash pop -q --index",
        command: &["fanout", "fix", "--from", todo!(), "--run", mend!(), "--shards", "3"],
        exit: 0,
        next: concat!(
            "git-orch cancel fix ||:; git-orch fanout fix --from '",
            todo!(),
            "' --run '",
            mend!(),
            "' --shards 3"
        ),
        done: concat!(
            only!(),
            "not git grep -q TODO $b -- src
               [ \"$(git rev-list --count main..$b)\" -ge 2 ]"
        ),
        names: Names::Nothing,
    },
    Scenario {
        name: "fanout-elsewhere",
        given: "elsewhere",
        command: &["fanout", "mark", "--run", mark!(), "--shards", "3", "--on", "exec:here"],
        exit: 0,
        next: concat!(
            "git-orch cancel mark ||:; git-orch fanout mark --run '",
            mark!(),
            "' --shards 3 --on exec:here"
        ),
        done: MARKED,
        names: Names::Nothing,
    },
    Scenario {
        name: "doctor-elsewhere",
        given: "elsewhere
                git-orch -q fanout mark --run '[ $GIT_ORCH_SHARD = 1 ] || { >$HOME/asleep; sleep 30; }
                    for f; do echo marked >>\"$f\"; done' --shards 3 --on exec:here & orch=$!
                until [ -s .git/orch/away/mark-*/ids ]; do sleep 0.01; done; kill -9 $orch; wait $orch ||:
                until [ -e ../node/asleep ]; do sleep 0.05; done",
        command: &["doctor", "--fix"],
        exit: 0,
        next: "git-orch doctor --fix",
        done: concat!(
            "git-orch show mark --json | grep -q '\"state\":\"done\"'; git-orch fanout mark --run '",
            mark!(),
            "' --shards 3 --on exec:here;",
            only!()
        ),
        names: Names::Nothing,
    },
];
