//! What shards are to do, as one commit that other machines fetch.
//!
//! ```text
//! job        version, timeout, retries, sparse: a line each
//! node.sh    what carries shards out there
//! shard/N    a shell script that becomes the shard's command
//! files/N    its files, NUL-separated
//! brief/N, problems/N    what else it is handed, where it is
//! ```
//!
//! The commit's parent has what shards start from: the tree itself, or, where
//! some hold only parts, for shard N what it holds as the tree `N`.
//!
//! **Invariant:** what a shell reads of a shard are words in single quotes,
//! each of them one argument, whatever bytes it has.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use super::super::carry::{self, Site};
use super::super::job::argument;
use super::super::plan::{Contents, PlannedShard};
use crate::config::Prompt;
use crate::error::{Error, Result};
use crate::git::{Entry, EntryKind, Repo};
use crate::model::{Oid, RepoPath};

/// What carries shards out on other machines.
pub(super) const NODE: &str = include_str!("node.sh");

/// Writes the order; nothing is reachable before a ref, here or elsewhere, is.
pub(super) fn write(site: &Site<'_>, run: &str, shards: &[usize]) -> Result<Oid> {
    let repo = site.scene.repo;
    let numbered = || shards.iter().map(|n| (n, site.planned(*n)));
    let is_sparse = numbered().any(|(_, planned)| matches!(planned.contents, Contents::Sparse(_)));
    let blob = |name: String, bytes: &[u8]| entry(name, EntryKind::File, repo.write().write_blob(bytes)?);
    let folder = |name: &str, entries: Vec<Entry>| {
        entry(name.to_owned(), EntryKind::Tree, repo.write().write_tree(&entries)?)
    };
    let commands = numbered().map(|(n, planned)| blob(n.to_string(), &command(site, planned)));
    let files = numbered().map(|(n, planned)| blob(n.to_string(), &listed(planned)));
    let handed = numbered().filter_map(|(n, planned)| Some((n, planned.handed.as_ref()?)));
    let briefs = handed.clone().map(|(n, handed)| blob(n.to_string(), handed.brief.as_bytes()));
    let problems = handed.filter(|(_, handed)| !handed.problems.is_empty());
    let problems = problems.map(|(n, handed)| blob(n.to_string(), handed.problem_lines()?.as_bytes()));
    let entries = vec![
        blob("job".to_owned(), settings(site, is_sparse).as_bytes())?,
        blob("node.sh".to_owned(), NODE.as_bytes())?,
        folder("shard", commands.collect::<Result<_>>()?)?,
        folder("files", files.collect::<Result<_>>()?)?,
        folder("brief", briefs.collect::<Result<_>>()?)?,
        folder("problems", problems.collect::<Result<_>>()?)?,
    ];
    let start = if is_sparse { Some(parts(site, shards)?) } else { None };
    let parent = start_commit(site, run, start)?;
    let tree = repo.write().write_tree(&entries)?;
    repo.write().write_record(tree, &[parent], &format!("order of {run}"), site.scene.now)
}

/// Whether an order that is there is for shards with the same files that start
/// from the same.
pub(super) fn is_same(site: &Site<'_>, shards: &[usize], there: Oid) -> Result<bool> {
    let read = site.scene.repo.read();
    let ours = read.commit(write(site, "", shards)?)?;
    let there = read.commit(there)?;
    let files = |tree: Oid| -> Result<Option<Oid>> {
        let named = read.tree(tree)?.into_iter().find(|entry| entry.name.as_bytes() == b"files");
        Ok(named.map(|entry| entry.oid))
    };
    let start = |parents: &[Oid]| parents.first().map(|parent| read.commit(*parent)).transpose();
    let tree = |parents: &[Oid]| Ok(start(parents)?.map(|commit| commit.tree));
    Ok(files(ours.tree)? == files(there.tree)? && tree(&ours.parents)? == tree(&there.parents)?)
}

/// What a shard of an order starts from.
///
/// # Errors
/// Unusable where the order says no such thing.
pub(super) fn start(repo: &Repo, order: Oid, n: usize) -> Result<Oid> {
    let read = repo.read();
    let order = read.commit(order)?;
    let parent = order.parents.first().ok_or_else(|| Error::unusable("an order without a start"))?;
    let tree = read.commit(*parent)?.tree;
    let named = |entries: Vec<Entry>, name: &str| {
        entries.into_iter().find(|entry| entry.name.as_bytes() == name.as_bytes()).map(|entry| entry.oid)
    };
    let job = named(read.tree(order.tree)?, "job").map(|job| read.blob(job)).transpose()?.unwrap_or_default();
    if !String::from_utf8_lossy(&job).lines().any(|line| line == "sparse yes") {
        return Ok(tree);
    }
    named(read.tree(tree)?, &n.to_string()).ok_or_else(|| Error::unusable("an order without the shard"))
}

