//! Reading `.orch.yml`: whole or not at all.
//!
//! **Invariant:** an unknown or duplicate key, a wrong type or a bomb is an
//! error with its place, never a silent default.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use super::agents::{Profile, built_in};
use super::schema::{CommitsKind, Config, Job, ViewpointRule, Viewpoints, Weights};
use crate::error::{Error, IoContext, Result};
use crate::model::wording::{list, nearest, unknown};
use crate::model::{PathSet, time};

/// The file's name.
pub const FILE: &str = ".orch.yml";
/// The largest file that is read.
const MAX_BYTES: usize = 256 * 1024;
/// The deepest nesting that is read.
const MAX_DEPTH: usize = 32;
/// How often a shard may be run again.
pub const MOST_RETRIES: u32 = 10;
/// How often problems of a checker are gone through where nobody says so.
pub const ROUNDS: u8 = 3;
/// How often at most.
pub const MOST_ROUNDS: u8 = 50;
/// How often a task is run again for what viewpoints ask where nobody says so.
pub const REVISIONS: u8 = 2;
/// How often at most.
pub const MOST_REVISIONS: u8 = 10;
/// The forges that are built in.
pub const FORGES: [&str; 7] = ["gh", "glab", "gitlab", "agit", "gerrit", "email", "none"];
/// The most that a signal may weigh.
const MOST_WEIGHT: f64 = 100.0;

/// Reads the file at the top of a checkout; all defaults where there is none.
pub fn load(top: &Path) -> Result<Config> {
    let path = top.join(FILE);
    match path.symlink_metadata() {
        Err(_) => Ok(Config { version: 1, ..Config::default() }),
        Ok(meta) if !meta.is_file() => {
            Err(Error::unusable(format!("`{FILE}` is no plain file")).hint("replace it by one"))
        }
        Ok(meta) if meta.len() > MAX_BYTES as u64 => Err(too_large()),
        Ok(_) => parse(&std::fs::read(&path).doing("could not read", &path)?),
    }
}

/// Reads the file's bytes.
pub fn parse(bytes: &[u8]) -> Result<Config> {
    if bytes.len() > MAX_BYTES {
        return Err(too_large());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| bad("it is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if depth(text) > MAX_DEPTH {
        return Err(bad(&format!("it is nested deeper than {MAX_DEPTH}")));
    }
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Config { version: 1, ..Config::default() });
    }
    let config: Config = serde_yaml::from_str(text).map_err(|error| explain(&error.to_string()))?;
    check(&config)?;
    Ok(config)
}

fn bad(why: &str) -> Error {
    Error::unusable(format!("could not read `{FILE}`: {why}"))
}

fn too_large() -> Error {
    bad("it is larger than 256 KiB")
}

/// How deep brackets or indentation go: a cheap bound, taken before parsing.
fn depth(text: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => continue,
        }
        deepest = deepest.max(open);
    }
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    deepest.max(text.lines().map(indent).max().unwrap_or(0) / 2)
}

/// What readers of YAML call by names of their own.
const SAID_OTHERWISE: &[(&str, &str)] = &[
    ("expected struct Config", "expected keys and values"),
    ("expected u32", "expected a number"),
    ("expected usize", "expected a number"),
    ("unit value", "nothing"),
    (
        "deserializing from YAML containing more than one document is not supported",
        "it holds more than one document",
    ),
];

/// Says it in words of ours, and adds "did you mean" to serde's unknown field.
fn explain(message: &str) -> Error {
    let say = |text: String, (theirs, ours): &(&str, &str)| text.replace(theirs, ours);
    let error = bad(&SAID_OTHERWISE.iter().fold(message.to_owned(), say));
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((unknown, known)) if message.contains("unknown field") => {
            match nearest(unknown, known.iter().copied()) {
                Some(word) => error.hint(format!("did you mean `{word}`?")),
                None => error.hint("`git orch config --schema` lists every key"),
            }
        }
        _ => error,
    }
}

