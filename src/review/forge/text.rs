//! What a request says: facts about a result, in the forms that forges take.
//!
//! **Invariant:** what others wrote is fenced, so that it calls nobody and
//! closes nothing; the last line tells a machine which task it is.

use std::collections::BTreeMap;

use crate::git::refs::TASK_TRAILER;
use crate::model::wording::{count, excerpt};
use crate::model::{Change, Name};
use crate::run::brief::fence;

/// The longest body, in bytes: forges take little more.
const LONGEST: usize = 60_000;
/// The longest title, in characters.
const TITLE: usize = 72;
/// How many folders, commits or people are named at most.
const LISTED: usize = 40;

/// A title, and what stands below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub title: String,
    /// The parts, in order.
    pub parts: Vec<Part>,
    /// The task, for machines.
    pub trailer: String,
}

/// One part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What was asked for, in the user's words.
    Asked(String),
    /// A sentence of ours.
    Words(String),
    /// Facts under a heading.
    Facts(&'static str, Vec<String>),
}

impl Text {
    /// One about a task, with what is asked for as its first part.
    pub fn new(name: &Name, asked: &str) -> Self {
        let line = asked.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let title = excerpt(&tame(line), TITLE);
        let title = if title.trim().is_empty() { name.to_string() } else { title };
        let asked = asked.lines().map(tame).collect::<Vec<_>>().join("\n");
        // What the title says already is not said again.
        let more = Some(asked).filter(|asked| asked.trim() != title);
        let parts = more.map(|asked| Part::Asked(cut(asked, LONGEST / 3))).into_iter().collect();
        Self { title, parts, trailer: trailer(name) }
    }

    /// Adds a sentence.
    pub fn say(&mut self, sentence: &str) {
        self.parts.push(Part::Words(tame(sentence)));
    }

    /// Adds facts, where there are any; of many the first.
    pub fn facts(&mut self, heading: &'static str, lines: impl IntoIterator<Item = String>) {
        let mut lines: Vec<String> = lines.into_iter().map(|line| tame(&line)).collect();
        let more = lines.len().saturating_sub(LISTED);
        lines.truncate(LISTED);
        lines.extend((more > 0).then(|| format!("and {more} more")));
        if !lines.is_empty() {
            self.parts.push(Part::Facts(heading, lines));
        }
    }

    /// As forges render it.
    pub fn markdown(&self) -> String {
        let part = |part: &Part| match part {
            Part::Asked(words) | Part::Words(words) => words.trim().to_owned(),
            Part::Facts(heading, lines) => format!("### {heading}\n\n{}", fence(&lines.join("\n"))),
        };
        self.joined(part, "\n\n", LONGEST)
    }

    /// As a mail has it.
    pub fn plain(&self) -> String {
        let part = |part: &Part| match part {
            Part::Asked(words) | Part::Words(words) => words.trim().to_owned(),
            Part::Facts(heading, lines) => format!("{heading}:\n  {}", lines.join("\n  ")),
        };
        self.joined(part, "\n\n", LONGEST)
    }

    /// As the message of a commit: what was asked for, without the facts, which
    /// are others tomorrow.
    pub fn message(&self) -> String {
        let asked = self.parts.iter().find_map(|part| match part {
            Part::Asked(words) => Some(words.trim()),
            Part::Words(_) | Part::Facts(..) => None,
        });
        let more = asked.map(|asked| format!("{asked}\n\n"));
        format!("{}\n\n{}{}\n", self.title, more.unwrap_or_default(), self.trailer)
    }

    /// The same as one line, for where a line is all that can be told.
    pub fn one_line(&self) -> String {
        let lines = |text: &str| text.trim().lines().map(escaped).collect::<Vec<_>>().join("<br>");
        let part = |part: &Part| match part {
            Part::Asked(words) | Part::Words(words) => format!("<p>{}</p>", lines(words)),
            Part::Facts(heading, facts) => {
                format!("<h4>{heading}</h4><pre>{}</pre>", lines(&facts.join("\n")))
            }
        };
        self.joined(part, "", LONGEST / 5)
    }

    /// The parts and the trailer; what is too long is cut before the trailer.
    fn joined(&self, part: impl Fn(&Part) -> String, between: &str, longest: usize) -> String {
        let mut text = String::new();
        for part in self.parts.iter().map(part).filter(|part| !part.is_empty()) {
            if text.len() + part.len() <= longest {
                text.push_str(&part);
                text.push_str(between);
            }
        }
        text + &self.trailer
    }
}

