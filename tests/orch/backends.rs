//! The two ways of reading a repository give equal answers, on every shape
//! that both can read; the shapes that git2 can't read go through git itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use git_orch::git::mine::{Miner, Span};
use git_orch::git::{Backend, Repo};
use git_orch::model::{Oid, RepoPath};

/// How a repository is made from the plain one, and how it is read then.
type Shape = (&'static str, &'static str, Backend);

const SHAPES: &[Shape] = &[
    ("plain", "", Backend::Library),
    ("detached HEAD", "git checkout -q --detach HEAD~1", Backend::Library),
    ("packed", "git gc -q && git pack-refs --all", Backend::Library),
    (
        "commit graph, multi-pack index",
        "git gc -q && git commit-graph write --reachable 2>&1 && git multi-pack-index write --no-progress",
        Backend::Library,
    ),
    ("index v4", "git update-index --index-version 4", Backend::Library),
    ("split index", "git update-index --split-index", Backend::Library),
    ("sparse checkout", "git sparse-checkout set --cone src", Backend::Library),
    ("sparse index", "git sparse-checkout set --cone --sparse-index src", Backend::Library),
    ("worktree config", "git config extensions.worktreeConfig true", Backend::Library),
    (
        "precious objects",
        "git config core.repositoryFormatVersion 1 && git config extensions.preciousObjects true",
        Backend::Library,
    ),
    ("linked worktree", "git worktree add -q -b side ../shape.side && cd ../shape.side", Backend::Library),
    (
        "in the middle of a merge",
        "git checkout -q -b other HEAD~1 && echo x > src/api/login.rs && git commit -qam other && ! git merge -q main >&2",
        Backend::Library,
    ),
    ("alternates", "git clone -q --shared . ../shape.clone && cd ../shape.clone", Backend::Library),
    (
        "shallow clone",
        "git clone -q --depth 3 \"file://$PWD\" ../shape.clone && cd ../shape.clone",
        Backend::Library,
    ),
    ("stale locks", "touch .git/index.lock .git/packed-refs.lock", Backend::Library),
    ("corrupt loose ref", "echo nonsense > .git/refs/heads/broken", Backend::Library),
    ("replace refs", "git replace HEAD~1 HEAD~3", Backend::Child),
    ("packed replace refs", "git replace HEAD~1 HEAD~3 && git pack-refs --all", Backend::Child),
    ("grafts", "git rev-parse HEAD~2 > .git/info/grafts", Backend::Child),
    (
        "partial clone",
        "git config uploadpack.allowFilter true && git clone -q --filter=blob:none \"file://$PWD\" ../shape.clone && cd ../shape.clone",
        Backend::Child,
    ),
    (
        "treeless clone",
        "git config uploadpack.allowFilter true && git clone -q --filter=tree:0 \"file://$PWD\" ../shape.clone && cd ../shape.clone",
        Backend::Child,
    ),
];

/// Made from nothing, as a format can't be changed later.
const FORMATS: &[(&str, &str)] =
    &[("SHA-256", "--object-format=sha256"), ("reftable", "--ref-format=reftable")];

#[test]
fn both_back_ends_give_equal_answers_on_every_shape_that_git2_reads() {
    compare_shapes(Backend::Library);
}

#[test]
fn what_git2_would_read_otherwise_is_read_by_git() {
    compare_shapes(Backend::Child);
}

fn compare_shapes(wanted: Backend) {
    for (name, script, backend) in SHAPES.iter().filter(|(_, _, backend)| *backend == wanted) {
        let world = World::new("");
        let folder = world.run(&format!("{script}\npwd"));
        world.compare(name, Path::new(folder.lines().last().unwrap()), *backend);
    }
}

