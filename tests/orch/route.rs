//! `git orch route` and `git orch history`.

use crate::support::{TestRepo, days_ago};

/// A shop whose sessions know the API, the web and nothing.
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
    repo.orch(&["add-session", "docs", "--paths", "docs", "--specialty", "manual, guides", "-q"])
        .expect_success();
    repo
}

#[test]
fn a_task_goes_to_the_session_that_touched_its_files() {
    let repo = shop();
    repo.orch(&["route", "fix login"]).expect(
        "
        exit 0
        -- stdout
        fix login → backend   1.14, next frontend 0.24
        ",
    );
    repo.orch(&["route", "sort the cart"]).expect(
        "
        exit 0
        -- stdout
        sort the cart → frontend   1.30, next backend 0.09
        ",
    );
    repo.orch(&["route", "tidy up", "--paths", "src/web/cart.ts"]).expect(
        "
        exit 0
        -- stdout
        tidy up → frontend   1.39, next backend 0.03
        ",
    );
}

#[test]
fn the_reasons_are_figures_that_add_up() {
    let repo = shop();
    repo.orch(&["route", "fix login", "--why"]).expect(
        "
        exit 0
        -- stdout
        fix login → backend   1.14, next frontend 0.24

        targets, predicted from 8 similar commits
          src/api/login.rs  1.00
          src/web/login.ts  0.56
          src/api/cart.rs   0.38
          src/web/cart.ts   0.37

                    context  recent  last  focus  words  similar  specialty  load  score
          weight       0.12    0.12  0.15   0.15   0.31     0.15        0.5    -1
          backend      0.75    0.54  0.78   0.80   0.65     0.90       0.82  0.00   1.14
          frontend     0.16    0.09  0.19   0.19   0.16     0.10       0.18  0.00   0.24
          docs         0.00    0.00  0.00   0.00   0.00     0.00       0.00  0.00   0.00

        backend, because
          src/api/login.rs  7 touches, last <time> ago  <oid> 2023-11-17  login: rule 6
          src               7 touches, last <time> ago  <oid> 2023-11-17  login: rule 6
          src/api/cart.rs   1 touch, last <time> ago    <oid> 2023-10-31  api: login and cart
          <oid> 2023-11-17  login: rule 6  0.69 alike
          <oid> 2023-11-16  login: rule 5  0.68 alike
          <oid> 2023-11-15  login: rule 4  0.68 alike

        frontend has
          src               7 touches, last <time> ago  <oid> 2023-11-17  cart: sort by 6
          src/web/login.ts  1 touch, last <time> ago   <oid> 2023-11-10  web: login and cart
          src/web/cart.ts   7 touches, last <time> ago  <oid> 2023-11-17  cart: sort by 6
          <oid> 2023-11-10  web: login and cart  0.52 alike
        ",
    );
    let data = &repo.orch(&["route", "fix login", "--json"]).json()["data"];
    for candidate in data["candidates"].as_array().unwrap() {
        let terms = candidate["terms"].as_array().unwrap();
        let sum: f64 =
            terms.iter().map(|term| term["value"].as_f64().unwrap() * term["weight"].as_f64().unwrap()).sum();
        assert!((sum - candidate["score"].as_f64().unwrap()).abs() < 1e-9, "{candidate}");
    }
}

#[test]
fn without_history_specialty_decides_and_says_so() {
    let repo = shop();
    repo.orch(&["route", "translate the manual"]).expect(
        "
        exit 0
        -- stdout
        translate the manual → docs   unsure: no session has touched anything like it
        by specialty only: docs 0.25, backend 0.00, frontend 0.00
        say --session, or --paths to help
        ",
    );
    repo.orch(&["route", "anything", "--paths", "docs/new.md"]).expect(
        "
        exit 0
        -- stdout
        anything → docs   0.50, next frontend 0.00
        ",
    );
}

#[test]
fn the_same_question_gets_the_same_bytes_and_changes_nothing() {
    let repo = shop();
    let first = repo.orch(&["route", "fix login", "--json"]).stdout;
    let before = repo.everything();
    for _ in 0..3 {
        assert_eq!(repo.orch(&["route", "fix login", "--json"]).stdout, first);
    }
    repo.shell("rm -rf .git/orch").changing_checkout().run().expect("exit 0");
    assert_eq!(repo.orch(&["route", "fix login", "--json"]).stdout, first);
    before.expect_same(&repo.everything(), "route");
}

