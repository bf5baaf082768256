//! Signals that are one story: failures, then success, then sudo, then a new key. Pure: what links signals, and what is
//! told of them together.

use std::time::Duration;

use event::Timestamp;
use finding::{Entity, EntityType, FindingKind, Level};
use serde::Serialize;

use crate::{
    ENTITIES_MAX, Policy, Signal, SignalId, State, Story, background,
    group::{add_some, later},
};

/// A signal belongs to a story when it comes within this time of what is told there.
pub const FOLLOWS_WITHIN: Duration = Duration::from_secs(3600);
/// Signals of one incident; further ones stand for themselves.
pub const INCIDENT_SIGNALS_MAX: usize = 100;
/// Links of one signal; further entities of it link to nothing.
const LINKS_MAX: usize = 16;

/// Signals that are one story.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Incident {
    /// Its name: derived from the signal with which it became a story.
    pub id: SignalId,
    /// The organization whose events they are.
    pub organization: Option<String>,
    /// As grave as its gravest signal.
    pub severity: Level,
    /// Where it stands: as the signal that most asks for attention.
    pub state: State,
    /// When the first of it began, in event time.
    pub first: Timestamp,
    /// When the last of it was seen, in event time.
    pub last: Timestamp,
    /// How many events it stands for.
    pub count: u64,
    /// Whom it is about, those of the first signals first.
    pub entities: Vec<Entity>,
    /// What happened, in the order in which it began.
    pub signals: Vec<Signal>,
}

impl Incident {
    /// The story of these signals; none of no signals.
    pub(crate) fn of(id: SignalId, mut signals: Vec<Signal>) -> Option<Self> {
        signals.sort_by_key(|signal| (signal.first, signal.last, signal.id));
        let begin = signals.first()?;
        let mut incident = Self {
            id,
            organization: begin.organization.clone(),
            severity: begin.severity,
            state: State::Resolved,
            first: begin.first,
            last: begin.last,
            count: 0,
            entities: Vec::new(),
            signals: Vec::new(),
        };
        for signal in &signals {
            incident.severity = incident.severity.max(signal.severity);
            incident.last = incident.last.max(signal.last);
            incident.count = incident.count.saturating_add(signal.count);
            add_some(&mut incident.entities, &signal.entities, ENTITIES_MAX);
        }
        let urgent = [State::Escalating, State::Reopened, State::New, State::Ongoing, State::Acknowledged];
        let is_one_so = |state: &State| signals.iter().any(|signal| signal.state == *state);
        incident.state = urgent.into_iter().find(is_one_so).unwrap_or(State::Resolved);
        incident.signals = signals;
        Some(incident)
    }
}

/// What links a signal to others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    /// By which others find it.
    pub(crate) offered: Vec<String>,
    /// By which it finds others.
    pub(crate) sought: Vec<String>,
}

impl Links {
    fn both(&mut self, link: String) {
        self.sought.push(link.clone());
        self.offered.push(link);
    }
}

/// What links a signal to others. An address links whatever it did; a user does on one host, and only once somebody is
/// in: the accounts that are tried from outside are not those of who tries. A host alone links what has neither address nor
/// user to those who are in there, else everybody on a busy host were one story.
pub(crate) fn links(signal: &Signal) -> Links {
    let of = |wanted: EntityType| {
        let entities = signal.entities.iter().filter(move |entity| entity.r#type == wanted);
        entities.map(|entity| entity.value.as_str())
    };
    let story = Policy::of(signal.kind).story;
    let mut links = Links::default();
    // What one of many at a host does has nothing to do with the others.
    if story == Story::Alone || background::is_of_host(&signal.rule) {
        return links;
    }
    if story == Story::Health {
        of(EntityType::Host).take(LINKS_MAX).for_each(|host| links.both(format!("health:{host}")));
        return links;
    }
    of(EntityType::SourceIp).take(LINKS_MAX).for_each(|address| links.both(format!("source.ip:{address}")));
    if story == Story::Attempt {
        return links;
    }
    for host in of(EntityType::Host).take(4) {
        of(EntityType::User).take(4).for_each(|user| links.both(format!("user:{user}@{host}")));
    }
    let is_nobodys = of(EntityType::SourceIp).chain(of(EntityType::User)).next().is_none();
    // The account that was changed is not who did it.
    let is_of_host = is_nobodys || signal.kind == FindingKind::AccountChanged;
    for host in of(EntityType::Host).take(4) {
        links.offered.push(format!("inside:{host}"));
        if is_of_host {
            links.sought.push(format!("inside:{host}"));
            links.offered.push(format!("host:{host}"));
        } else {
            links.sought.push(format!("host:{host}"));
        }
    }
    links
}

/// The name of the story that there is since this signal came.
pub(crate) fn id_of(begin: SignalId) -> SignalId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"incident").update(&begin.0.to_be_bytes());
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    SignalId(u128::from_be_bytes(id))
}

/// The times between which others must have been seen to belong to the story of a signal.
pub(crate) fn around(signal: &Signal) -> (Timestamp, Timestamp) {
    (crate::group::earlier(signal.first, FOLLOWS_WITHIN), later(signal.last, FOLLOWS_WITHIN))
}