fn check(config: &Config) -> Result<()> {
    if config.version != 1 {
        let why = format!("version {} is not known here", config.version);
        return Err(bad(&why).hint("the first line is `version: 1`; a newer git-orch may know more"));
    }
    let sets = config.sessions.values().map(|session| &session.paths);
    let sets = sets.chain(config.jobs.values().flat_map(|job| [&job.include, &job.exclude, &job.needs]));
    let rules =
        config.viewpoints.iter().flat_map(|viewpoints| viewpoints.rules.iter().map(|rule| &rule.paths));
    for patterns in sets.chain(rules) {
        PathSet::parse(patterns).map_err(|why| bad(&why))?;
    }
    for name in config
        .sessions
        .keys()
        .chain(config.jobs.keys())
        .chain(config.engines.keys())
        .chain(config.forges.keys())
    {
        name.parse::<crate::model::Name>().map_err(|why| bad(&format!("`{name}`: {why}")))?;
    }
    let timeouts = config.agents.profiles.values().filter_map(|profile| profile.timeout.as_ref());
    let waits = config.agents.profiles.values().filter_map(|profile| profile.wait.as_ref());
    let timeouts = timeouts.chain(waits).chain(config.jobs.values().filter_map(|job| job.timeout.as_ref()));
    for span in timeouts.chain(&config.routing.half_lives) {
        let parsed = time::parse_span(span).filter(|span| !span.is_zero());
        parsed.ok_or_else(|| {
            bad(&format!("`{span}` is no time span")).hint("write it as `30s`, `5m`, `2h` or `7d`")
        })?;
    }
    config.agents.profiles.iter().try_for_each(|(name, profile)| check_agent(name, profile))?;
    check_weights(&config.routing.weights)?;
    config.jobs.iter().try_for_each(|(name, job)| check_job(name, job))?;
    for (name, engine) in &config.engines {
        if [&engine.submit, &engine.poll, &engine.cancel].iter().any(|text| text.trim().is_empty()) {
            return Err(bad(&format!("engine `{name}`: a command can't be empty")));
        }
    }
    check_forges(config)?;
    config.viewpoints.as_ref().map_or(Ok(()), check_viewpoints)
}

fn check_agent(name: &str, profile: &Profile) -> Result<()> {
    if ["person", "shell", "tmux"].contains(&name) {
        return Err(bad(&format!("agent `{name}`: that is a person")));
    }
    if let Some(like) = profile.like.as_deref().filter(|like| !built_in().contains_key(*like)) {
        let known = built_in().keys().map(String::as_str);
        return Err(bad(&format!("agent `{name}`: {}", unknown("built-in agent", like, known))));
    }
    let shares = profile.context.map(|context| [context.warn, context.fresh]).into_iter().flatten();
    if shares.into_iter().any(|share| !(0.0..=1.0).contains(&share)) {
        return Err(bad(&format!("agent `{name}`: `context` is in shares of the window, 0 to 1")));
    }
    if profile.transcript.iter().any(|pattern| !pattern.contains("{id}") && !pattern.contains("{id:8}")) {
        return Err(bad(&format!(
            "agent `{name}`: a `transcript` has the conversation's id in it, `{{id}}`"
        )));
    }
    Ok(())
}

fn check_viewpoints(viewpoints: &Viewpoints) -> Result<()> {
    let known = ["developer", "reviewer", "tester", "documenter"];
    let required = viewpoints.rules.iter().flat_map(|rule| &rule.require);
    for viewpoint in viewpoints.default.iter().chain(required).chain(viewpoints.agents.keys()) {
        if !known.contains(&viewpoint.as_str()) {
            return Err(bad(&unknown("viewpoint", viewpoint, known)));
        }
    }
    let is_bare = |rule: &&ViewpointRule| {
        rule.paths.is_empty() && rule.files.is_none() && rule.lines.is_none() && !rule.require.is_empty()
    };
    if let Some(rule) = viewpoints.rules.iter().find(is_bare) {
        let why = format!("the rule that requires {} says not when", list(&rule.require));
        return Err(
            bad(&why).hint("add `paths`, `files` or `lines`; what every result needs is the `default`")
        );
    }
    match viewpoints.rounds {
        Some(rounds) if rounds > MOST_REVISIONS => {
            let why = format!("`rounds: {rounds}` of viewpoints can't be");
            Err(bad(&why).hint(format!("changes are made at most {MOST_REVISIONS} times by themselves")))
        }
        _ => Ok(()),
    }
}

fn check_forges(config: &Config) -> Result<()> {
    if let Some(taken) = config.forges.keys().find(|name| FORGES.contains(&name.as_str())) {
        return Err(bad(&format!("the forge `{taken}` is built in")).hint("give yours another name"));
    }
    let known = || FORGES.iter().copied().chain(config.forges.keys().map(String::as_str));
    match &config.forge {
        Some(forge) if !known().any(|name| name == forge) => {
            Err(bad(&crate::model::wording::unknown("forge", forge, known()))
                .hint(format!("it is one of {}, or of `forges`", FORGES.join(", "))))
        }
        _ => Ok(()),
    }
}

