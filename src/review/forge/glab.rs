//! GitLab, by `glab api`, which is the same in all its versions.

use serde::Deserialize;

use super::answer::{pages, parse};
use super::{Edits, Forge, Remark, Seen, Site, Wanted, failed};
use crate::agent::ask::Answer;
use crate::error::{Error, Result};
use crate::model::{Checks, Event, Oid, Opinion, Published, RequestState};

/// What is said where nobody is logged in; names and numbers may hold a 401, too.
const NO_LOGIN: [&str; 3] = ["HTTP 401", "401 Unauthorized", "auth login"];
/// What is said of what is not there.
const MISSING: [&str; 2] = ["HTTP 404", "404 Not"];

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
    source_branch: String,
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
        self.call(&["--method", method], below, fields)
    }

    fn call(&self, how: &[&str], below: &str, fields: &[String]) -> Result<Answer> {
        let mut args: Vec<String> = ["api"].iter().chain(how).map(|word| (*word).to_owned()).collect();
        args.extend(self.host.map(|host| format!("--hostname={host}")));
        args.extend(fields.iter().map(|field| format!("--raw-field={field}")));
        args.push(format!("{}{below}", self.path));
        let ours = [("NO_PROMPT", "1"), ("GLAB_CHECK_UPDATE", "false"), ("NO_COLOR", "1")];
        let answer = self.site.client("glab", &args, &ours)?;
        if says(&answer, &NO_LOGIN) {
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

    /// The request of this number, where it is one of the result's branch: the
    /// number may be another project's.
    fn view(&self, number: u64, wanted: &Wanted) -> Result<Option<Seen>> {
        let answer = self.ask("GET", &format!("/{number}"), &[])?;
        if says(&answer, &MISSING) {
            return Ok(None);
        }
        if answer.code != 0 {
            return Err(failed("glab api", &answer));
        }
        let request: Request = parse("glab api", &answer.stdout)?;
        if request.is_of(wanted) { self.seen(request).map(Some) } else { Ok(None) }
    }

    fn seen(&self, request: Request) -> Result<Seen> {
        let number = request.iid;
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
        let below = format!("/{number}/notes?per_page=100&sort=asc");
        let answer = self.call(&["--paginate", "--method", "GET"], &below, &[])?;
        if answer.code != 0 {
            return Err(failed("glab api", &answer));
        }
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
        if let Some(number) = known.and_then(|known| known.number)
            && let Some(seen) = self.view(number, wanted)?
        {
            return Ok(Some(seen));
        }
        let branch = wanted.branch.replace('/', "%2F");
        let query = format!("?source_branch={branch}&state=all&per_page=30");
        let listed: Vec<Request> = pages("glab api", &self.told("GET", &query, &[])?.stdout)?;
        // One that is over may be of an earlier branch of this name.
        let is_ours = |one: &&Request| {
            one.is_of(wanted) && (one.state == "opened" || one.sha.as_deref() == Some(&commit.to_string()))
        };
        let found = listed.iter().filter(is_ours).max_by_key(|one| (one.state == "opened", one.iid));
        found.map_or(Ok(None), |one| self.view(one.iid, wanted))
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

    fn edit(&self, seen: &Seen, edits: &Edits) -> Result<Edits> {
        let mut done = edits.clone();
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
                done.reviewers.clear();
            }
        }
        Ok(done)
    }
}

/// Whether a failed call says one of these.
fn says(answer: &Answer, words: &[&str]) -> bool {
    let has = |text: &str| words.iter().any(|words| text.contains(words));
    answer.code != 0 && (has(&answer.stderr) || has(&answer.stdout))
}

impl Request {
    /// Whether it is of a result's branch in the project itself.
    fn is_of(&self, wanted: &Wanted) -> bool {
        self.source_branch == wanted.branch && self.source_project_id == self.target_project_id
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_logged_in_is_told_apart_from_numbers() {
        for (code, stderr, stdout, is_no_login) in [
            (1, "glab: 401 Unauthorized (HTTP 401)", "", true),
            (1, "", r#"{"message":"401 Unauthorized"}"#, true),
            (1, "To get started, run glab auth login", "", true),
            (1, "glab: no branch `fix-401` in !401 (HTTP 400)", "", false),
            (0, "", "401 Unauthorized", false),
        ] {
            let answer = Answer { code, stderr: stderr.to_owned(), stdout: stdout.to_owned() };
            assert_eq!(says(&answer, &NO_LOGIN), is_no_login, "{answer:?}");
        }
    }
}
