//! The shape of `.orch.yml`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::agents::Agents;
use crate::model;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Version of this format; 1.
    pub version: u32,
    /// The branch that sessions start from and merge back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Where session worktrees go: `{repo}` and `{session}` stand for names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worktrees: Option<String>,
    /// Run once in each new session worktree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup: Option<String>,
    /// Agent programs.
    pub agents: Agents,
    /// Defaults for `add-session NAME`.
    #[serde(deserialize_with = "unique_map")]
    pub sessions: BTreeMap<String, SessionDefaults>,
    /// Named parallel-safe work.
    #[serde(deserialize_with = "unique_map")]
    pub jobs: BTreeMap<String, Job>,
    /// Schedulers that fan-outs run on, by `--on exec:NAME`.
    #[serde(deserialize_with = "unique_map")]
    pub engines: BTreeMap<String, Engine>,
    /// How results are put up as pull requests, where the remote's address does
    /// not tell: `gh`, `glab`, `gitlab`, `agit`, `gerrit`, `email`, `none`, or one of `forges`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forge: Option<String>,
    /// Forges that are reached by commands.
    #[serde(deserialize_with = "unique_map")]
    pub forges: BTreeMap<String, ForgeCommands>,
    /// Who an e-mail address is on the forge.
    #[serde(deserialize_with = "unique_map")]
    pub logins: BTreeMap<String, String>,
    /// What a tree must pass before it lands.
    pub checks: Vec<String>,
    /// As what results land: `merge` where not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub landing: Option<Style>,
    /// Who must look at a result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewpoints: Option<Viewpoints>,
    /// How tasks find their session.
    pub routing: Routing,
}

/// A command: a string for `sh -c`, or a list of arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Command {
    /// For `sh -c`; files follow as `"$@"`.
    Shell(String),
    /// Arguments; files are appended.
    List(Vec<String>),
}

/// As what a result lands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// A merge commit, with its own commits behind it.
    #[default]
    Merge,
    /// One commit.
    Squash,
    /// Its own commits, made anew on top of the base.
    Rebase,
}

impl Style {
    /// The style with this name.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Merge, Self::Squash, Self::Rebase].into_iter().find(|style| style.word() == word)
    }

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
        }
    }
}

/// Defaults of a session.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionDefaults {
    /// Path patterns.
    pub paths: Vec<String>,
    /// Words for what it is good at.
    pub specialty: String,
    /// The agent that works in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// Named parallel-safe work.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The command; the shard's files follow. This, `agent` or `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Command>,
    /// The agent that does each shard. This, `run` or `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What the agent shall do, in words; to fix the problems of `from`, where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brief: Option<String>,
    /// The license header that files of programs get. This, `run` or `agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The checker whose problems are worked on, in rounds: files are shared out
    /// by what this prints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How often its problems are gone through at most: 1 to 50, 3 where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u8>,
    /// Which files it is for.
    #[serde(default)]
    pub include: Vec<String>,
    /// Which it is not for.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// How files are put together.
    #[serde(default)]
    pub shard: ShardBy,
    /// What a throwaway worktree holds.
    #[serde(default)]
    pub tree: TreeKind,
    /// Further files a sparse worktree needs.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What the assembled tree must pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// How often `check` is run again at most, to find the shards that make it
    /// fail and leave them out; 0 leaves them in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bisect: Option<u16>,
    /// How the result comes.
    #[serde(default, skip_serializing_if = "CommitsKind::is_one")]
    pub commits: CommitsKind,
    /// How long one shard may take, as `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// How often a shard that fails is run again, from what it started from.
    #[serde(default)]
    pub retries: u32,
    /// Whether each shard's command has a home and temporary folder of its own, empty.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub isolate: bool,
    /// What the command finds in its environment, beside the caller's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}

/// Commands for `sh -c` that hand shards to a scheduler.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Hands the shards over that `GIT_ORCH_SHARDS` lists; prints an id.
    pub submit: String,
    /// Gets that id as `$1`; prints how each shard stands, as `3 running`.
    pub poll: String,
    /// Gets that id as `$1`; ends all of it.
    pub cancel: String,
}

/// Commands that put a result up as a request somewhere. They find in their
/// environment `GIT_ORCH_TASK`, `GIT_ORCH_REMOTE`, `GIT_ORCH_HEAD` (the branch
/// that was pushed), `GIT_ORCH_BASE` and `GIT_ORCH_TIP`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgeCommands {
    /// Opens a request with `GIT_ORCH_TITLE`, the text in the file
    /// `GIT_ORCH_BODY`, `GIT_ORCH_DRAFT`, and a line each in `GIT_ORCH_LABELS`
    /// and `GIT_ORCH_REVIEWERS`; prints its address.
    pub open: Command,
    /// Changes the request `GIT_ORCH_ID`, as `open` printed it: what is empty stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Command>,
    /// Prints how the request of `GIT_ORCH_HEAD` stands: nothing where there is
    /// none, open, draft, merged, closed or unknown, or JSON with more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Command>,
}

