//! Full disks, read-only places and limits as the system itself has them.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::faults::Struck;
use crate::ledger::{Entry, Ledger};
use crate::place::{Ended, Place};
use crate::promises::World;
use crate::scenario::Scenario;
use crate::sweep::Bounds;

/// Kibibytes left on a disk of 3 MiB.
const ROOM: [u64; 14] = [0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024];
/// How many open files a process may have.
const FILES: [u64; 12] = [8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 24, 32];
/// How many blocks of 512 bytes a file may have.
const BLOCKS: [u64; 6] = [0, 1, 2, 3, 4, 8];
/// What of a place is read-only.
const FOLDERS: [&str; 4] = ["", "shop/.git", "shop.orch", "tmp"];

/// What stands in the way.
#[derive(Clone, Copy, Debug)]
enum Obstacle {
    /// So many kibibytes are left on the disk.
    Room(u64),
    /// This folder is read-only.
    ReadOnly(&'static str),
    /// So many files may be open.
    Files(u64),
    /// A file may be so many blocks long.
    Blocks(u64),
}

/// Tries every scenario with every obstacle; whether nothing is broken.
pub(crate) fn run(bounds: &Bounds) -> Result<bool, String> {
    let ledger = Ledger::open(&bounds.state, "real");
    if bounds.report {
        println!("{}", ledger.report());
        return Ok(ledger.broken() == 0);
    }
    let mounts = rustix::process::getuid().is_root();
    if !mounts {
        eprintln!("SKIPPED: full disks and read-only places, which only root can mount");
    }
    let mut tries: Vec<_> = bounds
        .scenarios()?
        .into_iter()
        .flat_map(|scenario| obstacles().into_iter().map(move |obstacle| (scenario, obstacle)))
        .filter(|(_, obstacle)| mounts || !obstacle.is_mounted())
        .collect();
    let done = ledger.keys();
    let key = |scenario: &Scenario, obstacle: Obstacle| {
        (scenario.name.to_owned(), obstacle.name(), String::new(), None)
    };
    tries.retain(|(scenario, obstacle)| !done.contains(&key(scenario, *obstacle)));
    fastrand::Rng::with_seed(bounds.seed).shuffle(&mut tries);
    tries.truncate(bounds.runs.unwrap_or(usize::MAX));
    tries.sort_by_key(|(scenario, _)| scenario.name);
    let place = Place::new(bounds.state.join("real-0"));
    let deadline = bounds.deadline();
    let mut world: Option<World> = None;
    for (scenario, obstacle) in tries {
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            break;
        }
        if world.as_ref().is_none_or(|world| world.scenario.name != scenario.name) {
            world = Some(World::prepare(scenario, &place));
        }
        let world = world.as_ref().expect("it was just prepared");
        let entry = meet(world, obstacle, &place);
        if !entry.broken.is_empty() {
            println!("BROKEN {} {}\n  {}", scenario.name, entry.mode, entry.broken.join("\n  "));
        }
        ledger.add(entry);
    }
    println!("{}", ledger.report());
    Ok(ledger.broken() == 0)
}

fn obstacles() -> Vec<Obstacle> {
    let room = ROOM.into_iter().map(Obstacle::Room);
    let folders = FOLDERS.into_iter().map(Obstacle::ReadOnly);
    let files = FILES.into_iter().map(Obstacle::Files);
    room.chain(folders).chain(files).chain(BLOCKS.into_iter().map(Obstacle::Blocks)).collect()
}

/// One scenario with one obstacle, which is then taken away.
fn meet(world: &World, obstacle: Obstacle, place: &Place) -> Entry {
    let mut broken = Vec::new();
    let mounted = obstacle.is_mounted().then(|| Mount::over(place.top(), "size=3m"));
    world.restore(place);
    let ended = obstacle.run(world.scenario.command, place);
    let crash = world.crashed(place, ended, Struck::default(), &mut broken);
    world.look_at_words(&crash.ended, obstacle.words(), &mut broken);
    let recovery = world.recover(place, &crash, &mut broken).as_millis() as u64;
    drop(mounted);
    let (scenario, mode) = (world.scenario.name.to_owned(), obstacle.name());
    Entry { scenario, mode, exit: crash.ended.code, recovery, broken, ..Entry::default() }
}

