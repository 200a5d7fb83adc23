//! Packs of every shape against git, and damaged ones against all expectations.

use std::path::PathBuf;

use super::super::objects::Objects;
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

#[test]
fn offsets_are_read_wherever_an_index_has_them() {
    let scratch = history();
    scratch.git(&["repack", "-adfq"], b"");
    let (pack, index) = (scratch.packs("pack").remove(0), scratch.packs("idx").remove(0));
    for (version, is_read) in [("2,0x40", true), ("2,0x400", true), ("2,0x7fffffff", true), ("1", false)] {
        std::fs::remove_file(&index).unwrap();
        let (version, index) = (format!("--index-version={version}"), index.to_str().unwrap());
        scratch.git(&["index-pack", &version, "-o", index, pack.to_str().unwrap()], b"");
        let (read, all) = scratch.packed();
        assert_eq!(read, if is_read { all } else { 0 }, "{version}");
        assert_eq!(scratch.all(), scratch.printed(), "{version}");
    }
}

#[test]
fn the_longest_chain_that_git_makes_is_read() {
    let scratch = Scratch::new();
    let mut stream = commit(1, &[], &(0..9).map(|n| file(&format!("d/f{n}"), 1)).collect::<String>());
    let last = 4_300;
    (2..=last).for_each(|time| stream.extend(commit(time, &[time - 1], &file("d/f7", time))));
    scratch.git(&["fast-import", "--quiet", "--date-format=raw", "--depth=4095"], &stream);
    let listed = scratch.git(&["verify-pack", "-v", scratch.packs("idx")[0].to_str().unwrap()], b"");
    let listed = String::from_utf8(listed).unwrap();
    let deepest = listed.lines().find(|line| line.split_whitespace().nth(5) == Some("4095")).unwrap();
    // By itself: nothing that it leans on was read before.
    let mut packed = Packed::below(&scratch.git_dir().join("objects"));
    assert!(packed.read(deepest[..40].parse().unwrap()).is_some());
    assert_eq!(scratch.packed().0, scratch.packed().1);
    assert_eq!(scratch.all(), scratch.printed());
}

#[test]
fn of_very_many_packs_some_are_held_open_and_all_are_read() {
    let scratch = history();
    scratch.git(&["repack", "-adfq"], b"");
    let (pack, index) = (scratch.packs("pack").remove(0), scratch.packs("idx").remove(0));
    for number in 0..90 {
        std::fs::copy(&pack, pack.with_file_name(format!("pack-{number:040}.pack"))).unwrap();
        std::fs::copy(&index, index.with_file_name(format!("pack-{number:040}.idx"))).unwrap();
    }
    let packs = Packs::open(&scratch.git_dir().join("objects"));
    assert_eq!(packs.find(scratch.oid("HEAD"), 0).count(), 64);
    assert_eq!(scratch.all(), scratch.printed());
}

#[test]
fn a_whole_copy_in_another_pack_does_for_a_damaged_one() {
    let scratch = history();
    scratch.git(&["repack", "-adfq"], b"");
    let (pack, index) = (scratch.packs("pack").remove(0), scratch.packs("idx").remove(0));
    let mut bent = std::fs::read(&pack).unwrap();
    bent[12..].fill(0);
    let (expected, all) = (scratch.all(), scratch.packed());
    for name in ["pack-0", "pack-f"] {
        let name = format!("{name:0<45}");
        std::fs::write(pack.with_file_name(format!("{name}.pack")), &bent).unwrap();
        std::fs::copy(&index, index.with_file_name(format!("{name}.idx"))).unwrap();
    }
    assert_eq!((scratch.packed(), scratch.all()), (all, expected));
}

