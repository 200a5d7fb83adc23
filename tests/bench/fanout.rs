//! What a fan-out costs beside the work itself.
//!
//! `GIT_ORCH_BENCH_REPO=/path/a/.git:/path/b/.git cargo bench --bench fanout`;
//! `-- back` measures only what is called so.
//!
//! `back`: the results of 32 shards of 40 files each, and of 1,000 shards,
//! verified, put together and committed, against what git offers for it, in
//! turns; a tree that differs from git's is a failure.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use git_orch::fanout::result::{Origin, put_together};
use git_orch::fanout::tracked::Tracked;
use git_orch::fanout::verify::{Verified, verify};
use git_orch::git::splice::{self, Put};
use git_orch::git::{Edit, EntryKind, Repo, commit};
use git_orch::model::{Oid, RepoPath, Time};

const ROUNDS: usize = 3;

#[expect(clippy::print_stderr, clippy::disallowed_methods, reason = "a benchmark")]
fn main() -> ExitCode {
    let Some(repositories) = std::env::var_os("GIT_ORCH_BENCH_REPO") else {
        eprintln!("GIT_ORCH_BENCH_REPO names no repository");
        return ExitCode::SUCCESS;
    };
    let only: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_asked = |section: &str| only.iter().all(|word| section.contains(word.as_str()));
    for repository in std::env::split_paths(&repositories) {
        if is_asked("back") {
            back(&repository);
        }
    }
    ExitCode::SUCCESS
}

/// A clone to work in, gone with its value.
struct Clone {
    folder: tempfile::TempDir,
    repo: Repo,
    origin: Origin,
}

