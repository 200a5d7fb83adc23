//! Moments and spans, as records and people write them.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, in whole seconds since the Unix epoch; RFC 3339 in JSON.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// The moment it is now.
    pub fn now() -> Self {
        Self(Timestamp::now().as_second())
    }

    /// Seconds from `earlier` to this moment; 0 where it lies ahead.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }

    /// How long ago this was, shortly: `2m ago`, `4h ago`, `3w ago`.
    pub fn ago(self, now: Self) -> String {
        format!("{} ago", span(now.since(self)))
    }

    /// The date in UTC: `2026-11-22`.
    pub fn date(self) -> String {
        self.to_string()[..10].to_owned()
    }
}

/// A span of seconds in its largest unit: `40s`, `5m`, `4h`, `3d`, `6w`, `2y`.
pub fn span(seconds: i64) -> String {
    const UNITS: [(i64, i64, &str); 5] = [
        (60, 1, "s"),
        (3_600, 60, "m"),
        (86_400, 3_600, "h"),
        (1_209_600, 86_400, "d"),
        (31_536_000, 604_800, "w"),
    ];
    let fitting = UNITS.iter().find(|(limit, ..)| seconds < *limit);
    let (_, unit, letter) = fitting.unwrap_or(&(i64::MAX, 31_536_000, "y"));
    format!("{}{letter}", seconds / unit)
}

/// A time that was waited: `0.4s`, `21s`, `1m 40s`, `2h 5m`.
pub fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=9 => format!("{:.1}s", duration.as_secs_f64()),
        10..=59 => format!("{seconds}s"),
        60..=3_599 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// Reads `30s`, `5m`, `2h`, `7d`, `2w`, `1y`; a bare number is seconds.
pub fn parse_span(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        "y" => 31_536_000,
        _ => return None,
    };
    Some(Duration::from_secs(digits.parse::<u64>().ok()?.checked_mul(unit)?))
}

/// A clock that only goes forward, for spans within one process.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts at zero.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_second(self.0) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "@{}", self.0),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(seconds) = text.strip_prefix('@').and_then(|seconds| seconds.parse().ok()) {
            return Ok(Self(seconds));
        }
        let timestamp: Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(timestamp.as_second()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_short_and_read_back() {
        for (seconds, text) in [(0, "0s"), (61, "1m"), (7_200, "2h"), (172_800, "2d"), (1_814_400, "3w")] {
            assert_eq!(span(seconds), text);
            if seconds != 61 {
                assert_eq!(parse_span(text), Some(Duration::from_secs(seconds.unsigned_abs())));
            }
        }
        for text in ["", "x", "-1d", "1q", "99999999999999999y"] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_rfc_3339_in_utc() {
        assert_eq!(Time(1_700_000_000).to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(Time(1_700_000_000).date(), "2023-11-14");
    }

    #[test]
    fn a_span_between_any_two_moments_can_be_told() {
        for (earlier, later, seconds) in
            [(-5, 5, 10), (5, -5, 0), (i64::MIN, i64::MAX, i64::MAX), (1, i64::MIN, 0)]
        {
            assert_eq!(Time(later).since(Time(earlier)), seconds);
        }
    }

    proptest! {
        #[test]
        fn moments_read_back(seconds in prop_oneof![any::<i64>(), -400_000_000_000_i64..400_000_000_000]) {
            let moment = Time(seconds);
            let text = serde_json::to_string(&moment).unwrap();
            assert_eq!(serde_json::from_str::<Time>(&text).unwrap(), moment);
            assert!(moment.date().len() >= 10);
        }

        #[test]
        fn a_span_is_shown_in_whole_units_that_say_half_of_it_at_least(
            seconds in prop_oneof![0..i64::MAX, 0..100_000_000_i64],
        ) {
            let shown = parse_span(&span(seconds)).unwrap().as_secs();
            let seconds = seconds.unsigned_abs();
            assert!(shown <= seconds && seconds < 2 * shown.max(1), "{seconds} as {}", shown);
        }
    }
}
