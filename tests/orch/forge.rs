//! `git orch review --pr`: results put up as requests, on bare repositories
//! whose hooks speak as forges do.

use crate::support::{TestRepo, days_ago, expect_refusal, found, refused};

/// A repository with one result that waits, and a bare one as its remote.
fn waiting() -> TestRepo {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.shell(
        "git init -q --bare ../hub.git && git remote add origin ../hub.git && git push -q origin main",
    )
    .changing_checkout()
    .run()
    .expect_success();
    result(&repo, "fix login", "src/api/login.rs");
    repo
}

fn result(repo: &TestRepo, text: &str, file: &str) {
    repo.orch(&["task", text, "--session", "backend", "-q", "--", &repo.agent("edit.sh"), file])
        .expect_success();
}

/// Gives the remote a hook of `fixtures/forge/`.
fn with_hook(repo: &TestRepo, hook: &str) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/forge");
    let script = format!(
        "cp {file}/{hook} ../hub.git/hooks/ && cd ../hub.git && git config receive.procReceiveRefs refs/for
        git config receive.advertisePushOptions true"
    );
    repo.shell(&script).run().expect_success();
}

/// The commit that `review/NAME` is at, and again with another change.
fn amended(repo: &TestRepo, name: &str) {
    let script = format!(
        "cd ../shop.orch/backend && echo more >>src/api/cart.rs && git commit -qa --amend --no-edit && git branch -f review/{name}"
    );
    repo.shell(&script).run().expect_success();
}

