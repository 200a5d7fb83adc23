//! A command killed at each of its calls of git: nothing is lost, and the next
//! command sets right what was left.

use super::support::TestRepo;
use super::support::output::Output;

/// A git on the `PATH` that kills git-orch behind its `AT`th call.
const KILLER: &str = r#"mkdir ../killer && cat >../killer/git <<'EOF' && chmod +x ../killer/git
#!/bin/sh
PATH=${PATH#*:}
read -r parent </proc/$PPID/comm
[ "$parent" = git-orch ] || exec git "$@"
calls=$(($(cat "$COUNT") + 1))
echo $calls >"$COUNT"
[ $calls = "$AT" ] || exec git "$@"
git "$@"
kill -9 $PPID
EOF
"#;

fn shop() -> TestRepo {
    let repo = TestRepo::new();
    repo.write(".gitignore", "*.secret\n");
    repo.git(&["add", "."]);
    repo.git(&["commit", "-qm", "ignore secrets"]);
    repo.shell(KILLER).run().expect_success();
    repo
}

/// Runs git-orch and kills it behind a call; whether it came that far.
fn killed(repo: &TestRepo, at: usize, arguments: &[&str]) -> bool {
    let count = repo.top().join("count");
    std::fs::write(&count, "0").unwrap();
    let path = repo.shell("printf %s \"$PATH\"").run().stdout;
    let path = format!("{}:{path}", repo.top().join("killer").display());
    let call = repo.call(arguments).env("PATH", path).env("COUNT", &count).env("AT", at.to_string());
    let _ = call.changing_checkout().run();
    std::fs::read_to_string(&count).unwrap().trim().parse::<usize>().unwrap() >= at
}

/// The next command, and what must hold after it.
fn set_right(repo: &TestRepo, at: usize) {
    expect_success(&repo.orch(&["doctor", "--fix"]), at);
    let left = repo.shell(
        "git for-each-ref refs/orch/keep; git fsck --connectivity-only 2>&1 | grep -v dangling
         find .git -name '*.lock' ! -name land.lock; git -C ../shop.orch/backend status --porcelain",
    );
    assert_eq!(left.run().stdout, "", "killed behind call {at}");
}

fn expect_success(output: &Output, at: usize) {
    assert_eq!(output.exit, 0, "killed behind call {at}\n{output}");
}

#[test]
fn a_run_that_fails_frees_its_session_wherever_it_is_killed() {
    let repo = shop();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    let mut at = 5;
    loop {
        let (task, script) =
            (format!("work {at}"), format!("echo edit {at} >kept; echo {at} >{at}.secret; exit 3"));
        let far = killed(&repo, at, &["task", &task, "--session", "backend", "--", "sh", "-c", &script]);
        set_right(&repo, at);
        let kept = format!("git grep -q '^edit {at}$' $(git rev-list --all) -- kept");
        if repo.worktree("backend").join(format!("{at}.secret")).exists() {
            expect_success(&repo.shell(&kept).run(), at);
        }
        if !far {
            break;
        }
        at += 3;
    }
    assert!(at > 14, "only {at} calls");
    assert_eq!(repo.read(&format!("shop.orch/backend/{at}.secret")), format!("{at}\n"));
}

#[test]
fn a_question_waits_in_a_free_session_wherever_it_is_killed() {
    let repo = shop();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    let (mut at, mut asked) = (12, 0);
    loop {
        let name = format!("ask-{at}");
        let script = format!("echo edit {at} >kept; git-orch report input -q -m why");
        let far = killed(&repo, at, &["task", &name, "--session", "backend", "--", "sh", "-c", &script]);
        set_right(&repo, at);
        if repo.orch(&["show", &name, "--json"]).json()["data"]["state"] == "input" {
            assert_eq!(repo.orch(&["answer", &name, "so"]).exit, 6, "killed behind call {at}");
            repo.orch(&["cancel", &name]).expect_success();
            asked += 1;
        }
        if !far {
            break;
        }
        at += 1;
    }
    assert!(asked > 2, "asked {asked} times, {at} calls");
}

#[test]
fn what_a_person_goes_on_from_is_there_wherever_it_is_killed() {
    let repo = shop();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    let (mut at, mut taken) = (5, 0);
    loop {
        let (name, edit) = (format!("work-{at}"), format!("edit {at}\n"));
        let script = format!("echo edit {at} >kept; exit 3");
        assert_eq!(repo.orch(&["task", &name, "--session", "backend", "--", "sh", "-c", &script]).exit, 1);
        let far = killed(&repo, at, &["retry", &name, "--agent", "person"]);
        expect_success(&repo.orch(&["doctor", "--fix"]), at);
        if repo.orch(&["show", &name, "--json"]).json()["data"]["state"] == "running" {
            assert_eq!(repo.read("shop.orch/backend/kept"), edit, "killed behind call {at}");
            repo.orch(&["cancel", &name]).expect_success();
            taken += 1;
        }
        set_right(&repo, at);
        if !far {
            break;
        }
        at += 1;
    }
    assert!(taken > 1, "taken {taken} times, {at} calls");
}

#[test]
fn a_task_that_died_before_it_began_outlives_a_retry_that_is_refused() {
    let repo = shop();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    let died = "git-orch task busy --session backend --detach -q -- sleep 60
        git-orch task 'fix login' --session backend -q -- true & until git-orch tasks | grep -q 'fix-login *queued'; do sleep 0.02; done
        kill -9 $!; git-orch cancel busy -q; git-orch doctor --fix -q; echo mine >../shop.orch/backend/mine";
    repo.shell(died).run().expect_success();
    assert_eq!(repo.orch(&["retry", "fix-login", "--", "true"]).exit, 3);
    assert_eq!(repo.orch(&["show", "fix-login", "--json"]).json()["data"]["state"], "failed");
}

#[test]
fn a_session_is_made_or_not_wherever_it_is_killed() {
    let repo = shop();
    let add = ["add-session", "backend", "--paths", "src/api"];
    let mut at = 1;
    while killed(&repo, at, &add) {
        expect_success(&repo.orch(&["doctor", "--fix"]), at);
        let refs =
            repo.shell("git for-each-ref refs/heads/orch refs/orch/session refs/orch/keep | wc -l").run();
        assert_eq!(
            refs.stdout.trim().parse::<usize>().unwrap() / 2 * 2,
            if at > 3 { 2 } else { 0 },
            "{at}\n{refs}"
        );
        expect_success(&repo.orch(&add), at);
        set_right(&repo, at);
        repo.orch(&["remove-session", "backend"]).expect_success();
        repo.shell("git update-ref -d refs/orch/session/backend").run().expect_success();
        at += 1;
    }
    assert!(at > 5, "only {at} calls");
}

#[test]
fn a_removal_is_completed_wherever_it_is_killed() {
    let repo = shop();
    let mut at = 1;
    loop {
        repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
        std::fs::write(repo.worktree("backend").join("a.secret"), format!("kept {at}\n")).unwrap();
        let far = killed(&repo, at, &["remove-session", "backend"]);
        expect_success(&repo.orch(&["doctor", "--fix"]), at);
        expect_success(&repo.shell(&format!("grep -rqx 'kept {at}' ../shop.orch")).run(), at);
        if repo.worktree("backend").exists() {
            repo.orch(&["remove-session", "backend"]).expect_success();
        }
        let left =
            repo.shell("git for-each-ref refs/heads/orch refs/orch/keep; ls .git/worktrees 2>/dev/null");
        assert_eq!(left.run().stdout, "", "killed behind call {at}");
        if !far {
            break;
        }
        at += 1;
    }
    assert!(at > 6, "only {at} calls");
}

#[test]
fn a_deletion_is_completed_wherever_it_is_killed() {
    let repo = shop();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    for key in ["orch.keepTrash", "orch.keepOperations", "orch.keepLogs", "orch.keepConversations"] {
        repo.git(&["config", key, "0s"]);
    }
    let mut held = String::new();
    let mut at = 1;
    loop {
        let removed = format!(
            "for name in held-{at} spare; do git-orch -q add-session $name --paths src >/dev/null; done
             echo {at} >../shop.orch/held-{at}/work; echo {at} >../shop.orch/spare/a.secret
             mkdir ../shop.orch/spare/a.secret.d; chmod 500 ../shop.orch/spare/a.secret.d
             git-orch -q task 'fail {at}' --session backend -- sh -c 'echo kept >.gitignore; echo 1 >kept; exit 1'
             for name in held-{at} spare; do git-orch -q remove-session $name; done"
        );
        expect_success(&repo.shell(&removed).run(), at);
        held += &format!("held-{at}-1700500000\n");
        let far = killed(&repo, at, &["gc", "--apply"]);
        set_right(&repo, at);
        expect_success(&repo.orch(&["gc", "--apply"]), at);
        let left = "ls ../shop.orch/.trash; ls .git/orch/trash; ls .git/orch/task .git/orch/journal
            git for-each-ref --format='%(refname:lstrip=3)' refs/orch/trash";
        let mut sorted: Vec<&str> = held.lines().collect();
        sorted.sort_unstable();
        let all = sorted.join("\n");
        let wanted = format!("{all}\n{all}\n.git/orch/journal:\n\n.git/orch/task:\n{all}\n");
        assert_eq!(repo.shell(left).run().stdout, wanted, "killed behind call {at}");
        if !far {
            break;
        }
        at += 9;
    }
    assert!(at > 15, "only {at} calls");
}

#[test]
fn a_result_lands_wherever_its_landing_is_killed() {
    let repo = shop();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    let mut at = 5;
    loop {
        let (task, script) = (format!("work {at}"), format!("echo {at} >landed-{at}"));
        repo.orch(&["task", &task, "--session", "backend", "--", "sh", "-c", &script]).expect_success();
        repo.git(&["commit", "-q", "--allow-empty", "-m", "the base moves on"]);
        let name = format!("work-{at}");
        let far = killed(&repo, at, &["merge", &name]);
        expect_success(&repo.call(&["merge", &name]).changing_checkout().run(), at);
        assert_eq!(repo.read(&format!("shop/landed-{at}")), format!("{at}\n"));
        assert_eq!(repo.git(&["status", "--porcelain"]), "");
        set_right(&repo, at);
        if !far {
            break;
        }
        at += 2;
    }
    assert!(at > 8, "only {at} calls");
}

#[test]
fn what_was_asked_of_a_dead_process_is_not_asked_of_the_next() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    let script = "
        kill='kill -9 $(cut -d\" \" -f4 /proc/$PPID/stat); sleep 60'
        git-orch -q task work -- sh -c \"touch $PWD/.git/orch/run/task-work.cancel; $kill\" 2>&1
        ls .git/orch/run | grep work; git-orch retry work -q -- sh -c 'kill $(cut -d\" \" -f4 /proc/$PPID/stat); sleep 60' 2>&1
        git-orch show work --json | grep -o '\"state\":\"[a-z]*\"'; ls .git/orch/run | grep work; :";
    repo.shell(script).run().expect(
        r#"
        exit 0
        -- stdout
        Killed
        task-work.cancel
        task-work.lock
        "state":"failed"
        "#,
    );
}

