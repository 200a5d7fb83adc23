//! `git orch man`, and the pages in `man/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use git_orch::commands::pages;

use crate::support::TestRepo;

/// The pages in `man/` by file name.
fn stored(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).map(|entries| entries.map(Result::unwrap).collect::<Vec<_>>());
    let file =
        |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
    entries.unwrap_or_default().into_iter().map(file).collect()
}

#[expect(clippy::disallowed_methods, reason = "a switch for developers")]
fn update_wanted() -> bool {
    std::env::var_os("UPDATE_MAN").is_some()
}

#[test]
fn stored_pages_are_those_that_the_program_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let made: BTreeMap<String, Vec<u8>> = pages().into_iter().collect();
    if update_wanted() {
        fs::create_dir_all(&folder).unwrap();
        for name in stored(&folder).into_keys() {
            fs::remove_file(folder.join(name)).unwrap();
        }
        for (name, text) in &made {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let stored = stored(&folder);
    let names = stored.keys().chain(made.keys());
    let mut stale: Vec<&String> = names.filter(|name| stored.get(*name) != made.get(*name)).collect();
    stale.sort();
    stale.dedup();
    assert!(
        stale.is_empty(),
        "stale in man/: {stale:?}; run `UPDATE_MAN=1 cargo test --test orch stored_pages`"
    );
}

#[test]
fn installed_pages_lie_beside_the_program() {
    let repo = TestRepo::new();
    let script = r#"
        mkdir -p ~/bin && cp "$(command -v git-orch)" ~/bin/ && PATH=~/bin:$PATH
        git orch man --install 2>/dev/null && ls ~/share/man/man1 | grep -cv '^git-orch' "#;
    repo.shell(script).changing_checkout().run().expect(
        "
        exit 1
        -- stdout
        $TMP/home/share/man/man1
        0
        ",
    );
    assert_eq!(repo.read("home/share/man/man1/git-orch.1").as_bytes(), pages()[0].1);
}

#[test]
fn an_unknown_command_has_no_page() {
    let repo = TestRepo::new();
    repo.orch(&["man", "tsak"]).expect(
        "
        exit 2
        -- stderr
        error: no command `tsak`; did you mean `task`?
        ",
    );
}
