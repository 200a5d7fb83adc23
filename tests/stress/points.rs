//! Strikes at the fault points that are compiled in with the feature `faults`.
//!
//! `src/git/fault.rs` tells what a point is and which variables strike there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;

use clap::ValueEnum;

use crate::faults::Struck;
use crate::ledger::{self, Entry, Ledger};
use crate::place::{Ended, Place};
use crate::processes;
use crate::promises::{self, Crash, World};
use crate::scenario::Scenario;
use crate::sweep::{Bounds, side_by_side};

/// How many differently named points there must be.
const WANTED: usize = 60;

/// Strike at every fault point that is compiled in
#[derive(Debug, clap::Args)]
pub(crate) struct PointsArgs {
    /// Only strike like this
    #[arg(long, value_enum)]
    how: Vec<How>,
    /// Only at this point, as `task:refs written=2`
    #[arg(long, value_name = "POINT")]
    point: Option<String>,
    /// Kill the recovery from each kill as well, only at this point of it
    #[arg(long, value_name = "POINT", requires = "point")]
    then: Option<String>,
    /// Kill the recovery from each kill as well, at one point after the other
    #[arg(long)]
    during_recovery: bool,
    /// Only list the points
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    bounds: Bounds,
}

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum How {
    /// git-orch's whole group is killed.
    Kill,
    /// The step fails.
    Error,
    /// The step takes long.
    Delay,
}

/// One point to strike at.
#[derive(Clone, Debug)]
struct Point {
    scenario: &'static Scenario,
    /// Its name, and the how many-th time it is reached.
    name: String,
    how: How,
}

/// Strikes at every point; whether nothing is broken.
pub(crate) fn run(args: &PointsArgs) -> Result<bool, String> {
    let bounds = &args.bounds;
    let ledger = Ledger::open(&bounds.state, "points");
    if bounds.report {
        println!("{}", ledger.report());
        return Ok(ledger.broken() == 0);
    }
    if !cfg!(feature = "faults") {
        return Err("this git-orch has no fault points: run \
                    `cargo test --locked --features faults --test stress -- points`"
            .to_owned());
    }
    let mut first = Worker::new(args, &ledger, 0);
    let reached = reached(bounds, &mut first)?;
    let names = tell(&reached, args.list);
    let enough = names >= WANTED || !bounds.scenario.is_empty();
    if !enough {
        println!("TOO FEW: {WANTED} names are wanted");
    }
    if args.list {
        return Ok(enough);
    }
    let points = points(args, &ledger, &reached);
    println!("{} points, {} were tried before", points.len(), ledger.keys().len());
    side_by_side(bounds, points, first, |number| Worker::new(args, &ledger, number), Worker::try_point);
    println!("{}", ledger.report());
    Ok(enough && ledger.broken() == 0)
}

/// The points that each scenario reaches when nothing strikes.
fn reached(
    bounds: &Bounds,
    worker: &mut Worker<'_>,
) -> Result<Vec<(&'static Scenario, Vec<String>)>, String> {
    let scenarios = bounds.scenarios()?;
    Ok(scenarios.into_iter().map(|scenario| (scenario, worker.reached(scenario))).collect())
}

