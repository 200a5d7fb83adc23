//! What real checkers printed, and what is read from it.

use std::collections::BTreeSet;
use std::path::Path;

use super::{place, read};
use crate::model::RepoPath;

/// Where the checkers ran.
const TOP: &str = "/home/ann/shop";

/// The problems in an output, as text, of files that are all there.
fn problems(printed: &str) -> Vec<String> {
    let output = read(printed.as_bytes());
    let tracked = output.said.iter().map(|said| RepoPath::from(said.path.trim_start_matches("vet: ")));
    let strip = |path: RepoPath| {
        let text = path.quoted();
        let text = text.trim_start_matches("file://").trim_start_matches(TOP).trim_start_matches('/');
        RepoPath::from(text.trim_start_matches("./"))
    };
    let tracked: BTreeSet<RepoPath> = tracked.map(strip).collect();
    let found = place(output, &[Path::new(TOP)], &tracked);
    assert!(found.foreign.is_empty(), "{:?}", found.foreign);
    found.problems.iter().map(ToString::to_string).collect()
}

fn expect(printed: &str, expected: &[&str]) {
    assert_eq!(problems(printed), expected, "{printed}");
}

#[test]
fn lines_of_the_rust_compiler_are_read() {
    expect(
        "src/main.rs:2:42: error[E0308]: mismatched types: expected `u32`, found `i32`
src/other.rs:1:21: warning: unneeded `return` statement
error: could not compile `r` (bin \"r\") due to 1 previous error
",
        &[
            "src/main.rs:2:42: error E0308: mismatched types: expected `u32`, found `i32`",
            "src/other.rs:1:21: warning: unneeded `return` statement",
        ],
    );
    expect(
        "    Checking r v0.1.0 (/home/ann/shop)
error[E0308]: mismatched types
 --> src/main.rs:2:42
  |
2 | fn main() { let x: u32 = other::f(); }
  |                    ---   ^^^^^^^^^^ expected `u32`, found `i32`

warning: unneeded `return` statement
 --> src/other.rs:1:21
  |
1 | pub fn f() -> u32 { return 1; }
  |                     ^^^^^^^^
  = note: `#[warn(clippy::needless_return)]` on by default
help: remove `return`
  |
1 - pub fn f() -> u32 { return 1; }
1 + pub fn f() -> u32 { 1}
  |
note: function defined here
 --> src/lib.rs:9:4

warning: `r` (bin \"r\") generated 1 warning
",
        &[
            "src/main.rs:2:42: error E0308: mismatched types",
            "src/other.rs:1:21: warning: unneeded `return` statement; function defined here",
        ],
    );
}

#[test]
fn json_of_the_rust_compiler_is_read_among_lines_of_text() {
    let span = r#"{"byte_end":33,"byte_start":27,"column_end":23,"column_start":17,"expansion":null,"file_name":"src/main.rs","is_primary":true,"label":null,"line_end":2,"line_start":2,"suggested_replacement":null,"suggestion_applicability":null,"text":[]}"#;
    let diagnostic = format!(
        r#"{{"rendered":"…","$message_type":"diagnostic","children":[{{"children":[],"code":null,"level":"help","message":"if this is intentional","rendered":null,"spans":[{span}]}}],"level":"warning","message":"unused variable: `unused`","spans":[{span}],"code":{{"code":"unused_variables","explanation":null}}}}"#
    );
    let summary = r#"{"rendered":"…","$message_type":"diagnostic","children":[],"level":"failure-note","message":"For more information","spans":[],"code":null}"#;
    let line = |message: &str| {
        format!(
            r#"{{"reason":"compiler-message","package_id":"path+file:///home/ann/shop#0.1.0","manifest_path":"/home/ann/shop/Cargo.toml","target":{{"kind":["bin"],"src_path":"/home/ann/shop/src/main.rs"}},"message":{message}}}"#
        )
    };
    // For a library and its tests it is printed twice.
    let printed = format!(
        "    Checking r v0.1.0\n{}\n{}\n{}\nerror: could not compile `r`\n{{\"reason\":\"build-finished\",\"success\":false}}\n",
        line(&diagnostic),
        line(&diagnostic),
        line(summary),
    );
    let expected = ["src/main.rs:2:17: warning unused_variables: unused variable: `unused`"];
    expect(&printed, &expected);
    expect(&diagnostic, &expected);
    assert_eq!(read(printed.as_bytes()).placeless, 1);
    let inner = span.replace("src/main.rs", "/rustc/library/core/src/macros.rs");
    let nested = inner.replace(r#""expansion":null"#, &format!(r#""expansion":{{"span":{span}}}"#));
    expect(&diagnostic.replace(span, &nested), &expected);
}

#[test]
fn lines_of_compilers_and_linters_are_read() {
    // gcc
    expect(
        "src/bad.c: In function ‘main’:
src/bad.c:2:39: warning: format ‘%d’ expects argument of type ‘int’ [-Wformat=]
    2 | int main(void) { int unused; printf(\"%d\\n\", \"x\"); return y; }
      |                                      ~^     ~~~
src/bad.c:2:58: error: ‘y’ undeclared (first use in this function)
src/bad.c:2:58: note: each undeclared identifier is reported only once
src/bad.c:9:10: fatal error: nothing.h: No such file or directory
compilation terminated.
",
        &[
            "src/bad.c:2:39: warning -Wformat=: format ‘%d’ expects argument of type ‘int’",
            "src/bad.c:2:58: error: ‘y’ undeclared (first use in this function); each undeclared identifier is reported only once",
            "src/bad.c:9:10: fatal error: nothing.h: No such file or directory",
        ],
    );
    // clang-tidy
    expect(
        "/home/ann/shop/src/bad.c:2:58: error: use of undeclared identifier 'y' [clang-diagnostic-error]\n",
        &["src/bad.c:2:58: error clang-diagnostic-error: use of undeclared identifier 'y'"],
    );
    // shellcheck -f gcc
    expect(
        "src/bad.sh:2:6: note: Double quote to prevent globbing and word splitting. [SC2086]\n",
        &["src/bad.sh:2:6: note SC2086: Double quote to prevent globbing and word splitting."],
    );
    // go vet
    expect("# ex\nvet: ./bad.go:2:15: x declared but not used\n", &["bad.go:2:15: x declared but not used"]);
    // grep -n
    expect("src/a.js:12:// TODO: this\n", &["src/a.js:12: // TODO: this"]);
    // make
    expect("Makefile:3: *** missing separator.  Stop.\n", &["Makefile:3: *** missing separator. Stop."]);
}

#[test]
fn lines_of_checkers_of_python_are_read() {
    // ruff, concise
    expect(
        "src/bad.py:1:8: F401 [*] `os` imported but unused
src/bad.py:4:7: F821 Undefined name `undefined_name`
Found 2 errors.
[*] 1 fixable with `--fix`.
",
        &[
            "src/bad.py:1:8: F401: `os` imported but unused",
            "src/bad.py:4:7: F821: Undefined name `undefined_name`",
        ],
    );
    // ruff, full
    expect(
        "F401 [*] `os` imported but unused
 --> src/bad.py:1:8
  |
1 | import os
  |        ^^
help: Remove unused import: `os`

Found 1 error.
",
        &["src/bad.py:1:8: F401: `os` imported but unused"],
    );
    // ruff, pylint
    expect(
        "src/bad.py:1: [F401] `os` imported but unused\n",
        &["src/bad.py:1: F401: `os` imported but unused"],
    );
    // flake8
    expect(
        "src/bad.py:2:1: E302 expected 2 blank lines, found 0\n",
        &["src/bad.py:2:1: E302: expected 2 blank lines, found 0"],
    );
    // mypy
    expect(
        "src/n.py:1: error: Cannot find implementation or library stub for module named \"x\"  [import-not-found]
src/n.py:1: note: See https://mypy.readthedocs.io/
Found 1 error in 1 file (checked 1 source file)
",
        &["src/n.py:1: error import-not-found: Cannot find implementation or library stub for module named \"x\"; See https://mypy.readthedocs.io/"],
    );
    // pylint
    expect(
        "************* Module bad
src/bad.py:1:0: C0114: Missing module docstring (missing-module-docstring)

-----------------------------------
Your code has been rated at 0.00/10
",
        &["src/bad.py:1:0: C0114: Missing module docstring (missing-module-docstring)"],
    );
}

#[test]
fn lines_of_checkers_of_scripts_are_read() {
    // tsc
    expect(
        "src/bad.ts(1,7): error TS2322: Type 'string' is not assignable to type 'number'.\n",
        &["src/bad.ts:1:7: error TS2322: Type 'string' is not assignable to type 'number'."],
    );
    // tsc --pretty
    expect(
        "\u{1b}[96msrc/bad.ts\u{1b}[0m:\u{1b}[93m1\u{1b}[0m:\u{1b}[93m7\u{1b}[0m - \u{1b}[91merror\u{1b}[0m\u{1b}[90m TS2322: \u{1b}[0mType 'string' is not assignable to type 'number'.

\u{1b}[7m1\u{1b}[0m const n: number = \"x\";
",
        &["src/bad.ts:1:7: error TS2322: Type 'string' is not assignable to type 'number'."],
    );
    // eslint
    expect(
        "
/home/ann/shop/src/bad.js
  2:5   error  Expected a conditional expression and instead saw an assignment  no-cond-assign
  2:14  error  'undefinedName' is not defined                                   no-undef

✖ 2 problems (2 errors, 0 warnings)
",
        &[
            "src/bad.js:2:5: error no-cond-assign: Expected a conditional expression and instead saw an assignment",
            "src/bad.js:2:14: error no-undef: 'undefinedName' is not defined",
        ],
    );
}

#[test]
fn json_with_the_usual_keys_is_read() {
    // ruff
    expect(
        r#"[
  {
    "cell": null, "code": "F401", "end_location": { "column": 10, "row": 1 },
    "filename": "/home/ann/shop/src/bad.py", "location": { "column": 8, "row": 1 },
    "message": "`os` imported but unused", "name": "unused-import", "noqa_row": 1, "severity": "error"
  }
]
"#,
        &["src/bad.py:1:8: error F401: `os` imported but unused"],
    );
    // eslint
    expect(
        r#"[{"filePath":"/home/ann/shop/src/bad.js","messages":[{"ruleId":"no-const-assign","severity":1,"message":"'a' is constant.","line":2,"column":5,"messageId":"const"}],"suppressedMessages":[],"errorCount":0},{"filePath":"/home/ann/shop/src/good.js","messages":[]}]"#,
        &["src/bad.js:2:5: warning no-const-assign: 'a' is constant."],
    );
    // mypy
    expect(
        "{\"file\": \"src/bad.py\", \"line\": 3, \"column\": 11, \"message\": \"Incompatible return value type\", \"hint\": null, \"code\": \"return-value\", \"severity\": \"error\"}\n",
        &["src/bad.py:3:11: error return-value: Incompatible return value type"],
    );
    // pylint, json2
    expect(
        r#"{ "messages": [ { "type": "convention", "symbol": "missing-module-docstring",
            "message": "Missing module docstring", "messageId": "C0114", "line": 1, "column": 0,
            "endLine": null, "path": "src/bad.py", "absolutePath": "/home/ann/shop/src/bad.py" } ],
            "statistics": { "messageTypeCount": { "fatal": 0 } } }"#,
        &["src/bad.py:1:0: convention C0114: Missing module docstring"],
    );
    // gcc
    expect(
        r#"[{"kind": "error", "column-origin": 1, "children": [{"kind": "note", "locations": [{"caret": {"line": 2, "file": "src/bad.c", "column": 58}}], "message": "each is reported only once"}], "locations": [{"caret": {"byte-column": 58, "line": 2, "file": "src/bad.c", "column": 58}}], "message": "‘y’ undeclared"}]"#,
        &["src/bad.c:2:58: error: ‘y’ undeclared"],
    );
    // shellcheck, json1
    expect(
        r#"{"comments":[{"file":"src/bad.sh","line":2,"endLine":2,"column":6,"level":"info","code":2086,"message":"Double quote.","fix":{"replacements":[{"column":6,"line":2,"replacement":"\""}]}}]}"#,
        &["src/bad.sh:2:6: info 2086: Double quote."],
    );
    // go vet
    expect(
        "# ex\n{\n\t\"ex\": {\n\t\t\"printf\": [\n\t\t\t{\n\t\t\t\t\"posn\": \"/home/ann/shop/bad.go:3:15\",\n\t\t\t\t\"message\": \"wrong type\"\n\t\t\t}\n\t\t]\n\t}\n}\n",
        &["bad.go:3:15: wrong type"],
    );
    // bandit
    expect(
        r#"[main]	INFO	profile include tests: None
{ "errors": [], "metrics": { "./src/b.py": { "loc": 2 } }, "results": [ { "code": "1 eval(input())\n2 assert 1\n",
  "col_offset": 0, "filename": "./src/b.py", "issue_severity": "MEDIUM", "issue_text": "Use of possibly insecure function.",
  "line_number": 1, "line_range": [1], "test_id": "B307", "test_name": "blacklist" } ] }
"#,
        &["src/b.py:1:0: medium B307: Use of possibly insecure function."],
    );
    // semgrep
    expect(
        r#"{"results":[{"check_id":"rules.eval","path":"src/b.py","start":{"line":1,"col":1,"offset":0},"end":{"line":1,"col":14},"extra":{"message":"No eval.","severity":"ERROR"}}],"errors":[],"paths":{"scanned":["src/b.py"]}}"#,
        &["src/b.py:1:1: error rules.eval: No eval."],
    );
}

#[test]
fn sarif_is_read_without_what_is_suppressed_or_passed() {
    let finding = |uri: &str, more: &str| {
        format!(
            r#"{{"level":"error","locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"{uri}"}},"region":{{"endColumn":10,"startColumn":8,"startLine":1}}}}}}],"message":{{"text":"unused"}},"ruleId":"F401"{more}}}"#
        )
    };
    let printed = format!(
        r#"{{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","runs":[{{"tool":{{"driver":{{"name":"x"}}}},"results":[{},{},{},{}]}},{{"tool":{{}}}}],"version":"2.1.0"}}"#,
        finding("file:///home/ann/shop/src/bad.py", ""),
        finding("src/b.py", r#","suppressions":[]"#),
        finding("src/b.py", r#","suppressions":[{"kind":"inSource"}]"#),
        finding("src/c.py", r#","kind":"pass""#),
    );
    expect(&printed, &["src/b.py:1:8: error F401: unused", "src/bad.py:1:8: error F401: unused"]);
}

#[test]
fn what_names_no_place_is_no_problem() {
    for printed in [
        "",
        "[]\n",
        "{}\n",
        "ok\nAll checks passed!\n",
        "Time: 12:30:05 done\n",
        "listening on http://localhost:8080: ok\n",
        "   Compiling r v0.1.0 (/home/ann/shop)\n    Finished `dev` profile in 0.1s\n",
        "{\"a\": [{\"a\": \n",
        "[[[[[[[[[[\n[[[[[[[[[[\n",
        "\u{1b}[\u{1b}[31",
    ] {
        expect(printed, &[]);
    }
}

#[test]
fn paths_are_found_below_the_top_and_others_are_told() {
    let tracked = BTreeSet::from(["src/a b.py", "a.go", "Makefile"].map(RepoPath::from));
    let printed = "src/a b.py:1:1: E1 one\nvet: ./a.go:1:2: two\n./a.go:1:2: two\n/home/ann/shop/./a.go:3:1: three\n\
                   ../out.py:1:1: four\n/etc/passwd.x:1:1: five\n/private/home/ann/shop/a.go:4:1: six\n\
                   src/gone.py:1:1: seven\nfile:///home/ann/shop/src/a%20b.py:9:9: eight\n";
    let tops = [Path::new(TOP), Path::new("/private/home/ann/shop")];
    let found = place(read(printed.as_bytes()), &tops, &tracked);
    let problems: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["a.go:1:2: two", "a.go:3:1: three", "a.go:4:1: six", "src/a b.py:1:1: E1 one",]);
    let foreign: Vec<&str> = found.foreign.iter().map(String::as_str).collect();
    assert_eq!(foreign, ["../out.py", "/etc/passwd.x", "src/gone.py"]);
}
