//! No forge: the branch alone is pushed, and people take it from there.

use super::{Edits, Forge, Seen, Site, Wanted, address};
use crate::error::Result;
use crate::git::refs;
use crate::model::{Oid, Published, RequestState};

/// A remote that knows no requests.
pub(super) struct Branch<'a>(Site<'a>);

impl<'a> Branch<'a> {
    pub(super) fn new(site: Site<'a>) -> Self {
        Self(site)
    }

    fn seen(&self, wanted: &Wanted) -> Seen {
        let address = Some(format!("{} {}", address::public(&self.0.remote.url), wanted.branch));
        Seen { address, state: RequestState::Unknown, ..Seen::default() }
    }
}

impl Forge for Branch<'_> {
    fn find(&self, wanted: &Wanted, _known: Option<&Published>, _commit: Oid) -> Result<Option<Seen>> {
        let there = self.0.tips(&[refs::branch(&wanted.branch)])?;
        Ok((!there.is_empty()).then(|| self.seen(wanted)))
    }

    fn open(&self, wanted: &Wanted) -> Result<Seen> {
        Ok(self.seen(wanted))
    }

    fn edit(&self, _seen: &Seen, edits: &Edits) -> Result<Edits> {
        Ok(self.0.warn_of_what_stays(edits, "labels reviewers"))
    }
}
