//! Packs of every shape against git, and damaged ones against all expectations.

use std::path::PathBuf;

use super::super::testing::{Scratch, commit, file};
use super::super::{Span, log_args, mine, parse_log};
use super::*;
use crate::model::Mined;

fn history() -> Scratch {
    let scratch = Scratch::new();
    let changes = |time: u32| {
        (0..12).map(|n| file(&format!("d{}/{n}/f{}", n % 3, time % 40), time * (n % 2))).collect::<String>()
    };
    let mut stream = commit(1, &[], &changes(1));
    (2..=120).for_each(|time| stream.extend(commit(time, &[time - 1], &changes(time))));
    scratch.import(&stream);
    scratch
}

impl Scratch {
    fn all(&self) -> Vec<Mined> {
        let mut commits = Vec::new();
        let span = Span { tips: &[self.oid("HEAD")], hide: &[], horizon: usize::MAX };
        mine(&self.git_dir(), &span, &mut commits, &|_| ()).unwrap();
        commits
    }

    fn printed(&self) -> Vec<Mined> {
        let args = log_args(&Span { tips: &[self.oid("HEAD")], hide: &[], horizon: usize::MAX });
        parse_log(&self.git(&args.iter().map(String::as_str).collect::<Vec<_>>(), b"")).unwrap()
    }

    /// How many of all commits and trees are read out of packs.
    fn packed(&self) -> (usize, usize) {
        let list = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"];
        let listed = String::from_utf8(self.git(&list, b"")).unwrap();
        let oids = listed.lines().filter(|line| !line.ends_with("blob")).map(|line| &line[..40]);
        let mut packed = Packed::new(Arc::new(Packs::open(&self.git_dir().join("objects"))));
        let read: Vec<bool> = oids.map(|oid| packed.read(oid.parse().unwrap()).is_some()).collect();
        (read.iter().filter(|is_read| **is_read).count(), read.len())
    }

    fn packs(&self, end: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.git_dir().join("objects/pack")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|found| found == end)).collect()
    }
}

#[test]
fn packs_of_every_shape_are_read_as_git_reads_them() {
    let scratch = history();
    let expected = scratch.printed();
    for (shape, commands) in [
        ("deep chains", &[&["repack", "-adfq", "--depth=250", "--window=250"][..]][..]),
        ("bases by id", &[&["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=90"]]),
        ("no deltas", &[&["repack", "-adFq", "--depth=0"]]),
        ("an index of packs", &[&["multi-pack-index", "write"]]),
        ("a graph of commits", &[&["commit-graph", "write", "--reachable"]]),
        ("far offsets", &[&["-c", "pack.indexVersion=2", "repack", "-adfq"]]),
    ] {
        commands.iter().for_each(|args| drop(scratch.git(args, b"")));
        assert_eq!(scratch.all(), expected, "{shape}");
        let (read, all) = scratch.packed();
        assert_eq!(read, all, "{shape}");
    }
    // So few new objects stay loose, until a pack of their own takes them.
    for (time, command) in [(500, "repack"), (501, "count-objects"), (502, "repack"), (503, "count-objects")]
    {
        let next = String::from_utf8(commit(time, &[], &file("n", time))).unwrap();
        let next = next.replace("reset refs/heads/main\n", "");
        let from = format!("END\nfrom {}\nM", scratch.oid("main"));
        scratch.import(next.replacen("END\nM", &from, 1).as_bytes());
        scratch.git(&[command, "-q"][..if command == "repack" { 2 } else { 1 }], b"");
        assert_eq!(scratch.all(), scratch.printed(), "{time}");
    }
    assert_eq!((scratch.packs("pack").len(), scratch.all().len()), (3, 124));
    let borrower = tempfile::tempdir().unwrap();
    let (from, to) = (scratch.0.path().to_str().unwrap(), borrower.path().to_str().unwrap());
    scratch.git(&["clone", "-q", "--shared", from, to], b"");
    let borrower = Scratch(borrower);
    assert_eq!(borrower.all(), scratch.printed());
    assert!(borrower.packed().0 > 0, "borrowed packs are read too");
}

/// Reads everything out of a pack and an index that were changed.
fn survives(scratch: &Scratch, oids: &[Oid]) {
    let mut packed = Packed::new(Arc::new(Packs::open(&scratch.git_dir().join("objects"))));
    oids.iter().for_each(|oid| drop(packed.read(*oid)));
}

#[test]
fn damaged_packs_are_refused_in_bounded_time() {
    let scratch = history();
    scratch.git(&["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq"], b"");
    let listed = scratch.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"], b"");
    let listed = String::from_utf8(listed).unwrap();
    let oids: Vec<Oid> = listed.lines().step_by(5).map(|line| line.parse().unwrap()).collect();
    let mut chance = fastrand::Rng::with_seed(7);
    for end in ["pack", "idx"] {
        let path = scratch.packs(end).remove(0);
        let whole = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        for round in 0..150 {
            let mut bent = whole.clone();
            match round % 3 {
                0 => bent.truncate(chance.usize(..whole.len())),
                1 => (0..40).for_each(|_| bent[chance.usize(..whole.len())] = chance.u8(..)),
                _ => bent[chance.usize(..whole.len())] ^= 1 << chance.u8(..8),
            }
            std::fs::write(&path, bent).unwrap();
            survives(&scratch, &oids);
        }
        std::fs::write(&path, whole).unwrap();
    }
    assert_eq!(scratch.all(), scratch.printed());
}

#[test]
fn deltas_that_lean_on_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pack")).unwrap();
    let ids = [[1_u8; WIDTH], [2; WIDTH]];
    // Two deltas by id, each on the other, and sizes beyond all bounds.
    let entry = |base: &[u8]| [&[0x71][..], base, b"\x78\x9c\x4b\x04\x00\x00\x62\x00\x62"].concat();
    let (one, two) = (entry(&ids[1]), entry(&ids[0]));
    let pack = [b"PACK\0\0\0\x02\0\0\0\x02", &one[..], &two, &[0; WIDTH]].concat();
    let huge = [b"PACK\0\0\0\x02\0\0\0\x02", &[0xaf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f][..], &[0; 60]];
    for pack in [pack, huge.concat()] {
        let fanout: Vec<u8> = (0..256).flat_map(|byte| u32::min(byte, 2).to_be_bytes()).collect();
        let offsets = [12_u32.to_be_bytes(), (12 + one.len() as u32).to_be_bytes()].concat();
        let parts = [b"\xfftOc\0\0\0\x02", &fanout[..], &ids.concat(), &[0; 8], &offsets, &[0; 2 * WIDTH]];
        std::fs::write(folder.path().join("pack/pack-1.idx"), parts.concat()).unwrap();
        std::fs::write(folder.path().join("pack/pack-1.pack"), pack).unwrap();
        let packs = Arc::new(Packs::open(folder.path()));
        assert!(packs.find(Oid::from_bytes(&ids[0]).unwrap(), 0).is_some());
        let mut packed = Packed::new(packs);
        ids.iter().for_each(|id| assert_eq!(packed.read(Oid::from_bytes(id).unwrap()), None));
    }
}
