//! What it costs to know what conflicts with what.
//!
//! `GIT_ORCH_BENCH_REPO=/path/a/.git cargo bench --bench conflicts`;
//! `-- pairs` measures only what is called so.
//!
//! `pairs`: fifty branches of ten edited files each, every pair of them, against
//! `git merge-tree --write-tree` for each pair; another answer is a failure.
//! `radar`: twenty sessions, each with a commit and uncommitted edits, end to
//! end, against private indexes and `git merge-tree` for each pair.
//! `preview`: `git orch merge --dry-run TASK`.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use git_orch::git::pairs::{self, Pair};
use git_orch::git::splice::{self, Put};
use git_orch::git::{Aside, Entry, EntryKind, Repo};
use git_orch::model::{Oid, Time};

const ROUNDS: usize = 3;
const BRANCHES: usize = 50;
const SESSIONS: usize = 20;
/// So many files each of them edits, out of so many.
const EDITED: usize = 10;
const POOL: usize = 400;
/// Of so many pairs git is asked one by one, the rest is reckoned.
const ASKED: usize = 100;

#[expect(clippy::print_stderr, clippy::disallowed_methods, reason = "a benchmark")]
fn main() -> ExitCode {
    let Some(repositories) = std::env::var_os("GIT_ORCH_BENCH_REPO") else {
        eprintln!("GIT_ORCH_BENCH_REPO names no repository");
        return ExitCode::SUCCESS;
    };
    let only: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_asked = |section: &str| only.iter().all(|word| section.contains(word.as_str()));
    for repository in std::env::split_paths(&repositories) {
        if is_asked("pairs") {
            all_pairs(&repository);
        }
        if is_asked("radar") || is_asked("preview") {
            sessions(&repository);
        }
    }
    ExitCode::SUCCESS
}

/// A clone to work in, gone with its value.
struct Clone(tempfile::TempDir);

impl Clone {
    fn of(repository: &Path, extra: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::create_dir(folder.path().join("clone")).expect("a folder can be made");
        let clone = Self(folder);
        let from = repository.to_str().expect("the path is text");
        git(&clone.path(), &[&["clone", "-q", "--shared", from, "."], extra].concat());
        git(&clone.path(), &["config", "user.name", "A"]);
        git(&clone.path(), &["config", "user.email", "a@example.com"]);
        clone
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("clone")
    }
}

/// A text with one line of it edited.
fn edited(random: &mut fastrand::Rng, text: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let new = format!("edited {}\n", random.u32(..));
    let at = random.usize(0..lines.len().max(1)).min(lines.len().saturating_sub(1));
    if lines.is_empty() {
        return new.into_bytes();
    }
    lines[at] = new.as_bytes();
    lines.concat()
}

/// Commits on top of `HEAD` that edit some files of a pool.
fn tips(repo: &Repo, random: &mut fastrand::Rng) -> Vec<Oid> {
    let (read, write) = (repo.read(), repo.write());
    let head = read.head().expect("HEAD can be read").oid().expect("there is a commit");
    let tree = read.commit(head).expect("the commit can be read").tree;
    let mut files: Vec<Entry> = read.tracked(tree).expect("files can be listed");
    files.retain(|entry| entry.kind == EntryKind::File && entry.name.as_bytes().ends_with(b".c"));
    random.shuffle(&mut files);
    files.truncate(POOL);
    let mut tip = || {
        let mut some = files.clone();
        random.shuffle(&mut some);
        some.truncate(EDITED);
        let mut put = |entry: &Entry| {
            let bytes = edited(random, &read.blob(entry.oid).expect("a file can be read"));
            (entry.kind, write.write_blob(&bytes).expect("a file can be written"))
        };
        let puts: Vec<Put<'_>> = some.iter().map(|entry| (entry.name.as_bytes(), Some(put(entry)))).collect();
        let tree = splice::put(repo, Some(tree), puts).expect("a tree can be written");
        write.write_record(tree, &[head], "a branch", Time::now()).expect("a commit")
    };
    (0..BRANCHES).map(|_| tip()).collect()
}

