//! Refreshing on real repositories.

use super::credit::testing::source;
use super::log::Place;
use super::*;
use crate::git::mine::Span;
use crate::git::mine::testing::{Scratch, commit, file};

const NOW: Time = Time(1_000);

struct World {
    scratch: Scratch,
    request: Request,
}

impl World {
    fn new(sessions: Vec<Source>) -> Self {
        let scratch = Scratch::new();
        scratch.import(&commit(1, &[], &[file("api/a", 1), file("web/b", 1)].concat()));
        scratch.import(&commit_on(&scratch, 2, &file("api/a", 2)));
        let request = Request {
            miner: crate::git::mine::Miner::at(&scratch.git_dir()),
            folder: scratch.git_dir().join("orch"),
            log: NEAR,
            table: SESSIONS,
            mailmap: Mailmap::default(),
            tips: vec![scratch.oid("main")],
            sessions,
            horizon: usize::MAX,
            half_lives: HalfLives::default(),
            now: NOW,
        };
        Self { scratch, request }
    }

    /// Adds a commit to the base.
    fn commit(&mut self, time: u32, changes: &str) {
        self.scratch.import(&commit_on(&self.scratch, time, changes));
        self.request.tips = vec![self.scratch.oid("main")];
    }

    fn touches(&self, path: &str) -> Vec<(String, u32)> {
        let history = refresh(&self.request, &|event| panic!("{event:?}")).unwrap();
        let profiles = history.profiles(&[RepoPath::from(path)]);
        let name = |weight: &crate::model::SessionWeight| {
            (profiles.sessions[usize::from(weight.session)].to_string(), weight.touches)
        };
        profiles.at(path.as_bytes()).iter().map(name).collect()
    }

    fn log_size(&self) -> u64 {
        std::fs::metadata(self.request.folder.join("log")).map_or(0, |data| data.len())
    }
}

/// A commit on top of whatever `main` is.
fn commit_on(scratch: &Scratch, time: u32, changes: &str) -> Vec<u8> {
    let text = String::from_utf8(commit(time, &[0], changes)).unwrap();
    text.replace("from :0", &format!("from {}", scratch.oid("main"))).into_bytes()
}

fn api(touches: u32) -> Vec<(String, u32)> {
    vec![("api".to_owned(), touches)]
}

#[test]
fn what_is_new_is_mined_and_nothing_else() {
    let mut world = World::new(vec![source("api", &["api"])]);
    assert_eq!(world.touches("api/a"), api(2));
    let size = world.log_size();
    world.commit(3, &file("api/a", 3));
    assert_eq!(world.touches("api/a"), api(3));
    let added = world.log_size() - size;
    assert!(added > 0 && added < size, "{added} after {size}");
}

#[test]
fn while_nothing_changes_only_the_profile_is_read() {
    let world = World::new(vec![source("api", &["api"])]);
    assert_eq!(world.touches("api/a"), api(2));
    std::fs::remove_file(world.request.folder.join("log")).unwrap();
    assert_eq!(world.touches("api"), api(2));
    assert_eq!(world.log_size(), 0);
}

#[test]
fn lost_and_damaged_caches_are_made_again() {
    let world = World::new(vec![source("api", &["api"])]);
    assert_eq!(world.touches("api/a"), api(2));
    for file in ["log", "profile"] {
        for bytes in [&b"rubbish"[..], b""] {
            std::fs::remove_file(world.request.folder.join("profile")).unwrap();
            std::fs::write(world.request.folder.join(file), bytes).unwrap();
            assert_eq!(world.touches("api/a"), api(2), "{file}");
        }
    }
    std::fs::remove_dir_all(&world.request.folder).unwrap();
    assert_eq!(world.touches("api/a"), api(2));
}

#[test]
fn a_folder_that_cannot_be_written_costs_only_time() {
    let mut world = World::new(vec![source("api", &["api"])]);
    world.request.folder = world.scratch.git_dir().join("HEAD/orch");
    let told = std::sync::Mutex::new(0);
    let events = |event| {
        assert!(matches!(event, Event::Warning(_)), "{event:?}");
        *told.lock().unwrap() += 1;
    };
    let history = refresh(&world.request, &events).unwrap();
    assert_eq!(history.commits(&world.request.sessions[0].name), 2);
    assert_eq!(*told.lock().unwrap(), 2);
}

#[test]
fn a_rewritten_base_takes_its_old_commits_along() {
    let mut world = World::new(vec![source("api", &["api"])]);
    assert_eq!(world.touches("api/a"), api(2));
    world.scratch.git(&["update-ref", "refs/heads/main", "main~1"], b"");
    world.commit(4, &file("web/b", 4));
    assert_eq!(world.touches("api/a"), api(1));
}

