//! Several viewpoints, one after the other, until they agree.

use crate::support::{TestRepo, days_ago};

/// Asks for changes until the result says why.
const PICKY: &str = "grep -q because src/api/login.rs && echo approve >$GIT_ORCH_VERDICT || printf 'change\\nsay why\\n' >$GIT_ORCH_VERDICT";
/// Does the task, and what is asked for then.
const WILLING: &str =
    "grep -q 'say why' && echo because >>src/api/login.rs || echo edited >>src/api/login.rs";

/// Three sessions and these settings, trusted.
fn shop(settings: &str) -> TestRepo {
    let repo = TestRepo::new();
    repo.commit(&[(".orch.yml", &format!("version: 1\n{settings}"))], "settings", "Ann", days_ago(1));
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    for (session, paths) in [("backend", "src/api"), ("frontend", "src/web"), ("docs", "README.md")] {
        repo.orch(&["add-session", session, "--paths", paths, "-q"]).expect_success();
    }
    repo
}

fn task(repo: &TestRepo, words: &[&str], script: &str) -> crate::support::output::Output {
    let task = ["task", "fix login", "--session", "backend"];
    repo.orch(&[&task[..], words, &["--", "sh", "-c", script]].concat())
}

#[test]
fn the_tester_adds_first_and_the_reviewer_sees_all_of_it() {
    let repo = shop(
        "agents:
  try: { run: 'echo t >test; echo approve >$GIT_ORCH_VERDICT' }
  read: { run: 'ls >seen; test -f test && echo approve >$GIT_ORCH_VERDICT' }
viewpoints: { agents: { tester: try, reviewer: read } }\n",
    );
    task(&repo, &["--viewpoints", "reviewer,tester"], WILLING).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        done in <time>: 1 commit, 1 file
          M src/api/login.rs
        docs looks at fix-login as tester (only its author knows it)
        docs approves fix-login as tester in <time>, and adds 1 commit
        frontend looks at fix-login as reviewer (only its author knows it)
        what frontend changed there, 1 file, is dropped: a reviewer says it
        frontend approves fix-login as reviewer in <time>
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.call(&["merge", "fix-login", "-q"]).changing_checkout().run().expect_success();
    assert_eq!(repo.git(&["show", "main:test"]), "t\n");
}

#[test]
fn the_developer_makes_what_is_asked_for_and_all_look_again() {
    let repo = shop(&format!(
        "agents:\n  picky: {{ run: \"{}\" }}\nviewpoints: {{ agents: {{ reviewer: picky }} }}\n",
        PICKY.replace('\\', "\\\\")
    ));
    task(&repo, &["--viewpoints", "reviewer"], WILLING).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        done in <time>: 1 commit, 1 file
          M src/api/login.rs
        docs looks at fix-login as reviewer (only its author knows it)
        docs asks for changes in fix-login as reviewer in <time>: say why
        backend makes the changes, round 1 of 2 at most
        backend has made them: 2 commits, 1 file now
        docs looks at fix-login as reviewer (as before)
        docs approves fix-login as reviewer in <time>
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    let shown = repo.orch(&["show", "fix-login", "--json"]).json();
    let verdicts = shown["data"]["viewpoints"].as_array().unwrap().iter().map(|look| look["verdict"].clone());
    assert_eq!(verdicts.collect::<Vec<_>>(), ["change", "approve"]);
    assert_eq!(shown["data"]["needs"][0], "reviewer");
}

#[test]
fn rounds_end_and_what_is_left_is_told() {
    let refuses = "agents:\n  no: { run: \"printf 'change\\\\nno\\\\n' >$GIT_ORCH_VERDICT\" }\n";
    let repo = shop(&format!("{refuses}viewpoints: {{ agents: {{ reviewer: no }}, rounds: 1 }}\n"));
    let more = "echo more >>src/api/login.rs";
    task(&repo, &["--viewpoints", "reviewer"], more).expect(
        "
        exit 1
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        done in <time>: 1 commit, 1 file
          M src/api/login.rs
        docs looks at fix-login as reviewer (only its author knows it)
        docs asks for changes in fix-login as reviewer in <time>: no
        backend makes the changes, round 1 of 1 at most
        backend has made them: 2 commits, 1 file now
        docs looks at fix-login as reviewer (as before)
        docs asks for changes in fix-login as reviewer in <time>: no
        changes were made once, and more are asked for: see git orch show fix-login
        next: git orch retry fix-login
        ",
    );
    // Once more, by hand; it goes on with the rounds.
    repo.orch(&["retry", "fix-login"]).expect(
        "
        exit 1
        -- stdout
        review/fix-login
        -- stderr
        done in <time>: 3 commits, 1 file
          M src/api/login.rs
        docs looks at fix-login as reviewer (as before)
        docs asks for changes in fix-login as reviewer in <time>: no
        backend makes the changes, round 1 of 1 at most
        backend has made them: 4 commits, 1 file now
        docs looks at fix-login as reviewer (as before)
        docs asks for changes in fix-login as reviewer in <time>: no
        changes were made once, and more are asked for: see git orch show fix-login
        next: git orch retry fix-login
        ",
    );
    repo.orch(&["review", "fix-login", "--by"]).expect(
        "
        exit 3
        -- stderr
        error: changes were asked of `fix-login`
        hint: let them be made: `git orch retry fix-login`; or have it looked at as it is: `git orch review fix-login --by SESSION`
        ",
    );
}

