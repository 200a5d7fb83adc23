//! What a fan-out has on other machines and on the remote, until it ends.
//!
//! **Invariant:** the journal has it before anything is there, and until
//! nothing is.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::super::cache::Past;
use super::super::carry::Site;
use super::super::flow::Order;
use super::{Away, Engine, Setup, exec, gather, order, posted, slurm, ssh};
use crate::agent::ask::{Question, ask};
use crate::agent::command;
use crate::error::{Error, IoContext, Result};
use crate::git::remote::{self, Remote};
use crate::git::{Repo, operation};
use crate::model::operation::RECOVERY;
use crate::model::wording::count;
use crate::model::{Event, Events, Oid};
use crate::run::Scene;
use crate::run::claim::uid;
use crate::store::journal::{self, Entry, Intent};

/// Where runs lie on a remote.
const RUNS: &str = "refs/orch/run/";

/// What is on the remote, as engines need it.
#[derive(Clone, Debug)]
pub(super) struct Post {
    /// `refs/orch/run/NAME-UID`.
    pub(super) run: String,
    /// The commit that says what to do.
    pub(super) order: Oid,
    pub(super) remote: Remote,
    /// Where files for engines go.
    pub(super) folder: PathBuf,
    /// What is noted of submissions, a line each.
    ids: PathBuf,
}

impl Post {
    /// What the script that runs elsewhere is told.
    pub(super) fn script(&self, more: &[(&str, &str)], rest: &str) -> String {
        let order = self.order.to_string();
        let words = [
            ("GIT_ORCH_REMOTE", self.remote.url.as_str()),
            ("GIT_ORCH_RUN", &self.run),
            ("GIT_ORCH_ORDER", &order),
        ];
        order::script(&[&words, more].concat(), rest)
    }

    /// The run's name: the fan-out's, and something that no other has.
    pub(super) fn name(&self) -> &str {
        name(&self.run)
    }

    /// The ref of a shard's result.
    pub(super) fn result(&self, n: usize) -> String {
        result_of(&self.run, n)
    }

    /// Notes a submission, for who comes after this process died.
    pub(super) fn note(&self, id: &str) -> Result<()> {
        let file = std::fs::File::options().create(true).append(true).open(&self.ids);
        file.and_then(|mut file| writeln!(file, "{id}")).doing("could not write", &self.ids)
    }
}

/// A run that was begun. With it goes everything of it.
pub(super) struct Begun<'a> {
    scene: Scene<'a>,
    pub(super) post: Post,
    pub(super) engine: Box<dyn Engine + 'a>,
    /// Whether something may still be at work.
    pub(super) at_work: bool,
    entry: Option<Entry>,
}

impl<'a> Begun<'a> {
    /// Puts the order on the remote.
    ///
    /// # Errors
    /// Unusable where the remote does not take it; nothing is left then.
    pub(super) fn new(site: &Site<'a>, away: &Away, keys: &BTreeMap<usize, String>) -> Result<Self> {
        let scene = site.scene;
        let shards: Vec<usize> = keys.keys().copied().collect();
        let shards = shards.as_slice();
        if let Setup::Run(name) = &away.setup {
            return Self::found(site, away, shards, name);
        }
        let run = format!("{RUNS}{}-{}", site.name, uid()?);
        // Not with the logs: these go when the name is used again.
        let folder = scene.repo.orch_dir()?.join("away").join(name(&run));
        let fence = scene.repo.fence(scene.events);
        let order = order::write(site, &run, shards)?;
        let (remote, ids) = (away.remote.clone(), folder.join("ids"));
        let post = Post { run, order, remote, folder, ids };
        let engine = engine(site, away, &post);
        let intent = Intent::Away {
            remote: post.remote.name.clone(),
            url: post.remote.url.clone(),
            run: post.run.clone(),
            cancel: engine.canceller(),
            ids: post.ids.clone(),
        };
        let entry = Some(journal::begin(scene.repo, &intent)?);
        let begun = Self { scene, post, engine, at_work: false, entry };
        let folder = &begun.post.folder;
        std::fs::create_dir_all(folder).doing("could not make", folder)?;
        gather::note(site, folder, keys)?;
        let order = (begun.post.order, order_of(&begun.post.run));
        let pushed = scene.repo.reach("order to be posted");
        let pushed = pushed.and_then(|()| remote::push(scene.repo, &begun.post.remote, &[order]));
        drop(fence);
        if let Err(error) = pushed {
            begun.forget();
            return Err(error.hint(format!(
                "machines that run shards exchange commits under {RUNS} of `{}`: it must take pushes there",
                away.remote.name
            )));
        }
        Ok(begun)
    }

