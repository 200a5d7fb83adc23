//! `git orch merge` as a queue: several at once, in each style, stacks, conflicts.

use crate::support::TestRepo;
use crate::support::results::{by_script, merge, sessions};

/// A repository whose check wants no two files to claim the same, and writes
/// down each of its runs.
fn claims() -> TestRepo {
    let repo = TestRepo::new();
    let script = format!(
        "echo run >>{}\nls claims | sed 's/-.*//' | sort | uniq -d | grep . && exit 1; :\n",
        repo.path("runs").display()
    );
    repo.write("claims.sh", &script);
    repo.write("claims/0-none", "");
    repo.write(".orch.yml", "version: 1\nchecks: ['sh claims.sh']\n");
    repo.git(&["add", "."]);
    repo.git(&["commit", "-qm", "claims"]);
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo
}

/// Runs of the check so far.
fn runs(repo: &TestRepo) -> usize {
    std::fs::read_to_string(repo.path("runs")).unwrap_or_default().lines().count()
}

/// Results one to `count`, of which `bad` claims what another one claims.
fn claim(repo: &TestRepo, count: usize, bad: usize) {
    for number in 1..=count {
        let claim = if number == bad { if bad == 1 { 2 } else { 1 } } else { number };
        sessions(repo, &[&format!("s{number}")]);
        let script = format!("touch claims/{claim}-{number}");
        by_script(repo, &format!("claim {number}"), &format!("s{number}"), &script);
    }
}

#[test]
fn of_several_the_one_that_makes_all_fail_goes_back_and_the_rest_lands() {
    let repo = claims();
    claim(&repo, 8, 6);
    merge(&repo, &[]).expect(
        "
        exit 1
        -- stdout
          landed  claim-1  check passed in <time>, 5 at once  main <oid> → <oid>
          landed  claim-2  check passed in <time>, 5 at once  main <oid> → <oid>
          landed  claim-3  check passed in <time>, 5 at once  main <oid> → <oid>
          landed  claim-4  check passed in <time>, 5 at once  main <oid> → <oid>
          landed  claim-5  check passed in <time>, 5 at once  main <oid> → <oid>
          back    claim-6  check `sh claims.sh` failed (exit 1) on top of main with claim-1, claim-2, claim-3 and 2 more
          landed  claim-7  check passed in <time>, 2 at once  main <oid> → <oid>
          landed  claim-8  check passed in <time>, 2 at once  main <oid> → <oid>
        -- stderr
        8 results fail together: looking for the first that does
        last 1 line of $TMP/shop/.git/orch/check/claim-6/check-1.log:
            1
        7 of 8 landed
        next: git orch retry claim-6
        ",
    );
    assert_eq!(runs(&repo), 5, "all, three to find it, the rest");
    repo.shell("git log --first-parent --format=%s%n%b -2; git orch show claim-6 | tail -3").run().expect(
        "
        exit 0
        -- stdout
        Merge 2 results: claim-7 and claim-8
        review/claim-7: claim 7
        review/claim-8: claim 8

        Orch-Task: claim-7
        Orch-Task: claim-8

        Merge 5 results: claim-1, claim-2, claim-3 and 2 more
        review/claim-1: claim 1
        review/claim-2: claim 2
        review/claim-3: claim 3
        review/claim-4: claim 4
        review/claim-5: claim 5

        Orch-Task: claim-1
        Orch-Task: claim-2
        Orch-Task: claim-3
        Orch-Task: claim-4
        Orch-Task: claim-5

          asked for  The check `sh claims.sh` fails on top of main with claim-1, claim-2, claim-3, claim-4 and claim-5:
                     1
        next: git orch retry claim-6
        ",
    );
}

/// One culprit of N: the others land, with at most N + log2 N checks; `stress`
/// tries many more.
#[test]
fn wherever_the_culprit_is_few_checks_find_it() {
    for (count, bad, arguments) in
        [(2, 1, &[][..]), (2, 2, &[]), (3, 2, &["--each"]), (3, 3, &["--squash"]), (4, 3, &[])]
    {
        let repo = claims();
        claim(&repo, count, bad);
        let before = runs(&repo);
        assert_eq!(merge(&repo, arguments).exit, 1, "{count} {bad} {arguments:?}");
        let tasks = repo.orch(&["tasks", "--all", "--json"]).json();
        let tasks = tasks["data"].as_array().unwrap().clone();
        let landed = tasks.iter().filter(|task| task["state"] == "merged").count();
        assert_eq!(landed, count - 1, "{tasks:?}");
        let checks = runs(&repo) - before;
        let most = count + count.ilog2() as usize;
        assert!(checks <= most, "{checks} checks for {bad} of {count}, {arguments:?}");
    }
}

