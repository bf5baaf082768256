//! A chunk: buckets of one series, packed.
//!
//! ```text
//! crc32c of the rest (u32, little-endian) | form (u8): 1 as it is, 2 packed by zstd | body
//! body: n | first bucket's number in the chunk | runs of (length, step to the next number)
//!       | runs of (length, count) | least values | 0, or 1 | spreads | sums over the least
//! values: the first, zigzag | greatest common divisor of the steps | steps divided by it, zigzag
//! ```
//! All numbers are LEB128. A *spread* is the greatest less the least, a *sum over the least* is the sum less count times
//! the least; they are left out where all are zero, as where each bucket has one sample.

use event::varint;

/// What was measured within one bucket of time, in parts of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// Its number since 1970.
    pub(crate) number: u64,
    pub(crate) min: i64,
    pub(crate) max: i64,
    pub(crate) sum: i128,
    pub(crate) count: u64,
}

impl Bucket {
    pub(crate) fn one(number: u64, value: i64) -> Self {
        Self { number, min: value, max: value, sum: i128::from(value), count: 1 }
    }

    /// Takes in another of the same bucket.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum = self.sum.saturating_add(other.sum);
        self.count = self.count.saturating_add(other.count);
    }
}

/// Merges buckets, both sorted by number, into one sorted list.
pub(crate) fn merge(into: &mut Vec<Bucket>, more: &[Bucket]) {
    for bucket in more {
        match into.last_mut() {
            Some(last) if last.number == bucket.number => last.merge(bucket),
            Some(last) if last.number > bucket.number => {
                match into.binary_search_by_key(&bucket.number, |known| known.number) {
                    Ok(at) => into[at].merge(bucket),
                    Err(at) => into.insert(at, *bucket),
                }
            }
            _ => into.push(*bucket),
        }
    }
}

const PLAIN: u8 = 1;
const PACKED: u8 = 2;
/// How hard zstd tries: a chunk is written a few times and read often.
const LEVEL: i32 = 3;
/// No chunk's body is longer.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Shorter bodies gain nothing.
const PACKED_FROM: usize = 24;

