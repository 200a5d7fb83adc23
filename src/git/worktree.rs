//! Worktrees: listing, making, resetting, taking away.
//!
//! **Invariant:** structural steps happen under the repository lock, files
//! are written outside it; git's `prune` is never run; only what is named is
//! touched, and no ignored file is overwritten.

use std::io::{ErrorKind, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use super::lock::{self, RepoLock};
use super::process::{Command, Place};
use super::read::{Entry, Head};
use super::repo::{Backend, Repo};
use super::{library, partial, porcelain, refs};
use crate::error::{Error, IoContext, Result};
use crate::model::{Oid, RepoPath};

/// One linked or main worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worktree {
    /// Its directory.
    pub path: PathBuf,
    /// Its `HEAD`; absent for a bare main entry.
    pub head: Option<Head>,
    /// Name under git's `worktrees/`; absent for the main one.
    pub id: Option<String>,
}

impl Worktree {
    /// Where git works for it.
    pub fn place(&self, repo: &Repo) -> Place {
        place(repo, &self.path, self.id.as_deref())
    }
}

/// Where git works for the worktree at `path`.
pub fn place(repo: &Repo, path: &Path, id: Option<&str>) -> Place {
    let common_dir = repo.place().common_dir.clone();
    let git_dir = id.map_or_else(|| common_dir.clone(), |id| common_dir.join("worktrees").join(id));
    Place { git_dir, common_dir, work_tree: Some(path.to_owned()) }
}

/// All worktrees, the main one first; read from git's own files, so that one
/// half-made by another process is passed over.
pub fn list(repo: &Repo) -> Result<Vec<Worktree>> {
    let common = &repo.place().common_dir;
    let bare = repo.is_bare();
    let mut found = Vec::new();
    if !bare {
        let head = read_head(repo, common)?;
        // Where the main worktree is not known, git's own directory stands for it.
        let path = repo.main_work_tree().unwrap_or(common).to_owned();
        found.push(Worktree { path, head, id: None });
    }
    let Ok(entries) = common.join("worktrees").read_dir() else { return Ok(found) };
    for entry in entries.flatten() {
        let Ok(text) = std::fs::read_to_string(entry.path().join("gitdir")) else { continue };
        let file = entry.path().join(text.trim_end_matches('\n'));
        let Some(path) = file.parent() else { continue };
        let id = entry.file_name().to_string_lossy().into_owned();
        let head = read_head(repo, &entry.path()).ok().flatten();
        found.push(Worktree { path: path.components().collect(), head, id: Some(id) });
    }
    found[usize::from(!bare)..].sort_by(|one, two| one.path.cmp(&two.path));
    Ok(found)
}

/// The commit that a worktree's `HEAD` is at, where that can be told without git itself.
pub(super) fn head_commit(repo: &Repo, place: &Place) -> Option<Oid> {
    let at = match read_head(repo, &place.git_dir).ok()?? {
        Head::Branch(_, oid) | Head::Detached(oid) => oid,
        Head::Unborn(_) => return None,
    };
    repo.read().commit(at).ok().map(|_| at)
}

/// The `HEAD` in a git directory; `None` where it can't be read.
fn read_head(repo: &Repo, git_dir: &Path) -> Result<Option<Head>> {
    let Ok(text) = std::fs::read_to_string(git_dir.join("HEAD")) else { return Ok(None) };
    let text = text.trim_end();
    let Some(name) = text.strip_prefix("ref: ") else {
        return Ok(text.parse().ok().filter(|oid: &Oid| !oid.is_zero()).map(Head::Detached));
    };
    if name == "refs/heads/.invalid" {
        return head_by_child(repo, git_dir);
    }
    let alias = std::fs::read(repo.place().common_dir.join(name)).is_ok_and(|text| text.starts_with(b"ref:"));
    let meant = if alias { repo.read().symbolic(name)? } else { None };
    on_branch(repo, meant.as_deref().unwrap_or(name)).map(Some)
}

fn on_branch(repo: &Repo, name: &str) -> Result<Head> {
    let branch = name.strip_prefix("refs/heads/").unwrap_or(name).to_owned();
    Ok(match repo.read().find_ref(name)? {
        Some(oid) => Head::Branch(branch, oid),
        None => Head::Unborn(branch),
    })
}

