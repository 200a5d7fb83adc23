//! What a merge would do.

use serde::Serialize;

use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::model::wording::{few, tick};
use crate::model::{Name, Oid, RepoPath};
use crate::review::line::{self, Link, Rules};
use crate::review::{Item, gate, queue};
use crate::run::Scene;
use crate::session::base;

#[derive(Serialize)]
#[serde(untagged)]
enum Planned {
    Lands(Plan),
    Conflicts { name: Name, base: String, from: Oid, conflicts: Vec<RepoPath> },
    Stays { name: Name, kept: String },
}

/// What landing a result would do.
#[derive(Serialize)]
struct Plan {
    name: Name,
    base: String,
    /// The base's tip, with all before it landed.
    from: Oid,
    tree: Oid,
    /// The result's tip, where it lands as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    fast_forward: Option<Oid>,
}

pub(super) fn run(app: &App, scene: Scene<'_>, rules: Rules<'_>, items: &[Item]) -> Result<u8> {
    let width = items.iter().map(|item| item.name.as_str().len()).max().unwrap_or_default();
    let mut all = Vec::new();
    let mut errors: Vec<Error> = Vec::new();
    for branch in queue::bases(items) {
        let base = base::require(scene.repo, branch)?;
        let gate = gate::read(scene.repo, base.oid)?;
        gate.require_trust(rules.trust)?;
        let waiting = items.iter().filter(|item| item.base == *branch).cloned().collect();
        let line = line::up(scene, rules, &base, &gate, waiting)?;
        for link in &line.links {
            app.ui.answer(lands(link, &base.branch, width))?;
            all.push(Planned::Lands(plan(link, &base.branch)));
        }
        for (item, conflicts) in line.conflicts {
            let (name, files) = (item.name, few(conflicts.iter().map(tick)));
            let (base, from) = (base.branch.clone(), base.oid);
            app.ui.answer(format!(
                "  would go back  {:<width$}  conflicts with {base} in {files}",
                name.as_str()
            ))?;
            errors.push(Error::refused(format!("`{name}` conflicts with `{base}` in {files}")));
            all.push(Planned::Conflicts { name, base, from, conflicts });
        }
        let behind =
            line.behind.into_iter().map(|(item, below)| (item.name.clone(), line::needs(&item.name, &below)));
        let kept = line.kept.into_iter().map(|(item, error)| (item.name, error));
        for (name, error) in kept.chain(behind) {
            if items.len() == 1 {
                return Err(error);
            }
            app.ui.answer(format!(
                "  would stay     {:<width$}  {}",
                name.as_str(),
                super::tell::why(&name, &error)
            ))?;
            all.push(Planned::Stays { name, kept: error.message.clone() });
            errors.push(error);
        }
    }
    app.ui.data(&all)?;
    super::tell::hints(app, &errors);
    Ok(errors.first().map_or(exit::DONE, |error| error.kind.exit_code()))
}

fn plan(link: &Link, base: &str) -> Plan {
    Plan {
        name: link.item.name.clone(),
        base: base.to_owned(),
        from: link.from,
        tree: link.tree,
        fast_forward: is_as_it_is(link).then_some(link.item.tip),
    }
}

fn is_as_it_is(link: &Link) -> bool {
    link.commit == link.item.tip
}

fn lands(link: &Link, base: &str, width: usize) -> String {
    let how = if is_as_it_is(link) { "straight ahead of" } else { "on top of" };
    let (name, from, tree) = (link.item.name.as_str(), link.from.short(), link.tree.short());
    format!("  would land     {name:<width$}  {how} {base} {from}, tree {tree}")
}
