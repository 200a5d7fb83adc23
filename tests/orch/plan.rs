//! `git orch plan`.

use crate::support::{TestRepo, days_ago};

/// A shop whose sessions know the API and the web.
fn shop() -> TestRepo {
    let repo = TestRepo::new();
    for day in 1..=6 {
        let api = format!("fn login() {{ {day} }}\n");
        repo.commit(&[("src/api/login.rs", &api)], &format!("login: rule {day}"), "Ann", days_ago(9 - day));
        let web = format!("cart({day})\n");
        repo.commit(&[("src/web/cart.ts", &web)], &format!("cart: sort by {day}"), "Ben", days_ago(9 - day));
    }
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "--adopt-history", "-q"]).expect_success();
    }
    repo
}

#[test]
fn tasks_of_different_sessions_run_at_once_and_those_of_one_in_turn() {
    let repo = shop();
    repo.orch(&["plan", "fix login", "sort the cart", "new login rule", "fix src/api/login.rs"]).expect(
        "
        exit 0
        -- stdout
          wave  task                  session   score  why
             1  fix-login             backend    1.14  touched 2 of 4 likely files
             1  sort-the-cart         frontend   1.14  touched 2 of 4 likely files
             2  new-login-rule        backend    1.18  behind fix-login: both touch src/api/login.rs
             3  fix-src-api-login-rs  backend    1.12  behind new-login-rule: both touch src/api/login.rs
        -- stderr
        4 tasks for 2 sessions: 2 at once, then 1, then 1
        next: the same command and --run -- AGENT
        ",
    );
}

#[test]
fn a_list_is_read_from_a_file_or_standard_input() {
    let repo = shop();
    repo.write("todo.md", "# Todo\n\n- [ ] fix login\n- [x] old\n- sort the cart\n");
    let told = repo.orch(&["plan", "todo.md"]);
    told.expect(
        "
        exit 0
        -- stdout
          wave  task           session   score  why
             1  fix-login      backend    1.14  touched 2 of 4 likely files
             1  sort-the-cart  frontend   1.14  touched 2 of 4 likely files
        -- stderr
        2 tasks for 2 sessions, all at once
        next: git orch plan todo.md --run -- AGENT
        ",
    );
    assert_eq!(told.stdout, repo.call(&["plan", "-"]).stdin("fix login\nsort the cart\n").run().stdout);
    repo.call(&["plan", "-", "fix login"]).stdin("fix login\n").run().expect(
        "
        exit 0
        -- stdout
          wave  task       session  score  why
             1  fix-login  backend   1.14  touched 2 of 4 likely files
        -- stderr
        warning: a task that stands there more than once is taken once
        1 task for 1 session
        next: git orch plan - 'fix login' --run -- AGENT
        ",
    );
    repo.call(&["plan", "-"]).stdin("- [x] fix login\n").run().expect(
        "
        exit 0
        -- stderr
        nothing is left to do
        ",
    );
}

#[test]
fn a_list_in_yaml_says_more_of_its_tasks() {
    let repo = shop();
    let list = "- fix login\n- { text: sort the cart, session: backend }\n\
                - { text: write it down, paths: [README.md], session: frontend, after: fix login }\n";
    repo.write("tasks.yml", list);
    repo.orch(&["plan", "tasks.yml"]).expect(
        "
        exit 0
        -- stdout
          wave  task           session   score  why
             1  fix-login      backend    1.14  touched 2 of 4 likely files
             2  sort-the-cart  backend          behind fix-login in the same session
             2  write-it-down  frontend         behind fix-login, as was said
        -- stderr
        3 tasks for 2 sessions: 1 at once, then 2
        next: git orch plan tasks.yml --run -- AGENT
        ",
    );
    let edit = repo.agent("edit.sh");
    repo.orch(&["plan", "tasks.yml", "--run", "-q", "--", &edit, "x.txt"]).expect_success();
    let last = repo.orch(&["show", "write-it-down", "--json"]).json()["data"].clone();
    assert_eq!((&last["after"], &last["session"]), (&"fix-login".into(), &"frontend".into()));
    assert_eq!(last["targets"][0]["path"], "README.md");
}

#[test]
fn a_list_in_yaml_that_is_none_is_told() {
    let repo = shop();
    for (list, block) in [
        (
            "- { text: a, paht: b }\n",
            "
            exit 2
            -- stderr
            error: this is no list of tasks: unknown field `paht`, expected one of `text`, `paths`, `session`, `after`
            hint: each task is its words, or `{ text: fix login, paths: [src/api], session: backend, after: TASK }`
            ",
        ),
        (
            "- { text: a, after: b }\n",
            "
            exit 2
            -- stderr
            error: no task `b` comes before
            hint: `after` names one further up in the list by its words, or a task by its name
            ",
        ),
        (
            "- { text: a, session: bakend }\n",
            "
            exit 2
            -- stderr
            error: no session `bakend`; did you mean `backend`?
            hint: `git orch sessions` lists them
            ",
        ),
        (
            "- { text: ' ' }\n",
            "
            exit 2
            -- stderr
            error: a task has no text
            hint: say what to do: `text: fix login`
            ",
        ),
    ] {
        repo.write("tasks.yml", list);
        repo.orch(&["plan", "tasks.yml"]).expect(block);
    }
}

