//! What a result must pass before it lands, as the base commit says: a review
//! can't weaken its own gate.

use super::item::Item;
use super::verdict::{self, Held};
use crate::config::load;
use crate::config::schema::Config;
use crate::config::trust::{Named, Trust};
use crate::error::{Error, Result};
use crate::git::Repo;
use crate::model::wording::list;
use crate::model::{Change, Decision, Oid, PathSet, Viewpoint};

/// The gate of a base commit.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Commands that the combined tree must pass.
    pub checks: Vec<String>,
    config: Config,
}

/// Reads the gate from the base commit.
pub fn read(repo: &Repo, base: Oid) -> Result<Gate> {
    let file = repo.read().files(&[(base, load::FILE)])?.pop().flatten();
    let config = file.map_or_else(|| Ok(Config::default()), |bytes| load::parse(&bytes))?;
    Ok(Gate { checks: config.checks.clone(), config })
}

impl Gate {
    /// Refuses to run checks that the user does not trust.
    ///
    /// # Errors
    /// Untrusted, naming the first.
    pub fn require_trust(&self, trust: &Trust) -> Result<()> {
        self.checks.iter().try_for_each(|check| {
            trust.require(&Named { purpose: "check".to_owned(), command: check.clone() })
        })
    }

    /// The viewpoints whose approval a result at these paths needs.
    pub fn viewpoints(&self, touched: &[Change]) -> Result<Vec<Viewpoint>> {
        let Some(viewpoints) = &self.config.viewpoints else { return Ok(Vec::new()) };
        let mut names = viewpoints.default.clone();
        for rule in &viewpoints.rules {
            let paths = PathSet::parse(&rule.paths).map_err(Error::unusable)?;
            if touched.iter().any(|change| paths.contains(&change.path)) {
                names.extend(rule.require.iter().cloned());
            }
        }
        let mut needed: Vec<Viewpoint> = names.iter().filter_map(|name| name.parse().ok()).collect();
        needed.retain(|viewpoint| *viewpoint != Viewpoint::Developer);
        needed.sort();
        needed.dedup();
        Ok(needed)
    }

    /// Refuses a result that still lacks an approval.
    ///
    /// # Errors
    /// Refused, naming the viewpoints.
    pub fn require_approvals(&self, item: &Item, touched: &[Change], held: &[Held]) -> Result<()> {
        let approved = |viewpoint: &Viewpoint| {
            verdict::last(held, *viewpoint).is_some_and(|last| last.verdict.decision == Decision::Approve)
        };
        let lacking: Vec<Viewpoint> =
            self.viewpoints(touched)?.into_iter().filter(|viewpoint| !approved(viewpoint)).collect();
        if lacking.is_empty() {
            return Ok(());
        }
        let names = list(lacking.iter().map(|viewpoint| viewpoint.word()));
        let first = lacking[0].word();
        Err(Error::refused(format!("`{}` lacks the approval of {names}", item.name))
            .hint(format!("`git orch review {} --approve --viewpoint {first}`", item.name)))
    }
}
