//! All viewpoints that a result lacks, one after the other, and the developer
//! again for what they ask, until they agree or it has been enough.
//!
//! **Invariant:** every state between two steps is one that a person could have
//! left: whoever is killed goes on with the same command.

use serde::Serialize;

use super::choose::{self, Choice};
use super::look::{Order, Told, look};
use super::staff::Staff;
use crate::error::Result;
use crate::model::time::Stopwatch;
use crate::model::wording::count;
use crate::model::{Decision, Event, Name, Task, TaskState, Time, Viewpoint};
use crate::review::{Item, gate, item};
use crate::run::claim::{Claimed, Unbegun};
use crate::run::routing::Survey;
use crate::run::worker::Worker;
use crate::run::{Scene, flow};
use crate::session::TaskLock;
use crate::store;

/// Tests and documentation come before the reader, who sees all of it: what is
/// added later would void the approval.
const ORDER: [Viewpoint; 3] = [Viewpoint::Tester, Viewpoint::Documenter, Viewpoint::Reviewer];

/// What the rounds are made of.
pub struct Rounds<'a> {
    /// Who can look.
    pub staff: Staff<'a>,
    /// Reads what there is to route by, afresh.
    pub survey: &'a dyn Fn() -> Result<Survey>,
    /// Which viewpoints look, of those that lack.
    pub wanted: &'a dyn Fn(Viewpoint) -> bool,
    /// Who makes the changes that are asked for; nobody where a person does.
    pub developer: &'a dyn Fn(&Task) -> Result<Option<Worker>>,
    /// Hears what each look came to.
    pub tell: &'a dyn Fn(&Told) -> Result<()>,
}

/// A viewpoint from which a person has to look.
#[derive(Clone, Debug, Serialize)]
pub struct Waits {
    /// The viewpoint.
    pub viewpoint: Viewpoint,
    /// The session that knows it best, where there is another than the author's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Name>,
}

/// How it went.
#[derive(Debug, Default, Serialize)]
pub struct Went {
    /// The looks, in order.
    #[serde(rename = "looks")]
    pub told: Vec<Told>,
    /// Viewpoints from which a person has to look.
    pub waits: Vec<Waits>,
    /// How often the developer made changes.
    pub revisions: u8,
    /// How often at most.
    pub most: u8,
    /// Which viewpoints still lack at the end.
    pub lacking: Vec<Viewpoint>,
}

/// Goes on until nothing lacks, nobody is left who could look, or changes were
/// made as often as may be.
///
/// # Errors
/// Where nobody else could look; interrupted. What was said until then is recorded.
pub fn carry_out(scene: Scene<'_>, name: &Name, first: &[Viewpoint], rounds: &Rounds<'_>) -> Result<Went> {
    let watch = Stopwatch::start();
    let mut went = Went { most: rounds.staff.rounds(), ..Went::default() };
    let mut due = first.to_vec();
    loop {
        due = in_order(due);
        went.waits.clear();
        let before = went.told.len();
        for viewpoint in &due {
            one(later(scene, &watch), name, *viewpoint, (rounds, &mut went))?;
        }
        let item = item::require(scene.repo, name.as_str())?;
        went.lacking = gate::lacking(scene.repo, &item)?;
        let asks = went.told[before..].iter().any(|told| told.look.verdict == Decision::Change);
        let goes_on = asks && item.state == TaskState::Changes && went.revisions < went.most;
        if !goes_on || !revise(later(scene, &watch), &item, (rounds, &mut went))? {
            return Ok(went);
        }
        // Who had asked has to look again, also where nobody needs their approval.
        let item = item::require(scene.repo, name.as_str())?;
        if item.state != TaskState::Review {
            return Ok(went);
        }
        due.extend(
            gate::lacking(scene.repo, &item)?.into_iter().filter(|viewpoint| (rounds.wanted)(*viewpoint)),
        );
    }
}

/// The viewpoints as they look, each once.
pub fn in_order(mut due: Vec<Viewpoint>) -> Vec<Viewpoint> {
    due.sort_by_key(|viewpoint| ORDER.iter().position(|other| other == viewpoint));
    due.dedup();
    due
}

/// The scene of a step that begins now.
fn later<'a>(scene: Scene<'a>, watch: &Stopwatch) -> Scene<'a> {
    let seconds = i64::try_from(watch.elapsed().as_secs()).unwrap_or_default();
    Scene { now: Time(scene.now.0.saturating_add(seconds)), ..scene }
}

fn one(
    scene: Scene<'_>,
    name: &Name,
    viewpoint: Viewpoint,
    (rounds, went): (&Rounds<'_>, &mut Went),
) -> Result<()> {
    let item = item::require(scene.repo, name.as_str())?;
    let Some(choice) = choose::choose(scene, &(rounds.survey)()?, &item, viewpoint)? else {
        went.waits.push(Waits { viewpoint, session: None });
        return Ok(());
    };
    let Some((program, says)) = rounds.staff.find(scene, viewpoint, &choice.session)? else {
        went.waits.push(Waits { viewpoint, session: Some(choice.session.name) });
        return Ok(());
    };
    announce(scene, &item, viewpoint, &choice);
    let told = look(scene, Order { item: &item, viewpoint, choice: &choice, program: &program, says })?;
    (rounds.tell)(&told)?;
    went.told.push(told);
    Ok(())
}

/// Says who looks, and why they.
pub fn announce(scene: Scene<'_>, item: &Item, viewpoint: Viewpoint, choice: &Choice) {
    let why = if choice.why.is_empty() { String::new() } else { format!(" ({})", choice.why) };
    let (session, name, word) = (&choice.session.name, &item.name, viewpoint.word());
    (scene.events)(Event::Note(format!("{session} looks at {name} as {word}{why}")));
}

/// Has the developer make the changes; whether anybody did.
fn revise(scene: Scene<'_>, item: &Item, (rounds, went): (&Rounds<'_>, &mut Went)) -> Result<bool> {
    let Some(task) = store::tasks::find(scene.repo, &item.name)? else { return Ok(false) };
    let Some(worker) = (rounds.developer)(&task.value)? else { return Ok(false) };
    let Ok(lock) = TaskLock::try_take(scene.repo, &item.name)? else { return Ok(false) };
    went.revisions += 1;
    (scene.events)(Event::Note(format!(
        "{} makes the changes, round {} of {} at most",
        task.value.session, went.revisions, went.most
    )));
    let mut claimed = Claimed { task, lock, unbegun: Unbegun::Stays };
    claimed.task.value.agent = worker.name().map(str::to_owned);
    let done = flow::carry_out(scene, claimed, &worker)?.value;
    if done.state == TaskState::Review {
        let (commits, files) =
            (count(done.all_commits().count(), "commit"), count(done.touched.len(), "file"));
        (scene.events)(Event::Note(format!("{} has made them: {commits}, {files} now", done.session)));
    }
    Ok(true)
}
