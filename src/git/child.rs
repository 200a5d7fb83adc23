//! Reading and writing objects with the git child, for repositories that
//! git2 can't read: reftable, SHA-256, partial clones, replace refs.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::porcelain;
use super::process::{Command, Git, Place};
use super::read::{Backing, Commit, Edit, Entry, EntryKind, Head, Read, Write};
use crate::error::{Error, Result};
use crate::model::touch::Status;
use crate::model::{Change, Oid, Time};

/// The oldest git that can be kept from fetching what a partial clone lacks.
const NO_LAZY_FETCH: (u32, u32) = (2, 45);

/// The child's half of the seam.
pub(super) struct Child {
    pub(super) git: std::sync::Arc<Git>,
    pub(super) place: Place,
    pub(super) grafts: HashMap<Oid, Vec<Oid>>,
}

impl Child {
    fn git<const N: usize>(&self, args: [&str; N]) -> Command<'_> {
        self.git.at(&self.place, args)
    }

    /// Reads objects by any name git understands; `None` for each missing one.
    fn objects(&self, names: &[String]) -> Result<Vec<Option<porcelain::Object>>> {
        let mut input = names.join("\0").into_bytes();
        input.push(0);
        let text = self.git(["cat-file", "--batch", "-z"]).stdin(input).run()?;
        let mut rest = text.as_slice();
        names.iter().map(|_| porcelain::next_object(&mut rest)).collect()
    }

    fn is_partial(&self) -> Result<bool> {
        let promised = r"^(extensions\.partialclone|remote\..*\.promisor)$";
        Ok(self.git(["config", "--name-only", "--get-regexp", promised]).spawn()?.code == 0)
    }

    /// What stands at a path of a commit.
    fn at(&self, commit: Oid, path: &str) -> Result<Option<Entry>> {
        let command = self.git(["ls-tree", "--full-tree", "-z"]).env("GIT_LITERAL_PATHSPECS", "1");
        let listed = command.args([commit.to_string(), "--".to_owned(), path.to_owned()]).run()?;
        Ok(porcelain::listing(&listed)?.pop())
    }

    /// The name by which git reads a file. What is missing would be told by its
    /// name, and a line end in that is taken for the answer's.
    fn name(&self, commit: Oid, path: &str) -> Result<String> {
        if !path.contains('\n') {
            return Ok(format!("{commit}:{path}"));
        }
        let entry = self.at(commit, path)?.filter(|entry| entry.kind != EntryKind::Submodule);
        Ok(entry.map_or(format!("{commit}:"), |entry| entry.oid.to_string()))
    }

    /// The common ancestors that git prints.
    fn bases(&self, args: &[&str], one: Oid, two: Oid) -> Result<Vec<Oid>> {
        let command = self.git.at(&self.place, args).args([one.to_string(), two.to_string()]);
        let output = command.spawn()?;
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        match output.code {
            0 => lines.map(porcelain::oid).collect(),
            // Of commits that are missing an older git complains, and goes on.
            1 if !output.complaint().contains("ould not read") => Ok(Vec::new()),
            _ => Err(output.into_error("merge-base")),
        }
    }

    fn object(&self, oid: Oid, kind: &str) -> Result<Vec<u8>> {
        match self.objects(&[oid.to_string()])?.pop().flatten() {
            Some((found, bytes)) if found == kind => Ok(bytes),
            Some((found, _)) => Err(Error::unusable(format!("{oid} is a {found}, not a {kind}"))),
            None => Err(Error::unusable(format!("could not read the {kind} {oid}"))),
        }
    }
}

/// The refs that `for-each-ref` printed; names that are not UTF-8 are left out.
fn named(printed: &[u8]) -> Result<Vec<(String, Oid)>> {
    let lines = printed.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let named = |line: &str| {
        let (id, name) = line.split_once(' ')?;
        Some(porcelain::oid(id.as_bytes()).map(|oid| (name.to_owned(), oid)))
    };
    lines.filter_map(named).collect()
}

impl Backing for Child {
    fn read_also(&self, _objects: &Path) -> Result<()> {
        Ok(())
    }

    fn write_index(&self, _index: &Path) -> Option<Oid> {
        None
    }