#[test]
fn formats_that_git2_does_not_know_are_read_by_git() {
    for (name, option) in FORMATS {
        let world = World::new(option);
        if world.was_refused {
            // Only a git that is too old for the format may refuse it.
            let git = git_orch::git::Git::find(&world.environment).unwrap();
            assert!(git.version().unwrap() < (2, 45), "{name} must be read with this git");
            eprintln!("skipped: this git does not know {name}");
            continue;
        }
        let folder = world.run("pwd");
        world.compare(name, Path::new(folder.lines().last().unwrap()), Backend::Child);
    }
}

/// The plain repository, made once and copied for each shape.
static PLAIN: OnceLock<tempfile::TempDir> = OnceLock::new();

struct World {
    top: tempfile::TempDir,
    environment: BTreeMap<OsString, OsString>,
    was_refused: bool,
}

impl World {
    fn new(option: &str) -> Self {
        let top = tempfile::tempdir().unwrap();
        let mut environment: BTreeMap<OsString, OsString> = BTreeMap::new();
        for (key, value) in std::env::vars_os().filter(|(key, _)| key == "PATH") {
            environment.insert(key, value);
        }
        for (key, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "Ann"),
            ("GIT_AUTHOR_EMAIL", "ann@x.example"),
            ("GIT_COMMITTER_NAME", "Ann"),
            ("GIT_COMMITTER_EMAIL", "ann@x.example"),
        ] {
            environment.insert(key.into(), value.into());
        }
        environment.insert("HOME".into(), top.path().into());
        let mut world = Self { top, environment, was_refused: false };
        let init = format!("git init -q -b main {option} shape 2>/dev/null");
        world.was_refused = !world.command(world.top.path(), &init).output().unwrap().status.success();
        if world.was_refused {
            return world;
        }
        if option.is_empty() {
            let plain = PLAIN.get_or_init(|| {
                let plain = tempfile::tempdir().unwrap();
                world.run(HISTORY);
                world.run(&format!("cp -a . {}/shape", plain.path().display()));
                plain
            });
            world.run(&format!("rm -rf ../shape && cp -a {}/shape ..", plain.path().display()));
        } else {
            world.run(HISTORY);
        }
        world
    }

    fn repository(&self) -> PathBuf {
        self.top.path().join("shape")
    }

    #[expect(clippy::disallowed_methods, reason = "tests build repositories as a person would")]
    fn command(&self, folder: &Path, script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-ec", script]).current_dir(folder).env_clear().envs(&self.environment);
        command
    }

    fn run(&self, script: &str) -> String {
        let output = self.command(&self.repository(), script).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn open(&self, folder: &Path, backend: Option<&str>) -> git_orch::error::Result<Repo> {
        let mut environment = self.environment.clone();
        environment.extend(backend.map(|backend| ("GIT_ORCH_BACKEND".into(), backend.into())));
        Repo::discover(folder, &environment)
    }

    fn compare(&self, name: &str, folder: &Path, backend: Backend) {
        let chosen = self.open(folder, None).unwrap();
        assert_eq!(chosen.backend(), backend, "{name}");
        let child = self.open(folder, Some("cli")).unwrap();
        assert_eq!(child.place(), chosen.place(), "{name}");
        let (ours, theirs) = (answers(&chosen), answers(&child));
        assert_eq!(ours, theirs, "{name}");
        assert!(ours.contains("src/api/login.rs"), "{name}: {ours}");
        if backend == Backend::Child {
            let refused = self.open(folder, Some("git2")).unwrap_err().to_string();
            assert_eq!(refused, "git2 can't read this repository", "{name}");
        }
    }
}

