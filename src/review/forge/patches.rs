//! No remote at all: a result as mails, with what stands above them.
//!
//! Sending them is the user's: `git send-email FOLDER/*.patch`.

use std::path::PathBuf;

use super::{Site, Wanted, address};
use crate::error::{IoContext, Result};
use crate::git::{Repo, refs};
use crate::model::Event;
use crate::run::Scene;

/// What scratch files of requests begin with.
pub const SCRATCH: &str = "request-";
/// The file that tells of which tip the patches are.
const TIP: &str = "tip";

/// Writes the patches of a result into a folder; those of a tip once.
///
/// # Errors
/// Unusable where git or the disk does not let us.
pub fn write(scene: Scene<'_>, wanted: &Wanted) -> Result<PathBuf> {
    let repo = scene.repo;
    let folder = repo.orch_dir()?.join("mail").join(wanted.name.as_str());
    std::fs::create_dir_all(&folder).doing("could not make", &folder)?;
    let mut version = 1;
    while let Ok(tip) = std::fs::read_to_string(folder.join(format!("v{version}/{TIP}"))) {
        if tip.trim() == wanted.tip.to_string() {
            return Ok(folder.join(format!("v{version}")));
        }
        version += 1;
    }
    let ours = repo.orch_path();
    let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&ours);
    let scratch = scratch.doing("could not write in", &ours)?;
    format(repo, wanted, version, scratch.path())?;
    warn_of_merges(scene, wanted)?;
    let file = scratch.path().join(TIP);
    std::fs::write(&file, format!("{}\n", wanted.tip)).doing("could not write", &file)?;
    let (made, kept) = (scratch.keep(), folder.join(format!("v{version}")));
    std::fs::rename(&made, &kept).doing("could not write", &kept)?;
    Ok(kept)
}

/// `git format-patch`, with our words as the branch's description: git puts
/// them into the cover letter, encoded as mails want it.
fn format(repo: &Repo, wanted: &Wanted, version: usize, folder: &std::path::Path) -> Result<()> {
    let words = format!("{}\n\n{}", wanted.text.title, wanted.text.plain());
    let described = format!("branch.{}.description={words}", wanted.branch);
    let plain = ["--no-ext-diff", "--no-textconv", "--no-color", "--quiet", "--no-attach"];
    let mut command = repo.git(["-c".to_owned(), described, "format-patch".to_owned()]).args(plain);
    command = command.args(["--cover-letter", "--cover-from-description=subject", "-o"]).args([folder]);
    if version > 1 {
        command = command.args([format!("-v{version}")]);
    }
    let is_there = repo.read().find_ref(&refs::branch(&wanted.branch))? == Some(wanted.tip);
    let tip = if is_there { wanted.branch.clone() } else { wanted.tip.to_string() };
    let mut hidden = vec![format!("^{}", wanted.start)];
    hidden.extend(repo.read().find_ref(&refs::branch(&wanted.base))?.map(|base| format!("^{base}")));
    command.args([tip]).args(hidden).run().map(drop)
}

/// What a merge decided is in no patch.
fn warn_of_merges(scene: Scene<'_>, wanted: &Wanted) -> Result<()> {
    let read = scene.repo.read();
    for commit in read.commits_between(&[wanted.start], wanted.tip)? {
        if read.commit(commit)?.parents.len() > 1 {
            let text =
                format!("{} is a merge, which is in no patch: look whether they apply", commit.short());
            (scene.events)(Event::Warning(text));
        }
    }
    Ok(())
}

/// What to write to who shall pull a branch: `git request-pull`.
///
/// # Errors
/// Unusable where the remote can't be reached, or has not that tip.
pub fn request_pull(site: Site<'_>, wanted: &Wanted) -> Result<String> {
    let end = format!("{}:{}", wanted.tip, refs::branch(&wanted.branch));
    let url = address::public(&site.remote.url);
    let command = site.scene.repo.git(["request-pull"]).args([wanted.start.to_string(), url, end]);
    Ok(String::from_utf8_lossy(&command.run()?).into_owned())
}

/// Puts that text beside the patches.
///
/// # Errors
/// Unusable where the disk does not let us.
pub fn write_request(folder: &std::path::Path, text: &str) -> Result<()> {
    let file = folder.join("request-pull.txt");
    std::fs::write(&file, text).doing("could not write", &file)
}
