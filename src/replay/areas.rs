//! Sessions that are areas of the repository: what belongs where is known, who
//! did it is partly wrong.
//!
//! Eight folders, cut so that the touches of the commits before the questions
//! are spread as evenly as can be (see [`cut`]); a commit belongs to the area
//! that holds most of its files. Of the history, 18 in 100 commits are given to
//! another area, by their id, so that everybody gets the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cast::{Asked, Cast, MOST_CHANGES, SESSIONS, names, split};
use super::story::Story;
use crate::history::MAX_CHANGES;
use crate::history::folders::Folders;
use crate::model::{Oid, Owners, PathSet};

/// Of so many commits in a hundred the area is wrong.
const WRONG: u64 = 18;

/// The areas of the commits just before those asked about.
pub fn areas(story: &Story<'_>, last: usize) -> Cast {
    let telling = story.telling();
    let (before, asked) = split(&telling, last);
    let folders = Folders::new(story.log.paths());
    let chosen = cut(story, &folders, before);
    let area = |path: u32| {
        let mut above = folders.above(path);
        above.find_map(|folder| chosen.iter().position(|one| *one == folder)).unwrap_or(0)
    };
    let true_area = |commit: usize| {
        let mut counts = vec![0; chosen.len()];
        story.changed[story.range(commit)].iter().for_each(|path| counts[area(*path)] += 1);
        // Of equal ones the first.
        (0..counts.len()).rev().max_by_key(|area| counts[*area]).unwrap_or(0)
    };
    let mut owners = Owners::default();
    let mut next = telling.iter().peekable();
    for commit in 0..story.len() {
        let is_telling = next.next_if(|telling| **telling == commit).is_some();
        let given = is_telling.then(|| given(story.oids[commit], true_area(commit), chosen.len()));
        owners.push(given.map(|area| (area as u16, 1.0)));
    }
    let all: Arc<[u16]> = (0..chosen.len() as u16).collect();
    let questions = asked.iter().filter(|commit| story.range(**commit).len() <= MOST_CHANGES);
    let questions =
        questions.map(|commit| Asked { commit: *commit, among: all.clone(), answer: true_area(*commit) });
    let questions = questions.collect();
    let texts: Vec<String> =
        chosen.iter().map(|folder| String::from_utf8_lossy(folders.name(*folder)).into_owned()).collect();
    let called = texts.iter().map(|text| if text.is_empty() { "top" } else { text });
    // A folder whose name makes a bad pattern is declared by nobody.
    let pattern = |text: &String| if text.is_empty() { ".".to_owned() } else { text.clone() };
    let declared = texts.iter().map(|text| PathSet::parse(&[pattern(text)]).unwrap_or_default());
    Cast { names: names(called), owners, declared: declared.collect(), questions, timed: true, years: true }
}

/// The area a commit is given to: its own, or, by its id, another.
fn given(oid: Oid, area: usize, areas: usize) -> usize {
    let id = oid.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let chance = scattered(id);
    if areas < 2 || chance % 100 >= WRONG {
        return area;
    }
    let other = (scattered(chance) % (areas as u64 - 1)) as usize;
    if other >= area { other + 1 } else { other }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
fn scattered(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Cuts the repository into areas: from the whole, takes out again and again
/// the folder that makes the entropy of the touches (1/files each) over the
/// areas greatest; of equal ones the first by name. What lies in an area below
/// a folder is not that folder's.
fn cut(story: &Story<'_>, folders: &Folders<'_>, commits: &[usize]) -> Vec<u32> {
    let mut below: BTreeMap<&[u8], (u32, f64)> = BTreeMap::new();
    let mut total = 0.0;
    for commit in commits {
        let paths = &story.changed[story.range(*commit)];
        if paths.len() > MAX_CHANGES {
            continue;
        }
        total += 1.0;
        for folder in paths.iter().flat_map(|path| folders.above(*path)) {
            below.entry(folders.name(folder)).or_insert((folder, 0.0)).1 += 1.0 / paths.len() as f64;
        }
    }
    let mut areas: Vec<Area<'_>> = vec![Area { name: b"", folder: Folders::TOP, mass: total }];
    while areas.len() < SESSIONS {
        let mut best: Option<(f64, Cut<'_>)> = None;
        for (name, (folder, mass)) in &below {
            if areas.iter().any(|area| area.folder == *folder) {
                continue;
            }
            let cut = Cut::of(&areas, name, *folder, *mass);
            let gain = cut.gain(&areas, total);
            if best.as_ref().is_none_or(|(most, _)| gain > most + 1e-12) {
                best = Some((gain, cut));
            }
        }
        let Some((_, cut)) = best else { break };
        areas[cut.from].mass -= cut.area.mass;
        areas.push(cut.area);
    }
    areas.into_iter().map(|area| area.folder).collect()
}

#[derive(Clone, Copy)]
struct Area<'a> {
    name: &'a [u8],
    folder: u32,
    mass: f64,
}

/// A folder taken out of an area.
struct Cut<'a> {
    area: Area<'a>,
    from: usize,
}

impl<'a> Cut<'a> {
    fn of(areas: &[Area<'_>], name: &'a [u8], folder: u32, mass: f64) -> Self {
        let holders = areas.iter().enumerate().filter(|(_, area)| is_inside(name, area.name));
        let (from, _) = holders.max_by_key(|(_, area)| area.name.len()).expect("all lies in the top");
        let own: f64 = areas.iter().filter(|area| is_inside(area.name, name)).map(|area| area.mass).sum();
        Self { area: Area { name, folder, mass: mass - own }, from }
    }

    /// By how much the entropy grows.
    fn gain(&self, areas: &[Area<'_>], total: f64) -> f64 {
        let entropy = |mass: f64| {
            let share = mass / total;
            if mass > 1e-9 { -share * share.ln() } else { 0.0 }
        };
        let whole = areas[self.from].mass;
        entropy(self.area.mass) + entropy(whole - self.area.mass) - entropy(whole)
    }
}

/// Whether one folder lies below another.
fn is_inside(one: &[u8], other: &[u8]) -> bool {
    if other.is_empty() {
        return !one.is_empty();
    }
    one.strip_prefix(other).is_some_and(|rest| rest.first() == Some(&b'/'))
}