#[test]
fn a_developer_who_fails_ends_the_rounds() {
    let repo = shop(
        "agents:\n  no: { run: \"printf 'change\\\\nno\\\\n' >$GIT_ORCH_VERDICT\" }\nviewpoints: { agents: { reviewer: no } }\n",
    );
    task(&repo, &["--viewpoints", "reviewer", "-q"], "test ! -e x && echo x >x || exit 7").expect(
        "
        exit 1
        -- stdout
        review/fix-login
        ",
    );
    repo.orch(&["tasks", "--all"]).expect(
        "
        exit 0
        -- stdout
          task       state   session  files  last    text
          fix-login  failed  backend      1  <time> ago  fix login
        ",
    );
}

#[test]
fn viewpoints_without_an_agent_wait_for_a_person() {
    let repo = shop(
        "agents:\n  yes: { run: 'echo approve >$GIT_ORCH_VERDICT' }\nviewpoints: { agents: { tester: yes } }\n",
    );
    task(&repo, &["--viewpoints", "reviewer", "--viewpoints", "tester"], WILLING).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        done in <time>: 1 commit, 1 file
          M src/api/login.rs
        docs looks at fix-login as tester (only its author knows it)
        docs approves fix-login as tester in <time>
        waits for reviewer: docs
        next: git orch review fix-login --diff
        then: git orch review fix-login --approve --viewpoint reviewer
        ",
    );
    repo.orch(&["merge", "fix-login"]).expect(
        "
        exit 3
        -- stderr
        error: `fix-login` lacks the approval of reviewer
        hint: `git orch review fix-login --approve --viewpoint reviewer`
        hint: or have a session look at it: `git orch review fix-login --by`
        ",
    );
    repo.orch(&["review", "fix-login", "--by", "--json"]).json();
    repo.orch(&["review", "fix-login", "--approve", "-q"]).expect("exit 0\n");
    repo.call(&["merge", "fix-login", "-q"]).changing_checkout().run().expect_success();
}

#[test]
fn what_the_base_asks_for_goes_on_by_itself_where_an_agent_is_set_for_it() {
    let repo = shop(
        "agents:\n  yes: { run: 'echo approve >$GIT_ORCH_VERDICT' }\nviewpoints: { default: [reviewer, documenter], agents: { documenter: yes } }\n",
    );
    task(&repo, &[], WILLING).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        done in <time>: 1 commit, 1 file
          M src/api/login.rs
        docs looks at fix-login as documenter (only its author knows it)
        docs approves fix-login as documenter in <time>
        fix-login lacks the approval of reviewer
        next: git orch review fix-login --by
        ",
    );
    repo.orch(&["review", "fix-login", "--by", "--dry-run"]).expect(
        "
        exit 0
        -- stdout
        fix-login would wait for reviewer: docs
        ",
    );
    repo.orch(&["review", "fix-login", "--by", "--agent", "yes", "--dry-run"]).expect(
        "
        exit 0
        -- stdout
        docs would look at fix-login as reviewer, by yes
        ",
    );
    let yes = ["review", "fix-login", "--by", "--agent", "yes"];
    repo.orch(&yes).expect(
        "
        exit 0
        -- stdout
        docs approves fix-login as reviewer in <time>
        -- stderr
        docs looks at fix-login as reviewer (only its author knows it)
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&yes).expect(
        "
        exit 0
        -- stderr
        fix-login has every approval that it needs
        ",
    );
}

