//! GitHub, by `gh`: also the one of 2023 that Debian has, which `pr edit` fails
//! with; what it lacks is done by `gh api`.

use serde::Deserialize;

use super::answer::{pages, parse};
use super::{Edits, Forge, Remark, Seen, Site, Wanted, failed};
use crate::agent::ask::Answer;
use crate::error::{Error, Result};
use crate::model::{Checks, Event, Oid, Opinion, Published, RequestState};

/// What is asked about a list of requests, and about one.
const LISTED: &str = "--json=number,state,headRefOid,isCrossRepository,headRepositoryOwner";
/// What any token may ask.
const PLAIN: &str = "--json=number,state,isDraft,url,title,body,baseRefName";
const VIEWED: &str =
    "--json=number,state,isDraft,url,title,body,baseRefName,reviews,latestReviews,comments,statusCheckRollup";

/// A repository on GitHub.
pub(super) struct Gh<'a> {
    site: Site<'a>,
    /// `owner/name`.
    path: String,
    /// A GitHub of somebody's own.
    host: Option<&'a str>,
    /// Whose fork is pushed to, where one is.
    fork: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    number: u64,
    state: String,
    #[serde(default)]
    head_ref_oid: String,
    #[serde(default)]
    is_cross_repository: bool,
    head_repository_owner: Option<Login>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Viewed {
    number: u64,
    state: String,
    is_draft: bool,
    url: String,
    title: String,
    body: String,
    base_ref_name: String,
    reviews: Option<Vec<Said>>,
    latest_reviews: Option<Vec<Said>>,
    comments: Option<Vec<Said>>,
    status_check_rollup: Option<Vec<Check>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Said {
    id: Option<String>,
    author: Option<Login>,
    author_association: String,
    body: String,
    state: String,
    submitted_at: Option<String>,
    created_at: Option<String>,
}

#[derive(Deserialize)]
struct Login {
    login: String,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Check {
    status: String,
    conclusion: String,
    state: String,
}

/// A comment at a line.
#[derive(Deserialize)]
struct Inline {
    id: u64,
    user: Option<Login>,
    path: String,
    line: Option<u64>,
    original_line: Option<u64>,
    body: Option<String>,
    #[serde(default)]
    author_association: String,
}

impl<'a> Gh<'a> {
    pub(super) fn new(site: Site<'a>) -> Result<Self> {
        let at = site.upstream.map_or(site.address, |(_, address)| address);
        let own = site.upstream.map(|_| site.address.owner_and_name()).transpose()?;
        let fork = own.and_then(|own| Some(own.split_once('/')?.0.to_owned()));
        Ok(Self { site, path: at.owner_and_name()?, host: at.own_host("github.com"), fork })
    }

    fn ask(&self, args: &[String]) -> Result<Answer> {
        let ours = [("GH_PROMPT_DISABLED", "1"), ("GH_NO_UPDATE_NOTIFIER", "1"), ("NO_COLOR", "1")];
        let answer = self.site.client("gh", args, &ours)?;
        match answer.code {
            4 => Err(Error::unusable("`gh` is not logged in")
                .hint("`gh auth login`, or set GH_TOKEN; or push the branch alone: `--forge none`")),
            _ => Ok(answer),
        }
    }

    /// `gh pr VERB`, in our repository.
    fn pr(&self, verb: &str, args: &[String]) -> Result<Answer> {
        let path = &self.path;
        let repo = self.host.map_or_else(|| path.clone(), |host| format!("{host}/{path}"));
        let words = ["pr", verb].map(str::to_owned).into_iter();
        self.ask(&words.chain([format!("--repo={repo}")]).chain(args.iter().cloned()).collect::<Vec<_>>())
    }

    /// `gh api`, below our repository.
    fn api(&self, method: &str, path: &str, fields: &[String]) -> Result<Answer> {
        let mut args = ["api", "--method", method].map(str::to_owned).to_vec();
        args.extend(self.host.map(|host| format!("--hostname={host}")));
        args.extend(fields.iter().map(|field| format!("--raw-field={field}")));
        args.push(format!("repos/{}/{path}", self.path));
        let answer = self.ask(&args)?;
        if answer.code == 0 { Ok(answer) } else { Err(failed(&format!("gh api {path}"), &answer)) }
    }

    fn view(&self, number: u64, known: Option<&Published>) -> Result<Seen> {
        let mut answer = self.pr("view", &[number.to_string(), VIEWED.to_owned()])?;
        if answer.code != 0 && answer.stderr.contains("not accessible") {
            let text = format!("reviews and checks of #{number} are not told: {}", answer.complaint());
            (self.site.scene.events)(Event::Warning(text));
            answer = self.pr("view", &[number.to_string(), PLAIN.to_owned()])?;
        }
        if answer.code != 0 {
            return Err(failed("gh pr view", &answer));
        }
        let viewed: Viewed = parse("gh pr view", &answer.stdout)?;
        if viewed.number != number {
            return Err(Error::unusable(format!("`gh pr view {number}` told of #{}", viewed.number)));
        }
        let mut remarks: Vec<Remark> = viewed
            .reviews
            .iter()
            .flatten()
            .filter(|said| said.state != "PENDING")
            .map(|said| Remark { asks: stands(said, viewed.latest_reviews.as_deref()), ..said.remark() })
            .collect();
        let heeded = known.map(|known| known.heeded.as_slice()).unwrap_or_default();
        if remarks.iter().any(|remark| remark.asks && remark.counts && !heeded.contains(&remark.id)) {
            remarks.extend(self.inline(number)?);
        }
        remarks.extend(viewed.comments.iter().flatten().map(Said::remark));
        Ok(Seen {
            number: Some(viewed.number),
            address: Some(viewed.url),
            title: Some(viewed.title),
            body: Some(viewed.body),
            base: Some(viewed.base_ref_name),
            draft: Some(viewed.is_draft),
            state: state(&viewed.state),
            opinion: opinion(&viewed.latest_reviews.unwrap_or_default()),
            checks: checks(&viewed.status_check_rollup.unwrap_or_default()),
            remarks,
            ..Seen::default()
        })
    }

    fn inline(&self, number: u64) -> Result<Vec<Remark>> {
        let path = format!("repos/{}/pulls/{number}/comments?per_page=100", self.path);
        let mut args = ["api", "--paginate"].map(str::to_owned).to_vec();
        args.extend(self.host.map(|host| format!("--hostname={host}")));
        args.push(path);
        let answer = self.ask(&args)?;
        if answer.code != 0 {
            return Err(failed("gh api", &answer));
        }
        let all: Vec<Inline> = pages("gh api", &answer.stdout)?;
        Ok(all.into_iter().map(Inline::remark).collect())
    }
}

impl Forge for Gh<'_> {
    fn find(&self, wanted: &Wanted, known: Option<&Published>, commit: Oid) -> Result<Option<Seen>> {
        if let Some(number) = known.and_then(|known| known.number) {
            return self.view(number, known).map(Some);
        }
        let head = format!("--head={}", wanted.branch);
        let args = [head, "--state=all".to_owned(), "--limit=30".to_owned(), LISTED.to_owned()];
        let answer = self.pr("list", &args)?;
        if answer.code != 0 {
            return Err(failed("gh pr list", &answer));
        }
        let listed: Vec<Listed> = parse("gh pr list", &answer.stdout)?;
        // One that is over may be of an earlier branch of this name.
        let is_here = |one: &Listed| match &self.fork {
            None => !one.is_cross_repository,
            Some(fork) => one.head_repository_owner.as_ref().is_some_and(|owner| owner.login == *fork),
        };
        let is_ours =
            |one: &&Listed| is_here(one) && (one.state == "OPEN" || one.head_ref_oid == commit.to_string());
        let found = listed.iter().filter(is_ours).max_by_key(|one| (one.state == "OPEN", one.number));
        found.map(|one| self.view(one.number, known)).transpose()
    }

    fn open(&self, wanted: &Wanted) -> Result<Seen> {
        let body = self.body(wanted);
        let owner = self.fork.as_ref().map(|fork| format!("{fork}:")).unwrap_or_default();
        let mut args = vec![
            format!("--head={owner}{}", wanted.branch),
            format!("--base={}", wanted.base),
            format!("--title={}", wanted.text.title),
            format!("--body={body}"),
        ];
        args.extend(wanted.draft.then(|| "--draft".to_owned()));
        let answer = self.pr("create", &args)?;
        if answer.code != 0 {
            return Err(failed("gh pr create", &answer));
        }
        let address = answer.stdout.lines().map(str::trim).rfind(|line| line.contains("/pull/"));
        let number = address.and_then(|address| address.rsplit('/').next()?.parse().ok());
        let (Some(address), Some(number)) = (address, number) else {
            return Err(Error::unusable("`gh pr create` told no address")
                .hint("run the command again: it finds the request that is there"));
        };
        Ok(Seen {
            number: Some(number),
            address: Some(address.to_owned()),
            title: Some(wanted.text.title.clone()),
            body: Some(body),
            base: Some(wanted.base.clone()),
            draft: Some(wanted.draft),
            state: RequestState::Open,
            ..Seen::default()
        })
    }

    fn edit(&self, seen: &Seen, edits: &Edits) -> Result<()> {
        let number = seen.number.unwrap_or_default();
        let field = |key: &str, value: &Option<String>| value.as_ref().map(|value| format!("{key}={value}"));
        let fields = [field("title", &edits.title), field("body", &edits.body), field("base", &edits.base)];
        let fields: Vec<String> = fields.into_iter().flatten().collect();
        if !fields.is_empty() {
            self.api("PATCH", &format!("pulls/{number}"), &fields)?;
        }
        let list = |key: &str, values: &[String]| -> Vec<String> {
            values.iter().map(|value| format!("{key}[]={value}")).collect()
        };
        let added = [
            ("issues", "labels", list("labels", &edits.labels)),
            ("pulls", "requested_reviewers", list("reviewers", &edits.reviewers)),
        ];
        for (kind, what, fields) in added.into_iter().filter(|(.., fields)| !fields.is_empty()) {
            if let Err(error) = self.api("POST", &format!("{kind}/{number}/{what}"), &fields) {
                (self.site.scene.events)(Event::Warning(format!(
                    "#{number} is there, without this: {error}"
                )));
            }
        }
        Ok(())
    }
}

/// Who may write to the repository.
fn counts(association: &str) -> bool {
    ["OWNER", "MEMBER", "COLLABORATOR"].contains(&association)
}

impl Said {
    fn remark(&self) -> Remark {
        let author = self.author.as_ref().map_or("somebody", |author| &author.login);
        let when = self.submitted_at.as_ref().or(self.created_at.as_ref());
        let when = when.map(String::as_str).unwrap_or_default();
        Remark {
            id: self.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| format!("{author} {when}")),
            author: author.to_owned(),
            place: None,
            text: self.body.clone(),
            asks: self.state == "CHANGES_REQUESTED",
            counts: counts(&self.author_association),
        }
    }
}

