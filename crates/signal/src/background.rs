//! What goes on at every port that is open to the internet, told once a day for each host: addresses that guess and do not
//! get in, and scanners that find nothing. Pure: which findings are of that kind, and how they are told of their host.
//!
//! What stands out is no background: whoever got in, guesses very often, or sits in one's own network.

use std::time::Duration;

use finding::{EntityType, Finding, FindingKind, Level, fact};
use serde_json::Value;

use crate::{Observed, Signal, narrative::exposure};

/// The rule of signals that tell of a host what single addresses did there.
pub const AT_HOST: &str = "ssh_guessing_at_host";
/// The rule of signals that tell of a host who asked its web servers for what scanners look for, however little.
pub const WEB_PROBES: &str = "web_probes";
/// A port is known to be open to the internet once so many addresses guessed there, on so many days (of UTC); until then
/// each is told for itself.
pub const OPEN_ADDRESSES: u32 = 5;
/// See [`OPEN_ADDRESSES`].
pub const OPEN_DAYS: u32 = 3;
/// Or so many addresses, whenever they came.
pub const OPEN_CROWD: u32 = 24;
/// That long what was seen of a port counts.
pub const OPEN_WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);
/// One signal of a host tells of so long.
pub const SPAN: Duration = Duration::from_secs(24 * 3600);
/// Addresses that one signal of a host names; with one more that guesses another signal begins.
pub const ADDRESSES_MAX: usize = 256;

/// Failures of one run that stand out.
const MANY: u64 = 100;
/// The rule whose findings of one address may be more of [`WEB_PROBES`].
const WEB_SCAN: &str = "web_scan";
/// Others than addresses that a signal of a host names, of each type.
const OTHERS_MAX: usize = 8;
/// So long before a signal of a host began, what comes late belongs to it.
const LATE: Duration = Duration::from_secs(3600);

/// The rules whose findings of one address may be background.
const RULES: [&str; 3] = ["ssh_brute_force", "ssh_patient_guessing", "ssh_probing"];

/// Whether signals of this rule tell of a host what many did there.
pub(crate) fn is_of_host(rule: &str) -> bool {
    rule == AT_HOST || rule == WEB_PROBES
}

/// Whether findings of this kind may be background.
pub(crate) fn concerns(kind: FindingKind) -> bool {
    kind == FindingKind::SshBruteForce
}

/// A finding as it is told of its host; none where it stands out, or was told by others.
pub(crate) fn at_host(observed: &Observed) -> Option<Observed> {
    let finding = &observed.finding;
    let about = finding.entities.first()?;
    let is_from_outside = about.r#type == EntityType::SourceIp && exposure::is_of_internet(&about.value);
    if !is_from_outside || finding.count >= MANY || finding.facts.contains_key(fact::ALERT_TYPE) {
        return None;
    }
    let has_succeeded = finding.facts.get(fact::SUCCEEDED).and_then(Value::as_bool);
    let (rule, main, known) = match finding.kind {
        kind if concerns(kind) => {
            let is_background = RULES.contains(&finding.rule.as_str())
                && finding.level <= Level::Medium
                && has_succeeded != Some(true);
            (AT_HOST, is_background.then(|| of(finding, EntityType::Host))??, None)
        }
        FindingKind::WebScan => {
            let is_background =
                finding.rule == WEB_SCAN && finding.level <= Level::Low && has_succeeded == Some(false);
            let site = || of(finding, EntityType::Host).or_else(|| of(finding, EntityType::Service));
            (WEB_PROBES, is_background.then(site)??, Some(fact::PATHS))
        }
        _ => return None,
    };
    let others = finding.entities.iter().filter(|entity| **entity != finding.entities[main]).cloned();
    let entities = [finding.entities[main].clone()].into_iter().chain(others).collect();
    let mut facts = finding.facts.clone();
    facts.retain(|name, _| known == Some(name.as_str()));
    let finding = Finding { rule: rule.to_owned(), entities, facts, ..finding.clone() };
    Some(Observed { finding, ..observed.clone() })
}

/// Whether that is background wherever it happens, told of its host from the first on.
pub(crate) fn is_everywhere(of_host: &Finding) -> bool {
    of_host.rule == WEB_PROBES
}

