//! Whether a change that reached a base is still there, also where its lines
//! were edited further since.
//!
//! **Invariant:** a doubt is a no: lines that are gone again, or back again,
//! were taken back.

use std::collections::HashSet;

use crate::error::Result;
use crate::git::hunks::{self, Hunk};
use crate::git::read::{Entry, EntryKind};
use crate::git::repo::Repo;
use crate::model::Oid;

/// Whether nothing of what lies between two commits was taken back in a base.
pub(super) fn is_standing(repo: &Repo, (from, tip): (Oid, Oid), base: Oid) -> Result<bool> {
    let [from, tip, base] = [from, tip, base].map(|commit| repo.read().commit(commit).map(|it| it.tree));
    let (from, tip, base) = (from?, tip?, base?);
    for change in repo.read().changes(Some(from), tip)? {
        let at = |tree: Oid| repo.read().entry(tree, &change.path);
        if !file_stands(repo, at(from)?, at(tip)?, at(base)?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a file stands as it was changed, or was edited further.
fn file_stands(repo: &Repo, before: Option<Entry>, after: Option<Entry>, now: Option<Entry>) -> Result<bool> {
    let (Some(after), Some(now)) = (&after, &now) else { return Ok(after.is_none() && now.is_none()) };
    if (after.kind, after.oid) == (now.kind, now.oid) {
        return Ok(true);
    }
    let is_file = |entry: &Entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable);
    let was_file = before.as_ref().is_none_or(is_file);
    if after.kind != now.kind || !is_file(after) || !was_file {
        return Ok(false);
    }
    let blob = |entry: &Entry| repo.read().blob(entry.oid);
    let (before, after, now) = (before.as_ref().map(blob).transpose()?, blob(after)?, blob(now)?);
    text_stands(before.as_deref().unwrap_or_default(), &after, &now)
}

/// Whether no line of a change was taken back since.
fn text_stands(before: &[u8], after: &[u8], now: &[u8]) -> Result<bool> {
    if [before, after, now].iter().any(|text| text.contains(&0)) {
        return Ok(false);
    }
    let (back, since) = (hunks::between(after, before)?, hunks::between(after, now)?);
    let old: Vec<&[u8]> = before.split_inclusive(|byte| *byte == b'\n').collect();
    let new: Vec<&[u8]> = now.split_inclusive(|byte| *byte == b'\n').collect();
    let is_taken_back = |edit: &Hunk| {
        let meant: Vec<&Hunk> = back.iter().filter(|back| back.meets(edit)).collect();
        let gone: HashSet<&[u8]> =
            meant.iter().flat_map(|back| &old[back.new.0..back.new.1]).copied().collect();
        let put = &new[edit.new.0..edit.new.1];
        // Where lines are gone and nothing stands in their place, or one of the
        // old ones does, the change may have been taken back.
        !meant.is_empty() && (put.is_empty() || put.iter().any(|line| gone.contains(line)))
    };
    Ok(!since.iter().any(is_taken_back))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_edited_further_stands_and_what_was_taken_back_does_not() {
        let before = "1\n2\n3\n4\n5\n6\n";
        let after = "1\ntwo\n3\n4\nnew\nnewer\n5\n6\n";
        for (now, stands) in [
            (after, true),
            ("0\n1\ntwo\n3\n4\nnew\nnewer\n5\n6\n7\n", true),
            ("1\nTWO\n3\n4\nnew\nnewer\n5\n6\n", true),
            ("1\ntwo\n3\n4\nnew\nother\nnewest\n5\n6\n", true),
            ("1\n2\n3\n4\nnew\nnewer\n5\n6\n", false),
            ("1\ntwo\n3\n4\n5\n6\n", false),
            ("1\ntwo\n3\n4\nnew\n5\n6\n", false),
            ("1\n2\nmore\n3\n4\nnew\nnewer\n5\n6\n", false),
            ("", false),
            (before, false),
        ] {
            let told = text_stands(before.as_bytes(), after.as_bytes(), now.as_bytes()).unwrap();
            assert_eq!(told, stands, "{now:?}");
        }
    }
}
