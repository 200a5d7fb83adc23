//! `git orch add-session`

use super::opened::{Opened, patterns};
use crate::agent::command::shell;
use crate::agent::{Input, Invocation, command, process};
use crate::app::App;
use crate::config::trust::{self, Named};
use crate::error::{Error, IoContext, Result, exit};
use crate::model::session::Adoption;
use crate::model::wording::{count, list};
use crate::model::{Session, time};
use crate::run::Scene;
use crate::session::view::{Depth, view};
use crate::session::{add, base, include};
use crate::store;

/// Make a session: a branch, a worktree, a specialty, a history
///
/// The branch is `orch/NAME`, the worktree lies beside the repository as
/// `../REPO.orch/NAME`. Only the worktree's path goes to standard output, so
/// `cd "$(git orch add-session backend --paths src/api)"` works. Making the
/// same session twice is no error.
#[derive(Debug, clap::Args)]
pub(super) struct AddSessionArgs {
    /// Its name: a-z, 0-9, `.`, `_` and `-`
    name: String,
    /// What it works on; a path without glob characters means everything under it
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    paths: Vec<String>,
    /// Words for what it is good at
    #[arg(long, value_name = "TEXT")]
    specialty: Option<String>,
    /// The agent that works in it
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// The branch it starts from and merges back to
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// Count the older commits that touch its paths as its own history
    #[arg(long)]
    adopt_history: bool,
    /// Count only older commits of these authors as its own history
    #[arg(long, value_name = "EMAIL", num_args = 1..)]
    authors: Vec<String>,
    /// Say what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: AddSessionArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let events = |event| app.ui.event(event);
    let scene = opened.scene(app, &events);
    let dry_run = args.dry_run;
    let wish = wish(app, &opened, args)?;
    let base = wish.base.clone();
    let session = match add::plan(&opened.repo, wish, app.now)? {
        add::Planned::There(found) => {
            app.ui.note(format!("session {} is there already", found.value.name));
            found.value
        }
        add::Planned::New(plan) if dry_run => {
            let session = plan.session;
            let (name, at) = (&session.branch, session.worktree.display());
            app.ui.note(format!("would make {name} from {} {} in {at}", base.branch, base.oid.short()));
            return Ok(exit::DONE);
        }
        add::Planned::New(plan) => make(app, &opened, scene, plan)?,
    };
    let tasks = store::tasks::load(&opened.repo)?;
    app.ui.data(&view(&opened.repo, &session, &tasks, Depth::Refs)?)?;
    app.ui.answer(session.worktree.display().to_string())?;
    Ok(exit::DONE)
}

fn wish(app: &App, opened: &Opened, args: AddSessionArgs) -> Result<add::Wish> {
    let name = args.name.parse().map_err(|why| {
        Error::usage(format!("`{}` can't be a session's name: {why}", args.name))
            .hint("for example `backend` or `api-2`")
    })?;
    let defaults = opened.settings.file.sessions.get(&args.name).cloned().unwrap_or_default();
    let typed = patterns(app, &opened.repo, &args.paths)?;
    let sessions = store::sessions::load(&opened.repo)?;
    let base = base::choose(&opened.repo, args.base.as_deref(), opened.settings.base(), &sessions)?;
    let adopts = args.adopt_history || !args.authors.is_empty();
    Ok(add::Wish {
        name,
        paths: if typed.is_empty() { defaults.paths } else { typed },
        specialty: args.specialty.unwrap_or(defaults.specialty),
        agent: args.agent.or(defaults.agent),
        adopts: adopts.then_some(Adoption { authors: args.authors }),
        base,
        template: opened.settings.worktrees().to_owned(),
    })
}

fn make(app: &App, opened: &Opened, scene: Scene<'_>, plan: add::Plan) -> Result<Session> {
    let session = add::carry_out(&opened.repo, plan, scene.events, app.now)?;
    let (name, branch) = (&session.name, &session.branch);
    app.ui.note(format!(
        "session {name}: branch {branch} from {} {}",
        session.base,
        session.base_oid.short()
    ));
    carry_files(app, opened, &session)?;
    if let Some(setup) = &opened.settings.file.setup {
        set_up(app, opened, scene, &session, setup)?;
    }
    if session.adopts.is_some() {
        super::history::tell_adopted(app, opened, scene, &session)?;
    }
    Ok(session)
}

fn carry_files(app: &App, opened: &Opened, session: &Session) -> Result<()> {
    let from = opened.repo.main_folder();
    if !from.join(include::FILE).is_file() {
        return Ok(());
    }
    if !opened.trust.covers(&trust::repository()) {
        app.ui.warning(format!(
            "the files that `{}` lists are not copied: the repository is not trusted; see `git orch trust`",
            include::FILE
        ));
        return Ok(());
    }
    let carried = include::carry(&opened.repo, from, &session.worktree)?;
    if !carried.is_empty() {
        app.ui.note(format!("copied {}", list(carried.iter().take(10))));
    }
    Ok(())
}

fn set_up(app: &App, opened: &Opened, scene: Scene<'_>, session: &Session, setup: &str) -> Result<()> {
    let named = Named { purpose: "setup".to_owned(), command: setup.to_owned() };
    if !opened.trust.covers(&named) {
        app.ui.warning(format!("the setup `{setup}` was not run: it is not trusted; see `git orch trust`"));
        return Ok(());
    }
    let folder = opened.repo.orch_dir()?.join("setup");
    std::fs::create_dir_all(&folder).doing("could not make", &folder)?;
    let log = folder.join(format!("{}.log", session.name));
    let invocation = Invocation {
        argv: shell(setup, []),
        folder: session.worktree.clone(),
        environment: command::environment(
            &app.environment,
            &[("GIT_ORCH_SESSION", session.name.as_str().as_ref())],
        ),
        input: Input::Nothing,
        log: log.clone(),
        is_log_continued: false,
        timeout: None,
    };
    let ended = process::run(&invocation, scene.interrupt, |_| {})?;
    scene.interrupt.check()?;
    if ended.is_success() {
        app.ui.note(format!("setup `{setup}` took {}", time::elapsed(ended.elapsed)));
    } else {
        let printed =
            count(std::fs::read(&log).unwrap_or_default().split(|byte| *byte == b'\n').count(), "line");
        app.ui.warning(format!("setup `{setup}` failed; it printed {printed}: {}", log.display()));
    }
    Ok(())
}
