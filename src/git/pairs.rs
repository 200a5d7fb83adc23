//! Which pairs of commits git could not merge, and where.
//!
//! Most pairs of many have nothing to do with each other: that is told from
//! what each changed. What two changed far apart in one file is told from its
//! lines. All else git itself is asked, by one child for many pairs.
//!
//! **Invariant:** in process a pair is only ever found clean, and only where
//! no way of comparing could find otherwise; whatever conflicts, git said so.

mod apart;
mod arbiter;
mod changes;
mod lines;
mod plain;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::rc::Rc;

use serde::Serialize;

use self::apart::Texts;
use self::arbiter::Question;
use self::changes::{Both, Changes, Meeting};
use self::plain::Plain;
use super::aside::Aside;
use super::read::EntryKind;
use super::repo::{Backend, Repo};
use crate::error::Result;
use crate::model::{Oid, RepoPath};

pub use lines::Lines;

/// Two tips, the second to be merged into the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// Into which is merged.
    pub ours: Oid,
    /// What is merged.
    pub theirs: Oid,
}

/// How two tips clash at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clashing {
    /// Both changed the same lines, or lines side by side.
    BothChanged,
    /// One changed what the other deleted.
    ChangedDeleted,
    /// Both added it, with other content.
    AddedTwice,
    /// It is a file here and a folder, a link or a submodule there.
    FileFolder,
    /// One renamed what the other changed, renamed otherwise or added to.
    Renamed,
    /// Both changed what has no lines.
    Binary,
    /// Both moved a submodule.
    Submodule,
    /// The two have no commit in common.
    Unrelated,
}

/// One path that two tips can't agree on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clash {
    /// The path; the top where it is the whole.
    pub path: RepoPath,
    /// What happened to it.
    pub kind: Clashing,
    /// The lines in question as ours has them; none where it has no such file.
    pub ours: Vec<Lines>,
    /// The same of theirs.
    pub theirs: Vec<Lines>,
    /// Whether ours has nothing at this path.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ours_is_gone: bool,
    /// Whether theirs has nothing at this path.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub theirs_is_gone: bool,
}

impl Clash {
    fn unrelated() -> Self {
        let (path, kind) = (RepoPath::from(""), Clashing::Unrelated);
        Self { path, kind, ours: Vec::new(), theirs: Vec::new(), ours_is_gone: false, theirs_is_gone: false }
    }
}

/// What git would say to merging each pair: where they clash, nothing where
/// they do not. No working tree is touched, and no object is left behind.
pub fn conflicts(repo: &Repo, aside: &Aside, pairs: &[Pair]) -> Result<Vec<Vec<Clash>>> {
    let mut look = Look::new(repo);
    let mut found = vec![Vec::new(); pairs.len()];
    let mut seen = Vec::new();
    for (index, pair) in pairs.iter().enumerate() {
        match look.at(*pair)? {
            Seen::Clean => {}
            Seen::Unrelated => found[index] = vec![Clash::unrelated()],
            Seen::Met(met) => seen.push((index, met)),
        }
    }
    let paths = seen.iter().flat_map(|(_, met)| &met.both).map(|both| both.path.clone());
    let mut plain = Plain::of(repo, paths.collect())?;
    let mut questions = Vec::new();
    for (index, met) in seen {
        if met.is_doubtful || !look.are_apart(&mut plain, pairs[index], &met)? {
            questions.push(Question { index, pair: pairs[index], attributes: met.attributes });
        }
    }
    for (index, clashes) in arbiter::ask(repo, aside, questions)? {
        found[index] = clashes;
    }
    Ok(found)
}

/// The tree that each of these merged into one commit comes to; none where that
/// conflicts. The trees last as long as what lies aside.
pub fn combined(repo: &Repo, aside: &Aside, ours: Oid, theirs: &[Oid]) -> Result<Vec<Option<Oid>>> {
    let mut found = vec![None; theirs.len()];
    let mut questions = Vec::new();
    for (index, tip) in theirs.iter().enumerate() {
        match repo.read().merge_base(ours, *tip)? {
            Some(base) if base == ours => found[index] = Some(repo.read().commit(*tip)?.tree),
            Some(_) => {
                questions.push(Question { index, pair: Pair { ours, theirs: *tip }, attributes: ours });
            }
            None => {}
        }
    }
    for (index, tree) in arbiter::trees(repo, aside, &questions)? {
        found[index] = tree;
    }
    Ok(found)
}

/// What a pair is at first sight.
enum Seen {
    Clean,
    Unrelated,
    Met(Met),
}

/// A pair that changed something in common.
struct Met {
    /// The tree both started from.
    base: Oid,
    /// What both changed and may yet fit together.
    both: Vec<Both>,
    /// Whether only git can tell.
    is_doubtful: bool,
    /// The commit whose attributes count.
    attributes: Oid,
}

