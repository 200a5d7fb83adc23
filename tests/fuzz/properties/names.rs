//! Names, slugs, ids, times and the words of a task.

use git_orch::fanout::shard::By;
use git_orch::model::tokens::{scope, tokens};
use git_orch::model::{Name, Oid, Time, Viewpoint, time};
use git_orch::store::record;

/// A name is safe as a ref component, a directory and an argument; all else
/// that is read from words means the same when it is written and read again.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(name) = text.parse::<Name>() {
        is_safe(&name);
        for number in [2, 10, u32::MAX] {
            let numbered = name.numbered(number);
            is_safe(&numbered);
            assert!(numbered.as_str().ends_with(&format!("-{number}")));
        }
    }
    if let Some(slug) = Name::slug(&text) {
        is_safe(&slug);
        assert_eq!(Name::slug(slug.as_str()), Some(slug));
    }
    if let Ok(oid) = text.parse::<Oid>() {
        assert_eq!(oid.to_string(), text.to_ascii_lowercase());
        assert_eq!(Oid::from_bytes(oid.as_bytes()), Some(oid));
    }
    if let Ok(By::Count(count)) = text.parse::<By>() {
        assert!(count > 0);
    }
    let _ = text.parse::<Viewpoint>();
    moments(&text);
    words(&text);
}

fn is_safe(name: &Name) {
    let text = name.as_str();
    assert!((1..=63).contains(&text.len()) && text != "." && !text.contains(".."), "{text}");
    assert!(
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
    );
    assert!(!text.starts_with(['-', '.', '_']) && !text.ends_with('.') && !text.ends_with(".lock"), "{text}");
    assert_eq!(text.parse().as_ref(), Ok(name));
}

fn moments(text: &str) {
    if let Some(duration) = time::parse_span(text)
        && let Ok(seconds) = i64::try_from(duration.as_secs())
    {
        let shown = time::parse_span(&time::span(seconds)).expect("a span that is shown can be read");
        assert!(shown <= duration && shown * 2 >= duration, "{text} is shown as {shown:?}");
        assert!(!time::elapsed(duration).is_empty());
    }
    let quoted = record::line(&text).expect("text can be written");
    let Some(moment) = record::parse_line::<Time>(&quoted) else { return };
    let written = record::line(&moment).expect("a moment can be written");
    assert_eq!(record::parse_line::<Time>(&written), Some(moment), "{text}");
    assert!(!moment.date().is_empty());
    for other in [Time(i64::MIN), Time(0), Time(i64::MAX)] {
        assert!(moment.since(other) >= 0 && other.since(moment) >= 0);
        assert!(moment.ago(other).ends_with(" ago"));
    }
}

fn words(text: &str) {
    for token in tokens(text) {
        assert!(!token.is_empty() && !token.contains(char::is_whitespace), "{token:?} of {text:?}");
    }
    assert!(scope(text).is_none_or(|scope| text.contains(scope)));
}
