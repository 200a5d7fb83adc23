//! What of a conversation has to do with a task: the agent's own words about
//! what it is about, found in what its runs printed on this machine.

use std::collections::BTreeSet;

use super::brief::page::cut;
use super::redact::redact;
use super::{execute, told};
use crate::config::Settings;
use crate::git::Repo;
use crate::model::{Run, Task, tokens};
use crate::route::plan::likely;

/// The most bytes of it.
const ROOM: usize = 3_000;
/// So many paragraphs are looked at: the last ones.
const PARAGRAPHS: usize = 2_000;
/// The most bytes of a paragraph.
const PARAGRAPH: usize = 600;

/// The paragraphs of a task's conversation that share most words with its text
/// and the files it is about, in their order; what is `told` already is left
/// out. Nothing where no log is here, or its agent's output is not read.
pub fn of(repo: &Repo, settings: &Settings, task: &Task, told: &str) -> Option<String> {
    let about = about(task);
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    let said: Vec<String> = task
        .runs
        .iter()
        .enumerate()
        .flat_map(|(index, run)| said(repo, settings, task, (index, run)))
        .collect();
    let paragraphs: Vec<&str> = said.iter().flat_map(|words| words.split("\n\n")).collect();
    for paragraph in &paragraphs[paragraphs.len().saturating_sub(PARAGRAPHS)..] {
        let paragraph = cut(paragraph.trim(), PARAGRAPH);
        let shared = tokens::distinct(paragraph).iter().filter(|token| about.contains(*token)).count();
        if shared > 0 && !told.contains(paragraph) && seen.insert(paragraph) {
            found.push((shared, paragraph.to_owned()));
        }
    }
    let kept = best(&found);
    (!kept.is_empty()).then(|| kept.join("\n\n"))
}

/// The words of what a task is about.
fn about(task: &Task) -> BTreeSet<String> {
    let touched = task.touched.iter().map(|change| &change.path);
    let paths: Vec<String> = likely(&task.targets).iter().chain(touched).map(ToString::to_string).collect();
    tokens::distinct(&format!("{}\n{}", task.text, paths.join("\n"))).into_iter().collect()
}

/// What the agent said in a run that has not gone over before.
fn said(repo: &Repo, settings: &Settings, task: &Task, (index, run): (usize, &Run)) -> Vec<String> {
    let is_told = task.handoffs.last().is_some_and(|handoff| index < handoff.runs);
    let profile = run.agent.as_deref().filter(|_| !is_told).and_then(|agent| settings.profile(agent));
    let log = profile.map(|profile| (profile, execute::log(repo, task, index + 1)));
    match log {
        // The record travels: what looks like a secret stays here.
        Some((profile, Ok(log))) => {
            let words =
                told::words(&profile.reads, &log).iter().map(|words| redact(words)).collect::<Vec<_>>();
            // Some agents tell an error as if they said it.
            words.into_iter().filter(|words| run.error.as_ref() != Some(words)).collect()
        }
        _ => Vec::new(),
    }
}

/// Those that share most, the later ones first, as many as there is room for; in their order.
fn best(found: &[(usize, String)]) -> Vec<&str> {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|index| (std::cmp::Reverse(found[*index].0), std::cmp::Reverse(*index)));
    let (mut kept, mut room) = (BTreeSet::new(), ROOM);
    for index in order {
        let size = found[index].1.len() + 2;
        if size <= room {
            room -= size;
            kept.insert(index);
        }
    }
    kept.into_iter().map(|index| found[index].1.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paragraphs_that_share_most_are_kept_in_their_order() {
        let found = |shared, length| (shared, format!("{shared}").repeat(length));
        assert!(best(&[]).is_empty());
        let all = [found(1, 1_000), found(3, 1_500), found(2, 10), found(4, 1_400), found(1, 20)];
        let kept: Vec<usize> = best(&all).into_iter().map(str::len).collect();
        assert_eq!(kept, [1_500, 10, 1_400, 20]);
    }
}
