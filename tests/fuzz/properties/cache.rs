//! The files below `.git/orch` that histories are kept in: damage that the
//! checksum tells, and damage behind a checksum that holds.

use git_orch::history::Log;
use git_orch::history::profile::{Key, Table};
use git_orch::model::{RepoPath, Time};

const KEY: Key = [7; 32];

/// Whatever a file holds, it is refused or can be asked.
pub fn check(bytes: &[u8]) {
    log(bytes);
    log(&[&b"orchlog2"[..], &sealed(bytes)].concat());
    log(&[&b"orchlog2"[..], &sealed(bytes), &sealed(bytes)].concat());
    let key = bytes.get(20..52).and_then(|key| key.try_into().ok()).unwrap_or(KEY);
    table(bytes.to_vec(), &key);
    table([&b"orchprf3"[..], &sealed(&[&KEY[..], bytes].concat())].concat(), &KEY);
    // A payload that says it is shorter than the key.
    table([&b"orchprf3"[..], &sealed(b""), &KEY, bytes].concat(), &KEY);
}

/// As cache files hold it: checksum, length, payload.
fn sealed(payload: &[u8]) -> Vec<u8> {
    let crc = crc32fast::hash(payload).to_le_bytes();
    [&crc[..], &(payload.len() as u64).to_le_bytes(), payload].concat()
}

fn log(bytes: &[u8]) {
    let log = Log::from_bytes(bytes);
    let written = log.to_bytes();
    let again = Log::from_bytes(&written);
    assert_eq!(again.to_bytes(), written, "a log reads back");
    assert_eq!((again.commits().len(), again.mark()), (log.commits().len(), log.mark()));
}

fn table(bytes: Vec<u8>, key: &Key) {
    let Some(table) = Table::new(bytes.clone(), key) else { return };
    let longer = [&bytes[..], b"x"].concat();
    assert!(Table::new(longer, key).is_none(), "a table is the whole file");
    assert!(Table::new(bytes, &[0; 32]).is_none() || *key == [0; 32], "a table is for one key");
    let paths = ["", "s/a", "w/b", "a/very/deep/path"].map(RepoPath::from);
    for now in [Time(i64::MIN), Time(0), Time(i64::MAX)] {
        let profiles = table.profiles(&paths, now);
        for session in &profiles.sessions {
            table.knows(session, now);
        }
    }
}
