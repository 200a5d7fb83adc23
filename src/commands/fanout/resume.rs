//! Going on with a fan-out that did not come to its end.

use super::super::opened::Opened;
use super::{Wish, narrowed};
use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::git::refs;
use crate::model::wording::tick;
use crate::model::{Fanout, Name, TaskState};

/// What there is to go on with.
pub(super) enum Resumed {
    /// Nothing was asked for.
    Nothing,
    /// A fan-out of which something is left.
    Fanout(Box<Fanout>),
    /// A fan-out of which nothing is left.
    Whole(Box<Fanout>),
}

/// Finds the last fan-out of a job.
///
/// # Errors
/// Refused where its result has landed or was cancelled.
pub(super) fn find(opened: &Opened, job: &Name) -> Result<Resumed> {
    let last = Box::new(narrowed::last(opened, job)?);
    if last.shards.iter().all(|shard| shard.state.is_well()) && is_made(opened, &last)? {
        return Ok(Resumed::Whole(last));
    }
    match last.state {
        TaskState::Merged | TaskState::Cancelled => {
            let (name, state) = (&last.name, last.state.word());
            Err(Error::refused(format!("the fan-out `{name}` is {state}"))
                .hint(format!("run what it left anew: `git orch fanout {job} --retry-failed`")))
        }
        _ => Ok(Resumed::Fanout(last)),
    }
}

/// Whether the result has what all shards came to: a process can be killed
/// between the last shard and the result.
fn is_made(opened: &Opened, fanout: &Fanout) -> Result<bool> {
    let Some(branch) = &fanout.branch else { return Ok(fanout.state != TaskState::Failed) };
    let reader = opened.repo.read();
    let Some(tip) = reader.find_ref(&refs::branch(branch))? else { return Ok(true) };
    for commit in fanout.shards.iter().filter_map(|shard| shard.commit) {
        if reader.ahead_behind(commit, tip)?.0 > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Refuses to go on with other work.
pub(super) fn require_same(last: &Fanout, wish: &Wish) -> Result<()> {
    if last.command == wish.command {
        return Ok(());
    }
    let (was, is) = (tick(&last.command), tick(&wish.command));
    Err(Error::usage(format!("`{}` ran {was}, not {is}", last.name))
        .hint("give the options that it was begun with, or leave `--resume` out"))
}

/// Says that nothing is left.
pub(super) fn report_whole(app: &App, fanout: &Fanout) -> Result<u8> {
    app.ui.data(fanout)?;
    app.ui.answer(format!("nothing is left of `{}`: every shard came to its end", fanout.name))?;
    if let (Some(branch), TaskState::Review) = (&fanout.branch, fanout.state) {
        app.ui.answer(branch)?;
    }
    Ok(exit::DONE)
}