/// The line by which a request is known again.
pub fn trailer(name: &Name) -> String {
    format!("{TASK_TRAILER}: {name}")
}

/// Whether a body is of this task: its last line says so.
pub fn is_of(body: &str, name: &Name) -> bool {
    let trailer = trailer(name);
    let last = body.trim_end().lines().next_back().unwrap_or_default();
    last.trim() == trailer || last.ends_with(&format!(">{trailer}"))
}

/// Whether two texts are the same to people: forges change line ends.
pub fn is_same(one: &str, two: &str) -> bool {
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    lines(one.trim()) == lines(two.trim())
}

/// The folders of changed files, each with how many: `src/api  2 files`.
pub fn areas(changes: &[Change]) -> Vec<String> {
    let mut areas: BTreeMap<String, usize> = BTreeMap::new();
    for change in changes {
        let path = change.path.to_string();
        let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
        *areas.entry(folder.to_owned()).or_default() += 1;
    }
    let width = areas.keys().map(|area| area.chars().count()).max().unwrap_or_default();
    areas.into_iter().map(|(area, files)| format!("{area:<width$}  {}", count(files, "file"))).collect()
}

/// At most so many bytes of a text.
fn cut(mut text: String, longest: usize) -> String {
    if text.len() > longest {
        let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A line without what speaks to terminals or hides.
fn tame(line: &str) -> String {
    let is_hidden = |c: char| {
        (c.is_control() && c != '\t')
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    line.chars().filter(|c| !is_hidden(*c)).collect()
}

fn escaped(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Text {
        let mut text = Text::new(&"fix-login".parse().unwrap(), "fix login\n\nit <b>fails</b>");
        text.facts("Commits", ["1f0c2d9 fixes #12 for @ann".to_owned(), "```\u{1b}[31m".to_owned()]);
        text.facts("Nothing", []);
        text
    }

    #[test]
    fn facts_are_fenced_and_the_last_line_names_the_task() {
        assert_eq!(
            text().markdown(),
            "fix login\n\nit <b>fails</b>\n\n### Commits\n\n````text\n1f0c2d9 fixes #12 for @ann\n```[31m\n````\n\nOrch-Task: fix-login"
        );
        assert_eq!(
            text().plain(),
            "fix login\n\nit <b>fails</b>\n\nCommits:\n  1f0c2d9 fixes #12 for @ann\n  ```[31m\n\nOrch-Task: fix-login"
        );
        assert_eq!(
            text().one_line(),
            "<p>fix login<br><br>it &lt;b&gt;fails&lt;/b&gt;</p><h4>Commits</h4><pre>1f0c2d9 fixes #12 for @ann<br>```[31m</pre>Orch-Task: fix-login"
        );
    }

    #[test]
    fn a_title_is_one_line_whatever_was_asked_for() {
        for (asked, title) in [
            ("fix login", "fix login"),
            ("\n\n --help \"me\"\nmore", "--help \"me\""),
            ("\u{202e}evil\u{1b}[2J", "evil[2J"),
            ("\u{200b}", "x"),
        ] {
            assert_eq!(Text::new(&"x".parse().unwrap(), asked).title, title);
        }
        assert_eq!(Text::new(&"x".parse().unwrap(), &"a".repeat(500)).title.chars().count(), 73);
    }

    #[test]
    fn a_text_is_known_by_its_last_line_alone() {
        let name = "fix-login".parse().unwrap();
        for (body, known) in [
            ("words\n\nOrch-Task: fix-login\r\n", true),
            ("<pre>x</pre>Orch-Task: fix-login", true),
            ("Orch-Task: fix-login\nOrch-Task: other", false),
            ("no Orch-Task: fix-login", false),
            ("Orch-Task: fix-login-2", false),
        ] {
            assert_eq!(is_of(body, &name), known, "{body}");
        }
        assert!(is_same("a \r\nb\r\n", "a\nb"));
        assert!(!is_same("a\nb", "a\n\nb"));
    }

    #[test]
    fn what_is_too_long_is_left_out_but_for_the_last_line() {
        let mut long = Text::new(&"x".parse().unwrap(), &"é".repeat(90_000));
        long.facts("Long", ["a".repeat(90_000)]);
        long.facts("More", ["a".to_owned()]);
        let body = long.markdown();
        assert!(body.len() < LONGEST && body.starts_with("éé"), "{}", body.len());
        assert!(body.ends_with("é…\n\n### More\n\n```text\na\n```\n\nOrch-Task: x"), "{body}");
    }
}
