//! What is not fanned out: work that needs context.

use crate::support::{TestRepo, days_ago};

/// A shop with an agent that is trusted.
fn shop() -> TestRepo {
    let repo = TestRepo::new();
    let both = [("src/api/login.rs", "fn login() { session() }\n"), ("src/web/login.ts", "session()\n")];
    repo.commit(&both, "introduce sessions of logged-in people", "Ann", days_ago(5));
    let agent = "version: 1\nagents:\n  house: { run: [../agents/shard.sh], prompt: stdin }\n";
    repo.write(".orch.yml", agent);
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo
}

#[test]
fn agents_are_not_fanned_out_where_the_parts_hang_together() {
    let repo = shop();
    let before = repo.everything();
    let brief = "introduce sessions that end";
    let call = [
        "fanout",
        "sessions",
        "--agent",
        "house",
        "--brief",
        brief,
        "--paths",
        "src",
        "--shards",
        "directory",
    ];
    for dry_run in [&[][..], &["--dry-run"]] {
        repo.orch(&[&call[..], dry_run].concat()).expect(
            "
            exit 3
            -- stderr
            error: this reads like work whose parts hang together: it says `introduce`
            hint: like it, and across 2 shards: <oid> introduce sessions of logged-in people (2 files)
            hint: give it to the session that knows the code: `git orch task 'introduce sessions that end'`
            hint: if each shard can be done without the others: `--context-free`
            ",
        );
    }
    before.expect_same(&repo.everything(), "a refused fan-out");
    repo.orch(&[&call[..], &["--context-free", "-q"]].concat()).expect(
        "
        exit 0
        -- stdout
        2 shards, 4 files changed, disjoint
        review/sessions
        ",
    );
}

#[test]
fn what_has_no_context_to_lose_is_not_refused() {
    let repo = shop();
    let agent = |brief: &str, more: &[&str]| {
        let call = ["fanout", "x", "--agent", "house", "--brief", brief, "--paths", "src", "--dry-run", "-q"];
        repo.orch(&[&call[..], more].concat()).exit
    };
    assert_eq!(agent("write tests for each module", &["--shards", "directory"]), 0);
    assert_eq!(agent("say what it does", &["--shards", "directory"]), 0);
    assert_eq!(agent("refactor it", &["--shards", "directory"]), 3);
    assert_eq!(agent("refactor it", &["--shards", "1"]), 0, "one shard has no other to know of");
    let command = ["fanout", "refactor", "--run", "true refactor", "--paths", "src", "-q"];
    assert_eq!(repo.orch(&command).exit, 0);
}

#[test]
fn a_brief_beside_a_checker_is_judged_and_problems_are_not() {
    let repo = shop();
    let from = "grep -rn . src | sed 's/$/ refactor/'";
    let call = ["fanout", "x", "--from", from, "--agent", "house", "-q"];
    for dry_run in [&[][..], &["--dry-run"]] {
        repo.orch(&[&call[..], &["--brief", "refactor what is named"], dry_run].concat()).expect(
            "
            exit 3
            -- stderr
            error: this reads like work whose parts hang together: it says `refactor`
            hint: give it to the session that knows the code: `git orch task 'refactor what is named'`
            hint: if each shard can be done without the others: `--context-free`
            ",
        );
    }
    let dry_run = |more: &[&str]| repo.orch(&[&call[..], &["--dry-run"], more].concat()).exit;
    assert_eq!(dry_run(&["--brief", "refactor what is named", "--context-free"]), 0);
    assert_eq!(dry_run(&[]), 0);
    assert_eq!(
        repo.orch(&["fanout", "x", "--from", from, "--run", "true refactor", "--dry-run", "-q"]).exit,
        0
    );
}

#[test]
fn a_task_in_the_place_of_a_job_is_sent_to_its_command() {
    let repo = shop();
    repo.orch(&["fanout", "rename the API of login's", "--agent", "house"]).expect(
        r#"
        exit 2
        -- stderr
        error: this is no job's name but reads like a task: `rename the API of login's`
        hint: give it to the session that knows the code: `git orch task 'rename the API of login'\''s'`
        hint: or have an agent do each shard: `git orch fanout NAME --agent AGENT --brief TEXT`
        "#,
    );
}

#[test]
fn a_plan_says_what_can_be_fanned_out() {
    let repo = shop();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "--adopt-history", "-q"]).expect_success();
    repo.orch(&["plan", "format all files", "generate tests for each module", "introduce roles"]).expect("
        exit 0
        -- stdout
          wave  task                            session  score  why
             1  format-all-files                backend   0.00  context-free, fan it out: git orch fanout fmt
             2  generate-tests-for-each-module  backend  -0.05  context-free, fan it out: git orch fanout; behind format-all-files in the same session
             3  introduce-roles                 backend   0.61  behind generate-tests-for-each-module in the same session
        -- stderr
        3 tasks for 1 session, one after the other
        next: the same command and --run -- AGENT
        ");
    let told = repo.orch(&["plan", "format all files", "introduce roles", "--json"]).json();
    let context = |index: usize| told["data"]["tasks"][index]["context"].to_string();
    assert_eq!(context(0), r#"{"reads":"context-free","words":["format","all"]}"#);
    assert_eq!(context(1), r#"{"reads":"needs-context","words":["introduce"]}"#);
}
