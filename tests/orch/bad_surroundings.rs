//! Whatever is wrong with the repository, its settings or the environment: one
//! clear line, a way out, a documented exit code, and nothing changed.

use crate::support::{TestRepo, VERBS, refused, refused_call};

/// A repository with a session for the API.
fn with_session() -> TestRepo {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    repo
}

#[test]
fn outside_a_repository() {
    let repo = TestRepo::new();
    for verb in VERBS {
        refused_call(&repo, repo.call(verb).within(repo.top())).expect(
            "
            exit 4
            -- stderr
            error: `$TMP` is in no git repository
            hint: change into one, name one with `-C DIR`, or make one with `git init`
            ",
        );
    }
}

#[test]
fn a_folder_that_is_not_there() {
    let repo = TestRepo::new();
    refused(&repo, &["-C", "nowhere", "sessions"]).expect(
        "
        exit 2
        -- stderr
        error: `$TMP/shop/nowhere` is no folder
        ",
    );
}

#[test]
fn a_repository_without_a_commit() {
    let repo = TestRepo::unborn();
    refused(&repo, &["add-session", "backend", "--paths", "src"]).expect(
        "
        exit 4
        -- stderr
        error: `main` has no commit yet
        hint: make a first one: `git commit --allow-empty -m 'first commit'`
        ",
    );
    refused(&repo, &["task", "fix login"]).expect(
        "
        exit 3
        -- stderr
        error: there is no session to give it to
        hint: make one: `git orch add-session NAME --paths GLOB --adopt-history`
        ",
    );
    refused(&repo, &["route", "fix login"]).expect(
        "
        exit 3
        -- stderr
        error: there is no session to route to
        hint: make one: `git orch add-session NAME --paths GLOB --adopt-history`
        ",
    );
    repo.orch(&["sessions"]).expect(
        "
        exit 0
        -- stderr
        no sessions yet
        next: git orch add-session NAME --paths GLOB
        ",
    );
}

#[test]
fn a_bare_repository() {
    let repo = TestRepo::new();
    repo.shell("git clone -q --bare . ../bare.git").run().expect("exit 0");
    let bare = repo.top().join("bare.git");
    refused_call(&repo, repo.call(&["add-session", "backend", "--paths", "src"]).within(&bare)).expect(
        "
        exit 4
        -- stderr
        error: `$TMP/bare.git` is a bare repository
        hint: run git-orch in one of its worktrees: `git worktree add ../work` makes one
        ",
    );
    refused_call(&repo, repo.call(&["task", "fix login"]).within(&bare)).expect(
        "
        exit 4
        -- stderr
        error: `$TMP/bare.git` is a bare repository
        hint: run git-orch in one of its worktrees: `git worktree add ../work` makes one
        ",
    );
    repo.call(&["sessions"]).within(&bare).run().expect(
        "
        exit 0
        -- stderr
        no sessions yet
        next: git orch add-session NAME --paths GLOB
        ",
    );
}

