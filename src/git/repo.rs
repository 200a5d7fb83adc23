//! Opening a repository and choosing how to read it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::Repository;

use super::child::Child;
use super::discovery::{self, Found};
use super::fence::{Fence, Fences};
use super::library::Library;
use super::operation::Doing;
use super::porcelain;
use super::process::{Command, Git, Place};
use super::read::{Backing, Read, Write};
use super::written::Written;
use crate::error::{Error, IoContext, Result};
use crate::model::{Events, Oid};

/// How objects and refs are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// By git2, in process.
    Library,
    /// By the git child.
    Child,
}

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
        Ok(match discovery::find(&git, folder, environment)? {
            Found::Library(repository) => Self::from_library(git, repository),
            Found::Child(place) => Self::from_child(git, place),
        })
    }

    fn from_child(git: Arc<Git>, place: Place) -> Self {
        let grafts = super::read::grafts(&place.common_dir);
        let reader = Child { git: Arc::clone(&git), place: place.clone(), grafts };
        let main_work_tree = find_main_work_tree(&place);
        Self::new(git, place, Box::new(reader), Backend::Child, main_work_tree)
    }

    fn from_library(git: Arc<Git>, repository: Repository) -> Self {
        let place = Place {
            git_dir: real(repository.path()),
            common_dir: real(repository.commondir()),
            work_tree: repository.workdir().map(real),
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
        git.keep_version(place.common_dir.join("orch/git-version"));
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

    pub(super) fn write_index(&self, index: &Path) -> Option<Oid> {
        self.reader.write_index(index)
    }

    pub(super) fn read_also(&self, objects: &Path) -> Result<()> {
        self.reader.read_also(objects)
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

    /// All values of a setting, in order.
    pub fn all_values(&self, key: &str) -> Result<Vec<String>> {
        // Exit 1 is: there are none.
        let output = self.git(["config", "-z", "--get-all", key]).spawn()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.split_terminator('\0').map(str::to_owned).collect())
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
    if own.is_file() && config.get_bool("extensions.worktreeconfig").unwrap_or(false) {
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

/// A path as git tells it: `.git` may be a link.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.components().collect())
}
