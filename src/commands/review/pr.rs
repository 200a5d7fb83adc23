//! A result as a pull or merge request.

mod settle;

use super::judge::refuse_inside_session;
use crate::app::App;
use crate::commands::opened::Opened;
use crate::config::load;
use crate::error::{Error, Result, exit};
use crate::model::wording::unknown;
use crate::model::{Name, Published, RequestState};
use crate::review::forge::{Choice, patches};
use crate::review::publish::{self, Report};
use crate::review::{Item, forge, item};
use crate::run::altered;
use crate::ui::Described;
use settle::{Place, place, sketch, wanted};

/// How a result is put up.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct PrArgs {
    /// Push the result and open a pull or merge request for it, or bring the one
    /// there is up to date; without TASK, all that were opened
    #[arg(long, group = "does", conflicts_with_all = ["diff", "approve", "request_changes", "message"])]
    pub(super) pr: bool,
    /// Open it as a draft
    #[arg(long, requires_all = ["pr", "task"])]
    draft: bool,
    /// Put this label on it
    #[arg(long, value_name = "LABEL", requires_all = ["pr", "task"])]
    label: Vec<String>,
    /// Ask this person of the forge for a review
    #[arg(long, value_name = "LOGIN", requires_all = ["pr", "task"])]
    reviewer: Vec<String>,
    /// The remote to push to
    #[arg(long, value_name = "REMOTE", requires = "pr")]
    remote: Option<String>,
    /// What is there: gh, glab, gitlab, agit, gerrit, email, none, or one of
    /// `forges` in .orch.yml
    #[arg(long, value_name = "FORGE", requires = "pr")]
    forge: Option<String>,
    /// Only say what would be done: pushed and requested, who would look, what
    /// would be judged
    #[arg(long, requires_all = ["does", "task"])]
    pub(super) dry_run: bool,
}

/// What would be done.
#[derive(serde::Serialize)]
struct Planned<'a> {
    name: &'a str,
    forge: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<&'a str>,
    head: &'a str,
    tip: crate::model::Oid,
    base: &'a str,
    title: &'a str,
    body: String,
    draft: bool,
    labels: &'a [String],
    reviewers: &'a [String],
}

/// What came of one of several.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Outcome<'a> {
    Done(&'a Report),
    Failed { name: &'a Name, error: Described<'a> },
}

/// Whether it changes anything here.
pub(super) fn changes(args: &PrArgs) -> bool {
    args.pr && !args.dry_run
}

pub(super) fn run(app: &App, opened: &Opened, item: Option<&Item>, args: &PrArgs) -> Result<u8> {
    refuse_inside_session(app, opened)?;
    match item {
        Some(item) if args.dry_run => dry_run(app, opened, item, args),
        Some(item) => one(app, opened, item, args),
        None => all(app, opened, args),
    }
}

fn one(app: &App, opened: &Opened, item: &Item, args: &PrArgs) -> Result<u8> {
    require_waiting(opened, item)?;
    let place = place(app, opened, item, args)?;
    if place.choice == Choice::Email {
        return mail(app, opened, item, &place, args);
    }
    let events = |event| app.ui.event(event);
    let scene = opened.scene(app, &events);
    let wanted = wanted(opened, scene, item, &place, args)?;
    let site = place.site(scene)?;
    let forge = forge::forge(site, &place.choice, place.commands(opened))?;
    let report = publish::publish(site, forge.as_ref(), &place.choice, &wanted)?;
    app.ui.data(&report)?;
    app.ui.note(told(&report));
    let request = &report.request;
    app.ui.answer(request.address.clone().unwrap_or_else(|| request.label()))?;
    advise(app, opened, &report);
    Ok(exit::DONE)
}

