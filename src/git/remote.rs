//! Refs and objects on a remote, moved by the user's own git: its ssh, its
//! credentials, its proxies.
//!
//! **Invariant:** nothing here writes a ref of this repository.

use std::path::{Path, PathBuf};

use super::process::Output;
use super::repo::Repo;
use crate::error::{Error, Result};
use crate::model::Oid;
use crate::model::wording::{list as listed, tick};

/// How many refs one git command names.
const AT_ONCE: usize = 500;

/// A remote, with the address that is pushed to and fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// What the user calls it.
    pub name: String,
    /// Its address; a path is absolute.
    pub url: String,
}

/// The remote of this name, or `origin`, or the only one.
///
/// # Errors
/// Wrong usage where there is no such remote; unusable where there is none, or
/// no one to prefer.
pub fn find(repo: &Repo, wanted: Option<&str>) -> Result<Remote> {
    let printed = String::from_utf8_lossy(&repo.git(["remote"]).run()?).into_owned();
    let names: Vec<&str> = printed.lines().collect();
    let name = match (wanted, names.as_slice()) {
        (Some(wanted), _) if names.contains(&wanted) => wanted,
        (Some(wanted), _) => {
            return Err(Error::usage(crate::model::wording::unknown(
                "remote",
                wanted,
                names.iter().copied(),
            ))
            .hint("`git remote -v` lists them"));
        }
        (None, []) => {
            return Err(Error::unusable("there is no remote to share work over").hint(
                "make one that all machines reach: `git remote add origin ADDRESS`; a bare repository will do",
            ));
        }
        (None, [only]) => only,
        (None, _) if names.contains(&"origin") => "origin",
        (None, _) => {
            return Err(Error::usage(format!("which of the remotes {}?", listed(names.iter().map(tick))))
                .hint("say `--remote NAME`, or for always: `git config orch.remote NAME`"));
        }
    };
    let url = repo.git(["remote", "get-url", "--push", "--"]).args([name]).line()?;
    Ok(Remote { name: name.to_owned(), url: absolute(&url, repo.main_folder()) })
}

/// An address that means the same in any folder.
fn absolute(url: &str, folder: &Path) -> String {
    let colon = url.find(':').unwrap_or(url.len());
    let is_path = url.find('/').is_some_and(|slash| slash < colon) || colon == url.len();
    if !is_path {
        return url.to_owned();
    }
    let path: PathBuf = folder.join(url);
    path.canonicalize().unwrap_or(path).display().to_string()
}

/// Makes refs on a remote.
///
/// # Errors
/// Unusable where it can't be reached or does not take them.
pub fn push(repo: &Repo, remote: &Remote, refs: &[(Oid, String)]) -> Result<()> {
    let named = refs.iter().map(|(oid, name)| format!("{oid}:{name}"));
    let command = repo.git(["push", "--quiet", "--no-verify", "--"]).args([&remote.url]).args(named);
    let output = command.spawn()?;
    if output.code == 0 {
        return Ok(());
    }
    Err(refused(&format!("could not push to `{}`", remote.name), &output))
}

/// Takes refs off a remote that has them.
///
/// # Errors
/// Unusable where it can't be reached or keeps one.
pub fn delete(repo: &Repo, remote: &Remote, names: &[String]) -> Result<()> {
    for some in names.chunks(AT_ONCE) {
        let named = some.iter().map(|name| format!(":{name}"));
        let command = repo.git(["push", "--quiet", "--no-verify", "--"]).args([&remote.url]).args(named);
        let output = command.spawn()?;
        if output.code != 0 {
            return Err(refused(&format!("could not delete refs on `{}`", remote.name), &output));
        }
    }
    Ok(())
}

/// The refs of a remote that match a pattern.
///
/// # Errors
/// Unusable where it can't be reached.
pub fn list(repo: &Repo, remote: &Remote, pattern: &str) -> Result<Vec<(String, Oid)>> {
    let output = repo.git(["ls-remote", "--quiet", "--"]).args([&remote.url, pattern]).spawn()?;
    if output.code != 0 {
        return Err(refused(&format!("could not read refs of `{}`", remote.name), &output));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let read = |line: &str| {
        let (oid, name) = line.split_once('\t')?;
        Some((name.to_owned(), oid.parse().ok()?))
    };
    Ok(text.lines().filter_map(read).collect())
}

/// Fetches what refs of a remote hold; no ref holds it here.
///
/// # Errors
/// Unusable where it can't be reached, lacks one, or has what git refuses.
pub fn fetch(repo: &Repo, remote: &Remote, names: &[String]) -> Result<()> {
    let options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--stdin"];
    let command = repo.git(["-c", "fetch.fsckObjects=true", "fetch"]).args(options).args(["--", &remote.url]);
    let output = command.stdin(names.join("\n") + "\n").spawn()?;
    if output.code == 0 {
        return Ok(());
    }
    Err(refused(&format!("could not fetch from `{}`", remote.name), &output))
}

/// What the remote said weighs more than what git says of it.
fn refused(what: &str, output: &Output) -> Error {
    let text = String::from_utf8_lossy(&output.stderr);
    let rejected = text.lines().map(str::trim).find(|line| line.starts_with("! ["));
    let why = match rejected.and_then(|line| line.rsplit_once(" (")) {
        Some((_, why)) => why.trim_end_matches(')').to_owned(),
        None => output.complaint(),
    };
    Error::unusable(what).because(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_the_same_everywhere() {
        for (url, same) in [
            ("../hub.git", "/home/ann/shop/../hub.git"),
            ("/srv/hub.git", "/srv/hub.git"),
            ("hub:shop.git", "hub:shop.git"),
            ("ann@hub:~/shop", "ann@hub:~/shop"),
            ("https://hub/shop", "https://hub/shop"),
            ("hub.git", "/home/ann/shop/hub.git"),
            ("./a:b/hub", "/home/ann/shop/./a:b/hub"),
        ] {
            assert_eq!(absolute(url, Path::new("/home/ann/shop")), same);
        }
    }
}
