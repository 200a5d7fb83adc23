//! Which commands of a repository may run: those the user trusted, each by
//! its exact words.
//!
//! What is trusted is kept with the user, never in the repository, so that
//! no repository can trust itself. A changed byte is another command.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::schema::{Config, Job};
use crate::error::{Error, IoContext, Kind, Result};

/// A command that a repository names, and what for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Named {
    /// What it is for: `check`, `job fmt`, `agent house`, `setup`.
    pub purpose: String,
    /// Its words.
    pub command: String,
}

/// What stands for the repository itself: starting a built-in agent in it,
/// copying its `.worktreeinclude`, running a tool that loads its plugins.
pub fn repository() -> Named {
    Named { purpose: "repository".to_owned(), command: "built-in agents, tools and copied files".to_owned() }
}

/// What stands for the place a repository wants its worktrees at: files put
/// into the right folder are run by some program sooner or later.
pub fn worktrees(template: &str) -> Named {
    Named { purpose: "worktrees setting".to_owned(), command: template.to_owned() }
}

/// What stands for a thing that git executes, as [`crate::model::Alteration`]
/// names it, with what it holds.
pub fn program(what: &str, value: Option<&str>) -> Named {
    Named { purpose: format!("git {what}"), command: value.unwrap_or("none").to_owned() }
}

/// What stands for the environment of a job: it can make any program another.
pub fn environment(job: &str, env: &BTreeMap<String, String>) -> Named {
    let words: Vec<String> = env.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    Named { purpose: format!("environment of job {job}"), command: words.join(" ") }
}

/// What stands for an agent whose exit code is a verdict: a program that judges
/// nothing would approve everything so.
pub fn judge(agent: &str, run: &super::Command) -> Named {
    Named { purpose: format!("verdict of agent {agent}, its exit code"), command: exact(run) }
}

/// What stands for an agent: all that is run of it, and the files of it that are read.
pub fn of_agent(agent: &str, profile: &super::Profile) -> Vec<Named> {
    let named = |what: &str, command: String| Named { purpose: format!("agent {agent}{what}"), command };
    let mut found = vec![named("", exact(&profile.run))];
    found.extend(profile.resume.as_ref().map(|resume| named(", resuming", exact(resume))));
    found.extend(profile.export.as_ref().map(|export| named(", exporting", exact(export))));
    let words = [(", beginning", &profile.begin), (", its transcripts", &profile.transcript)];
    let said = words.into_iter().filter(|(_, words)| !words.is_empty());
    found.extend(said.map(|(what, words)| named(what, format!("{words:?}"))));
    found
}

/// What stands for an agent that a person goes on with.
pub fn attaching(agent: &str, attach: &super::Command) -> Named {
    Named { purpose: format!("agent {agent}, at a terminal"), command: exact(attach) }
}

/// What stands for the checker of a job.
pub fn checker(job: &str, from: &str) -> Named {
    Named { purpose: format!("checker of job {job}"), command: from.to_owned() }
}

/// Every command that a configuration names, and every place.
pub fn commands(config: &Config) -> Vec<Named> {
    let mut found = vec![repository()];
    found.extend(config.worktrees.as_deref().map(worktrees));
    let mut add = |purpose: String, command: String| found.push(Named { purpose, command });
    if let Some(setup) = &config.setup {
        add("setup".to_owned(), setup.clone());
    }
    for (name, profile) in &config.agents.profiles {
        of_agent(name, profile).into_iter().for_each(|named| add(named.purpose, named.command));
        if profile.verdict == super::Says::ExitCode {
            let Named { purpose, command } = judge(name, &profile.run);
            add(purpose, command);
        }
        if let Some(attach) = &profile.attach {
            let Named { purpose, command } = attaching(name, attach);
            add(purpose, command);
        }
    }
    for (name, job) in &config.jobs {
        // A header goes into comments alone.
        if job.header.is_none() {
            add(format!("job {name}"), work(job));
        }
        if !job.env.is_empty() {
            let Named { purpose, command } = environment(name, &job.env);
            add(purpose, command);
        }
        if let Some(from) = &job.from {
            let Named { purpose, command } = checker(name, from);
            add(purpose, command);
        }
        if let Some(check) = &job.check {
            add(format!("check of job {name}"), check.clone());
        }
    }
    for (name, engine) in &config.engines {
        for named in engine_commands(name, engine) {
            add(named.purpose, named.command);
        }
    }
    for (name, forge) in &config.forges {
        for named in forge_commands(name, forge) {
            add(named.purpose, named.command);
        }
    }
    for check in &config.checks {
        add("check".to_owned(), check.clone());
    }
    found
}

