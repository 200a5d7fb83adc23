//! `.orch.yml`: refused, or good for everything that is done with it.

use git_orch::config::{Config, Settings, load, trust};
use git_orch::model::{Name, PathSet, time};

/// A file that is read passes the checks it was read with, and means the same
/// when it is written and read again.
pub fn check(bytes: &[u8]) {
    let config = match load::parse(bytes) {
        Ok(config) => config,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    for (name, session) in &config.sessions {
        name.parse::<Name>().expect("a session's name is one");
        PathSet::parse(&session.paths).expect("a session's patterns are good");
    }
    for job in config.jobs.values() {
        for patterns in [&job.include, &job.exclude, &job.needs] {
            PathSet::parse(patterns).expect("a job's patterns are good");
        }
    }
    for span in &config.routing.half_lives {
        assert!(time::parse_span(span).is_some_and(|span| !span.is_zero()), "{span}");
    }
    let written = serde_json::to_string(&config).expect("settings can be written");
    assert_eq!(serde_json::from_str::<Config>(&written).expect("and read"), config);
    assert!(!trust::commands(&config).is_empty());
    let settings = Settings::new(config, Default::default()).expect("nothing personal is wrong");
    assert_eq!(settings.in_force().len(), 18);
}