#[test]
fn history_is_rebuilt_byte_for_byte() {
    let repo = shop();
    repo.orch(&["task", "fix login", "-q", "--", &repo.agent("edit.sh"), "src/api/login.rs"])
        .expect_success();
    repo.orch(&["history", "backend"]).expect(
        "
        exit 0
        -- stdout
        backend: 8 commits
          folder   touches  last            recent  lasting
          src/api        8  <oid> <time> ago    4.67     7.90
          <oid> 2023-11-20 fix login
            M src/api/login.rs
        ",
    );
    repo.orch(&["history", "backend", "--path", "src/api/login.rs"]).expect(
        "
        exit 0
        -- stdout
        src/api/login.rs
          session  touches  last            recent  lasting
          backend        8  <oid> <time> ago    4.60     7.42
          <oid> 2023-11-20 fix login
            M src/api/login.rs
        ",
    );
    let notes = "git rev-parse refs/notes/orch/touch/backend^{tree}";
    let tree = repo.shell(notes).run().stdout;
    repo.shell("git update-ref -d refs/notes/orch/touch/backend; rm -rf .git/orch")
        .changing_checkout()
        .run()
        .expect("exit 0");
    repo.orch(&["history", "--rebuild"]).expect(
        "
        exit 0
        -- stdout
        backend: 8 commits, last <time> ago
          7.42  src/api/login.rs
          0.48  src/api/cart.rs
        docs: 0 commits
        frontend: 7 commits, last <time> ago
          6.43  src/web/cart.ts
          0.49  src/web/login.ts
        ",
    );
    assert_eq!(repo.shell(notes).run().stdout, tree);
    repo.shell("git log -1 --format=%N --notes='orch/touch/*' orch/backend").run().expect(
        "
        exit 0
        -- stdout
        M src/api/login.rs
        session backend
        task fix-login
        ",
    );
}

#[test]
fn people_who_committed_are_asked_about_where_there_are_no_sessions() {
    let repo = TestRepo::new();
    repo.commit(&[("src/api/login.rs", "fn login() { 1 }\n")], "api: login, faster", "ann", days_ago(3));
    let map = "Ann Lee <ann@example.com>\nBen <ben@example.com> <benny@example.com>\n";
    repo.commit(&[(".mailmap", map)], "mailmap: us", "Benny", days_ago(2));
    for day in 0..9 {
        let text = format!("fn login() {{ {day} }}\n");
        repo.commit(&[("src/api/login.rs", &text)], "api: login, bumped", "Renovate Bot", days_ago(1));
    }
    repo.orch(&["route", "login is slow"]).expect(
        "
        exit 3
        -- stderr
        error: there is no session to route to
        hint: make one: `git orch add-session NAME --paths GLOB --adopt-history`
        hint: or ask who knows the code: `git orch route --import authors TEXT`
        ",
    );
    repo.orch(&["route", "--import", "authors", "login is slow", "--paths", "src/api", "--why"]).expect(
        "
        exit 0
        -- stdout
        login is slow → Ann Lee <ann@example.com>   0.56, next Ben 0.22

        targets, as given
          src/api  1.00

                   context  recent  last  focus  words  similar  active  specialty  load  score
          weight      0.15    0.15  0.05    0.2    0.2      0.1    0.15        0.5    -1
          Ann Lee     0.76    0.49  0.91   0.60   0.34     0.67    0.50       0.00  0.00   0.56
          Ben         0.07    0.02  0.00   0.20   0.28     0.33    0.50       0.00  0.00   0.22

        Ann Lee, because
          src/api  2 touches, last <time> ago  <oid> 2023-11-17  api: login, faster
          <oid> 2023-11-17  api: login, faster   0.65 alike
          <oid> 2023-10-31  api: login and cart  0.61 alike

        Ben has
          src  1 touch, last <time> ago  <oid> 2023-11-10  web: login and cart
          <oid> 2023-11-10  web: login and cart  0.63 alike
        ",
    );
    let route = repo.orch(&["route", "--import", "authors", "--paths", "src/web", "--json"]).stdout;
    assert!(route.contains(r#""person":{"name":"Ben","email":"ben@example.com"}"#), "{route}");
    assert!(!route.to_lowercase().contains("renovate"), "{route}");
}

#[test]
fn a_symbol_in_backticks_stands_for_the_file_that_defines_it() {
    let repo = shop();
    repo.commit(&[("src/web/money.ts", "export function round() {}\n")], "web: money", "Ben", days_ago(1));
    repo.orch(&["route", "make `round()` faster", "--why"]).expect(
        "
        exit 0
        -- stdout
        make `round()` faster → frontend   1.38, next backend 0.03

        targets, named in the task
          src/web/money.ts  1.00

                    context  recent  last  focus  specialty  load  score
          weight       0.21    0.21  0.29   0.29        0.5    -1
          frontend     0.82    0.75  0.97   0.91       1.00  0.00   1.38
          backend      0.03    0.02  0.00   0.07       0.00  0.00   0.03
          docs         0.00    0.00  0.00   0.00       0.00  0.00   0.00

        frontend, because
          src/web/money.ts  1 touch, last <time> ago  <oid> 2023-11-19  web: money

        backend has
          src  7 touches, last <time> ago  <oid> 2023-11-17  login: rule 6
        ",
    );
}
