//! Throwaway repositories for tests of mining and of what is built on it.

use std::io::Write;
use std::process::Stdio;

use crate::model::Oid;

/// A repository that is gone with its value.
pub(crate) struct Scratch(pub(crate) tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        let scratch = Self(tempfile::tempdir().unwrap());
        scratch.git(&["init", "-q", "-b", "main"], b"");
        scratch
    }

    #[expect(clippy::disallowed_methods, reason = "git is what mining is checked against")]
    pub(crate) fn git(&self, args: &[&str], stdin: &[u8]) -> Vec<u8> {
        let mut command = std::process::Command::new("git");
        command.current_dir(self.0.path()).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {args:?}");
        output.stdout
    }

    /// What a shell script prints in the repository.
    #[expect(clippy::disallowed_methods, reason = "git is what merging is checked against")]
    pub(crate) fn shell(&self, script: &str) -> String {
        let mut command = std::process::Command::new("sh");
        command.current_dir(self.0.path()).args(["-c", script]).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "git is found as the program finds it")]
    pub(crate) fn repo(&self) -> crate::git::Repo {
        let environment = ["PATH", "HOME"].map(|key| (key.into(), std::env::var_os(key).unwrap_or_default()));
        crate::git::Repo::discover(self.0.path(), &environment.into()).unwrap()
    }

    pub(crate) fn import(&self, stream: &[u8]) {
        self.git(&["fast-import", "--quiet", "--force", "--date-format=raw"], stream);
    }

    pub(crate) fn git_dir(&self) -> std::path::PathBuf {
        self.0.path().join(".git")
    }

    pub(crate) fn oid(&self, revision: &str) -> Oid {
        String::from_utf8(self.git(&["rev-parse", revision], b"")).unwrap().trim().parse().unwrap()
    }
}

/// A fast-import commit; `time` also names its mark.
pub(crate) fn commit(time: u32, parents: &[u32], changes: &str) -> Vec<u8> {
    let mut text = format!("commit refs/heads/main\nmark :{time}\n");
    text += &format!("author A <a{time}@b.c> 1 +0000\ncommitter C <c@d.e> {time} +0000\n");
    text += &format!("data <<END\nsubject {time}\n\nbody {time}\nEND\n");
    for (index, parent) in parents.iter().enumerate() {
        text += &format!("{} :{parent}\n", if index == 0 { "from" } else { "merge" });
    }
    if parents.is_empty() {
        text = format!("reset refs/heads/main\n{text}");
    }
    format!("{text}{changes}\n").into_bytes()
}

pub(crate) fn file(path: &str, content: u32) -> String {
    format!("M 100644 inline {path}\ndata <<END\n{content}\nEND\n")
}
