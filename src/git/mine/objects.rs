//! Where mining reads objects: out of packs by itself, and by git2 whatever it
//! does not find there or can't make out.
//!
//! **Invariant:** a surprise in a pack costs time, never another answer than
//! git2's: it is asked for that object, unless it would not survive that.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::pack::Packs;
use super::packed::{Content, Kind, Packed};
use crate::error::{Error, Result};
use crate::model::Oid;

/// The objects of one repository, for one thread.
pub(super) struct Objects {
    git_dir: PathBuf,
    common_dir: PathBuf,
    packs: Arc<Packs>,
    packed: Packed,
    /// Opened when a pack lacks something: most histories need it never.
    repository: OnceCell<git2::Repository>,
}

impl Objects {
    /// Those of the repository whose git directory is `git_dir`.
    pub(super) fn open(git_dir: &Path) -> Self {
        Self::with(git_dir, Arc::new(Packs::open(&common_dir(git_dir).join("objects"))))
    }

    /// The packs, for a further thread.
    pub(super) fn packs(&self) -> Arc<Packs> {
        Arc::clone(&self.packs)
    }

    /// The same, with packs that are open already.
    pub(super) fn with(git_dir: &Path, packs: Arc<Packs>) -> Self {
        let (packed, repository) = (Packed::new(Arc::clone(&packs)), OnceCell::new());
        Self { git_dir: git_dir.to_owned(), common_dir: common_dir(git_dir), packs, packed, repository }
    }

    /// Where the repository keeps what its worktrees share.
    pub(super) fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    fn repository(&self) -> Result<&git2::Repository> {
        if let Some(repository) = self.repository.get() {
            return Ok(repository);
        }
        let repository = repository(&self.git_dir)?;
        Ok(self.repository.get_or_init(|| repository))
    }

    /// An object of this kind; `None` where it is missing.
    pub(super) fn read(&mut self, oid: Oid, wanted: Kind) -> Result<Option<Content>> {
        if let Some((kind, content)) = self.packed.read(oid)
            && kind == wanted
        {
            return Ok(Some(content));
        }
        let (name, expected) = match wanted {
            Kind::Commit => ("commit", git2::ObjectType::Commit),
            Kind::Tree => ("tree", git2::ObjectType::Tree),
        };
        let fail = |why: &str| Error::unusable(format!("could not read {name} {oid}: {why}"));
        if self.packed.is_trap(oid) {
            return Err(fail("its pack is damaged"));
        }
        let id = git2::Oid::from_bytes(oid.as_bytes()).map_err(|error| fail(error.message()))?;
        let odb = self.repository()?.odb().map_err(|error| fail(error.message()))?;
        match odb.read(id) {
            Ok(object) if object.kind() == expected => Ok(Some(Rc::new(object.data().to_vec()))),
            Ok(_) => Err(fail(&format!("it is no {name}"))),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(fail(error.message())),
        }
    }
}

pub(super) fn repository(git_dir: &Path) -> Result<git2::Repository> {
    git2::Repository::open(git_dir).map_err(|error| {
        Error::unusable(format!("could not read history of `{}`", git_dir.display()))
            .because(error.message().to_owned())
    })
}

/// What a linked worktree's git directory names, or the directory itself.
fn common_dir(git_dir: &Path) -> PathBuf {
    let named = std::fs::read_to_string(git_dir.join("commondir"));
    named.map_or_else(|_| git_dir.to_owned(), |named| git_dir.join(named.trim_end()))
}
