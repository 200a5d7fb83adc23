//! What a program printed, as one block that a test states whole.

use std::fmt;
use std::path::Path;

/// How a program ended and what it said.
#[must_use]
#[derive(Debug, PartialEq)]
pub(crate) struct Output {
    /// Its exit code; 128 and the signal's number where a signal ended it.
    pub(crate) exit: i32,
    /// Its answer, as it was.
    pub(crate) stdout: String,
    /// Its narration, as it was.
    pub(crate) stderr: String,
    top: String,
}

impl Output {
    /// Takes over what a process left; `top` is shown as `$TMP`.
    pub(crate) fn new(ended: &std::process::Output, top: &Path) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let signal = || ended.status.signal().unwrap_or_default();
        Self {
            exit: ended.status.code().unwrap_or_else(|| 128 + signal()),
            stdout: text(&ended.stdout),
            stderr: text(&ended.stderr),
            top: top.display().to_string(),
        }
    }

    /// Asserts exit code and both streams at once.
    ///
    /// Indentation that all lines share does not count, so that the block can
    /// stand indented in the test.
    #[track_caller]
    pub(crate) fn expect(&self, block: &str) {
        let expected = dedent(block);
        let actual = self.to_string();
        assert!(expected == actual, "\n{}\nall of it:\n\n{}", diff(&expected, &actual), indent(&actual));
    }

    /// Asserts success, whatever was said.
    #[track_caller]
    pub(crate) fn expect_success(&self) {
        assert_eq!(self.exit, 0, "\n{self}");
    }

    /// Its narration, the top folder shown as `$TMP`.
    pub(crate) fn told(&self) -> String {
        self.stderr.replace(&self.top, "$TMP")
    }

    /// The answer as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("{error}\n{self}"),
        }
    }
}

/// The block: exit code, then each stream that is not empty.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit {}", self.exit)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                let shown = without_chance(&with_short_top(text, &self.top));
                writeln!(f, "-- {name}\n{}", shown.trim_end_matches('\n'))?;
                if !text.ends_with('\n') {
                    writeln!(f, "-- no final newline")?;
                }
            }
        }
        Ok(())
    }
}

