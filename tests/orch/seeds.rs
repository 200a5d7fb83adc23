//! What holds for whatever a parser is given holds for the seeds of its fuzz
//! target, and each target has its parts.

use std::fs;
use std::path::Path;

use crate::properties::ALL;

/// The sorted names in a folder of the repository.
fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_seed_has_its_property() {
    for (target, check) in ALL {
        for seed in names(&format!("fixtures/fuzz/{target}")) {
            println!("{target}: {seed}");
            check(&fs::read(format!("fixtures/fuzz/{target}/{seed}")).unwrap());
        }
    }
}

#[test]
fn every_property_is_a_target_with_seeds() {
    let targets: Vec<&str> = ALL.iter().map(|(target, _)| *target).collect();
    assert_eq!(names("fixtures/fuzz"), targets);
    assert_eq!(names("tests/fuzz/targets"), targets.iter().map(|t| format!("{t}.rs")).collect::<Vec<_>>());
    let manifest = fs::read_to_string("tests/fuzz/Cargo.toml").unwrap();
    let bins: Vec<&str> = manifest.split("[[bin]]\nname = \"").skip(1).collect();
    let bins: Vec<&str> = bins.iter().map(|bin| bin.split('"').next().unwrap()).collect();
    assert_eq!(bins, targets);
    for target in targets {
        assert!(manifest.contains(&format!("path = \"targets/{target}.rs\"")), "{target}");
        let text = fs::read_to_string(format!("tests/fuzz/targets/{target}.rs")).unwrap();
        assert!(text.contains(&format!("git_orch_fuzz::{target}::check(bytes)")), "{target}");
    }
}
