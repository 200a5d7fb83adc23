//! Text that can't speak to a terminal.

/// Shows control characters, bidirectional overrides and invisible marks as
/// escapes; tabs and newlines stay.
pub fn safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            shown.push_str(&c.escape_unicode().to_string());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Control characters and Unicode's formatting ones: what reorders, hides or tags.
pub(super) fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_speaks_to_a_terminal_is_shown_as_an_escape() {
        for (text, shown) in [
            ("plain é 🦀\tx\n", "plain é 🦀\tx\n"),
            ("\u{1b}[31m", "\\u{1b}[31m"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{61c}\u{2066}\u{e0041}", "\\u{61c}\\u{2066}\\u{e0041}"),
            ("\u{7f}\u{9b}\r", "\\u{7f}\\u{9b}\\u{d}"),
        ] {
            assert_eq!(safe(text), shown);
            assert_eq!(safe(&safe(text)), shown);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_safe_and_stays_as_it_is(text in ".{0,40}|(?s).{0,40}|[\\p{Cf}\\p{Cc}a]{0,20}") {
            let shown = safe(&text);
            assert!(!shown.contains(is_harmful));
            assert_eq!(safe(&shown), shown.clone());
            assert_eq!(shown == text, !text.contains(is_harmful));
        }
    }
}
