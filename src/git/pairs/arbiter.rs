//! Asking git itself: many pairs of one child.
//!
//! **Invariant:** the answers are as many as the questions, or there is none.

use std::collections::BTreeMap;

use super::lines;
use super::{Clash, Clashing, Pair};
use crate::error::{Error, Result};
use crate::git::aside::Aside;
use crate::git::porcelain;
use crate::git::read::EntryKind;
use crate::git::repo::Repo;
use crate::model::{Oid, RepoPath};

/// Fewer pairs are not worth a second child.
const WORTH_A_CHILD: usize = 4;

/// A pair that git is asked of.
#[derive(Clone, Copy)]
pub(super) struct Question {
    pub(super) index: usize,
    pub(super) pair: Pair,
    /// The commit whose attributes count.
    pub(super) attributes: Oid,
}

/// One of three sides of a path: what it is there.
type Side = Option<(EntryKind, Oid)>;

/// A path that git could not merge: as the base, ours and theirs have it.
#[derive(Default)]
struct Raw {
    sides: [Side; 3],
    kind: Option<Clashing>,
}

/// What git said of a pair.
struct Answer {
    /// What they come to, where nothing is left to decide.
    tree: Option<Oid>,
    paths: BTreeMap<RepoPath, Raw>,
}

/// Where those of the pairs clash that do, by their index.
pub(super) fn ask(repo: &Repo, aside: &Aside, questions: Vec<Question>) -> Result<Vec<(usize, Vec<Clash>)>> {
    let mut by_source: BTreeMap<Oid, Vec<Question>> = BTreeMap::new();
    for question in questions {
        by_source.entry(question.attributes).or_default().push(question);
    }
    let mut found = Vec::new();
    for some in by_source.into_values() {
        let children = std::thread::available_parallelism().map_or(1, usize::from);
        let children = children.min(some.len().div_ceil(WORTH_A_CHILD)).max(1);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let part = |part: &[Question]| {
                scope.spawn({
                    let part = part.to_vec();
                    move || batch(repo, aside, &part)
                })
            };
            let parts: Vec<_> = some.chunks(some.len().div_ceil(children)).map(part).collect();
            parts
                .into_iter()
                .map(|part| part.join().unwrap_or_else(|_| Err(Error::bug("a thread died"))))
                .collect()
        });
        for answer in answers {
            found.extend(answer?);
        }
    }
    Ok(found)
}

fn batch(repo: &Repo, aside: &Aside, questions: &[Question]) -> Result<Vec<(usize, Vec<Clash>)>> {
    let mut found = Vec::new();
    for (question, answer) in questions.iter().zip(answers(repo, aside, questions)?) {
        let clashes = answer.paths.into_iter().map(|(path, raw)| clash(repo, path, &raw));
        found.push((question.index, clashes.collect::<Result<Vec<Clash>>>()?));
    }
    Ok(found)
}

/// The tree that each pair comes to, by its index; none where they clash.
pub(super) fn trees(repo: &Repo, aside: &Aside, questions: &[Question]) -> Result<Vec<(usize, Option<Oid>)>> {
    let answers = answers(repo, aside, questions)?.into_iter().map(|answer| answer.tree);
    Ok(questions.iter().map(|question| question.index).zip(answers).collect())
}

fn answers(repo: &Repo, aside: &Aside, questions: &[Question]) -> Result<Vec<Answer>> {
    let Some(first) = questions.first() else { return Ok(Vec::new()) };
    let line = |question: &Question| format!("{} {}\n", question.pair.ours, question.pair.theirs);
    let input: String = questions.iter().map(line).collect();
    let args = ["-c", "core.fsync=none", "merge-tree", "--write-tree", "--stdin", "--messages"];
    let command = repo.git(args).env("GIT_ATTR_SOURCE", first.attributes.to_string());
    let output = aside.hold(command).stdin(input).spawn()?;
    let answers = parse(&output.stdout).filter(|answers| answers.len() == questions.len());
    answers.ok_or_else(|| output.into_error("merge-tree"))
}

