//! Events that end a session.

use super::relation::lower_bound;

/// Sessions that have to end with the event.
const SUPPORT: u64 = 20;
/// Of the sessions that have the event, so many end with it, with confidence.
const SHARE: f64 = 0.95;

/// The events that come once and last in nearly all sessions that have them, rising, from sequences of
/// normal sessions and how many have them.
pub(super) fn closing(sequences: &[(Box<[u32]>, u64)], events: usize) -> Vec<u32> {
    let mut present = vec![0_u64; events];
    let mut last_once = vec![0_u64; events];
    let mut seen = vec![];
    for (sequence, support) in sequences {
        seen.clear();
        seen.extend_from_slice(sequence);
        seen.sort_unstable();
        seen.dedup();
        seen.iter().for_each(|event| present[*event as usize] += support);
        if let Some((last, before)) = sequence.split_last()
            && !before.is_empty()
            && !before.contains(last)
        {
            last_once[*last as usize] += support;
        }
    }
    (0..events as u32)
        .filter(|event| {
            let (ends, of) = (last_once[*event as usize], present[*event as usize]);
            ends >= SUPPORT && lower_bound(ends, of) >= SHARE
        })
        .collect()
}
