//! The user's own difftool on what a result changes.

use crate::app::App;
use crate::commands::opened::Opened;
use crate::config::trust;
use crate::error::{Error, Kind, Result, exit};
use crate::git::pager;
use crate::review::Item;
use crate::run::altered;

/// Settings by which a tool is chosen and run.
const NAMING: &str = r"^(diff\.(tool|guitool|external)|diff\..*\.(command|textconv)|merge\.(tool|guitool)|(difftool|mergetool)\..*\.(cmd|path))$";

pub(super) fn run(app: &App, opened: &Opened, item: &Item, tool: &str) -> Result<u8> {
    altered::refuse(&opened.repo, &item.name, &item.altered, &opened.trust)?;
    let said = pager::settings(&opened.repo, NAMING)?;
    let own = said.iter().find(|said| said.is_local);
    if let Some(own) = own.filter(|_| !opened.trust.covers(&trust::repository())) {
        let what = format!("`{}` of this repository's own configuration is not trusted", own.key);
        return Err(Error::new(Kind::Untrusted, what)
            .hint("read what it would run and allow it: `git orch trust`; or unset it"));
    }
    app.ui.settle();
    let mut words = vec!["difftool".to_owned(), "--no-prompt".to_owned()];
    words.extend((!tool.is_empty()).then(|| format!("--tool={tool}")));
    words.extend([item.base_oid.to_string(), item.tip.to_string()]);
    let code = opened.repo.git_in(opened.repo.place(), words).attended()?;
    if code != 0 {
        return Err(Error::new(Kind::Failed, format!("`git difftool` ended with {code}"))
            .hint("`git difftool --tool-help` lists what it knows"));
    }
    Ok(exit::DONE)
}
