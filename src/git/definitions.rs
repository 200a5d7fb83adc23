//! Where a symbol is defined, as far as text tells: `git grep` for the ways in
//! which common languages begin a definition.

use super::repo::Repo;
use crate::error::Result;
use crate::model::{Oid, RepoPath};

/// What stands before the name that is defined.
const WORDS: &str = "fn|def|class|struct|enum|union|trait|interface|type|func|function|fun|module|namespace|\
                     const|static|let|var|val|object|macro_rules!|#define|sub|proc|record|protocol|extension";

/// The files of a commit that define a symbol, by path.
pub fn of(repo: &Repo, commit: Oid, symbol: &str) -> Result<Vec<RepoPath>> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if symbol.is_empty() || !symbol.bytes().all(is_word) {
        return Ok(Vec::new());
    }
    let end = r"([^[:alnum:]_]|$)";
    // `func (r *Row) name(`, `pub(crate) const fn name`, `int *name(int x)` and the like.
    let by_word =
        format!(r"(^|[^[:alnum:]_])({WORDS})([[:space:]]+\([^)]*\))?[[:space:]]+[*&]*{symbol}{end}");
    let by_brackets = format!(r"^[[:alpha:]_][[:alnum:]_ *&:<>,]*[[:space:]*&]{symbol}[[:space:]]*\([^;]*$");
    let args = ["grep", "--no-textconv", "-l", "-z", "-I", "-E", "-e", &by_word, "-e", &by_brackets];
    let output = repo.git(args).args([commit.to_string(), "--".to_owned()]).spawn()?;
    // 1 is: there is none. What git can't search defines nothing either.
    let prefix = format!("{commit}:");
    let listed = output.stdout.split(|byte| *byte == 0);
    let paths = listed.filter_map(|line| line.strip_prefix(prefix.as_bytes()));
    Ok(paths.map(RepoPath::from_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::mine::testing::{Scratch, commit};

    #[test]
    fn definitions_are_told_from_uses() {
        let scratch = Scratch::new();
        let lines = [
            ("rs", "pub(crate) const fn retry() {}"),
            ("py", "    def retry(self):"),
            ("go", "func (r *Row) retry(n int) error {"),
            ("c", "static int *retry(int n)"),
            ("ts", "export class retry<T> {"),
            ("h", "#define retry 3"),
            ("x1", "retry();"),
            ("x2", "let x = retry(3)"),
            ("x3", "int retry(int n);"),
            ("x4", "fn retry_all() {}"),
            ("x5", "// the class of retry"),
        ];
        let files = lines.map(|(name, line)| format!("M 100644 inline {name}\ndata <<END\n{line}\nEND\n"));
        scratch.import(&commit(1, &[], &files.concat()));
        let (repo, tip) = (scratch.repo(), scratch.oid("main"));
        let found = |symbol| of(&repo, tip, symbol).unwrap().iter().map(RepoPath::quoted).collect::<Vec<_>>();
        assert_eq!(found("retry"), ["c", "go", "h", "py", "rs", "ts"]);
        assert_eq!(found("nobody"), [] as [&str; 0]);
        assert_eq!(found("retry|x"), [] as [&str; 0]);
    }
}
