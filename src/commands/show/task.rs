//! One task in words: what it is, its runs, what sessions said of it, what it touched.

use std::fmt::Display;

use crate::app::App;
use crate::commands::opened::Opened;
use crate::commands::result;
use crate::error::Result;
use crate::model::wording::{excerpt, hanging, list, thousands};
use crate::model::{Handoff, Look, Oid, Outcome, Task, TaskState, Time, Usage};
use crate::run::brief::page::cut;
use crate::run::report::Seen;

/// How much of an agent's words is shown.
const WORDS: usize = 300;
/// The same, where it is more than one sentence.
const MANY: usize = 1_000;

/// Labelled lines.
struct Lines(Vec<String>);

impl Lines {
    fn add(&mut self, label: &str, value: impl Display) {
        self.0.push(format!("  {label:<10} {}", hanging(value, 13)));
    }
}

pub(super) fn text(app: &App, opened: &Opened, seen: &Seen) -> Result<String> {
    let task = &seen.task;
    let head =
        [format!("task {}: {}", task.name, task.state.word()), format!("  {}", hanging(&task.text, 2))];
    let mut lines = Lines(head.into());
    given(&mut lines, task);
    runs(&mut lines, task, app.now);
    answers(&mut lines, task, app.now);
    reports(&mut lines, seen, app.now);
    let commit = |oid: &Oid| Ok(format!("{} {}", oid.short(), opened.repo.read().commit(*oid)?.subject()));
    for oid in task.handoffs.iter().flat_map(|handoff| &handoff.commits).chain(&task.commits) {
        lines.add("commit", commit(oid)?);
    }
    if !task.needs.is_empty() {
        lines.add("needs", format!("the approval of {}", list(task.needs.iter().map(|needs| needs.word()))));
    }
    for look in &task.viewpoints {
        lines.add(look.viewpoint.word(), look_words(look, app.now));
        for oid in &look.commits {
            lines.add("  commit", commit(oid)?);
        }
        if let Some(aside) = look.aside {
            lines.add("  aside", format!("git diff {} {}", look.tip.short(), aside.short()));
        }
    }
    for change in &task.touched {
        lines.add("touched", format!("{} {}", change.status.letter(), change.path));
    }
    for handoff in &task.handoffs {
        lines.add("handed", handoff_words(handoff, app.now));
        if let Some(words) = &handoff.excerpt {
            lines.add("on the way", cut(words, MANY));
        }
    }
    for note in &task.notes {
        lines.add("note", format!("{}, {}: {}", note.by, note.time.ago(app.now), note.text));
    }
    lines.0.extend(result::altered_words(opened, &task.altered));
    lines.0.extend(result::elsewhere_words(opened, &task.elsewhere));
    lines.0.extend(result::bring_words(&task.name, (task.state, &task.base), &task.elsewhere));
    became(&mut lines, task);
    Ok(lines.0.join("\n"))
}

/// Who does it, why, and from where.
fn given(lines: &mut Lines, task: &Task) {
    let by = task.agent.as_ref().map(|agent| format!(", by {agent}")).unwrap_or_default();
    lines.add("session", format!("{}{by}", task.session));
    if let Some(route) = &task.route {
        lines.add("route", result::route_words(route));
    }
    if let Some(below) = &task.on_top_of {
        lines.add("on top of", below);
    }
    if let Some(before) = &task.after {
        lines.add("after", before);
    }
    if let Some(resolved) = &task.resolves {
        lines.add("resolves", resolved);
    }
    lines.add("base", format!("{} {}", task.base, task.base_oid.short()));
    for target in &task.targets {
        lines.add("target", format!("{} {:.2}", target.path, target.score));
    }
}

