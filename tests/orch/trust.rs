//! `git orch trust`: nothing that a repository names runs before.

use crate::support::{TestRepo, days_ago};

const SETTINGS: &str = "version: 1
setup: touch $HOME/ran-setup
agents:
  default: house
  house: { run: touch $HOME/ran-agent }
jobs:
  fmt: { run: touch $HOME/ran-job }
checks: [touch $HOME/ran-check]
";

#[test]
fn a_hostile_repository_runs_nothing_before() {
    let repo = TestRepo::new();
    repo.commit(&[(".orch.yml", SETTINGS)], "settings", "Ann", days_ago(1));
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        -- stderr
        session backend: branch orch/backend from main <oid>
        warning: the setup `touch $HOME/ran-setup` was not run: it is not trusted; see `git orch trust`
        ",
    );
    repo.orch(&["task", "fix login"]).expect(
        "
        exit 5
        -- stderr
        error: the agent house `touch $HOME/ran-agent` of this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        ",
    );
    repo.orch(&["task", "fix login", "-q", "--", &repo.agent("edit.sh")]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        ",
    );
    repo.orch(&["merge", "fix-login"]).expect(
        "
        exit 5
        -- stderr
        error: the check `touch $HOME/ran-check` of this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        ",
    );
    for verb in ["sessions", "tasks", "review", "config", "doctor", "history"] {
        assert_ne!(repo.orch(&[verb]).exit, 70, "{verb}");
    }
    repo.shell("ls ~").run().expect("exit 0");
}

#[test]
fn git_hooks_filters_and_monitors_of_the_repository_do_not_run() {
    let repo = TestRepo::new();
    let script = "mkdir -p .git/hooks
        for hook in post-checkout pre-commit commit-msg post-commit pre-merge-commit post-merge reference-transaction; do
            printf '#!/bin/sh\\necho %s >> ~/ran\\n' $hook > .git/hooks/$hook; chmod +x .git/hooks/$hook
        done
        git config core.fsmonitor 'touch ~/ran-fsmonitor'; git config core.pager 'touch ~/ran-pager'
        git config diff.external 'touch ~/ran-diff'";
    repo.shell(script).changing_checkout().run().expect("exit 0");
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        ",
    );
    repo.orch(&["task", "fix login", "-q", "--", &repo.agent("edit.sh")]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        ",
    );
    repo.orch(&["review", "fix-login", "--diff"]).expect(
        "
        exit 0
        -- stdout
        diff --git a/work.txt b/work.txt
        new file mode 100644
        index <oid>..<oid>
        --- /dev/null
        +++ b/work.txt
        @@ -0,0 +1 @@
        +edited for fix-login
        ",
    );
    repo.call(&["merge", "fix-login", "-q"]).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
          landed  fix-login  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
    repo.shell("ls ~").run().expect("exit 0");
}

#[test]
fn commands_are_shown_and_allowed_word_for_word() {
    let repo = TestRepo::new();
    repo.write(".orch.yml", SETTINGS);
    repo.orch(&["trust"]).expect(
        "
        exit 2
        -- stdout
          for          command                                  trusted
          agent house  touch $HOME/ran-agent                    no
          check        touch $HOME/ran-check                    no
          job fmt      touch $HOME/ran-job                      no
          repository   built-in agents, tools and copied files  no
          setup        touch $HOME/ran-setup                    no
        -- stderr
        error: nobody is there to answer
        hint: read the commands above, then `git orch trust --yes`
        ",
    );
    repo.orch(&["trust", "--yes"]).expect(
        "
        exit 0
        -- stdout
          for          command                                  trusted
          agent house  touch $HOME/ran-agent                    no
          check        touch $HOME/ran-check                    no
          job fmt      touch $HOME/ran-job                      no
          repository   built-in agents, tools and copied files  no
          setup        touch $HOME/ran-setup                    no
        -- stderr
        trusted; a changed command asks again
        ",
    );
    repo.orch(&["trust", "--yes"]).expect(
        "
        exit 0
        -- stdout
          for          command                                  trusted
          agent house  touch $HOME/ran-agent                    yes
          check        touch $HOME/ran-check                    yes
          job fmt      touch $HOME/ran-job                      yes
          repository   built-in agents, tools and copied files  yes
          setup        touch $HOME/ran-setup                    yes
        ",
    );
}

#[test]
fn a_changed_command_asks_again_and_others_run() {
    let repo = TestRepo::new();
    repo.write(".orch.yml", SETTINGS);
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.write(".orch.yml", &SETTINGS.replace("ran-agent", "ran-agent2"));
    let add = repo.call(&["add-session", "backend", "--paths", "src/api", "-q"]);
    // The setup runs now, and writes to the home folder.
    add.changing_checkout().run().expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        ",
    );
    repo.orch(&["task", "fix login"]).expect(
        "
        exit 5
        -- stderr
        error: the agent house `touch $HOME/ran-agent2` of this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        ",
    );
    repo.shell("ls ~").run().expect(
        "
        exit 0
        -- stdout
        ran-setup
        ",
    );
}

#[test]
fn nobody_trusts_from_inside_a_session() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        ",
    );
    repo.call(&["trust", "--yes"]).within(repo.worktree("backend")).run().expect(
        "
        exit 3
        -- stderr
        error: this can't be said inside session `backend`
        hint: say it in the repository's own checkout
        ",
    );
    repo.call(&["trust", "--yes"]).env("GIT_ORCH_SESSION", "backend").run().expect(
        "
        exit 3
        -- stderr
        error: this can't be said inside session `backend`
        hint: say it in the repository's own checkout
        ",
    );
}

#[test]
fn a_repository_cannot_choose_where_its_files_go() {
    let repo = TestRepo::new();
    repo.commit(
        &[(".orch.yml", "version: 1\nworktrees: ../home/.vim/pack/x/start/{session}\n")],
        "x",
        "Ann",
        days_ago(1),
    );
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect(
        "
        exit 5
        -- stderr
        error: the worktrees setting `../home/.vim/pack/x/start/{session}` of this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        ",
    );
    assert!(!repo.top().join("home/.vim").exists());
}
