//! Kills at one system call after the other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::faults::{Faults, Mode, Victim};
use crate::ledger::{Entry, Ledger};
use crate::place::Place;
use crate::processes;
use crate::promises::{self, World};
use crate::scenario::{self, Scenario};

/// Kill at every k-th call that changes something
#[derive(Debug, clap::Args)]
pub(crate) struct SweepArgs {
    /// Only these are killed
    #[arg(long, value_enum)]
    victim: Vec<Victim>,
    /// Kill the recovery as well, only at this call of it
    #[arg(long, value_name = "J", requires = "at")]
    then: Option<u32>,
    /// Kill the recovery as well, at one call after the other
    #[arg(long)]
    during_recovery: bool,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
}

/// How much is tried, and where.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Bounds {
    /// Only these scenarios
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Vec<String>,
    /// Only at this call
    #[arg(long, value_name = "K")]
    pub(crate) at: Option<u32>,
    /// Try so many points, chosen by chance
    #[arg(long, value_name = "N")]
    pub(crate) runs: Option<usize>,
    /// Begin nothing new after so many minutes
    #[arg(long, value_name = "M")]
    pub(crate) minutes: Option<f64>,
    /// Try every n-th call only, beginning as the seed says
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) sample: u32,
    /// What chance begins with
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many at once
    #[arg(long, default_value_t = 2)]
    pub(crate) workers: usize,
    /// Where repositories are made and results are kept
    #[arg(long, value_name = "DIR", default_value_os_t = default_state())]
    pub(crate) state: PathBuf,
    /// Only say what was found so far
    #[arg(long)]
    pub(crate) report: bool,
}

/// Where results are kept if nothing else is said.
pub(crate) fn default_state() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.join("orch-stress") } else { std::env::temp_dir().join("orch-stress") }
}

impl Bounds {
    /// When nothing new is begun any more.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.minutes.map(|minutes| Instant::now() + Duration::from_secs_f64(minutes * 60.0))
    }

    /// The scenarios that are tried.
    pub(crate) fn scenarios(&self) -> Result<Vec<&'static Scenario>, String> {
        if self.scenario.is_empty() {
            return Ok(scenario::all().collect());
        }
        self.scenario.iter().map(|name| scenario::find(name)).collect()
    }

    /// How many of so many points are tried.
    pub(crate) fn share(&self, points: usize) -> usize {
        points.div_ceil(self.sample.max(1) as usize).min(self.runs.unwrap_or(usize::MAX))
    }

    /// The calls that are tried of so many.
    pub(crate) fn calls(&self, calls: u32) -> impl Iterator<Item = u32> + use<> {
        let first = 1 + u32::try_from(self.seed % u64::from(self.sample.max(1))).unwrap();
        (first..=calls).step_by(self.sample.max(1) as usize)
    }
}

/// One point to strike at.
#[derive(Clone, Copy, Debug)]
struct Point {
    scenario: &'static Scenario,
    mode: Mode,
    at: u32,
}

/// What all workers share.
pub(crate) struct Sweep<'a> {
    /// Its ledger's name, which is the command's too.
    pub(crate) name: &'static str,
    pub(crate) modes: Vec<Mode>,
    pub(crate) bounds: &'a Bounds,
    pub(crate) recovery: Recovery,
}

/// What is done to the recovery from a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Nothing.
    Whole,
    /// It is killed at one call after the other.
    KilledEverywhere,
    /// It is killed at this call.
    KilledAt(u32),
}

/// Sweeps with kills; whether nothing is broken.
pub(crate) fn run(args: &SweepArgs) -> Result<bool, String> {
    let victims = if args.victim.is_empty() { Victim::value_variants() } else { &args.victim };
    let recovery = match args.then {
        Some(then) => Recovery::KilledAt(then),
        None if args.during_recovery => Recovery::KilledEverywhere,
        None => Recovery::Whole,
    };
    let modes = victims.iter().map(|victim| Mode::Kill(*victim)).collect();
    Sweep { name: "sweep", modes, bounds: &args.bounds, recovery }.run()
}

impl Sweep<'_> {
    /// Tries every point; whether nothing is broken.
    pub(crate) fn run(&self) -> Result<bool, String> {
        let bounds = self.bounds;
        let ledger = Ledger::open(&bounds.state, self.name);
        if bounds.report {
            println!("{}", ledger.report());
            return Ok(ledger.broken() == 0);
        }
        let Some(library) = crate::library(&bounds.state)? else { return Ok(true) };
        let worker = |number| Worker::new(self, &ledger, &library, number);
        let mut first = worker(0);
        let points = self.points(&mut first)?;
        println!("{} points, {} were tried before", points.len(), ledger.keys().len());
        side_by_side(bounds, points, first, worker, Worker::try_point);
        println!("{}", ledger.report());
        Ok(ledger.broken() == 0)
    }

    /// The points still to be tried, in an order of chance.
    fn points(&self, worker: &mut Worker<'_>) -> Result<Vec<Point>, String> {
        let bounds = self.bounds;
        let done = worker.ledger.keys();
        let mut points = Vec::new();
        for scenario in bounds.scenarios()? {
            for &mode in &self.modes {
                let point = |at| Point { scenario, mode, at };
                match bounds.at {
                    Some(at) => points.push(point(at)),
                    None => points.extend(bounds.calls(worker.calls(scenario, mode)).map(point)),
                }
            }
        }
        if bounds.at.is_none() {
            let then = (self.recovery != Recovery::Whole).then_some(u32::MAX);
            points.retain(|point| !done.contains(&point.key(then)));
            fastrand::Rng::with_seed(bounds.seed).shuffle(&mut points);
            points.truncate(bounds.runs.unwrap_or(usize::MAX));
        }
        Ok(points)
    }
}