/// With reftable, `HEAD` is not in the file of that name.
fn head_by_child(repo: &Repo, git_dir: &Path) -> Result<Option<Head>> {
    let common_dir = repo.place().common_dir.clone();
    let place = Place { git_dir: git_dir.to_owned(), common_dir, work_tree: None };
    let output = repo.git_in(&place, ["symbolic-ref", "--quiet", "HEAD"]).spawn()?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.code != 0 {
        let id = repo.git_in(&place, ["rev-parse", "--verify", "--quiet", "HEAD"]).spawn()?;
        return Ok(String::from_utf8_lossy(&id.stdout).trim().parse().ok().map(Head::Detached));
    }
    on_branch(repo, &name).map(Some)
}

/// What a new worktree starts from.
#[derive(Clone, Debug)]
pub enum Start<'a> {
    /// A new branch (short name) at a commit.
    NewBranch(&'a str, Oid),
    /// A branch that is there already.
    Branch(&'a str),
    /// No branch.
    Detached(Oid),
}

/// How often a worktree is added that somebody's `git worktree prune` disturbs.
const ATTEMPTS: usize = 5;

/// Registers a worktree at `path` without any file in it; its name under
/// git's `worktrees/`. Fill it with [`fill`] once the lock is gone.
pub fn add(
    repo: &Repo,
    lock: &RepoLock,
    path: &Path,
    start: &Start<'_>,
    reason: Option<&str>,
) -> Result<String> {
    repo.reach("worktree to be added")?;
    let mut start = start.clone();
    for attempt in 1.. {
        let output = adding(repo, path, &start, reason).spawn()?;
        if output.code == 0 {
            break;
        }
        // Somebody's `git worktree prune` can take away the very folder that git writes in.
        let complaint = output.complaint();
        let pruned =
            complaint.ends_with("No such file or directory") || complaint.starts_with("failed to read");
        if !pruned || attempt == ATTEMPTS {
            let at = path.display();
            let error = Error::unusable(format!("could not add the worktree `{at}`"));
            return Err(error.because(output.complaint()));
        }
        forget(repo, lock, path)?;
        if let Start::NewBranch(branch, oid) = start
            && repo.read().find_ref(&refs::branch(branch))? == Some(oid)
        {
            start = Start::Branch(branch);
        }
    }
    repo.reach("worktree added")?;
    id_of(path)
}

fn adding<'a>(repo: &'a Repo, path: &Path, start: &Start<'_>, reason: Option<&str>) -> Command<'a> {
    let mut command = repo.git(["worktree", "add", "--no-checkout", "--quiet"]);
    if let Some(reason) = reason {
        command = command.args(["--lock", "--reason", reason]);
    }
    match start {
        Start::NewBranch(branch, oid) => {
            command.args(["--no-track", "-b", branch, "--"]).args([path]).args([oid.to_string()])
        }
        Start::Branch(branch) => command.args([Path::new("--"), path]).args([branch]),
        Start::Detached(oid) => command.args(["--detach", "--"]).args([path]).args([oid.to_string()]),
    }
}

/// The name under git's `worktrees/` that a worktree's own `.git` file tells.
fn id_of(path: &Path) -> Result<String> {
    let file = path.join(".git");
    let text = std::fs::read_to_string(&file).doing("could not read", &file)?;
    let id = Path::new(text.trim_end()).file_name().map(|name| name.to_string_lossy().into_owned());
    id.ok_or_else(|| Error::bug(format!("`{}` names no worktree", file.display())))
}

/// Writes the files of `HEAD` into a worktree that has none yet.
pub fn fill(repo: &Repo, place: &Place) -> Result<()> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let setting = format!("checkout.workers={workers}");
    repo.reach("worktree to be filled")?;
    repo.git_in(place, ["-c", &setting, "reset", "--hard", "--quiet"]).run()?;
    repo.reach("worktree filled")
}

