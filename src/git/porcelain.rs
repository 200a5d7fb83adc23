//! What git children print in the forms made for programs, read.
//!
//! **Invariant:** paths come NUL-terminated and are any bytes, so no name can
//! be taken for a field; a record that does not fit is an error, never passed
//! over. Nothing is run here.

use std::collections::BTreeMap;

use super::mine;
use super::read::{Commit, Edit, Entry, EntryKind};
use crate::error::{Error, Result};
use crate::model::{Change, Oid, RepoPath, Status};

fn odd(verb: &str) -> Error {
    Error::bug(format!("`git {verb}` answered oddly"))
}

/// An object id as text, blanks around it or not.
pub fn oid(text: &[u8]) -> Result<Oid> {
    let text = String::from_utf8_lossy(text);
    text.trim().parse().map_err(|_| Error::bug(format!("git gave `{text}` as an object id")))
}

/// Records that each end in NUL.
fn records(printed: &[u8]) -> impl Iterator<Item = &[u8]> {
    printed.split(|byte| *byte == 0).filter(|record| !record.is_empty())
}

/// The paths of `ls-files -z`.
pub fn paths(printed: &[u8]) -> Vec<RepoPath> {
    records(printed).map(RepoPath::from_bytes).collect()
}

/// The paths of `status --porcelain=v2 -z --no-renames`: tracked ones that
/// differ, unmerged and untracked ones.
pub fn status(printed: &[u8]) -> Result<Vec<RepoPath>> {
    let mut found = Vec::new();
    for record in records(printed) {
        let before = match record[0] {
            b'1' => 8,
            b'u' => 10,
            b'?' => 1,
            b'#' | b'!' => continue,
            _ => return Err(odd("status")),
        };
        let path = record.splitn(before + 1, |byte| *byte == b' ').nth(before);
        found.push(RepoPath::from_bytes(path.ok_or_else(|| odd("status"))?));
    }
    Ok(found)
}

/// What differs by `diff-tree --raw -z --no-renames`, by path.
pub fn differences(printed: &[u8]) -> Result<Vec<Edit>> {
    let mut fields = records(printed);
    let mut found = Vec::new();
    while let Some(facts) = fields.next() {
        let (facts, path) = difference(facts).zip(fields.next()).ok_or_else(|| odd("diff-tree"))?;
        let (status, now) = facts;
        found.push(Edit { change: Change { status, path: RepoPath::from_bytes(path) }, now });
    }
    found.sort_by(|one, two| one.change.path.cmp(&two.change.path));
    Ok(found)
}

/// Reads `:MODE MODE ID ID LETTER`; what is deleted has no entry.
fn difference(facts: &[u8]) -> Option<(Status, Option<(EntryKind, Oid)>)> {
    let mut words = std::str::from_utf8(facts).ok()?.strip_prefix(':')?.split(' ');
    let mode = u32::from_str_radix(words.nth(1)?, 8).ok()?;
    let oid: Oid = words.nth(1)?.parse().ok()?;
    let letter = words.next().filter(|letter| letter.len() == 1)?;
    let status = Status::from_letter(letter.as_bytes()[0]).filter(|_| words.next().is_none())?;
    Some((status, (status != Status::Deleted).then_some((EntryKind::from_mode(mode), oid))))
}

/// The entries of `ls-files --stage -z`, without their stages.
pub fn staged(printed: &[u8]) -> Result<Vec<(RepoPath, Oid)>> {
    let entry = |record: &[u8]| {
        let tab = record.iter().position(|byte| *byte == b'\t')?;
        let oid = std::str::from_utf8(&record[..tab]).ok()?.split(' ').nth(1)?.parse().ok()?;
        Some((RepoPath::from_bytes(&record[tab + 1..]), oid))
    };
    records(printed).map(|record| entry(record).ok_or_else(|| odd("ls-files"))).collect()
}

/// The entries of `ls-tree -z`.
pub fn listing(printed: &[u8]) -> Result<Vec<Entry>> {
    let entry = |record: &[u8]| {
        let tab = record.iter().position(|byte| *byte == b'\t')?;
        let mut words = std::str::from_utf8(&record[..tab]).ok()?.split(' ');
        let mode = u32::from_str_radix(words.next()?, 8).ok()?;
        let oid = words.nth(1)?.parse().ok()?;
        let name = RepoPath::from_bytes(&record[tab + 1..]);
        Some(Entry { name, kind: EntryKind::from_mode(mode), oid })
    };
    records(printed).map(|record| entry(record).ok_or_else(|| odd("ls-tree"))).collect()
}

/// The tree and the conflicting paths of
/// `merge-tree --write-tree -z --name-only --no-messages`.
pub fn merge_tree(printed: &[u8]) -> Option<(Oid, Vec<RepoPath>)> {
    let mut fields = records(printed);
    let tree = oid(fields.next()?).ok()?;
    Some((tree, fields.map(RepoPath::from_bytes).collect()))
}

