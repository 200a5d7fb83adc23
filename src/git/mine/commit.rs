//! The few facts of a raw commit object that mining needs.

use std::borrow::Cow;

use crate::model::{Author, Oid, Time};

/// A commit as its object says.
#[derive(Debug, PartialEq)]
pub(super) struct RawCommit {
    pub(super) tree: Oid,
    pub(super) parents: Vec<Oid>,
    pub(super) time: Time,
    pub(super) author: Author,
    pub(super) subject: String,
    pub(super) body: String,
}

/// Bytes of a message behind its subject that are read.
const MAX_BODY: usize = 2_000;

/// Reads a raw commit; `None` where it is none.
pub(super) fn parse(raw: &[u8]) -> Option<RawCommit> {
    let end = raw.windows(2).position(|pair| pair == b"\n\n").unwrap_or(raw.len());
    let (head, message) = (&raw[..end], raw.get(end + 2..).unwrap_or_default());
    let (mut tree, mut parents, mut time) = (None, Vec::new(), Time(0));
    let (mut author, mut encoding) = (&b""[..], &b"utf-8"[..]);
    for line in head.split(|byte| *byte == b'\n') {
        let Some(space) = line.iter().position(|byte| *byte == b' ') else { continue };
        let value = &line[space + 1..];
        match &line[..space] {
            b"tree" if tree.is_none() => tree = oid(value),
            b"parent" => parents.push(oid(value)?),
            b"author" if author.is_empty() => author = value,
            b"committer" => time = date(value),
            b"encoding" => encoding = value,
            _ => {}
        }
    }
    let text = |bytes| decode(bytes, encoding).into_owned();
    let author = Author { name: text(name(author)), email: text(email(author)) };
    let (subject, body) = message_of(&decode(message, encoding));
    Some(RawCommit { tree: tree?, parents, time, author, subject, body })
}

/// A message's first line that holds anything, and what follows, cut where it
/// is long; both without blanks around them.
pub(super) fn message_of(message: &str) -> (String, String) {
    let (subject, body) = message.trim_start().split_once('\n').unwrap_or((message, ""));
    let body = body.trim();
    (subject.trim().to_owned(), body[..body.floor_char_boundary(MAX_BODY)].trim_end().to_owned())
}

/// What stands before the first `<`, without blanks around it.
fn name(identity: &[u8]) -> &[u8] {
    identity.split(|byte| *byte == b'<').next().unwrap_or_default().trim_ascii()
}

fn oid(hex: &[u8]) -> Option<Oid> {
    std::str::from_utf8(hex).ok()?.parse().ok()
}

/// The address between the first `<` and the `>` after it.
fn email(identity: &[u8]) -> &[u8] {
    let start = identity.iter().position(|byte| *byte == b'<').map_or(identity.len(), |index| index + 1);
    let rest = &identity[start..];
    &rest[..rest.iter().position(|byte| *byte == b'>').unwrap_or(rest.len())]
}

/// The seconds after the last `>`, with a zone behind them; 0 where they make no
/// sense, as in git.
pub(in crate::git) fn date(identity: &[u8]) -> Time {
    let start = identity.iter().rposition(|byte| *byte == b'>').map_or(0, |index| index + 1);
    let text = std::str::from_utf8(&identity[start..]).unwrap_or_default();
    let mut words = text.split_ascii_whitespace();
    let seconds = words.next().filter(|seconds| seconds.bytes().all(|byte| byte.is_ascii_digit()));
    let has_zone = words.next().is_some_and(|zone| zone.starts_with(['+', '-']));
    Time(seconds.filter(|_| has_zone).and_then(|seconds| seconds.parse().ok()).unwrap_or(0))
}

