//! How the session's conversation before this one ended, for an agent that knows
//! nothing of it: the earlier one was full, or is gone, or was another agent's.

use super::known::Known;
use super::page::{Body, Section, cut};
use crate::model::{Run, Task};
use crate::run::narrative;

/// How much is told of words that have none of the headings.
const WORDS: usize = 800;

/// What was said last; of a run that goes on with that conversation nothing.
pub fn before(known: &Known<'_>, task: &Task) -> Option<Section> {
    let is_agents = |run: &&Run| run.ended.is_none() && run.agent.is_some();
    let present = task.runs.last().filter(is_agents)?;
    let (of, last) = last(known)?;
    if last.conversation.is_some() && last.conversation == present.conversation {
        return None;
    }
    let said = last.said.as_deref().unwrap_or_default();
    let said = narrative::find(said)
        .map_or_else(|| cut(said, WORDS).to_owned(), |narrative| narrative::fit(&narrative).0);
    let title = format!("What you said last, at the end of task {of}, in another conversation");
    Some(Section { title, body: Body::Words(said), room: 4_500 })
}

/// The session's last run whose agent said something, and whose task it was.
fn last<'a>(known: &'a Known<'_>) -> Option<(&'a str, &'a Run)> {
    let runs = known.tasks.iter().map(|task| &task.value).flat_map(|task| {
        let own = task.runs.iter().filter(|run| {
            run.said.is_some() && *run.session.as_ref().unwrap_or(&task.session) == known.session.name
        });
        own.map(move |run| (task.name.as_str(), run))
    });
    runs.max_by_key(|(_, run)| run.started)
}
