//! The tools: a command each, and what it takes.

use serde_json::{Map, Value, json};

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any words.
    Text,
    /// The name of a session or a task.
    Name,
    /// Several words.
    List,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Several of these.
    Choices(&'static [&'static str]),
    /// Yes or no.
    Flag,
}

/// Where a parameter goes in the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A word of its own, whose blanks at its ends do not count.
    Word,
    /// Behind `--`.
    Rest,
    /// The value of this option.
    Option(&'static str),
}

/// A parameter.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) place: Place,
    pub(super) required: bool,
    about: &'static str,
}

/// What a tool does to the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Looks,
    Changes,
}

/// A tool.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// The command's words.
    pub(super) command: &'static [&'static str],
    pub(super) params: &'static [Param],
    does: Does,
    title: &'static str,
    about: &'static str,
}

impl Tool {
    /// As `tools/list` tells it.
    pub(super) fn described(&self) -> Value {
        let properties: Map<String, Value> =
            self.params.iter().map(|param| (param.name.to_owned(), param.schema())).collect();
        let required: Vec<&str> =
            self.params.iter().filter(|param| param.required).map(|param| param.name).collect();
        json!({
            "name": self.name,
            "title": self.title,
            "description": self.about,
            "inputSchema": {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            },
            "annotations": {
                "title": self.title,
                "readOnlyHint": self.does == Does::Looks,
                "destructiveHint": false,
                "openWorldHint": false,
            },
        })
    }
}

impl Param {
    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::Name => json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]*$" }),
            Kind::List => json!({ "type": "array", "items": { "type": "string" } }),
            Kind::Choice(choices) => json!({ "type": "string", "enum": choices }),
            Kind::Choices(choices) => {
                json!({ "type": "array", "items": { "type": "string", "enum": choices } })
            }
            Kind::Flag => json!({ "type": "boolean" }),
        };
        schema["description"] = self.about.into();
        schema
    }
}

const fn param(name: &'static str, kind: Kind, place: Place, about: &'static str) -> Param {
    Param { name, kind, place, required: false, about }
}

const fn required(name: &'static str, kind: Kind, place: Place, about: &'static str) -> Param {
    Param { name, kind, place, required: true, about }
}

const VIEWPOINTS: &[&str] = &["reviewer", "tester", "documenter"];
const PATHS: Param = param(
    "paths",
    Kind::List,
    Place::Option("--paths"),
    "Files, folders or globs it will touch, from the repository's top; makes the choice surer",
);