#[test]
fn a_base_that_fails_its_own_check_blames_nobody() {
    let repo = claims();
    repo.write("claims/0-other", "");
    repo.git(&["add", "."]);
    repo.git(&["commit", "-qm", "somebody breaks it"]);
    sessions(&repo, &["s1", "s2"]);
    by_script(&repo, "claim one", "s1", "touch claims/1-one");
    by_script(&repo, "mend it", "s2", "git rm -q claims/0-other");
    merge(&repo, &["claim-one"]).expect(
        "
        exit 1
        -- stderr
        error: the check `sh claims.sh` fails on `main` itself, without `claim-one`
        hint: what it printed is in `$TMP/shop/.git/orch/check/claim-one/base-1.log`
        hint: mend `main` first; what mends it lands by its name: `git orch merge TASK`
        ",
    );
    merge(&repo, &[]).expect(
        "
        exit 0
        -- stdout
          landed  claim-one  check passed in <time>, 2 at once  main <oid> → <oid>
          landed  mend-it    check passed in <time>, 2 at once  main <oid> → <oid>
        -- stderr
        2 of 2 landed
        ",
    );
}

const TWO_COMMITS: &str = "git config user.name Eve; git config user.email eve@example.com
    echo a >a.txt; git add .; git commit -qm 'add a

Signed-off-by: Eve <eve@example.com>'
    echo b >b.txt; git add .; git commit -qm 'add b' --author 'Bob <bob@example.com>'; git config --unset user.name; git config --unset user.email";

