//! Commands that must fail, and leave everything as it was.

use super::call::Call;
use super::output::Output;
use super::repo::TestRepo;

/// Runs what must fail, and must leave everything as it was.
#[track_caller]
pub(crate) fn refused(repo: &TestRepo, arguments: &[&str]) -> Output {
    refused_call(repo, repo.call(arguments))
}

/// The same for a run in another folder or environment.
#[track_caller]
pub(crate) fn refused_call(repo: &TestRepo, call: Call<'_>) -> Output {
    let before = repo.everything();
    let output = call.run();
    assert_ne!(output.exit, 0, "{output}");
    before.expect_same(&repo.everything(), "what was refused");
    output
}
