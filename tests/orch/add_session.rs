//! `git orch add-session` and `git orch remove-session`.

use crate::support::{TestRepo, days_ago};

#[test]
fn a_session_is_a_branch_a_worktree_and_a_record() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        -- stderr
        session backend: branch orch/backend from main <oid>
        ",
    );
    repo.refs().expect(
        "
        exit 0
        -- stdout
        refs/heads/main web: login and cart
        refs/heads/orch/backend web: login and cart
        refs/orch/session/backend session backend: added
        ",
    );
    assert_eq!(
        repo.git(&["-C", "../shop.orch/backend", "status", "--short", "--branch"]),
        "## orch/backend\n"
    );
    assert_eq!(repo.read("shop.orch/backend/src/api/cart.rs"), "fn cart() {}\n");
}

#[test]
fn adding_the_same_session_again_is_success() {
    let repo = TestRepo::new();
    let add = ["add-session", "backend", "--paths", "src/api", "--specialty", "API"];
    repo.orch(&add).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        -- stderr
        session backend: branch orch/backend from main <oid>
        ",
    );
    let before = repo.everything();
    repo.orch(&add).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        -- stderr
        session backend is there already
        ",
    );
    before.expect_same(&repo.everything(), "the second add-session");
}

#[test]
fn a_session_made_otherwise_is_not_changed() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        -- stderr
        session backend: branch orch/backend from main <oid>
        ",
    );
    let before = repo.everything();
    repo.orch(&["add-session", "backend", "--paths", "src/web"]).expect(
        "
        exit 3
        -- stderr
        error: there is a session `backend` already, made otherwise
        hint: `git orch show backend` shows it; `git orch remove-session backend` takes it away
        ",
    );
    before.expect_same(&repo.everything(), "add-session");
}

#[test]
fn a_dry_run_makes_nothing() {
    let repo = TestRepo::new();
    let before = repo.everything();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "--dry-run"]).expect(
        "
        exit 0
        -- stderr
        would make orch/backend from main <oid> in $TMP/shop.orch/backend
        ",
    );
    before.expect_same(&repo.everything(), "add-session --dry-run");
}

#[test]
fn only_the_path_goes_to_standard_output_and_json_replaces_it() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "--quiet"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        ",
    );
    repo.orch(&["add-session", "web", "--paths", "src/web", "--json", "-q"]).expect(r#"
        exit 0
        -- stdout
        {"schema":"git-orch/1","command":"add-session","data":{"name":"web","branch":"orch/web","worktree":"$TMP/shop.orch/web","base":"main","base_oid":"<oid>","specialty":"","paths":["src/web"],"state":"idle","ahead":0,"behind":0,"load":0,"open_tasks":[],"last_activity":"<moment>","knows":[]}}
        "#);
}

#[test]
fn defaults_come_from_the_shared_settings() {
    let repo = TestRepo::new();
    let settings = "version: 1\nsessions:\n  api: { paths: [\"src/api/**\"], specialty: \"API, auth\" }\n";
    repo.write(".orch.yml", settings);
    repo.orch(&["add-session", "api"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/api
        -- stderr
        session api: branch orch/api from main <oid>
        ",
    );
    let session = &repo.orch(&["show", "api", "--json"]).json()["data"];
    assert_eq!(session["specialty"], "API, auth");
    assert_eq!(session["paths"], serde_json::json!(["src/api/**"]));
}

#[test]
fn patterns_are_taken_from_the_folder_one_is_in() {
    let repo = TestRepo::new();
    let call = repo.call(&["add-session", "api", "--paths", "api/login.rs", "../README.md"]);
    call.within(repo.path("src")).run().expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/api
        -- stderr
        session api: branch orch/api from main <oid>
        ",
    );
    let session = &repo.orch(&["show", "api", "--json"]).json()["data"];
    assert_eq!(session["paths"], serde_json::json!(["src/api/login.rs", "README.md"]));
}

#[test]
fn adopted_history_tells_what_the_session_knows() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "--adopt-history"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        -- stderr
        session backend: branch orch/backend from main <oid>
        adopted 1 commit; knows src/api/cart.rs best, then src/api/login.rs
        ",
    );
    repo.orch(&["add-session", "ben", "--paths", "src", "--authors", "ben@example.com"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/ben
        -- stderr
        session ben: branch orch/ben from main <oid>
        adopted 1 commit; knows src/web/cart.ts best, then src/web/login.ts
        ",
    );
}