/// The settings of `config -z --get-regexp`, the last value of each.
pub fn settings(printed: &[u8]) -> BTreeMap<String, String> {
    let setting = |record| {
        let text = String::from_utf8_lossy(record);
        // One without `=` in the file means true.
        let (key, value) = text.split_once('\n').unwrap_or((&text, "true"));
        (key.to_lowercase(), value.to_owned())
    };
    records(printed).map(setting).collect()
}

/// An object's kind and bytes.
pub type Object = (String, Vec<u8>);

/// Takes the next object off what `cat-file --batch` printed; `None` where it
/// is missing.
pub fn next_object(printed: &mut &[u8]) -> Result<Option<Object>> {
    let odd = || odd("cat-file --batch");
    let end = printed.iter().position(|byte| *byte == b'\n').ok_or_else(odd)?;
    let header = String::from_utf8_lossy(&printed[..end]).into_owned();
    let rest = &printed[end + 1..];
    let mut words = header.rsplit(' ');
    let last = words.next().unwrap_or_default();
    if last == "missing" || last == "ambiguous" {
        *printed = rest;
        return Ok(None);
    }
    let size = last.parse().map_err(|_| odd())?;
    let kind = words.next().unwrap_or_default().to_owned();
    let (body, rest) = rest.split_at_checked(size).ok_or_else(odd)?;
    *printed = rest.strip_prefix(b"\n").ok_or_else(odd)?;
    Ok(Some((kind, body.to_vec())))
}

/// The sizes of `cat-file --batch-check=%(objectsize)`; 0 for what is missing.
pub fn sizes(printed: &[u8], count: usize) -> Result<Vec<u64>> {
    let odd = || odd("cat-file --batch-check");
    let text = String::from_utf8_lossy(printed);
    let size = |line: &str| if line.ends_with(" missing") { Ok(0) } else { line.parse().map_err(|_| odd()) };
    let sizes: Vec<u64> = text.lines().map(size).collect::<Result<_>>()?;
    if sizes.len() == count { Ok(sizes) } else { Err(odd()) }
}

