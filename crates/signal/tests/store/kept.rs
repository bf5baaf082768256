//! Findings, and stores to take them.

use std::{sync::Arc, time::Duration};

use event::{EventId, JournalId, Position, Timestamp};
use finding::{Entity, EntityType, Finding, FindingKind, Level, Occurrence};
use rusqlite::Transaction;
use signal::{Act, BoxError, Change, Config, Deed, Evidence, Observed, SignalId, Store};
use state::Database;
use tempfile::TempDir;

/// A store of its own, in a folder that goes with it.
pub(crate) struct Kept {
    _dir: TempDir,
    pub(crate) database: Arc<Database>,
    pub(crate) store: Store,
}

impl Kept {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let dir = TempDir::new().unwrap();
        let database = Arc::new(Database::open(dir.path().join("state.db")).unwrap());
        let store = Store::open(Arc::clone(&database), config).unwrap();
        Self { _dir: dir, database, store }
    }

    /// Does something to a signal as a person, who says nothing of it.
    pub(crate) fn act(&self, id: SignalId, deed: Deed, when: Timestamp) -> Vec<Change> {
        let act = Act { deed, by: "ada".to_owned(), note: None };
        let mut told = Vec::new();
        let and = |_: &Transaction<'_>, changes: &[Change]| {
            told = changes.to_vec();
            Ok(())
        };
        let signal = self.store.act(id, &act, when, and).unwrap();
        assert!(told.first().is_none_or(|change| change.signal == signal));
        told
    }

    /// Takes findings in as of a time of receipt.
    pub(crate) fn observe(&self, findings: &[Finding], received: Timestamp) -> Vec<Change> {
        let observed = findings.iter().map(|finding| of(finding.clone())).collect();
        self.store.observe(observed, None, received, nothing).unwrap()
    }
}

/// Writes nothing beside.
pub(crate) fn nothing(_: &Transaction<'_>, _: &[Change]) -> Result<(), BoxError> {
    Ok(())
}

pub(crate) const NOON: Duration = Duration::ZERO;
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// So long after the first of May 2024, noon.
pub(crate) fn at(after: Duration) -> Timestamp {
    let noon = Timestamp::parse("2024-05-01T12:00:00Z").unwrap().as_nanos();
    Timestamp::saturating_from_nanos(i128::from(noon) + after.as_nanos() as i128)
}

/// The event of this number.
pub(crate) fn event(number: u32) -> EventId {
    EventId { journal: JournalId(7), position: Position { segment: 0, record: number } }
}

pub(crate) fn address(value: &str) -> Entity {
    Entity::new(EntityType::SourceIp, value)
}

/// A run of so many events, one a second, of which the first has this number.
pub(crate) fn run(first_event: u32, from: Duration, count: u32) -> Occurrence {
    let last = from + Duration::from_secs(u64::from(count - 1));
    let ids: Vec<EventId> = (first_event..first_event + count).map(event).collect();
    let begin = ids.iter().take(4);
    let end = ids.iter().skip(4.max(ids.len().saturating_sub(4)));
    Occurrence {
        first: at(from),
        last: at(last),
        count: u64::from(count),
        is_update: false,
        evidence: begin.chain(end).copied().collect(),
    }
}

/// More of a run.
pub(crate) fn more(run: Occurrence) -> Occurrence {
    Occurrence { is_update: true, ..run }
}

/// Failed logins of an address.
pub(crate) fn failures(source: &str, run: Occurrence) -> Finding {
    Finding::of_run(FindingKind::SshBruteForce, Level::Medium, "ssh_brute_force", address(source), run)
        .technique("T1110")
        .and([Entity::new(EntityType::Host, "web-1")])
}

/// A finding with a line for each event.
pub(crate) fn of(finding: Finding) -> Observed {
    let evidence = finding.evidence.iter().map(|id| {
        Evidence::new(*id, finding.first, &format!("Failed password, number {}", id.position.record))
    });
    Observed { evidence: evidence.collect(), organization: None, finding }
}
