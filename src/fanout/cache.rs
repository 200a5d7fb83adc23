//! What shards came to before, as the records of fan-outs tell.
//!
//! Everything that a shard's outcome depends on goes into its key: the command
//! and the programs it names, the files it was given, what its worktree holds,
//! the environment that the job sets, the kind of machine. What the command
//! finds beyond these, as a network or a clock, is not in it.
//!
//! **Invariant:** only what ended well is used again, and only under an equal key.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::carry::{self, Ended, Site};
use super::plan::PlannedShard;
use super::verify::{Verified, verify};
use crate::error::Result;
use crate::git::process::find_program;
use crate::git::{Edit, Entry, EntryKind, Repo};
use crate::model::{Change, Name, Oid, RepoPath, Shard, ShardState, Status};
use crate::store;

/// Files and what they hold.
type Files = BTreeMap<RepoPath, (EntryKind, Oid)>;

/// What shards that ended well came to, by their keys, and in which fan-out.
#[derive(Debug, Default)]
pub(super) struct Past(HashMap<String, (Name, Shard)>);

impl Past {
    /// Reads the records.
    pub(super) fn load(repo: &Repo) -> Result<Self> {
        let mut past = HashMap::new();
        for stored in store::fanouts::load(repo)? {
            for mut shard in stored.value.shards.into_iter().filter(|shard| shard.state.is_well()) {
                if let Some(key) = shard.key.take() {
                    past.insert(key, (stored.value.name.clone(), shard));
                }
            }
        }
        Ok(Self(past))
    }
}

/// What it takes to know shards again.
pub(super) struct Cache<'a> {
    site: &'a Site<'a>,
    files: Files,
    /// The files of commits that results were taken from.
    results: HashMap<Oid, Option<Files>>,
    programs: HashMap<Vec<u8>, Vec<u8>>,
    /// Where commands look for programs.
    search: BTreeMap<OsString, OsString>,
}

impl<'a> Cache<'a> {
    /// Reads what the shards of a site start from.
    pub(super) fn load(site: &'a Site<'a>) -> Result<Self> {
        let files = files(site.scene.repo, site.input)?;
        let search = BTreeMap::from([("PATH".into(), carry::search_path(site))]);
        Ok(Self { site, files, results: HashMap::new(), programs: HashMap::new(), search })
    }