#[test]
fn a_branch_alone_is_pushed_and_pushed_again_where_it_moved() {
    let repo = waiting();
    let first = "
        exit 0
        -- stdout
        $TMP/hub.git review/fix-login
        -- stderr
        review/fix-login on origin: pushed
        ";
    repo.orch(&["review", "fix-login", "--pr", "--forge", "none"]).expect(first);
    // The second time where it is known already: by the record.
    let before = repo.everything();
    repo.orch(&["review", "fix-login", "--pr"]).expect(
        "
        exit 0
        -- stdout
        $TMP/hub.git review/fix-login
        -- stderr
        review/fix-login on origin: is there already
        ",
    );
    // Also where the remote is said that it is on.
    repo.orch(&["review", "fix-login", "--pr", "--remote", "origin", "-q"]).expect_success();
    before.expect_same(&repo.everything(), "the second time");
    amended(&repo, "fix-login");
    repo.orch(&["review", "fix-login", "--pr"]).expect(first);
    let there = repo.git(&["ls-remote", "origin", "review/fix-login"]);
    assert_eq!(there.split('\t').next(), Some(repo.git(&["rev-parse", "review/fix-login"]).trim()));
    repo.orch(&["review", "--pr"]).expect(
        "
        exit 0
        -- stdout
          fix-login  none  unknown  $TMP/hub.git review/fix-login
        ",
    );
    repo.orch(&["show", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        task fix-login: review
          fix login
          session    backend, by $TMP/agents/edit.sh
          base       main <oid>
          target     src/web/login.ts 1.00
          target     src/api/login.rs 0.99
          target     src/web/cart.ts 0.82
          target     src/api/cart.rs 0.81
          run        1 committed, <time> ago
          commit     <oid> fix login
          touched    M src/api/login.rs
          request    none, $TMP/hub.git review/fix-login
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
}

#[test]
fn what_somebody_else_pushed_is_not_overwritten() {
    let repo = waiting();
    repo.orch(&["review", "fix-login", "--pr", "--forge", "none", "-q"]).expect_success();
    let theirs = "git clone -q -b review/fix-login ../hub.git ../ben 2>&1; cd ../ben; echo theirs >>README.md
        git -c user.name=Ben -c user.email=b@localhost commit -qam 'a word more' && git push -q";
    repo.shell(theirs).run().expect_success();
    amended(&repo, "fix-login");
    repo.orch(&["review", "fix-login", "--pr"]).expect(
        "
        exit 3
        -- stderr
        error: `review/fix-login` on `origin` was moved by somebody else
        hint: look at what is there: `git fetch origin review/fix-login`, then `git log -p FETCH_HEAD`
        hint: take it into the result, or take it away there: `git push origin :review/fix-login`
        ",
    );
    // Taken into the result, it is ours.
    let take = "cd ../shop.orch/backend && git fetch -q ../../hub.git review/fix-login && git merge -q -X ours FETCH_HEAD -m take && git branch -f review/fix-login";
    repo.shell(take).run().expect_success();
    repo.orch(&["review", "fix-login", "--pr", "-q"]).expect_success();
    // A branch of that name that was never ours.
    result(&repo, "fix cart", "src/api/cart.rs");
    repo.shell("cd ../ben && git -c user.name=Ben -c user.email=b@localhost commit -q --allow-empty -m other && git push -q origin HEAD:review/fix-cart").run().expect_success();
    amended(&repo, "fix-cart");
    let output = repo.orch(&["review", "fix-cart", "--pr", "--forge", "none"]);
    assert_eq!(output.exit, 3, "{output}");
}

#[test]
fn one_push_opens_a_request_and_the_next_updates_it() {
    let repo = waiting();
    with_hook(&repo, "proc-receive");
    let call = ["review", "fix-login", "--pr", "--forge", "agit", "--draft"];
    repo.orch(&call).expect(
        "
        exit 0
        -- stdout
        https://forge.example.com/me/shop/pulls/1
        -- stderr
        opened #1 into main: draft
        ",
    );
    repo.shell("cat ../hub.git/requests/1/options; git ls-remote origin | cut -f2").run().expect(
        "
        exit 0
        -- stdout
        topic=fix-login-<oid>
        title=WIP: fix login
        description=<h4>By</h4><pre>session backend, by edit.sh</pre><h4>Touched</h4><pre>src/api  1 file</pre><h4>Commits</h4><pre><oid> fix login</pre><h4>Know this best</h4><pre>Ann  1 touch of src/api/login.rs</pre>Orch-Task: fix-login
        refs/heads/main
        refs/pull/1/head
        ",
    );
    repo.orch(&call).expect(
        "
        exit 0
        -- stdout
        https://forge.example.com/me/shop/pulls/1
        -- stderr
        #1 is up to date
        ",
    );
    amended(&repo, "fix-login");
    repo.orch(&["review", "--pr"]).expect(
        "
        exit 0
        -- stdout
          fix-login  #1  unknown, pushed  https://forge.example.com/me/shop/pulls/1
        ",
    );
    // Words that a person may have written there meanwhile stay.
    repo.shell("cat ../hub.git/requests/1/options").run().expect(
        "
        exit 0
        -- stdout
        topic=fix-login-<oid>
        force-push=true
        ",
    );
    let shown = &repo.orch(&["show", "fix-login", "--json"]).json()["data"]["published"];
    assert_eq!((&shown["number"], &shown["forge"]), (&1.into(), &"agit".into()));
}

#[test]
fn tasks_of_one_name_in_two_clones_are_two_requests() {
    let repo = waiting();
    with_hook(&repo, "proc-receive");
    repo.orch(&["review", "fix-login", "--pr", "--forge", "agit", "-q"]).expect_success();
    let other = "git clone -q -b main ../hub.git ../other && cd ../other && git-orch add-session backend --paths src/api -q 2>&1 >&-
        git-orch task 'fix login' --session backend -q -- sh -c 'echo other >>src/api/login.rs' >&-
        git-orch review fix-login --pr --forge agit";
    repo.shell(other).run().expect(
        "
        exit 0
        -- stdout
        https://forge.example.com/me/shop/pulls/2
        -- stderr
        opened #2 into main: open
        ",
    );
    // Also under our topic nothing is replaced that we did not leave there.
    let theirs = "git -C ../hub.git update-ref refs/pull/1/head refs/pull/2/head
        git update-ref refs/orch/task/fix-login refs/orch/task/fix-login^";
    repo.shell(theirs).run().expect_success();
    refused(&repo, &["review", "fix-login", "--pr", "--forge", "agit"]).expect(
        "
        exit 3
        -- stderr
        error: could not push `refs/for/main/fix-login-<oid>` to `origin`: request `force-push` push option
        hint: an open request is there that was not recorded here: close it there, then run the command again
        ",
    );
}

#[test]
fn a_request_that_a_push_opened_anew_is_the_one_from_then_on() {
    let repo = waiting();
    with_hook(&repo, "proc-receive");
    repo.orch(&["review", "fix-login", "--pr", "--forge", "agit", "-q"]).expect_success();
    // Closed there, which no ref tells: the next push opens another one.
    repo.shell("echo closed >../hub.git/requests/1/topic").run().expect_success();
    amended(&repo, "fix-login");
    repo.orch(&["review", "fix-login", "--pr"]).expect(
        "
        exit 0
        -- stdout
        https://forge.example.com/me/shop/pulls/2
        -- stderr
        opened #2 into main: open
        ",
    );
    let shown = &repo.orch(&["show", "fix-login", "--json"]).json()["data"]["published"];
    assert_eq!(shown["number"], 2);
}

#[test]
fn what_somebody_else_pushed_to_a_request_is_taken_in_first() {
    let repo = waiting();
    with_hook(&repo, "proc-receive");
    for (forge, left, at) in [
        ("agit", "refs/pull/1/head", "refs/pull/1/head"),
        ("gerrit", "refs/changes/02/2/1", "refs/changes/02/2/2"),
    ] {
        let call = ["review", "fix-login", "--pr", "--forge", forge];
        repo.orch(&call).expect_success();
        let theirs = format!(
            "cd ../hub.git && git update-ref {at} $(git -c user.name=Ben -c user.email=b@localhost commit-tree -p {left} -m theirs {left}^{{tree}})"
        );
        repo.shell(&theirs).run().expect_success();
        amended(&repo, "fix-login");
        repo.orch(&call).expect(&format!(
            "
            exit 3
            -- stderr
            error: `{at}` on `origin` was moved by somebody else
            hint: look at what is there: `git fetch origin {at}`, then `git log -p FETCH_HEAD`
            hint: take it into the result: `git merge FETCH_HEAD` on its branch
            "
        ));
        let take = format!(
            "cd ../shop.orch/backend && git fetch -q ../../hub.git {at} && git merge -q -X ours FETCH_HEAD -m take && git branch -f review/fix-login"
        );
        repo.shell(&take).run().expect_success();
        repo.orch(&[&call[..], &["-q"]].concat()).expect_success();
    }
}

#[test]
fn what_was_merged_there_is_done_once_it_is_here() {
    let repo = waiting();
    with_hook(&repo, "proc-receive");
    repo.orch(&["review", "fix-login", "--pr", "--forge", "agit", "-q"]).expect_success();
    // Merged there, which the remote's base tells once it is here.
    repo.git(&["push", "-q", "origin", "review/fix-login:main"]);
    repo.orch(&["review", "fix-login", "--pr"]).expect(
        "
        exit 0
        -- stdout
        https://forge.example.com/me/shop/pulls/1
        -- stderr
        #1 is up to date: merged
        #1 was merged there: bring it to main, `git pull origin main`, and fix-login is done
        ",
    );
    repo.git(&["pull", "-q", "origin", "main"]);
    repo.orch(&["doctor", "--fix", "-q"]).expect_success();
    assert_eq!(repo.orch(&["show", "fix-login", "--json"]).json()["data"]["state"], "merged");
}

#[test]
fn a_request_that_nobody_recorded_is_found() {
    let repo = waiting();
    with_hook(&repo, "proc-receive");
    let record = repo.git(&["rev-parse", "refs/orch/task/fix-login"]);
    for (forge, opened) in [("agit", "#1"), ("gerrit", "#2"), ("none", "review/fix-login on origin:")] {
        let call = ["review", "fix-login", "--pr", "--forge", forge];
        let first = repo.orch(&call);
        first.expect_success();
        // As if it had died before it wrote the record.
        repo.git(&["update-ref", "refs/orch/task/fix-login", record.trim()]);
        let second = repo.orch(&call);
        second.expect_success();
        assert!(second.stderr.starts_with(&format!("{opened} is ")), "{forge}\n{second}");
        let number =
            |output: &str| output.trim().rsplit(['/', ' ', '#']).next().unwrap_or_default().to_owned();
        assert_eq!(number(&first.stdout), number(&second.stdout));
        repo.git(&["update-ref", "refs/orch/task/fix-login", record.trim()]);
    }
    repo.shell("ls ../hub.git/requests").run().expect("exit 0\n-- stdout\n1\n2");
}

#[test]
fn a_change_is_one_commit_whose_id_follows_from_the_task() {
    let repo = waiting();
    repo.write(".gitreview", "[gerrit]\nhost=review.example.com\n");
    repo.shell("echo .gitreview >>.git/info/exclude").changing_checkout().run().expect_success();
    with_hook(&repo, "proc-receive");
    repo.orch(&["review", "fix-login", "--pr", "--label", "two words", "--reviewer", "ann"]).expect(
        "
        exit 0
        -- stdout
        https://review.example.com/c/shop/+/1
        -- stderr
        opened #1 into main: open
        ",
    );
    assert_eq!(repo.read("hub.git/requests/1/told"), "topic=fix-login,hashtag=two-words,r=ann\n");
    let pushed = "git -C ../hub.git log -1 --format='%an %s%n%b' refs/changes/01/1/1 | sed 's/Id: I[0-9a-f]\\{40\\}$/Id: ID/'
        git -C ../hub.git diff --stat refs/changes/01/1/1 $(git rev-parse review/fix-login)";
    repo.git(&["push", "-q", "origin", "review/fix-login:x"]);
    repo.shell(pushed).run().expect(
        "
        exit 0
        -- stdout
        Test fix login
        Orch-Task: fix-login
        Change-Id: ID

        ",
    );
    repo.orch(&["review", "fix-login", "--pr", "-q"])
        .expect("exit 0\n-- stdout\nhttps://review.example.com/c/shop/+/1");
    // What builds on it goes on top of the copy.
    result(&repo, "fix cart", "src/api/cart.rs");
    repo.orch(&["review", "fix-cart", "--pr"]).expect(
        "
        exit 0
        -- stdout
        https://review.example.com/c/shop/+/2
        -- stderr
        opened #2 into main: open
        ",
    );
    repo.shell("test $(git -C ../hub.git rev-parse refs/changes/02/2/1^) = $(git -C ../hub.git rev-parse refs/changes/01/1/1)")
        .run()
        .expect("exit 0");
    amended(&repo, "fix-cart");
    repo.orch(&["review", "fix-cart", "--pr", "-q"]).expect_success();
    repo.shell("git -C ../hub.git for-each-ref --format='%(refname)' refs/changes").run().expect(
        "
        exit 0
        -- stdout
        refs/changes/01/1/1
        refs/changes/02/2/1
        refs/changes/02/2/2
        ",
    );
}

#[test]
fn a_merge_request_is_opened_by_push_options_also_on_top_of_another() {
    let repo = waiting();
    with_hook(&repo, "post-receive");
    result(&repo, "fix cart", "src/api/cart.rs");
    refused(&repo, &["review", "fix-cart", "--pr", "--forge", "gitlab"]).expect(
        "
        exit 3
        -- stderr
        error: `fix-cart` builds on `fix-login`, which is not put up there
        hint: put that one up first: `git orch review fix-login --pr`
        ",
    );
    let forge = ["--forge", "gitlab", "--label", "bug", "--draft"];
    repo.orch(&[&["review", "fix-login", "--pr"][..], &forge].concat()).expect(
        "
        exit 0
        -- stdout
        https://gitlab.example.com/me/shop/-/merge_requests/1
        -- stderr
        opened #1 into main: draft
        ",
    );
    repo.orch(&["review", "fix-cart", "--pr", "--forge", "gitlab"]).expect(
        "
        exit 0
        -- stdout
        https://gitlab.example.com/me/shop/-/merge_requests/2
        -- stderr
        opened #2 into review/fix-login: open
        ",
    );
    repo.shell("grep -v description ../hub.git/requests/1/options; grep -e target -e description ../hub.git/requests/2/options").run().expect(
        "
        exit 0
        -- stdout
        merge_request.create
        merge_request.target=main
        merge_request.title=fix login
        merge_request.draft
        merge_request.label=bug
        merge_request.target=review/fix-login
        merge_request.description=<p>On top of fix-login: https://gitlab.example.com/me/shop/-/merge_requests/1</p><h4>By</h4><pre>session backend, by edit.sh</pre><h4>Touched</h4><pre>src/api  1 file</pre><h4>Commits</h4><pre><oid> fix cart</pre><h4>Know this best</h4><pre>Ann  1 touch of src/api/cart.rs</pre>Orch-Task: fix-cart
        ",
    );
}

#[test]
fn a_branch_that_a_forge_took_away_is_not_pushed_again() {
    let repo = waiting();
    with_hook(&repo, "post-receive");
    let call = ["review", "fix-login", "--pr", "--forge", "gitlab"];
    repo.orch(&call).expect_success();
    // As after a squash there: the branch is gone, and its commits are nowhere.
    repo.shell("git -C ../hub.git update-ref -d refs/heads/review/fix-login; echo over >../hub.git/requests/1/branch")
        .run()
        .expect_success();
    let left = "
        exit 0
        -- stdout
        https://gitlab.example.com/me/shop/-/merge_requests/1
        -- stderr
        warning: `review/fix-login` is no longer on `origin`: #1 was merged or closed there, it seems; `git push origin review/fix-login` brings it back
        #1 is up to date: open
        ";
    let record = repo.git(&["rev-parse", "refs/orch/task/fix-login"]);
    repo.orch(&call).expect(left);
    assert_eq!(repo.git(&["rev-parse", "refs/orch/task/fix-login"]), record);
    assert_eq!(repo.git(&["ls-remote", "origin", "review/*"]), "");
    // Other commits are another request, with its words.
    amended(&repo, "fix-login");
    repo.orch(&call).expect(
        "
        exit 0
        -- stdout
        https://gitlab.example.com/me/shop/-/merge_requests/2
        -- stderr
        opened #2 into main: open
        ",
    );
    assert!(repo.read("hub.git/requests/2/options").contains("merge_request.title=fix login\n"));
}

#[test]
fn one_of_several_that_fails_is_told_by_name() {
    let repo = waiting();
    result(&repo, "fix cart", "src/api/cart.rs");
    for name in ["fix-login", "fix-cart"] {
        repo.orch(&["review", name, "--pr", "--forge", "none", "-q"]).expect_success();
    }
    let theirs = "git push -qf origin $(git commit-tree -m theirs main^{tree}):refs/heads/review/fix-cart";
    repo.shell(theirs).changing_checkout().run().expect_success();
    let told = repo.orch(&["review", "--pr", "--json"]);
    assert_eq!(told.exit, 3, "{told}");
    let told = &told.json()["data"];
    assert_eq!((&told[0]["name"], &told[0]["request"]["forge"]), (&"fix-login".into(), &"none".into()));
    let error = serde_json::json!({
        "kind": "refused",
        "message": "`review/fix-cart` on `origin` was moved by somebody else",
        "hints": [
            "look at what is there: `git fetch origin review/fix-cart`, then `git log -p FETCH_HEAD`",
            "take it into the result, or take it away there: `git push origin :review/fix-cart`",
        ],
    });
    assert_eq!(told[1], serde_json::json!({ "name": "fix-cart", "error": error }));
    // Once the results are over, nobody asks again what nobody tells.
    for name in ["fix-cart", "fix-login"] {
        repo.orch(&["cancel", name, "-q"]).expect_success();
    }
    repo.orch(&["review", "--pr"]).expect(
        "
        exit 0
        -- stderr
        no request waits: `git orch review TASK --pr` opens one
        ",
    );
}

#[test]
fn a_result_that_moves_while_it_is_put_up_is_refused() {
    let repo = waiting();
    // A git that moves the result behind the list of remotes.
    let git = "mkdir ../mover && cat >../mover/git <<'EOF' && chmod +x ../mover/git && printf %s \"$PATH\"
#!/bin/sh
PATH=${PATH#*:}
for last; do :; done
[ \"$last\" != remote ] || git update-ref refs/heads/review/fix-login $(git commit-tree -p review/fix-login -m more review/fix-login^{tree})
exec git \"$@\"
EOF";
    let path = format!("{}:{}", repo.top().join("mover").display(), repo.shell(git).run().stdout);
    repo.call(&["review", "fix-login", "--pr", "--forge", "none"])
        .env("PATH", path)
        .changing_checkout()
        .run()
        .expect(
            "
        exit 3
        -- stderr
        error: `fix-login` moved to <oid> while it was about to be put up
        hint: nothing was pushed: run `git orch review fix-login --pr` again
        ",
        );
    assert_eq!(repo.git(&["ls-remote", "origin", "review/*"]), "");
}

#[test]
fn a_request_follows_its_base_once_the_result_below_has_landed() {
    let repo = waiting();
    with_hook(&repo, "post-receive");
    result(&repo, "fix cart", "src/api/cart.rs");
    for name in ["fix-login", "fix-cart"] {
        repo.orch(&["review", name, "--pr", "--forge", "gitlab", "-q"]).expect_success();
    }
    repo.call(&["merge", "fix-login", "-q"]).changing_checkout().run().expect_success();
    repo.git(&["push", "-q", "origin", "main"]);
    amended(&repo, "fix-cart");
    repo.orch(&["review", "fix-cart", "--pr"]).expect(
        "
        exit 0
        -- stdout
        https://gitlab.example.com/me/shop/-/merge_requests/2
        -- stderr
        pushed to #2 into main
        ",
    );
    repo.shell("cat ../hub.git/requests/2/options").run().expect(
        "
        exit 0
        -- stdout
        merge_request.create
        merge_request.target=main
        ",
    );
}

/// A forge of commands that keep one request a branch in a folder.
const HOUSE: &str = r#"version: 1
forge: house
forges:
  house:
    open: |
      mkdir -p ../house && cd ../house && printf '%s\n' "$GIT_ORCH_TITLE" >title && cp "$GIT_ORCH_BODY" body
      echo open >state; env | grep ^GIT_ORCH_ | grep -v -e BODY -e TIP -e REMOTE | sort >seen
      echo https://house.example.com/r/7
    update: |
      cd ../house && echo "$GIT_ORCH_ID base=$GIT_ORCH_BASE title=$GIT_ORCH_TITLE labels=$GIT_ORCH_LABELS" >>updates
    state: cat ../house/state 2>/dev/null || true
"#;

fn house() -> TestRepo {
    let repo = waiting();
    repo.write(".orch.yml", HOUSE);
    repo.shell("echo .orch.yml >>.git/info/exclude").changing_checkout().run().expect_success();
    repo
}

#[test]
fn commands_of_the_repository_run_once_they_are_trusted() {
    let repo = house();
    let output = refused(&repo, &["review", "fix-login", "--pr"]);
    assert_eq!(output.exit, 5, "{output}");
    assert!(output.stderr.contains("the open of forge house `mkdir -p ../house"), "{output}");
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.orch(&["review", "fix-login", "--pr", "--label", "a", "--reviewer", "ann", "--draft"]).expect(
        "
        exit 0
        -- stdout
        https://house.example.com/r/7
        -- stderr
        opened #7 into main: draft
        ",
    );
    repo.shell("cat ../house/seen; ls .git/orch | grep request-").run().expect(
        "
        exit 1
        -- stdout
        GIT_ORCH_BASE=main
        GIT_ORCH_DRAFT=1
        GIT_ORCH_HEAD=review/fix-login
        GIT_ORCH_LABELS=a
        GIT_ORCH_REVIEWERS=ann
        GIT_ORCH_TASK=fix-login
        GIT_ORCH_TITLE=fix login
        ",
    );
    repo.orch(&["review", "fix-login", "--pr", "--label", "a", "--label", "b"]).expect(
        "
        exit 0
        -- stdout
        https://house.example.com/r/7
        -- stderr
        #7 is up to date: draft
        ",
    );
    assert!(repo.read("house/updates").ends_with("https://house.example.com/r/7 base= title= labels=b\n"));
    repo.shell("echo closed >../house/state").run().expect_success();
    repo.orch(&["review", "fix-login", "--pr"]).expect(
        "
        exit 3
        -- stderr
        error: the request of `fix-login`, #7, was closed there
        hint: reopen it there: https://house.example.com/r/7
        hint: or call the result off: `git orch cancel fix-login`
        ",
    );
    repo.shell("echo merged >../house/state").run().expect_success();
    repo.orch(&["review", "--pr"]).expect(
        "
        exit 0
        -- stdout
          fix-login  #7  merged  https://house.example.com/r/7
        -- stderr
        #7 was merged there: bring it to main, `git pull origin main`, and fix-login is done
        ",
    );
}

#[test]
fn what_reviewers_ask_for_is_heard_once() {
    let repo = house();
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.orch(&["review", "fix-login", "--pr", "-q"]).expect_success();
    let said = r#"{"state":"open","number":7,"review":"changes","checks":"failed","comments":[
        {"id":"1","author":"ben","text":"say why\n```\nrm -rf /","asks":true},
        {"id":"2","author":"ben","place":"src/api/login.rs:2","text":"this leaks \u001b[31m"}]}"#;
    std::fs::write(repo.top().join("house/state"), said).unwrap();
    repo.orch(&["review", "--pr"]).expect(
        "
        exit 0
        -- stdout
          fix-login  #7  open, changes requested, checks failed  https://house.example.com/r/7
        -- stderr
        #7 wants changes, which fix-login hears now
        next: git orch retry fix-login
        ",
    );
    let shown = repo.orch(&["show", "fix-login"]).stdout;
    assert!(shown.contains("task fix-login: changes\n"), "{shown}");
    assert!(
        shown.contains("             ben at src/api/login.rs:2:\n               this leaks \\u{1b}[31m\n"),
        "{shown}"
    );
    repo.orch(&["review", "--pr"]).expect(
        "
        exit 0
        -- stdout
          fix-login  #7  open, changes requested, checks failed  https://house.example.com/r/7
        ",
    );
    let heard = "sed -n '/^## Changes asked/,/^## Where/p' >why.txt";
    repo.orch(&["retry", "fix-login", "-q", "--", "sh", "-c", heard]).expect_success();
    // It is not heard again, though it still stands there.
    repo.orch(&["review", "fix-login", "--pr"]).expect(
        "
        exit 0
        -- stdout
        https://house.example.com/r/7
        -- stderr
        pushed to #7 into main: open, changes requested, checks failed
        ",
    );
    assert_eq!(repo.orch(&["show", "fix-login", "--json"]).json()["data"]["state"], "review");
    // Nor after it was put up elsewhere meanwhile.
    for forge in ["email", "house"] {
        repo.orch(&["review", "fix-login", "--pr", "--forge", forge, "-q"]).expect_success();
    }
    assert_eq!(repo.orch(&["show", "fix-login", "--json"]).json()["data"]["state"], "review");
    repo.shell("git show review/fix-login:why.txt | head -n 8").run().expect(
        "
        exit 0
        -- stdout
        ## Changes asked for in review

        ````text
        Changes were asked for at https://house.example.com/r/7:

        ben asks for changes:
          say why
          ```
        ",
    );
}

#[test]
fn how_a_request_stands_is_asked_whatever_became_of_the_one_below() {
    let repo = house();
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    result(&repo, "fix cart", "src/api/cart.rs");
    for name in ["fix-login", "fix-cart"] {
        repo.orch(&["review", name, "--pr", "-q"]).expect_success();
    }
    repo.orch(&["review", "fix-login", "--pr", "--forge", "email", "-q"]).expect_success();
    repo.orch(&["cancel", "fix-cart", "-q"]).expect_success();
    repo.orch(&["review", "--pr"]).expect(
        "
        exit 0
        -- stdout
          fix-cart  house  open
        -- stderr
        fix-cart is cancelled here, and house is still open there
        ",
    );
    // On another remote nobody looks for it.
    repo.shell("git remote rename origin hub").changing_checkout().run().expect_success();
    refused(&repo, &["review", "--pr"]).expect(
        "
        exit 3
        -- stderr
        error: no request of `fix-cart` on `hub` was recorded
        hint: `git orch show fix-cart` tells where it was put up
        ",
    );
}

#[test]
fn patches_of_what_builds_on_another_come_behind_its_patches() {
    let repo = waiting();
    result(&repo, "fix cart", "src/api/cart.rs");
    let call = |name: &'static str| ["review", name, "--pr", "--forge", "email"];
    refused(&repo, &call("fix-cart")).expect(
        "
        exit 3
        -- stderr
        error: `fix-cart` builds on `fix-login`, which is not put up by mail
        hint: put that one up first: `git orch review fix-login --pr --forge email`
        ",
    );
    repo.orch(&call("fix-login")).expect_success();
    repo.orch(&call("fix-cart")).expect_success();
    repo.shell("grep '^On top' .git/orch/mail/fix-cart/v1/0000*").run().expect(
        "
        exit 0
        -- stdout
        On top of fix-login: fix login
        ",
    );
}

#[test]
fn patches_and_what_to_write_above_them_are_put_into_a_folder() {
    let repo = waiting();
    let call = ["review", "fix-login", "--pr", "--forge", "email"];
    let first = "
        exit 0
        -- stdout
        $TMP/shop/.git/orch/mail/fix-login/v1
        -- stderr
        next: look at the cover letter, then git send-email --to=ADDRESS FOLDER/*.patch
        ";
    repo.orch(&call).expect(first);
    repo.orch(&call).expect(first);
    repo.shell("cd .git/orch/mail/fix-login/v1; ls; sed '/^From /d; /^Date: /d; /^-- $/,$d' 0000*; git -C ../../../../.. apply --check $PWD/0001*")
        .run()
        .expect(
            "
            exit 0
            -- stdout
            0000-cover-letter.patch
            0001-fix-login.patch
            tip
            From: Test <test@example.com>
            Subject: [PATCH 0/1] fix login

            By:
              session backend, by edit.sh

            Touched:
              src/api  1 file

            Commits:
              <oid> fix login

            Know this best:
              Ann  1 touch of src/api/login.rs

            Orch-Task: fix-login

            Test (1):
              fix login

             src/api/login.rs | 1 +
             1 file changed, 1 insertion(+)

            ",
        );
    amended(&repo, "fix-login");
    repo.orch(&["review", "fix-login", "--pr", "--forge", "none", "-q"]).expect_success();
    repo.orch(&[&call[..], &["--remote", "origin", "-q"]].concat())
        .expect("exit 0\n-- stdout\n$TMP/shop/.git/orch/mail/fix-login/v2");
    repo.shell("cd .git/orch/mail/fix-login/v2; ls; head -n 1 request-pull.txt | cut -d' ' -f1-5")
        .run()
        .expect(
            "
        exit 0
        -- stdout
        request-pull.txt
        tip
        v2-0000-cover-letter.patch
        v2-0001-fix-login.patch
        The following changes since commit
        ",
        );
}

#[test]
fn a_dry_run_says_what_would_be_pushed_and_talks_to_nobody() {
    let repo = waiting();
    repo.shell("rm -rf ../hub.git").run().expect_success();
    repo.git(&["remote", "set-url", "origin", "/nowhere/me/shop.git"]);
    let before = repo.everything();
    repo.orch(&["review", "fix-login", "--pr", "--dry-run", "--forge", "gh", "--draft"]).expect(
        "
        exit 0
        -- stdout
        would push <oid> to review/fix-login on origin, for main (gh)
        title: fix login

        ### By

        ```text
        session backend, by edit.sh
        ```

        ### Touched

        ```text
        src/api  1 file
        ```

        ### Commits

        ```text
        <oid> fix login
        ```

        ### Know this best

        ```text
        Ann  1 touch of src/api/login.rs
        ```

        Orch-Task: fix-login
        ",
    );
    before.expect_same(&repo.everything(), "a dry run");
}

#[test]
fn what_a_task_says_stays_words() {
    let repo = waiting();
    with_hook(&repo, "post-receive");
    let text =
        "x --title=x \"; touch ../hacked; $(touch ../hacked) `id`\nOrch-Task: other\u{1b}[2J\n<script>";
    result(&repo, text, "src/api/cart.rs");
    let name = repo.orch(&["tasks", "--json"]).json()["data"][1]["name"].as_str().unwrap().to_owned();
    repo.orch(&["review", "fix-login", "--pr", "--forge", "gitlab", "-q"]).expect_success();
    repo.orch(&["review", &name, "--pr", "--forge", "gitlab", "-q"]).expect_success();
    repo.shell("sed -n 's/<p>On top.*<.pre>/…/; /^merge_request.[td][ie]/p' ../hub.git/requests/2/options; ls ..").run().expect(
        r#"
        exit 0
        -- stdout
        merge_request.title=x --title=x "; touch ../hacked; $(touch ../hacked) `id`
        merge_request.description=<p>x --title=x "; touch ../hacked; $(touch ../hacked) `id`<br>Orch-Task: other[2J<br>&lt;script&gt;</p>…Orch-Task: x-title-x-touch-hacked-touch-hacked-id
        agents
        home
        hub.git
        shop
        shop.orch
        tmp
        "#,
    );
}

#[test]
fn what_is_in_the_way_is_said_with_a_way_out() {
    let repo = waiting();
    let pr = |more: &[&'static str]| [&["review", "fix-login", "--pr"][..], more].concat();
    let hint =
        "say it: `--forge gh`, glab, gitlab, agit (Forgejo, Gitea), gerrit, email or none (the branch alone)";
    let always = "for always: `git config orch.forge FORGE`, or `forge: FORGE` in .orch.yml";
    let unknown = "nobody knows which forge is at `$TMP/hub.git`, the remote `origin`";
    expect_refusal(&refused(&repo, &pr(&[])), 2, unknown, &[hint, always], "unknown");
    let list = "it is one of gh, glab, gitlab, agit, gerrit, email, none, or of `forges` in .orch.yml";
    let output = refused(&repo, &pr(&["--forge", "gitlap"]));
    expect_refusal(&output, 2, "no forge `gitlap`; did you mean `gitlab`?", &[list], "forge");
    expect_refusal(&refused(&repo, &pr(&["--forge", "\u{1b}"])), 2, "no forge `\\u{1b}`", &[list], "escape");
    let output = refused(&repo, &pr(&["--forge", "none", "--remote", "orign"]));
    let hint = "`git remote -v` lists them";
    expect_refusal(&output, 2, "no remote `orign`; did you mean `origin`?", &[hint], "remote");
    // No request can be opened for what never left here.
    repo.shell("git -C ../hub.git update-ref -d refs/heads/main").run().expect_success();
    let output = refused(&repo, &pr(&["--forge", "none"]));
    let hint = "push it first: `git push origin main`";
    expect_refusal(&output, 3, "`main`, the base of `fix-login`, is not on `origin`", &[hint], "base");
    repo.git(&["push", "-q", "origin", "main"]);
    let output = refused(&repo, &pr(&["--forge", "agit"]));
    let hint = "it is no forge that opens requests by them: say which it is with `--forge`, or push the branch alone: `--forge none`";
    let message = "could not push `refs/for/main/fix-login-…";
    expect_refusal(&output, 3, message, &[hint], "options");
    let hook = "printf '#!/bin/sh\\necho \"not \\033[31mhere\"; exit 1\\n' >../hub.git/hooks/pre-receive; chmod +x ../hub.git/hooks/pre-receive";
    repo.shell(hook).run().expect_success();
    let output = refused(&repo, &pr(&["--forge", "none"]));
    let message = "could not push `review/fix-login` to `origin`: pre-receive hook declined";
    expect_refusal(&output, 3, message, &["`origin` says: not \\u{1b}[31mhere"], "hook");
    repo.shell("rm -rf ../hub.git").run().expect_success();
    let output = refused(&repo, &pr(&["--forge", "none"]));
    expect_refusal(&output, 4, "could not read refs of `origin`: '…", &[], "gone");
    repo.shell("git remote remove origin").changing_checkout().run().expect_success();
    let hint = "`git remote add origin ADDRESS`; or write patches: `--forge email`";
    let output = refused(&repo, &pr(&["--forge", "none"]));
    expect_refusal(&output, 4, "there is no remote to put a request up on", &[hint], "no remote");
    repo.orch(&["cancel", "fix-login", "-q"]).expect_success();
    let hint = "only a result that waits for review is put up: `git orch review` lists them";
    expect_refusal(
        &refused(&repo, &pr(&[])),
        3,
        "`fix-login` waits for nobody: it is cancelled",
        &[hint],
        "over",
    );
    repo.orch(&["review", "--pr"]).expect(
        "
        exit 0
        -- stderr
        no request waits: `git orch review TASK --pr` opens one
        ",
    );
}

#[test]
fn the_users_own_hook_looks_at_a_push_where_hooks_run() {
    let repo = waiting();
    let hook = "printf '#!/bin/sh\\necho \"no: $2\" >&2; exit 1\\n' >.git/hooks/pre-push; chmod +x .git/hooks/pre-push
        git config orch.hooks true; cd .. && echo $PWD";
    repo.shell(hook).changing_checkout().run().expect_success();
    repo.orch(&["review", "fix-login", "--pr", "--forge", "none"]).expect(
        "
        exit 4
        -- stderr
        error: could not push `review/fix-login` to `origin`: failed to push some refs to '$TMP/hub.git'
        hint: the hook `pre-push` may have said: no: $TMP/hub.git
        ",
    );
    repo.git(&["config", "orch.hooks", "false"]);
    repo.orch(&["review", "fix-login", "--pr", "--forge", "none", "-q"]).expect_success();
}

#[test]
fn nobody_puts_a_result_up_from_inside_a_session() {
    let repo = waiting();
    let told = "
        exit 3
        -- stderr
        error: this can't be said inside session `backend`
        hint: say it in the repository's own checkout
        ";
    for call in [
        repo.call(&["review", "fix-login", "--pr", "--forge", "none"]).within(repo.worktree("backend")),
        repo.call(&["review", "--pr"]).env("GIT_ORCH_SESSION", "backend"),
    ] {
        call.run().expect(told);
    }
    assert_eq!(repo.git(&["ls-remote", "origin", "review/*"]), "");
}

#[test]
fn a_remote_is_talked_to_as_the_user_trusts_it() {
    let repo = waiting();
    repo.git(&["config", "core.sshCommand", "touch ../hacked; false"]);
    let output = refused(&repo, &["review", "fix-login", "--pr", "--forge", "none"]);
    assert_eq!(output.exit, 5, "{output}");
    assert!(!repo.top().join("hacked").exists());
}

/// A `gh` that answers like this, on a `PATH` of its own.
fn with_gh(repo: &TestRepo, script: &str) -> String {
    let folder = repo.top().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let text = format!("#!/bin/sh\n{script}\n");
    std::fs::write(folder.join("gh"), text).unwrap();
    repo.shell("chmod +x ../bin/gh").run().expect_success();
    format!("{}:{}", folder.display(), repo.shell("printf %s \"$PATH\"").run().stdout)
}

#[test]
fn an_answer_that_can_not_be_read_is_told_and_changes_nothing() {
    let repo = waiting();
    let call = ["review", "fix-login", "--pr", "--forge", "gh"];
    let by_hand = "run it by hand to see what it says";
    let cases: &[(&str, i32, &str, &[&str])] = &[
        (
            "echo 'To get started, run: gh auth login' >&2; exit 4",
            4,
            "`gh` is not logged in",
            &["`gh auth login`, or set GH_TOKEN; or push the branch alone: `--forge none`"],
        ),
        (
            "echo '<html>\u{1b}[31m'",
            4,
            "could not read what `gh pr list` answered: it is not what was asked for (line 1, column 1)",
            &[by_hand],
        ),
        (
            "printf '[{\"number\":1,'",
            4,
            "could not read what `gh pr list` answered: it ends too early (line 1, column 13)",
            &[by_hand],
        ),
        (
            "head -c 20000000 /dev/zero | tr '\\0' ' '",
            4,
            "`gh pr list` answered more than can be meant: 20000000 bytes",
            &[],
        ),
        (
            "echo '[{\"number\":\"one\"}]'",
            4,
            "could not read what `gh pr list` answered: it is not what was asked for (line 1, column 16)",
            &[by_hand],
        ),
        (
            "echo 'GraphQL: Could not resolve to a Repository \u{1b}]0;x\u{7}' >&2; exit 1",
            3,
            "`gh pr list` failed: GraphQL: Could not resolve to a Repository \\u{1b}]0;x\\u{7}",
            &[],
        ),
    ];
    repo.git(&["remote", "set-url", "origin", "../hub.git"]);
    repo.shell("mkdir ../me && mv ../hub.git ../me/shop.git && git remote set-url origin ../me/shop.git")
        .changing_checkout()
        .run()
        .expect_success();
    for (script, exit, message, hints) in cases {
        let path = with_gh(&repo, script);
        let before = repo.everything();
        let output = repo.call(&call).env("PATH", path).run();
        expect_refusal(&output, *exit, message, hints, script);
        before.expect_same(&repo.everything(), script);
    }
    let git = found("git");
    let bare = repo.top().join("only-git");
    std::fs::create_dir_all(&bare).unwrap();
    std::os::unix::fs::symlink(git, bare.join("git")).unwrap();
    let hint = "install `gh` and log in, or push the branch alone: `--forge none`";
    let output = repo.call(&call).env("PATH", &bare).run();
    expect_refusal(&output, 4, "no `gh` on the PATH", &[hint], "no gh");
}

#[test]
fn a_fan_out_is_put_up_like_a_task() {
    let repo = waiting();
    with_hook(&repo, "proc-receive");
    repo.commit(&[("a.txt", "a\n")], "a", "Ann", days_ago(1));
    repo.git(&["push", "-q", "origin", "main"]);
    repo.orch(&["fanout", "stamp", "--run", "for f; do echo x >>$f; done", "--paths", "a.txt", "-q"])
        .expect_success();
    repo.orch(&["review", "stamp", "--pr", "--forge", "agit"]).expect(
        "
        exit 0
        -- stdout
        https://forge.example.com/me/shop/pulls/1
        -- stderr
        opened #1 into main: open
        ",
    );
    let shown = repo.orch(&["show", "stamp"]).stdout;
    assert!(shown.contains("  request    #1 open, https://forge.example.com/me/shop/pulls/1\n"), "{shown}");
}

/// A git on the `PATH` that kills git-orch behind its `AT`th call.
const KILLER: &str = r#"mkdir -p ../killer && cat >../killer/git <<'EOF' && chmod +x ../killer/git
#!/bin/sh
PATH=${PATH#*:}
read -r parent </proc/$PPID/comm
[ "$parent" = git-orch ] || exec git "$@"
calls=$(($(cat "$COUNT") + 1))
echo $calls >"$COUNT"
[ $calls = "$AT" ] || exec git "$@"
git "$@"
kill -9 $PPID
EOF
"#;

/// Runs git-orch and kills it behind a call of git; whether it came that far.
fn killed(repo: &TestRepo, at: usize, arguments: &[&str]) -> bool {
    let count = repo.top().join("count");
    std::fs::write(&count, "0").unwrap();
    let path = repo.shell("printf %s \"$PATH\"").run().stdout;
    let path = format!("{}:{path}", repo.top().join("killer").display());
    let call = repo.call(arguments).env("PATH", path).env("COUNT", &count).env("AT", at.to_string());
    let _ = call.run();
    std::fs::read_to_string(&count).unwrap().trim().parse::<usize>().unwrap() >= at
}

#[test]
fn wherever_it_is_killed_there_is_one_request() {
    let repo = waiting();
    repo.shell(KILLER).run().expect_success();
    with_hook(&repo, "proc-receive");
    let record = repo.git(&["rev-parse", "refs/orch/task/fix-login"]);
    for (forge, there) in [("agit", "refs/pull"), ("none", "refs/heads/review")] {
        let call = ["review", "fix-login", "--pr", "--forge", forge, "-q"];
        let mut at = 3;
        while killed(&repo, at, &call) {
            repo.orch(&call).expect_success();
            let left = format!("git ls-remote origin '{there}/*' | wc -l");
            assert_eq!(repo.shell(&left).run().stdout, "1\n", "{forge}, killed behind call {at}");
            let shown = &repo.orch(&["show", "fix-login", "--json"]).json()["data"]["published"];
            assert_eq!(shown["forge"], forge, "{at}: {shown}");
            // As before all of it; every other time what was pushed stays there.
            repo.git(&["update-ref", "refs/orch/task/fix-login", record.trim()]);
            if at % 2 == 0 {
                let clear = format!(
                    "cd ../hub.git && rm -rf requests && git for-each-ref --format='delete %(refname)' {there} | git update-ref --stdin"
                );
                repo.shell(&clear).run().expect_success();
            }
            at += 1;
        }
        assert!(at > 8, "only {at} calls");
    }
}

#[test]
fn who_comes_at_the_same_time_opens_no_second_request() {
    let repo = waiting();
    with_hook(&repo, "proc-receive");
    let script = "for i in 1 2 3 4; do git-orch review fix-login --pr --forge agit -q & done; wait; ls ../hub.git/requests | wc -l";
    let output = repo.shell(script).run();
    assert_eq!((output.stderr.as_str(), output.stdout.lines().last()), ("", Some("1")), "{output}");
}

/// A `glab` that knows one merge request, in the folder `../lab`.
const GLAB: &str = r#"cd "$(dirname "$0")/../lab" || exit
printf '%s\n' "$@" >>asked
case "$*" in
*projects/me%2Fshop/merge_requests\?*) [ -e request ] && { printf '['; cat request; printf ']'; } || echo '[]' ;;
*/reviewers) cat reviewers 2>/dev/null || { echo '404 Not Found' >&2; exit 1; } ;;
*--paginate*/notes\?*) cat notes more ;;
*--method\ POST*projects/me%2Fshop/merge_requests)
	echo '{"iid":3,"state":"opened","draft":true,"web_url":"https://gitlab.com/me/shop/-/merge_requests/3","title":"Draft: fix login","description":"x","target_branch":"main","source_branch":"review/fix-login","source_project_id":1,"target_project_id":1,"head_pipeline":{"status":"running"}}' >request
	cat request ;;
