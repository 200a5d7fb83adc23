//! Each promise of the README, and each threat that was thought of, names
//! tests that prove it; none of them may go unnoticed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Ways in which a repository, an agent or a machine can do harm, and the tests of each.
const THREATS: &[(&str, &[&str])] = &[
    ("a repository of another user", &["threats::a_repository_of_another_user_is_refused_by_every_verb"]),
    ("a repository among files", &["threats::a_repository_among_the_files_of_another_is_not_entered"]),
    (
        "configuration that executes",
        &[
            "threats::every_setting_of_every_git_that_executes_is_accounted_for",
            "threats::a_mined_repository_runs_nothing_in_any_subcommand_under_any_git",
            "threats::a_partial_clone_fetches_with_no_program_of_its_own_before_trust",
        ],
    ),
    ("submodules", &["threats::submodules_are_named_and_never_fetched"]),
    ("evil trees", &["threats::a_tree_that_would_write_into_git_is_refused_by_git_itself"]),
    (
        "names in a shell",
        &[
            "threats_text::no_name_reaches_a_shell_a_path_or_an_option",
            "fanout::files_are_handed_over_whatever_they_are_called",
        ],
    ),
    (
        "names as options",
        &[
            "threats_text::a_text_that_looks_like_an_option_is_a_text",
            "threats_text::no_name_reaches_a_shell_a_path_or_an_option",
        ],
    ),
    (
        "paths outside",
        &[
            "bad_input::names_that_can_mean_no_good",
            "bad_input::words_that_make_no_sense",
            "trust::a_repository_cannot_choose_where_its_files_go",
        ],
    ),
    ("links", &["threats::links_in_the_tree_lead_no_copy_out"]),
    (
        "a worktree that leads elsewhere",
        &["threats_agents::a_worktree_that_was_made_to_lead_elsewhere_runs_nothing_there"],
    ),
    (
        "an agent that changes git's configuration",
        &[
            "threats_agents::a_result_waits_while_what_its_run_put_into_git_stands",
            "threats_agents::every_way_into_git_is_noticed",
            "threats_agents::an_agent_that_kills_us_first_is_noticed_by_the_next_command",
        ],
    ),
    (
        "settings that run code",
        &["trust::a_changed_command_asks_again_and_others_run", "merge::a_result_cannot_weaken_its_own_gate"],
    ),
    (
        "words of others in a brief",
        &["threats_text::what_others_wrote_in_notes_moves_no_task_and_enters_no_brief"],
    ),
    (
        "words that speak to a terminal",
        &["threats_text::hostile_words_speak_to_no_terminal_in_any_command_as_text_or_json"],
    ),
    ("forged lines", &["threats_text::a_worktree_whose_path_forges_a_line_is_one_worktree"]),
    (
        "bombs in settings",
        &["bad_surroundings::settings_with_mistakes", "bad_surroundings::settings_that_are_no_plain_file"],
    ),
    ("secrets", &["threats_agents::secrets_reach_no_throwaway_no_log_and_no_object"]),
    (
        "the environment",
        &[
            "threats_text::a_hook_and_a_rebase_of_git_call_it_without_harm",
            "bad_surroundings::variables_that_change_nothing",
        ],
    ),
    (
        "hooks",
        &[
            "threats_agents::no_hook_of_an_agent_runs_before_the_user_accepts_it",
            "trust::git_hooks_filters_and_monitors_of_the_repository_do_not_run",
        ],
    ),
    ("folders that others can write", &["threats_agents::nobody_else_reads_or_writes_what_is_local"]),
    (
        "floods and forks",
        &[
            "threats_agents::an_endless_line_is_cut",
            "threats_agents::a_command_that_forks_without_end_is_ended_with_all_it_started",
            "task::a_timeout_ends_the_agent_and_all_it_started",
        ],
    ),
    ("numbers of processes used again", &["threats_agents::a_process_that_only_has_the_number_is_not_ended"]),
    ("dependencies", &["promises::dependencies_are_judged_where_everything_is_checked"]),
];

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every test here, as `file::name`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(top().join("tests/orch")).unwrap() {
        let path = entry.unwrap().path();
        let Some(file) = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| path.is_file()) else {
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        for test in text.split("#[test]\nfn ").skip(1) {
            found.insert(format!("{file}::{}", test.split('(').next().unwrap()));
        }
    }
    found
}

/// Numbered rows of the README's table of promises, with the tests that each names.
fn promises() -> Vec<(usize, Vec<String>)> {
    let text = fs::read_to_string(top().join("README.md")).unwrap();
    let section = text.split("\n## Promises\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(" | ").collect();
        let number = cells[0].trim_start_matches("| ").parse().ok()?;
        let named = cells.last()?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some((number, named))
    };
    section.lines().filter_map(row).collect()
}

#[test]
fn each_promise_is_proved_by_tests_that_are_there() {
    let (promises, tests) = (promises(), tests());
    let numbers: Vec<usize> = promises.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    for (number, named) in promises {
        assert!(!named.is_empty(), "promise {number} has no test");
        let gone: Vec<&String> = named.iter().filter(|name| !tests.contains(*name)).collect();
        assert!(gone.is_empty(), "promise {number} names what is gone: {gone:?}");
    }
}

#[test]
fn each_threat_is_met_by_tests_that_are_there() {
    let tests = tests();
    assert_eq!(THREATS.len(), 23);
    for (threat, named) in THREATS {
        let gone: Vec<&&str> = named.iter().filter(|name| !tests.contains(**name)).collect();
        assert!(!named.is_empty() && gone.is_empty(), "{threat}: {gone:?}");
    }
}

#[test]
fn dependencies_are_judged_where_everything_is_checked() {
    let run = fs::read_to_string(top().join(".ci/run")).unwrap();
    assert!(run.contains("step cargo deny check licenses bans sources\n"));
    let deny = fs::read_to_string(top().join(".deny.toml")).unwrap();
    assert!(deny.contains("unknown-registry = \"deny\"") && deny.contains("unknown-git = \"deny\""));
    // Fetching and pushing is the user's git's: nothing here speaks a network.
    let lock = fs::read_to_string(top().join("Cargo.lock")).unwrap();
    for network in ["openssl-sys", "libssh2-sys", "rustls", "reqwest", "hyper", "curl-sys", "native-tls"] {
        assert!(!lock.contains(&format!("name = \"{network}\"")), "{network}");
    }
}
