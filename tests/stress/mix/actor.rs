//! One process after the other, as one person would start them; each actor
//! touches what is its own, in sessions and on a base that all share.

use super::Lock;
use super::arena::Arena;

/// How a fan-out is made.
#[derive(Clone, Copy, Debug)]
enum Way {
    Here,
    Elsewhere,
    /// As long as a checker finds something.
    Rounds,
}

/// Names that several actors want at once.
const CONTESTED: u32 = 4;
/// What a task ends with that asks.
const ASKED: i32 = 6;
/// Done, or refused with a reason.
const MAY: &[i32] = &[0, 3];

/// What was made, and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// What is in its files and in no others.
    pub(super) mark: String,
    pub(super) fate: Fate,
    /// The start of the last command that changed it, and what it was before.
    last: Option<(String, Fate)>,
    /// What was kept with it.
    pub(super) notes: Vec<String>,
    /// What it was answered.
    pub(super) answers: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Session,
    Task,
    Fanout,
}

/// As the last acknowledged command left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A result waits for review, a session for work.
    There,
    /// It waits for an answer.
    Asks,
    /// It was handed over before it had one.
    Handed,
    /// It takes no tasks.
    Paused,
    Landed,
    /// Cancelled, or removed.
    Gone,
    Undone,
}

/// A name that others wanted too.
#[derive(Clone, Debug)]
pub(super) struct Contest {
    pub(super) name: String,
    pub(super) paths: String,
    pub(super) won: bool,
}

/// Whoever runs commands, one after the other.
pub(super) struct Actor<'a> {
    arena: &'a Arena<'a>,
    number: usize,
    rng: fastrand::Rng,
    serial: usize,
    pub(super) items: Vec<Item>,
    pub(super) contests: Vec<Contest>,
}

impl<'a> Actor<'a> {
    pub(super) fn new(arena: &'a Arena<'a>, number: usize) -> Self {
        let rng = fastrand::Rng::with_seed(arena.round * 1000 + number as u64);
        Self { arena, number, rng, serial: 0, items: Vec::new(), contests: Vec::new() }
    }

    /// Runs so many commands that change something, and others between them.
    pub(super) fn act(mut self, commands: usize) -> Self {
        for _ in 0..commands {
            if self.rng.bool() && self.choose(|item| item.fate == Fate::Asks).is_some() {
                // Nobody else can use its session meanwhile.
                self.answer_or_not();
                continue;
            }
            match self.rng.u32(0..28) {
                0..4 => self.task(),
                4..6 => self.plan(),
                6 => self.fanout(Way::Here),
                7 => self.fanout(Way::Elsewhere),
                8 => self.fanout(Way::Rounds),
                9 => self.add_session(),
                10..12 => self.contest(),
                12..15 => self.end("merge", (Kind::Task, &[Fate::There]), Fate::Landed),
                15 => self.end("cancel", (Kind::Task, &[Fate::There]), Fate::Gone),
                16 => self.end("remove-session", (Kind::Session, &[Fate::There, Fate::Paused]), Fate::Gone),
                17 => self.approve(),
                18 => self.note(),
                19..22 => self.ask(),
                22 => self.go_on(),
                23 => self.end("pause", (Kind::Session, &[Fate::There]), Fate::Paused),
                24 => self.end("resume", (Kind::Session, &[Fate::Paused]), Fate::There),
                25 => self.pause(),
                _ => self.undo(),
            }
            self.read();
        }
        self
    }

    fn run(&self, args: &[&str]) -> bool {
        self.arena.run(self.number, args, MAY).is_success()
    }

    fn name(&mut self, letter: char) -> String {
        self.serial += 1;
        format!("{letter}{}x{}", self.number, self.serial)
    }

    fn made(&mut self, kind: Kind, name: String, mark: String, verb: &str) {
        let last = Some((format!("{verb} {name}"), Fate::Undone));
        let (fate, notes, answers) = (Fate::There, Vec::new(), Vec::new());
        self.items.push(Item { kind, name, mark, fate, last, notes, answers });
    }

