//! Machines that are reached by ssh: here the queue is ours.
//!
//! Each shard is one session over a connection that stays open to its machine.
//! The script comes over standard input, which then stays open: where it ends,
//! by our wish or because connection or process are gone, the shard ends too.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::path::PathBuf;

use tempfile::TempDir;

use super::begun::{Post, question};
use super::on::Host;
use super::{Doing, Engine};
use crate::agent::ask::{Answer, Question, ask};
use crate::agent::command::environment;
use crate::agent::hold::Held;
use crate::error::{Error, Result};
use crate::model::Event;
use crate::model::wording::{count, list, tick};
use crate::run::Scene;

/// How many sessions share a connection: sshd allows ten unless told otherwise.
const SESSIONS: usize = 8;
/// What ssh ends with where it is to blame itself.
const BROKEN: i32 = 255;
/// How often a shard is given to another machine as one was out of reach.
const MOVES: u32 = 5;

/// The machines, and what runs on them.
pub(super) struct Ssh<'a> {
    scene: Scene<'a>,
    post: Post,
    program: String,
    lanes: Vec<Lane>,
    limit: usize,
    waiting: VecDeque<usize>,
    running: Vec<Running>,
    gone: BTreeMap<usize, Option<String>>,
    /// Whether no more shards are begun.
    held_back: bool,
    moves: BTreeMap<usize, u32>,
    /// Where connections have their sockets: their paths must be short.
    sockets: Option<TempDir>,
}

/// A connection, and how many shards go over it at once.
struct Lane {
    host: String,
    slots: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Untried,
    Open,
    Broken,
}

struct Running {
    n: usize,
    lane: usize,
    session: Held,
}

impl<'a> Ssh<'a> {
    pub(super) fn new(scene: Scene<'a>, post: Post, hosts: &[Host], setup: (String, Option<usize>)) -> Self {
        let (program, limit) = setup;
        let of_host = |host: &Host| {
            let full = std::iter::repeat_n(SESSIONS, host.slots / SESSIONS);
            let rest = Some(host.slots % SESSIONS).filter(|slots| *slots > 0);
            let lane = |slots| Lane { host: host.name.clone(), slots, state: State::Untried };
            full.chain(rest).map(lane).collect::<Vec<_>>()
        };
        Self {
            scene,
            post,
            program,
            lanes: hosts.iter().flat_map(of_host).collect(),
            limit: limit.unwrap_or(usize::MAX),
            waiting: VecDeque::new(),
            running: Vec::new(),
            gone: BTreeMap::new(),
            held_back: false,
            moves: BTreeMap::new(),
            sockets: tempfile::Builder::new().prefix("orch-").tempdir().ok(),
        }
    }

    fn socket(&self, lane: usize) -> Option<PathBuf> {
        self.sockets.as_ref().map(|folder| folder.path().join(lane.to_string()))
    }