#[test]
fn own_commits_count_before_and_after_they_land() {
    let mut world = World::new(vec![source("api", &["api"]), source("web", &["web"])]);
    let base = world.request.tips.clone();
    world.commit(5, &file("web/b", 5));
    let (own, landed) = (world.request.tips[0], std::mem::replace(&mut world.request.tips, base));
    world.request.sessions[0].commits.push(own);
    let both = [("api".to_owned(), 1), ("web".to_owned(), 1)];
    assert_eq!(world.touches("web/b"), both);
    assert_eq!(load_log(&world.request, &|_| ()).unwrap().find_commit(own).unwrap().place, Place::Side);
    world.request.tips = landed;
    assert_eq!(world.touches("web/b"), both);
    assert_eq!(load_log(&world.request, &|_| ()).unwrap().find_commit(own).unwrap().place, Place::Base);
}

#[test]
fn own_commits_that_are_gone_do_no_harm() {
    let mut world = World::new(vec![source("api", &["api"])]);
    world.request.sessions[0].commits.push(Oid::from_bytes(&[9; 20]).unwrap());
    assert_eq!(world.touches("api/a"), api(2));
}

#[test]
fn the_past_has_words_owners_and_what_exists() {
    let mut world = World::new(vec![source("api", &["api"])]);
    world.commit(6, "D web/b\n");
    for _ in 0..3 {
        let mut history = refresh(&world.request, &|event| panic!("{event:?}")).unwrap();
        history.load_words(&|event| panic!("{event:?}")).unwrap();
        let past = history.past(&["subject".to_owned(), "api".to_owned()]).unwrap();
        assert_eq!(past.files().collect::<Vec<_>>(), [b"api/a"]);
        let mut known: Vec<_> = (0..past.len()).map(|n| (past.times[n].0, past.owners.of(n))).collect();
        known.sort_by_key(|(time, _)| *time);
        assert_eq!(known, [(1, &[(0, 0.5)][..]), (2, &[(0, 1.0)]), (6, &[])]);
        assert_eq!(past.messages.lists["subject"].len(), 3);
        assert_eq!(past.names.lists["api"].len(), 1);
        // A log that is lost is mined again, and what was folded from it with it.
        std::fs::remove_file(world.request.folder.join("log")).unwrap();
        world.request.horizon -= 1;
    }
}

#[test]
fn a_longer_horizon_is_mined_for() {
    let mut world = World::new(vec![source("api", &["api"])]);
    world.request.horizon = 1;
    assert_eq!(world.touches("api/a"), api(1));
    world.request.horizon = 2;
    assert_eq!(world.touches("api/a"), api(2));
}

/// What a request's mining finds, cut off behind the first commits.
struct Cut<'a> {
    log: &'a mut Log,
    left: usize,
}

impl crate::git::mine::Sink for Cut<'_> {
    fn has(&mut self, _: Oid) -> bool {
        false
    }

    fn take(&mut self, commits: Vec<crate::model::Mined>) {
        commits.iter().take(self.left).for_each(|mined| self.log.add(mined, Place::Base));
    }
}

#[test]
fn what_a_killed_mining_left_is_gone_on_from_unless_the_base_was_rewritten() {
    let mut world = World::new(vec![source("api", &["api"])]);
    world.commit(3, &file("api/a", 3));
    let tips = world.request.tips.clone();
    let leave = |world: &World, tips: &[Oid]| {
        let mut log = Log::default();
        let span = Span { tips, hide: &[], horizon: usize::MAX };
        world.request.miner.mine(&span, &mut Cut { log: &mut log, left: 2 }, &|_| ()).unwrap();
        log.reach(&[], usize::MAX);
        std::fs::create_dir_all(&world.request.folder).unwrap();
        std::fs::remove_file(world.request.folder.join("profile")).ok();
        log.save(&world.request.folder.join("log")).unwrap();
        world.log_size()
    };
    let left = leave(&world, &tips);
    assert_eq!(world.touches("api/a"), api(3));
    assert!(world.log_size() > left, "it was added to");
    world.scratch.git(&["update-ref", "refs/heads/main", "main~2"], b"");
    world.commit(4, &file("api/a", 4));
    leave(&world, &tips);
    assert_eq!(world.touches("api/a"), api(2));
    assert_eq!(load_log(&world.request, &|_| ()).unwrap().len(), 2);
}
