//! GitLab by push options alone: the push opens the merge request. What became
//! of it only refs tell.

use super::refs::{Shape, said};
use super::{Edits, Forge, Seen, Site, Wanted};
use crate::error::{Error, Result};
use crate::git::push::Answer;
use crate::model::{Oid, Published, RequestState};

const REQUESTS: Shape = Shape { before: "refs/merge-requests/", behind: "/head", page: "/-/merge_requests/" };

/// A GitLab without its client.
pub(super) struct Gitlab<'a>(Site<'a>);

impl<'a> Gitlab<'a> {
    pub(super) fn new(site: Site<'a>) -> Self {
        Self(site)
    }
}

impl Forge for Gitlab<'_> {
    fn options(&self, wanted: &Wanted, found: Option<&Seen>) -> Vec<String> {
        let option = |key: &str, value: &str| format!("merge_request.{key}={value}");
        let mut options = vec!["merge_request.create".to_owned(), option("target", &wanted.base)];
        // Nobody can tell whether a person wrote other words there meanwhile.
        if found.is_none() {
            options.push(option("title", &wanted.text.title));
            options.push(option("description", &self.body(wanted)));
            options.extend(wanted.draft.then(|| "merge_request.draft".to_owned()));
        }
        options.extend(wanted.labels.iter().map(|label| option("label", label)));
        options
    }

    fn body(&self, wanted: &Wanted) -> String {
        wanted.text.one_line()
    }

    fn labels_by_push(&self) -> bool {
        true
    }

    fn find(&self, wanted: &Wanted, known: Option<&Published>, commit: Oid) -> Result<Option<Seen>> {
        REQUESTS.find(self.0, &wanted.base, known, commit)
    }

    fn opened(&self, _wanted: &Wanted, answer: &Answer) -> Option<Seen> {
        let (address, number) = said(&answer.said, "/merge_requests/")?;
        let (number, address) = (Some(number), Some(address));
        Some(Seen { number, address, state: RequestState::Open, ..Seen::default() })
    }

    fn open(&self, wanted: &Wanted) -> Result<Seen> {
        let name = &self.0.remote.name;
        Err(Error::refused(format!("`{name}` has `{}` and no merge request for it", wanted.branch)).hint(
            format!(
                "a push opens one, and there is nothing to push: take the branch away, `git push {name} :{}`, then run the command again",
                wanted.branch
            ),
        ))
    }

    fn edit(&self, _seen: &Seen, edits: &Edits) -> Result<Edits> {
        Ok(self.0.warn_of_what_stays(edits, "reviewers"))
    }
}
