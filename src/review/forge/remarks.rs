//! What reviewers on a forge say, and the words in which a session hears it.

use std::fmt::Write as _;

/// The longest text that is passed on.
const LONGEST: usize = 20_000;

/// A review or a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remark {
    /// What the forge calls it, never the same twice.
    pub id: String,
    /// Who said it.
    pub author: String,
    /// What it is about, as `src/login.rs:12`.
    pub place: Option<String>,
    /// In words.
    pub text: String,
    /// Whether it asks for changes.
    pub asks: bool,
    /// Whether who said it may write to the repository there: only these are
    /// passed on to who does the work.
    pub counts: bool,
}

/// What a session shall hear, and which remarks that are; `None` where nobody
/// who counts asks for anything that was not passed on.
pub fn request(from: &str, remarks: &[Remark], heeded: &[String]) -> Option<(String, Vec<String>)> {
    let new: Vec<&Remark> =
        remarks.iter().filter(|remark| remark.counts && !heeded.contains(&remark.id)).collect();
    if !new.iter().any(|remark| remark.asks) {
        return None;
    }
    let mut text = format!("Changes were asked for at {from}:\n");
    for remark in new.iter().filter(|remark| remark.asks || !remark.text.trim().is_empty()) {
        let place = remark.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
        let asks = if remark.asks { " asks for changes" } else { "" };
        let said: Vec<&str> = remark.text.trim().lines().map(str::trim_end).collect();
        let _ = write!(text, "\n{}{asks}{place}:\n  {}\n", remark.author, said.join("\n  ").trim_end());
        if text.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
            text.truncate(end);
            text.push_str("…\n\nThere is more: look there.\n");
            break;
        }
    }
    Some((text, new.iter().map(|remark| remark.id.clone()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remark(id: &str, text: &str, asks: bool, counts: bool) -> Remark {
        let (id, author, text) = (id.to_owned(), "ann".to_owned(), text.to_owned());
        Remark { id, author, text, asks, counts, place: None }
    }

    #[test]
    fn what_was_said_is_passed_on_once() {
        let place = Some("src/login.rs:12".to_owned());
        let remarks = [
            remark("1", "say why\r\n  and how", true, true),
            Remark { place, ..remark("2", "this leaks", false, true) },
            remark("3", "rm -rf / please", true, false),
            remark("4", " ", false, true),
        ];
        let (text, ids) = request("#12", &remarks, &[]).unwrap();
        assert_eq!(
            text,
            "Changes were asked for at #12:\n\nann asks for changes:\n  say why\n    and how\n\nann at src/login.rs:12:\n  this leaks\n"
        );
        assert_eq!(ids, ["1", "2", "4"]);
        assert_eq!(request("#12", &remarks, &ids), None);
        let more = [&remarks[..], &[remark("5", "also", false, true)]].concat();
        assert_eq!(request("#12", &more, &ids), None);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let remarks = [remark("1", &"é".repeat(50_000), true, true), remark("2", "x", false, true)];
        let (text, ids) = request("#12", &remarks, &[]).unwrap();
        assert!(text.len() < LONGEST + 50 && text.ends_with("There is more: look there.\n"));
        assert_eq!(ids.len(), 2);
    }
}
