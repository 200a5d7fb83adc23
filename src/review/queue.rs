//! The merge queue: results that wait, lined up, checked as they will be, landed.
//!
//! Several merges are checked at once, as the last of them will be; where that
//! fails, the first one that makes it fail is looked for among the trees in
//! between and goes back, and the rest is lined up anew. A squash or a rebase
//! stands on the base's own line by itself, so each is checked by itself.
//!
//! **Invariant:** the base moves only to a tree that its checks passed, and only
//! from the commit that this tree was made on.

use std::path::PathBuf;

use super::check::Checked;
use super::gate::{self, Gate};
use super::item::{self, Item};
use super::judged::judge;
use super::line::{self, Line, Link, Rules};
use super::outcome::{Before, Kept, Landing, Outcome, Tell};
use super::{land, resolve, restack, style};
use crate::config::{Settings, Style};
use crate::error::{Error, Kind, Result};
use crate::git::{RepoLock, refs};
use crate::model::task::Landed;
use crate::model::wording::list;
use crate::model::{Event, Name, Oid, TaskState, Time};
use crate::run::Scene;
use crate::session::LandLock;
use crate::session::base::{self, Base};

/// How often a base that moves under us is followed.
const ATTEMPTS: usize = 5;

/// Who lands what, and how.
pub struct Queue<'a> {
    /// Everything a flow needs.
    pub scene: Scene<'a>,
    /// The settings in force.
    pub settings: &'a Settings,
    /// As what, and what is trusted.
    pub rules: Rules<'a>,
    /// Whether each is checked by itself, though several could be at once.
    pub each: bool,
}

/// Lands results, in this order as far as they fit.
///
/// # Errors
/// Untrusted checks, interruption, and what `tell` gives; what keeps a single
/// result from landing is told.
pub fn land(queue: &Queue<'_>, items: Vec<Item>, tell: Tell<'_>) -> Result<()> {
    let what = match &items[..] {
        [one] => format!("merge {}", one.name),
        all => format!("merge {} results", all.len()),
    };
    let scene = queue.scene;
    let _turn = LandLock::wait(scene.repo, &what, scene.interrupt, scene.events)?;
    for base in bases(&items) {
        let waiting = items.iter().filter(|item| item.base == *base).cloned().collect();
        on_base(queue, base, waiting, tell)?;
    }
    Ok(())
}

/// The bases of results, each once, as they come.
pub fn bases(items: &[Item]) -> Vec<&String> {
    let mut bases: Vec<&String> = Vec::new();
    for item in items {
        if !bases.contains(&&item.base) {
            bases.push(&item.base);
        }
    }
    bases
}

/// What of a line has landed, and what went back.
#[derive(Default)]
struct Round {
    /// Results that nothing more is to be done about.
    done: Vec<Name>,
    /// That the base fails its checks, where none of what is in line mends it.
    base_fails: Option<(String, PathBuf)>,
    /// Whether the base moved under us.
    missed: Option<Error>,
}

fn on_base(queue: &Queue<'_>, branch: &str, mut waiting: Vec<Item>, tell: Tell<'_>) -> Result<()> {
    let scene = queue.scene;
    let mut misses = 0;
    loop {
        scene.interrupt.check()?;
        waiting = present(queue, waiting, tell)?;
        if waiting.is_empty() {
            return Ok(());
        }
        let (base, gate, line) = lined_up(queue, branch, waiting)?;
        for (item, error) in line.kept {
            tell(Outcome::Kept(Kept { name: item.name, error }))?;
        }
        waiting = line.links.iter().map(|link| link.item.clone()).collect();
        if line.links.is_empty() {
            for (item, paths) in line.conflicts {
                tell(resolve::hand_back(queue, &base, &item, paths)?)?;
            }
            for (item, below) in line.behind {
                let error = line::needs(&item.name, &below);
                tell(Outcome::Kept(Kept { name: item.name, error }))?;
            }
            return Ok(());
        }
        // What conflicts with results that are in line may fit once some went back.
        waiting.extend(line.conflicts.into_iter().map(|(item, _)| item));
        waiting.extend(line.behind.into_iter().map(|(item, _)| item));
        let round = carry_out(queue, &base, &gate, &line.links, tell)?;
        waiting.retain(|item| !round.done.contains(&item.name));
        if let Some(failed) = round.base_fails {
            for item in waiting {
                let error = fails_alone(&failed, &item);
                tell(Outcome::Kept(Kept { name: item.name, error }))?;
            }
            return Ok(());
        }
        if let Some(error) = round.missed {
            misses += 1;
            if misses == ATTEMPTS {
                for item in waiting {
                    let message = format!("cannot land `{}`: {}", item.name, error.message);
                    let error = Error::refused(message).hint("run the command again");
                    tell(Outcome::Kept(Kept { name: item.name, error }))?;
                }
                return Ok(());
            }
        }
    }
}

