//! Who should look at a result: people who know what it changes, other than
//! those who made it.

use std::collections::BTreeMap;

use super::item::Item;
use crate::config::Settings;
use crate::error::Result;
use crate::model::{Author, Candidate, Change, RepoPath};
use crate::run::{Scene, people};

/// How many people are proposed.
const MOST: usize = 2;
/// How many paths are asked about.
const PATHS: usize = 200;
/// Addresses that GitHub hides others behind: `12+login@…`.
const HIDDEN: &str = "@users.noreply.github.com";

/// Who could look at a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reviewers {
    /// Those whom the forge knows, by what it calls them.
    pub logins: Vec<String>,
    /// All of them, in words.
    pub lines: Vec<String>,
}

/// The people who know best what a result changes.
///
/// # Errors
/// Unusable where the history can't be read.
pub fn propose(scene: Scene<'_>, settings: &Settings, item: &Item, touched: &[Change]) -> Result<Reviewers> {
    let paths: Vec<RepoPath> = touched.iter().take(PATHS).map(|change| change.path.clone()).collect();
    if paths.is_empty() {
        return Ok(Reviewers::default());
    }
    let asked = (item.text.as_str(), paths.as_slice());
    let route = people::decide(scene.repo, settings, asked, scene.events, scene.now)?;
    let mut own = Vec::new();
    for oid in &item.commits {
        let commit = scene.repo.read().commit(*oid)?;
        own.push((commit.author, commit.email.to_lowercase()));
    }
    let logins = logins(scene, settings)?;
    let mut reviewers = Reviewers::default();
    let folders: Vec<RepoPath> = paths.iter().map(RepoPath::parent).collect();
    // Whoever is in the repository at all is at its top.
    let at =
        |path: &RepoPath| paths.contains(path) || (!path.as_bytes().is_empty() && folders.contains(path));
    let knows = |candidate: &&Candidate| candidate.reasons.iter().any(|reason| at(&reason.path));
    let knowing = route.candidates.iter().filter(knows);
    let others = knowing.filter_map(|candidate| candidate.person.as_ref().map(|person| (candidate, person)));
    let is_own = |person: &Author| {
        let email = person.email.to_lowercase();
        own.iter().any(|(name, address)| *name == person.name || *address == email)
    };
    for (candidate, person) in others.filter(|(_, person)| !is_own(person)).take(MOST) {
        let login = login(&person.email, &logins);
        let known = login.as_ref().map(|login| format!(" ({login})")).unwrap_or_default();
        let best = candidate.reasons.iter().filter(|reason| at(&reason.path)).max_by_key(|one| one.touches);
        let best = best.map(|best| {
            let touches = if best.touches == 1 { "touch" } else { "touches" };
            format!("  {} {touches} of {}", best.touches, best.path)
        });
        reviewers.lines.push(format!("{}{known}{}", person.name, best.unwrap_or_default()));
        reviewers.logins.extend(login);
    }
    Ok(reviewers)
}

/// Who addresses are, as settings have it.
fn logins(scene: Scene<'_>, settings: &Settings) -> Result<BTreeMap<String, String>> {
    let mut logins: BTreeMap<String, String> = BTreeMap::new();
    for (email, login) in &settings.file.logins {
        logins.insert(email.to_lowercase(), login.clone());
    }
    for pair in scene.repo.all_values("orch.login")? {
        if let Some((email, login)) = pair.split_once('=') {
            logins.insert(email.trim().to_lowercase(), login.trim().to_owned());
        }
    }
    Ok(logins)
}

/// What the forge calls who commits under an address, where that is told.
fn login(email: &str, logins: &BTreeMap<String, String>) -> Option<String> {
    let email = email.to_lowercase();
    let hidden = email.strip_suffix(HIDDEN).map(|local| local.rsplit('+').next().unwrap_or(local));
    let login = logins.get(&email).map(String::as_str).or(hidden)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (!login.is_empty() && !login.starts_with('-') && login.chars().all(fits)).then(|| login.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_known_by_the_address_or_by_a_setting() {
        let logins = BTreeMap::from([("ann@example.com".to_owned(), "annie".to_owned())]);
        for (email, known) in [
            ("Ann@example.com", Some("annie")),
            ("12+ben@users.noreply.github.com", Some("ben")),
            ("ben@users.noreply.github.com", Some("ben")),
            ("1+--x@users.noreply.github.com", None),
            ("1+a b@users.noreply.github.com", None),
            ("ben@example.com", None),
        ] {
            assert_eq!(login(email, &logins).as_deref(), known, "{email}");
        }
    }
}
