//! `git orch config`

use super::opened::Opened;
use crate::app::App;
use crate::config::{load, schema};
use crate::error::{Result, exit};
use crate::ui::{Table, pretty};

/// Show the settings in force and where each comes from
#[derive(Debug, clap::Args)]
pub(super) struct ConfigArgs {
    /// Print the JSON schema of `.orch.yml`
    #[arg(long)]
    schema: bool,
}

pub(super) fn run(app: &App, args: &ConfigArgs) -> Result<u8> {
    if args.schema {
        let schema = schema::json_schema();
        app.ui.data(&schema)?;
        app.ui.answer(pretty(&schema)?)?;
        return Ok(exit::DONE);
    }
    let opened = Opened::to_read(app)?;
    let settings = opened.settings.in_force();
    app.ui.data(&settings)?;
    let mut table = Table::new(&["setting", "value", "from"]);
    for setting in settings {
        table.row([setting.key, setting.value, setting.origin.to_owned()]);
    }
    app.ui.answer(table.render())?;
    let file = &opened.settings.file;
    app.ui.note(format!(
        "{}: {} agents, {} sessions, {} jobs, {} checks",
        load::FILE,
        file.agents.profiles.len(),
        file.sessions.len(),
        file.jobs.len(),
        file.checks.len()
    ));
    Ok(exit::DONE)
}