/// Whether a worktree has never been filled to the end: git writes its index last.
/// While it writes, it holds a lock.
pub fn is_unfilled(place: &Place) -> bool {
    let is_there = |file: &str| place.git_dir.join(file).symlink_metadata().is_ok();
    !is_there("index") && !is_there("index.lock")
}

/// Writes what a killed [`fill`] left out or cut off; other files that are there
/// stay as they are.
pub fn refill(repo: &Repo, place: &Place) -> Result<()> {
    let Some(head) = read_head(repo, &place.git_dir)?.and_then(|head| head.oid()) else { return Ok(()) };
    repo.git_in(place, ["read-tree", "HEAD"]).run()?;
    // It tells of files that it leaves alone by failing.
    repo.git_in(place, ["checkout-index", "--all", "--quiet"]).spawn()?;
    let differs = partial::differs(repo, place)?;
    let tracked = repo.read().tracked(repo.read().commit(head)?.tree)?;
    let cut = |entry: &&Entry| {
        differs.contains(&entry.name) && partial::is_part(repo, place, &entry.name, (entry.kind, entry.oid))
    };
    partial::write(repo, place, tracked.iter().filter(cut).map(|entry| &entry.name))?;
    repo.git_in(place, ["update-index", "-q", "--refresh"]).spawn().map(drop)
}

/// Moves a worktree's branch and files to `to`; uncommitted files that stand
/// in the way, ignored ones too, make it fail with nothing changed.
pub fn switch(repo: &Repo, place: &Place, branch: &str, to: Oid) -> Result<()> {
    repo.reach("worktree to be moved")?;
    let output = switching(repo, place, branch, to).spawn()?;
    if output.code < 0 {
        unlock(repo, place, branch)?;
    }
    if output.code == 0 {
        return repo.reach("worktree moved");
    }
    let at = place.work_tree.as_deref().unwrap_or(Path::new("?")).display().to_string();
    Err(Error::refused(format!("could not move `{branch}` in `{at}` to {}", to.short()))
        .because(output.complaint_with_paths()))
}

/// The command that moves a worktree's branch and files.
pub(super) fn switching<'a>(repo: &'a Repo, place: &Place, branch: &str, to: Oid) -> Command<'a> {
    let args = ["checkout", "--quiet", "--no-overwrite-ignore", "--no-track", "-B", branch];
    repo.git_in(place, args).args([to.to_string(), "--".to_owned()])
}

/// Moves a worktree's branch to `to` and leaves its files as they are: what
/// differs is uncommitted then.
pub fn uncommit(repo: &Repo, place: &Place, to: Oid) -> Result<()> {
    repo.git_in(place, ["reset", "--mixed", "--quiet"]).args([to.to_string()]).run().map(drop)
}

/// Takes what is in a worktree for the commit `kept`, a snapshot of it: no file
/// is touched, and [`switch`] then takes away what the snapshot holds and
/// nothing else: no ignored file, and nothing that was written since.
pub fn adopt(repo: &Repo, place: &Place, kept: Oid) -> Result<()> {
    repo.reach("worktree to be adopted")?;
    let kept = kept.to_string();
    repo.git_in(place, ["update-ref", "--no-deref", "HEAD"]).args([&kept]).run()?;
    repo.git_in(place, ["read-tree"]).args([&kept]).run()?;
    // It also tells, by its exit code, what differs: `switch` sees to that.
    repo.git_in(place, ["update-index", "-q", "--refresh"]).spawn()?;
    if ["rebase-merge", "rebase-apply"].iter().any(|state| place.git_dir.join(state).is_dir()) {
        repo.git_in(place, ["rebase", "--quit"]).run()?;
    }
    Ok(())
}

/// Removes the locks that a killed git left on a worktree's own files, on its
/// branch and on the packed refs. For where something tells that a git of ours
/// was killed, and nobody else is at work there.
pub fn unlock(repo: &Repo, place: &Place, branch: &str) -> Result<()> {
    refs::unlock(repo, &refs::branch(branch))?;
    unlock_own(repo, place)
}

