//! `git orch fanout fmt`

use std::path::Path;

use crate::support::{TestRepo, days_ago, machine_path, serial_tree, skip};

#[test]
fn the_formatter_that_the_repository_uses_is_found_and_run() {
    let repo = TestRepo::unborn();
    let files =
        [("go.mod", "module x\n"), ("cmd/a.go", "a  b\n"), ("lib/b.go", "c  d\n"), ("lib/c.md", "e  f\n")];
    repo.commit(&files, "go", "Ann", days_ago(1));
    let fake = "#!/bin/sh\nshift; for f; do sed -i 's/  / /' \"$f\"; done\n";
    repo.shell(&format!(
        "mkdir ../tmp/bin; cat > ../tmp/bin/gofmt <<'END'\n{fake}END\nchmod +x ../tmp/bin/gofmt"
    ))
    .run()
    .expect("exit 0");
    let with = "PATH=$PWD/../tmp/bin:$PATH";
    repo.shell(&format!("{with} git orch fanout --list")).run().expect(
        "
        exit 0
        -- stdout
          job  files  runs   from
          fmt      2  gofmt  from go.mod
        ",
    );
    repo.shell(&format!("{with} git orch fanout fmt -j 1")).run().expect(
        "
        exit 0
        -- stdout
        1 shard, 2 files changed, disjoint
        review/fmt
        -- stderr
        fmt: gofmt (from go.mod); 2 files in 1 shard, 1 at a time
          done      cmd … lib                   2 files  2 changed      <time>
        next: git orch review fmt --diff, then git orch merge fmt
        ",
    );
}

#[test]
fn code_of_the_repository_is_not_run_before_it_is_trusted() {
    let repo = TestRepo::unborn();
    let files = [
        (".prettierrc.cjs", "require('fs').writeFileSync('hacked', '')\n"),
        ("node_modules/.bin/prettier", "#!/bin/sh\ntouch hacked\n"),
        ("a.ts", "a\n"),
    ];
    repo.commit(&files, "evil", "Ann", days_ago(1));
    repo.orch(&["fanout", "fmt"]).expect(
        "
        exit 5
        -- stderr
        error: prettier may run code of this repository, which is not trusted: the repository brings its own `node_modules/.bin/prettier` (node_modules/.bin/prettier is tracked)
        hint: read what it would run and allow it: `git orch trust`
        ",
    );
}

