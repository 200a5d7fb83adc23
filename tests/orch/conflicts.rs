//! `git orch conflicts`: what conflicts with what, also uncommitted, with
//! nothing touched.

use crate::support::TestRepo;

/// Two sessions, and files with lines enough.
fn shop() -> TestRepo {
    let repo = TestRepo::new();
    repo.shell("seq 60 >src/cart.rs; seq 30 >src/list.rs; git add .; git commit -qm numbers")
        .changing_checkout()
        .run()
        .expect_success();
    for session in ["backend", "frontend"] {
        repo.orch(&["add-session", session, "--paths", "src", "-q"]).expect_success();
    }
    repo
}

/// A task of a session that runs a script.
fn task(repo: &TestRepo, session: &str, name: &str, script: &str) {
    repo.orch(&["task", name, "--session", session, "-q", "--", "sh", "-c", script]).expect_success();
}

#[test]
fn where_nobody_works_nothing_conflicts() {
    let repo = shop();
    repo.orch(&["conflicts"]).expect("exit 0\n-- stderr\nno open work");
    repo.orch(&["conflicts", "backnd"]).expect(
        "
        exit 2
        -- stderr
        error: no session or task `backnd`; did you mean `backend`?
        hint: `git orch sessions` and `git orch review` list them
        ",
    );
}

#[test]
fn uncommitted_and_untracked_work_conflicts_and_stays_as_it_is() {
    let repo = shop();
    repo.write("../shop.orch/backend/src/cart.rs", &lines(60, &[(10, "ten")]));
    repo.write("../shop.orch/backend/new.txt", "one\n");
    repo.write("../shop.orch/backend/.git-ignored.log", "one\n");
    repo.write("../shop.orch/frontend/src/cart.rs", &lines(60, &[(11, "eleven")]));
    repo.write("../shop.orch/frontend/new.txt", "two\n");
    repo.write("../shop.orch/frontend/.git-ignored.log", "two\n");
    repo.shell("echo '*.log' >>.git/info/exclude; git -C ../shop.orch/frontend add src")
        .changing_checkout()
        .run()
        .expect_success();
    let hash = "cd ..; find shop/.git shop.orch -type f -not -path '*/orch/*' | sort | xargs sha1sum; ls -A shop/.git/orch | grep ^index-; true";
    let (before, all) = (repo.shell(hash).run().stdout, repo.everything());
    repo.orch(&["conflicts"]).expect(
        "
        exit 1
        -- stdout
          backend × frontend  new.txt      1 / 1, added by both
                              src/cart.rs  10-11 / 10-11
        ",
    );
    all.expect_same(&repo.everything(), "conflicts");
    assert_eq!(repo.shell(hash).run().stdout, before);
}

#[test]
fn an_edit_of_the_same_length_within_one_second_is_seen() {
    let repo = shop();
    // Written within one tick of the clock, after git looked; only the index's date tells.
    let edit = "git config core.trustctime false
        for s in backend frontend; do
            tree=../shop.orch/$s; file=$tree/src/cart.rs; at='-d @1600000000'
            touch $at $file; git -C $tree update-index --refresh
            printf $(echo $s | cut -c1-2) | dd of=$file bs=1 seek=18 conv=notrunc 2>/dev/null
            touch $at $file $(git -C $tree rev-parse --absolute-git-dir)/index
        done";
    repo.shell(edit).changing_checkout().run().expect_success();
    repo.orch(&["conflicts"]).expect(
        "
        exit 1
        -- stdout
          backend × frontend  src/cart.rs  10 / 10
        ",
    );
}

#[test]
fn results_and_the_base_are_compared_and_put_in_order() {
    let repo = shop();
    task(&repo, "backend", "first", "sed -i 's/^5$/five/' src/cart.rs; sed -i 's/^5$/five/' src/list.rs");
    task(&repo, "backend", "on top", "sed -i 's/^20$/twenty/' src/list.rs");
    task(&repo, "frontend", "second", "sed -i 's/^5$/FIVE/' src/cart.rs; git rm -q src/list.rs");
    repo.orch(&["conflicts"]).expect(
        "
        exit 1
        -- stdout
          first × second   src/cart.rs  5 / 5
                           src/list.rs  5 / deleted
          on-top × second  src/cart.rs  5 / 5
                           src/list.rs  5, 20 / deleted
        lands best in this order: first, on-top, second
        -- stderr
        next: git orch merge first on-top second
        ",
    );
    repo.orch(&["conflicts", "first"]).expect(
        "
        exit 1
        -- stdout
          first × second  src/cart.rs  5 / 5
                          src/list.rs  5 / deleted
        ",
    );
    repo.shell("sed -i 's/^5$/V/' src/cart.rs; git commit -qam base")
        .changing_checkout()
        .run()
        .expect_success();
    repo.orch(&["conflicts", "frontend"]).expect(
        "
        exit 1
        -- stdout
          first × second   src/cart.rs  5 / 5
                           src/list.rs  5 / deleted
          on-top × second  src/cart.rs  5 / 5
                           src/list.rs  5, 20 / deleted
          second × main    src/cart.rs  5 / 5
        ",
    );
    repo.shell("git-orch conflicts | tail -1; git-orch conflicts --json backend | grep -o '\"order\".*'")
        .run()
        .expect(
            "
        exit 0
        -- stdout
        lands best in this order: first, on-top, second
        \"order\":[]}}
        -- stderr
        next: git orch review first --request-changes -m 'merge main and resolve'
        ",
        );
}

