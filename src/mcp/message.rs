//! JSON-RPC 2.0: what comes in, and how it is answered.

use serde_json::{Map, Value, json};

/// What a line or a part of a batch is.
pub(super) enum Message {
    /// It wants an answer.
    Request(Request),
    /// It wants none: a notification, or an answer to what was never asked.
    Silent,
    /// Several at once.
    Batch(Vec<Parsed>),
}

/// A message, or why it is none.
pub(super) type Parsed = Result<Message, Failure>;

/// What wants an answer.
pub(super) struct Request {
    id: Value,
    /// What is asked.
    pub(super) method: String,
    /// The details, `null` where there are none.
    pub(super) params: Value,
}

impl Request {
    /// The answer to it.
    pub(super) fn answered(&self, result: Result<Value, Failure>) -> Value {
        match result {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": self.id, "result": result }),
            Err(failure) => failure.said(&self.id),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    code: i32,
    message: String,
}

impl Failure {
    fn invalid(message: &str) -> Self {
        Self { code: -32600, message: format!("invalid request: {message}") }
    }

    /// Nothing is called so.
    pub(super) fn no_method(method: &str) -> Self {
        Self { code: -32601, message: format!("method not found: {method}") }
    }

    /// The details make no sense.
    pub(super) fn params(message: String) -> Self {
        Self { code: -32602, message }
    }

    /// The answer that says so.
    pub(super) fn said(&self, id: &Value) -> Value {
        json!({ "jsonrpc": "2.0", "id": id, "error": { "code": self.code, "message": self.message } })
    }
}

/// Reads a line.
pub(super) fn parse(line: &[u8]) -> Parsed {
    let value: Value = serde_json::from_slice(line)
        .map_err(|error| Failure { code: -32700, message: format!("parse error: {error}") })?;
    match value {
        Value::Array(batch) if batch.is_empty() => Err(Failure::invalid("an empty batch")),
        Value::Array(batch) => Ok(Message::Batch(batch.into_iter().map(one).collect())),
        value => one(value),
    }
}

fn one(value: Value) -> Parsed {
    let Value::Object(mut message) = value else { return Err(Failure::invalid("no object")) };
    if message.get("jsonrpc") != Some(&json!("2.0")) {
        return Err(Failure::invalid("`jsonrpc` is not \"2.0\""));
    }
    let Some(method) = method(&message)? else { return Ok(Message::Silent) };
    match message.remove("id") {
        None => Ok(Message::Silent),
        Some(id) if id.is_string() || id.is_i64() || id.is_u64() => {
            let params = message.remove("params").unwrap_or_default();
            Ok(Message::Request(Request { id, method, params }))
        }
        Some(_) => Err(Failure::invalid("`id` is neither text nor a whole number")),
    }
}

/// The method; `None` in an answer.
fn method(message: &Map<String, Value>) -> Result<Option<String>, Failure> {
    match message.get("method") {
        Some(Value::String(method)) => Ok(Some(method.clone())),
        None if message.contains_key("result") || message.contains_key("error") => Ok(None),
        _ => Err(Failure::invalid("`method` is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_request_is_told_by_its_code() {
        let code = |line: &str| match parse(line.as_bytes()) {
            Ok(Message::Request(_)) => 1,
            Ok(Message::Silent) => 0,
            Ok(Message::Batch(batch)) => 100 + i32::try_from(batch.len()).unwrap(),
            Err(failure) => failure.code,
        };
        for (line, expected) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, 1),
            (r#"{"jsonrpc":"2.0","id":"a","method":"ping","params":{}}"#, 1),
            (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, 0),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, 0),
            (r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#, 0),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},7]"#, 102),
            ("[]", -32600),
            ("7", -32600),
            (r#"{"id":1,"method":"ping"}"#, -32600),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":1}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600),
            ("{", -32700),
            ("\u{feff}{}", -32700),
        ] {
            assert_eq!(code(line), expected, "{line}");
        }
        assert_eq!(parse(b"\"\xff\"").err().map(|failure| failure.code), Some(-32700));
        assert_eq!(parse("[".repeat(10_000).as_bytes()).err().map(|failure| failure.code), Some(-32700));
    }
}
