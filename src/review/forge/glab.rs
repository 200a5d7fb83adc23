//! GitLab, by `glab api`, which is the same in all its versions.

use serde::Deserialize;

use super::answer::{pages, parse};
use super::{Edits, Forge, Remark, Seen, Site, Wanted, failed};
use crate::agent::ask::Answer;
use crate::error::{Error, Result};
use crate::model::{Checks, Event, Oid, Opinion, Published, RequestState};

/// A project on GitLab.
pub(super) struct Glab<'a> {
    site: Site<'a>,
    /// `projects/group%2Fname/merge_requests`.
    path: String,
    /// A GitLab of somebody's own.
    host: Option<&'a str>,
}

#[derive(Deserialize)]
struct Request {
    iid: u64,
    state: String,
    #[serde(default)]
    draft: bool,
    web_url: String,
    title: String,
    description: Option<String>,
    target_branch: String,
    #[serde(default)]
    sha: Option<String>,
    source_project_id: Option<u64>,
    target_project_id: Option<u64>,
    #[serde(default)]
    head_pipeline: Option<Pipeline>,
}

#[derive(Deserialize)]
struct Pipeline {
    status: String,
}

#[derive(Deserialize)]
struct Reviewer {
    user: User,
    #[serde(default)]
    state: String,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct Note {
    id: u64,
    body: String,
    author: User,
    #[serde(default)]
    system: bool,
    #[serde(default)]
    position: Option<Position>,
}

#[derive(Deserialize)]
struct Position {
    new_path: Option<String>,
    new_line: Option<u64>,
}

impl<'a> Glab<'a> {
    pub(super) fn new(site: Site<'a>) -> Result<Self> {
        let project = site.address.project()?.replace('/', "%2F");
        let path = format!("projects/{project}/merge_requests");
        Ok(Self { site, path, host: site.address.own_host("gitlab.com") })
    }

    fn ask(&self, method: &str, below: &str, fields: &[String]) -> Result<Answer> {
        let mut args = ["api", "--method", method].map(str::to_owned).to_vec();
        args.extend(self.host.map(|host| format!("--hostname={host}")));
        args.extend(fields.iter().map(|field| format!("--raw-field={field}")));
        args.push(format!("{}{below}", self.path));
        let ours = [("NO_PROMPT", "1"), ("GLAB_CHECK_UPDATE", "false"), ("NO_COLOR", "1")];
        let answer = self.site.client("glab", &args, &ours)?;
        let told = format!("{}{}", answer.stderr, answer.stdout);
        if answer.code != 0 && (told.contains("401") || told.contains("auth login")) {
            return Err(Error::unusable("`glab` is not logged in")
                .hint("`glab auth login`, or set GITLAB_TOKEN; or use push options: `--forge gitlab`"));
        }
        Ok(answer)
    }

    /// The answer where all went well.
    fn told(&self, method: &str, below: &str, fields: &[String]) -> Result<Answer> {
        let answer = self.ask(method, below, fields)?;
        if answer.code == 0 { Ok(answer) } else { Err(failed("glab api", &answer)) }
    }

    fn view(&self, number: u64) -> Result<Seen> {
        let request: Request = parse("glab api", &self.told("GET", &format!("/{number}"), &[])?.stdout)?;
        // Not every edition tells who wants changes.
        let reviewers = self.ask("GET", &format!("/{number}/reviewers"), &[])?;
        let reviewers: Vec<Reviewer> =
            if reviewers.code == 0 { parse("glab api", &reviewers.stdout)? } else { Vec::new() };
        let says = |word: &str| reviewers.iter().any(|one| one.state == word);
        let opinion = match () {
            () if says("requested_changes") => Some(Opinion::Changes),
            () if says("approved") => Some(Opinion::Approved),
            () => None,
        };
        let asking: Vec<&str> = reviewers
            .iter()
            .filter(|one| one.state == "requested_changes")
            .map(|one| one.user.username.as_str())
            .collect();
        let remarks = if asking.is_empty() { Vec::new() } else { self.remarks(number, &asking)? };
        Ok(Seen { opinion, remarks, ..request.seen() })
    }

