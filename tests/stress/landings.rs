//! Pairs of changes that are fine alone and wrong together, landed at once,
//! while somebody else commits to the base.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use git2::{Oid, Repository, Tree};

use crate::ledger::{Entry, Ledger};
use crate::place::{Ended, Place};

/// How long a command may take among so many.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often a result is tried whose base does not stand still.
const TRIES: usize = 20;
/// How many milliseconds somebody else waits from one commit to the next: at
/// times too few to land anything between them.
const PAUSE: std::ops::Range<u64> = 100..2500;

/// No two files claim the same; the check writes down which trees it saw.
const WORLD: &str = r#"
git config --global user.name Test; git config --global user.email test@example.com
git init -q -b main .
mkdir claims lines; echo none >claims/0-none
cat >check.sh <<'.'
git rev-parse 'HEAD^{tree}' >>"$1"
[ -z "$(git status --porcelain)" ] && [ -z "$(ls claims | sed 's/-.*//' | sort | uniq -d)" ]
.
printf "version: 1\nbase: main\nchecks: ['sh check.sh %s/checked']\n" "$(dirname "$PWD")" >.orch.yml
git add .; git commit -qm 'all there is'; git switch -q -c desk; git-orch -q trust --yes
"#;

/// A commit of somebody else's, with no check and no lock.
const COMMIT: &str = r#"
export GIT_INDEX_FILE=../index; old=$(git rev-parse main); git read-tree $old
git update-index --add --cacheinfo 100644,$(echo N | git hash-object -w --stdin),person/N
git update-ref refs/heads/main $(git commit-tree $(git write-tree) -p $old -m 'person N') $old"#;

/// Land changes that are fine alone and wrong together
#[derive(Debug, clap::Args)]
pub(crate) struct LandingsArgs {
    /// How many pairs
    #[arg(long, value_name = "N", default_value_t = 500)]
    count: usize,
    /// How many land at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    processes: usize,
    /// Begin nothing new after so many minutes
    #[arg(long, value_name = "M")]
    minutes: Option<f64>,
    /// What chance begins with
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the repository is made and results are kept
    #[arg(long, value_name = "DIR", default_value_os_t = crate::sweep::default_state())]
    state: PathBuf,
}

/// What is wrong with two changes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Clash {
    /// They change the same line.
    Textual,
    /// The check passes with each, and fails with both.
    Semantic,
    /// Nothing.
    Harmless,
}

/// One change of a pair.
#[derive(Clone, Debug)]
struct Change {
    name: String,
    script: String,
    pair: usize,
    clash: Clash,
}

/// How landing one went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Landed {
    Yes,
    /// The check failed.
    Red,
    /// It conflicts.
    Conflict,
}

/// The repository and what is found broken.
struct Course {
    place: Place,
    broken: Mutex<Vec<String>>,
    /// Commands that were refused because the base did not stand still.
    starved: AtomicUsize,
    commits: AtomicUsize,
}

/// Lands all pairs; whether nothing is broken.
pub(crate) fn run(args: &LandingsArgs) -> Result<bool, String> {
    let ledger = Ledger::open(&args.state, "landings");
    let place = Place::new(args.state.join("landings"));
    let sessions: Vec<usize> = (0..args.processes).collect();
    let mut world = WORLD.to_owned();
    for session in &sessions {
        writeln!(world, "git-orch -q add-session s{session} --paths src/{session}").unwrap();
    }
    place.prepare(&world);
    let course = Course {
        place,
        broken: Mutex::default(),
        starved: AtomicUsize::new(0),
        commits: AtomicUsize::new(0),
    };
    let deadline = args.minutes.map(|minutes| Instant::now() + Duration::from_secs_f64(minutes * 60.0));
    let (mut rng, mut landed, mut pairs) = (fastrand::Rng::with_seed(args.seed), HashMap::new(), 0);
    while pairs < args.count && deadline.is_none_or(|deadline| Instant::now() < deadline) {
        let changes = changes(pairs, args.processes / 2, &mut rng);
        pairs += args.processes / 2;
        // Each lands its own, or each lands whatever waits.
        let by_name = rng.bool();
        for (change, how) in course.round(&changes, by_name) {
            *landed.entry((change.clash, how)).or_insert(0) += 1;
        }
    }
    course.look_at_main();
    println!("{pairs} pairs, {}", course.figures(&landed));
    let broken = course.broken.lock().unwrap().clone();
    let entry =
        Entry { scenario: "landings".to_owned(), at: args.seed.to_string(), broken, ..Entry::default() };
    let again =
        format!("landings --count {} --processes {} --seed {}", args.count, args.processes, args.seed);
    let is_whole = entry.broken.is_empty();
    ledger.record(entry, &course.place, &again);
    Ok(is_whole)
}

