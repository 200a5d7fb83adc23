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
            ",
    );
    assert_eq!(told, repo.call(&["plan", "-"]).stdin("fix login\nsort the cart\n").run());
    repo.call(&["plan", "-", "fix login"]).stdin("fix login\n").run().expect(
        "
            exit 0
            -- stdout
              wave  task       session  score  why
                 1  fix-login  backend   1.14  touched 2 of 4 likely files
            -- stderr
            warning: a task that stands there more than once is taken once
            1 task for 1 session
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
