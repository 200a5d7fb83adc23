//! A forge of the user's own: three commands that open a request, update it and
//! tell how it stands.
//!
//! Values are in the environment, the text in a file; `open` prints the
//! request's address, `state` a word, or JSON that says more.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use serde::Deserialize;

use super::answer::parse;
use super::{Edits, Forge, Remark, Seen, Site, Wanted, patches};
use crate::agent::ask::{Answer, Question, ask};
use crate::agent::command::{environment, shell};
use crate::config::{Command, ForgeCommands};
use crate::error::{Error, IoContext, Result};
use crate::model::{Checks, Name, Oid, Opinion, Published, RequestState};

/// Commands, and what they are asked about.
pub(super) struct Commands<'a> {
    site: Site<'a>,
    name: &'a Name,
    commands: &'a ForgeCommands,
    /// The file that texts are in.
    body: PathBuf,
}

/// What `state` may print instead of a word.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    state: String,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    number: Option<u64>,
    #[serde(default)]
    draft: Option<bool>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    base: Option<String>,
    #[serde(default)]
    review: Option<Opinion>,
    #[serde(default)]
    checks: Option<Checks>,
    #[serde(default)]
    comments: Vec<Comment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Comment {
    id: String,
    author: String,
    #[serde(default)]
    place: Option<String>,
    text: String,
    /// Whether it asks for changes.
    #[serde(default)]
    asks: bool,
}

