//! Records: what one says is still said after it is written again.

use std::fmt::Debug;

use git_orch::model::{Fanout, Session, Task, Time};
use git_orch::store::record;
use serde::{Serialize, de::DeserializeOwned};

/// The bytes are tried as a record of each sort.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    reads_back::<Session>(text);
    reads_back::<Fanout>(text);
    if let Some(task) = reads_back::<Task>(text) {
        // Listings tell how long ago that was, whatever it says.
        for (now, then) in [(Time(0), task.created), (task.updated, task.created), (task.created, Time(0))] {
            assert!(then.ago(now).ends_with(" ago"));
            assert!(now.since(then) >= 0);
        }
        assert!(!task.created.date().is_empty());
    }
}

/// The value, where the text is one.
pub fn reads_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) -> Option<T> {
    let value = record::parse_line::<T>(text)?;
    let written = record::line(&value).expect("what was read can be written");
    assert_eq!(record::parse_line::<T>(&written).as_ref(), Some(&value), "{written}");
    Some(value)
}
