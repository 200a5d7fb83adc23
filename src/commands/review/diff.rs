//! What a result changes, line by line.

use crate::app::App;
use crate::commands::opened::Opened;
use crate::error::{Result, exit};
use crate::review::Item;

pub(super) fn run(app: &App, opened: &Opened, item: &Item) -> Result<u8> {
    let range = [item.base_oid.to_string(), item.tip.to_string()];
    let command = opened
        .repo
        .git(["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=none"])
        .args(range);
    let text = command.run()?;
    app.ui.data(&String::from_utf8_lossy(&text))?;
    if !app.ui.is_json() {
        app.ui.raw(&text)?;
    }
    Ok(exit::DONE)
}
