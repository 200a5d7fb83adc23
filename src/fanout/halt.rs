//! When failing shards end a fan-out: `soon,fail=3` starts no more of them,
//! `now,fail=10%` ends those that run too; so does either where an engine can't
//! tell these from what waits.

use std::str::FromStr;

/// When to stop, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halt {
    /// Whether shards that run are ended too.
    pub when: When,
    /// After how much failing.
    pub after: After,
}

/// What happens to shards that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// They are ended.
    Now,
    /// They come to their end.
    Soon,
}

/// How much failing is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// So many shards.
    Count(usize),
    /// So many of a hundred of all shards.
    Percent(usize),
}

impl Halt {
    /// Whether so many bad shards, of all there are, are too many.
    pub fn is_met(self, bad: usize, all: usize) -> bool {
        match self.after {
            After::Count(count) => bad >= count,
            After::Percent(percent) => bad > 0 && bad * 100 >= all * percent,
        }
    }
}

/// What is wrong with a text that should say when to stop.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAHalt;

impl std::fmt::Display for NotAHalt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("write it as `soon,fail=3`, `now,fail=1` or `soon,fail=10%`")
    }
}

impl std::error::Error for NotAHalt {}

impl FromStr for Halt {
    type Err = NotAHalt;

    fn from_str(text: &str) -> Result<Self, NotAHalt> {
        let (when, after) = text.split_once(',').unwrap_or((text, "fail=1"));
        let when = match when {
            "now" => When::Now,
            "soon" => When::Soon,
            _ => return Err(NotAHalt),
        };
        let number = after.strip_prefix("fail=").ok_or(NotAHalt)?;
        let positive = |text: &str| text.parse().ok().filter(|number| *number > 0).ok_or(NotAHalt);
        let after = match number.strip_suffix('%') {
            Some(percent) => After::Percent(positive(percent)?),
            None => After::Count(positive(number)?),
        };
        if matches!(after, After::Percent(101..)) { Err(NotAHalt) } else { Ok(Self { when, after }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_to_stop_is_read_from_text() {
        for (text, when, after) in [
            ("now", When::Now, After::Count(1)),
            ("soon", When::Soon, After::Count(1)),
            ("soon,fail=3", When::Soon, After::Count(3)),
            ("now,fail=10%", When::Now, After::Percent(10)),
        ] {
            assert_eq!(text.parse(), Ok(Halt { when, after }), "{text}");
        }
        for text in ["", "never", "now,fail=0", "soon,fail=-1", "now,fail=101%", "now,success=1", "soon,"] {
            assert_eq!(text.parse::<Halt>(), Err(NotAHalt), "{text}");
        }
    }

    #[test]
    fn too_much_is_a_number_or_a_share() {
        let halt = |text: &str| text.parse::<Halt>().unwrap();
        assert!(!halt("now,fail=2").is_met(1, 9) && halt("now,fail=2").is_met(2, 9));
        assert!(!halt("now,fail=10%").is_met(1, 11) && halt("now,fail=10%").is_met(1, 10));
        assert!(!halt("now,fail=1%").is_met(0, 10));
    }
}
