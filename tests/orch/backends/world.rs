//! A repository of some shape in a folder of its own, made by git alone: not
//! every shape can be made, or looked at afterwards, by git2.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use git_orch::error::Result;
use git_orch::git::{Git, Repo};
use tempfile::TempDir;

use super::shapes::{HISTORY, How};
use crate::support::output::Output;
use crate::support::{found, machine_path};

/// The plain repository, made once and copied for each shape; it goes with the last of them.
static PLAIN: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());

/// A folder with the repository `shape` in it.
pub(super) struct World {
    _folder: TempDir,
    top: PathBuf,
    /// Kept for the next.
    _plain: Option<Arc<TempDir>>,
    /// On a disk that is not that of the other.
    other_disk: Option<TempDir>,
    /// What programs find in their environment.
    environment: BTreeMap<OsString, OsString>,
    /// Where git-orch is called.
    folder: PathBuf,
}

impl World {
    /// A copy of the plain repository, under a git of this folder where one is named.
    pub(super) fn new(git: Option<&Path>) -> Self {
        let mut world = Self::empty(git);
        let plain = plain();
        copy(&plain.path().join("shape"), &world.top.join("shape"));
        world.environment.insert("GIT_TEMPLATE_DIR".into(), plain.path().join("template").into());
        world._plain = Some(plain);
        world.write("history", HISTORY);
        world.write("mine", "#!/bin/sh\ntouch \"$HOME/ran\"\n");
        let runs = fs::Permissions::from_mode(0o755);
        fs::set_permissions(world.top.join("mine"), runs).unwrap();
        world.folder = world.top.join("shape");
        world
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.top.join(name), text).unwrap();
    }

    fn empty(git: Option<&Path>) -> Self {
        let folder = TempDir::with_prefix("orch-").unwrap();
        let top = folder.path().canonicalize().unwrap();
        let programs = Path::new(env!("CARGO_BIN_EXE_git-orch")).parent().unwrap();
        let path = [programs].into_iter().chain(git).map(|folder| format!("{}:", folder.display()));
        let environment = [
            ("PATH", path.collect::<String>() + &machine_path()),
            ("HOME", top.display().to_string()),
            ("TMPDIR", top.display().to_string()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("GIT_TEST_FSYNC", "0".to_owned()),
            ("GIT_AUTHOR_DATE", "1700000100 +0000".to_owned()),
            ("GIT_COMMITTER_DATE", "1700000100 +0000".to_owned()),
            ("GIT_AUTHOR_NAME", "Ann".to_owned()),
            ("GIT_AUTHOR_EMAIL", "ann@x.example".to_owned()),
            ("GIT_COMMITTER_NAME", "Ann".to_owned()),
            ("GIT_COMMITTER_EMAIL", "ann@x.example".to_owned()),
        ];
        let environment = environment.map(|(key, value)| (key.into(), value.into())).into();
        let world =
            Self { _folder: folder, _plain: None, other_disk: None, environment, folder: top.clone(), top };
        world.write(".gitconfig", "[maintenance]\n\tauto = false\n[gc]\n\tauto = 0\n");
        world
    }

    /// Gives the repository its shape. The script's last line is the folder that
    /// git-orch is to be called in; before it stand variables that it is to find.
    pub(super) fn shape(&mut self, script: &str) -> Output {
        if script.contains("$OTHER_DISK") {
            let disk = TempDir::with_prefix_in("orch-", "/dev/shm").or_else(|_| TempDir::new()).unwrap();
            self.environment.insert("OTHER_DISK".into(), disk.path().into());
            self.other_disk = Some(disk);
        }
        // Of commands that are joined so, only the last one's failure would end a script.
        let output = self.try_run(&format!("{}\npwd", script.replace(" && ", "\n")));
        for line in output.stdout.lines().filter(|line| line.starts_with("GIT_")) {
            let (key, value) = line.split_once('=').unwrap();
            self.environment.insert(key.into(), value.into());
        }
        if output.exit == 0 {
            self.folder = output.stdout.lines().last().unwrap().into();
        }
        output
    }

    /// How a shape is read with the git here.
    pub(super) fn how(&self, how: &'static How) -> &'static How {
        let How::By(version, from_then, before) = how else { return how };
        let here = Git::find(&self.environment).unwrap().version().unwrap();
        if here >= *version { from_then } else { before }
    }

    /// The folder that holds everything.
    pub(super) fn top(&self) -> &Path {
        &self.top
    }

    /// Runs a script where git-orch is called, which must succeed.
    #[track_caller]
    pub(super) fn run(&self, script: &str) -> String {
        let output = self.try_run(script);
        assert_eq!(output.exit, 0, "{script}\n{output}");
        output.stdout
    }

    /// Runs a script where git-orch is called.
    #[expect(clippy::disallowed_methods, reason = "tests build repositories as a person would")]
    pub(super) fn try_run(&self, script: &str) -> Output {
        let mut command = Command::new(found("sh"));
        command.args(["-ec", script]).current_dir(&self.folder).env_clear().envs(&self.environment);
        Output::new(&command.output().unwrap(), &self.top)
    }

    /// The repository as one of the back ends reads it, or as the one that is chosen does.
    pub(super) fn open(&self, backend: Option<&str>) -> Result<Repo> {
        let mut environment = self.environment.clone();
        environment.extend(backend.map(|backend| ("GIT_ORCH_BACKEND".into(), backend.into())));
        Repo::discover(&self.folder, &environment)
    }
}

/// The plain repository, and a template for others without examples of hooks.
fn plain() -> Arc<TempDir> {
    let mut kept = PLAIN.lock().unwrap();
    kept.upgrade().unwrap_or_else(|| {
        let world = World::empty(None);
        world.run(&format!(
            "mkdir -p template/hooks template/info; git init -q -b main --template=$PWD/template shape; cd shape\n{HISTORY}\ngit repack -adq"
        ));
        let folder = Arc::new(world._folder);
        *kept = Arc::downgrade(&folder);
        folder
    })
}

/// Copies a repository; its packs are linked, as nobody writes in them.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (old, new) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy(&old, &new);
        } else if kind.is_symlink() {
            symlink(fs::read_link(old).unwrap(), new).unwrap();
        } else if from.ends_with("objects/pack") {
            fs::hard_link(old, new).unwrap();
        } else {
            fs::copy(old, new).unwrap();
        }
    }
}
