//! Agents gone wrong: what they do to git, to their worktree, to secrets and
//! to the machine stays with them.

use crate::support::output::Output;
use crate::support::{TestRepo, days_ago};

fn shop() -> TestRepo {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    repo
}

/// Runs a script as the agent of a task that is called as its text.
fn task(repo: &TestRepo, text: &str, script: &str) -> Output {
    let words = ["task", text, "--session", "backend", "--again", "--", "sh", "-c", script];
    repo.call(&words).changing_checkout().run()
}

fn merge(repo: &TestRepo, name: &str) -> Output {
    repo.call(&["merge", name]).changing_checkout().run()
}

#[test]
fn a_result_waits_while_what_its_run_put_into_git_stands() {
    let repo = shop();
    task(&repo, "fix login", "git config core.fsmonitor 'touch ~/ran\u{1b}[2J'; echo x >x").expect(r"
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        warning: the run changed what git executes in this repository, `config core.fsmonitor`: none → `touch ~/ran\u{1b}[2J`
        done in <time>: 1 commit, 1 file
          A x
        next: git orch review fix-login --diff, then git orch merge fix-login
        ");
    repo.orch(&["review"]).expect(
        "
        exit 0
        -- stdout
          task       state        session  waits for  since   size          risk
          fix-login  quarantined  backend  you        <time> ago  1 file +1 -0  -
        -- stderr
        next: git orch show fix-login
        ",
    );
    repo.orch(&["review", "fix-login"]).expect(
        r"
        exit 0
        -- stdout
        review/fix-login: fix login (quarantined)
          <oid> fix login  Test
         x | 1 +
         1 file changed, 1 insertion(+)
          altered    `config core.fsmonitor`: none → `touch ~/ran\u{1b}[2J` (undo it, or accept it: git orch trust)
        -- stderr
        next: git orch show fix-login
        ",
    );
    let refusal = "
        exit 3
        -- stderr
        error: the run of `fix-login` changed what git executes: `config core.fsmonitor`
        hint: look at it, `git orch show fix-login`; undo it, or accept it: `git orch trust`
        ";
    repo.orch(&["merge"]).expect(refusal);
    repo.orch(&["merge", "fix-login", "--dry-run"]).expect(refusal);
    let shown = repo.orch(&["show", "fix-login", "--json"]).json();
    assert_eq!(shown["data"]["altered"][0]["what"], "config core.fsmonitor");
    let undone = repo.shell("git config --unset core.fsmonitor && git-orch show fix-login | grep altered");
    undone.changing_checkout().run().expect(
        r"
        exit 0
        -- stdout
          altered    `config core.fsmonitor`: none → `touch ~/ran\u{1b}[2J` (undone or accepted)
        ",
    );
    merge(&repo, "fix-login").expect_success();
    assert!(!repo.top().join("home/ran").exists());
}

#[test]
fn what_a_run_changed_is_accepted_as_it_is_and_no_further() {
    let repo = shop();
    task(&repo, "fix login", "git config core.editor evil; echo x >x").expect_success();
    repo.orch(&["trust", "--yes"]).expect(
        "
        exit 0
        -- stdout
          for                     command                                  trusted
          git config core.editor  evil                                     no
          repository              built-in agents, tools and copied files  no
        -- stderr
        trusted; a changed command asks again
        ",
    );
    repo.orch(&["merge", "--dry-run", "-q"]).expect_success();
    repo.git(&["config", "core.editor", "worse"]);
    assert_eq!(merge(&repo, "fix-login").exit, 3);
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    merge(&repo, "fix-login").expect_success();
}

#[test]
fn every_way_into_git_is_noticed() {
    let repo = shop();
    let prepare =
        "git config core.hooksPath .husky; mkdir -p .git/hooks .git/info; echo mine >.git/hooks/pre-push
        mkdir ../before; cp -r .git/config .git/hooks .git/info ../before";
    let restore =
        "rm -rf .git/hooks .git/info .git/modules .git/config.worktree .git/worktrees/backend/config.worktree
        cp -r ../before/* .git";
    repo.shell(prepare).changing_checkout().run().expect("exit 0");
    for (script, what) in [
        ("git config diff.x.textconv evil", "`config diff.x.textconv`: none → `evil`"),
        ("git config --unset core.hooksPath", "`config core.hookspath`: `.husky` → none"),
        ("git config core.hooksPath other", "`config core.hookspath`: `.husky` → `other`"),
        ("git config include.path ../evil", "`config include.path`: none → `../evil`"),
        ("git config alias.co '!evil'", "`config alias.co`: none → `!evil`"),
        ("git config submodule.x.update '!evil'", "`config submodule.x.update`: none → `!evil`"),
        (
            "git config extensions.worktreeConfig true; git config --worktree core.pager evil",
            "`worktrees/backend/config.worktree core.pager`: none → `evil`",
        ),
        (
            "git config extensions.worktreeConfig true; echo '[core]pager=evil' >$common/config.worktree",
            "`config.worktree core.pager`: none → `evil`",
        ),
        ("echo '[broken' >>$common/config", "`config`: none → `unreadable: "),
        ("echo evil >$common/hooks/pre-commit", "`hooks/pre-commit`: none → `5 bytes, blob "),
        ("chmod +x $common/hooks/pre-push", "`hooks/pre-push`: `5 bytes, blob "),
        ("rm $common/hooks/pre-push", "`hooks/pre-push`: `5 bytes, blob "),
        ("echo '* filter=lfs' >$common/info/attributes", "`info/attributes`: none → `13 bytes, blob "),
        (
            "mkdir -p $common/modules/a/b && echo x >$common/modules/a/b/HEAD && echo '[core]pager=evil' >$common/modules/a/b/config",
            "`modules/a/b/config core.pager`: none → `evil`",
        ),
    ] {
        let script = format!("common=$(git rev-parse --git-common-dir); echo x >>x; {script}");
        let output = task(&repo, "fix login", &script);
        let warning = format!("warning: the run changed what git executes in this repository, {what}");
        assert!(output.stderr.contains(&warning), "{script}\n{output}");
        repo.shell(restore).changing_checkout().run().expect("exit 0");
        drop(repo.orch(&["cancel", "fix-login"]));
    }
}

#[test]
fn settings_that_execute_nothing_are_no_matter() {
    let repo = shop();
    let script =
        "git config user.name Agent; git config branch.x.remote origin; git config core.fsmonitor false
        git config submodule.x.update rebase; git config pager.log false; echo x >x";
    let output = task(&repo, "fix login", script);
    assert!(output.exit == 0 && !output.stderr.contains("warning"), "{output}");
    merge(&repo, "fix-login").expect_success();
}

#[test]
fn a_fan_out_is_watched_too() {
    let repo = shop();
    let run = "git config core.editor evil; echo x >>\"$1\"";
    let fanout = ["fanout", "edit", "--run", run, "--paths", "README.md", "-q"];
    let output = repo.call(&fanout).changing_checkout().run();
    output.expect(
        "
        exit 0
        -- stdout
        1 shard, 1 file changed, disjoint
        review/edit
        -- stderr
        warning: the run changed what git executes in this repository, `config core.editor`: none → `evil`
        ",
    );
    merge(&repo, "edit").expect(
        "
        exit 3
        -- stderr
        error: the run of `edit` changed what git executes: `config core.editor`
        hint: look at it, `git orch show edit`; undo it, or accept it: `git orch trust`
        ",
    );
    assert!(
        repo.orch(&["show", "edit"])
            .stdout
            .contains("altered    `config core.editor`: none → `evil` (undo it")
    );
}

#[test]
fn no_hook_of_an_agent_runs_before_the_user_accepts_it() {
    let repo = shop();
    repo.git(&["config", "orch.hooks", "true"]);
    let script = "hook=$(git rev-parse --git-common-dir)/hooks/pre-commit; mkdir -p \"$(dirname \"$hook\")\"
        printf '#!/bin/sh\\ntouch ~/ran\\n' >\"$hook\"; chmod +x \"$hook\"; echo x >x";
    task(&repo, "one", script).expect_success();
    task(&repo, "two", "echo y >y").expect_success();
    assert!(!repo.top().join("home/ran").exists());
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    task(&repo, "three", "echo z >z").expect_success();
    assert!(repo.top().join("home/ran").exists(), "hooks were asked for, and are accepted");
}

#[test]
fn an_agent_that_kills_us_first_is_noticed_by_the_next_command() {
    let repo = shop();
    let script = "git config core.editor evil; kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60";
    assert_eq!(task(&repo, "fix login", script).exit, 137);
    let output = repo.orch(&["task", "next", "--session", "backend", "--", "sh", "-c", "echo x >x"]);
    let warning = "warning: the run changed what git executes in this repository, `config core.editor`: none → `evil`\n";
    assert!(output.exit == 0 && output.stderr.starts_with(warning), "{output}");
    assert!(repo.orch(&["show", "fix-login"]).stdout.contains("altered    `config core.editor`"));
}

#[test]
fn a_worktree_that_was_made_to_lead_elsewhere_runs_nothing_there() {
    let evil = "common=$(git rev-parse --path-format=absolute --git-common-dir); here=$(git rev-parse --absolute-git-dir)
        git init -q $TMPDIR/evil; git -C $TMPDIR/evil config core.fsmonitor 'touch ~/ran'
        git -C $TMPDIR/evil config filter.x.clean 'touch ~/ran'; echo '* filter=x' >.gitattributes; echo edit >kept;";
    for spoil in [
        "echo gitdir: $TMPDIR/evil/.git >.git",
        "echo $TMPDIR/evil/.git >$here/commondir",
        "echo $TMPDIR/evil/.git >$here/gitdir",
        "rm .git; mv $TMPDIR/evil/.git .git",
        "rm .git; ln -s $TMPDIR/evil/.git .git",
    ] {
        let repo = shop();
        let output = task(&repo, "do it", &format!("{evil} {spoil}"));
        assert_ne!(output.exit, 0, "{spoil}\n{output}");
        assert!(!output.stderr.contains("changed what git executes"), "{spoil}\n{output}");
        let next = ["task", "next", "--session", "backend", "--", "true"];
        let output = repo.orch(&next);
        assert_eq!(output.exit, 4, "{spoil}\n{output}");
        let line = "error: the worktree of session `backend` leads to another repository\n";
        assert!(output.stderr.contains(line), "{spoil}\n{output}");
        for verb in ["sessions", "show backend", "tasks", "review", "doctor", "history", "log do-it", "merge"]
        {
            let words: Vec<&str> = verb.split(' ').collect();
            assert_ne!(repo.orch(&words).exit, 70, "{verb}");
        }
        repo.orch(&["remove-session", "backend"]).expect_success();
        repo.shell("ls ~").run().expect("exit 0");
    }
}

/// Where a word is to be found below a folder, git's objects read too.
fn traces(repo: &TestRepo, word: &str) -> String {
    let script = format!(
        "grep -rla {word} .git ../shop.orch ../tmp ../home 2>/dev/null
         git cat-file --batch-all-objects --batch --buffer | grep -ac {word} | grep -v '^0$'; true"
    );
    repo.shell(&script).run().stdout
}

#[test]
fn secrets_reach_no_throwaway_no_log_and_no_object() {
    let repo = TestRepo::new();
    let settings = "version: 1\nchecks: ['! ls .env']\n";
    let files = [(".gitignore", ".env\n"), (".worktreeinclude", ".env\n"), (".orch.yml", settings)];
    repo.commit(&files, "settings", "Ann", days_ago(1));
    repo.write(".env", "KEY=s3cret\n");
    repo.orch(&["add-session", "backend", "--paths", "src", "-q"]).expect_success();
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    let shard = "cat .env && exit 9; ls -a; for f; do echo x >>\"$f\"; done";
    for tree in ["full", "sparse"] {
        let fanout = ["fanout", "edit", "--run", shard, "--paths", "src", "--tree", tree, "--again", "-q"];
        repo.orch(&fanout).expect_success();
    }
    repo.orch(&["task", "fix login", "-q", "--", "sh", "-c", "cat; env; echo x >x"]).expect_success();
    repo.call(&["merge", "fix-login", "-q"]).changing_checkout().run().expect_success();
    assert_eq!(traces(&repo, "s3cret"), "");
    assert_eq!(repo.shell("grep -rl '^\\.env$' .git/orch; true").run().stdout, "", "no shard saw the file");
}

#[test]
fn nobody_else_reads_or_writes_what_is_local() {
    let repo = TestRepo::new();
    repo.commit(&[(".orch.yml", "version: 1\nchecks: ['true']\n")], "settings", "Ann", days_ago(1));
    let edit = repo.agent("edit.sh");
    let script = format!(
        "umask 000; set -e; git-orch add-session backend --paths src --adopt-history -q
         git-orch trust --yes -q >&2; git-orch task 'fix login' -q -- {edit}; git-orch fanout edit --run 'echo x >>\"$1\"' --paths README.md -q
         git-orch merge fix-login -q; git-orch route cart -q; git-orch sessions -q"
    );
    let output = repo.shell(&script).changing_checkout().run();
    assert_eq!(output.exit, 0, "{output}");
    let open = "find .git/orch ~/.local/state -maxdepth 0 -perm /077; find ~/.local/state -perm /022;
        find .git/orch -name '*.log' -perm /077; find .git/orch -name '*.log' | grep -c log";
    assert_eq!(repo.shell(open).run().stdout, "3\n");
}

#[test]
fn an_endless_line_is_cut() {
    let repo = shop();
    let output = task(&repo, "flood", "head -c 40000000 /dev/zero | tr '\\0' x; echo x >x");
    assert_eq!(output.exit, 0, "{output}");
    let log = repo.path(".git/orch/task/flood/run-1.log").metadata().unwrap().len();
    assert!(log < 11_000_000, "{log} bytes");
    let cut = repo.shell("grep -aoE '[0-9]+ bytes left out' .git/orch/task/flood/run-1.log").run();
    assert_eq!(cut.stdout.lines().count(), 1, "{cut}");
}

#[test]
fn a_process_that_only_has_the_number_is_not_ended() {
    let repo = shop();
    repo.orch(&["task", "fix login", "-q"]).expect_success();
    // A lock that nobody holds, left with the number of a process that lives.
    let script = "sleep 60 & pid=$!; mkdir -p .git/orch/run
        echo \"process $pid (task fix-login)\" >.git/orch/run/task-fix-login.lock
        git-orch cancel fix-login; kill -0 $pid && echo lives; kill $pid";
    let output = repo.shell(script).run();
    assert!(output.exit == 0 && output.stdout.ends_with("lives\n"), "{output}");
}

#[test]
fn a_command_that_forks_without_end_is_ended_with_all_it_started() {
    let repo = shop();
    let script = "i=0; while [ $i -lt 40 ]; do (setsid sleep 300 & sleep 300 &) ; i=$((i+1)); done; echo x >x; echo $$ >~/pid";
    let output = task(&repo, "fork", script);
    assert_eq!(output.exit, 0, "{output}");
    // All of them hold the session's worktree as their folder.
    let here = repo.worktree("backend");
    let left =
        repo.shell(&format!("ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -c {}; true", here.display())).run();
    assert_eq!(left.stdout, "0\n");
}
