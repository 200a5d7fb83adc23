//! One push that a forge may answer: leased, with options, its words kept.
//!
//! **Invariant:** nothing here writes a ref of this repository, and no ref of a
//! remote is moved that is not where it was seen.

use super::process::Output;
use super::remote::Remote;
use super::repo::Repo;
use crate::error::{Error, Result};
use crate::model::Oid;

/// The longest push option that git sends in one piece.
const LONGEST: usize = 16_000;
/// How many lines of a remote's words are passed on.
const LINES: usize = 12;

/// What a ref of a remote must be before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The remote decides: a ref that only it understands.
    None,
    /// Not there.
    Absent,
    /// Here.
    At(Oid),
}

/// One commit, to one ref.
#[derive(Clone, Debug)]
pub struct Push<'a> {
    /// The commit.
    pub oid: Oid,
    /// The full name of the ref on the remote.
    pub name: &'a str,
    /// Where that must be.
    pub lease: Lease,
    /// What is told beside, as `topic=x`.
    pub options: &'a [String],
    /// Whether the user's own hook looks at it first.
    pub hooks: bool,
}

/// What a remote answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What it said, line by line.
    pub said: Vec<String>,
    /// The ref that it made of what was pushed, where that is another.
    pub became: Option<String>,
}

/// Pushes.
///
/// # Errors
/// Unusable where the remote can't be reached; refused where it does not take it.
pub fn push(repo: &Repo, remote: &Remote, push: &Push<'_>) -> Result<Answer> {
    repo.reach("request to be pushed")?;
    let Push { oid, name, lease, options, hooks } = push;
    let plain = ["--no-follow-tags", "--recurse-submodules=no", "--no-signed", "--porcelain"];
    let mut command = repo.git(["push"]).args(plain);
    command = if *hooks { command.with_hooks_and_signing() } else { command.args(["--no-verify"]) };
    match lease {
        Lease::None => {}
        Lease::Absent => command = command.args([format!("--force-with-lease={name}:")]),
        Lease::At(oid) => command = command.args([format!("--force-with-lease={name}:{oid}")]),
    }
    for option in *options {
        command = command.args(["-o".to_owned(), one_line(option)]);
    }
    let output = command.args(["--", &remote.url]).args([format!("{oid}:{name}")]).spawn()?;
    let answer = answer(&output);
    if output.code == 0 {
        repo.reach("request pushed")?;
        return Ok(answer);
    }
    Err(refused(remote, push, &output, &answer))
}

/// Where refs of a remote are, by their full names or patterns.
///
/// # Errors
/// Unusable where it can't be reached.
pub fn tips(repo: &Repo, remote: &Remote, patterns: &[String]) -> Result<Vec<(String, Oid)>> {
    let output = repo.git(["ls-remote", "--quiet", "--"]).args([&remote.url]).args(patterns).spawn()?;
    if output.code != 0 {
        let error = Error::unusable(format!("could not read refs of `{}`", remote.name));
        return Err(no_rights(error.because(output.complaint()), &output));
    }
    let read = |line: &str| {
        let (oid, name) = line.split_once('\t')?;
        Some((name.to_owned(), oid.parse().ok()?))
    };
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(read).collect())
}

/// A push option is a line, and not longer than git sends.
fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut end = line.len().min(LONGEST);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line[..end].to_owned()
}

