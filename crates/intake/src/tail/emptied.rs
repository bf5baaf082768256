//! Logs that were emptied or taken away while what was in them stands nowhere beside.
//!
//! Rotation leaves something: the file under another name, a copy, perhaps packed, in the same folder or in one below it.
//! So a while after a file was truncated or its last name went, it is looked for anything there that is called like it
//! and was written or renamed about then. Only where there is nothing is it told.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use event::{Event, Severity, Timestamp, Value};

use crate::platform::{self, About};

/// Remembered at most; the oldest go.
const EMPTIED_MAX: usize = 64;
/// A rotation is given so long to leave something.
const JUDGED_AFTER: Duration = Duration::from_secs(30);
/// What a rotation left was changed no longer ago.
const ROTATED_WITHIN: Duration = Duration::from_secs(3_600);
/// Entries of a folder, and folders below it, that are looked at.
const ENTRIES_MAX: usize = 2_000;
const FOLDERS_MAX: usize = 20;
/// The program that such events name as theirs.
const PROVIDER: &str = "log_watch";

/// A file that was emptied, or is gone.
#[derive(Debug, Clone)]
pub(super) struct Emptied {
    pub(super) path: PathBuf,
    /// Bytes of it that were read.
    pub(super) read: u64,
    pub(super) is_gone: bool,
    since: Instant,
}

/// Those about which nothing is decided yet, the oldest first.
#[derive(Debug, Default)]
pub(super) struct AllEmptied(VecDeque<Emptied>);

impl AllEmptied {
    /// Remembers a file of which something was read.
    pub(super) fn add(&mut self, path: &Path, read: u64, is_gone: bool, since: Instant) {
        if read == 0 || self.0.iter().any(|known| known.path == path) {
            return;
        }
        if self.0.len() == EMPTIED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Emptied { path: path.to_owned(), read, is_gone, since });
    }

    /// Takes those that have waited and were not rotated.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Emptied> {
        let mut due = vec![];
        while self.0.front().is_some_and(|emptied| emptied.since + JUDGED_AFTER <= now) {
            due.extend(self.0.pop_front().filter(|emptied| !is_rotated(&emptied.path)));
        }
        due
    }

    /// Has them be told later.
    pub(super) fn put_back(&mut self, due: Vec<Emptied>) {
        due.into_iter().rev().for_each(|emptied| self.0.push_front(emptied));
    }
}

impl Emptied {
    /// The event that tells of it.
    pub(super) fn event(&self, received: Timestamp, host: Option<&str>) -> Event<'static> {
        let path = self.path.to_string_lossy();
        let left = fs::metadata(&self.path).map(|about| about.len()).ok();
        let (what, action, r#type) = match (self.is_gone, left) {
            (true, None) => ("was removed", "log_vanished", "deletion"),
            (true, Some(_)) => ("was removed and made anew", "log_vanished", "deletion"),
            (false, _) => ("was emptied", "log_emptied", "change"),
        };
        let text = format!(
            "{path} {what}; of the {} bytes that were read of it nothing stands beside it",
            self.read
        );
        let mut event = Event::new(text, received);
        event.severity = Severity::Warn;
        event.source = Some(PROVIDER.into());
        event.host = host.map(|host| host.to_owned().into());
        event.set("event.provider", PROVIDER);
        event.set("event.category", Value::Json("[\"file\"]".into()));
        event.set("event.type", Value::Json(format!("[\"{type}\"]").into()));
        event.set("event.action", action);
        event.set("file.path", path.into_owned());
        event.set("file.size", i64::try_from(left.unwrap_or_default()).unwrap_or(i64::MAX));
        event
    }
}

/// Whether something beside a file is called like it and was changed lately.
fn is_rotated(path: &Path) -> bool {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return false;
    };
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut folders = vec![folder.to_owned()];
    let mut is_below = false;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten().take(ENTRIES_MAX) {
            let Ok(about) = platform::about_itself(&entry.path()) else { continue };
            if about.is_dir() {
                if !is_below && folders.len() < FOLDERS_MAX {
                    folders.push(entry.path());
                }
                continue;
            }
            let other = entry.file_name();
            let is_like = other.to_str().is_some_and(|other| is_called_like(other, name, stem));
            if is_like && about.len() > 0 && is_recent(&about) {
                return true;
            }
        }
        is_below = true;
    }
    false
}

/// `auth.log.1`, `auth.log-20261101.gz`, `auth-20261101.log`, but not `auth.log` nor `authorized`.
fn is_called_like(other: &str, name: &str, stem: &str) -> bool {
    let behind = |start: &str| {
        let rest = other.strip_prefix(start)?;
        rest.starts_with(['.', '-', '_', '~', '@']).then_some(rest)
    };
    if behind(name).is_some() {
        return true;
    }
    // A date or a number stands before the ending.
    other != name && behind(stem).is_some_and(|rest| rest.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Written, renamed or made lately.
fn is_recent(about: &About) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let changed = platform::modified(about).0.max(platform::changed(about).0);
    let changed = u64::try_from(changed).unwrap_or_default();
    changed.saturating_add(ROTATED_WITHIN.as_secs()) >= now
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is told of a file that was emptied, when these stand beside it.
    fn is_told(beside: &[&str]) -> bool {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("auth.log"), "").unwrap();
        for name in beside {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let (mut all, since) = (AllEmptied::default(), Instant::now());
        all.add(&dir.path().join("auth.log"), 100, false, since);
        all.add(&dir.path().join("auth.log"), 100, false, since);
        assert!(all.due(since).is_empty(), "a rotation has time");
        let due = all.due(since + JUDGED_AFTER);
        assert!(all.due(since + JUDGED_AFTER).is_empty(), "once");
        assert!(due.len() <= 1);
        !due.is_empty()
    }

    #[test]
    fn rotations_are_not_told() {
        for beside in
            ["auth.log.1", "auth.log.1.gz", "auth.log-20261101", "auth-20261101.log", "old/auth.log.1"]
        {
            assert!(!is_told(&[beside]), "{beside}");
        }
        for beside in ["authorized", "auth.conf", "kern.log.1", "deep/er/auth.log.1"] {
            assert!(is_told(&[beside]), "{beside}");
        }
        assert!(is_told(&[]));
    }

    #[test]
    fn what_was_rotated_long_ago_is_no_excuse_and_an_event_says_what_happened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("auth.log");
        let mut all = AllEmptied::default();
        let since = Instant::now();
        all.add(&path, 0, true, since);
        assert!(all.due(since + JUDGED_AFTER).is_empty(), "nothing was read of it");
        all.add(&path, 10, true, since);
        let due = all.due(since + JUDGED_AFTER);
        all.put_back(due.clone());
        assert_eq!(all.due(since + JUDGED_AFTER).len(), 1, "told later");
        let event = due[0].event(Timestamp::MIN, Some("gate"));
        assert!(event.message.contains("auth.log was removed; of the 10 bytes"), "{}", event.message);
        fs::write(&path, "new").unwrap();
        let event = due[0].event(Timestamp::MIN, Some("gate"));
        assert!(event.message.contains("was removed and made anew"), "{}", event.message);
        assert_eq!(event.field("file.size"), Some(&Value::Int(3)));
        for number in 0..2 * EMPTIED_MAX {
            all.add(&dir.path().join(format!("{number}.log")), 1, true, since);
        }
        assert_eq!(all.due(since + JUDGED_AFTER).len(), EMPTIED_MAX);
    }
}