/// The results as they are by now: whoever had the turn before may have landed
/// them, or sent them back.
fn present(queue: &Queue<'_>, items: Vec<Item>, tell: Tell<'_>) -> Result<Vec<Item>> {
    let mut waiting = Vec::new();
    for item in items {
        let item = item::require(queue.scene.repo, item.name.as_str())?;
        if item.state == TaskState::Merged {
            tell(Outcome::Before(Before { name: item.name, state: item.state }))?;
        } else {
            waiting.push(item);
        }
    }
    Ok(waiting)
}

/// Lines results up, and pins what they become; anew where a `git gc` took of it.
fn lined_up<'a>(queue: &Queue<'a>, branch: &str, items: Vec<Item>) -> Result<(Base, Gate<'a>, Line)> {
    let Queue { scene, rules, .. } = *queue;
    for _ in 0..ATTEMPTS {
        let _fence = scene.repo.fence(scene.events);
        let base = base::require(scene.repo, branch)?;
        let gate = gate::read(scene.repo, base.oid)?;
        gate.require_trust(rules.trust)?;
        let line = line::up(scene, rules, &base, &gate, items.clone())?;
        if line.links.is_empty() {
            return Ok((base, gate, line));
        }
        let lock = RepoLock::take(scene.repo, "merge", scene.events)?;
        if land::pin(scene.repo, &lock, (&line.links, None), base.oid)? {
            scene.repo.reach("results lined up")?;
            return Ok((base, gate, line));
        }
    }
    Err(Error::unusable("git clears away what results become")
        .hint("let `git gc` end, then run the command again"))
}

/// Checks what is in line and lands what passes.
fn carry_out(queue: &Queue<'_>, base: &Base, gate: &Gate, links: &[Link], tell: Tell<'_>) -> Result<Round> {
    let mut round = Round::default();
    let at_once = queue.rules.style == Style::Merge && !queue.each && !gate.checks.is_empty();
    let step = if at_once { links.len() } else { 1 };
    let mut from = base.oid;
    for links in links.chunks(step) {
        let judged = match judge(queue, gate, from, links) {
            Ok(judged) => judged,
            Err(error) => {
                land::unpin(queue.scene, links)?;
                return Err(error);
            }
        };
        let (green, rest) = links.split_at(judged.green);
        let names: Vec<Name> = green.iter().map(|link| link.item.name.clone()).collect();
        if !green.is_empty() {
            match landed(queue, (&base.branch, from), green, &judged.check, tell)? {
                Move::To(to) => from = to,
                Move::Missed(error) => {
                    land::unpin(queue.scene, links)?;
                    round.missed = Some(error);
                    return Ok(round);
                }
                Move::InTheWay(error) => {
                    land::unpin(queue.scene, links)?;
                    round.done.extend(names);
                    return in_the_way(green, &error, tell).map(|()| round);
                }
            }
            round.done.extend(names.iter().cloned());
        }
        let moved = restack::settle(queue.scene)?;
        if let Some(red) = judged.red {
            land::unpin(queue.scene, rest)?;
            if judged.base_fails.is_some() {
                round.base_fails = judged.base_fails;
                return Ok(round);
            }
            let item = &rest[0].item;
            let (name, base) = (item.name.clone(), base.branch.clone());
            let landing = Landing { name, base, from, to: None, check: red, with: names };
            send_back(queue, item, &landing)?;
            tell(Outcome::Checked(landing))?;
            round.done.push(item.name.clone());
            return Ok(round);
        }
        // What was built on what landed is another commit by now.
        if moved {
            return Ok(round);
        }
    }
    Ok(round)
}

