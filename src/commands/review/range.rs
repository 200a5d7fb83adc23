//! What changed in a result since it was judged last.

use std::collections::BTreeSet;

use super::paged;
use crate::app::App;
use crate::commands::opened::Opened;
use crate::error::{Error, Result, exit};
use crate::git::pager;
use crate::model::Oid;
use crate::review::{Item, verdict};
use crate::store;

pub(super) fn run(app: &App, opened: &Opened, item: &Item) -> Result<u8> {
    let name = &item.name;
    let Some(judged) = judged(opened, item)? else {
        return Err(Error::refused(format!("nothing of `{name}` changed since it was judged"))
            .hint(format!("all of it: `git orch review {name} --diff`")));
    };
    let old = format!("{}..{judged}", start(opened, item, judged)?);
    let new = format!("{}..{}", item.base_oid, item.tip);
    // What range-diff asks itself hears of no `--no-textconv`.
    let converting = pager::settings(&opened.repo, r"^diff\..*\.textconv$")?;
    let harmless = converting
        .iter()
        .filter(|said| said.is_local)
        .flat_map(|said| ["-c".to_owned(), format!("{}=cat", said.key)]);
    let settings: Vec<String> = harmless.collect();
    paged::show(
        app,
        opened,
        &settings,
        &["range-diff", "--creation-factor=100", "--no-ext-diff", &old, &new],
    )?;
    Ok(exit::DONE)
}

/// The older tip that was judged last; `None` where the last judgement is of
/// what the result is now.
pub(super) fn judged(opened: &Opened, item: &Item) -> Result<Option<Oid>> {
    let held = verdict::load(&opened.repo, item)?;
    let given = verdict::given(&opened.repo)?;
    if given.is_empty() {
        return Ok(None);
    }
    let older = older(opened, item)?;
    let last = given.iter().filter(|(commit, _)| older.contains(commit)).max_by_key(|(_, it)| it.time);
    let Some((commit, last)) = last else { return Ok(None) };
    let is_now = held.iter().any(|held| held.verdict.time >= last.time);
    Ok((!is_now && opened.repo.read().has(*commit)?).then_some(*commit))
}

/// The tips that the result had before, as its record tells.
fn older(opened: &Opened, item: &Item) -> Result<BTreeSet<Oid>> {
    let mut found = BTreeSet::new();
    let Some(task) = store::tasks::find(&opened.repo, &item.name)? else { return Ok(found) };
    found.extend(task.value.superseded.iter().chain(&task.value.tip));
    let mut next = Some(task.tip);
    while let Some(record) = next {
        let parents = opened.repo.read().commit(record)?.parents;
        next = parents.first().copied();
        found.extend(parents.into_iter().skip(1));
    }
    found.remove(&item.tip);
    Ok(found)
}

/// Where an older tip parted from what the result starts from now.
fn start(opened: &Opened, item: &Item, judged: Oid) -> Result<Oid> {
    let fork = opened.repo.read().merge_base(item.base_oid, judged)?;
    Ok(fork.unwrap_or(item.base_oid))
}
