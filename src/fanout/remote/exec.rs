//! The engine of the user's own commands: for Kubernetes, HTCondor, or
//! whatever runs a script somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use super::begun::{Post, cancel_one, question};
use super::{Doing, Engine, Triple};
use crate::agent::ask::{Answer, ask};
use crate::agent::command::{environment, shell};
use crate::error::{Error, IoContext, Result};
use crate::run::Scene;

/// Submissions so far.
pub(super) struct Exec<'a> {
    scene: Scene<'a>,
    triple: Triple,
    post: Post,
    jobs: Vec<Job>,
}

struct Job {
    id: String,
    shards: BTreeSet<usize>,
}

impl<'a> Exec<'a> {
    pub(super) fn new(scene: Scene<'a>, triple: Triple, post: Post) -> Self {
        Self { scene, triple, post, jobs: Vec::new() }
    }

    /// Runs one of the three; its answer where it went well.
    fn ask(&self, what: &str, text: &str, id: Option<&str>, shards: &OsStr) -> Result<Answer> {
        let node = self.post.folder.join("node.sh");
        let order = self.post.order.to_string();
        let ours: [(&str, &OsStr); 5] = [
            ("GIT_ORCH_RUN", OsStr::new(&self.post.run)),
            ("GIT_ORCH_REMOTE", OsStr::new(&self.post.remote.url)),
            ("GIT_ORCH_ORDER", OsStr::new(&order)),
            ("GIT_ORCH_SHARDS", shards),
            ("GIT_ORCH_NODE", node.as_os_str()),
        ];
        let argv = shell(text, id.map(Into::into));
        let answer = ask(&question(self.scene, argv, environment(self.scene.environment, &ours)))?;
        match answer.code {
            0 => Ok(answer),
            code => Err(Error::unusable(format!("`{what}` of the engine failed (exit {code})"))
                .because(answer.complaint())),
        }
    }
}

impl Engine for Exec<'_> {
    fn submit(&mut self, shards: &[usize]) -> Result<String> {
        let node = self.post.folder.join("node.sh");
        std::fs::write(&node, self.post.script(&[], "")).doing("could not write", &node)?;
        let list = self.post.folder.join(format!("shards-{}", self.jobs.len() + 1));
        let text: String = shards.iter().map(|n| format!("{n}\n")).collect();
        std::fs::write(&list, text).doing("could not write", &list)?;
        let answer = self.ask("submit", &self.triple.submit, None, list.as_os_str())?;
        let id = answer.stdout.lines().next().unwrap_or_default().trim().to_owned();
        if id.is_empty() {
            return Err(Error::unusable("`submit` of the engine printed no id")
                .hint("it prints what `poll` and `cancel` are called with"));
        }
        // What could not be noted is called off nonetheless.
        self.jobs.push(Job { id: id.clone(), shards: shards.iter().copied().collect() });
        self.scene.repo.reach("submission to be noted")?;
        self.post.note(&id)?;
        Ok(format!("as {id}"))
    }

    fn poll(&mut self, shards: &[usize]) -> Result<BTreeMap<usize, Doing>> {
        let latest = |n: &usize| self.jobs.iter().rposition(|job| job.shards.contains(n));
        let jobs: BTreeSet<usize> = shards.iter().filter_map(latest).collect();
        let mut all = BTreeMap::new();
        for index in jobs {
            let job = &self.jobs[index];
            let answer = self.ask("poll", &self.triple.poll, Some(&job.id), OsStr::new(""))?;
            let told = parse(&answer.stdout, &job.shards).map_err(Error::unusable)?;
            all.extend(told.into_iter().filter(|(n, _)| latest(n) == Some(index)));
        }
        Ok(all)
    }

    fn cancel(&mut self) -> Result<()> {
        let canceller = self.canceller();
        self.jobs.iter().try_for_each(|job| cancel_one(self.scene, &canceller, &job.id))
    }

    fn canceller(&self) -> Vec<String> {
        ["sh", "-c", &self.triple.cancel, "sh"].map(str::to_owned).into()
    }
}

/// `3 running` a line, or one word for all.
fn parse(printed: &str, shards: &BTreeSet<usize>) -> std::result::Result<BTreeMap<usize, Doing>, String> {
    let mut told = BTreeMap::new();
    for line in printed.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(char::is_whitespace) {
            None => told.extend(shards.iter().map(|n| (*n, doing(line)))),
            Some((n, word)) => match n.parse() {
                Ok(n) => drop(told.insert(n, doing(word.trim()))),
                Err(_) => return Err(format!("`poll` of the engine printed `{line}`")),
            },
        }
    }
    let unknown = told.values().find_map(|doing| doing.as_ref().err().cloned());
    match unknown {
        Some(word) => {
            Err(format!("`poll` of the engine printed `{word}`: it is waiting, running, done or lost"))
        }
        None => Ok(told.into_iter().filter_map(|(n, doing)| Some((n, doing.ok()?))).collect()),
    }
}

type Told = std::result::Result<Doing, String>;

fn doing(word: &str) -> Told {
    match word.to_lowercase().as_str() {
        "waiting" => Ok(Doing::Waiting),
        "running" => Ok(Doing::Running),
        "done" => Ok(Doing::Gone(None)),
        "lost" => Ok(Doing::Gone(Some("the engine lost it".to_owned()))),
        _ => Err(word.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_poll_prints_is_read_whole_or_refused() {
        let shards = BTreeSet::from([1, 2]);
        let all = |doing: Doing| Ok(BTreeMap::from([(1, doing.clone()), (2, doing)]));
        for (printed, told) in [
            ("running\n", all(Doing::Running)),
            ("1 waiting\n2 waiting\n", all(Doing::Waiting)),
            ("waiting\n1 done\n2\tDONE\n", all(Doing::Gone(None))),
            ("", Ok(BTreeMap::new())),
            ("2 running", Ok(BTreeMap::from([(2, Doing::Running)]))),
            ("one running", Err("`poll` of the engine printed `one running`".to_owned())),
            (
                "1 happy",
                Err("`poll` of the engine printed `happy`: it is waiting, running, done or lost".to_owned()),
            ),
        ] {
            assert_eq!(parse(printed, &shards), told, "{printed}");
        }
    }
}
