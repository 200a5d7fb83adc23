//! Notes: touches, verdicts, results of checks.

use std::collections::BTreeSet;

use git_orch::history::notes::TouchNote;
use git_orch::review::{check as checks, verdict};
use git_orch::store::record;

/// A touch note reads back, and so does the union of two, whose parts stand
/// before and after an empty line.
pub fn check(bytes: &[u8]) {
    judgements(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(whole) = TouchNote::parse(text) else { return };
    let written = whole.to_text();
    assert_eq!(TouchNote::parse(&written).as_ref(), Some(&whole), "{text}");
    assert_eq!(union(&written, &written), written, "lines are sorted and unique");
    let Some((one, other)) = text.split_once("\n\n") else { return };
    let (Some(one), Some(other)) = (TouchNote::parse(one), TouchNote::parse(other)) else { return };
    let both = TouchNote::parse(&union(&one.to_text(), &other.to_text())).expect("a union is a note");
    assert_eq!(both, whole);
}

/// Git's own merge of two notes with the strategy `cat_sort_uniq`.
fn union(one: &str, other: &str) -> String {
    let lines: BTreeSet<&str> = one.lines().chain(other.lines()).collect();
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

fn judgements(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    assert!(checks::green(bytes).len() <= lines);
    let verdicts = verdict::parse(bytes);
    assert!(verdicts.len() <= lines);
    for one in verdicts {
        let line = record::line(&one).expect("a verdict can be written");
        assert_eq!(verdict::parse(line.as_bytes()), [one]);
    }
}
