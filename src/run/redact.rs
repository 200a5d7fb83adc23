//! Secrets taken out of what is kept, by the shapes they are known by. What has
//! no such shape stays.

use std::sync::LazyLock;

use regex::Regex;

/// What stands where a secret was.
const GONE: &str = "[redacted]";

/// What is in the first group stays, where there is one.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let shapes = [
        r"sk-ant-[A-Za-z0-9_-]{8,}",
        r"\bsk-[A-Za-z0-9_-]{20,}",
        r"\bgh[pousr]_[A-Za-z0-9]{20,}",
        r"\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"\bglpat-[A-Za-z0-9_-]{16,}",
        r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"\bAIza[0-9A-Za-z_-]{30,}",
        r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
        // Only what can be part of one goes with its beginning.
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?:\\[rn]|\s)*[A-Za-z0-9+/=]{16,})*(?:(?:\\[rn]|\s)*[A-Za-z0-9+/=]*(?:\\[rn]|\s)*-----END [A-Z ]*PRIVATE KEY-----)?",
        r"(?i)(authorization:\s*(?:bearer|basic|token)\s+)[^\s\x22\\]+",
        r"(://[^/\s:@\x22]+:)[^/\s:@\x22]+@",
        r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}",
        r"\bnpm_[A-Za-z0-9]{30,}",
        r"\bhf_[A-Za-z0-9]{20,}",
        r"\b([A-Z0-9_]*(?:API_KEY|SECRET|TOKEN|PASSWORD)[A-Z0-9_]*=)[^\s\x22'\\]{8,}",
        // As settings and JSON have it; a second group is a secret where it has letters and digits.
        r"(?i)(\b[a-z0-9_-]*(?:api[_-]?key|access[_-]?key|secret|token|passw(?:or)?d)[a-z0-9_-]*\\?[\x22']?\s*[:=]\s*\\?[\x22']?)([^\s\x22'\\,;(){}<>\[\]]{8,})",
    ];
    shapes.iter().map(|shape| Regex::new(shape).expect("the shapes are valid")).collect()
});

/// A text without what looks like a secret.
pub fn redact(text: &str) -> String {
    SHAPES.iter().fold(text.to_owned(), |text, shape| {
        let kept = |found: &regex::Captures<'_>| {
            if found.get(2).is_some_and(|value| !is_mixed(value.as_str())) {
                return found[0].to_owned();
            }
            let end = if found[0].ends_with('@') { "@" } else { "" };
            format!("{}{GONE}{end}", found.get(1).map_or("", |kept| kept.as_str()))
        };
        shape.replace_all(&text, kept).into_owned()
    })
}

/// Whether a text has letters and digits: few names do.
fn is_mixed(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_goes_and_the_rest_stays() {
        // Put together here, so that no scanner takes them for real ones.
        let long = "A1b2C3d4".repeat(5);
        for (text, kept) in [
            (format!("key sk-ant-{long} end"), "key [redacted] end".to_owned()),
            (format!("\"sk-{long}\""), "\"[redacted]\"".to_owned()),
            (format!("ghp_{long}"), "[redacted]".to_owned()),
            (format!("AKIA{}", "A1B2C3D4".repeat(2)), "[redacted]".to_owned()),
            (
                "-H 'Authorization: Bearer abc.def'".into(),
                "-H 'Authorization: Bearer [redacted] ".trim_end().into(),
            ),
            ("https://ann:hunter2@example.com/x".into(), "https://ann:[redacted]@example.com/x".into()),
            ("export NPM_TOKEN=abcdefgh12 x".into(), "export NPM_TOKEN=[redacted] x".into()),
            ("a -----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY----- b".into(), "a [redacted] b".into()),
            ("-----BEGIN RSA PRIVATE KEY-----\\nABCDEFGHIJKLMNOPQRST\" x".into(), "[redacted]\" x".into()),
            ("grep -----BEGIN PRIVATE KEY----- src; ls".into(), "grep [redacted] src; ls".into()),
            (
                r#"{"password": "hunter2hunter2", "n": 1}"#.into(),
                r#"{"password": "[redacted]", "n": 1}"#.into(),
            ),
            (r#"\"apiKey\": \"a1b2c3d4\""#.into(), r#"\"apiKey\": \"[redacted]\""#.into()),
            ("db_password: s3cr3t-word".into(), "db_password: [redacted]".into()),
            ("AWS_SECRET_ACCESS_KEY: a1b2c3d4".into(), "AWS_SECRET_ACCESS_KEY: [redacted]".into()),
            (format!("sk_{}_{long}", "live"), "[redacted]".into()),
            (
                r#"{"input_tokens":12345678, "token": "String", max_tokens: 100000000}"#.into(),
                r#"{"input_tokens":12345678, "token": "String", max_tokens: 100000000}"#.into(),
            ),
            (
                "let token = generate_token(); sk-short ask-me https://x/y:z".into(),
                "let token = generate_token(); sk-short ask-me https://x/y:z".into(),
            ),
        ] {
            assert_eq!(redact(&text), kept);
        }
    }
}
