//! `git orch review`

use std::collections::BTreeMap;

use super::opened::Opened;
use super::result;
use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::fanout::shard::labels;
use crate::git::identity;
use crate::model::wording::{count, excerpt, few, hanging, review_then_merge};
use crate::model::{Decision, Name, SessionState, ShardState, TaskState, Viewpoint};
use crate::review::verdict::{self, Held, Judgement};
use crate::review::{Item, item};
use crate::run::altered;
use crate::store;
use crate::ui::Table;

/// See what waits for judgement, look at one result, judge it
#[derive(Debug, clap::Args)]
pub(super) struct ReviewArgs {
    /// The task or fan-out; everything that waits without one
    #[arg(value_name = "TASK")]
    task: Option<String>,
    /// Print the whole difference to its base
    #[arg(long, requires = "task")]
    diff: bool,
    /// It may land
    #[arg(long, requires = "task", conflicts_with_all = ["request_changes", "diff"])]
    approve: bool,
    /// It must change first; say how with -m
    #[arg(long, requires = "task", requires = "message", conflicts_with = "diff")]
    request_changes: bool,
    /// What there is to say of it
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// From which side it was looked at
    #[arg(long, value_name = "VIEWPOINT", default_value = "reviewer", hide_default_value = true)]
    #[arg(value_parser = ["reviewer", "tester", "documenter"])]
    viewpoint: String,
}

#[derive(serde::Serialize)]
struct Look<'a> {
    #[serde(flatten)]
    item: &'a Item,
    stat: Vec<crate::model::Change>,
    verdicts: Vec<Held>,
    /// Who could review which part of a fan-out's result.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reviewers: Vec<Reviewer>,
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

pub(super) fn run(app: &App, args: &ReviewArgs) -> Result<u8> {
    let judges = args.approve || args.request_changes;
    let opened = if judges { Opened::to_change(app)? } else { Opened::to_read(app)? };
    let Some(task) = &args.task else { return list(app, &opened) };
    let item = item::require(&opened.repo, task)?;
    if judges {
        return judge(app, &opened, &item, args);
    }
    if args.diff { diff(app, &opened, &item) } else { look(app, &opened, &item) }
}

fn list(app: &App, opened: &Opened) -> Result<u8> {
    let mut items = item::load(&opened.repo)?;
    // What a reader can act on comes first.
    items.sort_by_key(|item| item.state != TaskState::Review);
    app.ui.data(&items)?;
    if items.is_empty() {
        app.ui.note("nothing waits for review");
        return Ok(exit::DONE);
    }
    let mut table = Table::new(&["task", "state", "session", "commits", "since", "text"]).right(&[3]);
    for item in &items {
        table.row([
            item.name.to_string(),
            state(opened, item).to_owned(),
            item.session.as_ref().map(ToString::to_string).unwrap_or_default(),
            item.commits.len().to_string(),
            item.since.ago(app.now),
            words(item),
        ]);
    }
    app.ui.answer(table.render())?;
    if let Some(next) = items.iter().find_map(|item| next(opened, item)) {
        app.ui.note(format!("next: {next}"));
    }
    Ok(exit::DONE)
}

/// A result does not land while what its run changed of git's own stands.
fn state(opened: &Opened, item: &Item) -> &'static str {
    let standing = altered::standing(&opened.repo, &item.altered, &opened.trust);
    if standing.is_empty() { item.state.word() } else { "quarantined" }
}

fn words(item: &Item) -> String {
    let below = item.on_top_of.as_ref().map(|below| format!(", on top of {below}"));
    excerpt(&item.text, 60) + &below.unwrap_or_default()
}

/// The next command for a result. Nobody can be sent to make a fan-out's again.
fn next(opened: &Opened, item: &Item) -> Option<String> {
    let name = &item.name;
    if !altered::standing(&opened.repo, &item.altered, &opened.trust).is_empty() {
        return Some(format!("git orch show {name}"));
    }
    match (item.state, &item.session) {
        (TaskState::Review, _) => Some(review_then_merge(name)),
        (TaskState::Changes, Some(_)) => Some(format!("git orch retry {name}")),
        (TaskState::Changes, None) => Some(format!("git orch cancel {name}")),
        _ => None,
    }
}

fn look(app: &App, opened: &Opened, item: &Item) -> Result<u8> {
    let read = opened.repo.read();
    let (before, after) = (read.commit(item.base_oid)?.tree, read.commit(item.tip)?.tree);
    let stat = read.changes(Some(before), after)?;
    let verdicts = verdict::load(&opened.repo, item)?;
    let mut lines = vec![format!("{}: {} ({})", item.branch, hanging(&item.text, 2), state(opened, item))];
    if let Some(below) = &item.on_top_of {
        lines.push(format!("on top of {below}"));
    }
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
    let reviewers = reviewers(opened, item)?;
    lines.extend(reviewers.iter().map(|one| {
        let files = count(one.files, "changed file");
        format!("  could be reviewed by {}: {} ({files})", one.session, few(&one.labels))
    }));
    lines.extend(verdicts.iter().map(|held| verdict_words(app, held)));
    app.ui.answer(lines.join("\n"))?;
    app.ui.data(&Look { item, stat, verdicts, reviewers })?;
    if let Some(next) = next(opened, item) {
        app.ui.note(format!("next: {next}"));
    }
    Ok(exit::DONE)
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

fn diff(app: &App, opened: &Opened, item: &Item) -> Result<u8> {
    let range = [item.base_oid.to_string(), item.tip.to_string()];
    let command = opened
        .repo
        .git(["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=none"])
        .args(range);
    let text = command.run()?;
    app.ui.data(&String::from_utf8_lossy(&text))?;
    if !app.ui.is_json() {
        app.ui.raw(&text)?;
    }
    Ok(exit::DONE)
}

fn judge(app: &App, opened: &Opened, item: &Item, args: &ReviewArgs) -> Result<u8> {
    let viewpoint = args.viewpoint.parse().unwrap_or(Viewpoint::Reviewer);
    if args.approve {
        refuse_inside_session(app, opened)?;
    }
    let decision = if args.approve { Decision::Approve } else { Decision::Change };
    let text = args.message.clone().unwrap_or_default();
    let judgement = Judgement { viewpoint, decision, text, by: identity::require(&opened.repo)? };
    let events = |event| app.ui.event(event);
    verdict::give(&opened.repo, item, judgement, &events, app.now)?;
    let judged = item::require(&opened.repo, item.name.as_str())?;
    app.ui.data(&judged)?;
    let name = &item.name;
    if args.approve {
        app.ui.note(format!("approved {name} at {}\nnext: git orch merge {name}", item.tip.short()));
    } else {
        let next = next(opened, &judged).map(|next| format!("\nnext: {next}")).unwrap_or_default();
        app.ui.note(format!("asked for changes in {name}{next}"));
    }
    Ok(exit::DONE)
}

/// Who does the work must not wave it through.
pub(super) fn refuse_inside_session(app: &App, opened: &Opened) -> Result<()> {
    let top = opened.repo.place().work_tree.as_deref();
    let around = store::sessions::load(&opened.repo)?
        .into_iter()
        .find(|session| top == Some(session.value.worktree.as_path()))
        .map(|session| session.value.name.to_string());
    match around.or_else(|| app.variable("GIT_ORCH_SESSION").map(str::to_owned)) {
        None => Ok(()),
        Some(name) => Err(Error::refused(format!("this can't be said inside session `{name}`"))
            .hint("say it in the repository's own checkout")),
    }
}
