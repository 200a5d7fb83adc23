//! License headers: which files can have one, and where it goes.
//!
//! **Invariant:** a file that has any copyright or license notice near its top,
//! or says that it is generated, stays as it is; so a second run changes nothing.

use crate::model::RepoPath;

/// The hidden command that puts headers into files.
pub const HEADER: &str = "__header";

/// How a language writes comments: what is before the first line, each line and after the last.
struct Comment {
    open: &'static str,
    line: &'static str,
    close: &'static str,
}

const SLASHES: Comment = Comment { open: "", line: "//", close: "" };
const HASH: Comment = Comment { open: "", line: "#", close: "" };
const DASHES: Comment = Comment { open: "", line: "--", close: "" };
const SEMICOLONS: Comment = Comment { open: "", line: ";;", close: "" };
const PERCENT: Comment = Comment { open: "", line: "%", close: "" };
const STARS: Comment = Comment { open: "/*", line: " *", close: " */" };
const ANGLES: Comment = Comment { open: "<!--", line: " ", close: "-->" };

/// The comments of files that end so, or are called so.
const COMMENTS: &[(&Comment, &str)] = &[
    (
        &SLASHES,
        "rs js jsx mjs cjs ts tsx mts cts go java kt kts swift scala groovy dart c h cc hh cpp hpp cxx hxx cs m mm proto zig v sv fs",
    ),
    (
        &HASH,
        "py pyi rb sh bash zsh fish pl pm r jl ex exs cr nim nix tf hcl cmake mk ps1 tcl coffee Dockerfile Makefile CMakeLists.txt Rakefile Gemfile",
    ),
    (&DASHES, "sql lua hs elm adb ads vhd vhdl"),
    (&SEMICOLONS, "el lisp clj cljs scm rkt"),
    (&PERCENT, "tex sty erl hrl"),
    (&STARS, "css scss less"),
    (&ANGLES, "html htm vue svelte xml xsd xsl"),
];

/// Folders with the work of others.
const VENDORED: [&[u8]; 4] = [b"vendor", b"third_party", b"third-party", b"node_modules"];
/// How much of a file is its top.
const TOP: usize = 1_000;
/// What says that there is a notice, in lowercase.
const NOTICES: [&str; 4] = ["copyright", "spdx-license-identifier", "licensed under", "mozilla public"];
/// What says that a file is generated, in lowercase.
const GENERATED: [&str; 3] = ["do not edit", "@generated", "auto-generated"];

/// Whether a file is of a kind that can have a header, and the repository's own.
pub fn is_for(file: &RepoPath) -> bool {
    let mut folders = file.as_bytes().split(|byte| *byte == b'/');
    comment(file).is_some() && !folders.any(|folder| VENDORED.contains(&folder)) && !is_minified(file)
}

fn is_minified(file: &RepoPath) -> bool {
    let name = file.file_name();
    [&b".min.js"[..], b".min.css"].iter().any(|end| name.ends_with(end))
}

fn comment(file: &RepoPath) -> Option<&'static Comment> {
    let name = std::str::from_utf8(file.file_name()).ok()?;
    let ending = name.rsplit_once('.').map_or(name, |(_, ending)| ending);
    let lists = |words: &str| words.split(' ').any(|word| word == name || word == ending);
    COMMENTS.iter().find(|(_, words)| lists(words)).map(|(comment, _)| *comment)
}

/// The file with a header; `None` where it stays as it is.
pub fn headed(file: &RepoPath, content: &[u8], header: &str) -> Option<Vec<u8>> {
    let comment = comment(file)?;
    let text = std::str::from_utf8(content).ok()?;
    let top: String = text.chars().take(TOP).collect::<String>().to_lowercase();
    if NOTICES.iter().chain(&GENERATED).any(|word| top.contains(word)) || text.contains('\0') {
        return None;
    }
    let (before, after) = text.split_at(start(text));
    let end = if text.split_once('\n').is_some_and(|(line, _)| line.ends_with('\r')) { "\r\n" } else { "\n" };
    let mut made = before.to_owned();
    if !before.trim_start_matches('\u{feff}').is_empty() && !before.ends_with('\n') {
        made.push_str(end);
    }
    for line in lines(comment, header) {
        made.push_str(&line);
        made.push_str(end);
    }
    if !after.is_empty() && !after.starts_with(['\n', '\r']) {
        made.push_str(end);
    }
    made.push_str(after);
    Some(made.into_bytes())
}

fn lines(comment: &Comment, header: &str) -> Vec<String> {
    let line = |text: &str| format!("{} {}", comment.line, text.trim_end()).trim_end().to_owned();
    let open = Some(comment.open).filter(|open| !open.is_empty()).map(str::to_owned);
    let close = Some(comment.close).filter(|close| !close.is_empty()).map(str::to_owned);
    open.into_iter().chain(header.trim_end().lines().map(line)).chain(close).collect()
}

