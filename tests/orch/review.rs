//! `git orch review`: what waits, what it changes, what is said of it.

use crate::support::TestRepo;

/// A repository with one result that waits.
fn waiting() -> TestRepo {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.orch(&["task", "fix login", "-q", "--", &repo.agent("edit.sh"), "src/api/login.rs"])
        .expect_success();
    repo
}

#[test]
fn nothing_waits_at_first() {
    let repo = TestRepo::new();
    repo.orch(&["review"]).expect(
        "
        exit 0
        -- stderr
        nothing waits for review
        ",
    );
}

#[test]
fn one_result_is_shown_with_its_commits_and_files() {
    let repo = waiting();
    repo.orch(&["review"]).expect(
        "
        exit 0
        -- stdout
          task       state   session  waits for  since   size          risk
          fix-login  review  backend  you        <time> ago  1 file +1 -0  -
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["review", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login: fix login (review)
          <oid> fix login  Test
         src/api/login.rs | 1 +
         1 file changed, 1 insertion(+)
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["review", "review/fix-login", "--diff"]).expect(
        "
        exit 0
        -- stdout
        diff --git a/src/api/login.rs b/src/api/login.rs
        index <oid>..<oid> 100644
        --- a/src/api/login.rs
        +++ b/src/api/login.rs
        @@ -1 +1,2 @@
         fn login() {}
        +edited for fix-login
        ",
    );
}

#[test]
fn an_approval_is_noted_on_the_reviewed_commit() {
    let repo = waiting();
    repo.orch(&["review", "fix-login", "--approve", "-m", "reads well"]).expect(
        "
        exit 0
        -- stderr
        approved fix-login at <oid>
        next: git orch merge fix-login
        ",
    );
    repo.orch(&["review", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login: fix login (review)
          <oid> fix login  Test
         src/api/login.rs | 1 +
         1 file changed, 1 insertion(+)
        reviewer Test <test@example.com> approves (<time> ago): reads well
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    let note = repo.git(&["notes", "--ref", "orch/verdict", "show", "review/fix-login"]);
    assert!(note.contains("\"decision\":\"approve\""), "{note}");
}

#[test]
fn changes_are_asked_for_in_words_and_a_retry_hears_them() {
    let repo = waiting();
    repo.orch(&["review", "fix-login", "--request-changes"]).expect(
        "
        exit 2
        -- stderr
        error: the following required arguments were not provided:
          --message <TEXT>

        Usage: git orch review --message <TEXT> --request-changes <TASK> [-- <CMD>...]

        For more information, try '--help'.
        ",
    );
    repo.orch(&["review", "fix-login", "--request-changes", "-m", "say why"]).expect(
        "
        exit 0
        -- stderr
        asked for changes in fix-login
        next: git orch retry fix-login
        ",
    );
    repo.orch(&["merge", "fix-login"]).expect(
        "
        exit 3
        -- stderr
        error: changes were asked of `fix-login`
        hint: let them be made: `git orch retry fix-login`; or approve it as it is
        ",
    );
    repo.orch(&["retry", "fix-login", "--", "sh", "-c", "grep -A3 'Changes asked' > why.txt"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        done in <time>: 2 commits, 2 files
          M src/api/login.rs
          A why.txt
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.shell("git show review/fix-login:why.txt").run().expect(
        "
        exit 0
        -- stdout
        ## Changes asked for in review

        ```text
        say why
        ",
    );
}

#[test]
fn an_approval_is_carried_to_the_same_patch_and_to_no_other() {
    let repo = waiting();
    repo.orch(&["review", "fix-login", "--approve"]).expect(
        "
        exit 0
        -- stderr
        approved fix-login at <oid>
        next: git orch merge fix-login
        ",
    );
    repo.shell("cd ../shop.orch/backend && git commit -q --amend -m 'login: other words' && git branch -f review/fix-login")
        .run()
        .expect("exit 0");
    repo.orch(&["review", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login: fix login (review)
          <oid> login: other words  Test
         src/api/login.rs | 1 +
         1 file changed, 1 insertion(+)
        reviewer Test <test@example.com> approves (<time> ago, carried from <oid>)
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.shell("cd ../shop.orch/backend && echo more >> src/api/cart.rs && git commit -q -a --amend --no-edit && git branch -f review/fix-login")
        .run()
        .expect("exit 0");
    repo.orch(&["review", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login: fix login (review)
          <oid> login: other words  Test
         src/api/cart.rs  | 1 +
         src/api/login.rs | 1 +
         2 files changed, 2 insertions(+)
        changed since judged at <oid>: git orch review fix-login --range-diff
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    let range = repo.orch(&["review", "fix-login", "--range-diff"]).stdout;
    assert!(range.contains("fix login") && range.contains("    ++more\n"), "{range}");
}

#[test]
fn nobody_approves_from_inside_a_session() {
    let repo = waiting();
    let before = repo.everything();
    repo.call(&["review", "fix-login", "--approve"]).within(repo.worktree("backend")).run().expect(
        "
        exit 3
        -- stderr
        error: this can't be said inside session `backend`
        hint: say it in the repository's own checkout
        ",
    );
    repo.call(&["review", "fix-login", "--approve"]).env("GIT_ORCH_SESSION", "backend").run().expect(
        "
        exit 3
        -- stderr
        error: this can't be said inside session `backend`
        hint: say it in the repository's own checkout
        ",
    );
    before.expect_same(&repo.everything(), "review --approve");
}

/// The decisions that hold for the result `fix-login`.
fn held(repo: &TestRepo) -> Vec<String> {
    let verdicts = repo.orch(&["review", "fix-login", "--json"]).json()["data"]["verdicts"].clone();
    let word = |verdict: &serde_json::Value| {
        let carried = if verdict["carried_from"].is_string() { ", carried" } else { "" };
        format!("{}{carried}", verdict["decision"].as_str().unwrap())
    };
    verdicts.as_array().unwrap().iter().map(word).collect()
}

#[test]
fn an_approval_survives_a_rebase_and_dies_with_a_byte() {
    let repo = waiting();
    repo.orch(&["review", "fix-login", "--approve", "-q"]).expect_success();
    assert_eq!(held(&repo), ["approve"]);
    let move_to = |script: &str| {
        let script = format!(
            "cd ../shop.orch/backend && {{ {script}; }} >/dev/null && git branch -f review/fix-login"
        );
        repo.shell(&script).run().expect("exit 0");
    };
    repo.shell("echo more >>README.md; git commit -qam more").changing_checkout().run().expect("exit 0");
    move_to("git rebase -q main");
    assert_eq!(held(&repo), ["approve, carried"]);
    let diff = repo.orch(&["review", "fix-login", "--diff"]).stdout;
    assert!(!diff.contains("README.md"), "{diff}");
    let same =
        "git reset -q --hard main~; echo 'edited for fix-login' >>src/api/login.rs; git commit -qam same";
    for edit in
        ["printf x >>src/api/login.rs", "sed -i 's/$/ /' src/api/login.rs", "chmod +x src/api/login.rs"]
    {
        move_to(same);
        assert_eq!(held(&repo), ["approve, carried"], "{edit}");
        move_to(&format!("{edit}; git commit -qa --amend --no-edit"));
        assert_eq!(held(&repo), [""; 0], "{edit}");
    }
}

#[test]
fn verdicts_and_checks_are_read_by_git_alone() {
    let repo = waiting();
    let checks = "printf 'version: 1\\nchecks: [\"true\"]\\n' >.orch.yml; git add .; git commit -qm checks";
    repo.shell(&format!("{checks}; git-orch trust --yes -q")).changing_checkout().run().expect_success();
    repo.orch(&["review", "fix-login", "--approve", "-m", "reads well", "-q"]).expect_success();
    let log = repo.git(&["log", "-1", "--format=%N", "--notes=orch/verdict", "review/fix-login"]);
    assert!(log.contains("\"text\":\"reads well\"") && log.contains("\"viewpoint\":\"reviewer\""), "{log}");
    assert!(repo.orch(&["review"]).stdout.contains("not checked yet"));
    repo.call(&["merge", "fix-login", "-q"]).changing_checkout().run().expect_success();
    let note = repo.shell("git notes --ref=orch/check show main^{tree}").run().stdout;
    assert!(note.contains("\"check\":\"true\"") && note.contains("\"outcome\":\"green\""), "{note}");
}

#[test]
fn what_stands_in_the_way_of_a_result_is_told() {
    let repo = waiting();
    let rules = "version: 1\nviewpoints: { default: [reviewer], rules: [{ paths: [src/api/**], require: [tester] }] }\n";
    repo.write(".orch.yml", rules);
    let base = "git add .; git commit -qm rules
        for i in 1 2 3; do sed -i \"1s/^/$i/\" src/api/login.rs; git commit -qam $i; done";
    repo.shell(base).changing_checkout().run().expect_success();
    repo.orch(&["add-session", "frontend", "--paths", "src/web", "-q"]).expect_success();
    repo.write("../shop.orch/frontend/src/api/login.rs", "all new\n");
    let edit = repo.agent("edit.sh");
    repo.orch(&["task", "more carts", "--session", "backend", "-q", "--", &edit, "src/web/cart.ts"])
        .expect_success();
    repo.orch(&["review"]).expect(
        "
        exit 0
        -- stdout
          task        state   session  waits for         since   size          risk
          fix-login   review  backend  reviewer, tester  <time> ago  1 file +1 -0  conflicts with frontend and main; 4 behind main, which changed 1 of its files; src/api/login.rs busy of late
          more-carts  review  backend  reviewer          <time> ago  1 file +1 -0  conflicts with frontend and main; on top of fix-login; 4 behind main
        -- stderr
        next: git orch review fix-login --diff
        then: git orch review fix-login --approve --viewpoint reviewer
        ",
    );
    repo.orch(&["review", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login: fix login (review)
          <oid> fix login  Test
         src/api/login.rs | 1 +
         1 file changed, 1 insertion(+)
        conflicts with frontend and main in src/api/login.rs
        4 behind main, which changed 1 of its files
        src/api/login.rs busy of late
        lacks the approval of reviewer and tester
        -- stderr
        next: git orch review fix-login --diff
        then: git orch review fix-login --approve --viewpoint reviewer
        ",
    );
    let json = repo.orch(&["review", "--json"]).json()["data"][0].clone();
    let size = serde_json::json!({ "files": 1, "added": 1, "deleted": 0 });
    assert_eq!((&json["size"], &json["lacks"]), (&size, &serde_json::json!(["reviewer", "tester"])));
    assert_eq!((&json["behind"], &json["check"]), (&4.into(), &"unconfigured".into()));
    assert_eq!(json["shared"][0]["with"]["name"], "frontend");
}

#[test]
fn a_difftool_of_the_repository_waits_for_trust() {
    let repo = waiting();
    let tool = "git config difftool.mine.cmd 'touch ../ran; echo $LOCAL'; git config diff.tool mine";
    repo.shell(tool).changing_checkout().run().expect_success();
    repo.orch(&["review", "fix-login", "--tool"]).expect(
        "
        exit 5
        -- stderr
        error: `difftool.mine.cmd` of this repository's own configuration is not trusted
        hint: read what it would run and allow it: `git orch trust`; or unset it
        ",
    );
    assert!(!repo.top().join("ran").exists());
    let own = "git config --unset diff.tool; git config --unset difftool.mine.cmd
        git config --global difftool.mine.cmd 'cat $REMOTE'; git config --global diff.tool mine";
    repo.shell(own).changing_checkout().run().expect_success();
    for tool in ["--tool", "--tool=mine"] {
        repo.orch(&["review", "fix-login", tool]).expect(
            "
            exit 0
            -- stdout
            fn login() {}
            edited for fix-login
            ",
        );
    }
}

#[test]
fn on_a_terminal_a_difference_is_paged_by_the_user_and_never_by_the_repository() {
    let repo = waiting();
    if !repo.shell("command -v script").run().stdout.contains("script") {
        crate::support::skip("no `script` to make a terminal with");
        return;
    }
    let on_terminal = |settings: &str| {
        let line = format!(
            "{settings}; script -qec 'git-orch review fix-login --diff' /dev/null | tr -d '\\r' | cat -v"
        );
        repo.shell(&line).changing_checkout().env("TERM", "xterm").run().stdout
    };
    let own = on_terminal("git config --global core.pager 'sed s/^/own:/'");
    assert!(own.contains("own:^[[32m+^[[m^[[32medited for fix-login^[[m"), "{own}");
    let theirs = on_terminal("git config pager.orch 'touch ../ran; cat'");
    assert!(theirs.contains("own:^[[1mdiff --git"), "{theirs}");
    assert!(theirs.contains("the pager that this repository names is not used"), "{theirs}");
    assert!(!repo.top().join("ran").exists());
    let plain = on_terminal("git config --unset pager.orch; export NO_COLOR=1");
    assert!(plain.contains("own:+edited for fix-login"), "{plain}");
}

#[test]
fn a_base_whose_settings_are_broken_hides_no_result() {
    let repo = waiting();
    repo.shell("echo 'oops: [' >.orch.yml; git add .; git commit -qm oops; git rm -q --cached .orch.yml; rm .orch.yml")
        .changing_checkout()
        .run()
        .expect_success();
    let listed = repo.orch(&["review"]);
    assert!(listed.exit == 0 && listed.stdout.contains("1 behind main"), "{listed}");
    repo.orch(&["review", "fix-login"]).expect_success();
}

#[test]
fn an_approval_is_of_what_was_looked_at() {
    let repo = waiting();
    // The command finds the result, then waits for the repository; it moves on meanwhile.
    let script = "
        flock -o .git/orch/lock sh -c '
            git-orch review fix-login --approve 2>../told & until [ -s ../told ]; do sleep 0.02; done
            git update-ref refs/heads/review/fix-login $(git commit-tree main^{tree} -p review/fix-login -m other)'
        until grep -q error ../told; do sleep 0.02; done; grep -v waiting ../told; git-orch review fix-login --json | grep -c reviewer";
    repo.shell(script).run().expect(
        "
        exit 1
        -- stdout
        error: `fix-login` moved on meanwhile, to <oid>
        hint: look at what it is now: `git orch review fix-login --diff`
        0
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
}

#[test]
fn what_a_repository_would_convert_or_compare_with_does_not_run() {
    let repo = waiting();
    repo.orch(&["review", "fix-login", "--request-changes", "-m", "more", "-q"]).expect_success();
    let edit = repo.agent("edit.sh");
    repo.orch(&["retry", "fix-login", "-q", "--", &edit, "src/api/login.rs"]).expect_success();
    let mine = "echo '*.rs diff=mine' >.git/info/attributes
        git config diff.mine.textconv 'touch ../ran; cat'; git config diff.mine.command 'touch ../ran'";
    repo.shell(mine).changing_checkout().run().expect_success();
    let range = repo.orch(&["review", "fix-login", "--range-diff"]);
    assert!(range.exit == 0 && range.stdout.contains("> 2:  "), "{range}");
    repo.orch(&["review", "fix-login", "--tool"]).expect(
        "
        exit 5
        -- stderr
        error: `diff.mine.textconv` of this repository's own configuration is not trusted
        hint: read what it would run and allow it: `git orch trust`; or unset it
        ",
    );
    assert!(!repo.top().join("ran").exists());
}

#[test]
fn a_dry_run_judges_nothing() {
    let repo = waiting();
    let before = repo.refs();
    repo.orch(&["review", "fix-login", "--approve", "--dry-run"]).expect(
        "
        exit 0
        -- stdout
        would be judged: fix-login at <oid>, reviewer approve
        ",
    );
    assert_eq!(repo.refs(), before);
}
