//! Reading and writing objects with git2.

use std::collections::{BTreeMap, HashSet};
use std::ops::Deref;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use git2::{ErrorCode, ObjectType, Repository, Sort};

use super::porcelain;
use super::read::{Backing, Commit, Edit, Entry, EntryKind, Head, MAX_DEPTH, MAX_SYMBOLIC, Read, Write};
use crate::error::{Error, Result};
use crate::model::touch::Status;
use crate::model::{Change, Oid, RepoPath, Time};

/// git2's half of the seam.
pub(super) struct Library {
    opened: Mutex<Opened>,
    shallow: HashSet<Oid>,
}

/// An open repository, and the folders beside it that are read too.
struct Opened {
    repository: Repository,
    beside: Vec<PathBuf>,
}

impl Deref for Opened {
    type Target = Repository;

    fn deref(&self) -> &Repository {
        &self.repository
    }
}

impl Library {
    pub(super) fn new(repository: Repository) -> Self {
        let shallow = super::read::shallow(repository.commondir());
        Self { opened: Mutex::new(Opened { repository, beside: Vec::new() }), shallow }
    }

    /// The repository. Where a folder beside it is gone git2 looks for nothing
    /// new any more, as what another process packs, until it is opened again.
    fn repository(&self) -> MutexGuard<'_, Opened> {
        let mut opened = self.opened.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if opened.beside.iter().any(|folder| !folder.exists())
            && let Ok(repository) = Repository::open(opened.path())
        {
            *opened = Opened { repository, beside: Vec::new() };
        }
        opened
    }
}

pub(super) fn ours(oid: git2::Oid) -> Oid {
    Oid::from_bytes(oid.as_bytes()).expect("git2 ids have 20 bytes")
}

fn theirs(oid: Oid) -> Result<git2::Oid> {
    git2::Oid::from_bytes(oid.as_bytes()).map_err(|error| failed("read an object id", error))
}

fn failed(doing: &str, error: git2::Error) -> Error {
    Error::unusable(format!("could not {doing}")).because(error.message().to_owned())
}

fn is_missing(error: &git2::Error) -> bool {
    matches!(error.code(), ErrorCode::NotFound | ErrorCode::UnbornBranch | ErrorCode::InvalidSpec)
}

impl Backing for Library {
    fn write_index(&self, index: &Path) -> Option<Oid> {
        // One with parts that git2 does not know it refuses to open.
        let mut index = git2::Index::open(index).ok()?;
        index.write_tree_to(&self.repository()).map(ours).ok()
    }

    fn read_also(&self, objects: &Path) -> Result<()> {
        let fail = |error| failed("read objects beside the repository", error);
        let path = objects.to_str().ok_or_else(|| Error::unusable("the repository's path is not UTF-8"))?;
        let mut opened = self.repository();
        opened.odb().and_then(|odb| odb.add_disk_alternate(path)).map_err(fail)?;
        opened.beside.push(objects.to_owned());
        Ok(())
    }

    fn settings(&self) -> Option<BTreeMap<String, String>> {
        let config = self.repository().config().ok()?.snapshot().ok()?;
        // git2 knows neither of these conditions.
        let mut unread = false;
        let unknown = config.entries(Some(r"^includeif\.(hasconfig|worktree):")).ok()?;
        unknown.for_each(|_| unread = true).ok()?;
        let mut settings = BTreeMap::new();
        let entries = config.entries(Some(r"^orch\.")).ok()?;
        let read = entries.for_each(|entry| {
            let value =
                String::from_utf8_lossy(if entry.has_value() { entry.value_bytes() } else { b"true" });
            settings.insert(entry.name().unwrap_or_default().to_lowercase(), value.into_owned());
        });
        read.ok().filter(|()| !unread).map(|()| settings)
    }
}

