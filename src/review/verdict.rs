//! What people and sessions said of a result, as notes on its tip commit.
//!
//! A verdict carries to another tip with an equal tree or an equal patch,
//! and is shown as carried; anything else voids it.

use serde::Serialize;

use super::item::{self, Item};
use crate::error::{Error, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, notes, patch};
use crate::model::{Decision, Events, Name, Oid, Task, TaskState, Time, Verdict, Viewpoint};
use crate::store::tasks::With;
use crate::store::{self, record};

/// A verdict that holds for a tip.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The commit it was given on, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried_from: Option<Oid>,
}

/// What is said of a result now.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// From which viewpoint.
    pub viewpoint: Viewpoint,
    /// What.
    pub decision: Decision,
    /// In words.
    pub text: String,
    /// Who.
    pub by: String,
    /// The session, where one looked.
    pub session: Option<Name>,
}

/// The verdicts that hold for a result, oldest first.
pub fn load(repo: &Repo, item: &Item) -> Result<Vec<Held>> {
    Ok(load_all(repo, std::slice::from_ref(item))?.pop().unwrap_or_default())
}

/// The same for several results.
pub fn load_all(repo: &Repo, items: &[Item]) -> Result<Vec<Vec<Held>>> {
    let given = given(repo)?;
    if given.is_empty() {
        return Ok(vec![Vec::new(); items.len()]);
    }
    let tree = |commit: Oid| repo.read().commit(commit).map(|commit| commit.tree);
    let trees: Vec<(Oid, Oid)> =
        items.iter().map(|item| Ok((tree(item.base_oid)?, tree(item.tip)?))).collect::<Result<_>>()?;
    let patches = patch::between_all(repo, &trees)?;
    let of = |(item, ((_, tree), patch)): (&Item, (&(Oid, Oid), &Option<Oid>))| {
        let holds = |commit: Oid, verdict: &Verdict| {
            commit == item.tip || verdict.tree == *tree || (patch.is_some() && verdict.patch == *patch)
        };
        let held = given.iter().filter(|(commit, verdict)| holds(*commit, verdict));
        let mut held: Vec<Held> = held
            .map(|(commit, verdict)| Held {
                verdict: verdict.clone(),
                carried_from: (*commit != item.tip).then_some(*commit),
            })
            .collect();
        held.sort_by(|one, two| one.verdict.cmp(&two.verdict));
        held
    };
    Ok(items.iter().zip(trees.iter().zip(&patches)).map(of).collect())
}

/// Every verdict that was given, with the commit it was given on.
pub fn given(repo: &Repo) -> Result<Vec<(Oid, Verdict)>> {
    let mut given = Vec::new();
    for (commit, blob) in notes::list(repo, refs::VERDICT_NOTES)? {
        given.extend(parse(&repo.read().blob(blob)?).into_iter().map(|verdict| (commit, verdict)));
    }
    Ok(given)
}

/// The words from a viewpoint that stand: the last of each. What somebody asks
/// for stands until they take it back, or until a person approves: a program's
/// approval is no answer to another's objection.
pub fn standing(held: &[Held], viewpoint: Viewpoint) -> Vec<&Held> {
    let mut standing: Vec<&Held> = Vec::new();
    let said =
        |held: &&Held| held.verdict.viewpoint == viewpoint && held.verdict.decision != Decision::Abstain;
    for one in held.iter().filter(said) {
        standing.retain(|other| !overrules(&one.verdict, &other.verdict));
        standing.push(one);
    }
    standing
}

fn overrules(one: &Verdict, other: &Verdict) -> bool {
    match (&one.session, &other.session) {
        (None, _) if one.decision == Decision::Approve => true,
        (None, None) => one.by == other.by,
        (one, other) => one == other,
    }
}

