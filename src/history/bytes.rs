//! Cache files: plain bytes with checksums, and how they reach the disk.
//!
//! **Invariant:** reading never panics; whatever does not fit is `None`.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Reads numbers and byte strings off the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn f32(&mut self) -> Option<f32> {
        self.array().map(f32::from_le_bytes)
    }

    pub(super) fn f64(&mut self) -> Option<f64> {
        self.array().map(f64::from_le_bytes)
    }

    /// A number in as few bytes as it needs.
    pub(super) fn number(&mut self) -> Option<usize> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return usize::try_from(value).ok();
            }
        }
        None
    }

    /// Bytes behind their length.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.bytes(length)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.string()?).ok()
    }
}

/// Writes what [`Reader::number`] reads.
pub(super) fn put_number(out: &mut Vec<u8>, value: usize) {
    let mut value = value as u64;
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes what [`Reader::string`] reads.
pub(super) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Writes numbers of 32 bits as one string; [`numbers`] reads them.
pub(super) fn put_numbers(out: &mut Vec<u8>, numbers: &[u32]) {
    put_number(out, numbers.len() * 4);
    numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
}

/// Numbers of 32 bits; `None` where the last is cut.
pub(super) fn numbers(bytes: &[u8]) -> Option<Vec<u32>> {
    let (numbers, rest) = bytes.as_chunks();
    rest.is_empty().then(|| numbers.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
}

/// Puts a checksum and the length before `payload`.
pub(super) fn sealed(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 12);
    out.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    out.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    out.extend_from_slice(payload);
    out
}

/// Takes a payload off the front; `None` where it is cut or damaged.
pub(super) fn unsealed<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let crc = reader.u32()?;
    let length = usize::try_from(reader.u64()?).ok()?;
    let payload = reader.bytes(length)?;
    (crc32fast::hash(payload) == crc).then_some(payload)
}

/// Replaces a file as a whole.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    let written = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // The first failure is the one worth telling.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_strings_read_back() {
        let mut out = Vec::new();
        let numbers = [0, 1, 127, 128, 300, usize::MAX];
        numbers.iter().for_each(|number| put_number(&mut out, *number));
        put_string(&mut out, b"text");
        let mut reader = Reader(&out);
        numbers.iter().for_each(|number| assert_eq!(reader.number(), Some(*number)));
        assert_eq!((reader.text(), reader.u8()), (Some("text"), None));
    }

    #[test]
    fn a_payload_is_believed_only_whole() {
        let whole = sealed(b"payload");
        assert_eq!(unsealed(&mut Reader(&whole)), Some(&b"payload"[..]));
        for index in 0..whole.len() {
            let mut bent = whole.clone();
            bent[index] ^= 1;
            assert_eq!(unsealed(&mut Reader(&bent)), None, "{index}");
            assert_eq!(unsealed(&mut Reader(&whole[..index])), None, "{index}");
        }
        assert_eq!(Reader(&[0xff; 20]).number(), None);
    }

    #[test]
    fn files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    proptest! {
        #[test]
        fn numbers_and_strings_read_back_one_after_the_other(
            parts in proptest::collection::vec((any::<usize>(), any::<Vec<u8>>()), 0..6),
        ) {
            let mut out = Vec::new();
            for (number, string) in &parts {
                put_number(&mut out, *number);
                put_string(&mut out, string);
            }
            let mut reader = Reader(&out);
            for (number, string) in &parts {
                assert_eq!(reader.number(), Some(*number));
                assert_eq!(reader.string(), Some(string.as_slice()));
            }
            assert!(reader.0.is_empty());
        }

        #[test]
        fn one_bent_or_missing_byte_is_noticed(
            payload: Vec<u8>, at: proptest::sample::Index, bit in 0..8_u8,
        ) {
            let whole = sealed(&payload);
            assert_eq!(unsealed(&mut Reader(&whole)), Some(payload.as_slice()));
            let mut bent = whole.clone();
            bent[at.index(whole.len())] ^= 1_u8 << bit;
            assert_eq!(unsealed(&mut Reader(&bent)), None);
            assert_eq!(unsealed(&mut Reader(&whole[..at.index(whole.len())])), None);
        }
    }
}
