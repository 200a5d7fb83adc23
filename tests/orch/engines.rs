//! `git orch fanout --on ssh:… ` and `--on slurm` with a real sshd and a real
//! Slurm: both private, on this machine, and of the second tier.

use std::net::TcpListener;
use std::path::Path;

use tempfile::TempDir;

use crate::elsewhere::{expect_nothing_left, quoted};
use crate::support::{TestRepo, days_ago, serial_tree, skip};

/// Appends a line to each of the shard's files.
const STAMP: &str = r#"for file; do echo stamped >> "$file"; done"#;

/// Whether these programs are there; where not, that is told, and in CI no excuse.
fn has(repo: &TestRepo, programs: &str) -> bool {
    let missing = format!(
        "PATH=$PATH:/usr/sbin:/sbin; for program in {programs}; do command -v $program >/dev/null || echo $program; done
         [ \"$(id -u)\" = 0 ] || echo root"
    );
    let missing = repo.shell(&missing).run().stdout;
    if missing.is_empty() {
        return true;
    }
    let why = format!("this machine lacks {}", missing.split_whitespace().collect::<Vec<_>>().join(", "));
    assert!(std::env::vars_os().all(|(key, _)| key != "CI"), "{why}");
    skip(&why);
    false
}

/// Ports that nobody uses.
fn ports(number: usize) -> String {
    let held: Vec<TcpListener> = (0..number).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|one| format!(" {}", one.local_addr().unwrap().port())).collect()
}

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/engines").join(name).display().to_string()
}

/// Six folders of two files each, and a bare repository as remote.
fn twelve_files() -> TestRepo {
    let repo = TestRepo::unborn();
    let names: Vec<String> =
        "abcdef".chars().flat_map(|folder| [format!("{folder}/1"), format!("{folder}/2")]).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x\n")).collect();
    repo.commit(&files, "twelve files", "Ann", days_ago(1));
    let hub = "git init -q --bare ../hub.git && git remote add origin ../hub.git && git push -q origin main";
    repo.shell(hub).changing_checkout().run().expect_success();
    repo
}

/// What is ended with a test: each by the number of its process.
struct Servers {
    folder: TempDir,
    down: String,
}

impl Drop for Servers {
    fn drop(&mut self) {
        let call = assert_cmd::Command::new("sh").args(["-c", &self.down]).output();
        drop(call);
    }
}

/// An sshd, and the repository set to reach it.
fn sshd(repo: &TestRepo) -> Option<Servers> {
    if !has(repo, "sshd ssh ssh-keygen setsid") {
        return None;
    }
    let folder = TempDir::with_prefix("orch-sshd-").unwrap();
    let at = folder.path().join("sshd").display().to_string();
    let up = format!("sh {} {at}{} && git config orch.ssh {at}/ssh", fixture("sshd-up"), ports(1));
    repo.shell(&up).changing_checkout().run().expect_success();
    Some(Servers { folder, down: format!("kill $(cat {at}/sshd.pid)") })
}

/// A cluster of four nodes that see nothing of the repository, and a daemon
/// that serves the remote to them.
fn slurm(repo: &TestRepo) -> Option<Servers> {
    if !has(repo, "munged slurmctld slurmd sbatch unshare setsid") {
        return None;
    }
    // Nodes have a `/tmp` of their own.
    let folder = TempDir::with_prefix_in("orch-slurm-", "/var/tmp").unwrap();
    let at = folder.path().join("slurm").display().to_string();
    let top = repo.top().display();
    let port = ports(1);
    let up = format!(
        "PATH=$PATH:/usr/sbin:/sbin MAX_ARRAY=5 sh {} {at} {top}{} || exit
        git -C ../hub.git config daemon.receivepack true
        setsid git daemon --listen=127.0.0.1 --port={port} --export-all --enable=receive-pack \\
            --base-path={top} --pid-file={at}/run/daemon.pid {top} >/dev/null 2>&1 &
        until git ls-remote git://127.0.0.1:{port}/hub.git >/dev/null 2>&1; do sleep 0.1; done
        git remote set-url origin git://127.0.0.1:{port}/hub.git",
        fixture("slurm-up"),
        ports(5),
        port = port.trim()
    );
    repo.shell(&up).changing_checkout().run().expect_success();
    let down = format!("kill $(cat {at}/run/daemon.pid); sh {} {at}", fixture("slurm-down"));
    Some(Servers { folder, down })
}

