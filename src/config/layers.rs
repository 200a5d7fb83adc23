//! Personal settings over shared ones: flag, git configuration, file, default.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use super::agents::{Profile, built_in};
use super::schema::{Config, Style};
use crate::error::{Error, Result};
use crate::model::Session;
use crate::model::time::parse_span;
use crate::model::wording::nearest;

/// The keys that git's configuration may hold, with what they mean.
pub const KEYS: &[(&str, &str)] = &[
    ("orch.base", "the branch that sessions start from and merge back to"),
    ("orch.worktrees", "where session worktrees go"),
    ("orch.agent", "the agent used when none is named"),
    ("orch.landing", "as what results land: merge, squash or rebase"),
    ("orch.hooks", "run the repository's hooks in commits that git-orch makes"),
    ("orch.sign", "sign commits that git-orch makes as the user does"),
    ("orch.jobs", "how many shards run at once"),
    ("orch.remote", "the remote that fan-outs on other machines go over"),
    (
        "orch.forge",
        "how `review --pr` puts results up: gh, glab, gitlab, agit, gerrit, email, none or one of `forges`",
    ),
    (
        "orch.upstream",
        "the remote whose repository requests are opened in, where results are pushed to a fork",
    ),
    ("orch.login", "who an e-mail address is on the forge, as `ann@example.com=ann`, one a value"),
    ("orch.ssh", "the program that reaches the hosts of `fanout --on ssh:HOSTS`"),
    ("orch.slurm", "arguments of `sbatch` for `fanout --on slurm`, one a value"),
    ("orch.horizon", "how many of the newest commits are mined"),
    ("orch.keepTrash", "how long `gc` keeps what is in the trash"),
    ("orch.keepOperations", "how long `gc` keeps operations, to be undone"),
    ("orch.keepLogs", "how long `gc` keeps the logs of tasks that are over"),
    ("orch.keepConversations", "how long `gc` keeps conversations that nobody goes on with"),
];

const DAY: Duration = Duration::from_secs(86_400);

/// The settings in force, and the file behind them.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The shared file.
    pub file: Config,
    personal: BTreeMap<String, String>,
}

/// One setting in force.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct InForce {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Where the value comes from: `git config`, `.orch.yml` or `default`.
    pub origin: &'static str,
}

