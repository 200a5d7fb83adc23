//! Requests as refs: forges show each one's tip, as `refs/pull/7/head`, so that
//! git alone can tell which is which.

use super::{Seen, Site};
use crate::error::Result;
use crate::git::refs as names;
use crate::model::{Oid, Published, RequestState};

/// What the refs of requests look like.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// What stands before the number.
    pub(super) before: &'static str,
    /// What stands behind it.
    pub(super) behind: &'static str,
    /// How the address of a request goes on behind that of the repository.
    pub(super) page: &'static str,
}

impl Shape {
    /// The number in a ref's name.
    pub(super) fn number(self, name: &str) -> Option<u64> {
        name.strip_prefix(self.before)?.strip_suffix(self.behind)?.parse().ok()
    }

    /// The ref of a request.
    pub(super) fn name(self, number: u64) -> String {
        format!("{}{number}{}", self.before, self.behind)
    }

    /// The request, by its number or else by its tip; of several the newest.
    ///
    /// Whether it was turned down no ref tells.
    pub(super) fn find(
        self,
        site: Site<'_>,
        base: &str,
        known: Option<&Published>,
        commit: Oid,
    ) -> Result<Option<Seen>> {
        let number = known.and_then(|known| known.number);
        let pattern = number.map_or_else(|| format!("{}*{}", self.before, self.behind), |n| self.name(n));
        let base = names::branch(base);
        let there = site.tips(&[pattern, base.clone()])?;
        let requests = there.iter().filter_map(|(name, tip)| Some((self.number(name)?, *tip)));
        let found = requests.filter(|(n, tip)| Some(*n) == number || *tip == commit).max();
        let Some((number, tip)) = found else { return Ok(None) };
        let onto = there.iter().find(|(name, _)| *name == base).map(|(_, oid)| *oid);
        let state = match onto {
            Some(onto) if holds(site, onto, tip)? => RequestState::Merged,
            _ => RequestState::Unknown,
        };
        let known = known.and_then(|known| known.address.clone());
        let address = known.or_else(|| self.address(site, number));
        let (number, tip) = (Some(number), Some(tip));
        Ok(Some(Seen { number, address, tip, state, ..Seen::default() }))
    }

    /// Where people look at a request, as far as the remote's address tells.
    pub(super) fn address(self, site: Site<'_>, number: u64) -> Option<String> {
        let host = site.address.host.as_ref()?;
        Some(format!("https://{host}/{}{}{number}", site.address.path, self.page))
    }
}

/// Whether one commit has another, as far as both are here.
pub(super) fn holds(site: Site<'_>, base: Oid, tip: Oid) -> Result<bool> {
    let read = site.scene.repo.read();
    Ok(read.has(base)? && read.has(tip)? && read.merge_base(base, tip)? == Some(tip))
}

/// The first address in what a remote said, with a number at its end.
pub(super) fn said(lines: &[String], page: &str) -> Option<(String, u64)> {
    let words = lines.iter().flat_map(|line| line.split_whitespace());
    let is_plain = |word: &&str| word.chars().all(|c| c.is_ascii_graphic());
    let addresses = words.filter(|word| word.starts_with("https://") || word.starts_with("http://"));
    addresses.filter(is_plain).find_map(|word| {
        let word = word.trim_end_matches(['.', ',', ')']);
        let digits: String = word.split(page).nth(1)?.chars().take_while(char::is_ascii_digit).collect();
        let end = word.find(page)? + page.len() + digits.len();
        Some((word[..end].to_owned(), digits.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_what_a_remote_says() {
        for (line, page, found) in [
            ("https://codeberg.org/me/r/pulls/7 merge into main", "/pulls/", Some(7)),
            ("(see https://gitlab.com/a/b/-/merge_requests/12).", "/merge_requests/", Some(12)),
            ("  https://gitlab.com/a/b/-/merge_requests/12", "/merge_requests/", Some(12)),
            ("https://gitlab.com/a/b/-/merge_requests/new?x=1", "/merge_requests/", None),
            ("http://evil\u{1b}/pulls/1", "/pulls/", None),
            ("nothing", "/pulls/", None),
        ] {
            let said = said(&[line.to_owned()], page);
            assert_eq!(said.map(|(_, number)| number), found, "{line}");
        }
    }
}
