//! A correlator's state as bytes, so that a restart changes nothing.
//!
//! Sealed bytes, magic `SIGMACOR`, version 1: u64 feeds; u64 groups evicted, u64 entries evicted, u64 late; u32
//! correlations, each: the text that says what it counts, u32 groups, each: u64 fed, u8 whether it is quiet and u64 until
//! when, u32 values of its key (u8 whether it is there, text), u32 entries, each: u64 time, u32 times, u16 reference,
//! u8 kind of value and its bytes (u64 bits of a number, 16 bytes of a hash).

use disk::sealed::{Reader, SealedError, Writer};

use crate::{
    Rules,
    correlation::{
        correlator::Correlator,
        definition::Correlation,
        state::{Group, Key, Limits},
        window::{Entry, EntryValue},
    },
};

const MAGIC: &[u8; 8] = b"SIGMACOR";
const VERSION: u32 = 1;
/// The most bytes of what says what a correlation counts.
const SIGNATURE_MAX: usize = 1 << 20;
/// The most bytes of a value of a key.
const KEY_MAX: usize = 1 << 10;

impl Correlator {
    /// The state as bytes.
    pub fn snapshot(&self, rules: &Rules) -> Vec<u8> {
        let mut out = Writer::sealed(MAGIC, VERSION);
        let status = self.status();
        for number in [self.state.feeds, status.groups_evicted, status.entries_evicted, status.late] {
            out.u64(number);
        }
        out.u32(rules.correlations().len() as u32);
        for (correlation, groups) in rules.correlations().iter().zip(&self.state.correlations) {
            out.bytes(signature(correlation).as_bytes());
            out.u32(groups.len() as u32);
            for (key, group) in groups {
                put_group(&mut out, key, group);
            }
        }
        out.seal()
    }

    /// The state of a snapshot for rules that may have changed since: what a correlation has counted is kept where it
    /// still counts the same, and within the limits.
    ///
    /// # Errors
    /// Where the bytes are damaged, or are no snapshot that this version reads.
    pub fn restore(rules: &Rules, limits: Limits, bytes: &[u8]) -> Result<Self, SealedError> {
        let mut reader = Reader::sealed(bytes, MAGIC, VERSION, "the state of correlations")?;
        let mut correlator = Self::new(rules, limits);
        let status = &mut correlator.state.status;
        correlator.state.feeds = reader.u64()?;
        status.groups_evicted = reader.u64()?;
        status.entries_evicted = reader.u64()?;
        status.late = reader.u64()?;
        let signatures: Vec<String> = rules.correlations().iter().map(signature).collect();
        for _ in 0..reader.count(8, usize::MAX)? {
            let known = reader.text(SIGNATURE_MAX)?;
            let place = signatures.iter().position(|signature| *signature == known);
            for _ in 0..reader.count(8, usize::MAX)? {
                let (key, group) = take_group(&mut reader)?;
                let Some(place) = place else { continue };
                status.groups += 1;
                status.entries += group.window.entries.len();
                correlator.state.correlations[place].insert(key, group);
            }
        }
        reader.end()?;
        for place in 0..signatures.len() {
            correlator.state.make_room(place, &limits);
        }
        Ok(correlator)
    }
}

/// Everything that says what a correlation counts.
fn signature(correlation: &Correlation) -> String {
    let Correlation { about, r#type, rules, group_by, timespan_ns, fields, condition, expression, .. } =
        correlation;
    format!(
        "{:?} {:?} {type:?} {rules:?} {group_by:?} {timespan_ns} {fields:?} {condition:?} {expression:?}",
        about.id, about.title
    )
}

fn put_group(out: &mut Writer, key: &Key, group: &Group) {
    out.u64(group.fed);
    out.u8(u8::from(group.quiet_until_ns.is_some()));
    out.u64(group.quiet_until_ns.unwrap_or_default().cast_unsigned());
    out.u32(key.len() as u32);
    for value in key {
        out.u8(u8::from(value.is_some()));
        out.bytes(value.as_deref().unwrap_or_default().as_bytes());
    }
    out.u32(group.window.entries.len() as u32);
    for entry in &group.window.entries {
        out.u64(entry.time_ns.cast_unsigned());
        out.u32(entry.times);
        out.u16(entry.reference);
        match entry.value {
            EntryValue::None => out.u8(0),
            EntryValue::Number(number) => {
                out.u8(1);
                out.f64(number);
            }
            EntryValue::Text(hash) => {
                out.u8(2);
                out.raw(&hash.to_le_bytes());
            }
        }
    }
}

fn take_group(reader: &mut Reader<'_>) -> Result<(Key, Group), SealedError> {
    let mut group = Group { fed: reader.u64()?, ..Group::default() };
    let is_quiet = reader.u8()? == 1;
    let until = reader.u64()?.cast_signed();
    group.quiet_until_ns = is_quiet.then_some(until);
    let mut key = vec![];
    for _ in 0..reader.count(5, usize::MAX)? {
        let is_there = reader.u8()? == 1;
        let text = reader.text(KEY_MAX)?;
        key.push(is_there.then_some(text));
    }
    for _ in 0..reader.count(15, usize::MAX)? {
        let (time_ns, times, reference) = (reader.u64()?.cast_signed(), reader.u32()?, reader.u16()?);
        let value = match reader.u8()? {
            0 => EntryValue::None,
            1 => EntryValue::Number(reader.f64()?),
            2 => {
                let bytes = reader.take(16)?.first_chunk().ok_or_else(|| reader.damaged())?;
                EntryValue::Text(u128::from_le_bytes(*bytes))
            }
            _ => return Err(reader.damaged()),
        };
        let entry = Entry { time_ns, times, reference, value };
        if group.window.entries.back().is_some_and(|before| before.time_ns > time_ns) {
            return Err(reader.damaged());
        }
        group.window.entries.push_back(entry);
    }
    Ok((key, group))
}