    /// What others were handed, if it is these shards.
    ///
    /// # Errors
    /// Refused where it is not.
    fn found(site: &Site<'a>, away: &Away, shards: &[usize], name: &str) -> Result<Self> {
        let scene = site.scene;
        let (repo, remote, run) = (scene.repo, away.remote.clone(), format!("{RUNS}{name}"));
        let order = order_of(&run);
        let there = remote::list(repo, &remote, &order)?;
        let (_, order) = there.into_iter().find(|(name, _)| *name == order).ok_or_else(|| {
            Error::refused(format!("there is no run `{name}` on `{}`", remote.name))
                .hint(format!("`git ls-remote {} '{RUNS}*/order'` lists them", remote.name))
        })?;
        let _fence = repo.fence(scene.events);
        remote::fetch(repo, &remote, &[order_of(&run)])?;
        if !order::is_same(site, shards, order)? {
            return Err(Error::refused(format!("the run `{name}` is of other shards"))
                .hint("say what was said with `--emit`, where the same commit is checked out"));
        }
        let folder = site.logs.to_owned();
        let post = Post { run, order, remote, ids: folder.join("ids"), folder };
        Ok(Self { scene, post, engine: Box::new(posted::Others), at_work: false, entry: None })
    }

    /// All results are here. Of what others were handed, only now it goes.
    pub(super) fn over(&self) {
        if self.entry.is_none()
            && let Err(error) = clear(self.scene.repo, &self.post.remote, &self.post.run)
        {
            warn(self.scene.events, &self.post.run, &error);
        }
    }

    /// There is nothing to take away.
    fn forget(mut self) {
        if let Some(entry) = self.entry.take() {
            // Whoever finds it looks in vain.
            drop(end(entry, &self.post.folder));
        }
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        gather::forget(&self.post.folder);
        let cancelled = if self.at_work { self.engine.cancel() } else { Ok(()) };
        let cleared = cancelled.and(clear(self.scene.repo, &self.post.remote, &self.post.run));
        if let Err(error) = cleared.and_then(|()| end(entry, &self.post.folder)) {
            let text =
                format!("could not call off all of {}: {error}; the next fan-out tries again", self.post.run);
            (self.scene.events)(Event::Warning(text));
        }
    }
}

fn engine<'a>(site: &Site<'a>, away: &Away, post: &Post) -> Box<dyn Engine + 'a> {
    match &away.setup {
        Setup::Exec(triple) => Box::new(exec::Exec::new(site.scene, triple.clone(), post.clone())),
        Setup::Run(_) => Box::new(posted::Others),
        Setup::Slurm(extra) => {
            Box::new(slurm::Slurm::new(site.scene, post.clone(), extra.clone(), away.limit))
        }
        Setup::Ssh(program, hosts) => {
            let setup = (program.clone(), away.limit);
            Box::new(ssh::Ssh::new(site.scene, post.clone(), hosts, setup))
        }
    }
}