#[test]
fn what_only_the_base_brings_is_told_of_the_base() {
    let repo = shop();
    task(&repo, "backend", "first", "sed -i 's/^5$/five/' src/cart.rs");
    repo.shell("sed -i 's/^5$/V/' src/cart.rs; git commit -qam base")
        .changing_checkout()
        .run()
        .expect_success();
    repo.orch(&["add-session", "late", "--paths", ".", "-q"]).expect_success();
    repo.write("../shop.orch/late/README.md", "late\n");
    repo.orch(&["conflicts"]).expect(
        "
        exit 1
        -- stdout
          first × main  src/cart.rs  5 / 5
        -- stderr
        next: git orch review first --request-changes -m 'merge main and resolve'
        ",
    );
    repo.orch(&["conflicts", "late"]).expect("exit 0\n-- stdout\nno conflicts: 1 session and 1 result");
    assert_eq!(repo.shell("git merge-tree --write-tree review/first main >/dev/null").run().exit, 1);
}

#[test]
fn a_new_task_is_told_of_others_at_its_files() {
    let repo = shop();
    let warned = |what: &str| format!("warning: {what}");
    let told = |paths: &str| {
        let run = repo.orch(&["task", "look", "--session", "backend", "--paths", paths, "--dry-run"]);
        run.stderr.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told("src/cart.rs"), [""; 0]);
    repo.write("../shop.orch/frontend/src/cart.rs", "more\n");
    repo.write("../shop.orch/frontend/src/new.rs", "more\n");
    let cart = warned("src/cart.rs is being changed by frontend (uncommitted)");
    assert_eq!(told("src/cart.rs"), [cart.as_str()]);
    assert_eq!(told("src/list.rs"), [""; 0]);
    repo.shell("git -C ../shop.orch/frontend add src/cart.rs").run().expect_success();
    assert_eq!(told("src/cart.rs"), [cart.as_str()]);
    assert_eq!(
        told("src"),
        [warned("src/cart.rs and src/new.rs are being changed by frontend (uncommitted)")]
    );
    repo.shell("git -C ../shop.orch/frontend add . && git -C ../shop.orch/frontend commit -qm own")
        .run()
        .expect_success();
    assert_eq!(told("src/cart.rs"), [warned("src/cart.rs is being changed by frontend (not landed)")]);
    task(&repo, "frontend", "rewrite", "echo all >src/list.rs");
    assert_eq!(told("src/list.rs"), [warned("src/list.rs is changed in rewrite, which has not landed")]);
    let own = repo.orch(&["task", "look", "--session", "frontend", "--paths", "src", "--dry-run"]);
    assert_eq!(own.stderr, "");
    let script =
        "git-orch add-session docs --paths README.md -q >&2; echo x >>../shop.orch/frontend/README.md
        git-orch plan 'fix README.md' 2>&1 >/dev/null | grep warning";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
        warning: docs: README.md is being changed by frontend (uncommitted)
        -- stderr
        $TMP/shop.orch/docs
        ",
    );
}

#[test]
fn a_session_that_can_not_be_looked_into_is_told_of() {
    let repo = shop();
    task(&repo, "backend", "first", "sed -i 's/^5$/five/' src/cart.rs");
    let script = "cd ../shop.orch/frontend; sed -i 's/^5$/FIVE/' src/cart.rs; git commit -qam own; mv ../frontend ../away";
    repo.shell(script).run().expect_success();
    repo.orch(&["conflicts"]).expect(
        "
        exit 1
        -- stdout
          frontend × first  src/cart.rs  5 / 5
        -- stderr
        warning: the worktree of session `frontend` is gone from `$TMP/shop.orch/frontend`; only its commits are compared
        ",
    );
}

/// Numbered lines, some with other words.
fn lines(count: usize, changed: &[(usize, &str)]) -> String {
    let line = |number: usize| {
        let other = changed.iter().find(|(at, _)| *at == number).map(|(_, word)| (*word).to_owned());
        other.unwrap_or_else(|| number.to_string()) + "\n"
    };
    (1..=count).map(line).collect()
}
