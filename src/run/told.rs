//! What an agent program tells in its output, read as it comes: one JSON value
//! a line, by the readings of its profile.
//!
//! **Invariant:** a line that says nothing, or nothing that can be read, changes
//! nothing; what is told is cut to size, whatever an agent prints.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::conversation::is_plain;
use crate::config::agents::{Means, Pointers, Reading, Scalar};
use crate::model::Usage;

/// How many bytes of an agent's words are kept: the last ones.
const WORDS: usize = 4 * 1024;
/// How long a line about what it does is.
const GLIMPSE: usize = 60;
/// Why it went wrong where an agent is at work and no more comes.
const AMID: &str = "it ended before it was done";
/// A longer line is passed over.
const LINE: usize = 4 << 20;

/// What was told so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The id of the conversation.
    pub conversation: Option<String>,
    /// Its last words.
    pub said: Option<String>,
    /// What it asks, or was not allowed to do.
    pub asked: Option<String>,
    /// What it does at the moment.
    pub doing: Option<String>,
    /// Why it went wrong.
    pub error: Option<String>,
    /// What it took, where it told.
    pub usage: Option<Usage>,
    /// Whether the service takes no more at the moment.
    pub is_limited: bool,
    /// Whether it went wrong, whatever the exit code.
    pub has_failed: bool,
    /// Whether it is done.
    pub is_done: bool,
    /// Whether the conversation that it was to go on with is not there.
    pub is_gone: bool,
    /// Whether the line before was a piece of its words.
    is_amid: bool,
    /// What the conversation took before this run.
    before: Usage,
    context: f64,
    window: f64,
}

impl Told {
    /// Whether the model answered at all.
    pub fn has_answered(&self) -> bool {
        self.said.is_some() || self.usage.is_some_and(|usage| usage.output_tokens > 0)
    }

    fn line(&mut self, readings: &[Reading], line: &str) {
        if !line.trim_start().starts_with('{') || line.len() > LINE {
            return;
        }
        let Ok(value) = serde_json::from_str::<Value>(line) else { return };
        let was_amid = std::mem::take(&mut self.is_amid);
        for reading in readings.iter().filter(|reading| applies(reading, &value)) {
            match piece(&value, &reading.said).filter(|_| reading.joins) {
                Some(words) => self.go_on_with(was_amid, words),
                None => self.said = words_at(&value, &reading.said).map(last_bytes).or(self.said.take()),
            }
            self.read(reading, &value);
        }
    }

    /// A piece of its words, as it stands, behind those before it.
    fn go_on_with(&mut self, was_amid: bool, words: &str) {
        let before = self.said.take().filter(|_| was_amid).unwrap_or_default();
        self.said = Some(last_bytes(before + words));
        self.is_amid = true;
    }

    fn read(&mut self, reading: &Reading, value: &Value) {
        let text = |pointers: &Pointers| text(value, pointers);
        let first = |at: &mut Option<String>, pointers: &Pointers| {
            if let Some(found) = text(pointers) {
                *at = Some(last_bytes(found));
            }
        };
        if let Some(id) = text(&reading.conversation).filter(|id| is_plain(id)) {
            self.conversation = Some(id);
        }
        first(&mut self.asked, &reading.asked);
        first(&mut self.error, &reading.error);
        if let Some(doing) = text(&reading.doing) {
            self.doing = Some(crate::model::wording::excerpt(&doing, GLIMPSE));
        }
        self.mean(reading.means);
        self.count(reading, value);
    }

    fn mean(&mut self, means: Option<Means>) {
        match means {
            Some(Means::Failed) => self.has_failed = true,
            Some(Means::Limited) => self.is_limited = true,
            Some(Means::Gone) => self.is_gone = true,
            Some(Means::Begun) => {
                self.has_failed = true;
                self.error = Some(AMID.to_owned());
            }
            Some(Means::Done) => self.is_done = true,
            Some(Means::Fine) => (self.has_failed, self.is_limited, self.error) = (false, false, None),
            None => {}
        }
    }

