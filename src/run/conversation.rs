//! Which conversation a run goes on with, and the id of a new one.
//!
//! A session goes on with its own last conversation with the same agent, for
//! as long as its context window has room.

use std::ffi::OsString;
use std::io::Read as _;

use super::Scene;
use super::execute::Done;
use super::prepare::{Begun, folder};
use super::worker::Program;
use crate::error::{Error, IoContext, Result};
use crate::git::Repo;
use crate::model::{Event, Run, Session, Task, Usage};
use crate::store::{self, Stored};

/// What stands for the id in a command that goes on with a conversation.
const ID: &str = "{id}";
/// No conversation has a longer id.
const LONGEST: usize = 128;

/// A conversation, and the command that goes on with it or begins it.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    /// Its id, where it is known before the agent starts.
    pub id: Option<String>,
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// Whether it was there before.
    pub is_resumed: bool,
    /// What earlier runs took in it.
    pub before: Usage,
}

impl Conversation {
    /// What begins, for the record.
    pub fn begun<'a>(&'a self, program: &'a Program) -> Begun<'a> {
        Begun {
            command: self.argv.iter().map(|arg| arg.to_string_lossy().into_owned()).collect(),
            agent: program.profile.is_some().then_some(program.name.as_str()),
            conversation: self.id.as_deref(),
        }
    }
}

/// The one for a task of a session.
pub fn choose(scene: Scene<'_>, session: &Session, task: &Task, program: &Program) -> Result<Conversation> {
    let Some(resume) = &program.resume else { return begin(program) };
    let profile = program.profile.as_deref();
    if profile.is_some_and(|profile| profile.sticky == Some(false)) {
        return begin(program);
    }
    let tasks = store::tasks::load(scene.repo)?;
    let Some(last) = last(&tasks, session, task, program) else { return begin(program) };
    let full = profile.and_then(|profile| profile.context).unwrap_or_default().fresh;
    if let Some(used) = last.usage.and_then(|usage| usage.context).filter(|used| *used >= full) {
        let text = format!(
            "the conversation of {} has filled {:.0}% of its context window: a new one begins",
            session.name,
            used * 100.0
        );
        (scene.events)(Event::Note(text));
        return begin(program);
    }
    let id = last.conversation.unwrap_or_default();
    let before = taken(&tasks, &id);
    Ok(Conversation { argv: with_id(resume, &id), id: Some(id), is_resumed: true, before })
}

/// A new one.
pub fn begin(program: &Program) -> Result<Conversation> {
    let mut argv = program.argv.clone();
    let begin = program.profile.as_deref().map_or(&[][..], |profile| &profile.begin);
    let id = (!begin.is_empty()).then(new_id).transpose()?;
    argv.extend(begin.iter().map(OsString::from));
    argv.extend(id.iter().map(OsString::from));
    Ok(Conversation { id, argv, is_resumed: false, before: Usage::default() })
}

/// The one to try again in: that of the last attempt, once the model answered there
/// or where it was there before.
pub fn again(program: &Program, done: &Done, last: &Conversation) -> Result<Conversation> {
    let begun = done.conversation.as_ref().filter(|_| done.told.has_answered());
    let known = begun.or(last.id.as_ref().filter(|_| last.is_resumed));
    match (&program.resume, known) {
        (Some(resume), Some(id)) => {
            let (argv, took) = (with_id(resume, id), done.told.usage.unwrap_or_default());
            let before = last.before.and(took);
            Ok(Conversation { argv, id: Some(id.clone()), is_resumed: true, before })
        }
        _ => begin(program),
    }
}

/// A command with a conversation's id where it belongs.
pub fn with_id(command: &[OsString], id: &str) -> Vec<OsString> {
    let mut argv: Vec<OsString> = command.to_vec();
    match argv.iter_mut().find(|arg| *arg == ID) {
        Some(place) => *place = id.into(),
        None => argv.push(id.into()),
    }
    argv
}

/// The session's last run with this agent that has a conversation; of its own
/// runs for the task first.
fn last(tasks: &[Stored<Task>], session: &Session, task: &Task, program: &Program) -> Option<Run> {
    let is_ours = |task: &Task, run: &Run| {
        run.session.as_ref().unwrap_or(&task.session) == &session.name
            && run.agent.as_deref() == Some(program.name.as_str())
            && run.conversation.as_deref().is_some_and(is_plain)
            && run.started >= session.created
    };
    if let Some(run) = task.runs.iter().rev().find(|run| is_ours(task, run)) {
        return Some(run.clone());
    }
    let runs = tasks.iter().flat_map(|task| task.value.runs.iter().map(|run| (&task.value, run)));
    let own = runs.filter(|(task, run)| is_ours(task, run));
    own.max_by_key(|(_, run)| run.started).map(|(_, run)| run.clone())
}

/// What all runs in a conversation took.
fn taken(tasks: &[Stored<Task>], id: &str) -> Usage {
    let runs = tasks.iter().flat_map(|task| &task.value.runs);
    let usages = runs.filter(|run| run.conversation.as_deref() == Some(id)).filter_map(|run| run.usage);
    usages.fold(Usage::default(), Usage::and)
}

/// Whether an id is a word that can be an argument, and part of a file's name.
pub fn is_plain(id: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !id.is_empty() && id.len() <= LONGEST && !id.starts_with('-') && id.bytes().all(is_one)
}

/// A random UUID (RFC 9562, version 4).
fn new_id() -> Result<String> {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Error::unusable("could not draw a random number").because(error))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

/// Keeps what only the agent's output told, for the command that sets right
/// what a killed process left.
pub fn remember(repo: &Repo, task: &Task, id: &str) -> Result<()> {
    let path = folder(repo, task)?.join("conversation");
    std::fs::write(&path, format!("{}\n{id}", task.runs.len())).doing("could not write", &path)
}

/// What was kept of a task's last run.
pub fn recall(repo: &Repo, task: &Task) -> Option<String> {
    let text = std::fs::read_to_string(folder(repo, task).ok()?.join("conversation")).ok()?;
    let (run, id) = text.split_once('\n')?;
    (run.parse() == Ok(task.runs.len())).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stands_where_it_belongs() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        for (command, argv) in [
            (&["a", "--resume"][..], &["a", "--resume", "x"][..]),
            (&["a", "resume", "{id}", "-"], &["a", "resume", "x", "-"]),
            (&["a", "--id={id}"], &["a", "--id={id}", "x"]),
        ] {
            assert_eq!(with_id(&words(command), "x"), words(argv));
        }
    }

    #[test]
    fn ids_are_random_uuids() {
        let (one, other) = (new_id().unwrap(), new_id().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 36);
        assert_eq!((&one[14..15], one.matches('-').count()), ("4", 4));
    }
}