/// Everything that can be read, as text.
fn answers(repo: &Repo) -> String {
    let read = repo.read();
    let mut lines = vec![format!("head {:?}", read.head().unwrap())];
    let refs = read.refs("refs/").unwrap();
    lines.extend(
        refs.iter().map(|(name, oid)| format!("ref {name} {oid} {:?}", read.find_ref(name).unwrap())),
    );
    lines.push(format!("missing {:?}", read.find_ref("refs/heads/none").unwrap()));
    let tip = read.head().unwrap().oid().unwrap();
    let commits = read.commits_between(&[], tip).unwrap();
    for oid in &commits {
        let commit = read.commit(*oid).unwrap();
        let parent = commit.parents.first().map(|parent| read.commit(*parent).unwrap());
        lines.push(format!("{commit:?}"));
        if parent.as_ref().is_some_and(|parent| parent.tree == commit.tree) {
            continue;
        }
        lines.push(format!("  {:?}", read.tree(commit.tree).unwrap()));
        lines.push(format!("  {:?}", read.tracked(commit.tree).unwrap()));
        lines.push(format!("  {:?}", read.changes(parent.map(|parent| parent.tree), commit.tree).unwrap()));
        lines.push(format!(
            "  {:?} {:?}",
            read.ahead_behind(tip, *oid).unwrap(),
            read.merge_base(tip, *oid).unwrap()
        ));
    }
    let tracked = read.tracked(read.commit(tip).unwrap().tree).unwrap();
    // What a partial clone lacks has no size, and is not fetched for it.
    let blobs: Vec<Oid> = tracked
        .iter()
        .map(|entry| entry.oid)
        .chain(["1".repeat(tip.to_string().len()).parse().unwrap()])
        .collect();
    lines.push(format!("sizes {:?}", read.sizes(&blobs).unwrap()));
    let wanted: Vec<(Oid, &str)> =
        ["src/api/login.rs", "none", "src", "odd \"name\"\n"].map(|path| (tip, path)).into();
    lines.push(format!("files {:?}", read.files(&wanted).unwrap()));
    let span = Span { tips: &[tip], hide: &commits[..1], horizon: 100 };
    let mut mined = Vec::new();
    let unreached = Miner::of(repo).mine(&span, &mut mined, &|_| {}).unwrap();
    lines.push(format!("mined {mined:?} {unreached:?} {:?}", Miner::of(repo).files(tip).unwrap()));
    lines.push(format!("named {:?}", Miner::of(repo).mine_commits(&commits[..1]).unwrap()));
    lines.push(format!("worktrees {:?}", git_orch::git::worktree::list(repo).unwrap()));
    let blob = repo.write().write_blob(b"same in both").unwrap();
    let entry =
        git_orch::git::Entry { name: RepoPath::from("f"), kind: git_orch::git::EntryKind::File, oid: blob };
    let tree = repo.write().write_tree(&[entry]).unwrap();
    let record =
        repo.write().write_record(tree, &[tip], "record", git_orch::model::Time(1_700_000_000)).unwrap();
    lines.push(format!("written {blob} {tree} {record}"));
    lines.join("\n")
}

const HISTORY: &str = r#"
n=0
commit() { n=$((n + 1)); git add -A; GIT_AUTHOR_DATE="$((1700000000 + n)) +0100" GIT_COMMITTER_DATE="$((1700000000 + n)) -0200" git commit -q "$@"; }
mkdir -p src/api src/web docs
echo 1 > src/api/login.rs; echo 1 > src/web/cart.rs; commit -m 'first: files'
printf 'x' > 'odd "name"
'; printf 'y' > "$(printf 'caf\351')"; echo z > ' -rf'; commit -m 'odd names' -m 'with a body
and a second line'
echo 2 >> src/api/login.rs; ln -s api/login.rs src/link; chmod +x src/web/cart.rs; commit -m 'a link, a mode'
rm src/link; mkdir src/link; echo 3 > src/link/file; commit -m 'a link becomes a folder'
git checkout -q -b topic HEAD~1; echo 4 > docs/guide.md; commit -m 'docs: a guide'
git checkout -q main; git merge -q --no-ff -m 'merge topic' topic
git rm -q docs/guide.md; commit --allow-empty-message -m ''
git tag -a v1 -m v1; git update-ref refs/orch/task/x HEAD; echo 5 >> src/api/login.rs; commit -m 'api: last'
git symbolic-ref refs/remotes/origin/HEAD refs/heads/main
"#;