#[test]
fn listed_ignored_files_are_copied_once_trusted() {
    let repo = TestRepo::new();
    let files = [(".gitignore", ".env\n*.key\n"), (".worktreeinclude", ".env\n")];
    repo.commit(&files, "carry .env", "Ann", days_ago(5));
    repo.write(".env", "TOKEN=1\n");
    repo.write("other.key", "k\n");
    repo.orch(&["add-session", "one", "--paths", "src"]).expect("
        exit 0
        -- stdout
        $TMP/shop.orch/one
        -- stderr
        session one: branch orch/one from main <oid>
        warning: the files that `.worktreeinclude` lists are not copied: the repository is not trusted; see `git orch trust`
        ");
    repo.orch(&["trust", "--yes"]).expect(
        "
        exit 0
        -- stdout
          for         command                                  trusted
          repository  built-in agents, tools and copied files  no
        -- stderr
        trusted; a changed command asks again
        ",
    );
    repo.orch(&["add-session", "two", "--paths", "src"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/two
        -- stderr
        session two: branch orch/two from main <oid>
        copied .env
        ",
    );
    assert!(!repo.worktree("one").join(".env").exists());
    assert_eq!(repo.read("shop.orch/two/.env"), "TOKEN=1\n");
    assert!(!repo.worktree("two").join("other.key").exists());
}

#[test]
fn the_setup_runs_once_trusted() {
    let repo = TestRepo::new();
    repo.write(".orch.yml", "version: 1\nsetup: touch built\n");
    repo.orch(&["add-session", "one", "--paths", "src"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/one
        -- stderr
        session one: branch orch/one from main <oid>
        warning: the setup `touch built` was not run: it is not trusted; see `git orch trust`
        ",
    );
    repo.orch(&["trust", "--yes"]).expect(
        "
        exit 0
        -- stdout
          for         command                                  trusted
          repository  built-in agents, tools and copied files  no
          setup       touch built                              no
        -- stderr
        trusted; a changed command asks again
        ",
    );
    repo.orch(&["add-session", "two", "--paths", "src"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/two
        -- stderr
        session two: branch orch/two from main <oid>
        setup `touch built` took <time>
        ",
    );
    assert!(!repo.worktree("one").join("built").exists());
    assert!(repo.worktree("two").join("built").exists());
}

#[test]
fn a_removed_session_loses_nothing() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        ",
    );
    let script =
        "cd ../shop.orch/backend && echo new > new.txt && echo ignored > .env && echo .env > .gitignore
        git commit -q --allow-empty -m 'by hand'";
    repo.shell(script).run().expect("exit 0");
    // The file `.git` among them names a path below the top folder.
    let size = 103 + repo.top().as_os_str().len();
    repo.orch(&["remove-session", "backend"]).expect(&format!(
        "
        exit 0
        -- stderr
        removed session backend; its work is kept as refs/orch/trash/backend-<oid>
        its files, {size} B, are in $TMP/shop.orch/.trash/backend-<oid>
        "
    ));
    let kept = repo.git(&["for-each-ref", "--format=%(refname)", "refs/orch/trash"]);
    assert_eq!(repo.git(&["show", &format!("{}:new.txt", kept.trim())]), "new\n");
    assert!(repo.git(&["log", "--format=%s", kept.trim()]).contains("by hand\n"));
    repo.shell("cat ../shop.orch/.trash/*/.env; git worktree list; git branch --list 'orch/*'").run().expect(
        "
        exit 0
        -- stdout
        ignored
        $TMP/shop  <oid> [main]
        ",
    );
    repo.orch(&["remove-session", "backend"]).expect(
        "
        exit 0
        -- stderr
        session backend is removed already
        ",
    );
}

#[test]
fn a_name_can_be_used_again_after_its_removal() {
    let repo = TestRepo::new();
    for _ in 0..2 {
        repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect(
            "
            exit 0
            -- stdout
            $TMP/shop.orch/backend
            ",
        );
        repo.orch(&["remove-session", "backend", "-q"]).expect("exit 0");
    }
}

#[test]
fn a_session_with_an_open_task_stays() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        ",
    );
    repo.orch(&["task", "fix login", "-q"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        ",
    );
    let before = repo.everything();
    repo.orch(&["remove-session", "backend"]).expect(
        "
        exit 3
        -- stderr
        error: session `backend` still has the task `fix-login` (running)
        hint: finish it, or call it off: `git orch cancel fix-login`
        hint: or hand its open work over: `git orch handoff backend --to SESSION`
        ",
    );
    before.expect_same(&repo.everything(), "remove-session");
}

#[test]
fn files_of_a_session_whose_record_was_lost_are_left_alone() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        ",
    );
    repo.shell(
        "echo precious > ../shop.orch/backend/work.txt && git update-ref -d refs/orch/session/backend",
    )
    .run()
    .expect("exit 0");
    let before = repo.everything();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect(
        "
        exit 3
        -- stderr
        error: there is a branch `orch/backend` already
        hint: choose another name, or rename it: `git branch -m orch/backend NEW-NAME`
        ",
    );
    before.expect_same(&repo.everything(), "add-session");
}

#[test]
fn what_a_killed_attempt_left_is_taken_over() {
    let repo = TestRepo::new();
    let script = "git worktree add -q --no-checkout --lock --reason 'git-orch session backend' \
                  -b orch/backend ../shop.orch/backend";
    repo.shell(script).run().expect("exit 0");
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect(
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
fn files_that_a_killed_attempt_did_not_write_are_written_by_the_next_command() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    let script = "cd ../shop.orch/backend && rm -r src/web && echo mine > README.md
        rm $(git rev-parse --git-dir)/index; cd ../../shop
        printf '{\"version\":1,\"intent\":\"add-session\",\"session\":%s}' \"$(git show refs/orch/session/backend:session.json)\" \
            >.git/orch/journal/add-session-killed";
    repo.shell(script).run().expect("exit 0");
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.shell("git -C ../shop.orch/backend status --short; cat ../shop.orch/backend/README.md")
        .run()
        .expect(
            "
        exit 0
        -- stdout
         M README.md
        mine
        ",
        );
}
