//! Slurm: array jobs, by its own programs.
//!
//! It is asked for little, in forms that all its versions know: an id, and the
//! state of each element. After some minutes it forgets elements that ended.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::begun::{Post, cancel_one, question};
use super::{Doing, Engine};
use crate::agent::ask::{Answer, ask};
use crate::agent::command::environment;
use crate::error::{Error, IoContext, Result};
use crate::model::wording::few;
use crate::run::Scene;

/// How many elements an array has at most: more than this many shards go
/// several to an element, as each costs the scheduler a fraction of a second.
const ELEMENTS: usize = 512;
/// How large arrays are that any Slurm takes, unless it is set to take less.
const ARRAY: usize = 1_000;
/// States in which something may still come of an element.
const WAITING: [&str; 6] =
    ["PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD"];
const RUNNING: [&str; 7] =
    ["RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"];

/// Arrays submitted so far.
pub(super) struct Slurm<'a> {
    scene: Scene<'a>,
    post: Post,
    extra: Vec<String>,
    limit: Option<usize>,
    arrays: Vec<Array>,
}

struct Array {
    id: String,
    /// The shards of each element.
    elements: Vec<Vec<usize>>,
}

impl<'a> Slurm<'a> {
    pub(super) fn new(scene: Scene<'a>, post: Post, extra: Vec<String>, limit: Option<usize>) -> Self {
        Self { scene, post, extra, limit, arrays: Vec::new() }
    }

    fn name(&self) -> String {
        format!("orch-{}", self.post.name())
    }

    fn ask(&self, argv: &[String]) -> Result<Answer> {
        let argv = argv.iter().map(OsString::from).collect();
        let asked = ask(&question(self.scene, argv, environment(self.scene.environment, &[])));
        asked.map_err(|error| error.hint("`--on slurm` runs sbatch, squeue and scancel where it is called"))
    }

    /// Submits elements, as arrays that Slurm takes.
    fn submit_arrays(&mut self, elements: &[Vec<usize>], largest: usize) -> Result<()> {
        for (index, some) in elements.chunks(largest).enumerate() {
            let script = self.post.folder.join("node.sh");
            std::fs::write(&script, self.post.script(&[], &pick(some))).doing("could not write", &script)?;
            let throttle = self.limit.map(|limit| format!("%{limit}")).unwrap_or_default();
            let mut argv = vec!["sbatch".to_owned(), "--parsable".to_owned()];
            argv.push(format!("--job-name={}", self.name()));
            argv.push(format!("--array=0-{}{throttle}", some.len() - 1));
            argv.extend(["--no-requeue", "--ntasks=1", "--output=/dev/null", "--chdir=/"].map(str::to_owned));
            argv.extend(self.extra.iter().cloned());
            argv.push(script.display().to_string());
            let answer = self.ask(&argv)?;
            if answer.code != 0 && answer.stderr.contains("Invalid job array") && largest > 1 {
                let smaller = (largest.min(some.len()) / 2).max(1);
                return self.submit_arrays(&elements[index * largest..], smaller);
            }
            if answer.code != 0 {
                return Err(Error::unusable("could not submit to slurm").because(answer.complaint()));
            }
            let id = answer.stdout.trim().split(';').next().unwrap_or_default().to_owned();
            self.arrays.push(Array { id, elements: some.to_vec() });
        }
        Ok(())
    }
}