/// Packs chunks, one after the other.
pub(crate) struct Packer(zstd::bulk::Compressor<'static>);

impl Packer {
    pub(crate) fn new() -> std::io::Result<Self> {
        zstd::bulk::Compressor::new(LEVEL).map(Self)
    }

    /// Packs buckets, sorted, of the chunk that begins with this bucket.
    pub(crate) fn pack(&mut self, begins: u64, buckets: &[Bucket]) -> Vec<u8> {
        let body = body(begins, buckets);
        let packed = (body.len() >= PACKED_FROM).then(|| self.0.compress(&body).ok()).flatten();
        let (form, body) = match packed {
            Some(packed) if packed.len() < body.len() => (PACKED, packed),
            _ => (PLAIN, body),
        };
        let mut chunk = vec![0; 4];
        chunk.push(form);
        chunk.extend_from_slice(&body);
        let sum = crc32c::crc32c(&chunk[4..]);
        chunk[..4].copy_from_slice(&sum.to_le_bytes());
        chunk
    }
}

fn body(begins: u64, buckets: &[Bucket]) -> Vec<u8> {
    let mut out = Vec::with_capacity(buckets.len() * 2 + 16);
    varint::put(&mut out, buckets.len() as u64);
    let Some(first) = buckets.first() else { return out };
    varint::put(&mut out, first.number - begins);
    runs(&mut out, buckets.windows(2).map(|pair| pair[1].number - pair[0].number));
    runs(&mut out, buckets.iter().map(|bucket| bucket.count));
    values(&mut out, buckets.iter().map(|bucket| bucket.min));
    let spread = |bucket: &Bucket| bucket.max.saturating_sub(bucket.min);
    let over = |bucket: &Bucket| {
        let over = bucket.sum - i128::from(bucket.min) * i128::from(bucket.count);
        i64::try_from(over).unwrap_or(i64::MAX)
    };
    let is_plain = buckets.iter().all(|bucket| spread(bucket) == 0 && over(bucket) == 0);
    out.push(u8::from(!is_plain));
    if !is_plain {
        values(&mut out, buckets.iter().map(spread));
        values(&mut out, buckets.iter().map(over));
    }
    out
}

fn runs(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>) {
    let mut run: Option<(u64, u64)> = None;
    for number in numbers {
        match &mut run {
            Some((length, value)) if *value == number => *length += 1,
            _ => {
                if let Some((length, value)) = run.replace((1, number)) {
                    varint::put(out, length);
                    varint::put(out, value);
                }
            }
        }
    }
    if let Some((length, value)) = run {
        varint::put(out, length);
        varint::put(out, value);
    }
}

fn values(out: &mut Vec<u8>, numbers: impl Iterator<Item = i64> + Clone) {
    let Some(first) = numbers.clone().next() else { return };
    varint::put(out, varint::zigzag(first));
    let steps = || numbers.clone().zip(numbers.clone().skip(1)).map(|(one, next)| next.wrapping_sub(one));
    let divisor = steps().fold(0, |divisor, step| gcd(divisor, step.unsigned_abs()));
    varint::put(out, divisor);
    if divisor > 0 {
        for step in steps() {
            let part = i128::from(step) / i128::from(divisor);
            varint::put(out, varint::zigzag(i64::try_from(part).unwrap_or_default()));
        }
    }
}

fn gcd(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// The buckets of the chunk that begins with this bucket; None for bytes that are not as they were written.
pub(crate) fn unpack(begins: u64, chunk: &[u8]) -> Option<Vec<Bucket>> {
    let (sum, rest) = chunk.split_first_chunk::<4>()?;
    if crc32c::crc32c(rest) != u32::from_le_bytes(*sum) {
        return None;
    }
    let (form, body) = rest.split_first()?;
    match *form {
        PLAIN => read(begins, body),
        PACKED => read(begins, &zstd::bulk::decompress(body, BODY_BYTES_MAX).ok()?),
        _ => None,
    }
}

fn read(begins: u64, mut body: &[u8]) -> Option<Vec<Bucket>> {
    let body = &mut body;
    let n = usize::try_from(varint::take(body)?).ok().filter(|n| *n <= BODY_BYTES_MAX)?;
    if n == 0 {
        return Some(Vec::new());
    }
    let mut number = begins.checked_add(varint::take(body)?)?;
    let steps = read_runs(body, n - 1)?;
    let counts = read_runs(body, n)?;
    let least = read_values(body, n)?;
    let (flag, rest) = body.split_first()?;
    *body = rest;
    let (spreads, over) = match flag {
        0 => (vec![0; n], vec![0; n]),
        _ => (read_values(body, n)?, read_values(body, n)?),
    };
    let mut buckets = Vec::with_capacity(n);
    for at in 0..n {
        if at > 0 {
            number = number.checked_add(steps[at - 1])?;
        }
        let (min, count, spread, over) = (least[at], counts[at], spreads[at], i128::from(over[at]));
        // The mean lies where the least and the greatest are, and a bucket holds something.
        if count == 0 || spread < 0 || !(0..=i128::from(spread) * i128::from(count)).contains(&over) {
            return None;
        }
        let sum = i128::from(min) * i128::from(count) + over;
        buckets.push(Bucket { number, min, max: min.checked_add(spread)?, sum, count });
    }
    Some(buckets)
}

fn read_runs(body: &mut &[u8], n: usize) -> Option<Vec<u64>> {
    let mut numbers = Vec::with_capacity(n);
    while numbers.len() < n {
        let length = usize::try_from(varint::take(body)?).ok()?;
        let value = varint::take(body)?;
        if length == 0 || length > n - numbers.len() {
            return None;
        }
        numbers.resize(numbers.len() + length, value);
    }
    Some(numbers)
}

fn read_values(body: &mut &[u8], n: usize) -> Option<Vec<i64>> {
    let mut value = varint::unzigzag(varint::take(body)?);
    let divisor = varint::take(body)?.cast_signed();
    let mut numbers = vec![value];
    for _ in 1..n {
        if divisor != 0 {
            value = value.wrapping_add(varint::unzigzag(varint::take(body)?).wrapping_mul(divisor));
        }
        numbers.push(value);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEGINS: u64 = 1_000;

    fn buckets() -> impl Strategy<Value = Vec<Bucket>> {
        let one = (1_u64..4, -1_000_000_i64..1_000_000, 1_u64..5, 0_i64..10_000);
        proptest::collection::vec(one, 0..400).prop_map(|rows| {
            let mut number = BEGINS;
            rows.into_iter()
                .map(|(step, min, count, spread)| {
                    number += step;
                    let spread = if count == 1 { 0 } else { spread };
                    let sum = i128::from(min) * i128::from(count) + i128::from(spread);
                    Bucket { number, min, max: min + spread, sum, count }
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn what_is_packed_is_given_back(buckets in buckets()) {
            let chunk = Packer::new().unwrap().pack(BEGINS, &buckets);
            prop_assert_eq!(unpack(BEGINS, &chunk), Some(buckets));
        }

        #[test]
        fn a_changed_byte_is_noticed(buckets in buckets(), at in any::<proptest::sample::Index>(), by in 1_u8..) {
            let mut chunk = Packer::new().unwrap().pack(BEGINS, &buckets);
            let at = at.index(chunk.len());
            chunk[at] ^= by;
            prop_assert_eq!(unpack(BEGINS, &chunk), None);
        }

        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(read(BEGINS, &body));
        }

        #[test]
        fn merging_does_not_depend_on_the_order(one in buckets(), other in buckets()) {
            let (mut first, mut second) = (one.clone(), other.clone());
            merge(&mut first, &other);
            merge(&mut second, &one);
            prop_assert_eq!(&first, &second);
            prop_assert!(first.is_sorted_by_key(|bucket| bucket.number));
            let count = |list: &[Bucket]| list.iter().map(|bucket| bucket.count).sum::<u64>();
            prop_assert_eq!(count(&first), count(&one) + count(&other));
        }
    }

    #[test]
    fn what_no_numbers_can_have_come_to_is_damage() {
        let kept = |count: i64, spread: i64, over: i64| {
            let bucket = Bucket {
                number: BEGINS,
                min: 5,
                max: 5 + spread,
                sum: i128::from(5 * count + over),
                count: count as u64,
            };
            read(BEGINS, &body(BEGINS, &[bucket]))
        };
        assert!(kept(2, 3, 6).is_some());
        for (count, spread, over) in [(0, 0, 0), (2, -1, 0), (2, 3, 7), (2, 3, -1)] {
            assert_eq!(kept(count, spread, over), None, "{count} {spread} {over}");
        }
    }

    #[test]
    fn the_greatest_numbers_are_kept_too() {
        let max = 9_007_199_254_740_992;
        let of = |number, value| Bucket::one(number, value);
        let buckets = vec![of(BEGINS, max), of(BEGINS + 1, -max), of(BEGINS + 2, 0)];
        let chunk = Packer::new().unwrap().pack(BEGINS, &buckets);
        assert_eq!(unpack(BEGINS, &chunk), Some(buckets));
    }
}
