//! Opening a repository and choosing how to read it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{ErrorClass, ErrorCode, Repository, RepositoryOpenFlags};

use super::child::Child;
use super::fence::{Fence, Fences};
use super::library::Library;
use super::operation::Doing;
use super::porcelain;
use super::process::{Command, Git, Place};
use super::read::{Backing, Read, Write};
use super::written::Written;
use crate::error::{Error, IoContext, Result};
use crate::model::Events;

/// How objects and refs are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// By git2, in process.
    Library,
    /// By the git child.
    Child,
}

/// Extensions of the repository format that git2 reads rightly.
const READABLE_EXTENSIONS: &[&str] =
    &["noop", "objectformat", "worktreeconfig", "preciousobjects", "relativeworktrees"];

/// An open repository, seen from one of its worktrees.
pub struct Repo {
    git: Arc<Git>,
    place: Place,
    reader: Box<dyn Backing>,
    backend: Backend,
    main_work_tree: Option<PathBuf>,
    written: Written,
    doing: Doing,
    fences: Arc<Fences>,
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Repo({})", self.place.common_dir.display())
    }
}

impl Repo {
    /// Finds the repository around `folder`.
    ///
    /// # Errors
    /// Unusable outside a repository, in one of another user, and in one
    /// whose format git itself refuses.
    pub fn discover(folder: &Path, environment: &BTreeMap<OsString, OsString>) -> Result<Self> {
        let git = Arc::new(Git::find(environment)?);
        let forced = environment.get(OsStr::new("GIT_ORCH_BACKEND")).map(|value| value.to_string_lossy());
        if forced.as_deref() != Some("cli") && !environment.contains_key(OsStr::new("GIT_DIR")) {
            match open_with_library(folder, environment)? {
                Some(repository) => return Ok(Self::from_library(git, repository)),
                None if forced.as_deref() == Some("git2") => {
                    return Err(Error::unusable("git2 can't read this repository"));
                }
                None => {}
            }
        }
        let place = discover_with_child(&git, folder, environment)?;
        let shallow = super::read::shallow(&place.common_dir);
        let reader = Child { git: Arc::clone(&git), place: place.clone(), shallow };
        let main_work_tree = find_main_work_tree(&place);
        Ok(Self::new(git, place, Box::new(reader), Backend::Child, main_work_tree))
    }

    fn from_library(git: Arc<Git>, repository: Repository) -> Self {
        let place = Place {
            git_dir: clean(repository.path()),
            common_dir: clean(repository.commondir()),
            work_tree: repository.workdir().map(clean),
        };
        let main_work_tree = find_main_work_tree(&place);
        Self::new(git, place, Box::new(Library::new(repository)), Backend::Library, main_work_tree)
    }

    fn new(
        git: Arc<Git>,
        place: Place,
        reader: Box<dyn Backing>,
        backend: Backend,
        main_work_tree: Option<PathBuf>,
    ) -> Self {
        let (written, doing) = (Written::default(), Doing::default());
        let fences = Fences::around(&place.common_dir);
        Self { git, place, reader, backend, main_work_tree, written, doing, fences }
    }

    /// Reading objects and refs.
    pub fn read(&self) -> &dyn Read {
        &*self.reader
    }

    /// Writing objects.
    pub fn write(&self) -> &dyn Write {
        self
    }

    pub(super) fn unremembered(&self) -> &dyn Write {
        &*self.reader
    }

    pub(super) fn written(&self) -> &Written {
        &self.written
    }

    pub(super) fn doing(&self) -> &Doing {
        &self.doing
    }

    /// Keeps `git gc` from beginning while the fence stands: for as long as
    /// objects are written that no ref holds yet.
    pub fn fence(&self, events: Events<'_>) -> Fence {
        // Where it can't be made there is no fence, as where it can't be written in.
        drop(self.orch_dir());
        Fences::put_up(&self.fences, events)
    }

    /// Takes away the fence that a killed process left.
    pub fn settle_fence(&self, events: Events<'_>) {
        if self.fences.is_ours() {
            drop(self.fence(events));
        }
    }

    /// How this repository is read.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The place git-orch was called in.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The git program.
    pub fn git_program(&self) -> &Arc<Git> {
        &self.git
    }

