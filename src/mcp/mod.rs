//! A server of the Model Context Protocol: what agents that speak it can ask.
//!
//! One JSON document a line comes in and goes out. Each tool is a command of
//! this very program, run with `--json`: its answers are those of the command
//! line.
//!
//! **Invariant:** nothing but the protocol is written; what a client says never
//! becomes an option.

mod arguments;
mod message;
mod tools;

use std::ffi::OsString;
use std::io::{BufRead, ErrorKind, Read as _, Write};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::agent::ask::Answer;
use crate::error::{Error, Result};
use message::{Failure, Message};
use tools::Tool;

/// The versions that are spoken, the newest first.
const VERSIONS: [&str; 3] = ["2025-06-18", "2025-03-26", "2024-11-05"];
/// A longer line is no message.
const LONGEST: u64 = 16 * 1024 * 1024;
/// What a client is told of the whole.
const INSTRUCTIONS: &str = "git-orch gives each task to the session that already knows the code. Ask `route` or \
`who_knows` before working outside your own files; hand work to another session with `task` (it returns at once, \
and `show` tells how it stands); say `report` with `input` when you wait for an answer; keep decisions with `note`; \
say `done` when your own task is finished.";

/// Runs git-orch with these words.
pub type Call<'a> = &'a (dyn Fn(&[OsString]) -> Result<Answer> + Sync);

/// Answers until nothing more comes in and all is answered.
///
/// # Errors
/// Unusable where nothing can be read.
pub fn serve(mut reader: impl BufRead, writer: impl Write + Send, call: Call<'_>) -> Result<()> {
    let writer = Mutex::new(writer);
    std::thread::scope(|scope| {
        while let Some(line) = line(&mut reader)? {
            match message::parse(&line) {
                Ok(Message::Request(request)) if request.method == "tools/call" => {
                    // One that takes long keeps no other waiting.
                    let writer = &writer;
                    scope.spawn(move || say(writer, request.answered(use_tool(&request.params, call))));
                }
                Ok(message) => {
                    if let Some(answer) = answered(message, call) {
                        say(&writer, answer);
                    }
                }
                Err(failure) => say(&writer, failure.said(&Value::Null)),
            }
        }
        Ok(())
    })
}

/// The next line; `None` at the end.
fn line(reader: &mut impl BufRead) -> Result<Option<Vec<u8>>> {
    loop {
        let mut line = Vec::new();
        let unusable = |error| Error::unusable("could not read a request").because(error);
        match reader.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(unusable(error)),
            Ok(0) => return Ok(None),
            Ok(_) if line.trim_ascii().is_empty() => {}
            Ok(_) => return Ok(Some(line)),
        }
    }
}

/// Says one message; a client that is gone hears nothing.
fn say(writer: &Mutex<impl Write>, message: Value) {
    let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    drop(writeln!(writer, "{message}").and_then(|()| writer.flush()));
}

/// What is said to a message; nothing to a notification, or to an answer.
fn answered(message: Message, call: Call<'_>) -> Option<Value> {
    match message {
        Message::Silent => None,
        Message::Request(request) => {
            let result = answer(&request.method, &request.params, call);
            Some(request.answered(result))
        }
        Message::Batch(batch) => {
            let said = |one: message::Parsed| match one {
                Ok(message) => answered(message, call),
                Err(failure) => Some(failure.said(&Value::Null)),
            };
            let answers: Vec<Value> = batch.into_iter().filter_map(said).collect();
            (!answers.is_empty()).then_some(Value::Array(answers))
        }
    }
}

fn answer(method: &str, params: &Value, call: Call<'_>) -> std::result::Result<Value, Failure> {
    match method {
        "initialize" => initialize(params),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({ "tools": tools::ALL.iter().map(Tool::described).collect::<Vec<_>>() })),
        "tools/call" => use_tool(params, call),
        other => Err(Failure::no_method(other)),
    }
}

/// The client's version where it is spoken here, else the newest that is.
fn initialize(params: &Value) -> std::result::Result<Value, Failure> {
    let asked = params["protocolVersion"].as_str();
    let asked = asked.ok_or_else(|| Failure::params("`protocolVersion` is missing".to_owned()))?;
    let version = VERSIONS.iter().find(|version| **version == asked).unwrap_or(&VERSIONS[0]);
    Ok(json!({
        "protocolVersion": version,
        "capabilities": { "tools": {} },
        "serverInfo": { "name": "git-orch", "title": "git orch", "version": env!("CARGO_PKG_VERSION") },
        "instructions": INSTRUCTIONS,
    }))
}

/// Runs the command that a tool stands for.
fn use_tool(params: &Value, call: Call<'_>) -> std::result::Result<Value, Failure> {
    let name = params["name"].as_str().ok_or_else(|| Failure::params("`name` is missing".to_owned()))?;
    let tool = tools::ALL.iter().find(|tool| tool.name == name);
    let tool = tool.ok_or_else(|| Failure::params(format!("unknown tool: {name}")))?;
    let words = arguments::words(tool, &params["arguments"]).map_err(Failure::params)?;
    Ok(match call(&words) {
        Ok(answer) => told(&answer),
        Err(error) => json!({ "content": [text(&format!("error: {error}"))], "isError": true }),
    })
}

/// A command's answer as a tool's: its document, and what it warned of.
fn told(answer: &Answer) -> Value {
    let document: Value = serde_json::from_str(&answer.stdout).unwrap_or_default();
    let failure = document.get("error").map(failure);
    let said = failure.as_deref().unwrap_or(answer.stdout.trim_end());
    let warned = answer.stderr.trim_end();
    let parts = [said, warned].into_iter().filter(|part| !part.is_empty());
    let mut result = json!({ "content": parts.map(text).collect::<Vec<_>>(), "isError": answer.code != 0 });
    if document.is_object() {
        result["structuredContent"] = document;
    }
    result
}

/// An error as people read it.
fn failure(error: &Value) -> String {
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let hints = error["hints"].as_array().into_iter().flatten();
    let hints = hints.map(|hint| format!("\nhint: {}", words(hint)));
    format!("error: {}{}", words(&error["message"]), hints.collect::<String>())
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}