#[expect(clippy::print_stdout, reason = "a benchmark")]
fn all_pairs(repository: &Path) {
    let clone = Clone::of(repository, &["--no-checkout"]);
    let repo = open(&clone.path());
    let mut random = fastrand::Rng::with_seed(1);
    let tips = tips(&repo, &mut random);
    let mut all: Vec<Pair> = Vec::new();
    for (index, ours) in tips.iter().enumerate() {
        all.extend(tips[index + 1..].iter().map(|theirs| Pair { ours: *ours, theirs: *theirs }));
    }
    let (mut ours, mut batch, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let mut found = Vec::new();
    for round in 0..=ROUNDS {
        let start = now();
        let repo = open(&clone.path());
        let aside = Aside::make(&repo).expect("a folder can be made");
        found = pairs::conflicts(&repo, &aside, &all).expect("pairs can be compared");
        let taken = start.elapsed().as_secs_f64();
        // The first round warms up.
        if round > 0 {
            ours.push(taken);
        }
    }
    random.shuffle(&mut all);
    let repo = open(&clone.path());
    let again = pairs::conflicts(&repo, &Aside::make(&repo).expect("a folder"), &all).expect("pairs");
    for _ in 0..ROUNDS {
        let start = now();
        let input: String = all.iter().map(|pair| format!("{} {}\n", pair.ours, pair.theirs)).collect();
        feed(&clone.path(), &["merge-tree", "--write-tree", "--stdin", "--name-only"], &input);
        batch.push(start.elapsed().as_secs_f64());
    }
    for (pair, clashes) in all.iter().zip(&again).take(ASKED) {
        let (one, other) = (pair.ours.to_string(), pair.theirs.to_string());
        let start = now();
        let is_clean = succeeds(&clone.path(), &["merge-tree", "--write-tree", &one, &other]);
        theirs.push(start.elapsed().as_secs_f64());
        assert_eq!(is_clean, clashes.is_empty(), "{one} {other}");
    }
    let conflicting = found.iter().filter(|clashes| !clashes.is_empty()).count();
    let (ours, batch) = (median(&mut ours), median(&mut batch));
    let theirs = theirs.iter().sum::<f64>() / ASKED as f64 * all.len() as f64;
    println!("{}: {} pairs, {conflicting} conflict", repository.display(), all.len());
    println!("  git-orch                             {ours:>8.3} s");
    println!("  git merge-tree --stdin               {batch:>8.3} s  {:>6.1}x", batch / ours);
    println!("  git merge-tree, a process for each   {theirs:>8.3} s  {:>6.1}x", theirs / ours);
}

/// What a person would do by hand: everything of each worktree by a private
/// index, then a merge of each pair.
const BY_HAND: &str = r#"set -e
for s in $(seq SESSIONS); do
    cd ../clone.orch/s$s
    own=$(git rev-parse --git-path index); export GIT_INDEX_FILE=$(mktemp -u); cp "$own" $GIT_INDEX_FILE
    git add -A; tips="$tips $(git commit-tree $(git write-tree) -p HEAD -m x)"; rm $GIT_INDEX_FILE
    unset GIT_INDEX_FILE; cd ../../clone
done
n=0
for a in $tips; do
    n=$((n + 1)); m=0
    for b in $tips; do m=$((m + 1)); [ $m -le $n ] || git merge-tree --write-tree $a $b >/dev/null || true; done
done"#;

#[expect(clippy::print_stdout, reason = "a benchmark")]
fn sessions(repository: &Path) {
    let clone = Clone::of(repository, &[]);
    let folder = clone.path();
    let orch = env!("CARGO_BIN_EXE_git-orch");
    let mut random = fastrand::Rng::with_seed(2);
    let repo = open(&folder);
    let tree =
        repo.read().commit(repo.read().head().expect("HEAD").oid().expect("a commit")).expect("it").tree;
    let mut files = repo.read().tracked(tree).expect("files can be listed");
    files.retain(|entry| entry.kind == EntryKind::File && entry.name.as_bytes().ends_with(b".c"));
    random.shuffle(&mut files);
    files.truncate(POOL);
    for number in 1..=SESSIONS {
        run(&folder, orch, &["add-session", &format!("s{number}"), "-q"]);
        let worktree = clone.0.path().join(format!("clone.orch/s{number}"));
        random.shuffle(&mut files);
        for (index, entry) in files.iter().take(EDITED).enumerate() {
            let path = worktree.join(entry.name.as_path());
            let text = edited(&mut random, &std::fs::read(&path).expect("a file can be read"));
            std::fs::write(&path, text).expect("a file can be written");
            if index == EDITED / 2 {
                git(&worktree, &["commit", "-qam", "half of it"]);
            }
        }
    }
    let script = BY_HAND.replace("SESSIONS", &SESSIONS.to_string());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let start = now();
        succeeds_with(&folder, orch, &["conflicts"]);
        let taken = start.elapsed().as_secs_f64();
        if round > 0 {
            ours.push(taken);
        }
    }
    for _ in 0..ROUNDS {
        let start = now();
        run(&folder, "sh", &["-c", &script]);
        theirs.push(start.elapsed().as_secs_f64());
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!("{}: {SESSIONS} sessions", repository.display());
    println!("  git orch conflicts                   {ours:>8.3} s");
    println!("  by hand, without the bases           {theirs:>8.3} s  {:>6.1}x", theirs / ours);
    preview(&folder);
}

/// What landing a result would do, on a base that went on.
#[expect(clippy::print_stdout, reason = "a benchmark")]
fn preview(folder: &Path) {
    let orch = env!("CARGO_BIN_EXE_git-orch");
    let edit = "sed -i 1s/^/edited/ $(git ls-files '*.c' | head -20)";
    run(folder, orch, &["add-session", "landing", "-q"]);
    run(folder, orch, &["task", "edit", "--session", "landing", "-q", "--", "sh", "-c", edit]);
    git(folder, &["commit", "-q", "--allow-empty", "-m", "the base moved"]);
    let (mut preview, mut merge_tree) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS * 5 {
        let start = now();
        run(folder, orch, &["merge", "--dry-run", "edit"]);
        let taken = start.elapsed().as_secs_f64();
        let start = now();
        git(folder, &["merge-tree", "--write-tree", "HEAD", "review/edit"]);
        if round > 0 {
            preview.push(taken);
            merge_tree.push(start.elapsed().as_secs_f64());
        }
    }
    let (preview, merge_tree) = (median(&mut preview), median(&mut merge_tree));
    println!("  git orch merge --dry-run             {preview:>8.3} s");
    println!("  git merge-tree --write-tree          {merge_tree:>8.3} s  {:>6.2}x", merge_tree / preview);
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> Instant {
    Instant::now()
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn open(folder: &Path) -> Repo {
    let environment = std::env::vars_os().collect();
    Repo::discover(folder, &environment).expect("the repository can be opened")
}

fn git(folder: &Path, args: &[&str]) {
    run(folder, "git", args);
}

fn run(folder: &Path, program: &str, args: &[&str]) {
    assert!(succeeds_with(folder, program, args), "{program} {args:?}");
}

fn succeeds(folder: &Path, args: &[&str]) -> bool {
    succeeds_with(folder, "git", args)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark runs and times commands")]
fn succeeds_with(folder: &Path, program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().expect("the program starts").success()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark runs and times commands")]
fn feed(folder: &Path, args: &[&str], input: &str) {
    let file = folder.join(".git/pairs");
    std::fs::write(&file, input).expect("a file can be written");
    let stdin = std::fs::File::open(file).expect("it can be read");
    let mut command = Command::new("git");
    command.args(args).current_dir(folder).stdin(stdin).stdout(Stdio::null());
    assert!(command.status().expect("git starts").success(), "git {args:?}");
}
