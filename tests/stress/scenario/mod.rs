//! What is done to a repository: how it is prepared, the command that is
//! struck, what comes next, and what is true in the end.

/// The checkout leaves the base branch.
macro_rules! away {
    () => {
        "git switch -q -c desk;"
    };
}

/// A result that waits.
macro_rules! result {
    () => {
        "git-orch -q task 'fix login' --session backend -- sh -c 'echo fixed >>src/api/login.rs';"
    };
}

/// The base has moved on since.
macro_rules! moved {
    () => {
        "git stash -q; echo moved >docs/moved.md; git add docs/moved.md; git commit -qm 'docs: move on';
         git stash pop -q --index;"
    };
}

/// The base has a check, which is trusted.
macro_rules! checked {
    ($check:literal) => {
        concat!(
            "git stash -q; printf 'version: 1\\nchecks: [\"",
            $check,
            "\"]\\n' >.orch.yml
             git add .orch.yml; git commit -qm 'a check'; git stash pop -q --index; git-orch -q trust --yes;"
        )
    };
}

/// A result has landed: on the base, and in the checkout where that is there.
macro_rules! landed {
    () => {
        "git show main:src/api/login.rs | grep -q fixed
         [ \"$(state fix-login)\" = merged ]
         [ \"$(git symbolic-ref --short HEAD)\" = desk ] || grep -q fixed src/api/login.rs
         not git show-ref -q refs/heads/review/fix-login"
    };
}

mod agents;
mod fanouts;
mod landing;
mod reviews;
mod trash;
mod undo;
mod verbs;

/// What a command may change of the user's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Nothing.
    Nothing,
    /// The base branch, which is checked out nowhere.
    Base,
    /// The base branch and the checkout, which follows it.
    Checkout,
    /// The same, in several steps.
    Steps,
    /// A new `.orch.yml`.
    Settings,
}

/// One command on one repository.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What is there, beside [`WORLD`].
    pub(crate) given: &'static str,
    /// What is struck.
    pub(crate) command: &'static [&'static str],
    /// Its exit code when nothing is struck.
    pub(crate) exit: i32,
    /// What one would do next, whatever the strike left; must succeed.
    pub(crate) next: &'static str,
    /// What is true when the command, or `next`, said that all is done.
    pub(crate) done: &'static str,
    pub(crate) names: Names,
}

/// What all begin with: a checkout with work of each kind in it, a worktree
/// of the user's own, one idle and one dirty session, one in the trash, one
/// result that has landed.
pub(crate) const WORLD: &str = r##"
git config --global user.name Test; git config --global user.email test@example.com
# A copy has other inodes, and is the same repository.
git config --global core.trustctime false; git config --global core.checkStat minimal
git init -q -b main .
commit() { git add .; git commit -q --author="$2 <$2@example.com>" -m "$1"; }
mkdir -p src/api src/web docs
printf '*.secret\n/build/\n' >.gitignore; echo '# shop' >README.md; echo guide >docs/guide.md
commit 'readme: say hello' Ann
echo 'fn login() {}' >src/api/login.rs; echo 'fn cart() {}' >src/api/cart.rs
commit 'api: login and cart' Ann
echo 'login()' >src/web/login.ts; echo 'cart()' >src/web/cart.ts
commit 'web: login and cart' Ben
git worktree add -q ../mine -b topic
(cd ../mine; echo topic >topic.txt; commit 'topic: begin' Ben; echo more >>topic.txt; echo x >new.txt)
git-orch -q add-session old --paths docs
echo old >../shop.orch/old/old.txt; echo hidden >../shop.orch/old/old.secret
git-orch -q remove-session old
git-orch -q add-session backend --paths src/api --adopt-history
git-orch -q add-session frontend --paths src/web
git-orch -q task 'greet people' --session backend -- sh -c 'echo greet >src/api/greet.rs'
git-orch -q merge greet-people
(cd ../shop.orch/frontend; echo half >>src/web/cart.ts; echo new >new.ts; echo mine >front.secret
 echo staged >staged.ts; git add staged.ts)
echo stashed >>README.md; git stash -q
echo '#!/bin/sh' >.git/hooks/pre-push; chmod +x .git/hooks/pre-push
echo edited >>README.md; echo staged >docs/new.md; git add docs/new.md; echo note >notes.txt
mkdir build; echo out >build/out; echo key >key.secret
"##;

/// All there are.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    let verbs = verbs::ALL.iter().chain(agents::ALL).chain(landing::ALL).chain(reviews::ALL);
    verbs.chain(fanouts::ALL).chain(undo::ALL).chain(trash::ALL)
}

/// The scenario of that name.
pub(crate) fn find(name: &str) -> Result<&'static Scenario, String> {
    let named = all().find(|scenario| scenario.name == name);
    named.ok_or_else(|| {
        let names: Vec<&str> = all().map(|scenario| scenario.name).collect();
        format!("no scenario `{name}`; there are {}", names.join(", "))
    })
}
