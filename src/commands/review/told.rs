//! What there is to know of a result, in words.

use std::collections::BTreeSet;

use crate::git::size::Size;
use crate::model::wording::{count, few};
use crate::review::Item;
use crate::review::risk::{Known, Risk};

/// `3 files +10 -2`.
pub(super) fn size(size: &Size) -> String {
    format!("{} +{} -{}", count(size.files, "file"), size.added, size.deleted)
}

/// `conflicts with main and frontend`.
pub(super) fn conflicts(risk: &Risk) -> Option<String> {
    let with = risk.shared.iter().filter(|shared| !shared.conflicts.is_empty());
    let names: Vec<&str> = with.map(|shared| shared.with.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("conflicts with {}", few(names)))
}

/// What the checks say, where there are any.
pub(super) fn check(risk: &Risk) -> Option<String> {
    match risk.check {
        Known::Unconfigured => None,
        Known::Passed => Some("check passed".to_owned()),
        Known::Failed => Some("check failed".to_owned()),
        Known::Unknown => Some("not checked yet".to_owned()),
    }
}

/// `3 behind main, which changed 1 of its files`.
pub(super) fn behind(item: &Item, risk: &Risk) -> Option<String> {
    let changed = match risk.changed_in_base.len() {
        0 => String::new(),
        files => format!(", which changed {} of its files", files),
    };
    (risk.behind > 0).then(|| format!("{} behind {}{changed}", risk.behind, item.base))
}

/// `src/cart.rs also changed by frontend`; what conflicts was told already.
pub(super) fn elsewhere(risk: &Risk) -> Option<String> {
    let only = risk.shared.iter().filter(|shared| shared.conflicts.is_empty());
    let (mut paths, mut names) = (BTreeSet::new(), Vec::new());
    for shared in only {
        paths.extend(&shared.paths);
        names.push(shared.with.name.as_str());
    }
    (!names.is_empty()).then(|| format!("{} also changed by {}", few(paths), few(names)))
}

/// `src/cart.rs busy of late`.
pub(super) fn busy(risk: &Risk) -> Option<String> {
    (!risk.busy.is_empty()).then(|| format!("{} busy of late", few(&risk.busy)))
}
