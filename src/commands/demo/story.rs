//! The repository of the demo: a small shop with some months of history.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::app::App;
use crate::error::{IoContext, Result};
use crate::git::Git;

/// A fan-out's command: put a licence line on top of every file that has none.
pub(super) const ADD_HEADER: &str = r#"for f; do grep -q SPDX "$f" || sed -i.bak "1i # SPDX-License-Identifier: MIT" "$f"; rm -f "$f.bak"; done"#;

const DAY: i64 = 86_400;
const ANN: &str = "Ann Archer <ann@shop.example>";
const BEN: &str = "Ben Berg <ben@shop.example>";
const CLEO: &str = "Cleo Cruz <cleo@shop.example>";
const DEV: &str = "Dev Das <dev@shop.example>";

/// Days ago, author, subject, files touched.
type Past = (i64, &'static str, &'static str, &'static [&'static str]);

const HISTORY: &[Past] = &[
    (170, DEV, "first files", &["README.md", "src/api/login.py", "src/web/cart.py", "docs/guide.md"]),
    (165, ANN, "api: sign session tokens", &["src/api/token.py", "src/api/session.py"]),
    (160, BEN, "web: cart with totals", &["src/web/cart.py", "src/web/total.py"]),
    (155, ANN, "api: log in with a password", &["src/api/login.py", "src/api/session.py"]),
    (150, CLEO, "docs: how to check out", &["docs/guide.md", "docs/checkout.md"]),
    (141, BEN, "web: coupons lower the cart total", &["src/web/coupon.py", "src/web/total.py"]),
    (133, ANN, "api: refresh tokens before they expire", &["src/api/token.py"]),
    (127, DEV, "api and web: share the currency helper", &["src/api/money.py", "src/web/total.py"]),
    (120, CLEO, "docs: coupon rules", &["docs/coupons.md"]),
    (112, BEN, "web: login form shows errors", &["src/web/login_form.py"]),
    (101, ANN, "api: rotate the refresh token on use", &["src/api/token.py", "src/api/session.py"]),
    (96, BEN, "web: fix rounding of the cart total", &["src/web/total.py"]),
    (88, CLEO, "docs: guide for new sellers", &["docs/sellers.md", "docs/guide.md"]),
    (80, ANN, "api: end sessions after a day", &["src/api/session.py"]),
    (71, DEV, "api: list orders", &["src/api/orders.py"]),
    (66, BEN, "web: cart remembers its coupon", &["src/web/cart.py", "src/web/coupon.py"]),
    (58, ANN, "api: fix expiry of the refresh token in other time zones", &["src/api/token.py"]),
    (49, CLEO, "docs: explain refunds in the guide", &["docs/guide.md", "docs/refunds.md"]),
    (41, BEN, "web: empty cart says so", &["src/web/cart.py"]),
    (33, DEV, "api: page the list of orders", &["src/api/orders.py"]),
    (26, ANN, "api: log in by link", &["src/api/login.py", "src/api/token.py"]),
    (19, BEN, "web: coupon and total update together", &["src/web/coupon.py", "src/web/total.py"]),
    (12, CLEO, "docs: coupon examples", &["docs/coupons.md"]),
    (8, ANN, "api: refuse a reused refresh token", &["src/api/token.py", "src/api/session.py"]),
    (5, BEN, "web: login form remembers the name", &["src/web/login_form.py"]),
    (3, DEV, "ci: a check for git orch merge", &["check.sh", ".orch.yml"]),
];

const CHECK: &str = "#!/bin/sh\n# Every source file must be there and non-empty.\nfind src -name '*.py' -size 0 | grep . && exit 1\necho all sources are fine\n";
const CONFIG: &str = "version: 1\nchecks: [sh check.sh]\n";

/// Makes the repository; how many commits it has.
pub(super) fn make(app: &App, git: &Git, folder: &Path) -> Result<usize> {
    git.require_version()?;
    std::fs::create_dir(folder).doing("could not make", folder)?;
    git.in_folder(folder, ["init", "--quiet", "--initial-branch=main"]).run()?;
    for (key, value) in [("user.name", "Dev Das"), ("user.email", "dev@shop.example")] {
        git.in_folder(folder, ["config", key, value]).run()?;
    }
    git.in_folder(folder, ["fast-import", "--quiet", "--date-format=raw"]).stdin(stream(app.now.0)).run()?;
    git.in_folder(folder, ["reset", "--hard", "--quiet"]).run()?;
    Ok(HISTORY.len())
}

/// What `git fast-import` reads.
fn stream(now: i64) -> String {
    let mut text = String::new();
    let mut contents: std::collections::BTreeMap<&str, String> = Default::default();
    for (days, author, subject, files) in HISTORY {
        let time = now - days * DAY;
        let _ = write!(
            text,
            "commit refs/heads/main\nauthor {author} {time} +0000\ncommitter {author} {time} +0000\n"
        );
        let _ = write!(text, "data {}\n{subject}\n", subject.len() + 1);
        for file in *files {
            let content = contents.entry(file).or_default();
            match *file {
                "check.sh" => CHECK.clone_into(content),
                ".orch.yml" => CONFIG.clone_into(content),
                _ => grow(content, file, subject),
            }
            let _ = write!(text, "M 100644 inline {file}\ndata {}\n{content}\n", content.len());
        }
    }
    text
}

fn grow(content: &mut String, file: &str, subject: &str) {
    let words: Vec<&str> =
        subject.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let line = match file.rsplit('.').next() {
        Some("py") => format!("def {}():\n    return True\n\n\n", words.join("_").to_lowercase()),
        _ => format!("- {subject}\n"),
    };
    content.push_str(&line);
}

/// The scripted agent: reads its brief, edits the likeliest file.
pub(super) fn write_agent(path: &Path) -> Result<()> {
    std::fs::write(path, include_str!("agent.sh")).doing("could not write", path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .doing("could not set the mode of", path)
}