impl Servers {
    /// A call of git-orch in a shell, its cluster named.
    fn orch(&self, call: &str) -> String {
        format!("export SLURM_CONF={}/slurm/slurm.conf; {call}", self.folder.path().display())
    }
}

#[test]
#[ignore = "second tier: runs an sshd"]
fn second_tier_shards_run_on_machines_that_ssh_reaches() {
    let repo = twelve_files();
    let Some(servers) = sshd(&repo) else { return };
    let serial = serial_tree(&repo, "for file in */*; do echo stamped >> $file; done");
    repo.shell("rm -rf ../serial").run().expect_success();
    let call = ["fanout", "x", "--run", STAMP, "--shards", "directory", "--again"];
    for (on, tree) in [("ssh:near", "full"), ("ssh:near*12,far*2", "full"), ("ssh:near,far", "sparse")] {
        let fanout = repo.orch(&[&call[..], &["--on", on, "--tree", tree, "--json"]].concat()).json();
        let tree_id = fanout["data"]["tree"].as_str().unwrap_or_default();
        assert_eq!(format!("{tree_id}\n"), serial, "{on} {tree}: {fanout}");
    }
    let odd = r#"case $1 in ./a/*) exit 7;; ./b/*) exit 255;; ./c/*) kill -9 $$;; ./d/*) sleep 60;; esac; echo y >>"$1""#;
    let call = ["fanout", "odd", "--run", odd, "--shards", "directory", "--timeout", "1s", "--json"];
    let fanout = repo.orch(&[&call[..], &["--on", "ssh:far,nowhere,near"]].concat());
    let shards = &fanout.json()["data"]["shards"];
    let codes: Vec<String> = (0..6).map(|n| shards[n]["exit_code"].to_string()).collect();
    assert_eq!(codes, ["7", "255", "137", "null", "0", "0"], "{fanout}");
    let hosts: Vec<&str> = (0..6).map(|n| shards[n]["host"].as_str().unwrap()).collect();
    assert!(hosts.contains(&"near") && hosts.contains(&"far"), "{fanout}");
    assert!(
        fanout.stderr.contains("warning: `nowhere` can't be reached, others do its shards: "),
        "{fanout}"
    );
    repo.orch(&["fanout", "none", "--run", "true", "--on", "ssh:nowhere", "-q"]).expect(&format!(
        "
        exit 1
        -- stderr
        warning: `nowhere` can't be reached, others do its shards: ssh: connect to host 127.0.0.1 port 1: Connection refused
        error: none of the hosts can be reached: `nowhere`
        hint: `{}/sshd/ssh -o BatchMode=yes HOST true` must work without being asked anything
        ",
        servers.folder.path().display()
    ));
    expect_nothing_left(&repo);
}

