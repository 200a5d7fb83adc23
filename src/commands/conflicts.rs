//! `git orch conflicts`

use super::opened::Opened;
use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::git::pairs::{Clash, Clashing, Lines};
use crate::git::refs;
use crate::model::Name;
use crate::model::wording::{count, list, unknown};
use crate::review::conflicts::{self, Conflict, PartyKind, Radar};
use crate::review::work::Sort;
use crate::store;
use crate::ui::Table;

/// So many places of one file are named, and so many files of one pair.
const PLACES: usize = 4;
const FILES: usize = 8;

/// Say which open work conflicts with which, and where
///
/// All open work is compared, each with each and with its base as it is now:
/// what sessions have committed and not landed, what lies uncommitted or
/// untracked in their worktrees, and the results that wait. Only what goes
/// back to the same base is compared. Each pair is merged in memory; no
/// worktree and no index is touched. Lines are told as the first and as the
/// second of a pair has them. Exits with 1 where something conflicts.
#[derive(Debug, clap::Args)]
pub(super) struct ConflictsArgs {
    /// Only pairs with one of these
    #[arg(value_name = "SESSION-OR-TASK")]
    names: Vec<String>,
}

pub(super) fn run(app: &App, args: &ConflictsArgs) -> Result<u8> {
    let opened = Opened::to_read(app)?;
    opened.repo.git_program().require_version()?;
    let names = names(&opened, &args.names)?;
    let events = |event| app.ui.event(event);
    let radar = conflicts::scan(&opened.repo, &names, &events)?;
    app.ui.data(&radar)?;
    for name in &names {
        if !radar.work.iter().any(|work| work.is_meant(std::slice::from_ref(name))) {
            app.ui.note(format!("{name} has no open work"));
        }
    }
    if radar.work.is_empty() {
        app.ui.note("no open work");
        return Ok(exit::DONE);
    }
    if radar.conflicts.is_empty() {
        app.ui.answer(format!("no conflicts: {}", compared(&radar)))?;
    } else {
        app.ui.answer(table(&radar.conflicts))?;
    }
    if radar.order.len() > 1 {
        app.ui.answer(format!("lands best in this order: {}", join(&radar.order, ", ")))?;
    }
    if let Some(next) = next(&radar) {
        app.ui.note(format!("next: {next}"));
    }
    Ok(if radar.conflicts.is_empty() { exit::DONE } else { exit::FAILED })
}

/// Names as they are in records; a branch stands for whose it is.
fn names(opened: &Opened, typed: &[String]) -> Result<Vec<String>> {
    let repo = &opened.repo;
    let mut known = Vec::new();
    for prefix in [refs::SESSIONS, refs::TASKS, refs::FANOUTS] {
        known.extend(repo.read().refs(prefix)?.into_iter().map(|(name, _)| name[prefix.len()..].to_owned()));
    }
    let bare = |name: &String| {
        let short = [refs::REVIEW_BRANCHES, refs::SESSION_BRANCHES].iter().find_map(|p| name.strip_prefix(p));
        short.unwrap_or(name).to_owned()
    };
    let names: Vec<String> = typed.iter().map(bare).collect();
    match names.iter().find(|name| !known.contains(name)) {
        None => Ok(names),
        Some(name) => {
            let error = Error::usage(unknown("session or task", name, known.iter().map(String::as_str)));
            Err(match store::sessions::load(repo)?.is_empty() {
                true => error,
                false => error.hint("`git orch sessions` and `git orch review` list them"),
            })
        }
    }
}

fn table(conflicts: &[Conflict]) -> String {
    let mut table = Table::bare();
    for conflict in conflicts {
        let pair = format!("{} × {}", conflict.one.name, conflict.other.name);
        let more = conflict.clashes.len().saturating_sub(FILES);
        for (index, clash) in conflict.clashes.iter().take(FILES).enumerate() {
            let pair = if index == 0 { pair.as_str() } else { "" };
            table.row([pair.to_owned(), clash.path.to_string(), place(conflict, clash)]);
        }
        if more > 0 {
            table.row([String::new(), format!("and {}", count(more, "more file")), String::new()]);
        }
    }
    table.render()
}

/// What of a file is in question: `10-14 / 12-20`.
fn place(conflict: &Conflict, clash: &Clash) -> String {
    let side = |lines: &[Lines], is_gone: bool| -> String {
        if is_gone {
            return "deleted".to_owned();
        }
        let mut told: Vec<String> = lines.iter().take(PLACES).map(ToString::to_string).collect();
        told.extend((lines.len() > PLACES).then(|| format!("{} more", lines.len() - PLACES)));
        if told.is_empty() { "kept".to_owned() } else { told.join(", ") }
    };
    let (ours, theirs) = (side(&clash.ours, clash.ours_is_gone), side(&clash.theirs, clash.theirs_is_gone));
    let has_lines = !(clash.ours.is_empty() && clash.theirs.is_empty());
    match clash.kind {
        Clashing::BothChanged if has_lines => format!("{ours} / {theirs}"),
        Clashing::BothChanged => "changed by both".to_owned(),
        Clashing::AddedTwice if has_lines => format!("{ours} / {theirs}, added by both"),
        Clashing::AddedTwice => "added by both".to_owned(),
        Clashing::ChangedDeleted => format!("{ours} / {theirs}"),
        Clashing::FileFolder => "a file and a folder, or a link".to_owned(),
        Clashing::Renamed if clash.ours.is_empty() || clash.theirs.is_empty() => {
            format!("renamed by {} or {}", conflict.one.name, conflict.other.name)
        }
        Clashing::Renamed => format!("{ours} / {theirs}, renamed"),
        Clashing::Binary => "binary, changed by both".to_owned(),
        Clashing::Submodule => "submodule, moved by both".to_owned(),
        Clashing::Unrelated => "they have no commit in common".to_owned(),
    }
}

/// `2 sessions and 1 result`.
fn compared(radar: &Radar) -> String {
    let of = |kind| radar.work.iter().filter(|work| work.kind == kind).count();
    let parts = [(of(Sort::Session), "session"), (of(Sort::Result), "result")];
    list(parts.iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(*number, noun)))
}

/// What to do first: have a result follow its base, else land what can.
fn next(radar: &Radar) -> Option<String> {
    let behind = |name: &&Name| {
        let with_base = radar.conflicts.iter().filter(|conflict| conflict.other.kind == PartyKind::Base);
        with_base.into_iter().find(|conflict| conflict.one.is_result(name))
    };
    if let Some(conflict) = radar.order.iter().find_map(|name| behind(&name)) {
        let (name, base) = (&conflict.one.name, &conflict.other.name);
        return Some(format!("git orch review {name} --request-changes -m 'merge {base} and resolve'"));
    }
    (radar.order.len() > 1).then(|| format!("git orch merge {}", join(&radar.order, " ")))
}

fn join(names: &[Name], between: &str) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}
