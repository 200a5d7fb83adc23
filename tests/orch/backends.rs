//! Whatever the shape of a repository: git2 and git give equal answers about it,
//! or git alone is asked and answers as about a plain one, or it is refused with
//! a reason.

mod answers;
mod rounds;
mod shapes;
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use git_orch::git::{Backend, Repo};

use crate::support::output::Output;
use crate::support::{TestRepo, expect_refusal, gits, mounting, skip};
use answers::{Extent, anonymous, answers, figures};
use shapes::{How, LARGE, SHAPES, Shape};
use world::World;

/// How many shapes there are to be.
const COUNT: usize = 77;

#[test]
fn every_shape_is_in_the_table() {
    let mut numbers: Vec<usize> =
        SHAPES.iter().map(|shape| shape.0).chain(LARGE.iter().map(|large| large.0)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (1..=COUNT).collect::<Vec<_>>());
    let mut names: Vec<&str> = SHAPES.iter().map(|shape| shape.1).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SHAPES.len());
}

/// Of so many shapes the first tier reads one; the second reads all, in full.
const SAMPLED: usize = 3;

#[test]
fn shapes_are_read_alike_or_refused_with_a_reason() {
    each_shape(SAMPLED, |shape| read(shape, None, Extent::Tip));
}

#[test]
#[ignore = "second tier: everything is asked, of every git of this machine"]
fn second_tier_every_shape_is_read_alike_in_full_under_any_git() {
    let repo = TestRepo::new();
    for git in gits(&repo) {
        each_shape(1, |shape| read(shape, Some(&git), Extent::Whole));
    }
}

#[test]
#[ignore = "second tier: takes a minute"]
fn second_tier_a_round_of_work_succeeds_in_every_shape() {
    each_shape(1, rounds::play);
}

#[test]
#[ignore = "second tier: takes minutes"]
fn second_tier_large_repositories_are_read_alike() {
    for (_, name, make) in LARGE {
        let mut world = World::new(None);
        world.shape(make).expect_success();
        let [git2, cli] =
            ["git2", "cli"].map(|backend| figures(&world.open(Some(backend)).unwrap()).unwrap());
        assert_eq!(git2, cli, "{name}");
    }
}

#[test]
#[ignore = "second tier: needs to mount a disk"]
fn second_tier_a_disk_that_cannot_be_written_is_read_alike() {
    let repo = TestRepo::new();
    let script = "mkdir ../small; mount -t tmpfs tmpfs ../small; cp -r ../shop ../small; cd ../small/shop
        git-orch add-session old --paths src -q >/dev/null; git-orch sessions >/dev/null; mount -o remount,ro ..
        for ask in 'sessions --json' 'route login --import authors --why --json' 'config' 'tasks --json'; do
            for backend in git2 cli; do GIT_ORCH_BACKEND=$backend git-orch $ask >../../tmp/$backend 2>&1 || cat ../../tmp/$backend; done
            cmp ../../tmp/git2 ../../tmp/cli
        done
        for backend in git2 cli; do GIT_ORCH_BACKEND=$backend git-orch add-session a --paths src -q 2>&1 || echo $?; done";
    let Some(output) = mounting(&repo, script) else {
        let is_ci = std::env::vars_os().any(|(key, _)| key == "CI");
        return assert!(!is_ci, "this user may not mount a disk");
    };
    output.expect(
        "
        exit 0
        -- stdout
        error: could not open `$TMP/small/shop/.git/orch/run/land.lock`: Read-only file system (os error 30)
        4
        error: could not open `$TMP/small/shop/.git/orch/run/land.lock`: Read-only file system (os error 30)
        4
        ",
    );
}