/// Where a header can begin: behind what has to be first.
fn start(text: &str) -> usize {
    let mut start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    for (number, line) in text[start..].split_inclusive('\n').enumerate() {
        if !has_to_be_first(line, number) {
            break;
        }
        start += line.len();
    }
    start
}

/// `#!/bin/sh`, `# -*- coding: utf-8 -*-`, `<?xml … ?>`, `<!DOCTYPE html>`, `# syntax=docker/dockerfile:1`.
fn has_to_be_first(line: &str, number: usize) -> bool {
    let lower = line.trim().to_lowercase();
    // An attribute of Rust is no interpreter.
    let interpreter = number == 0 && lower.starts_with("#!") && !lower.starts_with("#![");
    let encoding =
        number < 2 && lower.starts_with('#') && (lower.contains("coding:") || lower.contains("coding="));
    let directive = number == 0 && (lower.starts_with("# syntax=") || lower.starts_with("# escape="));
    interpreter || encoding || directive || lower.starts_with("<?xml") || lower.starts_with("<!doctype")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "Copyright 2026 Ann\n\nSPDX-License-Identifier: MIT\n";

    #[test]
    fn a_header_comes_first_behind_what_has_to_be_first() {
        let short = "SPDX-License-Identifier: MIT";
        for (file, before, after) in [
            ("a.rs", "fn a() {}\n", "// SPDX-License-Identifier: MIT\n\nfn a() {}\n"),
            ("a.rs", "#![no_std]\n", "// SPDX-License-Identifier: MIT\n\n#![no_std]\n"),
            ("a.rs", "\nfn a() {}\n", "// SPDX-License-Identifier: MIT\n\nfn a() {}\n"),
            ("a.py", "#!/usr/bin/python\nx\n", "#!/usr/bin/python\n# SPDX-License-Identifier: MIT\n\nx\n"),
            (
                "a.py",
                "#!/usr/bin/python\n# -*- coding: utf-8 -*-\nx\n",
                "#!/usr/bin/python\n# -*- coding: utf-8 -*-\n# SPDX-License-Identifier: MIT\n\nx\n",
            ),
            ("bin/run.sh", "#!/bin/sh", "#!/bin/sh\n# SPDX-License-Identifier: MIT\n"),
            ("a.ts", "\u{feff}x\r\ny\r\n", "\u{feff}// SPDX-License-Identifier: MIT\r\n\r\nx\r\ny\r\n"),
            ("a.css", "a {}\n", "/*\n * SPDX-License-Identifier: MIT\n */\n\na {}\n"),
            (
                "a.html",
                "<!DOCTYPE html>\n<p>\n",
                "<!DOCTYPE html>\n<!--\n  SPDX-License-Identifier: MIT\n-->\n\n<p>\n",
            ),
            ("Dockerfile", "# syntax=x\nFROM y\n", "# syntax=x\n# SPDX-License-Identifier: MIT\n\nFROM y\n"),
            ("a.sql", "", "-- SPDX-License-Identifier: MIT\n"),
        ] {
            let file = RepoPath::from(file);
            let made = headed(&file, before.as_bytes(), short).map(|made| String::from_utf8(made).unwrap());
            assert_eq!(made.as_deref(), Some(after), "{file:?}");
            assert_eq!(headed(&file, after.as_bytes(), short), None, "{file:?} again");
        }
        let long = headed(&RepoPath::from("a.go"), b"package a\n", LONG).unwrap();
        let expected = "// Copyright 2026 Ann\n//\n// SPDX-License-Identifier: MIT\n\npackage a\n";
        assert_eq!(String::from_utf8(long).unwrap(), expected);
    }

    #[test]
    fn what_has_a_notice_is_generated_or_no_text_stays_as_it_is() {
        for content in [
            &b"// Copyright (c) Somebody\nx\n"[..],
            b"/* Licensed under the Apache License */\n",
            b"// Code generated by x. DO NOT EDIT.\npackage a\n",
            b"\xff\xfe\n",
            b"a\0b\n",
        ] {
            assert_eq!(headed(&RepoPath::from("a.go"), content, LONG), None, "{content:?}");
        }
    }

    #[test]
    fn headers_are_for_the_repositorys_own_code() {
        for (file, is_own) in [
            ("src/a.rs", true),
            ("Makefile", true),
            ("a/Dockerfile", true),
            ("README.md", false),
            ("a.json", false),
            ("vendor/a.rs", false),
            ("web/node_modules/x/a.js", false),
            ("my_vendor/a.rs", true),
            ("a.min.js", false),
            ("LICENSE", false),
        ] {
            assert_eq!(is_for(&RepoPath::from(file)), is_own, "{file}");
        }
    }
}
