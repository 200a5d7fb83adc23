//! Sessions that look at a result: `git orch review TASK --by SESSION`.

use crate::support::agents::{CLAUDE, Model};
use crate::support::output::Output;
use crate::support::{TestRepo, days_ago};

/// A repository with three sessions, and a result of the first that waits.
pub(crate) fn waiting() -> TestRepo {
    let repo = TestRepo::new();
    for (session, paths) in [("backend", "src/api"), ("frontend", "src/web"), ("docs", "README.md")] {
        repo.orch(&["add-session", session, "--paths", paths, "-q"]).expect_success();
    }
    let edit = repo.agent("edit.sh");
    repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", &edit, "src/api/login.rs"])
        .expect_success();
    repo
}

/// Has a session look at it with a script.
fn look(repo: &TestRepo, words: &str, script: &str) -> Output {
    let mut arguments = vec!["review", "fix-login", "--by"];
    arguments.extend(words.split_whitespace());
    arguments.extend(["--", "sh", "-c", script]);
    repo.orch(&arguments)
}

/// What is left of looks: throwaways, locks, requests.
fn left(repo: &TestRepo) -> String {
    let left =
        "ls -A ../shop.orch | grep throwaway; ls .git/orch/run .git/orch/journal | grep -E 'review|throwaway'
        git worktree list | grep -c throwaway";
    repo.shell(left).run().stdout
}

