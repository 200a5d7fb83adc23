//! Where shards run, as the user writes it: `--on`.

use std::fmt;
use std::str::FromStr;

use crate::model::Name;
use crate::model::wording::nearest;

/// Where shards run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum On {
    /// Here, in throwaway worktrees.
    #[default]
    Local,
    /// As array jobs of a Slurm cluster.
    Slurm,
    /// On machines that are reached by ssh.
    Ssh(Vec<Host>),
    /// By commands of the configuration.
    Exec(Name),
    /// Somewhere, by others: what they have to do is on the remote already.
    Run(String),
}

/// A machine that is reached by ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// As ssh takes it.
    pub name: String,
    /// How many shards it runs at once.
    pub slots: usize,
}

/// Most shards at once on one machine.
const MOST_SLOTS: usize = 1_000;

/// Why a text names no place.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAPlace(String);

impl fmt::Display for NotAPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotAPlace {}

impl FromStr for On {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (word, rest) = text.split_once(':').unwrap_or((text, ""));
        match (word, rest) {
            ("local", "") if text == word => Ok(Self::Local),
            ("slurm", "") if text == word => Ok(Self::Slurm),
            ("ssh", "") => Err(NotAPlace("name the hosts: `ssh:HOST,HOST*4`".to_owned())),
            ("ssh", hosts) => hosts.split(',').map(host).collect::<Result<_, _>>().map(Self::Ssh),
            ("exec", "") => Err(NotAPlace("name the engine: `exec:NAME`".to_owned())),
            ("exec", name) => {
                name.parse().map(Self::Exec).map_err(|why| NotAPlace(format!("`{name}`: {why}")))
            }
            ("run", name) if is_run(name) => Ok(Self::Run(name.to_owned())),
            ("run", _) => Err(NotAPlace("name the run: `run:NAME`, as `--emit` told it".to_owned())),
            _ => Err(NotAPlace(match nearest(word, ["local", "slurm", "ssh", "exec"]) {
                Some(near) if near != word => format!("did you mean `{near}`?"),
                _ => "it is `local`, `slurm`, `ssh:HOST,HOST` or `exec:NAME`".to_owned(),
            })),
        }
    }
}

/// Whether it can be part of a ref's name.
fn is_run(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    !name.is_empty() && name.chars().all(plain) && !name.starts_with('.') && !name.contains("..")
}

fn host(text: &str) -> Result<Host, NotAPlace> {
    let (name, slots) = match text.rsplit_once('*') {
        Some((name, slots)) => (name, slots.parse().ok().filter(|slots| (1..=MOST_SLOTS).contains(slots))),
        None => (text, Some(1)),
    };
    let is_host = !name.is_empty()
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:@[]%".contains(c));
    match (is_host, slots) {
        (true, Some(slots)) => Ok(Host { name: name.to_owned(), slots }),
        (true, None) => Err(NotAPlace(format!("`{text}`: a host runs 1 to {MOST_SLOTS} shards at once"))),
        (false, _) => Err(NotAPlace(format!("`{text}` is no host"))),
    }
}

/// As records and people have it: without the hosts.
impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Slurm => f.write_str("slurm"),
            Self::Ssh(_) => f.write_str("ssh"),
            Self::Exec(name) => write!(f, "exec:{name}"),
            Self::Run(name) => write!(f, "run:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_from_text() {
        let host = |name: &str, slots| Host { name: name.to_owned(), slots };
        for (text, on) in [
            ("local", On::Local),
            ("slurm", On::Slurm),
            ("ssh:a", On::Ssh(vec![host("a", 1)])),
            ("ssh:ann@a.b*4,c", On::Ssh(vec![host("ann@a.b", 4), host("c", 1)])),
            ("exec:k8s", On::Exec("k8s".parse().unwrap())),
            ("run:fmt-12ab", On::Run("fmt-12ab".to_owned())),
        ] {
            assert_eq!(text.parse(), Ok(on));
        }
        for (text, why) in [
            ("slrum", "did you mean `slurm`?"),
            ("cloud", "it is `local`, `slurm`, `ssh:HOST,HOST` or `exec:NAME`"),
            ("slurm:long", "it is `local`, `slurm`, `ssh:HOST,HOST` or `exec:NAME`"),
            ("ssh", "name the hosts: `ssh:HOST,HOST*4`"),
            ("ssh:-oProxyCommand=x", "`-oProxyCommand=x` is no host"),
            ("ssh:a,,b", "`` is no host"),
            ("ssh:a*0", "`a*0`: a host runs 1 to 1000 shards at once"),
            ("ssh:a b", "`a b` is no host"),
            ("run:../x", "name the run: `run:NAME`, as `--emit` told it"),
            ("exec:", "name the engine: `exec:NAME`"),
            ("exec:A b", "`A b`: a name holds only a-z, 0-9, `.`, `_` and `-`"),
        ] {
            assert_eq!(text.parse::<On>().map_err(|why| why.to_string()), Err(why.to_owned()), "{text}");
        }
    }
}
