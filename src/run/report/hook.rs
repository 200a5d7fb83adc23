//! What the hooks of Claude Code and Codex tell, as a report: one JSON document
//! on standard input for each event.

use serde::Deserialize;

use super::{Report, Reported};
use crate::model::Time;
use crate::store::record;

/// What is read of an event; it can hold whole files besides.
#[derive(Deserialize)]
struct Heard {
    hook_event_name: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    notification_type: Option<String>,
    #[serde(default)]
    tool_name: Option<String>,
}

/// Notifications by which nobody is asked anything.
const TOLD: [&str; 3] = ["auth_success", "elicitation_complete", "elicitation_response"];

/// The report that an event stands for; `None` where it says nothing of where
/// the agent is.
pub fn heard(event: &str, time: Time) -> Option<Report> {
    let heard: Heard = record::parse_line(event)?;
    let is_told = heard.notification_type.as_deref().is_some_and(|kind| TOLD.contains(&kind));
    let (state, text) = match heard.hook_event_name.as_str() {
        "Notification" if !is_told => (Reported::Input, heard.message),
        "PermissionRequest" => {
            (Reported::Input, heard.tool_name.map(|tool| format!("permission to use {tool}")))
        }
        "Stop" => (Reported::Done, None),
        "UserPromptSubmit" | "PreToolUse" | "PostToolUse" => (Reported::Working, None),
        _ => return None,
    };
    Some(Report { state, text, time })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_agents_say_where_they_are() {
        let said = |event: &str| heard(event, Time(7)).map(|report| (report.state, report.text));
        let text = |text: &str| Some(text.to_owned());
        for (event, report) in [
            (
                r#"{"session_id":"x","hook_event_name":"Notification","message":"Claude needs your permission","cwd":"/"}"#,
                Some((Reported::Input, text("Claude needs your permission"))),
            ),
            (r#"{"hook_event_name":"Notification"}"#, Some((Reported::Input, None))),
            (r#"{"hook_event_name":"Notification","notification_type":"auth_success"}"#, None),
            (
                r#"{"hook_event_name":"PermissionRequest","tool_name":"Bash"}"#,
                Some((Reported::Input, text("permission to use Bash"))),
            ),
            (r#"{"hook_event_name":"Stop","stop_hook_active":false}"#, Some((Reported::Done, None))),
            (
                r#"{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"ls"}}"#,
                Some((Reported::Working, None)),
            ),
            (r#"{"hook_event_name":"UserPromptSubmit","prompt":"x"}"#, Some((Reported::Working, None))),
            (r#"{"hook_event_name":"SubagentStop"}"#, None),
            ("[]", None),
            ("", None),
            ("\u{1b}{", None),
        ] {
            assert_eq!(said(event), report, "{event}");
        }
    }
}
