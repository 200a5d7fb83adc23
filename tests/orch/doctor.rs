//! `git orch doctor`.

use crate::support::TestRepo;

#[test]
fn a_healthy_repository_is_told_so() {
    let repo = TestRepo::new();
    let path = repo.git_of_version("2.50.0");
    repo.call(&["doctor"]).env("PATH", &path).run().expect(
        "
        exit 0
        -- stdout
          ok  git 2.50 at $TMP/git/git
          ok  objects are read in process
          ok  commits are made by Test <test@example.com>
          ok  settings are valid
          ok  no command waits for trust
        ",
    );
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.orch(&["task", "fix login", "-q", "--", &repo.agent("edit.sh")]).expect_success();
    repo.call(&["doctor"]).env("PATH", &path).run().expect(
        "
        exit 0
        -- stdout
          ok  git 2.50 at $TMP/git/git
          ok  objects are read in process
          ok  commits are made by Test <test@example.com>
          ok  settings are valid
          ok  no command waits for trust
          ok  session backend in $TMP/shop.orch/backend
        ",
    );
}

#[test]
fn what_is_broken_is_named_with_a_way_out() {
    let repo = TestRepo::new();
    let path = repo.git_of_version("2.50.0");
    for name in ["gone", "moved", "branchless", "dirty"] {
        repo.orch(&["add-session", name, "--paths", "src", "-q"]).expect_success();
    }
    let script = "cd ../shop.orch && rm -r gone && mv moved elsewhere && echo x > dirty/x
        git -C ../shop update-ref -d refs/heads/orch/branchless";
    repo.shell(script).run().expect("exit 0");
    let before = repo.everything();
    repo.call(&["doctor"]).env("PATH", &path).run().expect("
        exit 1
        -- stdout
          ok     git 2.50 at $TMP/git/git
          ok     objects are read in process
          ok     commits are made by Test <test@example.com>
          ok     settings are valid
          ok     no command waits for trust
          wrong  the branch `orch/branchless` of session `branchless` is gone         bring it back: `git branch orch/branchless COMMIT`
          ok     session dirty in $TMP/shop.orch/dirty
          wrong  the worktree of session `gone` is gone from `$TMP/shop.orch/gone`    bring it back there, or `git orch remove-session gone` and add it again
          wrong  the worktree of session `moved` is gone from `$TMP/shop.orch/moved`  bring it back there, or `git orch remove-session moved` and add it again
        ");
    before.expect_same(&repo.everything(), "doctor");
    repo.call(&["doctor", "--json"]).env("PATH", &path).run().expect(r#"
        exit 1
        -- stdout
        {"schema":"git-orch/1","command":"doctor","data":[{"what":"git 2.50 at $TMP/git/git","fine":true},{"what":"objects are read in process","fine":true},{"what":"commits are made by Test <test@example.com>","fine":true},{"what":"settings are valid","fine":true},{"what":"no command waits for trust","fine":true},{"what":"the branch `orch/branchless` of session `branchless` is gone","fine":false,"hint":"bring it back: `git branch orch/branchless COMMIT`"},{"what":"session dirty in $TMP/shop.orch/dirty","fine":true},{"what":"the worktree of session `gone` is gone from `$TMP/shop.orch/gone`","fine":false,"hint":"bring it back there, or `git orch remove-session gone` and add it again"},{"what":"the worktree of session `moved` is gone from `$TMP/shop.orch/moved`","fine":false,"hint":"bring it back there, or `git orch remove-session moved` and add it again"}]}
        "#);
}

#[test]
fn a_record_of_a_later_version_is_refused_and_named() {
    let repo = TestRepo::new();
    let path = repo.git_of_version("2.50.0");
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    let script = r#"
        blob=$(git show refs/orch/session/backend:session.json | sed 's/"version": 1/"version": 9/' | git hash-object -w --stdin)
        tree=$(printf '100644 blob %s\tsession.json\n' $blob | git mktree)
        git update-ref refs/orch/session/backend $(git commit-tree -m later $tree)"#;
    repo.shell(script).run().expect("exit 0");
    repo.orch(&["sessions"]).expect(
        "
        exit 4
        -- stderr
        error: could not read the record `refs/orch/session/backend`: version 9 is not known here
        hint: a newer git-orch wrote it: use that one
        ",
    );
    repo.call(&["doctor"]).env("PATH", &path).run().expect(
        "
        exit 1
        -- stdout
          ok     git 2.50 at $TMP/git/git
          ok     objects are read in process
          ok     commits are made by Test <test@example.com>
          ok     settings are valid
          ok     no command waits for trust
          wrong  could not read the record `refs/orch/session/backend`: version 9 is not known here  a newer git-orch wrote it: use that one
        ",
    );
}

#[test]
fn a_lost_git_file_is_written_again_and_nothing_else_is_taken_for_it() {
    let repo = TestRepo::new();
    let script = "
        exec 2>&1; doctor() { git-orch doctor $1 | grep session; }
        for name in lost folder other linked; do git-orch -q add-session $name --paths src >/dev/null; done
        cd ../shop.orch; cp lost/.git ../before; for name in lost folder linked; do rm $name/.git; done
        mkdir folder/.git; echo 'gitdir: /nowhere' >other/.git; mv linked ..; ln -s ../linked linked
        cd ../shop; doctor; doctor --fix; cmp ../before ../shop.orch/lost/.git; doctor --fix
        ls -A ../shop.orch/folder/.git ../linked | grep git; cat ../shop.orch/other/.git
        git -C ../shop.orch/lost status --short --branch";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
          wrong  the worktree of session `folder` leads to another repository  look at `$TMP/shop.orch/folder/.git`; `git worktree repair` mends a moved worktree
          wrong  the worktree of session `linked` leads to another repository  look at `$TMP/shop.orch/linked/.git`; `git worktree repair` mends a moved worktree
          wrong  the worktree of session `lost` has no `.git` file any more    `git orch doctor --fix` writes it again
          wrong  the worktree of session `other` leads to another repository   look at `$TMP/shop.orch/other/.git`; `git worktree repair` mends a moved worktree
        warning: the worktree of session lost had no `.git` file any more; it is written again
          wrong  the worktree of session `folder` leads to another repository  look at `$TMP/shop.orch/folder/.git`; `git worktree repair` mends a moved worktree
          wrong  the worktree of session `linked` leads to another repository  look at `$TMP/shop.orch/linked/.git`; `git worktree repair` mends a moved worktree
          ok     session lost in $TMP/shop.orch/lost
          wrong  the worktree of session `other` leads to another repository   look at `$TMP/shop.orch/other/.git`; `git worktree repair` mends a moved worktree
          wrong  the worktree of session `folder` leads to another repository  look at `$TMP/shop.orch/folder/.git`; `git worktree repair` mends a moved worktree
          wrong  the worktree of session `linked` leads to another repository  look at `$TMP/shop.orch/linked/.git`; `git worktree repair` mends a moved worktree
          ok     session lost in $TMP/shop.orch/lost
          wrong  the worktree of session `other` leads to another repository   look at `$TMP/shop.orch/other/.git`; `git worktree repair` mends a moved worktree
        ../shop.orch/folder/.git:
        gitdir: /nowhere
        ## orch/lost
        ",
    );
}

#[test]
fn a_git_file_is_written_as_git_wrote_it() {
    let repo = TestRepo::new();
    let script = "
        git-orch -q add-session backend --paths src >/dev/null; cd ../shop.orch/backend; cp .git ../../before
        again() { rm .git; git-orch -C ../../shop -q doctor --fix 2>&1 | grep -c written; git status --short --branch; }
        again; cmp .git ../../before; stat -c %a .git ../../before | uniq
        echo ../../../../shop.orch/backend/.git >../../shop/.git/worktrees/backend/gitdir; again; cat .git";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
        1
        ## orch/backend
        644
        1
        ## orch/backend
        gitdir: ../../shop/.git/worktrees/backend
        ",
    );
}

