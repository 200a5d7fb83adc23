//! GitHub, by `gh`: also the one of 2023 that Debian has, which `pr edit` fails
//! with; what it lacks is done by `gh api`.

use serde::Deserialize;

use super::answer::{pages, parse};
use super::{Edits, Forge, Remark, Seen, Site, Wanted, failed};
use crate::agent::ask::Answer;
use crate::error::{Error, Result};
use crate::model::{Checks, Event, Oid, Opinion, Published, RequestState};

/// What is asked about a list of requests.
const LISTED: &str = "--json=number,state,headRefOid,isCrossRepository,headRepositoryOwner";
/// What any token may ask about one, and what is asked beside.
const PLAIN: &str = "--json=number,state,isDraft,url,title,body,baseRefName,headRefName,isCrossRepository,headRepositoryOwner";
const MORE: &str = "reviews,comments,statusCheckRollup";

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
    head_ref_name: String,
    is_cross_repository: bool,
    head_repository_owner: Option<Login>,
    reviews: Option<Vec<Said>>,
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

    /// Whether a request is from where is pushed to: our repository, or our fork.
    fn is_here(&self, is_cross: bool, owner: Option<&Login>) -> bool {
        match &self.fork {
            None => !is_cross,
            Some(fork) => is_cross && owner.is_some_and(|owner| owner.login.eq_ignore_ascii_case(fork)),
        }
    }

    /// The request of this number, where it is one of the result's branch: the
    /// number may be another repository's.
    fn view(&self, number: u64, wanted: &Wanted, known: Option<&Published>) -> Result<Option<Seen>> {
        let mut answer = self.pr("view", &[number.to_string(), format!("{PLAIN},{MORE}")])?;
        if answer.code != 0 && answer.stderr.contains("not accessible") {
            let text = format!("reviews and checks of #{number} are not told: {}", answer.complaint());
            (self.site.scene.events)(Event::Warning(text));
            answer = self.pr("view", &[number.to_string(), PLAIN.to_owned()])?;
        }
        if answer.code != 0 && answer.stderr.contains("Could not resolve to a PullRequest") {
            return Ok(None);
        }
        if answer.code != 0 {
            return Err(failed("gh pr view", &answer));
        }
        let viewed: Viewed = parse("gh pr view", &answer.stdout)?;
        if viewed.number != number {
            return Err(Error::unusable(format!("`gh pr view {number}` told of #{}", viewed.number)));
        }
        if viewed.head_ref_name != wanted.branch
            || !self.is_here(viewed.is_cross_repository, viewed.head_repository_owner.as_ref())
        {
            return Ok(None);
        }
        self.seen(viewed, known).map(Some)
    }

    fn seen(&self, viewed: Viewed, known: Option<&Published>) -> Result<Seen> {
        let number = viewed.number;
        let reviews: Vec<Said> =
            viewed.reviews.into_iter().flatten().filter(|said| said.state != "PENDING").collect();
        let last = last_words(&reviews);
        let asks = |said: &Said| last.iter().any(|one| one.asks() && one.login() == said.login());
        let mut remarks: Vec<Remark> =
            reviews.iter().map(|said| Remark { asks: said.asks() && asks(said), ..said.remark() }).collect();
        let heeded = known.map(|known| known.heeded.as_slice()).unwrap_or_default();
        if remarks.iter().any(|remark| remark.asks && remark.counts && !heeded.contains(&remark.id)) {
            remarks.extend(self.inline(number)?);
        }
        remarks.extend(viewed.comments.iter().flatten().map(Said::remark));
        Ok(Seen {
            number: Some(number),
            address: Some(viewed.url),
            title: Some(viewed.title),
            body: Some(viewed.body),
            base: Some(viewed.base_ref_name),
            draft: Some(viewed.is_draft),
            state: state(&viewed.state),
            opinion: opinion(&last),
            checks: checks(&viewed.status_check_rollup.unwrap_or_default()),
            remarks,
            ..Seen::default()
        })
    }

    /// Adds a label or a reviewer; where the forge does not take it, that is told.
    fn add(&self, number: u64, path: &str, (key, value): (&str, &str)) -> bool {
        let added = self.api("POST", path, &[format!("{key}[]={value}")]);
        if let Err(error) = &added {
            let text = format!("#{number} is there, without `{value}`: {error}");
            (self.site.scene.events)(Event::Warning(text));
        }
        added.is_ok()
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
        if let Some(number) = known.and_then(|known| known.number)
            && let Some(seen) = self.view(number, wanted, known)?
        {
            return Ok(Some(seen));
        }
        let head = format!("--head={}", wanted.branch);
        let args = [head, "--state=all".to_owned(), "--limit=30".to_owned(), LISTED.to_owned()];
        let answer = self.pr("list", &args)?;
        if answer.code != 0 {
            return Err(failed("gh pr list", &answer));
        }
        let listed: Vec<Listed> = parse("gh pr list", &answer.stdout)?;
        // One that is over may be of an earlier branch of this name.
        let is_ours = |one: &&Listed| {
            self.is_here(one.is_cross_repository, one.head_repository_owner.as_ref())
                && (one.state == "OPEN" || one.head_ref_oid == commit.to_string())
        };
        let found = listed.iter().filter(is_ours).max_by_key(|one| (one.state == "OPEN", one.number));
        found.map_or(Ok(None), |one| self.view(one.number, wanted, known))
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

    fn edit(&self, seen: &Seen, edits: &Edits) -> Result<Edits> {
        let number = seen.number.unwrap_or_default();
        let field = |key: &str, value: &Option<String>| value.as_ref().map(|value| format!("{key}={value}"));
        let fields = [field("title", &edits.title), field("body", &edits.body), field("base", &edits.base)];
        let fields: Vec<String> = fields.into_iter().flatten().collect();
        if !fields.is_empty() {
            self.api("PATCH", &format!("pulls/{number}"), &fields)?;
        }
        // One by one: whom it does not know, it refuses with all the others.
        let labels = format!("issues/{number}/labels");
        let reviewers = format!("pulls/{number}/requested_reviewers");
        let mut done = edits.clone();
        done.labels.retain(|label| self.add(number, &labels, ("labels", label)));
        done.reviewers.retain(|login| self.add(number, &reviewers, ("reviewers", login)));
        Ok(done)
    }
}

