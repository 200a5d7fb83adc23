//! `git orch route --replay`.

use std::collections::HashSet;

use crate::support::{TestRepo, days_ago};

/// Two people who each keep to a folder, and a branch of each that was merged.
fn shop() -> TestRepo {
    let repo = TestRepo::new();
    for day in 1..=20 {
        let api = format!("fn login() {{ {day} }}\n");
        repo.commit(&[("src/api/login.rs", &api)], &format!("login: rule {day}"), "Ann", days_ago(60 - day));
        let web = format!("cart({day})\n");
        repo.commit(&[("src/web/cart.ts", &web)], &format!("cart: sort by {day}"), "Ben", days_ago(60 - day));
    }
    repo
}

#[test]
fn past_commits_are_asked_about_against_simple_rules() {
    let repo = shop();
    let before = repo.everything();
    let report = repo.orch(&["route", "--replay", "--last", "20", "--json"]).json()["data"].clone();
    before.expect_same(&repo.everything(), "route --replay");
    assert_eq!(report["questions"], 20);
    let rules: Vec<&str> =
        report["rows"].as_array().unwrap().iter().map(|row| row["rule"].as_str().unwrap()).collect();
    let simple = ["random", "least loaded", "most active", "overlap count", "last toucher"];
    assert_eq!(rules, [&simple[..], &["git-orch"]].concat());
    let top1 = |rule: usize| report["rows"][rule]["top1"].as_f64().unwrap();
    assert!(top1(5) > 0.99 && top1(0) < 0.6, "{report}");
    for row in report["rows"].as_array().unwrap() {
        let [low, mean, high] =
            ["low", "mean", "high"].map(|key| row["top1_interval"][key].as_f64().unwrap());
        assert!(low <= mean && mean <= high && mean == row["top1"].as_f64().unwrap(), "{row}");
    }
    for given in ["text", "both"] {
        let report = repo.orch(&["route", "--replay", "--last", "20", "--given", given, "--json"]).json();
        assert!(report["data"]["rows"][5]["top1"].as_f64().unwrap() > 0.99, "{given}: {report}");
    }
}

#[test]
fn anyone_can_compute_the_figures_again_from_the_answers() {
    let repo = shop();
    let file = repo.top().join("answers.jsonl");
    let args = ["route", "--replay", "--last", "20", "--queries", file.to_str().unwrap(), "--json"];
    let report = repo.orch(&args).json()["data"].clone();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let answers: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 20);
    let mut right = 0.0;
    for answer in &answers {
        let candidates = answer["candidates"].as_array().unwrap();
        let names: HashSet<&str> = candidates.iter().map(|one| one["session"].as_str().unwrap()).collect();
        assert!(names.len() == candidates.len() && names.contains(answer["session"].as_str().unwrap()));
        let rank = usize::try_from(answer["rank"].as_u64().unwrap()).unwrap();
        assert_eq!(candidates[rank - 1]["session"], answer["session"]);
        right += f64::from(u8::from(rank == 1)) / answers.len() as f64;
    }
    assert!((right - report["rows"][5]["top1"].as_f64().unwrap()).abs() < 1e-9);
}

#[test]
fn areas_a_loop_and_pairs_are_told() {
    let repo = shop();
    let areas = repo.orch(&["route", "--replay", "--sessions", "areas", "--last", "20", "--json"]).json();
    assert!(areas["data"]["rows"][5]["top1"].as_f64().unwrap() > 0.9, "{areas}");
    let given = repo.orch(&["route", "--replay", "--loop", "--last", "40", "--json"]).json()["data"].clone();
    assert_eq!((&given["tasks"], &given["sessions"]), (&40.into(), &8.into()));
    let row = |rule: usize, key: &str| given["rows"][rule][key].as_f64().unwrap();
    assert!(row(3, "continuity") > row(0, "continuity") && row(3, "busiest") < 0.9, "{given}");
    let pairs = repo.orch(&["route", "--replay", "--parallel", "--last", "20", "--json"]).json();
    assert_eq!(pairs["data"]["rows"][0]["precision"], 1.0, "{pairs}");
}

