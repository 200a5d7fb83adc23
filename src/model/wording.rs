//! Grammar for every message: counts, lists, "did you mean".

use std::fmt::Display;

/// `1 commit`, `3 commits`, `1,204 files`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = match noun {
        noun if number == 1 => noun.to_owned(),
        noun if noun.ends_with("ch") || noun.ends_with('s') => format!("{noun}es"),
        noun => match noun.strip_suffix('y') {
            Some(stem) if !noun.ends_with("ey") => format!("{stem}ies"),
            _ => format!("{noun}s"),
        },
    };
    format!("{} {}", thousands(number), if number == 1 { noun } else { &plural })
}

/// `1204` as `1,204`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// How many of many are named.
const FEW: usize = 3;

/// `a and b`; of more than a few the first: `a, b, c and 127 more`.
pub fn few<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    let more = items.len().saturating_sub(FEW);
    if more > 0 {
        items.truncate(FEW);
        items.push(format!("{} more", thousands(more)));
    }
    list(items)
}

/// A command line as a person would type it, roughly: words with anything
/// unusual in them are quoted.
pub fn command_line(words: &[std::ffi::OsString]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+*".contains(c);
    let words = words.iter().map(|word| word.to_string_lossy());
    let quoted = words.map(|word| match word.is_empty() || !word.chars().all(plain) {
        true => format!("'{}'", word.replace('\'', "'\\''")),
        false => word.into_owned(),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// The two commands that follow a result; long names take a line each.
pub fn review_then_merge(name: impl Display) -> String {
    let review = format!("git orch review {name} --diff");
    let between = if review.len() > 48 { "\nthen: " } else { ", then " };
    format!("{review}{between}git orch merge {name}")
}

/// A text whose further lines stand below its first, so that none of them
/// reads as a line of ours.
pub fn hanging(text: impl Display, indent: usize) -> String {
    text.to_string().replace('\n', &format!("\n{:indent$}", ""))
}

/// A text in backticks.
pub fn tick(text: impl Display) -> String {
    format!("`{text}`")
}

/// ``an uncommitted file, `x` ``, ``3 uncommitted files, `x` among them``.
pub fn uncommitted(first: impl Display, all: usize) -> String {
    match all {
        1 => format!("an uncommitted file, `{first}`"),
        _ => format!("{}, `{first}` among them", count(all, "uncommitted file")),
    }
}

/// The known word nearest to a mistyped one, where one is near.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(typed, word), word))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

/// `` no session `x`; did you mean `y`? ``
pub fn unknown<'a>(noun: &str, typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(typed, known) {
        Some(word) => format!("no {noun} `{typed}`; did you mean `{word}`?"),
        None => format!("no {noun} `{typed}`"),
    }
}

/// A text's first line, cut to `width` characters.
pub fn excerpt(text: &str, width: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(width) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

/// A number of bytes for people: `512 B`, `1.4 MB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if number < 1_000 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1_000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar_holds() {
        assert_eq!(count(1, "commit"), "1 commit");
        assert_eq!(count(1204, "file"), "1,204 files");
        assert_eq!(count(2, "branch"), "2 branches");
        assert_eq!(count(2, "history"), "2 histories");
        assert_eq!(count(2, "key"), "2 keys");
        assert_eq!(count(0, "touch"), "0 touches");
        assert_eq!(list(["a", "b", "c"]), "a, b and c");
        assert_eq!(list(["a"]), "a");
        assert_eq!(few(["a", "b", "c"]), "a, b and c");
        assert_eq!(few(["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
        assert_eq!(review_then_merge("x"), "git orch review x --diff, then git orch merge x");
        assert!(review_then_merge("x".repeat(30)).contains(" --diff\nthen: git orch merge x"));
        assert_eq!(excerpt("one two", 3), "one…");
        assert_eq!(bytes(1_400_000), "1.4 MB");
    }

    #[test]
    fn a_near_miss_is_proposed_and_a_far_one_is_not() {
        assert_eq!(
            unknown("session", "backnd", ["frontend", "backend"]),
            "no session `backnd`; did you mean `backend`?"
        );
        assert_eq!(unknown("session", "zzz", ["frontend"]), "no session `zzz`");
    }
}
