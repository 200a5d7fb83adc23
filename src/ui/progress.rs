//! Live lines on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::model::time::elapsed;
use crate::model::wording::{count, thousands};
use crate::model::{Event, Shard, ShardState};

/// How far the shards of a fan-out are.
const SHARDS: &str = "  {pos} of {len} shards {wide_bar} {elapsed}, about {eta} left{msg}";

/// One live line at the bottom of the terminal.
#[derive(Debug)]
pub struct Progress {
    live: bool,
    bar: Option<ProgressBar>,
    /// How wide labels of shards are.
    width: usize,
}

impl Progress {
    pub(super) fn new(live: bool) -> Self {
        Self { live, bar: None, width: 0 }
    }

    /// Shows an event on the live line; what must stay is given back.
    pub(super) fn tell(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Mining { done, total } => {
                self.count(*done, *total, "{msg} {wide_bar} {percent}%, about {eta} left", "mining commits");
                None
            }
            Event::Asking { done, total } => {
                self.count(*done, *total, "{msg} {wide_bar} {percent}%, about {eta} left", "asking");
                None
            }
            Event::Running { command, worktree, elapsed: time, changed, doing } => {
                let files =
                    changed.map_or(String::new(), |n| format!(", {} changed so far", count(n, "file")));
                let doing = doing.as_ref().map_or(String::new(), |doing| format!(": {doing}"));
                let (at, time) = (worktree.display(), elapsed(*time));
                self.line(format!("running {command} in {at}  {time}{files}{doing}"));
                None
            }
            Event::RunningTasks(tasks) => {
                let told = tasks.iter().map(|(name, time, changed)| {
                    let files = changed.map_or(String::new(), |n| format!(", {}", count(n, "file")));
                    format!("{name} {}{files}", elapsed(*time))
                });
                self.line(format!("running {}", told.collect::<Vec<_>>().join("; ")));
                None
            }
            Event::Checking { name, check } => {
                self.line(format!("checking {name}: {check}"));
                None
            }
            Event::Shards { done, total, width } => {
                self.width = *width;
                self.count(*done, *total, SHARDS, "");
                None
            }
            Event::Away { waiting, running } => {
                self.line(format!(", {} waiting, {} running", thousands(*waiting), thousands(*running)));
                None
            }
            Event::Load { at_once, load } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!(", {at_once} at a time, load {load:.1}"));
                }
                None
            }
            Event::Shard { shard, label, done, total, last_line } => {
                self.count(*done, *total, SHARDS, "");
                Some(ended(shard, (label, self.width), last_line))
            }
            Event::Probed { shards, of, passed, run, most } => {
                let (verb, of) = (if *passed { "passes" } else { "fails" }, count(*of, "shard"));
                let with = match shards {
                    0 => "without any shard".to_owned(),
                    _ => format!("with {} of {of}", thousands(*shards)),
                };
                Some(format!("  check     {verb:<6} {with:<24} run {run} of {most} at most"))
            }
            Event::Note(_) | Event::Warning(_) | Event::Waiting(_) => None,
        }
    }

    /// Runs `print` with the live line out of the way.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the live line away.
    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn bar(&mut self, template: &str, length: u64) -> Option<&ProgressBar> {
        if !self.live {
            return None;
        }
        Some(self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template(template).expect("our templates are valid");
            let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
            bar.with_style(style)
        }))
    }

    fn count(&mut self, done: usize, total: usize, template: &str, message: &'static str) {
        if let Some(bar) = self.bar(template, total as u64) {
            bar.set_message(message);
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        }
        if done == total {
            self.clear();
        }
    }

    fn line(&mut self, text: String) {
        if let Some(bar) = self.bar("{msg}", 0) {
            bar.set_message(super::safe(&text));
        }
    }
}

/// The line that tells how a shard ended.
fn ended(shard: &Shard, (label, width): (&str, usize), last_line: &str) -> String {
    let width = width.clamp(24, 40);
    let what = match (shard.state, shard.exit_code) {
        (ShardState::Failed, Some(code)) => format!("exit {code}"),
        _ => format!("{} changed", thousands(shard.changed)),
    };
    let (state, files) = (shard.state.word(), count(shard.paths.len(), "file"));
    let line = format!("  {state:<9} {label:<width$} {files:>10}  {what:<12} {:>5.1}s", shard.seconds);
    let on = shard.host.as_ref().map(|host| format!("  on {host}")).unwrap_or_default();
    format!("{line}{on}  {last_line}").trim_end().to_owned()
}
