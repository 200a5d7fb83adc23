//! Whatever is wrong with what was typed: one clear line, a way out, a
//! documented exit code, and nothing changed.
//!
//! A message that ends in `…` goes on in words of git or of the system.

use crate::support::{Bad, TestRepo, expect_refusal, refused, refused_call};

/// What can't be a session's name, by the reason.
#[rustfmt::skip]
const NAMES: &[(&str, &[&str])] = &[
    ("a name can't be empty", &[""]),
    ("a name starts with a letter or a digit", &[".", "..", "-", ".hidden", "_a"]),
    ("a name holds no `..` and does not end in `.` or `.lock`", &["a.lock", "a..b", "a."]),
    ("a name has at most 63 characters", &["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]),
    ("a name holds only a-z, 0-9, `.`, `_` and `-`", &["a/b", "/a", "a/../b", "../up", "@", "@{-1}", "HEAD", "refs/heads/x", "CON", "Größe", "a:b", "a b", "a\tb", "e\u{301}", "é", "🦀", "A", "$(id)", "`id`", ";id", "~", "~a", "a*", "a?", "[a]", "{a}", "a\\b", "a|b", "a&b", "a\"b", "a'b", "%2e", "a,b", "a=b", "a+b", "!a", "#a"]),
];

/// Names whose printing itself would do harm, and how they are shown.
#[rustfmt::skip]
const HARMFUL_NAMES: &[(&str, &str)] = &[
    ("a\nb", "a; b"),
    ("a\u{1b}[31mb", r"a\u{1b}[31mb"),
    ("a\u{7f}b", r"a\u{7f}b"),
    ("a\u{202e}b", r"a\u{202e}b"),
    ("a\u{200b}b", r"a\u{200b}b"),
    ("a\u{9b}b", r"a\u{9b}b"),
];

/// What makes no sense where there is one session, `backend`, that a person
/// works in, on the task `fix-login`.
#[rustfmt::skip]
const TYPED: &[Bad] = &[
    (&["add-session", "a", "--paths", ""], 2, "bad pattern ``: it is empty", &[]),
    (&["add-session", "a", "--paths", ".."], 2, "`..` leads out of the repository", &[]),
    (&["add-session", "a", "--paths", "../other"], 2, "`../other` leads out of the repository", &[]),
    (&["add-session", "a", "--paths", "src/../../x"], 2, "`src/../../x` leads out of the repository", &[]),
    (&["add-session", "a", "--paths", "/"], 2, "`/` leads out of the repository", &[]),
    (&["add-session", "a", "--paths", "/etc"], 2, "`/etc` leads out of the repository", &[]),
    (&["add-session", "a", "--paths", "root/etc"], 2, "`root/etc` is a link that leads out of the repository", &[]),
    (&["add-session", "a", "--paths", "root"], 2, "`root` is a link that leads out of the repository", &[]),
    (&["add-session", "a", "--paths", "src/out"], 2, "`src/out` is a link that leads out of the repository", &[]),
    (&["add-session", "a", "--paths", "src/out/x"], 2, "`src/out/x` is a link that leads out of the repository", &[]),
    (&["add-session", "a", "--paths", "["], 2, "bad pattern `[`: unclosed character class; missing ']'", &[]),
    (&["add-session", "a", "--paths", "src/[a"], 2, "bad pattern `src/[a`: unclosed character class; missing ']'", &[]),
    (&["add-session", "a", "--paths", "src/[!"], 2, "bad pattern `src/[!`: unclosed character class; missing ']'", &[]),
    (&["add-session", "a", "--paths", "src/{a,b"], 2, "bad pattern `src/{a,b`: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)", &[]),
    (&["add-session", "a", "--paths", "src/*}"], 2, "bad pattern `src/*}`: unopened alternate group; missing '{' (maybe escape '}' with '[}]'?)", &[]),
    (&["add-session", "a", "--paths", "src/{a,{b"], 2, "bad pattern `src/{a,{b`: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)", &[]),
    (&["add-session", "a", "--paths", "!src"], 2, "bad pattern `!src`: `!` and `:` have no meaning here", &[]),
    (&["add-session", "a", "--paths", ":(top)src"], 2, "bad pattern `:(top)src`: `!` and `:` have no meaning here", &[]),
    (&["add-session", "a", "--paths", ":/"], 2, "bad pattern `:/`: `!` and `:` have no meaning here", &[]),
    (&["add-session", "a", "--paths", "\\"], 2, "bad pattern `\\`: dangling '\\'", &[]),
    (&["add-session", "a", "--paths", "file\\"], 2, "bad pattern `file\\`: dangling '\\'", &[]),
    (&["add-session", "a", "--paths", "src/[z-a]"], 2, "bad pattern `src/[z-a]`: invalid range; 'z' > 'a'", &[]),
    (&["add-session", "a", "--paths", ".git"], 2, "bad pattern `.git`: it names git's own files", &[]),
    (&["add-session", "a", "--paths", ".git/hooks"], 2, "bad pattern `.git/hooks`: it names git's own files", &[]),
    (&["add-session", "a", "--paths", "src", "src/[x"], 2, "bad pattern `src/[x`: unclosed character class; missing ']'", &[]),
    (&["add-session", "a", "--paths", "src", "--base", "mian"], 2, "no branch `mian`; did you mean `main`?", &["a base is a local branch: results merge back into it"]),
    (&["add-session", "a", "--paths", "src", "--base", "HEAD~1"], 2, "no branch `HEAD~1`", &["a base is a local branch: results merge back into it"]),
    (&["add-session", "a", "--paths", "src", "--base", ""], 2, "no branch ``", &["a base is a local branch: results merge back into it"]),
    (&["add-session", "a", "--paths", "src", "--base", "v1"], 2, "no branch `v1`", &["a base is a local branch: results merge back into it"]),
    (&["add-session", "a", "--paths", "src", "--base", "main^{tree}"], 2, "no branch `main^{tree}`; did you mean `main`?", &["a base is a local branch: results merge back into it"]),
    (&["add-session", "a", "--paths", "src", "--base", "origin/main"], 2, "no branch `origin/main`", &["a base is a local branch: results merge back into it"]),
    (&["add-session", "a", "--paths", "src", "--base", ".."], 2, "no branch `..`", &["a base is a local branch: results merge back into it"]),
    (&["add-session", "backend", "--paths", "src"], 3, "there is a session `backend` already, made otherwise", &["`git orch show backend` shows it; `git orch remove-session backend` takes it away"]),
    (&["task", ""], 2, "the task has no text", &["say what to do: `git orch task \"fix login\"`"]),
    (&["task", " \n\t "], 2, "the task has no text", &["say what to do: `git orch task \"fix login\"`"]),
    (&["task", "x", "--session", "backnd"], 2, "no session `backnd`; did you mean `backend`?", &["`git orch sessions` lists them"]),
    (&["task", "x", "--session", ""], 2, "no session ``", &["`git orch sessions` lists them"]),
    (&["task", "x", "--session", "../backend"], 2, "no session `../backend`; did you mean `backend`?", &["`git orch sessions` lists them"]),
    (&["task", "x", "--agent", "codx"], 2, "no agent `codx`; did you mean `codex`?", &["`git orch agents` lists them; name it under `agents:` in `.orch.yml`, or give its command behind `--`"]),
    (&["task", "x", "--agent", ""], 2, "no agent ``", &["`git orch agents` lists them; name it under `agents:` in `.orch.yml`, or give its command behind `--`"]),
    (&["task", "x", "--", "no-such-program"], 2, "no command `no-such-program`", &["it is not on the PATH; write `./NAME` for a file in this folder"]),
    (&["task", "x", "--", "./no-such-program"], 2, "no command `./no-such-program`", &["a path is looked up from the folder you are in"]),
    (&["task", "x", "--", "src"], 2, "no command `src`", &["it is not on the PATH; write `./NAME` for a file in this folder"]),
    (&["task", "x", "--", "./src"], 2, "no command `./src`", &["a path is looked up from the folder you are in"]),
    (&["task", "x", "--", ""], 2, "no command ``", &["it is not on the PATH; write `./NAME` for a file in this folder"]),
    (&["task", "x", "--", "/"], 2, "no command `/`", &["a path is looked up from the folder you are in"]),
    (&["task", "x", "--paths", "../other"], 2, "`../other` leads out of the repository", &[]),
    (&["task", "x", "--paths", "["], 2, "bad pattern `[`: unclosed character class; missing ']'", &[]),
    (&["task", "x", "--paths", ".git/config"], 2, "bad pattern `.git/config`: it names git's own files", &[]),
    (&["task", "fix login"], 3, "the same task is open already: `fix-login` (running)", &["look at it: `git orch show fix-login`; or make another: `--again`"]),
    (&["route", ""], 2, "the task has no text", &["say what is to be done, or where with --paths"]),
    (&["route", "x", "--paths", "/etc/passwd"], 2, "`/etc/passwd` leads out of the repository", &[]),
    (&["route", "x", "--paths", "!x"], 2, "bad pattern `!x`: `!` and `:` have no meaning here", &[]),
    (&["route", "x", "--paths", ""], 2, "bad pattern ``: it is empty", &[]),
    (&["route", "--paths", "src/{"], 2, "bad pattern `src/{`: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)", &[]),
    (&["plan", ""], 2, "a task has no text", &["say what to do: `git orch plan \"fix login\" \"sort the cart\"`"]),
    (&["plan", "fix login", "\n"], 2, "a task has no text", &["say what to do: `git orch plan \"fix login\" \"sort the cart\"`"]),
    (&["plan", "nowhere.md"], 2, "no file `nowhere.md`", &["a task is said in words, in quotes"]),
    (&["plan", "../empty"], 2, "no task in `../empty`", &["write one a line, or a Markdown list: `- [ ] fix login`"]),
    (&["plan", "../zeros"], 2, "`../zeros` holds no text", &[]),
    (&["plan", "src"], 2, "could not read `$TMP/shop/src`: Is a directory (os error 21)", &[]),
    (&["history", "--path", "../x"], 2, "`../x` leads out of the repository", &[]),
    (&["history", "--path", "/etc"], 2, "`/etc` leads out of the repository", &[]),
    (&["history", "--path", "["], 2, "bad pattern `[`: unclosed character class; missing ']'", &[]),
    (&["history", "--path", ""], 2, "bad pattern ``: it is empty", &[]),
    (&["history", "backnd"], 2, "no session `backnd`; did you mean `backend`?", &["`git orch sessions` lists them"]),
    (&["fanout", "A", "--run", "true"], 2, "`A` can't be a job's name: a name holds only a-z, 0-9, `.`, `_` and `-`", &[]),
    (&["fanout", "../a", "--run", "true"], 2, "`../a` can't be a job's name: a name holds only a-z, 0-9, `.`, `_` and `-`", &[]),
    (&["fanout", "nojob"], 2, "no job `nojob`", &["`git orch fanout --list` lists them; `--run CMD` runs any command"]),
    (&["fanout", "a", "--run", "true", "--paths", "../x"], 2, "`../x` leads out of the repository", &[]),
    (&["fanout", "a", "--run", "true", "--paths", "nowhere"], 2, "no tracked file is for `a`", &["`git ls-files` lists what is tracked; `--paths` and the job's `include` choose among them"]),
    (&["fanout", "a", "--run", "true", "--paths", "ignored"], 2, "no tracked file is for `a`", &["`git ls-files` lists what is tracked; `--paths` and the job's `include` choose among them"]),
    (&["fanout", "a", "--run", "true", "--paths", ".git"], 2, "bad pattern `.git`: it names git's own files", &[]),
    (&["fanout", "a", "--run", "true", "--paths", "["], 2, "bad pattern `[`: unclosed character class; missing ']'", &[]),
    (&["fanout", "a", "--run", "true", "--files-from", "nowhere"], 2, "could not read `$TMP/shop/nowhere`: No such file or directory (os error 2)", &[]),
    (&["fanout", "a", "--run", "true", "--files-from", "src"], 2, "could not read `$TMP/shop/src`: Is a directory (os error 21)", &[]),
    (&["fanout", "a", "--run", "true", "--files-from", "../list"], 2, "no tracked file `nope`", &["names are read from the folder that the command runs in"]),
    (&["fanout", "a", "--run", "true", "--files-from", "../empty"], 2, "no tracked file is for `a`", &["`git ls-files` lists what is tracked; `--paths` and the job's `include` choose among them"]),
    (&["fanout", "a", "--run", "true", "--files-from", "../out"], 2, "no tracked file `../up` and `/etc/passwd`", &["names are read from the folder that the command runs in"]),
    (&["fanout", "a", "--run", "true", "--files-from", "../zeros"], 2, "no tracked file is for `a`", &["`git ls-files` lists what is tracked; `--paths` and the job's `include` choose among them"]),
    (&["show", "zzz"], 2, "no session or task `zzz`", &["`git orch tasks --all` lists them"]),
    (&["show", "../../etc/passwd"], 2, "no session or task `../../etc/passwd`", &["`git orch tasks --all` lists them"]),
    (&["show", "backnd"], 2, "no session or task `backnd`; did you mean `backend`?", &["`git orch tasks --all` lists them"]),
    (&["show", "fix-logn"], 2, "no task `fix-logn`; did you mean `fix-login`?", &["`git orch tasks --all` lists them"]),
    (&["show", ""], 2, "no session or task ``", &["`git orch tasks --all` lists them"]),
    (&["remove-session", "backnd"], 2, "no session `backnd`; did you mean `backend`?", &["`git orch sessions` lists them"]),
    (&["remove-session", ""], 2, "no session ``", &["`git orch sessions` lists them"]),
    (&["remove-session", "backend"], 3, "session `backend` still has the task `fix-login` (running)", &["finish it, or call it off: `git orch cancel fix-login`", "or hand its open work over: `git orch handoff backend --to SESSION`"]),
    (&["brief", "fix-logn"], 2, "no task `fix-logn`; did you mean `fix-login`?", &["`git orch tasks --all` lists them"]),
    (&["log", "fix-logn"], 2, "no task `fix-logn`; did you mean `fix-login`?", &["`git orch tasks --all` lists them"]),
    (&["cancel", "fix-logn"], 2, "no task `fix-logn`; did you mean `fix-login`?", &["`git orch tasks --all` lists them"]),
    (&["retry", "fix-logn"], 2, "no task `fix-logn`; did you mean `fix-login`?", &["`git orch tasks --all` lists them"]),
    (&["wait", "fix-logn"], 2, "no task `fix-logn`; did you mean `fix-login`?", &["`git orch tasks --all` lists them"]),
    (&["done", "fix-logn"], 2, "no task `fix-logn`; did you mean `fix-login`?", &["`git orch tasks --all` lists them"]),
    (&["conflicts", "fix-logn"], 2, "no session or task `fix-logn`; did you mean `fix-login`?", &["`git orch sessions` and `git orch review` list them"]),
    (&["review", "fix-logn"], 2, "no task `fix-logn`; did you mean `fix-login`?", &["`git orch review` lists what waits"]),
    (&["merge", "fix-logn"], 2, "no task `fix-logn`; did you mean `fix-login`?", &["`git orch review` lists what waits"]),
    (&["brief", ""], 2, "no task ``", &["`git orch tasks --all` lists them"]),
    (&["merge", ""], 2, "no task ``", &["`git orch review` lists what waits"]),
    (&["merge", "fix-login"], 3, "`fix-login` has no result", &["`git orch show fix-login` tells why"]),
    (&["merge", "fix-login", "--dry-run"], 3, "`fix-login` has no result", &["`git orch show fix-login` tells why"]),
    (&["review", "fix-login"], 3, "`fix-login` has no result", &["`git orch show fix-login` tells why"]),
    (&["review", "fix-login", "--diff"], 3, "`fix-login` has no result", &["`git orch show fix-login` tells why"]),
    (&["review", "fix-login", "--approve"], 3, "`fix-login` has no result", &["`git orch show fix-login` tells why"]),
    (&["review", "fix-login", "--pr"], 3, "`fix-login` has no result", &["`git orch show fix-login` tells why"]),
    (&["review", "fix-logn", "--pr"], 2, "no task `fix-logn`; did you mean `fix-login`?", &["`git orch review` lists what waits"]),
    (&["retry", "fix-login"], 3, "`fix-login` can't be run again: it is running", &[]),
    (&["done"], 2, "this worktree, on `main`, is no session's: which task is done?", &["name it: `git orch done TASK`; `git orch tasks` lists them"]),
    (&["done", "fix-login"], 3, "`fix-login` changes nothing yet", &["if that is right: `git orch done fix-login --empty`; to call it off: `git orch cancel fix-login`"]),
    (&["log", "fix-login"], 3, "`fix-login` has no log here", &["logs stay on the machine that ran the command"]),
    (&["log", "fix-login", "--shard", "3"], 3, "`fix-login` has no log here", &["logs stay on the machine that ran the command"]),
    (&["-C", "nowhere", "sessions"], 2, "`$TMP/shop/nowhere` is no folder", &[]),
    (&["-C", "README.md", "sessions"], 2, "`$TMP/shop/README.md` is no folder", &[]),
    (&["-C", "/proc/self/mem", "sessions"], 2, "`/proc/self/mem` is no folder", &[]),
];

/// What the command line itself refuses, with the first line of its message;
/// below it stands how the command is used.
#[rustfmt::skip]
const USAGE: &[(&[&str], &str)] = &[
    (&["tsak", "x"], "unrecognized subcommand 'tsak'"),
    (&["task"], "the following required arguments were not provided:"),
    (&["add-session"], "the following required arguments were not provided:"),
    (&["add-session", "-x", "--paths", "src"], "unexpected argument '-x' found"),
    (&["add-session", "a", "--paths"], "a value is required for '--paths <GLOB>...' but none was supplied"),
    (&["task", "x", "--sesion", "a"], "unexpected argument '--sesion' found"),
    (&["task", "x", "--session"], "a value is required for '--session <SESSION>' but none was supplied"),
    (&["task", "x", "y"], "unexpected argument 'y' found"),
    (&["task", "x", "--agent", "a", "--", "true"], "the argument '--agent <AGENT>' cannot be used with '[CMD]...'"),
    (&["task", "--output=x"], "unexpected argument '--output' found"),
    (&["fanout", "a", "--run", "true", "-j", "0"], "invalid value '0' for '--jobs <N>': 0 is not in 1..=65535"),
    (&["fanout", "a", "--run", "true", "-j", "-1"], "unexpected argument '-1' found"),
    (&["fanout", "a", "--run", "true", "-j", "99999999999"], "invalid value '99999999999' for '--jobs <N>': 99999999999 is not in 1..=65535"),
    (&["fanout", "a", "--run", "true", "-j", "many"], "invalid value 'many' for '--jobs <N>': invalid digit found in string"),
    (&["fanout", "a", "--run", "true", "--shards", "0"], "invalid value '0' for '--shards <N>': at least one shard is needed"),
    (&["fanout", "a", "--run", "true", "--shards", "-3"], "unexpected argument '-3' found"),
    (&["fanout", "a", "--run", "true", "--shards", "few"], "invalid value 'few' for '--shards <N>': no way to split `few`"),
    (&["fanout", "a", "--run", "true", "--timeout", "soon"], "invalid value 'soon' for '--timeout <SPAN>': write it as `30s`, `5m` or `2h`"),
    (&["fanout", "a", "--run", "true", "--timeout", "0s"], "invalid value '0s' for '--timeout <SPAN>': write it as `30s`, `5m` or `2h`"),
    (&["fanout", "a", "--run", "true", "--timeout", "-5m"], "unexpected argument '-5' found"),
    (&["fanout", "a", "--run", "true", "--tree", "half"], "invalid value 'half' for '--tree <KIND>'"),
    (&["fanout", "a", "--run", "true", "--commits", "each"], "invalid value 'each' for '--commits <KIND>'"),
    (&["fanout", "a", "--run"], "a value is required for '--run <CMD>' but none was supplied"),
    (&["fanout", "a", "--run", "true", "--paths", "x", "--files-from", "y"], "the argument '--paths <GLOB>...' cannot be used with '--files-from <FILE>'"),
    (&["fanout", "a", "--run", "true", "--files-from", ""], "a value is required for '--files-from <FILE>' but none was supplied"),
    (&["review", "--approve"], "the following required arguments were not provided:"),
    (&["review", "--diff"], "the following required arguments were not provided:"),
    (&["review", "x", "--approve", "--request-changes", "-m", "x"], "the argument '--approve' cannot be used with '--request-changes'"),
    (&["review", "x", "--request-changes"], "the following required arguments were not provided:"),
    (&["review", "x", "--approve", "--viewpoint", "boss"], "invalid value 'boss' for '--viewpoint <VIEWPOINT>'"),
    (&["review", "--draft"], "the following required arguments were not provided:"),
    (&["review", "x", "--forge", "gh"], "the following required arguments were not provided:"),
    (&["review", "x", "--pr", "--approve"], "the argument '--pr' cannot be used with '--approve'"),
    (&["review", "x", "--pr", "--diff"], "the argument '--pr' cannot be used with '--diff'"),
    (&["review", "x", "y"], "unexpected argument 'y' found"),
    (&["review", "--by"], "the following required arguments were not provided:"),
    (&["review", "x", "--exit-code"], "the following required arguments were not provided:"),
    (&["review", "x", "--agent", "a"], "the following required arguments were not provided:"),
    (&["review", "x", "--", "true"], "the following required arguments were not provided:"),
    (&["review", "x", "--by", "a", "--approve"], "the argument '--by [<SESSION>]' cannot be used with '--approve'"),
    (&["review", "x", "--by", "a", "--pr"], "the argument '--by [<SESSION>]' cannot be used with '--pr'"),
    (&["review", "x", "--dry-run"], "the following required arguments were not provided:"),
    (&["review", "x", "--by", "a", "--diff"], "the argument '--by [<SESSION>]' cannot be used with '--diff'"),
    (&["review", "x", "--abstain", "--approve"], "the argument '--abstain' cannot be used with '--approve'"),
    (&["task", "x", "--viewpoints", "boss"], "invalid value 'boss' for '--viewpoints <VIEWPOINT>'"),
    (&["log", "x", "--viewpoint", "boss"], "invalid value 'boss' for '--viewpoint <VIEWPOINT>'"),
    (&["cancel", "x", "--viewpoint", "boss"], "invalid value 'boss' for '--viewpoint <VIEWPOINT>'"),
    (&["show"], "the following required arguments were not provided:"),
    (&["show", "a", "b"], "unexpected argument 'b' found"),
    (&["brief"], "the following required arguments were not provided:"),
    (&["cancel"], "the following required arguments were not provided:"),
    (&["retry"], "the following required arguments were not provided:"),
    (&["wait"], "the following required arguments were not provided:"),
    (&["remove-session"], "the following required arguments were not provided:"),
    (&["log"], "the following required arguments were not provided:"),
    (&["log", "x", "--shard", "-1"], "unexpected argument '-1' found"),
    (&["log", "x", "--shard", "x"], "invalid value 'x' for '--shard <N>': invalid digit found in string"),
    (&["-C"], "a value is required for '-C <DIR>' but none was supplied"),
    (&["-C", "", "sessions"], "a value is required for '-C <DIR>' but none was supplied"),
    (&["sessions", "--zzz"], "unexpected argument '--zzz' found"),
    (&["config", "extra"], "unexpected argument 'extra' found"),
    (&["completions", "tcl"], "invalid value 'tcl' for '[SHELL]'"),
    (&["completions"], "the following required arguments were not provided:"),
];

/// How many bad inputs stand in the tables here.
pub(super) fn count() -> usize {
    let names: usize = NAMES.iter().map(|(_, names)| names.len()).sum();
    names + HARMFUL_NAMES.len() + TYPED.len() + USAGE.len()
}

#[test]
fn names_that_can_mean_no_good() {
    let repo = TestRepo::new();
    let plain = NAMES.iter().flat_map(|(why, names)| names.iter().map(move |name| (*name, *name, *why)));
    let (only, _) = NAMES[NAMES.len() - 1];
    for (name, shown, why) in plain.chain(HARMFUL_NAMES.iter().map(|(name, shown)| (*name, *shown, only))) {
        let output = refused(&repo, &["add-session", "--paths", "src", "--", name]);
        let message = format!("`{shown}` can't be a session's name: {why}");
        expect_refusal(&output, 2, &message, &["for example `backend` or `api-2`"], name);
    }
}

#[test]
fn words_that_make_no_sense() {
    let repo = TestRepo::new();
    let script = "git-orch add-session backend --paths src/api -q; git-orch task 'fix login' -q; git tag v1
        ln -s / root; mkdir ../outside; ln -s ../../outside src/out
        mkdir -p .git/info; echo ignored >.git/info/exclude; touch ignored; git update-ref refs/remotes/origin/main main
        printf 'src/api/login.rs\\nnope\\n' >../list; : >../empty; printf '../up\\n/etc/passwd\\n' >../out
        head -c 200000 /dev/zero >../zeros";
    repo.shell(script).changing_checkout().run().expect_success();
    for (arguments, exit, message, hints) in TYPED {
        expect_refusal(&refused(&repo, arguments), *exit, message, hints, arguments);
    }
}

#[test]
fn wrong_usage() {
    let repo = TestRepo::new();
    for (arguments, message) in USAGE {
        let output = refused(&repo, arguments);
        let first = output.stderr.lines().next().unwrap_or_default();
        assert_eq!((output.exit, first), (2, format!("error: {message}").as_str()), "{arguments:?}");
        assert!(
            output.stdout.is_empty() && output.stderr.ends_with("try '--help'.\n"),
            "{arguments:?}\n{output}"
        );
    }
}

#[test]
fn hundreds_of_bad_inputs_are_tried() {
    let all = count() + super::bad_surroundings::count();
    assert!(all >= 390, "{all}");
}

#[test]
fn a_task_without_sessions() {
    let repo = TestRepo::new();
    refused(&repo, &["task", "fix login"]).expect(
        "
        exit 3
        -- stderr
        error: there is no session to give it to
        hint: make one: `git orch add-session NAME --paths GLOB --adopt-history`
        ",
    );
    refused(&repo, &["route", "fix login"]).expect(
        "
        exit 3
        -- stderr
        error: there is no session to route to
        hint: make one: `git orch add-session NAME --paths GLOB --adopt-history`
        hint: or ask who knows the code: `git orch route --import authors TEXT`
        ",
    );
}

#[test]
fn commands_that_are_not_there() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    refused(&repo, &["task", "fix login", "--", "no-such-program"]).expect(
        "
        exit 2
        -- stderr
        error: no command `no-such-program`
        hint: it is not on the PATH; write `./NAME` for a file in this folder
        ",
    );
    refused(&repo, &["task", "fix login", "--", "./no-such-program"]).expect(
        "
        exit 2
        -- stderr
        error: no command `./no-such-program`
        hint: a path is looked up from the folder you are in
        ",
    );
    refused(&repo, &["task", "fix login", "--", "src"]).expect(
        "
        exit 2
        -- stderr
        error: no command `src`
        hint: it is not on the PATH; write `./NAME` for a file in this folder
        ",
    );
    repo.write("not-executable", "words\n");
    let output = repo.orch(&["task", "fix login", "--", "./not-executable"]);
    output.expect(
        "
        exit 4
        -- stderr
        backend takes fix-login (0.25)
        error: could not start `$TMP/shop/not-executable`: Permission denied (os error 13)
        hint: check the command's name and the PATH
        ",
    );
}

#[test]
fn no_command_at_all() {
    let repo = TestRepo::new();
    refused(&repo, &[]).expect(
        "
        exit 2
        -- stderr
        Route work to the session that already knows the code

        Usage: git orch [OPTIONS] <COMMAND>

        Commands:
          add-session     Make a session: a branch, a worktree, a specialty, a history
          sessions        List the sessions: state, task, drift from base, load, what each knows best
                          [alias: ls]
          show            Show one session, task or fan-out, whole
          pause           Have a session take no tasks until it is resumed
          resume          Have a paused session take tasks again
          remove-session  Take a session away; nothing of it is lost
          history         Show what a session has touched, mined from commits
          route           Say who would get a task, and why; change nothing
          task            Give a task to the session that knows the code, and run it there
          plan            Say which tasks can run at once, which have to wait, and who gets each
          tasks           List the tasks that are not over
          brief           Print what a task's worker was given, or would be given
          log             Print what a task's command, or a fan-out's shard or check, printed
          note            Keep a decision or a finding with a task
          done            Say that a task is done: its commits go up for review
          report          Say where the task around you is: for agents, their hooks and scripts
          cancel          Call a task off: stop what runs, keep its edits on its record, free its session
          retry           Run a task again: one that failed, was cancelled, or must change
          handoff         Hand open work over to another session, with its context
          wait            Wait until a task is no longer being worked on
          answer          Answer what a task asks: its agent goes on in the same conversation
          attach          Go on with a task yourself: in its agent's conversation, or in a shell
          conflicts       Say which open work conflicts with which, and where
          fanout          Do parallel-safe work in throwaway worktrees; it comes back as one branch
          review          See what waits for judgement, look at one result, judge it
          merge           Land results: combine, check exactly that tree, move the base
          agents          List the agent programs, which of them are installed, and which one is used
          init            Write a commented `.orch.yml`; every command works without one
          config          Show the settings in force and where each comes from
          trust           Allow the commands that this repository names, exactly as they are now
          undo            Take back what a command did
          trash           List what is in the trash, bring it back, or delete it for good
          gc              Show what nobody needs any more, or delete it
          doctor          Look for what is wrong, and how to set it right
          demo            Show everything in a minute, in a repository made for it
          mcp             Serve agents that speak the Model Context Protocol, on standard input and output
          skill           Print what tells an agent when and how to use git-orch: an Agent Skill
          man             Show the manual, or install it for `git help orch`
          completions     Print a completion script for a shell

        Options:
              --json     Print one JSON document instead of text
          -C <DIR>       Work in this folder instead of the present one
          -q, --quiet    Print nothing but the answer, warnings and errors
          -h, --help     Print help (see more with '--help')
          -V, --version  Print version

        `git orch COMMAND --help` explains a command; `git orch demo` shows them all in a minute.
        ",
    );
}

#[test]
fn a_program_is_told_in_json() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    refused(&repo, &["show", "backnd", "--json"]).expect(r#"
        exit 2
        -- stdout
        {"schema":"git-orch/1","command":"show","error":{"kind":"usage","message":"no session or task `backnd`; did you mean `backend`?","hints":["`git orch tasks --all` lists them"]}}
        "#);
    refused(&repo, &["tsak", "--json"]).expect(r#"
        exit 2
        -- stdout
        {"schema":"git-orch/1","command":"","error":{"kind":"usage","message":"unrecognized subcommand 'tsak'","hints":[]}}
        "#);
    refused_call(&repo, repo.call(&["sessions", "--json"]).within(repo.top())).expect(r#"
        exit 4
        -- stdout
        {"schema":"git-orch/1","command":"sessions","error":{"kind":"unusable","message":"`$TMP` is in no git repository","hints":["change into one, name one with `-C DIR`, or make one with `git init`"]}}
        "#);
}
