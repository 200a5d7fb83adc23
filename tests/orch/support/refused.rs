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

/// One bad input: the arguments, the exit code, the message, the hints.
pub(crate) type Bad = (&'static [&'static str], i32, &'static str, &'static [&'static str]);

/// Fails unless the whole output is one line of error and its hints; of a
/// message that ends in `…` only what stands before is compared.
#[track_caller]
pub(crate) fn expect_refusal(
    output: &Output,
    exit: i32,
    message: &str,
    hints: &[&str],
    case: &(impl std::fmt::Debug + ?Sized),
) {
    let told = output.told();
    let (first, rest) = told.split_once('\n').unwrap_or((&told, ""));
    let hints: String = hints.iter().map(|hint| format!("hint: {hint}\n")).collect();
    let is_said = match message.strip_suffix('…') {
        Some(start) => first.len() > start.len() + 7 && first.starts_with(&format!("error: {start}")),
        None => first == format!("error: {message}"),
    };
    let is_right = output.exit == exit && output.stdout.is_empty() && is_said && rest == hints;
    assert!(is_right, "{case:?}\nexpected exit {exit}\nerror: {message}\n{hints}but\n{output}");
}
