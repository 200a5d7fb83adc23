//! Sessions that look at results.

use super::{Names, Scenario};

/// A reviewer who wants to know why, trusted.
const PICKY: &str = r#"cat >.orch.yml <<'END'
version: 1
agents:
  picky:
    run: 'if grep -q why src/api/login.rs; then echo approve; else echo change; echo why; fi >"$GIT_ORCH_VERDICT"'
viewpoints: { agents: { reviewer: picky } }
END
git-orch -q trust --yes"#;

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "review-by",
        given: result!(),
        command: &[
            "review",
            "fix-login",
            "--by",
            "frontend",
            "--",
            "sh",
            "-c",
            "echo dropped >dropped; printf 'change\\nwhy\\n' >$GIT_ORCH_VERDICT",
        ],
        exit: 1,
        next: "[ \"$(state fix-login)\" = changes ] ||
               ! git-orch review fix-login --by frontend -- sh -c \"printf 'change\\nwhy\\n' >\\$GIT_ORCH_VERDICT\"",
        done: "[ \"$(state fix-login)\" = changes ]; git-orch show fix-login --json | grep -q frontend
               git notes --ref orch/verdict show review/fix-login | grep -q why
               git-orch retry fix-login -- sh -c 'echo why >>src/api/login.rs'",
        names: Names::Nothing,
    },
    Scenario {
        name: "review-adding",
        given: result!(),
        command: &[
            "review",
            "fix-login",
            "--by",
            "frontend",
            "--viewpoint",
            "tester",
            "--",
            "sh",
            "-c",
            "echo one >one; git add one; git commit -qm one; echo two >two; echo approve >$GIT_ORCH_VERDICT",
        ],
        exit: 0,
        next: "git-orch review fix-login --by frontend --viewpoint tester -- sh -c '
                   echo one >one; echo two >two; echo approve >$GIT_ORCH_VERDICT'",
        done: "git cat-file -e review/fix-login:one; git cat-file -e review/fix-login:two
               git-orch show fix-login --json | grep -q frontend
               git notes --ref orch/touch/frontend list | grep -q .
               git notes --ref orch/verdict show review/fix-login | grep -q approve
               git-orch task 'next' --session backend -- sh -c 'test -e two; echo next >next'",
        names: Names::Nothing,
    },
    Scenario {
        name: "review-rounds",
        given: PICKY,
        command: &[
            "task",
            "fix login",
            "--session",
            "backend",
            "--viewpoints",
            "reviewer",
            "--",
            "sh",
            "-c",
            "grep -q why && echo why >>src/api/login.rs || echo fixed >>src/api/login.rs",
        ],
        exit: 0,
        next: "case \"$(state fix-login)\" in
               review) git-orch review fix-login --by;;
               failed|changes) git-orch retry fix-login -- sh -c 'echo why >>src/api/login.rs';;
               *) git-orch task 'fix login' --session backend --viewpoints reviewer -- sh -c 'echo why >>src/api/login.rs';;
               esac",
        done: "[ \"$(state fix-login)\" = review ]; git show review/fix-login:src/api/login.rs | grep -q why
               git notes --ref orch/verdict show review/fix-login | grep -q approve
               [ -z \"$(git -C ../shop.orch/backend status --porcelain)\" ]",
        names: Names::Nothing,
    },
];