/// Does something with one shape of so many, two at a time, and tells of all that fail.
fn each_shape(of: usize, does: impl Fn(&'static Shape) + Sync + std::panic::RefUnwindSafe) {
    let _keeps_the_plain_one = World::new(None);
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    let work = || {
        while let Some(shape) = SHAPES.get(next.fetch_add(of, Ordering::Relaxed)) {
            if let Err(why) = std::panic::catch_unwind(|| does(shape)) {
                let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
                failed.lock().unwrap().push(format!("{}: {why}", shape.1));
            }
        }
    };
    std::thread::scope(|scope| [scope.spawn(work), scope.spawn(work)].map(drop));
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} shapes\n{}", failed.len(), failed.join("\n\n"));
}

fn read((_, _, make, how): &'static Shape, git: Option<&Path>, extent: Extent) {
    let mut world = World::new(git);
    let (how, made) = (world.how(how), world.shape(make));
    if let How::Unmade = how {
        return assert_ne!(made.exit, 0, "{made}");
    }
    if is_beyond(&made, make) {
        return;
    }
    match how {
        How::Both => compare(&world, extent),
        How::Git(like) => compare_with_another(&world, like, git, extent),
        How::Refused(message, hints) => refuse(&world, message, hints),
        How::By(..) | How::Unmade | How::Mounted => {}
    }
    assert!(!world.top().join("ran").exists(), "something ran that must not");
}

/// What some shapes need of the machine and of who runs the tests.
const NEEDS: &[(&str, &str)] =
    &[("chown", "to be root"), ("$OTHER_DISK", "another disk at /dev/shm than for temporary files")];

/// Whether a shape can't be made for want of what it needs; in continuous
/// integration nothing may be wanting.
fn is_beyond(made: &Output, make: &str) -> bool {
    let is_ci = std::env::vars_os().any(|(key, _)| key == "CI");
    match NEEDS.iter().find(|(word, _)| make.contains(word)) {
        Some((_, need)) if made.exit != 0 && !is_ci => skip(&format!("a shape that needs {need}")),
        _ => made.expect_success(),
    }
    made.exit != 0
}

fn compare(world: &World, extent: Extent) {
    let [chosen, git2, cli] = [None, Some("git2"), Some("cli")].map(|backend| world.open(backend).unwrap());
    let backends = [&chosen, &git2, &cli].map(|repo| repo.backend());
    assert_eq!(backends, [Backend::Library, Backend::Library, Backend::Child]);
    assert_eq!(git2.place(), cli.place());
    same(&answers(&git2, extent), &answers(&cli, extent));
}

fn compare_with_another(world: &World, like: &'static str, git: Option<&Path>, extent: Extent) {
    let chosen = world.open(None).unwrap();
    assert_eq!(chosen.backend(), Backend::Child);
    let refused = world.open(Some("git2")).map(|repo| repo.backend());
    let is_told = refused.as_ref().is_ok_and(|backend| *backend == Backend::Child);
    assert!(is_told || refused.is_err_and(|error| error.message == "git2 can't read this repository"));
    let other = other(like, git, extent);
    same(&other.answers, &nameless(world, &chosen, extent, other.is_clone));
}

/// What is to be answered about a repository that git2 can't read.
#[derive(Clone)]
struct Other {
    answers: String,
    is_clone: bool,
}