/// Everything that was put up: pushed where it moved, then read back.
fn all(app: &App, opened: &Opened, args: &PrArgs) -> Result<u8> {
    let items = item::load_published(&opened.repo)?;
    let items: Vec<Item> = items.into_iter().filter(|item| is_asked_about(item, args)).collect();
    if items.is_empty() {
        app.ui.data(&Vec::<Report>::new())?;
        app.ui.note("no request waits: `git orch review TASK --pr` opens one");
        return Ok(exit::DONE);
    }
    let mut results = Vec::new();
    let width = items.iter().map(|item| item.name.as_str().len()).max().unwrap_or_default();
    for item in &items {
        let result = again(app, opened, item, args);
        match &result {
            Ok(report) => {
                let pushed = if report.pushed { ", pushed" } else { "" };
                app.ui.answer(format!("  {}", line((item, width), &report.request, pushed)))?;
            }
            Err(_) if items.len() == 1 => return result.map(|_| exit::DONE),
            Err(error) => {
                app.ui.answer(format!("  {:width$}  not brought up to date: {error}", item.name.as_str()))?;
            }
        }
        results.push((&item.name, result));
    }
    app.ui.data(&results.iter().map(outcome).collect::<Vec<_>>())?;
    let errors: Vec<&Error> = results.iter().filter_map(|(_, result)| result.as_ref().err()).collect();
    for error in &errors {
        error.hints.iter().for_each(|hint| app.ui.note(format!("hint: {hint}")));
    }
    results.iter().filter_map(|(_, result)| result.as_ref().ok()).for_each(|one| advise(app, opened, one));
    Ok(errors.first().map_or(exit::DONE, |error| error.kind.exit_code()))
}

fn outcome<'a>((name, result): &'a (&Name, Result<Report>)) -> Outcome<'a> {
    match result {
        Ok(report) => Outcome::Done(report),
        Err(error) => Outcome::Failed { name, error: error.into() },
    }
}

/// Whether a request is one that is still to be looked after: what became of
/// one of a result that is over, nobody tells where it was not told before.
fn is_asked_about(item: &Item, args: &PrArgs) -> bool {
    let Some(request) = &item.published else { return false };
    let is_over = !item.state.is_pending() && request.state != RequestState::Open;
    let of = |said: &Option<String>, had: Option<&str>| said.as_deref().is_none_or(|said| Some(said) == had);
    request.remote.is_some()
        && !is_over
        && of(&args.remote, request.remote.as_deref())
        && of(&args.forge, Some(&request.forge))
}

fn again(app: &App, opened: &Opened, item: &Item, args: &PrArgs) -> Result<Report> {
    let place = place(app, opened, item, args)?;
    let events = |event| app.ui.event(event);
    let scene = opened.scene(app, &events);
    let site = place.site(scene)?;
    let forge = forge::forge(site, &place.choice, place.commands(opened))?;
    let has_ended = item.published.as_ref().is_some_and(|request| request.state == RequestState::Closed);
    if item.state.is_pending() && !has_ended && require_waiting(opened, item).is_ok() {
        let wanted = wanted(opened, scene, item, &place, args)?;
        publish::publish(site, forge.as_ref(), &place.choice, &wanted)
    } else {
        publish::look(site, forge.as_ref(), &place.choice, &sketch(opened, item)?)
    }
}

fn mail(app: &App, opened: &Opened, item: &Item, place: &Place, args: &PrArgs) -> Result<u8> {
    let events = |event| app.ui.event(event);
    let scene = opened.scene(app, &events);
    let wanted = wanted(opened, scene, item, place, args)?;
    let folder = patches::write(scene, &wanted)?;
    opened.repo.reach("patches written")?;
    if place.remote.is_some() {
        patches::write_request(&folder, &patches::request_pull(place.site(scene)?, &wanted)?)?;
    }
    let request = Published {
        forge: place.choice.to_string(),
        base: wanted.base.clone(),
        tip: Some(wanted.tip),
        address: Some(folder.display().to_string()),
        title: wanted.text.title.clone(),
        body: wanted.text.plain(),
        ..Published::default()
    };
    let (request, _) = publish::record(scene, item, &request, |_| None)?;
    let name = item.name.clone();
    app.ui.data(&Report { name, pushed: false, opened: true, heard: false, request })?;
    app.ui.answer(folder.display().to_string())?;
    app.ui.note("next: look at the cover letter, then git send-email --to=ADDRESS FOLDER/*.patch");
    Ok(exit::DONE)
}

