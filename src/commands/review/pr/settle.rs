//! Where a result is put up, and what its request shall be: settled from what
//! was said, what was recorded, settings and the remote's address.

use super::{PrArgs, choice};
use crate::app::App;
use crate::commands::opened::Opened;
use crate::config::{ForgeCommands, trust};
use crate::error::{Error, Result};
use crate::git::remote::{self, Remote};
use crate::git::{Repo, programs};
use crate::model::{Event, Published, RequestState};
use crate::review::forge::address::{self, Address};
use crate::review::forge::{self, Choice, Site, Text, Wanted};
use crate::review::people::{self, Reviewers};
use crate::review::{Item, gate, item, wanted as facts};
use crate::run::Scene;
use crate::store;

/// Where a result is put up.
pub(super) struct Place {
    pub(super) choice: Choice,
    /// None for patches.
    pub(super) remote: Option<Remote>,
    address: Address,
    /// Where requests are opened, where a fork is pushed to.
    pub(super) upstream: Option<(Remote, Address)>,
}

impl Place {
    pub(super) fn site<'a>(&'a self, scene: Scene<'a>) -> Result<Site<'a>> {
        let remote = self.remote.as_ref().ok_or_else(|| Error::bug("a request has a remote"))?;
        let upstream = self.upstream.as_ref().map(|(remote, address)| (remote, address));
        Ok(Site { scene, remote, address: &self.address, upstream })
    }

    pub(super) fn commands<'a>(&self, opened: &'a Opened) -> Option<&'a ForgeCommands> {
        match &self.choice {
            Choice::Named(name) => opened.settings.file.forges.get(name.as_str()),
            _ => None,
        }
    }
}

/// Where a result is put up: as said, else as before, else as settings and the
/// remote's address have it.
///
/// # Errors
/// Usage and unusable where that can't be told; untrusted where the repository
/// names what would be run.
pub(super) fn place(app: &App, opened: &Opened, item: &Item, args: &PrArgs) -> Result<Place> {
    let is_there = |known: &&Published| args.remote.is_none() || args.remote == known.remote;
    let before = item.published.as_ref().filter(is_there).map(|known| known.forge.as_str());
    let said = args.forge.as_deref().or(before).or(opened.settings.forge());
    let chosen = said.map(|said| choice(opened, said)).transpose()?;
    if chosen == Some(Choice::Email) && args.remote.is_none() {
        return Ok(Place {
            choice: Choice::Email,
            remote: None,
            address: Address::default(),
            upstream: None,
        });
    }
    let remote = find_remote(&opened.repo, item, args)?;
    if !args.dry_run {
        for (what, value) in programs::of_transport(&opened.repo) {
            opened.trust.require(&trust::program(&what, Some(&value)))?;
        }
    }
    let address = address(&opened.repo, &remote)?;
    let choice = match chosen.or_else(|| detected(opened, &address)) {
        Some(choice) if said.is_none() => forge::settled(choice, &app.environment),
        Some(choice) => choice,
        None => return Err(nobody_knows(&remote, &address)),
    };
    if let Choice::Named(name) = &choice
        && !args.dry_run
    {
        let commands = opened.settings.file.forges.get(name.as_str());
        for named in
            commands.map(|commands| trust::forge_commands(name.as_str(), commands)).unwrap_or_default()
        {
            opened.trust.require(&named)?;
        }
    }
    let upstream = match opened.settings.upstream() {
        Some(name) if choice == Choice::Gh && name != remote.name => {
            let upstream = remote::find(&opened.repo, Some(name))?;
            let address = self::address(&opened.repo, &upstream)?;
            Some((upstream, address))
        }
        _ => None,
    };
    Ok(Place { choice, remote: Some(remote), address, upstream })
}

/// The remote of a result: as said, else as before, else that of its base.
fn find_remote(repo: &Repo, item: &Item, args: &PrArgs) -> Result<Remote> {
    let before = item.published.as_ref().and_then(|known| known.remote.clone());
    let of_base = repo.all_values(&format!("branch.{}.remote", item.base))?.pop().filter(|name| name != ".");
    let remotes = repo.git(["remote"]).line()?;
    if remotes.is_empty() {
        return Err(Error::unusable("there is no remote to put a request up on")
            .hint("`git remote add origin ADDRESS`; or write patches: `--forge email`"));
    }
    let wanted = args.remote.clone().or(before).or(of_base);
    let named = remotes.lines().any(|name| Some(name) == wanted.as_deref());
    let wanted = wanted.filter(|_| named || args.remote.is_some());
    remote::find(repo, wanted.as_deref())
}

/// The address as git uses it, or as it stands in the settings, where that
/// tells more.
fn address(repo: &Repo, remote: &Remote) -> Result<Address> {
    let raw = repo.all_values(&format!("remote.{}.url", remote.name))?;
    let mut all: Vec<Address> =
        std::iter::once(&remote.url).chain(&raw).map(|url| address::parse(url)).collect();
    let telling = all.iter().position(|address| address.forge().is_some());
    Ok(all.swap_remove(telling.unwrap_or(0)))
}

fn detected(opened: &Opened, address: &Address) -> Option<Choice> {
    let top = opened.repo.place().work_tree.as_deref();
    let is_gerrit = top.is_some_and(|top| top.join(".gitreview").is_file());
    if is_gerrit { Some(Choice::Gerrit) } else { address.forge() }
}

