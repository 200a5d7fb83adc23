//! Forges: where a result is put up as a pull or merge request, by the tools
//! that the user has.
//!
//! ```text
//! address.rs   a remote's address -> which forge is probably there
//! text.rs      facts about a result -> title and body
//! gh.rs, glab.rs          the forge's own client; a branch is pushed
//! gitlab.rs               push options; a branch is pushed
//! agit.rs, gerrit.rs      a push to `refs/for/…` opens and updates
//! commands.rs             commands of the user's
//! branch.rs               no forge: the branch alone
//! patches.rs              no remote: mails, and what to write above them
//! ```
//!
//! **Invariant:** values reach a program as arguments, in its environment or in
//! a file, never in the text of a shell; what it answers is believed only as
//! far as it can be read whole.

pub mod address;
mod agit;
mod answer;
mod branch;
mod commands;
mod gerrit;
mod gh;
mod gitlab;
mod glab;
pub mod patches;
mod refs;
pub mod remarks;
pub mod text;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use crate::agent::ask::{Answer, Question, ask};
use crate::agent::command;
use crate::config::ForgeCommands;
use crate::error::{Error, Kind, Result};
use crate::git::process::find_program;
use crate::git::push::{self, Lease};
use crate::git::refs as names;
use crate::git::remote::Remote;
use crate::model::wording::list;
use crate::model::{Checks, Event, Name, Oid, Opinion, Published, RequestState};
use crate::run::Scene;

pub use remarks::Remark;
pub use text::Text;

/// How a result is put up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// GitHub, by `gh`.
    Gh,
    /// GitLab, by `glab`.
    Glab,
    /// GitLab, by push options; by `glab` where that is there and nobody says so.
    Gitlab,
    /// Forgejo and Gitea: a push to `refs/for/BASE/TOPIC`.
    Agit,
    /// Gerrit: a push to `refs/for/BASE`.
    Gerrit,
    /// As patches to be mailed.
    Email,
    /// The branch alone.
    None,
    /// By commands of the configuration.
    Named(Name),
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gh => "gh",
            Self::Glab => "glab",
            Self::Gitlab => "gitlab",
            Self::Agit => "agit",
            Self::Gerrit => "gerrit",
            Self::Email => "email",
            Self::None => "none",
            Self::Named(name) => name.as_str(),
        })
    }
}

impl FromStr for Choice {
    type Err = crate::model::name::NotAName;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let known = [Self::Gh, Self::Glab, Self::Gitlab, Self::Agit, Self::Gerrit, Self::Email, Self::None];
        match (known.into_iter().find(|choice| choice.to_string() == text), text) {
            (Some(choice), _) => Ok(choice),
            (None, "github") => Ok(Self::Gh),
            (None, "forgejo" | "gitea") => Ok(Self::Agit),
            (None, _) => text.parse().map(Self::Named),
        }
    }
}

/// What is needed to talk to a forge.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The repository, and the rest.
    pub scene: Scene<'a>,
    /// The remote that is pushed to.
    pub remote: &'a Remote,
    /// What the remote's address tells.
    pub address: &'a address::Address,
    /// The repository that requests are opened in, where a fork is pushed to.
    pub upstream: Option<(&'a Remote, &'a address::Address)>,
}

/// What shall be on the forge.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The task or fan-out.
    pub name: Name,
    /// What tells it apart from others of this name.
    pub uid: String,
    /// Tip of the result.
    pub tip: Oid,
    /// The commit it started from.
    pub start: Oid,
    /// Its branch, short.
    pub branch: String,
    /// The branch that it shall be merged into there, short.
    pub base: String,
    /// The request of the result that it builds on, which has not landed.
    pub below: Option<Published>,
    /// What it says.
    pub text: Text,
    /// Whether it is opened as a draft.
    pub draft: bool,
    /// Labels to put on it.
    pub labels: Vec<String>,
    /// Whose review to ask for.
    pub reviewers: Vec<String>,
}

/// A request as it is on the forge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Its number.
    pub number: Option<u64>,
    /// What a forge of the user's own calls it.
    pub id: Option<String>,
    /// Where people look at it.
    pub address: Option<String>,
    /// The commit that is there, where that is told.
    pub tip: Option<Oid>,
    /// Its title, where that can be read.
    pub title: Option<String>,
    /// Its text, where that can be read.
    pub body: Option<String>,
    /// What it shall be merged into, where that can be read.
    pub base: Option<String>,
    /// Whether it is a draft, where that can be read.
    pub draft: Option<bool>,
    /// Where it is in its life.
    pub state: RequestState,
    /// What reviewers say.
    pub opinion: Option<Opinion>,
    /// What checks say.
    pub checks: Option<Checks>,
    /// Reviews and comments.
    pub remarks: Vec<Remark>,
}

/// What is to be changed of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edits {
    /// Its title.
    pub title: Option<String>,
    /// Its text.
    pub body: Option<String>,
    /// What it shall be merged into.
    pub base: Option<String>,
    /// Labels that are not on it.
    pub labels: Vec<String>,
    /// Reviewers that were not asked.
    pub reviewers: Vec<String>,
}

impl Edits {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a forge takes requests.
pub trait Forge {
    /// The full ref that is pushed to; by default the result's own branch.
    fn head(&self, wanted: &Wanted) -> String {
        names::branch(&wanted.branch)
    }

    /// Whether that is a plain branch there.
    fn is_branch(&self) -> bool {
        true
    }

    /// Whether a request can be merged into another one's branch.
    fn stacks(&self) -> bool {
        self.is_branch()
    }

