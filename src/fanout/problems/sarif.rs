//! Problems in SARIF 2.1.

use serde::Deserialize;

use super::{Output, Said};

/// One run of one tool.
#[derive(Deserialize)]
pub(super) struct Run {
    #[serde(default)]
    results: Option<Vec<Finding>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: Option<String>,
    rule: Option<Rule>,
    level: Option<String>,
    kind: Option<String>,
    message: Message,
    #[serde(default)]
    locations: Vec<Location>,
    #[serde(default)]
    suppressions: Option<Vec<Suppression>>,
}

#[derive(Deserialize)]
struct Rule {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    text: Option<String>,
}

/// Somebody decided that it stays; in which words is not for us.
#[derive(Deserialize)]
struct Suppression {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Option<Place>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    artifact_location: Option<Artifact>,
    region: Option<Region>,
}

#[derive(Deserialize)]
struct Artifact {
    uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: Option<u32>,
    start_column: Option<u32>,
}

/// Adds what tools found; not what passed, or what somebody suppressed.
pub(super) fn read(runs: Vec<Run>, found: &mut Output) {
    for finding in runs.into_iter().filter_map(|run| run.results).flatten() {
        let fails = finding.kind.as_deref().is_none_or(|kind| ["fail", "review", "open"].contains(&kind));
        if !fails || finding.suppressions.as_ref().is_some_and(|all| !all.is_empty()) {
            continue;
        }
        match said(finding) {
            Some(said) => found.said.push(said),
            None => found.placeless += 1,
        }
    }
}

fn said(finding: Finding) -> Option<Said> {
    let place = finding.locations.into_iter().find_map(|location| location.physical_location)?;
    let code = finding.rule_id.or(finding.rule.and_then(|rule| rule.id));
    Some(Said {
        path: place.artifact_location?.uri?,
        line: place.region.as_ref().and_then(|region| region.start_line),
        column: place.region.as_ref().and_then(|region| region.start_column),
        severity: Some(finding.level.unwrap_or_else(|| "warning".to_owned())),
        message: finding.message.text.or(code.clone())?,
        code,
    })
}
