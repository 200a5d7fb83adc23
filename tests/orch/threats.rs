//! Hostile repositories: what lies in them, in their configuration or beside
//! it runs nothing and is written nowhere.

use git_orch::git::executing::{self, Fate, SETTINGS};

use crate::support::{TestRepo, VERBS, days_ago, gits, refused_call, skip};

/// Hooks that some verb of git runs.
const HOOKS: &str = "applypatch-msg pre-applypatch post-applypatch pre-commit pre-merge-commit \
    prepare-commit-msg commit-msg post-commit pre-rebase post-checkout post-merge post-rewrite \
    post-index-change reference-transaction pre-auto-gc pre-push push-to-checkout fsmonitor-watchman";

/// A shop where every setting that executes and every hook leaves a mark of itself in `../ran`.
fn mined_shop() -> TestRepo {
    let repo = TestRepo::new();
    let files = [(".gitattributes", "* diff=mine\n"), (".orch.yml", "version: 1\n")];
    repo.commit(&files, "attributes", "Ann", days_ago(1));
    let ran = repo.top().join("ran");
    std::fs::create_dir(&ran).unwrap();
    let mark = |name: &str| format!("touch {}/{}; false", ran.display(), name.replace('*', "mine"));
    let mut config = String::new();
    for (setting, fate) in SETTINGS {
        // Where hooks are looked for is left alone, so that those below are found.
        if !matches!(fate, Fate::Wanted | Fate::Leads) && *setting != "core.hookspath" {
            let (section, name) = setting.rsplit_once('.').unwrap();
            let (section, part) = section.split_once('.').unwrap_or((section, ""));
            let part = match section {
                "remote" => "origin".to_owned(),
                _ => part.replace('*', "mine"),
            };
            let head = if part.is_empty() { section.to_owned() } else { format!("{section} \"{part}\"") };
            let bang = if ["alias", "submodule"].contains(&section) { "!" } else { "" };
            let names: &[&str] = match (section, name) {
                ("alias", _) => &["status", "diff", "log", "add", "commit", "worktree", "merge-tree"],
                ("pager", _) => &["status", "diff", "log", "branch", "config"],
                ("sendemail", "*cmd") => &["tocmd", "cccmd"],
                (_, name) => &[name],
            };
            for name in names {
                let mark = mark(&format!("{section}.{part}.{name}"));
                config += &format!("[{head}]\n\t{name} = \"{bang}{mark}\"\n");
            }
        }
    }
    for event in HOOKS.split_whitespace() {
        config += &format!("[hook \"mine-{event}\"]\n\tevent = {event}\n\tcommand = \"{}\"\n", mark(event));
    }
    config += "[branch \"main\"]\n\tmergeOptions = --verify-signatures\n[merge]\n\tverifySignatures = true\n\
        [log]\n\tshowSignature = true\n[commit]\n\tgpgSign = true\n[remote \"origin\"]\n\turl = ../shop\n";
    let text = std::fs::read_to_string(repo.path(".git/config")).unwrap() + &config;
    std::fs::write(repo.path(".git/config"), text).unwrap();
    let script = format!(
        "mkdir -p .git/hooks; for hook in {HOOKS}; do
            printf '#!/bin/sh\\ntouch {}/hook-%s\\n' $hook >.git/hooks/$hook; chmod +x .git/hooks/$hook
        done",
        ran.display()
    );
    repo.shell(&script).changing_checkout().run().expect("exit 0");
    repo
}

/// What has run.
fn ran(repo: &TestRepo) -> String {
    repo.shell("ls ../ran").run().stdout
}

