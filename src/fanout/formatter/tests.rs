//! What is chosen, seen from outside.

use std::collections::BTreeMap;

use super::*;
use crate::fanout::plan::of_formatters;
use crate::fanout::shard::{By, Facts};

/// A repository as a list of files with their contents.
struct Fixture {
    contents: BTreeMap<RepoPath, Vec<u8>>,
    links: Vec<(RepoPath, Vec<u8>)>,
    installed: Vec<&'static str>,
}

impl Fixture {
    fn new(files: &[(&str, &str)]) -> Self {
        let content = |(path, text): &(&str, &str)| (RepoPath::from(*path), text.as_bytes().to_vec());
        let installed = vec![
            "cargo",
            "cargo-fmt",
            "rustfmt",
            "gofmt",
            "prettier",
            "biome",
            "ruff",
            "black",
            "clang-format",
            "shfmt",
        ];
        Self { contents: files.iter().map(content).collect(), links: Vec::new(), installed }
    }

    fn choose(&self) -> Choice {
        let files: Vec<RepoPath> = self.contents.keys().cloned().collect();
        let sources = Sources {
            files: &files,
            links: &self.links,
            read: &|path| self.contents.get(path).cloned(),
            find: &|program| self.installed.contains(&program).then(|| PathBuf::from("/bin").join(program)),
        };
        choose(sources, &|_| true)
    }

    /// `name why in directory: files`, a line for each that is chosen.
    fn lines(&self) -> Vec<String> {
        let files = |work: &Work| match work {
            Work::Files(files) => format!("{files:?}"),
            Work::Packages(packages) => packages
                .iter()
                .map(|package| format!("{} {:?}", package.label(), package.files))
                .collect::<Vec<_>>()
                .join(" "),
        };
        let line = |one: &Formatter| {
            format!("{} {} in {:?}: {}", one.name, one.why, one.directory, files(&one.work))
        };
        self.choose().chosen.iter().map(line).collect()
    }
}

