//! Changes of who may do what on this machine, and of what starts by itself: accounts, groups, sudoers, schedules, SSH keys,
//! units of systemd, libraries that every program loads, scripts of boots and logins, as ordinary events.
//!
//! The files are looked at every few seconds, and each is read when its size, times or inode are others. What stood in
//! them travels as a note in the journal, durable together with the events that tell of a change: a crash neither repeats
//! nor skips one, and what changed while the program was stopped is told when it starts. The first time nothing is told,
//! for there is nothing to compare with.
//!
//! No password, no hash of one and no key is read into an event or kept: `shadow` is never opened, of the lines of
//! `passwd` the second field is dropped, and values that are called secrets in other lines are left out.

mod changes;
mod items;
mod kind;
mod list;
mod listed;
mod seen;
mod starts;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};

use metrics::{counter, gauge};
use telemetry::{
    health::Component,
    metric,
    task::{Stop, Ticks, blocking},
};

use crate::{Door, Refused};
use changes::{About, Change, told};
use items::Item;
use listed::{Listed, Stamp};
use seen::Seen;

/// Changes of one file that are told one by one; of more their number is told.
const TOLD_MAX: usize = 50;

/// Where to look, and how often.
#[derive(Debug, Clone)]
pub struct Config {
    /// Below which folder `/etc`, `/var/spool/cron` and the homes are: `/`, or where those of the machine stand in a
    /// container. Setting `LOG_SENTINEL_SYSTEM_ROOT`.
    pub root: PathBuf,
    /// How often (10 s by default). Setting `LOG_SENTINEL_SYSTEM_INTERVAL`.
    pub interval: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { root: "/".into(), interval: Duration::from_secs(10) }
    }
}

/// What is watched, and what stood there when it was last looked at.
pub struct Watcher {
    config: Config,
    door: Door,
    /// None before anything was seen.
    seen: Option<Seen>,
    /// What was read of each file, and how it stood then.
    read: HashMap<String, (Stamp, BTreeMap<String, Item>)>,
    /// Files that were not there at the last look: an editor may be about to put them back.
    missing: HashSet<String>,
    /// Files that cannot be read, each told once.
    unreadable: HashSet<String>,
}

/// Looks until told to stop.
pub async fn watch(config: Config, door: Door, health: Component, stop: Stop) {
    let mut ticks = Ticks::every(config.interval, stop);
    let mut watcher = Watcher::new(config, door);
    loop {
        let looked = blocking("system", move || {
            let looked = watcher.look();
            (watcher, looked)
        });
        let Ok((back, looked)) = looked.await else { return };
        watcher = back;
        match looked {
            Ok(_) if watcher.unreadable.is_empty() => health.ok(),
            Ok(_) => health.degraded(watcher.why_unreadable()),
            Err(refused) => health.degraded(format!("changes of this machine wait: {refused}")),
        }
        if !ticks.next().await {
            return;
        }
    }
}

impl Watcher {
    /// Goes on with what was seen before, as the journal has it.
    pub fn new(config: Config, door: Door) -> Self {
        let seen = Seen::noted(door.journal());
        Self { config, door, seen, read: HashMap::new(), missing: HashSet::new(), unreadable: HashSet::new() }
    }

    /// Looks once at everything; gives how many events tell of what changed. Blocks on the disk.
    ///
    /// # Errors
    /// When the journal takes nothing at present: the next look tells of the same.
    pub fn look(&mut self) -> Result<usize, Refused> {
        let listed = list::all(&self.config.root);
        self.read_all(&listed);
        let Some(mut before) = self.seen.take() else {
            let now = self.current(&Seen::default(), &[]);
            tracing::info!(
                files = now.files(),
                "accounts, keys, schedules and what starts by itself on this machine are watched from now on"
            );
            self.keep(&[], &now)?;
            self.seen = Some(now);
            return Ok(0);
        };
        if before.lacks_starts() {
            self.know_starts(&mut before, &listed);
        }
        let gone = self.gone(&before, &listed);
        let now = self.current(&before, &gone);
        if before == now {
            self.seen = Some(before);
            return Ok(0);
        }
        let changes = self.changes(&before, &gone, &listed);
        match self.keep(&changes, &now) {
            Ok(()) => self.seen = Some(now),
            Err(refused) => {
                self.seen = Some(before);
                return Err(refused);
            }
        }
        counter!(metric::SYSTEM_CHANGES).increment(changes.len() as u64);
        Ok(changes.len())
    }

