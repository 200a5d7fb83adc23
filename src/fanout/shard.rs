//! Splits files into shards.
//!
//! **Invariant:** every file is in exactly one shard, in an order that depends
//! on the files alone; no shard's arguments reach [`ARGUMENT_BYTES`].

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::model::path::ancestors;
use crate::model::wording::nearest;
use crate::model::{Name, PathSet, RepoPath};

/// Where a shard's arguments must end: what one `exec` takes everywhere.
pub const ARGUMENT_BYTES: usize = 128 * 1024;

/// Fewer files than this are not worth a worktree of their own.
const WORTHWHILE: usize = 16;

/// What a folder with one of these files is: a package.
const MANIFESTS: [&[u8]; 6] =
    [b"Cargo.toml", b"package.json", b"go.mod", b"pyproject.toml", b"pubspec.yaml", b"mix.exs"];

/// How files become shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// About so many shards, folders kept together where that stays balanced.
    About(usize),
    /// Exactly so many shards, as long as there are files enough.
    Count(usize),
    /// A shard for each folder that holds files.
    Directory,
    /// A shard for each file.
    File,
    /// A shard for each package: the nearest folder above with a manifest.
    Package,
    /// Neighbours together, in as many shards as are balanced, of about equal bytes.
    Bytes,
    /// Neighbours together, in about so many shards of about equal bytes.
    Parts(usize),
    /// A shard for each session that knows its files best, and one of what nobody knows.
    Owner,
    /// A shard for each pattern: a file is in that of the first it matches, the
    /// rest in one more.
    List,
}

/// What those who split by words, not numbers, can ask for.
const WORDS: [(&str, By); 6] = [
    ("directory", By::Directory),
    ("file", By::File),
    ("package", By::Package),
    ("bytes", By::Bytes),
    ("owner", By::Owner),
    ("list", By::List),
];

/// What there is to know of files where they are split.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// All there is, to find packages in.
    pub tracked: &'a [RepoPath],
    /// How many bytes a file has.
    pub sizes: &'a BTreeMap<RepoPath, u64>,
    /// Which session knows it best; none where nobody does.
    pub owners: &'a BTreeMap<RepoPath, Name>,
    /// Patterns, a shard each.
    pub lists: &'a [PathSet],
    /// How many shards run at once.
    pub cores: usize,
}

impl<'a> Facts<'a> {
    /// Nothing but the names of all files.
    pub fn names(tracked: &'a [RepoPath]) -> Self {
        let (sizes, owners) = (const { &BTreeMap::new() }, const { &BTreeMap::new() });
        Self { tracked, sizes, owners, lists: &[], cores: 1 }
    }
}

impl By {
    /// The balanced split for so many files on so many cores.
    pub fn balanced(files: usize, cores: usize) -> Self {
        Self::About(balanced(files, cores))
    }
}

fn balanced(files: usize, cores: usize) -> usize {
    let wanted = (cores * 4).max(files / 500);
    wanted.min(files.div_ceil(WORTHWHILE)).max(1)
}

/// Why a text names no way to split.
#[derive(Debug, PartialEq, Eq)]
pub struct NotASplit(String);

impl std::fmt::Display for NotASplit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotASplit {}

impl FromStr for By {
    type Err = NotASplit;

    fn from_str(text: &str) -> Result<Self, NotASplit> {
        if let Some((_, by)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*by);
        }
        match text.parse() {
            Ok(0) => Err(NotASplit("at least one shard is needed".to_owned())),
            Ok(count) => Ok(Self::Count(count)),
            Err(_) => {
                let near = nearest(text, WORDS.map(|(word, _)| word));
                let meant = near.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
                Err(NotASplit(format!("no way to split `{text}`{meant}")))
            }
        }
    }
}

/// Splits `files`.
pub fn split(files: &[RepoPath], by: By, facts: Facts<'_>) -> Vec<Vec<RepoPath>> {
    let mut files = files.to_vec();
    files.sort();
    files.dedup();
    let shards = match by {
        By::About(count) => balance(&files, files.len().div_ceil(count.max(1)).max(1)),
        By::Count(count) => evenly(&files, count.max(1)),
        By::Directory => grouped(&files, RepoPath::parent),
        By::File => files.into_iter().map(|file| vec![file]).collect(),
        By::Package => {
            let packages = packages(facts.tracked);
            grouped(&files, |file| nearest_package(file, &packages))
        }
        By::Bytes => by_bytes(&files, balanced(files.len(), facts.cores), facts.sizes),
        By::Parts(count) => by_bytes(&files, count.max(1), facts.sizes),
        By::Owner => grouped(&files, |file| facts.owners.get(file)),
        By::List => grouped(&files, |file| {
            facts.lists.iter().position(|list| list.contains(file)).unwrap_or(facts.lists.len())
        }),
    };
    shards.into_iter().flat_map(within_arguments).collect()
}

