//! What a result must pass before it lands, as the base commit says: a review
//! can't weaken its own gate. What was asked for with a task comes on top.

use super::item::Item;
use super::verdict::{self, Held};
use crate::config::load;
use crate::config::schema::{Config, ViewpointRule};
use crate::config::trust::{Named, Trust};
use crate::error::{Error, Result};
use crate::git::{Repo, patch, refs};
use crate::model::wording::list;
use crate::model::{Change, Decision, Oid, PathSet, Viewpoint};

/// The gate of a base commit.
#[derive(Clone, Debug)]
pub struct Gate<'a> {
    /// Commands that the combined tree must pass.
    pub checks: Vec<String>,
    config: Config,
    repo: &'a Repo,
}

/// Reads the gate from the base commit.
pub fn read(repo: &Repo, base: Oid) -> Result<Gate<'_>> {
    let file = repo.read().files(&[(base, load::FILE)])?.pop().flatten();
    let config = file.map_or_else(|| Ok(Config::default()), |bytes| load::parse(&bytes))?;
    Ok(Gate { checks: config.checks.clone(), config, repo })
}

/// The viewpoints whose approval a result lacks as things are.
pub fn lacking(repo: &Repo, item: &Item) -> Result<Vec<Viewpoint>> {
    let base = repo.read().find_ref(&refs::branch(&item.base))?.unwrap_or(item.base_oid);
    read(repo, base)?.lacking(item, &touched(repo, item)?, &verdict::load(repo, item)?)
}

/// The viewpoints whose approval it needs as things are, whoever gave it.
pub fn needed(repo: &Repo, item: &Item) -> Result<Vec<Viewpoint>> {
    let base = repo.read().find_ref(&refs::branch(&item.base))?.unwrap_or(item.base_oid);
    read(repo, base)?.viewpoints(item, &touched(repo, item)?)
}

/// What a result changes.
pub fn touched(repo: &Repo, item: &Item) -> Result<Vec<Change>> {
    let (before, after) = (repo.read().commit(item.base_oid)?.tree, repo.read().commit(item.tip)?.tree);
    repo.read().changes(Some(before), after)
}

impl Gate<'_> {
    /// Refuses to run checks that the user does not trust.
    ///
    /// # Errors
    /// Untrusted, naming the first.
    pub fn require_trust(&self, trust: &Trust) -> Result<()> {
        self.checks.iter().try_for_each(|check| {
            trust.require(&Named { purpose: "check".to_owned(), command: check.clone() })
        })
    }

    /// The viewpoints whose approval a result that changes this needs.
    pub fn viewpoints(&self, item: &Item, touched: &[Change]) -> Result<Vec<Viewpoint>> {
        let mut needed = item.needs.clone();
        if let Some(viewpoints) = &self.config.viewpoints {
            let mut names: Vec<&String> = viewpoints.default.iter().collect();
            for rule in &viewpoints.rules {
                if self.holds(rule, item, touched)? {
                    names.extend(&rule.require);
                }
            }
            needed.extend(names.into_iter().filter_map(|name| name.parse::<Viewpoint>().ok()));
        }
        needed.retain(|viewpoint| *viewpoint != Viewpoint::Developer);
        needed.sort();
        needed.dedup();
        Ok(needed)
    }

    /// Whether all conditions of a rule hold for a result; lines are counted last.
    fn holds(&self, rule: &ViewpointRule, item: &Item, touched: &[Change]) -> Result<bool> {
        let paths = PathSet::parse(&rule.paths).map_err(Error::unusable)?;
        let is_there = rule.paths.is_empty() || touched.iter().any(|change| paths.contains(&change.path));
        let has_files = rule.files.is_none_or(|files| touched.len() >= files);
        match rule.lines {
            _ if !is_there || !has_files => Ok(false),
            Some(lines) => Ok(patch::lines(self.repo, item.base_oid, item.tip)? >= lines),
            None => Ok(!rule.paths.is_empty() || rule.files.is_some()),
        }
    }

    /// The viewpoints whose approval a result lacks.
    pub fn lacking(&self, item: &Item, touched: &[Change], held: &[Held]) -> Result<Vec<Viewpoint>> {
        let mut lacking = self.viewpoints(item, touched)?;
        lacking.retain(|viewpoint| verdict::decided(held, *viewpoint) != Some(Decision::Approve));
        Ok(lacking)
    }

    /// Refuses a result that still lacks an approval.
    ///
    /// # Errors
    /// Refused, naming the viewpoints.
    pub fn require_approvals(&self, item: &Item, touched: &[Change], held: &[Held]) -> Result<()> {
        let lacking = self.lacking(item, touched, held)?;
        if lacking.is_empty() {
            return Ok(());
        }
        let names = list(lacking.iter().map(|viewpoint| viewpoint.word()));
        let first = lacking[0].word();
        Err(Error::refused(format!("`{}` lacks the approval of {names}", item.name))
            .hint(format!("`git orch review {} --approve --viewpoint {first}`", item.name))
            .hint(format!("or have a session look at it: `git orch review {} --by`", item.name)))
    }
}