    /// What those say who want changes; what others say, anybody may write.
    fn remarks(&self, number: u64, asking: &[&str]) -> Result<Vec<Remark>> {
        let answer = self.told("GET", &format!("/{number}/notes?per_page=100&sort=asc"), &[])?;
        let notes: Vec<Note> = pages("glab api", &answer.stdout)?;
        let theirs =
            notes.into_iter().filter(|note| !note.system && asking.contains(&&*note.author.username));
        let mut remarks: Vec<Remark> = theirs.map(Note::remark).collect();
        for author in asking {
            if !remarks.iter().any(|remark| remark.author == *author) {
                let (id, author) = (format!("reviewer {author}"), (*author).to_owned());
                remarks.push(Remark { id, author, asks: true, counts: true, ..Remark::default() });
            }
        }
        Ok(remarks)
    }
}

impl Forge for Glab<'_> {
    fn find(&self, wanted: &Wanted, known: Option<&Published>, commit: Oid) -> Result<Option<Seen>> {
        if let Some(number) = known.and_then(|known| known.number) {
            return self.view(number).map(Some);
        }
        let branch = wanted.branch.replace('/', "%2F");
        let query = format!("?source_branch={branch}&state=all&per_page=30");
        let listed: Vec<Request> = pages("glab api", &self.told("GET", &query, &[])?.stdout)?;
        // One that is over may be of an earlier branch of this name.
        let is_ours = |one: &&Request| {
            one.source_project_id == one.target_project_id
                && (one.state == "opened" || one.sha.as_deref() == Some(&commit.to_string()))
        };
        let found = listed.iter().filter(is_ours).max_by_key(|one| (one.state == "opened", one.iid));
        found.map(|one| self.view(one.iid)).transpose()
    }

    fn open(&self, wanted: &Wanted) -> Result<Seen> {
        let draft = if wanted.draft { "Draft: " } else { "" };
        let fields = [
            format!("source_branch={}", wanted.branch),
            format!("target_branch={}", wanted.base),
            format!("title={draft}{}", wanted.text.title),
            format!("description={}", self.body(wanted)),
        ];
        let answer = self.told("POST", "", &fields)?;
        Ok(parse::<Request>("glab api", &answer.stdout)?.seen())
    }

    fn edit(&self, seen: &Seen, edits: &Edits) -> Result<()> {
        let number = seen.number.unwrap_or_default();
        let draft = if seen.draft == Some(true) { "Draft: " } else { "" };
        let title = edits.title.as_ref().map(|title| format!("title={draft}{title}"));
        let body = edits.body.as_ref().map(|body| format!("description={body}"));
        let base = edits.base.as_ref().map(|base| format!("target_branch={base}"));
        let labels = (!edits.labels.is_empty()).then(|| format!("add_labels={}", edits.labels.join(",")));
        let fields: Vec<String> = [title, body, base, labels].into_iter().flatten().collect();
        if !fields.is_empty() {
            self.told("PUT", &format!("/{number}"), &fields)?;
        }
        if !edits.reviewers.is_empty() {
            let named: Vec<String> = edits.reviewers.iter().map(|one| format!("@{one}")).collect();
            let fields = [format!("body=/assign_reviewer {}", named.join(" "))];
            if let Err(error) = self.told("POST", &format!("/{number}/notes"), &fields) {
                let text = format!("!{number} is there, without reviewers: {error}");
                (self.site.scene.events)(Event::Warning(text));
            }
        }
        Ok(())
    }
}

impl Request {
    fn seen(self) -> Seen {
        let title = self.title.strip_prefix("Draft: ").map(str::to_owned).unwrap_or(self.title);
        Seen {
            number: Some(self.iid),
            address: Some(self.web_url),
            title: Some(title),
            body: Some(self.description.unwrap_or_default()),
            base: Some(self.target_branch),
            draft: Some(self.draft),
            state: match self.state.as_str() {
                "opened" => RequestState::Open,
                "merged" => RequestState::Merged,
                "closed" => RequestState::Closed,
                _ => RequestState::Unknown,
            },
            checks: self.head_pipeline.map(|pipeline| checks(&pipeline.status)),
            ..Seen::default()
        }
    }
}

impl Note {
    fn remark(self) -> Remark {
        let place = self.position.and_then(|position| {
            let line = position.new_line.map(|line| format!(":{line}")).unwrap_or_default();
            Some(format!("{}{line}", position.new_path?))
        });
        let (id, author) = (format!("note {}", self.id), self.author.username);
        Remark { id, author, place, text: self.body, asks: true, counts: true }
    }
}

fn checks(status: &str) -> Checks {
    match status {
        "success" | "skipped" => Checks::Passed,
        "failed" | "canceled" => Checks::Failed,
        _ => Checks::Pending,
    }
}