    /// A git command on the repository as a whole: no working tree is touched.
    pub fn git<I, A>(&self, args: I) -> Command<'_>
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let common = &self.place.common_dir;
        self.git.at(&Place { git_dir: common.clone(), common_dir: common.clone(), work_tree: None }, args)
    }

    /// A git command in one worktree.
    pub fn git_in<I, A>(&self, place: &Place, args: I) -> Command<'_>
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        self.git.at(place, args)
    }

    /// The worktree git-orch was called in.
    ///
    /// # Errors
    /// Unusable in a bare repository.
    pub fn require_work_tree(&self) -> Result<&Path> {
        self.place.work_tree.as_deref().ok_or_else(|| {
            Error::unusable(format!("`{}` is a bare repository", self.place.common_dir.display()))
                .hint("run git-orch in one of its worktrees: `git worktree add ../work` makes one")
        })
    }

    /// The folder where everything local to this clone is kept, made on demand.
    pub fn orch_dir(&self) -> Result<PathBuf> {
        use std::os::unix::fs::DirBuilderExt;
        let folder = self.orch_path();
        if !folder.is_dir() {
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.doing("could not make", &folder)?;
        }
        Ok(folder)
    }

    /// The same folder, made or not.
    pub fn orch_path(&self) -> PathBuf {
        self.place.common_dir.join("orch")
    }

    /// The repository's name for people and paths: that of its main folder.
    pub fn name(&self) -> String {
        let name = self.main_folder().file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_else(|| "repository".to_owned());
        name.strip_suffix(".git").filter(|stem| !stem.is_empty()).unwrap_or(&name).to_owned()
    }

    /// The folder beside which sessions are made: the main worktree, or, of a
    /// bare repository, the folder that is it (of `x/.git`: `x`).
    pub fn main_folder(&self) -> &Path {
        let common = &self.place.common_dir;
        let without = if common.ends_with(".git") { common.parent().unwrap_or(common) } else { common };
        self.main_work_tree().unwrap_or(without)
    }

    /// The main worktree; `None` in a bare repository, and where only the main
    /// worktree itself tells where it is.
    pub fn main_work_tree(&self) -> Option<&Path> {
        self.main_work_tree.as_deref()
    }

    /// Whether the repository has no main worktree.
    pub fn is_bare(&self) -> bool {
        is_bare(&self.place.common_dir)
    }

    /// All settings under `orch.` in git's own configuration, last value wins.
    pub fn settings(&self) -> Result<BTreeMap<String, String>> {
        if let Some(settings) = self.reader.settings().filter(|_| !self.git.has_own_configuration()) {
            return Ok(settings);
        }
        let output = self.git(["config", "-z", "--get-regexp", r"^orch\."]).spawn()?;
        // 1 is: there are none.
        if output.code > 1 {
            return Err(output.into_error("config"));
        }
        Ok(porcelain::settings(&output.stdout))
    }
}

/// The settings that hold for the main worktree alone, whatever the format.
fn main_config(common_dir: &Path) -> Option<git2::Config> {
    let mut config = git2::Config::open(&common_dir.join("config")).ok()?;
    let own = common_dir.join("config.worktree");
    if own.is_file() {
        config.add_file(&own, git2::ConfigLevel::Worktree, false).ok()?;
    }
    Some(config)
}

fn is_bare(common_dir: &Path) -> bool {
    main_config(common_dir).is_some_and(|config| config.get_bool("core.bare").unwrap_or(false))
}

fn find_main_work_tree(place: &Place) -> Option<PathBuf> {
    let common = &place.common_dir;
    if place.git_dir == *common {
        return place.work_tree.clone();
    }
    if is_bare(common) {
        return None;
    }
    let set = main_config(common).and_then(|config| config.get_path("core.worktree").ok());
    if let Some(path) = set {
        return common.join(path).canonicalize().ok();
    }
    if common.ends_with(".git") { common.parent().map(Path::to_owned) } else { None }
}

fn clean(path: &Path) -> PathBuf {
    path.components().collect()
}

