//! Whatever is wrong with what was typed: one clear line, a way out, a
//! documented exit code, and nothing changed.

use crate::support::{TestRepo, refused, refused_call};

/// A repository with a session for the API.
fn with_session() -> TestRepo {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    repo
}

#[test]
fn a_base_that_is_no_branch() {
    let repo = TestRepo::new();
    refused(&repo, &["add-session", "a", "--paths", "src", "--base", "mian"]).expect(
        "
        exit 2
        -- stderr
        error: no branch `mian`; did you mean `main`?
        hint: a base is a local branch: results merge back into it
        ",
    );
    refused(&repo, &["add-session", "a", "--paths", "src", "--base", "HEAD~1"]).expect(
        "
        exit 2
        -- stderr
        error: no branch `HEAD~1`
        hint: a base is a local branch: results merge back into it
        ",
    );
}

#[test]
fn unknown_names() {
    let repo = with_session();
    refused(&repo, &["task", "fix login", "--session", "backnd"]).expect(
        "
        exit 2
        -- stderr
        error: no session `backnd`; did you mean `backend`?
        hint: `git orch sessions` lists them
        ",
    );
    refused(&repo, &["remove-session", "backnd"]).expect(
        "
        exit 2
        -- stderr
        error: no session `backnd`; did you mean `backend`?
        hint: `git orch sessions` lists them
        ",
    );
    refused(&repo, &["show", "zzz"]).expect(
        "
        exit 2
        -- stderr
        error: no session or task `zzz`
        hint: `git orch tasks --all` lists them
        ",
    );
    refused(&repo, &["show", "../../etc/passwd"]).expect(
        "
        exit 2
        -- stderr
        error: no session or task `../../etc/passwd`
        hint: `git orch tasks --all` lists them
        ",
    );
    refused(&repo, &["task", "fix login", "--agent", "codx"]).expect(
        "
        exit 2
        -- stderr
        error: no agent `codx`
        hint: name it under `agents:` in `.orch.yml`, or give its command behind `--`
        ",
    );
}