#[test]
#[ignore = "second tier: runs an sshd"]
fn second_tier_a_command_on_another_machine_ends_with_its_connection() {
    let repo = twelve_files();
    let Some(servers) = sshd(&repo) else { return };
    let tmp = servers.folder.path().join("sshd/tmp").display().to_string();
    let gone = format!("until [ -z \"$(ls {tmp} | grep -v ^git-orch; ls {tmp}/git-orch-*/ | grep ^work)\" ]; do sleep 0.1; done
        pgrep -f '^sleep 61$'; git ls-remote origin | cut -f2");
    // By Ctrl-C, and by kill -9, where only the connection tells.
    for (signal, exit) in [("TERM", 143), ("KILL", 137)] {
        let run = r#"echo $$ >"$STARTED"; kill -$SIGNAL "$(cat "$ORCH")"; sleep 61"#;
        let env = [
            format!("ORCH={}", repo.path("../tmp/pid").display()),
            format!("STARTED={}", repo.path("../tmp/started").display()),
            format!("SIGNAL={signal}"),
        ];
        let call = ["fanout", "x", "--run", run, "--paths", "a", "-q", "--on", "ssh:far"];
        let call = [&call[..], &["--env", &env[0], "--env", &env[1], "--env", &env[2]]].concat();
        let output = repo.shell(&format!("git-orch {} & echo $! >../tmp/pid; wait $!", quoted(&call))).run();
        assert_eq!(output.exit, exit, "{output}");
        if signal == "KILL" {
            repo.orch(&["doctor", "--fix", "-q"]).expect_success();
        }
        repo.shell(&gone).run().expect("exit 0\n-- stdout\nrefs/heads/main");
    }
}

#[test]
#[ignore = "second tier: runs an sshd"]
fn second_tier_a_shard_whose_connection_breaks_moves_to_another_machine() {
    let repo = twelve_files();
    let Some(_servers) = sshd(&repo) else { return };
    // Ends the connection of the machine it runs on, once: the sshd above it.
    let run = r#"if mkdir "$ONCE" 2>/dev/null; then
            at=$PPID; until grep -q ^sshd "/proc/$at/comm"; do at=$(cut -d' ' -f4 "/proc/$at/stat"); done
            kill $at; sleep 62; fi; echo y >>"$1""#;
    let once = format!("ONCE={}", repo.path("../tmp/once").display());
    let call =
        ["fanout", "x", "--run", run, "--paths", "a", "--env", &once, "--on", "ssh:far,near", "--json"];
    let fanout = repo.orch(&call);
    let shard = &fanout.json()["data"]["shards"][0];
    assert_eq!((&shard["state"], &shard["host"]), (&"done".into(), &"near".into()), "{fanout}");
    assert!(fanout.stderr.contains("warning: `far` can't be reached, others do its shards: "), "{fanout}");
    expect_nothing_left(&repo);
}

#[test]
#[ignore = "second tier: runs a Slurm cluster"]
fn second_tier_a_slurm_cluster_that_shares_no_files_does_the_shards() {
    let repo = twelve_files();
    let Some(servers) = slurm(&repo) else { return };
    let serial = serial_tree(&repo, "for file in */*; do echo stamped >> $file; done");
    repo.shell("rm -rf ../serial").run().expect_success();
    // Arrays have four elements at most here: twelve shards are three.
    let alone = format!("test ! -e {} && {STAMP}", repo.path("a").display());
    for tree in ["full", "sparse"] {
        let call = ["fanout", "x", "--run", &alone, "--shards", "file", "--again", "--on", "slurm"];
        let call = quoted(&[&call[..], &["--tree", tree, "--json"]].concat());
        let fanout = repo.shell(&servers.orch(&format!("git-orch {call}"))).run().json();
        let tree_id = fanout["data"]["tree"].as_str().unwrap_or_default();
        assert_eq!(format!("{tree_id}\n"), serial, "{tree}: {fanout}");
        let shards = fanout["data"]["shards"].as_array().unwrap();
        let mut nodes: Vec<&str> = shards.iter().filter_map(|shard| shard["host"].as_str()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        assert!(nodes.len() > 1 && nodes.iter().all(|node| node.starts_with('n')), "{nodes:?}");
    }
    let odd = r#"date +%s.%N >>"$1"; case $1 in ./a/*) exit 7;; ./b/*) echo >a/new;; ./c/*) sleep 60;; esac"#;
    let call = ["fanout", "odd", "--run", odd, "--shards", "directory", "--timeout", "1s", "-q", "-j", "1"];
    let call = quoted(&[&call[..], &["--on", "slurm"]].concat());
    repo.shell(&servers.orch(&format!("git-orch {call}"))).run().expect(
        "
        exit 1
        -- stdout
        3 of 6 shards, 3 files changed, disjoint
        review/odd
        failed: a   log: git orch log odd --shard 1
          what it left: git diff <oid>...<oid>
        escaped: b   log: git orch log odd --shard 2
          what it left: git diff <oid>...review/odd-shard-2
        failed: c   log: git orch log odd --shard 3
          what it left: git diff <oid>...<oid>
        ",
    );
    expect_nothing_left(&repo);
}

#[test]
#[ignore = "second tier: runs a Slurm cluster"]
fn second_tier_too_much_failing_leaves_what_runs_on_a_slurm_cluster_alone() {
    let repo = twelve_files();
    let Some(servers) = slurm(&repo) else { return };
    let run = r#"case $1 in ./a/*) exit 3;; esac; sleep 3; echo y >>"$1""#;
    let call = ["fanout", "x", "--run", run, "--shards", "directory", "--on", "slurm", "-j", "2", "--json"];
    let call = quoted(&[&call[..], &["--halt", "soon"]].concat());
    let fanout = repo.shell(&servers.orch(&format!("git-orch {call}"))).run();
    let shards = &fanout.json()["data"]["shards"];
    let states: Vec<&str> = (0..6).map(|n| shards[n]["state"].as_str().unwrap()).collect();
    assert_eq!((states[0], states[1], states[5]), ("failed", "done", "skipped"), "{fanout}");
    assert!(states[1..].iter().all(|state| ["done", "skipped"].contains(state)), "{fanout}");
    assert!(!fanout.stderr.contains("warning"), "{fanout}");
    repo.shell(&servers.orch("squeue --noheader")).run().expect("exit 0");
    expect_nothing_left(&repo);
}

#[test]
#[ignore = "second tier: runs a Slurm cluster"]
fn second_tier_arguments_of_sbatch_are_the_users() {
    let repo = twelve_files();
    let Some(servers) = slurm(&repo) else { return };
    repo.git(&["config", "--add", "orch.slurm", "--nodelist=n3"]);
    repo.git(&["config", "--add", "orch.slurm", "--comment=two words"]);
    let call = quoted(&["fanout", "x", "--run", STAMP, "--shards", "directory", "--on", "slurm", "--json"]);
    let fanout = repo.shell(&servers.orch(&format!("git-orch {call}"))).run().json();
    for shard in fanout["data"]["shards"].as_array().unwrap() {
        assert_eq!(shard["host"], "n3", "{fanout}");
    }
    repo.git(&["config", "--add", "orch.slurm", "--partition=none"]);
    let call = quoted(&["fanout", "y", "--run", STAMP, "--on", "slurm", "-q"]);
    repo.shell(&servers.orch(&format!("git-orch {call}"))).run().expect(
        "
        exit 4
        -- stderr
        error: could not submit to slurm: sbatch: error: invalid partition specified: none
        ",
    );
    expect_nothing_left(&repo);
}

#[test]
#[ignore = "second tier: runs a Slurm cluster"]
fn second_tier_what_is_called_off_leaves_a_slurm_cluster() {
    let repo = twelve_files();
    let Some(servers) = slurm(&repo) else { return };
    let empty = servers.orch(
        "until [ -z \"$(squeue --noheader)\" ]; do sleep 0.2; done; pgrep -f '^sleep 63$'
        git ls-remote origin | cut -f2",
    );
    for (signal, exit) in [("TERM", 143), ("KILL", 137)] {
        // The folder of the repository is hidden there, processes are not.
        let pid = servers.folder.path().join("pid").display().to_string();
        let run = format!("kill -{signal} $(cat {pid}); sleep 63");
        let call = quoted(&["fanout", "x", "--run", &run, "--paths", "a", "-q", "--on", "slurm"]);
        let call = servers.orch(&format!("git-orch {call} & echo $! >{pid}; wait $!"));
        let output = repo.shell(&call).run();
        assert_eq!(output.exit, exit, "{output}");
        if signal == "KILL" {
            repo.shell(&servers.orch("git-orch doctor --fix -q")).run().expect_success();
        }
        repo.shell(&empty).run().expect("exit 0\n-- stdout\nrefs/heads/main");
    }
}

#[test]
#[ignore = "second tier: runs a Slurm cluster"]
fn second_tier_what_a_lost_node_had_runs_on_another() {
    let repo = twelve_files();
    let Some(servers) = slurm(&repo) else { return };
    let at = servers.folder.path().display().to_string();
    // The first to run takes its node down and stays, as one that lost its network.
    let run = format!(
        "if mkdir {at}/once 2>/dev/null; then
             echo $$ >{at}/left; kill -9 $(cat {at}/slurm/run/slurmd-$SLURMD_NODENAME.pid); sleep 64
         fi; {STAMP}"
    );
    let call = quoted(&["fanout", "x", "--run", &run, "--shards", "directory", "--on", "slurm", "--json"]);
    let fanout = repo.shell(&servers.orch(&format!("git-orch {call}"))).run();
    // The lost one comes back too late.
    let back = format!(
        "kill -9 -- -$(cat {at}/left); while ls -d {at}/slurm/tmp-n*/git-orch-*/work-*; do sleep 0.1; done 2>/dev/null"
    );
    repo.shell(&back).run().expect_success();
    let json = fanout.json();
    assert_eq!(json["data"]["state"], "review", "{fanout}");
    assert!(
        json["data"]["shards"].as_array().unwrap().iter().all(|shard| shard["state"] == "done"),
        "{fanout}"
    );
    assert!(fanout.stderr.contains(" was lost and runs again: slurm says node fail"), "{fanout}");
    expect_nothing_left(&repo);
}