/// What a job does with each shard: a brief makes an agent do anything.
pub fn work(job: &Job) -> String {
    match (&job.run, &job.agent) {
        (Some(command), _) => exact(command),
        (None, agent) => {
            let agent = agent.as_deref().unwrap_or_default();
            match &job.brief {
                Some(brief) => format!("agent {agent}: {brief}"),
                // A checker says what is wrong.
                None => format!("agent {agent}"),
            }
        }
    }
}

/// What an engine runs.
pub fn engine_commands(name: &str, engine: &super::Engine) -> [Named; 3] {
    let commands = [("submit", &engine.submit), ("poll", &engine.poll), ("cancel", &engine.cancel)];
    commands.map(|(what, text)| Named { purpose: format!("{what} of engine {name}"), command: text.clone() })
}

/// What a forge runs.
pub fn forge_commands(name: &str, forge: &super::ForgeCommands) -> Vec<Named> {
    let commands =
        [("open", Some(&forge.open)), ("update", forge.update.as_ref()), ("state", forge.state.as_ref())];
    let named = |(what, command): (&str, Option<&super::Command>)| {
        Some(Named { purpose: format!("{what} of forge {name}"), command: exact(command?) })
    };
    commands.into_iter().filter_map(named).collect()
}

/// A command's words, told apart where a list and a string print alike.
pub fn exact(command: &super::Command) -> String {
    match command {
        super::Command::Shell(text) => text.clone(),
        super::Command::List(args) => format!("{args:?}"),
    }
}

/// The user's book of trust for one repository.
#[derive(Debug)]
pub struct Trust {
    file: Option<PathBuf>,
    known: BTreeSet<String>,
}

impl Trust {
    /// Opens the book for the repository with this common directory.
    pub fn open(common_dir: &Path, environment: &BTreeMap<OsString, OsString>) -> Self {
        let folder = state_folder(environment);
        let path = common_dir.canonicalize().unwrap_or_else(|_| common_dir.to_owned());
        let file =
            folder.map(|folder| folder.join("trust").join(digest(path.as_os_str().as_encoded_bytes())));
        let text = file.as_deref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        Self { file, known: text.lines().map(str::to_owned).collect() }
    }

    /// Whether a command may run.
    pub fn covers(&self, named: &Named) -> bool {
        self.known.contains(&fingerprint(named))
    }

    /// Refuses a command that is not trusted.
    ///
    /// # Errors
    /// Untrusted (exit 5), with the command to run.
    pub fn require(&self, named: &Named) -> Result<()> {
        if self.covers(named) {
            return Ok(());
        }
        let what = if *named == repository() {
            "this repository is not trusted".to_owned()
        } else {
            format!("the {} `{}` of this repository is not trusted", named.purpose, named.command)
        };
        Err(Error::new(Kind::Untrusted, what).hint("read what it would run and allow it: `git orch trust`"))
    }

    /// Trusts exactly these commands from now on.
    ///
    /// # Errors
    /// Unusable where there is no place for the user's own state.
    pub fn replace(&mut self, commands: &[Named]) -> Result<()> {
        let Some(file) = &self.file else {
            return Err(Error::unusable("there is no home folder to remember trust in")
                .hint("set HOME or XDG_STATE_HOME"));
        };
        self.known = commands.iter().map(fingerprint).collect();
        let folder = file.parent().expect("the file lies in a folder");
        let private = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        private.doing("could not make", folder)?;
        let text: String = self.known.iter().map(|line| format!("{line}\n")).collect();
        let mut scratch = tempfile::NamedTempFile::new_in(folder).doing("could not write in", folder)?;
        std::io::Write::write_all(&mut scratch, text.as_bytes()).doing("could not write", file)?;
        scratch.persist(file).map_err(|error| error.error).doing("could not write", file)?;
        Ok(())
    }
}

fn state_folder(environment: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
    let set =
        |key: &str| environment.get(OsStr::new(key)).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_STATE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))
        .map(|at| at.join("git-orch"))
}

fn fingerprint(named: &Named) -> String {
    digest(format!("{}\0{}", named.purpose, named.command).as_bytes())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