#[test]
fn packs_that_are_replaced_meanwhile_are_read_on() {
    let scratch = history();
    let mut packed = Packed::below(&scratch.git_dir().join("objects"));
    scratch.git(&["repack", "-adfq"], b"");
    let mut objects = Objects::open(&scratch.git_dir());
    let before = Packed::below(&scratch.git_dir().join("objects")).read(scratch.oid("HEAD")).unwrap();
    // Another pack with the same objects takes the place of this one.
    scratch.git(&["repack", "-adFq", "--depth=0"], b"");
    let (old, head) = (scratch.packs("pack"), scratch.oid("HEAD"));
    assert_eq!(objects.read(head, Kind::Commit).unwrap().unwrap(), before.1);
    let next =
        String::from_utf8(commit(900, &[], &file("n", 1))).unwrap().replace("reset refs/heads/main\n", "");
    scratch.import(next.as_bytes());
    scratch.git(&["repack", "-adFq"], b"");
    assert_ne!(scratch.packs("pack"), old);
    // What came since is git2's to find.
    assert!(objects.read(scratch.oid("HEAD"), Kind::Commit).unwrap().is_some());
    assert!(packed.read(scratch.oid("HEAD")).is_none());
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

const IDS: [[u8; WIDTH]; 2] = [[1; WIDTH], [2; WIDTH]];

/// The index of a pack of two objects.
fn index(offsets: [u32; 2], far: &[u64]) -> Vec<u8> {
    let fanout: Vec<u8> = (0..256).flat_map(|byte| u32::min(byte, 2).to_be_bytes()).collect();
    let offsets = offsets.map(u32::to_be_bytes).concat();
    let far: Vec<u8> = far.iter().flat_map(|offset| offset.to_be_bytes()).collect();
    [b"\xfftOc\0\0\0\x02", &fanout[..], &IDS.concat(), &[0; 8], &offsets, &far, &[0; 2 * WIDTH]].concat()
}

#[test]
fn objects_beyond_four_gibibytes_are_read() {
    use std::os::unix::fs::FileExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pack")).unwrap();
    let far = 5 << 30;
    std::fs::write(folder.path().join("pack/pack-1.idx"), index([1 << 31 | 1, 1 << 31], &[12, far])).unwrap();
    let pack = std::fs::File::create(folder.path().join("pack/pack-1.pack")).unwrap();
    pack.write_all_at(b"PACK\0\0\0\x02\0\0\0\x02", 0).unwrap();
    // An empty tree; between them there is nothing but a hole.
    let tree = b"\x20\x78\x9c\x03\x00\x00\x00\x00\x01";
    pack.write_all_at(tree, 12).unwrap();
    pack.write_all_at(tree, far).unwrap();
    pack.set_len(far + tree.len() as u64 + WIDTH as u64).unwrap();
    let mut packed = Packed::below(folder.path());
    for id in IDS {
        let (kind, content) = packed.read(Oid::from_bytes(&id).unwrap()).unwrap();
        assert_eq!((kind, content.len()), (Kind::Tree, 0));
    }
}

#[test]
fn deltas_that_lean_on_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pack")).unwrap();
    let ids = IDS;
    // Two deltas by id, each on the other, and sizes beyond all bounds.
    let entry = |base: &[u8]| [&[0x71][..], base, b"\x78\x9c\x4b\x04\x00\x00\x62\x00\x62"].concat();
    let (one, two) = (entry(&ids[1]), entry(&ids[0]));
    let pack = [b"PACK\0\0\0\x02\0\0\0\x02", &one[..], &two, &[0; WIDTH]].concat();
    let huge = [b"PACK\0\0\0\x02\0\0\0\x02", &[0xaf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f][..], &[0; 60]];
    for pack in [pack, huge.concat()] {
        let index = index([12, 12 + one.len() as u32], &[]);
        std::fs::write(folder.path().join("pack/pack-1.idx"), index).unwrap();
        std::fs::write(folder.path().join("pack/pack-1.pack"), pack).unwrap();
        let packs = Arc::new(Packs::open(folder.path()));
        assert!(packs.find(Oid::from_bytes(&ids[0]).unwrap(), 0).next().is_some());
        let mut packed = Packed::new(packs);
        ids.iter().for_each(|id| assert_eq!(packed.read(Oid::from_bytes(id).unwrap()), None));
    }
}

#[test]
fn what_git2_does_not_survive_is_not_asked_of_it() {
    let scratch = Scratch::new();
    let packs = scratch.git_dir().join("objects/pack");
    // A delta on itself, another on that, both too long and no stream at all; and
    // one that an index places far beyond the pack.
    let entry = [&[0xf1, 0xff, 0xff, 0xff, 0x7f][..], &IDS[0], b"no stream"].concat();
    let pack = [b"PACK\0\0\0\x02\0\0\0\x02", &entry[..], &entry, &[0; WIDTH]].concat();
    std::fs::write(packs.join("pack-1.pack"), pack).unwrap();
    for offsets in [[12, 12 + entry.len() as u32], [16 << 20, 12]] {
        std::fs::write(packs.join("pack-1.idx"), index(offsets, &[])).unwrap();
        let mut objects = Objects::open(&scratch.git_dir());
        for id in IDS {
            let error = objects.read(Oid::from_bytes(&id).unwrap(), Kind::Tree).unwrap_err();
            assert!(error.to_string().ends_with("its pack is damaged"), "{error}");
        }
    }
}

#[test]
fn of_a_damaged_pack_git_itself_tells_the_same_or_it_is_refused() {
    let scratch = Scratch::new();
    let changes =
        |time: u32| (0..4).map(|n| file(&format!("d{n}/f{}", time % 5), time * n)).collect::<String>();
    let mut stream = commit(1, &[], &changes(1));
    (2..=25).for_each(|time| stream.extend(commit(time, &[time - 1], &changes(time))));
    scratch.import(&stream);
    scratch.git(&["repack", "-adfq"], b"");
    let (expected, tips) = (scratch.printed(), [scratch.oid("HEAD")]);
    let span = Span { tips: &tips, hide: &[], horizon: usize::MAX };
    for (end, step, bits) in [("pack", 61, 0x21), ("idx", 13, 0x80), ("idx", 21, 1), ("idx", 20, 0xff)] {
        let path = scratch.packs(end).remove(0);
        let whole = std::fs::read(&path).unwrap();
        let (mut right, mut refused) = (0, 0);
        std::fs::remove_file(&path).unwrap();
        for at in (8..whole.len()).step_by(step) {
            let mut bent = whole.clone();
            bent[at] ^= bits;
            std::fs::write(&path, &bent).unwrap();
            let mut mined = Vec::new();
            match mine(&scratch.git_dir(), &span, &mut mined, &|_| ()) {
                Err(_) => refused += 1,
                Ok(_) if mined == expected => right += 1,
                // An index that leads to another object: only `git fsck` notices.
                Ok(_) => assert_eq!(mined, scratch.printed(), "{end} {at} {bits}"),
            }
        }
        assert!(right > 0 && refused > 0, "{end}: {right} right, {refused} refused");
        std::fs::write(&path, whole).unwrap();
    }
}