impl Read for Library {
    fn find_ref(&self, name: &str) -> Result<Option<Oid>> {
        match self.repository().refname_to_id(name) {
            Ok(oid) => Ok(Some(ours(oid))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failed(&format!("read the ref `{name}`"), error)),
        }
    }

    fn refs(&self, prefix: &str) -> Result<Vec<(String, Oid)>> {
        let repository = self.repository();
        let mut before = packed(&repository);
        loop {
            let found = list(&repository, prefix)?;
            let now = packed(&repository);
            if now == before {
                return Ok(found);
            }
            before = now;
        }
    }

    fn symbolic(&self, name: &str) -> Result<Option<String>> {
        Ok(symbolic(&self.repository(), name))
    }

    fn head(&self) -> Result<Head> {
        let branch = symbolic(&self.repository(), "HEAD");
        let oid = self.find_ref(branch.as_deref().unwrap_or("HEAD"))?;
        match (branch.as_deref().map(short_branch), oid) {
            (Some(branch), Some(oid)) => Ok(Head::Branch(branch, oid)),
            (Some(branch), None) => Ok(Head::Unborn(branch)),
            (None, Some(oid)) => Ok(Head::Detached(oid)),
            (None, None) => Err(Error::unusable("could not read HEAD")),
        }
    }

    fn commit(&self, oid: Oid) -> Result<Commit> {
        let fail = |error| failed(&format!("read the commit {oid}"), error);
        let repository = self.repository();
        let odb = repository.odb().map_err(fail)?;
        let object = odb.read(theirs(oid)?).map_err(fail)?;
        if object.kind() != ObjectType::Commit {
            return Err(Error::unusable(format!("{oid} is no commit")));
        }
        let mut commit = porcelain::commit(oid, object.data())?;
        if self.shallow.contains(&oid) {
            commit.parents.clear();
        }
        Ok(commit)
    }

    fn files(&self, wanted: &[(Oid, &str)]) -> Result<Vec<Option<Vec<u8>>>> {
        let repository = self.repository();
        let read = |oid: Oid, path: &str| -> Result<Option<Vec<u8>>> {
            let fail = |error| failed(&format!("read `{path}` of {oid}"), error);
            let commit = repository.find_commit(theirs(oid)?).map_err(fail)?;
            let entry = match commit.tree().map_err(fail)?.get_path(path.as_ref()) {
                Ok(entry) => entry,
                Err(error) if is_missing(&error) => return Ok(None),
                Err(error) => return Err(fail(error)),
            };
            if entry.kind() != Some(ObjectType::Blob) {
                return Ok(None);
            }
            Ok(Some(repository.find_blob(entry.id()).map_err(fail)?.content().to_vec()))
        };
        wanted.iter().map(|(oid, path)| read(*oid, path)).collect()
    }

    fn blob(&self, oid: Oid) -> Result<Vec<u8>> {
        let repository = self.repository();
        let blob = repository.find_blob(theirs(oid)?);
        Ok(blob.map_err(|error| failed(&format!("read the blob {oid}"), error))?.content().to_vec())
    }

    fn sizes(&self, blobs: &[Oid]) -> Result<Vec<u64>> {
        let repository = self.repository();
        let odb = repository.odb().map_err(|error| failed("open the object store", error))?;
        let size = |oid: &Oid| Ok(odb.read_header(theirs(*oid)?).map_or(0, |(size, _)| size as u64));
        blobs.iter().map(size).collect()
    }

    fn tree(&self, oid: Oid) -> Result<Vec<Entry>> {
        entries(&self.repository(), oid)
    }

    fn tracked(&self, tree: Oid) -> Result<Vec<Entry>> {
        let mut found = files(&self.repository(), tree)?;
        found.sort_by(|one, two| one.name.cmp(&two.name));
        Ok(found)
    }

    fn edits(&self, old: Option<Oid>, new: Oid) -> Result<Vec<Edit>> {
        let mut found = differences(&self.repository(), old, new)?;
        found.sort_by(|one, two| one.change.path.cmp(&two.change.path));
        Ok(found)
    }