    fn settings(&self) -> Option<BTreeMap<String, String>> {
        None
    }
}

impl Read for Child {
    fn find_ref(&self, name: &str) -> Result<Option<Oid>> {
        if name == "HEAD" {
            let output = self.git(["rev-parse", "--verify", "--quiet", "HEAD"]).spawn()?;
            return if output.code == 0 { porcelain::oid(&output.stdout).map(Some) } else { Ok(None) };
        }
        // Other commands take a name for that of another ref where it is not there.
        let output = self.git(["for-each-ref", "--format=%(objectname) %(refname)", name]).spawn()?;
        if output.code != 0 {
            return Err(output.into_error("for-each-ref"));
        }
        let found = named(&output.stdout)?.into_iter().find(|(found, _)| found == name);
        if found.is_none() && String::from_utf8_lossy(&output.stderr).contains("broken ref") {
            return Err(Error::unusable(format!("could not read the ref `{name}`")));
        }
        Ok(found.map(|(_, oid)| oid))
    }

    fn symbolic(&self, name: &str) -> Result<Option<String>> {
        let output = self.git(["symbolic-ref", "--quiet", name]).spawn()?;
        let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok((output.code == 0).then_some(found))
    }

    fn refs(&self, prefix: &str) -> Result<Vec<(String, Oid)>> {
        let mut found =
            named(&self.git(["for-each-ref", "--format=%(objectname) %(refname)", prefix]).run()?)?;
        found.sort();
        Ok(found)
    }

    fn head(&self) -> Result<Head> {
        let branch = self.symbolic("HEAD")?;
        let oid = self.find_ref(branch.as_deref().unwrap_or("HEAD"))?;
        let short = |full: String| full.strip_prefix("refs/heads/").unwrap_or(&full).to_owned();
        match (branch.map(short), oid) {
            (Some(branch), Some(oid)) => Ok(Head::Branch(branch, oid)),
            (Some(branch), None) => Ok(Head::Unborn(branch)),
            (None, Some(oid)) => Ok(Head::Detached(oid)),
            (None, None) => Err(Error::unusable("could not read HEAD")),
        }
    }

    fn commit(&self, oid: Oid) -> Result<Commit> {
        let mut commit = porcelain::commit(oid, &self.object(oid, "commit")?)?;
        if let Some(parents) = self.grafts.get(&oid) {
            commit.parents.clone_from(parents);
        }
        Ok(commit)
    }

