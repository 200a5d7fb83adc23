//! What waits, for whom, and what stands in its way.

use super::{is_quarantined, next, state, told};
use crate::app::App;
use crate::commands::opened::Opened;
use crate::error::{Result, exit};
use crate::model::{Name, RequestState, TaskState};
use crate::review::risk::{self, Risk};
use crate::review::{Item, item};
use crate::ui::Table;

/// A result, and what there is to know of it.
#[derive(serde::Serialize)]
struct Row {
    #[serde(flatten)]
    item: Item,
    /// Whether what its run changed of what git executes stands.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quarantined: bool,
    #[serde(flatten)]
    risk: Option<Risk>,
}

pub(super) fn run(app: &App, opened: &Opened) -> Result<u8> {
    let mut items = item::load(&opened.repo)?;
    // What a reader can act on comes first.
    items.sort_by_key(|item| item.state != TaskState::Review);
    let events = |event| app.ui.event(event);
    let risks = risk::load(&opened.repo, &items, &events, app.now)?;
    let rows: Vec<Row> = items
        .into_iter()
        .zip(risks)
        .map(|(item, risk)| Row { quarantined: is_quarantined(opened, &item), item, risk })
        .collect();
    app.ui.data(&rows)?;
    if rows.is_empty() {
        app.ui.note("nothing waits for review");
        return Ok(exit::DONE);
    }
    let mut table = Table::new(&["task", "state", "session", "waits for", "since", "size", "risk"]);
    for Row { item, risk, .. } in &rows {
        let told_of = |tell: fn(&Risk) -> String| risk.as_ref().map(tell).unwrap_or_default();
        table.row([
            item.name.to_string(),
            state(opened, item).to_owned(),
            item.session.as_ref().map(ToString::to_string).unwrap_or_default(),
            waits_for(item, risk.as_ref()),
            item.since.ago(app.now),
            told_of(|risk| told::size(&risk.size)),
            risk_words(item, risk.as_ref()),
        ]);
    }
    app.ui.answer(table.render())?;
    if let Some(next) = rows.iter().find_map(|row| next(opened, &row.item)) {
        app.ui.note(format!("next: {next}"));
    }
    Ok(exit::DONE)
}

/// Whose turn it is: the viewpoints that have not approved, else whoever lands it.
pub(super) fn waits_for(item: &Item, risk: Option<&Risk>) -> String {
    let lacks: Vec<&str> = risk.iter().flat_map(|risk| &risk.lacks).map(|one| one.word()).collect();
    match (item.state, &item.session) {
        _ if item.resolved_by.is_some() => item.resolved_by.as_ref().map(Name::to_string).unwrap_or_default(),
        (TaskState::Changes, Some(session)) => session.to_string(),
        (TaskState::Review, _) if !lacks.is_empty() => lacks.join(", "),
        _ => "you".to_owned(),
    }
}

/// The few words of a line; `-` where there is nothing to say.
fn risk_words(item: &Item, risk: Option<&Risk>) -> String {
    let Some(risk) = risk else { return format!("its base {} is gone", item.base) };
    let mut told: Vec<String> = told::conflicts(risk).into_iter().collect();
    told.extend(item.on_top_of.as_ref().map(|below| format!("on top of {below}")));
    told.extend(request(item));
    told.extend(told::check(risk));
    told.extend(told::behind(item, risk));
    told.extend(told::elsewhere(risk));
    told.extend(told::busy(risk));
    if told.is_empty() { "-".to_owned() } else { told.join("; ") }
}

/// Where it is published, and what is said of it there.
fn request(item: &Item) -> Option<String> {
    let request = item.published.as_ref().filter(|request| request.number.is_some())?;
    Some(match request.state {
        RequestState::Unknown => request.label(),
        _ => format!("{} {}", request.label(), request.words()),
    })
}