impl Engine for Slurm<'_> {
    fn submit(&mut self, shards: &[usize]) -> Result<String> {
        // By its name it is found even where no id came back.
        self.post.note(&format!("--name={}", self.name()))?;
        let wanted = ELEMENTS.max(self.limit.unwrap_or(0).saturating_mul(4));
        let before = self.arrays.len();
        self.submit_arrays(&spread(shards, wanted), ARRAY)?;
        let ids: Vec<&str> = self.arrays[before..].iter().map(|array| array.id.as_str()).collect();
        let jobs = if ids.len() == 1 { "job" } else { "jobs" };
        Ok(format!("as {jobs} {}", few(ids)))
    }

    fn poll(&mut self, shards: &[usize]) -> Result<BTreeMap<usize, Doing>> {
        let of = |n: &usize| {
            let array =
                self.arrays.iter().rev().find(|array| array.elements.iter().any(|e| e.contains(n)))?;
            let element = array.elements.iter().position(|element| element.contains(n))?;
            Some((array.id.as_str(), element))
        };
        let mut ids: Vec<&str> = shards.iter().filter_map(of).map(|(id, _)| id).collect();
        ids.dedup();
        let words = ["squeue", "--noheader", "--array", "--states=all", "--format=%i %T", "--jobs"];
        let argv: Vec<String> = words.into_iter().map(str::to_owned).chain([ids.join(",")]).collect();
        let answer = self.ask(&argv)?;
        let is_forgotten = answer.stderr.contains("Invalid job id");
        if answer.code != 0 && !is_forgotten {
            return Err(Error::unusable("could not ask slurm").because(answer.complaint()));
        }
        let states = states(&answer.stdout);
        let doing = |n: &usize| {
            let (id, element) = of(n)?;
            Some((*n, doing(states.get(format!("{id}_{element}").as_str())?)))
        };
        Ok(shards.iter().filter_map(doing).collect())
    }

    fn hold_back(&mut self) -> Result<bool> {
        let mut canceller = self.canceller();
        canceller.push("--state=PENDING".to_owned());
        cancel_one(self.scene, &canceller, &format!("--name={}", self.name()))?;
        Ok(true)
    }

    fn cancel(&mut self) -> Result<()> {
        let by_name = format!("--name={}", self.name());
        cancel_one(self.scene, &self.canceller(), &by_name)
    }

    fn canceller(&self) -> Vec<String> {
        vec!["scancel".to_owned(), "--quiet".to_owned()]
    }
}

/// Shards in at most so many elements, of about equal size.
fn spread(shards: &[usize], elements: usize) -> Vec<Vec<usize>> {
    let count = elements.min(shards.len());
    (0..count)
        .map(|index| shards[shards.len() * index / count..shards.len() * (index + 1) / count].to_vec())
        .collect()
}

/// What tells an element in shell which shards are its own.
fn pick(elements: &[Vec<usize>]) -> String {
    let mut text = "case ${SLURM_ARRAY_TASK_ID:-} in\n".to_owned();
    for (index, element) in elements.iter().enumerate() {
        let shards: Vec<String> = element.iter().map(usize::to_string).collect();
        text.push_str(&format!("{index}) set -- {} ;;\n", shards.join(" ")));
    }
    text + "esac\n"
}

/// `42_3 RUNNING` a line.
fn states(printed: &str) -> BTreeMap<&str, &str> {
    printed.lines().filter_map(|line| line.trim().split_once(' ')).collect()
}

fn doing(state: &str) -> Doing {
    if WAITING.contains(&state) {
        Doing::Waiting
    } else if RUNNING.contains(&state) {
        Doing::Running
    } else {
        Doing::Gone(Some(format!("slurm says {}", state.to_lowercase().replace('_', " "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_shards_share_an_element() {
        assert_eq!(spread(&[1, 2, 3, 4, 5], 2), [vec![1, 2], vec![3, 4, 5]]);
        assert_eq!(spread(&[7, 9], 512), [vec![7], vec![9]]);
        assert_eq!(spread(&(0..10_000).collect::<Vec<_>>(), 512).concat().len(), 10_000);
        assert_eq!(
            pick(&[vec![7, 9], vec![11]]),
            "case ${SLURM_ARRAY_TASK_ID:-} in\n0) set -- 7 9 ;;\n1) set -- 11 ;;\nesac\n"
        );
    }

    #[test]
    fn a_state_says_whether_something_may_come() {
        let printed = "42_0 RUNNING\n 42_1 NODE_FAIL\n42_2 PENDING\n\n";
        let states = states(printed);
        assert_eq!(states.len(), 3);
        assert_eq!(doing(states["42_0"]), Doing::Running);
        assert_eq!(doing(states["42_1"]), Doing::Gone(Some("slurm says node fail".to_owned())));
        assert_eq!(doing(states["42_2"]), Doing::Waiting);
    }
}