/// How the files of a job are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ShardBy {
    /// Neighbours together, in about equal parts.
    #[default]
    Count,
    /// One shard a directory, which may make new files in it.
    Directory,
    /// One shard a file.
    File,
    /// One shard a package, which may make new files in it.
    Package,
    /// Neighbours together, in parts of about equal bytes.
    Bytes,
    /// One shard a session that knows its files best.
    Owner,
    /// One shard a pattern of `include`, the first that a file matches.
    List,
}

/// What a throwaway worktree holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TreeKind {
    /// Every file: a tool may read what it was not given.
    #[default]
    Full,
    /// The shard's files, those of the folders above that may be settings, and `needs`.
    Sparse,
    /// Every file, of one checkout that all are laid over, where Linux can do that.
    Overlay,
}

/// How the result of a job comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CommitsKind {
    /// As one commit.
    #[default]
    One,
    /// As a commit for each shard that changed anything.
    Shard,
}

impl CommitsKind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_one(&self) -> bool {
        *self == Self::One
    }
}

/// Who must look at a result.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Viewpoints {
    /// Those of every result.
    pub default: Vec<String>,
    /// Those of some results.
    pub rules: Vec<ViewpointRule>,
    /// The agent that looks from a viewpoint, by viewpoint.
    #[serde(deserialize_with = "unique_map", skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<String, String>,
    /// How often a task is run again for changes that viewpoints ask for: 0 to
    /// 10, 2 where not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u8>,
}

/// Which viewpoints some results need: those that all of its conditions hold for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ViewpointRule {
    /// It changes a file that one of these patterns matches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// It changes so many files, or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<usize>,
    /// It adds and takes away so many lines, or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<usize>,
    /// The viewpoints.
    pub require: Vec<String>,
}

/// How tasks find their session.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Routing {
    /// After which time a touch counts half: fast, slow.
    pub half_lives: [String; 2],
    /// How many of the newest commits are mined.
    pub horizon: usize,
    /// What each signal weighs.
    pub weights: Weights,
}

/// What each signal weighs in a route: those of the past relative to each other.
// `model::Weights`, with a schema; taking that apart below, neither forgets a signal.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// A session's share of the lasting work at the targets.
    pub context: f64,
    /// Its share of the latest work there.
    pub recent: f64,
    /// Its share of the very last touches there.
    pub last: f64,
    /// How much more it works there than elsewhere.
    pub focus: f64,
    /// How much more its commits are about the task's words than about other things.
    pub words: f64,
    /// Its share of the past commits that are most like the task.
    pub similar: f64,
    /// Its share of all latest work; only for people, who may have left: for sessions added to `last`.
    pub active: f64,
    /// The share of the targets inside its declared paths, beside the past.
    pub specialty: f64,
    /// The same for a session with less than ten commits of history.
    pub young_specialty: f64,
    /// Twenty open tasks, beside the past; 0 or less.
    pub load: f64,
}

impl Default for Weights {
    fn default() -> Self {
        let model::Weights {
            context,
            recent,
            last,
            focus,
            words,
            similar,
            active,
            specialty,
            young_specialty,
            load,
        } = model::Weights::default();
        Self { context, recent, last, focus, words, similar, active, specialty, young_specialty, load }
    }
}

impl From<Weights> for model::Weights {
    fn from(weights: Weights) -> Self {
        let Weights {
            context,
            recent,
            last,
            focus,
            words,
            similar,
            active,
            specialty,
            young_specialty,
            load,
        } = weights;
        Self { context, recent, last, focus, words, similar, active, specialty, young_specialty, load }
    }
}

impl Default for Routing {
    fn default() -> Self {
        let half_lives = ["7d".to_owned(), "365d".to_owned()];
        Self { half_lives, horizon: 20_000, weights: Weights::default() }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell(text) => f.write_str(text),
            Self::List(args) => f.write_str(&args.join(" ")),
        }
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Command;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a command: a string or a list of strings")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Command, E> {
                if text.trim().is_empty() {
                    return Err(E::custom("a command can't be empty"));
                }
                Ok(Command::Shell(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Command, A::Error> {
                let mut args = Vec::new();
                while let Some(arg) = list.next_element::<String>()? {
                    args.push(arg);
                }
                if args.first().is_none_or(String::is_empty) {
                    return Err(de::Error::custom("a command can't be empty"));
                }
                Ok(Command::List(args))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Reads a map whose keys must differ: YAML readers keep the last silently.
fn unique_map<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Unique<T>(std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Unique<T> {
        type Value = BTreeMap<String, T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = BTreeMap::new();
            while let Some(key) = map.next_key::<String>()? {
                if found.contains_key(&key) {
                    return Err(duplicate(&key));
                }
                found.insert(key, map.next_value()?);
            }
            Ok(found)
        }
    }
    deserializer.deserialize_map(Unique(std::marker::PhantomData))
}

pub(super) fn duplicate<E: de::Error>(key: &str) -> E {
    E::custom(format!("duplicate key `{key}`"))
}

/// The JSON schema of the whole file.
pub fn json_schema() -> schemars::Schema {
    schemars::schema_for!(Config)
}