    fn merge_base(&self, one: Oid, two: Oid) -> Result<Option<Oid>> {
        match self.repository().merge_base(theirs(one)?, theirs(two)?) {
            Ok(oid) => Ok(Some(ours(oid))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failed("find a common ancestor", error)),
        }
    }

    fn merge_bases(&self, one: Oid, two: Oid) -> Result<Vec<Oid>> {
        match self.repository().merge_bases(theirs(one)?, theirs(two)?) {
            Ok(bases) => Ok(bases.iter().map(|oid| ours(*oid)).collect()),
            Err(error) if is_missing(&error) => Ok(Vec::new()),
            Err(error) => Err(failed("find common ancestors", error)),
        }
    }

    fn ahead_behind(&self, tip: Oid, base: Oid) -> Result<(usize, usize)> {
        let counted = self.repository().graph_ahead_behind(theirs(tip)?, theirs(base)?);
        counted.map_err(|error| failed("count commits", error))
    }

    fn commits_between(&self, hidden: &[Oid], tip: Oid) -> Result<Vec<Oid>> {
        let repository = self.repository();
        let fail = |error| failed("walk commits", error);
        let mut walk = repository.revwalk().map_err(fail)?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE).map_err(fail)?;
        walk.push(theirs(tip)?).map_err(fail)?;
        for oid in hidden {
            walk.hide(theirs(*oid)?).map_err(fail)?;
        }
        walk.map(|oid| oid.map(ours).map_err(fail)).collect()
    }

    fn has(&self, oid: Oid) -> Result<bool> {
        // An open store remembers what another process has cleared away since.
        let objects = self.repository().commondir().join("objects");
        let objects =
            objects.to_str().ok_or_else(|| Error::unusable("the repository's path is not UTF-8"))?;
        let fail = |error| failed("open the object store", error);
        let odb = git2::Odb::new().map_err(fail)?;
        odb.add_disk_alternate(objects).map_err(fail)?;
        Ok(odb.exists(theirs(oid)?))
    }
}

fn symbolic(repository: &Repository, name: &str) -> Option<String> {
    let target = |name: &str| {
        let reference = repository.find_reference(name).ok()?;
        reference.symbolic_target().ok().flatten().map(str::to_owned)
    };
    let mut found = target(name);
    for _ in 0..MAX_SYMBOLIC {
        let Some(next) = target(found.as_deref()?) else { return found };
        found = Some(next);
    }
    None
}

/// Which packed refs there are. A ref that is packed while refs are listed can
/// be in neither place where it is looked for: the list is made again then.
fn packed(repository: &Repository) -> Option<(u64, u64, i64, i64)> {
    let meta = repository.commondir().join("packed-refs").metadata().ok()?;
    Some((meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec()))
}

fn list(repository: &Repository, prefix: &str) -> Result<Vec<(String, Oid)>> {
    let fail = |error| failed(&format!("list the refs under `{prefix}`"), error);
    let mut found = Vec::new();
    for reference in repository.references_glob(&format!("{prefix}*")).map_err(fail)? {
        let Ok(reference) = reference else { continue };
        let resolved = reference.resolve().ok().and_then(|resolved| resolved.target());
        if let (Ok(name), Some(oid)) = (reference.name(), resolved) {
            found.push((name.to_owned(), ours(oid)));
        }
    }
    found.sort();
    Ok(found)
}

impl Write for Library {
    fn write_blob(&self, bytes: &[u8]) -> Result<Oid> {
        self.repository().blob(bytes).map(ours).map_err(|error| failed("write a blob", error))
    }