fn runs(lines: &mut Lines, task: &Task, now: Time) {
    for (index, run) in task.runs.iter().enumerate() {
        let outcome = run.outcome.map_or("goes on", |outcome| outcome.word());
        let code = run.exit_code.filter(|code| *code != 0).map(|code| format!(", exit {code}"));
        let code = code.unwrap_or_default();
        let took = run.usage.map(|usage| format!(", {}", usage_words(usage))).unwrap_or_default();
        lines.add("run", format!("{} {outcome}{code}, {}{took}", index + 1, run.started.ago(now)));
        if let (Some(agent), Some(id)) = (&run.agent, &run.conversation) {
            lines.add("talk", format!("{agent} {id}"));
        }
        if let Some(why) = &run.error {
            lines.add("error", excerpt(why, WORDS));
        }
        if let Some(asked) = run.asked.as_ref().filter(|_| run.outcome == Some(Outcome::Asked)) {
            lines.add("asked", excerpt(asked, WORDS));
        } else if let Some(said) = &run.said {
            lines.add("said", excerpt(said, WORDS));
        }
        if let Some(kept) = run.snapshot {
            lines.add("kept", format!("its edits: git diff {} {}", run.start_oid.short(), kept.short()));
        }
    }
}

/// What it asked, and what it was told.
fn answers(lines: &mut Lines, task: &Task, now: Time) {
    for answer in &task.answers {
        if let Some(asked) = &answer.asked {
            lines.add("asked", excerpt(asked, WORDS));
        }
        lines.add("answered", format!("{}, {}", excerpt(&answer.text, WORDS), answer.time.ago(now)));
    }
}

/// `2,100 tokens in, 140 out, $0.02, 12% of its context`.
fn usage_words(usage: Usage) -> String {
    let tokens = |number: u64| thousands(usize::try_from(number).unwrap_or(usize::MAX));
    let cost = usage.cost.map(|cost| format!(", ${cost:.2}")).unwrap_or_default();
    let context = usage.context.map(|used| format!(", {:.0}% of its context", used * 100.0));
    let (input, output) = (tokens(usage.input_tokens), tokens(usage.output_tokens));
    format!("{input} tokens in, {output} out{cost}{}", context.unwrap_or_default())
}

/// Where it says that it is; what it does not say is not guessed.
fn reports(lines: &mut Lines, seen: &Seen, now: Time) {
    let Seen { task, reported } = seen;
    match reported {
        Some(report) => lines.add("reports", super::report_words(report, now)),
        None if task.state == TaskState::Running && task.agent.is_some() => lines.add("reports", "unknown"),
        None => {}
    }
}

/// What was asked for, where it was published, where it landed, what comes next.
fn became(lines: &mut Lines, task: &Task) {
    if let Some(requested) = &task.requested {
        lines.add("asked for", requested);
    }
    if let Some(published) = &task.published {
        lines.add("request", result::request_words(published));
    }
    if let Some(landed) = &task.landed {
        let unchecked = if landed.checked { "" } else { ", unchecked" };
        let (from, to) = (landed.from.short(), landed.to.short());
        lines.add("landed", format!("{} {from} → {to}{unchecked}", task.base));
    }
    lines.0.extend(result::next(task).map(|next| format!("next: {next}")));
}

/// `from backend to docs by Ann <ann@example.com>, 2m ago:` and what is said of it.
fn handoff_words(handoff: &Handoff, now: Time) -> String {
    let Handoff { from, to, by, said, .. } = handoff;
    let said = said.as_ref().map(|said| format!(":\n{said}")).unwrap_or_default();
    format!("from {from} to {to} by {by}, {}{said}", handoff.time.ago(now))
}

/// `docs (claude) approves (3f2a91c, 2m ago): reads well`.
fn look_words(look: &Look, now: Time) -> String {
    let text = if look.text.is_empty() { String::new() } else { format!(": {}", look.text) };
    let (session, agent, tip) = (&look.session, &look.agent, look.tip.short());
    format!("{session} ({agent}) {} ({tip}, {}){text}", look.verdict.word(), look.time.ago(now))
}
