//! Damaged packs: what is told is right, or there is an error that says why.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::output::Output;
use crate::support::{TestRepo, days_ago};

/// What is asked: each needs the history of every session.
const ASKED: [&[&str]; 3] = [&["sessions"], &["route", "fix login", "--why"], &["history", "backend"]];

type Damage = (&'static str, &'static str, fn(&mut Vec<u8>));

const DAMAGES: &[Damage] = &[
    ("pack", "is empty", Vec::clear),
    ("pack", "lacks its last byte", |bytes| bytes.truncate(bytes.len() - 1)),
    ("pack", "is cut in half", |bytes| bytes.truncate(bytes.len() / 2)),
    ("pack", "has another version", |bytes| bytes[7] = 9),
    ("pack", "has a hole", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 64].fill(0);
    }),
    ("pack", "has a hole behind its head", |bytes| bytes[12..76].fill(0xff)),
    ("pack", "has odd bytes all over", |bytes| {
        bytes.iter_mut().skip(60).step_by(61).for_each(|byte| *byte ^= 0x55)
    }),
    ("idx", "is empty", Vec::clear),
    ("idx", "is cut in half", |bytes| bytes.truncate(bytes.len() / 2)),
    ("idx", "counts too much", |bytes| bytes[8..1032].fill(0x7f)),
    ("idx", "counts nothing", |bytes| bytes[8..1032].fill(0)),
    ("idx", "leads to the pack's first byte", |bytes| {
        offsets(bytes).iter_mut().for_each(|offset| *offset = [0; 4])
    }),
    ("idx", "has only far offsets", |bytes| offsets(bytes).iter_mut().for_each(|offset| offset[0] |= 0x80)),
    ("idx", "leads beyond the pack", |bytes| offsets(bytes).iter_mut().for_each(|offset| offset[0] |= 0x40)),
    ("idx", "leads beyond the pack now and then", |bytes| {
        offsets(bytes).iter_mut().skip(1).step_by(9).for_each(|offset| offset[0] |= 0x40);
    }),
];

/// Where an index says that objects begin.
fn offsets(index: &mut [u8]) -> &mut [[u8; 4]] {
    let count = u32::from_be_bytes(index[1028..1032].try_into().unwrap()) as usize;
    index[1032 + 24 * count..][..4 * count].as_chunks_mut().0
}

/// Sessions that know something, all that they know in one pack.
fn packed() -> TestRepo {
    let repo = TestRepo::new();
    for day in 1..=20 {
        let api = format!("fn login() {{ {day} }}\n");
        repo.commit(&[("src/api/login.rs", &api)], &format!("login: rule {day}"), "Ann", days_ago(22 - day));
    }
    repo.git(&["repack", "-adfq"]);
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "--adopt-history", "-q"]).expect_success();
    }
    repo
}

fn file(repo: &TestRepo, end: &str) -> PathBuf {
    let entries = fs::read_dir(repo.path(".git/objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| path.extension().is_some_and(|found| found == end)).unwrap()
}

/// Replaces a file that git does not let anyone write to.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// What is said when nothing is remembered of earlier looks.
fn ask(repo: &TestRepo, asked: &[&str]) -> Output {
    repo.shell("rm -rf .git/orch").changing_checkout().run().expect("exit 0");
    repo.call(asked).changing_checkout().run()
}

#[test]
fn a_damaged_pack_is_an_error_or_changes_no_answer() {
    let repo = packed();
    let expected = ASKED.map(|asked| ask(&repo, asked));
    expected.iter().for_each(|output| assert_eq!((output.exit, output.stderr.as_str()), (0, "")));
    for (end, what, damage) in DAMAGES {
        let path = file(&repo, end);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        damage(&mut bytes);
        replace(&path, &bytes);
        for (asked, expected) in ASKED.iter().zip(&expected) {
            let output = ask(&repo, asked);
            let is_refused = (output.exit, output.stdout.as_str()) == (4, "")
                && output.stderr.starts_with("error: could not ")
                && output
                    .stderr
                    .lines()
                    .all(|line| line.starts_with("error: ") || line.starts_with("hint: "));
            assert!(is_refused || output == *expected, "the {end} {what}: {asked:?}\n{output}");
        }
        replace(&path, &whole);
    }
}