/// `None` where git2 can't read what it found, or reads it otherwise than git.
fn open_with_library(
    folder: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<Option<Repository>> {
    let ceilings = environment.get(OsStr::new("GIT_CEILING_DIRECTORIES")).cloned().unwrap_or_default();
    let ceilings: Vec<PathBuf> = std::env::split_paths(&ceilings).collect();
    match Repository::open_ext(folder, RepositoryOpenFlags::empty(), ceilings) {
        Ok(repository) if is_shipped(&repository, folder) => Err(shipped(folder)),
        Ok(repository) => Ok(reads_as_git_does(&repository).then_some(repository)),
        Err(error) if error.code() == ErrorCode::NotFound => Err(outside(folder)),
        Err(error) if error.code() == ErrorCode::Owner => Err(foreign(folder)),
        Err(error) if error.class() == ErrorClass::Config => {
            Err(Error::unusable("could not read git's configuration").because(error.message().to_owned()))
        }
        Err(_) => Ok(None),
    }
}

fn outside(folder: &Path) -> Error {
    Error::unusable(format!("`{}` is in no git repository", folder.display()))
        .hint("change into one, name one with `-C DIR`, or make one with `git init`")
}

/// Whether a folder lies in a git directory that another repository tracks as
/// files: its configuration came with them.
fn is_shipped(repository: &Repository, folder: &Path) -> bool {
    let (Ok(folder), Ok(git_dir)) = (folder.canonicalize(), repository.path().canonicalize()) else {
        return false;
    };
    let around = || {
        let around = Repository::discover(git_dir.parent()?).ok()?;
        let head = git_dir.strip_prefix(around.workdir()?.canonicalize().ok()?).ok()?.join("HEAD");
        around.index().ok()?.get_path(&head, 0)
    };
    folder.starts_with(&git_dir) && around().is_some()
}

fn shipped(folder: &Path) -> Error {
    Error::unusable(format!("the repository at `{}` is a file of the one around it", folder.display()))
        .hint("its configuration came with those files; change into a folder of the one around it")
}

fn foreign(folder: &Path) -> Error {
    Error::unusable(format!("the repository around `{}` belongs to another user", folder.display()))
        .hint("if it is to be trusted: `git config --global --add safe.directory DIR`")
}

fn reads_as_git_does(repository: &Repository) -> bool {
    let common = repository.commondir();
    let is_dir_with_entries =
        |path: PathBuf| path.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    let Ok(config) = repository.config().and_then(|mut config| config.snapshot()) else { return false };
    let mut readable = true;
    if let Ok(entries) = config.entries(Some(r"^(extensions\..*|remote\..*\.promisor)$")) {
        let _ = entries.for_each(|entry| {
            let name = entry.name().unwrap_or_default();
            let known = |extension: &str| READABLE_EXTENSIONS.contains(&extension);
            readable &= name.strip_prefix("extensions.").is_some_and(known);
        });
    }
    let packed = std::fs::read(common.join("packed-refs")).unwrap_or_default();
    let replaced = is_dir_with_entries(common.join("refs/replace"))
        || packed.windows(14).any(|window| window == b" refs/replace/");
    readable && !replaced && !common.join("info/grafts").exists()
}

fn discover_with_child(
    git: &Git,
    folder: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<Place> {
    let asked =
        ["rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir", "--is-inside-work-tree"];
    let output = with_caller(git.in_folder(folder, asked), environment).spawn()?;
    if output.code != 0 {
        git.require_version()?;
        let complaint = output.complaint();
        return Err(if complaint.starts_with("not a git repository") {
            outside(folder)
        } else if complaint.contains("dubious ownership") {
            foreign(folder)
        } else if complaint.contains("safe.bareRepository") {
            shipped(folder)
        } else {
            Error::unusable(format!("git can't use the repository around `{}`", folder.display()))
                .because(output.complaint_with_paths())
        });
    }
    let lines: Vec<&[u8]> = output.stdout.split(|byte| *byte == b'\n').collect();
    let path = |index: usize| -> PathBuf {
        use std::os::unix::ffi::OsStrExt;
        OsStr::from_bytes(lines.get(index).copied().unwrap_or_default()).into()
    };
    let mut work_tree = None;
    if lines.get(2).is_some_and(|line| line == b"true") {
        let top = with_caller(
            git.in_folder(folder, ["rev-parse", "--path-format=absolute", "--show-toplevel"]),
            environment,
        );
        work_tree = Some(PathBuf::from(top.line()?));
    }
    Ok(Place { git_dir: path(0), common_dir: path(1), work_tree })
}

/// Only looking for the repository heeds where the caller's git says it is.
fn with_caller<'a>(mut command: Command<'a>, environment: &BTreeMap<OsString, OsString>) -> Command<'a> {
    for key in ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_CEILING_DIRECTORIES"] {
        if let Some(value) = environment.get(OsStr::new(key)) {
            command = command.env(key, value);
        }
    }
    command
}
