//! Text on its way to a terminal.

use git_orch::model::wording;
use git_orch::ui::{Table, safe};

/// What is shown can't move the cursor, hide or reorder anything, and safe
/// text is shown as it is.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let shown = safe(&text);
    assert!(!shown.contains(speaks), "{shown:?}");
    assert_eq!(safe(&shown), shown);
    if !text.contains(speaks) {
        assert_eq!(shown, text);
    }
    rendered(&text);
    worded(&text);
}

/// Control characters but tab and newline, and all of Unicode's formatting
/// characters but those that only join: those that reorder, hide or tag.
fn speaks(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

fn rendered(text: &str) {
    let mut table = Table::new(&["name", "text"]).right(&[1]);
    text.lines().for_each(|line| table.row(line.splitn(2, '\t')));
    let lines = table.render();
    assert!(!lines.contains(speaks));
    assert!(lines.lines().count() > text.lines().count(), "a heading and a line a row");
}

fn worded(text: &str) {
    for width in [0, 1, 7] {
        let line = wording::excerpt(text, width);
        assert!(line.chars().count() <= width + 1 && !line.contains('\n'), "{line:?}");
    }
    let known = ["session", "backend", "frontend", ""];
    let unknown = wording::unknown("task", text, known);
    assert!(unknown.starts_with(&format!("no task `{text}`")));
    assert_eq!(wording::nearest("backend", known), Some("backend"));
    let words: Vec<&str> = text.split(' ').collect();
    assert!(wording::few(&words).contains(words[0]) && wording::list(&words).contains(words[0]));
    let numbers = text.split(' ').filter_map(|word| word.parse::<usize>().ok());
    for number in numbers {
        let counted = wording::count(number, "match");
        let digits: String = counted.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits, number.to_string());
        assert_eq!(counted.ends_with(" match"), number == 1);
        assert!(wording::bytes(number as u64).len() < 24);
    }
}