*merge_requests/3) cat request 2>&- || { echo 'glab: 404 Not found (HTTP 404)' >&2; exit 1; } ;;
*) echo '401 Unauthorized' >&2; exit 1 ;;
esac"#;

/// The same repository on a GitLab, and the `PATH` that has its client.
fn on_gitlab(repo: &TestRepo) -> String {
    std::fs::create_dir_all(repo.top().join("bin")).unwrap();
    std::fs::write(repo.top().join("bin/glab"), format!("#!/bin/sh\n{GLAB}\n")).unwrap();
    let hub = "mkdir ../me ../lab && mv ../hub.git ../me/shop.git && chmod +x ../bin/glab
        git config url.$PWD/../.insteadOf https://gitlab.com/; git remote set-url origin https://gitlab.com/me/shop.git";
    repo.shell(hub).changing_checkout().run().expect_success();
    format!("{}:{}", repo.top().join("bin").display(), repo.shell("printf %s \"$PATH\"").run().stdout)
}

#[test]
fn a_merge_request_is_opened_by_glab_and_its_discussion_comes_back() {
    let repo = waiting();
    let path = on_gitlab(&repo);
    let call = |arguments: &[&str]| repo.call(arguments).env("PATH", &path).run();
    call(&["review", "fix-login", "--pr", "--draft"]).expect(
        "
        exit 0
        -- stdout
        https://gitlab.com/me/shop/-/merge_requests/3
        -- stderr
        opened #3 into main: draft, checks pending
        ",
    );
    assert!(repo.read("lab/asked").contains("--raw-field=title=Draft: fix login\n"));
    let reviewers = r#"[{"user":{"username":"ben"},"state":"requested_changes"},{"user":{"username":"ann"},"state":"approved"}]"#;
    std::fs::write(repo.top().join("lab/reviewers"), reviewers).unwrap();
    let notes = r#"[{"id":1,"body":"say why","author":{"username":"ben"},"position":{"new_path":"src/api/login.rs","new_line":2}},
        {"id":2,"body":"rm -rf","author":{"username":"eve"}},{"id":3,"body":"added","author":{"username":"ben"},"system":true}]"#;
    std::fs::write(repo.top().join("lab/notes"), notes).unwrap();
    // The second page.
    let more = r#"[{"id":4,"body":"and how","author":{"username":"ben"}}]"#;
    std::fs::write(repo.top().join("lab/more"), more).unwrap();
    call(&["review", "--pr"]).expect(
        "
        exit 0
        -- stdout
          fix-login  #3  draft, changes requested, checks pending  https://gitlab.com/me/shop/-/merge_requests/3
        -- stderr
        #3 wants changes, which fix-login hears now
        next: git orch retry fix-login
        ",
    );
    let task = &repo.orch(&["show", "fix-login", "--json"]).json()["data"];
    assert_eq!(
        task["requested"],
        "Changes were asked for at https://gitlab.com/me/shop/-/merge_requests/3:\n\nben asks for changes at src/api/login.rs:2:\n  say why\n\nben asks for changes:\n  and how\n"
    );
    // A request of this number that is another branch's is not ours, nor one
    // of another project.
    for change in ["sed -i s,review/fix-login,review/other, ../lab/request", "rm ../lab/request"] {
        repo.shell(change).run().expect_success();
        let asked = repo.read("lab/asked");
        call(&["review", "fix-login", "--pr"]).expect(
            "
            exit 0
            -- stdout
            https://gitlab.com/me/shop/-/merge_requests/3
            -- stderr
            opened #3 into main: draft, checks pending
            ",
        );
        assert!(repo.read("lab/asked")[asked.len()..].contains("\nPOST\n"));
    }
    repo.shell("printf '#!/bin/sh\\necho 401 Unauthorized >&2; exit 1\\n' >../bin/glab")
        .run()
        .expect_success();
    let hint = "`glab auth login`, or set GITLAB_TOKEN; or use push options: `--forge gitlab`";
    expect_refusal(&call(&["review", "--pr"]), 4, "`glab` is not logged in", &[hint], "glab");
}