/// What formatters need of the machine that the sealed environment hides.
#[expect(clippy::disallowed_methods, reason = "toolchains and modules are found by it")]
fn machine() -> [(&'static str, String); 2] {
    let rustup = std::env::var("RUSTUP_HOME");
    let rustup = rustup.unwrap_or_else(|_| format!("{}/.rustup", std::env::var("HOME").unwrap()));
    [("RUSTUP_HOME", rustup), ("PYTHONPATH", std::env::var("PYTHONPATH").unwrap_or_default())]
}

/// Every formatter that the table knows and that continuous integration has.
#[test]
#[ignore = "needs real formatters"]
fn second_tier_formatters_give_the_tree_of_their_serial_run() {
    let ugly = "x = {  'a':1,\n 'b' : 2 }\n";
    let c = "int  main( ){\nreturn   0;}\n";
    for (marks, extension, text, serial) in [
        (
            [("pyproject.toml", "[tool.ruff.format]\n"), ("m/.keep", "")],
            "py",
            ugly,
            "ruff format -q --no-cache .",
        ),
        ([("pyproject.toml", "[tool.black]\nexclude = '/m3/'\n"), ("m/.keep", "")], "py", ugly, "black -q ."),
        ([(".clang-format", "BasedOnStyle: LLVM\n"), ("m/.keep", "")], "c", c, "clang-format -i */*.c"),
        (
            [(".editorconfig", "[*.sh]\nindent_style = space\nswitch_case_indent = true\n"), ("m/.keep", "")],
            "sh",
            "if  true;then\necho   x\nfi\n",
            "shfmt -w */*.sh",
        ),
        ([("go.mod", "module x\n"), ("m/.keep", "")], "go", "package  m\nvar  x=1\n", "gofmt -w ."),
        (
            [(".prettierrc", "semi: false\n"), (".prettierignore", "m4/\n")],
            "ts",
            "const  a = {b:1};;\n",
            "prettier --write --log-level=warn .",
        ),
        (
            [
                ("Cargo.toml", "[package]\nname = 'm'\nversion = '0.1.0'\nedition = '2024'\n"),
                ("src/lib.rs", "#[path=\"../m0/f.rs\"] mod m0;\nfn  x( ){}\n"),
            ],
            "rs",
            "fn  y( ){}\n",
            "cargo fmt --all",
        ),
    ] {
        expect_serial(&marks, extension, text, serial);
    }
}

/// The same of those that fewer machines have: what is missing is told, not failed.
#[test]
#[ignore = "needs real formatters"]
fn second_tier_rarer_formatters_give_the_tree_of_their_serial_run() {
    let biome = r#"{"formatter":{"indentStyle":"space"},"files":{"includes":["**","!m4/**"]}}"#;
    for (marks, extension, text, serial) in [
        ([("biome.json", biome), ("m/.keep", "")], "ts", "const  a = {b:1};;\n", "biome format --write ."),
        (
            [("stylua.toml", "indent_type = 'Spaces'\n"), (".styluaignore", "m4/\n")],
            "lua",
            "local  a={b=1}\n",
            "stylua .",
        ),
        ([("build.zig", "const  a = 1;\n"), ("m/.keep", "")], "zig", "const  a=1;\n", "zig fmt ."),
        ([("pubspec.yaml", "name: m\n"), ("m/.keep", "")], "dart", "main( ){}\n", "dart format ."),
        (
            [(".terraform.lock.hcl", ""), ("m/.keep", "")],
            "tf",
            "variable  \"a\" {\ntype=string\n}\n",
            "terraform fmt -recursive",
        ),
        (
            [(".formatter.exs", "[inputs: [\"**/*.{ex,exs}\"]]\n"), ("mix.exs", "")],
            "ex",
            "x =  [1,2]\n",
            "mix format",
        ),
    ] {
        let program = serial.split(' ').next().unwrap();
        if machine_path().split(':').any(|folder| Path::new(folder).join(program).is_file()) {
            expect_serial(&marks, extension, text, serial);
        } else {
            skip(&format!("this machine has no {program}"));
        }
    }
}

/// Fans a formatter out over 60 files and runs it over all of them at once.
fn expect_serial(marks: &[(&str, &str)], extension: &str, text: &str, serial: &str) {
    let repo = TestRepo::unborn();
    repo.commit(marks, "marks", "Ann", days_ago(2));
    let files: Vec<(String, &str)> =
        (0..60).map(|number| (format!("m{}/f{}.{extension}", number % 6, number / 6), text)).collect();
    let mut files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    files.push(("m0/f.rs", "fn  z( ){}\n"));
    repo.commit(&files, "ugly", "Ann", days_ago(1));
    assert_eq!(repo.call(&["trust", "--yes"]).changing_checkout().run().exit, 0);
    // Formatters keep caches at home.
    let call = repo.call(&["fanout", "fmt", "--json"]).changing_checkout();
    let output = machine().into_iter().fold(call, |call, (name, value)| call.env(name, value)).run();
    assert_eq!(output.exit, 0, "{serial}\n{output}");
    let fanout = output.json();
    let tree = fanout["data"]["tree"].as_str().unwrap();
    assert_ne!(tree, fanout["data"]["input_tree"].as_str().unwrap(), "{serial}");
    let exports = machine().map(|(name, value)| format!("export {name}={value}; ")).concat();
    let serial = format!("{exports}{serial}");
    assert_eq!(format!("{tree}\n"), serial_tree(&repo, &serial), "{serial}");
}
