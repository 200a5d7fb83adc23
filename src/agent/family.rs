//! The processes above this one.

/// How far up is looked.
const MOST: usize = 64;

/// The processes above this one, nearest first; none where the system does not
/// tell. Whatever a supervised command starts stays below its supervisor, so
/// that these say in whose run this process is, whatever its variables say.
pub fn ancestors() -> Vec<u32> {
    let parents = std::iter::successors(parent(std::process::id()), |process| parent(*process));
    parents.take_while(|process| *process > 1).take(MOST).collect()
}

/// A variable that a process was started with; `None` where it has none, or the
/// system does not tell.
pub fn variable(process: u32, name: &str) -> Option<String> {
    let environment = std::fs::read(format!("/proc/{process}/environ")).ok()?;
    value_in(&environment, name)
}

/// The value in the content of `/proc/PID/environ`.
fn value_in(environment: &[u8], name: &str) -> Option<String> {
    let values = environment.split(|byte| *byte == 0);
    let own = values.filter_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    own.map(|value| String::from_utf8_lossy(value).into_owned()).next()
}

fn parent(process: u32) -> Option<u32> {
    let stat = std::fs::read(format!("/proc/{process}/stat")).ok()?;
    parent_in(&String::from_utf8_lossy(&stat))
}

/// The parent in a line of `/proc/PID/stat`. The command's name may hold spaces
/// and brackets; the fields follow the last one.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_found_behind_any_name() {
        for (stat, parent) in
            [("7 (sh) S 5 7 7", Some(5)), ("7 (a) R 9 (b) c) S 6 7", Some(6)), ("7 (x", None), ("", None)]
        {
            assert_eq!(parent_in(stat), parent, "{stat}");
        }
    }

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let environment = b"GIT_ORCH_TASKS=no\0GIT_ORCH_TASK=fix=login\0EMPTY=\0";
        for (name, value) in [("GIT_ORCH_TASK", Some("fix=login")), ("EMPTY", Some("")), ("TASK", None)] {
            assert_eq!(value_in(environment, name).as_deref(), value, "{name}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn whoever_started_this_is_above_it() {
        assert!(!ancestors().is_empty() && !ancestors().contains(&std::process::id()));
    }
}
