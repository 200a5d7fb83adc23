//! Taking back what each verb did.

use super::{Names, Scenario};

const UNDO: &[&str] = &["undo"];

/// A task is as if it had never been given, and its session is free.
macro_rules! never_given {
    () => {
        "[ -z \"$(state fix-login)\" ]; not git show-ref -q refs/heads/review/fix-login
         [ -z \"$(git -C ../shop.orch/backend status --porcelain)\" ]
         git-orch task 'fix cart' --session backend -- sh -c 'echo more >>src/api/cart.rs'
         not git grep -q fixed review/fix-cart"
    };
}

/// A person is at work, with edits that are not committed.
macro_rules! person {
    () => {
        "git-orch -q task 'fix login' --session backend --agent person
         (cd ../shop.orch/backend; echo fixed >>src/api/login.rs; echo new >new.rs; echo own >own.secret);"
    };
}

/// The person is at work again, and so are the edits.
const AT_WORK: &str = "case \"$(state fix-login)\" in running|input) ;; *) exit 1;; esac
    cd ../shop.orch/backend; grep -q fixed src/api/login.rs; cat new.rs own.secret
    [ \"$(git symbolic-ref --short HEAD)\" = orch/backend ]; git-orch done fix-login --commit";

/// A result has come back from the base.
const WAITS: &str = "[ \"$(state fix-login)\" = review ]; not git grep -q fixed main -- src/api/login.rs
    git grep -q fixed review/fix-login -- src/api/login.rs; git-orch merge --dry-run fix-login";

const UNLESS_IT_WAITS: &str = "[ \"$(state fix-login)\" = review ] || git-orch undo";

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "undo-task",
        given: result!(),
        command: UNDO,
        exit: 0,
        next: "[ -z \"$(state fix-login)\" ] || git-orch undo",
        done: never_given!(),
        names: Names::Nothing,
    },
    Scenario {
        name: "undo-task-failed",
        given: "git-orch -q task 'fix login' --session backend -- sh -c '
                    echo fixed >>src/api/login.rs; echo new >new.rs; echo own >own.secret; exit 3' ||:",
        command: UNDO,
        exit: 0,
        next: "[ -z \"$(state fix-login)\" ] || git-orch undo",
        done: never_given!(),
        names: Names::Nothing,
    },
    Scenario {
        name: "undo-cancel",
        given: concat!(person!(), "git-orch -q cancel fix-login"),
        command: UNDO,
        exit: 0,
        next: "[ \"$(state fix-login)\" != cancelled ] || git-orch undo",
        done: AT_WORK,
        names: Names::Nothing,
    },
    Scenario {
        name: "undo-cancel-result",
        given: concat!(result!(), "git-orch -q cancel fix-login"),
        command: UNDO,
        exit: 0,
        next: UNLESS_IT_WAITS,
        done: WAITS,
        names: Names::Nothing,
    },
    Scenario {
        name: "undo-done",
        given: concat!(person!(), "git-orch -q done fix-login --commit"),
        command: UNDO,
        exit: 0,
        next: "[ \"$(state fix-login)\" != review ] || git-orch undo",
        done: AT_WORK,
        names: Names::Nothing,
    },
    Scenario {
        name: "undo-remove-session",
        given: "git-orch -q remove-session frontend",
        command: UNDO,
        exit: 0,
        next: "git show-ref -q refs/heads/orch/frontend || git-orch undo",
        done: "cd ../shop.orch/frontend; grep -q half src/web/cart.ts; cat new.ts front.secret staged.ts
               [ \"$(git symbolic-ref --short HEAD)\" = orch/frontend ]
               git-orch show frontend --json | grep -q idle",
        names: Names::Nothing,
    },
    Scenario {
        name: "undo-add-session",
        given: "git-orch -q add-session api --paths src/api; echo own >../shop.orch/api/own.secret
                echo edit >>../shop.orch/api/README.md",
        command: UNDO,
        exit: 0,
        next: "[ -z \"$(git for-each-ref refs/heads/orch/api)\" ] || git-orch undo",
        done: "not git-orch show api; [ ! -e ../shop.orch/api ]; cat ../shop.orch/.trash/api-*/own.secret
               git-orch add-session api --paths src/api",
        names: Names::Nothing,
    },
    Scenario {
        name: "undo-merge-here",
        given: concat!(checked!("test -f README.md"), result!(), moved!(), "git-orch -q merge fix-login"),
        command: UNDO,
        exit: 0,
        next: UNLESS_IT_WAITS,
        done: WAITS,
        names: Names::Checkout,
    },
    Scenario {
        name: "undo-merge-away",
        given: concat!(checked!("test -f README.md"), result!(), away!(), "git-orch -q merge fix-login"),
        command: UNDO,
        exit: 0,
        next: UNLESS_IT_WAITS,
        done: WAITS,
        names: Names::Base,
    },
    Scenario {
        name: "undo-fanout",
        given: "git-orch -q fanout mark --run 'for f; do echo marked >>\"$f\"; done' --shards 3",
        command: UNDO,
        exit: 0,
        next: "[ -z \"$(git for-each-ref refs/heads/review)\" ] || git-orch undo",
        done: "[ -z \"$(git for-each-ref refs/heads/review)\" ]
               git-orch fanout mark --run 'for f; do echo marked >>\"$f\"; done' --shards 3",
        names: Names::Nothing,
    },
    Scenario {
        name: "undo-undo",
        given:
            "git-orch -q remove-session frontend; git-orch -q undo
             git-orch log --ops --json | grep -o '\"id\":\"[0-9a-f]*' | head -n 1 | cut -d '\"' -f 4 >../undo",
        command: &["undo", "@../undo"],
        exit: 0,
        next: "[ -z \"$(git for-each-ref refs/heads/orch/frontend)\" ] || git-orch undo $(cat ../undo)",
        done: "[ ! -e ../shop.orch/frontend ]; cat ../shop.orch/.trash/frontend-*/front.secret
               git-orch show frontend --json | grep -q archived",
        names: Names::Nothing,
    },
];
