//! Which sequence numbers of an agent were taken: ranges, since they come nearly in order.

use serde::{Deserialize, Serialize};

/// Ranges that are remembered. Beyond it the lowest gap is taken as closed.
const RANGES_MAX: usize = 256;

/// Numbers that were taken, as ranges with both ends in, sorted, with a gap between each two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seqs(Vec<(u64, u64)>);

impl Seqs {
    /// Takes a number; false when it was taken before.
    pub(crate) fn take(&mut self, seq: u64) -> bool {
        let ranges = &mut self.0;
        let at = ranges.partition_point(|(_, last)| *last < seq);
        if ranges.get(at).is_some_and(|(first, _)| *first <= seq) {
            return false;
        }
        let joins_before = at > 0 && ranges[at - 1].1.checked_add(1) == Some(seq);
        let joins_behind = ranges.get(at).is_some_and(|(first, _)| seq.checked_add(1) == Some(*first));
        match (joins_before, joins_behind) {
            (true, true) => {
                ranges[at - 1].1 = ranges[at].1;
                ranges.remove(at);
            }
            (true, false) => ranges[at - 1].1 = seq,
            (false, true) => ranges[at].0 = seq,
            (false, false) => ranges.insert(at, (seq, seq)),
        }
        if ranges.len() > RANGES_MAX {
            ranges[0].1 = ranges[1].1;
            ranges.remove(1);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_number_is_taken_once(numbers in proptest::collection::vec(0_u64..120, 0..300)) {
            let (mut seqs, mut set) = (Seqs::default(), BTreeSet::new());
            for number in numbers {
                prop_assert_eq!(seqs.take(number), set.insert(number));
            }
            prop_assert!(seqs.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }

    #[test]
    fn the_ranges_are_bounded() {
        let mut seqs = Seqs::default();
        for number in 0..10_000 {
            assert!(seqs.take(2 * number));
        }
        assert_eq!(seqs.0.len(), RANGES_MAX);
        assert!(!seqs.take(u64::MAX - 1) || !seqs.take(u64::MAX - 1));
    }
}