#[test]
fn a_session_looks_in_a_throwaway_and_says_it() {
    let repo = waiting();
    let before = repo.shell("git -C ../shop.orch/docs rev-parse HEAD").run().stdout;
    look(
        &repo,
        "docs",
        "pwd >../../../where; ls src/api; git-orch review fix-login --approve -m 'reads well'",
    )
    .expect(
        "
        exit 0
        -- stdout
        docs approves fix-login as reviewer in <time>: reads well
        -- stderr
        docs looks at fix-login as reviewer
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    assert!(repo.read("where").contains("/shop.orch/.throwaway/t-"), "{}", repo.read("where"));
    repo.orch(&["review", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login: fix login (review)
          <oid> fix login  Test
         src/api/login.rs | 1 +
         1 file changed, 1 insertion(+)
        reviewer docs (sh) approves (<time> ago): reads well
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["log", "fix-login", "--viewpoint", "reviewer"]).expect(
        "
        exit 0
        -- stdout
        cart.rs
        login.rs
        docs approves as reviewer, once this run has ended
        ",
    );
    let shown = repo.orch(&["show", "fix-login", "--json"]).json();
    let seen = &shown["data"]["viewpoints"][0];
    assert_eq!((&seen["viewpoint"], &seen["session"]), (&"reviewer".into(), &"docs".into()));
    assert_eq!((&seen["verdict"], &seen["text"]), (&"approve".into(), &"reads well".into()));
    let note = repo.git(&["notes", "--ref", "orch/verdict", "show", "review/fix-login"]);
    assert!(note.contains(r#""by":"docs (sh)","session":"docs""#), "{note}");
    assert_eq!(repo.shell("git -C ../shop.orch/docs rev-parse HEAD").run().stdout, before);
    assert_eq!(left(&repo), "0\n");
}

#[test]
fn a_brief_says_what_came_of_what_was_asked() {
    let repo = waiting();
    let said = look(&repo, "docs -q", "cat >../../../brief");
    assert_eq!(said.exit, 1, "{said}");
    let brief = repo.shell("sed 's/[0-9a-f]\\{7\\}/OID/g' ../brief").run().stdout;
    let expected = "# Look at fix-login as reviewer

This was asked for, and session `backend` did it. Say whether it may land.

```text
fix login
```

## What came of it

The branch `review/fix-login` at OID, checked out here. `git diff OID OID` shows all of it,
`git log -p OID..OID` commit by commit.

```text
OID fix login
```

It changes 1 file:

```text
M src/api/login.rs
```

## What to do

- Read it: ";
    assert!(brief.starts_with(expected), "{brief}");
}

#[test]
fn a_session_that_works_can_look_all_the_same() {
    let repo = waiting();
    repo.orch(&["task", "write", "--session", "docs", "--agent", "person", "-q"]).expect_success();
    std::fs::write(repo.worktree("docs").join("README.md"), "in the middle of it\n").unwrap();
    look(&repo, "docs -q", "echo approve >$GIT_ORCH_VERDICT").expect(
        "
        exit 0
        -- stdout
        docs approves fix-login as reviewer in <time>
        ",
    );
    assert_eq!(repo.read("shop.orch/docs/README.md"), "in the middle of it\n");
}

#[test]
fn what_is_asked_for_is_joined_and_the_next_run_hears_whose_it_is() {
    let repo = waiting();
    look(&repo, "docs", "git-orch review fix-login --request-changes -m 'say why'").expect(
        "
        exit 1
        -- stdout
        docs asks for changes in fix-login as reviewer in <time>: say why
        -- stderr
        docs looks at fix-login as reviewer
        next: git orch retry fix-login
        ",
    );
    look(&repo, "frontend --viewpoint tester -q", "printf 'change\\nit\\nfails\\n' >$GIT_ORCH_VERDICT")
        .expect(
            "
        exit 1
        -- stdout
        frontend asks for changes in fix-login as tester in <time>: it
          fails
        ",
        );
    // One approval takes back nothing that another asked for.
    look(&repo, "frontend -q", "echo approve >$GIT_ORCH_VERDICT").expect_success();
    repo.orch(&["show", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        task fix-login: changes
          fix login
          session    backend, by $TMP/agents/edit.sh
          base       main <oid>
          target     src/web/login.ts 1.00
          target     src/api/login.rs 0.99
          target     src/web/cart.ts 0.82
          target     src/api/cart.rs 0.81
          run        1 committed, <time> ago
          commit     <oid> fix login
          reviewer   docs (sh) asks for changes (<oid>, <time> ago): say why
          tester     frontend (sh) asks for changes (<oid>, <time> ago): it
                     fails
          reviewer   frontend (sh) approves (<oid>, <time> ago)
          touched    M src/api/login.rs
          asked for  reviewer docs (sh): say why
                     
                     tester frontend (sh): it
                     fails
        next: git orch retry fix-login
        ",
    );
    let script = "grep -A8 'Changes asked' >why.txt";
    repo.orch(&["retry", "fix-login", "-q", "--", "sh", "-c", script]).expect_success();
    repo.shell("git show review/fix-login:why.txt").run().expect(
        "
        exit 0
        -- stdout
        ## Changes asked for in review

        ```text
        reviewer docs (sh): say why

        tester frontend (sh): it
        fails
        ```

        ",
    );
}

#[test]
fn an_objection_is_taken_back_by_who_made_it_or_by_a_person() {
    let repo = waiting();
    look(&repo, "docs -q", "printf 'change\\nno\\n' >$GIT_ORCH_VERDICT")
        .expect("exit 1\n-- stdout\ndocs asks for changes in fix-login as reviewer in <time>: no\n");
    repo.orch(&["review", "fix-login", "--approve", "--viewpoint", "tester"]).expect(
        "
        exit 0
        -- stderr
        approved fix-login at <oid>; others still ask for changes
        next: git orch retry fix-login
        ",
    );
    repo.orch(&["review", "fix-login", "--approve"]).expect(
        "
        exit 0
        -- stderr
        approved fix-login at <oid>
        next: git orch merge fix-login
        ",
    );
}

#[test]
fn who_says_nothing_or_fails_has_no_opinion() {
    let repo = waiting();
    let log = "git orch log fix-login --viewpoint reviewer";
    for (script, said) in [
        ("true", "said nothing"),
        ("echo LGTM >$GIT_ORCH_VERDICT", "said `LGTM`, which is no verdict"),
        ("echo change >$GIT_ORCH_VERDICT", "asked for changes and did not say which"),
        ("ln -s /etc/passwd $GIT_ORCH_VERDICT", "said nothing"),
        ("exit 7", "its run failed with exit code 7"),
        ("kill -9 $$", "its run failed with exit code 137"),
    ] {
        look(&repo, "docs -q", script).expect(&format!(
            "exit 1\n-- stdout\ndocs says nothing of fix-login as reviewer in <time>: {said}: {log}\n"
        ));
    }
    look(&repo, "docs -q", "git-orch review fix-login --approve -m fine; exit 3").expect(&format!(
        "exit 1\n-- stdout\ndocs says nothing of fix-login as reviewer in <time>: its run failed with exit code 3: {log}\n  it had said: approve fine\n"
    ));
    repo.orch(&["tasks"]).expect(
        "
        exit 0
        -- stdout
          task       state   session  files  last    text
          fix-login  review  backend      1  <time> ago  fix login
        ",
    );
}

#[test]
fn an_exit_code_is_a_verdict_where_that_is_said() {
    let repo = waiting();
    look(&repo, "frontend --viewpoint tester --exit-code -q", "echo made >made; test -f src/api/login.rs")
        .expect(
            "
        exit 0
        -- stdout
        frontend approves fix-login as tester in <time>
        ",
        );
    look(&repo, "frontend --viewpoint tester --exit-code -q", "echo ok; echo login.rs:2: bad; exit 2")
        .expect(
            "
        exit 1
        -- stdout
        frontend asks for changes in fix-login as tester in <time>: it ends with exit code 2
          ok
          login.rs:2: bad
        ",
        );
    look(&repo, "frontend --viewpoint tester --exit-code -q", "exit 127").expect(
        "
        exit 1
        -- stdout
        frontend says nothing of fix-login as tester in <time>: its run failed with exit code 127: git orch log fix-login --viewpoint tester
        ",
    );
    assert_eq!(repo.git(&["diff", "--name-only", "main", "review/fix-login"]), "src/api/login.rs\n");
}

#[test]
fn an_agent_of_the_repository_looks_once_it_is_trusted() {
    let repo = waiting();
    let settings = "version: 1\nagents:\n  lint: { run: 'grep -q edited src/api/login.rs', verdict: exit-code }\nviewpoints: { agents: { reviewer: lint } }\n";
    repo.commit(&[(".orch.yml", settings)], "settings", "Ann", days_ago(1));
    repo.orch(&["review", "fix-login", "--by", "docs"]).expect(
        "
        exit 5
        -- stderr
        error: the agent lint `grep -q edited src/api/login.rs` of this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        ",
    );
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.orch(&["review", "fix-login", "--by", "docs"]).expect(
        "
        exit 0
        -- stdout
        docs approves fix-login as reviewer in <time>
        -- stderr
        docs looks at fix-login as reviewer
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    // How its verdict comes is a command of its own: what was trusted as a worker judges nothing.
    let judge = settings.replace("grep -q edited src/api/login.rs", "true");
    let worker = judge.replace(", verdict: exit-code", "");
    repo.commit(&[(".orch.yml", &worker)], "settings", "Ann", days_ago(1));
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.commit(&[(".orch.yml", &judge)], "settings", "Ann", days_ago(1));
    repo.orch(&["review", "fix-login", "--by", "docs"]).expect(
        "
        exit 5
        -- stderr
        error: the verdict of agent lint, its exit code `true` of this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        ",
    );
}

#[test]
fn what_a_reviewer_changes_is_dropped_and_told() {
    let repo = waiting();
    let tip = repo.git(&["rev-parse", "review/fix-login"]);
    look(&repo, "docs", "echo x >x; git add x; git commit -qm x; echo y >y; echo approve >$GIT_ORCH_VERDICT")
        .expect(
            "
        exit 0
        -- stdout
        docs approves fix-login as reviewer in <time>
        -- stderr
        docs looks at fix-login as reviewer
        what docs changed there, 2 files, is dropped: a reviewer says it
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
        );
    assert_eq!(repo.git(&["rev-parse", "review/fix-login"]), tip);
}

#[test]
fn what_a_tester_adds_is_its_sessions_work() {
    let repo = waiting();
    let script = "echo t1 >t1; git add t1; git commit -qm 'test one'; echo t2 >t2; git-orch review fix-login --approve -m works";
    look(&repo, "frontend --viewpoint tester", script).expect(
        "
        exit 0
        -- stdout
        frontend approves fix-login as tester in <time>, and adds 2 commits: works
        -- stderr
        frontend looks at fix-login as tester
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.shell("git log --format='%s%n%(trailers)' main..review/fix-login").run().expect(
        "
        exit 0
        -- stdout
        tester: fix login
        Orch-Session: frontend
        Orch-Task: fix-login
        Orch-Viewpoint: tester

        test one

        fix login
        Orch-Session: backend
        Orch-Task: fix-login

        ",
    );
    let shown = repo.orch(&["show", "fix-login", "--json"]).json();
    let count = |value: &serde_json::Value| value.as_array().unwrap().len();
    assert_eq!(count(&shown["data"]["commits"]), 1);
    assert_eq!(count(&shown["data"]["viewpoints"][0]["commits"]), 2);
    assert_eq!(count(&shown["data"]["touched"]), 3);
    // The notes are as the records have them, and say whose work it is.
    repo.shell("for session in backend frontend; do git notes --ref orch/touch/$session list | wc -l; done")
        .run()
        .expect("exit 0\n-- stdout\n1\n2\n");
    repo.orch(&["doctor"]).expect_success();
    repo.orch(&["history", "frontend", "--path", "t2"]).expect(
        "
        exit 0
        -- stdout
        t2
          session   touches  last            recent  lasting
          frontend        1  <oid> <time> ago    1.00     1.00
          <oid> 2023-11-20 tester: fix login
            A t2
        ",
    );
}

#[test]
fn what_a_tester_added_is_gone_on_from_and_lands() {
    let repo = waiting();
    look(&repo, "frontend --viewpoint tester -q", "echo t >t; echo approve >$GIT_ORCH_VERDICT")
        .expect_success();
    // The session goes on from there, and adds to its own work alone.
    repo.orch(&["review", "fix-login", "--request-changes", "-m", "more", "-q"]).expect_success();
    repo.orch(&["retry", "fix-login", "-q", "--", "sh", "-c", "test -f t; echo more >more"]).expect_success();
    let shown = repo.orch(&["show", "fix-login", "--json"]).json();
    assert_eq!(shown["data"]["commits"].as_array().unwrap().len(), 2);
    let landed = repo.call(&["merge", "fix-login", "-q"]).changing_checkout().run();
    landed.expect_success();
    assert_eq!(repo.git(&["ls-tree", "--name-only", "main", "t", "more"]), "more\nt\n");
    // Nothing of it is taken for the session's own, and the session is free.
    repo.orch(&["sessions"]).expect(
        "
        exit 0
        -- stdout
          session   state  task  ahead  behind  load  last    knows
          backend   idle             0       0     0  <time> ago  more, src/api
          docs      idle             0       4     0  <time> ago  README.md
          frontend  idle             0       4     0  <time> ago  t
        ",
    );
}

#[test]
fn where_a_tester_rewrote_the_result_what_its_files_hold_is_added() {
    let repo = waiting();
    let tip = repo.git(&["rev-parse", "review/fix-login"]);
    let script = "echo t >t; git add t; git commit -q --amend -m mine; git switch -qc mine; echo approve >$GIT_ORCH_VERDICT";
    let by =
        ["review", "fix-login", "--by", "frontend", "--viewpoint", "tester", "-q", "--", "sh", "-c", script];
    repo.call(&by).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
        frontend approves fix-login as tester in <time>, and adds 1 commit
        ",
    );
    assert_eq!(repo.git(&["rev-parse", "review/fix-login^"]), tip);
    assert_eq!(repo.git(&["log", "-1", "--format=%s", "mine"]), "mine\n");
    assert_eq!(repo.git(&["diff", "--name-only", tip.trim(), "review/fix-login"]), "t\n");
}

#[test]
fn what_is_added_to_a_result_that_moved_on_is_kept_aside() {
    let repo = waiting();
    // It moves while the tester is at it: somebody amends its branch.
    let amend =
        "git update-ref refs/heads/review/fix-login $(git commit-tree -p HEAD -m amended HEAD^{tree})";
    let script = format!("echo t >t; {amend}; printf 'change\\nfails\\n' >$GIT_ORCH_VERDICT");
    look(&repo, "frontend --viewpoint tester", &script).expect(
        "
        exit 1
        -- stdout
        frontend asks for changes in fix-login as tester in <time>, and made something that is put aside: fails
        -- stderr
        frontend looks at fix-login as tester
        warning: fix-login moved on meanwhile: what frontend added is kept on its record: git diff <oid> <oid>
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    assert_eq!(repo.git(&["log", "-1", "--format=%s", "review/fix-login"]), "amended\n");
    let shown = repo.orch(&["show", "fix-login", "--json"]).json();
    let aside = shown["data"]["viewpoints"][0]["aside"].as_str().unwrap().to_owned();
    repo.git(&["gc", "-q", "--prune=now"]);
    assert_eq!(repo.git(&["show", &format!("{aside}:t")]), "t\n");
    repo.orch(&["doctor"]).expect_success();
}

#[test]
fn a_branch_that_somebody_looks_at_is_not_moved_under_their_hands() {
    let repo = waiting();
    repo.git(&["worktree", "add", "-q", "../seen", "review/fix-login"]);
    let script = "echo t >t; echo approve >$GIT_ORCH_VERDICT";
    look(&repo, "frontend --viewpoint tester -q", script).expect(
        "
        exit 0
        -- stdout
        frontend approves fix-login as tester in <time>, and made something that is put aside
        -- stderr
        warning: fix-login moved on meanwhile: what frontend added is kept on its record: git diff <oid> <oid>
        ",
    );
    assert_eq!(repo.git(&["-C", "../seen", "status", "--porcelain"]), "");
}

#[test]
fn nobody_approves_their_own_work_whatever_they_set() {
    let repo = waiting();
    let tip = repo.git(&["rev-parse", "review/fix-login"]);
    let approve = "git-orch review fix-login --approve";
    let script = format!(
        "cd ../../shop; {{ {approve}
        unset GIT_ORCH_SESSION GIT_ORCH_TASK; {approve}
        (setsid -w {approve})
        echo approve >../verdict; GIT_ORCH_VERDICT=$PWD/../verdict {approve}
        git-orch review fix-login --by docs -- sh -c '{approve}'
        }} >../said 2>&1; true"
    );
    let task = ["task", "wave it through", "--session", "backend", "-q", "--", "sh", "-c", &script];
    repo.orch(&task).expect(
        "
        exit 1
        ",
    );
    let refused =
        "error: this can't be said inside session `backend`\nhint: say it in the repository's own checkout\n";
    let forged = "error: this is no run that looks at a result\nhint: `git orch review TASK --by SESSION` begins one\n";
    assert_eq!(repo.read("said"), format!("{refused}{refused}{refused}{forged}{refused}"));
    assert_eq!(repo.git(&["rev-parse", "review/fix-login"]), tip);
    repo.shell("git for-each-ref refs/notes/orch/verdict").run().expect("exit 0\n");
}

#[test]
fn a_run_that_looks_speaks_for_itself_alone() {
    let repo = waiting();
    repo.orch(&["task", "other", "--session", "frontend", "-q", "--", &repo.agent("edit.sh")])
        .expect_success();
    let script = "{ git-orch review other --approve; git-orch review fix-login --approve --viewpoint tester
        (unset GIT_ORCH_VERDICT; git-orch review fix-login --approve)
        (unset GIT_ORCH_VERDICT GIT_ORCH_SESSION; cd ../../../shop; git-orch review other --approve); } 2>&1";
    look(&repo, "docs -q", script).expect(
        "
        exit 1
        -- stdout
        docs says nothing of fix-login as reviewer in <time>: its run failed with exit code 3: git orch log fix-login --viewpoint reviewer
        ",
    );
    repo.orch(&["log", "fix-login", "--viewpoint", "reviewer"]).expect(
        "
        exit 0
        -- stdout
        error: this run looks at `fix-login`, not at `other`
        error: this run looks as reviewer, and speaks for nobody else
        error: this can't be said inside session `docs`
        hint: say it in the repository's own checkout
        error: this can't be said inside session `docs`
        hint: say it in the repository's own checkout
        ",
    );
}

#[test]
fn a_result_waits_while_what_a_look_put_into_git_stands() {
    let repo = waiting();
    let look = repo.call(&[
        "review",
        "fix-login",
        "--by",
        "docs",
        "--",
        "sh",
        "-c",
        "git config core.fsmonitor ./x; echo approve >$GIT_ORCH_VERDICT",
    ]);
    look.changing_checkout().run().expect(
        "
        exit 0
        -- stdout
        docs approves fix-login as reviewer in <time>
        -- stderr
        docs looks at fix-login as reviewer
        warning: the run changed what git executes in this repository, `config core.fsmonitor`: none → `./x`
        next: git orch show fix-login
        ",
    );
    repo.orch(&["merge", "fix-login"]).expect(
        "
        exit 3
        -- stderr
        error: the run of `fix-login` changed what git executes: `config core.fsmonitor`
        hint: look at it, `git orch show fix-login`; undo it, or accept it: `git orch trust`
        ",
    );
}

#[test]
fn the_author_is_refused_and_so_is_who_is_unknown() {
    let repo = waiting();
    look(&repo, "backend", "true").expect(
        "
        exit 3
        -- stderr
        error: session `backend` did `fix-login` itself
        hint: name another one, or have one chosen: `git orch review fix-login --by`
        ",
    );
    look(&repo, "frontnd", "true").expect(
        "
        exit 2
        -- stderr
        error: no session `frontnd`; did you mean `frontend`?
        hint: `git orch sessions` lists them
        ",
    );
    repo.orch(&["review", "fix-login", "--by", "docs"]).expect(
        "
        exit 0
        -- stderr
        waits for reviewer: docs
        next: git orch review fix-login --diff
        then: git orch review fix-login --approve --viewpoint reviewer
        ",
    );
}

#[test]
fn a_fan_out_is_looked_at_too_and_nothing_is_added_to_it() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "docs", "--paths", "README.md", "-q"]).expect_success();
    repo.orch(&["fanout", "mark", "--run", "for f; do echo more >>$f; done", "--paths", "*.md", "-q"])
        .expect_success();
    let by = ["review", "mark", "--by", "docs", "--viewpoint", "tester", "--", "sh", "-c"];
    let script = "echo t >t; echo approve >$GIT_ORCH_VERDICT";
    repo.orch(&[&by[..], &[script]].concat()).expect(
        "
        exit 0
        -- stdout
        docs approves mark as tester in <time>
        -- stderr
        docs looks at mark as tester
        what docs changed there, 1 file, is dropped: a tester says it
        next: git orch review mark --diff, then git orch merge mark
        ",
    );
    repo.orch(&["log", "mark", "--viewpoint", "tester"]).expect("exit 0\n");
    let shown = repo.orch(&["review", "mark", "--json"]).json();
    assert_eq!(shown["data"]["verdicts"][0]["session"], "docs");
}

#[test]
fn two_at_once_lose_no_verdict() {
    let repo = waiting();
    let script = "for N in 1 2 3; do for S in docs frontend; do
            git-orch -q review fix-login --by $S --viewpoint reviewer -- sh -c \"echo abstain >\\$GIT_ORCH_VERDICT; echo $N >>\\$GIT_ORCH_VERDICT\" >/dev/null 2>&1 &
            git-orch -q review fix-login --by $S --viewpoint documenter -- sh -c \"echo approve >\\$GIT_ORCH_VERDICT; echo $N >>\\$GIT_ORCH_VERDICT\" &
        done; git-orch -q review fix-login --approve --viewpoint tester -m $N & wait; done >/dev/null";
    repo.shell(script).run().expect("exit 0\n");
    let note = repo.git(&["notes", "--ref", "orch/verdict", "show", "review/fix-login"]);
    assert_eq!(note.lines().count(), 15, "{note}");
    let shown = repo.orch(&["show", "fix-login", "--json"]).json();
    assert_eq!(shown["data"]["viewpoints"].as_array().unwrap().len(), 12);
    assert_eq!(left(&repo), "0\n");
}

#[test]
fn one_session_looks_once_at_a_time_from_a_viewpoint() {
    let repo = waiting();
    let script = "git-orch -q review fix-login --by docs -- sh -c 'touch ../../begun; while [ ! -e ../../go ]; do sleep 0.02; done' &
        while [ ! -e ../shop.orch/begun ]; do sleep 0.02; done
        git-orch review fix-login --by docs -- true 2>&1 | sed 's/process [0-9]*/process N/'
        git-orch review fix-login 2>&1 | grep now
        touch ../shop.orch/go; wait";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
        docs looks at fix-login as reviewer
        error: session `docs` looks at `fix-login` as reviewer already: process N (review fix-login)
        reviewer docs looks at it now
        docs says nothing of fix-login as reviewer in <time>: said nothing: git orch log fix-login --viewpoint reviewer
        ",
    );
}