/// Tells how many names there are in how many operations, in full if so wished.
fn tell(reached: &[(&'static Scenario, Vec<String>)], in_full: bool) -> usize {
    let mut operations: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for (scenario, points) in reached {
        for point in points {
            let name = point.rsplit_once('=').map_or(point.as_str(), |(name, _)| name);
            let (operation, step) = name.split_once(':').unwrap_or((name, ""));
            operations.entry(operation).or_default().entry(step).or_default().insert(scenario.name);
        }
    }
    let names = operations.values().map(BTreeMap::len).sum();
    println!("{names} names of points in {} operations", operations.len());
    for (operation, steps) in operations.iter().filter(|_| in_full) {
        println!("\n{operation}");
        for (step, scenarios) in steps {
            let scenarios: Vec<&str> = scenarios.iter().copied().collect();
            println!("    {step:<26} {}", scenarios.join(" "));
        }
    }
    names
}

/// What is still to be tried, in an order of chance.
fn points(args: &PointsArgs, ledger: &Ledger, reached: &[(&'static Scenario, Vec<String>)]) -> Vec<Point> {
    let bounds = &args.bounds;
    let how = match (args.is_twice(), args.how.is_empty()) {
        (true, _) => &[How::Kill],
        (false, true) => How::value_variants(),
        (false, false) => &args.how[..],
    };
    let mut points = Vec::new();
    for &(scenario, ref names) in reached {
        let wanted = |name: &&String| args.point.as_ref().is_none_or(|point| point == *name);
        for name in names.iter().filter(wanted) {
            let told = |how: &How| *how == How::Error && STAYS.iter().any(|stays| name.starts_with(stays));
            let how = how.iter().copied().filter(|how| !told(how));
            points.extend(how.map(|how| Point { scenario, name: name.clone(), how }));
        }
    }
    fastrand::Rng::with_seed(bounds.seed).shuffle(&mut points);
    if args.point.is_none() {
        let done = ledger.keys();
        let last = args.is_twice().then(|| END.to_owned());
        points.retain(|point| !done.contains(&point.key(last.clone())));
        points.truncate(bounds.share(points.len()));
    }
    points
}

/// Where an error is an answer: what can't be looked at stays in the trash.
const STAYS: &[&str] = &["gc:snapshot to be taken", "trash:snapshot to be taken"];

/// The point of a recovery that came to its end.
const END: &str = "the end";

impl PointsArgs {
    fn is_twice(&self) -> bool {
        self.during_recovery || self.then.is_some()
    }
}

impl How {
    fn name(self) -> String {
        self.to_possible_value().unwrap().get_name().to_owned()
    }
}

impl Point {
    fn mode(&self, then: Option<&str>) -> String {
        if then.is_some() { format!("{}-twice", self.how.name()) } else { self.how.name() }
    }

    fn key(&self, then: Option<String>) -> ledger::Key {
        let mode = self.mode(then.as_deref());
        (self.scenario.name.to_owned(), mode, self.name.clone(), then)
    }
}

/// One thread with its place and the worlds it has prepared.
struct Worker<'a> {
    args: &'a PointsArgs,
    ledger: &'a Ledger,
    place: Place,
    worlds: HashMap<&'static str, World>,
}

impl<'a> Worker<'a> {
    fn new(args: &'a PointsArgs, ledger: &'a Ledger, number: usize) -> Self {
        let place = Place::new(args.bounds.state.join(format!("points-{number}")));
        Self { args, ledger, place, worlds: HashMap::new() }
    }

    fn prepare(&mut self, scenario: &'static Scenario) {
        let prepare = || World::prepare(scenario, &self.place);
        self.worlds.entry(scenario.name).or_insert_with(prepare);
    }

    /// Runs a command to its end, and tells which points it reached.
    fn run(&self, args: &[&str], strike: Option<(&str, How)>) -> (Ended, Vec<String>) {
        let log = self.place.folder().join("reached");
        drop(fs::remove_file(&log));
        let mut command = self.place.orch(args);
        command.env("GIT_ORCH_FAULT_LOG", &log);
        if let Some((point, how)) = strike {
            command.env("GIT_ORCH_FAULT", format!("{point}:{}", how.name()));
        }
        let ended = promises::to_its_end(&self.place, command, args);
        let text = fs::read_to_string(log).unwrap_or_default();
        // Threads reach theirs in an order of chance.
        let reached: BTreeSet<String> = text.lines().map(str::to_owned).collect();
        (ended, reached.into_iter().collect())
    }

    fn reached(&mut self, scenario: &'static Scenario) -> Vec<String> {
        self.prepare(scenario);
        self.worlds[scenario.name].restore(&self.place);
        self.run(scenario.command, None).1
    }

    fn try_point(&mut self, point: Point) {
        self.prepare(point.scenario);
        let (world, mut broken) = (&self.worlds[point.scenario.name], Vec::new());
        world.restore(&self.place);
        let (ended, reached) = self.run(point.scenario.command, Some((&point.name, point.how)));
        match point.how {
            How::Kill => {}
            How::Error => world.look_at_words(&ended, &["fault at"], &mut broken),
            How::Delay if ended.code == point.scenario.exit => {}
            How::Delay => broken.push(format!("P6 a step that takes long breaks it, {}", ended.told())),
        }
        let call = reached.contains(&point.name).then(|| point.name.clone());
        let struck = Struck { call: call.clone(), ..Struck::default() };
        let crash = world.crashed(&self.place, ended, struck, &mut broken);
        let entry = Entry {
            scenario: point.scenario.name.to_owned(),
            mode: point.mode(None),
            at: point.name.clone(),
            call,
            exit: crash.ended.code,
            ..Entry::default()
        };
        if self.args.is_twice() {
            return self.kill_recovery(&point, &crash, &entry);
        }
        let recovery = world.recover(&self.place, &crash, &mut broken).as_millis() as u64;
        self.record(Entry { recovery, broken, ..entry });
    }

    /// Kills the recovery at one of its points after the other.
    fn kill_recovery(&self, point: &Point, crash: &Crash, entry: &Entry) {
        const RECOVERY: &[&str] = &["doctor", "--fix"];
        let world = &self.worlds[point.scenario.name];
        let crashed = self.place.folder().join("crashed");
        self.place.keep(&crashed);
        let mut points = match &self.args.then {
            Some(then) => vec![then.clone()],
            None => self.run(RECOVERY, None).1,
        };
        if self.args.then.is_none() {
            points.push(END.to_owned());
        }
        for then in points {
            let mut broken = Vec::new();
            self.place.restore(&crashed);
            self.run(RECOVERY, Some((&then, How::Kill)));
            processes::wait_for_none(&self.place.mark(), promises::CHILDREN);
            let recovery = world.recover(&self.place, crash, &mut broken).as_millis() as u64;
            let mode = point.mode(Some(&then));
            self.record(Entry { mode, then: Some(then), recovery, broken, ..entry.clone() });
        }
    }

    fn record(&self, entry: Entry) {
        let Entry { scenario, at, then, .. } = &entry;
        let how = entry.mode.trim_end_matches("-twice");
        let then = then.as_ref().map(|then| format!(" --then '{then}'")).unwrap_or_default();
        let again = format!("points --scenario {scenario} --how {how} --point '{at}'{then}");
        self.ledger.record(entry, &self.place, &again);
    }
}