    fn count(&mut self, reading: &Reading, value: &Value) {
        let number = |pointers: &Pointers| number(value, pointers);
        let mut usage = self.usage.unwrap_or_default();
        // What the conversation took before is not this run's.
        let before = if reading.whole { self.before } else { Usage::default() };
        let mut is_told = reading.turn;
        let mut count = |at: &mut u64, pointers: &Pointers, before: u64| {
            if let Some(told) = number(pointers) {
                let told = tokens(told).saturating_sub(before);
                *at = if reading.adds { at.saturating_add(told) } else { told };
                is_told = true;
            }
        };
        count(&mut usage.input_tokens, &reading.input, before.input_tokens);
        count(&mut usage.cached_tokens, &reading.cached, before.cached_tokens);
        count(&mut usage.output_tokens, &reading.output, before.output_tokens);
        let mut turns = usage.turns.unwrap_or_default();
        count(&mut turns, &reading.turns, 0);
        turns += u64::from(reading.turn);
        usage.turns = Some(turns).filter(|turns| *turns > 0);
        if let Some(cost) = number(&reading.cost) {
            usage.cost = Some(if reading.adds { usage.cost.unwrap_or_default() + cost } else { cost });
            is_told = true;
        }
        self.context = number(&reading.context).filter(|used| *used > 0.0).unwrap_or(self.context);
        self.window = number(&reading.window).filter(|size| *size > 0.0).unwrap_or(self.window);
        if self.context > 0.0 && self.window > 0.0 {
            usage.context = Some((self.context / self.window).min(1.0));
            is_told = true;
        }
        if is_told {
            self.usage = Some(usage);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counted in JSON, cut to what fits"
)]
fn tokens(number: f64) -> u64 {
    number.max(0.0) as u64
}

fn applies(reading: &Reading, value: &Value) -> bool {
    let is_wanted = |found: &Value, wanted: &Scalar| match (found, wanted) {
        (Value::Bool(found), Scalar::Bool(wanted)) => found == wanted,
        (Value::Number(found), Scalar::Number(wanted)) => found.as_i64() == Some(*wanted),
        (Value::String(found), Scalar::Text(wanted)) => is_like(found, wanted),
        _ => false,
    };
    reading
        .when
        .iter()
        .all(|(pointer, wanted)| at(value, pointer).into_iter().any(|found| is_wanted(found, wanted)))
}

/// Whether a text is the wanted one; a `*` at either end stands for anything.
fn is_like(found: &str, wanted: &str) -> bool {
    let (front, wanted) = wanted.strip_prefix('*').map_or((false, wanted), |rest| (true, rest));
    let (back, wanted) = wanted.strip_suffix('*').map_or((false, wanted), |rest| (true, rest));
    match (front, back) {
        (false, false) => found == wanted,
        (true, false) => found.ends_with(wanted),
        (false, true) => found.starts_with(wanted),
        (true, true) => found.contains(wanted),
    }
}

/// The first text there is; of a list or a table its JSON.
fn text(value: &Value, pointers: &Pointers) -> Option<String> {
    let words = found(value, pointers).into_iter().filter_map(|found| match found {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Array(all) if all.is_empty() => None,
        Value::Null => None,
        other => Some(other.to_string()),
    });
    words.into_iter().find(|text| !text.is_empty())
}

/// All that is said at the first place where something is.
fn words_at(value: &Value, pointers: &Pointers) -> Option<String> {
    let said = |pointer: &String| {
        let texts = at(value, pointer).into_iter().filter_map(Value::as_str).map(str::trim);
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
    };
    pointers.all().iter().map(said).find(|words| !words.is_empty())
}

/// The first text there is, as it stands.
fn piece<'a>(value: &'a Value, pointers: &Pointers) -> Option<&'a str> {
    found(value, pointers).into_iter().find_map(Value::as_str)
}

/// The sum of the numbers there are.
fn number(value: &Value, pointers: &Pointers) -> Option<f64> {
    found(value, pointers).into_iter().filter_map(Value::as_f64).reduce(|one, other| one + other)
}

fn found<'a>(value: &'a Value, pointers: &Pointers) -> Vec<&'a Value> {
    pointers.all().iter().flat_map(|pointer| at(value, pointer)).collect()
}

/// What lies at a JSON pointer; a part of it that is `*` is all there is.
fn at<'a>(value: &'a Value, pointer: &str) -> Vec<&'a Value> {
    let Some((before, behind)) = pointer.split_once("/*") else {
        return value.pointer(pointer).into_iter().collect();
    };
    let below: Vec<&Value> = match value.pointer(before) {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(Value::Object(all)) => all.values().collect(),
        _ => Vec::new(),
    };
    below.into_iter().flat_map(|one| at(one, behind)).collect()
}

fn last_bytes(text: String) -> String {
    let from = text.ceil_char_boundary(text.len().saturating_sub(WORDS));
    if from == 0 { text } else { text[from..].to_owned() }
}

