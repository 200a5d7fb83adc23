//! What git prints for people, with colour and pager as git would have them.
//!
//! **Invariant:** of what reaches a terminal only git's own colours are not
//! shown as text; a pager that the repository names runs only where that is trusted.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::app::App;
use crate::commands::opened::Opened;
use crate::config::trust;
use crate::error::Result;
use crate::git::pager;
use crate::ui::safe;

/// Prints what a git command prints under some settings, which takes `--color`
/// and `--no-color`.
pub(super) fn show(app: &App, opened: &Opened, settings: &[String], words: &[&str]) -> Result<()> {
    let (verb, rest) = words.split_at(1);
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let printed =
        |colour: &str| opened.repo.git(settings.iter().chain(verb).chain([&colour]).chain(rest)).run();
    let plain = printed("--no-color")?;
    app.ui.data(&String::from_utf8_lossy(&plain))?;
    if app.ui.is_json() {
        return Ok(());
    }
    if !app.ui.is_terminal() {
        return app.ui.raw(&plain);
    }
    let is_off = app.variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let wanted = opened.repo.git(["config", "--get-colorbool", "color.diff", "true"]);
    let text = match !is_off && wanted.spawn()?.code == 0 {
        true => tinted(&plain, &printed("--color=always")?),
        false => safe(&String::from_utf8_lossy(&plain)),
    };
    let is_trusted = opened.trust.covers(&trust::repository());
    let passed_over = std::cell::Cell::new(false);
    let pager = pager::choose(&opened.repo, &app.environment, |said| {
        passed_over.set(passed_over.get() || said.is_local && !is_trusted);
        !said.is_local || is_trusted
    });
    if passed_over.get() {
        app.ui.warning("the pager that this repository names is not used before `git orch trust`");
    }
    match pager?.and_then(|pager| page(app, &pager, &text)) {
        Some(()) => Ok(()),
        None => app.ui.tinted(&text),
    }
}

/// Lets a pager show a text; `None` where it can't be started.
#[expect(clippy::disallowed_methods, reason = "a pager is neither git nor an agent")]
fn page(app: &App, pager: &str, text: &str) -> Option<()> {
    app.ui.settle();
    let mut command = Command::new("sh");
    command.args(["-c", pager]).stdin(Stdio::piped()).current_dir(&app.folder);
    // What git tells a pager, where the user does not.
    for (key, value) in [("LESS", "FRX"), ("LV", "-c")] {
        if app.variable(key).is_none() {
            command.env(key, value);
        }
    }
    let mut reader = command.spawn().ok()?;
    // Who leaves the pager early has read enough.
    drop(reader.stdin.take()?.write_all(text.as_bytes()));
    // 127 is: the shell did not find it.
    (reader.wait().ok()?.code() != Some(127)).then_some(())
}

/// A text with the colours that git gave it, and nothing else that speaks to a
/// terminal: what stands in the plain text too is content.
fn tinted(plain: &[u8], coloured: &[u8]) -> String {
    let (mut shown, mut content) = (String::new(), Vec::new());
    let (mut rest, mut left) = (coloured, plain);
    while let Some(first) = rest.first() {
        let colour = colour(rest).filter(|colour| !left.starts_with(&rest[..*colour]));
        if let Some(length) = colour {
            shown += &safe(&String::from_utf8_lossy(&content));
            content.clear();
            shown += &String::from_utf8_lossy(&rest[..length]);
            rest = &rest[length..];
        } else if left.first() == Some(first) {
            content.push(*first);
            (rest, left) = (&rest[1..], &left[1..]);
        } else {
            break;
        }
    }
    if rest.is_empty() && left.is_empty() {
        return shown + &safe(&String::from_utf8_lossy(&content));
    }
    safe(&String::from_utf8_lossy(plain))
}

/// How long a colour is that stands at the beginning: `ESC [ 1;31 m`.
fn colour(bytes: &[u8]) -> Option<usize> {
    let inner = bytes.strip_prefix(b"\x1b[")?;
    let end = inner.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b';'))?;
    (inner[end] == b'm').then_some(end + 3)
}

#[test]
fn only_the_colours_of_git_stay_colours() {
    for (plain, coloured, shown) in [
        ("+x\n", "\x1b[32m+\x1b[m\x1b[32mx\x1b[m\n", "\x1b[32m+\x1b[m\x1b[32mx\x1b[m\n"),
        ("+\x1b[8mhidden\n", "\x1b[32m+\x1b[8mhidden\x1b[m\n", "\x1b[32m+\\u{1b}[8mhidden\x1b[m\n"),
        ("+\x1b[2J\n", "\x1b[32m+\x1b[2J\x1b[m\n", "\x1b[32m+\\u{1b}[2J\x1b[m\n"),
        ("+\x1b[32mx\n", "\x1b[32m+\x1b[m\x1b[32m\x1b[32mx\n", "\x1b[32m+\x1b[m\\u{1b}[32m\x1b[32mx\n"),
        ("+é\u{202e}\n", "\x1b[32m+é\u{202e}\x1b[m\n", "\x1b[32m+é\\u{202e}\x1b[m\n"),
        ("+x\n", "something else", "+x\n"),
    ] {
        assert_eq!(tinted(plain.as_bytes(), coloured.as_bytes()), shown);
    }
}