    fn task(&mut self) {
        let name = self.name('t');
        let mark = format!("mark-{name}-{}", self.arena.round);
        // Without the lock it may be refused, and its run ends with that.
        let noted = self.rng.bool() && self.arena.lock == Lock::On;
        let note = if noted { "git-orch -q note noted-within;" } else { "" };
        let report = if self.rng.bool() { "git-orch -q report working -m busy;" } else { "" };
        let script = format!("set -e; {note} {report} mkdir -p work; echo {mark} >work/{name}");
        let session = self.arena.shared_session(&mut self.rng);
        let mut args = vec!["task", &name, "--session", &session, "--", "sh", "-c", &script];
        if self.rng.bool() {
            args.drain(2..4);
        }
        if self.run(&args) {
            self.made(Kind::Task, name, mark, "task");
            self.items.last_mut().unwrap().notes.extend(noted.then(|| "noted-within".to_owned()));
        }
    }

    /// Keeps something with one of its own, whatever others do to that.
    fn note(&mut self) {
        let there = |item: &Item| item.fate != Fate::Undone && item.kind == Kind::Task;
        let Some(at) = self.choose(there) else { return self.task() };
        let (name, note) = (self.items[at].name.clone(), self.name('n'));
        if self.run(&["note", &note, "--task", &name]) {
            self.items[at].notes.push(note);
        }
    }

    /// Two tasks at once, or one after the other where one session gets both.
    fn plan(&mut self) {
        let names = [self.name('t'), self.name('t')];
        let mark = |name: &str| format!("mark-{name}-{}", self.arena.round);
        let script = format!("mkdir -p work; echo {} >work/$GIT_ORCH_TASK", mark("$GIT_ORCH_TASK"));
        let args = ["plan", &names[0], &names[1], "--run", "--json", "--", "sh", "-c", &script];
        // One that others kept from beginning has no result.
        let told = self.arena.run(self.number, &args, &[0, 1, 3]).stdout;
        for name in names {
            if outcome(&told, &name).is_some_and(|outcome| outcome == "done") {
                let mark = mark(&name);
                // Undoing the plan would take back both.
                self.made(Kind::Task, name, mark, "plan");
                self.items.last_mut().unwrap().last = None;
            }
        }
    }

    fn fanout(&mut self, way: Way) {
        let name = self.name('f');
        let mark = format!("mark-{name}-{}", self.arena.round);
        let script = format!("for f; do echo {mark} >>\"$f\"; done");
        let files = format!("docs/{}-*.md", self.number);
        let mut args = vec!["fanout", &name, "--paths", &files, "--shards", "2", "--run"];
        // The second of two files takes two rounds.
        let from = format!("grep -L {mark} {files} | sed 's/$/:1: it has no mark/'");
        let half = format!(
            "for f; do case $f in *-a.md) ;; *) grep -q half-{mark} \"$f\" || {{ echo half-{mark} >>\"$f\"; continue; }};; esac
             echo {mark} >>\"$f\"; done"
        );
        match way {
            Way::Here => args.push(&script),
            Way::Elsewhere => args.extend([&script, "--on", "exec:here"]),
            Way::Rounds => args.extend([&half, "--from", &from]),
        }
        if self.run(&args) {
            self.made(Kind::Fanout, name, mark, "fanout");
        }
    }

    fn add_session(&mut self) {
        let name = self.name('a');
        if self.run(&["add-session", &name, "--paths", "src"]) {
            self.made(Kind::Session, name, String::new(), "add-session");
        }
    }

    fn contest(&mut self) {
        let name = format!("contested{}", self.rng.u32(0..CONTESTED));
        let paths = self.name('p');
        let won = self.run(&["add-session", &name, "--paths", &paths]);
        self.contests.push(Contest { name, paths, won });
    }

