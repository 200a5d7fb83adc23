//! Whatever is wrong with the repository, its settings, its records or the
//! environment: one clear line, a way out, a documented exit code, and nothing
//! changed.
//!
//! A message that ends in `…` goes on in words of git or of the system.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use crate::support::output::Output;
use crate::support::{Bad, TestRepo, VERBS, expect_refusal, mounting, refused, refused_call};

/// A repository with a session for the API.
fn with_session() -> TestRepo {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    repo
}

/// A script that prepares a repository, and what is refused then.
type Case = (&'static str, Bad);

/// Variables and their values.
type Variables = &'static [(&'static str, &'static str)];

/// What is done to a repository, and what is refused then.
#[rustfmt::skip]
const REPOSITORIES: &[Case] = &[
    ("rm .git/HEAD", (&["sessions"], 4, "`$TMP/shop` is in no git repository", &["change into one, name one with `-C DIR`, or make one with `git init`"])),
    ("rm .git/HEAD; mkdir .git/HEAD", (&["sessions"], 4, "`$TMP/shop` is in no git repository", &["change into one, name one with `-C DIR`, or make one with `git init`"])),
    ("git symbolic-ref HEAD refs/heads/gone", (&["add-session", "b", "--paths", "src", "-q"], 4, "`gone` has no commit yet", &["make a first one: `git commit --allow-empty -m 'first commit'`"])),
    ("echo 1111111111111111111111111111111111111111 >.git/HEAD", (&["add-session", "b", "--paths", "src", "-q"], 4, "HEAD is on no branch, so nothing tells the base", &["name the branch to merge back to with `--base`, or set `git config orch.base`"])),
    ("rm -rf .git/objects", (&["sessions"], 4, "`$TMP/shop` is in no git repository", &["change into one, name one with `-C DIR`, or make one with `git init`"])),
    ("rm -rf .git/refs", (&["sessions"], 4, "`$TMP/shop` is in no git repository", &["change into one, name one with `-C DIR`, or make one with `git init`"])),
    ("echo garbage >.git/packed-refs", (&["sessions"], 4, "could not list the refs under `refs/orch/session/`: …", &[])),
    ("echo \"[broken\" >>.git/config", (&["sessions"], 4, "could not read git's configuration: …", &[])),
    ("git config core.repositoryFormatVersion 9", (&["sessions"], 4, "git can't use the repository around `$TMP/shop`: …", &[])),
    ("git config core.repositoryFormatVersion 1; git config extensions.zzz 1", (&["sessions"], 4, "git can't use the repository around `$TMP/shop`: …", &[])),
    ("git config core.repositoryFormatVersion 1; git config extensions.objectFormat md5", (&["sessions"], 4, "git can't use the repository around `$TMP/shop`: …", &[])),
    ("git config core.repositoryFormatVersion 1; git config extensions.zzz 1", (&["-C", "src", "merge"], 4, "git can't use the repository around `$TMP/shop/src`: …", &[])),
    ("rm -rf .git; echo \"gitdir: /nowhere\" >.git", (&["sessions"], 4, "`$TMP/shop` is in no git repository", &["change into one, name one with `-C DIR`, or make one with `git init`"])),
    ("rm -rf .git; echo words >.git", (&["sessions"], 4, "git can't use the repository around `$TMP/shop`: …", &[])),
    ("rm -rf .git; : >.git", (&["sessions"], 4, "git can't use the repository around `$TMP/shop`: …", &[])),
    ("rm -rf .git; mkdir .git", (&["sessions"], 4, "`$TMP/shop` is in no git repository", &["change into one, name one with `-C DIR`, or make one with `git init`"])),
    ("rm -rf .git; ln -s .git .git", (&["sessions"], 4, "`$TMP/shop` is in no git repository", &["change into one, name one with `-C DIR`, or make one with `git init`"])),
    ("echo garbage >.git/index", (&["fanout", "a", "--run", "true", "-q"], 4, "`git status` failed: …", &[])),
    ("rm -rf ../shop.orch/backend", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` is gone from `$TMP/shop.orch/backend`", &["bring it back there, or `git orch remove-session backend` and add it again"])),
    ("rm -rf ../shop.orch/backend; echo x >../shop.orch/backend", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` is gone from `$TMP/shop.orch/backend`", &["bring it back there, or `git orch remove-session backend` and add it again"])),
    ("rm -rf ../shop.orch/backend; ln -s /tmp ../shop.orch/backend", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` leads to another repository", &["look at `$TMP/shop.orch/backend/.git`; `git worktree repair` mends a moved worktree"])),
    ("mv ../shop.orch/backend ../moved", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` is gone from `$TMP/shop.orch/backend`", &["bring it back there, or `git orch remove-session backend` and add it again"])),
    ("rm ../shop.orch/backend/.git", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` has no `.git` file any more", &["`git orch doctor --fix` writes it again"])),
    ("rm ../shop.orch/backend/.git; rm .git/worktrees/backend/HEAD", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` leads to another repository", &["look at `$TMP/shop.orch/backend/.git`; `git worktree repair` mends a moved worktree"])),
    ("rm ../shop.orch/backend/.git; ln -s nowhere ../shop.orch/backend/.git", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` leads to another repository", &["look at `$TMP/shop.orch/backend/.git`; `git worktree repair` mends a moved worktree"])),
    ("rm ../shop.orch/backend/.git; mv ../shop.orch/backend ..; ln -s ../backend ../shop.orch/backend", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` leads to another repository", &["look at `$TMP/shop.orch/backend/.git`; `git worktree repair` mends a moved worktree"])),
    ("rm ../shop.orch/backend/.git; echo /elsewhere/.git >.git/worktrees/backend/gitdir", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` leads to another repository", &["look at `$TMP/shop.orch/backend/.git`; `git worktree repair` mends a moved worktree"])),
    ("echo words >../shop.orch/backend/.git", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` leads to another repository", &["look at `$TMP/shop.orch/backend/.git`; `git worktree repair` mends a moved worktree"])),
    ("rm -rf .git/worktrees/backend", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` leads to another repository", &["look at `$TMP/shop.orch/backend/.git`; `git worktree repair` mends a moved worktree"])),
    ("rm -rf .git/worktrees", (&["show", "backend"], 4, "the worktree of session `backend` leads to another repository", &["look at `$TMP/shop.orch/backend/.git`; `git worktree repair` mends a moved worktree"])),
    ("rm .git/worktrees/backend/gitdir", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` leads to another repository", &["look at `$TMP/shop.orch/backend/.git`; `git worktree repair` mends a moved worktree"])),
    ("rm .git/worktrees/backend/commondir", (&["task", "x", "-q", "--", "true"], 4, "the worktree of session `backend` leads to another repository", &["look at `$TMP/shop.orch/backend/.git`; `git worktree repair` mends a moved worktree"])),
    ("echo garbage >.git/worktrees/backend/HEAD", (&["task", "x", "-q", "--", "true"], 3, "the worktree of session `backend` is not on `orch/backend`", &["`git -C $TMP/shop.orch/backend switch orch/backend`"])),
    ("git -C ../shop.orch/backend checkout -q --detach", (&["task", "x", "-q", "--", "true"], 3, "the worktree of session `backend` is not on `orch/backend`", &["`git -C $TMP/shop.orch/backend switch orch/backend`"])),
    ("git -C ../shop.orch/backend checkout -q -b other", (&["task", "x", "-q", "--", "true"], 3, "the worktree of session `backend` is not on `orch/backend`", &["`git -C $TMP/shop.orch/backend switch orch/backend`"])),
    ("echo x >../shop.orch/backend/x", (&["task", "x", "-q", "--", "true"], 3, "session `backend` has an uncommitted file, `x`", &["commit them in `$TMP/shop.orch/backend`, or finish the work there: `git orch done`"])),
    ("cd ../shop.orch/backend; git checkout -q -b side; echo 1 >f; git add f; git commit -qm 1; git checkout -q orch/backend; echo 2 >f; git add f; git commit -qm 2; git merge side >/dev/null; git-orch doctor --fix >/dev/null; true", (&["task", "x", "-q", "--", "true"], 3, "session `backend` has an uncommitted file, `f`", &["commit them in `$TMP/shop.orch/backend`, or finish the work there: `git orch done`"])),
    ("cd ../shop.orch/backend; echo 1 >f; git add f; git commit -qm 1; git rebase -q -x false HEAD~1 2>/dev/null; git-orch doctor --fix >/dev/null; true", (&["task", "x", "-q", "--", "true"], 3, "the worktree of session `backend` is not on `orch/backend`", &["`git -C $TMP/shop.orch/backend switch orch/backend`"])),
    ("echo garbage >.git/worktrees/backend/index", (&["task", "x", "-q", "--", "true"], 4, "`git status` failed: …", &[])),
    ("git checkout -q -b other; git branch -q -D main", (&["task", "x", "-q", "--", "true"], 2, "no branch `main`", &["a base is a local branch: results merge back into it"])),
    ("git branch review", (&["task", "x", "-q", "--", "true"], 3, "there is a branch `review`, so git can't hold `review/…` branches", &["rename it: `git branch -m review NEW-NAME`"])),
    ("git branch review", (&["fanout", "a", "--run", "true", "-q"], 3, "there is a branch `review`, so git can't hold `review/…` branches", &["rename it: `git branch -m review NEW-NAME`"])),
    ("git branch orch/b", (&["add-session", "b", "--paths", "src", "-q"], 3, "there is a branch `orch/b` already", &["choose another name, or rename it: `git branch -m orch/b NEW-NAME`"])),
    ("git tag v1", (&["add-session", "b", "--paths", "src", "--base", "v1", "-q"], 2, "no branch `v1`", &["a base is a local branch: results merge back into it"])),
    ("mkdir ../shop.orch/b; echo mine >../shop.orch/b/f", (&["add-session", "b", "--paths", "src", "-q"], 3, "`$TMP/shop.orch/b` is there already", &["move it away, or set another place: `git config orch.worktrees`"])),
    ("echo mine >../shop.orch/b", (&["add-session", "b", "--paths", "src", "-q"], 3, "`$TMP/shop.orch/b` is there already", &["move it away, or set another place: `git config orch.worktrees`"])),
    ("ln -s nowhere ../shop.orch/b", (&["add-session", "b", "--paths", "src", "-q"], 3, "`$TMP/shop.orch/b` is there already", &["move it away, or set another place: `git config orch.worktrees`"])),
    ("rm -rf ../shop.orch; git worktree prune; echo x >../shop.orch", (&["add-session", "b", "--paths", "src", "-q"], 4, "could not make `$TMP/shop.orch`: File exists (os error 17)", &[])),
    ("rm -rf .git/orch; echo x >.git/orch", (&["add-session", "b", "--paths", "src", "-q"], 4, "could not make `$TMP/shop/.git/orch`: File exists (os error 17)", &[])),
    ("rm -rf .git/orch; ln -s /nowhere .git/orch", (&["add-session", "b", "--paths", "src", "-q"], 4, "could not make `$TMP/shop/.git/orch`: File exists (os error 17)", &[])),
    ("rm -f .git/orch/lock; mkdir -p .git/orch/lock", (&["add-session", "b", "--paths", "src", "-q"], 4, "could not open `$TMP/shop/.git/orch/lock`: Is a directory (os error 21)", &[])),
    ("true", (&["-C", ".git/objects", "add-session", "b", "--paths", "src", "-q"], 2, "bad pattern `.git/objects/src`: it names git's own files", &[])),
    ("echo 1 >f; git add f; git commit -qm 1; git rebase -q -x false HEAD~1 2>/dev/null; true", (&["add-session", "b", "--paths", "src", "-q"], 4, "HEAD is on no branch, so nothing tells the base", &["name the branch to merge back to with `--base`, or set `git config orch.base`"])),
    ("echo garbage >.git/shallow", (&["sessions"], 4, "`git rev-list` failed: …", &[])),
    ("mkdir -p .git/refs/heads/orch/b; touch .git/refs/heads/orch/b/c", (&["add-session", "b", "--paths", "src", "-q"], 4, "could not add the worktree `$TMP/shop.orch/b`: …", &[])),
    ("git-orch task x -q -- sh -c \"echo 1 >README.md\"; echo mine >README.md", (&["merge", "x"], 3, "cannot land `x`: `main` is checked out in `$TMP/shop` with changes to `README.md`, which it also changes", &["commit or stash them there, then run the command again"])),
    ("git-orch task x -q -- sh -c \"echo 1 >x\"; touch .git/index.lock", (&["merge", "x"], 3, "cannot land `x`: `main` is checked out in `$TMP/shop`, where git can't move it: …", &["finish or undo what is going on there"])),
    ("git-orch task x -q -- sh -c \"echo 1 >x\"; git branch -q -m main trunk", (&["merge", "x"], 2, "no branch `main`", &["a base is a local branch: results merge back into it"])),
    ("git config --global --remove-section user; git config user.useConfigOnly true", (&["task", "x", "-q", "--", "true"], 4, "git does not know who commits here", &["run `git config --global user.name NAME` and `git config --global user.email ADDRESS`"])),
    ("git-orch task x -q -- false; rm -rf ../shop.orch/backend", (&["retry", "x", "-q"], 4, "the worktree of session `backend` is gone from `$TMP/shop.orch/backend`", &["bring it back there, or `git orch remove-session backend` and add it again"])),
    ("git-orch task x -q -- sh -c \"echo 1 >x\"", (&["retry", "x"], 3, "`x` waits for review", &["ask for changes first: `git orch review x --request-changes -m TEXT`"])),
    ("git-orch task x -q >/dev/null; echo 1 >../shop.orch/backend/x", (&["done", "x"], 3, "`x` has an uncommitted file, `x`", &["commit them as you like, or let them be committed: `git orch done x --commit`"])),
    ("git-orch task x -q >/dev/null; rm -rf ../shop.orch/backend", (&["done", "x"], 4, "the worktree of session `backend` is gone from `$TMP/shop.orch/backend`", &["bring it back there, or `git orch remove-session backend` and add it again"])),
    ("git-orch task x -q -- sh -c \"echo 1 >x\"; git-orch merge -q", (&["cancel", "x"], 3, "the task `x` is over: it is merged", &[])),
    ("git-orch task x -q -- sh -c \"echo 1 >x\"; git-orch merge -q", (&["review", "x", "--approve"], 3, "`x` does not wait for judgement: it is merged", &[])),
    ("git-orch task x -q -- sh -c \"echo 1 >x\"; git-orch task y -q -- sh -c \"echo 1 >y\"", (&["merge", "y"], 3, "`y` builds on `x`, which has not landed", &["land both: `git orch merge x y`"])),
    ("git-orch task x -q -- sh -c \"echo 1 >x\"; git-orch task y -q -- sh -c \"echo 1 >y\"", (&["cancel", "x"], 3, "`y` builds on `x`", &["cancel that one first: `git orch cancel y`"])),
    ("git-orch task x -q -- sh -c \"echo 1 >x\"; git-orch review x --request-changes -m no -q", (&["merge", "x"], 3, "changes were asked of `x`", &["let them be made: `git orch retry x`; or approve it as it is"])),
    ("git-orch task x -q -- sh -c \"echo 1 >x\"", (&["merge", "x", "x"], 2, "`x` is named twice", &[])),
    ("git-orch task x -q -- sh -c \"echo 1 >x\"", (&["-C", "../shop.orch/backend", "review", "x", "--approve"], 3, "this can't be said inside session `backend`", &["say it in the repository's own checkout"])),
];

/// Puts a file into a record, and a whole task's record after `sed`.
const PUT: &str = r#"put() { tree=$(printf '100644 blob %s\t%s\n' $(git hash-object -w --stdin) $2 | git mktree)
    git update-ref refs/orch/$1 $(git commit-tree -m x $tree); }
task() { sed "$1" <<EOT | put task/x task.json
{"version":1,"name":"x","uid":"0","text":"t","state":"review","session":"backend","base":"main","base_oid":"$(git rev-parse main)","branch":"orch/backend","created":"2023-11-20T17:06:40Z","updated":"2023-11-20T17:06:40Z"}
EOT
}
"#;

/// What is put into a record, and what is refused then.
#[rustfmt::skip]
const RECORDS: &[Case] = &[
    ("echo words | put task/x task.json", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    (": | put task/x task.json", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task \"s/}//\"", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task s/:1,/:9,/", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: version 9 is not known here", &["a newer git-orch wrote it: use that one"])),
    ("task s/:1,/:0,/", (&["merge"], 4, "could not read the record `refs/orch/task/x`: version 0 is not known here", &["a newer git-orch wrote it: use that one"])),
    ("echo {} | put task/x task.json", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task \"s/:1,/:\\\"1\\\",/\"", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("head -c 999 /dev/zero | put task/x task.json", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("echo x | put task/x other.json", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("git update-ref refs/orch/task/x main", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("head -c 100000 /dev/zero | tr \"\\\\0\" \"[\" | put task/x task.json", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task \"s/\\\"uid\\\"/\\\"name\\\":\\\"y\\\",&/\"", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task s/2023/99999/", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task \"s/\\\"created\\\":\\\"[^\\\"]*\\\"/\\\"created\\\":-1/\"", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task \"s/\\\"uid\\\"/\\\"targets\\\":[{\\\"path\\\":\\\"a\\\",\\\"source\\\":\\\"given\\\",\\\"score\\\":NaN}],&/\"", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task s/review/done/", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task \"s/\\\"x\\\"/\\\"..\\/x\\\"/\"", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task \"s/\\\"uid\\\"/\\\"tip\\\":\\\"zz\\\",&/\"", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task \"s/\\\"uid\\\"/\\\"tip\\\":\\\"abc\\\",&/\"", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("task \"s/\\\"x\\\"/\\\"X y\\\"/\"", (&["show", "x"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("head -c 5000000 /dev/zero | tr \"\\\\0\" a | put task/x task.json", (&["tasks"], 4, "could not read the record `refs/orch/task/x`: …", &[])),
    ("echo words | put session/y session.json", (&["sessions"], 4, "could not read the record `refs/orch/session/y`: …", &[])),
    ("echo \"{\\\"version\\\":2}\" | put session/y session.json", (&["sessions"], 4, "could not read the record `refs/orch/session/y`: version 2 is not known here", &["a newer git-orch wrote it: use that one"])),
    ("echo words | put session/y session.json", (&["add-session", "b", "--paths", "src", "-q"], 4, "could not read the record `refs/orch/session/y`: …", &[])),
    ("echo words | put fanout/z fanout.json", (&["review"], 4, "could not read the record `refs/orch/fanout/z`: …", &[])),
    ("echo \"{\\\"version\\\":2}\" | put fanout/z fanout.json", (&["merge"], 4, "could not read the record `refs/orch/fanout/z`: version 2 is not known here", &["a newer git-orch wrote it: use that one"])),
    ("echo \"{\\\"version\\\":2}\" | put task/x task.json", (&["show", "x"], 4, "could not read the record `refs/orch/task/x`: version 2 is not known here", &["a newer git-orch wrote it: use that one"])),
];

/// What `.orch.yml` holds, and why it can't be read.
#[rustfmt::skip]
const SETTINGS: &[(&str, &str, &[&str])] = &[
    ("version: 2\n", "version 2 is not known here", &["the first line is `version: 1`; a newer git-orch may know more"]),
    ("version: 0\n", "version 0 is not known here", &["the first line is `version: 1`; a newer git-orch may know more"]),
    ("base: main\n", "version 0 is not known here", &["the first line is `version: 1`; a newer git-orch may know more"]),
    ("version: -1\n", "version: invalid type: integer `-1`, expected a number at line 1 column 10", &[]),
    ("version: one\n", "version: invalid type: string \"one\", expected a number at line 1 column 10", &[]),
    ("version: 1.5\n", "version: invalid type: floating point `1.5`, expected a number at line 1 column 10", &[]),
    ("version: ~\n", "version: invalid type: nothing, expected a number at line 1 column 10", &[]),
    ("- a\n", "invalid type: sequence, expected keys and values", &[]),
    ("just words\n", "invalid type: string \"just words\", expected keys and values", &[]),
    ("version: 1\nbase: [main\n", "base: invalid type: sequence, expected a string at line 2 column 7", &[]),
    ("version: 1\n\tbase: main\n", "found a tab character that violates indentation at line 2 column 1, while scanning a plain scalar at line 1 column 10", &[]),
    ("version: 1\nsesions: {}\n", "unknown field `sesions`, expected one of `version`, `base`, `worktrees`, `setup`, `agents`, `sessions`, `jobs`, `engines`, `forge`, `forges`, `logins`, `checks`, `landing`, `viewpoints`, `routing` at line 2 column 1", &["did you mean `sessions`?"]),
    ("version: 1\nzzz: 1\n", "unknown field `zzz`, expected one of `version`, `base`, `worktrees`, `setup`, `agents`, `sessions`, `jobs`, `engines`, `forge`, `forges`, `logins`, `checks`, `landing`, `viewpoints`, `routing` at line 2 column 1", &["`git orch config --schema` lists every key"]),
    ("version: 1\nbase: a\nbase: b\n", "duplicate field `base`", &[]),
    ("version: 1\nversion: 1\n", "duplicate field `version`", &[]),
    ("version: 1\nsessions:\n  a: {}\n  a: {}\n", "sessions: duplicate key `a` at line 3 column 3", &[]),
    ("version: 1\njobs:\n  a: { run: x }\n  a: { run: y }\n", "jobs: duplicate key `a` at line 3 column 3", &[]),
    ("version: 1\nagents:\n  a: { run: x }\n  a: { run: y }\n", "agents: duplicate key `a` at line 3 column 3", &[]),
    ("version: 1\nagents:\n  default: x\n  default: y\n", "agents: duplicate key `default` at line 3 column 3", &[]),
    ("version: 1\nsessions:\n  a: { agent: x, agent: y }\n", "sessions.a: duplicate field `agent` at line 3 column 6", &[]),
    ("version: 1\nbase: [a]\n", "base: invalid type: sequence, expected a string at line 2 column 7", &[]),
    ("version: 1\nbase: {a: b}\n", "base: invalid type: map, expected a string at line 2 column 7", &[]),
    ("version: 1\nchecks: cargo test\n", "checks: invalid type: string \"cargo test\", expected a sequence at line 2 column 9", &[]),
    ("version: 1\nchecks: {a: b}\n", "checks: invalid type: map, expected a sequence at line 2 column 9", &[]),
    ("version: 1\nsetup: [npm, ci]\n", "setup: invalid type: sequence, expected a string at line 2 column 8", &[]),
    ("version: 1\nsessions:\n  A/b: {}\n", "`A/b`: a name holds only a-z, 0-9, `.`, `_` and `-`", &[]),
    ("version: 1\njobs:\n  ../x: { run: x }\n", "`../x`: a name holds only a-z, 0-9, `.`, `_` and `-`", &[]),
    ("version: 1\nsessions:\n  \"$(id)\": {}\n", "`$(id)`: a name holds only a-z, 0-9, `.`, `_` and `-`", &[]),
    ("version: 1\nsessions:\n  a: { paths: [\"[\"] }\n", "bad pattern `[`: unclosed character class; missing ']'", &[]),
    ("version: 1\nsessions:\n  a: { paths: [\"../x\"] }\n", "bad pattern `../x`: it leads out of the repository", &[]),
    ("version: 1\nsessions:\n  a: { paths: [\"/etc\"] }\n", "bad pattern `/etc`: it is absolute", &[]),
    ("version: 1\nsessions:\n  a: { paths: src }\n", "sessions.a.paths: invalid type: string \"src\", expected a sequence at line 3 column 15", &[]),
    ("version: 1\nagents:\n  a: { run: [] }\n", "agents.a.run: a command can't be empty at line 3 column 13", &[]),
    ("version: 1\nagents:\n  a: { run: \"\" }\n", "agents.a.run: a command can't be empty at line 3 column 13", &[]),
    ("version: 1\njobs:\n  a: { run: [\"\"] }\n", "jobs.a.run: a command can't be empty at line 3 column 13", &[]),
    ("version: 1\njobs:\n  a: { include: [x] }\n", "job `a` has neither `run`, `agent` nor `header`", &["a job is a command, `run`, an `agent` with a `brief` that says what it shall do, or a `header`"]),
    ("version: 1\njobs:\n  a: { run: {a: b} }\n", "jobs.a.run: invalid type: map, expected a command: a string or a list of strings at line 3 column 13", &[]),
    ("version: 1\nagents:\n  a: { run: x, prompt: shout }\n", "agents.a.prompt: unknown variant `shout`, expected one of `stdin`, `file`, `argument` at line 3 column 24", &[]),
    ("version: 1\nagents:\n  a: { run: x, timeout: soon }\n", "`soon` is no time span", &["write it as `30s`, `5m`, `2h` or `7d`"]),
    ("version: 1\njobs:\n  a: { run: x, timeout: 0s }\n", "`0s` is no time span", &["write it as `30s`, `5m`, `2h` or `7d`"]),
    ("version: 1\njobs:\n  a: { run: x, timeout: -5m }\n", "`-5m` is no time span", &["write it as `30s`, `5m`, `2h` or `7d`"]),
    ("version: 1\njobs:\n  a: { run: x, timeout: 99999999999999999999d }\n", "`99999999999999999999d` is no time span", &["write it as `30s`, `5m`, `2h` or `7d`"]),
    ("version: 1\njobs:\n  a: { run: x, shard: random }\n", "jobs.a.shard: unknown variant `random`, expected one of `count`, `directory`, `file`, `package`, `bytes`, `owner`, `list` at line 3 column 23", &[]),
    ("version: 1\njobs:\n  a: { run: x, tree: half }\n", "jobs.a.tree: unknown variant `half`, expected one of `full`, `sparse`, `overlay` at line 3 column 22", &[]),
    ("version: 1\njobs:\n  a: { run: x, needs: [\"{\"] }\n", "bad pattern `{`: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)", &[]),
    ("version: 1\nviewpoints: { default: [boss] }\n", "no viewpoint `boss`", &[]),
    ("version: 1\nviewpoints: { rules: [{ paths: [x], require: [revewer] }] }\n", "no viewpoint `revewer`; did you mean `reviewer`?", &[]),
    ("version: 1\nviewpoints: { agents: { boss: a } }\n", "no viewpoint `boss`", &[]),
    ("version: 1\nviewpoints: { rules: [{ require: [tester, reviewer] }] }\n", "the rule that requires tester and reviewer says not when", &["add `paths`, `files` or `lines`; what every result needs is the `default`"]),
    ("version: 1\nviewpoints: { rounds: 11 }\n", "`rounds: 11` of viewpoints can't be", &["changes are made at most 10 times by themselves"]),
    ("version: 1\nagents:\n  a: { run: x, verdict: loud }\n", "agents.a.verdict: unknown variant `loud`, expected `words` or `exit-code` at line 3 column 25", &[]),
    ("version: 1\nviewpoints: { defalt: [] }\n", "viewpoints: unknown field `defalt`, expected one of `default`, `rules`, `agents`, `rounds` at line 2 column 15", &["did you mean `default`?"]),
    ("version: 1\nrouting: { half_lives: [soon, 365d] }\n", "`soon` is no time span", &["write it as `30s`, `5m`, `2h` or `7d`"]),
    ("version: 1\nrouting: { half_lives: [1d, 2d, 3d] }\n", "routing.half_lives: invalid length 3, expected sequence of 2 elements at line 2 column 24", &[]),
    ("version: 1\nrouting: { half_lives: [0d, 2d] }\n", "`0d` is no time span", &["write it as `30s`, `5m`, `2h` or `7d`"]),
    ("version: 1\nrouting: { horizon: -1 }\n", "routing.horizon: invalid type: integer `-1`, expected a number at line 2 column 21", &[]),
    ("version: 1\nrouting: { horizon: many }\n", "routing.horizon: invalid type: string \"many\", expected a number at line 2 column 21", &[]),
    ("\u{0}", "control characters are not allowed", &[]),
    ("version: 1\nbase: *x\n", "unknown anchor at line 2 column 7", &[]),
    ("version: 1\nsessions: { a: &x {agent: b}, b: {<<: *x} }\n", "sessions.b: unknown field `<<`, expected one of `paths`, `specialty`, `agent` at line 2 column 35", &["`git orch config --schema` lists every key"]),
    ("version: 1\n---\nversion: 1\n", "it holds more than one document", &[]),
    ("version: 1\nbase: \"unterminated\n", "found unexpected end of stream at line 3 column 1, while scanning a quoted scalar at line 2 column 7", &[]),
    ("version: 1\nse\u{202e}ss: 1\n", "unknown field `se\\u{202e}ss`, expected one of `version`, `base`, `worktrees`, `setup`, `agents`, `sessions`, `jobs`, `engines`, `forge`, `forges`, `logins`, `checks`, `landing`, `viewpoints`, `routing` at line 2 column 1", &["did you mean `sessions`?"]),
    ("version: 1\nb\u{1b}: 1\n", "control characters are not allowed at position 12", &[]),
    ("version: 1\nx: &a [x,x,x,x,x,x,x,x,x]\ny: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nz: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nchecks: *c\n", "unknown field `x`, expected one of `version`, `base`, `worktrees`, `setup`, `agents`, `sessions`, `jobs`, `engines`, `forge`, `forges`, `logins`, `checks`, `landing`, `viewpoints`, `routing` at line 2 column 1", &["`git orch config --schema` lists every key"]),
];

/// What git's configuration holds, and what making a session says of it.
#[rustfmt::skip]
const PERSONAL: &[(&str, &str, i32, &str, &[&str])] = &[
    ("orch.hooks", "perhaps", 4, "`orch.hooks` is `perhaps`, neither true nor false", &[]),
    ("orch.sign", "2", 4, "`orch.sign` is `2`, neither true nor false", &[]),
    ("orch.jobs", "many", 4, "`orch.jobs` is `many`, not a number", &[]),
    ("orch.jobs", "-1", 4, "`orch.jobs` is `-1`, not a number", &[]),
    ("orch.jobs", "99999999999999999999", 4, "`orch.jobs` is `99999999999999999999`, not a number", &[]),
    ("orch.jobs", "0", 4, "`orch.jobs` is `0`: at least one shard runs at once", &[]),
    ("orch.horizon", "x", 4, "`orch.horizon` is `x`, not a number", &[]),
    ("orch.horizon", "-1", 4, "`orch.horizon` is `-1`, not a number", &[]),
    ("orch.basee", "x", 4, "unknown setting `orch.basee` in git's configuration", &["did you mean `orch.base`?", "take it out: `git config --unset orch.basee`"]),
    ("orch.zzz", "x", 4, "unknown setting `orch.zzz` in git's configuration", &["`git orch config` lists them", "take it out: `git config --unset orch.zzz`"]),
    ("orch.sub.key", "x", 4, "unknown setting `orch.sub.key` in git's configuration", &["`git orch config` lists them", "take it out: `git config --unset orch.sub.key`"]),
    ("orch.base", "", 2, "no branch ``", &["a base is a local branch: results merge back into it"]),
    ("orch.base", "nowhere", 2, "no branch `nowhere`", &["a base is a local branch: results merge back into it"]),
    ("orch.base", "HEAD", 2, "no branch `HEAD`", &["a base is a local branch: results merge back into it"]),
    ("orch.landing", "octopus", 4, "`orch.landing` is `octopus`: merge, squash or rebase", &[]),
    ("orch.worktrees", "x", 4, "the worktrees setting `x` has no `{session}` in it", &[]),
    ("orch.worktrees", "", 4, "the worktrees setting `` has no `{session}` in it", &[]),
    ("orch.worktrees", "../{sesion}", 4, "the worktrees setting `../{sesion}` has no `{session}` in it", &[]),
    ("orch.worktrees", ".git/{session}", 4, "the worktrees setting `.git/{session}` leads into git's own files", &[]),
    ("orch.worktrees", "../shop/.GIT/{session}", 4, "the worktrees setting `../shop/.GIT/{session}` leads into git's own files", &[]),
];

const OUTSIDE: &[&str] = &["change into one, name one with `-C DIR`, or make one with `git init`"];

/// Variables that are set, and what is refused then.
#[rustfmt::skip]
const VARIABLES: &[(Variables, Bad)] = &[
    (&[("GIT_DIR", "/nowhere")], (&["sessions"], 4, "`$TMP/shop` is in no git repository", OUTSIDE)),
    (&[("GIT_DIR", "")], (&["sessions"], 4, "`$TMP/shop` is in no git repository", OUTSIDE)),
    (&[("GIT_DIR", "src")], (&["sessions"], 4, "`$TMP/shop` is in no git repository", OUTSIDE)),
    (&[("GIT_DIR", "/nowhere"), ("GIT_ORCH_BACKEND", "git2")], (&["sessions"], 4, "`$TMP/shop` is in no git repository", OUTSIDE)),
    (&[("GIT_DIR", ".git"), ("GIT_WORK_TREE", "/nowhere")], (&["task", "x"], 4, "`$TMP/shop/.git` is a bare repository", &["run git-orch in one of its worktrees: `git worktree add ../work` makes one"])),
    (&[("GIT_CONFIG_COUNT", "many")], (&["sessions"], 4, "`git config` failed: …", &[])),
    (&[("GIT_CONFIG_COUNT", "1")], (&["sessions"], 4, "`git config` failed: …", &[])),
    (&[("GIT_CONFIG_PARAMETERS", "garbage")], (&["sessions"], 4, "`git config` failed: …", &[])),
    (&[("GIT_CONFIG_GLOBAL", "/nowhere")], (&["task", "x", "-q", "--", "true"], 4, "git does not know who commits here", &["run `git config --global user.name NAME` and `git config --global user.email ADDRESS`"])),
    (&[("PATH", "/nowhere")], (&["sessions"], 4, "no `git` on the PATH", &["install git 2.39 or newer, or put it on the PATH"])),
    (&[("PATH", "")], (&["sessions"], 4, "no `git` on the PATH", &["install git 2.39 or newer, or put it on the PATH"])),
    (&[("PATH", ".:bin:../bin")], (&["sessions"], 4, "no `git` on the PATH", &["install git 2.39 or newer, or put it on the PATH"])),
    (&[("GIT_ORCH_SESSION", "backend")], (&["trust", "--yes"], 3, "this can't be said inside session `backend`", &["say it in the repository's own checkout"])),
    (&[("GIT_ORCH_SESSION", "../x")], (&["trust", "--yes"], 3, "this can't be said inside session `../x`", &["say it in the repository's own checkout"])),
    (&[("GIT_ORCH_TASK", "nope")], (&["done"], 2, "no task `nope`", &["`git orch tasks --all` lists them"])),
    (&[("GIT_ORCH_TASK", "../x")], (&["done"], 2, "no task `../x`", &["`git orch tasks --all` lists them"])),
];

/// Variables that change nothing.
#[rustfmt::skip]
const HARMLESS: &[(&str, &str)] = &[
    ("GIT_INDEX_FILE", "/nowhere"),
    ("GIT_NAMESPACE", "x"),
    ("GIT_OBJECT_DIRECTORY", "/nowhere"),
    ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/nowhere"),
    ("GIT_COMMON_DIR", "/nowhere"),
    ("GIT_WORK_TREE", "/nowhere"),
    ("GIT_PREFIX", "x/"),
    ("GIT_SHALLOW_FILE", "/nowhere"),
    ("GIT_GRAFT_FILE", "/nowhere"),
    ("GIT_REPLACE_REF_BASE", "x"),
    ("GIT_EXTERNAL_DIFF", "touch ran"),
    ("GIT_PAGER", "touch ran"),
    ("GIT_EDITOR", "touch ran"),
    ("GIT_SSH_COMMAND", "touch ran"),
    ("GIT_ASKPASS", "touch ran"),
    ("GIT_TRACE", "1"),
    ("GIT_TEMPLATE_DIR", "/nowhere"),
    ("GIT_OPTIONAL_LOCKS", "1"),
    ("GIT_DEFAULT_HASH", "sha256"),
    ("TERM", "dumb"),
    ("COLUMNS", "1"),
    ("COLUMNS", "x"),
    ("NO_COLOR", "1"),
    ("CLICOLOR_FORCE", "1"),
    ("LANG", "de_DE.UTF-8"),
    ("LC_ALL", "xx"),
    ("TZ", "nowhere"),
    ("TMPDIR", "/nowhere"),
    ("HOME", "/nowhere"),
    ("XDG_STATE_HOME", "relative"),
    ("SHELL", "/nowhere"),
    ("EDITOR", "touch ran"),
    ("RUST_LOG", "trace"),
    ("RUST_BACKTRACE", "1"),
    ("GIT_ORCH_BACKEND", "zzz"),
    ("PWD", "/nowhere"),
];

/// How many bad surroundings stand in the tables here.
pub(super) fn count() -> usize {
    REPOSITORIES.len() + RECORDS.len() + SETTINGS.len() + PERSONAL.len() + VARIABLES.len()
}

/// Everything of a repository that git itself may not be able to read any more.
fn files(repo: &TestRepo) -> BTreeMap<PathBuf, Vec<u8>> {
    let passed_over =
        ["objects", "orch", "logs", "refs/orch/op"].map(|inside| repo.path(".git").join(inside));
    let mut files = BTreeMap::new();
    let mut folders = vec![repo.top().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if passed_over.contains(&path) || path.ends_with("ORIG_HEAD") {
                continue;
            }
            let kind = path.symlink_metadata().unwrap().file_type();
            if kind.is_symlink() {
                files.insert(
                    path.clone(),
                    std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
                );
            } else if kind.is_file() {
                files.insert(path.clone(), std::fs::read(&path).unwrap());
            } else if kind.is_dir() {
                folders.push(path);
            }
        }
    }
    files
}

/// Prepares a repository, and runs what must be refused and leave it alone.
fn expect_refused_there(repo: &TestRepo, script: &str, (arguments, exit, message, hints): &Bad) {
    repo.shell(script).changing_checkout().run().expect_success();
    let before = files(repo);
    let output = repo.call(arguments).changing_checkout().run();
    expect_refusal(&output, *exit, message, hints, script);
    assert!(files(repo) == before, "{script}");
}

/// Each case in a repository of its own, two at a time.
fn refuse_each(cases: &[Case]) {
    let half = |odd: usize| {
        for (script, bad) in cases.iter().skip(odd).step_by(2) {
            expect_refused_there(&with_session(), script, bad);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| half(0));
        half(1);
    });
}

#[test]
fn a_repository_in_disorder() {
    refuse_each(REPOSITORIES);
}

#[test]
fn a_record_that_nobody_can_read() {
    let repo = with_session();
    let reset =
        "git for-each-ref --format='delete %(refname)' refs/orch/task refs/orch/fanout refs/orch/session/y |
        git update-ref --stdin";
    for (script, bad) in RECORDS {
        expect_refused_there(&repo, &format!("{PUT}{script}"), bad);
        repo.shell(reset).changing_checkout().run().expect_success();
    }
}

#[test]
fn settings_with_mistakes() {
    let repo = with_session();
    let told = |text: &[u8], why: &str, hints: &[&str]| {
        std::fs::write(repo.path(".orch.yml"), text).unwrap();
        let output = refused(&repo, &["sessions"]);
        expect_refusal(
            &output,
            4,
            &format!("could not read `.orch.yml`: {why}"),
            hints,
            std::ffi::OsStr::from_bytes(&text[..text.len().min(80)]),
        );
    };
    for (text, why, hints) in SETTINGS {
        told(text.as_bytes(), why, hints);
    }
    let bulky = [
        ("[".repeat(100_000), "it is nested deeper than 32"),
        ("{a: ".repeat(1_000), "it is nested deeper than 32"),
        ("- ".repeat(2_000), "it is nested deeper than 32"),
        ((1..100).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(), "it is nested deeper than 32"),
        (format!("# {}", "x".repeat(300_000)), "it is larger than 256 KiB"),
    ];
    for (text, why) in bulky {
        told(text.as_bytes(), why, &[]);
    }
    told(b"version: 1\nbase: caf\xe9\n", "it is not UTF-8", &[]);
    repo.write(".orch.yml", "\u{feff}version: 1\n");
    repo.orch(&["sessions", "-q"]).expect_success();
}

#[test]
fn settings_that_are_no_plain_file() {
    let repo = with_session();
    for make in
        ["mkdir", "mkfifo", "ln -s .orch.yml", "ln -s /etc/passwd", "ln -s nowhere", "ln -s /dev/zero"]
    {
        repo.shell(&format!("{make} .orch.yml")).changing_checkout().run().expect_success();
        for verb in [&["sessions"][..], &["task", "x", "--", "true"], &["merge"]] {
            let hints = ["replace it by one"];
            expect_refusal(&refused(&repo, verb), 4, "`.orch.yml` is no plain file", &hints, make);
        }
        repo.shell("rm -r .orch.yml").changing_checkout().run().expect_success();
    }
}

#[test]
fn personal_settings_with_mistakes() {
    let repo = with_session();
    for (key, value, exit, message, hints) in PERSONAL {
        repo.git(&["config", key, value]);
        let output = refused(&repo, &["add-session", "a", "--paths", "src"]);
        expect_refusal(&output, *exit, message, hints, &(key, value));
        repo.git(&["config", "--unset", key]);
    }
}

#[test]
fn variables_that_make_no_sense() {
    let repo = with_session();
    for (variables, (arguments, exit, message, hints)) in VARIABLES {
        let call = variables.iter().fold(repo.call(arguments), |call, (key, value)| call.env(key, value));
        expect_refusal(&refused_call(&repo, call), *exit, message, hints, variables);
    }
    let call = repo.call(&["sessions"]).within(repo.path("src"));
    let call = call.env("GIT_CEILING_DIRECTORIES", repo.path(""));
    expect_refusal(
        &refused_call(&repo, call),
        4,
        "`$TMP/shop/src` is in no git repository",
        OUTSIDE,
        "ceiling",
    );
}

#[test]
fn variables_that_change_nothing() {
    let repo = with_session();
    let plain = repo.orch(&["sessions"]);
    for (key, value) in HARMLESS {
        assert_eq!(repo.call(&["sessions"]).env(key, value).run(), plain, "{key}={value}");
    }
    let all = |call| {
        HARMLESS.iter().fold(call, |call: crate::support::Call<'_>, (key, value)| call.env(key, value))
    };
    let edit = ["task", "fix login", "-q", "--", "sh", "-c", "git rev-parse --show-toplevel >top"];
    all(repo.call(&edit)).run().expect_success();
    assert_eq!(
        repo.git(&["show", "review/fix-login:top"]).trim(),
        repo.worktree("backend").display().to_string()
    );
    for key in "TERM TMPDIR HOME LANG USER PWD".split(' ') {
        assert_eq!(repo.call(&["config"]).without_env(key).run(), repo.orch(&["config"]), "{key}");
    }
    repo.shell("find .. -name ran").run().expect("exit 0");
}

#[test]
fn outside_a_repository() {
    let repo = TestRepo::new();
    for verb in VERBS {
        refused_call(&repo, repo.call(verb).within(repo.top())).expect(
            "
            exit 4
            -- stderr
            error: `$TMP` is in no git repository
            hint: change into one, name one with `-C DIR`, or make one with `git init`
            ",
        );
    }
}

#[test]
fn a_repository_without_a_commit() {
    let repo = TestRepo::unborn();
    refused(&repo, &["add-session", "backend", "--paths", "src"]).expect(
        "
        exit 4
        -- stderr
        error: `main` has no commit yet
        hint: make a first one: `git commit --allow-empty -m 'first commit'`
        ",
    );
    refused(&repo, &["task", "fix login"]).expect(
        "
        exit 3
        -- stderr
        error: there is no session to give it to
        hint: make one: `git orch add-session NAME --paths GLOB --adopt-history`
        ",
    );
    refused(&repo, &["route", "fix login"]).expect(
        "
        exit 3
        -- stderr
        error: there is no session to route to
        hint: make one: `git orch add-session NAME --paths GLOB --adopt-history`
        hint: or ask who knows the code: `git orch route --import authors TEXT`
        ",
    );
    repo.orch(&["sessions"]).expect(
        "
        exit 0
        -- stderr
        no sessions yet
        next: git orch add-session NAME --paths GLOB
        ",
    );
}

#[test]
fn a_bare_repository() {
    let repo = TestRepo::new();
    repo.shell("git clone -q --bare . ../bare.git").run().expect("exit 0");
    let bare = repo.top().join("bare.git");
    refused_call(&repo, repo.call(&["add-session", "backend", "--paths", "src"]).within(&bare)).expect(
        "
        exit 4
        -- stderr
        error: `$TMP/bare.git` is a bare repository
        hint: run git-orch in one of its worktrees: `git worktree add ../work` makes one
        ",
    );
    refused_call(&repo, repo.call(&["task", "fix login"]).within(&bare)).expect(
        "
        exit 4
        -- stderr
        error: `$TMP/bare.git` is a bare repository
        hint: run git-orch in one of its worktrees: `git worktree add ../work` makes one
        ",
    );
    repo.call(&["sessions"]).within(&bare).run().expect(
        "
        exit 0
        -- stderr
        no sessions yet
        next: git orch add-session NAME --paths GLOB
        ",
    );
}

#[test]
fn a_detached_head() {
    let repo = TestRepo::new();
    repo.git(&["checkout", "--quiet", "--detach"]);
    refused(&repo, &["add-session", "backend", "--paths", "src"]).expect(
        "
        exit 4
        -- stderr
        error: HEAD is on no branch, so nothing tells the base
        hint: name the branch to merge back to with `--base`, or set `git config orch.base`
        ",
    );
    repo.orch(&["add-session", "backend", "--paths", "src", "--base", "main"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        -- stderr
        session backend: branch orch/backend from main <oid>
        ",
    );
}

#[test]
fn branches_that_stand_in_the_way() {
    for branch in ["orch", "review", "orch/backend"] {
        let repo = TestRepo::new();
        repo.git(&["branch", branch]);
        let output = refused(&repo, &["add-session", "backend", "--paths", "src"]);
        match branch {
            "orch" => output.expect(
                "
                exit 3
                -- stderr
                error: there is a branch `orch`, so git can't hold `orch/…` branches
                hint: rename it: `git branch -m orch NEW-NAME`
                ",
            ),
            "review" => output.expect(
                "
                exit 3
                -- stderr
                error: there is a branch `review`, so git can't hold `review/…` branches
                hint: rename it: `git branch -m review NEW-NAME`
                ",
            ),
            _ => output.expect(
                "
                exit 3
                -- stderr
                error: there is a branch `orch/backend` already
                hint: choose another name, or rename it: `git branch -m orch/backend NEW-NAME`
                ",
            ),
        }
    }
}

#[test]
fn an_old_git() {
    let repo = with_session();
    let path = repo.git_of_version("2.20.1");
    refused_call(&repo, repo.call(&["task", "fix login"]).env("PATH", &path)).expect(
        "
        exit 4
        -- stderr
        error: git 2.20 is too old: git-orch needs 2.39 or newer
        hint: upgrade git, or put a newer one first on the PATH
        ",
    );
}

#[test]
fn no_home() {
    let repo = with_session();
    let bare = |arguments: &[&str]| {
        let call = repo.call(arguments).without_env("HOME").without_env("XDG_CONFIG_HOME");
        call.without_env("XDG_STATE_HOME").without_env("XDG_DATA_HOME").without_env("XDG_CACHE_HOME").run()
    };
    bare(&["sessions"]).expect(
        "
        exit 0
        -- stdout
          session  state  task  ahead  behind  load  last    knows
          backend  idle             0       0     0  <time> ago  src/api
        ",
    );
    bare(&["task", "fix login", "--", &repo.agent("edit.sh")]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login (0.25)
        done in <time>: 1 commit, 1 file
          A work.txt
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    bare(&["trust", "--yes"]).expect(
        "
        exit 4
        -- stdout
          for         command                                  trusted
          repository  built-in agents, tools and copied files  no
        -- stderr
        error: there is no home folder to remember trust in
        hint: set HOME or XDG_STATE_HOME
        ",
    );
}

#[test]
fn an_answer_that_nobody_reads() {
    let repo = with_session();
    repo.shell("git orch sessions | true; git orch man task | head -n 1 >/dev/null").run().expect("exit 0");
    repo.shell("git-orch sessions >&-").run().expect("exit 0");
    repo.shell("git-orch sessions >/dev/full").run().expect(
        "
        exit 4
        -- stderr
        error: could not write the answer: No space left on device (os error 28)
        ",
    );
    repo.shell("git-orch sessions 2>&- <&-").run().expect(
        "
        exit 0
        -- stdout
          session  state  task  ahead  behind  load  last    knows
          backend  idle             0       0     0  <time> ago  src/api
        ",
    );
}

#[test]
fn a_present_folder_that_is_gone() {
    let repo = TestRepo::new();
    repo.shell("mkdir ../gone && cd ../gone && rmdir ../gone && git-orch sessions").run().expect(
        "
        exit 4
        -- stderr
        error: the present folder is gone: No such file or directory (os error 2)
        ",
    );
}

#[test]
fn a_full_or_read_only_disk() {
    let repo = TestRepo::new();
    let script = "
        try() { git-orch -q \"$@\" 2>&1 | grep -v '^warning: could not save the .* cache: '; }
        echo full; try add-session a --paths src; cat /dev/zero >../fill 2>/dev/null
        try add-session b --paths src; try task x -- true; try fanout f --run true --paths src; try init; ls ../shop.orch; ls .orch.yml 2>/dev/null
        git for-each-ref --format='%(refname)' refs/heads refs/orch/session refs/orch/task refs/orch/keep
        echo empty; rm ../fill; try add-session b --paths src; try task x -- sh -c 'echo 1 >x'
        echo read-only; mount -o remount,ro ../../small
        try add-session c --paths src; try task y -- true; try merge; try init; try sessions";
    let Some(output) = on_a_small_disk(&repo, "2m", script) else { return };
    output.expect("
        exit 0
        -- stdout
        full
        $TMP/small/shop.orch/a
        error: no room for the worktree in `$TMP/small/shop.orch`: 65.9 KB needed, 0 B free
        hint: make room on that disk, or have worktrees on another: `git config orch.worktrees`
        error: could not write `$TMP/small/shop/.git/orch/run/task-x.lock`: No space left on device (os error 28)
        hint: make room on the disk of `$TMP/small/shop/.git/orch/run`: 0 B free; then run the command again
        error: no room for 1 worktree in `$TMP/small/shop.orch/.throwaway`: 65.9 KB needed, 0 B free
        hint: make room on that disk, or have worktrees on another: `git config orch.worktrees`
        error: could not write `$TMP/small/shop/.git/orch/settings.new`: No space left on device (os error 28)
        hint: make room on the disk of `$TMP/small/shop/.git/orch`: 0 B free; then run the command again
        a
        refs/heads/main
        refs/heads/orch/a
        refs/orch/session/a
        empty
        $TMP/small/shop.orch/b
        review/x
        read-only
        error: could not open `$TMP/small/shop/.git/orch/run/land.lock`: Read-only file system (os error 30)
        error: could not open `$TMP/small/shop/.git/orch/run/land.lock`: Read-only file system (os error 30)
        error: could not open `$TMP/small/shop/.git/orch/run/land.lock`: Read-only file system (os error 30)
        error: could not write `$TMP/small/shop/.git/orch/settings.new`: Read-only file system (os error 30)
          session  state  task  ahead  behind  load  last    knows
          a        idle             1       0     0  <time> ago  x
          b        idle             0       0     0  <time> ago  src
        ");
}

#[test]
fn a_task_that_fails_to_begin_says_why_and_leaves_no_record() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    // A git behind whose ref transactions an entry of the journal can't be removed.
    let git = r#"mkdir ../odd && cat >../odd/git <<'EOF' && chmod +x ../odd/git
#!/bin/sh
PATH=${PATH#*:}
git "$@"
code=$?
case "$*" in *update-ref*) for entry in JOURNAL/move-*; do
    [ ! -f "$entry" ] || { rm "$entry" && mkdir "$entry"; }
done;; esac
exit $code
EOF
        sed -i "s:JOURNAL:$PWD/.git/orch/journal:" ../odd/git
        before=$(git for-each-ref | grep -v refs/orch/op)
        PATH=$PWD/../odd:$PATH git-orch task 'fix login' -q --session backend -- true 2>&1 | sed 's/move-[^`]*/move-X/'
        rmdir .git/orch/journal/*; [ "$(git for-each-ref | grep -v refs/orch/op)" = "$before" ] && git-orch doctor | grep wrong"#;
    repo.shell(git).run().expect(
        "
        exit 1
        -- stdout
        error: could not remove `$TMP/shop/.git/orch/journal/move-X`: Is a directory (os error 21)
        ",
    );
}

#[test]
fn worktrees_that_do_not_fit_are_refused_before_any_is_made() {
    let repo = TestRepo::new();
    let script = "
        free() { sed 's/[0-9.]* [MK]B free/<free>/'; }
        made() { ls -A ../shop.orch .git/orch/journal .git/orch/fanout .git/worktrees 2>&1; git for-each-ref; }
        mkdir a; head -c 3000000 /dev/urandom >a/big; git add a; git commit -qm big; made >../before
        fanout() { git-orch fanout \"$@\" --run 'echo >>\"$1\"' --shards file 2>&1 | free; }
        fanout many -j 4 -q; fanout many -j 4 -q --json; made | diff ../before -
        fanout few -j 4 -q --tree sparse --paths src; fanout one -j 1 -q --paths README.md --check true
        printf 'version: 1\nchecks: [\"true\"]\n' >.orch.yml; git add .orch.yml; git commit -qm checks; git-orch trust -q --yes >/dev/null
        head -c 8000000 /dev/urandom >../fill; made >../before
        for option in '' --dry-run; do git-orch add-session b --paths src -q $option; echo $?; done 2>&1 | free
        fanout another -j 4 -q --tree sparse --paths src --check true; made | diff ../before -
        git-orch merge few -q 2>&1 | free; git-orch doctor --fix >/dev/null; made | diff ../before - | grep '^[<>]' | grep -v refs/orch/op";
    let Some(output) = on_a_small_disk(&repo, "16m", script) else { return };
    output.expect(
        r#"
        exit 1
        -- stdout
        error: no room for 4 worktrees in `$TMP/small/shop.orch/.throwaway`: 12.1 MB needed, <free>
        hint: run fewer shards at once: `-j 3`
        hint: make room on that disk, or have worktrees on another: `git config orch.worktrees`
        {"schema":"git-orch/1","command":"fanout","error":{"kind":"unusable","message":"no room for 4 worktrees in `$TMP/small/shop.orch/.throwaway`: 12.1 MB needed, <free>","hints":["run fewer shards at once: `-j 3`","make room on that disk, or have worktrees on another: `git config orch.worktrees`"]}}
        4 shards, 4 files changed, disjoint
        review/few
        1 shard, 1 file changed, disjoint; check passed in <time>
        review/one
        error: no room for the worktree in `$TMP/small/shop.orch`: 3.1 MB needed, <free>
        hint: make room on that disk, or have worktrees on another: `git config orch.worktrees`
        4
        error: no room for the worktree in `$TMP/small/shop.orch`: 3.1 MB needed, <free>
        hint: make room on that disk, or have worktrees on another: `git config orch.worktrees`
        4
        error: no room for the worktree of the check in `$TMP/small/shop.orch/.throwaway`: 3.1 MB needed, <free>
        hint: make room on that disk, or have worktrees on another: `git config orch.worktrees`
        error: no room for the worktree of the check in `$TMP/small/shop.orch/.throwaway`: 3.1 MB needed, <free>
        hint: make room on that disk, or have worktrees on another: `git config orch.worktrees`
        "#,
    );
}

/// What a script prints in a copy of the repository on a disk of this size, as
/// `../small/shop`; `None` where this user may not mount one.
fn on_a_small_disk(repo: &TestRepo, size: &str, script: &str) -> Option<Output> {
    let mount = format!("mkdir ../small && mount -t tmpfs -o size={size} tmpfs ../small");
    mounting(repo, &format!("{mount} && cp -r ../shop ../small && cd ../small/shop || exit 9\n{script}"))
}
