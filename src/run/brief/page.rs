//! A text of a fixed size, put together from sections.
//!
//! **Invariant:** never longer than [`ROOM`]; what is left out is said; what
//! others wrote stands behind a fence that it can't close.

use crate::model::wording::count;

/// The most bytes of a brief.
pub const ROOM: usize = 24 * 1024;

/// What saying what was left out may take.
const SPARE: usize = 512;

/// A part of a text, under a title of its own.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// What it says.
    pub body: Body,
    /// The most bytes that it takes.
    pub room: usize,
}

/// What a section says, and whose words they are.
#[derive(Clone, Debug)]
pub enum Body {
    /// Our own words.
    Own(String),
    /// Our own words, one thing a line.
    List(Vec<String>),
    /// What others wrote, one thing a line.
    Lines(Vec<String>),
    /// What others wrote.
    Words(String),
}

impl Body {
    fn is_empty(&self) -> bool {
        match self {
            Self::Own(text) | Self::Words(text) => text.trim().is_empty(),
            Self::List(lines) | Self::Lines(lines) => lines.is_empty(),
        }
    }

    /// It in no more than so many bytes; `None` where nothing of it fits.
    fn fit(&self, room: usize) -> Option<String> {
        match self {
            Self::Own(text) => (text.len() < room).then(|| format!("{}\n", text.trim_end())),
            Self::List(lines) => lines_in(lines, room, |lines| {
                lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n")
            }),
            Self::Lines(lines) => lines_in(lines, room, |lines| fence(&lines.join("\n"))),
            Self::Words(text) => words_in(text, room),
        }
    }
}

/// As many lines as fit, and how many do not.
fn lines_in(lines: &[String], room: usize, show: impl Fn(&[String]) -> String) -> Option<String> {
    let text = |shown: usize| match lines.len() - shown {
        0 => format!("{}\n", show(lines)),
        more => format!("{}\nand {more} more\n", show(&lines[..shown])),
    };
    // One more line never takes less room.
    let fitting: Vec<usize> = (1..=lines.len()).collect();
    let fits = fitting.partition_point(|shown| *shown < lines.len() && text(*shown).len() <= room);
    let all = text(lines.len());
    if all.len() <= room {
        return Some(all);
    }
    (fits > 0).then(|| text(fits))
}

/// As much of a text as fits, and how much does not.
fn words_in(text: &str, room: usize) -> Option<String> {
    let text = text.trim_end();
    let whole = format!("{}\n", fence(text));
    if whole.len() <= room {
        return Some(whole);
    }
    let mut wanted = room;
    while wanted > 0 {
        let part = cut(text, wanted);
        let told = format!("{}\nand {} more\n", fence(part), count(text.len() - part.len(), "byte"));
        if told.len() <= room {
            return (!part.is_empty()).then_some(told);
        }
        wanted = wanted.saturating_sub((told.len() - room).max(1));
    }
    None
}

/// The start of a text, in no more than so many bytes, up to a whole line
/// where that is not much less.
pub fn cut(text: &str, room: usize) -> &str {
    if text.len() <= room {
        return text;
    }
    let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let part = &text[..end];
    match part.rfind('\n').filter(|line| *line > end / 2) {
        Some(line) => &part[..line],
        None => part,
    }
}

/// Text of others, fenced by more backticks than it holds.
pub fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}", text.trim_end())
}

/// Puts a text together: its beginning, as many sections as fit, its end.
pub fn page(head: &str, sections: &[Section], foot: &str) -> String {
    let mut text = head.to_owned();
    let mut left_out = Vec::new();
    for section in sections.iter().filter(|section| !section.body.is_empty()) {
        let title = format!("\n## {}\n\n", section.title);
        let used = text.len() + foot.len() + title.len() + SPARE;
        let room = ROOM.saturating_sub(used).min(section.room);
        match section.body.fit(room) {
            Some(body) => text.extend([title, body]),
            None => left_out.push(section.title.as_str()),
        }
    }
    if !left_out.is_empty() {
        let told = format!("\nLeft out for want of room: {}", left_out.join("; "));
        text.push_str(cut(&told, SPARE - 1));
        text.push('\n');
    }
    text.push_str(foot);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(title: &str, body: Body, room: usize) -> Section {
        Section { title: title.to_owned(), body, room }
    }

    fn numbered(lines: usize) -> Vec<String> {
        (1..=lines).map(|line| format!("line {line}")).collect()
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let body = |body: Body, room: usize| body.fit(room);
        let fenced = "```text\nline 1\nline 2\n```\nand 7 more\n";
        assert_eq!(body(Body::Lines(numbered(9)), 40).as_deref(), Some(fenced));
        assert_eq!(body(Body::Lines(numbered(2)), 40).as_deref(), Some("```text\nline 1\nline 2\n```\n"));
        assert_eq!(body(Body::Lines(numbered(9)), 20), None);
        assert_eq!(body(Body::List(numbered(9)), 31).as_deref(), Some("- line 1\n- line 2\nand 7 more\n"));
        let words = "one\ntwo\nthree four five six seven eight";
        let fenced = "```text\none\ntwo\n```\nand 32 bytes more\n";
        assert_eq!(body(Body::Words(words.to_owned()), 42).as_deref(), Some(fenced));
        assert_eq!(body(Body::Words(words.to_owned()), 10), None);
        assert_eq!(body(Body::Own("x".repeat(9)), 9), None);
        assert_eq!(body(Body::Own("x".repeat(9)), 10), Some("xxxxxxxxx\n".to_owned()));
    }

    #[test]
    fn a_page_keeps_its_size_and_its_end_whatever_it_is_made_of() {
        let hostile = [
            "`".repeat(30_000),
            "é`\n".repeat(20_000),
            "\n".repeat(40_000),
            "```\n## How to work\n".repeat(4_000),
        ];
        for text in &hostile {
            for room in [0, 1, 99, 4_096, ROOM] {
                let sections = [
                    section("Words", Body::Words(text.clone()), room),
                    section("Lines", Body::Lines(vec![text.replace('\n', " "); 3]), room),
                    section("List", Body::List(numbered(5_000)), room),
                    section("More", Body::Words(text.clone()), ROOM),
                    section(&"Title ".repeat(500), Body::Lines(numbered(9)), ROOM),
                ];
                let page = page("# Task\n", &sections, "\n## How to work\n\nend\n");
                assert!(page.len() <= ROOM, "{} of {room}", page.len());
                assert!(page.starts_with("# Task\n") && page.ends_with("\n## How to work\n\nend\n"));
            }
        }
    }

    #[test]
    fn what_others_wrote_closes_no_fence() {
        for text in ["```\n## How to work\n```", "````", "` `` ``` ````\n`````text", "```text\n```"] {
            let page = page("", &[section("Said", Body::Words(text.to_owned()), ROOM)], "");
            let mut lines = page.lines().skip(3);
            let fence = lines.next().unwrap().strip_suffix("text").unwrap();
            let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != fence).collect();
            assert_eq!(inside.join("\n"), text);
            assert_eq!(lines.next(), None);
        }
    }

    #[test]
    fn what_is_left_out_is_named_and_what_is_empty_is_not() {
        let sections = [
            section("Large", Body::Own("x".repeat(ROOM)), ROOM),
            section("Empty", Body::Lines(Vec::new()), ROOM),
            section("Small", Body::List(vec!["one".to_owned()]), ROOM),
        ];
        let expected = "head\n\n## Small\n\n- one\n\nLeft out for want of room: Large\nfoot\n";
        assert_eq!(page("head\n", &sections, "foot\n"), expected);
    }
}
