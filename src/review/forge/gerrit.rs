//! Gerrit: a push to `refs/for/BASE` is a change, and a commit with the same
//! Change-Id its next version.
//!
//! A result goes there as one commit, a copy: its tree, on what it started
//! from, with a Change-Id that follows from the task alone. The copy is the
//! same whenever it is made of the same result.

use super::refs::{holds, said};
use super::{Edits, Forge, Seen, Site, Wanted};
use crate::error::{Error, Result};
use crate::git::push::{self, Answer};
use crate::model::{Oid, Published, RequestState};

/// How refs of changes begin: `refs/changes/45/12345/2`.
const CHANGES: &str = "refs/changes/";

/// A Gerrit.
pub(super) struct Gerrit<'a>(Site<'a>);

impl<'a> Gerrit<'a> {
    pub(super) fn new(site: Site<'a>) -> Self {
        Self(site)
    }

    /// What the copy is built on: of a stack, the copy of the result below.
    fn parent(&self, wanted: &Wanted) -> Result<Oid> {
        let read = self.0.scene.repo.read();
        let Some(below) = &wanted.below else { return Ok(wanted.start) };
        let copy = below.copy.filter(|copy| read.has(*copy).unwrap_or(false));
        match copy {
            Some(copy) if read.commit(copy)?.tree == read.commit(wanted.start)?.tree => Ok(copy),
            _ => Err(Error::refused(format!(
                "`{}` builds on a state of {} that is not on `{}`",
                wanted.name,
                below.label(),
                self.0.remote.name
            ))
            .hint("put that one up anew first: `git orch review TASK --pr`")),
        }
    }

    /// Where people look at a change, as far as the remote's address tells.
    fn address(&self, number: u64) -> Option<String> {
        let address = self.0.address;
        Some(format!("https://{}/c/{}/+/{number}", address.host.as_ref()?, address.path))
    }

    /// The lines of a commit that say who and when.
    fn people(&self, tip: Oid) -> Result<String> {
        let raw = self.0.scene.repo.git(["cat-file", "commit"]).args([tip.to_string()]).run()?;
        let text = String::from_utf8_lossy(&raw).into_owned();
        let header = text.split("\n\n").next().unwrap_or_default();
        let is_who = |line: &&str| line.starts_with("author ") || line.starts_with("committer ");
        Ok(header.lines().filter(is_who).map(|line| format!("{line}\n")).collect())
    }
}

impl Forge for Gerrit<'_> {
    fn head(&self, wanted: &Wanted) -> String {
        let label = |text: &String| {
            let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
            format!("hashtag={}", text.chars().map(plain).collect::<String>())
        };
        let mut told = vec![format!("topic={}", wanted.name)];
        told.extend(wanted.draft.then(|| "wip".to_owned()));
        told.extend(wanted.labels.iter().map(label));
        told.extend(wanted.reviewers.iter().map(|reviewer| format!("r={reviewer}")));
        format!("refs/for/{}%{}", wanted.base, told.join(","))
    }

    fn is_branch(&self) -> bool {
        false
    }

    fn commit(&self, wanted: &Wanted) -> Result<Oid> {
        let repo = self.0.scene.repo;
        let tree = repo.read().commit(wanted.tip)?.tree;
        let seed = format!("git-orch change {} {}", wanted.name, wanted.uid);
        let id = repo.write().write_blob(seed.as_bytes())?.to_string();
        let (parent, people) = (self.parent(wanted)?, self.people(wanted.tip)?);
        let message = format!("{}Change-Id: I{}\n", wanted.text.message(), &id[..40]);
        repo.write().write_commit(format!("tree {tree}\nparent {parent}\n{people}\n{message}").as_bytes())
    }

    fn body(&self, wanted: &Wanted) -> String {
        wanted.text.message()
    }

    fn labels_by_push(&self) -> bool {
        true
    }

    fn find(&self, wanted: &Wanted, known: Option<&Published>, commit: Oid) -> Result<Option<Seen>> {
        let number = known.and_then(|known| known.number);
        let pattern = match number {
            Some(number) => format!("{CHANGES}{:02}/{number}/*", number % 100),
            None => format!("{CHANGES}*"),
        };
        let versions = self.0.tips(&[pattern])?;
        let versions = versions.iter().filter_map(|(name, tip)| Some((version(name)?, *tip)));
        let found = versions.filter(|((n, _), tip)| Some(*n) == number || *tip == commit).max();
        let Some(((number, version), tip)) = found else { return Ok(None) };
        let left = known.and_then(|known| known.copy);
        let is_theirs = tip != commit && left.is_some_and(|left| left != tip);
        if is_theirs && !holds(self.0, wanted.tip, tip)? {
            let name = format!("{CHANGES}{:02}/{number}/{version}", number % 100);
            return Err(push::moved(&self.0.remote.name, &name));
        }
        let address = known.and_then(|known| known.address.clone()).or_else(|| self.address(number));
        let (number, tip) = (Some(number), Some(tip));
        Ok(Some(Seen { number, address, tip, state: RequestState::Unknown, ..Seen::default() }))
    }

    fn opened(&self, _wanted: &Wanted, answer: &Answer) -> Option<Seen> {
        let (address, number) = said(&answer.said, "/+/")?;
        let (number, address) = (Some(number), Some(address));
        Some(Seen { number, address, state: RequestState::Open, ..Seen::default() })
    }

    fn open(&self, wanted: &Wanted) -> Result<Seen> {
        Err(Error::refused(format!(
            "`{}` took `{}` and made no change of it",
            self.0.remote.name, wanted.name
        ))
        .hint("is it a Gerrit? say which forge it is with `--forge`"))
    }

    fn edit(&self, _seen: &Seen, edits: &Edits) -> Result<Edits> {
        Ok(edits.clone())
    }
}

/// The number of a change and of its version.
fn version(name: &str) -> Option<(u64, u64)> {
    let mut parts = name.strip_prefix(CHANGES)?.split('/').skip(1);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
