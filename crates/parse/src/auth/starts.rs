//! Which four bytes texts of a set begin with: a filter that a text of another kind passes seldom, at the cost of a few
//! instructions.

/// A bit for each of `64 * WORDS` hashes.
pub(super) struct Starts<const WORDS: usize> {
    bits: [u64; WORDS],
}

impl<const WORDS: usize> Starts<WORDS> {
    pub(super) const fn new() -> Self {
        Self { bits: [0; WORDS] }
    }

    pub(super) const fn add(&mut self, start: u32) {
        let (word, bit) = Self::place(start);
        self.bits[word] |= bit;
    }

    /// Whether this may be one of those that were added; those that were are never missed.
    pub(super) const fn may_have(&self, start: u32) -> bool {
        let (word, bit) = Self::place(start);
        self.bits[word] & bit != 0
    }

    /// By Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, section 6.4).
    const fn place(start: u32) -> (usize, u64) {
        let hash = start.wrapping_mul(0x9e37_79b1) >> 8;
        (hash as usize / 64 % WORDS, 1 << (hash % 64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_never_missed_and_little_else_found() {
        let mut starts = Starts::<64>::new();
        let added = (0..100).map(|n: u32| n * 7 + 0x6661_0000);
        added.clone().for_each(|start| starts.add(start));
        assert!(added.clone().all(|start| starts.may_have(start)));
        let others = (0..10_000).map(|n: u32| n * 131 + 0x7061_0000);
        assert!(others.filter(|start| starts.may_have(*start)).count() < 1000);
        assert!(!Starts::<1>::new().may_have(0));
    }
}