/// What a viewpoint says in all: to change, where anyone does.
pub fn decided(held: &[Held], viewpoint: Viewpoint) -> Option<Decision> {
    let standing = standing(held, viewpoint);
    let asks = standing.iter().any(|held| held.verdict.decision == Decision::Change);
    if asks { Some(Decision::Change) } else { standing.first().map(|_| Decision::Approve) }
}

/// The verdicts that ask for changes, as they stand.
fn asking(held: &[Held]) -> Vec<&Verdict> {
    let all = [Viewpoint::Developer, Viewpoint::Reviewer, Viewpoint::Tester, Viewpoint::Documenter];
    let standing = all.into_iter().flat_map(|viewpoint| standing(held, viewpoint));
    standing.map(|held| &held.verdict).filter(|verdict| verdict.decision == Decision::Change).collect()
}

/// The verdicts in a note; lines that are none are passed over.
pub fn parse(note: &[u8]) -> Vec<Verdict> {
    String::from_utf8_lossy(note).lines().filter_map(record::parse_line).collect()
}

/// Notes a judgement on a result's tip; a task of which changes are asked
/// goes to state changes, one of which nobody asks them any more comes back.
///
/// # Errors
/// Refused where the result does not wait for judgement.
pub fn give(repo: &Repo, item: &Item, judgement: Judgement, events: Events<'_>, now: Time) -> Result<()> {
    let lock = RepoLock::take(repo, &format!("review {}", item.name), events)?;
    // Others may have said something since it was looked at, or added to it.
    let seen = item.tip;
    let item = &item::require(repo, item.name.as_str())?;
    require_waiting(item)?;
    if item.tip != seen {
        let (name, now) = (&item.name, item.tip.short());
        return Err(Error::refused(format!("`{name}` moved on meanwhile, to {now}"))
            .hint(format!("look at what it is now: `git orch review {name} --diff`")));
    }
    let said = say(repo, item, item.tip, judgement, now)?;
    let mut changes: Vec<RefChange> = said.note.iter().cloned().collect();
    if let Some(mut task) = store::tasks::find(repo, &item.name)?
        && turn(&mut task.value, &said)
    {
        let with = With { old: Some(task.tip), ..With::default() };
        let why = task.value.state.word();
        changes.push(store::tasks::prepare(repo, &mut task.value, with, why)?);
    }
    refs::apply(repo, &lock, &changes, "review")
}

/// Refuses a result that does not wait for judgement.
///
/// # Errors
/// Refused, with where it is in its life.
pub fn require_waiting(item: &Item) -> Result<()> {
    if item.state.is_pending() {
        return Ok(());
    }
    let (name, state) = (&item.name, item.state.word());
    Err(Error::refused(format!("`{name}` does not wait for judgement: it is {state}")))
}

/// A judgement that is said, but not yet written.
#[derive(Debug)]
pub struct Said {
    /// The note that says it.
    pub note: Option<RefChange>,
    /// What it says.
    pub verdict: Verdict,
    /// All that holds for the tip with it, oldest first.
    held: Vec<Held>,
}

/// Says a judgement on a tip of a result, which is its own or will be. Under
/// the lock that it is written under: no other one is lost.
pub fn say(repo: &Repo, item: &Item, tip: Oid, judgement: Judgement, now: Time) -> Result<Said> {
    let item = &Item { tip, ..item.clone() };
    let mut held = load(repo, item)?;
    // The last word has to be the youngest.
    let same = held.iter().filter(|held| held.verdict.viewpoint == judgement.viewpoint);
    let last = same.map(|held| held.verdict.time.0 + 1).max();
    let verdict = Verdict {
        time: last.map_or(now, |last| now.max(Time(last))),
        by: judgement.by,
        session: judgement.session,
        viewpoint: judgement.viewpoint,
        decision: judgement.decision,
        text: judgement.text,
        tree: repo.read().commit(tip)?.tree,
        patch: patch::between(repo, item.base_oid, tip)?,
    };
    let old = notes::find(repo, refs::VERDICT_NOTES, tip)?.unwrap_or_default();
    let mut lines: Vec<String> = String::from_utf8_lossy(&old).lines().map(str::to_owned).collect();
    lines.push(record::line(&verdict)?);
    lines.sort();
    lines.dedup();
    let text = lines.join("\n") + "\n";
    let note = notes::change(repo, refs::VERDICT_NOTES, &[(tip, text.into_bytes())], now)?;
    held.push(Held { verdict: verdict.clone(), carried_from: None });
    Ok(Said { note, verdict, held })
}

