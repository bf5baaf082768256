//! Columns of unsigned 64-bit integers: each the smallest of constant, frame of reference, deltas,
//! dictionary and runs, bit-packed so that no other column need be read to read this one.
//!
//! ```text
//! u8  0..=64      frame of reference of that width: varint base, packed (value - base)
//!     65..=129    deltas of width - 65: varint first, zigzag varint least delta, packed (delta - least)
//!     130..=146   dictionary, ids of width - 130: varint length, a column of the values, packed ids
//!     147         runs: varint number, then for each: varint length, zigzag varint delta to the last value
//!     148         runs of deltas: varint first, then as 147 over the deltas (zigzag, starting at 0)
//! ```
//! Packed values stand one behind the other from the lowest bit up, little-endian.

use event::varint;
pub(super) use event::varint::{put as put_varint, unzigzag, zigzag};

/// Why stored bytes are not what this program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damage(pub(super) &'static str);

const DELTA: u8 = 65;
const DICTIONARY: u8 = 130;
const RUNS: u8 = 147;
const DELTA_RUNS: u8 = 148;
const DICTIONARY_MAX: usize = 1 << 8;

pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

const fn varint_len(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Bytes being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Damage> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(Damage("it ends too early"))?;
        self.0 = tail;
        Ok(head)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Damage> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn varint(&mut self) -> Result<u64, Damage> {
        varint::take(&mut self.0).ok_or(Damage("a number is cut short or too long"))
    }

    /// A count or length; never more than `max`, so that damage cannot ask for much memory.
    pub(super) fn length(&mut self, max: usize) -> Result<usize, Damage> {
        usize::try_from(self.varint()?)
            .ok()
            .filter(|length| *length <= max)
            .ok_or(Damage("a length is too large"))
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Damage> {
        let length = self.length(self.0.len())?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Damage> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Damage("a text is not UTF-8"))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Damage> {
        u32::try_from(self.varint()?).map_err(|_| Damage("a number is too large"))
    }
}

pub(super) fn width_of(value: u64) -> u32 {
    64 - value.leading_zeros()
}

fn packed_len(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

fn pack(values: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let (mut pending, mut filled) = (0u64, 0u32);
    for value in values {
        pending |= value << filled;
        if filled + width >= 64 {
            out.extend_from_slice(&pending.to_le_bytes());
            let used = 64 - filled;
            pending = if used < 64 { value >> used } else { 0 };
            filled = filled + width - 64;
        } else {
            filled += width;
        }
    }
    out.extend_from_slice(&pending.to_le_bytes()[..filled.div_ceil(8) as usize]);
}

/// The packed value at `index`; bytes past the end count as zero.
fn packed_at(bytes: &[u8], index: usize, width: u32) -> u64 {
    if width == 0 {
        return 0;
    }
    let bit = index * width as usize;
    let (at, shift) = (bit / 8, (bit % 8) as u32);
    let mask = u64::MAX >> (64 - width);
    let low = match bytes.get(at..at + 8).and_then(|eight| <[u8; 8]>::try_from(eight).ok()) {
        Some(eight) => u64::from_le_bytes(eight),
        None => {
            let mut eight = [0; 8];
            let rest = bytes.get(at..).unwrap_or_default();
            let length = rest.len().min(8);
            eight[..length].copy_from_slice(&rest[..length]);
            u64::from_le_bytes(eight)
        }
    };
    let mut value = low >> shift;
    if width + shift > 64 {
        value |= u64::from(bytes.get(at + 8).copied().unwrap_or_default()) << (64 - shift);
    }
    value & mask
}

/// What a column's values are like, found in one pass.
struct Survey {
    min: u64,
    max: u64,
    delta_min: i64,
    delta_max: i64,
}

fn survey(values: &[u64]) -> Survey {
    let first = values.first().copied().unwrap_or_default();
    let mut survey = Survey { min: first, max: first, delta_min: i64::MAX, delta_max: i64::MIN };
    let mut last = first;
    for &value in values.get(1..).unwrap_or_default() {
        survey.min = survey.min.min(value);
        survey.max = survey.max.max(value);
        let delta = value.wrapping_sub(last) as i64;
        survey.delta_min = survey.delta_min.min(delta);
        survey.delta_max = survey.delta_max.max(delta);
        last = value;
    }
    survey
}

/// Distinct values in order of first occurrence and each value's place among them; None as soon as
/// there are more than `max`.
fn distinct(values: &[u64], max: usize) -> Option<(Vec<u64>, Vec<u8>)> {
    const SLOTS: usize = 1024;
    let mut slots = [u16::MAX; SLOTS];
    let mut found: Vec<u64> = Vec::new();
    let mut ids = Vec::with_capacity(values.len());
    for &value in values {
        let mut slot = (value.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize;
        let id = loop {
            match slots[slot] {
                u16::MAX => {
                    if found.len() == max {
                        return None;
                    }
                    slots[slot] = found.len() as u16;
                    found.push(value);
                    break found.len() - 1;
                }
                id if found[usize::from(id)] == value => break usize::from(id),
                _ => slot = (slot + 1) % SLOTS,
            }
        };
        ids.push(id as u8);
    }
    Some((found, ids))
}

/// Appends the smallest form of a column. The number of values is not stored.
pub(super) fn encode(values: &[u64], out: &mut Vec<u8>) {
    let survey = survey(values);
    let width = width_of(survey.max.wrapping_sub(survey.min));
    let plain = 1 + varint_len(survey.min) + packed_len(values.len(), width);
    let mut best = plain;
    let mut delta_width = None;
    if values.len() > 2 && width > 0 {
        let range = survey.delta_max.wrapping_sub(survey.delta_min) as u64;
        if survey.delta_max.checked_sub(survey.delta_min).is_some() {
            let first = values[0];
            let bits = width_of(range);
            let size = 1
                + varint_len(first)
                + varint_len(zigzag(survey.delta_min))
                + packed_len(values.len() - 1, bits);
            if size < best {
                best = size;
                delta_width = Some(bits);
            }
        }
    }
    if values.len() >= 8 && best > 24 {
        // No dictionary of this many values can win.
        let max = (best * 8 / width.max(1) as usize).min(values.len() / 2).min(DICTIONARY_MAX);
        if let Some((found, ids)) = distinct(values, max) {
            let bits = width_of(found.len() as u64 - 1);
            let mut head = vec![DICTIONARY + bits as u8];
            put_varint(&mut head, found.len() as u64);
            encode(&found, &mut head);
            if head.len() + packed_len(values.len(), bits) < best {
                out.extend_from_slice(&head);
                pack(ids.into_iter().map(u64::from), bits, out);
                return;
            }
        }
    }
    match delta_width {
        Some(bits) => {
            out.push(DELTA + bits as u8);
            put_varint(out, values[0]);
            put_varint(out, zigzag(survey.delta_min));
            let deltas = values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
            pack(deltas.map(|delta| delta.wrapping_sub(survey.delta_min as u64)), bits, out);
        }
        None => {
            out.push(width as u8);
            put_varint(out, survey.min);
            pack(values.iter().map(|value| value - survey.min), width, out);
        }
    }
}

/// As [`encode`], but also tries runs of equal values and of equal deltas: for columns in row order.
pub(super) fn encode_rows(values: &[u64], out: &mut Vec<u8>) {
    let start = out.len();
    encode(values, out);
    let mut attempt = vec![RUNS];
    put_runs(values.iter().copied(), out.len() - start, &mut attempt);
    if attempt.len() < out.len() - start {
        out.truncate(start);
        out.extend_from_slice(&attempt);
    }
    if let Some(&first) = values.first() {
        attempt.clear();
        attempt.push(DELTA_RUNS);
        put_varint(&mut attempt, first);
        let deltas = values.windows(2).map(|pair| zigzag(pair[1].wrapping_sub(pair[0]) as i64));
        put_runs(deltas, out.len() - start, &mut attempt);
        if attempt.len() < out.len() - start {
            out.truncate(start);
            out.extend_from_slice(&attempt);
        }
    }
}

/// Gives up, leaving more than `limit` bytes, once the runs are larger than that.
fn put_runs(values: impl Iterator<Item = u64>, limit: usize, out: &mut Vec<u8>) {
    let mut runs = Vec::new();
    let (mut count, mut last, mut length, mut value) = (0u64, 0u64, 0u64, 0u64);
    let mut put = |length: u64, value: u64, runs: &mut Vec<u8>| {
        put_varint(runs, length);
        put_varint(runs, zigzag(value.wrapping_sub(last) as i64));
        last = value;
        count += 1;
    };
    for next in values {
        if length > 0 && next == value {
            length += 1;
            continue;
        }
        if length > 0 {
            put(length, value, &mut runs);
            if runs.len() > limit {
                out.resize(limit + 2, 0);
                return;
            }
        }
        (value, length) = (next, 1);
    }
    if length > 0 {
        put(length, value, &mut runs);
    }
    put_varint(out, count);
    out.extend_from_slice(&runs);
}

/// A stored column, located but not yet unpacked.
#[derive(Debug, Clone)]
pub(super) enum Column<'a> {
    /// Base, width, packed values.
    Frame(u64, u32, &'a [u8]),
    /// First value, least delta, width, packed deltas.
    Delta(u64, i64, u32, &'a [u8]),
    /// Values, width, packed ids.
    Dictionary(Vec<u64>, u32, &'a [u8]),
    /// Unpacked already.
    Plain(Vec<u64>),
}

impl<'a> Column<'a> {
    /// Locates a column of `count` values and moves behind it.
    pub(super) fn parse(input: &mut Input<'a>, count: usize) -> Result<Self, Damage> {
        let tag = input.byte()?;
        Ok(match tag {
            0..DELTA => {
                let width = u32::from(tag);
                let base = input.varint()?;
                Self::Frame(base, width, input.take(packed_len(count, width))?)
            }
            DELTA..DICTIONARY => {
                let width = u32::from(tag - DELTA);
                let (first, least) = (input.varint()?, unzigzag(input.varint()?));
                Self::Delta(first, least, width, input.take(packed_len(count.saturating_sub(1), width))?)
            }
            DICTIONARY..RUNS => {
                let width = u32::from(tag - DICTIONARY);
                let length = input.length(DICTIONARY_MAX)?;
                is_no_dictionary(input)?;
                let values = Self::parse(input, length)?.into_values(length);
                Self::Dictionary(values, width, input.take(packed_len(count, width))?)
            }
            RUNS => Self::Plain(take_runs(input, count)?),
            DELTA_RUNS => {
                let mut value = input.varint()?;
                let deltas = take_runs(input, count.saturating_sub(1))?;
                let mut values = Vec::with_capacity(count);
                values.push(value);
                for delta in deltas {
                    value = value.wrapping_add(unzigzag(delta) as u64);
                    values.push(value);
                }
                Self::Plain(values)
            }
            _ => return Err(Damage("a column has an unknown form")),
        })
    }

    /// The value at `index`; slow for deltas.
    pub(super) fn get(&self, index: usize) -> u64 {
        match self {
            Self::Frame(base, width, packed) => base.wrapping_add(packed_at(packed, index, *width)),
            Self::Delta(first, least, width, packed) => (0..index).fold(*first, |value, at| {
                value.wrapping_add(packed_at(packed, at, *width)).wrapping_add(*least as u64)
            }),
            Self::Dictionary(values, width, packed) => {
                values.get(packed_at(packed, index, *width) as usize).copied().unwrap_or_default()
            }
            Self::Plain(values) => values.get(index).copied().unwrap_or_default(),
        }
    }

    /// All `count` values.
    pub(super) fn into_values(self, count: usize) -> Vec<u64> {
        match self {
            Self::Frame(base, 0, _) => vec![base; count],
            Self::Frame(base, width, packed) => {
                (0..count).map(|at| base.wrapping_add(packed_at(packed, at, width))).collect()
            }
            Self::Delta(first, least, width, packed) => {
                let mut value = first;
                let mut values = Vec::with_capacity(count);
                for at in 0..count {
                    values.push(value);
                    value = value.wrapping_add(packed_at(packed, at, width)).wrapping_add(least as u64);
                }
                values
            }
            Self::Dictionary(values, width, packed) => (0..count)
                .map(|at| values.get(packed_at(packed, at, width) as usize).copied().unwrap_or_default())
                .collect(),
            Self::Plain(values) => values,
        }
    }
}

/// Dictionaries are never written into dictionaries, and none is read there: each would be a call within a call.
fn is_no_dictionary(input: &Input<'_>) -> Result<(), Damage> {
    match input.0.first() {
        Some(DICTIONARY..RUNS) => Err(Damage("a dictionary stands within another")),
        _ => Ok(()),
    }
}

/// Moves behind a column of `count` values and tells the places of those that are wanted, which rise. Nothing is
/// unpacked where the head of the column rules them out; with none wanted it is passed over.
pub(super) fn find(
    input: &mut Input<'_>,
    count: usize,
    wanted: &[u64],
    found: &mut dyn FnMut(usize),
) -> Result<(), Damage> {
    match input.0.first() {
        Some(0..DELTA) => find_in_frame(input, count, wanted, found),
        Some(DICTIONARY..RUNS) => find_in_dictionary(input, count, wanted, found),
        _ => {
            let column = Column::parse(input, count)?;
            if !wanted.is_empty() {
                let values = column.into_values(count).into_iter().enumerate();
                let places = values.filter(|(_, value)| wanted.binary_search(value).is_ok());
                places.for_each(|(at, _)| found(at));
            }
            Ok(())
        }
    }
}

/// Moves behind a column of `count` values and tells between what they lie, as far as its head says.
pub(super) fn bounds(input: &mut Input<'_>, count: usize) -> Result<(u64, u64), Damage> {
    match input.0.first() {
        Some(DICTIONARY..RUNS) => {
            let width = u32::from(input.byte()? - DICTIONARY);
            let length = input.length(DICTIONARY_MAX)?;
            is_no_dictionary(input)?;
            let found = bounds(input, length)?;
            input.take(packed_len(count, width))?;
            Ok(found)
        }
        _ => Ok(match Column::parse(input, count)? {
            Column::Frame(base, width, _) => (base, last_in_frame(base, width)),
            _ => (0, u64::MAX),
        }),
    }
}

const fn last_in_frame(base: u64, width: u32) -> u64 {
    match u64::MAX.checked_shr(64 - width) {
        Some(most) => base.saturating_add(most),
        None => base,
    }
}

fn find_in_frame(
    input: &mut Input<'_>,
    count: usize,
    wanted: &[u64],
    found: &mut dyn FnMut(usize),
) -> Result<(), Damage> {
    let width = u32::from(input.byte()?);
    let base = input.varint()?;
    let packed = input.take(packed_len(count, width))?;
    let last = last_in_frame(base, width);
    let start = wanted.partition_point(|value| *value < base);
    let end = wanted.partition_point(|value| *value <= last);
    match wanted.get(start..end).unwrap_or_default() {
        [] => {}
        [only] => {
            let only = only - base;
            (0..count).filter(|at| packed_at(packed, *at, width) == only).for_each(found);
        }
        several => {
            let is_wanted = |value: u64| several.binary_search(&base.wrapping_add(value)).is_ok();
            (0..count).filter(|at| is_wanted(packed_at(packed, *at, width))).for_each(found);
        }
    }
    Ok(())
}

fn find_in_dictionary(
    input: &mut Input<'_>,
    count: usize,
    wanted: &[u64],
    found: &mut dyn FnMut(usize),
) -> Result<(), Damage> {
    let width = u32::from(input.byte()? - DICTIONARY);
    let length = input.length(DICTIONARY_MAX)?;
    is_no_dictionary(input)?;
    let (mut ids, mut any) = ([false; DICTIONARY_MAX], false);
    find(input, length, wanted, &mut |id| {
        any = true;
        if let Some(id) = ids.get_mut(id) {
            *id = true;
        }
    })?;
    let packed = input.take(packed_len(count, width))?;
    if any {
        let is_wanted = |id: u64| ids.get(id as usize).copied().unwrap_or_default();
        (0..count).filter(|at| is_wanted(packed_at(packed, *at, width))).for_each(found);
    }
    Ok(())
}

fn take_runs(input: &mut Input<'_>, count: usize) -> Result<Vec<u64>, Damage> {
    let runs = input.length(count)?;
    let mut values = Vec::with_capacity(count);
    let mut last = 0u64;
    for _ in 0..runs {
        let length = input.length(count - values.len())?;
        last = last.wrapping_add(unzigzag(input.varint()?) as u64);
        values.resize(values.len() + length, last);
    }
    if values.len() == count { Ok(values) } else { Err(Damage("runs are too short")) }
}

/// Reads a column of `count` values.
pub(super) fn decode(input: &mut Input<'_>, count: usize) -> Result<Vec<u64>, Damage> {
    Ok(Column::parse(input, count)?.into_values(count))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn check(values: &[u64]) {
        for encode in [encode as fn(&[u64], &mut Vec<u8>), encode_rows] {
            let mut out = Vec::new();
            encode(values, &mut out);
            let mut input = Input(&out);
            let column = Column::parse(&mut input, values.len()).unwrap();
            assert!(input.0.is_empty());
            for (index, value) in values.iter().enumerate() {
                assert_eq!(column.get(index), *value);
            }
            assert_eq!(column.into_values(values.len()), values);
            check_found(&out, values);
        }
    }

    /// What is found of a column is what stands in it.
    fn check_found(out: &[u8], values: &[u64]) {
        let (first, last) = (values.first().copied(), values.last().copied());
        let beside = |value: u64| [value.wrapping_sub(1), value.wrapping_add(1)];
        let others = first.into_iter().chain(last).flat_map(beside).chain([0, 1, u64::MAX]);
        let mut many: Vec<u64> = values.iter().copied().step_by(3).chain(others.clone()).collect();
        many.sort_unstable();
        let single = first.into_iter().chain(last).chain(others).map(|value| vec![value]);
        for wanted in single.chain([Vec::new(), many]) {
            let (mut input, mut found) = (Input(out), Vec::new());
            find(&mut input, values.len(), &wanted, &mut |at| found.push(at)).unwrap();
            assert!(input.0.is_empty());
            let places = (0..values.len()).filter(|at| wanted.contains(&values[*at]));
            assert_eq!(found, places.collect::<Vec<_>>(), "{wanted:?} in {values:?}");
        }
    }

    proptest! {
        #[test]
        fn any_column_round_trips(values in vec(any::<u64>(), 0..300)) {
            check(&values);
        }

        #[test]
        fn narrow_columns_round_trip(base: u64, width in 0u32..64, values in vec(any::<u64>(), 0..300)) {
            let mask = (1u64 << width) - 1;
            check(&values.iter().map(|value| base.wrapping_add(value & mask)).collect::<Vec<_>>());
            let mut sum = base;
            let rising = values.iter().map(|value| { sum = sum.wrapping_add(value & mask); sum });
            check(&rising.collect::<Vec<_>>());
        }

        #[test]
        fn few_distinct_values_round_trip(values in vec(any::<u64>(), 1..20), ids in vec(0usize..20, 0..500)) {
            check(&ids.iter().map(|id| values[id % values.len()]).collect::<Vec<_>>());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..60), count in 0usize..100) {
            if let Ok(values) = decode(&mut Input(&bytes), count) {
                prop_assert!(values.len() == count || count == 0);
            }
            let mut places = Vec::new();
            if find(&mut Input(&bytes), count, &[0, 7, 200], &mut |at| places.push(at)).is_ok() {
                prop_assert!(places.iter().all(|at| *at < count));
            }
        }
    }

    #[test]
    fn a_dictionary_within_a_dictionary_is_damage() {
        let nested = [DICTIONARY, 1].repeat(50_000);
        assert!(decode(&mut Input(&nested), 1).is_err());
        assert!(find(&mut Input(&nested), 1, &[1], &mut |_| ()).is_err());
    }

    #[test]
    fn consecutive_numbers_and_runs_cost_almost_nothing() {
        let mut out = Vec::new();
        encode_rows(&(1_000_000..1_010_000).collect::<Vec<_>>(), &mut out);
        assert!(out.len() < 10, "{}", out.len());
        out.clear();
        encode_rows(&(0..10_000).map(|at| 1 << (at / 5_000 * 40)).collect::<Vec<_>>(), &mut out);
        assert!(out.len() < 24, "{}", out.len());
    }
}
