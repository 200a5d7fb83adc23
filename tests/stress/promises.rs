//! What must hold after a command was struck, and after the next one.
//!
//! Each breach is a line that begins with the promise's number.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::faults::{Faults, Mode, Struck};
use crate::inventory::{Holdings, Things};
use crate::place::{Ended, HANGS, Place};
use crate::processes;
use crate::scenario::{Names, Scenario, WORLD};

/// How long a child may live on.
pub(crate) const CHILDREN: Duration = Duration::from_secs(2);
/// How long what goes on in the background may take.
const BACKGROUND: Duration = Duration::from_secs(30);
/// How long another machine may take to find that it was called off.
pub(crate) const ELSEWHERE: Duration = Duration::from_secs(2);
/// What `fsck` may say, and what else is nothing to be found.
pub(crate) const LEFTOVERS: &str = "
    git fsck --connectivity-only --no-progress 2>&1 | grep -v '^dangling' | sed 's/^/fsck: /' ||:
    find .git -name '*.lock' -not -path '.git/orch/*' | sed 's/^/lock: /'
    git for-each-ref --format='pin: %(refname)' refs/orch/keep
    git worktree list --porcelain | grep '^prunable' | sed 's/^/worktree: /' ||:
    ls -A ../shop.orch/.throwaway 2>/dev/null | sed 's/^/throwaway: /' ||:
    grep -l git-orch .git/gc.pid 2>/dev/null | sed 's/^/fence: /' ||:
    ls -A .git/orch/throwaway 2>/dev/null | sed 's/^/mark: /' ||:
    git -C ../hub.git for-each-ref --format='remote: %(refname)' refs/orch 2>/dev/null ||:
    ls -A ../tmp | sed 's/^/temporary file: /'";

/// A scenario that is prepared, and how it goes when nothing is struck.
pub(crate) struct World {
    pub(crate) scenario: &'static Scenario,
    aside: PathBuf,
    before: Things,
    after: Things,
    held: Holdings,
}

/// Where a command runs, and what strikes it.
pub(crate) type Site<'a> = (&'a Place, &'a Faults);

/// A command that was struck, and what was held when all of it had ended.
pub(crate) struct Crash {
    pub(crate) struck: Struck,
    pub(crate) ended: Ended,
    held: Holdings,
}

impl World {
    /// Prepares a scenario and goes through it once.
    pub(crate) fn prepare(scenario: &'static Scenario, place: &Place) -> Self {
        place.prepare(&format!("{WORLD}\n{}", scenario.given));
        let aside = place.folder().join("aside").join(scenario.name);
        place.keep(&aside);
        let (before, held) = (Things::of_user(place), Holdings::of(place));
        let ended = to_its_end(place, place.orch(scenario.command), scenario.command);
        let name = scenario.name;
        assert_eq!(ended.code, scenario.exit, "{name}, which nothing struck: {}", ended.told());
        let after = Things::of_user(place);
        for script in [scenario.next, scenario.done] {
            let ended = place.script(script);
            assert!(ended.is_success(), "{name}, which nothing struck: `{script}`: {}", ended.told());
        }
        Self { scenario, aside, before, after, held }
    }

    /// How many of the command's calls count.
    pub(crate) fn calls(&self, place: &Place, faults: &Faults, mode: Mode) -> u32 {
        place.restore(&self.aside);
        let (_, struck) = struck((place, faults), self.scenario.command, (mode, 0));
        struck.calls
    }

    /// Brings the place back to where the command begins.
    pub(crate) fn restore(&self, place: &Place) {
        place.restore(&self.aside);
    }

    /// Runs the command and strikes it; what is broken at once is told.
    pub(crate) fn crash(&self, at: Site<'_>, strike: (Mode, u32), broken: &mut Vec<String>) -> Crash {
        self.restore(at.0);
        let (ended, struck) = struck(at, self.scenario.command, strike);
        if let (Mode::Once(error) | Mode::Sticky(error), Some(call)) = (strike.0, &struck.call) {
            let file = call.rsplit('/').next().unwrap_or_default().trim_end_matches(".lock");
            self.look_at_words(&ended, &[error.texts(), &[file]].concat(), broken);
        }
        self.crashed(at.0, ended, struck, broken)
    }

    /// What there is when the command has ended, however it did.
    pub(crate) fn crashed(
        &self,
        place: &Place,
        ended: Ended,
        struck: Struck,
        broken: &mut Vec<String>,
    ) -> Crash {
        look_at_exit(&ended, "the struck command", broken);
        for (process, line) in processes::wait_for_none(&place.mark(), CHILDREN) {
            broken.push(format!("P7 still alive: {line}"));
            processes::kill(process);
        }
        let mut held = Holdings::of(place);
        held.extend(self.held.clone());
        let now = Things::of_user(place);
        match self.scenario.names {
            Names::Checkout | Names::Steps | Names::Settings => {}
            Names::Nothing | Names::Base => self.compare(&now, "at once", broken),
        }
        Crash { struck, ended, held }
    }