/// Has a task follow what was said of its result; whether that changes anything.
pub fn turn(task: &mut Task, said: &Said) -> bool {
    let asking = asking(&said.held);
    match said.verdict.decision {
        Decision::Abstain => return false,
        Decision::Approve if asking.is_empty() => {
            task.state = TaskState::Review;
            task.requested = None;
        }
        Decision::Approve | Decision::Change => {
            // What a check printed before is no verdict, and still to be mended.
            let is_first = said.verdict.decision == Decision::Change && asking.len() == 1;
            let before = task.requested.take().filter(|_| is_first && task.state == TaskState::Changes);
            task.state = TaskState::Changes;
            let words = requests(&asking);
            task.requested = Some(before.map_or(words.clone(), |before| format!("{before}\n\n{words}")));
        }
    }
    task.updated = task.updated.max(said.verdict.time);
    true
}

/// What is asked for, in words; whose they are, unless one person alone asks.
fn requests(asking: &[&Verdict]) -> String {
    match asking {
        [only] if only.session.is_none() => only.text.clone(),
        _ => {
            let words = |verdict: &&Verdict| {
                format!("{} {}: {}", verdict.viewpoint.word(), verdict.by, verdict.text.trim())
            };
            asking.iter().map(words).collect::<Vec<_>>().join("\n\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(words: &str) -> Vec<Held> {
        let one = |(time, word): (i64, &str)| {
            let (by, decision) = word.split_once(' ').unwrap();
            let decision = match decision {
                "yes" => Decision::Approve,
                "no" => Decision::Change,
                _ => Decision::Abstain,
            };
            let tree = Oid::from_bytes(&[1; 20]).unwrap();
            let session = by.strip_prefix('@').map(|name| name.parse().unwrap());
            let (text, viewpoint) = (format!("{by} says"), Viewpoint::Reviewer);
            let by = by.to_owned();
            let verdict =
                Verdict { time: Time(time), by, session, viewpoint, decision, text, tree, patch: None };
            Held { verdict, carried_from: None }
        };
        (0..).zip(words.split(", ")).map(one).collect()
    }

    #[test]
    fn an_objection_stands_until_its_maker_or_a_person_takes_it_back() {
        for (words, expected) in [
            ("@a yes", Some(Decision::Approve)),
            ("@a abstains", None),
            ("@a no, @b yes", Some(Decision::Change)),
            ("@a no, @b yes, @a yes", Some(Decision::Approve)),
            ("@a no, @a abstains", Some(Decision::Change)),
            ("@a no, Ann yes", Some(Decision::Approve)),
            ("Ann no, @a yes", Some(Decision::Change)),
            ("Ann no, Ben no, Ann yes", Some(Decision::Approve)),
            ("Ann yes, @a no", Some(Decision::Change)),
        ] {
            assert_eq!(decided(&held(words), Viewpoint::Reviewer), expected, "{words}");
            assert_eq!(decided(&held(words), Viewpoint::Tester), None);
        }
    }

    #[test]
    fn each_request_says_whose_it_is_unless_one_person_alone_asks() {
        let words = |text: &str| {
            let held = held(text);
            requests(&asking(&held))
        };
        assert_eq!(words("Ann no"), "Ann says");
        assert_eq!(words("@a no"), "reviewer @a: @a says");
        assert_eq!(words("Ann no, @a no, @b yes"), "reviewer Ann: Ann says\n\nreviewer @a: @a says");
    }
}
