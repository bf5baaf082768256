//! A split-block Bloom filter (Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom
//! Filters"; eight words a block as in Apache Parquet) over the tokens that stand at variable
//! places and over the values of fields.

const SALTS: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];
const BITS_PER_KEY: usize = 10;

/// A filter: false positives of about one in a hundred, never a false negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bloom {
    words: Vec<u32>,
}

impl Bloom {
    pub(super) fn build(keys: impl ExactSizeIterator<Item = u64>) -> Self {
        let blocks = (keys.len() * BITS_PER_KEY).div_ceil(256);
        let mut bloom = Self { words: vec![0; blocks * 8] };
        for key in keys {
            let start = bloom.block(key);
            for (word, salt) in bloom.words[start..start + 8].iter_mut().zip(SALTS) {
                *word |= 1 << ((key as u32).wrapping_mul(salt) >> 27);
            }
        }
        bloom
    }

    fn block(&self, key: u64) -> usize {
        (((key >> 32) * (self.words.len() as u64 / 8)) >> 32) as usize * 8
    }

    pub(super) fn may_hold(&self, key: u64) -> bool {
        if self.words.is_empty() {
            return false;
        }
        let start = self.block(key);
        self.words.get(start..start + 8).is_some_and(|words| {
            words
                .iter()
                .zip(SALTS)
                .all(|(word, salt)| word & (1 << ((key as u32).wrapping_mul(salt) >> 27)) != 0)
        })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let word = |four: &[u8]| four.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        Self { words: bytes.chunks_exact(32).flat_map(|block| block.chunks_exact(4).map(word)).collect() }
    }

    pub(super) fn len_bytes(&self) -> usize {
        self.words.len() * 4
    }
}

/// A hash that is part of the format on disk: eight bytes at a time, multiply and fold.
pub(super) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = (seed ^ bytes.len() as u64).wrapping_mul(FACTOR);
    let mut mix = |eight: u64| {
        let product = u128::from(state ^ eight) * u128::from(FACTOR ^ (eight << 1 | 1).rotate_left(23));
        state = (product as u64 ^ (product >> 64) as u64).wrapping_add(FACTOR);
    };
    let (chunks, rest) = bytes.as_chunks::<8>();
    for eight in chunks {
        mix(u64::from_le_bytes(*eight));
    }
    if !rest.is_empty() {
        let mut eight = [0; 8];
        eight[..rest.len()].copy_from_slice(rest);
        mix(u64::from_le_bytes(eight));
    }
    let product = u128::from(state) * 0xd6e8_feb8_6659_fd93;
    product as u64 ^ (product >> 64) as u64
}

/// The key of a token, lower-cased already.
pub(super) fn token_key(token: &[u8]) -> u64 {
    hash(1, token)
}

/// The key of a text value of a field.
pub(super) fn field_key(path: &str, value: &str) -> u64 {
    hash(hash(2, path.as_bytes()), value.as_bytes())
}

/// Whether tokens such as this one are left out of filters: short numbers and short hexadecimal
/// pieces, of which there are too many.
pub(super) fn is_unfiltered(token: &[u8]) -> bool {
    token.len() < 5 && (token.iter().any(u8::is_ascii_digit) || token.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_put_in_is_missed_and_little_else_is_met() {
        for count in [0usize, 1, 100, 20_000] {
            let keys = (0..count).map(|at| token_key(format!("blk_{at}").as_bytes()));
            let bloom = Bloom::build(keys.collect::<Vec<_>>().into_iter());
            let bloom = Bloom::from_bytes(&bloom.to_bytes());
            assert!((0..count).all(|at| bloom.may_hold(token_key(format!("blk_{at}").as_bytes()))));
            let wrong =
                (0..10_000).filter(|at| bloom.may_hold(token_key(format!("other{at}").as_bytes()))).count();
            assert!(wrong < 300, "{wrong} of 10,000 with {count} keys");
        }
    }
}
