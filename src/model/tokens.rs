//! Words of a text or a path, made comparable.

/// Words that say nothing about where a change belongs.
const STOP: [&str; 47] = [
    "a", "add", "all", "also", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "don", "for",
    "from", "has", "have", "if", "in", "into", "is", "it", "its", "make", "more", "no", "not", "of", "on",
    "or", "please", "should", "so", "some", "that", "the", "then", "this", "to", "use", "was", "we", "when",
    "with", "you",
];

/// The tokens of a text, in order, repeats included.
pub fn tokens(text: &str) -> Vec<String> {
    let mut list = Vec::new();
    each_token(text, &mut |token| list.push(token.to_owned()));
    list
}

/// The tokens of a text, sorted, each once.
pub fn distinct(text: &str) -> Vec<String> {
    let mut list = tokens(text);
    list.sort_unstable();
    list.dedup();
    list
}

/// Calls `emit` with each token of `text`: words split on anything that is no
/// letter or digit and on camelCase, compounds kept too, lower-cased, lightly
/// stemmed; stop words, numbers, hashes and trailers are left out.
pub fn each_token(text: &str, emit: &mut dyn FnMut(&str)) {
    let mut buffer = String::new();
    for line in text.lines().filter(|line| !is_trailer(line)) {
        for compound in line.split(|c: char| !c.is_alphanumeric() && c != '_') {
            if !compound.is_empty() {
                split_compound(compound, &mut buffer, emit);
            }
        }
    }
}

/// `Signed-off-by: …`, `Orch-Task: …`: a capital, a dash, a colon.
fn is_trailer(line: &str) -> bool {
    let Some((key, _)) = line.split_once(": ") else { return false };
    key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.contains('-')
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn split_compound(compound: &str, buffer: &mut String, emit: &mut dyn FnMut(&str)) {
    // Most words are plain: one look, no further.
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !compound.starts_with('_') && compound.bytes().skip(1).all(is_plain) {
        emit_word(compound, buffer, emit);
        return;
    }
    let mut parts = 0;
    let mut start = 0;
    let mut before: Option<char> = None;
    let mut rest = compound.char_indices().peekable();
    while let Some((index, letter)) = rest.next() {
        let next_is_lower = rest.peek().is_some_and(|(_, next)| next.is_lowercase());
        let is_hump = letter.is_uppercase()
            && before.is_some_and(|c| c.is_lowercase() || c.is_uppercase() && next_is_lower);
        if letter == '_' || is_hump {
            parts += emit_word(&compound[start..index], buffer, emit);
            start = if letter == '_' { index + 1 } else { index };
        }
        before = Some(letter);
    }
    let last = &compound[start..];
    parts += emit_word(last, buffer, emit);
    if parts > 1 {
        let whole: String = compound.chars().filter(|c| *c != '_').collect();
        emit_word(&whole, buffer, emit);
    }
}

/// Emits one word unless it says nothing; returns how many words it was.
fn emit_word(word: &str, buffer: &mut String, emit: &mut dyn FnMut(&str)) -> usize {
    if word.is_empty() {
        return 0;
    }
    buffer.clear();
    if word.is_ascii() {
        buffer.push_str(word);
        buffer.make_ascii_lowercase();
    } else {
        buffer.extend(word.chars().flat_map(char::to_lowercase));
    }
    if !is_noise(buffer) {
        emit(stem(buffer));
    }
    1
}

fn is_noise(word: &str) -> bool {
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    if has_digit && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return word.len() >= 7 || word.bytes().all(|byte| byte.is_ascii_digit());
    }
    STOP.binary_search(&word).is_ok()
}

/// Cuts plural, `ed`, `ing` and a final `e`: `caches`, `cached`, `caching`, `cache` agree.
fn stem(word: &mut String) -> &str {
    let sibilant = |stem: &str| ["s", "x", "z", "ch", "sh"].iter().any(|end| stem.ends_with(end));
    if word.len() > 4 && word.ends_with("ies") {
        word.truncate(word.len() - 3);
        word.push('y');
    } else if word.len() > 4 && word.strip_suffix("es").is_some_and(sibilant) {
        word.truncate(word.len() - 2);
    } else if word.len() > 3 && word.ends_with('s') && !["ss", "us", "is"].iter().any(|e| word.ends_with(e)) {
        word.truncate(word.len() - 1);
    }
    let cut = match () {
        () if word.len() > 5 && word.ends_with("ing") => 3,
        () if word.len() > 4 && word.ends_with("ed") => 2,
        () => 0,
    };
    word.truncate(word.len() - cut);
    let bytes = word.as_bytes();
    let is_doubled = bytes.len() > 3
        && bytes[bytes.len() - 1] == bytes[bytes.len() - 2]
        && b"bdfgmnprt".contains(&bytes[bytes.len() - 1]);
    if cut > 0 && is_doubled || word.len() > 3 && word.ends_with('e') {
        word.truncate(word.len() - 1);
    }
    word
}

/// The part of a text that names a place: `fix(auth): x`, `[auth] x`, `auth: x`.
pub fn scope(text: &str) -> Option<&str> {
    let line = text.lines().next()?;
    if let Some((inside, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Some(inside);
    }
    let (prefix, _) = line.split_once(": ")?;
    if let Some((_, inside)) = prefix.trim_end_matches('!').strip_suffix(')').and_then(|p| p.split_once('('))
    {
        return Some(inside);
    }
    let kinds = ["chore", "feat", "fix", "perf", "refactor", "revert", "style"];
    (!prefix.contains(' ') && !kinds.contains(&prefix)).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_lowered_and_stemmed() {
        for (text, expected) in [
            ("Fix the login", "fix login"),
            ("resetPassword", "reset password resetpassword"),
            ("reset_password()", "reset password resetpassword"),
            ("HTTPServer", "http server httpserver"),
            ("caches cached caching cache", "cach cach cach cach"),
            ("planning planned plan plans", "plan plan plan plan"),
            ("entries entry", "entry entry"),
            ("boxes box status pass", "box box status pass"),
            ("closes #1234 in deadbeef1", "clos"),
            ("src/api/login.rs", "src api login rs"),
            ("Über_Größe", "über größ übergröß"),
            ("fix\n\nSigned-off-by: A B <a@b.c>\nOrch-Task: fix-login", "fix"),
            ("", ""),
            ("____ -- ::", ""),
        ] {
            assert_eq!(tokens(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP.is_sorted());
    }

    #[test]
    fn a_scope_is_found_where_there_is_one() {
        for (text, expected) in [
            ("fix(auth): x", Some("auth")),
            ("feat(auth)!: x", Some("auth")),
            ("[auth] x", Some("auth")),
            ("api/auth: x", Some("api/auth")),
            ("fix: x", None),
            ("two words: x", None),
            ("no scope", None),
            ("", None),
        ] {
            assert_eq!(scope(text), expected, "{text}");
        }
    }
}
