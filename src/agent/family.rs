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
    #[cfg(target_os = "linux")]
    fn whoever_started_this_is_above_it() {
        assert!(!ancestors().is_empty() && !ancestors().contains(&std::process::id()));
    }
}