#[test]
fn an_interrupted_look_leaves_nothing() {
    let repo = waiting();
    let before = repo.refs().stdout;
    let script = "git-orch review fix-login --by docs --viewpoint tester -- sh -c 'echo t >t; touch ../../begun; sleep 600' & pid=$!
        while [ ! -e ../shop.orch/begun ]; do sleep 0.02; done
        kill -INT $pid; wait $pid; echo $?";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
        130
        -- stderr
        docs looks at fix-login as tester
        error: interrupted
        ",
    );
    std::fs::remove_file(repo.top().join("shop.orch/begun")).unwrap();
    assert_eq!(repo.refs().stdout, before);
    assert_eq!(left(&repo), "0\n");
}

#[test]
fn a_look_is_called_off_with_or_without_its_task() {
    let repo = waiting();
    let script = |cancel: &str| {
        format!(
            "git-orch review fix-login --by docs -- sh -c 'touch ../../begun; sleep 600' & pid=$!
            while [ ! -e ../shop.orch/begun ]; do sleep 0.02; done
            {cancel} 2>&1; wait $pid; echo $?; rm ../shop.orch/begun"
        )
    };
    repo.shell(&script(
        "git-orch cancel fix-login --viewpoint tester 2>&1; git-orch cancel fix-login --viewpoint reviewer",
    ))
    .run()
    .expect(
        "
        exit 0
        -- stdout
        no tester looks at fix-login
        docs looks at fix-login as reviewer no more
        1
        -- stderr
        docs looks at fix-login as reviewer
        error: the look of `docs` at `fix-login` was called off
        ",
    );
    assert_eq!(left(&repo), "0\n");
    repo.shell(&script("git-orch cancel fix-login")).run().expect(
        "
        exit 0
        -- stdout
        docs looks at fix-login as reviewer no more
        fix-login is cancelled; its edits are kept on its record
        to take it up again: git orch retry fix-login
        1
        -- stderr
        docs looks at fix-login as reviewer
        error: the look of `docs` at `fix-login` was called off
        ",
    );
    assert_eq!(left(&repo), "0\n");
}

