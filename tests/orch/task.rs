//! `git orch task`, and looking at tasks: `tasks`, `log`, `brief`, `cancel`, `retry`, `wait`.

use crate::support::{TestRepo, days_ago};

/// A repository with a session for each side of the shop.
fn shop() -> TestRepo {
    let repo = TestRepo::new();
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "--adopt-history", "-q"]).expect_success();
    }
    repo
}

#[test]
fn a_task_becomes_a_commit_a_note_and_a_review_branch() {
    let repo = shop();
    let agent = repo.agent("edit.sh");
    let paths = ["--paths", "src/api/login.rs"];
    repo.orch(
        &[&["task", "fix login"][..], &paths, &["--", &agent, "src/api/login.rs", "tests/login.rs"]].concat(),
    )
    .expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login (1.03, next frontend 0.15): it touched 1 of 1 likely file
        done in <time>: 1 commit, 2 files
          M src/api/login.rs
          A tests/login.rs
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.shell("git log -1 --format=%an:%B review/fix-login; git diff --name-status main review/fix-login")
        .run()
        .expect(
            "
            exit 0
            -- stdout
            Test:fix login

            Orch-Session: backend
            Orch-Task: fix-login

            M	src/api/login.rs
            A	tests/login.rs
            ",
        );
    assert_eq!(repo.git(&["rev-parse", "orch/backend"]), repo.git(&["rev-parse", "review/fix-login"]));
    assert_eq!(repo.git(&["-C", "../shop.orch/backend", "status", "--short"]), "");
    repo.refs().expect(
        "
        exit 0
        -- stdout
        refs/heads/main web: login and cart
        refs/heads/orch/backend fix login
        refs/heads/orch/frontend web: login and cart
        refs/heads/review/fix-login fix login
        refs/notes/orch/touch/backend notes
        refs/orch/session/backend session backend: added
        refs/orch/session/frontend session frontend: added
        refs/orch/task/fix-login task fix-login: review
        ",
    );
}