#[test]
fn a_detached_head() {
    let repo = TestRepo::new();
    repo.git(&["checkout", "--quiet", "--detach"]);
    refused(&repo, &["add-session", "backend", "--paths", "src"]).expect(
        "
        exit 4
        -- stderr
        error: HEAD is on no branch, so nothing tells the base
        hint: name the branch to merge back to with `--base`, or set `git config orch.base`
        ",
    );
    repo.orch(&["add-session", "backend", "--paths", "src", "--base", "main"]).expect(
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
fn branches_that_stand_in_the_way() {
    for branch in ["orch", "review", "orch/backend"] {
        let repo = TestRepo::new();
        repo.git(&["branch", branch]);
        let output = refused(&repo, &["add-session", "backend", "--paths", "src"]);
        match branch {
            "orch" => output.expect(
                "
                exit 3
                -- stderr
                error: there is a branch `orch`, so git can't hold `orch/…` branches
                hint: rename it: `git branch -m orch NEW-NAME`
                ",
            ),
            "review" => output.expect(
                "
                exit 3
                -- stderr
                error: there is a branch `review`, so git can't hold `review/…` branches
                hint: rename it: `git branch -m review NEW-NAME`
                ",
            ),
            _ => output.expect(
                "
                exit 3
                -- stderr
                error: there is a branch `orch/backend` already
                hint: choose another name, or rename it: `git branch -m orch/backend NEW-NAME`
                ",
            ),
        }
    }
}

#[test]
fn a_folder_that_stands_in_the_way() {
    let repo = TestRepo::new();
    repo.shell("mkdir -p ../shop.orch/backend && echo mine > ../shop.orch/backend/file")
        .run()
        .expect("exit 0");
    refused(&repo, &["add-session", "backend", "--paths", "src"]).expect(
        "
        exit 3
        -- stderr
        error: `$TMP/shop.orch/backend` is there already
        hint: move it away, or set another place: `git config orch.worktrees`
        ",
    );
}

#[test]
fn settings_with_mistakes() {
    let repo = with_session();
    let sessions = |text: &str| {
        repo.write(".orch.yml", text);
        refused(&repo, &["sessions"])
    };
    sessions("version: 1\nbase: [main\n").expect(
        "
        exit 4
        -- stderr
        error: could not read `.orch.yml`: base: invalid type: sequence, expected a string at line 2 column 7
        ",
    );
    sessions("version: 1\nbase: main\nbase: other\n").expect(
        "
        exit 4
        -- stderr
        error: could not read `.orch.yml`: duplicate field `base`
        ",
    );
    sessions("version: 1\nsesions: {}\n").expect("
        exit 4
        -- stderr
        error: could not read `.orch.yml`: unknown field `sesions`, expected one of `version`, `base`, `worktrees`, `setup`, `agents`, `sessions`, `jobs`, `checks`, `viewpoints`, `routing` at line 2 column 1
        hint: did you mean `sessions`?
        ");
    sessions("version: 2\n").expect(
        "
        exit 4
        -- stderr
        error: could not read `.orch.yml`: version 2 is not known here
        hint: the first line is `version: 1`; a newer git-orch may know more
        ",
    );
    sessions("version: 1\nsessions:\n  a: { paths: [\"[\"] }\n").expect(
        "
        exit 4
        -- stderr
        error: could not read `.orch.yml`: bad pattern `[`: unclosed character class; missing ']'
        ",
    );
    sessions("version: 1\nagents:\n  a: { run: [] }\n").expect(
        "
        exit 4
        -- stderr
        error: could not read `.orch.yml`: agents.a.run: a command can't be empty at line 3 column 13
        ",
    );
    sessions("just words\n").expect(
        r#"
        exit 4
        -- stderr
        error: could not read `.orch.yml`: invalid type: string "just words", expected struct Config
        "#,
    );
}

#[test]
fn settings_that_are_a_link() {
    let repo = with_session();
    repo.shell("ln -s /etc/passwd .orch.yml").changing_checkout().run().expect("exit 0");
    refused(&repo, &["sessions"]).expect(
        "
        exit 4
        -- stderr
        error: `.orch.yml` is no plain file
        hint: replace it by one
        ",
    );
}

#[test]
fn personal_settings_with_mistakes() {
    let repo = with_session();
    repo.git(&["config", "orch.worktrees", "../elsewhere"]);
    refused(&repo, &["add-session", "a", "--paths", "src"]).expect(
        "
        exit 4
        -- stderr
        error: the worktrees setting `../elsewhere` has no `{session}` in it
        ",
    );
    repo.git(&["config", "--unset", "orch.worktrees"]);
    repo.git(&["config", "orch.base", "nowhere"]);
    refused(&repo, &["add-session", "a", "--paths", "src"]).expect(
        "
        exit 2
        -- stderr
        error: no branch `nowhere`
        hint: a base is a local branch: results merge back into it
        ",
    );
    repo.git(&["config", "--unset", "orch.base"]);
    repo.git(&["config", "orch.hooks", "perhaps"]);
    refused(&repo, &["task", "fix login", "--", "true"]).expect(
        "
        exit 4
        -- stderr
        error: `orch.hooks` is `perhaps`, neither true nor false
        ",
    );
    repo.shell("echo '[broken' >> .git/config").changing_checkout().run().expect("exit 0");
    refused_call(&repo, repo.call(&["sessions"]).changing_checkout()).expect("
        exit 4
        -- stderr
        error: could not read git's configuration: failed to parse config file: missing ']' in section header (in $TMP/shop/.git/config:9)
        ");
}

#[test]
fn nobody_to_commit_as() {
    let repo = with_session();
    repo.git(&["config", "user.useConfigOnly", "true"]);
    let call = repo.call(&["task", "fix login", "--", "true"]).env("GIT_CONFIG_GLOBAL", "/dev/null");
    refused_call(&repo, call).expect(
        "
        exit 4
        -- stderr
        error: git does not know who commits here
        hint: run `git config --global user.name NAME` and `git config --global user.email ADDRESS`
        ",
    );
}

#[test]
fn an_old_git() {
    let repo = with_session();
    let path = repo.git_of_version("2.20.1");
    refused_call(&repo, repo.call(&["task", "fix login"]).env("PATH", &path)).expect(
        "
        exit 4
        -- stderr
        error: git 2.20 is too old: git-orch needs 2.39 or newer
        hint: upgrade git, or put a newer one first on the PATH
        ",
    );
}

#[test]
fn no_git_at_all() {
    let repo = with_session();
    refused_call(&repo, repo.call(&["sessions"]).env("PATH", "/nowhere")).expect(
        "
        exit 4
        -- stderr
        error: no `git` on the PATH
        hint: install git 2.39 or newer, or put it on the PATH
        ",
    );
    refused_call(&repo, repo.call(&["sessions"]).without_env("PATH")).expect(
        "
        exit 4
        -- stderr
        error: no `git` on the PATH
        hint: install git 2.39 or newer, or put it on the PATH
        ",
    );
}

#[test]
fn no_home() {
    let repo = with_session();
    let bare = |arguments: &[&str]| {
        let call = repo.call(arguments).without_env("HOME").without_env("XDG_CONFIG_HOME");
        call.without_env("XDG_STATE_HOME").without_env("XDG_DATA_HOME").without_env("XDG_CACHE_HOME").run()
    };
    bare(&["sessions"]).expect(
        "
        exit 0
        -- stdout
          session  state  task  ahead  behind  load  last    knows
          backend  idle             0       0     0  <time> ago  src/api
        ",
    );
    bare(&["task", "fix login", "--", &repo.agent("edit.sh")]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login (0.25)
        done in <time>: 1 commit, 1 file
          A work.txt
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    bare(&["trust", "--yes"]).expect(
        "
        exit 4
        -- stdout
          for         command                                  trusted
          repository  built-in agents, tools and copied files  no
        -- stderr
        error: there is no home folder to remember trust in
        hint: set HOME or XDG_STATE_HOME
        ",
    );
}

#[test]
fn an_answer_that_nobody_reads() {
    let repo = with_session();
    repo.shell("git orch sessions | true; git orch man task | head -n 1 >/dev/null").run().expect("exit 0");
    repo.shell("git-orch sessions >&-").run().expect("exit 0");
    repo.shell("git-orch sessions >/dev/full").run().expect(
        "
        exit 4
        -- stderr
        error: could not write the answer: No space left on device (os error 28)
        ",
    );
    repo.shell("git-orch sessions 2>&- <&-").run().expect(
        "
        exit 0
        -- stdout
          session  state  task  ahead  behind  load  last    knows
          backend  idle             0       0     0  <time> ago  src/api
        ",
    );
}

#[test]
fn a_present_folder_that_is_gone() {
    let repo = TestRepo::new();
    repo.shell("mkdir ../gone && cd ../gone && rmdir ../gone && git-orch sessions").run().expect(
        "
        exit 4
        -- stderr
        error: the present folder is gone: No such file or directory (os error 2)
        ",
    );
}

#[test]
fn variables_that_point_elsewhere() {
    let repo = with_session();
    refused_call(&repo, repo.call(&["sessions"]).env("GIT_DIR", "/nowhere")).expect(
        "
        exit 4
        -- stderr
        error: `$TMP/shop` is in no git repository
        hint: change into one, name one with `-C DIR`, or make one with `git init`
        ",
    );
    let call = repo.call(&["task", "fix login", "--", "git", "rev-parse", "--show-toplevel"]);
    call.env("GIT_INDEX_FILE", "/nowhere/index").env("GIT_PREFIX", "x/").run().expect(
        "
        exit 1
        -- stderr
        backend takes fix-login (0.25)
        not done: the run changed nothing after <time>; session backend is free
        next: git orch log fix-login, then git orch retry fix-login
        ",
    );
}
