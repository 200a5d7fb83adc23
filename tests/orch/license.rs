//! `git orch fanout license`: headers in files.

use crate::support::{TestRepo, days_ago};

/// Files with and without a notice, and a manifest that names the license.
fn shop() -> TestRepo {
    let repo = TestRepo::unborn();
    let files = [
        ("Cargo.toml", "[package]\nname = \"shop\"\nlicense = \"MIT OR Apache-2.0\"\n"),
        ("src/a.rs", "fn a() {}\n"),
        ("src/b.rs", "// Copyright Somebody\nfn b() {}\n"),
        ("tools/run", "#!/bin/sh\n"),
        ("tools/run.sh", "#!/bin/sh\nexit\n"),
        ("vendor/c.rs", "fn c() {}\n"),
    ];
    repo.commit(&files, "files", "Ann", days_ago(1));
    repo
}

#[test]
fn files_get_the_license_that_the_manifest_names_once() {
    let repo = shop();
    repo.orch(&["fanout", "license", "-j", "1"]).expect(
        "
        exit 0
        -- stdout
        1 shard, 2 files changed, disjoint
        review/license
        -- stderr
        license: `header SPDX-License-Identifier: MIT OR Apache-2.0`; 3 files in 1 shard, 1 at a time
          done      src … tools                 3 files  2 changed      <time>
        next: git orch review license --diff, then git orch merge license
        ",
    );
    repo.shell("git diff -U0 main review/license | grep '^[+-]'").run().expect(
        "
        exit 0
        -- stdout
        --- a/src/a.rs
        +++ b/src/a.rs
        +// SPDX-License-Identifier: MIT OR Apache-2.0
        +
        --- a/tools/run.sh
        +++ b/tools/run.sh
        +# SPDX-License-Identifier: MIT OR Apache-2.0
        +
        ",
    );
    repo.call(&["merge", "license", "-q"]).changing_checkout().run().expect_success();
    repo.orch(&["fanout", "license", "-q"]).expect("exit 0\n-- stdout\n1 shard, nothing to change");
}

#[test]
fn the_header_is_the_one_of_the_job_or_the_line_and_needs_no_trust() {
    let repo = shop();
    let header = "Copyright 2026 Ann\n      SPDX-License-Identifier: MIT";
    let config =
        format!("version: 1\njobs:\n  license:\n    include: [src]\n    header: |\n      {header}\n");
    repo.write(".orch.yml", &config);
    repo.orch(&["fanout", "license", "-q"]).expect_success();
    let expected = "// Copyright 2026 Ann\n// SPDX-License-Identifier: MIT\n\nfn a() {}\n";
    assert_eq!(repo.git(&["show", "review/license:src/a.rs"]), expected);
    assert_eq!(repo.git(&["diff", "--name-only", "main", "review/license"]), "src/a.rs\n");
    repo.orch(&["fanout", "x", "--header=--All rights reserved", "-q", "--paths", "src/a.rs"])
        .expect_success();
    assert_eq!(repo.git(&["show", "review/x:src/a.rs"]), "// --All rights reserved\n\nfn a() {}\n");
}

#[test]
fn the_job_is_listed_and_asks_for_a_header_where_none_is_named() {
    let repo = shop();
    // Which formatters there are depends on the machine.
    let listed = &repo.orch(&["fanout", "--list", "--json"]).json()["data"][0];
    let command = "header SPDX-License-Identifier: MIT OR Apache-2.0";
    let expected =
        serde_json::json!({"job": "license", "command": command, "from": "Cargo.toml", "files": 3});
    assert_eq!(*listed, expected);
    repo.orch(&["fanout", "license", "--on", "slurm"]).expect(
        "
        exit 2
        -- stderr
        error: git-orch itself writes headers, and only here
        hint: leave out where else it shall run, or give a command: `--run CMD`
        ",
    );
    let bare = TestRepo::new();
    bare.orch(&["fanout", "license"]).expect(
        "
        exit 2
        -- stderr
        error: no manifest at the top names the license
        hint: say what the header is: `--header 'SPDX-License-Identifier: MIT'`, or `header` in the job `license` of `.orch.yml`
        ",
    );
}