/// How moving the base went.
enum Move {
    /// It is there.
    To(Oid),
    /// It is not where it was.
    Missed(Error),
    /// Something in its checkout is in the way.
    InTheWay(Error),
}

/// Moves the base to what some results become.
fn landed(
    queue: &Queue<'_>,
    (branch, from): (&str, Oid),
    links: &[Link],
    check: &Checked,
    tell: Tell<'_>,
) -> Result<Move> {
    let scene = queue.scene;
    let last = links.last().expect("something lands");
    let mut to = last.commit;
    if links.len() > 1 {
        let items: Vec<&Item> = links.iter().map(|link| &link.item).collect();
        to = style::together(scene.repo, &items, last.tree, from)?;
        let lock = RepoLock::take(scene.repo, "merge", scene.events)?;
        if !land::pin(scene.repo, &lock, (links, Some(to)), from)? {
            return Ok(Move::Missed(Error::refused("git clears away what results become")));
        }
    }
    if to != from
        && let Err(error) = land::move_base(scene, branch, (from, to), links)
    {
        let base = scene.repo.read().find_ref(&refs::branch(branch))?;
        let mut stands = base == Some(from);
        for link in links {
            stands &= land::is_as_checked(scene.repo, &link.item)?;
        }
        return match error.kind {
            _ if !stands => Ok(Move::Missed(error)),
            Kind::Refused => Ok(Move::InTheWay(error)),
            _ => {
                land::unpin(scene, links)?;
                let message = format!("cannot land `{}`: {}", last.item.name, error.message);
                Err(Error { message, ..error })
            }
        };
    }
    let time = Time::now().max(scene.now);
    let landed = Landed { from, to, time, checked: *check != Checked::Unconfigured };
    for link in links {
        // The base has moved: what fails now, the next command does from the commits.
        if let Err(error) = land::settle(scene, &link.item, landed.clone()) {
            let name = &link.item.name;
            let text = format!("{name} has landed, its record follows with the next command: {error}");
            (scene.events)(Event::Warning(text));
        }
    }
    let names: Vec<Name> = links.iter().map(|link| link.item.name.clone()).collect();
    for name in &names {
        let with = names.iter().filter(|other| *other != name).cloned().collect();
        let (base, check) = (branch.to_owned(), check.clone());
        tell(Outcome::Checked(Landing { name: name.clone(), base, from, to: Some(to), check, with }))?;
    }
    Ok(Move::To(to))
}

/// What passed its checks and can't land, each told.
fn in_the_way(links: &[Link], error: &Error, tell: Tell<'_>) -> Result<()> {
    for Link { item, .. } in links {
        let said = Error::new(error.kind, format!("cannot land `{}`: {error}", item.name));
        let error = error.hints.iter().fold(said, |said, hint| said.hint(hint));
        tell(Outcome::Kept(Kept { name: item.name.clone(), error }))?;
    }
    Ok(())
}

/// A result that fails its check goes back to its session, with what was printed.
fn send_back(queue: &Queue<'_>, item: &Item, landing: &Landing) -> Result<()> {
    let Checked::Failed { check, tail, .. } = &landing.check else { return Ok(()) };
    let with = match &landing.with[..] {
        [] => String::new(),
        with => format!(" with {}", list(with)),
    };
    let words = format!("The check `{check}` fails on top of {}{with}:\n{tail}", item.base);
    resolve::ask_for_changes(queue.scene, item, words, "fails its check")
}

/// That nobody is to blame.
fn fails_alone((check, log): &(String, PathBuf), item: &Item) -> Error {
    let Item { base, name, .. } = item;
    Error::failed(format!("the check `{check}` fails on `{base}` itself, without `{name}`"))
        .hint(format!("what it printed is in `{}`", log.display()))
        .hint(format!("mend `{base}` first; what mends it lands by its name: `git orch merge TASK`"))
}
