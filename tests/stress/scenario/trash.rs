//! Deleting what nobody needs, and bringing back what somebody does.

use super::{Names, Scenario};

/// A session in the trash that holds nothing of its own, long ago; the one
/// that is there already holds files that are nowhere else.
macro_rules! worn {
    () => {
        "GIT_ORCH_NOW=1690000000; export GIT_ORCH_NOW
         git-orch -q add-session worn --paths docs; git-orch -q remove-session worn
         GIT_ORCH_NOW=1700500000;"
    };
}

/// What can go is gone, and what is nowhere else is there.
const CLEARED: &str = "[ -z \"$(ls -d ../shop.orch/.trash/worn-* 2>/dev/null)\" ]
    cat ../shop.orch/.trash/old-*/old.txt ../shop.orch/.trash/old-*/old.secret";

/// A dirty session is in the trash; its name there.
macro_rules! removed {
    () => {
        "git-orch -q remove-session frontend
         (cd ../shop.orch/.trash; ls -d frontend-*) >../id;"
    };
}

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "gc",
        given: worn!(),
        command: &["gc", "--apply"],
        exit: 0,
        next: "git-orch gc --apply",
        done: CLEARED,
        names: Names::Nothing,
    },
    Scenario {
        name: "trash-empty",
        given: worn!(),
        command: &["trash", "empty"],
        exit: 0,
        next: "git-orch trash empty",
        done: CLEARED,
        names: Names::Nothing,
    },
    Scenario {
        name: "trash-restore",
        given: removed!(),
        command: &["trash", "restore", "@../id"],
        exit: 0,
        next: "[ -e ../shop.orch/frontend ] || git-orch trash restore $(cat ../id)",
        done: "cd ../shop.orch/frontend; grep -q half src/web/cart.ts; cat new.ts front.secret staged.ts
               [ \"$(git symbolic-ref --short HEAD)\" = orch/frontend ]
               git-orch show frontend --json | grep -q idle",
        names: Names::Nothing,
    },
    Scenario {
        name: "trash-restore-branch",
        given: removed!(),
        command: &["trash", "restore", "@../id", "--branch", "orch-back"],
        exit: 0,
        next: "git show-ref -q refs/heads/orch-back || git-orch trash restore $(cat ../id) --branch orch-back",
        done: "git show orch-back:new.ts; git show orch-back:src/web/cart.ts | grep -q half
               cat ../shop.orch/.trash/frontend-*/front.secret",
        names: Names::Base,
    },
];
