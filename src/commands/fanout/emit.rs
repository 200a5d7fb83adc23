//! `--emit matrix`: the shards as a list that CI services make jobs of.

use serde::Serialize;

use super::{Desk, FanoutArgs, elsewhere};
use crate::error::{Result, exit};
use crate::fanout::flow::Order;
use crate::fanout::remote::begun;
use crate::model::RepoPath;

/// What a service takes as the matrix of a job.
#[derive(Serialize)]
struct Matrix<'a> {
    include: Vec<Job<'a>>,
}

#[derive(Serialize)]
struct Job<'a> {
    shard: usize,
    label: &'a str,
    files: &'a [RepoPath],
    /// Where what it has to do is, where that was pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
}

/// Prints them; with a remote, what they have to do is pushed there first.
pub(super) fn matrix(desk: &Desk<'_>, args: &FanoutArgs, order: &Order) -> Result<u8> {
    let app = desk.app;
    let events = |event| app.ui.event(event);
    let remote = args.remote.as_deref().map(|name| elsewhere::remote(desk, Some(name))).transpose()?;
    let post = |remote| begun::post(desk.opened.scene(app, &events), order, remote);
    let run = remote.as_ref().map(post).transpose()?;
    let run = run.as_deref();
    let jobs = order.shards.iter().enumerate().map(|(index, planned)| Job {
        shard: index + 1,
        label: &planned.label,
        files: &planned.files,
        run,
    });
    let matrix = Matrix { include: jobs.collect() };
    if app.ui.is_json() {
        app.ui.data(&matrix)?
    } else {
        app.ui.line(&matrix)?
    }
    if let (Some(run), Some(remote)) = (run, &remote) {
        app.ui.note("a job runs its shard so, in any folder with git:");
        app.ui.note(format!("  git init -q && git fetch -q --depth=1 ADDRESS {run}/order"));
        app.ui.note("  git show FETCH_HEAD:node.sh >node.sh");
        app.ui.note(format!("  GIT_ORCH_REMOTE=ADDRESS GIT_ORCH_RUN={run} sh node.sh SHARD"));
        let words = format!("--on run:{} --remote {}", begun::name(run), remote.name);
        app.ui.note(format!("then, here: the same command with {words} instead of --emit"));
    }
    Ok(exit::DONE)
}
