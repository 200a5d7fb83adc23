//! Results that reach their base by somebody's own git, in whatever form.

use crate::support::TestRepo;

/// A session with a result of two commits that waits, and a base that went on.
fn shop() -> TestRepo {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    let script =
        "echo one >>src/api/login.rs; git commit -qam one; echo two >two; git add two; git commit -qm two";
    repo.orch(&["task", "work", "--session", "backend", "-q", "--", "sh", "-c", script]).expect_success();
    repo.git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
    repo.shell("echo other >other; echo more >>src/web/cart.ts; git add .; git commit -qm other")
        .changing_checkout()
        .run()
        .expect_success();
    repo
}

/// What becomes of the result once a script ran in the user's checkout.
fn after(repo: &TestRepo, script: &str) -> String {
    repo.shell(script).changing_checkout().run().expect_success();
    repo.orch(&["doctor", "--fix"]).expect_success();
    let tell = "git-orch show work | head -1; git for-each-ref --format='%(refname:short)' refs/heads
        git rev-parse main orch/backend | uniq | wc -l; git -C ../shop.orch/backend status --short";
    repo.shell(tell).run().stdout
}

const FREE: &str = "task work: merged\nmain\norch/backend\n1\n";
const WAITS: &str = "task work: review\nmain\norch/backend\nreview/work\n2\n";

#[test]
fn a_squash_merge_frees_the_session() {
    let repo = shop();
    assert_eq!(after(&repo, "git merge -q --squash review/work && git commit -qm squashed"), FREE);
    repo.orch(&["sessions"]).expect(
        "
        exit 0
        -- stdout
          session  state  task  ahead  behind  load  last    knows
          backend  idle             0       0     0  <time> ago  src/api, two
        ",
    );
}

#[test]
fn a_squash_merge_below_other_commits_is_found() {
    let repo = shop();
    let squash = "git merge -q --squash review/work && git commit -qm squashed
        for i in 1 2 3; do echo $i >>src/api/login.rs; git commit -qam $i; done
        git switch -qc side; echo side >side; git add side; git commit -qm side; git switch -q main
        git merge -q --no-ff side -m merged; git branch -qD side";
    assert_eq!(after(&repo, squash), FREE);
}

#[test]
fn a_rebase_merge_frees_the_session() {
    let repo = shop();
    let rebase = "git switch -qc copy review/work; git rebase -q main; git switch -q main
        git merge -q --ff-only copy; git branch -qd copy";
    assert_eq!(after(&repo, rebase), FREE);
}

#[test]
fn cherry_picks_free_the_session_once_all_are_there() {
    let repo = shop();
    assert_eq!(after(&repo, "git cherry-pick review/work >/dev/null"), WAITS);
    assert_eq!(after(&repo, "git cherry-pick review/work~1 >/dev/null"), FREE);
}

#[test]
fn a_squash_that_was_edited_still_waits() {
    let repo = shop();
    let edited = "git merge -q --squash review/work; echo three >>two; git add .; git commit -qm squashed";
    assert_eq!(after(&repo, edited), WAITS);
}

#[test]
fn a_squash_that_was_taken_back_still_waits() {
    let repo = shop();
    let reverted =
        "git merge -q --squash review/work; git commit -qm squashed; git revert --no-edit HEAD >/dev/null";
    assert_eq!(after(&repo, reverted), WAITS);
}

#[test]
fn a_change_of_binary_files_and_modes_is_known_by_its_content() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    let script = "printf '\\0one' >data; chmod +x README.md; ln -s README.md link; printf x >'a\"\\n\tb'";
    repo.orch(&["task", "work", "--session", "backend", "-q", "--", "sh", "-c", script]).expect_success();
    let other = "printf '\\0two' >data; chmod +x README.md; ln -s README.md link; printf x >'a\"\\n\tb'
        git add .; git commit -qm 'not the same'";
    assert_eq!(after(&repo, other), WAITS);
    assert_eq!(
        after(
            &repo,
            "git reset -q --hard HEAD~; git merge -q --squash review/work; echo >>src/web/cart.ts
        git commit -qm squashed; git commit -qam later"
        ),
        FREE
    );
}

#[test]
fn a_result_that_changes_nothing_of_its_own_still_waits() {
    let repo = shop();
    let emptied =
        "git branch -f review/work $(git commit-tree review/work~2^{tree} -p review/work -m 'all back')";
    repo.shell(emptied).run().expect_success();
    assert_eq!(after(&repo, "git commit -q --allow-empty -m empty"), WAITS);
}

