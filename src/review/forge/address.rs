//! What the address of a remote tells: which host, which repository there, and
//! with that which forge it probably is.

use super::Choice;
use crate::error::{Error, Result};

/// Where a remote is, as far as its address tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The host; none for a folder.
    pub host: Option<String>,
    /// The path of the repository, without `.git`.
    pub path: String,
    /// The port, where one is said.
    pub port: Option<String>,
}

/// Reads an address as git takes it: a URL, `user@host:path`, or a folder.
pub fn parse(url: &str) -> Address {
    let (rest, is_url) = match url.split_once("://") {
        Some(("file", rest)) => return folder(rest),
        Some((_, rest)) => (rest, true),
        None => (url, false),
    };
    let (place, path) = match rest.split_once(if is_url { '/' } else { ':' }) {
        Some((place, path)) if is_url || !place.contains('/') => (place, path),
        _ => return folder(rest),
    };
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if is_url => (host, Some(port.to_owned())),
        _ => (place, None),
    };
    Address { host: Some(host.to_lowercase()), path: tidy(path), port }
}

fn folder(path: &str) -> Address {
    Address { host: None, path: tidy(path), port: None }
}

fn tidy(path: &str) -> String {
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path).trim_matches('/').to_owned()
}

/// An address without what lets its user in, to be shown to others.
pub fn public(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
    let Some((user, host)) = place.rsplit_once('@') else { return url.to_owned() };
    // Of http a name alone can be a token, too.
    let user = if scheme.starts_with("http") { "" } else { user.split(':').next().unwrap_or_default() };
    let at = if user.is_empty() { "" } else { "@" };
    format!("{scheme}://{user}{at}{host}/{path}")
}

impl Address {
    /// Which forge is probably there.
    pub fn forge(&self) -> Option<Choice> {
        if self.port.as_deref() == Some("29418") {
            return Some(Choice::Gerrit);
        }
        let host = self.host.as_deref()?;
        let has = |word: &str| host.split(['.', '-']).any(|part| part == word);
        match () {
            () if has("github") => Some(Choice::Gh),
            () if has("gitlab") => Some(Choice::Gitlab),
            () if host == "codeberg.org" || has("forgejo") || has("gitea") => Some(Choice::Agit),
            () if has("gerrit") || host.ends_with("-review.googlesource.com") => Some(Choice::Gerrit),
            () => None,
        }
    }

    /// `owner/name`: of a longer path the last two parts.
    ///
    /// # Errors
    /// Unusable where there are none.
    pub fn owner_and_name(&self) -> Result<String> {
        let mut parts = self.path.rsplit('/');
        match (parts.next(), parts.next()) {
            (Some(name), Some(owner)) if is_plain(name) && is_plain(owner) => Ok(format!("{owner}/{name}")),
            _ => Err(self.unreadable("OWNER/NAME")),
        }
    }

    /// The whole path, with all its groups; of a folder the last two parts.
    ///
    /// # Errors
    /// Unusable where it holds what no such path does.
    pub fn project(&self) -> Result<String> {
        match self.host {
            None => self.owner_and_name(),
            Some(_) if self.path.contains('/') && self.path.split('/').all(is_plain) => Ok(self.path.clone()),
            Some(_) => Err(self.unreadable("GROUP/NAME")),
        }
    }

    fn unreadable(&self, wanted: &str) -> Error {
        Error::unusable(format!(
            "the remote's address does not name a repository as {wanted}: `{}`",
            self.path
        ))
        .hint("`git remote -v` shows it; another remote can be named with `--remote`")
    }

    /// The host as clients of forges take it: not that of the one everybody
    /// means, and no alias of ssh's.
    pub fn own_host(&self, usual: &str) -> Option<&str> {
        let host = self.host.as_deref()?;
        let is_usual = host == usual || host.strip_suffix(usual).is_some_and(|sub| sub.ends_with('.'));
        (host.contains('.') && !is_usual).then_some(host)
    }
}

fn is_plain(part: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !part.is_empty() && part.chars().all(fits) && !part.starts_with('-') && !part.trim_matches('.').is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forge_is_known_by_its_address() {
        for (url, forge) in [
            ("https://github.com/me/r.git", Some(Choice::Gh)),
            ("git@github.com:me/r.git", Some(Choice::Gh)),
            ("ssh://git@ssh.github.com:443/me/r.git", Some(Choice::Gh)),
            ("git@github-work:me/r", Some(Choice::Gh)),
            ("https://github.example.com/me/r", Some(Choice::Gh)),
            ("https://user:secret@gitlab.example.com:8443/a/b/c.git", Some(Choice::Gitlab)),
            ("https://codeberg.org/me/r", Some(Choice::Agit)),
            ("git@forgejo.example.com:me/r", Some(Choice::Agit)),
            ("ssh://ann@review.example.com:29418/r", Some(Choice::Gerrit)),
            ("https://mygithub.com/me/r", None),
            ("/srv/github.com/me/r.git", None),
            ("file:///srv/gitlab/r", None),
            ("../hub.git", None),
            ("https://example.com/github/r", None),
        ] {
            assert_eq!(parse(url).forge(), forge, "{url}");
        }
    }

    #[test]
    fn a_repository_is_named_plainly_or_not_at_all() {
        for (url, named) in [
            ("https://github.com/me/r.git/", Some("me/r")),
            ("git@github.com:me/r.git", Some("me/r")),
            ("/srv/bare/me/r.git", Some("me/r")),
            ("https://github.com/r", None),
            ("https://github.com/--help/r", None),
            ("https://github.com/me/../r", Some("../r")),
            ("https://github.com/me/$(id)", None),
        ] {
            let expected = named.filter(|name| !name.contains(".."));
            assert_eq!(parse(url).owner_and_name().ok().as_deref(), expected, "{url}");
        }
        assert_eq!(parse("git@gitlab.com:a/b/c.git").project().unwrap(), "a/b/c");
        assert!(parse("git@gitlab.com:a/ b/c.git").project().is_err());
    }

    #[test]
    fn what_lets_a_user_in_is_not_shown() {
        for (url, shown) in [
            ("https://ann:secret@hub/me/r", "https://hub/me/r"),
            ("https://token@hub/me/r", "https://hub/me/r"),
            ("ssh://git:x@hub/me/r", "ssh://git@hub/me/r"),
            ("git@hub:me/r", "git@hub:me/r"),
            ("/srv/a@b", "/srv/a@b"),
        ] {
            assert_eq!(public(url), shown);
        }
    }

    #[test]
    fn the_host_is_said_where_it_is_not_the_usual_one() {
        for (url, host) in [
            ("https://github.com/me/r", None),
            ("ssh://git@ssh.github.com/me/r", None),
            ("git@github-work:me/r", None),
            ("https://github.example.com/me/r", Some("github.example.com")),
            ("https://not-github.com/me/r", Some("not-github.com")),
            ("https://github.com.example.com/me/r", Some("github.com.example.com")),
        ] {
            assert_eq!(parse(url).own_host("github.com"), host, "{url}");
        }
    }
}
