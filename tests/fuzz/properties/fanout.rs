//! Which formatters a repository says it uses, and how files become shards.
//!
//! The bytes are a repository: a line `== PATH` begins a file, `-> PATH TARGET`
//! is a link, all else is the content of the file before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use git_orch::fanout::formatter::{Choice, Sources, Work, choose};
use git_orch::fanout::shard::{ARGUMENT_BYTES, By, Facts, labels, split};
use git_orch::model::RepoPath;

/// No file has two formatters, and every file is in exactly one shard.
pub fn check(bytes: &[u8]) {
    let (files, links) = repository(bytes);
    let tracked: Vec<RepoPath> = files.keys().cloned().collect();
    let sources = Sources {
        files: &tracked,
        links: &links,
        read: &|path| files.get(path).cloned(),
        find: &|program| (!program.contains('/')).then(|| PathBuf::from("/bin").join(program)),
    };
    formatted(&choose(sources, &|_| true), &tracked);
    for by in
        [By::About(3), By::Count(2), By::Count(usize::MAX), By::Directory, By::File, By::Package, By::Bytes]
    {
        sharded(&tracked, by);
    }
}

type Repository = (BTreeMap<RepoPath, Vec<u8>>, Vec<(RepoPath, Vec<u8>)>);

fn repository(bytes: &[u8]) -> Repository {
    let (mut files, mut links) = (BTreeMap::<RepoPath, Vec<u8>>::new(), Vec::new());
    let mut last = None;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let word = line.strip_suffix(b"\n").unwrap_or(line);
        if let Some(path) = word.strip_prefix(b"== ") {
            last = Some(RepoPath::from_bytes(path));
            files.insert(RepoPath::from_bytes(path), Vec::new());
        } else if let Some(link) = word.strip_prefix(b"-> ") {
            let space = link.iter().position(|byte| *byte == b' ').unwrap_or(link.len());
            links.push((RepoPath::from_bytes(&link[..space]), link[space..].trim_ascii().to_vec()));
        } else if let Some(content) = last.as_ref().and_then(|last| files.get_mut(last)) {
            content.extend_from_slice(line);
        }
    }
    (files, links)
}

fn formatted(choice: &Choice, tracked: &[RepoPath]) {
    let mut seen = BTreeSet::new();
    for formatter in &choice.chosen {
        let files: Vec<&RepoPath> = match &formatter.work {
            Work::Files(files) => files.iter().collect(),
            Work::Packages(packages) => packages.iter().flat_map(|package| &package.files).collect(),
        };
        assert!(!files.is_empty(), "{} has nothing to do", formatter.name);
        for file in files {
            assert!(tracked.contains(file) && seen.insert(file), "{file} in {}", formatter.name);
        }
    }
}

fn sharded(tracked: &[RepoPath], by: By) {
    let sizes = tracked.iter().map(|file| (file.clone(), file.as_bytes().len() as u64)).collect();
    let facts = Facts { sizes: &sizes, cores: 2, ..Facts::names(tracked) };
    let shards = split(tracked, by, facts);
    let mut all = shards.concat();
    all.sort();
    assert_eq!(all, tracked, "{by:?}");
    let names: BTreeSet<String> = labels(&shards).into_iter().collect();
    assert_eq!(names.len(), shards.len(), "{by:?} has a label twice");
    for shard in &shards {
        let size: usize = shard.iter().map(|file| "./".len() + file.as_bytes().len() + 1).sum();
        assert!(size < ARGUMENT_BYTES || shard.len() == 1, "{by:?}");
    }
}