#[test]
fn asking_for_less_weakens_no_gate_and_large_results_need_more() {
    let repo = shop(
        "viewpoints: { rules: [{ files: 2, require: [tester] }, { lines: 3, require: [documenter] }, { paths: [src/api], files: 3, require: [reviewer] }] }\n",
    );
    let lacking = |name: &str| repo.orch(&["review", name, "--json"]).json()["data"]["lacks"].clone();
    for (name, script, lacks) in [
        ("one", "echo 1 >a", serde_json::json!([])),
        ("two", "echo 1 >a; echo 1 >b", serde_json::json!(["tester"])),
        ("three", "seq 3 >a", serde_json::json!(["documenter"])),
        (
            "four",
            "seq 2 >a; rm README.md; printf '\\0' >src/api/b",
            serde_json::json!(["reviewer", "tester", "documenter"]),
        ),
    ] {
        let words = ["task", name, "--session", "docs", "-q", "--", "sh", "-c", script];
        repo.orch(&words).expect_success();
        assert_eq!(lacking(name), lacks, "{name}");
        repo.orch(&["cancel", name, "-q"]).expect("exit 0\n");
    }
    let words =
        ["task", "five", "--viewpoints", "reviewer", "--session", "docs", "-q", "--", "sh", "-c", "seq 3 >a"];
    repo.orch(&words).expect_success();
    assert_eq!(lacking("five"), serde_json::json!(["reviewer", "documenter"]));
}

#[test]
fn who_knows_the_touched_paths_looks_or_who_is_called_so() {
    let repo = TestRepo::new();
    for (session, paths) in [("backend", "src/api"), ("frontend", "src/web"), ("docs", "README.md")] {
        repo.orch(&["add-session", session, "--paths", paths, "--adopt-history", "-q"]).expect_success();
    }
    let edit = repo.agent("edit.sh");
    repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", &edit, "src/web/login.ts"])
        .expect_success();
    let by = |viewpoint: &str| {
        repo.orch(&[
            "review",
            "fix-login",
            "--by",
            "--viewpoint",
            viewpoint,
            "--",
            "sh",
            "-c",
            "cat >../../../brief; echo approve >$GIT_ORCH_VERDICT",
        ])
    };
    by("reviewer").expect(
        "
        exit 0
        -- stdout
        frontend approves fix-login as reviewer in <time>
        -- stderr
        frontend looks at fix-login as reviewer (it touched 1 of 1 file)
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    let brief = repo.read("brief");
    let known = "## What session frontend did there before\n\n```text\nsrc/web/login.ts: 1 touch, last 2023-11-10 in ";
    assert!(brief.contains(known), "{brief}");
    repo.orch(&["add-session", "tester", "--paths", "tests", "-q"]).expect_success();
    by("tester").expect(
        "
        exit 0
        -- stdout
        tester approves fix-login as tester in <time>
        -- stderr
        tester looks at fix-login as tester (by its name)
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
}

#[test]
fn where_there_is_no_other_session_a_person_looks() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    let edit = repo.agent("edit.sh");
    repo.orch(&["task", "fix login", "--viewpoints", "reviewer", "--", &edit]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login (0.25)
        done in <time>: 1 commit, 1 file
          A work.txt
        waits for reviewer: nobody else knows it
        next: git orch review fix-login --diff
        then: git orch review fix-login --approve --viewpoint reviewer
        ",
    );
    repo.orch(&["review", "fix-login", "--by", "--", "true"]).expect(
        "
        exit 3
        -- stderr
        error: nobody else knows `fix-login`: there is no session but `backend`, which did it
        hint: make one: `git orch add-session NAME --paths GLOB --adopt-history`
        hint: or look at it: `git orch review fix-login --diff`, then `git orch review fix-login --approve --viewpoint reviewer`
        ",
    );
}

#[test]
fn rounds_that_are_interrupted_leave_a_result_that_waits() {
    let repo = shop(
        "agents:\n  slow: { run: 'touch ../../../begun; sleep 600' }\nviewpoints: { agents: { reviewer: slow } }\n",
    );
    let script =
        "git-orch task 'fix login' --session backend --viewpoints reviewer -q -- sh -c 'echo x >x' & pid=$!
        while [ ! -e ../begun ]; do sleep 0.02; done
        kill -TERM $pid; wait $pid; echo $?; ls -A ../shop.orch; git-orch tasks -q";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
        review/fix-login
        143
        backend
        docs
        frontend
          task       state   session  files  last    text
          fix-login  review  backend      1  <time> ago  fix login
        -- stderr
        error: terminated
        ",
    );
}