#[test]
fn touch_notes_that_are_not_as_recorded_are_told_and_written_again() {
    let repo = TestRepo::new();
    let script = "
        exec 2>&1; doctor() { git-orch doctor $1 | grep -E 'wrong|session'; }
        for name in backend web; do git-orch -q add-session $name --paths src >/dev/null; done
        for n in 1 2 3; do git-orch -q task \"work $n\" --session backend -- sh -c \"echo $n >f$n\" >/dev/null; done
        (cd ../shop.orch/web; echo x >x; git add x; git commit -qm 'by hand'); git-orch -q tasks >/dev/null; doctor --fix
        notes() { for name in backend web; do git notes --ref=orch/touch/$name list | sort; done; }; notes >../before
        git notes --ref=orch/touch/backend remove review/work-1 >/dev/null 2>&1
        git notes --ref=orch/touch/backend add -f -m 'session backend' review/work-2 >/dev/null 2>&1
        git notes --ref=orch/touch/backend add -f -m 'of mine' main >/dev/null 2>&1; git update-ref -d refs/notes/orch/touch/web
        doctor; git-orch doctor --json | grep -o '\"what\":\"touch[^,]*'; doctor --fix; doctor
        git notes --ref=orch/touch/backend show main; git notes --ref=orch/touch/backend remove main 2>/dev/null; notes | diff ../before -";
    repo.shell(script).changing_checkout().run().expect(
        r#"
        exit 0
        -- stdout
          ok  session backend in $TMP/shop.orch/backend
          ok  session web in $TMP/shop.orch/web
          ok     session backend in $TMP/shop.orch/backend
          ok     session web in $TMP/shop.orch/web
          wrong  touch notes of session backend: 1 missing, 1 different  git orch doctor --fix
          wrong  touch notes of session web: 1 missing                   git orch doctor --fix
        "what":"touch notes of session backend: 1 missing
        "what":"touch notes of session web: 1 missing"
        session backend: 2 touch notes written again
        session web: 1 touch note written again
          ok  session backend in $TMP/shop.orch/backend
          ok  session web in $TMP/shop.orch/web
          ok  session backend in $TMP/shop.orch/backend
          ok  session web in $TMP/shop.orch/web
        of mine
        "#,
    );
}
