//! How much of a finding is kept. Detectors stay within these bounds by themselves; what others send may not.

use event::EventId;
use finding::{Entity, Facts};

use crate::{Evidence, Observed, background};

/// Entities that a signal names; more are left out.
pub const ENTITIES_MAX: usize = 32;
/// Techniques that a signal names; more are left out.
pub const TECHNIQUES_MAX: usize = 16;
/// Bytes of the name of a rule, an organization or a technique; longer ones are cut.
pub const NAMES_BYTES_MAX: usize = 256;
/// Facts that a signal knows; more are left out.
pub const FACTS_MAX: usize = 32;
/// Bytes of one fact as JSON, and of its name; longer ones are left out.
pub const FACT_BYTES_MAX: usize = 4096;
/// Events that a finding is known by; more are left out.
const EVENTS_MAX: usize = 16;

/// Entities that a signal of this rule names.
pub(crate) fn entities_max(rule: &str) -> usize {
    if background::is_of_host(rule) { background::ADDRESSES_MAX + ENTITIES_MAX } else { ENTITIES_MAX }
}

/// The same finding within the bounds.
pub(crate) fn within(mut observed: Observed) -> Observed {
    let finding = &mut observed.finding;
    cut(&mut finding.rule, NAMES_BYTES_MAX);
    finding.entities.truncate(entities_max(&finding.rule));
    finding.entities.iter_mut().for_each(|entity| cut(&mut entity.value, Entity::BYTES_MAX));
    finding.techniques.truncate(TECHNIQUES_MAX);
    finding.techniques.iter_mut().for_each(|technique| cut(technique, NAMES_BYTES_MAX));
    finding.facts = facts(std::mem::take(&mut finding.facts));
    keep_ends(&mut finding.evidence);
    finding.last = finding.last.max(finding.first);
    observed.organization.iter_mut().for_each(|organization| cut(organization, NAMES_BYTES_MAX));
    observed.evidence.truncate(EVENTS_MAX);
    observed.evidence.iter_mut().for_each(|event| cut(&mut event.message, Evidence::MESSAGE_BYTES_MAX));
    observed
}

fn facts(mut facts: Facts) -> Facts {
    let is_short = |name: &String, value: &serde_json::Value| {
        name.len() <= NAMES_BYTES_MAX && value.to_string().len() <= FACT_BYTES_MAX
    };
    facts.retain(|name, value| is_short(name, value));
    facts.into_iter().take(FACTS_MAX).collect()
}

/// Keeps the first and the last few.
fn keep_ends(events: &mut Vec<EventId>) {
    if events.len() > EVENTS_MAX {
        events.drain(EVENTS_MAX / 2..events.len() - EVENTS_MAX / 2);
    }
}

fn cut(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        let end = (0..=bytes_max).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
    }
}