fn of(finding: &Finding, wanted: EntityType) -> Option<usize> {
    finding.entities.iter().position(|entity| entity.r#type == wanted)
}

/// Whether a finding belongs to the day that a signal of a host tells of, and has room there.
pub(crate) fn fits(signal: &Signal, finding: &Finding) -> bool {
    let since = finding.first.as_nanos().saturating_sub(signal.first.as_nanos());
    let until_last = signal.last.as_nanos().saturating_sub(finding.first.as_nanos());
    // What single addresses asked is told when it is over, in whatever order that is.
    let is_not_earlier = match signal.rule == WEB_PROBES {
        true => until_last < SPAN.as_nanos() as i64,
        false => -(LATE.as_nanos() as i64) <= since,
    };
    let is_of_day = is_not_earlier && since < SPAN.as_nanos() as i64;
    let is_named = |place: usize| signal.entities.contains(&finding.entities[place]);
    let address = of(finding, EntityType::SourceIp);
    let takes = |address| is_named(address) || has_room(signal, EntityType::SourceIp);
    // Of single probes more come than can be named.
    let is_single = signal.rule == WEB_PROBES && finding.level == Level::Informational;
    is_of_day && (is_single || address.is_none_or(takes))
}

/// Adds to a list that a signal of a host knows what a finding has more, within so many bytes; other facts are the latest.
pub(crate) fn merge(known: &mut serde_json::Value, more: &serde_json::Value, bytes_max: usize) {
    let (Some(all), Some(more)) = (known.as_array_mut(), more.as_array()) else {
        known.clone_from(more);
        return;
    };
    let bytes = |value: &serde_json::Value| value.to_string().len() + 1;
    let mut left = bytes_max.saturating_sub(all.iter().map(bytes).sum());
    for one in more {
        if !all.contains(one) && bytes(one) < left {
            left -= bytes(one);
            all.push(one.clone());
        }
    }
}

/// Whether a signal of a host may name one more of this type.
pub(crate) fn has_room(signal: &Signal, wanted: EntityType) -> bool {
    let named = signal.entities.iter().filter(|entity| entity.r#type == wanted).count();
    named < if wanted == EntityType::SourceIp { ADDRESSES_MAX } else { OTHERS_MAX }
}

#[cfg(test)]
mod tests {
    use event::{EventId, JournalId, Position, Timestamp};
    use finding::{Entity, Occurrence};

    use super::*;

    fn observed(address: &str) -> Observed {
        let id = EventId { journal: JournalId(7), position: Position::default() };
        let at = Timestamp::MIN;
        let run = Occurrence { first: at, last: at, count: 5, is_update: false, evidence: vec![id] };
        let about = Entity::new(EntityType::SourceIp, address);
        let finding =
            Finding::of_run(FindingKind::SshBruteForce, Level::Medium, "ssh_brute_force", about, run)
                .and([Entity::new(EntityType::User, "root"), Entity::new(EntityType::Host, "gate")])
                .fact(fact::SUCCEEDED, false);
        Observed { finding, organization: None, evidence: Vec::new() }
    }

    #[test]
    fn what_is_background_is_told_of_its_host() {
        let told = at_host(&observed("203.0.113.7")).unwrap().finding;
        let entities: Vec<&str> = told.entities.iter().map(|entity| entity.value.as_str()).collect();
        assert_eq!(
            (told.rule.as_str(), entities, told.facts.len()),
            (AT_HOST, vec!["gate", "203.0.113.7", "root"], 0)
        );
        assert!(at_host(&observed("2001:db8:1:2::/64")).is_some());
    }

    #[test]
    fn a_scan_that_found_nothing_is_told_of_its_site() {
        let scan = || {
            let mut scan = observed("203.0.113.7");
            (scan.finding.kind, scan.finding.level) = (FindingKind::WebScan, Level::Low);
            scan.finding.rule = "web_scan".to_owned();
            let known =
                [(fact::PATHS, Value::from(vec!["/admin"])), (fact::STATUSES, Value::from(vec!["404"]))];
            scan.finding.facts.extend(known.map(|(name, value)| (name.to_owned(), value)));
            scan
        };
        let told = at_host(&scan()).unwrap().finding;
        let facts: Vec<&str> = told.facts.keys().map(String::as_str).collect();
        assert_eq!(
            (told.rule.as_str(), told.entities[0].value.as_str(), facts),
            (WEB_PROBES, "gate", vec![fact::PATHS])
        );
        let changes: [fn(&mut Finding); 4] = [
            |finding| finding.level = Level::Medium,
            |finding| drop(finding.facts.insert(fact::SUCCEEDED.to_owned(), true.into())),
            |finding| drop(finding.facts.remove(fact::SUCCEEDED)),
            |finding| finding.kind = FindingKind::WebExploitAttempt,
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut changed = scan();
            change(&mut changed.finding);
            assert_eq!(at_host(&changed), None, "{place}");
        }
    }

    #[test]
    fn what_stands_out_is_not() {
        for address in ["10.0.0.7", "127.0.0.1", "fd00::1", "no address"] {
            assert_eq!(at_host(&observed(address)), None, "{address}");
        }
        let changes: [fn(&mut Finding); 6] = [
            |finding| finding.level = Level::High,
            |finding| finding.count = MANY,
            |finding| finding.rule = "ssh_handshake_abuse".to_owned(),
            |finding| drop(finding.facts.insert(fact::SUCCEEDED.to_owned(), true.into())),
            |finding| drop(finding.facts.insert(fact::ALERT_TYPE.to_owned(), "ssh".into())),
            |finding| finding.entities.retain(|entity| entity.r#type != EntityType::Host),
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut changed = observed("203.0.113.7");
            change(&mut changed.finding);
            assert_eq!(at_host(&changed), None, "{place}");
        }
    }
}
