//! `git orch trust`

use super::opened::Opened;
use super::review::refuse_inside_session;
use crate::app::App;
use crate::config::trust::{Named, commands, program};
use crate::error::{Error, Kind, Result, exit};
use crate::git::programs;
use crate::review::gate;
use crate::run::altered;
use crate::session::base;
use crate::store;
use crate::ui::Table;

/// Allow the commands that this repository names, exactly as they are now
///
/// Until then no command, agent or set-up that the repository names runs. A
/// changed command has to be allowed again. Trust covers the commands, not
/// what they execute in turn: a worktree keeps files apart, it is no sandbox.
#[derive(Debug, clap::Args)]
pub(super) struct TrustArgs {
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show what would be allowed
    #[arg(long)]
    dry_run: bool,
}

#[derive(serde::Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    named: &'a Named,
    trusted: bool,
}

pub(super) fn run(app: &App, args: &TrustArgs) -> Result<u8> {
    let mut opened = Opened::to_read(app)?;
    refuse_inside_session(app, &opened)?;
    let named = all(&opened)?;
    let shown: Vec<Shown<'_>> =
        named.iter().map(|named| Shown { named, trusted: opened.trust.covers(named) }).collect();
    let news = shown.iter().any(|shown| !shown.trusted);
    app.ui.data(&shown)?;
    let mut table = Table::new(&["for", "command", "trusted"]);
    for Shown { named, trusted } in &shown {
        table.row([named.purpose.as_str(), named.command.as_str(), if *trusted { "yes" } else { "no" }]);
    }
    app.ui.answer(table.render())?;
    if args.dry_run || !news {
        return Ok(exit::DONE);
    }
    let allowed = args.yes
        || app.ui.confirm("allow these commands, exactly as they are?").ok_or_else(|| {
            Error::usage("nobody is there to answer")
                .hint("read the commands above, then `git orch trust --yes`")
        })?;
    if !allowed {
        return Err(Error::new(Kind::Untrusted, "nothing was allowed"));
    }
    drop(shown);
    opened.trust.replace(&named)?;
    app.ui.note("trusted; a changed command asks again");
    Ok(exit::DONE)
}

/// The commands of the caller's worktree and of the base commit, and what git
/// executes that a run changed or that fetches.
fn all(opened: &Opened) -> Result<Vec<Named>> {
    let mut named = commands(&opened.settings.file);
    let sessions = store::sessions::load(&opened.repo)?;
    if let Ok(base) = base::choose(&opened.repo, None, opened.settings.base(), &sessions) {
        let checks = gate::read(&opened.repo, base.oid)?.checks;
        named.extend(checks.into_iter().map(|command| Named { purpose: "check".to_owned(), command }));
    }
    named.extend(altered::to_trust(&opened.repo)?);
    let fetching = programs::of_transport(&opened.repo);
    named.extend(fetching.iter().map(|(what, value)| program(what, Some(value))));
    named.sort();
    named.dedup();
    Ok(named)
}