fn answer(output: &Output) -> Answer {
    let (printed, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let said = told.lines().filter_map(|line| line.strip_prefix("remote:"));
    let said: Vec<String> = said.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    // ` \tOID:NAME\tSUMMARY`, where NAME may be what the remote made of it.
    let pushed = printed.lines().find_map(|line| line.get(1..)?.strip_prefix('\t'));
    let name = pushed.and_then(|line| line.split('\t').next()?.split_once(':'));
    Answer { said, became: name.map(|(_, name)| name.to_owned()) }
}

/// What the remote said weighs more than what git says of it.
fn refused(remote: &Remote, push: &Push<'_>, output: &Output, answer: &Answer) -> Error {
    let (printed, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let what = format!("could not push `{}` to `{}`", short(push.name), remote.name);
    if told.contains("does not support push options") {
        return Error::refused(what).because("it takes no push options").hint(
            "it is no forge that opens requests by them: say which it is with `--forge`, or push the branch alone: `--forge none`",
        );
    }
    let rejected = printed.lines().find(|line| line.starts_with("!\t"));
    let Some(rejected) = rejected else {
        let mut error = Error::unusable(what).because(output.complaint());
        let is_own = |line: &&str| !line.starts_with("error: ") && !line.trim().is_empty();
        let said: Vec<&str> = told.lines().filter(is_own).take(LINES).filter(|_| push.hooks).collect();
        if !said.is_empty() {
            error = error.hint(format!("the hook `pre-push` may have said: {}", said.join(" / ")));
        }
        return no_rights(error, output);
    };
    let why = rejected.rsplit_once(" (").map_or(rejected, |(_, why)| why.trim_end_matches(')'));
    if why == "stale info" {
        return moved(&remote.name, push.name);
    }
    let mut error = Error::refused(what).because(why.to_owned());
    if told.contains("LFS") {
        error = error.hint(format!(
            "`git lfs push {} {}` brings the files there; `git config orch.hooks true` has the hook do it from now on",
            remote.name,
            short(push.name)
        ));
    }
    if why.contains("force-push") {
        error = error.hint(
            "an open request is there that was not recorded here: close it there, then run the command again",
        );
    }
    if !answer.said.is_empty() {
        let said: Vec<&str> = answer.said.iter().take(LINES).map(String::as_str).collect();
        error = error.hint(format!("`{}` says: {}", remote.name, said.join(" / ")));
    }
    error
}

/// Somebody else moved a ref that we were about to move.
pub fn moved(remote: &str, name: &str) -> Error {
    let is_branch = name.starts_with("refs/heads/");
    let name = short(name);
    let way_out = match is_branch {
        true => format!("take it into the result, or take it away there: `git push {remote} :{name}`"),
        false => "take it into the result: `git merge FETCH_HEAD` on its branch".to_owned(),
    };
    Error::refused(format!("`{name}` on `{remote}` was moved by somebody else"))
        .hint(format!("look at what is there: `git fetch {remote} {name}`, then `git log -p FETCH_HEAD`"))
        .hint(way_out)
}

fn no_rights(error: Error, output: &Output) -> Error {
    const WORDS: &[&str] =
        &["Permission denied", "Authentication failed", "could not read Username", "403", "401", "denied"];
    let told = String::from_utf8_lossy(&output.stderr);
    if WORDS.iter().any(|word| told.contains(word)) {
        return error.hint(
            "git is not let in there: look after its key or its credentials, or name another with `--remote`",
        );
    }
    error
}

fn short(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(stdout: &str, stderr: &str) -> Output {
        Output { code: 1, stdout: stdout.into(), stderr: stderr.into() }
    }

    #[test]
    fn what_a_remote_made_of_a_push_is_read() {
        let answered = output(
            "To /srv/hub\n*\t3f2a:refs/pull/7/head\t[new reference]\nDone\n",
            "remote: \nremote: Visit the existing request:   \nremote:   https://hub/pulls/7 merge into main\n",
        );
        let answer = answer(&answered);
        assert_eq!(answer.became.as_deref(), Some("refs/pull/7/head"));
        assert_eq!(answer.said, ["Visit the existing request:", "https://hub/pulls/7 merge into main"]);
    }

    #[test]
    fn an_option_is_one_line_that_git_sends() {
        assert_eq!(one_line("title=a\nb\0c\u{1b}[31m"), "title=a b c [31m");
        assert_eq!(one_line(&"é".repeat(20_000)).len(), 16_000);
    }

    #[test]
    fn a_refusal_says_what_the_remote_said() {
        let remote = Remote { name: "origin".to_owned(), url: "/srv/hub".to_owned() };
        let oid = "0123456789012345678901234567890123456789".parse().unwrap();
        let push =
            Push { oid, name: "refs/heads/review/x", lease: Lease::Absent, options: &[], hooks: false };
        for (stdout, stderr, message, hints) in [
            (
                "!\ta:b\t[remote rejected] (protected branch hook declined)\n",
                "remote: error: GH006: Protected\nremote: by rule\n",
                "could not push `review/x` to `origin`: protected branch hook declined",
                1,
            ),
            ("!\ta:b\t[rejected] (stale info)\n", "", "`review/x` on `origin` was moved by somebody else", 2),
            (
                "",
                "fatal: the receiving end does not support push options\n",
                "could not push `review/x` to `origin`: it takes no push options",
                1,
            ),
            (
                "",
                "git@hub: Permission denied (publickey).\nfatal: Could not read from remote repository.\n",
                "could not push `review/x` to `origin`: Could not read from remote repository.",
                1,
            ),
        ] {
            let output = output(stdout, stderr);
            let error = refused(&remote, &push, &output, &answer(&output));
            assert_eq!((error.to_string().as_str(), error.hints.len()), (message, hints));
        }
    }
}