/// All that an agent said in a log, in order.
pub fn words(readings: &[Reading], log: &Path) -> Vec<String> {
    let text = std::fs::read(log).unwrap_or_default();
    let (mut told, mut words) = (Told::default(), Vec::new());
    for line in String::from_utf8_lossy(&text).lines() {
        let was_amid = told.is_amid;
        told.line(readings, line);
        let Some(said) = told.said.clone() else { continue };
        match words.last_mut() {
            Some(last) if *last == said => {}
            // A piece that went on with what is there already.
            Some(last) if was_amid && told.is_amid => *last = said,
            _ => words.push(said),
        }
    }
    words
}

/// Reads a log that grows.
#[derive(Debug)]
pub struct Reader<'a> {
    readings: &'a [Reading],
    log: PathBuf,
    file: Option<File>,
    from: u64,
    begun: Vec<u8>,
    told: Told,
}

impl<'a> Reader<'a> {
    /// Of a log that may not be there yet; `before` is what its conversation took
    /// already, `window` the size of the context window where the agent does not tell it.
    pub fn new(readings: &'a [Reading], log: PathBuf, before: Usage, window: Option<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "windows are small")]
        let told = Told { before, window: window.unwrap_or_default() as f64, ..Told::default() };
        Self { readings, log, file: None, from: 0, begun: Vec::new(), told }
    }

    /// The same, of what comes behind so many bytes.
    pub fn from(self, from: u64) -> Self {
        Self { from, ..self }
    }

    /// What was told until now.
    pub fn told(&mut self) -> &Told {
        if !self.readings.is_empty() {
            self.go_on();
        }
        &self.told
    }

    /// What was told in all, once nothing more comes.
    pub fn end(mut self) -> Told {
        self.told();
        let rest = std::mem::take(&mut self.begun);
        self.told.line(self.readings, &String::from_utf8_lossy(&rest));
        let said = self.told.said.as_deref().map(str::trim).filter(|said| !said.is_empty());
        self.told.said = said.map(str::to_owned);
        self.told
    }

