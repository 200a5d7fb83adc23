//! Problems as shards: those of one file are in one shard, so that no two
//! shards need the same file.

use std::collections::BTreeMap;

use super::super::brief::{self, Errand};
use super::super::hand::Handed;
use super::super::job::Job;
use super::super::plan::{self, PlannedShard};
use super::super::shard::{By, Facts};
use crate::config::Prompt;
use crate::model::{Problem, RepoPath};

/// How many problems an agent gets at a time, if they are in several files.
const FOR_AN_AGENT: usize = 10;

/// The shards for problems that `from` named. A shard's size is the number of
/// its problems.
pub fn shards(
    job: &Job,
    from: &str,
    problems: &[Problem],
    by: Option<By>,
    facts: Facts<'_>,
) -> Vec<PlannedShard> {
    let mut sizes: BTreeMap<RepoPath, u64> = BTreeMap::new();
    for problem in problems {
        *sizes.entry(problem.path.clone()).or_default() += 1;
    }
    let files: Vec<RepoPath> = sizes.keys().cloned().collect();
    let by = by.unwrap_or_else(|| match job.command.agent() {
        Some(_) => By::Parts(problems.len().div_ceil(FOR_AN_AGENT)),
        None => By::balanced(files.len(), facts.cores),
    });
    let mut shards = plan::of_job(job, &files, by, Facts { sizes: &sizes, ..facts });
    let errand = Errand { job: &job.name, text: &job.brief, from: Some(from), tracked: facts.tracked };
    for shard in &mut shards {
        let own: Vec<Problem> =
            problems.iter().filter(|problem| shard.files.contains(&problem.path)).cloned().collect();
        let brief = brief::write(errand, shard, &own);
        let prompt = job.command.agent().map_or(Prompt::File, |program| program.prompt);
        shard.handed = Some(Handed { brief, prompt, problems: own });
    }
    shards
}

#[cfg(test)]
mod tests {
    use super::super::super::home::Home;
    use super::super::super::job::Command;
    use super::super::super::plan::Contents;
    use super::*;
    use crate::model::PathSet;
    use crate::run::worker::Program;

    fn problem(path: &str, line: u32) -> Problem {
        let message = "wrong".to_owned();
        Problem {
            path: RepoPath::from(path),
            line: Some(line),
            column: None,
            code: None,
            severity: None,
            message,
        }
    }

    fn job(command: Command) -> Job {
        let nothing = PathSet::parse(&[]).unwrap();
        Job {
            name: "fix".parse().unwrap(),
            command,
            brief: "Fix these.".to_owned(),
            include: nothing.clone(),
            exclude: nothing,
            by: None,
            contents: Contents::Full,
            check: None,
            timeout: None,
            retries: 0,
            home: Home::Callers,
            env: Vec::new(),
        }
    }

    #[test]
    fn problems_of_a_file_are_in_one_shard_and_few_go_together() {
        let agent = Program::plain("a".to_owned(), vec!["a".into()]);
        let job = job(Command::Agent(agent));
        let mut problems: Vec<Problem> = (0..25).map(|line| problem("many", line)).collect();
        problems.extend(["a", "b", "c"].map(|path| problem(path, 1)));
        problems.sort();
        let shards = shards(&job, "lint", &problems, None, Facts::names(&[]));
        let files: Vec<Vec<String>> =
            shards.iter().map(|shard| shard.files.iter().map(RepoPath::quoted).collect()).collect();
        assert_eq!(files, [vec!["a", "b", "c"], vec!["many"]]);
        let handed: Vec<usize> =
            shards.iter().map(|shard| shard.handed.as_ref().unwrap().problems.len()).collect();
        assert_eq!(handed, [3, 25]);
        assert!(shards[0].handed.as_ref().unwrap().brief.contains("## 3 problems, said by `lint`"));
    }

    #[test]
    fn commands_get_files_as_other_jobs_do() {
        let job = job(Command::Shell("fix".to_owned()));
        let problems = [problem("a", 1), problem("b", 1)];
        let shards = shards(&job, "lint", &problems, Some(By::File), Facts::names(&[]));
        let argv: Vec<String> =
            shards.iter().map(|shard| shard.argv.last().unwrap().to_string_lossy().into_owned()).collect();
        assert_eq!(argv, ["./a", "./b"]);
        assert_eq!(shards[1].handed.as_ref().unwrap().prompt, Prompt::File);
    }
}
