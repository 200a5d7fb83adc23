//! What a result changes, line by line: as it is where a program reads it, in
//! colour and through the user's pager where a person does.

use super::paged;
use crate::app::App;
use crate::commands::opened::Opened;
use crate::error::{Result, exit};
use crate::review::Item;

pub(super) fn run(app: &App, opened: &Opened, item: &Item) -> Result<u8> {
    let range = [item.base_oid.to_string(), item.tip.to_string()];
    let words = ["diff", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none"];
    paged::show(app, opened, &[], &[&words, range.each_ref().map(String::as_str).as_slice()].concat())?;
    Ok(exit::DONE)
}