/// What people call each shard: what its files have in common, numbered where
/// several have the same in common.
pub fn labels(shards: &[Vec<RepoPath>]) -> Vec<String> {
    let plain: Vec<String> = shards.iter().map(|files| label(files)).collect();
    let mut seen: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for text in &plain {
        seen.entry(text).or_default().0 += 1;
    }
    let number = |text: &String| {
        let (of, so_far) = seen.get_mut(text.as_str()).expect("counted above");
        *so_far += 1;
        if *of == 1 { text.clone() } else { format!("{text} {so_far}/{of}") }
    };
    plain.iter().map(number).collect()
}

/// The folder that all of a shard's files are in, or its only file; two of its
/// folders where they have only the top in common.
fn label(files: &[RepoPath]) -> String {
    let (Some(first), Some(last)) = (files.first(), files.last()) else {
        return "nothing".to_owned();
    };
    if files.len() == 1 {
        return first.quoted();
    }
    let holds = |folder: &&[u8]| files.iter().all(|file| within(file.as_bytes(), folder));
    let common = first.ancestors().find(holds).unwrap_or_default();
    if !common.is_empty() {
        return RepoPath::from_bytes(common).quoted();
    }
    let head = |path: &RepoPath| {
        let bytes = path.as_bytes();
        let end = bytes.iter().position(|byte| *byte == b'/').unwrap_or(bytes.len());
        RepoPath::from_bytes(&bytes[..end]).quoted()
    };
    match (head(first), head(last)) {
        (first, last) if first == last => first,
        (first, last) => format!("{first} … {last}"),
    }
}

/// Whether `path` is `folder` or lies under it; everything lies under the top.
pub(super) fn within(path: &[u8], folder: &[u8]) -> bool {
    folder.is_empty()
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Neighbouring folders together up to `target` files; a folder with more is
/// divided at its subfolders, and its own files evenly.
fn balance(files: &[RepoPath], target: usize) -> Vec<Vec<RepoPath>> {
    let mut units: Vec<&[RepoPath]> = Vec::new();
    divide(files, 0, target, &mut units);
    let mut shards: Vec<Vec<RepoPath>> = Vec::new();
    for unit in units {
        match shards.last_mut() {
            Some(shard) if shard.len() + unit.len() <= target => shard.extend_from_slice(unit),
            _ => shards.push(unit.to_vec()),
        }
    }
    shards
}

/// Cuts sorted files that share their first `depth` bytes into runs of at most
/// `target` that no folder needlessly straddles.
fn divide<'a>(files: &'a [RepoPath], depth: usize, target: usize, units: &mut Vec<&'a [RepoPath]>) {
    if files.len() <= target {
        if !files.is_empty() {
            units.push(files);
        }
        return;
    }
    let mut rest = files;
    while let Some(first) = rest.first() {
        let folder = next_folder(first, depth);
        let same = |file: &RepoPath| next_folder(file, depth) == folder;
        let run = rest.iter().take_while(|file| same(file)).count();
        let (here, after) = rest.split_at(run);
        match folder {
            Some(folder) => divide(here, depth + folder.len(), target, units),
            None => units.extend(here.chunks(here.len().div_ceil(here.len().div_ceil(target)))),
        }
        rest = after;
    }
}

/// The next component with its slash, or `None` for a file right here.
fn next_folder(file: &RepoPath, depth: usize) -> Option<&[u8]> {
    let below = &file.as_bytes()[depth..];
    below.iter().position(|byte| *byte == b'/').map(|slash| &below[..=slash])
}

fn evenly(files: &[RepoPath], count: usize) -> Vec<Vec<RepoPath>> {
    let count = count.min(files.len());
    (0..count)
        .map(|index| files[files.len() * index / count..files.len() * (index + 1) / count].to_vec())
        .collect()
}

