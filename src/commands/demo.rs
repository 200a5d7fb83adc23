//! `git orch demo`

mod story;

use std::path::{Path, PathBuf};

use crate::agent::process;
use crate::app::App;
use crate::error::{Error, IoContext, Result, exit};
use crate::git::Git;
use crate::model::wording::count;

/// Show everything in a minute, in a repository made for it
///
/// Makes a small repository with some months of history in a temporary place
/// and goes through the main commands there with a scripted agent. Needs no
/// network and no agent, touches nothing else, and leaves the repository for
/// exploring.
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// Make it in this folder, which must not exist yet
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

/// One step: what is said of it, and the command.
struct Step {
    says: &'static str,
    command: &'static [&'static str],
    /// The exit code that the story expects.
    code: i32,
}

const fn step(says: &'static str, command: &'static [&'static str]) -> Step {
    Step { says, command, code: 0 }
}

const STEPS: &[Step] = &[
    step(
        "A session is a named specialist: a worktree, a branch, and the history of what it touched.\n\
         These three take over what was done in their area before.",
        &["add-session", "api", "--paths", "src/api", "--adopt-history"],
    ),
    step("", &["add-session", "web", "--paths", "src/web", "--adopt-history"]),
    step("", &["add-session", "docs", "--paths", "docs", "--adopt-history", "--specialty", "manual, guides"]),
    step("", &["sessions"]),
    step(
        "Who should fix this? The words lead to similar past commits, these to files, and the files\n\
         to the session that knows them. Every number adds up.",
        &["route", "refresh token expires too early", "--why"],
    ),
    step(
        "A task goes there and runs in that session's worktree. The agent is whatever stands behind\n\
         `--`: here a script that reads its brief and edits the likeliest file.",
        &["task", "refresh token expires too early", "--", "../agent.sh"],
    ),
    step("", &["task", "cart total is wrong with a coupon", "--", "../agent.sh"]),
    step("", &["task", "document the coupon rules in the guide", "--", "../agent.sh"]),
    Step {
        says: "Done is judged from git. A run that changes nothing is not done, whatever it says.",
        command: &["task", "tidy up the login form", "--", "true"],
        code: 1,
    },
    step("", &["tasks"]),
    step(
        "Work that needs no context fans out: throwaway worktrees, one shard each, and one result,\n\
         the same tree that a serial run gives.",
        &["fanout", "license", "--run", story::ADD_HEADER, "--paths", "src", "--shards", "4"],
    ),
    step("Results are branches. See what waits, look at one.", &["review"]),
    step("", &["review", "refresh-token-expires-too-early", "--diff"]),
    step(
        "This repository names a check in its .orch.yml. Nothing a repository names runs before you\n\
         have seen and trusted it.",
        &["trust", "--yes"],
    ),
    step(
        "Landing: what waits is combined with its base in memory, the check runs on exactly that\n\
         tree, and only then the base moves. Your checkout follows.",
        &["merge"],
    ),
    step("What each session knows now, mined from commits.", &["history", "api"]),
];

pub(super) fn run(app: &App, args: &DemoArgs) -> Result<u8> {
    let top = place(app, args)?;
    let repository = top.join("shop");
    let commits = story::make(app, &Git::find(&app.environment)?, &repository)?;
    story::write_agent(&top.join("agent.sh"))?;
    app.ui.note(format!(
        "made {} with {}, three areas, four people\n",
        repository.display(),
        count(commits, "commit")
    ));
    let mut environment = app.environment.clone();
    environment.insert("XDG_STATE_HOME".into(), top.join("state").into());
    for step in STEPS {
        tell(app, step);
        let ended = process::run_again(&repository, step.command, &environment)?;
        app.ui.note("");
        if ended != step.code {
            let line = step.command.join(" ");
            return Err(Error::failed(format!("`git orch {line}` ended with {ended}, not {}", step.code))
                .hint(format!("look around in `{}`", repository.display())));
        }
    }
    app.ui.note("The repository is yours to explore; its log holds the results:");
    app.ui.answer(format!("cd {}", repository.display()))?;
    app.ui.note("try: git orch sessions, git orch show api, git log --graph --notes='orch/*'");
    Ok(exit::DONE)
}

fn place(app: &App, args: &DemoArgs) -> Result<PathBuf> {
    if let Some(into) = &args.into {
        let top = app.folder.join(into);
        std::fs::create_dir(&top).doing("could not make", &top)?;
        return top.canonicalize().doing("could not find", Path::new(&top));
    }
    let kept = tempfile::Builder::new().prefix("git-orch-demo-").tempdir();
    let kept = kept.doing("could not make a folder in", &std::env::temp_dir())?.keep();
    kept.canonicalize().doing("could not find", &kept)
}

fn tell(app: &App, step: &Step) {
    if !step.says.is_empty() {
        let says: Vec<&str> = step.says.lines().map(str::trim_start).collect();
        app.ui.note(format!("# {}\n", says.join("\n# ")));
    }
    let words: Vec<String> = step.command.iter().map(|word| quoted(word)).collect();
    app.ui.note(format!("$ git orch {}", words.join(" ")));
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