#[test]
fn what_a_killed_look_left_is_set_right_by_the_next_command() {
    let repo = waiting();
    let before = repo.refs().stdout;
    let script = "git-orch review fix-login --by docs -- sh -c 'git config core.fsmonitor ./x; touch ../../begun; sleep 600' & pid=$!
        while [ ! -e ../shop.orch/begun ]; do sleep 0.02; done
        kill -9 $pid; wait $pid 2>/dev/null; rm ../shop.orch/begun; git-orch doctor --fix 2>&1 | grep -v '^  ok'";
    repo.shell(script).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
        warning: the run changed what git executes in this repository, `config core.fsmonitor`: none → `./x`
        docs had died looking at fix-login: git orch review fix-login --by docs --viewpoint reviewer
        -- stderr
        docs looks at fix-login as reviewer
        ",
    );
    assert_eq!(left(&repo), "0\n");
    assert!(repo.orch(&["review"]).stdout.contains("quarantined"));
    repo.shell("git config --unset core.fsmonitor").changing_checkout().run().expect_success();
    let changed = repo.refs().stdout.lines().filter(|line| !before.contains(line)).count();
    assert_eq!(changed, 1, "{}", repo.refs());
}

#[test]
fn a_look_is_undone_with_all_that_it_added() {
    let repo = waiting();
    let before = repo.refs().stdout;
    look(&repo, "frontend --viewpoint tester -q", "echo t >t; printf 'change\\nfails\\n' >$GIT_ORCH_VERDICT")
        .expect(
            "
        exit 1
        -- stdout
        frontend asks for changes in fix-login as tester in <time>, and adds 1 commit: fails
        ",
        );
    repo.orch(&["undo", "-q"]).expect_success();
    // The notes stay as refs, without the notes.
    let now = repo.refs().stdout;
    let changed: Vec<&str> = now.lines().filter(|line| !before.contains(line)).collect();
    assert!(changed.iter().all(|line| line.starts_with("refs/notes/orch/")), "{changed:?}");
    repo.shell("git notes --ref orch/verdict list; git notes --ref orch/touch/frontend list")
        .run()
        .expect("exit 0\n");
    repo.orch(&["doctor"]).expect_success();
}

