//! Where a fan-out's shards run, from options and settings.

use super::{Desk, FanoutArgs};
use crate::config::trust;
use crate::error::{Error, Result};
use crate::fanout::remote::{Away, On, Setup, Triple, begun};
use crate::git::programs;
use crate::git::remote::{self, Remote};
use crate::model::wording::unknown;

/// Where they run, if not here.
///
/// # Errors
/// Wrong usage where there is no such engine or remote; untrusted where the
/// repository names what would be run.
pub(super) fn find(desk: &Desk<'_>, args: &FanoutArgs) -> Result<Option<Away>> {
    let setup = match &args.on {
        On::Local if args.remote.is_some() => {
            return Err(Error::usage("`--remote` is for shards on other machines")
                .hint("say where with `--on slurm`, `--on ssh:HOSTS` or `--on exec:NAME`"));
        }
        On::Local => return Ok(None),
        On::Exec(name) => Setup::Exec(triple(desk, name.as_str())?),
        On::Run(name) => Setup::Run(name.clone()),
        On::Slurm => Setup::Slurm(desk.opened.repo.all_values("orch.slurm")?),
        On::Ssh(hosts) => Setup::Ssh(desk.opened.settings.ssh().to_owned(), hosts.clone()),
    };
    let opened = desk.opened;
    let remote = remote(desk, args.remote.as_deref())?;
    begun::settle(opened.scene(desk.app, &|event| desk.app.ui.event(event)))?;
    Ok(Some(Away { on: args.on.clone(), setup, remote, limit: args.workers.map(usize::from) }))
}

/// The remote between machines; what the repository has git run for it is trusted.
pub(super) fn remote(desk: &Desk<'_>, named: Option<&str>) -> Result<Remote> {
    let opened = desk.opened;
    for (what, value) in programs::of_transport(&opened.repo) {
        opened.trust.require(&trust::program(&what, Some(&value)))?;
    }
    remote::find(&opened.repo, named.or(opened.settings.remote()))
}

/// The commands of an engine, each of them trusted.
fn triple(desk: &Desk<'_>, name: &str) -> Result<Triple> {
    let engines = &desk.opened.settings.file.engines;
    let engine = engines.get(name).ok_or_else(|| {
        Error::usage(unknown("engine", name, engines.keys().map(String::as_str)))
            .hint("`engines` in `.orch.yml` names its submit, poll and cancel: `git help orch-fanout`")
    })?;
    for named in trust::engine_commands(name, engine) {
        desk.opened.trust.require(&named)?;
    }
    let (submit, poll, cancel) = (engine.submit.clone(), engine.poll.clone(), engine.cancel.clone());
    Ok(Triple { submit, poll, cancel })
}