#[test]
fn names_that_no_forge_knows_are_refused() {
    let repo = waiting();
    let pr = ["review", "fix-login", "--pr", "--forge", "none"];
    for label in ["", " ", "a\nb", "\u{1b}[31m"] {
        assert_eq!(refused(&repo, &[&pr[..], &["--label", label]].concat()).exit, 2, "{label:?}");
    }
    for reviewer in ["", "--x", "a b", "a,r=eve", "$(id)", "a%wip"] {
        let reviewer = format!("--reviewer={reviewer}");
        assert_eq!(refused(&repo, &[&pr[..], &[&reviewer]].concat()).exit, 2, "{reviewer}");
    }
    for arguments in [
        &["review", "--pr", "--draft"][..],
        &["review", "fix-login", "--draft"],
        &["review", "fix-login", "--pr", "--approve"],
    ] {
        assert_eq!(refused(&repo, arguments).exit, 2, "{arguments:?}");
    }
}

#[test]
fn a_token_that_may_not_read_checks_is_enough() {
    let repo = waiting();
    repo.shell("mkdir ../me && mv ../hub.git ../me/shop.git && git remote set-url origin ../me/shop.git")
        .changing_checkout()
        .run()
        .expect_success();
    let script = r#"case "$*" in
        *statusCheckRollup*) echo 'GraphQL: Resource not accessible by personal access token (repository)' >&2; exit 1 ;;
        pr\ view*) echo '{"number":4,"state":"OPEN","isDraft":false,"url":"https://github.com/me/shop/pull/4","title":"t","body":"b",
            "baseRefName":"main","headRefName":"review/fix-login","isCrossRepository":false}' ;;
        pr\ list*) echo '[{"number":4,"state":"OPEN"}]' ;;
        *) echo "$*" >>"${0%/*}/changed" ;;
        esac"#;
    let path = with_gh(&repo, script);
    repo.call(&["review", "fix-login", "--pr", "--forge", "gh"]).env("PATH", path).run().expect(
        "
        exit 0
        -- stdout
        https://github.com/me/shop/pull/4
        -- stderr
        warning: reviews and checks of #4 are not told: GraphQL: Resource not accessible by personal access token (repository)
        pushed to #4 into main: open
        ",
    );
    // Somebody opened it by hand: its words are not ours.
    let shown = &repo.orch(&["show", "fix-login", "--json"]).json()["data"]["published"];
    assert_eq!(shown["number"], 4);
    let changed = std::fs::read_to_string(repo.top().join("bin/changed")).unwrap_or_default();
    assert_eq!(changed, "", "calls of `gh api`");
}

