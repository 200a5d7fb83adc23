//! Forgejo and Gitea, by what AGit flow calls a push for review: one push opens
//! a request, and the next to the same topic updates it.
//!
//! The topic holds a part of the task's random uid: two clones' tasks of one
//! name are two requests.

use super::refs::{Shape, holds, said};
use super::{Edits, Forge, Seen, Site, Wanted};
use crate::error::{Error, Result};
use crate::git::push::{self, Answer};
use crate::model::{Oid, Published, RequestState};

/// How much of the uid a topic holds.
const UID: usize = 8;
const PULLS: Shape = Shape { before: "refs/pull/", behind: "/head", page: "/pulls/" };

/// A forge that takes `refs/for/BASE/TOPIC`.
pub(super) struct Agit<'a>(Site<'a>);

impl<'a> Agit<'a> {
    pub(super) fn new(site: Site<'a>) -> Self {
        Self(site)
    }
}

impl Forge for Agit<'_> {
    fn head(&self, wanted: &Wanted) -> String {
        format!("refs/for/{}/{}", wanted.base, topic(wanted))
    }

    fn is_branch(&self) -> bool {
        false
    }

    fn options(&self, wanted: &Wanted, found: Option<&Seen>) -> Vec<String> {
        let mut options = vec![format!("topic={}", topic(wanted))];
        // Only what we left there is replaced; and nobody can tell whether a
        // person wrote other words there meanwhile.
        if found.is_some() {
            options.push("force-push=true".to_owned());
        } else {
            let draft = if wanted.draft { "WIP: " } else { "" };
            options.push(format!("title={draft}{}", wanted.text.title));
            options.push(format!("description={}", self.body(wanted)));
        }
        options
    }

    fn body(&self, wanted: &Wanted) -> String {
        wanted.text.one_line()
    }

    fn labels_by_push(&self) -> bool {
        true
    }

    fn find(&self, wanted: &Wanted, known: Option<&Published>, commit: Oid) -> Result<Option<Seen>> {
        let Some(seen) = PULLS.find(self.0, &wanted.base, known, commit)? else { return Ok(None) };
        let left = known.and_then(|known| known.tip);
        let theirs = seen.tip.filter(|there| left.is_some_and(|left| left != *there));
        if let (Some(theirs), Some(number)) = (theirs, seen.number)
            && seen.state != RequestState::Merged
            && !holds(self.0, commit, theirs)?
        {
            return Err(push::moved(&self.0.remote.name, &PULLS.name(number)));
        }
        Ok(Some(seen))
    }

    fn opened(&self, _wanted: &Wanted, answer: &Answer) -> Option<Seen> {
        let told = said(&answer.said, PULLS.page);
        let number = answer.became.as_deref().and_then(|name| PULLS.number(name));
        let number = number.or(told.as_ref().map(|(_, number)| *number))?;
        let address = told.map(|(address, _)| address).or_else(|| PULLS.address(self.0, number));
        Some(Seen { number: Some(number), address, state: RequestState::Open, ..Seen::default() })
    }

    fn open(&self, wanted: &Wanted) -> Result<Seen> {
        Err(Error::refused(format!("`{}` took `{}` and opened no request", self.0.remote.name, wanted.name))
            .hint("is it a Forgejo or Gitea? say which forge it is with `--forge`"))
    }

    fn edit(&self, _seen: &Seen, edits: &Edits) -> Result<Edits> {
        Ok(self.0.warn_of_what_stays(edits, "labels reviewers"))
    }
}

/// What tells a request apart from all others into the same branch.
fn topic(wanted: &Wanted) -> String {
    let uid: String = wanted.uid.chars().take(UID).collect();
    format!("{}-{uid}", wanted.name)
}
