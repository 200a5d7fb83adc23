//! Tasks whose process died: their edits go onto the record, their sessions
//! are free again.

use crate::error::Result;
use crate::git::refs;
use crate::git::{Repo, RepoLock};
use crate::model::{Event, Outcome, Run, Task, TaskState};
use crate::run::finish::Ending;
use crate::run::prepare::{Ready, folder};
use crate::run::{Scene, conversation, execute, report, set_aside};
use crate::session::{SessionLock, TaskLock, workplace};
use crate::store::tasks::With;
use crate::store::{self, Stored};

/// The tasks that a process carried out and that no living process carries on.
pub fn find(repo: &Repo) -> Result<Vec<Stored<Task>>> {
    let mut tasks = store::tasks::load(repo)?;
    tasks.retain(|task| {
        let carried = task.value.agent.is_some() || task.value.state == TaskState::Queued;
        let at_work = matches!(task.value.state, TaskState::Queued | TaskState::Running);
        carried
            && at_work
            && !task.value.waits_for_a_start()
            && TaskLock::holder(repo, &task.value.name).is_none()
    });
    Ok(tasks)
}

/// Ends every dead task; the ended ones' names are told.
pub fn settle(scene: Scene<'_>) -> Result<()> {
    for task in find(scene.repo)? {
        let Ok(_alive) = TaskLock::try_take(scene.repo, &task.value.name)? else { continue };
        let Some(task) = store::tasks::find(scene.repo, &task.value.name)? else { continue };
        let at_work = matches!(task.value.state, TaskState::Queued | TaskState::Running);
        if !at_work || task.value.waits_for_a_start() {
            continue;
        }
        let name = task.value.name.clone();
        match end(scene, task) {
            Ok(()) => {
                let text = format!("{name} had died; its edits are kept: `git orch show {name}`");
                (scene.events)(Event::Note(text));
            }
            Err(error) => {
                let text = format!("{name} had died, and its session can't be freed: {error}");
                (scene.events)(Event::Warning(text));
            }
        }
    }
    Ok(())
}

fn end(scene: Scene<'_>, mut task: Stored<Task>) -> Result<()> {
    let session = store::sessions::find(scene.repo, &task.value.session)?.map(|found| found.value);
    let Some((session, run)) = session.zip(last_open_run(&task.value).cloned()) else {
        task.value.state = TaskState::Failed;
        task.value.updated = scene.now;
        let lock = RepoLock::take(scene.repo, "recover", scene.events)?;
        let with = With { old: Some(task.tip), ..With::default() };
        let change = store::tasks::prepare(scene.repo, &mut task.value, with, "died")?;
        return refs::apply(scene.repo, &lock, &[change], "recover");
    };
    let _held = SessionLock::take(scene.repo, &session.name, "recover")?;
    let place = workplace::place(scene.repo, &session);
    execute::wait_for_end(scene, &task.value)?;
    let brief = folder(scene.repo, &task.value)?.join("brief.md");
    report::clear(scene.repo, &task.value);
    if let Some(id) = conversation::recall(scene.repo, &task.value)
        && let Some(run) = task.value.runs.last_mut()
    {
        run.conversation = Some(id);
    }
    let ready = Ready { task, session, place, start: run.start_oid, found: None, brief };
    let ending = Ending { ended: scene.now, exit_code: None };
    set_aside::set_aside(scene, &ready, Outcome::Died, TaskState::Failed, ending).map(drop)
}

fn last_open_run(task: &Task) -> Option<&Run> {
    task.runs.last().filter(|run| run.ended.is_none())
}