    /// All that the outcome of a shard depends on.
    pub(super) fn key(&mut self, planned: &PlannedShard) -> String {
        let mut hash = Sha256::new();
        let mut add = |field: &[u8]| {
            hash.update((field.len() as u64).to_le_bytes());
            hash.update(field);
        };
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let order = self.site.order;
        for field in ["git-orch shard 1", os, arch, &order.command] {
            add(field.as_bytes());
        }
        order.away.iter().for_each(|away| add(away.on.to_string().as_bytes()));
        add(order.home.word().as_bytes());
        add(order.env.len().to_string().as_bytes());
        for (name, value) in &order.env {
            add(name.as_bytes());
            add(value.as_bytes());
        }
        add(planned.directory.as_bytes());
        for word in &planned.argv {
            add(word.as_bytes());
            // That is how files are given.
            if !word.as_bytes().starts_with(b"./") {
                add(self.program(word.as_bytes()));
            }
        }
        planned.handed.iter().for_each(|handed| add(handed.brief.as_bytes()));
        match order.tracked.held(planned) {
            None => add(self.site.input.to_string().as_bytes()),
            Some(held) => {
                for path in &held {
                    add(path.as_bytes());
                    add(format!("{:?}", self.files.get(path)).as_bytes());
                }
            }
        }
        add(b"own");
        planned.files.iter().chain(&planned.share).for_each(|path| add(path.as_bytes()));
        if let Some(ground) = &planned.ground {
            add(b"ground");
            add(ground.folder.as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Which programs the words of a command name, and when each was last changed.
    fn program(&mut self, text: &[u8]) -> &[u8] {
        let search = &self.search;
        self.programs.entry(text.to_owned()).or_insert_with(|| {
            let text = String::from_utf8_lossy(text);
            let words = text.split(|c: char| c.is_whitespace() || ";|&()<>\"'`$={}".contains(c));
            let place = |word: &str| match word.contains('/') {
                true => Some(PathBuf::from(word)).filter(|path| path.is_absolute()),
                false => find_program(word, search),
            };
            words.filter_map(place).filter_map(|path| stamp(&path)).collect::<String>().into_bytes()
        })
    }

    /// How a shard ended when last it met the same.
    pub(super) fn find(&mut self, index: usize, key: &str) -> Result<Option<Ended>> {
        let Some((name, past)) = self.site.past.0.get(key) else { return Ok(None) };
        let planned = &self.site.order.shards[index];
        let n = self.site.before + index + 1;
        let shard = Shard {
            state: past.state,
            exit_code: past.exit_code,
            changed: past.changed,
            key: Some(key.to_owned()),
            known_from: Some(name.clone()),
            ..Shard::new(n, planned.files.clone(), planned.owner.clone())
        };
        // It would be made anew where a worktree does not hold it.
        let is_there = past.made.iter().any(|path| self.files.contains_key(path));
        match (past.state, past.commit) {
            (ShardState::Unchanged, _) => Ok(Some(Ended::without_changes(shard))),
            _ if is_there => Ok(None),
            (_, Some(commit)) => {
                let Some((tree, edits)) = self.taken(commit, &past.written())? else { return Ok(None) };
                Ok(self.again(shard, tree, edits))
            }
            (_, None) => Ok(None),
        }
    }

    /// A shard that comes to the same again, if it may: what it made then can be
    /// in the way of something by now.
    fn again(&self, shard: Shard, tree: Oid, edits: Vec<Edit>) -> Option<Ended> {
        let ground = self.site.planned(shard.n).ground.as_ref();
        let made = match verify(&shard.paths, ground, &self.site.order.tracked, &edits) {
            Verified::Done(made) => made,
            Verified::Unchanged => Vec::new(),
            Verified::Escaped(_) => return None,
        };
        let known = Ended::without_changes(Shard { made, ..shard });
        Some(Ended { accepted: Some(edits), tree: Some(tree), ..known })
    }

    /// What these files are changed to in a commit, where it is still there.
    fn taken(&mut self, commit: Oid, own: &[RepoPath]) -> Result<Option<(Oid, Vec<Edit>)>> {
        let repo = self.site.scene.repo;
        if !repo.read().has(commit)? {
            return Ok(None);
        }
        let tree = repo.read().commit(commit)?.tree;
        // What git has cleared away is not known any more.
        let result = self.results.entry(tree).or_insert_with(|| files(repo, tree).ok());
        Ok(result.as_ref().map(|result| (tree, edits(own, &self.files, result))))
    }
}

fn files(repo: &Repo, tree: Oid) -> Result<Files> {
    let entry = |entry: Entry| (entry.name, (entry.kind, entry.oid));
    Ok(repo.read().tracked(tree)?.into_iter().map(entry).collect())
}

fn edits(own: &[RepoPath], before: &Files, after: &Files) -> Vec<Edit> {
    let edit = |path: &RepoPath| {
        let now = after.get(path).copied();
        let status = match (before.get(path).copied(), now) {
            (one, other) if one == other => return None,
            (None, _) => Status::Added,
            (_, None) => Status::Deleted,
            (Some((one, _)), Some((other, _))) if kind(one) != kind(other) => Status::TypeChanged,
            _ => Status::Modified,
        };
        Some(Edit { change: Change { status, path: path.clone() }, now })
    };
    own.iter().filter_map(edit).collect()
}

/// Files that are executed and others are one kind to git here.
fn kind(kind: EntryKind) -> EntryKind {
    if kind == EntryKind::Executable { EntryKind::File } else { kind }
}

/// What tells a program from its next version.
fn stamp(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let meta = path.metadata().ok()?;
    Some(format!("{} {} {}.{}\n", path.display(), meta.len(), meta.mtime(), meta.mtime_nsec()))
}