#[test]
fn unknown_tasks() {
    let repo = with_session();
    repo.orch(&["task", "fix login", "-q"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        ",
    );
    for verb in ["brief", "log", "cancel", "retry", "wait", "done"] {
        refused(&repo, &[verb, "fix-logn"]).expect(
            "
            exit 2
            -- stderr
            error: no task `fix-logn`; did you mean `fix-login`?
            hint: `git orch tasks --all` lists them
            ",
        );
    }
    for verb in ["review", "merge"] {
        refused(&repo, &[verb, "fix-logn"]).expect(
            "
            exit 2
            -- stderr
            error: no task `fix-logn`; did you mean `fix-login`?
            hint: `git orch review` lists what waits
            ",
        );
    }
}

#[test]
fn names_that_can_mean_no_good() {
    let repo = TestRepo::new();
    for (name, why) in [
        ("", "a name can't be empty"),
        (".", "a name starts with a letter or a digit"),
        ("..", "a name starts with a letter or a digit"),
        ("a..b", "a name holds no `..` and does not end in `.` or `.lock`"),
        ("a/b", "a name holds only a-z, 0-9, `.`, `_` and `-`"),
        ("../up", "a name holds only a-z, 0-9, `.`, `_` and `-`"),
        ("a b", "a name holds only a-z, 0-9, `.`, `_` and `-`"),
        ("Größe", "a name holds only a-z, 0-9, `.`, `_` and `-`"),
        ("$(id)", "a name holds only a-z, 0-9, `.`, `_` and `-`"),
        ("x.lock", "a name holds no `..` and does not end in `.` or `.lock`"),
    ] {
        refused(&repo, &["add-session", name, "--paths", "src"]).expect(&format!(
            "
            exit 2
            -- stderr
            error: `{name}` can't be a session's name: {why}
            hint: for example `backend` or `api-2`
            "
        ));
    }
    refused(&repo, &["add-session", "a\u{1b}[31m\u{202e}b\nc", "--paths", "src"]).expect(r#"
        exit 2
        -- stderr
        error: `a\u{1b}[31m\u{202e}b; c` can't be a session's name: a name holds only a-z, 0-9, `.`, `_` and `-`
        hint: for example `backend` or `api-2`
        "#);
    refused(&repo, &["add-session", &"a".repeat(300), "--paths", "src"]).expect("
        exit 2
        -- stderr
        error: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` can't be a session's name: a name has at most 63 characters
        hint: for example `backend` or `api-2`
        ");
    refused(&repo, &["add-session", "-x", "--paths", "src"]).expect(
        "
        exit 2
        -- stderr
        error: unexpected argument '-x' found

          tip: to pass '-x' as a value, use '-- -x'

        Usage: git orch add-session [OPTIONS] <NAME>

        For more information, try '--help'.
        ",
    );
}

#[test]
fn paths_that_lead_out_of_the_repository() {
    let repo = with_session();
    repo.shell("ln -s / root").changing_checkout().run().expect("exit 0");
    refused(&repo, &["add-session", "a", "--paths", "../other"]).expect(
        "
        exit 2
        -- stderr
        error: `../other` leads out of the repository
        ",
    );
    refused(&repo, &["add-session", "a", "--paths", "/etc"]).expect(
        "
        exit 2
        -- stderr
        error: `/etc` leads out of the repository
        ",
    );
    refused(&repo, &["add-session", "a", "--paths", "root/etc"]).expect(
        "
        exit 2
        -- stderr
        error: `root/etc` is a link that leads out of the repository
        ",
    );
    refused(&repo, &["task", "fix login", "--paths", "../other"]).expect(
        "
        exit 2
        -- stderr
        error: `../other` leads out of the repository
        ",
    );
    refused(&repo, &["route", "fix login", "--paths", "/etc/passwd"]).expect(
        "
        exit 2
        -- stderr
        error: `/etc/passwd` leads out of the repository
        ",
    );
}

#[test]
fn patterns_with_mistakes() {
    let repo = TestRepo::new();
    refused(&repo, &["add-session", "a", "--paths", "src/[a"]).expect(
        "
        exit 2
        -- stderr
        error: bad pattern `src/[a`: unclosed character class; missing ']'
        ",
    );
    refused(&repo, &["add-session", "a", "--paths", "src/{a,b"]).expect(
        "
        exit 2
        -- stderr
        error: bad pattern `src/{a,b`: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
        ",
    );
    refused(&repo, &["add-session", "a", "--paths", "!src"]).expect(
        "
        exit 2
        -- stderr
        error: bad pattern `!src`: `!` and `:` have no meaning here
        ",
    );
    refused(&repo, &["add-session", "a", "--paths", ""]).expect(
        "
        exit 2
        -- stderr
        error: bad pattern ``: it is empty
        ",
    );
}

#[test]
fn a_task_without_words() {
    let repo = with_session();
    refused(&repo, &["task", ""]).expect(
        r#"
        exit 2
        -- stderr
        error: the task has no text
        hint: say what to do: `git orch task "fix login"`
        "#,
    );
    refused(&repo, &["task", " \n\t "]).expect(
        r#"
        exit 2
        -- stderr
        error: the task has no text
        hint: say what to do: `git orch task "fix login"`
        "#,
    );
    refused(&repo, &["route", ""]).expect(
        "
        exit 2
        -- stderr
        error: the task has no text
        hint: say what is to be done, or where with --paths
        ",
    );
    refused(&repo, &["task"]).expect(
        "
        exit 2
        -- stderr
        error: the following required arguments were not provided:
          <TEXT>

        Usage: git orch task <TEXT> [-- <CMD>...]

        For more information, try '--help'.
        ",
    );
}

#[test]
fn a_task_without_sessions() {
    let repo = TestRepo::new();
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
}

#[test]
fn commands_that_are_not_there() {
    let repo = with_session();
    refused(&repo, &["task", "fix login", "--", "no-such-program"]).expect(
        "
        exit 2
        -- stderr
        error: no command `no-such-program`
        hint: it is not on the PATH; write `./NAME` for a file in this folder
        ",
    );
    refused(&repo, &["task", "fix login", "--", "./no-such-program"]).expect(
        "
        exit 2
        -- stderr
        error: no command `./no-such-program`
        hint: a path is looked up from the folder you are in
        ",
    );
    refused(&repo, &["task", "fix login", "--", "src"]).expect(
        "
        exit 2
        -- stderr
        error: no command `src`
        hint: it is not on the PATH; write `./NAME` for a file in this folder
        ",
    );
    repo.write("not-executable", "words\n");
    let output = repo.orch(&["task", "fix login", "--", "./not-executable"]);
    output.expect(
        "
        exit 4
        -- stderr
        backend takes fix-login (0.25)
        error: could not start `$TMP/shop/not-executable`: Permission denied (os error 13)
        hint: check the command's name and the PATH
        ",
    );
}

#[test]
fn no_command_at_all() {
    let repo = TestRepo::new();
    refused(&repo, &[]).expect(
        "
        exit 2
        -- stderr
        Route work to the session that already knows the code

        Usage: git orch [OPTIONS] <COMMAND>

        Commands:
          add-session     Make a session: a branch, a worktree, a specialty, a history
          sessions        List the sessions: state, task, drift from base, load, what each knows best
                          [alias: ls]
          show            Show one session, task or fan-out, whole
          remove-session  Take a session away; nothing of it is lost
          history         Show what a session has touched, mined from commits
          route           Say who would get a task, and why; change nothing
          task            Give a task to the session that knows the code, and run it there
          tasks           List the tasks that are not over
          brief           Print the brief that a task's worker was given
          log             Print what a task's command, or a fan-out's shard, printed
          done            Say that a task is done: its commits go up for review
          cancel          Call a task off: stop what runs, keep its edits on its record, free its session
          retry           Run a task again: one that failed, was cancelled, or must change
          wait            Wait until a task is no longer being worked on
          fanout          Do parallel-safe work in throwaway worktrees; it comes back as one branch
          review          See what waits for judgement, look at one result, judge it
          merge           Land results: combine, check exactly that tree, move the base
          init            Write a commented `.orch.yml`; every command works without one
          config          Show the settings in force and where each comes from
          trust           Allow the commands that this repository names, exactly as they are now
          undo            Take back what a command did
          doctor          Look for what is wrong, and how to set it right
          demo            Show everything in a minute, in a repository made for it
          man             Show the manual, or install it for `git help orch`
          completions     Print a completion script for a shell

        Options:
              --json     Print one JSON document instead of text
          -C <DIR>       Work in this folder instead of the present one
          -q, --quiet    Print nothing but the answer, warnings and errors
          -h, --help     Print help (see more with '--help')
          -V, --version  Print version

        `git orch COMMAND --help` explains a command; `git orch demo` shows them all in a minute.
        ",
    );
}

#[test]
fn wrong_usage() {
    let repo = TestRepo::new();
    refused(&repo, &["tsak", "x"]).expect(
        "
        exit 2
        -- stderr
        error: unrecognized subcommand 'tsak'

          tip: some similar subcommands exist: 'tasks', 'task'

        Usage: git orch [OPTIONS] <COMMAND>

        For more information, try '--help'.
        ",
    );
    refused(&repo, &["task", "x", "--sesion", "a"]).expect(
        "
        exit 2
        -- stderr
        error: unexpected argument '--sesion' found

          tip: a similar argument exists: '--session'
          tip: to pass '--sesion' as a value, use '-- --sesion'

        Usage: git orch task --session <SESSION> <TEXT> [-- <CMD>...]

        For more information, try '--help'.
        ",
    );
    refused(&repo, &["add-session"]).expect(
        "
        exit 2
        -- stderr
        error: the following required arguments were not provided:
          <NAME>

        Usage: git orch add-session <NAME>

        For more information, try '--help'.
        ",
    );
}

#[test]
fn a_program_is_told_in_json() {
    let repo = with_session();
    refused(&repo, &["show", "backnd", "--json"]).expect(r#"
        exit 2
        -- stdout
        {"schema":"git-orch/1","command":"show","error":{"kind":"usage","message":"no session or task `backnd`; did you mean `backend`?","hints":["`git orch tasks --all` lists them"]}}
        "#);
    refused(&repo, &["tsak", "--json"]).expect(r#"
        exit 2
        -- stdout
        {"schema":"git-orch/1","command":"","error":{"kind":"usage","message":"unrecognized subcommand 'tsak'","hints":[]}}
        "#);
    refused_call(&repo, repo.call(&["sessions", "--json"]).within(repo.top())).expect(r#"
        exit 4
        -- stdout
        {"schema":"git-orch/1","command":"sessions","error":{"kind":"unusable","message":"`$TMP` is in no git repository","hints":["change into one, name one with `-C DIR`, or make one with `git init`"]}}
        "#);
}
