//! `git orch config` and `git orch init`.

use crate::support::TestRepo;

#[test]
fn each_setting_tells_where_it_comes_from() {
    let repo = TestRepo::new();
    repo.write(".orch.yml", "version: 1\nbase: main\nagents: { default: person }\n");
    repo.git(&["config", "orch.agent", "person"]);
    repo.shell("git config --global orch.jobs 3").changing_checkout().run().expect("exit 0");
    repo.orch(&["config"]).expect(
        "
        exit 0
        -- stdout
          setting                 value                     from
          orch.base               main                      .orch.yml
          orch.worktrees          ../{repo}.orch/{session}  default
          orch.agent              person                    git config
          orch.landing            merge                     default
          orch.hooks              false                     default
          orch.sign               false                     default
          orch.jobs               3                         git config
          orch.remote             origin or the only one    default
          orch.forge              by the remote's address   default
          orch.upstream           the one pushed to         default
          orch.login              none                      default
          orch.ssh                ssh                       default
          orch.slurm              none                      default
          orch.horizon            20000                     default
          orch.keepTrash          14d                       default
          orch.keepOperations     30d                       default
          orch.keepLogs           30d                       default
          orch.keepConversations  365d                      default
        -- stderr
        .orch.yml: 0 agents, 0 sessions, 0 jobs, 0 checks
        ",
    );
    repo.shell("git -c orch.base=other orch config -q | grep base").run().expect(
        "
        exit 0
        -- stdout
          orch.base               other                     git config
        ",
    );
}

#[test]
fn the_schema_is_json() {
    let repo = TestRepo::new();
    let schema = repo.call(&["config", "--schema"]).within(repo.top()).run().json();
    assert_eq!(schema["properties"]["checks"]["type"], "array");
}

#[test]
fn init_writes_a_file_that_changes_nothing() {
    let repo = TestRepo::new();
    let before = repo.orch(&["config"]).stdout;
    repo.call(&["init"]).changing_checkout().run().expect(
        "
        exit 0
        -- stderr
        wrote .orch.yml: everything in it is commented out
        next: git orch add-session NAME --paths GLOB
        ",
    );
    assert_eq!(repo.orch(&["config"]).stdout, before);
    assert_eq!(repo.orch(&["init", "--dry-run"]).stdout, repo.read("shop/.orch.yml"));
    repo.orch(&["init"]).expect(
        "
        exit 0
        -- stderr
        there is a .orch.yml already, and it is valid
        ",
    );
}

#[test]
fn what_init_comments_out_is_valid() {
    let repo = TestRepo::new();
    repo.call(&["init", "-q"]).changing_checkout().run().expect("exit 0");
    let commented = repo.read("shop/.orch.yml");
    let settings = commented.lines().map(|line| match line.strip_prefix("# ") {
        Some(setting)
            if setting.starts_with(' ')
                || setting.split_once(':').is_some_and(|(key, _)| !key.contains(' ')) =>
        {
            setting
        }
        _ => line,
    });
    let text = settings.collect::<Vec<_>>().join("\n") + "\n";
    repo.write(".orch.yml", &text);
    let output = repo.orch(&["config"]);
    assert_eq!(output.exit, 0, "{output}\n{text}");
}
