//! `git orch init`

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use crate::app::App;
use crate::config::load::{self, FILE};
use crate::error::{Error, IoContext, Result, exit};
use crate::git::pager;

/// Write a commented `.orch.yml`; every command works without one
#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// Print it instead
    #[arg(long)]
    dry_run: bool,
    /// Install a hook instead that refuses what a run commits outside its own worktree
    #[arg(long)]
    guard: bool,
}

const TEMPLATE: &str = include_str!("init/orch.yml");

/// The hook.
const GUARD: &str = include_str!("init/guard.sh");

pub(super) fn run(app: &App, args: &InitArgs) -> Result<u8> {
    if args.guard {
        return guard(app, args.dry_run);
    }
    if args.dry_run {
        app.ui.data(&TEMPLATE)?;
        app.ui.answer(TEMPLATE)?;
        return Ok(exit::DONE);
    }
    let repo = app.repo()?;
    let path = repo.require_work_tree()?.join(FILE);
    if path.symlink_metadata().is_ok() {
        app.settings(&repo)?;
        app.ui.note(format!("there is a {FILE} already, and it is valid"));
        return Ok(exit::DONE);
    }
    load::write_new(&path, TEMPLATE, &repo.orch_dir()?)?;
    app.ui.data(&path)?;
    app.ui.note(format!(
        "wrote {FILE}: everything in it is commented out\nnext: git orch add-session NAME --paths GLOB"
    ));
    Ok(exit::DONE)
}

/// Installs the guard, where no other hook would have to go.
fn guard(app: &App, dry_run: bool) -> Result<u8> {
    if dry_run {
        app.ui.data(&GUARD)?;
        app.ui.answer(GUARD)?;
        return Ok(exit::DONE);
    }
    let repo = app.repo()?;
    let by_hand = "have your own run what `git orch init --guard --dry-run` prints";
    if let Some(elsewhere) = pager::settings(&repo, r"^core\.hookspath$")?.last() {
        return Err(Error::refused(format!("hooks lie in `{}` here, by `core.hooksPath`", elsewhere.value))
            .hint(by_hand));
    }
    let hook = repo.place().common_dir.join("hooks/pre-commit");
    if std::fs::read(&hook).is_ok_and(|there| there == GUARD.as_bytes()) {
        app.ui.data(&hook)?;
        app.ui.note("the guard is there already");
        return Ok(exit::DONE);
    }
    if hook.symlink_metadata().is_ok() {
        return Err(Error::refused(format!("there is a hook `{}` already", hook.display())).hint(by_hand));
    }
    let folder = hook.parent().expect("a hook lies in a folder");
    std::fs::create_dir_all(folder).doing("could not make", folder)?;
    let mut options = File::options();
    let mut file =
        options.write(true).create_new(true).mode(0o755).open(&hook).doing("could not write", &hook)?;
    let written = file.write_all(GUARD.as_bytes()).inspect_err(|_| drop(std::fs::remove_file(&hook)));
    written.doing("could not write", &hook)?;
    app.ui.data(&hook)?;
    app.ui.note(format!("wrote {}: delete it to be rid of it", hook.display()));
    Ok(exit::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jobs_that_are_commented_out_can_be_used() {
        let jobs = TEMPLATE.lines().skip_while(|line| *line != "# jobs:").take_while(|line| !line.is_empty());
        let plain: Vec<&str> = jobs.map(|line| line.strip_prefix("# ").unwrap()).collect();
        let config = load::parse(format!("version: 1\n{}\n", plain.join("\n")).as_bytes()).unwrap();
        let names: Vec<&str> = config.jobs.keys().map(String::as_str).collect();
        assert_eq!(names, ["docs", "fix", "license", "security", "tests", "upgrade"]);
        assert!(config.jobs["tests"].brief.as_ref().unwrap().ends_with("before you end.\n"));
    }
}