fn check_job(name: &str, job: &Job) -> Result<()> {
    let kinds = [job.run.is_some(), job.agent.is_some(), job.header.is_some()];
    let why = match (kinds.iter().filter(|is_set| **is_set).count(), &job.agent, &job.brief) {
        (0, ..) => Some("has neither `run`, `agent` nor `header`"),
        (2.., ..) => Some("has more than one of `run`, `agent` and `header`"),
        (_, Some(_), None) if job.from.is_none() => Some("has an `agent` and no `brief`"),
        (_, None, Some(_)) => Some("has a `brief` and no `agent`"),
        _ if job.header.as_ref().is_some_and(|header| header.trim().is_empty()) => {
            Some("has an empty `header`")
        }
        _ => None,
    };
    if let Some(why) = why {
        return Err(bad(&format!("job `{name}` {why}")).hint(
            "a job is a command, `run`, an `agent` with a `brief` that says what it shall do, or a `header`",
        ));
    }
    check_checker(name, job)?;
    if job.retries > MOST_RETRIES {
        let why = format!("job `{name}`: `retries: {}` is too many", job.retries);
        return Err(bad(&why).hint(format!("a shard is run again at most {MOST_RETRIES} times")));
    }
    match job.env.keys().find(|key| !is_variable(key)) {
        None => Ok(()),
        Some(key) => {
            let why = format!("job `{name}`: `{key}` can't be set in `env`");
            Err(bad(&why).hint("a variable is letters, digits and `_`, and none of git's or git-orch's"))
        }
    }
}

fn check_checker(name: &str, job: &Job) -> Result<()> {
    let is_each = job.commits == CommitsKind::Shard;
    let (why, hint) = match (&job.from, job.rounds) {
        (None, None) => return Ok(()),
        (None, Some(_)) => {
            ("has `rounds` and no `from`", "`from` is the checker whose problems are worked on")
        }
        (Some(from), _) if from.trim().is_empty() => {
            ("has an empty `from`", "`from` is a command for a shell")
        }
        (Some(_), _) if job.header.is_some() => {
            ("has a `header` and a `from`", "an `agent`, or `run`, works on the problems of a checker")
        }
        (Some(_), _) if is_each => {
            ("has a `from` and a commit for each shard", "with a checker, each round is one commit")
        }
        (Some(_), Some(rounds)) if !(1..=MOST_ROUNDS).contains(&rounds) => {
            let why = format!("job `{name}`: `rounds: {rounds}` can't be");
            return Err(bad(&why).hint(format!("problems are gone through 1 to {MOST_ROUNDS} times")));
        }
        (Some(_), _) => return Ok(()),
    };
    Err(bad(&format!("job `{name}` {why}")).hint(hint))
}

/// Whether a job may set a variable: none that leads git elsewhere, or that git-orch sets.
pub fn is_variable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(plain) && name.starts_with(|c: char| !c.is_ascii_digit()) && !name.starts_with("GIT_")
}

fn check_weights(weights: &Weights) -> Result<()> {
    let past = [
        ("context", weights.context),
        ("recent", weights.recent),
        ("last", weights.last),
        ("focus", weights.focus),
        ("words", weights.words),
        ("similar", weights.similar),
        ("active", weights.active),
    ];
    let beside = [("specialty", weights.specialty), ("young_specialty", weights.young_specialty)];
    for (signal, weight) in past.iter().chain(&beside) {
        if !(0.0..=MOST_WEIGHT).contains(weight) {
            let why = format!("`{signal}: {weight}` is no weight");
            return Err(bad(&why).hint(format!("a weight is a number from 0 to {MOST_WEIGHT}")));
        }
    }
    if !(-MOST_WEIGHT..=0.0).contains(&weights.load) {
        let why = format!("`load: {}` is no weight of load", weights.load);
        return Err(bad(&why).hint(format!("it counts against a session: a number from -{MOST_WEIGHT} to 0")));
    }
    if past.iter().all(|(_, weight)| *weight == 0.0) {
        return Err(bad("no signal of the past weighs anything").hint("leave `weights` out for the defaults"));
    }
    Ok(())
}

