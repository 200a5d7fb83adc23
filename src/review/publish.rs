//! A result put up on a forge, or brought up to date there, and what its
//! reviewers there say brought back.
//!
//! ```text
//! find     the request that is there: by its number, or by what was pushed
//! push     leased: only what we left there is moved
//! open     or edit, where what stands there is what we wrote
//! record   on the task: number, address, tip, state
//! ```
//!
//! **Invariant:** a request is opened only where none is found; who dies before
//! the record is written has the next find it. What a reviewer said is passed
//! on once, and only from who may write there.

use serde::Serialize;

use super::forge::{self, Choice, Edits, Forge, Remark, Seen, Site, Wanted, remarks, text};
use super::item::{self, Item};
use crate::error::{Error, Result};
use crate::git::push::{self, Push};
use crate::git::{RepoLock, refs};
use crate::model::{Event, Name, Oid, Published, RequestState, TaskState};
use crate::run::Scene;
use crate::session::PublishLock;
use crate::store;
use crate::store::tasks::With;

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The result.
    pub name: Name,
    /// Whether anything was pushed.
    pub pushed: bool,
    /// Whether a request was opened.
    pub opened: bool,
    /// Whether changes were asked for there, which its session now hears.
    pub heard: bool,
    /// The request.
    pub request: Published,
}

/// Puts a result up, or brings its request up to date.
///
/// # Errors
/// Refused where somebody else moved what is there, where the forge does not
/// take it, or where the request was turned down.
pub fn publish(site: Site<'_>, forge: &dyn Forge, choice: &Choice, wanted: &Wanted) -> Result<Report> {
    let scene = site.scene;
    let _turn = PublishLock::wait(scene.repo, &wanted.name, scene.interrupt, scene.events)?;
    // Whoever had the turn before may have done it.
    let item = item::require(scene.repo, wanted.name.as_str())?;
    require_unmoved(&item, wanted)?;
    let known = known(&item, choice, site);
    // No ref holds a copy.
    let _fence = (!forge.is_branch()).then(|| scene.repo.fence(scene.events));
    let commit = forge.commit(wanted)?;
    let found = forge.find(wanted, known, commit)?;
    let number = found.as_ref().and_then(|found| found.number);
    let known = known.filter(|known| !is_other(known.number, number));
    let turn = Turn { site, forge, choice, wanted, commit, known, item: &item };
    match found.as_ref().map(|found| found.state) {
        Some(RequestState::Merged) => turn.note(found.unwrap_or_default()),
        Some(RequestState::Closed) => {
            let report = turn.note(found.unwrap_or_default())?;
            let (name, label) = (&wanted.name, report.request.label());
            Err(Error::refused(format!("the request of `{name}`, {label}, was closed there"))
                .hint(format!("reopen it there: {}", report.request.address.unwrap_or(label)))
                .hint(format!("or call the result off: `git orch cancel {name}`")))
        }
        _ => turn.carry_out(found),
    }
}

/// Reads back how a request stands, and changes nothing there.
///
/// # Errors
/// Unusable where the forge can't be asked.
pub fn look(site: Site<'_>, forge: &dyn Forge, choice: &Choice, wanted: &Wanted) -> Result<Report> {
    let scene = site.scene;
    let _turn = PublishLock::wait(scene.repo, &wanted.name, scene.interrupt, scene.events)?;
    let item = item::require(scene.repo, wanted.name.as_str())?;
    let Some(known) = known(&item, choice, site) else {
        let (name, remote) = (&item.name, &site.remote.name);
        return Err(Error::refused(format!("no request of `{name}` on `{remote}` was recorded"))
            .hint(format!("`git orch show {name}` tells where it was put up")));
    };
    let commit = known.copy.or(known.tip).unwrap_or(wanted.tip);
    let found = forge.find(wanted, Some(known), commit)?;
    let found = found.filter(|found| !is_other(known.number, found.number)).unwrap_or_default();
    Turn { site, forge, choice, wanted, commit, known: Some(known), item: &item }.note(found)
}

/// What was recorded of a request at the same forge.
fn known<'a>(item: &'a Item, choice: &Choice, site: Site<'_>) -> Option<&'a Published> {
    let is_here = |known: &&Published| {
        known.forge == choice.to_string() && known.remote.as_deref() == Some(site.remote.name.as_str())
    };
    item.published.as_ref().filter(is_here)
}

