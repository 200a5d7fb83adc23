//! How often routing is right on past commits, against the formula that it has
//! to beat and against simple rules, on the same questions.
//!
//! `GIT_ORCH_BENCH_REPO=/path/a/.git:/path/b/.git cargo bench --bench routing`
//! prints a table: means over the repositories, with 95% intervals from drawing
//! the questions of each again. With `GIT_ORCH_BENCH_EACH` set, each repository
//! too. `-- authors`, `-- text` or `-- loop` asks only what is called so; the
//! last gives commits out as tasks, where the choice becomes the history.

mod reference;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use git_orch::git::mine::Miner;
use git_orch::git::topics::topics;
use git_orch::git::{Mailmap, Repo};
use git_orch::history::{self, Request};
use git_orch::model::{HalfLives, RepoPath, Time, Weights};
use git_orch::replay::{self, BASELINES, Figures, Given, Kept, Look, Loop, Order, Story};
use git_orch::route;

/// How many commits are asked about.
const LAST: usize = 1_200;
const DAY: Duration = Duration::from_secs(86_400);
/// How often questions are drawn again.
const DRAWS: usize = 1_000;
/// How many files are looked at.
const FILES: usize = 10;

/// Who plays the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Authors,
    Areas,
    Branches,
}

const SETTINGS: [(Who, Given); 8] = [
    (Who::Authors, Given::Paths),
    (Who::Authors, Given::Text),
    (Who::Authors, Given::Both),
    (Who::Branches, Given::Paths),
    (Who::Branches, Given::Text),
    (Who::Branches, Given::Both),
    (Who::Areas, Given::Paths),
    (Who::Areas, Given::Text),
];

/// The figures of the rules for each question of one repository.
type Asked = Vec<Vec<Figures>>;

#[expect(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a benchmark")]
fn main() -> ExitCode {
    let Some(repositories) = std::env::var_os("GIT_ORCH_BENCH_REPO") else {
        eprintln!("GIT_ORCH_BENCH_REPO names no repository");
        return ExitCode::SUCCESS;
    };
    let each = std::env::var_os("GIT_ORCH_BENCH_EACH").is_some();
    let only: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_asked = |(who, given): &(Who, Given)| {
        let called = format!("{who:?} {given:?}").to_lowercase();
        only.iter().all(|word| called.contains(word.as_str()))
    };
    let settings: Vec<(Who, Given)> = SETTINGS.into_iter().filter(is_asked).collect();
    let with_loop = only.iter().all(|word| word == "loop");
    let mut found: Vec<Vec<Asked>> = vec![Vec::new(); settings.len()];
    let (mut files, mut loops) = (Vec::new(), Vec::new());
    for repository in std::env::split_paths(&repositories) {
        let measured = measured(&repository, &settings, with_loop);
        for ((all, asked), (who, given)) in found.iter_mut().zip(measured.asked).zip(settings.iter().copied())
        {
            // Few questions say nothing: not every repository merges branches.
            if asked[0].len() >= 100 {
                if each {
                    println!("{}", repository.display());
                    println!("{}", row(who, given, std::slice::from_ref(&asked)));
                }
                all.push(asked);
            }
        }
        files.push(measured.in_files);
        if let Some(given_out) = measured.given_out {
            if each {
                println!("{}\n{}", repository.display(), in_loops(std::slice::from_ref(&given_out)));
            }
            loops.push(given_out);
        }
    }
    for (all, (who, given)) in found.iter().zip(settings).filter(|(all, _)| !all.is_empty()) {
        println!("{}", row(who, given, all));
    }
    if files.iter().any(|one| !one.is_empty()) {
        println!("{}", in_files(&files));
    }
    if !loops.is_empty() {
        println!("{}", in_loops(&loops));
    }
    ExitCode::SUCCESS
}

/// Everything asked of one repository.
struct Measured {
    /// For each setting what the rules are worth.
    asked: Vec<Asked>,
    /// For each task where the files are that its text leads to, as the
    /// reference ranks them and as git-orch does.
    in_files: Vec<[Ranked; 2]>,
    /// What is kept where commits are given out as tasks.
    given_out: Option<Loop>,
}