impl Obstacle {
    fn name(self) -> String {
        match self {
            Self::Room(room) => format!("room-{room}k"),
            Self::ReadOnly("") => "read-only".to_owned(),
            Self::ReadOnly(folder) => {
                format!("read-only-{}", folder.trim_start_matches("shop").replace(['/', '.'], ""))
            }
            Self::Files(files) => format!("files-{files}"),
            Self::Blocks(blocks) => format!("blocks-{blocks}"),
        }
    }

    fn is_mounted(self) -> bool {
        matches!(self, Self::Room(_) | Self::ReadOnly(_))
    }

    /// One of these is to be told.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Room(_) => &["No space left on device", "couldn't write '", "unable to write file '"],
            Self::ReadOnly(_) => &["Read-only file system"],
            Self::Files(_) => &["Too many open files"],
            Self::Blocks(_) => &["File too large", "was killed", "signal"],
        }
    }

    /// Runs a command of git-orch against it.
    fn run(self, args: &[&str], place: &Place) -> Ended {
        match self {
            Self::Room(room) => {
                let ballast = place.top().join("ballast");
                fill(place, &ballast, room);
                let ended = place.run(place.orch(args));
                fs::remove_file(ballast).unwrap();
                ended
            }
            Self::ReadOnly(folder) => {
                let folder = place.top().join(folder);
                fs::create_dir_all(&folder).unwrap();
                let _bound = Mount::read_only(folder);
                place.run(place.orch(args))
            }
            Self::Files(files) => place.run(limited(place, "-n", files, args)),
            Self::Blocks(blocks) => place.run(limited(place, "-f", blocks, args)),
        }
    }
}

/// A command of git-orch below a limit of the shell.
fn limited(place: &Place, limit: &str, value: u64, args: &[&str]) -> Command {
    let script = format!("ulimit {limit} {value}; exec git-orch \"$@\"");
    let mut command = place.command("sh", &["-c", &script, "sh"]);
    command.args(args);
    command
}

/// Fills the disk until so many kibibytes are left.
fn fill(place: &Place, ballast: &std::path::Path, room: u64) {
    let free = place.script("df -k --output=avail .. | tail -n 1").stdout.trim().parse::<u64>().unwrap();
    let file = File::create(ballast).unwrap();
    drop(file);
    let size = free.saturating_sub(room).to_string();
    let filled = Command::new("dd")
        .args(["if=/dev/zero", "bs=1k", "status=none"])
        .arg(format!("of={}", ballast.display()))
        .arg(format!("count={size}"))
        .output();
    // A disk that is full a little earlier is full.
    filled.unwrap();
}

/// Something mounted, until it is dropped.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// A disk of that size.
    pub(crate) fn over(folder: PathBuf, size: &str) -> Self {
        mount(&["-t", "tmpfs", "-o", size, "tmpfs"], &folder);
        Self(folder)
    }

    /// The folder itself, read-only.
    fn read_only(folder: PathBuf) -> Self {
        let own = folder.display().to_string();
        mount(&["--bind", &own], &folder);
        mount(&["-o", "remount,bind,ro"], &folder);
        Self(folder)
    }
}

fn mount(args: &[&str], folder: &std::path::Path) {
    let mounted = Command::new("mount").args(args).arg(folder).status().unwrap();
    assert!(mounted.success(), "could not mount {}", folder.display());
}

impl Drop for Mount {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status().unwrap();
        assert!(unmounted.success(), "could not unmount {}", self.0.display());
    }
}