impl Clone {
    fn of(repository: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let from = repository.to_str().expect("the path is text");
        git(folder.path(), &["clone", "-q", "--shared", "--no-checkout", from, "."]);
        git(folder.path(), &["config", "user.name", "A"]);
        git(folder.path(), &["config", "user.email", "a@example.com"]);
        let repo = open(folder.path());
        let commit = repo.read().head().expect("HEAD can be read").oid().expect("there is a commit");
        let tree = repo.read().commit(commit).expect("the commit can be read").tree;
        Self { folder, repo, origin: Origin { commit, tree } }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// What one shard was given, and the commit it came back as.
struct Part {
    files: Vec<RepoPath>,
    commit: Oid,
}

/// A line more in each of the files of so many shards, each a commit on a branch.
fn parts(clone: &Clone, shards: usize, each: usize) -> Vec<Part> {
    let (read, write) = (clone.repo.read(), clone.repo.write());
    let mut files = read.tracked(clone.origin.tree).expect("files can be listed");
    files.retain(|entry| entry.kind == EntryKind::File);
    let each = each.min(files.len() / shards);
    let part = |files: &[git_orch::git::Entry]| {
        let put = |entry: &git_orch::git::Entry| {
            let bytes = [&read.blob(entry.oid).expect("a file can be read"), &b"\nstamped\n"[..]].concat();
            (entry.kind, write.write_blob(&bytes).expect("a file can be written"))
        };
        let puts: Vec<Put<'_>> =
            files.iter().map(|entry| (entry.name.as_bytes(), Some(put(entry)))).collect();
        let tree = splice::put(&clone.repo, Some(clone.origin.tree), puts).expect("a tree can be written");
        let commit = write.write_record(tree, &[clone.origin.commit], "a shard", Time(1)).expect("a commit");
        Part { files: files.iter().map(|entry| entry.name.clone()).collect(), commit }
    };
    files.chunks(each).take(shards).map(part).collect()
}

#[expect(clippy::print_stdout, reason = "a benchmark")]
fn back(repository: &Path) {
    let clone = Clone::of(repository);
    println!("{}", repository.display());
    for (shards, each) in [(32, 40), (1_000, 4)] {
        let parts = parts(&clone, shards, each);
        let branch =
            |(number, part): (usize, &Part)| format!("create refs/heads/part-{number} {}\n", part.commit);
        let refs: String = parts.iter().enumerate().map(branch).collect();
        feed(clone.path(), &["update-ref", "--stdin"], &refs);
        let files: usize = parts.iter().map(|part| part.files.len()).sum();
        println!("  {} shards, {files} files", parts.len());
        let mut rows: Vec<(&str, Vec<f64>)> = Vec::new();
        for _ in 0..ROUNDS {
            for (number, (name, way)) in ways(shards).iter().enumerate() {
                let (tree, seconds) = way(&clone, &parts);
                let ours = ours(&clone, &parts).0;
                assert_eq!(tree, ours, "{name} gives another tree");
                if rows.len() == number {
                    rows.push((name, Vec::new()));
                }
                rows[number].1.push(seconds);
            }
        }
        let medians: Vec<f64> = rows.iter_mut().map(|(_, times)| median(times)).collect();
        for ((name, _), seconds) in rows.iter().zip(&medians) {
            println!("    {name:<34} {seconds:>9.4} s  {:>7.1}x", seconds / medians[0]);
        }
        let gone: String =
            (0..parts.len()).map(|number| format!("delete refs/heads/part-{number}\n")).collect();
        feed(clone.path(), &["update-ref", "--stdin"], &gone);
    }
}

/// A way to bring parts back: the tree, and the seconds that it took.
type Way = fn(&Clone, &[Part]) -> (Oid, f64);

fn ways(shards: usize) -> Vec<(&'static str, Way)> {
    let mut ways: Vec<(&str, Way)> = vec![("git-orch", ours)];
    if shards < 100 {
        ways.push(("git merge, one after the other", merges));
        ways.push(("git merge -s octopus", octopus));
        ways.push(("git merge-tree and commit-tree", merge_trees));
    }
    ways.push(("git diff-tree into one index", index));
    ways
}

/// Verified, put together, committed.
fn ours(clone: &Clone, parts: &[Part]) -> (Oid, f64) {
    let start = now();
    let repo = open(clone.path());
    let edits = |part: &Part| -> Vec<Edit> {
        let tree = repo.read().commit(part.commit).expect("a commit can be read").tree;
        let edits = repo.read().edits(Some(clone.origin.tree), tree).expect("trees can be compared");
        assert_eq!(verify(&part.files, None, &Tracked::default(), &edits), Verified::Done(Vec::new()));
        edits
    };
    let all: Vec<Vec<Edit>> = parts.iter().map(edits).collect();
    let shards: Vec<(usize, &[Edit])> = (1..).zip(&all).map(|(n, edits)| (n, &edits[..])).collect();
    let together = put_together(&repo, clone.origin, &shards, Time(1)).expect("shards can be put together");
    assert_eq!(together.misfits, []);
    commit::tree(&repo, together.tree, &[clone.origin.commit], "all").expect("a tree can be committed");
    (together.tree, start.elapsed().as_secs_f64())
}

fn merges(clone: &Clone, parts: &[Part]) -> (Oid, f64) {
    in_worktree(clone, |folder| {
        for number in 0..parts.len() {
            git(folder, &["merge", "-q", "--no-edit", &format!("part-{number}")]);
        }
    })
}

fn octopus(clone: &Clone, parts: &[Part]) -> (Oid, f64) {
    in_worktree(clone, |folder| {
        let branches: Vec<String> = (0..parts.len()).map(|number| format!("part-{number}")).collect();
        let mut command = vec!["merge", "-q", "--no-edit", "-s", "octopus"];
        command.extend(branches.iter().map(String::as_str));
        git(folder, &command);
    })
}

/// Work in a checkout that is made before and taken away after it is timed.
fn in_worktree(clone: &Clone, work: impl Fn(&Path)) -> (Oid, f64) {
    let folder = clone.path().join("worktree");
    let at = folder.to_str().expect("the path is text");
    git(clone.path(), &["worktree", "add", "-q", "--detach", at, &clone.origin.commit.to_string()]);
    let start = now();
    work(&folder);
    let seconds = start.elapsed().as_secs_f64();
    let tree = git(&folder, &["rev-parse", "HEAD^{tree}"]);
    git(clone.path(), &["worktree", "remove", "--force", at]);
    (tree.parse().expect("git gives an id"), seconds)
}

fn merge_trees(clone: &Clone, parts: &[Part]) -> (Oid, f64) {
    let start = now();
    let mut tip = clone.origin.commit.to_string();
    let mut tree = String::new();
    for part in parts {
        let theirs = part.commit.to_string();
        tree = git(clone.path(), &["merge-tree", "--write-tree", &tip, &theirs]);
        tip = git(clone.path(), &["commit-tree", &tree, "-p", &tip, "-p", &theirs, "-m", "all"]);
    }
    (tree.parse().expect("git gives an id"), start.elapsed().as_secs_f64())
}

/// What somebody would write who knows git well and the shards to be disjoint.
fn index(clone: &Clone, parts: &[Part]) -> (Oid, f64) {
    let start = now();
    let pairs = parts.iter().map(|part| format!("{} {}\n", part.commit, clone.origin.commit));
    let raw = feed(clone.path(), &["diff-tree", "-r", "--no-renames", "--stdin"], &pairs.collect::<String>());
    let entry = |line: &str| {
        let (facts, path) = line.strip_prefix(':')?.split_once('\t')?;
        let facts: Vec<&str> = facts.split(' ').collect();
        Some(format!("{} {}\t{path}\n", facts[1], facts[3]))
    };
    let entries: String = raw.lines().filter_map(entry).collect();
    let base = clone.origin.commit.to_string();
    git(clone.path(), &["read-tree", &base]);
    feed(clone.path(), &["update-index", "--index-info"], &entries);
    let tree = git(clone.path(), &["write-tree"]);
    git(clone.path(), &["commit-tree", &tree, "-p", &base, "-m", "all"]);
    (tree.parse().expect("git gives an id"), start.elapsed().as_secs_f64())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark")]
fn open(folder: &Path) -> Repo {
    let environment = ["PATH", "HOME"].map(|key| (key.into(), std::env::var_os(key).unwrap_or_default()));
    Repo::discover(folder, &environment.into()).expect("the clone can be opened")
}

fn git(folder: &Path, args: &[&str]) -> String {
    feed(folder, args, "")
}

#[expect(clippy::disallowed_methods, reason = "git is what is measured against")]
fn feed(folder: &Path, args: &[&str], input: &str) -> String {
    use std::io::{Seek as _, Write as _};
    let mut file = tempfile::tempfile().expect("a file can be made");
    file.write_all(input.as_bytes()).and_then(|()| file.rewind()).expect("a file can be written");
    let output = Command::new("git").current_dir(folder).args(args).stdin(file).output().expect("git runs");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark")]
fn now() -> Instant {
    Instant::now()
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}