    /// Reads what has another stamp than before.
    fn read_all(&mut self, listed: &Listed) {
        self.read.retain(|path, _| listed.files.contains_key(path));
        self.unreadable.retain(|path| listed.files.contains_key(path));
        for (path, file) in &listed.files {
            if self.read.get(path).is_some_and(|(stamp, _)| *stamp == file.stamp) {
                continue;
            }
            match listed::read(&self.config.root, path) {
                Ok(Some((stamp, text))) => {
                    self.unreadable.remove(path);
                    self.read.insert(path.clone(), (stamp, items::of(&file.kind, &text)));
                }
                Ok(None) => {}
                Err(error) => {
                    if self.unreadable.insert(path.clone()) {
                        tracing::warn!(%path, %error, "this file is not watched, for it cannot be read; run as root to have it watched");
                    }
                }
            }
        }
        let bounded = usize::from(listed.is_cut);
        gauge!(metric::SYSTEM_UNREAD_FILES).set((self.unreadable.len() + bounded) as f64);
    }

    /// What starts by itself was not watched before: what is there is taken for known.
    fn know_starts(&self, before: &mut Seen, listed: &Listed) {
        let is_of_starts = |path: &str| listed.files.get(path).is_some_and(|file| file.kind.is_of_starts());
        for (path, (_, items)) in self.read.iter().filter(|(path, _)| is_of_starts(path)) {
            before.put(path, items);
        }
    }

    /// Files that were there and are missing for the second time: an editor may have been about to put them back.
    fn gone(&mut self, before: &Seen, listed: &Listed) -> Vec<String> {
        let is_absent =
            |path: &&str| !listed.is_cut && !listed.files.contains_key(*path) && !list::is_never_gone(path);
        let absent: HashSet<String> = before.paths().filter(is_absent).map(str::to_owned).collect();
        let gone = absent.intersection(&self.missing).cloned().collect();
        self.missing = absent;
        gone
    }

    /// What is there now. A file that cannot be read, that is empty and never should be, or that has just gone is as it
    /// was.
    fn current(&self, before: &Seen, gone: &[String]) -> Seen {
        let mut now = Seen::default();
        for (path, (_, items)) in &self.read {
            if !items.is_empty() || !list::is_never_gone(path) {
                now.put(path, items);
            }
        }
        for path in before.paths() {
            if !now.has(path) && !gone.iter().any(|gone| gone == path) {
                now.take_over(path, before);
            }
        }
        now
    }

    fn changes(&self, before: &Seen, gone: &[String], listed: &Listed) -> Vec<Change> {
        let names = self.read.get(list::PASSWD).map(|(_, items)| items::names(items)).unwrap_or_default();
        let mut changes = vec![];
        for (path, (stamp, items)) in &self.read {
            let is_emptied = items.is_empty() && list::is_never_gone(path);
            let Some(kind) = listed.files.get(path).map(|file| &file.kind).filter(|_| !is_emptied) else {
                continue;
            };
            let owner = names.get(&stamp.owner).cloned().unwrap_or_else(|| stamp.owner.to_string());
            let about = About { path, kind, owner: Some(owner), modified: Some(stamp.modified) };
            changes.extend(told(&about, changes::between(before.items(path), items), TOLD_MAX));
        }
        for path in gone {
            let about = About { path, kind: &list::kind_of(path), owner: None, modified: None };
            changes.extend(told(&about, changes::between(before.items(path), &BTreeMap::new()), TOLD_MAX));
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes
    }

    /// Makes what changed durable, together with what is there now.
    fn keep(&self, changes: &[Change], now: &Seen) -> Result<(), Refused> {
        let mut delivery = self.door.own_delivery();
        let (received, host) = (crate::system_clock(), self.door.config().host.clone());
        for change in changes {
            delivery.put(Ok(change.event(received, host.as_deref())));
        }
        delivery.note(now.note());
        self.door.append_blocking(delivery).map(drop)
    }

    fn why_unreadable(&self) -> String {
        let mut first: Vec<_> = self.unreadable.iter().map(String::as_str).collect();
        first.sort_unstable();
        let more = first.len().saturating_sub(3);
        first.truncate(3);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!(
            "not watched, for they cannot be read: {}{more}; run as root to have them watched",
            first.join(", ")
        )
    }
}
