//! What was tried and what came of it, a JSON line each, so that a sweep can
//! be interrupted and its figures asked for.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::place::Place;

/// How many places are kept in which the very same is broken.
const EACH: usize = 3;

/// One try.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Which scenario, and how it was struck.
    pub(crate) scenario: String,
    pub(crate) mode: String,
    /// The number of the call, or the name of the point.
    pub(crate) at: String,
    /// The one of the recovery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) then: Option<String>,
    /// The call, where the command came so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) call: Option<String>,
    pub(crate) exit: i32,
    /// How long recovery took, in milliseconds.
    pub(crate) recovery: u64,
    /// Which promises are broken, and how.
    pub(crate) broken: Vec<String>,
}

/// What identifies a try.
pub(crate) type Key = (String, String, String, Option<String>);

impl Entry {
    pub(crate) fn key(&self) -> Key {
        (self.scenario.clone(), self.mode.clone(), self.at.clone(), self.then.clone())
    }
}

/// The file that remembers.
pub(crate) struct Ledger {
    state: PathBuf,
    file: Mutex<File>,
    entries: Mutex<Vec<Entry>>,
}

impl Ledger {
    /// Opens a state folder's ledger; what another build of git-orch did is put aside.
    pub(crate) fn open(state: &Path, name: &str) -> Self {
        fs::create_dir_all(state).unwrap();
        let path = state.join(format!("{name}.jsonl"));
        let of = state.join(format!("{name}.build"));
        let build = build();
        if path.exists() && fs::read_to_string(&of).unwrap_or_default() != build {
            fs::rename(&path, free(state, name)).unwrap();
        }
        fs::write(of, build).unwrap();
        let entries: Vec<Entry> = fs::read_to_string(&path)
            .unwrap_or_default()
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let file = File::options().append(true).create(true).open(path).unwrap();
        Self { state: state.to_owned(), file: Mutex::new(file), entries: Mutex::new(entries) }
    }

    /// Adds a try.
    pub(crate) fn add(&self, entry: Entry) {
        let line = format!("{}\n", serde_json::to_string(&entry).unwrap());
        self.file.lock().unwrap().write_all(line.as_bytes()).unwrap();
        self.entries.lock().unwrap().push(entry);
    }

    /// Adds a try; where something new is broken, keeps the place and says
    /// how to see it again.
    pub(crate) fn record(&self, entry: Entry, place: &Place, again: &str) {
        if !entry.broken.is_empty() && self.like(&entry.broken) < EACH {
            let Entry { scenario, mode, at, then, .. } = &entry;
            let then = then.as_ref().map(|then| format!("-{then}")).unwrap_or_default();
            let name = format!("{scenario}-{mode}-{at}{then}").replace([' ', ':', '='], "-");
            let kept = self.state.join("kept").join(name);
            place.keep(&kept);
            let features = if cfg!(feature = "faults") { " --features faults" } else { "" };
            println!(
                "BROKEN behind {}\n  {}\n  again: cargo test --locked{features} --test stress -- {again}\n  \
                 kept: {}",
                entry.call.as_deref().unwrap_or("nothing"),
                entry.broken.join("\n  "),
                kept.display()
            );
        }
        self.add(entry);
    }

    /// What has been tried.
    pub(crate) fn keys(&self) -> HashSet<Key> {
        self.entries.lock().unwrap().iter().map(Entry::key).collect()
    }

    /// How many tries broke something.
    pub(crate) fn broken(&self) -> usize {
        self.entries.lock().unwrap().iter().filter(|entry| !entry.broken.is_empty()).count()
    }

    /// How many tries broke the very same things.
    fn like(&self, broken: &[String]) -> usize {
        let kinds = |broken: &[String]| broken.iter().map(|line| alike(line)).collect::<HashSet<_>>();
        let wanted = kinds(broken);
        self.entries.lock().unwrap().iter().filter(|entry| kinds(&entry.broken) == wanted).count()
    }

    /// Figures by scenario and mode, then what is broken, alike ones together.
    pub(crate) fn report(&self) -> String {
        let entries = self.entries.lock().unwrap();
        let mut rows: BTreeMap<(&str, &str), (usize, usize, u64)> = BTreeMap::new();
        let mut breaches: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
        for entry in entries.iter() {
            let row = rows.entry((&entry.scenario, &entry.mode)).or_default();
            row.0 += 1;
            row.1 += usize::from(!entry.broken.is_empty());
            row.2 = row.2.max(entry.recovery);
            let kinds: HashSet<String> = entry.broken.iter().map(|line| alike(line)).collect();
            for kind in kinds {
                breaches.entry(kind).or_default().push(entry);
            }
        }
        let mut text =
            format!("{:<24} {:<14} {:>7} {:>7}  slowest\n", "scenario", "mode", "points", "broken");
        for ((scenario, mode), (points, broken, slowest)) in &rows {
            writeln!(text, "{scenario:<24} {mode:<14} {points:>7} {broken:>7} {slowest:>6} ms").unwrap();
        }
        let points = entries.len();
        let broken = entries.iter().filter(|entry| !entry.broken.is_empty()).count();
        writeln!(text, "{points} points, {broken} with something broken").unwrap();
        let mut sorted: Vec<_> = breaches.into_iter().collect();
        sorted.sort_by_key(|(_, entries)| std::cmp::Reverse(entries.len()));
        for (kind, found) in sorted {
            let mut wheres: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
            for entry in &found {
                wheres.entry((&entry.scenario, &entry.mode)).or_default().push(&entry.at);
            }
            writeln!(text, "\n{} x {kind}", found.len()).unwrap();
            for ((scenario, mode), mut at) in wheres {
                at.sort_unstable_by_key(|at| (at.len(), *at));
                at.truncate(12);
                writeln!(text, "    {scenario} {mode} at {}", at.join(", ")).unwrap();
            }
            writeln!(text, "    for example behind {}", found[0].call.as_deref().unwrap_or("nothing"))
                .unwrap();
        }
        text
    }
}

/// The size and age of the program, which tell builds apart.
fn build() -> String {
    let metadata = fs::metadata(env!("CARGO_BIN_EXE_git-orch")).unwrap();
    format!("{} {:?}", metadata.len(), metadata.modified().unwrap())
}

fn free(state: &Path, name: &str) -> PathBuf {
    let mut paths = (1..).map(|number| state.join(format!("{name}-{number}.jsonl")));
    paths.find(|path| !path.exists()).unwrap()
}

/// A line without what differs from try to try.
fn alike(line: &str) -> String {
    let mut text = String::new();
    for word in line.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let chance = bare.bytes().any(|byte| byte.is_ascii_digit())
            && !matches!(bare, "P1" | "P2" | "P3" | "P5" | "P6" | "P7" | "P8" | "git2");
        let hex = bare.len() > 6 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        match chance || hex {
            true => text += &word.replace(bare, "N"),
            false => text += word,
        }
    }
    text
}