/// A `gh` that knows requests in the folder `../pulls`, a file each, all of
/// them of the branch `../pulls/head`.
const GH: &str = r#"cd "$(dirname "$0")/../pulls" || exit
case "$*" in
pr\ create*) n=$(($(ls | grep -c '^[0-9]') + 1)); touch $n; echo https://github.com/me/shop/pull/$n ;;
pr\ view*)
	[ -e "$3" ] || [ -e "$4" ] || { echo 'GraphQL: Could not resolve to a PullRequest with the number of 1. (repository.pullRequest)' >&2; exit 1; }
	[ -e "$3" ] && n=$3 || n=$4
	printf '{"number":%s,"state":"OPEN","isDraft":false,"url":"https://github.com/me/shop/pull/%s","title":"t","body":"b",' $n $n
	printf '"baseRefName":"main","isCrossRepository":false,"headRefName":"%s","reviews":[' $(cat head)
	printf '{"id":"1","author":{"login":"ben"},"authorAssociation":"MEMBER","body":"say why","state":"CHANGES_REQUESTED"},'
	printf '{"id":"2","author":{"login":"ben"},"authorAssociation":"MEMBER","body":"or not","state":"COMMENTED"}]}' ;;
pr\ list*) echo '[]' ;;
*stranger*) echo 'gh: Reviews may only be requested from collaborators. (HTTP 422)' >&2; exit 1 ;;
*--paginate*) echo '[]' ;;
*) echo "$*" >>changed ;;
esac"#;