#[test]
fn each_file_goes_to_the_formatter_that_the_repository_uses_for_it() {
    let fixture = Fixture::new(&[
        ("Cargo.toml", "[package]\nname='x'"),
        ("src/lib.rs", ""),
        ("docs/a.md", ""),
        ("web/package.json", r#"{"devDependencies":{"prettier":"3"}}"#),
        ("web/src/a.ts", ""),
        ("web/node_modules/x/i.js", ""),
        ("pyproject.toml", "[tool.ruff]\n[tool.black]\n"),
        ("tools/x.py", ""),
        ("lib/.clang-format", ""),
        ("lib/a.c", ""),
        ("other/b.c", ""),
        ("run.sh", ""),
    ]);
    assert_eq!(
        fixture.lines(),
        [
            "rustfmt from Cargo.toml in : . [src/lib.rs]",
            "prettier from web/package.json in web: [web/package.json, web/src/a.ts]",
            "black from pyproject.toml in : [tools/x.py]",
            "clang-format from lib/.clang-format in lib: [lib/a.c]",
        ]
    );
}

#[test]
fn python_goes_to_the_formatter_that_is_configured_as_one() {
    for (files, expected) in [
        (&[("pyproject.toml", "[tool.ruff.format]\n[tool.black]\n")][..], "ruff from pyproject.toml"),
        (&[("pyproject.toml", "[tool.ruff]\nline-length=99\n")], "ruff from pyproject.toml"),
        (&[("pyproject.toml", "[tool.ruff]\n[tool.black]\n")], "black from pyproject.toml"),
        (
            &[(".pre-commit-config.yaml", "- id: ruff-format"), ("pyproject.toml", "[tool.black]")],
            "ruff from .pre-commit-config.yaml",
        ),
        (&[("pyproject.toml", "[project]\nname='x'")], ""),
        (&[("setup.py", "")], ""),
    ] {
        let fixture = Fixture::new(&[files, &[("a.py", "")]].concat());
        let chosen = fixture.choose().chosen;
        let text: Vec<String> = chosen.iter().map(|one| format!("{} {}", one.name, one.why)).collect();
        assert_eq!(text.join(", "), expected, "{files:?}");
    }
}

#[test]
fn a_used_formatter_that_is_not_installed_is_named_and_nothing_stands_in_for_it() {
    let mut fixture = Fixture::new(&[("pyproject.toml", "[tool.ruff]\n[tool.black]\n"), ("a.py", "")]);
    fixture.installed = vec!["ruff"];
    let choice = fixture.choose();
    assert_eq!(choice.chosen, []);
    let why = "from pyproject.toml".to_owned();
    assert_eq!(choice.missing, [Missing { name: "black", why, files: 1, install: "pip install black" }]);
}

#[test]
fn the_copy_beside_the_manifest_goes_before_the_search_path() {
    let mut fixture = Fixture::new(&[("web/app/.prettierrc", ""), ("web/app/a.ts", "")]);
    fixture.installed.push("web/node_modules/.bin/prettier");
    let chosen = fixture.choose().chosen;
    let Command::Argv(argv) = &chosen[0].command else { panic!("no list") };
    assert_eq!(argv[0], "/bin/web/node_modules/.bin/prettier");
    assert_eq!((&chosen[0].needs_trust, &chosen[0].share), (&None, &Vec::new()));
}

#[test]
fn what_may_execute_the_repositorys_code_needs_trust() {
    let rust: &[(&str, &str)] = &[("Cargo.toml", "[package]\nname='x'"), ("src/lib.rs", "")];
    let web: &[(&str, &str)] = &[(".prettierrc", "semi: true"), ("a.ts", "")];
    for (base, extra, why) in [
        (rust, ("README.md", ""), None),
        (
            rust,
            (".cargo/config.toml", "alias.fmt = 'run'"),
            Some("`.cargo/config.toml` redefines `cargo fmt`"),
        ),
        (rust, ("sub/.cargo/config.toml", "alias.fmt = 'run'"), None),
        (
            rust,
            ("rust-toolchain", "[toolchain]\npath='x'"),
            Some("`rust-toolchain` names a toolchain by its path"),
        ),
        (web, ("b.ts", ""), None),
        (web, ("sub/.prettierrc.mjs", ""), Some("`sub/.prettierrc.mjs` is a program")),
        (
            web,
            ("sub/package.json", "{\"prettier\":{\"plugins\":[]}}"),
            Some("`sub/package.json` names plugins"),
        ),
    ] {
        let chosen = Fixture::new(&[base, &[extra]].concat()).choose().chosen;
        assert_eq!(chosen[0].needs_trust.as_deref(), why, "{extra:?}");
    }
}

#[test]
fn a_link_in_place_of_settings_or_out_of_the_repository_needs_trust() {
    let rust: &[(&str, &str)] = &[("a/Cargo.toml", "[package]\nname='x'"), ("a/src/lib.rs", "")];
    for (link, target, why) in [
        ("a/src/other.rs", "../../README.md", None),
        (
            "a/src/other.rs",
            "../../../x.rs",
            Some("`a/src/other.rs` is a symbolic link that leads out of the repository"),
        ),
        ("a/src/other", "/home", Some("`a/src/other` is a symbolic link that leads out of the repository")),
        ("docs/x", "/home", None),
        (".cargo", "a", Some("`.cargo` is a symbolic link")),
        ("rust-toolchain.toml", "a/x", Some("`rust-toolchain.toml` is a symbolic link")),
    ] {
        let mut fixture = Fixture::new(rust);
        fixture.links.push((RepoPath::from(link), target.as_bytes().to_vec()));
        assert_eq!(fixture.choose().chosen[0].needs_trust.as_deref(), why, "{link}");
    }
}

#[test]
fn a_tracked_program_needs_trust() {
    let mut fixture = Fixture::new(&[
        (".prettierrc", "semi: true"),
        ("a.ts", ""),
        ("node_modules/.bin/prettier", "#!/bin/sh"),
    ]);
    fixture.installed.push("node_modules/.bin/prettier");
    let chosen = fixture.choose().chosen;
    assert_eq!(
        chosen[0].needs_trust.as_deref(),
        Some(
            "the repository brings its own `node_modules/.bin/prettier` (node_modules/.bin/prettier is tracked)"
        )
    );
    fixture.contents.remove(&RepoPath::from("node_modules/.bin/prettier"));
    fixture.links.push((RepoPath::from("node_modules"), b"evil".to_vec()));
    assert!(fixture.choose().chosen[0].needs_trust.is_some());
}

#[test]
fn a_workspace_is_formatted_package_by_package() {
    let fixture = Fixture::new(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers=['crates/*','./tool/']\nexclude=['crates/out']\n\
             [workspace.dependencies]\nshared={path='shared'}\n",
        ),
        ("crates/a/Cargo.toml", "[package]\nname='a'\n[dependencies]\nb={path='../../libs/b'}\n"),
        ("crates/a/src/lib.rs", ""),
        ("crates/a/tests/t.rs", ""),
        ("crates/a/fixtures/f/Cargo.toml", "[package]\nname='f'"),
        ("crates/a/fixtures/f/src/lib.rs", ""),
        ("crates/out/Cargo.toml", "[package]\nname='out'"),
        ("crates/out/src/lib.rs", ""),
        ("libs/b/Cargo.toml", "[package]\nname='b'"),
        ("libs/b/src/lib.rs", ""),
        ("libs/c/Cargo.toml", "[package]\nname='c'"),
        ("libs/c/src/lib.rs", ""),
        ("shared/Cargo.toml", "[package]\nname='shared'"),
        ("shared/src/lib.rs", ""),
        ("tool/Cargo.toml", "[package]\nname='tool'\n[dev-dependencies]\na={path='../crates/a'}\n"),
        ("tool/src/main.rs", ""),
        ("loose.rs", ""),
    ]);
    assert_eq!(
        fixture.lines(),
        ["rustfmt from Cargo.toml in : crates/a [crates/a/src/lib.rs, crates/a/tests/t.rs] \
          libs/b [libs/b/src/lib.rs] shared [shared/src/lib.rs] tool [tool/src/main.rs]"]
    );
    let shards = of_formatters(&fixture.choose().chosen, &|_| By::About(4), Facts::names(&[]));
    assert_eq!(shards[0].argv, ["/bin/cargo", "fmt", "--manifest-path", "./crates/a/Cargo.toml"]);
}

#[test]
fn black_is_told_again_what_it_leaves_out() {
    let fixture = Fixture::new(&[
        ("pyproject.toml", "[tool.black]\nextend-exclude = '/gen/'\nexclude=''"),
        ("a.py", ""),
    ]);
    let chosen = fixture.choose().chosen;
    let Command::Argv(argv) = &chosen[0].command else { panic!("no list") };
    assert_eq!(argv[1..], ["--quiet", "--workers=1", "--force-exclude=(?:/gen/)", "--"]);
}
