//! Everything that can be read in a repository, as text.

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use git_orch::error::Result;
use git_orch::git::mine::{Miner, Sink, Span};
use git_orch::git::{Entry, EntryKind, Repo, notes, worktree};
use git_orch::model::{Mined, Oid, RepoPath, Time};

/// How much is asked: every call is, but each costs a process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    /// About one commit and what is near it.
    Tip,
    /// About everything.
    Whole,
}

impl Extent {
    /// Of how many commits, files and refs everything is asked.
    fn count(self) -> usize {
        if self == Self::Tip { 1 } else { 20 }
    }
}

/// An answer a line; that something can't be read is an answer too.
pub(super) fn answers(repo: &Repo, extent: Extent) -> String {
    let read = repo.read();
    let mut lines = Lines { extent, lines: Vec::new() };
    let head = read.head();
    let tip = head.as_ref().ok().and_then(|head| head.oid());
    lines.add("head", head);
    let mut refs = read.refs("refs/").unwrap();
    // What replaces others is no part of the history that it gives.
    refs.retain(|(name, _)| !name.starts_with("refs/replace/"));
    lines.add("refs", Ok(&refs));
    let odd = ["alias", "broken", "none"].map(|name| format!("refs/heads/{name}"));
    odd.iter().for_each(|name| lines.add(name, read.find_ref(name)));
    lines.add("symbolic", read.symbolic(&odd[0]));
    if extent == Extent::Whole {
        refs.retain(|(_, oid)| read.commit(*oid).is_ok());
        add_refs(&mut lines, repo, &refs);
        add_written(&mut lines, repo);
    }
    for (name, _) in refs.iter().filter(|(name, _)| name.starts_with("refs/notes/")) {
        let noted: Vec<Oid> = refs.iter().map(|(_, oid)| *oid).collect();
        lines.add("notes", notes::list(repo, name));
        lines.add("note texts", notes::find_all(repo, name, &noted));
        noted.iter().for_each(|oid| lines.add("note", notes::find(repo, name, *oid)));
    }
    lines.add("worktrees", worktree::list(repo));
    if let Some(tip) = tip {
        add_history(&mut lines, repo, tip);
    }
    if repo.place().work_tree.is_some() && extent == Extent::Whole {
        lines.add("dirty", worktree::dirty(repo, repo.place()));
    }
    lines.lines.join("\n")
}

/// What is asked of a large repository, as figures: all refs, all files, all
/// commits and what is mined of them.
pub(super) fn figures(repo: &Repo) -> Result<Vec<(&'static str, usize, u64)>> {
    let read = repo.read();
    let tip = read.head()?.oid().expect("there is a commit");
    let tree = read.commit(tip)?.tree;
    let commits = read.commits_between(&[], tip)?;
    let mut mined = Figures(0, 0);
    Miner::of(repo).mine(&Span { tips: &[tip], hide: &[], horizon: usize::MAX }, &mut mined, &|_| {})?;
    let root = commits[0];
    Ok(vec![
        figure("refs", &read.refs("refs/")?),
        figure("commits", &commits),
        figure("files", &read.tracked(tree)?),
        figure("changes", &read.edits(Some(read.commit(root)?.tree), tree)?),
        figure("distance", &[read.ahead_behind(tip, root)?]),
        figure("base", &[read.merge_base(tip, root)?]),
        ("mined", mined.0, mined.1),
    ])
}

fn figure(what: &'static str, found: &[impl Debug]) -> (&'static str, usize, u64) {
    (what, found.len(), found.iter().fold(0, mixed))
}

fn mixed(sum: u64, one: impl Debug) -> u64 {
    let mut hasher = DefaultHasher::new();
    (sum, format!("{one:?}")).hash(&mut hasher);
    hasher.finish()
}

/// How many commits were mined, and a figure that stands for them all.
struct Figures(usize, u64);

impl Sink for Figures {
    fn has(&mut self, _: Oid) -> bool {
        false
    }

    fn take(&mut self, commits: Vec<Mined>) {
        self.0 += commits.len();
        self.1 = commits.iter().fold(self.1, mixed);
    }
}

/// Answers, each id replaced by when it first came up: equal for repositories
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
    extent: Extent,
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

fn add_refs(lines: &mut Lines, repo: &Repo, refs: &[(String, Oid)]) {
    let read = repo.read();
    for (index, (name, one)) in refs.iter().enumerate().take(lines.extent.count()) {
        lines.add(name, read.find_ref(name));
        lines.add(name, read.symbolic(name));
        for (_, two) in refs.iter().take(index).filter(|(_, two)| two != one) {
            lines.add("merge base", read.merge_base(*one, *two));
            let mut bases = read.merge_bases(*one, *two);
            bases.iter_mut().for_each(|bases| bases.sort());
            lines.add("merge bases", bases);
            lines.add("ahead, behind", read.ahead_behind(*one, *two));
        }
    }
}

/// What can be read from a commit and its ancestors.
fn add_history(lines: &mut Lines, repo: &Repo, tip: Oid) {
    let read = repo.read();
    let walked = read.commits_between(&[], tip);
    let commits = walked.as_ref().map(Vec::clone).unwrap_or_default();
    lines.add("commits", walked);
    for oid in commits.iter().rev().take(lines.extent.count()) {
        add_commit(lines, repo, *oid);
    }
    for oid in commits.iter().take(lines.extent.count()) {
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
        .take(lines.extent.count())
        .chain([nothing])
        .collect();
    // What a partial clone lacks has no size, and is not fetched for it.
    lines.add("sizes", read.sizes(&blobs));
    let paths = ["src/api/login.rs", "src", "odd \"name\"\n", "none\n", "src/api/login.rs/none", "README"];
    let paths = &paths[..if lines.extent == Extent::Tip { 4 } else { paths.len() }];
    lines.add("files", read.files(&paths.iter().map(|path| (tip, *path)).collect::<Vec<_>>()));
    lines.add("file of nothing", read.files(&[(nothing, "src")]));
    for blob in &blobs {
        lines.add("blob", read.blob(*blob));
        lines.add("is there", read.has(*blob));
    }
    add_mined(lines, repo, tip, &commits);
}

fn add_commit(lines: &mut Lines, repo: &Repo, oid: Oid) {
    let read = repo.read();
    let commit = match read.commit(oid) {
        Ok(commit) => commit,
        Err(error) => return lines.add::<()>("commit", Err(error)),
    };
    lines.add("commit", Ok(&commit));
    for parent in &commit.parents {
        let edits = read.commit(*parent).and_then(|parent| read.edits(Some(parent.tree), commit.tree));
        lines.add("changes", edits);
    }
    if commit.parents.is_empty() {
        lines.add("additions", read.edits(None, commit.tree));
    }
    lines.add("tree", read.tree(commit.tree));
    lines.add("tracked", read.tracked(commit.tree));
}

fn add_mined(lines: &mut Lines, repo: &Repo, tip: Oid, commits: &[Oid]) {
    let miner = Miner::of(repo);
    let first = &commits[..commits.len().min(1)];
    let spans = [(first, 3), (&[], usize::MAX), (first, usize::MAX)];
    for (hide, horizon) in spans.into_iter().take(lines.extent.count()) {
        let mut mined = Vec::new();
        let unreached = miner.mine(&Span { tips: &[tip], hide, horizon }, &mut mined, &|_| {});
        lines.add("mined", unreached.map(|unreached| (mined, unreached)));
    }
    lines.add("mined files", miner.files(tip));
    lines.add("mined by name", miner.mine_commits(commits));
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