#[test]
fn a_squash_is_one_commit_with_trailers_and_authors_of_all() {
    let repo = TestRepo::new();
    sessions(&repo, &["s1"]);
    by_script(&repo, "add two files", "s1", TWO_COMMITS);
    repo.commit(&[("other.txt", "x\n")], "meanwhile", "Ann", crate::support::days_ago(0));
    merge(&repo, &["--squash"]).expect(
        "
        exit 0
        -- stdout
          landed  add-two-files  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
    repo.shell(
        "git log -2 --format='%an %ae|%s%n%b'; git ls-files '*.txt'; git orch sessions; git orch history s1",
    )
    .run()
    .expect(
        "
        exit 0
        -- stdout
        Eve eve@example.com|add two files
        * add a
        * add b

        Signed-off-by: Eve <eve@example.com>
        Co-authored-by: Bob <bob@example.com>
        Orch-Session: s1
        Orch-Task: add-two-files

        Ann ann@example.com|meanwhile

        a.txt
        b.txt
        other.txt
          session  state  task  ahead  behind  load  last    knows
          s1       idle             0       0     0  <time> ago  a.txt, b.txt
        s1: 2 commits
          folder  touches  last  recent  lasting
          <oid> 2023-11-20 add b
            A b.txt
          <oid> 2023-11-20 add a
            A a.txt
        ",
    );
}

#[test]
fn a_rebase_puts_each_commit_on_top() {
    let repo = TestRepo::new();
    sessions(&repo, &["s1"]);
    by_script(&repo, "add two files", "s1", TWO_COMMITS);
    repo.commit(&[("other.txt", "x\n")], "meanwhile", "Ann", crate::support::days_ago(0));
    repo.git(&["config", "orch.landing", "rebase"]);
    merge(&repo, &[]).expect(
        "
        exit 0
        -- stdout
          landed  add-two-files  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
    repo.shell("git log --graph -3 --format='%an: %s'; git ls-files '*.txt'; git orch sessions")
        .run()
        .expect(
            "
        exit 0
        -- stdout
        * Bob: add b
        * Eve: add a
        * Ann: meanwhile
        a.txt
        b.txt
        other.txt
          session  state  task  ahead  behind  load  last    knows
          s1       idle             0       0     0  <time> ago  a.txt, b.txt
        ",
        );
}

#[test]
fn what_has_a_merge_is_not_rebased() {
    let repo = TestRepo::new();
    sessions(&repo, &["s1"]);
    repo.git(&["branch", "side"]);
    let script = "echo a >a.txt; git add .; git commit -qm a; git checkout -q --detach main; echo c >c.txt; git add .; git commit -qm c
        git checkout -q orch/s1; git merge -q --no-edit HEAD@{1}";
    by_script(&repo, "merge something", "s1", script);
    repo.commit(&[("other.txt", "x\n")], "meanwhile", "Ann", crate::support::days_ago(0));
    merge(&repo, &["--rebase", "merge-something"]).expect(
        "
        exit 3
        -- stderr
        error: `merge-something` has a merge, <oid>, which a rebase would lose
        hint: land it another way: `git orch merge --squash merge-something`, or `--merge`
        ",
    );
    merge(&repo, &["--squash", "merge-something"]).expect(
        "
        exit 0
        -- stdout
          landed  merge-something  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
}

/// Three results of one session, each on top of the one before.
fn stack() -> TestRepo {
    let repo = TestRepo::new();
    sessions(&repo, &["s1"]);
    by_script(
        &repo,
        "one",
        "s1",
        "echo one >file.txt; git add .; git commit -qm 'one a'; echo more >more.txt",
    );
    by_script(&repo, "two", "s1", "echo two >file.txt");
    by_script(&repo, "three", "s1", "echo three >>file.txt");
    repo
}

#[test]
fn a_stack_is_put_on_what_became_of_its_lowest_result() {
    let repo = stack();
    merge(&repo, &["--squash", "one"]).expect(
        "
        exit 0
        -- stdout
          landed  one  unchecked: no checks configured  main <oid> → <oid>
        -- stderr
        two is restacked on main <oid>
        three is restacked on two
        ",
    );
    repo.shell("git log --oneline --format=%s main..review/three; git orch show two | head -4; git orch sessions; git orch review").run().expect(
        "
        exit 0
        -- stdout
        three
        two
        task two: review
          two
          session    s1, by sh
          base       main <oid>
          session  state  task  ahead  behind  load  last    knows
          s1       idle             2       0     0  <time> ago  file.txt, more.txt
          task   state   session  waits for  since   size          risk
          two    review  s1       you        <time> ago  1 file +1 -1  -
          three  review  s1       you        <time> ago  1 file +1 -0  on top of two
        -- stderr
        next: git orch review two --diff, then git orch merge two
        ",
    );
}

#[test]
fn a_stack_lands_as_squashes_one_after_the_other() {
    let repo = stack();
    merge(&repo, &["--squash"]).expect(
        "
        exit 0
        -- stdout
          landed  one    unchecked: no checks configured  main <oid> → <oid>
          landed  two    unchecked: no checks configured  main <oid> → <oid>
          landed  three  unchecked: no checks configured  main <oid> → <oid>
        -- stderr
        two is restacked on main <oid>
        three is restacked on two
        3 of 3 landed
        ",
    );
    repo.shell("git log --format=%s -3; cat file.txt more.txt; git orch sessions; git orch history s1")
        .run()
        .expect(
            "
        exit 0
        -- stdout
        three
        two
        one
        two
        three
        more
          session  state  task  ahead  behind  load  last    knows
          s1       idle             0       0     0  <time> ago  file.txt, more.txt
        s1: 4 commits
          folder  touches  last  recent  lasting
          <oid> 2023-11-20 two
            M file.txt
          <oid> 2023-11-20 three
            M file.txt
          <oid> 2023-11-20 one
            A more.txt
          <oid> 2023-11-20 one a
            A file.txt
        ",
        );
}

#[test]
fn changes_of_a_lower_result_are_made_where_it_ends_and_those_above_follow() {
    let repo = TestRepo::new();
    sessions(&repo, &["s1"]);
    by_script(&repo, "one", "s1", "printf '1\\n2\\n3\\n4\\n5\\n' >file.txt");
    by_script(&repo, "two", "s1", "echo 6 >>file.txt");
    repo.orch(&["review", "one", "--request-changes", "-m", "begin with zero", "-q"]).expect_success();
    repo.orch(&["retry", "one", "--", "sh", "-c", "sed -i '1i 0' file.txt"]).expect(
        "
        exit 0
        -- stdout
        review/one
        -- stderr
        two is restacked on one
        done in <time>: 2 commits, 1 file
          A file.txt
        next: git orch review one --diff, then git orch merge one
        ",
    );
    repo.shell("git show review/one:file.txt review/two:file.txt; git log --format=%s main..review/two; git orch review").run().expect(
        "
        exit 0
        -- stdout
        0
        1
        2
        3
        4
        5
        0
        1
        2
        3
        4
        5
        6
        two
        one
        one
          task  state   session  waits for  since   size          risk
          one   review  s1       you        <time> ago  1 file +6 -0  -
          two   review  s1       you        <time> ago  1 file +1 -0  on top of one
        -- stderr
        next: git orch review one --diff, then git orch merge one
        ",
    );
    merge(&repo, &[]).expect(
        "
        exit 0
        -- stdout
          landed  one  unchecked: no checks configured  main <oid> → <oid>
          landed  two  unchecked: no checks configured  main <oid> → <oid>
        -- stderr
        2 of 2 landed
        ",
    );
}

/// What `frontend` did conflicts with what `backend` landed, who knows the file.
fn conflict() -> TestRepo {
    let repo = TestRepo::new();
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "-q"]).expect_success();
    }
    by_script(&repo, "fix login", "backend", "echo 'fn login() { fixed() }' >src/api/login.rs");
    by_script(
        &repo,
        "rename login",
        "frontend",
        "echo 'fn log_in() {}' >src/api/login.rs; echo new >src/web/new.ts",
    );
    repo
}