/// Whether two numbers are of two requests, as far as both are told.
fn is_other(one: Option<u64>, other: Option<u64>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

/// Refuses a result that has another tip than what was gathered about it.
fn require_unmoved(item: &Item, wanted: &Wanted) -> Result<()> {
    if item.tip == wanted.tip {
        return Ok(());
    }
    let (name, now) = (&item.name, item.tip.short());
    Err(Error::refused(format!("`{name}` moved to {now} while it was about to be put up"))
        .hint(format!("nothing was pushed: run `git orch review {name} --pr` again")))
}

/// One result's turn.
struct Turn<'a> {
    site: Site<'a>,
    forge: &'a dyn Forge,
    choice: &'a Choice,
    wanted: &'a Wanted,
    commit: Oid,
    known: Option<&'a Published>,
    item: &'a Item,
}

impl Turn<'_> {
    fn carry_out(&self, found: Option<Seen>) -> Result<Report> {
        let head = self.head()?;
        let found = match found {
            Some(gone) if self.is_gone(&gone, head) => {
                let left = self.known.and_then(|known| known.tip).or(gone.tip);
                if left == Some(self.wanted.tip) {
                    return self.leave(gone);
                }
                None
            }
            found => found,
        };
        let answer = self.push(found.as_ref(), head)?;
        let pushed = answer.is_some();
        let told = answer.as_ref().and_then(|answer| self.forge.opened(self.wanted, answer));
        let (seen, opened) = match (found, told) {
            (Some(found), Some(told)) if is_other(found.number, told.number) => (told, true),
            (Some(found), told) => {
                let address = found.address.clone().or(told.and_then(|told| told.address));
                (Seen { address, ..found }, false)
            }
            (None, Some(told)) => (told, true),
            (None, None) => (self.forge.open(self.wanted)?, true),
        };
        self.site.scene.repo.reach("request opened")?;
        let mut edits = self.edits(&seen, opened, pushed);
        if !edits.is_empty() {
            edits = self.forge.edit(&seen, &edits)?;
        }
        let request = self.request(&seen, &edits, opened);
        let heard = self.record(&request, &seen.remarks)?;
        Ok(Report { name: self.wanted.name.clone(), pushed, opened, heard: heard.1, request: heard.0 })
    }

    /// Records how a request stands that is left as it is.
    fn note(&self, seen: Seen) -> Result<Report> {
        let mut request =
            self.known.cloned().unwrap_or_else(|| self.request(&seen, &Edits::default(), false));
        stands(&mut request, &seen);
        let (request, heard) = self.record(&request, &seen.remarks)?;
        Ok(Report { name: self.wanted.name.clone(), pushed: false, opened: false, heard, request })
    }

    /// Where that is there which is pushed to; refused without a base.
    fn head(&self) -> Result<Option<Oid>> {
        let Self { site, forge, wanted, .. } = self;
        let (head, base) = (forge.head(wanted), refs::branch(&wanted.base));
        let mut there = push::tips(site.scene.repo, site.remote, &[head.clone(), base.clone()])?;
        if let Some((upstream, _)) = site.upstream {
            there.retain(|(name, _)| *name != base);
            there.extend(push::tips(site.scene.repo, upstream, std::slice::from_ref(&base))?);
        }
        let at = |name: &str| there.iter().find(|(other, _)| other == name).map(|(_, oid)| *oid);
        self.require_base(at(&base))?;
        Ok(at(&head))
    }

    /// Whether the branch of a request was taken away there, as it is with one
    /// that was squashed or closed, and nobody tells what became of it.
    fn is_gone(&self, found: &Seen, head: Option<Oid>) -> bool {
        self.forge.is_branch() && head.is_none() && found.state == RequestState::Unknown
    }

    /// Leaves a request alone whose branch is gone: another push would open
    /// another one for the same commits.
    fn leave(&self, gone: Seen) -> Result<Report> {
        let (branch, remote) = (&self.wanted.branch, &self.site.remote.name);
        let report = self.note(gone)?;
        (self.site.scene.events)(Event::Warning(format!(
            "`{branch}` is no longer on `{remote}`: {} was merged or closed there, it seems; `git push {remote} {branch}` brings it back",
            report.request.label()
        )));
        Ok(report)
    }

    /// Pushes what is not there yet; what the remote answered, where it was asked.
    fn push(&self, found: Option<&Seen>, head: Option<Oid>) -> Result<Option<push::Answer>> {
        let Self { site, forge, wanted, .. } = self;
        let name = forge.head(wanted);
        let present = if forge.is_branch() { head } else { found.and_then(|found| found.tip) };
        if present == Some(self.commit) {
            return Ok(None);
        }
        let lease = match forge.is_branch() {
            true => forge::lease(*site, &name, present, |oid| self.is_ours(oid))?,
            false => push::Lease::None,
        };
        let options = forge.options(wanted, found);
        let hooks = site.scene.habits.hooks;
        let push = Push { oid: self.commit, name: &name, lease, options: &options, hooks };
        push::push(site.scene.repo, site.remote, &push).map(Some)
    }

    /// Refuses a base that is not there; warns of one that lacks commits.
    fn require_base(&self, there: Option<Oid>) -> Result<()> {
        let (base, name) = (&self.wanted.base, &self.wanted.name);
        let remote = &self.site.upstream.map_or(self.site.remote, |(upstream, _)| upstream).name;
        let Some(there) = there else {
            return Err(Error::refused(format!("`{base}`, the base of `{name}`, is not on `{remote}`"))
                .hint(format!("push it first: `git push {remote} {base}`")));
        };
        let read = self.site.scene.repo.read();
        let start = self.wanted.start;
        if self.wanted.below.is_none() && read.has(there)? && read.merge_base(there, start)? != Some(start) {
            (self.site.scene.events)(Event::Warning(format!(
                "`{base}` on `{remote}` lacks commits that `{name}` builds on: the request shows these, too; `git push {remote} {base}` puts it right"
            )));
        }
        Ok(())
    }

    /// Whether a commit on the remote is one that we left there, or one that the
    /// record's own past has.
    fn is_ours(&self, oid: Oid) -> Result<bool> {
        let repo = self.site.scene.repo;
        if self.item.published.as_ref().is_some_and(|known| known.tip == Some(oid) || known.copy == Some(oid))
        {
            return Ok(true);
        }
        let name = &self.wanted.name;
        let records = [store::tasks::record_ref(name), store::fanouts::record_ref(name)];
        for tip in
            [Some(self.wanted.tip), repo.read().find_ref(&records[0])?, repo.read().find_ref(&records[1])?]
        {
            let Some(tip) = tip else { continue };
            if repo.read().has(oid)? && repo.read().merge_base(tip, oid)? == Some(oid) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is to be changed: words only where ours stand, and only when
    /// something moved.
    fn edits(&self, seen: &Seen, opened: bool, pushed: bool) -> Edits {
        let wanted = self.wanted;
        let had = |values: &[String], one: &String| values.contains(one);
        let known = self.known.filter(|_| !opened);
        let (labels, reviewers) = (known.map(|k| &*k.labels), known.map(|k| &*k.reviewers));
        let new = |all: &[String], had_before: Option<&[String]>| -> Vec<String> {
            all.iter().filter(|one| !had_before.is_some_and(|before| had(before, one))).cloned().collect()
        };
        let mut edits = Edits {
            labels: new(&wanted.labels, labels),
            reviewers: new(&wanted.reviewers, reviewers),
            ..Edits::default()
        };
        if opened {
            return edits;
        }
        if !pushed && self.forge.labels_by_push() && !(edits.labels.is_empty() && edits.reviewers.is_empty())
        {
            let text =
                "labels and reviewers are told with a push, and there is nothing to push: name them there";
            (self.site.scene.events)(Event::Warning(text.to_owned()));
            (edits.labels, edits.reviewers) = (Vec::new(), Vec::new());
        }
        let is_other =
            |there: &String| *there != wanted.base && known.is_none_or(|known| known.base == *there);
        let there = seen.base.clone().or_else(|| known.map(|known| known.base.clone()));
        edits.base = there.filter(is_other).map(|_| wanted.base.clone());
        let body = self.forge.body(wanted);
        let (title_there, body_there) = (seen.title.as_ref(), seen.body.as_ref());
        let found = body_there.is_some_and(|body| text::is_of(body, &wanted.name));
        let ours = |there: Option<&String>, written: Option<&String>| match (there, written) {
            (Some(there), Some(written)) => text::is_same(there, written),
            // Nobody recorded it: a text that says so is ours.
            (Some(_), None) => found,
            (None, _) => false,
        };
        let moved = pushed || edits.base.is_some();
        if moved
            && ours(title_there, known.map(|known| &known.title))
            && title_there != Some(&wanted.text.title)
        {
            edits.title = Some(wanted.text.title.clone());
        }
        let differs = body_there.is_some_and(|there| !text::is_same(there, &body));
        if moved && ours(body_there, known.map(|known| &known.body)) && differs {
            edits.body = Some(body);
        }
        edits
    }

    /// The record of a request after what was done.
    fn request(&self, seen: &Seen, edits: &Edits, opened: bool) -> Published {
        let wanted = self.wanted;
        let known = self.known.filter(|_| !opened);
        let (title, body) = (&wanted.text.title, self.forge.body(wanted));
        // What a person wrote there stays theirs: what we wrote is remembered.
        let written = |edit: &Option<String>, before: Option<&String>, ours: &str| {
            edit.clone().or_else(|| before.cloned()).unwrap_or_else(|| ours.to_owned())
        };
        let joined = |before: Option<&[String]>, more: &[String]| {
            let mut all = before.unwrap_or_default().to_vec();
            all.extend(more.iter().cloned());
            all
        };
        let mut request = Published {
            forge: self.choice.to_string(),
            remote: Some(self.site.remote.name.clone()),
            head: Some(self.forge.head(wanted)),
            base: edits.base.clone().or_else(|| seen.base.clone()).unwrap_or_else(|| wanted.base.clone()),
            tip: Some(wanted.tip),
            copy: (self.commit != wanted.tip).then_some(self.commit),
            number: seen.number,
            id: seen.id.clone(),
            address: None,
            title: written(&edits.title, known.map(|known| &known.title), title),
            body: written(&edits.body, known.map(|known| &known.body), &body),
            draft: known.map_or(wanted.draft && opened, |known| known.draft),
            labels: joined(known.map(|k| &*k.labels), &edits.labels),
            reviewers: joined(known.map(|k| &*k.reviewers), &edits.reviewers),
            ..Published::default()
        };
        stands(&mut request, seen);
        request
    }

    /// Writes it down, and what its session shall hear; whether there was any.
    fn record(&self, request: &Published, said: &[Remark]) -> Result<(Published, bool)> {
        let at = request.address.clone().unwrap_or_else(|| request.label());
        record(self.site.scene, self.item, request, |heeded| remarks::request(&at, said, heeded))
    }
}

/// Takes over how a request stands there.
fn stands(request: &mut Published, seen: &Seen) {
    // What a forge does not tell is as it was.
    if seen.state != RequestState::Unknown || request.state == RequestState::Unknown {
        request.state = seen.state;
    }
    request.address = seen.address.clone().or(request.address.take());
    request.draft = seen.draft.unwrap_or(request.draft);
    request.opinion = seen.opinion;
    request.checks = seen.checks;
    request.number = seen.number.or(request.number);
}

/// Writes a request onto the record of its result; with what reviewers `ask`
/// for beside what was heeded, where they do and somebody can hear it.
///
/// # Errors
/// Refused where the record moved under us again and again.
pub fn record(
    scene: Scene<'_>,
    item: &Item,
    request: &Published,
    ask: impl FnOnce(&[String]) -> Option<(String, Vec<String>)>,
) -> Result<(Published, bool)> {
    let lock = RepoLock::take(scene.repo, &format!("review {} --pr", item.name), scene.events)?;
    let mut request = request.clone();
    let is_new = |before: &Option<Published>, request: &Published| {
        before
            .as_ref()
            .is_none_or(|before| Published { updated: request.updated, ..before.clone() } != *request)
    };
    let (change, heard) = if let Some(mut task) = store::tasks::find(scene.repo, &item.name)? {
        let value = &mut task.value;
        heed(&mut request, value.published.as_ref());
        let asked = ask(&request.heeded).filter(|_| value.state.is_pending());
        let heard = asked.is_some();
        if let Some((text, ids)) = asked {
            let before = value.requested.take().filter(|_| value.state == TaskState::Changes);
            value.requested = Some(before.map(|before| format!("{before}\n\n{text}")).unwrap_or(text));
            value.state = TaskState::Changes;
            value.updated = scene.now;
            request.heeded.extend(ids);
        }
        if !heard && !is_new(&value.published, &request) {
            return Ok((request, false));
        }
        request.updated = scene.now;
        value.published = Some(request.clone());
        let why = if heard { "changes asked for on the forge" } else { "published" };
        let with = With { old: Some(task.tip), ..With::default() };
        (store::tasks::prepare(scene.repo, value, with, why)?, heard)
    } else if let Some(mut fanout) = store::fanouts::find(scene.repo, &item.name)? {
        if !is_new(&fanout.value.published, &request) {
            return Ok((request, false));
        }
        request.updated = scene.now;
        fanout.value.published = Some(request.clone());
        (store::fanouts::prepare(scene.repo, &fanout.value, Some(fanout.tip), Vec::new(), scene.now)?, false)
    } else {
        return Ok((request, false));
    };
    refs::apply(scene.repo, &lock, &[change], "review --pr")?;
    Ok((request, heard))
}

/// Takes over what was passed on before, by whatever request.
fn heed(request: &mut Published, before: Option<&Published>) {
    for one in before.map(|before| before.heeded.as_slice()).unwrap_or_default() {
        if !request.heeded.contains(one) {
            request.heeded.push(one.clone());
        }
    }
}