    /// One of its own that is there.
    fn choose(&mut self, wanted: impl Fn(&Item) -> bool) -> Option<usize> {
        let fit: Vec<usize> = (0..self.items.len()).filter(|&at| wanted(&self.items[at])).collect();
        self.rng.choice(fit)
    }

    /// Brings one of its own from where it is to where the verb takes it.
    fn end(&mut self, verb: &str, (kind, from): (Kind, &[Fate]), fate: Fate) {
        let is_session = kind == Kind::Session;
        let fits = |item: &Item| from.contains(&item.fate) && (item.kind == Kind::Session) == is_session;
        let Some(at) = self.choose(fits) else { return self.task() };
        let name = self.items[at].name.clone();
        if self.run(&[verb, &name]) {
            let item = &mut self.items[at];
            item.last = Some((format!("{verb} {name}"), item.fate));
            item.fate = fate;
        }
    }

    /// A task that has done half when it asks.
    fn ask(&mut self) {
        let name = self.name('q');
        let mark = format!("mark-{name}-{}", self.arena.round);
        let script = format!(
            "set -e; mkdir -p work; echo {mark} >work/{name}
             grep -q answer-{name} \"$GIT_ORCH_BRIEF\" || git-orch -q report input -m 'which?'"
        );
        let session = self.arena.shared_session(&mut self.rng);
        let args = ["task", &name, "--session", &session, "--", "sh", "-c", &script];
        if self.arena.run(self.number, &args, &[3, 6]).code == ASKED {
            self.made(Kind::Task, name, mark, "task");
            self.items.last_mut().unwrap().fate = Fate::Asks;
        }
    }

    /// What becomes of a question.
    fn answer_or_not(&mut self) {
        match self.rng.u32(0..6) {
            0..4 => self.answer(),
            4 => self.hand_over(),
            _ => self.end("cancel", (Kind::Task, &[Fate::Asks]), Fate::Gone),
        }
    }

    /// Answers one of its own twice at once: one answer counts.
    fn answer(&mut self) {
        let Some(at) = self.choose(|item| item.fate == Fate::Asks) else { return self.task() };
        let name = self.items[at].name.clone();
        let answers = [(); 2].map(|()| format!("answer-{name} {}", self.name('y')));
        let (arena, number) = (self.arena, self.number);
        let given: Vec<String> = std::thread::scope(|scope| {
            let give = |answer: &String| {
                let (args, answer) = (["answer", &name, answer].map(str::to_owned), answer.clone());
                scope.spawn(move || {
                    let args: Vec<&str> = args.iter().map(String::as_str).collect();
                    arena.run(number, &args, MAY).is_success().then_some(answer)
                })
            };
            let both: Vec<_> = answers.iter().map(give).collect();
            both.into_iter().filter_map(|one| one.join().unwrap()).collect()
        });
        if given.len() > 1 {
            arena.lost(format!("P6 both answers to `{name}` were taken"));
        }
        let item = &mut self.items[at];
        if !given.is_empty() {
            (item.fate, item.last) = (Fate::There, None);
            item.answers.extend(given);
        }
    }

    /// Gives one of its own that asks to whoever it comes to.
    fn hand_over(&mut self) {
        let Some(at) = self.choose(|item| item.fate == Fate::Asks) else { return self.task() };
        let name = self.items[at].name.clone();
        let to = self.arena.shared_session(&mut self.rng);
        if !self.run(&["handoff", &name, "--to", &to]) {
            return;
        }
        // To the session that has it, nothing goes over.
        let shown = self.arena.run(self.number, &["show", &name, "--json"], &[0]).stdout;
        if shown.contains("\"handoffs\":[{") {
            (self.items[at].fate, self.items[at].last) = (Fate::Handed, None);
        }
    }