#[test]
fn of_a_stack_the_squashed_part_lands() {
    let repo = shop();
    let script = "echo three >>src/api/login.rs";
    repo.orch(&["task", "more", "--session", "backend", "-q", "--", "sh", "-c", script]).expect_success();
    repo.shell("git merge -q --squash review/work && git commit -qm squashed")
        .changing_checkout()
        .run()
        .expect_success();
    repo.orch(&["doctor", "--fix"]).expect_success();
    repo.orch(&["tasks", "--all"]).expect(
        "
        exit 0
        -- stdout
          task  state   session  files  last    text
          more  review  backend      1  <time> ago  more
          work  merged  backend      2  <time> ago  work
        ",
    );
    let squash = "git reset -q --hard HEAD~; git merge -q --squash review/more; git commit -qm both";
    repo.shell(squash).changing_checkout().run().expect_success();
    repo.orch(&["doctor", "--fix"]).expect_success();
    repo.orch(&["tasks"]).expect("exit 0\n-- stderr\nno open tasks; --all lists those that are over");
}

#[test]
fn the_doctor_tells_of_a_squash_before_it_is_settled() {
    let repo = shop();
    repo.shell("git merge -q --squash review/work && git commit -qm squashed")
        .changing_checkout()
        .run()
        .expect_success();
    let found = repo.shell("git-orch doctor | grep -o 'work has .* say so'").run();
    found.expect("exit 0\n-- stdout\nwork has landed, but its record does not say so");
}

/// A result of two commits at several places of one file and in a new one.
fn numbers() -> TestRepo {
    let repo = TestRepo::new();
    let start = "seq 40 >numbers; seq 30 >src/more; git add .; git commit -qm numbers
        git-orch add-session backend --paths . -q >/dev/null";
    repo.shell(start).changing_checkout().run().expect_success();
    let script =
        "sed -i 's/^5$/five/;s/^30$/thirty/' numbers; sed -i s/^3$/three/ src/more; git commit -qam one
        sed -i 's/^20$/twenty\\ntwenty-one/' numbers; echo two >two; git add .; git commit -qm two";
    repo.orch(&["task", "work", "--session", "backend", "-q", "--", "sh", "-c", script]).expect_success();
    let other =
        "echo other >other; sed -i '39s/$/!/' numbers; git add .; git commit -qm other; git tag start";
    repo.shell(other).changing_checkout().run().expect_success();
    repo
}