#[test]
fn a_task_is_listed_and_its_brief_can_be_read_again() {
    let repo = shop();
    let agent = repo.agent("edit.sh");
    repo.orch(&["task", "fix login", "--paths", "src/api/login.rs", "-q", "--", &agent]).expect_success();
    repo.orch(&["tasks"]).expect(
        "
        exit 0
        -- stdout
          task       state   session  files  last    text
          fix-login  review  backend      1  <time> ago  fix login
        ",
    );
    repo.orch(&["brief", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        # Task fix-login

        fix login

        ## Where it probably is

        - src/api/login.rs (given)

        ## How to work

        - You are session `backend`, on branch `orch/backend`, in your own worktree. Work only here.
        - Follow the repository's conventions.
        - Commit if you like; what is left uncommitted is committed for you when you end.
        - Ending without any change, or with an exit code other than 0, counts as failed.

        ## How to report

        - Where you can't go on without an answer: `git orch report input -m QUESTION`, then end.
        - A decision or a finding that whoever works here next should know: `git orch note TEXT`.
        - Let your last words say what you did, then, each under its own heading: DECISIONS, RULED OUT, NEXT.
        - `git orch brief fix-login` shows this again.
        ",
    );
}

#[test]
fn commits_that_an_agent_makes_stay_as_they_are() {
    let repo = shop();
    let agent = repo.agent("commit.sh");
    repo.orch(&[
        "task",
        "fix login",
        "--session",
        "backend",
        "--",
        &agent,
        "src/api/login.rs",
        "src/api/cart.rs",
    ])
    .expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        done in <time>: 2 commits, 2 files
          M src/api/cart.rs
          M src/api/login.rs
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.shell("git log --format=%B main..review/fix-login").run().expect(
        "
        exit 0
        -- stdout
        agent: edit src/api/cart.rs

        agent: edit src/api/login.rs
        ",
    );
}

#[test]
fn a_failed_run_keeps_its_edits_and_frees_the_session() {
    let repo = shop();
    repo.orch(&["task", "fix login", "--session", "backend", "--", &repo.agent("fail.sh")]).expect("
        exit 1
        -- stderr
        backend takes fix-login
        not done: the run failed (exit 7) after <time>; its edits are kept on the task's record; session backend is free
        next: git orch log fix-login, then git orch retry fix-login
        ");
    assert_eq!(
        repo.git(&["-C", "../shop.orch/backend", "status", "--short", "--branch"]),
        "## orch/backend\n"
    );
    repo.orch(&["show", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        task fix-login: failed
          fix login
          session    backend, by $TMP/agents/fail.sh
          base       main <oid>
          target     src/web/login.ts 1.00
          target     src/api/login.rs 0.99
          target     src/web/cart.ts 0.82
          target     src/api/cart.rs 0.81
          run        1 failed, exit 7, <time> ago
          kept       its edits: git diff <oid> <oid>
        next: git orch log fix-login, then git orch retry fix-login
        ",
    );
    repo.orch(&["log", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        could not go on
        ",
    );
    repo.orch(&["task", "fix cart", "--session", "backend", "-q", "--", &repo.agent("edit.sh")]).expect(
        "
        exit 0
        -- stdout
        review/fix-cart
        ",
    );
}

#[test]
fn a_retry_goes_on_from_the_kept_edits() {
    let repo = shop();
    repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", &repo.agent("fail.sh")]).expect(
        "
        exit 1
        ",
    );
    repo.orch(&["retry", "fix-login", "--", &repo.agent("edit.sh")]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        done in <time>: 1 commit, 2 files
          A half.txt
          A work.txt
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.shell("git show --stat --format= review/fix-login").run().expect(
        "
        exit 0
        -- stdout
         half.txt | 1 +
         work.txt | 1 +
         2 files changed, 2 insertions(+)
        ",
    );
}

#[test]
fn a_run_that_changes_nothing_is_not_done() {
    let repo = shop();
    repo.orch(&["task", "fix login", "--session", "backend", "--", &repo.agent("noop.sh")]).expect(
        "
        exit 1
        -- stderr
        backend takes fix-login
        not done: the run changed nothing after <time>; session backend is free
        next: git orch log fix-login, then git orch retry fix-login
        ",
    );
    let undone = repo.orch(&[
        "task",
        "fix cart",
        "--session",
        "backend",
        "--",
        "sh",
        "-c",
        "git commit -q --allow-empty -m nothing",
    ]);
    undone.expect("
        exit 1
        -- stderr
        backend takes fix-cart
        not done: the run changed nothing after <time>; its edits are kept on the task's record; session backend is free
        next: git orch log fix-cart, then git orch retry fix-cart
        ");
}

#[test]
fn a_command_that_a_signal_ends_has_failed() {
    let repo = shop();
    repo.orch(&[
        "task",
        "fix login",
        "--session",
        "backend",
        "--",
        "sh",
        "-c",
        "echo half > half.txt; kill -9 $$",
    ])
    .expect("
        exit 1
        -- stderr
        backend takes fix-login
        not done: the run failed (exit 137) after <time>; its edits are kept on the task's record; session backend is free
        next: git orch log fix-login, then git orch retry fix-login
        ");
}

#[test]
fn the_same_open_task_is_refused_unless_wanted() {
    let repo = shop();
    let agent = repo.agent("edit.sh");
    repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", &agent]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        ",
    );
    let before = repo.everything();
    repo.orch(&["task", "fix login", "--session", "backend", "--", &agent]).expect(
        "
        exit 3
        -- stderr
        error: the same task is open already: `fix-login` (review)
        hint: look at it: `git orch show fix-login`; or make another: `--again`
        ",
    );
    before.expect_same(&repo.everything(), "task");
    repo.orch(&["task", "fix login", "--session", "backend", "--again", "-q", "--", &agent]).expect(
        "
        exit 0
        -- stdout
        review/fix-login-2
        ",
    );
}

#[test]
fn the_next_task_of_a_session_is_built_on_its_pending_result() {
    let repo = shop();
    let agent = repo.agent("edit.sh");
    repo.orch(&["task", "one", "--session", "backend", "-q", "--", &agent, "one.txt"]).expect(
        "
        exit 0
        -- stdout
        review/one
        ",
    );
    repo.orch(&["task", "two", "--session", "backend", "--", &agent, "two.txt"]).expect(
        "
        exit 0
        -- stdout
        review/two
        -- stderr
        backend takes two
        done in <time>: 1 commit, 1 file, on top of one
          A two.txt
        next: git orch review two --diff, then git orch merge two
        ",
    );
    repo.shell("git diff --name-only main review/two").run().expect(
        "
        exit 0
        -- stdout
        one.txt
        two.txt
        ",
    );
    repo.orch(&["review"]).expect(
        "
        exit 0
        -- stdout
          task  state   session  waits for  since   size          risk
          one   review  backend  you        <time> ago  1 file +1 -0  -
          two   review  backend  you        <time> ago  1 file +1 -0  on top of one
        -- stderr
        next: git orch review one --diff, then git orch merge one
        ",
    );
}

#[test]
fn a_clean_session_without_pending_work_starts_from_the_fresh_base() {
    let repo = shop();
    repo.commit(&[("new.txt", "new\n")], "new: a file", "Ann", days_ago(0));
    repo.orch(&["task", "look", "--session", "backend", "-q", "--", "sh", "-c", "cp new.txt copy.txt"])
        .expect(
            "
            exit 0
            -- stdout
            review/look
            ",
        );
    assert_eq!(repo.git(&["show", "review/look:copy.txt"]), "new\n");
}

#[test]
fn uncommitted_work_in_the_session_is_never_taken_for_the_tasks() {
    let repo = shop();
    repo.shell("echo mine > ../shop.orch/backend/mine.txt").run().expect("exit 0");
    let before = repo.everything();
    repo.orch(&["task", "fix login", "--session", "backend", "--", &repo.agent("edit.sh")]).expect(
        "
        exit 3
        -- stderr
        backend takes fix-login
        error: session `backend` has an uncommitted file, `mine.txt`
        hint: commit them in `$TMP/shop.orch/backend`, or finish the work there: `git orch done`
        ",
    );
    before.expect_same(&repo.everything(), "task");
}

#[test]
fn an_agent_that_floods_does_no_harm() {
    let repo = shop();
    repo.orch(&["task", "fix login", "--session", "backend", "--", &repo.agent("noisy.sh")]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        done in <time>: 1 commit, 1 file
          A work.txt
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    assert!(repo.orch(&["log", "fix-login"]).stdout.len() > 1_000_000);
}

#[test]
fn an_agent_knows_its_task_and_not_the_callers_git() {
    let repo = shop();
    let script = r#"echo $GIT_ORCH_SESSION $GIT_ORCH_TASK $GIT_ORCH_BASE $GIT_ORCH_ROOT > env.txt
        cat > stdin.txt; cmp stdin.txt "$GIT_ORCH_BRIEF"; env | grep -c '^GIT_DIR\|^GIT_INDEX_FILE' >> env.txt
        git rev-parse --show-toplevel >> env.txt"#;
    let call = repo.call(&["task", "fix login", "--session", "backend", "-q", "--", "sh", "-c", script]);
    call.env("GIT_INDEX_FILE", "/nowhere").env("GIT_DIR", repo.path(".git")).run().expect(
        "
        exit 0
        -- stdout
        review/fix-login
        ",
    );
    repo.shell("git show review/fix-login:env.txt").run().expect(
        "
        exit 0
        -- stdout
        backend fix-login <oid> $TMP/shop.orch/backend
        0
        $TMP/shop.orch/backend
        ",
    );
}

#[test]
fn a_timeout_ends_the_agent_and_all_it_started() {
    let repo = shop();
    let hang = repo.agent("hang.sh");
    let marker = repo.top().join("pids");
    let settings = format!(
        "version: 1\nagents:\n  slow: {{ run: [\"{hang}\", \"{}\"], timeout: 1s }}\n",
        marker.display()
    );
    repo.write(".orch.yml", &settings);
    repo.orch(&["task", "fix login", "--session", "backend", "--agent", "slow"]).expect(
        r#"
        exit 5
        -- stderr
        error: the agent slow `["$TMP/agents/hang.sh", "$TMP/pids"]` of this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        "#,
    );
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.orch(&["task", "fix login", "--session", "backend", "--agent", "slow"]).expect("
        exit 124
        -- stderr
        backend takes fix-login
        not done: the run timed out after <time>; its edits are kept on the task's record; session backend is free
        next: git orch log fix-login, then git orch retry fix-login
        ");
    repo.shell("for pid in $(cat ../pids); do kill -0 $pid 2>/dev/null && echo alive; done; true")
        .run()
        .expect("exit 0");
}

#[test]
fn a_terminated_run_takes_its_children_along() {
    let repo = shop();
    let script = format!(
        "git-orch task 'fix login' --session backend -- {} $PWD/../pids & orch=$!
         while [ ! -s ../pids ]; do :; done
         kill -TERM $orch; wait $orch; echo exit $?
         for pid in $(cat ../pids); do kill -0 $pid 2>/dev/null && echo alive; done; true",
        repo.agent("hang.sh")
    );
    repo.shell(&script).run().expect("
        exit 0
        -- stdout
        exit 143
        -- stderr
        backend takes fix-login
        not done: the run was interrupted after <time>; its edits are kept on the task's record; session backend is free
        next: git orch log fix-login, then git orch retry fix-login
        ");
    repo.orch(&["tasks", "--all"]).expect(
        "
        exit 0
        -- stdout
          task       state   session  files  last    text
          fix-login  failed  backend      0  <time> ago  fix login
        ",
    );
}

#[test]
fn a_killed_run_is_set_right_by_the_next_command() {
    let repo = shop();
    let script = format!(
        "git-orch task 'fix login' --session backend -q -- {} $PWD/../pids & orch=$!
         while [ ! -s ../pids ]; do :; done
         kill -KILL $orch; {{ wait $orch; }} 2>/dev/null; echo exit $?
         for pid in $(cat ../pids); do while kill -0 $pid 2>/dev/null; do :; done; done",
        repo.agent("hang.sh")
    );
    repo.shell(&script).run().expect(
        "
        exit 0
        -- stdout
        exit 137
        ",
    );
    repo.orch(&["tasks"]).expect(
        "
        exit 0
        -- stdout
          task       state  session  files  last    text
          fix-login  died   backend      0  <time> ago  fix login
        ",
    );
    repo.orch(&["task", "fix cart", "--session", "backend", "--", &repo.agent("edit.sh")]).expect(
        "
        exit 0
        -- stdout
        review/fix-cart
        -- stderr
        fix-login had died; its edits are kept: `git orch show fix-login`
        backend takes fix-cart
        done in <time>: 1 commit, 1 file
          A work.txt
        next: git orch review fix-cart --diff, then git orch merge fix-cart
        ",
    );
    repo.orch(&["show", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        task fix-login: failed
          fix login
          session    backend, by $TMP/agents/hang.sh
          base       main <oid>
          target     src/web/login.ts 1.00
          target     src/api/login.rs 0.99
          target     src/web/cart.ts 0.82
          target     src/api/cart.rs 0.81
          run        1 died, <time> ago
          kept       its edits: git diff <oid> <oid>
        next: git orch log fix-login, then git orch retry fix-login
        ",
    );
}

#[test]
fn a_running_task_can_be_called_off_from_elsewhere() {
    let repo = shop();
    let script = format!(
        "git-orch task 'fix login' --session backend -q -- {} $PWD/../pids & orch=$!
         while [ ! -s ../pids ]; do :; done
         git-orch cancel fix-login; wait $orch; echo exit $?; git-orch wait fix-login; echo exit $?",
        repo.agent("hang.sh")
    );
    repo.shell(&script).run().expect(
        "
        exit 0
        -- stdout
        exit 1
        fix-login is cancelled
        exit 1
        -- stderr
        fix-login is cancelled; its edits are kept on its record
        to take it up again: git orch retry fix-login
        ",
    );
}

#[test]
fn a_result_can_be_called_off() {
    let repo = shop();
    repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", &repo.agent("edit.sh")]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        ",
    );
    repo.orch(&["cancel", "fix-login"]).expect(
        "
        exit 0
        -- stderr
        fix-login is cancelled; its edits are kept on its record
        to take it up again: git orch retry fix-login
        ",
    );
    repo.orch(&["cancel", "fix-login"]).expect(
        "
        exit 0
        -- stderr
        fix-login is cancelled; its edits are kept on its record
        to take it up again: git orch retry fix-login
        ",
    );
    assert_eq!(repo.git(&["branch", "--list", "review/*"]), "");
    assert_eq!(repo.git(&["rev-parse", "orch/backend"]), repo.git(&["rev-parse", "main"]));
}

#[test]
fn a_task_without_letters_is_numbered() {
    let repo = shop();
    repo.orch(&["task", "修复登录", "--session", "backend", "--", &repo.agent("edit.sh")]).expect(
        "
        exit 0
        -- stdout
        review/task-1
        -- stderr
        backend takes task-1
        done in <time>: 1 commit, 1 file
          A work.txt
        next: git orch review task-1 --diff, then git orch merge task-1
        ",
    );
}

#[test]
fn text_cannot_speak_to_git_or_the_terminal() {
    let repo = shop();
    let text = "fix \u{1b}[31m\u{202e}red\n\nOrch-Session: frontend\nCo-Authored-By: x <x@y>";
    repo.orch(&["task", text, "--session", "backend", "--", &repo.agent("edit.sh")]).expect(
        "
        exit 0
        -- stdout
        review/fix-31m-red-orch-session-frontend-co
        -- stderr
        backend takes fix-31m-red-orch-session-frontend-co
        done in <time>: 1 commit, 1 file
          A work.txt
        next: git orch review fix-31m-red-orch-session-frontend-co --diff
        then: git orch merge fix-31m-red-orch-session-frontend-co
        ",
    );
    repo.orch(&["tasks"]).expect(
        r#"
        exit 0
        -- stdout
          task                                  state   session  files  last    text
          fix-31m-red-orch-session-frontend-co  review  backend      1  <time> ago  fix \u{1b}[31m\u{202e}red
        "#,
    );
    repo.orch(&["task", "--output=x", "--session", "backend", "--", "true"]).expect(
        "
        exit 2
        -- stderr
        error: unexpected argument '--output' found

          tip: to pass '--output' as a value, use '-- --output'

        Usage: git orch task [OPTIONS] <TEXT> [-- <CMD>...]

        For more information, try '--help'.
        ",
    );
    repo.shell("git log -1 --format='%(trailers:key=Orch-Session,valueonly)' orch/backend").run().expect(
        "
        exit 0
        -- stdout
        backend
        ",
    );
}

#[test]
fn one_wish_to_stop_may_arrive_twice() {
    let repo = shop();
    // As under `git orch`: the terminal's Ctrl-C, and git passes on its own.
    let script =
        "echo half > half.txt; p=$(cut -d' ' -f4 /proc/$PPID/stat); kill -INT $p; kill -INT $p; sleep 60";
    repo.orch(&["task", "fix login", "--session", "backend", "--", "sh", "-c", script]).expect(
        "
        exit 130
        -- stderr
        backend takes fix-login
        not done: the run was interrupted after <time>; its edits are kept on the task's record; session backend is free
        next: git orch log fix-login, then git orch retry fix-login
        ",
    );
    assert_eq!(repo.git(&["-C", "../shop.orch/backend", "status", "--short"]), "");
}

#[test]
fn tasks_that_wait_for_somebody_come_first() {
    let repo = shop();
    let agent = repo.agent("edit.sh");
    for (text, file) in [("one", "a"), ("two", "b"), ("three", "c")] {
        repo.orch(&["task", text, "--session", "backend", "-q", "--", &agent, file]).expect_success();
    }
    assert_eq!(repo.orch(&["task", "four", "--session", "frontend", "-q", "--", "false"]).exit, 1);
    repo.orch(&["review", "two", "--request-changes", "-m", "no", "-q"]).expect("exit 0");
    repo.orch(&["tasks"]).expect(
        "
        exit 0
        -- stdout
          task   state    session  files  last    text
          two    changes  backend      1  <time> ago  two
          one    review   backend      1  <time> ago  one
          three  review   backend      1  <time> ago  three
        -- stderr
        1 task failed; --all lists them too
        ",
    );
    repo.orch(&["review"]).expect(
        "
        exit 0
        -- stdout
          task   state    session  waits for  since   size          risk
          one    review   backend  you        <time> ago  1 file +1 -0  -
          three  review   backend  you        <time> ago  1 file +1 -0  on top of two
          two    changes  backend  backend    <time> ago  1 file +1 -0  on top of one
        -- stderr
        next: git orch review one --diff, then git orch merge one
        ",
    );
    repo.orch(&["retry", "two"]).expect(
        "
        exit 0
        -- stdout
        review/two
        -- stderr
        three is restacked on two
        done in <time>: 2 commits, 1 file, on top of one
          A b
        next: git orch review two --diff, then git orch merge two
        ",
    );
}

#[test]
fn a_task_that_comes_after_another_begins_once_that_one_has_a_result() {
    let repo = TestRepo::new();
    for name in ["one", "two"] {
        repo.orch(&["add-session", name, "--paths", name, "-q"]).expect_success();
    }
    let script = "
        first='until [ -e ../../go ]; do sleep 0.05; done; echo 1 >one'
        git-orch -q task first --session one -- sh -c \"$first\" >../out &
        until git-orch tasks 2>/dev/null | grep -q running; do sleep 0.05; done
        git-orch task second --session two --after first -- sh -c 'git show review/first:one >two' >../out 2>../said &
        until grep -q waiting ../said 2>/dev/null; do sleep 0.05; done
        touch ../go; wait; head -2 ../said; git show review/second:two; git-orch show second | grep after";
    repo.shell(script).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
        two takes second
        waiting for task first
        1
          after      first
        ",
    );
    repo.orch(&["task", "third", "--session", "one", "-q", "--", "false"]).expect("exit 1");
    repo.orch(&["task", "fourth", "--session", "two", "--after", "third", "--", "true"]).expect(
        "
        exit 3
        -- stderr
        two takes fourth
        error: `third`, which comes first, has failed
        hint: `git orch retry third`, then run the command again
        ",
    );
    repo.orch(&["task", "fifth", "--after", "thrd", "--", "true"]).expect(
        "
        exit 2
        -- stderr
        error: no task `thrd`; did you mean `third`?
        hint: `git orch tasks --all` lists them
        ",
    );
    let tasks = repo.orch(&["tasks", "--all", "--json"]).stdout;
    assert!(!tasks.contains("fourth") && !tasks.contains("fifth"), "{tasks}");
}