fn dry_run(app: &App, opened: &Opened, item: &Item, args: &PrArgs) -> Result<u8> {
    require_waiting(opened, item)?;
    let place = place(app, opened, item, args)?;
    let events = |event| app.ui.event(event);
    let scene = opened.scene(app, &events);
    let wanted = wanted(opened, scene, item, &place, args)?;
    let (head, body) = if place.remote.is_some() && place.choice != Choice::Email {
        let site = place.site(scene)?;
        let forge = forge::forge(site, &place.choice, place.commands(opened))?;
        (forge.head(&wanted), forge.body(&wanted))
    } else {
        (String::new(), wanted.text.plain())
    };
    let remote = place.remote.as_ref().map(|remote| remote.name.as_str());
    let planned = Planned {
        name: item.name.as_str(),
        forge: place.choice.to_string(),
        remote,
        head: &head,
        tip: wanted.tip,
        base: &wanted.base,
        title: &wanted.text.title,
        body,
        draft: wanted.draft,
        labels: &wanted.labels,
        reviewers: &wanted.reviewers,
    };
    let what = match remote {
        Some(remote) if !head.is_empty() => {
            format!("would push {} to {} on {remote}, for {}", wanted.tip.short(), short(&head), wanted.base)
        }
        _ => format!("would write patches from {} to {}", wanted.start.short(), wanted.tip.short()),
    };
    app.ui.data(&planned)?;
    app.ui.answer(format!("{what} ({})\ntitle: {}\n\n{}", planned.forge, planned.title, planned.body))?;
    Ok(exit::DONE)
}

/// Refuses a result that is not to be looked at by others.
fn require_waiting(opened: &Opened, item: &Item) -> Result<()> {
    if !item.state.is_pending() {
        let error = Error::refused(format!("`{}` waits for nobody: it is {}", item.name, item.state.word()));
        return Err(error.hint("only a result that waits for review is put up: `git orch review` lists them"));
    }
    altered::refuse(&opened.repo, &item.name, &item.altered, &opened.trust)
}

/// `fix-login  #12  open, approved  https://…`.
fn line((item, width): (&Item, usize), request: &Published, pushed: &str) -> String {
    let address = request.address.as_deref().unwrap_or_default();
    format!("{:width$}  {}  {}{pushed}  {address}", item.name.as_str(), request.label(), request.words())
        .trim_end()
        .to_owned()
}

fn told(report: &Report) -> String {
    let Report { request, pushed, opened, .. } = report;
    let remote = request.remote.as_deref().unwrap_or_default();
    let done = match (pushed, opened) {
        _ if request.forge == "none" => {
            let done = if *pushed { "pushed" } else { "is there already" };
            format!("{} on {remote}: {done}", head(request))
        }
        (_, true) => format!("opened {} into {}", request.label(), request.base),
        (true, false) => format!("pushed to {} into {}", request.label(), request.base),
        (false, false) => format!("{} is up to date", request.label()),
    };
    if request.state == RequestState::Unknown { done } else { format!("{done}: {}", request.words()) }
}

fn head(request: &Published) -> &str {
    short(request.head.as_deref().unwrap_or_default())
}

fn short(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}

/// What to do about how a request stands.
fn advise(app: &App, opened: &Opened, report: &Report) {
    let Report { name, request, heard, .. } = report;
    let label = request.label();
    if *heard {
        app.ui.note(format!("{label} wants changes, which {name} hears now\nnext: git orch retry {name}"));
    }
    let item = item::require(&opened.repo, name.as_str()).ok();
    let waits = item.as_ref().is_some_and(|item| item.state.is_pending());
    match request.state {
        RequestState::Merged if waits => {
            let remote = opened.settings.upstream().or(request.remote.as_deref()).unwrap_or_default();
            app.ui.note(format!(
                "{label} was merged there: bring it to {base}, `git pull {remote} {base}`, and {name} is done",
                base = request.base
            ));
        }
        RequestState::Open if !waits => {
            let state = item.map_or("gone", |item| item.state.word());
            let remote = request.remote.as_deref().unwrap_or_default();
            let push = format!(": `git push {remote} {}` tells it", request.base);
            let push = if state == "merged" { push } else { String::new() };
            app.ui.note(format!("{name} is {state} here, and {label} is still open there{push}"));
        }
        _ => {}
    }
}

/// The forge that is meant, by name.
fn choice(opened: &Opened, said: &str) -> Result<Choice> {
    let known = load::FORGES;
    let forges = &opened.settings.file.forges;
    let all = || known.into_iter().chain(forges.keys().map(String::as_str));
    let error = || {
        Error::usage(unknown("forge", said, all()))
            .hint(format!("it is one of {}, or of `forges` in .orch.yml", known.join(", ")))
    };
    match said.parse::<Choice>() {
        Ok(Choice::Named(name)) if !forges.contains_key(name.as_str()) => Err(error()),
        Ok(choice) => Ok(choice),
        Err(_) => Err(error()),
    }
}