#[test]
fn no_lock_stays_behind_its_holder() {
    let repo = TestRepo::new();
    let script = "
        exec 2>&1; left() { ls .git/orch/run | grep -v land.lock; }; n=0
        git-orch -q add-session backend --paths src/api >/dev/null; left
        git-orch -q task work -- sh -c 'ls ../../shop/.git/orch/run | grep -v land' >/dev/null; git-orch log work; left
        git-orch -q task failing -- false; git-orch -q fanout none --run true --paths src; left
        git-orch -q task dying -- sh -c 'kill -9 $(cut -d\" \" -f4 /proc/$PPID/stat); sleep 60'; left
        touch .git/orch/run/session-gone.lock; git-orch -q sessions >/dev/null; git-orch doctor | grep -c wrong
        git-orch -q doctor --fix >/dev/null; left; git-orch -q remove-session backend; left; :";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
        session-backend.lock
        task-work.lock
        1 shard, nothing to change
        Killed
        session-backend.lock
        task-dying.lock
        1
        ",
    );
}

#[test]
fn an_old_lock_on_a_ref_of_our_own_is_no_living_gits() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src", "-q"]).expect_success();
    let script = "
        lock() { mkdir -p .git/$1; touch -d \"$2\" .git/$1/x.lock; }
        lock refs/orch/task '1 minute ago'; lock refs/notes/orch/touch '1 minute ago'
        lock refs/orch/fanout now; lock refs/heads/orch '1 minute ago'
        git-orch -q doctor --fix >/dev/null; find .git/refs -name x.lock | sort";
    repo.shell(script).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
        .git/refs/heads/orch/x.lock
        .git/refs/orch/fanout/x.lock
        ",
    );
}