/// Who may write to the repository.
fn counts(association: &str) -> bool {
    ["OWNER", "MEMBER", "COLLABORATOR"].contains(&association)
}

impl Said {
    fn login(&self) -> Option<&str> {
        self.author.as_ref().map(|author| author.login.as_str())
    }

    fn asks(&self) -> bool {
        self.state == "CHANGES_REQUESTED"
    }

    fn remark(&self) -> Remark {
        let author = self.login().unwrap_or("somebody");
        let when = self.submitted_at.as_ref().or(self.created_at.as_ref());
        let when = when.map(String::as_str).unwrap_or_default();
        Remark {
            id: self.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| format!("{author} {when}")),
            author: author.to_owned(),
            place: None,
            text: self.body.clone(),
            asks: self.asks(),
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

/// Each reviewer's last review that judges: a comment takes nothing back.
fn last_words(reviews: &[Said]) -> Vec<&Said> {
    let judges = reviews.iter().filter(|said| said.state != "COMMENTED");
    let mut last: Vec<&Said> = Vec::new();
    for said in judges {
        last.retain(|before| before.login() != said.login());
        last.push(said);
    }
    last
}

/// What the last words of all reviewers come to.
fn opinion(last: &[&Said]) -> Option<Opinion> {
    let says = |word: &str| last.iter().any(|said| said.state == word && counts(&said.author_association));
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
        for (reviews, word) in [
            (vec![said("CHANGES_REQUESTED", "NONE"), said("APPROVED", "MEMBER")], Some(Opinion::Approved)),
            (vec![said("CHANGES_REQUESTED", "OWNER"), said("APPROVED", "MEMBER")], Some(Opinion::Changes)),
            (vec![said("COMMENTED", "OWNER")], None),
        ] {
            assert_eq!(opinion(&reviews.iter().collect::<Vec<_>>()), word);
        }
        assert!(!said("", "CONTRIBUTOR").remark().counts);
    }

    #[test]
    fn a_comment_takes_no_judgement_back() {
        let said = |login: &str, state: &str| Said {
            author: Some(Login { login: login.to_owned() }),
            state: state.to_owned(),
            ..Said::default()
        };
        for (reviews, states) in [
            (vec![said("ben", "CHANGES_REQUESTED"), said("ben", "COMMENTED")], vec!["CHANGES_REQUESTED"]),
            (vec![said("ben", "CHANGES_REQUESTED"), said("ben", "APPROVED")], vec!["APPROVED"]),
            (vec![said("ben", "DISMISSED"), said("ben", "COMMENTED")], vec!["DISMISSED"]),
            (
                vec![said("ben", "APPROVED"), said("ann", "CHANGES_REQUESTED")],
                vec!["APPROVED", "CHANGES_REQUESTED"],
            ),
            (vec![said("ben", "COMMENTED")], vec![]),
        ] {
            let last: Vec<&str> = last_words(&reviews).iter().map(|said| said.state.as_str()).collect();
            assert_eq!(last, states);
        }
    }
}
