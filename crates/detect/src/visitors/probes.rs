//! What somebody asked web servers for that programs ask every site for, and that came to no scan and no exploit.

use std::time::Duration;

use event::{EventId, Timestamp};
use finding::fact;
use serde::{Deserialize, Serialize};

use super::visit::Visit;
use crate::{
    Entity, EntityType, Finding, FindingKind, Level, Occurrence, Origin,
    table::{Occupancy, Table},
    window::{LATENESS, nanos},
};

/// So long after the last of them it is known that they came to no more: an hour in which exploits are one run, and what
/// comes late.
const OVER_NANOS: i64 = nanos(Duration::from_secs(3_600)) + nanos(LATENESS);
/// What is kept of each address: so many of what it asked for, so much of each, and so many events.
const PATHS: usize = 6;
const PATH_BYTES: usize = 96;
const EVIDENCE: usize = 4;
/// Of what is over so much waits to be told; what is more is told together with what the same address asks next.
const OVER_MAX: usize = 4_096;

/// What one address asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Probe {
    /// The host and the service that was asked last.
    host: String,
    service: String,
    paths: Vec<String>,
    first: i64,
    last: i64,
    count: u64,
    evidence: Vec<EventId>,
}

/// What each address asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Probes {
    table: Table<Origin, Probe>,
    /// What was over when the same address did something more.
    #[serde(default)]
    over: Vec<(Origin, Probe)>,
}

impl Default for Probes {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Probes {
    pub(super) fn new(keys_max: usize) -> Self {
        Self { table: Table::new(keys_max), over: Vec::new() }
    }

    pub(super) fn take_up(&mut self, kept: Self) {
        self.table.take_up(kept.table);
        self.over = kept.over;
    }

    pub(super) fn occupancy(&self) -> Occupancy {
        let of_paths = PATHS * (size_of::<String>() + PATH_BYTES);
        self.table.occupancy(of_paths + 2 * Entity::BYTES_MAX + EVIDENCE * size_of::<EventId>())
    }

    /// Before an address does something more: what it did is over if that was long ago by its own clock, however late others
    /// are; but not where it was told otherwise between these two times.
    pub(super) fn settle(&mut self, origin: &Origin, at: i64, is_told: impl Fn(&Origin, [i64; 2]) -> bool) {
        let is_over = |probe: &Probe| at.saturating_sub(probe.last) > OVER_NANOS;
        if self.over.len() >= OVER_MAX || !self.table.get(origin).is_some_and(is_over) {
            return;
        }
        let Some(probe) = self.table.remove(origin) else { return };
        if !is_told(origin, [probe.first, probe.last]) {
            self.over.push((*origin, probe));
        }
    }

    /// Takes note of one more request.
    pub(super) fn note(&mut self, visit: &Visit<'_>) {
        let (at, probe) = (visit.seen.at().as_nanos(), self.table.touch(&visit.origin));
        if probe.count == 0 {
            (probe.first, probe.last) = (at, at);
        }
        (probe.first, probe.last) = (probe.first.min(at), probe.last.max(at));
        probe.count = probe.count.saturating_add(1);
        [probe.host, probe.service] = visit.about().map(|entity| entity.value);
        if let Some(request) = visit.request.filter(|_| probe.paths.len() < PATHS) {
            let end = request.target.floor_char_boundary(PATH_BYTES);
            fact::add(&mut probe.paths, &request.target[..end]);
        }
        if probe.evidence.len() < EVIDENCE {
            probe.evidence.push(visit.seen.analyzed.id);
        }
    }

    /// What is over, told of its host; but for those that were told otherwise between these two times.
    pub(super) fn over(
        &mut self,
        now: Timestamp,
        is_told: impl Fn(&Origin, [i64; 2]) -> bool,
    ) -> Vec<Finding> {
        let before = now.as_nanos().saturating_sub(OVER_NANOS);
        let over = self.table.iter().filter(|(_, probe)| probe.last < before);
        let over: Vec<Origin> = over.map(|(origin, _)| *origin).collect();
        let mut all = std::mem::take(&mut self.over);
        for origin in over {
            let Some(probe) = self.table.remove(&origin) else { continue };
            if !is_told(&origin, [probe.first, probe.last]) {
                all.push((origin, probe));
            }
        }
        all.sort_by_key(|(_, probe)| probe.first);
        all.into_iter().filter_map(|(origin, probe)| probe.told(origin)).collect()
    }
}

impl Probe {
    /// None where neither host nor service is known.
    fn told(self, origin: Origin) -> Option<Finding> {
        let time = |nanos: i64| Timestamp::saturating_from_nanos(nanos.into());
        let run = Occurrence {
            first: time(self.first),
            last: time(self.last),
            count: self.count,
            is_update: false,
            evidence: self.evidence,
        };
        let host = Entity::new(EntityType::Host, self.host);
        let service = Entity::new(EntityType::Service, self.service);
        let about = [&host, &service].into_iter().find(|entity| !entity.value.is_empty())?.clone();
        let (kind, level) = (FindingKind::WebScan, Level::Informational);
        let finding = Finding::of_run(kind, level, "web_probes", about, run).technique("T1595");
        let paths = fact::list(self.paths.iter().map(String::as_str));
        Some(finding.and([origin.entity(), service]).fact(fact::PATHS, paths))
    }
}
