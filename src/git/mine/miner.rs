//! Which of the two paths mines a repository.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Sink, Span, files, log_args, mine, mine_commits, parse_log};
use crate::error::Result;
use crate::git::{Backend, Git, Place, Repo};
use crate::model::{Events, Mined, Oid, RepoPath};

/// Mines one repository, by the path that can read it.
#[derive(Clone, Debug)]
pub struct Miner {
    git_dir: PathBuf,
    child: Option<Arc<Git>>,
}

impl Miner {
    /// The path that reads `repo`.
    pub fn of(repo: &Repo) -> Self {
        let child = (repo.backend() == Backend::Child).then(|| Arc::clone(repo.git_program()));
        Self { git_dir: repo.place().common_dir.clone(), child }
    }

    /// The fast path, on a git directory.
    pub fn at(git_dir: &Path) -> Self {
        Self { git_dir: git_dir.to_owned(), child: None }
    }

    /// Mines the commits of a span; see [`mine`].
    pub fn mine(&self, span: &Span<'_>, sink: &mut dyn Sink, events: Events<'_>) -> Result<Vec<Oid>> {
        let Some(git) = &self.child else { return mine(&self.git_dir, span, sink, events) };
        let mut commits = parse_log(&git.at(&self.place(), log_args(span)).run()?)?;
        commits.retain(|mined| !sink.has(mined.oid));
        sink.take(commits);
        let mut unreached = Vec::new();
        for hidden in span.hide {
            if !self.is_reached(git, *hidden, span.tips)? {
                unreached.push(*hidden);
            }
        }
        Ok(unreached)
    }

    /// The files of a commit.
    pub fn files(&self, commit: Oid) -> Result<Vec<RepoPath>> {
        let Some(git) = &self.child else { return files(&self.git_dir, commit) };
        let command = git.at(&self.place(), ["ls-tree", "-r", "-z", "--name-only", "--full-tree"]);
        let listed = command.args([commit.to_string()]).run()?;
        let paths = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(RepoPath::from_bytes).collect())
    }

    /// Mines just the commits named; see [`mine_commits`].
    pub fn mine_commits(&self, oids: &[Oid]) -> Result<Vec<Mined>> {
        let Some(git) = &self.child else { return mine_commits(&self.git_dir, oids) };
        if oids.is_empty() {
            return Ok(Vec::new());
        }
        let mut args = log_args(&Span { tips: &[], hide: &[], horizon: usize::MAX });
        let end = args.len() - 1;
        args.splice(
            end..end,
            ["--no-walk=unsorted".to_owned(), "--ignore-missing".to_owned(), "--stdin".to_owned()],
        );
        let names: String = oids.iter().map(|oid| format!("{oid}\n")).collect();
        parse_log(&git.at(&self.place(), args).stdin(names).run()?)
    }

    fn place(&self) -> Place {
        Place { git_dir: self.git_dir.clone(), common_dir: self.git_dir.clone(), work_tree: None }
    }

    fn is_reached(&self, git: &Git, hidden: Oid, tips: &[Oid]) -> Result<bool> {
        for tip in tips {
            let asked = ["merge-base", "--is-ancestor", &hidden.to_string(), &tip.to_string()];
            if git.at(&self.place(), asked).spawn()?.code == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