#[test]
fn who_owns_the_files_is_asked_to_resolve_a_conflict() {
    let repo = conflict();
    merge(&repo, &[]).expect(
        "
        exit 3
        -- stdout
          landed  fix-login     unchecked: no checks configured  main <oid> → <oid>
          back    rename-login  conflicts with main in `src/api/login.rs` → backend, as resolve-rename-login
        -- stderr
        1 of 2 landed
        next: git orch retry resolve-rename-login
        ",
    );
    assert_eq!(repo.orch(&["retry", "resolve-rename-login", "-q", "--", "false"]).exit, 1);
    repo.shell("git orch brief resolve-rename-login | head -24").run().expect(
        "
        exit 0
        -- stdout
        # Task resolve-rename-login

        resolve rename-login

        ## The conflict

        ```text
        `rename-login` conflicts with main in `src/api/login.rs`.
        Merge review/rename-login (`git merge review/rename-login`) and resolve it so that both keep what they are for.
        `rename-login` is for: rename login
        What main got at these files since:
        - <oid> fix login (task `fix-login` of backend: fix login)
        ```

        ## Where it probably is

        - src/api/login.rs (given)

        ## What this session did there

        ```text
        <oid> 2023-11-20 fix login (src/api/login.rs)
        ```
        ",
    );
}

#[test]
fn what_resolves_a_conflict_lands_both() {
    let repo = conflict();
    assert_eq!(merge(&repo, &[]).exit, 3);
    let resolve = "git merge -q --no-edit review/rename-login >/dev/null || { echo 'fn log_in() { fixed() }' >src/api/login.rs; git commit -qam 'both'; }";
    repo.orch(&["retry", "resolve-rename-login", "--", "sh", "-c", resolve]).expect(
        "
        exit 0
        -- stdout
        review/resolve-rename-login
        -- stderr
        done in <time>: 1 commit, 2 files
          M src/api/login.rs
          A src/web/new.ts
        next: git orch review resolve-rename-login --diff, then git orch merge resolve-rename-login
        ",
    );
    merge(&repo, &["resolve-rename-login"]).expect(
        "
        exit 0
        -- stdout
          landed  resolve-rename-login  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
    repo.shell("cat src/api/login.rs src/web/new.ts; git orch tasks --all; git orch history backend; git orch sessions").run().expect(
        "
        exit 0
        -- stdout
        fn log_in() { fixed() }
        new
          task                  state   session   files  last    text
          fix-login             merged  backend       1  <time> ago  fix login
          rename-login          merged  frontend      2  <time> ago  rename login
          resolve-rename-login  merged  backend       2  <time> ago  resolve rename-login
        backend: 1 commit
          folder   touches  last            recent  lasting
          src/api        1  <oid> <time> ago    1.00     1.00
          <oid> 2023-11-20 both
            M src/api/login.rs
            A src/web/new.ts
          <oid> 2023-11-20 fix login
            M src/api/login.rs
          session   state  task  ahead  behind  load  last    knows
          backend   idle             0       0     0  <time> ago  src/api/login.rs
          frontend  idle             0       0     0  <time> ago  src/web, src/api
        ",
    );
}