#[expect(clippy::disallowed_methods, reason = "git is found as the program finds it")]
fn measured(repository: &Path, settings: &[(Who, Given)], with_loop: bool) -> Measured {
    let environment = ["PATH", "HOME"].map(|key| (key.into(), std::env::var_os(key).unwrap_or_default()));
    let repo = Repo::discover(repository, &environment.into()).expect("this is a repository");
    let tip = repo.read().head().expect("HEAD can be read").oid().expect("HEAD is a commit");
    let scratch = tempfile::tempdir().expect("a folder can be made");
    let request = Request {
        miner: Miner::of(&repo),
        folder: PathBuf::from(scratch.path()),
        log: history::WHOLE,
        table: history::SESSIONS,
        mailmap: Mailmap::of(&repo, tip).expect("the mailmap can be read"),
        tips: vec![tip],
        sessions: Vec::new(),
        horizon: usize::MAX,
        half_lives: HalfLives::default(),
        now: Time(i64::MAX / 2),
    };
    let log = history::load_whole(&request, &|_| ()).expect("the repository can be mined");
    let story = Story::new(&log, request.mailmap.resolve(log.authors()), false);
    let merged = topics(&repo, tip).expect("the history can be walked");
    let in_files = RefCell::new(Vec::new());
    let setting = |&(who, given): &(Who, Given)| {
        let cast = match who {
            Who::Authors => replay::authors(&story, LAST),
            Who::Areas => replay::areas(&story, LAST),
            Who::Branches => replay::branches(&story, &merged, LAST),
        };
        let lag = if who == Who::Branches { Duration::ZERO } else { DAY };
        let (half_lives, weights) = (HalfLives::default(), Weights::default());
        let order = Order { given, lag, declared: false, half_lives, weights };
        let by_reference = |look: &Look<'_>| {
            if (who, given) == (Who::Areas, Given::Text) {
                in_files.borrow_mut().extend(ranked(look, replay::changed(&story, look.asked.commit)));
            }
            reference::scores(look)
        };
        let rules = [BASELINES[3], BASELINES[4], ("reference", &by_reference)];
        replay::ask(&story, &cast, &order, &rules, &|_| ()).figures
    };
    let asked = settings.iter().map(setting).collect();
    let given_out = with_loop.then(|| {
        let (half_lives, weights) = (HalfLives::default(), Weights::default());
        let order = Order { given: Given::Paths, lag: Duration::ZERO, declared: false, half_lives, weights };
        let mut rules = replay::CHOOSERS.to_vec();
        rules.push(("reference", &reference::choosing));
        replay::closed(&story, &order, LAST, &rules, &|_| ())
    });
    Measured { asked, in_files: in_files.into_inner(), given_out }
}

/// Where the first of the files stands that a commit changed, counted from 1.
type Ranked = Option<usize>;

/// The ranks by the reference and by git-orch; none where only new files changed.
fn ranked(look: &Look<'_>, changed: Vec<RepoPath>) -> Option<[Ranked; 2]> {
    let view = look.view?;
    let is_there = |path: &RepoPath| view.past().files().any(|file| file == path.as_bytes());
    let changed: Vec<RepoPath> = changed.into_iter().filter(is_there).collect();
    let rank = |files: Vec<RepoPath>| Some(1 + files.iter().position(|file| changed.contains(file))?);
    let ours = route::predicted(look.text, view, FILES).into_iter().map(|target| target.path).collect();
    let both = [rank(reference::files(look.text, view, FILES)), rank(ours)];
    (!changed.is_empty()).then_some(both)
}