#[test]
fn what_is_open_already_is_shown_and_waited_for() {
    let repo = shop();
    repo.orch(&["plan"]).expect(
        "
        exit 0
        -- stderr
        no open tasks
        ",
    );
    repo.orch(&["task", "fix login", "--agent", "person", "-q"]).expect_success();
    repo.orch(&["task", "sort the cart", "-q", "--", &repo.agent("edit.sh")]).expect_success();
    repo.orch(&["plan", "new login rule", "sort the cart", "cart again"]).expect(
        "
        exit 0
        -- stdout
          wave  task            session   score  why
             -  sort-the-cart   frontend   1.14  review
             1  fix-login       backend    1.14  running
             1  cart-again      frontend   1.01  touched 2 of 4 likely files
             2  new-login-rule  backend    1.27  behind fix-login: both touch src/api/login.rs
        -- stderr
        3 tasks for 2 sessions: 2 at once, then 1
        next: git orch plan 'new login rule' 'sort the cart' 'cart again' --run -- AGENT
        ",
    );
    repo.orch(&["plan"]).expect(
        "
        exit 0
        -- stdout
          wave  task       session  score  why
             1  fix-login  backend   1.14  running
        -- stderr
        1 task for 1 session
        ",
    );
}

#[test]
fn a_task_that_nobody_knows_anything_of_is_marked() {
    let repo = shop();
    repo.orch(&["plan", "translate the manual"]).expect(
        "
        exit 0
        -- stdout
          wave  task                  session  score  why
             1  translate-the-manual  backend   0.00  unsure: no session has touched anything like it
        -- stderr
        1 task for 1 session
        next: git orch plan 'translate the manual' --run -- AGENT
        ",
    );
    let told = repo.orch(&["plan", "fix login", "new login rule", "--json"]).json();
    let tasks = &told["data"]["tasks"];
    assert_eq!((&tasks[0]["wave"], &tasks[0]["behind"]), (&1.into(), &serde_json::json!([])));
    assert_eq!(
        tasks[1]["behind"],
        serde_json::json!([{"task": "fix-login", "because": "files", "shared": ["src/api/login.rs"]}])
    );
    assert_eq!(
        tasks[1]["route"]["candidates"][0]["signals"]["load"], 0.05,
        "the first one is open work by then"
    );
}

#[test]
fn without_sessions_there_is_no_plan() {
    TestRepo::new().orch(&["plan", "fix login"]).expect(
        "
        exit 3
        -- stderr
        error: there is no session to give tasks to
        hint: make one: `git orch add-session NAME --paths GLOB --adopt-history`
        ",
    );
}