/// All of them.
pub(super) const ALL: &[Tool] = &[
    Tool {
        name: "route",
        command: &["route"],
        params: &[required("text", Kind::Text, Place::Word, "What is to be done, in a sentence"), PATHS],
        does: Does::Looks,
        title: "Who should do this",
        about: "Say which session should do a piece of work, and why: each session with a score, the signals it is \
                made of, and the commits that speak for it. Changes nothing. `unsure` means that the history does \
                not decide.",
    },
    Tool {
        name: "who_knows",
        command: &["route"],
        params: &[required(
            "path",
            Kind::Text,
            Place::Option("--paths"),
            "A file, folder or glob, from the repository's top",
        )],
        does: Does::Looks,
        title: "Who knows this code",
        about: "Say which sessions know a file or folder, from who touched it and when: the best first, with the \
                commits. Use it to find whom to ask, or who should review.",
    },
    Tool {
        name: "task",
        command: &["task", "--detach"],
        params: &[
            required(
                "text",
                Kind::Text,
                Place::Word,
                "What is to be done, complete enough for another agent",
            ),
            PATHS,
            param(
                "session",
                Kind::Name,
                Place::Option("--session"),
                "Who does it; who knows the code best without it",
            ),
            param(
                "agent",
                Kind::Text,
                Place::Option("--agent"),
                "The agent that does it, as the settings name it; `person` for none",
            ),
            param("after", Kind::Name, Place::Option("--after"), "Begin once this task has a result"),
            param(
                "viewpoints",
                Kind::Choices(VIEWPOINTS),
                Place::Option("--viewpoints"),
                "Who shall look at its result",
            ),
            param(
                "again",
                Kind::Flag,
                Place::Option("--again"),
                "Make it although a task with the same text is open",
            ),
        ],
        does: Does::Changes,
        title: "Give a task to a session",
        about: "Give work to the session that knows the code. Returns at once with the task's name; it is carried \
                out in the background and waits where its session is busy. Ask `show` how it stands; its result is \
                the branch review/NAME.",
    },
    Tool {
        name: "tasks",
        command: &["tasks"],
        params: &[param("all", Kind::Flag, Place::Option("--all"), "Also those that are over")],
        does: Does::Looks,
        title: "Open tasks",
        about: "List the tasks that are not over, what waits for somebody first: for an answer, for changes, for \
                review.",
    },
    Tool {
        name: "show",
        command: &["show"],
        params: &[required("name", Kind::Name, Place::Word, "A session, a task or a fan-out")],
        does: Does::Looks,
        title: "One task or session, whole",
        about: "Show a task (state, runs, commits, touched files, verdicts, what it asks) or a session (what it \
                works on, what it knows best).",
    },
    Tool {
        name: "brief",
        command: &["brief"],
        params: &[required("task", Kind::Name, Place::Word, "The task")],
        does: Does::Looks,
        title: "A task's brief",
        about: "Print what a task's worker was given: the task, the likely files and why, what was done there \
                before and by whom.",
    },
    Tool {
        name: "note",
        command: &["note"],
        params: &[
            required("text", Kind::Text, Place::Rest, "What was decided or found, in a sentence or two"),
            param("task", Kind::Name, Place::Option("--task"), "The task it is about; your own without it"),
        ],
        does: Does::Changes,
        title: "Keep a decision",
        about: "Keep a decision, or what was ruled out, with a task: later briefs and hand-offs have it.",
    },
    Tool {
        name: "report",
        command: &["report"],
        params: &[
            required("state", Kind::Choice(&["working", "input", "done"]), Place::Word, "Where your task is"),
            param("text", Kind::Text, Place::Option("--message"), "What you ask, or do"),
        ],
        does: Does::Changes,
        title: "Say where your task is",
        about: "Say where the task that you work on is: `input` with your question when you wait for an answer, \
                `working` when you go on. People see it at once.",
    },
    Tool {
        name: "done",
        command: &["done"],
        params: &[
            param("task", Kind::Name, Place::Word, "The task; your own without it"),
            param("commit", Kind::Flag, Place::Option("--commit"), "Commit what is uncommitted"),
            param("empty", Kind::Flag, Place::Option("--empty"), "Close it although it changed nothing"),
        ],
        does: Does::Changes,
        title: "Your task is finished",
        about: "Say that a task is finished: its commits go up for review. Refuses what changed nothing or has \
                uncommitted files, unless told otherwise. In an agent's own run it is judged when the run ends.",
    },
    Tool {
        name: "review",
        command: &["review"],
        params: &[
            param("task", Kind::Name, Place::Word, "A result to look at; all that wait without it"),
            param("diff", Kind::Flag, Place::Option("--diff"), "The whole difference to its base"),
            param(
                "ask",
                Kind::Flag,
                Place::Option("--by"),
                "Have the session look at it that knows it best; takes as long as that does",
            ),
            param(
                "by",
                Kind::Name,
                Place::Option("--by"),
                "Have this session look at it; takes as long as that does",
            ),
            param(
                "viewpoint",
                Kind::Choice(VIEWPOINTS),
                Place::Option("--viewpoint"),
                "From which side it is looked at",
            ),
        ],
        does: Does::Changes,
        title: "Results that wait for review",
        about: "List the results that wait for judgement, show one, or have another session look at it. Approving \
                is for people and for runs that look.",
    },
    Tool {
        name: "conflicts",
        command: &["conflicts"],
        params: &[],
        does: Does::Looks,
        title: "What conflicts with what",
        about: "Say which open work conflicts with which, by file and line, uncommitted work included, and the best \
                order to land it in. Touches nothing.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_is_told_apart_and_explained() {
        let mut names: Vec<&str> = ALL.iter().map(|tool| tool.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        for tool in ALL {
            assert!(tool.about.len() > 40 && tool.about.ends_with('.'), "{}", tool.name);
            assert!(tool.params.iter().all(|param| !param.about.is_empty()), "{}", tool.name);
            // Where one is left out, those behind it would take its place.
            let words = tool.params.iter().filter(|param| param.place == Place::Word);
            assert!(words.count() <= 1, "{}", tool.name);
        }
    }
}