/// The script behind the words that tell it what to do.
pub(super) fn script(words: &[(&str, &str)], rest: &str) -> String {
    let mut text = String::from("#!/bin/sh\n");
    for (name, value) in words {
        text.push_str(&format!("{name}={}\n", String::from_utf8_lossy(&quoted(OsStr::new(value)))));
    }
    text + rest + NODE
}

/// A commit with what shards start from, made where there is none.
fn start_commit(site: &Site<'_>, run: &str, parts: Option<Oid>) -> Result<Oid> {
    let repo = site.scene.repo;
    let tree = parts.unwrap_or(site.input);
    if repo.read().commit(site.order.commit)?.tree == tree {
        return Ok(site.order.commit);
    }
    let message = format!("what shards of {run} start from");
    repo.write().write_record(tree, &[site.order.commit], &message, site.scene.now)
}

/// What each shard starts from, by its number.
fn parts(site: &Site<'_>, shards: &[usize]) -> Result<Oid> {
    let of_shard = |n: &usize| entry(n.to_string(), EntryKind::Tree, carry::input(site, site.planned(*n))?);
    let entries: Vec<Entry> = shards.iter().map(of_shard).collect::<Result<_>>()?;
    site.scene.repo.write().write_tree(&entries)
}

fn entry(name: String, kind: EntryKind, oid: Oid) -> Result<Entry> {
    Ok(Entry { name: RepoPath::from(name.as_str()), kind, oid })
}

fn settings(site: &Site<'_>, is_sparse: bool) -> String {
    let timeout = site.order.timeout.map_or(0, |timeout| timeout.as_secs().max(1));
    let sparse = if is_sparse { "yes" } else { "no" };
    format!("version 1\ntimeout {timeout}\nretries {}\nsparse {sparse}\n", site.order.retries)
}

fn listed(planned: &PlannedShard) -> Vec<u8> {
    let named = |file| [argument(file, &planned.directory).as_bytes(), b"\0"].concat();
    planned.files.iter().flat_map(named).collect()
}

/// A script that ends as the shard's command.
fn command(site: &Site<'_>, planned: &PlannedShard) -> Vec<u8> {
    let mut text = site.order.home.script().into_bytes();
    let ours = [("GIT_ORCH_TASK", site.name.as_str()), ("GIT_ORCH_BASE", &site.order.base)];
    let set = site.order.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in set.chain(ours) {
        text.extend([b"export ", name.as_bytes(), b"=", &quoted(OsStr::new(value)), b"\n"].concat());
    }
    if !planned.directory.as_bytes().is_empty() {
        let folder = [b"./", planned.directory.as_bytes()].concat();
        text.extend([b"cd ", &quoted(OsStr::from_bytes(&folder))[..], b" || exit 70\n"].concat());
    }
    text.extend(b"exec");
    let prompt = planned.handed.as_ref().map(|handed| (handed.prompt, OsStr::new(&handed.brief)));
    let argument = prompt.filter(|(prompt, _)| *prompt == Prompt::Argument).map(|(_, brief)| brief);
    for word in planned.argv.iter().map(OsString::as_os_str).chain(argument) {
        text.extend([b" ", &quoted(word)[..]].concat());
    }
    if prompt.is_some_and(|(prompt, _)| prompt == Prompt::Stdin) {
        text.extend(b" <\"$GIT_ORCH_BRIEF\"");
    }
    text.push(b'\n');
    text
}

/// A word that a shell takes as it is.
fn quoted(word: &OsStr) -> Vec<u8> {
    let mut text = vec![b'\''];
    for byte in word.as_bytes() {
        match byte {
            b'\'' => text.extend(br"'\''"),
            byte => text.push(*byte),
        }
    }
    text.push(b'\'');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::ask::{Question, ask};

    /// What a shell makes of words: printed, each with a byte behind it that none has.
    fn read_by_a_shell(words: &[Vec<u8>]) -> String {
        let mut script = b"for word in".to_vec();
        for word in words {
            script.extend([b" ", &quoted(OsStr::from_bytes(word))[..]].concat());
        }
        script.extend(b"; do printf '%s' \"$word\" | od -An -v -tx1 | tr -d ' \\n'; echo; done");
        let argv = vec!["/bin/sh".into(), "-c".into(), OsStr::from_bytes(&script).to_owned()];
        let environment = [("PATH".into(), "/usr/bin:/bin".into())].into();
        ask(&Question { argv, folder: "/".into(), environment }).unwrap().stdout
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_quoted_word_is_one_argument_whatever_bytes_it_has(
            words in proptest::collection::vec(proptest::collection::vec(1..=255_u8, 0..12), 1..40),
        ) {
            let hex = |word: &Vec<u8>| word.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
            let expected: String = words.iter().map(hex).collect();
            prop_assert_eq!(read_by_a_shell(&words), expected);
        }
    }

    #[test]
    fn what_shells_give_a_meaning_is_quoted() {
        let words = ["'", "''", "$(id)", "`id`", "\\", "\n", "-rf", "*", "~", "!", "a'b\"c"];
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let hex = |word: &Vec<u8>| word.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
        assert_eq!(read_by_a_shell(&words), words.iter().map(hex).collect::<String>());
    }
}