    /// A call of ssh over the connection of a lane.
    fn call(&self, lane: usize, options: &[&str], words: &[&str]) -> Question {
        let mut argv: Vec<OsString> = vec![self.program.clone().into()];
        argv.extend(["-T", "-x", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15"].map(Into::into));
        argv.extend(["-o", "ServerAliveInterval=15"].map(Into::into));
        if let Some(socket) = self.socket(lane) {
            argv.extend(["-o".into(), format!("ControlPath={}", socket.display()).into()]);
        }
        argv.extend(options.iter().map(Into::into));
        argv.extend(["--", &self.lanes[lane].host].map(Into::into));
        argv.extend(words.iter().map(Into::into));
        question(self.scene, argv, environment(self.scene.environment, &[]))
    }

    /// Opens the connections that were not tried yet, all at once.
    fn connect(&mut self) -> Result<()> {
        if self.sockets.is_none() {
            self.lanes.iter_mut().for_each(|lane| lane.state = State::Open);
        }
        let untried = (0..self.lanes.len()).filter(|lane| self.lanes[*lane].state == State::Untried);
        let master = ["-f", "-N", "-o", "ControlMaster=yes", "-o", "ControlPersist=60"];
        let calls: Vec<(usize, Question)> =
            untried.map(|lane| (lane, self.call(lane, &master, &[]))).collect();
        let answers: Vec<(usize, Result<Answer>)> = std::thread::scope(|scope| {
            let asked: Vec<_> =
                calls.iter().map(|(lane, call)| (*lane, scope.spawn(move || ask(call)))).collect();
            asked
                .into_iter()
                .map(|(lane, asked)| (lane, asked.join().expect("asking does not panic")))
                .collect()
        });
        for (lane, answer) in answers {
            match answer? {
                answer if answer.code == 0 => self.lanes[lane].state = State::Open,
                answer => self.broke(lane, &answer.complaint()),
            }
        }
        self.require_one()
    }

    fn require_one(&self) -> Result<()> {
        if self.lanes.iter().any(|lane| lane.state == State::Open) {
            return Ok(());
        }
        let mut hosts: Vec<&str> = self.lanes.iter().map(|lane| lane.host.as_str()).collect();
        hosts.dedup();
        Err(Error::failed(format!("none of the hosts can be reached: {}", list(hosts.into_iter().map(tick))))
            .hint(format!(
                "`{} -o BatchMode=yes HOST true` must work without being asked anything",
                self.program
            )))
    }

    /// A machine can't be reached any more, by any of its connections.
    fn broke(&mut self, lane: usize, why: &str) {
        let host = self.lanes[lane].host.clone();
        let same = self.lanes.iter_mut().filter(|lane| lane.host == host);
        let mut news = false;
        same.for_each(|lane| news |= std::mem::replace(&mut lane.state, State::Broken) != State::Broken);
        if news {
            let text = format!("`{host}` can't be reached, others do its shards: {why}");
            (self.scene.events)(Event::Warning(text));
        }
    }

    /// Takes in what has ended.
    fn reap(&mut self) -> Result<()> {
        for mut one in std::mem::take(&mut self.running) {
            let Some(answer) = one.session.ended()? else {
                self.running.push(one);
                continue;
            };
            let moves = self.moves.entry(one.n).or_default();
            if answer.code == BROKEN && *moves < MOVES && !self.held_back {
                *moves += 1;
                self.waiting.push_front(one.n);
                self.broke(one.lane, &answer.complaint());
            } else {
                let why = (answer.code != 0).then(|| answer.complaint());
                self.gone.insert(one.n, why);
            }
        }
        Ok(())
    }

    /// Starts as many as there is room for.
    fn start(&mut self) -> Result<()> {
        while !self.waiting.is_empty() && self.running.len() < self.limit {
            let busy = |lane: usize| self.running.iter().filter(|one| one.lane == lane).count();
            let free = |lane: &usize| {
                self.lanes[*lane].state == State::Open && busy(*lane) < self.lanes[*lane].slots
            };
            let Some(lane) = (0..self.lanes.len()).filter(free).min_by_key(|lane| busy(*lane)) else { break };
            let Some(n) = self.waiting.pop_front() else { break };
            let words = [("GIT_ORCH_HOST", self.lanes[lane].host.as_str()), ("GIT_ORCH_WATCH", "yes")];
            let script = self.post.script(&words, "");
            // What ends a line or a word in some shell is in none of it.
            let remote = format!(
                "sh -c 'd=$(mktemp -d) && head -c {} >\"$d/node\" && sh \"$d/node\" {n}; c=$?; rm -rf \"$d\"; exit $c'",
                script.len()
            );
            let call = self.call(lane, &["-o", "ControlMaster=no"], &[&remote]);
            self.running.push(Running { n, lane, session: Held::start(&call, script.as_bytes())? });
        }
        Ok(())
    }
}

impl Engine for Ssh<'_> {
    fn submit(&mut self, shards: &[usize]) -> Result<String> {
        self.waiting.extend(shards);
        shards.iter().for_each(|n| drop(self.gone.remove(n)));
        self.connect()?;
        self.start()?;
        let open = self.lanes.iter().filter(|lane| lane.state == State::Open);
        let slots: usize = open.clone().map(|lane| lane.slots).sum();
        let mut hosts: Vec<&str> = open.map(|lane| lane.host.as_str()).collect();
        hosts.dedup();
        Ok(format!("on {}, {} at a time", count(hosts.len(), "host"), slots.min(self.limit)))
    }

    fn poll(&mut self, shards: &[usize]) -> Result<BTreeMap<usize, Doing>> {
        self.reap()?;
        self.require_one()?;
        self.start()?;
        let doing = |n: &usize| match self.gone.get(n) {
            Some(why) => Doing::Gone(why.clone()),
            None if self.running.iter().any(|one| one.n == *n) => Doing::Running,
            None => Doing::Waiting,
        };
        Ok(shards.iter().map(|n| (*n, doing(n))).collect())
    }

    fn hold_back(&mut self) -> Result<bool> {
        self.held_back = true;
        self.gone.extend(self.waiting.drain(..).map(|n| (n, None)));
        Ok(true)
    }

    fn cancel(&mut self) -> Result<()> {
        self.waiting.clear();
        self.running.iter_mut().for_each(|one| one.session.let_go());
        self.running.clear();
        Ok(())
    }
}

impl Drop for Ssh<'_> {
    fn drop(&mut self) {
        self.running.iter_mut().for_each(|one| one.session.let_go());
        self.running.clear();
        for lane in 0..self.lanes.len() {
            if self.lanes[lane].state == State::Open && self.sockets.is_some() {
                // It ends by itself a minute later.
                drop(ask(&self.call(lane, &["-O", "exit"], &[])));
            }
        }
    }
}
