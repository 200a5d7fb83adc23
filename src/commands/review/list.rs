//! What waits for judgement.

use super::{next, state};
use crate::app::App;
use crate::commands::opened::Opened;
use crate::error::{Result, exit};
use crate::model::wording::excerpt;
use crate::model::{RequestState, TaskState};
use crate::review::{Item, item};
use crate::ui::Table;

pub(super) fn run(app: &App, opened: &Opened) -> Result<u8> {
    let mut items = item::load(&opened.repo)?;
    // What a reader can act on comes first.
    items.sort_by_key(|item| item.state != TaskState::Review);
    app.ui.data(&items)?;
    if items.is_empty() {
        app.ui.note("nothing waits for review");
        return Ok(exit::DONE);
    }
    let mut table = Table::new(&["task", "state", "session", "commits", "since", "text"]).right(&[3]);
    for item in &items {
        table.row([
            item.name.to_string(),
            state(opened, item).to_owned(),
            item.session.as_ref().map(ToString::to_string).unwrap_or_default(),
            item.commits.len().to_string(),
            item.since.ago(app.now),
            words(item),
        ]);
    }
    app.ui.answer(table.render())?;
    if let Some(next) = items.iter().find_map(|item| next(opened, item)) {
        app.ui.note(format!("next: {next}"));
    }
    Ok(exit::DONE)
}

fn words(item: &Item) -> String {
    let below = item.on_top_of.as_ref().map(|below| format!(", on top of {below}"));
    let request = item.published.as_ref().filter(|request| request.number.is_some());
    let request = request.map(|request| match request.state {
        RequestState::Unknown => format!(", {}", request.label()),
        _ => format!(", {} {}", request.label(), request.words()),
    });
    excerpt(&item.text, 60) + &below.unwrap_or_default() + &request.unwrap_or_default()
}
