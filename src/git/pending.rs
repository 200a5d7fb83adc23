//! Ref transactions that their process did not live to see the end of.
//!
//! Git's transactions over several refs are not proof against a kill: some
//! refs may be moved and others not, and locks stay behind. So whoever begins
//! one writes it down in the file of the repository lock; who takes the lock
//! next completes it, or finds that nothing of it was done.

use super::lock;
use super::process::Output;
use super::refs::{self, Expect, RefChange};
use super::repo::Repo;
use crate::error::Result;
use crate::model::Oid;

/// The last line, so that half a list is none.
const END: &str = "end";

/// A transaction as the lock's file holds it.
pub(super) fn to_text(changes: &[RefChange]) -> String {
    let place = |oid: Option<Oid>| oid.map_or_else(|| "-".to_owned(), |oid| oid.to_string());
    let line =
        |change: &RefChange| format!("{} {} {}\n", place(change.expected()), place(change.new), change.name);
    if changes.is_empty() {
        return String::new();
    }
    changes.iter().map(line).chain([format!("{END}\n")]).collect()
}

/// Reads one; empty where none is complete.
pub fn parse(text: &str) -> Vec<RefChange> {
    let place = |text: &str| -> Option<Option<Oid>> {
        if text == "-" { Some(None) } else { text.parse().ok().map(Some) }
    };
    let mut changes = Vec::new();
    for line in text.split('\n') {
        if line == END {
            return changes;
        }
        let mut fields = line.splitn(3, ' ');
        let (old, new) = (fields.next().and_then(place), fields.next().and_then(place));
        let name = fields.next().filter(|name| name.starts_with("refs/") && !name.contains(char::is_control));
        let (Some(old), Some(new), Some(name)) = (old, new, name) else { return Vec::new() };
        let old = old.map_or(Expect::Absent, Expect::At);
        changes.push(RefChange { name: name.to_owned(), new, old });
    }
    Vec::new()
}

/// Brings a transaction to its end if any of it was done; takes away the
/// locks of the git that died over it.
pub(super) fn complete(repo: &Repo, changes: &[RefChange]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    unlock(repo, changes)?;
    if is_begun(repo, changes)? && !is_done(repo, changes)? {
        let output = go_on(repo, changes)?;
        if output.code != 0 {
            return Err(output.into_error("update-ref"));
        }
    }
    Ok(())
}

/// Takes away the locks of a git that died over a transaction.
pub(super) fn unlock(repo: &Repo, changes: &[RefChange]) -> Result<()> {
    locks(repo, changes).iter().try_for_each(|file| lock::clear(repo, file).map(drop))
}

/// Whether any of it was done. A ref that is gone tells nothing where others
/// were to be moved: anybody may have deleted it.
pub(super) fn is_begun(repo: &Repo, changes: &[RefChange]) -> Result<bool> {
    let only_deletes = changes.iter().all(|change| change.new.is_none());
    let tells =
        |change: &&RefChange| change.new != change.expected() && (only_deletes || change.new.is_some());
    for change in changes.iter().filter(tells) {
        if repo.read().find_ref(&change.name)? == change.new {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Does what was not done of it.
pub(super) fn go_on(repo: &Repo, changes: &[RefChange]) -> Result<Output> {
    let mut rest = Vec::new();
    for change in changes.iter().filter(|change| change.new != change.expected()) {
        if repo.read().find_ref(&change.name)? == change.expected() {
            rest.push(change.clone());
        }
    }
    let command = repo.git(["update-ref", "-z", "--stdin", "-m", "git-orch: recover"]);
    command.stdin(refs::script(&rest)).spawn()
}

/// Whether every ref is where the transaction puts it.
pub(super) fn is_done(repo: &Repo, changes: &[RefChange]) -> Result<bool> {
    for change in changes {
        if repo.read().find_ref(&change.name)? != change.new {
            return Ok(false);
        }
    }
    Ok(true)
}

fn locks(repo: &Repo, changes: &[RefChange]) -> Vec<std::path::PathBuf> {
    let common = &repo.place().common_dir;
    let mut files: Vec<_> =
        changes.iter().map(|change| common.join(format!("{}.lock", change.name))).collect();
    if changes.iter().any(|change| change.new.is_none()) {
        files.extend(["packed-refs.lock", "packed-refs.new"].map(|name| common.join(name)));
    }
    let tables = common.join("reftable").read_dir().into_iter().flatten().flatten();
    files.extend(tables.map(|entry| entry.path()).filter(|path| path.extension() == Some("lock".as_ref())));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_reads_back_and_half_of_it_is_none() {
        let oid = |digit: &str| digit.repeat(40).parse().unwrap();
        let changes = vec![
            RefChange::create("refs/orch/a", oid("a")),
            RefChange::update("refs/orch/b", oid("b"), oid("c")),
            RefChange::delete("refs/orch/c", oid("d")),
        ];
        let text = to_text(&changes);
        assert_eq!(parse(&text), changes);
        for length in 0..text.len() - END.len() {
            assert_eq!(parse(&text[..length]), [], "{length}");
        }
    }
}