impl Inline {
    fn remark(self) -> Remark {
        let line = self.line.or(self.original_line).map(|line| format!(":{line}")).unwrap_or_default();
        Remark {
            id: format!("line {}", self.id),
            author: self.user.map_or_else(|| "somebody".to_owned(), |user| user.login),
            place: Some(format!("{}{line}", self.path)),
            text: self.body.unwrap_or_default(),
            asks: false,
            counts: counts(&self.author_association),
        }
    }
}

fn state(word: &str) -> RequestState {
    match word {
        "OPEN" => RequestState::Open,
        "MERGED" => RequestState::Merged,
        "CLOSED" => RequestState::Closed,
        _ => RequestState::Unknown,
    }
}

/// What the last word of each reviewer comes to.
/// Whether a review asks for changes that nobody took back since.
fn stands(said: &Said, latest: Option<&[Said]>) -> bool {
    let asks = |one: &Said| one.state == "CHANGES_REQUESTED";
    let who = |one: &Said| one.author.as_ref().map(|author| author.login.clone());
    asks(said) && latest.is_none_or(|latest| latest.iter().any(|one| who(one) == who(said) && asks(one)))
}

fn opinion(latest: &[Said]) -> Option<Opinion> {
    let says = |word: &str| latest.iter().any(|said| said.state == word && counts(&said.author_association));
    match () {
        () if says("CHANGES_REQUESTED") => Some(Opinion::Changes),
        () if says("APPROVED") => Some(Opinion::Approved),
        () => None,
    }
}

