//! A small random number generator whose sequence never changes: models and samples depend on it.

/// SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random(u64);

/// The finalizer of SplitMix64: spreads every bit over all bits.
#[inline]
pub const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A hash of bytes that is the same in every process and version; not for hostile keys where
/// collisions would harm.
#[inline]
pub fn hash(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut state = (bytes.len() as u64).wrapping_mul(ODD);
    for chunk in chunks {
        state = (state.rotate_left(23) ^ u64::from_le_bytes(*chunk)).wrapping_mul(ODD);
        state ^= state >> 29;
    }
    // Names are short: a call that copies the last bytes would cost as much as all of this.
    let last = rest.iter().rev().fold(0, |last, byte| (last << 8) | u64::from(*byte));
    mix((state.rotate_left(23) ^ last).wrapping_mul(ODD))
}

impl Random {
    /// The generator for a seed and a stream number.
    #[inline]
    pub const fn of(seed: u64, stream: u64) -> Self {
        Self(mix(seed ^ mix(stream.wrapping_add(0x632b_e59b_d9b4_e019))))
    }

    /// Where its sequence stands.
    #[inline]
    pub const fn state(&self) -> u64 {
        self.0
    }

    /// The generator whose sequence stands there.
    #[inline]
    pub const fn from_state(state: u64) -> Self {
        Self(state)
    }

    /// 64 bits by chance.
    #[inline]
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Uniform in [0, 1).
    #[inline]
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Uniform in 0..n; 0 for n = 0.
    #[inline]
    pub const fn below(&mut self, n: usize) -> usize {
        ((self.bits() as u128 * n as u128) >> 64) as usize
    }

    /// Standard normal (Box and Muller), never 0.
    #[inline]
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.unit()).max(1e-7).ln()).sqrt();
        let value = radius * (std::f32::consts::TAU * self.unit()).cos();
        if value.abs() < 1e-6 { 1e-6 } else { value }
    }

    /// `count` distinct numbers below n, count <= n (R. W. Floyd's sampling).
    pub fn distinct(&mut self, n: usize, count: usize) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::with_capacity(count);
        for limit in n - count..n {
            let pick = self.below(limit + 1);
            chosen.push(if chosen.contains(&pick) { limit } else { pick });
        }
        chosen
    }
}