/// So many commits below a tip are looked at for where two tips meet.
const LOOKED_AT: usize = 32;

/// What was read already.
struct Look<'a> {
    repo: &'a Repo,
    lines: HashMap<Oid, Rc<Vec<Oid>>>,
    parents: HashMap<Oid, Option<Oid>>,
    trees: HashMap<Oid, Oid>,
    changes: HashMap<(Oid, Oid), Rc<Changes>>,
    texts: Texts<'a>,
}

impl<'a> Look<'a> {
    fn new(repo: &'a Repo) -> Self {
        Self {
            repo,
            lines: HashMap::new(),
            parents: HashMap::new(),
            trees: HashMap::new(),
            changes: HashMap::new(),
            texts: Texts::new(repo),
        }
    }

    fn at(&mut self, pair: Pair) -> Result<Seen> {
        let bases = self.bases(pair)?;
        let Some(base) = bases.first().copied() else { return Ok(Seen::Unrelated) };
        if base == pair.ours || base == pair.theirs {
            return Ok(Seen::Clean);
        }
        let (attributes, tree) = (pair.ours, self.tree(base)?);
        // Several of them git merges with one another first.
        if bases.len() > 1 {
            return Ok(Seen::Met(Met { base: tree, both: Vec::new(), is_doubtful: true, attributes }));
        }
        let (ours, theirs) = (self.changes(tree, pair.ours)?, self.changes(tree, pair.theirs)?);
        let attributes = if ours.has_attributes { pair.ours } else { base };
        Ok(match ours.meets(&theirs) {
            Meeting::Apart => Seen::Clean,
            Meeting::Paths(both) => {
                let is_doubtful = self.repo.backend() != Backend::Library;
                Seen::Met(Met { base: tree, both, is_doubtful, attributes })
            }
            Meeting::Entangled => {
                Seen::Met(Met { base: tree, both: Vec::new(), is_doubtful: true, attributes })
            }
        })
    }

    /// The best common ancestors of a pair. Where all of both histories goes through
    /// one commit, that is the one; most branches of one base meet like that.
    fn bases(&mut self, pair: Pair) -> Result<Vec<Oid>> {
        let (ours, theirs) = (self.line(pair.ours)?, self.line(pair.theirs)?);
        match ours.iter().find(|commit| theirs.contains(commit)) {
            Some(meeting) => Ok(vec![*meeting]),
            None => self.repo.read().merge_bases(pair.ours, pair.theirs),
        }
    }

    /// A commit and those that all of its history goes through, as far as is looked.
    fn line(&mut self, tip: Oid) -> Result<Rc<Vec<Oid>>> {
        if let Some(line) = self.lines.get(&tip) {
            return Ok(Rc::clone(line));
        }
        let mut line = vec![tip];
        while let Some(parent) = self.only_parent(line[line.len() - 1])?.filter(|_| line.len() < LOOKED_AT) {
            line.push(parent);
        }
        let line = Rc::new(line);
        self.lines.insert(tip, Rc::clone(&line));
        Ok(line)
    }

    /// A commit's parent, where it has just one; most tips share what is below them.
    fn only_parent(&mut self, commit: Oid) -> Result<Option<Oid>> {
        if let Some(parent) = self.parents.get(&commit) {
            return Ok(*parent);
        }
        let parent = match self.repo.read().commit(commit)?.parents[..] {
            [parent] => Some(parent),
            _ => None,
        };
        self.parents.insert(commit, parent);
        Ok(parent)
    }

    fn tree(&mut self, commit: Oid) -> Result<Oid> {
        if let Some(tree) = self.trees.get(&commit) {
            return Ok(*tree);
        }
        let tree = self.repo.read().commit(commit)?.tree;
        self.trees.insert(commit, tree);
        Ok(tree)
    }

    fn changes(&mut self, base: Oid, tip: Oid) -> Result<Rc<Changes>> {
        let tree = self.tree(tip)?;
        if let Some(changes) = self.changes.get(&(base, tree)) {
            return Ok(Rc::clone(changes));
        }
        let changes = Rc::new(Changes::of(self.repo.read().edits(Some(base), tree)?));
        self.changes.insert((base, tree), Rc::clone(&changes));
        Ok(changes)
    }

    /// Whether all that both changed, they changed far enough apart.
    fn are_apart(&mut self, plain: &mut Plain<'_>, pair: Pair, met: &Met) -> Result<bool> {
        let trees = [self.tree(pair.ours)?, self.tree(pair.theirs)?];
        for both in &met.both {
            let Some((kind, base)) = plain.entry(met.base, &both.path)? else { return Ok(false) };
            let is_file = matches!(kind, EntryKind::File | EntryKind::Executable);
            if !is_file
                || !plain.is_plain(&trees, &both.path)?
                || !self.texts.are_apart(base, both.ours, both.theirs)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
