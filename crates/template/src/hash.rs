//! A 64-bit hash that is the same on every platform and in every process. Multiply-and-fold over
//! little-endian words, after wyhash (public domain). Not for keys an attacker may choose freely.

const A: u64 = 0x9e37_79b9_7f4a_7c15;
const B: u64 = 0xd6e8_feb8_6659_fd93;

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

#[inline]
fn word(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(eight)
}

/// A running hash.
#[derive(Clone, Copy)]
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) const fn new() -> Self {
        Self(0x2545_f491_4f6c_dd1d)
    }

    /// Takes in text; its length counts, so that pieces do not run together.
    #[inline]
    pub(crate) fn text(&mut self, bytes: &[u8]) {
        let mut state = self.0 ^ (bytes.len() as u64).wrapping_mul(B);
        let mut rest = bytes;
        while let Some((block, tail)) = rest.split_first_chunk::<16>() {
            let (low, high) = block.split_at(8);
            state = fold(word(low) ^ A, word(high) ^ state);
            rest = tail;
        }
        let n = rest.len();
        let (low, high) = match n {
            8.. => (word(&rest[..8]), word(&rest[n - 8..])),
            4..8 => {
                let read = |at: usize| {
                    u64::from(u32::from_le_bytes([rest[at], rest[at + 1], rest[at + 2], rest[at + 3]]))
                };
                (read(0), read(n - 4))
            }
            1..4 => (u64::from(rest[0]) << 16 | u64::from(rest[n / 2]) << 8 | u64::from(rest[n - 1]), 0),
            0 => (0, 0),
        };
        self.0 = fold(low ^ A, high ^ state);
    }

    /// Takes in a number.
    #[inline]
    pub(crate) fn number(&mut self, number: u64) {
        self.0 = fold(self.0 ^ A, number ^ B);
    }

    #[inline]
    pub(crate) fn finish(self) -> u64 {
        fold(self.0 ^ B, A)
    }
}