/// Shows the top folder as `$TMP`, and the columns that it made wide as wide as that is.
///
/// A column that is not as wide as its widest cell asks for stays as it is, so
/// that the block tells.
fn with_short_top(text: &str, top: &str) -> String {
    if !text.contains(top) {
        return text.to_owned();
    }
    let rows: Vec<Vec<(usize, &str)>> = text.split('\n').map(cells).collect();
    let shown = rows.iter().enumerate().map(|(at, row)| {
        let ends = row.iter().skip(1).map(|(start, _)| Some(*start)).chain([None]);
        let padded = row.iter().zip(ends).map(|((start, cell), end)| {
            let width = end.map_or(0, |end| short_width(&rows, at, *start, end - start, top));
            format!("{:width$}", cell.replace(top, "$TMP"))
        });
        " ".repeat(row[0].0) + &padded.collect::<String>()
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// How wide a column is that starts there in a line and its neighbours, once the top folder is short.
fn short_width(rows: &[Vec<(usize, &str)>], at: usize, start: usize, wide: usize, top: &str) -> usize {
    let in_column =
        |row: &Vec<(usize, &str)>| row.iter().find(|cell| cell.0 == start).map(|cell| cell.1.to_owned());
    let above = rows[..at].iter().rev().map_while(in_column);
    let column: Vec<String> = above.chain(rows[at..].iter().map_while(in_column)).collect();
    let widest =
        |shown: &dyn Fn(&String) -> String| column.iter().map(|cell| shown(cell).chars().count() + 2).max();
    if widest(&String::clone) == Some(wide) {
        widest(&|cell| cell.replace(top, "$TMP")).unwrap()
    } else {
        wide
    }
}

/// The cells of a line and where each starts; two spaces or more stand between two.
fn cells(line: &str) -> Vec<(usize, &str)> {
    let mut cells = Vec::new();
    let mut rest = line.trim_start_matches(' ');
    let mut start = line.len() - rest.len();
    while let Some((cell, behind)) = rest.split_once("  ") {
        cells.push((start, cell));
        rest = behind.trim_start_matches(' ');
        start += cell.chars().count() + 2 + behind.len() - rest.len();
    }
    cells.push((start, rest));
    cells
}

/// Replaces what differs from run to run: object ids, elapsed times, moments.
fn without_chance(text: &str) -> String {
    let text = replace_words(text, "", |word, _| is_oid(word).then_some("<oid>"));
    let text = replace_words(&text, "-:.", |word, _| is_moment(word).then_some("<moment>"));
    let text = replace_words(&text, ".", |word, rest| {
        let elapsed = |unit: &str| {
            word.strip_suffix(unit).is_some_and(|number| !number.is_empty() && number.parse::<f64>().is_ok())
        };
        let ago = rest.starts_with(" ago") && ["s", "m", "h", "d", "w", "y"].iter().any(|unit| elapsed(unit));
        (ago || elapsed("s")).then_some("<time>")
    });
    text.replace("less than <time>", "<time>")
}

/// Offers each word, and what follows it, for replacement; `joining` counts as part of a word.
fn replace_words(text: &str, joining: &str, replace: impl Fn(&str, &str) -> Option<&'static str>) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || joining.contains(c);
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| in_word(c) != in_word(first)).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        replaced.push_str(replace(piece, behind).unwrap_or(piece));
        rest = behind;
    }
    replaced
}

fn is_oid(word: &str) -> bool {
    (7..=64).contains(&word.len()) && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_moment(word: &str) -> bool {
    word.len() == "2026-11-22T10:00:00Z".len()
        && word.bytes().zip(*b"0000-00-00T00:00:00Z").all(|(byte, pattern)| match pattern {
            b'0' => byte.is_ascii_digit(),
            _ => byte == pattern,
        })
}

/// Takes away the indentation that all lines share, and the lines around the block.
fn dedent(block: &str) -> String {
    let lines: Vec<&str> = block.trim_start_matches('\n').trim_end().lines().collect();
    let depth = |line: &&str| line.len() - line.trim_start().len();
    let shared = lines.iter().filter(|line| !line.trim().is_empty()).map(depth).min().unwrap_or_default();
    lines.iter().map(|line| format!("{}\n", line.get(shared..).unwrap_or_default())).collect()
}

/// The block as it would stand in a test.
fn indent(block: &str) -> String {
    block.lines().map(|line| format!("            {line}").trim_end().to_owned() + "\n").collect()
}

/// Both texts line by line: `-` was expected, `+` came instead.
fn diff(expected: &str, actual: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    // common[i][j] is the number of lines that old[i..] and new[j..] share in order.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = match old[i] == new[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut text) = (0, 0, String::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            text += &format!("  {}\n", old[i]);
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            text += &format!("- {}\n", old[i]);
            i += 1;
        } else {
            text += &format!("+ {}\n", new[j]);
            j += 1;
        }
    }
    text
}

#[test]
fn a_block_hides_what_chance_decides() {
    for (text, shown) in [
        ("from main 3f2a91c..77c0de1", "from main <oid>..<oid>"),
        ("done in 1.4s, 12s, less than 1s", "done in <time>, <time>, <time>"),
        ("2m ago, 1m of 7d", "<time> ago, 1m of 7d"),
        ("\"started\":\"2026-11-22T10:00:00Z\"", "\"started\":\"<moment>\""),
        ("1,204 files, 20 shards, as s", "1,204 files, 20 shards, as s"),
    ] {
        assert_eq!(without_chance(text), shown);
    }
}

#[test]
fn a_column_is_as_wide_as_the_top_folder_is_shown() {
    let long = "/some/long/folder/of-a-test";
    for (text, shown) in [
        (
            format!("  ok     in {long}\n  wrong  here                            go\n"),
            "  ok     in $TMP\n  wrong  here     go\n",
        ),
        (
            format!("  ok     in {long}\n  wrong  none                           go\n"),
            "  ok     in $TMP\n  wrong  none                           go\n",
        ),
        (format!("  {long}  1\n\n  a    2\n"), "  $TMP  1\n\n  a    2\n"),
        (format!("in {long}: a\n  b  c"), "in $TMP: a\n  b  c"),
    ] {
        assert_eq!(with_short_top(&text, long), shown);
    }
}

#[test]
fn a_diff_shows_what_came_instead() {
    assert_eq!(diff("a\nb\nc\n", "a\nx\nc\n"), "  a\n- b\n+ x\n  c\n");
    assert_eq!(dedent("\n    a\n      b\n\n    c\n    "), "a\n  b\n\nc\n");
}