/// Cuts sorted files where so many equal parts of all their bytes begin.
fn by_bytes(files: &[RepoPath], count: usize, sizes: &BTreeMap<RepoPath, u64>) -> Vec<Vec<RepoPath>> {
    // An empty file is work too.
    let size = |file: &RepoPath| u128::from(sizes.get(file).copied().unwrap_or(0)) + 1;
    let sizes: Vec<u128> = files.iter().map(size).collect();
    let all: u128 = sizes.iter().sum();
    let mut shards: BTreeMap<u128, Vec<RepoPath>> = BTreeMap::new();
    let mut before = 0;
    for (file, size) in files.iter().zip(sizes) {
        // By its middle, so that a large file draws no neighbour along.
        let part = (2 * before + size) * count as u128 / (2 * all);
        shards.entry(part).or_default().push(file.clone());
        before += size;
    }
    shards.into_values().collect()
}

fn grouped<K: Ord>(files: &[RepoPath], key: impl Fn(&RepoPath) -> K) -> Vec<Vec<RepoPath>> {
    let mut groups: BTreeMap<K, Vec<RepoPath>> = BTreeMap::new();
    for file in files {
        groups.entry(key(file)).or_default().push(file.clone());
    }
    groups.into_values().collect()
}

/// The folders that are packages.
pub(super) fn packages(tracked: &[RepoPath]) -> std::collections::BTreeSet<RepoPath> {
    let manifest = |file: &&RepoPath| MANIFESTS.contains(&file.file_name());
    tracked.iter().filter(manifest).map(RepoPath::parent).collect()
}

/// The package that a file is in; the top where it is in none.
pub(super) fn nearest_package(file: &RepoPath, packages: &std::collections::BTreeSet<RepoPath>) -> RepoPath {
    ancestors(file.as_bytes())
        .map(RepoPath::from_bytes)
        .find(|folder| packages.contains(folder))
        .unwrap_or_default()
}

