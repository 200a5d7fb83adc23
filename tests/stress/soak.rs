//! Hours of everything, with somebody killed every moment.
//!
//! Cycles of some seconds on one repository that is never made anew; behind
//! each of them all that was ever there must still be there, and nothing grows.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::inventory::{Holdings, Things};
use crate::ledger::{Entry, Ledger};
use crate::place::{Ended, Place};
use crate::processes;
use crate::promises::{CHILDREN, ELSEWHERE, LEFTOVERS};
use crate::real::Mount;

/// How long a cycle is.
const CYCLE: Duration = Duration::from_secs(15);
/// How long a command may take: longer than git-orch waits for anything.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many sessions there should be.
const SESSIONS: usize = 6;
/// How large the disk is that agents fill.
const DISK: &str = "size=512m";

const WORLD: &str = r##"
git config --global user.name Test; git config --global user.email test@example.com
# All dates are old, and agents' own git clears up by itself.
git config --global gc.reflogExpire never; git config --global gc.reflogExpireUnreachable never
git init -q -b main .
mkdir docs; for n in $(seq 0 19); do echo "$n" >docs/$n.md; done; echo '# shop' >README.md
printf '*.secret\n' >.gitignore
printf "version: 1\nbase: main\nchecks: ['[ -z \"\$(git status --porcelain)\" ]']\n" >.orch.yml
elsewhere; git add .; git commit -qm 'all there is'; git switch -q -c desk
git worktree add -q ../mine -b topic; echo mine >../mine/mine.txt
echo edited >>README.md; echo note >notes.txt; echo key >key.secret
"##;

/// What agents do, each with a word that is in no other's work.
const AGENTS: [&str; 11] = [
    "echo WORD >WORD",
    "echo WORD >WORD; echo WORD >WORD.secret; exit 3",
    "echo WORD >WORD; git add WORD; git commit -qm WORD; git rev-parse HEAD >>TOP/commits; echo more WORD >WORD.2",
    "git checkout -q --detach; echo WORD >WORD; git add WORD; git commit -qm WORD; git rev-parse HEAD >>TOP/commits",
    "git checkout -q -b own-WORD; echo WORD >WORD; git add WORD; git commit -qm WORD
     git rev-parse HEAD >>TOP/commits; exit 1",
    "echo WORD >WORD; git add WORD; echo later WORD >>WORD; sleep 1; echo WORD >WORD.3",
    "echo WORD >WORD; rm .git",
    "echo WORD >>README.md; sleep 0.5",
    "for n in $(seq 40); do echo WORD $n >WORD-$n; done; (sleep 30 & sleep 30) & sleep 0.3",
    "trap '' TERM INT HUP; echo WORD >WORD; sleep 1.5",
    "echo WORD >WORD; dd if=/dev/zero of=TOP/ballast bs=64k 2>/dev/null ||:; echo WORD >WORD.4; rm -f TOP/ballast",
];

/// Do everything for long, and kill somebody every moment
#[derive(Debug, clap::Args)]
pub(crate) struct SoakArgs {
    /// How long; what an earlier one left is gone on with
    #[arg(long, value_name = "M", default_value_t = 30.0)]
    minutes: f64,
    /// How many processes at once
    #[arg(long, value_name = "N", default_value_t = 4)]
    processes: usize,
    /// What chance begins with
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the repository is made and results are kept
    #[arg(long, value_name = "DIR", default_value_os_t = crate::sweep::default_state())]
    state: PathBuf,
    /// Only say what was found so far
    #[arg(long)]
    report: bool,
}

/// Who lives through it.
struct Soak {
    place: Place,
    /// The leaders at work.
    leaders: Vec<AtomicU32>,
    serial: AtomicU32,
    commands: AtomicU32,
    kills: AtomicU32,
    /// Words whose task was acknowledged.
    words: Mutex<Vec<String>>,
    broken: Mutex<Vec<String>>,
}