#[test]
fn a_number_is_ours_only_where_the_branch_is() {
    let repo = waiting();
    let hub = "mkdir ../me ../pulls && mv ../hub.git ../me/shop.git && git remote set-url origin ../me/shop.git && echo review/fix-login >../pulls/head";
    repo.shell(hub).changing_checkout().run().expect_success();
    let path = with_gh(&repo, GH);
    let call = |arguments: &[&str]| {
        repo.call(&[&["review", "fix-login", "--pr", "--forge", "gh"], arguments].concat())
            .env("PATH", &path)
            .run()
    };
    // Who is known is asked, whoever else is not.
    call(&["--reviewer", "stranger", "--reviewer", "ben"]).expect(
        "
        exit 0
        -- stdout
        https://github.com/me/shop/pull/1
        -- stderr
        warning: #1 is there, without `stranger`: `gh api pulls/1/requested_reviewers` failed: gh: Reviews may only be requested from collaborators. (HTTP 422)
        opened #1 into main: open
        ",
    );
    let published = || repo.orch(&["show", "fix-login", "--json"]).json()["data"]["published"].clone();
    assert_eq!(published()["reviewers"], serde_json::json!(["ben"]));
    assert_eq!(
        repo.read("pulls/changed"),
        "api --method POST --raw-field=reviewers[]=ben repos/me/shop/pulls/1/requested_reviewers\n"
    );
    // A comment takes no judgement back.
    call(&[]).expect(
        "
        exit 0
        -- stdout
        https://github.com/me/shop/pull/1
        -- stderr
        #1 is up to date: open, changes requested
        #1 wants changes, which fix-login hears now
        next: git orch retry fix-login
        ",
    );
    // The number of another branch, then of another repository.
    for (change, number) in [("echo other >../pulls/head", 2), ("rm ../pulls/2; touch ../pulls/7", 3)] {
        repo.shell(change).run().expect_success();
        let output = call(&[]);
        assert!(output.stderr.starts_with(&format!("opened #{number} into main")), "{output}");
        assert_eq!(published()["number"], number);
    }
}