fn row(who: Who, given: Given, all: &[Asked]) -> String {
    let questions: usize = all.iter().map(|asked| asked[0].len()).sum();
    let mut text = format!("{who:?}, {given:?}: {questions} questions, {} repositories\n", all.len());
    for (rule, name) in ["overlap count", "last toucher", "reference", "git-orch"].iter().enumerate() {
        let mean = |of: fn(&Figures) -> f64| means(all, &|asked, question| of(&asked[rule][question]));
        let [top1, top3, mrr] = [mean(|one| one.top1), mean(|one| one.top3), mean(|one| one.mrr)];
        text.push_str(&format!("  {name:14} {} {} {}\n", shown(top1), shown(top3), shown(mrr)));
    }
    let gain = |of: fn(&Figures) -> f64| {
        means(all, &|asked, question| of(&asked[3][question]) - of(&asked[2][question]))
    };
    let [top1, top3, mrr] = [gain(|one| one.top1), gain(|one| one.top3), gain(|one| one.mrr)];
    text.push_str(&format!("  {:14} {} {} {}", "gain", shown(top1), shown(top3), shown(mrr)));
    text
}

/// Means over the repositories.
fn in_loops(all: &[Loop]) -> String {
    let mut text = format!("Given out: {} repositories: known, continuity, waiting, busiest", all.len());
    for rule in 0..all[0].rows.len() {
        let mean =
            |of: fn(&Kept) -> f64| all.iter().map(|one| of(&one.rows[rule])).sum::<f64>() / all.len() as f64;
        let [known, continuity] = [mean(|row| row.known), mean(|row| row.continuity)];
        let [waiting, busiest] = [mean(|row| row.waiting), mean(|row| row.busiest)];
        let name = &all[0].rows[rule].rule;
        text.push_str(&format!("\n  {name:14} {known:.3} {continuity:.3} {waiting:6.2} {busiest:.3}"));
    }
    text
}

fn in_files(all: &[Vec<[Ranked; 2]>]) -> String {
    let questions: usize = all.iter().map(Vec::len).sum();
    let mut text = format!("Files from text: {questions} questions: hit@1, @5, @10, MRR\n");
    let within = |rank: Ranked, most: usize| f64::from(u8::from(rank.is_some_and(|rank| rank <= most)));
    let figures = |rank: Ranked| {
        let mrr = rank.map_or(0.0, |rank| 1.0 / rank as f64);
        [within(rank, 1), within(rank, 5), within(rank, 10), mrr]
    };
    type Of<'a> = (&'a str, &'a dyn Fn(&[Ranked; 2], usize) -> f64);
    let rows: [Of<'_>; 3] = [
        ("reference", &|ranks, figure| figures(ranks[0])[figure]),
        ("git-orch", &|ranks, figure| figures(ranks[1])[figure]),
        ("gain", &|ranks, figure| figures(ranks[1])[figure] - figures(ranks[0])[figure]),
    ];
    for (name, of) in rows {
        let mean = |figure: usize| shown(drawn(all, &|one| of(one, figure)));
        text.push_str(&format!("  {name:14} {} {} {} {}\n", mean(0), mean(1), mean(2), mean(3)));
    }
    text
}

/// A mean over repositories with the ends of its interval.
type Mean = [f64; 3];

fn shown([mean, low, high]: Mean) -> String {
    format!("{mean:+.3} ({low:+.3}..{high:+.3})")
}

fn means(all: &[Asked], of: &dyn Fn(&Asked, usize) -> f64) -> Mean {
    let values = |asked: &Asked| (0..asked[0].len()).map(|question| of(asked, question)).collect();
    let values: Vec<Vec<f64>> = all.iter().map(values).collect();
    drawn(&values, &|value| *value)
}

/// The mean over repositories of their means, and the percentile bootstrap of it.
fn drawn<T>(all: &[Vec<T>], of: &dyn Fn(&T) -> f64) -> Mean {
    let values: Vec<Vec<f64>> = all.iter().map(|one| one.iter().map(of).collect()).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |count: usize| {
        // xorshift64 (Marsaglia, 2003)
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % count
    };
    let whole = |means: &mut dyn Iterator<Item = f64>| means.sum::<f64>() / values.len() as f64;
    let mean = whole(&mut values.iter().map(|one| one.iter().sum::<f64>() / one.len() as f64));
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let mut again = values
                .iter()
                .map(|one| (0..one.len()).map(|_| one[draw(one.len())]).sum::<f64>() / one.len() as f64);
            whole(&mut again)
        })
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    [mean, means[DRAWS / 40], means[DRAWS - 1 - DRAWS / 40]]
}