/// What git printed for each pair; `None` where that is odd.
fn parse(printed: &[u8]) -> Option<Vec<Answer>> {
    let mut fields = printed.split(|byte| *byte == 0);
    let mut answers = Vec::new();
    loop {
        let status = fields.next()?;
        if status.is_empty() {
            // Behind the last pair nothing follows.
            return fields.next().is_none().then_some(answers);
        }
        let tree = porcelain::oid(fields.next()?).ok()?;
        let mut paths = BTreeMap::new();
        if status == b"0" {
            staged(&mut fields, &mut paths)?;
        } else if !fields.next()?.is_empty() {
            return None;
        }
        messages(&mut fields, &mut paths, status == b"0")?;
        answers.push(Answer { tree: (status != b"0").then_some(tree), paths });
    }
}

/// `MODE OID STAGE<tab>PATH` until an empty one.
fn staged<'a>(
    fields: &mut impl Iterator<Item = &'a [u8]>,
    paths: &mut BTreeMap<RepoPath, Raw>,
) -> Option<()> {
    loop {
        let field = fields.next()?;
        if field.is_empty() {
            return Some(());
        }
        let tab = field.iter().position(|byte| *byte == b'\t')?;
        let head = std::str::from_utf8(&field[..tab]).ok()?;
        let mut words = head.split(' ');
        let kind = EntryKind::from_mode(u32::from_str_radix(words.next()?, 8).ok()?);
        let oid: Oid = words.next()?.parse().ok()?;
        let stage: usize = words.next()?.parse().ok()?;
        let raw = paths.entry(RepoPath::from_bytes(&field[tab + 1..])).or_default();
        // Where a rename ends nowhere git names nothing as what was there.
        *raw.sides.get_mut(stage.checked_sub(1)?)? = Some((kind, oid)).filter(|_| !oid.is_zero());
    }
}

/// `COUNT PATH… TYPE TEXT` until an empty one: what kind of conflict it is, and
/// those that no stage tells of.
fn messages<'a>(
    fields: &mut impl Iterator<Item = &'a [u8]>,
    paths: &mut BTreeMap<RepoPath, Raw>,
    conflicts: bool,
) -> Option<()> {
    loop {
        let field = fields.next()?;
        if field.is_empty() {
            return Some(());
        }
        let count: usize = std::str::from_utf8(field).ok()?.parse().ok()?;
        let named: Vec<RepoPath> = fields.take(count).map(RepoPath::from_bytes).collect();
        let word = String::from_utf8_lossy(fields.next()?).into_owned();
        fields.next()?;
        if !conflicts || !word.starts_with("CONFLICT") {
            continue;
        }
        let kind = kind(&word);
        if !named.iter().any(|path| paths.contains_key(path)) {
            paths.entry(named.first()?.clone()).or_default();
        }
        for path in &named {
            if let Some(raw) = paths.get_mut(path) {
                raw.kind = raw.kind.max(kind);
            }
        }
    }
}

/// The kind that git's word for a conflict tells; the sides tell the others.
fn kind(word: &str) -> Option<Clashing> {
    let kinds = [
        ("rename", Clashing::Renamed),
        ("location", Clashing::Renamed),
        ("submodule", Clashing::Submodule),
        ("binary", Clashing::Binary),
        ("file/directory", Clashing::FileFolder),
        ("distinct", Clashing::FileFolder),
    ];
    kinds.into_iter().find(|(part, _)| word.contains(part)).map(|(_, kind)| kind)
}

fn clash(repo: &Repo, path: RepoPath, raw: &Raw) -> Result<Clash> {
    let [base, ours, theirs] = raw.sides;
    let by_sides = match (base, ours, theirs) {
        (None, Some(_), Some(_)) => Clashing::AddedTwice,
        (_, Some(_), Some(_)) => Clashing::BothChanged,
        (Some(_), _, _) => Clashing::ChangedDeleted,
        _ => Clashing::Renamed,
    };
    let blobs = [base, ours, theirs].map(|side| {
        let is_text = |kind| matches!(kind, EntryKind::File | EntryKind::Executable);
        side.filter(|(kind, _)| is_text(*kind)).map(|(_, oid)| oid)
    });
    let (mine, other) = lines::of(repo, blobs)?;
    Ok(Clash {
        path,
        kind: raw.kind.unwrap_or(by_sides),
        ours: mine,
        theirs: other,
        ours_is_gone: ours.is_none(),
        theirs_is_gone: theirs.is_none(),
    })
}