#[test]
fn recorded_sessions_are_asked_about_by_their_tasks() {
    let repo = shop();
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "-q"]).expect_success();
    }
    for number in 0..10 {
        let (session, file) = [("backend", "src/api/login.rs"), ("frontend", "src/web/cart.ts")][number % 2];
        let text = format!("change number {number}");
        let args = ["task", &text, "--session", session, "-q", "--", &repo.agent("edit.sh"), file];
        repo.orch(&args).expect_success();
    }
    let report = repo.orch(&["route", "--replay", "--sessions", "recorded", "--json"]).json()["data"].clone();
    assert_eq!(report["questions"], 10);
    assert!(report["rows"][5]["top1"].as_f64().unwrap() > 0.9, "{report}");
}

#[test]
fn too_little_history_and_bad_options_are_told() {
    let repo = TestRepo::new();
    repo.orch(&["route", "--replay"]).expect(
        "
        exit 1
        -- stderr
        error: there is too little history: 0 questions by 0 sessions
        hint: 10 questions and 2 sessions say something
        ",
    );
    for (args, why) in [
        (&["--replay", "--lag", "soon"][..], "`soon` is no time span"),
        (&["--replay", "--sessions", "nobody"], "invalid value 'nobody'"),
        (&["--replay", "--given", "hints"], "invalid value 'hints'"),
        (&["--replay", "--last", "many"], "invalid value 'many'"),
        (&["--replay", "--loop", "--parallel"], "cannot be used with"),
        (&["--replay", "fix login"], "cannot be used with"),
        (&["fix login", "--loop"], "cannot be used with"),
        (&["fix login", "--sessions", "areas"], "cannot be used with"),
        (&["--replay", "--paths", "src"], "cannot be used with"),
    ] {
        let output = repo.orch(&[&["route"], args].concat());
        assert_eq!(output.exit, 2, "{args:?}: {output:?}");
        assert!(output.stderr.contains(why), "{args:?}: {output:?}");
    }
}

#[test]
fn weights_are_the_settings_and_are_checked() {
    let repo = shop();
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "--adopt-history", "-q"]).expect_success();
    }
    let weights = |text: &str| {
        let text = format!("version: 1\nrouting: {{ weights: {{ {text} }} }}\n");
        repo.write(".orch.yml", &text);
        let output = repo.orch(&["route", "fix login", "--json"]);
        std::fs::remove_file(repo.path(".orch.yml")).unwrap();
        output
    };
    let terms =
        weights("context: 2, recent: 1, last: 0, active: 1, focus: 0, words: 0, similar: 0, load: -0.5")
            .json();
    let of = |name: &str| {
        let terms = terms["data"]["candidates"][0]["terms"].as_array().unwrap();
        terms.iter().find(|term| term["name"] == name).unwrap()["weight"].as_f64().unwrap()
    };
    assert_eq!(["context", "recent", "last", "focus", "load"].map(of), [0.5, 0.25, 0.25, 0.0, -0.5]);
    for (text, why) in [
        ("context: -1", "`context: -1` is no weight"),
        ("words: .nan", "is no weight"),
        ("focus: .inf", "is no weight"),
        ("active: 101", "a weight is a number from 0 to 100"),
        ("load: 1", "is no weight of load"),
        (
            "context: 0, recent: 0, last: 0, focus: 0, words: 0, similar: 0, active: 0",
            "no signal of the past weighs",
        ),
        ("contxt: 1", "did you mean `context`?"),
        ("context: much", "much"),
    ] {
        let output = weights(text);
        assert_eq!(output.exit, 4, "{text}: {output:?}");
        assert!(output.stdout.contains(why), "{text}: {output:?}");
    }
}