impl Settings {
    /// Lays git's configuration over the file.
    ///
    /// # Errors
    /// Unusable when git's configuration holds an unknown `orch.` key or a
    /// value of the wrong type.
    pub fn new(file: Config, personal: BTreeMap<String, String>) -> Result<Self> {
        for key in personal.keys() {
            if !KEYS.iter().any(|(known, _)| known.eq_ignore_ascii_case(key)) {
                return Err(unknown(key));
            }
        }
        let settings = Self { file, personal };
        if settings.number("orch.jobs")? == Some(0) {
            return Err(Error::unusable("`orch.jobs` is `0`: at least one shard runs at once"));
        }
        settings.number("orch.horizon")?;
        settings.flag("orch.hooks")?;
        settings.flag("orch.sign")?;
        if let Some(word) = settings.personal("orch.landing").filter(|word| Style::named(word).is_none()) {
            return Err(Error::unusable(format!("`orch.landing` is `{word}`: merge, squash or rebase")));
        }
        for key in ["orch.keepTrash", "orch.keepOperations", "orch.keepLogs", "orch.keepConversations"] {
            settings.span(key)?;
        }
        let worktrees = settings.worktrees();
        if Path::new(worktrees).components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git")) {
            return Err(Error::unusable(format!(
                "the worktrees setting `{worktrees}` leads into git's own files"
            )));
        }
        Ok(settings)
    }

    /// The base, where one is set.
    pub fn base(&self) -> Option<&str> {
        self.personal("orch.base").or(self.file.base.as_deref())
    }

    /// Where session worktrees go.
    pub fn worktrees(&self) -> &str {
        let set = self.personal("orch.worktrees").or(self.file.worktrees.as_deref());
        set.unwrap_or("../{repo}.orch/{session}")
    }

    /// Where the repository wants them to go, where the user does not say otherwise.
    pub fn shared_worktrees(&self) -> Option<&str> {
        let shared = self.file.worktrees.as_deref();
        shared.filter(|_| self.personal("orch.worktrees").is_none())
    }

    /// The agent used when none is named.
    pub fn agent(&self) -> Option<&str> {
        self.personal("orch.agent").or(self.file.agents.default.as_deref())
    }

    /// Whether the agent of a session is named by the repository alone.
    pub fn is_agent_shared(&self, session: &Session) -> bool {
        let default = self.file.sessions.get(session.name.as_str()).and_then(|one| one.agent.as_ref());
        match &session.agent {
            Some(agent) => default == Some(agent),
            None => self.personal("orch.agent").is_none(),
        }
    }

    /// The agent program with this name: the repository's own, else a built-in one.
    pub fn profile(&self, name: &str) -> Option<Profile> {
        let own = self.file.agents.profiles.get(name);
        own.or_else(|| built_in().get(name)).map(Profile::completed)
    }

    /// Whether an agent is a built-in one.
    pub fn is_built_in(&self, name: &str) -> bool {
        !self.file.agents.profiles.contains_key(name) && built_in().contains_key(name)
    }

    /// The names of all agent programs, in order.
    pub fn agents(&self) -> BTreeSet<&str> {
        self.file.agents.profiles.keys().chain(built_in().keys()).map(String::as_str).collect()
    }

    /// As what results land.
    pub fn landing(&self) -> Style {
        let personal = self.personal("orch.landing").and_then(Style::named);
        personal.or(self.file.landing).unwrap_or_default()
    }

    /// How many shards run at once, where set.
    pub fn jobs(&self) -> Option<usize> {
        self.number("orch.jobs").ok().flatten().filter(|jobs| *jobs > 0)
    }

    /// The remote that fan-outs on other machines go over, where set.
    pub fn remote(&self) -> Option<&str> {
        self.personal("orch.remote")
    }

    /// How results are put up as pull requests, where set.
    pub fn forge(&self) -> Option<&str> {
        self.personal("orch.forge").or(self.file.forge.as_deref())
    }

    /// The remote whose repository requests are opened in, where set.
    pub fn upstream(&self) -> Option<&str> {
        self.personal("orch.upstream")
    }

    /// The program that reaches other machines.
    pub fn ssh(&self) -> &str {
        self.personal("orch.ssh").unwrap_or("ssh")
    }

    /// How many of the newest commits are mined.
    pub fn horizon(&self) -> usize {
        self.number("orch.horizon").ok().flatten().unwrap_or(self.file.routing.horizon)
    }

    /// Whether hooks run in commits that git-orch makes.
    pub fn hooks(&self) -> bool {
        self.flag("orch.hooks").unwrap_or(false)
    }

    /// Whether commits that git-orch makes are signed.
    pub fn sign(&self) -> bool {
        self.flag("orch.sign").unwrap_or(false)
    }

    /// How long `gc` keeps what is in the trash.
    pub fn keep_trash(&self) -> Duration {
        self.span("orch.keepTrash").ok().flatten().unwrap_or(14 * DAY)
    }

    /// How long `gc` keeps operations.
    pub fn keep_operations(&self) -> Duration {
        self.span("orch.keepOperations").ok().flatten().unwrap_or(30 * DAY)
    }

    /// How long `gc` keeps the logs of tasks that are over.
    pub fn keep_logs(&self) -> Duration {
        self.span("orch.keepLogs").ok().flatten().unwrap_or(30 * DAY)
    }

    /// How long `gc` keeps conversations that nobody goes on with.
    pub fn keep_conversations(&self) -> Duration {
        self.span("orch.keepConversations").ok().flatten().unwrap_or(365 * DAY)
    }

    /// Every setting in force, with its origin.
    pub fn in_force(&self) -> Vec<InForce> {
        let row = |key: &str, shared: Option<String>, default: &str| {
            let (value, origin) = match (self.personal(key), shared) {
                (Some(value), _) => (value.to_owned(), "git config"),
                (None, Some(value)) => (value, ".orch.yml"),
                (None, None) => (default.to_owned(), "default"),
            };
            InForce { key: key.to_owned(), value, origin }
        };
        let horizon = self.file.routing.horizon;
        let shared_horizon = (horizon != super::Routing::default().horizon).then(|| horizon.to_string());
        vec![
            row("orch.base", self.file.base.clone(), "the branch of origin/HEAD, else the one checked out"),
            row("orch.worktrees", self.file.worktrees.clone(), "../{repo}.orch/{session}"),
            row("orch.agent", self.file.agents.default.clone(), "none: a person takes over"),
            row("orch.landing", self.file.landing.map(|style| style.word().to_owned()), "merge"),
            row("orch.hooks", None, "false"),
            row("orch.sign", None, "false"),
            row("orch.jobs", None, "one for each processor"),
            row("orch.remote", None, "origin or the only one"),
            row("orch.forge", self.file.forge.clone(), "by the remote's address"),
            row("orch.upstream", None, "the one pushed to"),
            row("orch.login", None, "none"),
            row("orch.ssh", None, "ssh"),
            row("orch.slurm", None, "none"),
            row("orch.horizon", shared_horizon, "20000"),
            row("orch.keepTrash", None, "14d"),
            row("orch.keepOperations", None, "30d"),
            row("orch.keepLogs", None, "30d"),
            row("orch.keepConversations", None, "365d"),
        ]
    }

    fn personal(&self, key: &str) -> Option<&str> {
        self.personal.get(&key.to_ascii_lowercase()).map(String::as_str)
    }

    fn span(&self, key: &str) -> Result<Option<Duration>> {
        let Some(text) = self.personal(key) else { return Ok(None) };
        let bad = || Error::unusable(format!("`{key}` is `{text}`, no time span"));
        parse_span(text).map(Some).ok_or_else(|| bad().hint("write it as `2h`, `7d` or `4w`"))
    }

    fn number(&self, key: &str) -> Result<Option<usize>> {
        let Some(text) = self.personal(key) else { return Ok(None) };
        let number = text.parse().map_err(|_| Error::unusable(format!("`{key}` is `{text}`, not a number")));
        number.map(Some)
    }

    fn flag(&self, key: &str) -> Result<bool> {
        match self.personal(key).map(str::to_lowercase).as_deref() {
            None | Some("false" | "no" | "off" | "0" | "") => Ok(false),
            Some("true" | "yes" | "on" | "1") => Ok(true),
            Some(text) => Err(Error::unusable(format!("`{key}` is `{text}`, neither true nor false"))),
        }
    }
}

/// What all keys begin with says nothing of which was meant.
fn unknown(key: &str) -> Error {
    let word = |key: &'static str| key.trim_start_matches("orch.");
    let error = Error::unusable(format!("unknown setting `{key}` in git's configuration"));
    let meant = nearest(key.trim_start_matches("orch."), KEYS.iter().map(|(key, _)| word(key)));
    let error = match meant {
        Some(word) => error.hint(format!("did you mean `orch.{word}`?")),
        None => error.hint("`git orch config` lists them"),
    };
    error.hint(format!("take it out: `git config --unset {key}`"))
}
