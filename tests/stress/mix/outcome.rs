//! What must be true when all have ended.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;

use serde_json::Value;

use super::Lock;
use super::actor::{Actor, Fate, Item, Kind};
use super::arena::{Arena, BaseIs};
use crate::processes;
use crate::promises::{CHILDREN, ELSEWHERE, LEFTOVERS};

/// Everything that is broken.
pub(super) fn judge(arena: &Arena<'_>, actors: &[Actor<'_>]) -> Vec<String> {
    for (process, line) in processes::wait_for_none(&arena.place.mark(), CHILDREN) {
        arena.breach(format!("P7 still alive: {line}"));
        processes::kill(process);
    }
    for (process, line) in processes::wait_for_none_elsewhere(&arena.place.mark(), ELSEWHERE) {
        arena.breach(format!("P7 still at work elsewhere: {line}"));
        processes::kill(process);
    }
    let items: Vec<&Item> = actors.iter().flat_map(|actor| &actor.items).collect();
    acknowledged(arena, &items);
    contested(arena, actors);
    landings(arena);
    if arena.lock == Lock::On {
        strays(arena, &items);
        untouched(arena);
    }
    arena.broken()
}

/// Every acknowledged write is there, unless it was taken back.
fn acknowledged(arena: &Arena<'_>, items: &[&Item]) {
    let everything = arena.place.script("git rev-list --objects --all --no-object-names");
    if !everything.is_success() {
        arena.lost(format!("P1 git can't list what refs hold, {}", everything.told()));
    }
    let reachable: HashSet<&str> = everything.stdout.lines().collect();
    for item in items.iter().filter(|item| item.kind == Kind::Task) {
        let blob = git2::Oid::hash_object(git2::ObjectType::Blob, format!("{}\n", item.mark).as_bytes());
        if !reachable.contains(blob.unwrap().to_string().as_str()) {
            arena.lost(format!("P1 the work of `{}` is gone, which is {:?}", item.name, item.fate));
        }
    }
    // A fan-out's base is the branch that it was started on.
    let bases = if arena.base_is() == BaseIs::Here { "main" } else { "main desk" };
    let held =
        arena.place.script(&format!("git grep -h -o 'mark-[a-z0-9-]*' {bases} -- work docs ||:")).stdout;
    let landed: HashSet<&str> = held.lines().collect();
    for item in items {
        let is_on_base = landed.contains(item.mark.as_str());
        let (found, expected) = (state(arena, item), expected(item));
        if found == "merged" && is_on_base && item.fate == Fate::There && came_along(arena, item, items) {
            continue;
        }
        if !expected.contains(&found.as_str()) {
            arena.lost(format!(
                "P6 {:?} `{}` is {found}, not {}",
                item.kind,
                item.name,
                expected.join(" or ")
            ));
        }
        if item.fate != Fate::Undone {
            for word in lost_words(arena, item) {
                arena.lost(format!("P6 `{}` lost what it was told: {word}", item.name));
            }
        }
        if item.kind != Kind::Session && is_on_base != (item.fate == Fate::Landed) {
            let word = if is_on_base { "is" } else { "is not" };
            arena.lost(format!("P6 `{}` {word} on its base, and is {:?}", item.name, item.fate));
        }
    }
}

/// Notes and answers of an item that its record does not have.
fn lost_words(arena: &Arena<'_>, item: &Item) -> Vec<String> {
    let shown = arena.place.run(arena.place.orch(&["show", &item.name, "--json"])).stdout;
    let has = |word: &&String| shown.contains(&format!("\"text\":\"{word}\""));
    item.notes.iter().chain(&item.answers).filter(|word| !has(word)).cloned().collect()
}

/// Whether what was made on top of an item landed and took it along: its own
/// landing was undone behind that.
fn came_along(arena: &Arena<'_>, item: &Item, items: &[&Item]) -> bool {
    items.iter().filter(|other| other.fate == Fate::Landed).any(|other| {
        let shown = arena.place.run(arena.place.orch(&["show", &other.name, "--json"])).stdout;
        let value: Value = serde_json::from_str(&shown).unwrap_or_default();
        let base = value["data"]["base_oid"].as_str().unwrap_or("HEAD^{commit}").to_owned();
        arena.place.script(&format!("git grep -q -e {} {base} -- work docs", item.mark)).is_success()
    })
}

fn expected(item: &Item) -> &'static [&'static str] {
    match (item.kind, item.fate) {
        (_, Fate::Undone) => &["unknown"],
        (Kind::Session, Fate::Gone) => &["archived"],
        (Kind::Session, Fate::Paused) => &["paused"],
        (Kind::Session, _) => &["idle"],
        (_, Fate::There | Fate::Paused) => &["review"],
        (_, Fate::Asks) => &["input"],
        (_, Fate::Handed) => &["failed"],
        (_, Fate::Landed) => &["merged"],
        (_, Fate::Gone) => &["cancelled"],
    }
}

fn state(arena: &Arena<'_>, item: &Item) -> String {
    let shown = arena.place.run(arena.place.orch(&["show", &item.name, "--json"]));
    match (shown.code, serde_json::from_str::<Value>(&shown.stdout)) {
        (0, Ok(value)) => value["data"]["state"].as_str().unwrap_or("stateless").to_owned(),
        (2, _) => "unknown".to_owned(),
        _ => shown.told(),
    }
}

