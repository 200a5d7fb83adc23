//! One result, whole: commits, files, verdicts, who could judge it.

use std::collections::BTreeMap;

use super::{is_quarantined, next, range, state, told};
use crate::app::App;
use crate::commands::opened::Opened;
use crate::commands::result;
use crate::error::{Result, exit};
use crate::fanout::shard::labels;
use crate::model::wording::{count, few, hanging, list};
use crate::model::{Name, Oid, SessionState, ShardState, Viewpoint};
use crate::review::risk::{self, Risk};
use crate::review::verdict::{self, Held};
use crate::review::{Item, gate};
use crate::session::seat;
use crate::store;

#[derive(serde::Serialize)]
struct Look<'a> {
    #[serde(flatten)]
    item: &'a Item,
    /// Whether what its run changed of what git executes stands.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quarantined: bool,
    stat: Vec<crate::model::Change>,
    verdicts: Vec<Held>,
    #[serde(flatten)]
    risk: Option<Risk>,
    /// The commit that was judged last, where the result changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    judged: Option<Oid>,
    /// Who looks at it right now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    looking: Vec<Looking>,
    /// Who could review which part of a fan-out's result.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reviewers: Vec<Reviewer>,
}

/// A session that looks at a result right now.
#[derive(serde::Serialize)]
struct Looking {
    viewpoint: Viewpoint,
    session: Name,
}

/// A session, and what it knows best of a fan-out's result.
#[derive(serde::Serialize)]
struct Reviewer {
    session: Name,
    /// The shards, by number.
    shards: Vec<usize>,
    files: usize,
    #[serde(skip)]
    labels: Vec<String>,
}

pub(super) fn run(app: &App, opened: &Opened, item: &Item) -> Result<u8> {
    let read = opened.repo.read();
    let stat = gate::touched(&opened.repo, item)?;
    let verdicts = verdict::load(&opened.repo, item)?;
    let risk = risk(app, opened, item)?;
    let judged = range::judged(opened, item)?;
    let mut lines = vec![format!("{}: {} ({})", item.branch, hanging(&item.text, 2), state(opened, item))];
    if let Some(below) = &item.on_top_of {
        lines.push(format!("on top of {below}"));
    }
    lines
        .extend(item.published.as_ref().map(|request| format!("request {}", result::request_words(request))));
    for oid in &item.commits {
        let commit = read.commit(*oid)?;
        lines.push(format!("  {} {}  {}", oid.short(), commit.subject(), commit.author));
    }
    let range = [item.base_oid.to_string(), item.tip.to_string()];
    let command = opened.repo.git([
        "diff",
        "--stat=100",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--ignore-submodules=none",
    ]);
    let text = String::from_utf8_lossy(&command.args(range).run()?).into_owned();
    lines.extend(text.lines().map(str::to_owned));
    lines.extend(result::altered_words(opened, &item.altered));
    lines.extend(result::elsewhere_words(opened, &item.elsewhere));
    if item.session.is_some() {
        lines.extend(result::bring_words(&item.name, (item.state, &item.base), &item.elsewhere));
    }
    let reviewers = reviewers(opened, item)?;
    lines.extend(reviewers.iter().map(|one| {
        let files = count(one.files, "changed file");
        format!("  could be reviewed by {}: {} ({files})", one.session, few(&one.labels))
    }));
    lines.extend(risk.iter().flat_map(|risk| risk_lines(item, risk)));
    lines.extend(verdicts.iter().map(|held| verdict_words(app, held)));
    let looking = looking(opened, item);
    lines.extend(
        looking.iter().map(|one| format!("{} {} looks at it now", one.viewpoint.word(), one.session)),
    );
    lines.extend(judged.map(|judged| {
        format!("changed since judged at {}: git orch review {} --range-diff", judged.short(), item.name)
    }));
    app.ui.answer(lines.join("\n"))?;
    let quarantined = is_quarantined(opened, item);
    app.ui.data(&Look { item, quarantined, stat, verdicts, risk, judged, looking, reviewers })?;
    if let Some(next) = next(opened, item) {
        app.ui.note(format!("next: {next}"));
    }
    Ok(exit::DONE)
}

/// The sessions that look at it right now.
fn looking(opened: &Opened, item: &Item) -> Vec<Looking> {
    let seats = seat::taken(&opened.repo).into_iter().map(|taken| taken.seat);
    let seats = seats.filter(|seat| seat.result == item.name);
    seats.map(|seat| Looking { viewpoint: seat.viewpoint, session: seat.session }).collect()
}

/// What stands in its way; of what is over nothing does.
fn risk(app: &App, opened: &Opened, item: &Item) -> Result<Option<Risk>> {
    if !item.state.is_pending() {
        return Ok(None);
    }
    let events = |event| app.ui.event(event);
    let found = risk::load(&opened.repo, std::slice::from_ref(item), &events, app.now)?;
    Ok(found.into_iter().next().flatten())
}

fn risk_lines(item: &Item, risk: &Risk) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let conflicting = risk.shared.iter().filter(|shared| !shared.conflicts.is_empty());
    let mut by_paths: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for shared in conflicting {
        by_paths.entry(&shared.conflicts).or_default().push(shared.with.name.as_str());
    }
    lines.extend(
        by_paths.iter().map(|(paths, names)| {
            format!("conflicts with {} in {}", list(names.iter().copied()), few(*paths))
        }),
    );
    lines.extend(told::behind(item, risk));
    lines.extend(told::elsewhere(risk));
    lines.extend(told::busy(risk));
    lines.extend(told::check(risk));
    if !risk.lacks.is_empty() {
        lines.push(format!("lacks the approval of {}", list(risk.lacks.iter().map(|one| one.word()))));
    }
    lines
}

/// The sessions that know the changed shards of a fan-out best, as far as they are there.
fn reviewers(opened: &Opened, item: &Item) -> Result<Vec<Reviewer>> {
    let Some(fanout) = store::fanouts::find(&opened.repo, &item.name)? else { return Ok(Vec::new()) };
    let shards = fanout.value.shards;
    let labels = labels(&shards.iter().map(|shard| shard.paths.clone()).collect::<Vec<_>>());
    let mut found: BTreeMap<Name, Reviewer> = BTreeMap::new();
    for (shard, label) in shards.iter().zip(labels).filter(|(shard, _)| shard.state == ShardState::Done) {
        let Some(session) = shard.owner.clone() else { continue };
        let new = Reviewer { session: session.clone(), shards: Vec::new(), files: 0, labels: Vec::new() };
        let reviewer = found.entry(session).or_insert(new);
        reviewer.shards.push(shard.n);
        reviewer.files += shard.changed;
        reviewer.labels.push(label);
    }
    let sessions = store::sessions::load(&opened.repo)?;
    let is_there = |name: &Name| {
        sessions.iter().any(|one| one.value.name == *name && one.value.state != SessionState::Archived)
    };
    found.retain(|name, _| is_there(name));
    Ok(found.into_values().collect())
}

fn verdict_words(app: &App, held: &Held) -> String {
    let verdict = &held.verdict;
    let carried =
        held.carried_from.map(|from| format!(", carried from {}", from.short())).unwrap_or_default();
    let text =
        if verdict.text.is_empty() { String::new() } else { format!(": {}", hanging(&verdict.text, 2)) };
    let (who, when) = (&verdict.by, verdict.time.ago(app.now));
    format!("{} {who} {} ({when}{carried}){text}", verdict.viewpoint.word(), verdict.decision.word())
}
