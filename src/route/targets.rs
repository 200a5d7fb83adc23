//! What a task is expected to touch: given, named in its text, or predicted.

use super::index::View;
use super::predict::{Expected, predict};
use super::similar::{similar, uses};
use crate::model::tokens::distinct;
use crate::model::{Past, RepoPath, Target, TargetSource};

/// What is certain of a task's targets before its words are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Paths that were given.
    pub given: &'a [RepoPath],
    /// Files that define what its text names.
    pub defined: &'a [RepoPath],
}

/// The targets of a task: the given paths and those its text names; where
/// there are none, those predicted. Without a view only known paths count.
pub fn expect(text: &str, known: Known<'_>, view: Option<View<'_>>) -> Expected {
    let named = view.map(|view| named(text, view.past())).unwrap_or_default();
    let mut certain: Vec<Target> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let given = known.given.iter().map(|path| (path.clone(), TargetSource::Given));
    let named = named.into_iter().chain(known.defined.iter().cloned());
    for (path, source) in given.chain(named.map(|path| (path, TargetSource::Named))) {
        if seen.insert(path.clone()) {
            certain.push(Target { path, source, score: 1.0 });
        }
    }
    let Some(view) = view else { return Expected { targets: certain, ..Expected::default() } };
    let tokens = distinct(text);
    let likeness = view.messages(&tokens);
    let (predicted, matching) = predict(text, &tokens, &likeness, view);
    let targets = if certain.is_empty() { predicted } else { certain };
    let similar = similar(&likeness, &targets, view);
    Expected { matching, similar, words: uses(&tokens, view), targets }
}

/// The paths that a text names.
pub fn named(text: &str, past: &Past<'_>) -> Vec<RepoPath> {
    text.split(|c: char| c.is_whitespace() || "`'\"()[]<>,;".contains(c))
        .map(without_position)
        .filter(|word| word.len() > 2)
        .filter_map(|word| find_path(word, past))
        .collect()
}

/// The symbols that a text names in backticks: `Session::refresh()` as `refresh`.
pub fn symbols(text: &str) -> Vec<&str> {
    let is_symbol = |name: &&str| {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        name.len() > 2 && name.bytes().all(is_word) && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    // What has a slash, or a dot and is not called, is rather a file.
    let is_file = |quoted: &&str| quoted.contains('/') || quoted.contains('.') && !quoted.contains('(');
    let quoted = text.split('`').skip(1).step_by(2).filter(|quoted| !is_file(quoted));
    let heads = quoted.filter_map(|quoted| quoted.split('(').next());
    heads.filter_map(|head| head.rsplit([':', '.', '#', '>']).next()).filter(is_symbol).collect()
}

/// `./login.rs:42:7` and `login.rs#L42` as `login.rs`.
fn without_position(word: &str) -> &str {
    let word = word.trim_end_matches(['.', ':', '!', '?']).trim_start_matches("./");
    let word = word.split_once("#L").map_or(word, |(path, _)| path);
    let mut path = word;
    while let Some((before, number)) = path.rsplit_once(':') {
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        path = before;
    }
    path
}

fn find_path(word: &str, past: &Past<'_>) -> Option<RepoPath> {
    let has_slash = word.contains('/');
    let looks_like_a_file = has_slash || word.contains('.') || word.contains(char::is_uppercase);
    if !looks_like_a_file {
        return None;
    }
    let word = word.trim_end_matches('/');
    let bytes = word.as_bytes();
    if past.files().any(|file| file == bytes) {
        return Some(RepoPath::from(word));
    }
    if has_slash && is_folder(bytes, past) {
        return Some(RepoPath::from(word));
    }
    let mut ending = past.files().filter(|file| file.strip_suffix(bytes).is_some_and(|b| b.ends_with(b"/")));
    match (ending.next(), ending.next()) {
        (Some(only), None) => return Some(RepoPath::from_bytes(only)),
        (Some(_), Some(_)) => return None,
        (None, _) => {}
    }
    let (folder, name) = word.rsplit_once('/')?;
    let is_new = name.contains('.') && is_folder(folder.as_bytes(), past);
    is_new.then(|| RepoPath::from(word))
}

fn is_folder(folder: &[u8], past: &Past<'_>) -> bool {
    !folder.is_empty()
        && past.files().any(|file| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;
    use crate::route::testing::Story;

    fn story() -> Story {
        Story::of(&[
            "src/api/login.rs",
            "src/api/mod.rs",
            "src/web/mod.rs",
            "Makefile",
            "-gone.rs",
            ".github/ci.yml",
        ])
    }

    #[test]
    fn paths_in_the_text_are_found() {
        for (text, paths) in [
            ("fix src/api/login.rs", &["src/api/login.rs"][..]),
            ("fix login.rs:42", &["src/api/login.rs"]),
            ("see `./src/api/login.rs:42:7`.", &["src/api/login.rs"]),
            ("see api/login.rs#L42!", &["src/api/login.rs"]),
            ("mod.rs is bad", &[]),
            ("api/mod.rs is bad", &["src/api/mod.rs"]),
            ("tidy src/api/ now", &["src/api"]),
            ("tidy src now", &[]),
            ("write src/api/logout.rs", &["src/api/logout.rs"]),
            ("write nowhere/logout.rs", &[]),
            ("this and/or that", &[]),
            ("the Makefile, please", &["Makefile"]),
            ("gone.rs", &[]),
            ("run .github/ci.yml", &[".github/ci.yml"]),
            ("... :: 1/2 :7", &[]),
        ] {
            let expected: Vec<RepoPath> = paths.iter().map(|path| RepoPath::from(*path)).collect();
            assert_eq!(named(text, &story().past()), expected, "{text}");
        }
    }

    #[test]
    fn symbols_stand_in_backticks() {
        for (text, expected) in [
            ("make `Session::refresh()` faster", &["refresh"][..]),
            ("`retry` and `self.close(now)`, `a->free`", &["retry", "close", "free"]),
            ("`it`, `3rd`, `two words`, `src/x.json`, `app.json` and nothing", &[]),
            ("an odd ` one", &[]),
        ] {
            assert_eq!(symbols(text), expected, "{text}");
        }
    }

    #[test]
    fn given_come_before_named_and_both_replace_predicted() {
        let story = story();
        let past = story.past();
        let view = Some(View::new(&past, Time(0)));
        let sources = |text, given: &[&str]| {
            let given: Vec<RepoPath> = given.iter().map(|path| RepoPath::from(*path)).collect();
            let targets = expect(text, Known { given: &given, defined: &[] }, view).targets;
            targets.into_iter().map(|target| (target.path.quoted(), target.source)).collect::<Vec<_>>()
        };
        let (api, new) = ("src/api/login.rs".to_owned(), "new/x.rs".to_owned());
        assert_eq!(
            sources("fix login.rs", &["new/x.rs"]),
            [(new.clone(), TargetSource::Given), (api.clone(), TargetSource::Named)]
        );
        assert_eq!(sources("fix login.rs", &["src/api/login.rs"]), [(api.clone(), TargetSource::Given)]);
        assert_eq!(sources("fix login", &[]), [(api, TargetSource::Predicted)]);
        let given = [RepoPath::from("new/x.rs")];
        let known = Known { given: &given, defined: &[] };
        assert_eq!(expect("fix login", known, None).targets[0].path.quoted(), new);
        let known = Known { given: &[], defined: &given };
        assert_eq!(expect("fix `x`", known, view).targets[0].source, TargetSource::Named);
    }
}