/// Cuts a shard so that no part's arguments reach the limit.
fn within_arguments(files: Vec<RepoPath>) -> Vec<Vec<RepoPath>> {
    let cost = |file: &RepoPath| "./".len() + file.as_bytes().len() + 1;
    let total: usize = files.iter().map(cost).sum();
    if total < ARGUMENT_BYTES {
        return vec![files];
    }
    let each = total.div_ceil(total / (ARGUMENT_BYTES - 8 * 1024) + 1);
    let mut parts: Vec<Vec<RepoPath>> = vec![Vec::new()];
    let mut so_far = 0;
    for file in files {
        let part = parts.last_mut().expect("never empty");
        if so_far + cost(&file) > each && !part.is_empty() {
            so_far = 0;
            parts.push(Vec::new());
        }
        so_far += cost(&file);
        parts.last_mut().expect("never empty").push(file);
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: Facts<'static> =
        Facts { tracked: &[], sizes: &BTreeMap::new(), owners: &BTreeMap::new(), lists: &[], cores: 1 };

    /// Pseudo-random trees, the same in every run.
    fn tree(seed: u64, count: usize) -> Vec<RepoPath> {
        let mut state = seed;
        let mut next = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut files: Vec<RepoPath> = (0..count)
            .map(|index| {
                let mut path = String::new();
                for _ in 0..next(5) {
                    path.push_str(&format!("d{}/", next(4)));
                }
                let odd = ["-x", " sp ace", "new\nline", "é", "f"][next(5) as usize];
                RepoPath::from(format!("{path}{odd}{index}").as_str())
            })
            .collect();
        files.push(RepoPath::from("a/Cargo.toml"));
        files.push(RepoPath::from_bytes(*b"d1/caf\xe9"));
        files
    }

    #[test]
    fn every_file_is_in_exactly_one_shard() {
        for seed in 0..40 {
            let files = tree(seed, (seed as usize * 37) % 500);
            let mut sorted = files.clone();
            sorted.sort();
            for by in [
                By::About(1),
                By::About(9),
                By::Count(7),
                By::Count(10_000),
                By::Directory,
                By::File,
                By::Package,
                By::Bytes,
                By::Owner,
            ] {
                let shards = split(&files, by, Facts::names(&files));
                let mut all = shards.concat();
                all.sort();
                assert_eq!(all, sorted, "{by:?} of tree {seed}");
                assert!(shards.iter().all(|shard| !shard.is_empty()));
                let mut reversed = files.clone();
                reversed.reverse();
                assert_eq!(split(&reversed, by, Facts::names(&files)), shards, "order of {by:?}");
            }
        }
    }

    #[test]
    fn a_balanced_split_has_about_the_number_and_no_fat_shard() {
        for seed in 0..40 {
            let files = tree(seed, 300);
            let shards = split(&files, By::About(8), NAMES);
            let target = files.len().div_ceil(8);
            assert!(shards.iter().all(|shard| shard.len() <= target), "tree {seed}");
            assert!(shards.len() >= 8 && shards.len() <= 17, "{} shards of tree {seed}", shards.len());
        }
    }

    #[test]
    fn a_folder_that_fits_stays_together() {
        let files: Vec<RepoPath> =
            ["a/1", "a/2", "b/1", "b/2", "b/3", "c/x/1", "c/x/2", "top"].map(RepoPath::from).into();
        let shards = split(&files, By::About(3), NAMES);
        assert_eq!(labels(&shards), ["a", "b", "c … top"]);
    }

    #[test]
    fn exactly_as_many_as_asked_for() {
        let files = tree(1, 98);
        for count in [1, 2, 7, 100] {
            assert_eq!(split(&files, By::Count(count), NAMES).len(), count);
        }
        assert_eq!(split(&files[..3], By::Count(8), NAMES).len(), 3);
        assert_eq!(split(&[], By::Count(8), NAMES).len(), 0);
    }

    #[test]
    fn packages_hold_their_own_files() {
        let tracked: Vec<RepoPath> = [
            "Cargo.toml",
            "src/a.rs",
            "x/Cargo.toml",
            "x/src/b.rs",
            "x/y/Cargo.toml",
            "x/y/c.rs",
            "x/z/d.rs",
        ]
        .map(RepoPath::from)
        .into();
        let files: Vec<RepoPath> =
            ["src/a.rs", "x/src/b.rs", "x/y/c.rs", "x/z/d.rs"].map(RepoPath::from).into();
        let shards = split(&files, By::Package, Facts::names(&tracked));
        let text: Vec<String> = shards.iter().map(|shard| format!("{shard:?}")).collect();
        assert_eq!(text, ["[src/a.rs]", "[x/src/b.rs, x/z/d.rs]", "[x/y/c.rs]"]);
    }

    #[test]
    fn equal_bytes_are_neighbours_that_weigh_about_the_same() {
        let files: Vec<RepoPath> = (0..96).map(|n| RepoPath::from(format!("d/{n:03}").as_str())).collect();
        // One file of half of all bytes.
        let size = |file: &RepoPath| if file.as_bytes() == b"d/010" { 9_500 } else { 100 };
        let sizes = files.iter().map(|file| (file.clone(), size(file))).collect();
        let shards = split(&files, By::Bytes, Facts { sizes: &sizes, cores: 2, ..NAMES });
        assert_eq!(shards.concat(), files);
        let weights: Vec<u64> = shards.iter().map(|shard| shard.iter().map(size).sum()).collect();
        let large = shards.iter().position(|shard| shard.iter().any(|file| size(file) > 100)).unwrap();
        let others: Vec<u64> =
            weights.iter().enumerate().filter(|(n, _)| *n != large).map(|(_, weight)| *weight).collect();
        assert!(weights[large] < 11_600, "{weights:?}");
        assert!(others.iter().all(|weight| *weight <= 3_300), "{weights:?}");
        // As many as a balanced split of so many files makes, but for those the large one takes.
        assert!((3..=6).contains(&shards.len()), "{weights:?}");
        assert_eq!(split(&files, By::Bytes, NAMES).len(), 4);
    }

    #[test]
    fn who_knows_files_best_gets_them_together() {
        let files = ["api/a", "api/b", "docs/x", "web/c"].map(RepoPath::from);
        let owners = [(0, "zoe"), (1, "zoe"), (3, "web")];
        let owners = owners.map(|(file, name)| (files[file].clone(), name.parse().unwrap())).into();
        let shards = split(&files, By::Owner, Facts { owners: &owners, ..NAMES });
        let [nobodys, web, zoes] = &shards[..] else { panic!("{shards:?}") };
        assert_eq!((nobodys, web, zoes), (&files[2..3].to_vec(), &files[3..].to_vec(), &files[..2].to_vec()));
    }

    #[test]
    fn a_file_is_with_the_first_pattern_that_it_matches() {
        let files = ["api/a", "api/b", "docs/x", "web/api/c"].map(RepoPath::from);
        let lists = ["**/api/**", "api/a", "web", "nothing"]
            .map(|pattern| PathSet::parse(&[pattern.to_owned()]).unwrap());
        let shards = split(&files, By::List, Facts { lists: &lists, ..NAMES });
        let [api, rest] = &shards[..] else { panic!("{shards:?}") };
        assert_eq!((api.len(), rest), (3, &files[2..3].to_vec()));
    }

    #[test]
    fn arguments_stay_below_the_limit() {
        let long = "n".repeat(200);
        let files: Vec<RepoPath> =
            (0..5_000).map(|index| RepoPath::from(format!("{long}/{index:05}").as_str())).collect();
        for by in [By::About(1), By::Count(2), By::Directory, By::Package] {
            let shards = split(&files, by, NAMES);
            assert!(shards.len() >= 8);
            for shard in &shards {
                let bytes: usize = shard.iter().map(|file| file.as_bytes().len() + 3).sum();
                assert!(bytes < ARGUMENT_BYTES, "{bytes}");
            }
        }
    }

    #[test]
    fn labels_tell_shards_apart() {
        let shard = |files: &[&str]| files.iter().map(|file| RepoPath::from(*file)).collect::<Vec<_>>();
        let shards = [
            shard(&["web/cart/a.ts", "web/cart/b/c.ts"]),
            shard(&["web/x.ts", "web/y.ts"]),
            shard(&["web/z.ts", "web/zz/z.ts"]),
            shard(&["one file"]),
            shard(&["a.ts", "web/b.ts"]),
        ];
        assert_eq!(labels(&shards), ["web/cart", "web 1/2", "web 2/2", "one file", "a.ts … web"]);
    }

    #[test]
    fn ways_to_split_are_read_from_text() {
        assert_eq!("directory".parse(), Ok(By::Directory));
        assert_eq!("8".parse(), Ok(By::Count(8)));
        assert_eq!(("bytes".parse(), "owner".parse()), (Ok(By::Bytes), Ok(By::Owner)));
        for (text, why) in [
            ("0", "at least one shard is needed"),
            ("dirctory", "no way to split `dirctory`; did you mean `directory`?"),
            ("-1", "no way to split `-1`"),
        ] {
            assert_eq!(text.parse::<By>().map_err(|error| error.to_string()), Err(why.to_owned()));
        }
    }

    #[test]
    fn a_small_job_gets_few_shards() {
        for (files, cores, shards) in [(0, 2, 1), (5, 8, 1), (40, 2, 3), (412, 2, 8), (10_000, 2, 20)] {
            assert_eq!(By::balanced(files, cores), By::About(shards), "{files} files on {cores} cores");
        }
    }

    fn any_files() -> impl Strategy<Value = Vec<RepoPath>> {
        let name = prop_oneof![Just("Cargo.toml".to_owned()), "[a-c \n-]{1,3}", "n{200}"];
        let path = proptest::collection::vec(name, 1..5).prop_map(|parts| parts.join("/"));
        proptest::collection::vec(path.prop_map(|path| RepoPath::from(path.as_str())), 0..20)
    }

    fn any_split() -> impl Strategy<Value = By> {
        prop_oneof![
            (0..9_usize).prop_map(By::About),
            prop_oneof![0..9_usize, Just(usize::MAX)].prop_map(By::Count),
            Just(By::Directory),
            Just(By::File),
            Just(By::Package),
            Just(By::Bytes),
            Just(By::Owner),
            Just(By::List),
            (0..9_usize).prop_map(By::Parts),
        ]
    }

    proptest! {
        #[test]
        fn shards_are_disjoint_and_whole_whatever_the_files(
            files in any_files(), by in any_split(), repeat in prop_oneof![9 => Just(1), 1 => Just(90_usize)],
        ) {
            let copy = |number: usize| move |file: &RepoPath| {
                RepoPath::from_bytes([file.as_bytes(), format!("/{number}").as_bytes()].concat())
            };
            let files: Vec<RepoPath> =
                (0..repeat).flat_map(|number| files.iter().map(copy(number)).collect::<Vec<_>>()).collect();
            let mut wanted = files.clone();
            wanted.sort();
            wanted.dedup();
            let shards = split(&files, by, Facts::names(&files));
            let mut all = shards.concat();
            all.sort();
            assert_eq!(all, wanted);
            assert_eq!(labels(&shards).len(), shards.len());
            for shard in &shards {
                let bytes: usize = shard.iter().map(|file| file.as_bytes().len() + 3).sum();
                assert!(!shard.is_empty() && bytes < ARGUMENT_BYTES, "{bytes}");
            }
        }
    }
}