    fn go_on(&mut self) {
        // A log that can't be read tells nothing.
        if self.file.is_none() {
            let opened = File::open(&self.log).ok();
            self.file = opened.filter(|mut file| file.seek(SeekFrom::Start(self.from)).is_ok());
        }
        let Some(file) = &mut self.file else { return };
        let mut new = Vec::new();
        if file.read_to_end(&mut new).is_err() {
            return;
        }
        let mut lines = new.split_inclusive(|byte| *byte == b'\n');
        for line in &mut lines {
            self.begun.extend_from_slice(line);
            if line.ends_with(b"\n") {
                let whole = std::mem::take(&mut self.begun);
                self.told.line(self.readings, &String::from_utf8_lossy(&whole));
            } else if self.begun.len() > LINE {
                self.begun.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::agents::built_in;
    use crate::model::wording::excerpt;

    /// What is told of a saved output, by the profile of this name.
    fn told(name: &str, output: &str, before: Usage) -> Told {
        let log =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/agents/output").join(output);
        let profile = built_in()[name].completed();
        Reader::new(&profile.reads, log, before, profile.window).end()
    }

    /// What counts of it, in a line.
    fn short(told: &Told) -> String {
        let text = |text: &Option<String>| text.as_deref().map_or("-".into(), |text| excerpt(text, 60));
        let usage = told.usage.map_or("-".into(), |usage| {
            let context = usage.context.map_or("-".into(), |used| format!("{:.2}%", used * 100.0));
            let (cost, turns) = (usage.cost.unwrap_or_default(), usage.turns.unwrap_or_default());
            let Usage { input_tokens, cached_tokens, output_tokens, .. } = usage;
            format!("{input_tokens}({cached_tokens})/{output_tokens} ${cost} {turns} {context}")
        });
        let means = [("limited", told.is_limited), ("failed", told.has_failed), ("gone", told.is_gone)];
        let means: Vec<&str> = means.into_iter().filter(|(_, is_so)| *is_so).map(|(word, _)| word).collect();
        let id = told.conversation.as_deref().map_or("-", |id| &id[..4]);
        let (said, asked, error) = (text(&told.said), text(&told.asked), text(&told.error));
        format!("{id} | {said} | asked {asked} | error {error} | {usage} | {}", means.join(" "))
    }

    #[test]
    fn what_agents_print_is_read_by_their_profiles() {
        let mut lines = Vec::new();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/agents/output");
        let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<String> = files.collect();
        files.sort();
        for output in files {
            let name = output.split(['-', '.']).next().unwrap();
            lines.push(format!("{output}: {}", short(&told(name, &output, Usage::default()))));
        }
        assert_eq!(
            lines,
            [
                "aider.txt: - | - | asked - | error - | - | ",
                "claude-denied.jsonl: 59df | could not | asked echo hi > z.txt | error - | 2000(0)/100 $0.0125 2 0.10% | ",
                "claude-error.jsonl: a43f | API Error: 400 told to fail | asked - | error API Error: 400 told to fail | 0(0)/0 $0 1 - | failed",
                "claude-max-turns.jsonl: 693d | - | asked - | error Reached maximum number of turns (2) | 2000(0)/100 $0.0125 3 0.10% | failed",
                "claude-question.jsonl: 0820 | Which colour shall it be? | asked - | error - | 2000(0)/100 $0.0125 2 0.10% | ",
                "claude-rate-limit.jsonl: 8f23 | API Error: Request rejected (429) · told to fail | asked - | error API Error: Request rejected (429) · told to fail | 0(0)/0 $0 1 - | limited failed",
                "claude-refusal.jsonl: c926 | API Error: Claude Code is unable to respond to this request,… | asked - | error API Error: Claude Code is unable to respond to this request,… | 1000(0)/50 $0.00625 1 0.10% | failed",
                "claude-retried.jsonl: 823e | ok at last | asked - | error - | 1000(0)/50 $0.00625 1 0.10% | ",
                "claude-unauthorized.jsonl: 26f0 | Failed to authenticate. API Error: 401 told to fail | asked - | error Failed to authenticate. API Error: 401 told to fail | 0(0)/0 $0 1 - | failed",
                "claude-unknown-conversation.jsonl: 2222 | - | asked - | error No conversation found with session ID: 22222222-1111-4111-81… | 0(0)/0 $0 0 - | failed gone",
                "claude.jsonl: 6f1e | Wrote out.txt and src/b.rs. | asked - | error - | 3600(0)/180 $0.0225 3 0.12% | ",
                "codex-error.jsonl: 01a2 | - | asked - | error We’re currently experiencing high demand, which may cause te… | - | limited failed",
                "codex-question.jsonl: 01a2 | Which colour shall it be? | asked - | error - | 2000(0)/100 $0 1 - | ",
                "codex-rate-limit.jsonl: 01a2 | - | asked - | error exceeded retry limit, last status: 429 Too Many Requests | - | limited failed",
                "codex-refusal.jsonl: 01a2 | - | asked - | error - | 1000(0)/50 $0 1 - | ",
                "codex-resumed.jsonl: 01a2 | Nothing more to do. | asked - | error - | 4800(0)/240 $0 1 - | ",
                "codex-unauthorized.jsonl: 01a2 | - | asked - | error unexpected status 401 Unauthorized: told to fail, url: http:… | - | failed",
                "codex-usage-limit.jsonl: 01a2 | - | asked - | error You’ve hit your usage limit. Upgrade to Pro (https://chatgpt… | - | failed",
                "codex.jsonl: 01a2 | Wrote out.txt. | asked - | error - | 3600(0)/180 $0 1 - | ",
                "copilot-denied.jsonl: c7b7 | could not | asked Permission denied because no interactive user response was a… | error - | 0(0)/0 $0 2 8.16% | ",
                "copilot-error.jsonl: 7673 | - | asked - | error 400 told to fail | - | failed",
                "copilot-unauthorized.jsonl: 65e5 | - | asked - | error Authentication failed with provider at http://127.0.0.1:8080… | - | failed",
                "copilot.jsonl: 28cb | Wrote out.txt and src/b.rs. | asked - | error - | 0(0)/0 $0 3 8.25% | ",
                "gemini-denied.jsonl: 69e7 | no usable tool among update_topic,list_directory,read_file,g… | asked - | error - | 1000(0)/50 $0 0 - | ",
                "gemini-error.jsonl: 0942 | - | asked - | error [API Error: {\"type\":\"error\",\"error\":{\"type\":\"invalid_request… | 0(0)/0 $0 0 - | failed",
                "gemini-rate-limit.jsonl: 657f | - | asked - | error [API Error: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_erro… | 0(0)/0 $0 0 - | limited failed",
                "gemini.jsonl: 5555 | Wrote it. | asked - | error - | 3600(0)/180 $0 0 - | ",
                "opencode-error.jsonl: ses_ | - | asked - | error told to fail | - | failed",
                "opencode-rate-limit.jsonl: ses_ | - | asked - | error told to fail | - | limited failed",
                "opencode-refusal.jsonl: ses_ | I will not | asked - | error The response was blocked by the provider's content filter | 1000(0)/50 $0.00375 1 - | failed",
                "opencode.jsonl: ses_ | Wrote it. | asked - | error - | 3600(0)/180 $0.013499999999999998 3 - | ",
                "pi-error.jsonl: 01a2 | - | asked - | error 400 told to fail | 0(0)/0 $0 1 - | failed",
                "pi-rate-limit.jsonl: 01a2 | - | asked - | error 429 told to fail | 0(0)/0 $0 4 - | limited failed",
                "pi-refusal.jsonl: 01a2 | I will not | asked - | error Provider finish_reason: content_filter | 1000(0)/50 $0.00105 1 - | failed",
                "pi.jsonl: 01a2 | Wrote it. | asked - | error - | 3600(0)/180 $0.0037799999999999995 3 - | ",
                "qwen-error.jsonl: ce73 | [API Error: 400 told to fail] | asked - | error [API Error: 400 told to fail] | 0(0)/0 $0 1 - | failed",
                "qwen-resumed.jsonl: f3a8 | again | asked - | error - | 3602(3000)/182 $0 1 - | ",
                "qwen.jsonl: f3a8 | Wrote out.txt and src/b.rs. | asked - | error - | 3600(3000)/180 $0 3 - | ",
            ]
        );
    }

    /// What is told by these lines, in the words of the profile of this name.
    fn told_by(name: &str, lines: &[&str]) -> Told {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, lines.join("\n")).unwrap();
        Reader::new(&built_in()[name].reads, log, Usage::default(), None).end()
    }

    #[test]
    fn pieces_of_words_go_on_until_something_else_comes() {
        let piece = |words: &str| {
            format!("{{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"{words}\",\"delta\":true}}")
        };
        let (look, two, words, end) =
            (piece("I look."), piece("Two"), piece(" words\\n"), piece("\\n end\\n"));
        let tool = "{\"type\":\"tool_use\",\"tool_name\":\"shell\"}";
        let told = told_by("gemini", &[&look, tool, &two, "a warning", &words, &end]);
        assert_eq!(told.said.as_deref(), Some("Two words\n\n end"));
    }

    #[test]
    fn an_agent_that_began_was_done_only_where_it_says_so() {
        let begun = "{\"type\":\"init\",\"session_id\":\"x\"}";
        let told = told_by("gemini", &[begun]);
        assert_eq!((told.has_failed, told.error.as_deref()), (true, Some(AMID)));
        let told = told_by("gemini", &[begun, "{\"type\":\"result\",\"status\":\"success\"}"]);
        assert_eq!((told.has_failed, told.error), (false, None));
    }

    #[test]
    fn what_an_agent_tried_again_with_success_did_not_fail() {
        let end = |stop: &str| {
            format!(
                "{{\"type\":\"message_end\",\"message\":{{\"role\":\"assistant\",\"stopReason\":\"{stop}\",\"errorMessage\":\"429 no\"}}}}"
            )
        };
        let (error, stop) = (end("error"), end("stop"));
        let told = told_by("pi", &[&error]);
        assert_eq!((told.has_failed, told.is_limited), (true, true));
        let told = told_by("pi", &[&error, &stop]);
        assert_eq!((told.has_failed, told.is_limited, told.error), (false, false, None));
    }

    #[test]
    fn what_is_told_in_the_end_ends_no_run() {
        let done = ["claude.jsonl", "claude-error.jsonl", "codex.jsonl", "codex-error.jsonl"].map(|output| {
            let name = output.split(['-', '.']).next().unwrap();
            told(name, output, Usage::default()).is_done
        });
        assert_eq!(done, [true, false, true, false]);
    }

    #[test]
    fn anything_may_be_printed() {
        let readings = [Reading { said: Pointers::One("/a/*/b".into()), ..Reading::default() }];
        let mut told = Told::default();
        for line in
            ["", "x", "{", "{}", "[1]", "{\"a\":1}", "{\"a\":[{\"b\":[]}]}", "{\"a\":{\"c\":{\"b\":null}}}"]
        {
            told.line(&readings, line);
        }
        assert_eq!(told, Told::default());
        told.line(&readings, "{\"a\":[{\"c\":1},{\"b\":\" yes \"}]}");
        assert_eq!(told.said.as_deref(), Some("yes"));
        told.line(&readings, &format!("{{\"a\":[{{\"b\":\"{}\"}}]}}", "ä".repeat(WORDS)));
        assert_eq!(told.said.map(|said| said.len()), Some(WORDS));
    }
}
