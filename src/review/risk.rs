//! What there is to know of a result before it is judged: how large it is, for
//! whom it waits, and what stands in its way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::check;
use super::conflicts::{self, Party};
use super::gate::{self, Gate};
use super::item::Item;
use super::verdict::{self, Held};
use super::work::{self, Sort, Work};
use crate::error::Result;
use crate::git::size::{self, Size};
use crate::git::{Aside, Repo, notes, pairs, refs};
use crate::model::{Change, Events, Name, Oid, RepoPath, TaskState, Time, Viewpoint};
use crate::store;

/// How far back a base's commits count as of late.
const LATELY: i64 = 14 * 86_400;
/// And how many of them are looked at.
const LOOKED_AT: usize = 100;
/// A file that so many of them changed is busy.
const BUSY: usize = 3;

/// What is known of the checks on what a result and its base come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// The base asks for none.
    Unconfigured,
    /// All passed on that very tree.
    Passed,
    /// One failed.
    Failed,
    /// They have not been run on it.
    Unknown,
}

/// Files that others are changing too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// Whose work.
    pub with: Party,
    /// The files.
    pub paths: BTreeSet<RepoPath>,
    /// Those that conflict.
    pub conflicts: BTreeSet<RepoPath>,
}

/// What there is to know of a result.
#[derive(Clone, Debug, Serialize)]
pub struct Risk {
    /// How much it changes.
    pub size: Size,
    /// The viewpoints whose approval it lacks; nobody's where it can land.
    pub lacks: Vec<Viewpoint>,
    /// So many commits its base has that it has not.
    pub behind: usize,
    /// Its files that the base changed since.
    pub changed_in_base: BTreeSet<RepoPath>,
    /// Other open work at its files, or that conflicts with it; its base too,
    /// where the two conflict.
    pub shared: Vec<Shared>,
    /// Its files that others changed often of late.
    pub busy: BTreeSet<RepoPath>,
    /// What the checks say of what it and its base come to.
    pub check: Known,
    /// What is said of it.
    #[serde(skip)]
    pub held: Vec<Held>,
}

/// What is known of each of these results, beside all other open work; nothing
/// of one whose base is gone.
pub fn load(repo: &Repo, items: &[Item], events: Events<'_>, now: Time) -> Result<Vec<Option<Risk>>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let _fence = repo.fence(events);
    // Where nothing can be written no merge can be tried.
    let aside = Aside::make(repo).ok();
    let mut bases: BTreeMap<String, Base<'_>> = BTreeMap::new();
    for item in items {
        if let Some(tip) = repo.read().find_ref(&refs::branch(&item.base))?
            && !bases.contains_key(&item.base)
        {
            bases.insert(item.base.clone(), Base::load(repo, tip, now)?);
        }
    }
    let beside = aside.as_ref().map(|aside| Beside::load(repo, aside, items, events)).transpose()?;
    let tree = |commit: Oid| repo.read().commit(commit).map(|commit| commit.tree);
    let trees: Vec<(Oid, Oid)> =
        items.iter().map(|item| Ok((tree(item.base_oid)?, tree(item.tip)?))).collect::<Result<_>>()?;
    let sizes = size::between_all(repo, &trees)?;
    let held = verdict::load_all(repo, items)?;
    let checks = checks(repo, aside.as_ref(), items, &bases)?;
    let mut risks = Vec::new();
    for (index, (item, held)) in items.iter().zip(held).enumerate() {
        let Some(base) = bases.get(&item.base) else {
            risks.push(None);
            continue;
        };
        let touched = repo.read().changes(Some(trees[index].0), trees[index].1)?;
        let paths: BTreeSet<RepoPath> = touched.iter().map(|change| change.path.clone()).collect();
        risks.push(Some(Risk {
            size: sizes[index],
            lacks: base.lacking(item, &touched, &held),
            behind: repo.read().ahead_behind(item.tip, base.tip)?.1,
            changed_in_base: base.changed_since(repo, item, &paths)?,
            shared: beside.as_ref().map_or(Vec::new(), |beside| beside.shared(item, &paths)),
            busy: base.busy(item, &paths),
            check: checks[index],
            held,
        }));
    }
    Ok(risks)
}

/// A base, and what happened to it.
struct Base<'a> {
    tip: Oid,
    /// What is wrong with its settings, `merge` tells.
    gate: Option<Gate<'a>>,
    /// Who changed what of late: each commit's paths, by the session it names.
    lately: Vec<(Option<String>, BTreeSet<RepoPath>)>,
}

impl<'a> Base<'a> {
    fn load(repo: &'a Repo, tip: Oid, now: Time) -> Result<Self> {
        let mut lately = Vec::new();
        let mut next = Some(tip);
        while let Some(oid) = next.filter(|_| lately.len() < LOOKED_AT) {
            let commit = repo.read().commit(oid)?;
            if now.since(commit.time) > LATELY {
                break;
            }
            next = commit.parents.first().copied();
            let before = next.map(|parent| repo.read().commit(parent)).transpose()?.map(|parent| parent.tree);
            // What it all began with tells nothing.
            let Some(before) = before else { break };
            let changes = repo.read().changes(Some(before), commit.tree)?;
            let by = commit.message.lines().rev().find_map(|line| {
                line.strip_prefix(refs::SESSION_TRAILER)?.strip_prefix(": ").map(str::to_owned)
            });
            lately.push((by, changes.into_iter().map(|change| change.path).collect()));
        }
        Ok(Self { tip, gate: gate::read(repo, tip).ok(), lately })
    }