/// A commit object.
pub fn commit(oid: Oid, raw: &[u8]) -> Result<Commit> {
    let malformed = || Error::unusable(format!("the commit {oid} is malformed"));
    let text = String::from_utf8_lossy(raw);
    let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(malformed);
    let (name, rest) = field("author ")?.split_once('<').ok_or_else(malformed)?;
    let id = |hex: &str| hex.parse().map_err(|_| malformed());
    Ok(Commit {
        oid,
        tree: id(field("tree ")?)?,
        parents: head
            .lines()
            .filter_map(|line| line.strip_prefix("parent "))
            .map(id)
            .collect::<Result<_>>()?,
        author: name.trim().to_owned(),
        email: rest.split('>').next().unwrap_or_default().to_owned(),
        time: mine::date(field("committer ")?.as_bytes()),
        message: message.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OID: &str = "689362089edd09b6d68f7cfe99075e1345e0fede";

    #[test]
    fn every_sort_of_status_record_names_its_path() {
        let printed = format!(
            "1 .M N... 100644 100644 100644 {OID} {OID} a b\0\
             u UU N... 100644 100644 100644 100644 {OID} {OID} {OID} c\n? d\0\
             ? new\0! ignored\0# branch.head main\0"
        );
        let found = ["a b", "c\n? d", "new"].map(RepoPath::from);
        assert_eq!(status(printed.as_bytes()).unwrap(), found);
        for printed in ["2 R. x\0old\0", "1 .M N...\0", "?\0", "warning: x\0"] {
            assert!(status(printed.as_bytes()).is_err(), "{printed:?}");
        }
    }

    #[test]
    fn differences_come_by_path_and_whole() {
        let edit = |status, path, now| Edit { change: Change { status, path: RepoPath::from(path) }, now };
        let now = Some((EntryKind::Executable, OID.parse().unwrap()));
        let found = [edit(Status::Deleted, "M", None), edit(Status::Modified, "z\n", now)];
        let none = "0".repeat(40);
        let printed = format!(":100644 100755 {OID} {OID} M\0z\n\0:100644 000000 {OID} {none} D\0M\0");
        assert_eq!(differences(printed.as_bytes()).unwrap(), found);
        for printed in [
            format!(":100644 100755 {OID} {OID} M\0"),
            format!(":100644 100644 {OID} {OID} R100\0a\0b\0"),
            format!(":100644 100644 {OID} {OID} MM\0a\0"),
            format!("100644 100644 {OID} {OID} M\0a\0"),
            format!(":100644 100644 {OID} M\0a\0"),
            format!(":100644 9 {OID} {OID} M\0a\0"),
        ] {
            assert!(differences(printed.as_bytes()).is_err(), "{printed:?}");
        }
    }

    #[test]
    fn entries_of_a_tree_are_read() {
        let found =
            listing(format!("100755 blob {OID}\ta\tb\x00160000 commit {OID}\tc\0").as_bytes()).unwrap();
        let facts: Vec<_> = found.iter().map(|entry| (entry.name.quoted(), entry.kind)).collect();
        assert_eq!(
            facts,
            [("\"a\\tb\"".to_owned(), EntryKind::Executable), ("c".to_owned(), EntryKind::Submodule)]
        );
        for printed in ["100644 blob\tx\0", &format!("9 blob {OID}\tx\0"), &format!("100644 blob {OID} x\0")]
        {
            assert!(listing(printed.as_bytes()).is_err(), "{printed:?}");
        }
    }

    #[test]
    fn objects_come_off_one_by_one() {
        let text = format!("{OID} blob 3\na\nb\n{OID}:x missing\n{OID} tree 99999999999999999999\n");
        let mut rest = text.as_bytes();
        assert_eq!(next_object(&mut rest).unwrap(), Some(("blob".to_owned(), b"a\nb".to_vec())));
        assert_eq!(next_object(&mut rest).unwrap(), None);
        assert!(next_object(&mut rest).is_err());
        for text in [&format!("{OID} blob {}\nx\n", usize::MAX)[..], "x blob 1\nab\n", "x blob 2\na\n", ""] {
            assert!(next_object(&mut text.as_bytes()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes_come_in_order_and_all_of_them() {
        let printed = format!("12\n{OID} missing\n0\n");
        assert_eq!(sizes(printed.as_bytes(), 3).unwrap(), [12, 0, 0]);
        for (printed, count) in [("12\n", 2), ("12\n13\n", 1), ("x\n", 1), ("-1\n", 1)] {
            assert!(sizes(printed.as_bytes(), count).is_err(), "{printed:?}");
        }
    }

    fn name() -> impl Strategy<Value = RepoPath> {
        let byte = prop_oneof![1..=255_u8, proptest::sample::select(b" \t\n?1u:".to_vec())];
        proptest::collection::vec(byte, 1..8).prop_map(RepoPath::from_bytes)
    }

    fn names() -> impl Strategy<Value = Vec<RepoPath>> {
        proptest::collection::vec(name(), 0..6)
    }

    /// A record for each name behind its fields.
    fn printed(names: &[RepoPath], before: impl Fn(usize) -> String) -> Vec<u8> {
        let record =
            |(number, name): (usize, &RepoPath)| [before(number).as_bytes(), name.as_bytes(), b"\0"].concat();
        names.iter().enumerate().flat_map(record).collect()
    }

    proptest! {
        #[test]
        fn no_name_is_taken_for_a_field(names in names()) {
            let unmerged = format!("u UU N... 1 2 3 4 {OID} {OID} {OID} ");
            let sorts = ["? ", &format!("1 .M N... 1 2 3 {OID} {OID} "), &unmerged];
            let text = printed(&names, |number| sorts[number % 3].to_owned());
            assert_eq!(status(&text).unwrap(), names);
            assert_eq!(paths(&printed(&names, |_| String::new())), names);
            let mut text = format!("{OID}\0").into_bytes();
            text.extend(printed(&names, |_| String::new()));
            assert_eq!(merge_tree(&text), Some((OID.parse().unwrap(), names.clone())));
            let mut sorted = names.clone();
            sorted.sort();
            let facts = format!(":100644 100644 {OID} {OID} M\0");
            let edits = differences(&printed(&names, |_| facts.clone())).unwrap();
            assert_eq!(edits.into_iter().map(|edit| edit.change.path).collect::<Vec<_>>(), sorted);
            let entries = listing(&printed(&names, |_| format!("100644 blob {OID}\t"))).unwrap();
            assert_eq!(entries.into_iter().map(|entry| entry.name).collect::<Vec<_>>(), names);
            let index = staged(&printed(&names, |_| format!("100644 {OID} 0\t"))).unwrap();
            assert_eq!(index.into_iter().map(|(path, _)| path).collect::<Vec<_>>(), names);
        }

        #[test]
        fn what_is_cut_forges_no_name(names in names(), at: proptest::sample::Index) {
            let text = printed(&names, |_| format!("1 .M N... 1 2 3 {OID} {OID} "));
            let cut = &text[..at.index(text.len() + 1)];
            match status(cut) {
                Ok(found) => {
                    assert!(found.len() <= names.len());
                    for (found, name) in found.iter().zip(&names) {
                        assert!(name.as_bytes().starts_with(found.as_bytes()), "{found} of {name}");
                    }
                }
                Err(error) => assert!(error.to_string().contains("git status")),
            }
        }

        #[test]
        fn objects_come_off_whatever_they_hold(bodies in proptest::collection::vec(any::<Vec<u8>>(), 0..4)) {
            let object = |body: &Vec<u8>| {
                [format!("{OID} blob {}\n", body.len()).as_bytes(), body, b"\n"].concat()
            };
            let text: Vec<u8> = bodies.iter().flat_map(object).collect();
            let mut rest = text.as_slice();
            for body in bodies {
                assert_eq!(next_object(&mut rest).unwrap(), Some(("blob".to_owned(), body)));
            }
            assert!(rest.is_empty());
        }
    }
}