fn decode<'a>(bytes: &'a [u8], encoding: &[u8]) -> Cow<'a, str> {
    let is_latin = ["iso-8859-1", "iso8859-1", "latin1", "latin-1"];
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if is_latin.iter().any(|name| encoding.eq_ignore_ascii_case(name.as_bytes())) => {
            bytes.iter().map(|byte| char::from(*byte)).collect()
        }
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    fn parsed(rest: &[u8]) -> Option<RawCommit> {
        parse(&[format!("tree {TREE}\n").as_bytes(), rest].concat())
    }

    #[test]
    fn the_facts_are_read() {
        let raw = format!(
            "parent {TREE}\nauthor A <B> <a@b.c> 1 +0000\ncommitter C <c@d.e> 77 -0100\n\
             gpgsig -----BEGIN\n author X <x@y.z> 1 +0000\n\n\n  \nsubject \nmore\n"
        );
        let commit = parsed(raw.as_bytes()).unwrap();
        assert_eq!(commit.parents.len(), 1);
        assert_eq!(
            (commit.time, commit.author.name.as_str(), commit.author.email.as_str()),
            (Time(77), "A", "B")
        );
        assert_eq!((commit.subject.as_str(), commit.body.as_str()), ("subject", "more"));
    }

    #[test]
    fn broken_commits_do_no_harm() {
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"tree xyz\n\nhi"), None);
        assert_eq!(parsed(b"parent xyz\n\nhi"), None);
        let commit = parsed(b"author nobody\ncommitter nobody").unwrap();
        let Author { name, email } = commit.author;
        assert_eq!(
            (commit.time, name.as_str(), email.as_str(), commit.subject.as_str()),
            (Time(0), "nobody", "", "")
        );
    }

    #[test]
    fn a_long_message_is_cut_between_letters() {
        let long = format!("s\n\n{}é{}", "x".repeat(MAX_BODY - 1), "y".repeat(9));
        assert_eq!(message_of(&long), ("s".to_owned(), "x".repeat(MAX_BODY - 1)));
    }

    #[test]
    fn other_encodings_are_read_or_replaced() {
        for (encoding, subject) in [("ISO-8859-1", "caf\u{e9}"), ("koi8-r", "caf\u{fffd}")] {
            let raw = [format!("encoding {encoding}\n\n").as_bytes(), b"caf\xe9"].concat();
            assert_eq!(parsed(&raw).unwrap().subject, subject);
        }
    }

    proptest! {
        #[test]
        fn mining_reads_what_git_printed_as_everything_else_does(
            parents in proptest::collection::vec(any::<[u8; 20]>(), 0..3),
            (name, email) in ("[a-zé .]{0,6}", "[a-z@.]{0,6}"),
            time in 0..9_000_000_000_i64,
            lines in proptest::collection::vec("[a-c é]{0,3}", 0..4),
        ) {
            let parents: Vec<Oid> = parents.iter().map(|bytes| Oid::from_bytes(bytes).unwrap()).collect();
            let mut raw = format!("tree {TREE}\n");
            parents.iter().for_each(|parent| raw.push_str(&format!("parent {parent}\n")));
            raw += &format!("author {name} <{email}> 1 +0000\ncommitter C <c@d.e> {time} -0100\n\n");
            raw += &lines.join("\n");
            let mined = parse(raw.as_bytes()).unwrap();
            let read = crate::git::porcelain::commit(TREE.parse().unwrap(), raw.as_bytes()).unwrap();
            assert_eq!((mined.tree, &mined.parents, mined.time), (read.tree, &read.parents, read.time));
            let author = Author { name: read.author, email: read.email };
            assert_eq!((mined.parents, mined.author), (parents, author));
            assert_eq!((mined.time, (mined.subject, mined.body)), (Time(time), message_of(&read.message)));
        }

        #[test]
        fn no_bytes_are_too_odd(
            raw: Vec<u8>, head in "(tree|parent|author|committer|encoding)?[ <>0-9a\n]{0,60}",
        ) {
            parse(&raw);
            parsed(head.as_bytes());
            parsed(&[head.as_bytes(), b"\n\n", &raw].concat());
        }
    }
}