type Values = Vec<(&'static str, OsString)>;

impl<'a> Commands<'a> {
    pub(super) fn new(site: Site<'a>, name: &'a Name, commands: &'a ForgeCommands) -> Result<Self> {
        let file = format!("{}{}.md", patches::SCRATCH, std::process::id());
        let body = site.scene.repo.orch_dir()?.join(file);
        Ok(Self { site, name, commands, body })
    }

    fn values(&self, wanted: &Wanted) -> Values {
        vec![
            ("GIT_ORCH_TASK", wanted.name.as_str().into()),
            ("GIT_ORCH_REMOTE", self.site.remote.url.as_str().into()),
            ("GIT_ORCH_HEAD", wanted.branch.as_str().into()),
            ("GIT_ORCH_BASE", wanted.base.as_str().into()),
            ("GIT_ORCH_TIP", wanted.tip.to_string().into()),
        ]
    }

    fn write_body(&self, text: &str) -> Result<()> {
        std::fs::write(&self.body, text).doing("could not write", &self.body)
    }

    /// Runs one of the three in the repository.
    fn ask(&self, command: &Command, values: &Values) -> Result<Answer> {
        let argv = match command {
            Command::Shell(text) => shell(text, []),
            Command::List(args) => args.iter().map(OsString::from).collect(),
        };
        let body = [("GIT_ORCH_BODY", self.body.as_os_str())];
        let ours: Vec<(&str, &OsStr)> =
            values.iter().map(|(key, value)| (*key, value.as_os_str())).chain(body).collect();
        let place = self.site.scene.repo.place();
        let folder = place.work_tree.clone().unwrap_or_else(|| place.common_dir.clone());
        ask(&Question { argv, folder, environment: environment(self.site.scene.environment, &ours) })
    }

    /// The same, where it has to go well.
    fn told(&self, what: &str, command: &Command, values: &Values) -> Result<Answer> {
        let answer = self.ask(command, values)?;
        if answer.code == 0 {
            return Ok(answer);
        }
        let code = answer.code;
        Err(Error::refused(format!("`{what}` of the forge `{}` failed (exit {code})", self.name))
            .because(answer.complaint()))
    }

    fn read(&self, answer: &Answer) -> Result<Option<Seen>> {
        let what = format!("state of the forge {}", self.name);
        let text = answer.stdout.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if text.starts_with('{') {
            let told: Told = parse(&what, text)?;
            let state = state(&told.state).ok_or_else(|| self.unknown(&told.state))?;
            let draft = told.draft.or((told.state == "draft").then_some(true));
            let (number, address, title, body) = (told.number, told.address, told.title, told.body);
            let (base, opinion, checks) = (told.base, told.review, told.checks);
            let remarks = told.comments.into_iter().map(Comment::remark).collect();
            return Ok(Some(Seen {
                number,
                address,
                title,
                body,
                base,
                draft,
                state,
                opinion,
                checks,
                remarks,
                ..Seen::default()
            }));
        }
        let word = text.lines().next().unwrap_or_default().trim();
        let state = state(word).ok_or_else(|| self.unknown(word))?;
        Ok(Some(Seen { state, draft: (word == "draft").then_some(true), ..Seen::default() }))
    }

    fn unknown(&self, word: &str) -> Error {
        Error::unusable(format!("`state` of the forge `{}` printed `{word}`", self.name))
            .hint("it prints open, draft, merged, closed or unknown, or JSON with such a `state`; nothing where there is no request")
    }
}

impl Forge for Commands<'_> {
    fn find(&self, wanted: &Wanted, known: Option<&Published>, _commit: Oid) -> Result<Option<Seen>> {
        let known_seen = known.map(|known| Seen {
            number: known.number,
            id: known.id.clone(),
            address: known.address.clone(),
            ..Seen::default()
        });
        let Some(command) = &self.commands.state else { return Ok(known_seen) };
        let mut values = self.values(wanted);
        values.extend(known.and_then(|known| known.id.as_ref()).map(|id| ("GIT_ORCH_ID", id.into())));
        let answer = self.told("state", command, &values)?;
        let Some(seen) = self.read(&answer)? else { return Ok(None) };
        let known = known_seen.unwrap_or_default();
        Ok(Some(Seen {
            number: seen.number.or(known.number),
            id: known.id.or_else(|| seen.address.clone()),
            address: seen.address.clone().or(known.address),
            ..seen
        }))
    }

    fn open(&self, wanted: &Wanted) -> Result<Seen> {
        self.write_body(&self.body(wanted))?;
        let mut values = self.values(wanted);
        values.push(("GIT_ORCH_TITLE", wanted.text.title.as_str().into()));
        values.push(("GIT_ORCH_DRAFT", if wanted.draft { "1" } else { "" }.into()));
        values.push(("GIT_ORCH_LABELS", wanted.labels.join("\n").into()));
        values.push(("GIT_ORCH_REVIEWERS", wanted.reviewers.join("\n").into()));
        let answer = self.told("open", &self.commands.open, &values)?;
        let said = answer.stdout.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned);
        let id = said.ok_or_else(|| {
            Error::unusable(format!("`open` of the forge `{}` printed nothing", self.name))
                .hint("it prints the address of the request")
        })?;
        let number = id.rsplit(['/', '#', '!']).next().and_then(|end| end.parse().ok());
        let address = Some(id.clone());
        Ok(Seen { number, id: Some(id), address, state: RequestState::Open, ..Seen::default() })
    }

    fn edit(&self, seen: &Seen, edits: &Edits) -> Result<Edits> {
        let Some(command) = &self.commands.update else { return Ok(edits.clone()) };
        let text = |value: &Option<String>| OsString::from(value.clone().unwrap_or_default());
        self.write_body(edits.body.as_deref().unwrap_or_default())?;
        let values = vec![
            ("GIT_ORCH_ID", text(&seen.id)),
            ("GIT_ORCH_REMOTE", self.site.remote.url.as_str().into()),
            ("GIT_ORCH_TITLE", text(&edits.title)),
            ("GIT_ORCH_BASE", text(&edits.base)),
            ("GIT_ORCH_LABELS", edits.labels.join("\n").into()),
            ("GIT_ORCH_REVIEWERS", edits.reviewers.join("\n").into()),
        ];
        self.told("update", command, &values).map(|_| edits.clone())
    }
}

impl Drop for Commands<'_> {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.body));
    }
}

impl Comment {
    fn remark(self) -> Remark {
        let Self { id, author, place, text, asks } = self;
        Remark { id, author, place, text, asks, counts: true }
    }
}

fn state(word: &str) -> Option<RequestState> {
    match word {
        "open" | "draft" => Some(RequestState::Open),
        "merged" => Some(RequestState::Merged),
        "closed" => Some(RequestState::Closed),
        "unknown" => Some(RequestState::Unknown),
        _ => None,
    }
}