/// Puts on a remote what the shards of an order have to do; for whoever does it
/// there, the name of its run.
///
/// # Errors
/// Unusable where the remote does not take it.
pub fn post(scene: Scene<'_>, order: &Order, remote: &Remote) -> Result<String> {
    let input = scene.repo.read().commit(order.commit)?.tree;
    let (past, logs) = (Past::default(), Path::new(""));
    let site = Site { scene, order, name: &order.job, input, logs, past: &past, before: 0 };
    let run = format!("{RUNS}{}-{}", order.job, uid()?);
    let _fence = scene.repo.fence(scene.events);
    let shards: Vec<usize> = (1..=order.shards.len()).collect();
    let commit = order::write(&site, &run, &shards)?;
    remote::push(scene.repo, remote, &[(commit, order_of(&run))])?;
    Ok(run)
}

/// The ref of what a run has to do.
pub(super) fn order_of(run: &str) -> String {
    format!("{run}/order")
}

/// The ref of the result of a shard of a run.
pub(super) fn result_of(run: &str, n: usize) -> String {
    format!("{run}/shard/{n}")
}

/// The name in a run's ref.
pub fn name(run: &str) -> &str {
    run.strip_prefix(RUNS).unwrap_or(run)
}

/// Takes a run off the remote.
fn clear(repo: &Repo, remote: &Remote, run: &str) -> Result<()> {
    repo.reach("run to be taken off")?;
    let there = remote::list(repo, remote, &format!("{run}/*"))?;
    let names: Vec<String> = there.into_iter().map(|(name, _)| name).collect();
    remote::delete(repo, remote, &names)
}

/// Calls off what processes that died had begun, takes what shards had done by
/// then, and takes it off remotes. What can't be reached now is tried again by
/// the next who asks.
///
/// # Errors
/// Unusable where the journal can't be read.
pub fn settle(scene: Scene<'_>) -> Result<()> {
    for (entry, intent) in journal::dead(scene.repo)? {
        let Intent::Away { remote, url, run, cancel, ids } = intent else { continue };
        let remote = Remote { name: remote, url };
        let folder = ids.parent().unwrap_or(&ids);
        let recover = || {
            call_off(scene, &cancel, &ids)?;
            let done = gather::gather(scene, &remote, (&run, folder))?;
            clear(scene.repo, &remote, &run)?;
            end(entry, folder).map(|()| done)
        };
        match operation::aside(scene.repo, RECOVERY, scene.now, recover) {
            Ok(done) => {
                let done = if done == 0 { String::new() } else { format!(", {} done", count(done, "shard")) };
                (scene.events)(Event::Note(format!("{run} is off `{}`{done}", remote.name)));
            }
            Err(error) => warn(scene.events, &run, &error),
        }
    }
    Ok(())
}

/// Nothing is left of a run; its files go, too.
fn end(entry: Entry, folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).doing("could not remove", folder)
        }
        _ => entry.end(),
    }
}

fn warn(events: Events<'_>, run: &str, error: &Error) {
    events(Event::Warning(format!("what a killed fan-out left at {run} is still there: {error}")));
}

fn call_off(scene: Scene<'_>, cancel: &[String], ids: &Path) -> Result<()> {
    if cancel.is_empty() {
        return Ok(());
    }
    scene.repo.reach("run to be called off")?;
    // Without a note nothing was submitted.
    let noted = std::fs::read_to_string(ids).unwrap_or_default();
    noted.lines().try_for_each(|id| cancel_one(scene, cancel, id))
}

/// Ends one submission.
pub(super) fn cancel_one(scene: Scene<'_>, cancel: &[String], id: &str) -> Result<()> {
    let argv = cancel.iter().map(String::as_str).chain([id]).map(OsString::from).collect();
    let answer = ask(&question(scene, argv, command::environment(scene.environment, &[])))?;
    match answer.code {
        0 => Ok(()),
        _ => Err(Error::unusable(format!("could not cancel `{id}`")).because(answer.complaint())),
    }
}

/// A program to ask, in the checkout.
pub(super) fn question(
    scene: Scene<'_>,
    argv: Vec<OsString>,
    environment: BTreeMap<OsString, OsString>,
) -> Question {
    let place = scene.repo.place();
    let folder = place.work_tree.clone().unwrap_or_else(|| scene.repo.main_folder().to_owned());
    Question { argv, folder, environment }
}