/// Claude Code itself, which finds its brief on standard input; its model is played by a script.
#[test]
#[ignore = "needs Claude Code and Python"]
fn second_tier_claude_code_looks_at_a_result() {
    let repo = waiting();
    let Some(model) = Model::of(&repo, &CLAUDE) else { return };
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    model.call(&["review", "fix-login", "--by", "docs", "--agent", "claude", "-q"]).run().expect(
        "
        exit 1
        -- stdout
        docs asks for changes in fix-login as reviewer in <time>: 1 file changed, 1 insertion(+)
        ",
    );
}

#[test]
fn what_a_tester_merges_of_others_stays_theirs() {
    let repo = waiting();
    let edit = repo.agent("edit.sh");
    repo.orch(&["task", "fix cart", "--session", "frontend", "-q", "--", &edit, "src/web/cart.ts"])
        .expect_success();
    let script =
        "git merge -q --no-edit orch/frontend; echo t >t; git-orch review fix-login --approve -m works";
    assert_eq!(look(&repo, "docs --viewpoint tester", script).exit, 0);
    let shown = repo.orch(&["show", "fix-login", "--json"]).json();
    let commits = shown["data"]["viewpoints"][0]["commits"].as_array().unwrap().clone();
    let subjects: Vec<String> = commits
        .iter()
        .map(|oid| repo.git(&["log", "-1", "--format=%s", oid.as_str().unwrap()]).trim().to_owned())
        .collect();
    assert_eq!(subjects, ["Merge branch 'orch/frontend' into HEAD", "tester: fix login"]);
}