/// Lets workers, the first of which there is already, take one thing after the
/// other until none is left, or no time.
pub(crate) fn side_by_side<Worker, Thing: Send>(
    bounds: &Bounds,
    things: Vec<Thing>,
    first: Worker,
    worker: impl Fn(usize) -> Worker + Sync,
    work: impl Fn(&mut Worker, Thing) + Sync,
) {
    let (queue, deadline) = (Mutex::new(things.into_iter()), bounds.deadline());
    let work_off = |mut worker: Worker| {
        while deadline.is_none_or(|deadline| Instant::now() < deadline) {
            let Some(thing) = queue.lock().unwrap().next() else { break };
            work(&mut worker, thing);
        }
    };
    std::thread::scope(|scope| {
        for number in 1..bounds.workers {
            let (worker, work_off) = (&worker, &work_off);
            scope.spawn(move || work_off(worker(number)));
        }
        work_off(first);
    });
}

impl Point {
    fn name(&self, then: Option<u32>) -> String {
        if then.is_some() { format!("{}-twice", self.mode.name()) } else { self.mode.name() }
    }

    fn key(&self, then: Option<u32>) -> crate::ledger::Key {
        (
            self.scenario.name.to_owned(),
            self.name(then),
            self.at.to_string(),
            then.map(|then| then.to_string()),
        )
    }
}

/// One thread with its place and the worlds it has prepared.
struct Worker<'a> {
    sweep: &'a Sweep<'a>,
    ledger: &'a Ledger,
    place: Place,
    faults: Faults,
    worlds: HashMap<&'static str, World>,
}

impl<'a> Worker<'a> {
    fn new(sweep: &'a Sweep<'a>, ledger: &'a Ledger, library: &Path, number: usize) -> Self {
        let place = Place::new(sweep.bounds.state.join(format!("{}-{number}", sweep.name)));
        let faults = Faults::new(library, place.folder());
        Self { sweep, ledger, place, faults, worlds: HashMap::new() }
    }

    /// Prepares a scenario, once.
    fn prepare(&mut self, scenario: &'static Scenario) {
        let prepare = || World::prepare(scenario, &self.place);
        self.worlds.entry(scenario.name).or_insert_with(prepare);
    }

    fn calls(&mut self, scenario: &'static Scenario, mode: Mode) -> u32 {
        self.prepare(scenario);
        let calls = self.worlds[scenario.name].calls(&self.place, &self.faults, mode);
        println!("{:<24} {:<14} {calls} calls", scenario.name, mode.name());
        calls
    }

    fn try_point(&mut self, point: Point) {
        self.prepare(point.scenario);
        let (world, site) = (&self.worlds[point.scenario.name], (&self.place, &self.faults));
        let mut broken = Vec::new();
        let crash = world.crash(site, (point.mode, point.at), &mut broken);
        let entry = Entry {
            scenario: point.scenario.name.to_owned(),
            mode: point.name(None),
            at: point.at.to_string(),
            call: crash.struck.call.clone(),
            exit: crash.ended.code,
            ..Entry::default()
        };
        let (bounds, crashed) = (self.sweep.bounds, self.place.folder().join("crashed"));
        let (mut then, last) = match self.sweep.recovery {
            Recovery::Whole => {
                let recovery = world.recover(&self.place, &crash, &mut broken).as_millis() as u64;
                return self.record(Entry { recovery, broken, ..entry });
            }
            Recovery::KilledEverywhere => (bounds.calls(u32::MAX).next().unwrap_or(1), u32::MAX),
            Recovery::KilledAt(then) => (then, then),
        };
        self.place.keep(&crashed);
        loop {
            let mut broken = Vec::new();
            self.place.restore(&crashed);
            let (_, struck) = promises::struck(site, &["doctor", "--fix"], (point.mode, then));
            processes::wait_for_none(&self.place.mark(), promises::CHILDREN);
            let recovery = world.recover(&self.place, &crash, &mut broken).as_millis() as u64;
            let is_last = struck.call.is_none() || then == last;
            let then_tried = Some(if struck.call.is_none() { u32::MAX } else { then });
            let mode = point.name(then_tried);
            let then_tried = then_tried.map(|then| then.to_string());
            self.record(Entry { mode, then: then_tried, recovery, broken, ..entry.clone() });
            if is_last {
                return;
            }
            then += bounds.sample.max(1);
        }
    }

    fn record(&self, entry: Entry) {
        let Entry { scenario, at, then, .. } = &entry;
        let then = then.as_ref().map(|then| format!(" --then {then}")).unwrap_or_default();
        let (name, option) =
            (self.sweep.name, if self.sweep.name == "sweep" { "--victim" } else { "--mode" });
        let struck = entry.mode.trim_end_matches("-twice");
        let again = format!("{name} --scenario {scenario} {option} {struck} --at {at}{then}");
        self.ledger.record(entry, &self.place, &again);
    }
}
