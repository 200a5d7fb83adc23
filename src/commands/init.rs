//! `git orch init`

use crate::app::App;
use crate::config::load::{self, FILE};
use crate::error::{Result, exit};

/// Write a commented `.orch.yml`; every command works without one
#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// Print it instead
    #[arg(long)]
    dry_run: bool,
}

const TEMPLATE: &str = include_str!("init/orch.yml");

pub(super) fn run(app: &App, args: &InitArgs) -> Result<u8> {
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