/// Soaks; whether nothing is broken.
pub(crate) fn run(args: &SoakArgs) -> Result<bool, String> {
    let ledger = Ledger::open(&args.state, "soak");
    if args.report {
        println!("{}", ledger.report());
        return Ok(ledger.broken() == 0);
    }
    let deadline = Instant::now() + Duration::from_secs_f64(args.minutes * 60.0);
    let tried = ledger.keys().len();
    let folder = args.state.join("soak");
    let place = if tried == 0 { Place::new(folder) } else { Place::again(folder) };
    fs::create_dir_all(place.top()).unwrap();
    let _disk = rustix::process::getuid().is_root().then(|| Mount::over(place.top(), DISK));
    let aside = place.folder().join("aside");
    if tried == 0 {
        place.prepare(WORLD);
        place.keep(&aside);
    } else {
        place.restore(&aside);
    }
    let leaders = (0..args.processes).map(|_| AtomicU32::new(0)).collect();
    let soak = Soak::new(place, leaders, tried);
    let (own, mut held) = (Things::of_user(&soak.place), Holdings::of(&soak.place));
    let mut cycle = tried;
    while Instant::now() < deadline {
        soak.cycle(args.seed.wrapping_mul(1_000_003) + cycle as u64);
        let recovery = soak.look(&own, &mut held).as_millis() as u64;
        let broken = std::mem::take(&mut *soak.broken.lock().unwrap());
        println!("cycle {cycle}: {}, recovery {recovery} ms", soak.figures());
        let entry = Entry {
            scenario: "soak".to_owned(),
            at: cycle.to_string(),
            recovery,
            broken,
            ..Entry::default()
        };
        ledger.record(
            entry,
            &soak.place,
            &format!("soak --processes {} --seed {}", args.processes, args.seed),
        );
        soak.place.keep(&aside);
        cycle += 1;
    }
    println!("{}", ledger.report());
    Ok(ledger.broken() == 0)
}

impl Soak {
    fn new(place: Place, leaders: Vec<AtomicU32>, cycles: usize) -> Self {
        let zero = || AtomicU32::new(0);
        let serial = AtomicU32::new(u32::try_from(cycles).unwrap() * 1000);
        let (words, broken) = (Mutex::default(), Mutex::default());
        Self { place, leaders, serial, commands: zero(), kills: zero(), words, broken }
    }

    fn breach(&self, line: String) {
        self.broken.lock().unwrap().push(line);
    }