    /// Whether labels are told with a push or not at all.
    fn labels_by_push(&self) -> bool {
        false
    }

    /// The commit that is pushed; by default the result's tip.
    ///
    /// # Errors
    /// Refused where the forge takes no such result.
    fn commit(&self, wanted: &Wanted) -> Result<Oid> {
        Ok(wanted.tip)
    }

    /// What is told with a push.
    fn options(&self, _wanted: &Wanted, _found: Option<&Seen>) -> Vec<String> {
        Vec::new()
    }

    /// The text as it will stand there.
    fn body(&self, wanted: &Wanted) -> String {
        wanted.text.markdown()
    }

    /// The request of a result, where there is one; `known` is what was
    /// recorded of it, `commit` what would be pushed.
    ///
    /// # Errors
    /// Unusable where the forge can't be asked.
    fn find(&self, wanted: &Wanted, known: Option<&Published>, commit: Oid) -> Result<Option<Seen>>;

    /// What a push itself opened.
    fn opened(&self, _wanted: &Wanted, _answer: &push::Answer) -> Option<Seen> {
        None
    }

    /// Opens a request for what was pushed.
    ///
    /// # Errors
    /// Refused where the forge does not take it.
    fn open(&self, wanted: &Wanted) -> Result<Seen>;

    /// Changes a request; what of that the forge took.
    ///
    /// # Errors
    /// Refused where the forge does not take it.
    fn edit(&self, seen: &Seen, edits: &Edits) -> Result<Edits>;
}

/// The forge behind a choice that pushes to a remote.
///
/// # Errors
/// Unusable where its client is missing or the address does not fit.
pub fn forge<'a>(
    site: Site<'a>,
    choice: &'a Choice,
    commands: Option<&'a ForgeCommands>,
) -> Result<Box<dyn Forge + 'a>> {
    Ok(match choice {
        Choice::Gh => Box::new(gh::Gh::new(site)?),
        Choice::Glab => Box::new(glab::Glab::new(site)?),
        Choice::Gitlab => Box::new(gitlab::Gitlab::new(site)),
        Choice::Agit => Box::new(agit::Agit::new(site)),
        Choice::Gerrit => Box::new(gerrit::Gerrit::new(site)),
        Choice::Named(name) => match commands {
            Some(commands) => Box::new(commands::Commands::new(site, name, commands)?),
            None => return Err(Error::bug(format!("the forge `{name}` has no commands"))),
        },
        Choice::None | Choice::Email => Box::new(branch::Branch::new(site)),
    })
}

/// GitLab's client, where it is there, else push options.
pub fn settled(choice: Choice, environment: &BTreeMap<OsString, OsString>) -> Choice {
    match choice {
        Choice::Gitlab if find_program("glab", environment).is_some() => Choice::Glab,
        other => other,
    }
}

impl Site<'_> {
    /// Runs a forge's client, outside the repository: what it needs is said.
    ///
    /// # Errors
    /// Unusable where it is not there, or does not answer.
    fn client(&self, program: &str, args: &[String], ours: &[(&str, &str)]) -> Result<Answer> {
        let found = find_program(program, self.scene.environment).ok_or_else(|| {
            Error::unusable(format!("no `{program}` on the PATH"))
                .hint(format!("install `{program}` and log in, or push the branch alone: `--forge none`"))
        })?;
        let ours: Vec<(&str, &std::ffi::OsStr)> =
            ours.iter().map(|(key, value)| (*key, value.as_ref())).collect();
        let mut environment = command::environment(self.scene.environment, &ours);
        for key in ["GH_REPO", "GH_FORCE_TTY", "CLICOLOR_FORCE", "GITLAB_REPO"] {
            environment.remove(std::ffi::OsStr::new(key));
        }
        let argv = std::iter::once(found.into_os_string()).chain(args.iter().map(OsString::from)).collect();
        ask(&Question { argv, folder: "/".into(), environment })
    }

    /// Where refs of the remote are.
    fn tips(&self, patterns: &[String]) -> Result<Vec<(String, Oid)>> {
        push::tips(self.scene.repo, self.remote, patterns)
    }
}

/// What a branch on the remote must be before a push: as it was left, or
/// something that is in the record's past anyhow.
///
/// # Errors
/// Refused where somebody else moved it.
pub fn lease(
    site: Site<'_>,
    name: &str,
    there: Option<Oid>,
    ours: impl Fn(Oid) -> Result<bool>,
) -> Result<Lease> {
    match there {
        None => Ok(Lease::Absent),
        Some(oid) if ours(oid)? => Ok(Lease::At(oid)),
        Some(_) => Err(push::moved(&site.remote.name, name)),
    }
}

impl Site<'_> {
    /// Tells what a push can't say; the rest of what was to be changed.
    fn warn_of_what_stays(&self, edits: &Edits, words: &str) -> Edits {
        let mut rest = edits.clone();
        let mut lacks = Vec::new();
        for (what, values) in [("labels", &mut rest.labels), ("reviewers", &mut rest.reviewers)] {
            if words.contains(what) && !values.is_empty() {
                values.clear();
                lacks.push(what);
            }
        }
        if !lacks.is_empty() {
            let text = format!("a push can't say {}: name them there", list(lacks));
            (self.scene.events)(Event::Warning(text));
        }
        rest
    }
}

/// A client that failed, in its own words.
fn failed(what: &str, answer: &Answer) -> Error {
    Error::new(Kind::Refused, format!("`{what}` failed")).because(answer.complaint())
}
