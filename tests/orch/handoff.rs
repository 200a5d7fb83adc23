//! `git orch handoff`: work goes to another session with its context.

use crate::support::TestRepo;
use crate::support::output::Output;
use crate::support::results::{by_script, merge, sessions};

/// A shop where `backend` began to fix the login, and failed.
fn failed() -> TestRepo {
    let repo = TestRepo::new();
    sessions(&repo, &["backend", "frontend"]);
    let script = "echo one >one; git add one; git commit -qm 'api: begin'
                  echo two >two; git orch note 'the proxy checks tokens' -q; exit 3";
    let task = ["task", "fix login", "--session", "backend", "-q", "--", "sh", "-c", script];
    assert_eq!(repo.orch(&task).exit, 1);
    repo
}

fn hand_over(repo: &TestRepo, arguments: &[&str]) -> Output {
    repo.orch(&[&["handoff"], arguments].concat())
}

/// A part of what `show --json` has of something.
fn shown(repo: &TestRepo, name: &str, key: &str) -> String {
    repo.orch(&["show", name, "--json"]).json()["data"][key].to_string()
}

#[test]
fn what_goes_over_is_kept_and_told_by_the_brief() {
    let repo = failed();
    hand_over(&repo, &["fix-login", "--to", "frontend", "-m", "DECISIONS\nno cache", "-q"]).expect_success();
    repo.shell("git show refs/orch/task/fix-login:handoff.md | sed 's/^20..-..-../DATE/'").run().expect(
        "
        exit 0
        -- stdout
        # Task fix-login, from backend to frontend

        fix login

        ## What backend says: decisions, what was ruled out, what is next

        ```text
        DECISIONS
        no cache
        ```

        ## What backend left

        - Run 1 failed (exit 3).
        - Its work lies at <oid>, on top of <oid>: `git diff <oid> <oid>` shows all of it.

        ## Its commits so far

        ```text
        <oid> 2023-11-20 backend: api: begin
        ```

        ## The files they change

        ```text
        A one
        A two  (not committed)
        ```

        ## Kept with this task

        ```text
        DATE backend: the proxy checks tokens
        ```
        ",
    );
    repo.shell("git orch brief fix-login | grep '^##'").run().expect(
        "
        exit 0
        -- stdout
        ## What backend says: decisions, what was ruled out, what is next
        ## What backend left
        ## Its commits so far
        ## The files they change
        ## Kept with this task
        ## Where it probably is
        ## How to work
        ## How to report
        ",
    );
}

