//! Checkouts that are laid over another: each shows its files and keeps what
//! is changed for itself, so that many cost no more than one (Linux's overlayfs).
//!
//! Mounting takes a mount namespace of this process's own, and a user namespace
//! where it is not root's: there ssh and sudo do not work, and a folder of the
//! checkout below can't be renamed. So none is made unless it is asked for.
//!
//! **Invariant:** nothing is mounted where others see it, and nothing stays
//! mounted when the process ends, however it ends.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::OsString;
use std::path::Path;

use crate::agent::process;
use crate::error::{Error, Result};
use crate::git::process::find_program;

/// The word before all others for a process in a namespace of its own.
pub const INSIDE: &str = "__inside";

/// Whether this process has a mount namespace that the one which started it has
/// not, or may not look at.
pub fn is_alone() -> bool {
    let namespace = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    let parent = rustix::process::getppid().map_or(0, |parent| parent.as_raw_nonzero().get());
    namespace("self") != namespace(&parent.to_string())
}

/// Becomes the same command in a namespace where mounting is allowed.
///
/// # Errors
/// Unusable where there can be none; this is the process that it was then.
pub fn enter(environment: &BTreeMap<OsString, OsString>, words: &[OsString]) -> Result<Infallible> {
    let unshare =
        find_program("unshare", environment).ok_or_else(|| Error::unusable("no `unshare` on the PATH"))?;
    let kind: &[&str] = if rustix::process::geteuid().is_root() {
        &["--mount"]
    } else {
        &["--user", "--map-current-user", "--keep-caps", "--mount"]
    };
    process::probe(&unshare, kind)?;
    process::become_under(&unshare, kind, INSIDE, words)
}

/// Whether root is somebody else than the machine's.
#[cfg(target_os = "linux")]
fn is_in_user_namespace() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().last() != Some("4294967295")
}

/// Lays `over` over `below`: what is written goes into the folder `layers`.
///
/// # Errors
/// Unusable where the kernel does not have it so.
#[cfg(target_os = "linux")]
pub fn lay(below: &Path, over: &Path, layers: &Path) -> Result<()> {
    use crate::error::IoContext as _;
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt as _;

    let [upper, work] = ["upper", "work"].map(|name| layers.join(name));
    for folder in [&upper, &work] {
        std::fs::create_dir_all(folder).doing("could not make", folder)?;
    }
    let mut options = Vec::new();
    for (key, path) in [("lowerdir=", below), (",upperdir=", &upper), (",workdir=", &work)] {
        options.extend(key.as_bytes());
        options.extend(path.as_os_str().as_bytes());
        // These part options, and several folders.
        if path.as_os_str().as_bytes().iter().any(|byte| b",:\\\"".contains(byte)) {
            return Err(Error::unusable(format!("no overlay can have `{}`", path.display())));
        }
    }
    if is_in_user_namespace() {
        // What says that a folder is gone takes more rights otherwise.
        options.extend(b",userxattr");
    }
    let options = CString::new(options).expect("a path has no NUL");
    rustix::mount::mount(
        c"overlay",
        over,
        c"overlay",
        rustix::mount::MountFlags::empty(),
        Some(options.as_c_str()),
    )
    .map_err(|error| Error::unusable("could not mount an overlay").because(error))
}

/// Takes what was laid over away.
#[cfg(target_os = "linux")]
pub fn lift(over: &Path) -> Result<()> {
    rustix::mount::unmount(over, rustix::mount::UnmountFlags::DETACH)
        .map_err(|error| Error::unusable("could not unmount an overlay").because(error))
}

/// As above, elsewhere.
#[cfg(not(target_os = "linux"))]
pub fn lay(_below: &Path, _over: &Path, _layers: &Path) -> Result<()> {
    Err(Error::unusable("only Linux has overlays"))
}

/// As above, elsewhere.
#[cfg(not(target_os = "linux"))]
pub fn lift(_over: &Path) -> Result<()> {
    Ok(())
}