/// One gets a name that several wanted, and it is made as this one wished.
fn contested(arena: &Arena<'_>, actors: &[Actor<'_>]) {
    let mut wishes: BTreeMap<&str, Vec<(&str, bool)>> = BTreeMap::new();
    for contest in actors.iter().flat_map(|actor| &actor.contests) {
        wishes.entry(&contest.name).or_default().push((&contest.paths, contest.won));
    }
    for (name, wishes) in wishes {
        let winners: Vec<&str> = wishes.iter().filter(|wish| wish.1).map(|wish| wish.0).collect();
        let shown = arena.place.run(arena.place.orch(&["show", name, "--json"])).stdout;
        match winners[..] {
            [winner] if shown.contains(&format!("\"paths\":[\"{winner}\"]")) => {}
            [winner] => arena.lost(format!("P6 {winner} won `{name}`, which is {shown}")),
            [] => arena.breach(format!("P6 none of {} got `{name}`", wishes.len())),
            _ => arena.lost(format!("P6 {} got `{name}`: {winners:?}", winners.len())),
        }
    }
}

/// Main went from what was checked to what was checked, one upon the other.
fn landings(arena: &Arena<'_>) {
    let checked = fs::read_to_string(arena.place.top().join("checked")).unwrap_or_default();
    let checked: HashSet<&str> = checked.lines().collect();
    let log = fs::read_to_string(arena.place.shop().join(".git/logs/refs/heads/main")).unwrap();
    let moves: Vec<(&str, &str)> = log.lines().map(|line| (&line[..40], &line[41..81])).collect();
    let mut been = HashSet::from([moves[0].1]);
    for (before, now) in moves.iter().zip(&moves[1..]) {
        if before.1 != now.0 {
            arena.lost(format!("P4 main was {} and then went on from {}", before.1, now.0));
        }
        let back = been.contains(now.1);
        let told = arena.place.script(&format!(
            "git rev-parse {0}^{{tree}}; git rev-list --first-parent {0} | grep -c {1} ||:",
            now.1, now.0
        ));
        let told: Vec<&str> = told.stdout.lines().collect();
        if !back && !checked.contains(told[0]) {
            arena.lost(format!("P4 main became {}, whose tree was not checked", now.1));
        }
        if !back && told[1] != "1" {
            arena.lost(format!("P4 main became {}, which does not follow {}", now.1, now.0));
        }
        been.insert(now.1);
    }
}

/// Branches, worktrees and records are those of what there is.
fn strays(arena: &Arena<'_>, items: &[&Item]) {
    let json = |args: &[&str]| -> Vec<Value> {
        let told = arena.place.run(arena.place.orch(args));
        let value: Option<Value> = serde_json::from_str(&told.stdout).ok();
        value.and_then(|value| value["data"].as_array().cloned()).unwrap_or_else(|| {
            arena.breach(format!("P6 `{}`, {}", args.join(" "), told.told()));
            Vec::new()
        })
    };
    let texts = |values: &[Value], key: &str| -> BTreeSet<String> {
        values.iter().filter_map(|value| value[key].as_str().map(str::to_owned)).collect()
    };
    let lines = |script: &str| -> BTreeSet<String> {
        arena.place.script(script).stdout.lines().map(str::to_owned).collect()
    };
    let compare = |what: &str, there: &BTreeSet<String>, right: &BTreeSet<String>| {
        for one in there.symmetric_difference(right) {
            let word = if there.contains(one) { "stray" } else { "missing" };
            arena.breach(format!("P6 {word} {what}: {one}"));
        }
    };
    let sessions = json(&["sessions", "--json"]);
    for session in sessions.iter().filter(|session| session["state"] == "paused") {
        if !items.iter().any(|item| item.fate == Fate::Paused && session["name"] == *item.name) {
            arena.breach(format!("P6 nobody has paused {}, which is", session["name"]));
        }
    }
    let branches = lines("git for-each-ref --format='%(refname:short)' refs/heads/orch");
    compare("branch", &branches, &texts(&sessions, "branch"));
    let worktrees = lines("git worktree list --porcelain | sed -n '2,$s/^worktree //p'");
    compare("worktree", &worktrees, &texts(&sessions, "worktree"));
    let tasks = json(&["tasks", "--all", "--json"]);
    let asks = |task: &&Value| items.iter().any(|item| item.fate == Fate::Asks && task["name"] == *item.name);
    for task in tasks.iter().filter(|task| !asks(task)) {
        if matches!(task["state"].as_str(), Some("queued" | "running" | "input")) {
            arena.breach(format!("P6 nobody works on {}, which is {}", task["name"], task["state"]));
        }
    }
    let waiting = json(&["review", "--json"]);
    let reviews = lines("git for-each-ref --format='%(refname:lstrip=3)' refs/heads/review");
    compare("result", &reviews, &texts(&waiting, "name"));
    for line in arena.place.script(LEFTOVERS).stdout.lines() {
        arena.breach(format!("P6 left behind: {line}"));
    }
    let doctor = arena.place.run(arena.place.orch(&["doctor"]));
    if !doctor.is_success() {
        arena.breach(format!("P6 `doctor` in the end, {}", doctor.told()));
    }
}

/// The user's uncommitted work is as it was, and the checkout is what it says.
fn untouched(arena: &Arena<'_>) {
    let branch = if arena.base_is() == BaseIs::Here { "main" } else { "desk" };
    let head = arena.ask("git symbolic-ref --short HEAD");
    let status = arena.ask("git status --porcelain");
    if head.trim() != branch || status != arena.status {
        arena.lost(format!("P3 the checkout is on {}: {}", head.trim(), status.replace('\n', " | ")));
    }
    let dirty =
        arena.ask("for s in ../shop.orch/*/; do git -C $s status --porcelain | sed \"s:^:$s :\"; done");
    for line in dirty.lines() {
        arena.breach(format!("P6 uncommitted: {line}"));
    }
}
