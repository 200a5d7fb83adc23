//! Agent clients that people use, and the model they talk to, played by a script.
//!
//! **Invariant:** a client keeps what it keeps below the test's own folder, and
//! talks to nobody but the model, which listens on this machine alone.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use git_orch::config::Profile;
use git_orch::config::agents;
use serde::Deserialize;

use super::call::{Call, found, with_agents};
use super::repo::TestRepo;
use super::verbs::skip;

/// An agent client; `{url}` stands for the model's address, `{home}` for the client's home.
#[derive(Debug)]
pub(crate) struct Client {
    /// Its name as an agent, and its program's.
    pub(crate) name: &'static str,
    /// What it is told by its environment.
    variables: &'static [(&'static str, &'static str)],
    /// What it is told by files of its home.
    files: &'static [(&'static str, &'static str)],
}

/// Claude Code. As root it wants to be told that it is alone.
pub(crate) const CLAUDE: Client = Client {
    name: "claude",
    variables: &[
        ("ANTHROPIC_BASE_URL", "{url}"),
        ("ANTHROPIC_API_KEY", "x"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("CLAUDE_CODE_MAX_RETRIES", "0"),
        ("IS_SANDBOX", "1"),
    ],
    files: &[],
};

/// Codex.
pub(crate) const CODEX: Client = Client {
    name: "codex",
    variables: &[("MODEL_KEY", "x")],
    files: &[(
        ".codex/config.toml",
        r#"model = "model"
model_provider = "script"
[model_providers.script]
name = "script"
base_url = "{url}/v1"
env_key = "MODEL_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"#,
    )],
};

/// pi. What it can't do it tells with exit code 0.
pub(crate) const PI: Client = Client {
    name: "pi",
    variables: &[("PI_OFFLINE", "1"), ("PI_TELEMETRY", "0")],
    files: &[
        (
            ".pi/agent/models.json",
            r#"{"providers": {"script": {"baseUrl": "{url}/v1", "api": "openai-completions", "apiKey": "x", "models": [
                {"id": "model", "name": "model", "reasoning": false, "input": ["text"],
                 "cost": {"input": 1, "output": 1, "cacheRead": 0, "cacheWrite": 0},
                 "contextWindow": 100000, "maxTokens": 4000}]}}}"#,
        ),
        (
            ".pi/agent/settings.json",
            r#"{"defaultProvider": "script", "defaultModel": "model", "retry": {"enabled": false, "provider": {"maxRetries": 0}}}"#,
        ),
    ],
};

/// opencode. It would fetch what it does not need here.
pub(crate) const OPENCODE: Client = Client {
    name: "opencode",
    variables: &[
        ("XDG_CONFIG_HOME", "{home}/.config"),
        ("XDG_CACHE_HOME", "{home}/.cache"),
        ("XDG_DATA_HOME", "{home}/.local/share"),
        ("OPENCODE_DISABLE_MODELS_FETCH", "1"),
        ("OPENCODE_DISABLE_AUTOUPDATE", "1"),
        ("OPENCODE_PURE", "1"),
        ("OPENCODE_DISABLE_DEFAULT_PLUGINS", "1"),
        ("OPENCODE_DISABLE_LSP_DOWNLOAD", "1"),
    ],
    files: &[(
        ".config/opencode/opencode.json",
        r#"{"autoupdate": false, "share": "disabled", "model": "script/model", "small_model": "script/model",
            "provider": {"script": {"npm": "@ai-sdk/openai-compatible", "name": "script",
                "options": {"baseURL": "{url}/v1", "apiKey": "x"},
                "models": {"model": {"name": "model", "tool_call": true, "limit": {"context": 100000, "output": 4000}}}}}}"#,
    )],
};

/// Gemini CLI.
pub(crate) const GEMINI: Client = Client {
    name: "gemini",
    variables: &[
        ("GEMINI_API_KEY", "x"),
        ("GOOGLE_GEMINI_BASE_URL", "{url}"),
        ("GEMINI_MODEL", "gemini-2.5-pro"),
    ],
    files: &[(
        ".gemini/settings.json",
        r#"{"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": false},
            "general": {"enableAutoUpdate": false}}"#,
    )],
};

impl Client {
    /// How it is started and read.
    pub(crate) fn profile(&self) -> Profile {
        agents::built_in()[self.name].clone()
    }
}

/// A model that plays for clients in a repository, until it is dropped.
pub(crate) struct Model<'repo> {
    repo: &'repo TestRepo,
    serving: duct::ReaderHandle,
    variables: Vec<(&'static str, String)>,
}

impl Drop for Model<'_> {
    fn drop(&mut self) {
        drop(self.serving.kill());
    }
}

impl<'repo> Model<'repo> {
    /// One for this client; none where the machine lacks it, which is told, and in CI no excuse.
    pub(crate) fn of(repo: &'repo TestRepo, client: &Client) -> Option<Self> {
        let lacking: Vec<_> =
            [client.name, "python3"].into_iter().filter(|name| !found(name).is_absolute()).collect();
        if !lacking.is_empty() {
            let why = format!("this machine lacks {}", lacking.join(", "));
            assert!(std::env::vars_os().all(|(key, _)| key != "CI"), "{why}");
            skip(&why);
            return None;
        }
        let serving = duct::cmd!("python3", repo.agent("model.py"), "--log", log(repo)).reader().unwrap();
        let mut port = String::new();
        BufReader::new(&serving).read_line(&mut port).unwrap();
        let url = format!("http://127.0.0.1:{}", port.trim());
        for (path, content) in client.files {
            let path = home(repo).join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content.replace("{url}", &url)).unwrap();
        }
        let home = home(repo).display().to_string();
        let told = |value: &str| value.replace("{url}", &url).replace("{home}", &home);
        let variables = client.variables.iter().map(|(name, value)| (*name, told(value)));
        Some(Self { repo, serving, variables: variables.collect() })
    }

    /// A run of `git-orch` whose agents find the model.
    pub(crate) fn call(&self, arguments: &[&str]) -> Call<'repo> {
        self.told(self.repo.call(arguments))
    }

    /// A run of a shell script, `git orch` on its `PATH`, whose agents find the model.
    pub(crate) fn shell(&self, script: &str) -> Call<'repo> {
        self.told(self.repo.shell(script))
    }

    fn told(&self, call: Call<'repo>) -> Call<'repo> {
        let call = call.env("HOME", home(self.repo)).env("PATH", with_agents());
        self.variables.iter().fold(call, |call, (name, value)| call.env(name, value))
    }

    /// The requests that reached it, oldest first.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let lines = std::fs::read_to_string(log(self.repo)).unwrap_or_default();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The clients' home: what they keep there is no change to the user's.
fn home(repo: &TestRepo) -> PathBuf {
    repo.top().join("home-of-agents")
}

/// Where the model notes what it is sent.
fn log(repo: &TestRepo) -> PathBuf {
    repo.top().join("model.log")
}

/// A request as the model got it.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    /// Who said what, oldest first.
    turns: Vec<Turn>,
}

#[derive(Debug, Deserialize)]
struct Turn {
    role: String,
    text: String,
}

impl Request {
    /// Whether the user (`user`), the model (`assistant`) or a tool (`result`) said this in it.
    pub(crate) fn has(&self, role: &str, text: &str) -> bool {
        self.turns.iter().any(|turn| turn.role == role && turn.text.contains(text))
    }
}
