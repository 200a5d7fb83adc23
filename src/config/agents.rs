//! Agent programs: how to start them, go on with a conversation, and read
//! what they print. A profile is data; the built-in ones are a file like any
//! other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::schema::{Command, duplicate};
use crate::error::{Error, Result};

/// Agent programs by name, and which one is used when none is named.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Agents {
    /// The agent used when none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The programs.
    #[serde(flatten)]
    pub profiles: BTreeMap<String, Profile>,
}

/// The profiles that need no entry, by name.
pub fn built_in() -> &'static BTreeMap<String, Profile> {
    static PROFILES: OnceLock<BTreeMap<String, Profile>> = OnceLock::new();
    PROFILES.get_or_init(|| {
        let agents: Agents =
            serde_yaml::from_str(include_str!("agents.yml")).expect("the built-in profiles are valid");
        agents.profiles
    })
}

/// A profile as it stands in `.orch.yml`.
///
/// # Errors
/// Never, for a profile that was read.
pub fn entry(name: &str, profile: &Profile) -> Result<String> {
    let agents = BTreeMap::from([("agents", BTreeMap::from([(name, profile)]))]);
    serde_yaml::to_string(&agents).map_err(|error| Error::bug("a profile can't be written").because(error))
}

/// How to start an agent program.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The command.
    pub run: Command,
    /// The program that it starts, where a shell reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The built-in agent whose conversations and output it shares, where nothing is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    /// How the brief goes in.
    #[serde(default)]
    pub prompt: Prompt,
    /// Arguments in front of the id of a new conversation, where the agent lets it be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub begin: Vec<String>,
    /// The command that goes on with a conversation: its id stands for `{id}`, else comes last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Command>,
    /// The same for a person at a terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<Command>,
    /// Whether a session's next task goes on with its conversation; yes where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<bool>,
    /// Where it keeps a conversation: a path with `~`, `$NAME`, `*`, and `{id}` or the first
    /// eight characters of that, `{id:8}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<String>,
    /// A command that prints a conversation, where no file has it: its id stands for `{id}`,
    /// else comes last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<Command>,
    /// What its output tells: one JSON value a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<Reading>,
    /// How long it may run, as `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// A run that took more tokens, read and written, is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// A run that cost more US dollars is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<f64>,
    /// Size of the context window in tokens, where the agent does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// From what share of the context window on is warned, and a new conversation begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// How often it is tried again where its service takes no more at the moment; 3 where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// How long is waited before that the first time, doubled each time; `30s` where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<String>,
    /// How its verdict on a result comes.
    #[serde(default, skip_serializing_if = "Says::is_words")]
    pub verdict: Says,
}

impl Profile {
    /// A profile that is nothing but a command.
    pub fn of(run: Command) -> Self {
        Self {
            run,
            program: None,
            like: None,
            prompt: Prompt::Stdin,
            begin: Vec::new(),
            resume: None,
            attach: None,
            sticky: None,
            transcript: Vec::new(),
            export: None,
            reads: Vec::new(),
            timeout: None,
            max_tokens: None,
            max_cost: None,
            window: None,
            context: None,
            retries: None,
            wait: None,
            verdict: Says::Words,
        }
    }

    /// The program that it starts, where that can be told.
    pub fn named_program(&self) -> Option<String> {
        match &self.run {
            Command::List(args) => args.first().cloned(),
            Command::Shell(_) => self.program.clone(),
        }
    }

    /// With what it shares with a built-in one.
    pub fn completed(&self) -> Self {
        let mut profile = self.clone();
        let Some(like) = self.like.as_deref().and_then(|like| built_in().get(like)) else { return profile };
        if profile.reads.is_empty() {
            profile.reads.clone_from(&like.reads);
        }
        if profile.begin.is_empty() {
            profile.begin.clone_from(&like.begin);
        }
        if profile.transcript.is_empty() {
            profile.transcript.clone_from(&like.transcript);
        }
        profile.export = profile.export.or_else(|| like.export.clone());
        profile.window = profile.window.or(like.window);
        profile.timeout = profile.timeout.or_else(|| like.timeout.clone());
        profile
    }
}

/// Shares of a context window, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Context {
    /// From here on it is warned.
    pub warn: f64,
    /// From here on the next task begins a new conversation.
    pub fresh: f64,
}

impl Default for Context {
    fn default() -> Self {
        Self { warn: 0.7, fresh: 0.85 }
    }
}

/// What a line tells that has all of `when`. Where things lie is said by JSON
/// pointers (RFC 6901), in which `*` is any part; of several, texts are the first
/// there is, numbers the sum.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reading {
    /// Pointers, and what has to be there: a text with `*` at an end may go on.
    pub when: BTreeMap<String, Scalar>,
    /// The id of the conversation.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub conversation: Pointers,
    /// The agent's words; the last ones count.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub said: Pointers,
    /// Whether these words are a piece that goes on with that of the line before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub joins: bool,
    /// What it asks, or was not allowed to do.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub asked: Pointers,
    /// What it does at the moment, in some words.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub doing: Pointers,
    /// Tokens read.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub input: Pointers,
    /// Those of them from a cache.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub cached: Pointers,
    /// Tokens written.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub output: Pointers,
    /// US dollars.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub cost: Pointers,
    /// Answers of the model.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub turns: Pointers,
    /// Whether tokens, dollars and turns come on top of those before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub adds: bool,
    /// Whether tokens are those of the whole conversation, earlier runs included.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// Whether the line is an answer of the model, to be counted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub turn: bool,
    /// Tokens in the context window at this point.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub context: Pointers,
    /// Size of the context window in tokens.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub window: Pointers,
    /// Why it went wrong.
    #[serde(skip_serializing_if = "Pointers::is_empty")]
    pub error: Pointers,
    /// What it means for the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub means: Option<Means>,
}

/// What a line means for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Means {
    /// It went wrong, whatever the exit code.
    Failed,
    /// The service takes no more at the moment.
    Limited,
    /// The conversation is not there.
    Gone,
    /// It is at work: without a later line that is `fine` it was not done.
    Begun,
    /// It is done: whatever it took, it is not ended any more.
    Done,
    /// It went well after all: what went wrong before was tried again, and is over.
    Fine,
}

/// One value of a line.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

/// One JSON pointer, or several.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Pointers {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Default for Pointers {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Pointers {
    /// All of them, in order.
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(pointer) => std::slice::from_ref(pointer),
            Self::Many(pointers) => pointers,
        }
    }

    fn is_empty(&self) -> bool {
        self.all().is_empty()
    }
}

/// How the verdict of a program that looks at a result comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// It says it, as its brief tells.
    #[default]
    Words,
    /// Its exit code is it: 0 approves, for linters and test suites.
    ExitCode,
}

impl Says {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_words(&self) -> bool {
        *self == Self::Words
    }
}

/// How the brief reaches an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Prompt {
    /// On standard input.
    #[default]
    Stdin,
    /// As a file, named by `GIT_ORCH_BRIEF`.
    File,
    /// As the last argument.
    Argument,
}

impl<'de> Deserialize<'de> for Agents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Agents;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("agents by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Agents, A::Error> {
                let mut agents = Agents::default();
                while let Some(key) = map.next_key::<String>()? {
                    let taken = if key == "default" {
                        agents.default.replace(map.next_value()?).is_some()
                    } else {
                        agents.profiles.insert(key.clone(), map.next_value()?).is_some()
                    };
                    if taken {
                        return Err(duplicate(&key));
                    }
                }
                Ok(agents)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