#[test]
fn an_objection_stands_though_the_throwaway_was_bent() {
    let repo = waiting();
    let say = |verdict: &str| {
        format!("echo t >t; rm -rf .git; echo {verdict} >$GIT_ORCH_VERDICT; echo because >>$GIT_ORCH_VERDICT")
    };
    look(&repo, "docs --viewpoint tester", &say("approve")).expect(
        "
        exit 1
        -- stdout
        docs says nothing of fix-login as tester in <time>: it had approved, but the command rewrote git's own files of its worktree
        -- stderr
        docs looks at fix-login as tester
        warning: what docs added can't be taken: the command rewrote git's own files of its worktree
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    look(&repo, "docs --viewpoint tester", &say("change")).expect(
        "
        exit 1
        -- stdout
        docs asks for changes in fix-login as tester in <time>: because
        -- stderr
        docs looks at fix-login as tester
        warning: what docs added can't be taken: the command rewrote git's own files of its worktree
        next: git orch retry fix-login
        ",
    );
}

#[test]
fn what_is_said_while_a_result_is_rebased_carries() {
    let repo = waiting();
    let rebase = "git worktree add -q ../rebased review/fix-login; git -C ../rebased rebase -q main; git worktree remove ../rebased";
    repo.commit(&[("other.txt", "x\n")], "meanwhile", "Ann", days_ago(0));
    let script = format!("(cd ../../../shop; {rebase}); git-orch review fix-login --approve -m good");
    assert_eq!(look(&repo, "docs", &script).exit, 0);
    repo.shell("git orch review fix-login | grep approves").run().expect(
        "
        exit 0
        -- stdout
        reviewer docs (sh) approves (<time> ago, carried from <oid>): good
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
}