/// Writes settings where there are none: whole, or not at all.
///
/// # Errors
/// Unusable where something is there, or a folder can't be written.
pub fn write_new(path: &Path, text: &str, scratch: &Path) -> Result<()> {
    let new = scratch.join("settings.new");
    std::fs::write(&new, text)
        .inspect_err(|_| drop(std::fs::remove_file(&new)))
        .doing("could not write", &new)?;
    let made = match std::fs::hard_link(&new, path) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => File::create_new(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .inspect_err(|_| drop(std::fs::remove_file(path))),
        made => made,
    };
    std::fs::remove_file(&new).doing("could not remove", &new)?;
    made.doing("could not write", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_file_is_read() {
        let text = "version: 1\nbase: main\nagents:\n  default: house\n  house: { run: [house-agent, --headless], prompt: stdin, timeout: 30m }\nsessions:\n  backend: { paths: [\"src/api/**\"], specialty: \"API, auth\", agent: codex }\njobs:\n  fmt: { run: 'prettier --write \"$@\"', include: [\"web/**/*.ts\"], shard: directory, tree: sparse, needs: [\".prettierrc*\"], check: npm test }\nchecks: [cargo test]\nviewpoints: { default: [developer], rules: [{ paths: [\"src/auth/**\"], require: [developer, reviewer] }] }\nrouting: { half_lives: [7d, 365d] }\n";
        let config = parse(text.as_bytes()).unwrap();
        assert_eq!(config.agents.default.as_deref(), Some("house"));
        assert_eq!(config.jobs["fmt"].needs, [".prettierrc*"]);
        assert_eq!(config.checks, ["cargo test"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("version: 2\n", "version 2 is not known here"),
            ("version: 1\nbse: main\n", "unknown field `bse`"),
            ("version: 1\nversion: 1\n", "duplicate"),
            ("version: 1\nsessions:\n  a: {}\n  a: {}\n", "duplicate key `a`"),
            ("version: 1\nagents:\n  a: { run: x }\n  a: { run: y }\n", "duplicate key `a`"),
            ("version: 1\nchecks: cargo test\n", "checks"),
            ("version: 1\nsessions:\n  a: { paths: [\"[\"] }\n", "bad pattern"),
            ("version: 1\nsessions:\n  A/b: {}\n", "a name holds only"),
            ("version: 1\njobs:\n  x: { run: [] }\n", "a command can't be empty"),
            ("version: 1\njobs:\n  x: { shard: file }\n", "job `x` has neither `run`, `agent` nor `header`"),
            (
                "version: 1\njobs:\n  x: { run: a, agent: b, brief: c }\n",
                "job `x` has more than one of `run`, `agent` and `header`",
            ),
            ("version: 1\njobs:\n  x: { agent: b }\n", "job `x` has an `agent` and no `brief`"),
            ("version: 1\njobs:\n  x: { run: a, brief: c }\n", "job `x` has a `brief` and no `agent`"),
            ("version: 1\njobs:\n  x: { run: a, rounds: 2 }\n", "job `x` has `rounds` and no `from`"),
            ("version: 1\njobs:\n  x: { run: a, from: ' ' }\n", "job `x` has an empty `from`"),
            ("version: 1\njobs:\n  x: { header: a, from: b }\n", "job `x` has a `header` and a `from`"),
            (
                "version: 1\njobs:\n  x: { run: a, from: b, commits: shard }\n",
                "job `x` has a `from` and a commit for each shard",
            ),
            ("version: 1\njobs:\n  x: { run: a, from: b, rounds: 51 }\n", "`rounds: 51` can't be"),
            (
                "version: 1\nagents: { a: { run: x, like: claud } }\n",
                "no built-in agent `claud`; did you mean `claude`?",
            ),
            ("version: 1\nagents: { tmux: { run: x } }\n", "that is a person"),
            ("version: 1\nagents: { a: { run: x, wait: soon } }\n", "`soon` is no time span"),
            ("version: 1\nagents: { a: { run: x, context: { warn: 70 } } }\n", "shares of the window"),
            (
                "version: 1\nagents: { a: { run: x, transcript: [~/talks] } }\n",
                "has the conversation's id in it",
            ),
            ("version: 1\nagents: { a: { run: x, export: [] } }\n", "a command can't be empty"),
            ("version: 1\nforge: gitlap\n", "no forge `gitlap`; did you mean `gitlab`?"),
            ("version: 1\nforges: { gh: { open: x } }\n", "the forge `gh` is built in"),
            ("version: 1\nforges: { house: { state: x } }\n", "missing field `open`"),
            ("version: 1\nforges: { house: { open: [] } }\n", "a command can't be empty"),
            ("version: 1\nforges: { A: { open: x } }\n", "a name holds only"),
            ("version: 1\nrouting: { half_lives: [soon, 365d] }\n", "`soon` is no time span"),
            ("version: [\n", "could not read"),
            (&"[".repeat(100_000), "nested deeper"),
            ("\u{0}", "could not read"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        assert!(parse(b"\xff").unwrap_err().to_string().contains("not UTF-8"));
        let hints = parse(b"version: 1\nsesions: {}\n").unwrap_err().hints;
        assert_eq!(hints, ["did you mean `sessions`?"]);
    }

    #[test]
    fn an_agent_that_a_checker_tells_what_to_do_needs_no_brief() {
        let config = parse(b"version: 1\njobs:\n  x: { agent: a, from: lint, rounds: 2 }\n").unwrap();
        assert_eq!((config.jobs["x"].from.as_deref(), config.jobs["x"].rounds), (Some("lint"), Some(2)));
    }

    #[test]
    fn an_empty_file_means_all_defaults() {
        for text in ["", "# nothing\n\n"] {
            assert_eq!(parse(text.as_bytes()).unwrap(), Config { version: 1, ..Config::default() });
        }
    }
}
