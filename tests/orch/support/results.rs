//! Sessions, their results, and landing them.

use super::TestRepo;
use super::output::Output;

/// Makes a result of a session, by a shell script.
pub(crate) fn by_script(repo: &TestRepo, text: &str, session: &str, script: &str) {
    repo.orch(&["task", text, "--session", session, "-q", "--", "sh", "-c", script]).expect_success();
}

/// Adds sessions, each with paths of its own.
pub(crate) fn sessions(repo: &TestRepo, names: &[&str]) {
    for name in names {
        repo.orch(&["add-session", name, "--paths", &format!("src/{name}"), "-q"]).expect_success();
    }
}

/// A repository with a session for each side of the shop.
pub(crate) fn both_sides() -> TestRepo {
    let repo = TestRepo::new();
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "-q"]).expect_success();
    }
    repo
}

/// `git orch merge`, which may move the checkout.
pub(crate) fn merge(repo: &TestRepo, arguments: &[&str]) -> Output {
    repo.call(&[&["merge"], arguments].concat()).changing_checkout().run()
}
