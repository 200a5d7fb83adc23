//! A repository to run `git orch` in, sealed off from the machine.
//!
//! **Invariant:** no test reads or writes the developer's home, configuration
//! or environment, but for `PATH`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use git2::{Oid, Repository, RepositoryInitOptions, Signature};
use tempfile::TempDir;

use super::call::{Call, without_agents};
use super::output::Output;
use super::snapshot::Snapshot;
use super::template::Template;

/// The moment at which every test happens, in seconds since the epoch.
pub(crate) const NOW: i64 = 1_700_500_000;

/// A moment this many days before [`NOW`].
pub(crate) fn days_ago(days: i64) -> i64 {
    NOW - days * 86_400
}

/// A repository `shop` in a folder of its own, beside `home`, `tmp` and `agents`.
pub(crate) struct TestRepo {
    _folder: TempDir,
    top: PathBuf,
    repository: Repository,
}

impl TestRepo {
    /// A repository on `main` with three commits by two people.
    pub(crate) fn new() -> Self {
        static TEMPLATE: OnceLock<Template> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| Self::with_commits().template());
        let repo = Self::made(|shop| template.copy(shop));
        let mut index = repo.repository.index().unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        repo
    }

    fn with_commits() -> Self {
        let repo = Self::unborn();
        repo.commit(&[("README.md", "# shop\n")], "readme: say hello", "Ann", days_ago(30));
        let api = [("src/api/login.rs", "fn login() {}\n"), ("src/api/cart.rs", "fn cart() {}\n")];
        repo.commit(&api, "api: login and cart", "Ann", days_ago(20));
        let web = [("src/web/login.ts", "login()\n"), ("src/web/cart.ts", "cart()\n")];
        repo.commit(&web, "web: login and cart", "Ben", days_ago(10));
        repo
    }

    /// What is in the repository's directory, objects in one pack.
    fn template(&self) -> Template {
        let mut pack = self.repository.packbuilder().unwrap();
        let mut walk = self.repository.revwalk().unwrap();
        walk.push_head().unwrap();
        pack.insert_walk(&mut walk).unwrap();
        pack.write(&self.path(".git/objects/pack"), 0o444).unwrap();
        for entry in fs::read_dir(self.path(".git/objects")).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().len() == 2 {
                fs::remove_dir_all(entry.path()).unwrap();
            }
        }
        Template::of(&self.path(""))
    }

    /// A repository on `main` without a commit.
    pub(crate) fn unborn() -> Self {
        Self::made(|shop| {
            let mut options = RepositoryInitOptions::new();
            options.initial_head("main").external_template(false);
            let repository = Repository::init_opts(shop, &options).unwrap();
            repository.config().unwrap().set_bool("core.autocrlf", false).unwrap();
        })
    }

    fn made(make: impl FnOnce(&Path)) -> Self {
        let folder = TempDir::with_prefix_in("orch-", room()).unwrap();
        let top = folder.path().canonicalize().unwrap();
        for directory in ["home", "tmp", "shop"] {
            fs::create_dir(top.join(directory)).unwrap();
        }
        let identity = "[user]\n\tname = Test\n\temail = test@example.com\n\tuseConfigOnly = true\n";
        fs::write(top.join("home/.gitconfig"), identity).unwrap();
        // What it needs there is made before anything is compared.
        without_agents(&top);
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/agents");
        std::os::unix::fs::symlink(fixtures, top.join("agents")).unwrap();
        make(&top.join("shop"));
        let repository = Repository::open(top.join("shop")).unwrap();
        Self { _folder: folder, top, repository }
    }

    /// The folder that holds everything, shown as `$TMP`.
    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// The path of something in the repository's directory.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.top.join("shop").join(inside)
    }

    /// The path of a session's worktree.
    pub(crate) fn worktree(&self, session: &str) -> PathBuf {
        self.top.join("shop.orch").join(session)
    }

    /// The path of a script of `fixtures/agents/`, as an argument.
    pub(crate) fn agent(&self, script: &str) -> String {
        self.top.join("agents").join(script).display().to_string()
    }

    /// Writes a file of the repository's directory and leaves it uncommitted.
    pub(crate) fn write(&self, path: &str, content: &str) {
        write(&self.path(path), content);
    }

    /// A folder for the `PATH` whose git says that it is of this version.
    pub(crate) fn git_of_version(&self, version: &str) -> PathBuf {
        let script = format!(
            r#"mkdir ../git && cat >../git/git <<EOF && chmod +x ../git/git
#!/bin/sh
for argument; do [ "\$argument" = --version ] && echo git version {version} && exit; done
PATH="$PATH" exec git "\$@"
EOF"#
        );
        self.shell(&script).run().expect("exit 0");
        self.top.join("git")
    }

    /// Reads a file below the top folder.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.top.join(path)).unwrap()
    }

    /// Commits files on the branch that is checked out; the e-mail address follows from the author's name.
    pub(crate) fn commit(&self, files: &[(&str, &str)], message: &str, author: &str, time: i64) -> Oid {
        let mut index = self.repository.index().unwrap();
        for (path, content) in files {
            self.write(path, content);
            index.add_path(Path::new(path)).unwrap();
        }
        index.write().unwrap();
        let tree = self.repository.find_tree(index.write_tree().unwrap()).unwrap();
        let address = format!("{}@example.com", author.to_lowercase());
        let who = Signature::new(author, &address, &git2::Time::new(time, 0)).unwrap();
        let parent = self.repository.head().ok().map(|head| head.peel_to_commit().unwrap());
        let parents: Vec<_> = parent.iter().collect();
        self.repository.commit(Some("HEAD"), &who, &who, message, &tree, &parents).unwrap()
    }

    /// Runs git in the repository's directory, which must succeed; what it printed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Call::new(self, "git", arguments).changing_checkout().run();
        assert_eq!(output.exit, 0, "git {}\n{output}", arguments.join(" "));
        output.stdout
    }

    /// Runs `git-orch` in the repository's directory.
    pub(crate) fn orch(&self, arguments: &[&str]) -> Output {
        self.call(arguments).run()
    }

    /// A run of `git-orch` that is still to be given an environment, a directory or input.
    pub(crate) fn call(&self, arguments: &[&str]) -> Call<'_> {
        Call::new(self, env!("CARGO_BIN_EXE_git-orch"), arguments)
    }

    /// A run of a shell script, `git orch` on its `PATH`.
    pub(crate) fn shell(&self, script: &str) -> Call<'_> {
        Call::new(self, "sh", &["-c", script])
    }

    /// All refs but the operation log, one a line, each with the subject of its commit.
    pub(crate) fn refs(&self) -> Output {
        self.shell("git for-each-ref --format='%(refname) %(subject)' | grep -v ^refs/orch/op").run()
    }

    /// What no command may change that does not name it: the checkout as its owner sees it.
    pub(crate) fn checkout(&self) -> Snapshot {
        Snapshot::of_checkout(&self.top, &self.repository)
    }

    /// The checkout, every ref and every file outside `.git`.
    pub(crate) fn everything(&self) -> Snapshot {
        Snapshot::of_everything(&self.top, &self.repository)
    }
}

/// Writes a file, its folders too.
/// Where repositories of tests lie: in memory, where there is enough of it and
/// `TMPDIR` does not say otherwise. A worn disk takes most of their time.
fn room() -> &'static Path {
    static ROOM: OnceLock<PathBuf> = OnceLock::new();
    ROOM.get_or_init(|| {
        let (memory, enough) = ("/dev/shm", 2 << 30);
        let free = rustix::fs::statvfs(memory).map_or(0, |disk| disk.f_bavail * disk.f_frsize);
        let is_told = std::env::vars_os().any(|(key, _)| key == "TMPDIR");
        let is_writable = || TempDir::with_prefix_in("orch-", memory).is_ok();
        if !is_told && free >= enough && is_writable() { memory.into() } else { std::env::temp_dir() }
    })
}

fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The tree that a script makes of `HEAD` when it is run once, on everything.
pub(crate) fn serial_tree(repo: &TestRepo, script: &str) -> String {
    let serial = format!(
        "git clone -q . ../serial && cd ../serial && {{ {script}; }} >/dev/null && git add -A && git write-tree"
    );
    let output = repo.shell(&serial).changing_checkout().run();
    assert_eq!(output.exit, 0, "{output}");
    output.stdout
}