    fn write_tree(&self, entries: &[Entry]) -> Result<Oid> {
        let repository = self.repository();
        let fail = |error| failed("write a tree", error);
        let mut builder = repository.treebuilder(None).map_err(fail)?;
        for entry in entries {
            let mode = i32::try_from(entry.kind.mode()).expect("modes are small");
            builder.insert(entry.name.as_bytes(), theirs(entry.oid)?, mode).map_err(fail)?;
        }
        builder.write().map(ours).map_err(fail)
    }

    fn write_record(&self, tree: Oid, parents: &[Oid], message: &str, time: Time) -> Result<Oid> {
        let mut text = format!("tree {tree}\n");
        for parent in parents {
            text.push_str(&format!("parent {parent}\n"));
        }
        let who = format!("{} {} +0000", super::identity::OURS, time.0);
        text.push_str(&format!("author {who}\ncommitter {who}\n\n{message}\n"));
        self.write_commit(text.as_bytes())
    }

    fn write_commit(&self, raw: &[u8]) -> Result<Oid> {
        let repository = self.repository();
        let odb = repository.odb().map_err(|error| failed("open the object store", error))?;
        let written = odb.write(ObjectType::Commit, raw);
        written.map(ours).map_err(|error| failed("write a commit", error))
    }
}

fn short_branch(full: &str) -> String {
    full.strip_prefix("refs/heads/").unwrap_or(full).to_owned()
}

fn entries(repository: &Repository, oid: Oid) -> Result<Vec<Entry>> {
    let tree =
        repository.find_tree(theirs(oid)?).map_err(|error| failed(&format!("read the tree {oid}"), error))?;
    let entry = |entry: git2::TreeEntry<'_>| Entry {
        name: RepoPath::from_bytes(entry.name_bytes()),
        kind: EntryKind::from_mode(entry.filemode_raw().unsigned_abs()),
        oid: ours(entry.id()),
    };
    Ok(tree.iter().map(entry).collect())
}

/// A folder that is still to be read, and how deep it lies.
struct Open<T> {
    trees: T,
    at: Vec<u8>,
    depth: usize,
}

impl<T> Open<T> {
    /// The whole of what is read; not recursion, since how deep folders go is
    /// for the repository to say.
    fn top(trees: T) -> Vec<Self> {
        vec![Self { trees, at: Vec::new(), depth: 0 }]
    }

    fn below(trees: T, path: Vec<u8>, depth: usize) -> Result<Self> {
        if depth >= MAX_DEPTH {
            return Err(Error::unusable("could not read a tree: it is nested too deeply"));
        }
        Ok(Self { trees, at: [path.as_slice(), b"/"].concat(), depth })
    }
}

/// All files below a tree, in any order.
fn files(repository: &Repository, tree: Oid) -> Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut open = Open::top(tree);
    while let Some(Open { trees, at, depth }) = open.pop() {
        for entry in entries(repository, trees)? {
            let path = [at.as_slice(), entry.name.as_bytes()].concat();
            if entry.kind == EntryKind::Tree {
                open.push(Open::below(entry.oid, path, depth + 1)?);
            } else {
                found.push(Entry { name: RepoPath::from_bytes(path), ..entry });
            }
        }
    }
    Ok(found)
}

