//! A folder with a repository, sealed off from the machine, that is brought
//! back to the same path as often as needed.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::processes;

/// The moment at which everything happens, in seconds since the epoch.
const NOW: i64 = 1_700_500_000;
/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What every script begins with.
const WORDS: &str = concat!(
    r#"
set -eu
not() { ! "$@" || exit 1; }
state() { git-orch show "$1" --json 2>/dev/null | grep -o '"state":"[a-z]*"' | head -n 1 | cut -d '"' -f 4; }
# A remote and a trusted engine `here`, whose other machine has the folder `node`.
elsewhere() {
    git init -q --bare ../hub.git; git remote add origin "$(dirname "$PWD")/hub.git"
    mkdir ../node; [ -e .orch.yml ] || echo 'version: 1' >.orch.yml
    here="sh "#,
    env!("CARGO_MANIFEST_DIR"),
    r#"/fixtures/engines/here"
    printf 'engines:\n  here: { submit: %s, poll: %s, cancel: %s }\n' "$here submit" "$here poll \"\$1\"" \
        "$here cancel \"\$1\"" >>.orch.yml
    git-orch -q trust --yes
}
"#
);

/// The folder of one worker.
pub(crate) struct Place {
    folder: PathBuf,
    serial: AtomicUsize,
}

/// A command that ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// Its exit code; 128 and the signal's number where a signal ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
}

/// The exit code that stands for a command that did not end in time.
pub(crate) const HANGS: i32 = -1;

impl Ended {
    pub(crate) fn is_success(&self) -> bool {
        self.code == 0
    }

    /// Exit code and why, or all that was said where no error is named.
    pub(crate) fn why(&self) -> String {
        let errors: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        if errors.is_empty() { self.told() } else { format!("exit {}: {}", self.code, errors.join(" | ")) }
    }

    /// Exit code and what was said, for people.
    pub(crate) fn told(&self) -> String {
        let said = format!("{}\n{}", self.stdout.trim(), self.stderr.trim());
        format!("exit {}: {}", self.code, said.trim().replace('\n', " | ").replace('\0', "\\0"))
    }
}

impl Place {
    /// A worker's folder; what it had is taken away.
    pub(crate) fn new(folder: PathBuf) -> Self {
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        Self { folder, serial: AtomicUsize::new(0) }
    }

    /// A folder that is gone on with.
    pub(crate) fn again(folder: PathBuf) -> Self {
        Self { folder, serial: AtomicUsize::new(0) }
    }

    /// The worker's own folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder that is prepared, spoilt and restored.
    pub(crate) fn top(&self) -> PathBuf {
        self.folder.join("top")
    }

    /// The user's checkout.
    pub(crate) fn shop(&self) -> PathBuf {
        self.folder.join("top/shop")
    }

    /// Empties the place and lets a script fill it.
    pub(crate) fn prepare(&self, script: &str) {
        self.empty();
        for folder in ["home", "tmp", "shop"] {
            fs::create_dir_all(self.top().join(folder)).unwrap();
        }
        let ended = self.script(script);
        assert!(ended.is_success(), "could not prepare: {}", ended.told());
        let left = processes::wait_for_none(&self.mark(), PATIENCE);
        assert!(left.is_empty(), "preparing left {left:?}");
    }

    /// Copies the place aside.
    pub(crate) fn keep(&self, aside: &Path) {
        drop(fs::remove_dir_all(aside));
        fs::create_dir_all(aside).unwrap();
        copy(&self.top(), aside);
    }

    /// Brings the place back as it was kept.
    pub(crate) fn restore(&self, aside: &Path) {
        self.empty();
        copy(aside, &self.top());
    }

    /// Takes everything out of the place, which may be a mount.
    fn empty(&self) {
        fs::create_dir_all(self.top()).unwrap();
        for entry in fs::read_dir(self.top()).unwrap().flatten() {
            let path = entry.path();
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.unwrap();
        }
    }

    /// A command in the checkout, its environment sealed.
    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let home = self.top().join("home");
        let programs = Path::new(env!("CARGO_BIN_EXE_git-orch")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let clock = format!("{NOW} +0000");
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.shop())
            .env_clear()
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("HOME", &home)
            .env("TMPDIR", self.top().join("tmp"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ORCH_NOW", NOW.to_string())
            .env("GIT_AUTHOR_DATE", &clock)
            .env("GIT_COMMITTER_DATE", &clock)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env(processes::MARK, self.mark());
        command
    }

    /// What every process of this place has in its environment.
    pub(crate) fn mark(&self) -> String {
        self.folder.display().to_string()
    }

    /// A command of git-orch; an argument `@FILE` is what the file holds.
    pub(crate) fn orch(&self, args: &[&str]) -> Command {
        let held = |arg: &&str| match arg.strip_prefix('@') {
            Some(file) => fs::read_to_string(self.shop().join(file)).unwrap().trim().to_owned(),
            None => (*arg).to_owned(),
        };
        let args: Vec<String> = args.iter().map(held).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        if let ["attach", task] = args[..] {
            // It asks for a terminal; what goes wrong is told outside of that.
            let within = format!("export FAULTS_PLAN=$FAULTS_AT_TERMINAL; exec git-orch attach {task} 2>&9");
            return self.command("sh", &["-c", "exec script -qec \"$0\" /dev/null 9>&2", &within]);
        }
        self.command(env!("CARGO_BIN_EXE_git-orch"), &args)
    }

    /// Runs a script of sh to its end.
    pub(crate) fn script(&self, script: &str) -> Ended {
        self.run(self.command("sh", &["-c", &format!("{WORDS}{script}")]))
    }

    /// Runs a command to its end, in a group of its own.
    pub(crate) fn run(&self, command: Command) -> Ended {
        self.start(command).end(PATIENCE)
    }

    /// Starts a command in a group of its own; what it prints goes to files,
    /// so that nothing that outlives it holds us.
    pub(crate) fn start(&self, mut command: Command) -> Started {
        let said = self.folder.join(format!("said-{}", self.serial.fetch_add(1, Ordering::Relaxed)));
        let (stdout, stderr) = (said.with_extension("out"), said.with_extension("err"));
        command
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .process_group(0);
        let began = Instant::now();
        Started { child: command.spawn().unwrap(), began, stdout, stderr }
    }
}

/// A command at work.
pub(crate) struct Started {
    child: Child,
    began: Instant,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Started {
    /// Its process, which leads its group.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits for it; its group is killed when it takes too long.
    pub(crate) fn end(mut self, patience: Duration) -> Ended {
        let mut code = None;
        let mut pause = Duration::from_micros(500);
        while code.is_none() && self.began.elapsed() < patience {
            code = self.ended();
            std::thread::sleep(if code.is_none() { pause } else { Duration::ZERO });
            pause = (pause * 2).min(Duration::from_millis(10));
        }
        if code.is_none() {
            processes::kill_group(self.process());
            self.child.wait().unwrap();
        }
        let read = |file: &Path| {
            let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
            fs::remove_file(file).unwrap();
            text
        };
        Ended {
            code: code.unwrap_or(HANGS),
            stdout: read(&self.stdout),
            stderr: read(&self.stderr),
            elapsed: self.began.elapsed(),
        }
    }

    /// Its exit code, once it has one.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let status = self.child.try_wait().unwrap()?;
        Some(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
    }
}

/// Copies what is in a folder into another as it is, times and links too.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from.join("."), to.to_owned()]).status().unwrap();
    assert!(copied.success(), "could not copy {}", from.display());
}
