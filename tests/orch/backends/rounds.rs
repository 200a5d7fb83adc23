//! A round of work in a repository of each shape: a session, a task, a fan-out,
//! landing, and nothing for `doctor` to tell afterwards.

use super::shapes::{How, Shape};
use super::world::World;

/// What is done; each command's answer counts.
const ROUND: &str = r#"
git status --porcelain >"$HOME/before" 2>&1 || true
git-orch add-session api --paths src/api --base main -q >/dev/null
git-orch task 'fix login' -q -- sh -c 'echo fixed >>src/api/login.rs'
git-orch fanout touch --run 'for file; do echo touched >>"$file"; done' --paths src/web -q
git-orch merge -q >/dev/null
git-orch doctor -q | grep -v '^  ok' || true
git-orch doctor -q >/dev/null
git show main:src/api/login.rs main:src/web/cart.rs | grep '[a-z]'
git status --porcelain 2>&1 | diff "$HOME/before" - || true
"#;

/// What a round prints.
const DONE: &str = "review/fix-login\n1 shard, 1 file changed, disjoint\nreview/touch\nfixed\ntouched";

/// Shapes in which something else comes of it.
const OTHERS: &[(&str, i32, &str)] = &[];

/// Plays the round in one shape.
pub(super) fn play((_, name, make, how): &'static Shape) {
    let mut world = World::new(None);
    let how = world.how(how);
    if matches!(how, How::Refused(..) | How::Unmade | How::Mounted) {
        return;
    }
    world.shape(make).expect_success();
    let output = world.try_run(ROUND);
    let other = OTHERS.iter().find(|(other, ..)| other == name);
    let (exit, expected) = other.map_or((0, DONE), |(_, exit, text)| (*exit, text));
    let text = format!("{}{}", output.stdout, output.told());
    assert!(output.exit == exit && text.trim_end() == expected, "exit {}\n{text}", output.exit);
    assert!(!world.top().join("ran").exists(), "something ran that must not");
}
