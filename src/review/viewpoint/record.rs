//! What a look came to, recorded all at once: the verdict's note, what was
//! added, the result's branch, the touches, and where the task stands.

use super::left::Left;
use crate::agent::process;
use crate::error::{Error, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Head, RepoLock, worktree};
use crate::model::{Alteration, Event, Look, Name, Oid, Task, TaskState};
use crate::review::verdict::{self, Judgement};
use crate::review::{Item, item};
use crate::run::{Scene, altered, touches};
use crate::session::seat::{self, SeatLock};
use crate::store::tasks::With;
use crate::store::{self, Stored};

/// Records a look; as it is recorded, and where the result stands now.
///
/// # Errors
/// Refused where the result does not wait any more: what was added is kept on
/// its record then.
pub fn record(scene: Scene<'_>, seen: &Item, look: Look, left: Option<Left>) -> Result<(Look, TaskState)> {
    let repo = scene.repo;
    let lock = RepoLock::take(repo, &format!("review {}", seen.name), scene.events)?;
    let now = item::require(repo, seen.name.as_str())?;
    let Some(task) = store::tasks::find(repo, &seen.name)? else {
        verdict::require_waiting(&now)?;
        let said = verdict::say(repo, &now, look.tip, judgement(&look), look.time)?;
        refs::apply(repo, &lock, said.note.as_slice(), "review")?;
        return Ok((look, now.state));
    };
    let waiting = verdict::require_waiting(&now);
    let is_there = waiting.is_ok() && now.tip == look.tip;
    let stays = is_there && !is_checked_out(scene, &now.branch, left.as_ref())?;
    let mut entry = Entry { task, look, changes: Vec::new(), keeps: Vec::new() };
    match left {
        Some(left) if stays => entry.add(scene, &now, left)?,
        Some(left) => entry.put_aside(scene, &left),
        None => {}
    }
    if waiting.is_ok() {
        entry.say(scene, if is_there { &now } else { seen }, is_there)?;
    } else if entry.keeps.is_empty() {
        return Err(waiting.expect_err("it was looked at"));
    }
    let (look, state) = entry.write(scene, &lock)?;
    waiting.map(|()| (look, state))
}

/// A branch that somebody has checked out is not moved under their hands.
fn is_checked_out(scene: Scene<'_>, branch: &str, left: Option<&Left>) -> Result<bool> {
    let has = |one: &worktree::Worktree| one.head.as_ref().and_then(Head::branch) == Some(branch);
    Ok(left.is_some() && worktree::list(scene.repo)?.iter().any(has))
}

/// What a look changes.
struct Entry {
    task: Stored<Task>,
    look: Look,
    changes: Vec<RefChange>,
    keeps: Vec<Oid>,
}

impl Entry {
    /// Puts what was added on top of the result.
    fn add(&mut self, scene: Scene<'_>, now: &Item, left: Left) -> Result<()> {
        let repo = scene.repo;
        let task = &mut self.task.value;
        for old in task.tip.into_iter().chain([now.tip]) {
            if !task.superseded.contains(&old) {
                task.superseded.push(old);
            }
        }
        task.tip = Some(left.tip);
        let (before, after) = (repo.read().commit(task.base_oid)?.tree, repo.read().commit(left.tip)?.tree);
        task.touched = repo.read().changes(Some(before), after)?;
        self.look.commits = left.commits;
        self.changes.push(RefChange::update(refs::branch(&now.branch), left.tip, now.tip));
        self.changes.extend(touches::of_look(repo, &now.name, &self.look, self.look.time)?);
        self.keeps.push(left.tip);
        Ok(())
    }

    /// Keeps what was added to something that is the result no more.
    fn put_aside(&mut self, scene: Scene<'_>, left: &Left) {
        let (from, to) = (self.look.tip.short(), left.tip.short());
        let text = format!(
            "{} moved on meanwhile: what {} added is kept on its record: git diff {from} {to}",
            self.task.value.name, self.look.session
        );
        (scene.events)(Event::Warning(text));
        self.look.aside = Some(left.tip);
        self.keeps.push(left.tip);
    }