    /// All work, and somebody is killed every moment.
    fn cycle(&self, seed: u64) {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.leaders.len())
                .map(|number| {
                    let done = &done;
                    let rng = fastrand::Rng::with_seed(seed * 64 + number as u64);
                    scope.spawn(move || self.work(number, rng, done))
                })
                .collect();
            scope.spawn(|| self.kill_until(fastrand::Rng::with_seed(seed), &done));
            std::thread::sleep(CYCLE);
            done.store(true, Ordering::Relaxed);
            drop(workers);
        });
    }

    fn kill_until(&self, mut rng: fastrand::Rng, done: &AtomicBool) {
        while !done.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(rng.u64(500..3000)));
            let mut living = processes::living(&self.place.mark());
            // Who is dead can't take over from a supervisor that is killed at its work.
            living.retain(|(process, line)| !line.contains("__supervise") || processes::has_parent(*process));
            let leader = rng.choice(&self.leaders).unwrap().load(Ordering::Relaxed);
            let Some((any, _)) = rng.choice(&living) else { continue };
            let leads = living.iter().any(|(process, _)| *process == leader);
            match rng.u32(0..10) {
                0..4 if leads => processes::kill(leader),
                4..7 if leads => processes::kill_group(leader),
                _ => processes::kill(*any),
            }
            self.kills.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn work(&self, number: usize, mut rng: fastrand::Rng, done: &AtomicBool) {
        while !done.load(Ordering::Relaxed) {
            let name = self.some_task(&mut rng);
            let name = name.as_deref();
            match (rng.u32(0..20), name) {
                (0..5, _) => self.task(number, &mut rng),
                (5..7, _) => self.plan(number),
                (7, _) => self.fanout(number, &mut rng),
                (8, _) => self.add_session(number, &mut rng),
                (9, _) => {
                    drop(self.run(number, &["remove-session", &format!("s{}", rng.usize(0..SESSIONS))]))
                }
                // A fan-out would land on the branch of the checkout.
                (10..13, Some(name)) => drop(self.run(number, &["merge", name])),
                (13, Some(name)) => drop(self.run(number, &["cancel", name])),
                (14, Some(name)) => {
                    let script = self.script(&mut rng).0;
                    drop(self.run(number, &["retry", name, "--", "sh", "-c", &script]));
                }
                (15, Some(name)) => drop(self.run(number, &["done", name, "--commit"])),
                (16, Some(name)) => drop(self.run(number, &["review", name, "--approve", "-m", "fine"])),
                (17, _) => drop(self.run(number, &["undo"])),
                (18, _) => drop(self.run(number, &["doctor", "--fix"])),
                _ => drop(self.run(number, &["log", "--ops"])),
            }
        }
    }

    fn run(&self, number: usize, args: &[&str]) -> Ended {
        let started = self.place.start(self.place.orch(args));
        self.leaders[number].store(started.process(), Ordering::Relaxed);
        let ended = started.end(PATIENCE);
        self.leaders[number].store(0, Ordering::Relaxed);
        self.commands.fetch_add(1, Ordering::Relaxed);
        if [crate::place::HANGS, 70, 101, 134, 139].contains(&ended.code) || ended.stderr.contains("panicked")
        {
            self.breach(format!("P5 `{}` breaks down, {}", args[0], ended.why()));
        }
        ended
    }

    fn word(&self) -> String {
        format!("w{}", self.serial.fetch_add(1, Ordering::Relaxed))
    }

    /// What an agent does, and its word.
    fn script(&self, rng: &mut fastrand::Rng) -> (String, String) {
        let word = self.word();
        let top = self.place.top().display().to_string();
        (rng.choice(AGENTS).unwrap().replace("WORD", &word).replace("TOP", &top), word)
    }

    fn task(&self, number: usize, rng: &mut fastrand::Rng) {
        let (script, word) = self.script(rng);
        let session = format!("s{}", rng.usize(0..SESSIONS));
        match self.run(number, &["task", &word, "--session", &session, "--", "sh", "-c", &script]).code {
            0 => self.words.lock().unwrap().push(word),
            // There is no such session at the moment.
            2 => self.add_session(number, rng),
            _ => {}
        }
    }

    fn plan(&self, number: usize) {
        let texts = [self.word(), self.word(), self.word()];
        let agent = "echo $GIT_ORCH_TASK >$GIT_ORCH_TASK; sleep 0.3";
        let [one, two, three] = texts.each_ref().map(String::as_str);
        let told = self.run(number, &["plan", one, two, three, "--run", "--", "sh", "-c", agent]).stdout;
        let done = |text: &String| told.lines().any(|line| line.contains(&format!("  done      {text} ")));
        self.words.lock().unwrap().extend(texts.into_iter().filter(done));
    }

    /// Here or elsewhere, or as long as a checker finds a file without a word.
    fn fanout(&self, number: usize, rng: &mut fastrand::Rng) {
        let word = self.word();
        let script = format!("for f; do echo {word} >>\"$f\"; done; sleep 0.2");
        let first = format!("f=$(grep -L {word} \"$@\" | head -n 1); echo {word} >>\"$f\"; sleep 0.1");
        let from = format!("grep -L {word} docs/* | sed 's/$/:1: it has no word/'");
        let more: &[&str] = match rng.u32(0..3) {
            0 => &["--run", &script],
            1 => &["--run", &script, "--on", "exec:here"],
            _ => &["--run", &first, "--from", &from],
        };
        self.run(number, &[&["fanout", &word, "--paths", "docs", "--shards", "3"], more].concat());
    }

    fn add_session(&self, number: usize, rng: &mut fastrand::Rng) {
        let number_of = rng.usize(0..SESSIONS);
        self.run(number, &["add-session", &format!("s{number_of}"), "--paths", &format!("src/{number_of}")]);
    }

    /// The name of one task or another.
    fn some_task(&self, rng: &mut fastrand::Rng) -> Option<String> {
        let refs = self.place.script("git for-each-ref --format='%(refname:lstrip=3)' refs/orch/task");
        let names: Vec<&str> = refs.stdout.lines().collect();
        rng.choice(names).map(str::to_owned)
    }

    /// Everything that must hold when all is quiet; how long recovery took.
    fn look(&self, own: &Things, held: &mut Holdings) -> Duration {
        for (process, line) in processes::wait_for_none(&self.place.mark(), CHILDREN) {
            self.breach(format!("P7 still alive: {line}"));
            processes::kill(process);
        }
        drop(fs::remove_file(self.place.top().join("ballast")));
        // As doctor says where an agent took the file away.
        self.place.script("for s in ../shop.orch/*/; do [ -e $s.git ] || git worktree repair $s; done");
        held.extend(Holdings::of(&self.place));
        let fix = self.place.run(self.place.orch(&["doctor", "--fix"]));
        for (what, ended) in
            [("doctor --fix", fix.clone()), ("doctor", self.place.run(self.place.orch(&["doctor"])))]
        {
            if !ended.is_success() {
                self.breach(format!("P5 `{what}` after it, {}", ended.told()));
            }
        }
        for (process, line) in processes::wait_for_none_elsewhere(&self.place.mark(), ELSEWHERE) {
            self.breach(format!("P7 still at work elsewhere: {line}"));
            processes::kill(process);
        }
        // Landing moves main, which is checked out nowhere.
        let own = own.clone().without(&["ref refs/heads/main", "ref refs/heads/own-"]);
        let now = Things::of_user(&self.place).without(&["ref refs/heads/main", "ref refs/heads/own-"]);
        for change in own.differences(&now) {
            self.breach(format!("P3 {change}"));
        }
        for lost in held.lost(&self.place) {
            self.breach(format!("P1/P2 lost: {lost}"));
        }
        self.look_at_work();
        for line in self.place.script(LEFTOVERS).stdout.lines() {
            self.breach(format!("P5 left behind: {line}"));
        }
        for line in self.place.script("ls -A .git/orch/journal").stdout.lines() {
            self.breach(format!("P5 left in the journal: {line}"));
        }
        self.look_at_sessions();
        fix.elapsed
    }

    /// What was committed, and what was acknowledged, some ref holds.
    fn look_at_work(&self) {
        let listed = self.place.script("git rev-list --objects --all --no-object-names");
        let all: HashSet<&str> = listed.stdout.lines().collect();
        let commits = fs::read_to_string(self.place.top().join("commits")).unwrap_or_default();
        for commit in commits.lines().filter(|commit| commit.len() == 40 && !all.contains(commit)) {
            self.breach(format!("P1 no ref holds the commit {commit}"));
        }
        for word in self.words.lock().unwrap().drain(..) {
            let found = self.place.script(&format!(
                "git log --all --format=%H -S{word} -- . | grep -q . || git log --all --format=%B | grep -qw {word}"
            ));
            if !found.is_success() {
                self.breach(format!("P6 the acknowledged work of {word} is gone"));
            }
        }
    }

    /// There are worktrees for sessions, and no others.
    fn look_at_sessions(&self) {
        let told = self.place.run(self.place.orch(&["sessions", "--json"]));
        let value: Value = serde_json::from_str(&told.stdout).unwrap_or_default();
        let sessions: BTreeSet<&str> = value["data"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["worktree"].as_str())
            .collect();
        let listed =
            self.place.script("git worktree list --porcelain | sed -n '2,$s/^worktree //p' | grep -v /mine$");
        let worktrees: BTreeSet<&str> = listed.stdout.lines().collect();
        for one in sessions.symmetric_difference(&worktrees) {
            let word = if sessions.contains(one) { "missing" } else { "stray" };
            self.breach(format!("P5 {word} worktree: {one}"));
        }
    }

    fn figures(&self) -> String {
        let count = |script: &str| self.place.script(script).stdout.trim().to_owned();
        format!(
            "{} commands, {} kills, {} refs, {} files of git-orch's own, {} lock files, {} MB",
            self.commands.load(Ordering::Relaxed),
            self.kills.load(Ordering::Relaxed),
            count("git for-each-ref | wc -l"),
            count("find .git/orch -type f | wc -l"),
            count("find .git/orch -name '*.lock' | wc -l"),
            count("du -sm .. | cut -f 1")
        )
    }
}
