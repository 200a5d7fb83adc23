//! Everything that can be read in a repository, as text.

use std::fmt::Debug;

use git_orch::error::Result;
use git_orch::git::mine::{Miner, Span};
use git_orch::git::{Entry, EntryKind, Repo, notes, worktree};
use git_orch::model::{Oid, RepoPath, Time};

/// An answer a line; that something can't be read is an answer too. Of so many
/// of the newest commits, files and refs everything is asked.
pub(super) fn answers(repo: &Repo, whole: usize) -> String {
    let read = repo.read();
    let mut lines = Lines { whole, lines: Vec::new() };
    lines.add("head", read.head());
    lines.add("head, symbolic", read.symbolic("HEAD"));
    let mut refs = read.refs("refs/").unwrap();
    // What replaces others is no part of the history that it gives.
    refs.retain(|(name, _)| !name.starts_with("refs/replace/"));
    lines.add("refs", Ok(&refs));
    let odd = ["none", "broken", "alias", "nowhere"].map(|name| format!("refs/heads/{name}"));
    for name in refs.iter().map(|(name, _)| name).take(whole).chain(&odd) {
        lines.add(name, read.find_ref(name));
        lines.add(name, read.symbolic(name));
    }
    lines.add("worktrees", worktree::list(repo));
    if let Some(tip) = read.head().ok().and_then(|head| head.oid()) {
        add_history(&mut lines, repo, tip);
    }
    let tips: Vec<Oid> = refs.iter().map(|(_, oid)| *oid).filter(|oid| read.commit(*oid).is_ok()).collect();
    for (index, one) in tips.iter().enumerate().take(whole) {
        for two in tips.iter().take(index).filter(|two| *two != one) {
            lines.add("merge base", read.merge_base(*one, *two));
            lines.add("ahead, behind", read.ahead_behind(*one, *two));
        }
    }
    for (name, _) in refs.iter().filter(|(name, _)| name.starts_with("refs/notes/")) {
        lines.add("notes", notes::list(repo, name));
        lines.add("note texts", notes::find_all(repo, name, &tips));
        tips.iter().take(whole).for_each(|tip| lines.add("note", notes::find(repo, name, *tip)));
    }
    if repo.place().work_tree.is_some() {
        lines.add("dirty", worktree::dirty(repo, repo.place()));
    }
    add_written(&mut lines, repo);
    lines.lines.join("\n")
}

/// The same, each id replaced by when it first came up: equal for repositories
/// that differ in nothing else.
pub(super) fn anonymous(answers: &str) -> String {
    let mut seen: Vec<&str> = Vec::new();
    let mut text = String::new();
    let mut rest = answers;
    while !rest.is_empty() {
        let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        let end = rest.find(|c| !is_hex(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if [40, 64].contains(&word.len()) {
            let number = seen.iter().position(|known| *known == word).unwrap_or(seen.len());
            if number == seen.len() {
                seen.push(word);
            }
            text += &format!("#{number}");
        } else {
            text += word;
        }
        let next = after.find(is_hex).unwrap_or(after.len());
        text += &after[..next];
        rest = &after[next..];
    }
    text
}

struct Lines {
    whole: usize,
    lines: Vec<String>,
}

impl Lines {
    /// Why something can't be read is told differently by git2 and by git.
    fn add<T: Debug>(&mut self, what: &str, answer: Result<T>) {
        self.lines.push(match answer {
            Ok(answer) => format!("{what:?} {answer:?}"),
            Err(_) => format!("{what:?} can't be read"),
        });
    }
}

/// What can be read from a commit and its ancestors.
fn add_history(lines: &mut Lines, repo: &Repo, tip: Oid) {
    let read = repo.read();
    lines.add("commits", read.commits_between(&[], tip));
    let commits = read.commits_between(&[], tip).unwrap_or_default();
    for oid in commits.iter().rev().take(lines.whole) {
        add_commit(lines, repo, *oid);
        lines.add("to the tip", read.ahead_behind(tip, *oid));
        lines.add("its base", read.merge_base(tip, *oid));
        lines.add("beyond it", read.commits_between(&[*oid], tip));
    }
    let tree = read.commit(tip).map(|commit| commit.tree);
    let tracked = tree.and_then(|tree| read.tracked(tree)).unwrap_or_default();
    let nothing = "1".repeat(tip.to_string().len()).parse().unwrap();
    let blobs: Vec<Oid> = tracked
        .iter()
        .filter(|entry| entry.kind != EntryKind::Submodule)
        .map(|entry| entry.oid)
        .take(lines.whole)
        .chain([nothing])
        .collect();
    // What a partial clone lacks has no size, and is not fetched for it.
    lines.add("sizes", read.sizes(&blobs));
    let paths = ["src/api/login.rs", "src", "odd \"name\"\n", "none", "src/api/login.rs/none", "README"];
    lines.add("files", read.files(&paths.map(|path| (tip, path))));
    lines.add("file of nothing", read.files(&[(nothing, "src")]));
    for blob in &blobs {
        lines.add("blob", read.blob(*blob));
        lines.add("is there", read.has(*blob));
    }
    add_mined(lines, repo, tip, &commits);
}

fn add_commit(lines: &mut Lines, repo: &Repo, oid: Oid) {
    let read = repo.read();
    lines.add("commit", read.commit(oid));
    let Ok(commit) = read.commit(oid) else { return };
    let parents = commit.parents.iter().map(|parent| read.commit(*parent).ok().map(|parent| parent.tree));
    for before in parents.chain([None]) {
        lines.add("changes", read.changes(before, commit.tree));
    }
    lines.add("tree", read.tree(commit.tree));
    lines.add("tracked", read.tracked(commit.tree));
}

fn add_mined(lines: &mut Lines, repo: &Repo, tip: Oid, commits: &[Oid]) {
    let miner = Miner::of(repo);
    let first = &commits[..commits.len().min(1)];
    for (hide, horizon) in [(&[][..], usize::MAX), (first, 3), (first, usize::MAX)] {
        let mut mined = Vec::new();
        let unreached = miner.mine(&Span { tips: &[tip], hide, horizon }, &mut mined, &|_| {});
        lines.add("mined", unreached.map(|unreached| (mined, unreached)));
    }
    lines.add("mined files", miner.files(tip));
    lines.add("mined by name", miner.mine_commits(&commits[..commits.len().min(lines.whole)]));
}

/// Objects have the same ids, whoever writes them.
fn add_written(lines: &mut Lines, repo: &Repo) {
    let written = repo.write().write_blob(b"same in both").and_then(|oid| {
        let entry = Entry { name: RepoPath::from("f"), kind: EntryKind::File, oid };
        let tree = repo.write().write_tree(&[entry])?;
        Ok((oid, tree, repo.write().write_record(tree, &[], "record", Time(1_700_000_000))?))
    });
    lines.add("written", written);
}
