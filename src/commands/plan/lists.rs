//! Lists of tasks as people keep them: one a line, or a Markdown list.

/// What a list holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    /// The tasks, in order.
    pub(super) tasks: Vec<String>,
    /// How many are ticked off.
    pub(super) done: usize,
}

/// One line of a list.
enum Line<'a> {
    /// An item that is to be done.
    Item(&'a str),
    /// One that is done.
    Done,
    /// What an item goes on with.
    More(&'a str),
    /// Text that is no item.
    Plain(&'a str),
    /// A heading, a rule, a comment, or nothing.
    Empty,
}

/// Reads a list. Where any line is an item of a Markdown list, all others are
/// words around it; else each line is a task.
pub(super) fn parse(text: &str) -> List {
    let lines: Vec<Line<'_>> = text.lines().map(line).collect();
    let is_markdown = lines.iter().any(|line| matches!(line, Line::Item(_) | Line::Done));
    let mut list = List::default();
    // Whether the line before belongs to a task that may go on.
    let mut goes_on = false;
    for line in lines {
        let last = list.tasks.last_mut().filter(|_| goes_on);
        goes_on = match (line, last) {
            (Line::Item(task), _) => {
                list.tasks.push(task.to_owned());
                true
            }
            (Line::More(more), Some(task)) => {
                task.push_str(&format!("\n{more}"));
                true
            }
            (Line::More(task) | Line::Plain(task), _) if !is_markdown => {
                list.tasks.push(task.to_owned());
                false
            }
            (Line::Done, _) => {
                list.done += 1;
                false
            }
            _ => false,
        };
    }
    list.tasks.retain(|task| !task.is_empty());
    list
}

fn line(line: &str) -> Line<'_> {
    let text = line.trim();
    let is_heading = text.trim_start_matches('#').starts_with(' ') && text.starts_with('#');
    let is_rule = text.len() > 2 && text.bytes().all(|byte| b"-=*_# ".contains(&byte));
    if text.is_empty() || is_heading || is_rule || text.starts_with("<!--") {
        return Line::Empty;
    }
    let Some(item) = item(text) else {
        return if line.starts_with([' ', '\t']) { Line::More(text) } else { Line::Plain(text) };
    };
    match item.as_bytes() {
        [b'[', b' ', b']', ..] => Line::Item(item[3..].trim()),
        [b'[', b'x' | b'X', b']', ..] => Line::Done,
        _ => Line::Item(item),
    }
}

/// What stands behind the mark of a list's item: `- `, `* `, `+ `, `1. `, `1) `.
fn item(text: &str) -> Option<&str> {
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let behind = match number.len() < text.len() {
        true => number.strip_prefix(['.', ')']),
        false => text.strip_prefix(['-', '*', '+']),
    };
    let behind = behind?;
    behind.starts_with([' ', '\t']).then(|| behind.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_a_list_holds_its_tasks_have_text(text in "([-*# x\\[\\].1)\t\r\n]|[a-z]|.){0,60}") {
            let list = parse(&text);
            assert!(list.tasks.iter().all(|task| !task.trim().is_empty()), "{list:?}");
            assert!(list.tasks.len() + list.done <= text.lines().count());
        }
    }

    #[test]
    fn lists_are_read_as_people_write_them() {
        for (text, tasks, done) in [
            ("fix login\n\n  sort the cart  \n", &["fix login", "sort the cart"][..], 0),
            ("# This week\n\nPlease:\n\n- [ ] fix login\n- [x] sort the cart\n* [X] x\n", &["fix login"], 2),
            ("* a one\n+ a two\n1. a three\n12) a four\n", &["a one", "a two", "a three", "a four"], 0),
            ("- fix login\n  on Mondays\n\n  no more\n- next\n", &["fix login\non Mondays", "next"], 0),
            ("- fix login\n  - and logout\n---\nend\n", &["fix login", "and logout"], 0),
            ("- [x] fix login\n  on Mondays\n", &[], 1),
            (
                "#12 fix login\n3 small things\n-v is ignored\n",
                &["#12 fix login", "3 small things", "-v is ignored"],
                0,
            ),
            ("<!-- none -->\n- [ ]\n-\n", &[], 0),
            ("- [see] the docs\r\n", &["[see] the docs"], 0),
            ("", &[], 0),
        ] {
            let expected = List { tasks: tasks.iter().map(|task| (*task).to_owned()).collect(), done };
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