fn checks(all: &[Check]) -> Option<Checks> {
    let one = |check: &Check| {
        let word = [&check.conclusion, &check.state, &check.status].into_iter().find(|word| !word.is_empty());
        match word.map(String::as_str).unwrap_or_default() {
            "SUCCESS" | "NEUTRAL" | "SKIPPED" => Checks::Passed,
            "FAILURE" | "ERROR" | "CANCELLED" | "TIMED_OUT" | "ACTION_REQUIRED" | "STARTUP_FAILURE"
            | "STALE" => Checks::Failed,
            _ => Checks::Pending,
        }
    };
    let all: Vec<Checks> = all.iter().map(one).collect();
    [Checks::Failed, Checks::Pending, Checks::Passed].into_iter().find(|word| all.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_come_to_one_word() {
        for (json, word) in [
            ("[]", None),
            (r#"[{"status":"COMPLETED","conclusion":"SUCCESS"},{"state":"SUCCESS"}]"#, Some(Checks::Passed)),
            (r#"[{"status":"IN_PROGRESS","conclusion":""},{"state":"SUCCESS"}]"#, Some(Checks::Pending)),
            (r#"[{"status":"QUEUED"},{"state":"FAILURE"}]"#, Some(Checks::Failed)),
        ] {
            assert_eq!(checks(&parse::<Vec<Check>>("gh", json).unwrap()), word, "{json}");
        }
    }

    #[test]
    fn only_who_may_write_counts() {
        let said = |state: &str, association: &str| Said {
            state: state.to_owned(),
            author_association: association.to_owned(),
            ..Said::default()
        };
        let (asks, approves) = (said("CHANGES_REQUESTED", "NONE"), said("APPROVED", "MEMBER"));
        assert_eq!(opinion(&[asks, approves]), Some(Opinion::Approved));
        assert_eq!(
            opinion(&[said("CHANGES_REQUESTED", "OWNER"), said("APPROVED", "MEMBER")]),
            Some(Opinion::Changes)
        );
        assert_eq!(opinion(&[said("COMMENTED", "OWNER")]), None);
        assert!(!said("", "CONTRIBUTOR").remark().counts);
    }
}
