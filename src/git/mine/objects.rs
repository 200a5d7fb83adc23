//! Where mining reads objects: out of packs by itself, and by git2 whatever it
//! does not find there or can't make out.
//!
//! **Invariant:** a surprise in a pack costs time, never a wrong answer: git2
//! is asked for that object.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::pack::Packs;
use super::packed::{Content, Kind, Packed};
use crate::error::{Error, Result};
use crate::model::Oid;

/// The objects of one repository, for one thread.
pub(super) struct Objects {
    packed: Packed,
    repository: git2::Repository,
    packs: Arc<Packs>,
}

impl Objects {
    /// Those of the repository whose git directory is `git_dir`.
    pub(super) fn open(git_dir: &Path) -> Result<Self> {
        let repository = repository(git_dir)?;
        let packs = Arc::new(Packs::open(&repository.commondir().join("objects")));
        Ok(Self { packed: Packed::new(Arc::clone(&packs)), repository, packs })
    }

    /// The packs, for a further thread.
    pub(super) fn packs(&self) -> Arc<Packs> {
        Arc::clone(&self.packs)
    }

    /// The same, with packs that are open already.
    pub(super) fn with(git_dir: &Path, packs: Arc<Packs>) -> Result<Self> {
        let packed = Packed::new(Arc::clone(&packs));
        Ok(Self { packed, repository: repository(git_dir)?, packs })
    }

    /// Where the repository keeps what its worktrees share.
    pub(super) fn common_dir(&self) -> &Path {
        self.repository.commondir()
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
        let id = git2::Oid::from_bytes(oid.as_bytes()).map_err(|error| fail(error.message()))?;
        let odb = self.repository.odb().map_err(|error| fail(error.message()))?;
        match odb.read(id) {
            Ok(object) if object.kind() == expected => Ok(Some(Rc::new(object.data().to_vec()))),
            Ok(_) => Err(fail(&format!("it is no {name}"))),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(fail(error.message())),
        }
    }
}

fn repository(git_dir: &Path) -> Result<git2::Repository> {
    // Every object would be hashed again: that costs three times the rest.
    git2::opts::strict_hash_verification(false);
    git2::Repository::open(git_dir).map_err(|error| {
        Error::unusable(format!("could not read history of `{}`", git_dir.display()))
            .because(error.message().to_owned())
    })
}
