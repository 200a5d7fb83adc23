//! What it costs to run shards in worktrees of their own.
//!
//! `GIT_ORCH_BENCH_REPO=/path/to/checkout cargo bench --bench shards`; several
//! with `:` between. `-- jobs` measures only what is called so:
//!
//! `jobs`: eight jobs of 40 files each, created, formatted, committed and
//! removed, against `git worktree add` in a row and two at a time. `overhead`:
//! what a sparse shard costs beside its command, in `git rev-parse`. `large`:
//! one throwaway of few files, and one of all, made and removed, against
//! `git worktree`. `format`: all files of a kind, 32 ways, against `xargs -P`
//! in one checkout.
//!
//! Everything happens in clones; peers and we are taken in turns.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use git_orch::git::{Repo, splice};
use git_orch::model::RepoPath;
use git_orch::run::throwaway::{CLEAR, Throwaway};

const ROUNDS: usize = 3;
const ORCH: &str = env!("CARGO_BIN_EXE_git-orch");
/// Stands for a formatter: it rewrites its files.
const FORMAT: &str = r#"sed -i 's/[[:space:]]*$/ /' "$@""#;

/// One part, by its name.
type Section = (&'static str, fn(&Bench));

#[expect(clippy::print_stderr, clippy::disallowed_methods, reason = "a benchmark")]
fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if words.iter().any(|word| word == CLEAR) {
        // A throwaway's files are deleted by its program, started again: this one.
        let ended = Command::new(ORCH).args(words).status();
        return if ended.is_ok_and(|ended| ended.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let Some(repositories) = std::env::var_os("GIT_ORCH_BENCH_REPO") else {
        eprintln!("GIT_ORCH_BENCH_REPO names no repository");
        return ExitCode::SUCCESS;
    };
    let only: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let sections: [Section; 4] =
        [("jobs", jobs), ("overhead", overhead), ("large", large), ("format", format)];
    for repository in std::env::split_paths(&repositories) {
        let bench = Bench::on(&repository);
        for (name, section) in sections {
            if only.is_empty() || only.iter().any(|word| word == name) {
                section(&bench);
            }
        }
    }
    ExitCode::SUCCESS
}

/// A clone with a checkout, gone with its value.
struct Bench {
    name: String,
    folder: tempfile::TempDir,
    /// Files of the kind there are most of.
    files: Vec<String>,
}

impl Bench {
    fn on(repository: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let name = repository.file_name().map(|name| name.to_string_lossy().into_owned());
        let bench = Self { name: name.unwrap_or_default(), folder, files: Vec::new() };
        let from = repository.display();
        bench.shell(bench.folder.path(), &format!("git clone -q --shared '{from}' shop"));
        bench.run("git config user.name A; git config user.email a@example.com");
        let files = bench.output("git ls-files | grep '\\.[ch]$'");
        Self { files: files.lines().map(str::to_owned).collect(), ..bench }
    }

    fn shop(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    /// Runs a script in the checkout; how long it takes.
    fn run(&self, script: &str) -> f64 {
        self.shell(&self.shop(), script)
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark runs and times commands")]
    fn shell(&self, folder: &Path, script: &str) -> f64 {
        let start = Instant::now();
        let mut command = Command::new("bash");
        command.args(["-euc", script]).current_dir(folder).env("ORCH", ORCH).env("FORMAT", FORMAT);
        let ended = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("bash runs");
        assert!(ended.success(), "failed: {script}");
        start.elapsed().as_secs_f64()
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark runs commands")]
    fn output(&self, script: &str) -> String {
        let mut command = Command::new("bash");
        let output = command.args(["-euc", script]).current_dir(self.shop()).env("ORCH", ORCH).output();
        String::from_utf8_lossy(&output.expect("bash runs").stdout).into_owned()
    }

    /// Writes files to a list that scripts read.
    fn list(&self, name: &str, files: &[String]) {
        std::fs::write(self.folder.path().join(name), files.join("\n") + "\n").expect("it can be written");
    }
}

/// Takes ways to do the same in turns, the first of which is the peer.
#[expect(clippy::print_stdout, reason = "a benchmark")]
fn compare(bench: &Bench, what: &str, ways: &[(&str, &str)]) {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); ways.len()];
    for _ in 0..ROUNDS {
        for ((_, script), times) in ways.iter().zip(&mut times) {
            times.push(bench.run(script));
        }
    }
    println!("\n{}: {what}", bench.name);
    let peer = median(&mut times[0]);
    for ((way, _), times) in ways.iter().zip(&mut times) {
        let taken = median(times);
        println!("  {way:<48} {taken:>8.2} s  {:>7.2}x", peer / taken);
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Makes a worktree, formats a list, commits and removes it again.
const ONE: &str = r#"one() { git worktree add -q --detach ../w$1; (cd ../w$1; xargs -a ../list$1 sh -c "$FORMAT" sh
    git commit -qam x); git worktree remove -f ../w$1; }; export -f one;"#;
const CANCEL: &str = "$ORCH -q cancel x";

#[expect(clippy::print_stdout, reason = "a benchmark")]
fn jobs(bench: &Bench) {
    if bench.files.len() < 320 {
        println!("{}: too few files for eight jobs", bench.name);
        return;
    }
    bench.list("list", &bench.files[..320]);
    for (number, files) in bench.files[..320].chunks(40).enumerate() {
        bench.list(&format!("list{}", number + 1), files);
    }
    let ours = |tree: &str| {
        format!(
            r#"$ORCH -q fanout x --again --run "$FORMAT" --files-from ../list --shards 8 --tree {tree} -j 2; {CANCEL}"#
        )
    };
    compare(
        bench,
        "8 jobs of 40 files: create, format, commit, remove",
        &[
            ("git worktree add, in a row", &format!("{ONE} for n in 1 2 3 4 5 6 7 8; do one $n; done")),
            (
                "git worktree add, two at a time",
                &format!("{ONE} seq 8 | xargs -P2 -I{{}} bash -euc 'one {{}}'"),
            ),
            ("git orch fanout --tree full -j 2", &ours("full")),
            ("git orch fanout --tree overlay -j 2", &ours("overlay")),
            ("git orch fanout --tree sparse -j 2", &ours("sparse")),
        ],
    );
    let held = r#"$ORCH -q fanout x --again --run 'echo $(du -sk --exclude=.git . | cut -f1) $(du -ck "$@" | tail -n 1 | cut -f1)' \
        --files-from ../list --shards 8 --tree sparse -j 1 >/dev/null; for n in 1 2 3 4 5 6 7 8; do $ORCH log x --shard $n; done"#;
    let full: f64 = bench.output("du -sk --exclude=.git . | cut -f1").trim().parse().unwrap_or(1.0);
    let told = bench.output(held);
    let beside = told.lines().filter_map(|line| {
        let (all, own) = line.split_once(' ')?;
        Some(all.parse::<f64>().ok()? - own.parse::<f64>().ok()?)
    });
    let most = beside.fold(0.0, f64::max);
    println!(
        "  a sparse throwaway holds at most {:.1} % of the tree beside its own files",
        100.0 * most / full
    );
}

#[expect(clippy::print_stdout, reason = "a benchmark")]
fn overhead(bench: &Bench) {
    bench.list("list", &bench.files[..bench.files.len().min(400)]);
    let shards = |count: usize| {
        format!(
            "$ORCH -q fanout x --again --run true --files-from ../list --shards {count} --tree sparse -j 1"
        )
    };
    let (mut one, mut many, mut parse) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(bench.run(&shards(1)));
        many.push(bench.run(&shards(101)));
        parse.push(bench.run("for n in {1..100}; do git rev-parse HEAD; done") / 100.0);
    }
    let each = (median(&mut many) - median(&mut one)) / 100.0;
    let parse = median(&mut parse);
    println!("\n{}: a sparse shard costs {:.1} ms beside its command,", bench.name, each * 1e3);
    println!("  {:.1}x `git rev-parse` ({:.1} ms)", each / parse, parse * 1e3);
}

/// One throwaway in a large tree: made, filled and removed, as a shard's is.
#[expect(clippy::print_stdout, reason = "a benchmark")]
fn large(bench: &Bench) {
    let folder =
        bench.output("git ls-files | grep / | cut -d/ -f1,2 | uniq -c | awk '$1>300 {print $2; exit}'");
    let folder = if folder.trim().is_empty() { "." } else { folder.trim() };
    let environment = ["PATH", "HOME"].map(|key| (key.into(), variable(key)));
    let repo = Repo::discover(&bench.shop(), &environment.into()).expect("the clone can be opened");
    let commit = repo.read().head().expect("HEAD can be read").oid().expect("there is a commit");
    let tree = repo.read().commit(commit).expect("the commit can be read").tree;
    let files: Vec<RepoPath> =
        bench.output("git ls-files -z").split_terminator('\0').map(RepoPath::from).collect();
    let own: Vec<RepoPath> = files
        .iter()
        .filter(|file| file.as_bytes().starts_with(folder.as_bytes()))
        .take(300)
        .cloned()
        .collect();
    let peer = ["git worktree add -q --detach ../w", "git worktree remove -f ../w"];
    let ways = ["git worktree", "a throwaway of 300 files", "a throwaway of all files"];
    let mut times = ways.map(|_| [Vec::new(), Vec::new()]);
    for _ in 0..ROUNDS {
        for (script, times) in peer.iter().zip(&mut times[0]) {
            times.push(bench.run(script));
        }
        for (held, times) in [Some(&own), None].into_iter().zip(&mut times[1..]) {
            let start = now();
            let tree = held.map_or(tree, |own| splice::take(&repo, None, tree, own).expect("a tree"));
            let made = Throwaway::make(&repo, &bench.folder.path().join("throwaways"), commit, &|_| {});
            let throwaway = made.expect("a throwaway can be made");
            throwaway.set(tree).expect("it can be filled");
            times[0].push(start.elapsed().as_secs_f64());
            let start = now();
            drop(throwaway);
            times[1].push(start.elapsed().as_secs_f64());
        }
    }
    println!("\n{}: a worktree of {} files", bench.name, files.len());
    let medians = times.map(|mut one| [median(&mut one[0]), median(&mut one[1])]);
    for (way, [made, removed]) in ways.iter().zip(medians) {
        let [peer_made, peer_removed] = medians[0];
        println!(
            "  {way:<28} made {made:>8.3} s {:>7.1}x  removed {removed:>8.3} s {:>7.1}x",
            peer_made / made,
            peer_removed / removed
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark")]
fn variable(key: &str) -> std::ffi::OsString {
    std::env::var_os(key).unwrap_or_default()
}

/// In a large tree, 40 files a shard: what worktrees in a row cost is told by
/// two of them.
#[expect(clippy::print_stdout, reason = "a benchmark")]
fn format(bench: &Bench) {
    let is_large = bench.files.len() > 5_000;
    let files = if is_large { &bench.files[..1_280] } else { &bench.files };
    bench.list("list", files);
    for (number, files) in files.chunks(files.len().div_ceil(32)).enumerate() {
        bench.list(&format!("list{}", number + 1), files);
    }
    if is_large {
        let two = bench.run(&format!("{ONE} one 1; one 2"));
        println!(
            "\n{}: 32 times `git worktree add`, formatted, committed, removed: {:.0} s",
            bench.name,
            two * 16.0
        );
    }
    compare(
        bench,
        &format!("{} files formatted and committed", files.len()),
        &[
            (
                "xargs -P in the checkout",
                r#"git checkout -q --detach; xargs -a ../list -P2 -n 500 sh -c "$FORMAT" sh; git commit -qam x; git checkout -q -f -"#,
            ),
            (
                "git orch fanout --tree sparse, 32 shards",
                &format!(
                    r#"$ORCH -q fanout x --again --run "$FORMAT" --files-from ../list --shards 32 --tree sparse -j 2; {CANCEL}"#
                ),
            ),
        ],
    );
}