    /// What can't be done is one line that says what or why, in one of these words.
    pub(crate) fn look_at_words(&self, ended: &Ended, words: &[&str], broken: &mut Vec<String>) {
        // A signal leaves no time for words.
        if [0, self.scenario.exit].contains(&ended.code) || ended.code > 128 {
            return;
        }
        let tells = |text: &str| words.iter().any(|word| text.contains(word));
        let errors: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        match errors[..] {
            [line] if tells(line) => {}
            // A run or a shard that failed is no error: its report says why.
            [] if ended.code == 1 && tells(&ended.told()) => {}
            [line] => broken.push(format!("P8 none of {words:?} is in: {line}")),
            _ => broken.push(format!("P8 {} lines of errors, {}", errors.len(), ended.told())),
        }
    }

    /// Lets the next commands set it right, and looks at everything.
    pub(crate) fn recover(&self, place: &Place, crash: &Crash, broken: &mut Vec<String>) -> Duration {
        let fix = expect(place, &["doctor", "--fix"], broken);
        for (process, line) in processes::wait_for_none_elsewhere(&place.mark(), ELSEWHERE) {
            broken.push(format!("P7 still at work elsewhere: {line}"));
            processes::kill(process);
        }
        expect(place, &["doctor"], broken);
        self.compare(&Things::of_user(place), "after recovery", broken);
        lost(&crash.held, place, "after recovery", broken);
        broken.extend(place.script(LEFTOVERS).stdout.lines().map(|line| format!("P5 left behind: {line}")));
        let settled = Things::of_orch(place);
        expect(place, &["doctor", "--fix"], broken);
        let changes = settled.differences(&Things::of_orch(place));
        broken.extend(changes.iter().map(|change| format!("P5 the second recovery is not idle: {change}")));
        self.go_on(place, crash, broken);
        fix.elapsed
    }

    /// What was said to be done is; what was not can be done now.
    fn go_on(&self, place: &Place, crash: &Crash, broken: &mut Vec<String>) {
        let acknowledged = crash.ended.code == 0;
        let next = if acknowledged { crash.ended.clone() } else { place.script(self.scenario.next) };
        if next.is_success() {
            let done = place.script(self.scenario.done);
            if !done.is_success() {
                let who = if acknowledged { "the struck command" } else { "what comes next" };
                broken.push(format!("P6 {who} said that it is done, and it is not, {}", done.told()));
            }
        } else {
            broken.push(format!("P5 what comes next fails, {}", next.told()));
        }
        self.compare(&Things::of_user(place), "in the end", broken);
        lost(&crash.held, place, "in the end", broken);
        expect(place, &["doctor"], broken);
    }

    /// The user's own is as before, or, where it is named, as after.
    fn compare(&self, now: &Things, when: &str, broken: &mut Vec<String>) {
        let logs = ["shop/.git/logs/HEAD", "shop/.git/ORIG_HEAD"];
        let own = |things: &Things| match self.scenario.names {
            Names::Nothing => things.clone(),
            _ => things.clone().without(&logs),
        };
        let (before, after, now) = (own(&self.before), own(&self.after), own(now));
        let mut changes = before.differences(&now);
        if self.scenario.names == Names::Steps {
            // In between, what changes in the end may be anything.
            let named = |line: &String| {
                line.rsplit_once(" is ").or(line.rsplit_once(' ')).map(|(name, _)| name.to_owned())
            };
            let own: Vec<_> = before.differences(&after).iter().map(named).collect();
            changes.retain(|line| !own.contains(&named(line)));
        }
        if changes.is_empty() || (self.scenario.names != Names::Nothing && now == after) {
            return;
        }
        broken.extend(changes.iter().map(|change| format!("P3 {when}: {change}")));
    }
}

/// Runs a command, and waits for what of it goes on in the background.
pub(crate) fn to_its_end(place: &Place, command: Command, args: &[&str]) -> Ended {
    let ended = place.run(command);
    if args.contains(&"--detach") {
        // What lives on nonetheless is told by whoever looks for it.
        processes::wait_for_none(&place.mark(), BACKGROUND);
    }
    ended
}

/// Runs a command of git-orch and strikes it.
pub(crate) fn struck((place, faults): Site<'_>, args: &[&str], (mode, at): (Mode, u32)) -> (Ended, Struck) {
    let mut command = place.orch(args);
    faults.arm(&mut command, mode, at);
    let ended = to_its_end(place, command, args);
    (ended, faults.struck())
}

/// No command may hang, panic or call itself a bug, whatever is done to it.
fn look_at_exit(ended: &Ended, what: &str, broken: &mut Vec<String>) {
    if ended.code == HANGS {
        broken.push(format!("P5 {what} does not end"));
    }
    if [2, 70, 101, 134, 139].contains(&ended.code) || ended.stderr.contains("panicked") {
        broken.push(format!("P5 {what} breaks down, {}", ended.told()));
    }
}

fn expect(place: &Place, args: &[&str], broken: &mut Vec<String>) -> Ended {
    let ended = place.run(place.orch(args));
    if !ended.is_success() {
        broken.push(format!("P5 `{}` after it, {}", args.join(" "), ended.told()));
    }
    ended
}

fn lost(held: &Holdings, place: &Place, when: &str, broken: &mut Vec<String>) {
    broken.extend(held.lost(place).iter().map(|lost| format!("P1/P2 lost {when}: {lost}")));
}