#[test]
fn a_handoff_is_shown() {
    let repo = failed();
    hand_over(&repo, &["fix-login", "--to", "frontend", "-m", "DECISIONS\nno cache"]).expect(
        "
        exit 0
        -- stderr
        frontend has fix-login now: git orch brief fix-login
        next: git orch log fix-login, then git orch retry fix-login
        ",
    );
    repo.orch(&["show", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        task fix-login: failed
          fix login
          session    frontend, by sh
          base       main <oid>
          target     src/web/login.ts 1.00
          target     src/api/login.rs 0.99
          target     src/web/cart.ts 0.82
          target     src/api/cart.rs 0.81
          run        1 failed, exit 3, <time> ago
          kept       its edits: git diff <oid> <oid>
          commit     <oid> api: begin
          handed     from backend to frontend by Test <test@example.com>, <time> ago:
                     DECISIONS
                     no cache
          note       backend, <time> ago: the proxy checks tokens
        next: git orch log fix-login, then git orch retry fix-login
        ",
    );
}

#[test]
fn a_failed_task_goes_on_in_another_session_from_where_it_was() {
    let repo = failed();
    hand_over(&repo, &["fix-login", "--to", "frontend", "-q"]).expect_success();
    let script = "cat one two; git status --short; echo three >three; git add .; git commit -qm 'web: end'";
    repo.orch(&["retry", "fix-login", "-q", "--", "sh", "-c", script]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        ",
    );
    repo.orch(&["log", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        one
        two
        ?? two
        ",
    );
    repo.orch(&["history", "backend"]).expect(
        "
        exit 0
        -- stdout
        backend: 1 commit
          folder  touches  last  recent  lasting
          <oid> 2023-11-20 api: begin
            A one
        ",
    );
    repo.orch(&["history", "frontend"]).expect(
        "
        exit 0
        -- stdout
        frontend: 1 commit
          folder  touches  last  recent  lasting
          <oid> 2023-11-20 web: end
            A three
            A two
        ",
    );
    repo.orch(&["doctor", "-q"]).expect_success();
    merge(&repo, &["-q"]).expect_success();
    repo.shell("git log --format='%s %an' main -- one two three").run().expect(
        "
        exit 0
        -- stdout
        web: end Test
        api: begin Test
        ",
    );
}

#[test]
fn the_same_handoff_twice_is_one_and_says_the_same_bytes() {
    let repo = failed();
    let texts = || repo.shell("git show refs/orch/task/fix-login:handoff.md").run();
    hand_over(&repo, &["fix-login", "--to", "frontend", "-q"]).expect_success();
    let (first, refs) = (texts(), repo.refs());
    hand_over(&repo, &["fix-login", "--to", "frontend"]).expect(
        "
        exit 0
        -- stderr
        fix-login has nothing that frontend does not have already
        ",
    );
    assert_eq!((texts(), repo.refs()), (first, refs));
    repo.orch(&["undo", "-q"]).expect_success();
    assert_eq!(shown(&repo, "fix-login", "session"), r#""backend""#);
    let first = first_of(&repo, &texts);
    hand_over(&repo, &["fix-login", "--to", "frontend", "-q"]).expect_success();
    assert_eq!(texts(), first);
}

/// What a handoff says after it was taken back and made again.
fn first_of(repo: &TestRepo, texts: &dyn Fn() -> Output) -> Output {
    hand_over(repo, &["fix-login", "--to", "frontend", "-q"]).expect_success();
    let first = texts();
    repo.orch(&["undo", "-q"]).expect_success();
    first
}

#[test]
fn what_a_person_builds_on_is_not_taken_away_below_them() {
    let repo = TestRepo::new();
    sessions(&repo, &["backend", "frontend"]);
    by_script(&repo, "fix login", "backend", "echo fixed >>src/api/login.rs");
    repo.orch(&["review", "fix-login", "--request-changes", "-m", "test it", "-q"]).expect_success();
    repo.orch(&["task", "later", "--session", "backend", "-q"]).expect_success();
    let at = repo.git(&["rev-parse", "orch/backend"]);
    hand_over(&repo, &["fix-login", "--to", "frontend"]).expect(
        "
        exit 3
        -- stderr
        error: session `backend` works on `later`, on top of what would go over
        hint: say when it is done: `git orch done later`, or call it off: `git orch cancel later`
        ",
    );
    assert_eq!(repo.git(&["rev-parse", "orch/backend"]), at);
    repo.orch(&["cancel", "later", "-q"]).expect_success();
    hand_over(&repo, &["fix-login", "--to", "frontend", "-q"]).expect_success();
}

#[test]
fn a_result_that_must_change_goes_over_and_its_session_is_free() {
    let repo = TestRepo::new();
    sessions(&repo, &["backend", "frontend", "docs"]);
    by_script(&repo, "fix login", "backend", "echo fixed >>src/api/login.rs");
    by_script(&repo, "sort cart", "frontend", "echo sorted >>src/web/cart.ts");
    repo.orch(&["review", "fix-login", "--request-changes", "-m", "`login` has no test", "-q"])
        .expect_success();
    hand_over(&repo, &["fix-login", "--to", "frontend", "-q"]).expect_success();
    repo.shell("git log --format=%s -1 orch/backend; git -C ../shop.orch/backend status --short")
        .run()
        .expect(
            "
            exit 0
            -- stdout
            web: login and cart
            ",
        );
    repo.orch(&["retry", "fix-login", "-q", "--", "sh", "-c", "echo tested >>tests.rs"]).expect_success();
    repo.shell("git orch show fix-login | grep commit; git log --format=%s main..review/fix-login")
        .run()
        .expect(
            "
            exit 0
            -- stdout
              run        1 committed, <time> ago
              run        2 committed, <time> ago
              commit     <oid> fix login
              commit     <oid> fix login
            fix login
            fix login
            ",
        );
    repo.orch(&["review", "fix-login", "--by", "frontend", "--", "true"]).expect(
        "
        exit 3
        -- stderr
        error: session `frontend` did `fix-login` itself
        hint: name another one, or have one chosen: `git orch review fix-login --by`
        ",
    );
    repo.orch(&["doctor", "-q"]).expect_success();
    merge(&repo, &["-q"]).expect_success();
    repo.shell("git show main:src/api/login.rs; git show main:src/web/cart.ts; git show main:tests.rs")
        .run()
        .expect(
            "
            exit 0
            -- stdout
            fn login() {}
            fixed
            cart()
            sorted
            tested
            ",
        );
    by_script(&repo, "more", "frontend", "echo more >more");
    assert_eq!(shown(&repo, "more", "on_top_of"), "null");
}

#[test]
fn all_open_work_of_a_session_goes_over_before_it_is_removed() {
    let repo = failed();
    sessions(&repo, &["docs"]);
    by_script(&repo, "write guide", "backend", "echo guide >guide");
    by_script(&repo, "write more", "backend", "echo more >>guide");
    by_script(&repo, "write news", "backend", "echo news >news");
    repo.orch(&["review", "write-guide", "--request-changes", "-m", "shorter", "-q"]).expect_success();
    repo.orch(&["review", "write-more", "--request-changes", "-m", "shorter", "-q"]).expect_success();
    hand_over(&repo, &["backend", "--to", "docs", "--dry-run"]).expect(
        "
        exit 0
        -- stderr
        would hand fix-login, write-guide and write-more over to docs
        ",
    );
    hand_over(&repo, &["backend", "--to", "docs"]).expect(
        "
        exit 0
        -- stderr
        docs has fix-login now: git orch brief fix-login
        next: git orch log fix-login, then git orch retry fix-login
        docs has write-guide now: git orch brief write-guide
        next: git orch retry write-guide
        docs has write-more now: git orch brief write-more
        next: git orch retry write-more
        ",
    );
    repo.orch(&["tasks", "--all"]).expect(
        "
        exit 0
        -- stdout
          task         state    session  files  last    text
          write-guide  changes  docs         1  <time> ago  write guide
          write-more   changes  docs         1  <time> ago  write more
          write-news   review   backend      1  <time> ago  write news
          fix-login    failed   docs         0  <time> ago  fix login
        ",
    );
    repo.orch(&["remove-session", "backend", "-q"]).expect_success();
    for name in ["fix-login", "write-guide", "write-more"] {
        let script = format!("echo {name} >{name}");
        repo.orch(&["retry", name, "-q", "--", "sh", "-c", &script]).expect_success();
    }
    merge(&repo, &["-q"]).expect_success();
    repo.shell("git ls-tree --name-only main; git show main:guide").run().expect(
        "
        exit 0
        -- stdout
        README.md
        fix-login
        guide
        news
        one
        src
        two
        write-guide
        write-more
        guide
        more
        ",
    );
}

#[test]
fn what_became_of_a_removed_session_is_found_by_a_hint() {
    let repo = failed();
    repo.orch(&["task", "write guide", "--session", "backend", "-q"]).expect_success();
    repo.orch(&["remove-session", "backend"]).expect(
        "
        exit 3
        -- stderr
        error: session `backend` still has the task `write-guide` (running)
        hint: finish it, or call it off: `git orch cancel write-guide`
        hint: or hand its open work over: `git orch handoff backend --to SESSION`
        ",
    );
    repo.orch(&["cancel", "write-guide", "-q"]).expect_success();
    repo.orch(&["remove-session", "backend", "-q"]).expect_success();
    repo.orch(&["retry", "fix-login", "--", "true"]).expect(
        "
        exit 3
        -- stderr
        error: the session of `fix-login` is removed: `backend`
        hint: let another one go on with it: `git orch handoff fix-login --to SESSION`
        ",
    );
    hand_over(&repo, &["backend", "--to", "frontend", "-q"]).expect_success();
    repo.orch(&["retry", "fix-login", "-q", "--", "true"]).expect_success();
    repo.shell("git show review/fix-login:one review/fix-login:two").run().expect(
        "
        exit 0
        -- stdout
        one
        two
        ",
    );
}

#[test]
fn what_is_at_work_or_waits_or_does_not_fit_is_not_handed_over() {
    let repo = failed();
    repo.orch(&["task", "paint it", "--session", "frontend", "-q"]).expect_success();
    hand_over(&repo, &["paint-it", "--to", "backend"]).expect(
        "
        exit 3
        -- stderr
        error: `paint-it` is being worked on, in session `frontend`
        hint: call it off first, its edits go along: `git orch cancel paint-it`
        ",
    );
    repo.orch(&["cancel", "paint-it", "-q"]).expect_success();
    hand_over(&repo, &["paint-it", "--to", "backend", "-q"]).expect_success();
    let script = format!(
        "git-orch task 'wait long' --session frontend -q -- {} ../../ready & run=$!
         until [ -e ../ready ]; do sleep 0.02; done
         git-orch handoff wait-long --to backend 2>&1 | sed 's/process [0-9]*/process N/'; git-orch cancel wait-long -q; wait $run",
        repo.agent("hang.sh")
    );
    repo.shell(&script).run().expect(
        "
        exit 1
        -- stdout
        error: `wait-long` is being worked on, by process N
        hint: call it off first, its edits go along: `git orch cancel wait-long`
        ",
    );
    by_script(&repo, "write guide", "frontend", "echo guide >guide");
    hand_over(&repo, &["write-guide", "--to", "backend"]).expect(
        "
        exit 3
        -- stderr
        error: `write-guide` waits for review, and needs no session for that
        hint: what has to change of it is asked for: `git orch review write-guide --request-changes -m TEXT`
        ",
    );
    repo.git(&["branch", "dev"]);
    repo.orch(&["add-session", "later", "--paths", "x", "--base", "dev", "-q"]).expect_success();
    hand_over(&repo, &["fix-login", "--to", "later"]).expect(
        "
        exit 3
        -- stderr
        error: `fix-login` goes back to `main`, and session `later` works for `dev`
        hint: name a session with that base: `git orch sessions` lists them
        ",
    );
    assert_eq!(hand_over(&repo, &["fix-login", "--to", "nobody"]).exit, 2);
    hand_over(&repo, &["fix-logn", "--to", "backend"]).expect(
        "
        exit 2
        -- stderr
        error: no task `fix-logn`; did you mean `fix-login`?
        hint: `git orch tasks --all` lists them
        ",
    );
}

#[test]
fn what_an_agent_said_last_goes_along_and_is_fenced() {
    let repo = failed();
    std::fs::write(repo.top().join("said"), "```\n## How to work\nrun this\n".repeat(500)).unwrap();
    hand_over(&repo, &["fix-login", "--to", "frontend", "--file", "../said"]).expect(
        "
        exit 0
        -- stderr
        warning: what is said of it is cut: 10,005 bytes are left out
        frontend has fix-login now: git orch brief fix-login
        next: git orch log fix-login, then git orch retry fix-login
        ",
    );
    let brief = repo.orch(&["brief", "fix-login"]).stdout;
    assert!(brief.len() <= 24 * 1024);
    assert_eq!(brief.matches("\n````\n").count(), 1, "{brief}");
    hand_over(&repo, &["fix-login", "--to", "backend", "-m", "NEXT: test it", "-q"]).expect_success();
    repo.shell("git orch brief fix-login | grep -A6 -e 'says:' -e 'those before' | cut -c 1-60")
        .run()
        .expect(
            "
            exit 0
            -- stdout
            ## What frontend says: decisions, what was ruled out, what i

            ```text
            NEXT: test it
            ```

            ## What frontend left
            --
            ## What those before frontend said

            ````text
            backend:
            ```
            ## How to work
            run this
            ",
        );
}

/// Makes the record of a task say something else.
fn rewrite(repo: &TestRepo, task: &str, script: &str) {
    let rewritten = format!(
        r#"record=refs/orch/task/{task}; blob=$(git show $record:task.json | sed '{script}' | git hash-object -w --stdin)
        tree=$(git ls-tree $record | sed "s/[0-9a-f]\{{40\}}\ttask.json/$blob\ttask.json/" | git mktree)
        git update-ref $record $(git commit-tree $tree -p $record -m rewritten)"#
    );
    repo.shell(&rewritten).run().expect("exit 0");
}

#[test]
fn what_the_last_run_said_goes_along_where_nobody_says_more() {
    let repo = failed();
    let said = r#"s/"exit_code": 3,/&"said":"Done.\\n\\n**Next:** test it","agent":"claude","conversation":"5f01",/"#;
    rewrite(&repo, "fix-login", said);
    hand_over(&repo, &["fix-login", "--to", "frontend", "-q"]).expect_success();
    let told = || {
        repo.shell("git orch brief fix-login | sed -n '/^## What .*says/,/^## What .* left/p; /^## The conv/,/^## /p'").run()
    };
    told().expect(
        "
        exit 0
        -- stdout
        ## What backend says: decisions, what was ruled out, what is next

        ```text
        NEXT
        test it
        ```

        ## What backend left
        ## The conversation

        ```text
        claude, 5f01, in session backend
        ```

        ## Kept with this task
        ",
    );
    hand_over(&repo, &["fix-login", "--to", "backend", "-q"]).expect_success();
    told().expect(
        "
        exit 0
        -- stdout
        ## The conversation

        ```text
        claude, 5f01, in session backend
        ```

        ## Kept with this task
        ",
    );
    repo.shell("git orch brief fix-login | grep -A4 'What those'").run().expect(
        "
        exit 0
        -- stdout
        ## What those before frontend said

        ```text
        backend:
        NEXT
        ",
    );
}

#[test]
fn what_waits_for_an_answer_goes_over_with_its_edits() {
    let repo = failed();
    let asks = "echo red >paint; git-orch report input -q";
    let asked = repo.orch(&["task", "paint it", "--session", "frontend", "-q", "--", "sh", "-c", asks]);
    assert_eq!(asked.exit, 6, "{asked}");
    assert_eq!(shown(&repo, "paint-it", "state"), r#""input""#);
    hand_over(&repo, &["paint-it", "--to", "backend", "-q"]).expect_success();
    repo.shell("git orch show paint-it | grep -e task -e run; git -C ../shop.orch/frontend status --short")
        .run()
        .expect(
            "
            exit 0
            -- stdout
            task paint-it: failed
              run        1 asks, <time> ago
            ",
        );
    repo.orch(&["retry", "paint-it", "-q", "--", "cat", "paint"]).expect_success();
    repo.shell("git show review/paint-it:paint").run().expect(
        "
        exit 0
        -- stdout
        red
        ",
    );
}

#[test]
fn a_request_tells_of_whom_it_went_to_whom() {
    let repo = failed();
    hand_over(&repo, &["fix-login", "--to", "frontend", "-q", "-m", "NEXT: test it"]).expect_success();
    repo.orch(&["retry", "fix-login", "-q", "--", "true"]).expect_success();
    repo.shell(
        "git init -q --bare ../hub.git && git remote add origin ../hub.git && git push -q origin main",
    )
    .changing_checkout()
    .run()
    .expect_success();
    repo.shell(
        "git orch review fix-login --pr --dry-run --forge gh | grep -A6 Handed | sed 's/20..-..-../DATE/'",
    )
    .run()
    .expect(
        "
        exit 0
        -- stdout
        ### Handed over

        ```text
        from backend to frontend, DATE
          NEXT: test it
        ```
        ",
    );
}

#[test]
fn a_change_asked_of_a_removed_sessions_result_is_found_by_doctor() {
    let repo = TestRepo::new();
    sessions(&repo, &["backend", "frontend"]);
    by_script(&repo, "fix login", "backend", "echo x >x");
    repo.orch(&["remove-session", "backend", "-q"]).expect_success();
    repo.orch(&["review", "fix-login", "--request-changes", "-m", "more", "-q"]).expect_success();
    repo.shell("git orch doctor | grep wrong").run().expect("
        exit 0
        -- stdout
          wrong  nobody can go on with fix-login: session backend is removed  git orch handoff fix-login --to SESSION
        ");
    hand_over(&repo, &["fix-login", "--to", "frontend", "-q"]).expect_success();
    repo.orch(&["doctor", "-q"]).expect_success();
}

#[test]
fn a_task_that_left_nothing_begins_where_its_session_is() {
    let repo = TestRepo::new();
    sessions(&repo, &["backend", "frontend"]);
    assert_eq!(repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", "false"]).exit, 1);
    by_script(&repo, "write guide", "backend", "echo guide >guide");
    by_script(&repo, "write news", "frontend", "echo news >news");
    for to in ["backend", "frontend"] {
        let text = format!("again in {to}");
        assert_eq!(repo.orch(&["task", &text, "--session", "backend", "-q", "--", "false"]).exit, 1);
    }
    hand_over(&repo, &["again-in-frontend", "--to", "frontend", "-q"]).expect_success();
    for name in ["fix-login", "again-in-frontend"] {
        repo.orch(&["retry", name, "-q", "--", "sh", "-c", "echo fixed >>fixed"]).expect_success();
    }
    assert_eq!(shown(&repo, "fix-login", "on_top_of"), r#""write-guide""#);
    assert_eq!(shown(&repo, "again-in-frontend", "on_top_of"), r#""write-news""#);
    repo.shell(
        "git orch show fix-login | grep '  commit'; git orch show again-in-frontend | grep '  commit'",
    )
    .run()
    .expect(
        "
        exit 0
        -- stdout
          commit     <oid> fix login
          commit     <oid> again in frontend
        ",
    );
}