/// The same for the worktree's own files alone, which no other one shares.
pub fn unlock_own(repo: &Repo, place: &Place) -> Result<()> {
    let own = place.git_dir.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    // What has a name in capitals, and the index, belongs to this worktree.
    let is_own = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = name.strip_suffix(".lock");
        stem.is_some_and(|stem| stem == "index" || stem.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    own.filter(is_own).try_for_each(|file| lock::clear(repo, &file).map(drop))
}

/// How it is asked what differs from `HEAD`.
const STATUS: [&str; 6] =
    ["status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none"];

/// What differs from `HEAD` in a worktree: tracked and untracked paths.
pub fn dirty(repo: &Repo, place: &Place) -> Result<Vec<RepoPath>> {
    porcelain::status(&repo.git_in(place, STATUS).run()?)
}

/// The same of some files and folders; of all where the top is among them.
pub fn dirty_at(repo: &Repo, place: &Place, paths: &[RepoPath]) -> Result<Vec<RepoPath>> {
    if paths.iter().any(|path| path.as_bytes().is_empty()) {
        return dirty(repo, place);
    }
    let command = repo.git_in(place, STATUS).args(["--"]).args(paths.iter().map(|path| path.as_path()));
    porcelain::status(&command.env("GIT_LITERAL_PATHSPECS", "1").run()?)
}

/// Whether it is worth asking: files that a worktree's index has as `head` has
/// them, and whose dates and sizes are those in the index, differ in nothing.
pub fn may_differ(repo: &Repo, place: &Place, head: Oid, paths: &[RepoPath]) -> Result<bool> {
    let file = place.git_dir.join("index");
    let (Some(top), Backend::Library) = (&place.work_tree, repo.backend()) else { return Ok(true) };
    let (Ok(index), Ok(written)) = (git2::Index::open(&file), file.metadata()) else { return Ok(true) };
    let tree = repo.read().commit(head)?.tree;
    for path in paths {
        let (known, meta) = (index.get_path(path.as_path(), 0), top.join(path.as_path()).symlink_metadata());
        let Some((known, meta)) = known.zip(meta.ok()) else { return Ok(true) };
        let date = (i64::from(known.mtime.seconds()), i64::from(known.mtime.nanoseconds()));
        let is_as_told = meta.is_file()
            && date == (meta.mtime(), meta.mtime_nsec())
            // What was written when the index was may have been written after it.
            && meta.mtime() < written.mtime()
            && u64::from(known.file_size) == meta.len();
        let committed = repo.read().entry(tree, path)?.map(|entry| (entry.kind.mode(), entry.oid));
        if !is_as_told || committed != Some((known.mode, library::ours(known.id))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where git keeps what it knows of a linked worktree.
pub fn entry(repo: &Repo, id: &str) -> PathBuf {
    repo.place().common_dir.join("worktrees").join(id)
}

/// Takes a worktree's entry out of git, whole, to a folder that is not there yet.
pub fn take_out(repo: &Repo, _lock: &RepoLock, id: &str, to: &Path) -> Result<()> {
    let entry = entry(repo, id);
    std::fs::rename(&entry, to).doing("could not move", &entry)?;
    repo.reach("worktree taken out")
}

/// Gives git a worktree's entry back that was taken out.
pub fn bring_back(repo: &Repo, _lock: &RepoLock, from: &Path, id: &str) -> Result<()> {
    let entry = entry(repo, id);
    let folder = entry.parent().expect("it lies in git's `worktrees`");
    std::fs::create_dir_all(folder).doing("could not make", folder)?;
    std::fs::rename(from, &entry).doing("could not move", from)?;
    repo.reach("worktree brought back")
}

/// Takes the entries of a worktree out of git whose directory is away, also
/// one that a killed git left half-made: git can't.
pub fn forget(repo: &Repo, _lock: &RepoLock, path: &Path) -> Result<()> {
    for entry in entries_of(repo, path) {
        std::fs::remove_dir_all(&entry).doing("could not remove", &entry)?;
    }
    repo.reach("worktree forgotten")
}

/// What git keeps of the worktree at a path; more than one where a git was
/// killed and another came after it.
fn entries_of(repo: &Repo, path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let entries = repo.place().common_dir.join("worktrees").read_dir().into_iter().flatten().flatten();
    let is_of = |entry: &PathBuf| {
        let text = |file: &str| std::fs::read_to_string(entry.join(file)).unwrap_or_default();
        let leads_to = entry.join(text("gitdir").trim_end_matches('\n'));
        if !text("gitdir").is_empty() {
            return leads_to.parent() == Some(path);
        }
        let id = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = id.strip_prefix(&name).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()));
        numbered && !entry.join("commondir").exists()
    };
    entries.map(|entry| entry.path()).filter(is_of).collect()
}

/// Whether a worktree's own files still say what was recorded when it was
/// made; an agent may have rewritten them to reach another repository.
pub fn is_intact(repo: &Repo, path: &Path, id: &str) -> bool {
    let git_dir = entry(repo, id);
    leads_to(&path.join(".git"), &git_dir)
        && leads_to(&git_dir.join("gitdir"), &path.join(".git"))
        && leads_to(&git_dir.join("commondir"), &repo.place().common_dir)
}

/// Whether one of git's files names the place of another.
fn leads_to(file: &Path, target: &Path) -> bool {
    let told = target_of(file).and_then(|told| told.canonicalize().ok());
    told.zip(target.canonicalize().ok()).is_some_and(|(told, target)| told == target)
}

/// The place that one of git's files names.
fn target_of(file: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(file).ok()?;
    let text = text.trim_end();
    Some(file.parent()?.join(text.strip_prefix("gitdir: ").unwrap_or(text)))
}

/// Whether all that a worktree lacks is its `.git` file: nothing else lies in
/// its place, and what git keeps of the worktree leads there.
pub fn is_unlinked(repo: &Repo, path: &Path, id: &str) -> bool {
    let (git_dir, file) = (entry(repo, id), path.join(".git"));
    let is_missing = file.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    let back = target_of(&git_dir.join("gitdir")).filter(|back| back.file_name() == file.file_name());
    let folder = back.and_then(|back| back.parent()?.canonicalize().ok());
    is_missing
        && path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
        && folder.zip(path.canonicalize().ok()).is_some_and(|(back, path)| back == path)
        && leads_to(&git_dir.join("commondir"), &repo.place().common_dir)
        && git_dir.join("HEAD").is_file()
}

/// Writes the `.git` file of such a worktree again, as git does.
pub fn link(repo: &Repo, path: &Path, id: &str) -> Result<()> {
    let (git_dir, file) = (entry(repo, id), path.join(".git"));
    let real = |path: &Path| path.canonicalize().doing("could not find", path);
    let back = std::fs::read(git_dir.join("gitdir")).doing("could not read", &git_dir)?;
    let is_absolute = back.first() == Some(&b'/');
    let target = if is_absolute { real(&git_dir)? } else { relative(&real(path)?, &real(&git_dir)?) };
    let text = [b"gitdir: ", target.as_os_str().as_bytes(), b"\n"].concat();
    let permissions = std::fs::Permissions::from_mode(0o666);
    let new = tempfile::Builder::new().permissions(permissions).tempfile_in(path);
    let mut new = new.doing("could not write in", path)?;
    new.write_all(&text).doing("could not write in", path)?;
    new.persist_noclobber(&file).map_err(|error| error.error).doing("could not write", &file).map(drop)
}

/// The way from a folder to a path.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

/// Why a linked worktree is locked, where it is.
pub fn lock_reason(repo: &Repo, id: &str) -> Option<String> {
    let text = std::fs::read_to_string(entry(repo, id).join("locked")).ok()?;
    Some(text.trim_end().to_owned())
}

/// Whether a repository of its own lies somewhere below a folder.
pub fn holds_repository(folder: &Path) -> bool {
    let below = walkdir::WalkDir::new(folder).follow_root_links(false).into_iter().flatten();
    below.into_iter().any(|entry| entry.file_name() == ".git" && entry.file_type().is_dir())
}

/// Bytes of the files below a folder, links not followed.
pub fn size(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).follow_root_links(false).into_iter().flatten();
    files.filter_map(|entry| entry.metadata().ok()).filter(|meta| meta.is_file()).map(|meta| meta.len()).sum()
}
