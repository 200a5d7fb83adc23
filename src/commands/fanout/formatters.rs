//! The formatters behind `git orch fanout fmt`: chosen, trusted, asked for
//! their versions.

use crate::agent::{Input, Invocation, command, process};
use crate::config::trust;
use crate::error::{Error, IoContext, Kind, Result};
use crate::fanout::formatter::{Formatter, Missing};
use crate::model::RepoPath;
use crate::model::wording::{count, list};

use super::Desk;

/// The formatters to run. Those that are used but not installed are warned of.
///
/// # Errors
/// Failed where there is none; untrusted where one would run code that the
/// repository names.
pub(super) fn choose(desk: &Desk<'_>, wanted: &dyn Fn(&RepoPath) -> bool) -> Result<Vec<Formatter>> {
    let choice = desk.files.formatters(&desk.opened.repo, &desk.app.environment, wanted);
    if choice.chosen.is_empty() {
        return Err(none(&choice.missing));
    }
    for missing in &choice.missing {
        let (name, why, files) = (missing.name, &missing.why, count(missing.files, "file"));
        desk.app.ui.warning(format!(
            "{name} ({why}) is not installed: {files} left as they are; {}",
            missing.install
        ));
    }
    if let Some((name, why)) =
        choice.chosen.iter().find_map(|one| Some((one.name, one.needs_trust.as_ref()?)))
    {
        desk.opened.trust.require(&trust::repository()).map_err(|error| {
            let what = format!("{name} may run code of this repository, which is not trusted: {why}");
            error.hints.into_iter().fold(Error::new(Kind::Untrusted, what), Error::hint)
        })?;
    }
    Ok(choice.chosen)
}

fn none(missing: &[Missing]) -> Error {
    let Some(first) = missing.first() else {
        return Error::failed("no formatter found: nothing here says which one the repository uses")
            .hint("name a command: `git orch fanout fmt --run 'prettier --write \"$@\"' --paths '**/*.ts'`, or a job in `.orch.yml`");
    };
    let names = list(missing.iter().map(|missing| format!("{} ({})", missing.name, missing.why)));
    let is = if missing.len() == 1 { "is" } else { "are" };
    Error::failed(format!("{names} {is} not installed")).hint(format!("install it: {}", first.install))
}

/// What is run, for the record, and with its reasons, for people.
pub(super) fn versions(desk: &Desk<'_>, chosen: &[Formatter], dry_run: bool) -> Result<(String, String)> {
    let mut named = Vec::new();
    let mut explained = Vec::new();
    for formatter in chosen {
        let version = if dry_run { None } else { version(desk, formatter)? };
        let name =
            version.map_or(formatter.name.to_owned(), |version| format!("{} {version}", formatter.name));
        explained.push(format!("{name} ({})", formatter.why));
        named.push(name);
    }
    // One formatter may stand here twice, for different files.
    for names in [&mut named, &mut explained] {
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
    }
    Ok((list(named), list(explained)))
}

/// A formatter's version; `None` where it does not tell.
fn version(desk: &Desk<'_>, formatter: &Formatter) -> Result<Option<String>> {
    let Some(argv) = &formatter.version else { return Ok(None) };
    let folder = desk.opened.repo.orch_dir()?.join("fanout");
    std::fs::create_dir_all(&folder).doing("could not make", &folder)?;
    let log = tempfile_name(&folder);
    let invocation = Invocation {
        argv: argv.clone(),
        folder: desk.opened.repo.require_work_tree()?.join(formatter.directory.as_path()),
        environment: command::environment(&desk.app.environment, &[]),
        input: Input::Nothing,
        log: log.clone(),
        is_log_continued: false,
        timeout: Some(std::time::Duration::from_secs(60)),
    };
    let events = |_| {};
    let scene = desk.opened.scene(desk.app, &events);
    let ended = process::run(&invocation, scene.interrupt, |_| {});
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    drop(std::fs::remove_file(&log));
    scene.interrupt.check()?;
    Ok(ended.ok().filter(|ended| ended.is_success()).and_then(|_| first_number(&text)))
}

fn tempfile_name(folder: &std::path::Path) -> std::path::PathBuf {
    folder.join(format!("version-{}.log", std::process::id()))
}

/// The first word that starts with a digit: `ruff 0.14.5`, `v3.12.0`.
fn first_number(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || "(),".contains(c));
    let version = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
    let mut bare = words.map(|word| word.trim_start_matches('v'));
    bare.find(version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_formatters_say() {
        for (text, version) in [
            ("rustfmt 1.8.0-stable (254b59607d 2025-01-27)", Some("1.8.0-stable")),
            ("ruff 0.14.5\n", Some("0.14.5")),
            ("black, 25.11.0 (compiled: yes)\nPython (CPython) 3.11.2", Some("25.11.0")),
            ("Debian clang-format version 21.1.5", Some("21.1.5")),
            ("v3.12.0", Some("3.12.0")),
            ("3.6.2", Some("3.6.2")),
            ("Version: 2.3.7", Some("2.3.7")),
            ("", None),
        ] {
            assert_eq!(first_number(text).as_deref(), version, "{text}");
        }
    }
}