/// The answers about what this script makes of the plain repository; several shapes ask for the same.
fn other(like: &'static str, git: Option<&Path>, extent: Extent) -> Other {
    type Key = (&'static str, Option<PathBuf>, Extent);
    static KNOWN: Mutex<BTreeMap<Key, Other>> = Mutex::new(BTreeMap::new());
    let key = (like, git.map(Path::to_owned), extent);
    if let Some(known) = KNOWN.lock().unwrap().get(&key) {
        return known.clone();
    }
    let mut world = World::new(git);
    let made = world.shape(like);
    assert_eq!(made.exit, 0, "{made}");
    let repo = world.open(None).unwrap();
    let is_of_git_alone = repo.read().head().unwrap().oid().unwrap().to_string().len() == 64;
    assert_eq!(repo.backend(), if is_of_git_alone { Backend::Child } else { Backend::Library });
    let is_clone = world.top().join("shape.clone").exists();
    let other = Other { answers: nameless(&world, &repo, extent, is_clone), is_clone };
    KNOWN.lock().unwrap().insert(key, other.clone());
    other
}

/// Answers without ids and places; a worktree that was moved is still known by its old place.
fn nameless(world: &World, repo: &Repo, extent: Extent, is_clone: bool) -> String {
    let text =
        answers(repo, extent).replace("/moved", "/side").replace(&world.top().display().to_string(), "$TOP");
    let text = anonymous(&text.replace(&repo_folder(repo, world), "$HERE"));
    // What a partial clone lacks has no size, and an older git can't tell what that is.
    let is_told = |line: &&str| !(is_clone && line.starts_with("\"sizes\""));
    text.lines().filter(is_told).collect::<Vec<_>>().join("\n")
}

/// Where a repository lies.
fn repo_folder(repo: &Repo, world: &World) -> String {
    let folder = repo.place().work_tree.as_ref().unwrap_or(&repo.place().common_dir);
    format!("$TOP/{}", folder.strip_prefix(world.top()).unwrap().display()).replace("/moved", "/side")
}

fn refuse(world: &World, message: &str, hints: &[&str]) {
    for backend in ["git2", "cli"] {
        let output = world.try_run(&format!("GIT_ORCH_BACKEND={backend} git-orch sessions"));
        expect_refusal(&output, 4, message, hints, backend);
    }
}

#[track_caller]
fn same(one: &str, two: &str) {
    let differs = one.lines().zip(two.lines()).find(|(one, two)| one != two);
    let differs = differs.map(|(one, two)| {
        let at = one.bytes().zip(two.bytes()).position(|(one, two)| one != two).unwrap_or(0);
        let from = one.floor_char_boundary(at.saturating_sub(300));
        (
            &one[from..one.floor_char_boundary(at + 200)],
            &two[from.min(two.len())..two.floor_char_boundary(at + 200)],
        )
    });
    assert!(one == two, "{differs:?}");
}

#[test]
fn a_base_that_stands_for_another_branch_lands_where_that_is_checked_out() {
    let world = World::new(None);
    let output = world.try_run(
        "git branch -q -m main master; git symbolic-ref refs/heads/main refs/heads/master
        git-orch add-session api --paths src/api --base main -q >/dev/null
        git-orch task 'fix login' -q -- sh -c 'echo fixed >>src/api/login.rs'
        git-orch merge -q >/dev/null
        git status --porcelain; git symbolic-ref HEAD; tail -n 1 src/api/login.rs",
    );
    output.expect("exit 0\n-- stdout\nreview/fix-login\nrefs/heads/master\nfixed\n");
}

#[test]
fn settings_are_those_of_git_whoever_reads_them() {
    let _keeps_the_plain_one = World::new(None);
    for (name, script) in [
        ("plain", "git config orch.base plain"),
        ("included", "git config include.path ../../more"),
        ("by folder", "git config includeIf.gitdir:shape/.path ../../more"),
        ("by branch", "git config includeIf.onbranch:main.path ../../more"),
        (
            "by remote",
            "git config includeIf.hasconfig:remote.*.url:x.path ../../more; git config remote.x.url x",
        ),
        ("of the worktree", "git config extensions.worktreeConfig true; git config --worktree orch.base own"),
        (
            "of no worktree",
            "git config orch.base plain; printf '[orch]\\n\\tbase = own' >.git/config.worktree",
        ),
    ] {
        let world = World::new(None);
        world.run(&format!("git config --file ../more orch.base more; {script}"));
        let wanted = world.run("git config orch.base");
        for backend in ["git2", "cli"] {
            let told = world.run(&format!(
                "unset GIT_CONFIG_NOSYSTEM; GIT_ORCH_BACKEND={backend} git-orch config --json"
            ));
            let base = format!("\"value\":\"{}\"", wanted.trim());
            assert!(told.contains(&base), "{name}, {backend}: {wanted}{told}");
        }
    }
}