/// The changes of so many pairs.
fn changes(first: usize, pairs: usize, rng: &mut fastrand::Rng) -> Vec<Change> {
    let mut changes = Vec::new();
    for pair in first..first + pairs {
        let clash =
            rng.choice([Clash::Textual, Clash::Textual, Clash::Semantic, Clash::Semantic, Clash::Harmless]);
        let clash = clash.expect("there are some");
        for half in ["a", "b"] {
            let script = match clash {
                Clash::Textual => format!("echo {half} >lines/{pair}"),
                Clash::Semantic => format!("echo {half} >claims/{}-{half}", pair + 1),
                Clash::Harmless => format!("echo {half} >lines/{pair}-{half}"),
            };
            changes.push(Change {
                name: format!("p{pair}{half}"),
                script: format!("mkdir -p lines claims; {script}"),
                pair,
                clash,
            });
        }
    }
    rng.shuffle(&mut changes);
    changes
}

impl Course {
    fn run(&self, args: &[&str]) -> Ended {
        self.place.start(self.place.orch(args)).end(PATIENCE)
    }

    fn breach(&self, line: String) {
        println!("BROKEN {line}");
        self.broken.lock().unwrap().push(line);
    }

    /// Makes changes, each in its session, then lands them all at once.
    fn round<'c>(&self, changes: &'c [Change], by_name: bool) -> Vec<(&'c Change, Landed)> {
        each(changes, |number, change| {
            let session = format!("s{number}");
            let made =
                self.run(&["task", &change.name, "--session", &session, "--", "sh", "-c", &change.script]);
            if !made.is_success() {
                self.breach(format!("P6 `task`, {}", made.why()));
            }
        });
        let done = AtomicBool::new(false);
        let landed = std::thread::scope(|scope| {
            scope.spawn(|| self.commit_until(&done));
            let landed =
                each(changes, |_, change| if by_name { self.land(change) } else { self.land_all(change) });
            done.store(true, Ordering::Relaxed);
            landed
        });
        let landed: Vec<(&Change, Landed)> = changes.iter().zip(landed).collect();
        if !by_name {
            landed
                .iter()
                .filter(|(_, how)| *how != Landed::Yes)
                .for_each(|(change, _)| self.call_off(change));
        }
        for &(change, how) in &landed {
            let other =
                landed.iter().find(|other| other.0.pair == change.pair && other.0.name != change.name);
            let other = other.expect("changes come in pairs").1;
            let right = match change.clash {
                Clash::Harmless => how == Landed::Yes,
                Clash::Textual => (how == Landed::Yes) != (other == Landed::Yes) && how != Landed::Red,
                Clash::Semantic => (how == Landed::Yes) != (other == Landed::Yes) && how != Landed::Conflict,
            };
            if !right {
                self.breach(format!(
                    "P4 of a {:?} pair, {} is {how:?}, the other one {other:?}",
                    change.clash, change.name
                ));
            }
        }
        landed
    }

    /// Lands one, and calls it off where that can't be.
    fn land(&self, change: &Change) -> Landed {
        let mut why = String::new();
        for _ in 0..TRIES {
            let ended = self.run(&["merge", &change.name]);
            let how = match ended.code {
                0 => return Landed::Yes,
                1 => Landed::Red,
                3 if ended.stdout.contains("conflicts with") => Landed::Conflict,
                3 => {
                    self.starved.fetch_add(1, Ordering::Relaxed);
                    why = ended.why();
                    continue;
                }
                _ => {
                    self.breach(format!("P6 `merge`, {}", ended.why()));
                    continue;
                }
            };
            self.call_off(change);
            return how;
        }
        self.breach(format!("P6 `{}` never gets its turn, {why}", change.name));
        Landed::Conflict
    }

    /// Lands whatever waits, until this one has landed or went back.
    fn land_all(&self, change: &Change) -> Landed {
        for _ in 0..TRIES {
            let ended = self.run(&["merge"]);
            if ![0, 1, 3].contains(&ended.code) {
                self.breach(format!("P6 `merge`, {}", ended.why()));
            }
            let shown = self.run(&["show", &change.name]).stdout;
            if shown.contains(": merged") {
                return Landed::Yes;
            }
            if shown.contains("conflicts with main") || self.is_being_resolved(change) {
                return Landed::Conflict;
            }
            if shown.contains(": changes") {
                return Landed::Red;
            }
            self.starved.fetch_add(1, Ordering::Relaxed);
        }
        self.breach(format!("P6 `{}` never gets its turn among all", change.name));
        Landed::Conflict
    }

    fn is_being_resolved(&self, change: &Change) -> bool {
        self.run(&["show", &format!("resolve-{}", change.name)]).is_success()
    }

    /// Calls one off, and the task in which somebody was to make it fit.
    fn call_off(&self, change: &Change) {
        let mut names = vec![change.name.clone()];
        if self.is_being_resolved(change) {
            names.push(format!("resolve-{}", change.name));
        }
        for name in names {
            let cancelled = self.run(&["cancel", &name]);
            if !cancelled.is_success() {
                self.breach(format!("P6 `cancel`, {}", cancelled.why()));
            }
        }
    }

    /// Commits to the base again and again, as somebody else would.
    fn commit_until(&self, done: &AtomicBool) {
        while !done.load(Ordering::Relaxed) {
            let number = self.commits.load(Ordering::Relaxed).to_string();
            // The base may have moved meanwhile, and then this one is refused.
            if self.place.script(&COMMIT.replace('N', &number)).is_success() {
                self.commits.fetch_add(1, Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(fastrand::u64(PAUSE)));
        }
    }

    fn checked(&self) -> Vec<String> {
        let text = fs::read_to_string(self.place.top().join("checked")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The check passes at every commit of main's own line, and has seen all
    /// that is not somebody else's.
    fn look_at_main(&self) {
        let checked: HashSet<String> = self.checked().into_iter().collect();
        let repository = Repository::open(self.place.shop()).unwrap();
        let mut next = Some(repository.refname_to_id("refs/heads/main").unwrap());
        while let Some(id) = next {
            let commit = repository.find_commit(id).unwrap();
            let tree = commit.tree().unwrap();
            if let Some(key) = claimed_twice(&repository, &tree) {
                self.breach(format!("P4 {key} is claimed twice in {id}"));
            }
            let is_own = commit.message().is_ok_and(|message| message.starts_with("person "));
            let is_first = commit.parent_count() == 0;
            if !is_own && !is_first && !checked.contains(&tree.id().to_string()) {
                self.breach(format!("P4 the tree of {id} was not checked"));
            }
            next = commit.parent_id(0).ok();
        }
    }

    fn figures(&self, landed: &HashMap<(Clash, Landed), usize>) -> String {
        let count = |how: Landed| {
            landed.iter().filter(|(key, _)| key.1 == how).map(|(_, count)| count).sum::<usize>()
        };
        let (yes, red, conflicts) = (count(Landed::Yes), count(Landed::Red), count(Landed::Conflict));
        let checks = self.checked().len();
        format!(
            "{yes} landed, {red} failed the check, {conflicts} conflicted; {checks} checks, \
             {} of them again because the base moved; {} commits of somebody else's; {} refused for now",
            checks.saturating_sub(yes + red),
            self.commits.load(Ordering::Relaxed),
            self.starved.load(Ordering::Relaxed)
        )
    }
}

/// Does something with all at once.
fn each<T: Send>(changes: &[Change], work: impl Fn(usize, &Change) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = changes
            .iter()
            .enumerate()
            .map(|(number, change)| scope.spawn(move || work(number, change)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// What two files claim.
fn claimed_twice(repository: &Repository, tree: &Tree<'_>) -> Option<String> {
    let claims: Oid = tree.get_name("claims")?.id();
    let mut keys = HashSet::new();
    repository.find_tree(claims).unwrap().iter().find_map(|entry| {
        let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
        let key = name.split('-').next().unwrap_or_default().to_owned();
        (!keys.insert(key.clone())).then_some(key)
    })
}