#[test]
fn a_plan_is_carried_out_each_task_in_its_session() {
    let repo = shop();
    let run = ["plan", "fix login", "sort the cart", "new login rule", "-j", "1", "--run", "--"];
    let agent = repo.agent("edit.sh");
    repo.orch(&[&run[..], &[&agent]].concat()).expect("
        exit 0
        -- stdout
          done      fix-login       backend   review/fix-login: 1 commit, 1 file in <time>
          done      sort-the-cart   frontend  review/sort-the-cart: 1 commit, 1 file in <time>
          done      new-login-rule  backend   review/new-login-rule: 1 commit, 1 file, on top of fix-login in <time>
        -- stderr
          wave  task            session   score  why
             1  fix-login       backend    1.14  touched 2 of 4 likely files
             1  sort-the-cart   frontend   1.14  touched 2 of 4 likely files
             2  new-login-rule  backend    1.18  behind fix-login: both touch src/api/login.rs
        3 tasks for 2 sessions: 2 at once, then 1
        backend takes fix-login
        frontend takes sort-the-cart
        backend takes new-login-rule
        3 tasks have a result
        next: git orch review, then git orch merge
        ");
    repo.refs().expect(
        "
        exit 0
        -- stdout
        refs/heads/main cart: sort by 6
        refs/heads/orch/backend new login rule
        refs/heads/orch/frontend sort the cart
        refs/heads/review/fix-login fix login
        refs/heads/review/new-login-rule new login rule
        refs/heads/review/sort-the-cart sort the cart
        refs/notes/orch/touch/backend notes
        refs/notes/orch/touch/frontend notes
        refs/orch/session/backend session backend: added
        refs/orch/session/frontend session frontend: added
        refs/orch/task/fix-login task fix-login: review
        refs/orch/task/new-login-rule task new-login-rule: review
        refs/orch/task/sort-the-cart task sort-the-cart: review
        ",
    );
    repo.orch(&[&run[..], &[&agent]].concat()).expect(
        "
        exit 0
        -- stderr
          wave  task            session   score  why
             -  fix-login       backend    1.14  review
             -  new-login-rule  backend    1.18  review
             -  sort-the-cart   frontend   1.14  review
        nothing is left to do
        ",
    );
}

#[test]
fn what_shares_files_with_a_task_that_failed_is_left_out() {
    let repo = shop();
    let script = "case $GIT_ORCH_TASK in fix-login) exit 3;; esac; echo x >>src/$GIT_ORCH_SESSION";
    let texts = ["fix login", "new login rule", "sort the cart", "translate the manual"];
    let run = [&["plan"], &texts[..], &["-j", "1", "--run", "--", "sh", "-c", script]].concat();
    repo.orch(&run).expect("
        exit 1
        -- stdout
          failed    fix-login             backend   not done: the run failed (exit 3) after <time>; session backend is free
          skipped   new-login-rule        backend   it shares files with fix-login, which has no result
          done      sort-the-cart         frontend  review/sort-the-cart: 1 commit, 1 file in <time>
          done      translate-the-manual  frontend  review/translate-the-manual: 1 commit, 1 file, on top of sort-the-cart in <time>
        -- stderr
          wave  task                  session   score  why
             1  fix-login             backend    1.14  touched 2 of 4 likely files
             1  sort-the-cart         frontend   1.14  touched 2 of 4 likely files
             2  new-login-rule        backend    1.28  behind fix-login: both touch src/api/login.rs
             2  translate-the-manual  frontend  -0.05  behind sort-the-cart in the same session; unsure: no session has touched anything like it
        4 tasks for 2 sessions: 2 at once, then 2
        backend takes fix-login
        frontend takes sort-the-cart
        frontend takes translate-the-manual
        2 of 4 tasks have a result
        failed: git orch log fix-login, then git orch retry fix-login
        next: git orch review, then git orch merge
        ");
    let told = repo.orch(&[&run[..5], &["--json"], &run[5..]].concat());
    let outcomes = told.json()["data"]["tasks"].clone();
    let outcomes = outcomes.as_array().unwrap().iter();
    let outcomes = outcomes.map(|one| format!("{} {}", one["name"], one["outcome"]));
    let expected = [
        r#""sort-the-cart" "open""#,
        r#""translate-the-manual" "open""#,
        r#""fix-login-2" "done""#,
        r#""new-login-rule" "done""#,
    ];
    assert_eq!(outcomes.collect::<Vec<_>>(), expected);
}

#[test]
fn a_task_behind_one_of_another_session_waits_and_is_told_of_its_result() {
    let repo = shop();
    let paths = ["--paths", "src/api/login.rs"];
    let first = [&["task", "sort the cart", "--session", "frontend", "--agent", "person", "-q"], &paths[..]];
    repo.orch(&first.concat()).expect_success();
    let script = format!(
        "git-orch plan 'fix login' --run -- {} 2>../told &
         until grep -q waiting ../told 2>/dev/null; do sleep 0.02; done
         echo 1 >../shop.orch/frontend/x; git-orch done sort-the-cart --commit -q; wait $!; cat ../told",
        repo.agent("edit.sh")
    );
    repo.shell(&script).run().expect(
        "
        exit 0
        -- stdout
        review/sort-the-cart
          done      fix-login      backend   review/fix-login: 1 commit, 1 file in <time>
          wave  task           session   score  why
             1  sort-the-cart  frontend         running
             2  fix-login      backend    1.00  behind sort-the-cart: both touch src/api/login.rs
        2 tasks for 2 sessions, one after the other
        backend takes fix-login
        fix-login: waiting for task sort-the-cart
        1 task has a result
        next: git orch review, then git orch merge
        ",
    );
    repo.shell("git-orch brief fix-login | grep -A5 'comes after'").run().expect(
        "
        exit 0
        -- stdout
        ## It comes after task sort-the-cart

        What that one changed has not landed yet, so it is not here. Fit in with it:
        `git diff main...review/sort-the-cart` shows it.

        ## How to work
        ",
    );
}

#[test]
fn one_task_of_a_plan_can_be_called_off_alone() {
    let repo = shop();
    let script = format!(
        r#"agent='case $GIT_ORCH_TASK in fix-login) exec {} ../../ready;; esac
            until [ -e ../../gone ]; do sleep 0.02; done; echo 1 >x'
        git-orch plan 'fix login' 'sort the cart' 'new login rule' -j 2 --run -q -- sh -c "$agent" >../told &
        until [ -e ../ready ]; do sleep 0.02; done
        git-orch cancel fix-login -q; >../gone; wait $!; echo $?; sort ../told"#,
        repo.agent("hang.sh")
    );
    repo.shell(&script).run().expect("
        exit 0
        -- stdout
        1
          cancelled fix-login       backend   not done: the run was interrupted after <time>; its edits are kept on the task's record; session backend is free
          done      sort-the-cart   frontend  review/sort-the-cart: 1 commit, 1 file in <time>
          skipped   new-login-rule  backend   it shares files with fix-login, which has no result
        ");
    repo.orch(&["tasks", "--all"]).expect(
        "
        exit 0
        -- stdout
          task           state      session   files  last    text
          sort-the-cart  review     frontend      1  <time> ago  sort the cart
          fix-login      cancelled  backend       0  <time> ago  fix login
        ",
    );
}

#[test]
fn an_interrupt_ends_all_tasks_and_begins_no_further() {
    let repo = shop();
    let script = format!(
        r#"git-orch plan 'fix login' 'sort the cart' 'new login rule' -j 2 --run -q -- sh -c 'exec {} ../../$GIT_ORCH_SESSION' >../told &
        until [ -s ../backend ] && [ -s ../frontend ]; do sleep 0.02; done; kill -INT $!; wait $!; echo $?; sort ../told
        git -C ../shop.orch/backend status --short; git -C ../shop.orch/frontend status --short
        for pid in $(cat ../backend ../frontend); do kill -0 $pid 2>/dev/null && echo $pid lives; done; true"#,
        repo.agent("hang.sh")
    );
    repo.shell(&script).run().expect("
        exit 0
        -- stdout
        130
          failed    fix-login       backend   not done: the run was interrupted after <time>; its edits are kept on the task's record; session backend is free
          failed    sort-the-cart   frontend  not done: the run was interrupted after <time>; its edits are kept on the task's record; session frontend is free
        ");
    repo.orch(&["tasks", "--all"]).expect(
        "
        exit 0
        -- stdout
          task           state   session   files  last    text
          fix-login      failed  backend       0  <time> ago  fix login
          sort-the-cart  failed  frontend      0  <time> ago  sort the cart
        ",
    );
}

#[test]
fn the_same_command_takes_up_what_a_killed_one_left() {
    let repo = shop();
    let script = format!(
        r#"plan="git-orch plan -j 2 -q --run fix-login.md"
        printf 'fix login\nsort the cart\nnew login rule\n' >fix-login.md
        $plan -- sh -c 'exec {} ../../$GIT_ORCH_SESSION' &
        until [ -s ../backend ] && [ -s ../frontend ]; do sleep 0.02; done; kill -9 $!; wait $! 2>/dev/null
        $plan -- sh -c 'echo 1 >>$GIT_ORCH_SESSION' | sort; rm fix-login.md"#,
        repo.agent("hang.sh")
    );
    repo.shell(&script).run().expect("
        exit 0
        -- stdout
          done      fix-login-2      backend   review/fix-login-2: 1 commit, 1 file in <time>
          done      new-login-rule   backend   review/new-login-rule: 1 commit, 1 file, on top of fix-login-2 in <time>
          done      sort-the-cart-2  frontend  review/sort-the-cart-2: 1 commit, 1 file in <time>
        ");
    let kept = repo.orch(&["show", "fix-login", "--json"]).json()["data"]["runs"][0]["snapshot"].to_string();
    assert!(kept.len() > 40, "{kept}");
}

#[test]
fn nothing_begins_where_one_task_has_no_agent() {
    let repo = shop();
    let before = repo.everything();
    repo.orch(&["plan", "fix login", "--run"]).expect(
        "
        exit 2
        -- stderr
        error: no agent is set for session `backend`
        hint: give a command behind `--`, or name one with `--agent`
        ",
    );
    repo.orch(&["plan", "fix login", "--run", "--agent", "person"]).expect(
        "
        exit 2
        -- stderr
        error: no agent is set for session `backend`
        hint: give a command behind `--`, or name one with `--agent`
        ",
    );
    repo.orch(&["plan", "fix login", "--", "true"]).expect(
        "
        exit 2
        -- stderr
        error: the following required arguments were not provided:
          --run

        Usage: git orch plan --run <FILE or TEXT>... -- <CMD>...

        For more information, try '--help'.
        ",
    );
    repo.orch(&["plan", "--run"]).expect(
        "
        exit 2
        -- stderr
        error: the following required arguments were not provided:
          <FILE or TEXT>...

        Usage: git orch plan --run <FILE or TEXT>... [-- <CMD>...]

        For more information, try '--help'.
        ",
    );
    before.expect_same(&repo.everything(), "plan --run");
}
