//! What a worker says for whoever comes next: `DECISIONS`, `RULED OUT`, `NEXT`.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// The headings that a narrative is known by.
const HEADINGS: [&str; 3] = ["DECISIONS", "RULED OUT", "NEXT"];
/// How much of the end of a log is looked at, and kept.
const END: u64 = 4 * 1024;

/// The narrative at the end of what a program printed that says nothing else
/// that can be read; from its first heading on.
pub fn of_log(log: &Path) -> Option<String> {
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END))).ok()?;
    let mut end = Vec::new();
    file.read_to_end(&mut end).ok()?;
    of_text(&String::from_utf8_lossy(&end))
}

/// The narrative in a text, from its first heading on.
pub fn of_text(text: &str) -> Option<String> {
    let from = text.lines().position(is_heading)?;
    let lines: Vec<&str> = text.lines().skip(from).collect();
    Some(lines.join("\n").trim_end().to_owned())
}

/// `DECISIONS`, `## Decisions:`, `**RULED OUT**`; also with words behind a colon.
fn is_heading(line: &str) -> bool {
    let bare = line.trim_start_matches(['#', '*', '-', ' ', '_']);
    HEADINGS.iter().any(|heading| {
        let begins = bare.get(..heading.len()).is_some_and(|head| head.eq_ignore_ascii_case(heading));
        begins
            && bare[heading.len()..]
                .trim_start_matches(['*', '_', ' '])
                .chars()
                .next()
                .is_none_or(|next| next == ':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrative_begins_at_its_first_heading() {
        for (text, told) in [
            ("chatter\nDECISIONS\n- keep it\nNEXT: test\n", Some("DECISIONS\n- keep it\nNEXT: test")),
            ("x\n## Ruled out:\n- y\n", Some("## Ruled out:\n- y")),
            ("**NEXT** do it", None),
            ("**NEXT**\ndo it", Some("**NEXT**\ndo it")),
            ("the next step\nNext time\n", None),
            ("", None),
        ] {
            assert_eq!(of_text(text).as_deref(), told, "{text:?}");
        }
    }
}
