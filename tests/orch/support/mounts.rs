//! Scripts that mount disks of their own, which nobody else sees.

use super::output::Output;
use super::repo::TestRepo;
use super::verbs::skip;

/// What a script prints that mounts something; `None` where this user may not.
pub(crate) fn mounting(repo: &TestRepo, script: &str) -> Option<Output> {
    let space = "unshare --user --map-root-user --mount";
    if repo.shell(&format!("{space} mount -t tmpfs tmpfs /mnt 2>/dev/null")).run().exit != 0 {
        skip("this user may not mount a disk");
        return None;
    }
    Some(repo.shell(&format!("{space} sh <<'EOT'\n{script}\nEOT")).run())
}
