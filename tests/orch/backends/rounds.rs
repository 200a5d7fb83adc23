//! A round of work in a repository of each shape: a session, a task, a fan-out,
//! landing, and nothing for `doctor` to tell afterwards.

use super::shapes::{How, Shape};
use super::world::World;

/// What is done; each command's answer counts.
const ROUND: &str = r#"
mine() { env -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES -u GIT_INDEX_FILE -u GIT_WORK_TREE -u GIT_NAMESPACE GIT_OPTIONAL_LOCKS=0 git -c core.fsmonitor=false -c advice.graftFileDeprecated=false "$@" 2>&1; }
told() { "$@" >"$HOME/told" || { code=$?; grep -v '^  landed' "$HOME/told" || true; exit $code; }; }
mine status --porcelain >"$HOME/before" || true
git-orch add-session api --paths src/api --base main -q >/dev/null
git-orch task 'fix login' -q -- sh -c 'echo fixed >>src/api/login.rs'
git-orch fanout touch --run 'for file; do echo touched >>"$file"; done' --paths src/web -q
told git-orch merge -q
told git-orch doctor -q
mine show main:src/api/login.rs main:src/web/cart.rs | grep '[a-z]'
mine status --porcelain | diff "$HOME/before" - || true
"#;

/// What a round prints.
const DONE: &str = "review/fix-login\n1 shard, 1 file changed, disjoint\nreview/touch\nfixed\ntouched";

/// Where the fan-out started from a branch that is not the base.
const ASIDE: &str = "review/fix-login\n1 shard, 1 file changed, disjoint\nreview/touch\nfixed";
const BARE: &str =
    "is a bare repository\nhint: run git-orch in one of its worktrees: `git worktree add ../work` makes one";
const NO_FILES: &str = "review/fix-login\nerror: no tracked file is for `touch`\nhint: `git ls-files` lists what is tracked; `--paths` and the job's `include` choose among them";
const FIRST: &str = "hint: make a first one: `git commit --allow-empty -m 'first commit'`";

/// Shapes in which something else comes of it: the exit code, and what is said,
/// each part in this order.
#[rustfmt::skip]
const OTHERS: &[(&str, i32, &[&str])] = &[
    ("detached HEAD", 4, &["review/fix-login\nerror: HEAD is on no branch, so nothing tells the base\nhint: name the branch to merge back to with `--base`, or set `git config orch.base`"]),
    ("worktree configuration", 0, &[ASIDE]),
    ("linked worktree of one whose git directory is elsewhere", 3, &["review/touch\nerror: `main` is checked out in the main worktree, and nothing tells where that is"]),
    ("inside the git directory", 2, &["error: bad pattern `.git/objects/src/api`: it names git's own files"]),
    ("inside the git directory of one that git alone reads", 2, &["error: bad pattern `.git/src/api`: it names git's own files"]),
    ("in the middle of a merge", 3, &["review/touch\n  kept    touch      `other` is checked out in `$TMP/shape`, where git can't move it: Merging is not possible because you have unmerged files."]),
    ("worktree on another disk", 0, &[ASIDE]),
    ("compatible object format", 4, &["error: `git commit-tree` failed: "]),
    ("bare repository", 4, &["error: `$TMP/bare.git` ", BARE]),
    ("bare repository with SHA-256", 4, &["error: `$TMP/bare.git` ", BARE]),
    ("repository beside the files of another", 4, &["error: `$TMP/shape/inner.git` ", BARE]),
    ("unborn HEAD", 4, &["review/fix-login\nerror: there is no commit yet\n", FIRST]),
    ("empty repository", 4, &["error: the repository has no commit yet\n", FIRST]),
    ("missing blob", 4, &["error: `git reset` failed: ", " 'src/api/login.rs'"]),
    ("missing tree", 4, &["error: could not read the tree 937fe1adf20caad9bc12da45a186cc1f9716554d: "]),
    ("missing commit", 4, &["error: could not walk commits: "]),
    ("stale lock of the index", 4, &["review/touch\nerror: cannot land `fix-login`: `git checkout-index` failed: Unable to create '$TMP/shape/.git/index.lock': File exists."]),
    ("stale lock of a ref", 4, &["review/touch\nerror: cannot land `fix-login`: could not write refs/orch/op and refs/heads/main: ", "'$TMP/shape/.git/refs/heads/main.lock': File exists."]),
    ("stale lock of packed refs", 4, &["review/fix-login\n", "error: could not write refs/orch/op, ", "'$TMP/shape/.git/packed-refs.lock': File exists."]),
    ("git's own files in a tree", 4, &["review/fix-login\nerror: `git read-tree` failed: invalid path '.git/config'"]),
    ("required filter that is missing", 4, &["error: `git reset` failed: external filter 'git-no-lfs smudge -- %f' failed 127"]),
    ("worktree that was moved", 3, &["review/touch\nerror: `side` is checked out in `$TMP/side`, which is not there"]),
    ("renames", 2, &[NO_FILES]),
    ("empty trees", 2, &[NO_FILES]),
];

/// Plays the round in one shape.
pub(super) fn play((_, name, make, how): &'static Shape) {
    let mut world = World::new(None);
    let how = world.how(how);
    if matches!(how, How::Refused(..) | How::Unmade | How::Mounted) {
        return;
    }
    let made = world.shape(make);
    if super::is_beyond(&made, make) {
        return;
    }
    let output = world.try_run(ROUND);
    let said =
        format!("{}{}", output.stdout, output.stderr).replace(&world.top().display().to_string(), "$TMP");
    let Some((_, exit, parts)) = OTHERS.iter().find(|(other, ..)| other == name) else {
        assert!(output.exit == 0 && said.trim_end() == DONE, "exit {}\n{said}", output.exit);
        return assert!(!world.top().join("ran").exists(), "something ran that must not");
    };
    let rest = parts.iter().try_fold(said.as_str(), |rest, part| rest.split_once(part).map(|(_, rest)| rest));
    assert!(output.exit == *exit && rest.is_some(), "exit {}\n{said}", output.exit);
    assert!(!world.top().join("ran").exists(), "something ran that must not");
}