    fn files(&self, wanted: &[(Oid, &str)]) -> Result<Vec<Option<Vec<u8>>>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let names: Result<Vec<String>> = wanted.iter().map(|(oid, path)| self.name(*oid, path)).collect();
        let found = self.objects(&names?)?.into_iter().zip(wanted);
        let read = |(object, (commit, path)): (Option<porcelain::Object>, &(Oid, &str))| match object {
            Some((kind, bytes)) => Ok((kind == "blob").then_some(bytes)),
            // It may be there and yet not be readable.
            None => match self.at(*commit, path)? {
                Some(entry) if entry.kind != EntryKind::Submodule => {
                    Err(Error::unusable(format!("could not read `{path}` of {commit}")))
                }
                _ => Ok(None),
            },
        };
        found.map(read).collect()
    }

    fn blob(&self, oid: Oid) -> Result<Vec<u8>> {
        self.object(oid, "blob")
    }

    fn sizes(&self, blobs: &[Oid]) -> Result<Vec<u64>> {
        // An older git would fetch, one by one, what a partial clone lacks.
        if blobs.is_empty() || self.git.version()? < NO_LAZY_FETCH && self.is_partial()? {
            return Ok(vec![0; blobs.len()]);
        }
        let names: String = blobs.iter().map(|oid| format!("{oid}\n")).collect();
        let command = self.git(["cat-file", "--batch-check=%(objectsize)"]).env("GIT_NO_LAZY_FETCH", "1");
        porcelain::sizes(&command.stdin(names).run()?, blobs.len())
    }

    fn tree(&self, oid: Oid) -> Result<Vec<Entry>> {
        porcelain::listing(&self.git(["ls-tree", "-z", "--full-tree"]).args([oid.to_string()]).run()?)
    }

    fn tracked(&self, tree: Oid) -> Result<Vec<Entry>> {
        let text = self.git(["ls-tree", "-r", "-z", "--full-tree"]).args([tree.to_string()]).run()?;
        let mut entries = porcelain::listing(&text)?;
        entries.sort_by(|one, two| one.name.cmp(&two.name));
        Ok(entries)
    }

    fn edits(&self, old: Option<Oid>, new: Oid) -> Result<Vec<Edit>> {
        let Some(old) = old else {
            let added = |entry: Entry| Edit {
                change: Change { status: Status::Added, path: entry.name },
                now: Some((entry.kind, entry.oid)),
            };
            return Ok(self.tracked(new)?.into_iter().map(added).collect());
        };
        let command =
            self.git(["diff-tree", "-r", "-z", "--no-renames", "--ignore-submodules=none", "--raw"]);
        porcelain::differences(&command.args([old.to_string(), new.to_string()]).run()?)
    }

    fn merge_base(&self, one: Oid, two: Oid) -> Result<Option<Oid>> {
        Ok(self.bases(&["merge-base"], one, two)?.first().copied())
    }

    fn merge_bases(&self, one: Oid, two: Oid) -> Result<Vec<Oid>> {
        self.bases(&["merge-base", "--all"], one, two)
    }

    fn ahead_behind(&self, tip: Oid, base: Oid) -> Result<(usize, usize)> {
        let range = format!("{tip}...{base}");
        let line = self.git(["rev-list", "--left-right", "--count", &range]).line()?;
        let count = |text: Option<&str>| text.and_then(|text| text.parse().ok());
        let mut words = line.split_whitespace();
        count(words.next()).zip(count(words.next())).ok_or_else(|| Error::bug("git counted oddly"))
    }

    fn commits_between(&self, hidden: &[Oid], tip: Oid) -> Result<Vec<Oid>> {
        let mut input = format!("{tip}\n");
        for oid in hidden {
            input.push_str(&format!("^{oid}\n"));
        }
        let text = self.git(["rev-list", "--topo-order", "--reverse", "--stdin"]).stdin(input).run()?;
        String::from_utf8_lossy(&text).lines().map(|line| porcelain::oid(line.as_bytes())).collect()
    }

    fn has(&self, oid: Oid) -> Result<bool> {
        Ok(self.git(["cat-file", "-e"]).args([oid.to_string()]).spawn()?.code == 0)
    }
}

impl Write for Child {
    fn write_blob(&self, bytes: &[u8]) -> Result<Oid> {
        porcelain::oid(&self.git(["hash-object", "-w", "--stdin"]).stdin(bytes).run()?)
    }

    fn write_tree(&self, entries: &[Entry]) -> Result<Oid> {
        let mut input = Vec::new();
        for entry in entries {
            let kind = match entry.kind {
                EntryKind::Tree => "tree",
                EntryKind::Submodule => "commit",
                _ => "blob",
            };
            input.extend(format!("{:06o} {kind} {}\t", entry.kind.mode(), entry.oid).into_bytes());
            input.extend(entry.name.as_bytes());
            input.push(0);
        }
        porcelain::oid(&self.git(["mktree", "-z", "--missing"]).stdin(input).run()?)
    }

    fn write_commit(&self, raw: &[u8]) -> Result<Oid> {
        porcelain::oid(&self.git(["hash-object", "-t", "commit", "-w", "--stdin"]).stdin(raw).run()?)
    }

    fn write_record(&self, tree: Oid, parents: &[Oid], message: &str, time: Time) -> Result<Oid> {
        let (name, email) = super::identity::ours();
        // Without the sign git takes small numbers for something else than seconds.
        let date = format!("@{} +0000", time.0);
        let mut command = self.git(["commit-tree"]).args([tree.to_string()]);
        for parent in parents {
            command = command.args(["-p".to_owned(), parent.to_string()]);
        }
        for role in ["AUTHOR", "COMMITTER"] {
            command = command
                .env(format!("GIT_{role}_NAME"), name)
                .env(format!("GIT_{role}_EMAIL"), email)
                .env(format!("GIT_{role}_DATE"), &date);
        }
        porcelain::oid(&command.stdin(format!("{message}\n")).run()?)
    }
}
