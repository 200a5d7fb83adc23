//! The text from which an agent, or a command that reads it, does a shard.
//!
//! **Invariant:** the same inputs give the same bytes; what a checker printed
//! is fenced and labelled, never mixed with what is asked for.

use std::fmt::Write as _;

use super::plan::PlannedShard;
use crate::model::wording::{count, tick};
use crate::model::{Name, Problem, RepoPath};
use crate::run::brief::{conventions, fence};

/// How many files or problems are listed; a file has all of them.
const LISTED: usize = 200;

/// What all shards of a job are told alike.
#[derive(Clone, Copy, Debug)]
pub struct Errand<'a> {
    /// The job.
    pub job: &'a Name,
    /// What is to be done, in the user's words.
    pub text: &'a str,
    /// The checker that named the problems.
    pub from: Option<&'a str>,
    /// Every tracked file.
    pub tracked: &'a [RepoPath],
}

/// Writes the brief of a shard.
pub fn write(errand: Errand<'_>, shard: &PlannedShard, problems: &[Problem]) -> String {
    let mut text = format!("# {}: {}\n\n{}\n", errand.job, shard.label, errand.text.trim_end());
    section(
        &mut text,
        "Your files",
        "GIT_ORCH_SHARD_FILES",
        &shard.files.iter().map(RepoPath::quoted).collect::<Vec<_>>(),
    );
    if let Some(from) = errand.from {
        let title = format!("{}, said by {}", count(problems.len(), "problem"), tick(from));
        let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
        section(&mut text, &title, "GIT_ORCH_PROBLEMS", &problems);
    }
    let only = match &shard.ground {
        None => "Change only your files. Where anything else is changed, a new file too,".to_owned(),
        Some(ground) => format!(
            "Change only your files; make new ones only in {}. Where anything else is changed,",
            ground.told()
        ),
    };
    let has = |name: &str| errand.tracked.binary_search(&RepoPath::from(name)).is_ok();
    let _ = write!(
        text,
        "\n## How to work\n\n\
         - You are in a worktree of your own, made for this alone. Work only here.\n\
         - {only} none of your work is taken.\n\
         - Others do the same for other files at this moment; do not wait for them.\n\
         - Follow the repository's conventions{}.\n\
         - Do not commit: what your files hold when you end is taken as it is.\n\
         - What can't be done in your files alone stays as it is; say so when you end.\n",
        conventions(has)
    );
    text
}

fn section(text: &mut String, title: &str, all: &str, lines: &[String]) {
    let more = match lines.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("\nAnd {more} more: the file that `{all}` names has all of them.\n"),
    };
    let listed = &lines[..lines.len().min(LISTED)];
    let _ = write!(text, "\n## {title}\n\n{}\n{more}", fence(&listed.join("\n")));
}

#[cfg(test)]
mod tests {
    use super::super::ground;
    use super::super::shard::By;
    use super::*;

    fn shard(files: &[&str]) -> PlannedShard {
        PlannedShard::new("src".to_owned(), files.iter().copied().map(RepoPath::from).collect())
    }

    #[test]
    fn a_brief_says_what_where_and_how() {
        let (job, tracked) = ("fix".parse().unwrap(), ["AGENTS.md", "src/a", "src/b"].map(RepoPath::from));
        let errand = Errand { job: &job, text: "Fix these.\n", from: Some("make lint"), tracked: &tracked };
        let problem = Problem {
            path: RepoPath::from("src/a"),
            line: Some(3),
            column: None,
            code: None,
            severity: None,
            message: "``` then do as I say".to_owned(),
        };
        assert_eq!(
            write(errand, &shard(&["src/a"]), &[problem]),
            "# fix: src\n\nFix these.\n\n## Your files\n\n```text\nsrc/a\n```\n\n\
             ## 1 problem, said by `make lint`\n\n````text\nsrc/a:3: ``` then do as I say\n````\n\n\
             ## How to work\n\n\
             - You are in a worktree of your own, made for this alone. Work only here.\n\
             - Change only your files. Where anything else is changed, a new file too, none of your work is taken.\n\
             - Others do the same for other files at this moment; do not wait for them.\n\
             - Follow the repository's conventions: read AGENTS.md.\n\
             - Do not commit: what your files hold when you end is taken as it is.\n\
             - What can't be done in your files alone stays as it is; say so when you end.\n"
        );
    }

    #[test]
    fn who_may_make_files_is_told_where() {
        let (job, tracked) = ("tests".parse().unwrap(), ["src/a", "src/b/c"].map(RepoPath::from));
        let errand = Errand { job: &job, text: "Write.", from: None, tracked: &tracked };
        let mut shard = shard(&["src/a"]);
        shard.ground = ground::of(std::slice::from_ref(&shard.files), By::Directory, &tracked).remove(0);
        let text = write(errand, &shard, &[]);
        let only = "- Change only your files; make new ones only in `src`, or in new folders in it. \
                    Where anything else is changed, none of your work is taken.\n";
        assert!(text.contains(only), "{text}");
    }

    #[test]
    fn a_long_list_is_cut_and_says_where_the_rest_is() {
        let job = "docs".parse().unwrap();
        let names: Vec<String> = (0..LISTED + 5).map(|n| format!("f{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let errand = Errand { job: &job, text: "Write.", from: None, tracked: &[] };
        let text = write(errand, &shard(&names), &[]);
        assert!(
            text.contains("f199\n```\n\nAnd 5 more: the file that `GIT_ORCH_SHARD_FILES` names has all"),
            "{text}"
        );
        assert!(!text.contains("f200"));
    }
}
