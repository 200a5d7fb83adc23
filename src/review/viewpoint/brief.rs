//! The text from which a program looks at a result.
//!
//! **Invariant:** the same inputs give the same bytes; what others wrote is
//! fenced and labelled, never mixed with what git-orch asks for.

use std::fmt::Write as _;

use super::look::Order;
use crate::config::Says;
use crate::error::Result;
use crate::git::Repo;
use crate::model::wording::{count, excerpt};
use crate::model::{Look, Name, Verdict, Viewpoint};
use crate::review::{gate, verdict};
use crate::run::Scene;
use crate::run::brief::{conventions, fence};
use crate::store;

/// How many files, commits or touches are listed.
const LISTED: usize = 40;

/// Writes the brief of a look; `has` tells which files the result has.
pub fn write(scene: Scene<'_>, order: &Order<'_>, has: &dyn Fn(&str) -> bool) -> Result<String> {
    let (repo, item) = (scene.repo, order.item);
    let (name, word) = (&item.name, order.viewpoint.word());
    let author = item.session.as_ref().map_or("a fan-out".to_owned(), |author| format!("session `{author}`"));
    let mut text = format!(
        "# Look at {name} as {word}\n\n\
         This was asked for, and {author} did it. Say whether it may land.\n\n{}\n",
        fence(&item.text)
    );
    result(repo, &mut text, order)?;
    known(&mut text, order);
    said(repo, &mut text, order)?;
    let _ = write!(text, "\n## What to do\n\n{}", duty(order.viewpoint, order.may_add()));
    if order.says == Says::Words {
        text.push_str(&how_to_say(name));
    }
    let _ = write!(
        text,
        "\n## How to work\n\n\
         - You look for session `{}`, in a worktree made for this alone: it goes when you end. Work only here.\n\
         - Follow the repository's conventions{}.\n\
         - Ending with an exit code other than 0 counts as no verdict.\n",
        order.session(),
        conventions(has)
    );
    Ok(text)
}

fn result(repo: &Repo, text: &mut String, order: &Order<'_>) -> Result<()> {
    let item = order.item;
    let (from, to) = (item.base_oid.short(), item.tip.short());
    let _ = write!(
        text,
        "\n## What came of it\n\n\
         The branch `{}` at {to}, checked out here. `git diff {from} {to}` shows all of it,\n\
         `git log -p {from}..{to}` commit by commit.\n\n",
        item.branch
    );
    let commits: Vec<String> = item
        .commits
        .iter()
        .map(|oid| Ok(format!("{} {}", oid.short(), excerpt(repo.read().commit(*oid)?.subject(), 100))))
        .collect::<Result<_>>()?;
    list(text, &commits);
    let touched = gate::touched(repo, item)?;
    let files: Vec<String> =
        touched.iter().map(|change| format!("{} {}", change.status.letter(), change.path)).collect();
    let _ = writeln!(text, "\nIt changes {}:\n", count(files.len(), "file"));
    list(text, &files);
    Ok(())
}

/// What the session's own history says of the touched paths.
fn known(text: &mut String, order: &Order<'_>) {
    let reasons = order.choice.candidate.iter().flat_map(|candidate| &candidate.reasons);
    let lines: Vec<String> = reasons
        .filter(|reason| reason.touches > 0)
        .map(|reason| {
            let last = reason.last.map(|last| format!(", last {}", last.date())).unwrap_or_default();
            let commit = reason.commit.map(|oid| format!(" in {}", oid.short())).unwrap_or_default();
            format!("{}: {}{last}{commit}", reason.path, count(reason.touches as usize, "touch"))
        })
        .collect();
    if !lines.is_empty() {
        let _ = write!(text, "\n## What session {} did there before\n\n", order.session());
        list(text, &lines);
    }
}

/// What was said of it so far, and asked for.
fn said(repo: &Repo, text: &mut String, order: &Order<'_>) -> Result<()> {
    let held = verdict::load(repo, order.item)?;
    let looks = store::tasks::find(repo, &order.item.name)?.map(|task| task.value.viewpoints);
    let holds = |look: &Look| {
        held.iter().any(|held| {
            let Verdict { viewpoint, session, text, .. } = &held.verdict;
            (*viewpoint, session.as_ref(), text) == (look.viewpoint, Some(&look.session), &look.text)
        })
    };
    let earlier = looks.into_iter().flatten().filter(|look| !holds(look)).map(|look| {
        let (word, verdict) = (look.viewpoint.word(), look.verdict.word());
        format!("of {}, {word} {} {verdict}: {}", look.tip.short(), look.session, look.text)
    });
    let now = held.iter().map(|held| {
        let verdict = &held.verdict;
        format!("{} {} {}: {}", verdict.viewpoint.word(), verdict.by, verdict.decision.word(), verdict.text)
    });
    let lines: Vec<String> = earlier.chain(now).collect();
    if !lines.is_empty() {
        text.push_str("\n## What was said of it so far\n\n");
        list(text, &lines);
    }
    Ok(())
}

fn list(text: &mut String, lines: &[String]) {
    let _ = writeln!(text, "{}", fence(&lines[..lines.len().min(LISTED)].join("\n")));
    if lines.len() > LISTED {
        let _ = writeln!(text, "and {} more", lines.len() - LISTED);
    }
}

fn duty(viewpoint: Viewpoint, may_add: bool) -> &'static str {
    match (viewpoint, may_add) {
        (Viewpoint::Tester, true) => {
            "- Try it: run what tests there are, and write those that are missing.\n\
             - Tests that you leave here, committed or not, are added to the result as yours. Change nothing else.\n\
             - Ask for changes where it fails; leave the test that shows it.\n"
        }
        (Viewpoint::Tester, false) => {
            "- Try it: run what tests there are, and whatever else shows whether it works.\n\
             - Nothing that you change here is taken.\n"
        }
        (Viewpoint::Documenter, true) => {
            "- Read what is written about what it changes: comments, help, guides. Mend what is wrong or missing.\n\
             - What you leave here, committed or not, is added to the result as yours. Change no behaviour.\n\
             - Ask for changes where the work itself has to become clearer.\n"
        }
        (Viewpoint::Documenter, false) => {
            "- Read what is written about what it changes: comments, help, guides. Say what is wrong or missing.\n\
             - Nothing that you change here is taken.\n"
        }
        (Viewpoint::Reviewer | Viewpoint::Developer, _) => {
            "- Read it: does it do what was asked for, is it right, does it fit the code around it, is anything missing?\n\
             - Change nothing: what you change here is dropped. Say what has to change.\n"
        }
    }
}

fn how_to_say(name: &Name) -> String {
    format!(
        "\n## How to say it\n\n\
         Say one of these, here, before you end; the last one counts:\n\n\
         - `git orch review {name} --approve -m \"WHY\"`: it may land\n\
         - `git orch review {name} --request-changes -m \"WHAT\"`: it must change first; say exactly what, and where\n\
         - `git orch review {name} --abstain -m \"WHY\"`: no opinion\n\n\
         Or write it into the file that `GIT_ORCH_VERDICT` names: `approve`, `change` or `abstain` in the first\n\
         line, your words in the rest. Who says nothing has no opinion.\n"
    )
}
