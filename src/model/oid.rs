//! The id of a git object, SHA-1 or SHA-256.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of a git object: 20 bytes (SHA-1) or 32 (SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    bytes: [u8; 32],
    len: u8,
}

impl Oid {
    /// Reads 20 or 32 raw bytes; `None` for any other length.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        if raw.len() != 20 && raw.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(Self { bytes, len: raw.len() as u8 })
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The id of all zeros in the same hash: "no such object".
    pub fn zero(self) -> Self {
        Self { bytes: [0; 32], len: self.len }
    }

    /// Whether this is the id of all zeros.
    pub fn is_zero(&self) -> bool {
        self.as_bytes().iter().all(|byte| *byte == 0)
    }

    /// The first seven hex digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..7].to_owned()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A string that is no object id.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAnOid;

impl fmt::Display for NotAnOid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a full object id")
    }
}

impl FromStr for Oid {
    type Err = NotAnOid;

    fn from_str(hex: &str) -> Result<Self, NotAnOid> {
        let digits = hex.as_bytes();
        if digits.len() != 40 && digits.len() != 64 {
            return Err(NotAnOid);
        }
        let mut raw = [0; 32];
        for (byte, pair) in raw.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Self::from_bytes(&raw[..digits.len() / 2]).ok_or(NotAnOid)
    }
}

fn digit(ascii: u8) -> Result<u8, NotAnOid> {
    char::from(ascii).to_digit(16).map(|value| value as u8).ok_or(NotAnOid)
}

impl Serialize for Oid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Oid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hex_round_trips_in_both_hashes() {
        for hex in ["0123456789abcdef0123456789abcdef01234567", &"ab".repeat(32)] {
            assert_eq!(hex.parse::<Oid>().unwrap().to_string(), hex);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "abc", &"g".repeat(40), &"a".repeat(41)] {
            assert_eq!(text.parse::<Oid>(), Err(NotAnOid), "{text}");
        }
    }

    proptest! {
        #[test]
        fn bytes_and_hex_say_the_same_in_the_same_order(one: [u8; 32], other: [u8; 32], long: bool) {
            let length = if long { 32 } else { 20 };
            let oid = |bytes: &[u8]| Oid::from_bytes(&bytes[..length]).unwrap();
            let (one, other) = (oid(&one), oid(&other));
            assert_eq!(one.to_string().parse(), Ok(one));
            assert_eq!(one.to_string().to_uppercase().parse(), Ok(one));
            assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
            assert_eq!(Oid::from_bytes(one.as_bytes()), Some(one));
        }

        #[test]
        fn only_hex_of_the_right_length_is_an_id(text in "[0-9a-fA-Fg ]{38,42}|\\PC{0,70}") {
            let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert_eq!(text.parse::<Oid>().is_ok(), is_hex && [40, 64].contains(&text.len()));
        }
    }
}