/// What differs between two trees, in any order; equal subtrees are skipped,
/// and libgit2's own tree comparison is many times slower on large trees.
fn differences(repository: &Repository, old: Option<Oid>, new: Oid) -> Result<Vec<Edit>> {
    let list = |oid: Option<Oid>| oid.map_or(Ok(Vec::new()), |oid| entries(repository, oid));
    let tree = |entry: &Option<Entry>| entry.as_ref().filter(|e| e.kind == EntryKind::Tree).map(|e| e.oid);
    let file = |entry: Option<Entry>| entry.filter(|e| e.kind != EntryKind::Tree);
    let mut found = Vec::new();
    let mut open = Open::top((old, Some(new)));
    while let Some(Open { trees: (old, new), at, depth }) = open.pop() {
        let mut names: BTreeMap<RepoPath, (Option<Entry>, Option<Entry>)> = BTreeMap::new();
        if old == new {
            continue;
        }
        for entry in list(old)? {
            let name = entry.name.clone();
            names.entry(name).or_default().0 = Some(entry);
        }
        for entry in list(new)? {
            let name = entry.name.clone();
            names.entry(name).or_default().1 = Some(entry);
        }
        for (name, (before, after)) in names {
            let path = [at.as_slice(), name.as_bytes()].concat();
            let trees = (tree(&before), tree(&after));
            let (before, after) = (file(before), file(after));
            if let Some(status) = file_status(before.as_ref(), after.as_ref()) {
                let change = Change { status, path: RepoPath::from_bytes(path.as_slice()) };
                found.push(Edit { change, now: after.map(|entry| (entry.kind, entry.oid)) });
            }
            if trees.0 != trees.1 {
                open.push(Open::below(trees, path, depth + 1)?);
            }
        }
    }
    Ok(found)
}

fn file_status(before: Option<&Entry>, after: Option<&Entry>) -> Option<Status> {
    let plain = |kind| if kind == EntryKind::Executable { EntryKind::File } else { kind };
    match (before, after) {
        (None, None) => None,
        (None, Some(_)) => Some(Status::Added),
        (Some(_), None) => Some(Status::Deleted),
        (Some(old), Some(new)) if plain(old.kind) != plain(new.kind) => Some(Status::TypeChanged),
        (Some(old), Some(new)) => ((old.oid, old.kind) != (new.oid, new.kind)).then_some(Status::Modified),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::git::mine::mine_commits;
    use crate::git::mine::testing::{Scratch, commit, file};

    #[test]
    fn a_tree_as_deep_as_git_allows_is_read_and_a_deeper_one_refused() {
        let scratch = Scratch::new();
        let path = |depth: usize| vec!["d"; depth].join("/");
        let [deep, deeper] = [MAX_DEPTH, MAX_DEPTH + 1].map(|depth| {
            scratch.import(&commit(1, &[], &file(&path(depth), 1)));
            scratch.oid("main")
        });
        let library = Library::new(Repository::open(scratch.git_dir()).unwrap());
        let [tree, deeper_tree] = [deep, deeper].map(|oid| library.commit(oid).unwrap().tree);
        let added = [Change { status: Status::Added, path: RepoPath::from(path(MAX_DEPTH).as_str()) }];
        assert_eq!(library.tracked(tree).unwrap()[0].name, added[0].path);
        assert_eq!(library.changes(None, tree).unwrap(), added);
        assert_eq!(mine_commits(&scratch.git_dir(), &[deep]).unwrap()[0].changes, added);
        for refused in [
            library.tracked(deeper_tree).map(drop),
            library.changes(None, deeper_tree).map(drop),
            mine_commits(&scratch.git_dir(), &[deeper]).map(drop),
        ] {
            assert!(refused.unwrap_err().to_string().contains("nested too deeply"));
        }
    }

    #[test]
    fn no_ref_is_missed_while_git_packs_refs() {
        const COUNT: usize = 100;
        let scratch = Scratch::new();
        scratch.import(&commit(1, &[], ""));
        let (repo, oid, folder) = (scratch.repo(), scratch.oid("main"), scratch.git_dir().join("refs/x"));
        let write = || {
            std::fs::create_dir_all(&folder).unwrap();
            for number in 0..COUNT {
                let file = folder.join(number.to_string());
                std::fs::write(file.with_extension("lock"), format!("{oid}\n")).unwrap();
                std::fs::rename(file.with_extension("lock"), file).unwrap();
            }
        };
        write();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..12 {
                    scratch.git(&["pack-refs", "--all"], b"");
                    write();
                }
                done.store(true, Ordering::Relaxed);
            });
            while !done.load(Ordering::Relaxed) {
                assert_eq!(repo.read().refs("refs/x/").unwrap().len(), COUNT);
            }
        });
    }
}