    /// Runs one again that was handed over.
    fn go_on(&mut self) {
        let Some(at) = self.choose(|item| item.fate == Fate::Handed) else { return self.task() };
        let Item { name, mark, .. } = self.items[at].clone();
        let script = format!("mkdir -p work; echo {mark} >work/{name}; echo more >work/{name}-more");
        if self.run(&["retry", &name, "--", "sh", "-c", &script]) {
            self.items[at].fate = Fate::There;
        }
    }

    /// Has a session that all share take no tasks for a while.
    fn pause(&mut self) {
        let session = self.arena.shared_session(&mut self.rng);
        if !self.run(&["pause", &session, "-m", "for a while"]) {
            return;
        }
        self.task();
        // Without the lock it may be refused; others wait for it.
        while !self.run(&["resume", &session]) {}
    }

    fn approve(&mut self) {
        let there = |item: &Item| item.fate == Fate::There && item.kind == Kind::Task;
        let Some(at) = self.choose(there) else { return self.task() };
        let name = self.items[at].name.clone();
        if self.rng.bool() {
            self.run(&["review", &name, "--approve", "-m", "fine"]);
            return;
        }
        // A session's look, or a tester's addition; its own author is refused.
        let session = self.arena.shared_session(&mut self.rng);
        let viewpoint = if self.rng.bool() { "reviewer" } else { "tester" };
        let script = format!("mkdir -p work; echo seen >work/{name}-seen; echo approve >$GIT_ORCH_VERDICT");
        let by = ["--by", &session, "--viewpoint", viewpoint, "--", "sh", "-c", &script];
        self.run(&[&["review", &name], &by[..]].concat());
    }

    /// Takes back what it did last to one of its own.
    fn undo(&mut self) {
        let Some(at) = self.choose(|item| item.last.is_some()) else { return self.task() };
        let (what, before) = self.items[at].last.clone().unwrap();
        let log = self.arena.run(self.number, &["log", "--ops", "--json"], MAY);
        if !log.is_success() {
            return;
        }
        let Some(id) = operation(&log.stdout, &what) else {
            return self.arena.lost(format!("P6 no operation tells of the acknowledged `{what}`"));
        };
        if self.run(&["undo", &id]) {
            let item = &mut self.items[at];
            item.fate = before;
            item.last = None;
        }
    }

    /// Readers are refused by nobody.
    fn read(&mut self) {
        let own = self.rng.choice(&self.items).filter(|item| item.fate == Fate::There);
        let name = own.map_or("s1", |item| &item.name).to_owned();
        let (args, may): (&[&str], &[i32]) = match self.rng.u32(0..8) {
            0 => (&["sessions", "--json"], &[0]),
            1 => (&["tasks", "--all"], &[0]),
            2 => (&["log", "--ops"], &[0]),
            3 => (&["review", "--json"], &[0]),
            4 => (&["history", "s1"], &[0]),
            5 => (&["route", "work on docs"], &[0, 1]),
            // What others do at the moment is not right yet.
            6 => (&["doctor"], &[0, 1]),
            _ => (&["show", &name], &[0]),
        };
        self.arena.run(self.number, args, may);
    }
}

/// How a task of a plan ended.
fn outcome(told: &str, name: &str) -> Option<String> {
    let told: serde_json::Value = serde_json::from_str(told).ok()?;
    let tasks = told["data"]["tasks"].as_array()?;
    let found = tasks.iter().find(|task| task["name"] == name)?;
    found["outcome"].as_str().map(str::to_owned)
}

/// The newest operation whose command line begins so.
fn operation(log: &str, what: &str) -> Option<String> {
    let log: serde_json::Value = serde_json::from_str(log).ok()?;
    let begins = |one: &&serde_json::Value| {
        one["what"].as_str().is_some_and(|line| line == what || line.starts_with(&format!("{what} ")))
    };
    let found = log["data"].as_array()?.iter().find(begins)?;
    found["id"].as_str().map(str::to_owned)
}
