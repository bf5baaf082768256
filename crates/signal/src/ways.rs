//! One address that is found at one thing in several ways: told as one signal, under the rule that says most. Pure.

use finding::{Finding, fact};
use serde_json::Value;

use crate::Signal;

/// Rules that find one address trying to get in over SSH, the one that says most first: failures in quick succession,
/// what adds up over a day, connections that are broken off.
const SSH: [&str; 3] = ["ssh_brute_force", "ssh_patient_guessing", "ssh_probing"];

/// So many ways there are at most.
pub(crate) const WAYS: usize = SSH.len();

/// Rules whose signals a finding may go into: its own, and those that find the same in another way.
pub(crate) fn rules(finding: &Finding) -> impl Iterator<Item = &str> {
    let own = finding.rule.as_str();
    let others = SSH.into_iter().filter(move |rule| *rule != own && of(finding).is_some());
    std::iter::once(own).chain(others)
}

/// In which of several ways the events of a finding were found; none where there is one only.
pub(crate) fn of(finding: &Finding) -> Option<u8> {
    // What others tell counts reports.
    way(&finding.rule).filter(|_| !finding.facts.contains_key(fact::ALERT_TYPE))
}

/// The same of what a signal knew before ways were kept.
pub(crate) fn of_signal(signal: &Signal) -> Option<u8> {
    way(&signal.rule).filter(|_| !signal.facts.contains_key(fact::ALERT_TYPE))
}

/// The way of a rule; the lower, the more it says.
fn way(rule: &str) -> Option<u8> {
    SSH.iter().zip(0..).find_map(|(known, way)| (*known == rule).then_some(way))
}

/// Whether a finding in another way than a signal may go into it: not where somebody spoke of that way alone.
pub(crate) fn may_join(signal: &Signal) -> bool {
    let standing = &signal.standing;
    standing.label.is_none() && !standing.hidden && !signal.facts.contains_key(fact::ALERT_TYPE)
}

/// Notes of a signal that it is found in this way too, and has it tell under the rule that says most.
pub(crate) fn add(signal: &mut Signal, finding: &Finding) {
    if signal.rule == finding.rule && !signal.facts.contains_key(fact::FOUND_BY) {
        return;
    }
    let before = signal.rule.clone();
    if way(&finding.rule) < way(&before) {
        signal.rule.clone_from(&finding.rule);
    }
    let ways = signal.facts.entry(fact::FOUND_BY.to_owned()).or_insert_with(|| fact::list([before.as_str()]));
    if let Some(ways) = ways.as_array_mut()
        && !ways.contains(&Value::from(finding.rule.as_str()))
    {
        ways.push(finding.rule.as_str().into());
    }
}
