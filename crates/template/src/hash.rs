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

#[cfg(test)]
mod tests {
    use super::*;

    /// Shapes are kept on disks, so they never change. The figures are those of a program of its own in another language.
    #[test]
    fn it_is_the_same_everywhere_and_for_good() {
        let text = b"The quick brown fox jumps over a dog";
        for (length, expected) in [
            (0, 0x6f0b_affd_e44a_e960),
            (1, 0x55bd_bf5b_3a3a_9ded),
            (2, 0x7a40_08a9_6356_34d5),
            (3, 0x198b_9fd1_1d83_a2b1),
            (4, 0x730f_637a_5927_d709),
            (7, 0x309b_3afd_360f_6380),
            (8, 0xfc5f_65ac_c0b4_dae1),
            (15, 0x75a7_e76d_9d7c_3840),
            (16, 0xac2f_cb82_d956_c7b0),
            (17, 0xe9ec_27f2_dcfb_bc99),
            (20, 0x4954_6a9d_502b_1c01),
            (31, 0x3a62_51a9_8769_f93f),
            (32, 0x7be5_5f70_1fec_8993),
            (36, 0x2e3b_8af7_5b4b_ba8e),
        ] {
            let mut hash = Hash::new();
            hash.text(&text[..length]);
            assert_eq!(hash.finish(), expected, "{length}");
        }
        let mut hash = Hash::new();
        hash.text(b"a");
        hash.number(7);
        hash.text(b"b");
        assert_eq!(hash.finish(), 0xcc59_91ac_c99b_cf60);
    }
}
