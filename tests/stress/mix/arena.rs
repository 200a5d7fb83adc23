//! The repository of a round, and what happens beside the actors.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Lock;
use crate::place::{Ended, Place};

/// How long a command may take among so many.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many sessions all actors share.
const SHARED: usize = 5;

/// What there is in the beginning; the check writes down which trees it saw.
const WORLD: &str = r##"
git config --global user.name Test; git config --global user.email test@example.com
# All dates are old; what main was must be known in the end nonetheless.
git config --global gc.refs/heads/main.reflogExpire never
git config --global gc.refs/heads/main.reflogExpireUnreachable never
git init -q -b main .
mkdir docs; for n in $(seq 0 99); do echo "$n" >docs/$n-a.md; echo "$n" >docs/$n-b.md; done
echo '# shop' >README.md
cat >.orch.yml <<'.'
version: 1
base: main
checks: ['[ -z "$(git status --porcelain)" ] && git rev-parse "HEAD^{tree}" >>TOP/checked']
.
sed -i "s:TOP:$(dirname "$PWD"):" .orch.yml
elsewhere; git add .; git commit -qm 'all there is'
for n in $(seq 5); do git-orch -q add-session s$n --paths src/$n; done
echo edited >>README.md; echo note >notes.txt
"##;

/// Where the base is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BaseIs {
    /// In the user's checkout.
    Here,
    /// Checked out nowhere.
    Away,
}

impl BaseIs {
    pub(super) fn name(self) -> &'static str {
        if self == Self::Here { "here" } else { "away" }
    }
}

/// One command of an actor.
struct Act {
    actor: usize,
    began: Duration,
    args: Vec<String>,
    ended: Ended,
}

/// What all actors share.
pub(super) struct Arena<'a> {
    pub(super) place: &'a Place,
    pub(super) round: u64,
    pub(super) lock: Lock,
    /// The refs and files of the user before.
    pub(super) status: String,
    began: Instant,
    acts: Mutex<Vec<Act>>,
    broken: Mutex<Vec<String>>,
    /// How often git's own clearing up came to its end.
    cleared: AtomicUsize,
}

impl<'a> Arena<'a> {
    pub(super) fn prepare(place: &'a Place, (round, processes): (u64, usize), lock: Lock) -> Self {
        let aside = place.folder().join("aside");
        if aside.exists() {
            place.restore(&aside);
        } else {
            place.prepare(WORLD);
            place.keep(&aside);
        }
        let mut arena = Self {
            place,
            round: round * 100 + processes as u64,
            lock,
            status: String::new(),
            began: Instant::now(),
            acts: Mutex::default(),
            broken: Mutex::default(),
            cleared: AtomicUsize::new(0),
        };
        if arena.base_is() == BaseIs::Away {
            arena.ask("git switch -q -c desk");
        }
        arena.status = arena.ask("git status --porcelain");
        arena
    }

    pub(super) fn base_is(&self) -> BaseIs {
        if (self.round / 100).is_multiple_of(2) { BaseIs::Away } else { BaseIs::Here }
    }

    /// A session that all share.
    pub(super) fn shared_session(&self, rng: &mut fastrand::Rng) -> String {
        format!("s{}", rng.usize(1..=SHARED))
    }

    /// What a script that can't fail prints.
    pub(super) fn ask(&self, script: &str) -> String {
        let ended = self.place.script(script);
        assert!(ended.is_success(), "`{script}`: {}", ended.told());
        ended.stdout
    }

    /// Runs a command for an actor; what no command may do is told.
    pub(super) fn run(&self, actor: usize, args: &[&str], may: &[i32]) -> Ended {
        let began = self.began.elapsed();
        let mut command = self.place.orch(args);
        if self.lock == Lock::Off {
            command.env("GIT_ORCH_FAULT_LOCK", "off");
        }
        let ended = self.place.start(command).end(PATIENCE);
        let speechless = ended.code != 0 && ended.stdout.is_empty() && ended.stderr.is_empty();
        if !may.contains(&ended.code) || speechless || ended.stderr.contains("panicked") {
            self.breach(format!("P6 `{}`, {}", args[0], ended.why()));
        }
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        self.acts.lock().unwrap().push(Act { actor, began, args, ended: ended.clone() });
        ended
    }

    /// Something that must not be; without the lock only losses are.
    pub(super) fn breach(&self, line: String) {
        if self.lock == Lock::On {
            self.broken.lock().unwrap().push(line);
        }
    }

    /// Something that was acknowledged and is not there.
    pub(super) fn lost(&self, line: String) {
        self.broken.lock().unwrap().push(line);
    }

    pub(super) fn broken(&self) -> Vec<String> {
        self.broken.lock().unwrap().clone()
    }

    /// Does something while git clears up and readers read, again and again.
    pub(super) fn while_git_clears_up<T>(&self, work: impl FnOnce() -> T) -> T {
        const LOOPS: [(&str, &[&str]); 3] = [
            ("git gc", &["gc", "--quiet", "--prune=now"]),
            ("git pack-refs", &["pack-refs", "--all"]),
            ("git worktree prune", &["worktree", "prune", "--expire=now"]),
        ];
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for (_, args) in LOOPS {
                let done = &done;
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        // Another holder of git's locks is reason enough to fail.
                        let ended = self.place.run(self.place.command("git", args));
                        if args[0] == "gc" && ended.is_success() {
                            self.cleared.fetch_add(1, Ordering::Relaxed);
                        }
                        std::thread::sleep(Duration::from_millis(50));
                    }
                });
            }
            let result = work();
            done.store(true, Ordering::Relaxed);
            result
        })
    }

    /// How often which verb ended how.
    pub(super) fn figures(&self) -> String {
        let mut counts: BTreeMap<(String, i32), usize> = BTreeMap::new();
        for act in self.acts.lock().unwrap().iter() {
            *counts.entry((act.args[0].clone(), act.ended.code)).or_default() += 1;
        }
        let (seconds, cleared) = (self.began.elapsed().as_secs_f32(), self.cleared.load(Ordering::Relaxed));
        let mut text = format!("{seconds:.1} s, {cleared} times cleared up");
        for ((verb, code), count) in counts {
            let how = if code == 0 { String::new() } else { format!(" ({code})") };
            write!(text, ", {count} {verb}{how}").unwrap();
        }
        text
    }

    /// All that was done, for people.
    pub(super) fn protocol(&self) -> String {
        let mut acts = self.acts.lock().unwrap();
        acts.sort_by_key(|act| act.began);
        let mut text = String::new();
        for Act { actor, began, args, ended } in acts.iter() {
            let (from, to) = (began.as_secs_f32(), (*began + ended.elapsed).as_secs_f32());
            writeln!(text, "{from:8.3} {to:8.3} {actor:3} {}: {}", args.join(" "), ended.told()).unwrap();
        }
        text
    }
}
