//! The slow path: what `git log` prints, read into the same commits.

use super::trees::Differences;
use super::{Span, commit};
use crate::error::{Error, Result};
use crate::model::{Author, Mined, Oid, RepoPath, Status, Time};

/// Begins each commit; the fields end in NUL. A path is only read behind its
/// status, so no file name can be taken for any of this.
const FORMAT: &str = "--format=%x01%H%x00%ct%x00%an%x00%ae%x00%B%x00";

/// The arguments of the `git log` that [`parse_log`] reads, whatever the configuration says.
pub fn log_args(span: &Span<'_>) -> Vec<String> {
    let fixed = [
        "-c",
        "log.showRoot=true",
        "-c",
        "log.follow=false",
        "-c",
        "log.showSignature=false",
        "-c",
        "i18n.logOutputEncoding=UTF-8",
        "log",
        "--raw",
        "-z",
        "--no-renames",
        "--no-abbrev",
        "--no-merges",
        "--no-mailmap",
        "--no-notes",
        "--no-color",
        "--no-ext-diff",
        "--ignore-submodules=none",
        FORMAT,
    ];
    let mut args: Vec<String> = fixed.iter().map(|arg| (*arg).to_owned()).collect();
    if span.horizon < usize::MAX {
        args.push(format!("--max-count={}", span.horizon));
    }
    args.extend(span.tips.iter().map(Oid::to_string));
    if !span.hide.is_empty() {
        args.push("--not".to_owned());
        args.extend(span.hide.iter().map(Oid::to_string));
    }
    args.push("--".to_owned());
    args
}

/// Reads what `git log` printed for [`log_args`].
pub fn parse_log(printed: &[u8]) -> Result<Vec<Mined>> {
    let mut rest = printed;
    let mut commits = Vec::new();
    while !rest.is_empty() {
        let (mined, after) =
            parse_commit(rest).ok_or_else(|| Error::unusable("could not read what `git log` printed"))?;
        commits.push(mined);
        rest = after;
    }
    Ok(commits)
}

fn parse_commit(printed: &[u8]) -> Option<(Mined, &[u8])> {
    let rest = printed.strip_prefix(b"\x01")?;
    let (oid, rest) = field(rest)?;
    let (time, rest) = field(rest)?;
    let (name, rest) = field(rest)?;
    let (email, rest) = field(rest)?;
    let (message, mut rest) = field(rest)?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (subject, body) = commit::message_of(&text(message));
    let mut found = Differences::default();
    loop {
        match rest.first() {
            Some(b'\0' | b'\n') => rest = &rest[1..],
            Some(b':') => {
                let (facts, after) = field(rest)?;
                let (path, after) = field(after)?;
                let facts: Vec<&str> = std::str::from_utf8(facts).ok()?.split(' ').collect();
                let [_, _, old, new, letter] = facts[..] else { return None };
                let status = Status::from_letter(*letter.as_bytes().first()?)?;
                let contents = if status == Status::Deleted { old } else { new };
                found.add(status, RepoPath::from_bytes(path), contents.parse().ok());
                rest = after;
            }
            Some(b'\x01') | None => break,
            Some(_) => return None,
        }
    }
    let mut mined = Mined {
        oid: std::str::from_utf8(oid).ok()?.parse().ok()?,
        // Of a date that makes no sense git prints nothing, or what does not fit.
        time: Time(std::str::from_utf8(time).ok().and_then(|time| time.parse().ok()).unwrap_or(0)),
        author: Author { name: text(name).trim().to_owned(), email: text(email) },
        subject,
        body,
        renames: found.renames(),
        changes: found.changes,
    };
    mined.changes.sort_by(|a, b| a.path.cmp(&b.path));
    Some((mined, rest))
}

/// What stands before the next NUL, and what behind it.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Change;

    const OID: &str = "689362089edd09b6d68f7cfe99075e1345e0fede";

    #[test]
    fn commits_and_their_changes_are_read() {
        let entry = |letter: &str, path: &str| format!(":100644 100644 {OID} {OID} {letter}\0{path}\0");
        let printed = format!(
            "\x01{OID}\x007\0A\0a@b.c\0subject\n\nbody\n\0\0\n{}{}\x01{OID}\x008\0\0\0\0\0\x01{OID}\x009\0X\0x\0s\0",
            entry("M", "\x01odd:\n"),
            entry("A", "a")
        );
        let commits = parse_log(printed.as_bytes()).unwrap();
        assert_eq!(commits.len(), 3);
        let change = |status, path| Change { status, path: RepoPath::from(path) };
        assert_eq!(commits[0].changes, [change(Status::Modified, "\x01odd:\n"), change(Status::Added, "a")]);
        assert_eq!((commits[0].time, commits[0].subject.as_str()), (Time(7), "subject"));
        assert_eq!((commits[1].changes.len(), commits[2].author.email.as_str()), (0, "x"));
        assert_eq!((commits[0].subject.as_str(), commits[0].body.as_str()), ("subject", "body"));
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(parse_log(b"").unwrap(), []);
        for printed in ["x", "\x01", "\x01abc\x007\0A\0a\0s\0", "\x01689\0", "warning: x\n"] {
            assert!(parse_log(printed.as_bytes()).is_err(), "{printed:?}");
        }
        let cut = format!("\x01{OID}\x007\0A\0a\0s\0\0\n:100644 100644 {OID} {OID} M\0pa");
        assert!(parse_log(cut.as_bytes()).is_err());
    }
}
