//! `git orch history`

use std::collections::BTreeSet;

use serde::Serialize;

use super::opened::{Opened, patterns};
use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::history::{self, History};
use crate::model::wording::{count, list, thousands};
use crate::model::{Change, Name, Oid, RepoPath, Session, SessionWeight, Time, path::ancestors};
use crate::run::{Scene, routing, touches};
use crate::session::View;
use crate::session::view::Knows;
use crate::store::{self, Stored};
use crate::ui::Table;

/// How many folders of a profile are listed.
const FOLDERS: usize = 15;

/// Show what a session has touched, mined from commits
#[derive(Debug, clap::Args)]
pub(super) struct HistoryArgs {
    /// The session; all of them without one
    #[arg(value_name = "SESSION")]
    session: Option<String>,
    /// Only what was touched here
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Mine everything again from the commits
    #[arg(long)]
    rebuild: bool,
}

#[derive(Serialize)]
struct Shown {
    session: Name,
    commits: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Time>,
    knows: Vec<Knows>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    own: Vec<Own>,
}

/// One of the session's own commits.
#[derive(Serialize)]
struct Own {
    commit: Oid,
    time: Time,
    subject: String,
    changes: Vec<Change>,
}

pub(super) fn run(app: &App, args: &HistoryArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    if args.rebuild {
        rebuild(&opened)?;
    }
    let survey = routing::survey(&opened.repo, &opened.settings, app.now)?;
    let events = |event| app.ui.event(event);
    let wanted: Vec<&Stored<Session>> = match &args.session {
        Some(name) => {
            let name = store::sessions::require(&opened.repo, name)?.value.name;
            routing::find(&survey, &name).into_iter().collect()
        }
        None => survey.sessions.iter().collect(),
    };
    if wanted.is_empty() {
        app.ui.data(&Vec::<Shown>::new())?;
        app.ui.note("no sessions yet\nnext: git orch add-session NAME --paths GLOB --adopt-history");
        return Ok(exit::DONE);
    }
    let history = routing::refresh(&survey, &events)?;
    if args.rebuild {
        let wrong = touches::wrong(&opened.repo, &survey.sessions, &survey.tasks)?;
        touches::rewrite(opened.scene(app, &events), wrong)?;
    }
    app.ui.settle();
    let typed =
        args.path.as_ref().map(|path| patterns(app, &opened.repo, std::slice::from_ref(path))).transpose()?;
    let path = typed.as_ref().map(|typed| RepoPath::from(typed[0].trim_end_matches('/')));
    let details = args.session.is_some();
    let mut shown = Vec::new();
    for session in wanted {
        let own = if details { own(&opened, &survey, &session.value, path.as_ref())? } else { Vec::new() };
        shown.push(Shown {
            session: session.value.name.clone(),
            commits: history.commits(&session.value.name),
            last: history.last_activity(&session.value.name),
            knows: knowledge(&history, &session.value.name),
            own,
        });
    }
    app.ui.data(&shown)?;
    match &path {
        Some(path) => app.ui.answer(at_path(app, &history, &shown, path)?)?,
        None if details => app.ui.answer(by_folder(app, &opened, &history, &shown[0])?)?,
        None => app.ui.answer(shown.iter().map(|shown| text(app, shown)).collect::<String>())?,
    }
    if shown.iter().any(|shown| !shown.own.is_empty()) {
        app.ui.answer(shown.iter().map(own_text).collect::<String>())?;
    }
    Ok(exit::DONE)
}

/// The caches go; what they hold is in the commits.
fn rebuild(opened: &Opened) -> Result<()> {
    let folder = opened.repo.orch_dir()?.join(history::FOLDER);
    if folder.is_dir() {
        std::fs::remove_dir_all(&folder)
            .map_err(|error| Error::unusable("could not drop the mined history").because(error))?;
    }
    Ok(())
}

fn text(app: &App, shown: &Shown) -> String {
    let last = shown.last.map(|last| format!(", last {}", last.ago(app.now))).unwrap_or_default();
    let mut text = format!("{}: {}{last}\n", shown.session, count(shown.commits as usize, "commit"));
    let mut table = Table::bare().right(&[0]);
    for knows in &shown.knows {
        table.row([format!("{:.2}", knows.weight), knows.path.to_string()]);
    }
    text.push_str(&table.render());
    text
}

/// The profile of one session: the folders it knows best.
fn by_folder(app: &App, opened: &Opened, history: &History<'_>, shown: &Shown) -> Result<String> {
    let mut text = format!("{}: {}\n", shown.session, count(shown.commits as usize, "commit"));
    let profiles = history.profiles(&folders(opened)?);
    let Some(session) = profiles.sessions.iter().position(|name| *name == shown.session) else {
        return Ok(text);
    };
    let mut known: Vec<(&[u8], &SessionWeight)> = profiles
        .weights
        .keys()
        .filter_map(|path| Some((path.as_slice(), profiles.of(session, path)?)))
        .collect();
    // A folder that says no more than one below it is left out.
    let all = known.clone();
    let tells_more = |path: &[u8], weight: &SessionWeight| {
        !all.iter().any(|(other, below)| {
            ancestors(other).any(|above| above == path) && below.slow() >= weight.slow() * 0.999
        })
    };
    known.retain(|(path, weight)| !path.is_empty() && tells_more(path, weight));
    known.sort_by(|one, two| two.1.slow().total_cmp(&one.1.slow()).then(one.0.cmp(two.0)));
    let mut table = Table::new(&["folder", "touches", "last", "recent", "lasting"]).right(&[1, 3, 4]);
    for (path, weight) in known.into_iter().take(FOLDERS) {
        table.row(row(app, RepoPath::from_bytes(path).to_string(), weight));
    }
    text.push_str(&table.render());
    Ok(text)
}