    /// Notes the verdict on what was looked at, with what was added to it. Only
    /// what is said of the present result moves the task.
    fn say(&mut self, scene: Scene<'_>, now: &Item, is_there: bool) -> Result<()> {
        let task = &mut self.task.value;
        let tip = if self.look.commits.is_empty() { self.look.tip } else { task.tip.unwrap_or(now.tip) };
        let said = verdict::say(scene.repo, now, tip, judgement(&self.look), self.look.time)?;
        if is_there {
            verdict::turn(task, &said);
        }
        self.changes.extend(said.note);
        Ok(())
    }

    fn write(self, scene: Scene<'_>, lock: &RepoLock) -> Result<(Look, TaskState)> {
        let Self { task: Stored { value: mut task, tip }, look, mut changes, keeps } = self;
        task.viewpoints.push(look.clone());
        task.updated = task.updated.max(look.time);
        let why = format!("{} {}", look.viewpoint.word(), look.verdict.word());
        let with = With { old: Some(tip), keeps, ..With::default() };
        changes.push(store::tasks::prepare(scene.repo, &mut task, with, &why)?);
        refs::apply(scene.repo, lock, &changes, "review")?;
        Ok((look, task.state))
    }
}

fn judgement(look: &Look) -> Judgement {
    Judgement {
        viewpoint: look.viewpoint,
        decision: look.verdict,
        text: look.text.clone(),
        by: format!("{} ({})", look.session, look.agent),
        session: Some(look.session.clone()),
    }
}

/// Puts what a program changed of what git executes onto the result's record,
/// whatever else becomes of its look.
pub fn altered(scene: Scene<'_>, name: &Name, altered: Vec<Alteration>) -> Result<()> {
    let lock = RepoLock::take(scene.repo, &format!("review {name}"), scene.events)?;
    let change = if let Some(mut task) = store::tasks::find(scene.repo, name)? {
        add_new(&mut task.value.altered, altered);
        let with = With { old: Some(task.tip), ..With::default() };
        store::tasks::prepare(scene.repo, &mut task.value, with, "altered what git executes")?
    } else if let Some(mut fanout) = store::fanouts::find(scene.repo, name)? {
        add_new(&mut fanout.value.altered, altered);
        store::fanouts::prepare(scene.repo, &fanout.value, Some(fanout.tip), Vec::new(), scene.now)?
    } else {
        return Err(Error::refused(format!("the result `{name}` is gone")));
    };
    refs::apply(scene.repo, &lock, &[change], "review")
}

/// Two commands can find what the same dead one left.
fn add_new(known: &mut Vec<Alteration>, altered: Vec<Alteration>) {
    for one in altered {
        if !known.contains(&one) {
            known.push(one);
        }
    }
}

/// Sets right what a process left that died while a session looked at a result:
/// what its program changed of what git executes is told and counts.
pub fn settle(scene: Scene<'_>) -> Result<()> {
    for seat in seat::left(scene.repo) {
        let Ok(_held) = SeatLock::try_take(scene.repo, &seat.result, seat.viewpoint, &seat.session)? else {
            continue;
        };
        let waited = process::wait_for_end(&seat.log, scene.interrupt);
        scene.interrupt.check()?;
        let altered = altered::told(scene, &seat.programs);
        let counted = if altered.is_empty() { Ok(()) } else { self::altered(scene, &seat.result, altered) };
        if let Err(error) = waited.and(counted) {
            // Nobody is kept from their work by it.
            (scene.events)(Event::Warning(format!("of a look at {}: {error}", seat.result)));
        }
        let (name, session, word) = (&seat.result, &seat.session, seat.viewpoint.word());
        (scene.events)(Event::Note(format!(
            "{session} had died looking at {name}: git orch review {name} --by {session} --viewpoint {word}"
        )));
    }
    Ok(())
}