/// Every subcommand, each at work, in an order that gives it something to do.
fn every_subcommand(repo: &TestRepo) -> Vec<Vec<String>> {
    let (edit, fail) = (repo.agent("edit.sh"), repo.agent("fail.sh"));
    let lines = [
        "add-session backend --paths src/api --adopt-history".to_owned(),
        "sessions".to_owned(),
        "show backend".to_owned(),
        "history backend --rebuild".to_owned(),
        "route fix-cart --why".to_owned(),
        format!("task one -- {edit} src/api/cart.rs"),
        format!("task two -- {fail}"),
        format!("plan four five --run -- {edit} src/api/cart.rs"),
        "tasks --all".to_owned(),
        "brief one".to_owned(),
        "log two".to_owned(),
        "show one".to_owned(),
        "conflicts".to_owned(),
        "wait one".to_owned(),
        "note found --task one".to_owned(),
        "task asks -- sh -c git-orch${IFS}report${IFS}input".to_owned(),
        "answer asks yes".to_owned(),
        "attach asks --dry-run".to_owned(),
        "cancel asks".to_owned(),
        "note kept --task two".to_owned(),
        "add-session other --paths docs".to_owned(),
        "handoff two --to other".to_owned(),
        format!("retry two -- {edit} two.txt"),
        "cancel two".to_owned(),
        "task three --agent person".to_owned(),
        "report working -C ../shop.orch/backend".to_owned(),
        "done three --empty".to_owned(),
        format!("fanout touch --run {edit}${{IFS}}\"$@\" --paths src --shards 2"),
        "plan more".to_owned(),
        "review".to_owned(),
        "review one".to_owned(),
        "review one --diff".to_owned(),
        "review one --request-changes -m more".to_owned(),
        format!("retry one -- {edit} extra.txt"),
        "review one --range-diff".to_owned(),
        "review one --tool".to_owned(),
        "review one --approve".to_owned(),
        "merge --dry-run".to_owned(),
        "merge".to_owned(),
        "agents".to_owned(),
        "init".to_owned(),
        "config".to_owned(),
        "trust".to_owned(),
        "doctor --fix".to_owned(),
        "log --ops".to_owned(),
        "pause backend -m holiday".to_owned(),
        "resume backend".to_owned(),
        "remove-session backend".to_owned(),
        "trash".to_owned(),
        "gc --apply".to_owned(),
        "undo".to_owned(),
    ];
    lines.iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

#[test]
fn a_mined_repository_runs_nothing_in_any_subcommand_under_any_git() {
    let all = 0..gits(&TestRepo::new()).len();
    std::thread::scope(|scope| {
        all.for_each(|number| drop(scope.spawn(move || mined_shop_stays_quiet(number))))
    });
}

/// The whole story under one git, read in one of the two ways.
fn mined_shop_stays_quiet(number: usize) {
    let backend = ["git2", "cli"][number % 2];
    let repo = mined_shop();
    let git = &gits(&repo)[number];
    let story = every_subcommand(&repo);
    let is_left_out = |verb: &&&[&str]| !story.iter().any(|line| line[0] == verb[0]);
    assert_eq!(VERBS.iter().find(is_left_out), None, "left out");
    for line in &story {
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        let call = repo.call(&words).with_git(git).changing_checkout();
        let output = call.env("GIT_ORCH_BACKEND", backend).run();
        assert_eq!(ran(&repo), "", "`{}` ran a mine\n{output}", line.join(" "));
        let fails = [
            "task two",
            "task asks",
            "answer asks",
            "cancel asks",
            "merge",
            "doctor",
            "init",
            "trust",
            "review one --tool",
        ];
        let may_fail = fails.iter().any(|start| line.join(" ").starts_with(start));
        assert!(output.exit == 0 || may_fail, "`{}`\n{output}", line.join(" "));
    }
    let plain = "git -c alias.x=y status; git diff HEAD~1; git commit -m x --allow-empty";
    drop(repo.shell(plain).with_git(git).changing_checkout().run());
    let live = ran(&repo);
    for mine in ["core..fsmonitor", "diff.mine.command", "hook-pre-commit"] {
        assert!(live.contains(mine), "the mine {mine} would not have gone off under git itself: {live}");
    }
}

/// What a setting is called that may execute.
const EXECUTING: &[&str] = &[
    "command",
    "cmd",
    "hook",
    "program",
    "driver",
    "textconv",
    "editor",
    "pager",
    "askpass",
    "helper",
    "uploadpack",
    "receivepack",
    "external",
    "clean",
    "smudge",
    "process",
    "browser",
    "tunnel",
    "httpd",
    "smtpserver",
    "sendmail",
    "vcs",
    "exec",
    "shell",
    "filter",
    "template",
    "proxy",
    "fsmonitor",
    "alias",
];

/// Settings that are called so and execute nothing.
const HARMLESS: &[&str] = &[
    "advice.",
    "alias.*",
    "clean.requireforce",
    "clone.filtersubmodules",
    "color.pager",
    "column.clean",
    "commit.cleanup",
    "commit.template",
    "commitgraph.maxnewfilters",
    "completion.commands",
    "core.fsmonitorhookversion",
    "core.hookspath",
    "credential.<url>.*",
    "diff.<driver>.binary",
    "diff.<driver>.cachetextconv",
    "diff.<driver>.trustexitcode",
    "diff.<driver>.wordregex",
    "diff.<driver>.xfuncname",
    "fsmonitor.",
    "gc.repackfilter",
    "gitcvs.dbdriver",
    "gui.newbranchtemplate",
    "http.",
    "instaweb.modulepath",
    "merge.<driver>.name",
    "merge.<driver>.recursive",
    "notes.rewrite.<command>",
    "pager.<cmd>",
    "rebase.abbreviatecommands",
    "rebase.reschedulefailedexec",
    "remote.<name>.partialclonefilter",
    "remote.<name>.proxy",
    "sendemail.smtpserveroption",
    "sendemail.smtpserverport",
    "sendemail.aliasfiletype",
    "sendemail.aliasesfile",
    "sendemail.forbidsendmailvariables",
    "uploadpack.allow",
    "uploadpackfilter.",
    "uploadpack.hiderefs",
    "uploadpack.keepalive",
];

#[test]
fn every_setting_of_every_git_that_executes_is_accounted_for() {
    let repo = TestRepo::new();
    for git in gits(&repo) {
        let listed = repo.shell("git help --config").with_git(&git).run().stdout.to_lowercase();
        assert!(listed.lines().count() > 500, "{listed}");
        let suspicious = |setting: &&str| EXECUTING.iter().any(|word| setting.contains(word));
        let harmless = |setting: &str| HARMLESS.iter().any(|start| setting.starts_with(start));
        let unknown: Vec<&str> = listed
            .lines()
            .filter(suspicious)
            .filter(|setting| executing::fate(setting).is_none() && !harmless(setting))
            .collect();
        assert!(unknown.is_empty(), "neither in git/executing.rs nor harmless: {unknown:?}");
    }
}

#[test]
fn a_partial_clone_fetches_with_no_program_of_its_own_before_trust() {
    for number in 0..gits(&TestRepo::new()).len() {
        let repo = TestRepo::new();
        let git = &gits(&repo)[number];
        let script = "git config core.repositoryFormatVersion 1; git config extensions.partialClone origin
            git config remote.origin.promisor true; git config remote.origin.url ../nowhere
            git config remote.origin.uploadpack 'touch ~/ran;'
            mv .git/objects/pack ..; for pack in ../pack/*.pack; do git unpack-objects -q <$pack; done
            oid=$(git rev-parse HEAD:README.md); rm .git/objects/$(echo $oid | cut -c1-2)/$(echo $oid | cut -c3-)";
        repo.shell(script).changing_checkout().run().expect("exit 0");
        let add = ["add-session", "backend", "--paths", "src"];
        let output = repo.call(&add).with_git(git).run();
        assert_eq!(output.exit, 4, "{output}");
        let way_out = "hint: what this partial clone lacks is fetched once `git orch trust` allowed how\n";
        assert!(output.stderr.ends_with(way_out), "{output}");
        repo.call(&["trust", "--yes"]).with_git(git).run().expect(
            "
            exit 0
            -- stdout
              for                                  command                                  trusted
              git config remote.origin.uploadpack  touch ~/ran;                             no
              repository                           built-in agents, tools and copied files  no
            -- stderr
            trusted; a changed command asks again
            ",
        );
        assert!(!repo.top().join("home/ran").exists());
        assert_eq!(repo.call(&add).with_git(git).changing_checkout().run().exit, 4);
        assert!(repo.top().join("home/ran").exists(), "what the user trusts is used");
    }
}

/// Both ways to read a repository: each verb meets one, and its neighbour the other.
const BACKENDS: [&str; 2] = ["auto", "cli"];

#[test]
fn a_repository_among_the_files_of_another_is_not_entered() {
    let repo = TestRepo::new();
    let script = "git clone -q --bare . evil && cd evil && git config core.fsmonitor 'touch ../../ran'
        git config core.bare false && git config core.worktree .. && cd .. && git add evil && git commit -qm evil";
    repo.shell(script).changing_checkout().run().expect("exit 0");
    for (verb, backend) in VERBS.iter().zip(BACKENDS.into_iter().cycle()) {
        let call = repo.call(verb).within(repo.path("evil")).env("GIT_ORCH_BACKEND", backend);
        refused_call(&repo, call).expect(
            "
                exit 4
                -- stderr
                error: the repository at `$TMP/shop/evil` is a file of the one around it
                hint: its configuration came with those files; change into a folder of the one around it
                ",
        );
    }
    assert!(!repo.top().join("ran").exists());
}

/// Whether this user may give files away.
fn is_root(repo: &TestRepo) -> bool {
    let root = repo.shell("id -u").run().stdout == "0\n";
    if !root {
        skip("only root can give a repository away");
    }
    root
}

#[test]
fn a_repository_of_another_user_is_refused_by_every_verb() {
    for (given_away, verbs) in [(".", VERBS), (".git", &VERBS[..4])] {
        let repo = TestRepo::new();
        if !is_root(&repo) {
            return;
        }
        repo.shell(&format!("chown -R 65534 {given_away}")).run().expect("exit 0");
        for (verb, backend) in verbs.iter().zip(BACKENDS.into_iter().cycle()) {
            refused_call(&repo, repo.call(verb).env("GIT_ORCH_BACKEND", backend)).expect(
                "
                    exit 4
                    -- stderr
                    error: the repository around `$TMP/shop` belongs to another user
                    hint: if it is to be trusted: `git config --global --add safe.directory DIR`
                    ",
            );
        }
        assert!(!repo.path(".git/orch").exists());
    }
}

#[test]
fn submodules_are_named_and_never_fetched() {
    let repo = TestRepo::new();
    let modules = "[submodule \"x\"]\n\tpath = \"sub\\r\"\n\turl = -u./run\n\tupdate = !touch ../ran\n\
        [submodule \"../../up\"]\n\tpath = up\n\turl = ext::sh -c touch% ../ran\n";
    let script = "oid=$(git rev-parse HEAD); git update-index --add --cacheinfo 160000,$oid,up &&
        git update-index --add --cacheinfo \"160000,$oid,sub$(printf '\\r')\" && git commit -qm modules";
    repo.commit(&[(".gitmodules", modules)], "modules", "Ann", days_ago(1));
    repo.shell(script).changing_checkout().run().expect("exit 0");
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.orch(&["task", "fix login", "-q", "--", &repo.agent("edit.sh")]).expect_success();
    repo.call(&["merge", "-q"]).changing_checkout().run().expect_success();
    repo.shell("ls .. ../shop.orch/backend/up .git/modules 2>/dev/null | grep -E 'ran|modules'")
        .run()
        .expect("exit 1");
}

#[test]
fn a_tree_that_would_write_into_git_is_refused_by_git_itself() {
    for path in [".git", ".GIT", "..", "git~1"] {
        let repo = TestRepo::new();
        let script = format!(
            "blob=$(echo '[core]' | git hash-object -w --stdin); inner=$(printf '100644 blob %s\\tconfig\\n' $blob | git mktree)
            tree=$(printf '040000 tree %s\\t{path}\\n' $inner | git mktree)
            git update-ref refs/heads/evil $(git commit-tree -p HEAD -m evil $tree)"
        );
        repo.shell(&script).changing_checkout().run().expect("exit 0");
        let before = repo.checkout();
        let add = ["add-session", "a", "--paths", "src", "--base", "evil"];
        let output = repo.orch(&add);
        before.expect_same(&repo.checkout(), path);
        let written = repo.shell("ls -a ../shop.orch/a 2>/dev/null | grep -iE '^(git~1|config)$'").run();
        assert_eq!((output.exit, written.exit), (4, 1), "{path}\n{output}{written}");
        let left = repo
            .shell(
                "git worktree list; git for-each-ref refs/heads/orch refs/orch/session refs/orch/keep; ls ../shop.orch 2>/dev/null",
            )
            .run();
        assert_eq!(left.stdout.lines().count(), 1, "{path}\n{left}");
    }
}

#[test]
fn links_in_the_tree_lead_no_copy_out() {
    let repo = TestRepo::new();
    let script = "mkdir ../out; echo mine >../out/target; echo '.env' >.gitignore; echo 'deep/' >>.gitignore
        printf '.env\\ndeep/x\\n' >.worktreeinclude; git add .gitignore .worktreeinclude; git commit -qm include
        git branch evil; git -C . checkout -q evil; ln -s ../../out/target .env; ln -s ../../out deep
        git add -f .env deep; git commit -qm evil; git checkout -q main; echo secret >.env; mkdir deep; echo secret >deep/x";
    repo.shell(script).changing_checkout().run().expect("exit 0");
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.orch(&["add-session", "a", "--paths", "src", "--base", "evil", "-q"]).expect_success();
    repo.shell("cat ../out/target; ls ../out").run().expect(
        "
        exit 0
        -- stdout
        mine
        target
        ",
    );
}