fn nobody_knows(remote: &Remote, address: &Address) -> Error {
    let at = address.host.clone().unwrap_or_else(|| address::public(&remote.url));
    Error::usage(format!("nobody knows which forge is at `{at}`, the remote `{}`", remote.name))
        .hint("say it: `--forge gh`, glab, gitlab, agit (Forgejo, Gitea), gerrit, email or none (the branch alone)")
        .hint("for always: `git config orch.forge FORGE`, or `forge: FORGE` in .orch.yml")
}

/// What the request of a result shall be.
///
/// # Errors
/// Refused where it builds on a result that is not there yet.
pub(super) fn wanted(
    opened: &Opened,
    scene: Scene<'_>,
    item: &Item,
    place: &Place,
    args: &PrArgs,
) -> Result<Wanted> {
    require_plain(args)?;
    let below = below(opened, item, place)?;
    let touched = gate::touched(scene.repo, item)?;
    let reviewers = reviewers(opened, scene, item, &touched);
    let label = below.as_ref().map(|below| match place.choice {
        // A folder of this machine tells others nothing.
        Choice::Email => below.title.clone(),
        _ => below.address.clone().unwrap_or_else(|| below.label()),
    });
    let text = facts::text(scene, item, &touched, (label, &reviewers.lines))?;
    let asks =
        matches!(place.choice, Choice::Gh | Choice::Glab | Choice::Named(_)) && item.published.is_none();
    let mut named = args.reviewer.clone();
    named.extend(reviewers.logins.into_iter().filter(|login| asks && !args.reviewer.contains(login)));
    let is_stack =
        matches!(place.choice, Choice::Gh | Choice::Glab | Choice::Gitlab | Choice::Named(_) | Choice::None);
    let base = match &below {
        Some(below) if is_stack && place.upstream.is_none() => branch_of(below, &item.base),
        _ => item.base.clone(),
    };
    Ok(Wanted {
        base,
        below,
        text,
        draft: args.draft,
        labels: args.label.clone(),
        reviewers: named,
        ..sketch(opened, item)?
    })
}

/// The same without what it shall say: enough to find the one that is there.
pub(super) fn sketch(opened: &Opened, item: &Item) -> Result<Wanted> {
    let task = store::tasks::find(&opened.repo, &item.name)?;
    let base = item.published.as_ref().map_or(&item.base, |known| &known.base);
    Ok(Wanted {
        name: item.name.clone(),
        uid: task.map(|task| task.value.uid).unwrap_or_else(|| item.base_oid.to_string()),
        tip: item.tip,
        start: item.base_oid,
        branch: item.branch.clone(),
        base: base.clone(),
        below: None,
        text: Text::default(),
        draft: false,
        labels: Vec::new(),
        reviewers: Vec::new(),
    })
}

/// Refuses labels and names that forges do not know.
fn require_plain(args: &PrArgs) -> Result<()> {
    let is_no_label = |label: &&String| label.trim().is_empty() || label.contains(char::is_control);
    if let Some(label) = args.label.iter().find(is_no_label) {
        return Err(Error::usage(format!("`{label}` can't be a label")));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.@+/".contains(c);
    let is_odd = |name: &&String| name.is_empty() || name.starts_with('-') || !name.chars().all(fits);
    match args.reviewer.iter().find(is_odd) {
        Some(name) => Err(Error::usage(format!("`{name}` can't be a reviewer"))
            .hint("name who it is on the forge, as `ann`")),
        None => Ok(()),
    }
}

fn branch_of(below: &Published, base: &str) -> String {
    let head = below.head.as_deref().and_then(|head| head.strip_prefix("refs/heads/"));
    head.unwrap_or(base).to_owned()
}

/// The request of the result below, while that waits to land.
fn below(opened: &Opened, item: &Item, place: &Place) -> Result<Option<Published>> {
    let Some(name) = &item.on_top_of else { return Ok(None) };
    let Ok(below) = item::require(&opened.repo, name.as_str()) else { return Ok(None) };
    if below.state.is_over() {
        return Ok(None);
    }
    let is_mail = place.choice == Choice::Email;
    let remote = place.remote.as_ref().map(|remote| remote.name.as_str());
    let is_here = |request: &Published| {
        request.forge == place.choice.to_string() && (is_mail || request.remote.as_deref() == remote)
    };
    let (at, how) = if is_mail { ("by mail", " --forge email") } else { ("there", "") };
    match below.published.filter(is_here) {
        Some(request) if request.state == RequestState::Merged => Ok(None),
        Some(request) => Ok(Some(request)),
        None => Err(Error::refused(format!("`{}` builds on `{name}`, which is not put up {at}", item.name))
            .hint(format!("put that one up first: `git orch review {name} --pr{how}`"))),
    }
}

/// Who could look at it; nobody, where that can't be told.
fn reviewers(opened: &Opened, scene: Scene<'_>, item: &Item, touched: &[crate::model::Change]) -> Reviewers {
    people::propose(scene, &opened.settings, item, touched).unwrap_or_else(|error| {
        (scene.events)(Event::Warning(format!("nobody is proposed as a reviewer: {error}")));
        Reviewers::default()
    })
}