/// Every folder of the caller's commit.
fn folders(opened: &Opened) -> Result<Vec<RepoPath>> {
    let Some(head) = opened.repo.read().head()?.oid() else { return Ok(Vec::new()) };
    let tree = opened.repo.read().commit(head)?.tree;
    let files = opened.repo.read().tracked(tree)?;
    let folders: BTreeSet<RepoPath> = files.iter().map(|file| file.name.parent()).collect();
    Ok(folders.into_iter().collect())
}

fn row(app: &App, name: String, weight: &SessionWeight) -> [String; 5] {
    let last = weight.last.as_ref();
    [
        name,
        thousands(weight.touches as usize),
        last.map(|last| format!("{} {}", last.oid.short(), last.time.ago(app.now))).unwrap_or_default(),
        format!("{:.2}", weight.fast()),
        format!("{:.2}", weight.slow()),
    ]
}

fn at_path(app: &App, history: &History<'_>, shown: &[Shown], path: &RepoPath) -> Result<String> {
    let profiles = history.profiles(std::slice::from_ref(path));
    let mut table = Table::new(&["session", "touches", "last", "recent", "lasting"]).right(&[1, 3, 4]);
    for (index, name) in profiles.sessions.iter().enumerate() {
        let wanted = shown.iter().any(|shown| shown.session == *name);
        let Some(weight) = profiles.of(index, path.as_bytes()).filter(|_| wanted) else { continue };
        table.row(row(app, name.to_string(), weight));
    }
    Ok(format!("{path}\n{}", table.render()))
}

fn own_text(shown: &Shown) -> String {
    let mut text = String::new();
    for own in &shown.own {
        text.push_str(&format!("  {} {} {}\n", own.commit.short(), own.time.date(), own.subject));
        for change in own.changes.iter().take(20) {
            text.push_str(&format!("    {} {}\n", change.status.letter(), change.path));
        }
    }
    text
}

/// The session's own commits, newest first.
fn own(
    opened: &Opened,
    survey: &routing::Survey,
    session: &Session,
    path: Option<&RepoPath>,
) -> Result<Vec<Own>> {
    let read = opened.repo.read();
    let source = survey.request.sessions.iter().find(|source| source.name == session.name);
    let commits = source.map(|source| source.commits.clone()).unwrap_or_default();
    let mut found = Vec::new();
    for oid in commits.into_iter().rev() {
        let commit = read.commit(oid)?;
        let parent = commit.parents.first().map(|parent| read.commit(*parent)).transpose()?;
        let mut changes = read.changes(parent.map(|parent| parent.tree), commit.tree)?;
        if let Some(path) = path {
            let under = |change: &Change| {
                change.path == *path || change.path.ancestors().any(|a| a == path.as_bytes())
            };
            changes.retain(under);
        }
        if !changes.is_empty() {
            found.push(Own { commit: oid, time: commit.time, subject: commit.subject().to_owned(), changes });
        }
    }
    Ok(found)
}

/// What a session knows best, as shares of its best.
fn knowledge(history: &History<'_>, name: &Name) -> Vec<Knows> {
    let known = history.knows(name);
    known.into_iter().map(|known| Knows { path: known.path, weight: known.weight }).collect()
}

/// Adds to views what their sessions know, as far as it is mined already or
/// mined in no time.
pub(super) fn add_knowledge(
    app: &App,
    opened: &Opened,
    sessions: &[Stored<Session>],
    views: &mut [View],
) -> Result<()> {
    if sessions.is_empty() {
        return Ok(());
    }
    let survey = routing::survey(&opened.repo, &opened.settings, app.now)?;
    let events = |event| app.ui.event(event);
    let history = routing::refresh(&survey, &events)?;
    app.ui.settle();
    for view in views {
        view.knows = knowledge(&history, &view.name);
        view.last_activity =
            history.last_activity(&view.name).map_or(view.last_activity, |last| last.max(view.last_activity));
    }
    Ok(())
}

/// Mines for a new session that adopts history, and says what it adopted.
pub(super) fn tell_adopted(app: &App, opened: &Opened, scene: Scene<'_>, session: &Session) -> Result<()> {
    let survey = routing::survey(&opened.repo, &opened.settings, app.now)?;
    let history = routing::refresh(&survey, scene.events)?;
    app.ui.settle();
    let commits = history.commits(&session.name);
    let knows: Vec<String> =
        history.knows(&session.name).iter().take(3).map(|known| known.path.to_string()).collect();
    let best = match knows.split_first() {
        None => String::new(),
        Some((best, [])) => format!("; knows {best} best"),
        Some((best, rest)) => format!("; knows {best} best, then {}", list(rest)),
    };
    app.ui.note(format!("adopted {}{best}", count(commits as usize, "commit")));
    if commits as usize >= opened.settings.horizon() {
        app.ui.note(format!(
            "only the newest {} commits are mined; see orch.horizon",
            thousands(opened.settings.horizon())
        ));
    }
    Ok(())
}