    fn lacking(&self, item: &Item, touched: &[Change], held: &[Held]) -> Vec<Viewpoint> {
        let lacking = self.gate.as_ref().and_then(|gate| gate.lacking(item, touched, held).ok());
        lacking.unwrap_or_default()
    }

    fn changed_since(
        &self,
        repo: &Repo,
        item: &Item,
        paths: &BTreeSet<RepoPath>,
    ) -> Result<BTreeSet<RepoPath>> {
        let Some(fork) = repo.read().merge_base(self.tip, item.tip)? else { return Ok(BTreeSet::new()) };
        let trees = (repo.read().commit(fork)?.tree, repo.read().commit(self.tip)?.tree);
        let changed = repo.read().changes(Some(trees.0), trees.1)?;
        Ok(changed.into_iter().map(|change| change.path).filter(|path| paths.contains(path)).collect())
    }

    fn busy(&self, item: &Item, paths: &BTreeSet<RepoPath>) -> BTreeSet<RepoPath> {
        let own = item.session.as_ref().map(Name::as_str);
        let others: Vec<_> =
            self.lately.iter().filter(|(by, _)| own.is_none() || by.as_deref() != own).collect();
        let times = |path: &RepoPath| others.iter().filter(|(_, changed)| changed.contains(path)).count();
        paths.iter().filter(|path| times(path) >= BUSY).cloned().collect()
    }
}

/// All other open work.
struct Beside {
    works: Vec<(Work, BTreeSet<RepoPath>)>,
    conflicts: Vec<conflicts::Conflict>,
}

impl Beside {
    fn load(repo: &Repo, aside: &Aside, items: &[Item], events: Events<'_>) -> Result<Self> {
        let (all, works) = work::load(repo, aside, events)?;
        // One result of many: what the others are to one another is no matter.
        let is_part = items.len() < all.len();
        let only: Vec<String> = items.iter().filter(|_| is_part).map(|item| item.name.to_string()).collect();
        let conflicts = conflicts::of_works(repo, aside, &works, &only)?;
        let with_paths = |work: Work| work.changed(repo).map(|paths| (work, paths));
        Ok(Self { works: works.into_iter().map(with_paths).collect::<Result<_>>()?, conflicts })
    }

    /// Work at the same files, each with those that conflict.
    fn shared(&self, item: &Item, paths: &BTreeSet<RepoPath>) -> Vec<Shared> {
        let own = self.works.iter().find(|(work, _)| work.kind == Sort::Result && work.name == item.name);
        let Some((own, _)) = own else { return Vec::new() };
        let mut found: Vec<Shared> = Vec::new();
        for (other, changed) in self.works.iter().filter(|(other, _)| other.base == own.base) {
            let common: BTreeSet<RepoPath> = changed.intersection(paths).cloned().collect();
            let is_own = other.kind == own.kind && other.name == own.name;
            if !is_own && !own.holds(other) && !common.is_empty() {
                let with = conflicts::party(other);
                found.push(Shared { with, paths: common, conflicts: BTreeSet::new() });
            }
        }
        for conflict in &self.conflicts {
            let with = match (conflict.one.is_result(&item.name), conflict.other.is_result(&item.name)) {
                (true, _) => &conflict.other,
                (_, true) => &conflict.one,
                _ => continue,
            };
            let at: BTreeSet<RepoPath> = conflict.clashes.iter().map(|clash| clash.path.clone()).collect();
            match found.iter_mut().find(|shared| shared.with == *with) {
                Some(shared) => shared.conflicts = at,
                None => found.push(Shared { with: with.clone(), paths: at.clone(), conflicts: at }),
            }
        }
        found
    }
}

/// What the checks said of what each result and its base come to.
fn checks(
    repo: &Repo,
    aside: Option<&Aside>,
    items: &[Item],
    bases: &BTreeMap<String, Base<'_>>,
) -> Result<Vec<Known>> {
    let mut known = vec![Known::Unconfigured; items.len()];
    for (name, base) in bases {
        let own: Vec<usize> = (0..items.len()).filter(|index| items[*index].base == *name).collect();
        let wanted: &[String] = base.gate.as_ref().map_or(&[], |gate| &gate.checks);
        if wanted.is_empty() {
            continue;
        }
        let tips: Vec<Oid> = own.iter().map(|index| items[*index].tip).collect();
        let trees = match aside {
            Some(aside) => pairs::combined(repo, aside, base.tip, &tips)?,
            None => vec![None; tips.len()],
        };
        let there: Vec<Oid> = trees.iter().flatten().copied().collect();
        let notes = notes::find_all(repo, refs::CHECK_NOTES, &there)?;
        let notes: HashMap<Oid, Option<Vec<u8>>> = there.into_iter().zip(notes).collect();
        for (index, tree) in own.into_iter().zip(trees) {
            let note = tree.and_then(|tree| notes.get(&tree)?.as_deref()).unwrap_or_default();
            let green = check::green(note);
            known[index] = match wanted.iter().all(|check| green.contains(check)) {
                true => Known::Passed,
                false => Known::Unknown,
            };
        }
    }
    for (index, item) in items.iter().enumerate() {
        if item.failed_check.is_some() || sent_back(repo, item)? {
            known[index] = Known::Failed;
        }
    }
    Ok(known)
}

/// Whether a check failed on it when it was to land.
fn sent_back(repo: &Repo, item: &Item) -> Result<bool> {
    if item.state != TaskState::Changes {
        return Ok(false);
    }
    let task = store::tasks::find(repo, &item.name)?;
    let asked = task.and_then(|task| task.value.requested).unwrap_or_default();
    Ok(asked.starts_with("The check `"))
}
