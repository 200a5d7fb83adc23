//! What is told of a task beside the facts: decisions, what was ruled out, what
//! is next.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::model::wording::count;
use crate::run::brief::page::cut;

/// The most bytes of it that are kept.
pub const ROOM: usize = 4_000;

/// How much of the end of a log is looked at.
const END: u64 = 8 * 1024;

/// The headings that are looked for, in the order in which they are told.
const HEADINGS: [&str; 3] = ["DECISIONS", "RULED OUT", "NEXT"];

/// What stands under the three headings in somebody's words, in their order;
/// `None` where none of them is there.
pub fn find(words: &str) -> Option<String> {
    let mut parts: [Vec<&str>; HEADINGS.len()] = Default::default();
    let mut at = None;
    for line in words.lines() {
        if let Some((heading, rest)) = heading(line) {
            at = Some(heading);
            parts[heading].extend((!rest.is_empty()).then_some(rest));
        } else if line.trim_start().starts_with('#') {
            at = None;
        } else if let Some(heading) = at {
            parts[heading].push(line);
        }
    }
    let told = HEADINGS.iter().zip(&parts).map(|(heading, lines)| (heading, lines.join("\n")));
    let told = told.filter(|(_, text)| !text.trim().is_empty());
    let told: Vec<String> =
        told.map(|(heading, text)| format!("{heading}\n{}", text.trim_matches('\n').trim_end())).collect();
    (!told.is_empty()).then(|| told.join("\n\n"))
}

/// The same at the end of what a program printed that says nothing else that can be read.
pub fn of_log(log: &Path) -> Option<String> {
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END))).ok()?;
    let mut end = Vec::new();
    file.take(END).read_to_end(&mut end).ok()?;
    find(&String::from_utf8_lossy(&end)).map(|found| fit(&found).0)
}

/// `## Ruled out:`, `**NEXT**` or `DECISIONS: keep it` as a heading's position and the rest
/// of its line.
fn heading(line: &str) -> Option<(usize, &str)> {
    let is_mark = |c: char| "#*_ \t".contains(c);
    let text = line.trim_start_matches(is_mark);
    HEADINGS.iter().enumerate().find_map(|(index, heading)| {
        let word = text.get(..heading.len()).filter(|word| word.eq_ignore_ascii_case(heading))?;
        let rest = text[word.len()..].trim_start_matches(is_mark);
        let is_alone = rest.is_empty();
        let rest = rest.strip_prefix(':').or(is_alone.then_some(rest))?;
        // A sentence that begins so is none, unless it is written as one.
        let is_written = is_alone || text.starts_with(heading) || line.starts_with(['#', '*']);
        is_written.then(|| (index, rest.trim_start_matches(is_mark).trim_end()))
    })
}

/// A narrative in the room there is, and what was left out of it.
pub fn fit(words: &str) -> (String, Option<String>) {
    let words = words.trim();
    let kept = cut(words, ROOM).trim_end();
    let left = words.len() - kept.len();
    (kept.to_owned(), (left > 0).then(|| count(left, "byte")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_under_the_headings_is_found_however_they_are_written() {
        for (words, found) in [
            ("all is done", None),
            ("Next: we look at it\nNext week", None),
            ("DECISIONS\n\nRULED OUT\n", None),
            ("done.\n\nDECISIONS\n- keep it\n", Some("DECISIONS\n- keep it")),
            ("## Next\n\ntest it\n\n# Thanks\nbye", Some("NEXT\ntest it")),
            (
                "NEXT: test it\nthen merge\n**Decisions:**\nkeep\n",
                Some("DECISIONS\nkeep\n\nNEXT\ntest it\nthen merge"),
            ),
            ("**RULED OUT**: a cache\n", Some("RULED OUT\na cache")),
            ("### Ruled out:\n- é\n## DECISIONS: b", Some("DECISIONS\nb\n\nRULED OUT\n- é")),
            ("NEXTé\nNEXT\na", Some("NEXT\na")),
            ("NEXT\na\nNEXT\nb", Some("NEXT\na\nb")),
        ] {
            assert_eq!(find(words).as_deref(), found, "{words:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_and_told() {
        assert_eq!(fit(" a\n"), ("a".to_owned(), None));
        let (kept, left) = fit(&"é\n".repeat(2_000));
        assert!(kept.len() <= ROOM && kept.ends_with('é'), "{}", kept.len());
        assert_eq!(left, Some(count(5_999 - kept.len(), "byte")));
    }
}