/// Ways to a base that are recognized, and what only looks like one.
#[rustfmt::skip]
const WAYS: &[(&str, bool, &str)] = &[
    ("nothing happened", false, ":"),
    ("merge commit", true, "git merge -q --no-ff review/work -m merged"),
    ("merge commit, branch gone", true, "git merge -q --no-ff review/work -m merged; git branch -qD review/work"),
    ("fast-forward", true, "git reset -q --hard HEAD~; git merge -q --ff-only review/work"),
    // Git itself would not merge it again: its commits are there for good.
    ("merge commit, reverted", true, "git merge -q --no-ff review/work -m merged; git revert --no-edit -m 1 HEAD >/dev/null"),
    ("squash", true, "git merge -q --squash review/work; git commit -qm squashed"),
    ("squash of a forge", true, "git merge -q --squash review/work; git commit -qm 'work (#12)'; git branch -qD review/work"),
    ("squash in a branch that was merged", true, "git switch -qc side; git merge -q --squash review/work; git commit -qm squashed; git switch -q main; git commit -q --allow-empty -m x; git merge -q --no-ff side -m side; git branch -qD side"),
    ("squash with other files in the same commit", true, "git merge -q --squash review/work; echo more >more; git add .; git commit -qm both"),
    ("squash with more in the same file", true, "git merge -q --squash review/work; sed -i 's/^12$/twelve/' numbers; git commit -qam both"),
    ("squash with its own lines edited", false, "git merge -q --squash review/work; sed -i 's/^five$/FIVE/' numbers; git commit -qam edited"),
    ("squash with a part left out", false, "git merge -q --squash review/work; sed -i 's/^five$/5/' numbers; git commit -qam edited"),
    ("squash, then the same lines edited", true, "git merge -q --squash review/work; git commit -qm squashed; sed -i 's/^five$/FIVE/' numbers; git commit -qam later"),
    ("squash, then lines beside edited", true, "git merge -q --squash review/work; git commit -qm squashed; sed -i 's/^6$/six/;s/^4$/four/' numbers; echo three >>two; git commit -qam later"),
    ("squash, then the file renamed", true, "git merge -q --squash review/work; git commit -qm squashed; git mv numbers digits; git commit -qm renamed"),
    ("squash, reverted", false, "git merge -q --squash review/work; git commit -qm squashed; git revert --no-edit HEAD >/dev/null"),
    ("squash, reverted, then other lines edited", false, "git merge -q --squash review/work; git commit -qm squashed; git revert --no-edit HEAD >/dev/null; sed -i 's/^10$/ten/' numbers; sed -i 's/^9$/nine/' src/more; echo two, too >two; git add .; git commit -qm later"),
    ("squash, partly reverted", false, "git merge -q --squash review/work; git commit -qm squashed; sed -i 's/^thirty$/30/' numbers; git commit -qam back"),
    ("squash, a line of it dropped", false, "git merge -q --squash review/work; git commit -qm squashed; sed -i '/^twenty-one$/d' numbers; git commit -qam back"),
    ("squash, its new file deleted", false, "git merge -q --squash review/work; git commit -qm squashed; git rm -q two; git commit -qm back"),
    ("squash, reverted and landed again", true, "git merge -q --squash review/work; git commit -qm squashed; git revert --no-edit HEAD >/dev/null; git revert --no-edit HEAD >/dev/null"),
    ("rebase", true, "git switch -qc copy review/work; git rebase -q main; git switch -q main; git merge -q --ff-only copy; git branch -qD copy"),
    ("rebase, one of it reverted", false, "git switch -qc copy review/work; git rebase -q main; git switch -q main; git merge -q --ff-only copy; git branch -qD copy; git revert --no-edit HEAD~ >/dev/null"),
    ("rebase with other words", true, "git cherry-pick main..review/work >/dev/null; git commit -q --amend -m 'other words'"),
    ("rebase of a forge", true, "git -c user.name=Forge cherry-pick main..review/work >/dev/null; git branch -qD review/work"),
    ("all of it picked, in another order", true, "git cherry-pick review/work >/dev/null; git cherry-pick review/work~ >/dev/null"),
    ("some of it picked", false, "git cherry-pick review/work >/dev/null"),
    ("mails", true, "git format-patch -q --stdout main..review/work | git am -q"),
    ("merge of an amended branch", true, "git branch -f review/work $(git commit-tree review/work^{tree} -p review/work~2 -m amended); git merge -q --no-ff review/work -m merged"),
    ("squash of an amended branch, branch gone", true, "git branch -f review/work $(git commit-tree review/work^{tree} -p review/work~2 -m amended); git merge -q --squash review/work; git commit -qm squashed; git branch -qD review/work"),
    ("squash with other white space", false, "git merge -q --squash review/work; sed -i 's/^five$/five /' numbers; git commit -qam spaces"),
    ("squash on top of renames", true, "git mv numbers digits; git commit -qm renamed; git merge -q --squash review/work >/dev/null; git commit -qm squashed"),
    ("the same by and by, by coincidence", false, "git diff main...review/work -- numbers | git apply --index; git commit -qm some; git diff main~...review/work -- two src/more | git apply --index; git commit -qm rest"),
    ("the same files, by coincidence", false, "git checkout -q review/work -- numbers; git commit -qm some; git checkout -q review/work -- .; git rm -q other; git commit -qm rest"),
    ("half of it", false, "git diff main...review/work -- numbers | git apply --index; git commit -qm some"),
    ("the other way round", false, "git diff -R main...review/work -- two | git apply --index -R; git commit -qm other"),
];

#[test]
fn results_are_recognized_however_they_reached_their_base_and_nothing_else_is() {
    let repo = numbers();
    let mut wrong = Vec::new();
    for (way, lands, script) in WAYS {
        let script = format!(
            "old=$(git rev-parse review/work); {{ {script}
            }} >/dev/null 2>&1; git status --short >&2; git-orch doctor | grep -o 'work has .* say so'
            git reset -q --hard start; git branch -f review/work $old >/dev/null"
        );
        let run = repo.shell(&script).changing_checkout().run();
        if run.stdout.contains("has landed") != *lands || !run.stderr.is_empty() {
            wrong.push(format!("{way}: {run}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
