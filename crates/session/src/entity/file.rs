//! All sessions as a part of the snapshot.
//!
//! ```text
//! u64      events seen; u64 clock, u64 latest time (nanoseconds); u64 state of chance
//! ...      the finder, as `find` writes it
//! u32      keys of events, then the u64 of each: events below go by their place here
//! u32      kinds, then for each: u64 id, name, u8 certain, longest gaps (`idle`), u64 last used, u64 sessions
//!          that came, u64 of these when trained last, u64 when that was, u8 whether its model is out of date,
//!          u32 reasons told of, each u64 and u32 times, u32 sessions kept, each: events, further ones, f32 duration and f32 longest gap in seconds
//! u32      open sessions, of each kind the one silent for longest first
//! u32      sessions ended lately: u64 key, u64 latest time
//! ...      strange sessions, as `strange` writes them
//! ```

use arithmetic::{Random, mix};
use disk::sealed::{Reader, SealedError, Writer};
use hashbrown::HashMap;

use super::{
    ENDED, Entities,
    closed::{Closed, Reservoir},
    find::Finder,
    idle::Idle,
    kind::Kind,
    models::{KINDS_MAX, LABEL_MAX},
    open::{ORDER_MAX, Open, TEXT_MAX, Table},
    repeats::Repeats,
    strange::{Strange, read_id, write_id},
};
use crate::model::{EventKey, Grown};

/// More sessions than a kind keeps, and more further events than a session tells apart.
const KEPT_MAX: usize = 1 << 16;
const MORE_MAX: usize = 1 << 10;
/// More different events than sessions can hold.
const KEYS_MAX: usize = 1 << 24;

/// The keys of events, numbered as they come.
#[derive(Default)]
struct Keys {
    all: Vec<EventKey>,
    numbers: HashMap<EventKey, u32, foldhash::fast::FixedState>,
}

impl Keys {
    fn number(&mut self, key: EventKey) -> u32 {
        *self.numbers.entry(key).or_insert_with(|| {
            self.all.push(key);
            self.all.len() as u32 - 1
        })
    }

    fn write_events(&mut self, events: &[EventKey], more: &[(EventKey, u32)], out: &mut Writer) {
        out.u32(events.len() as u32);
        events.iter().for_each(|key| out.u32(self.number(*key)));
        out.u32(more.len() as u32);
        for (key, count) in more {
            out.u32(self.number(*key));
            out.u32(*count);
        }
    }
}

type Events = (Vec<EventKey>, Vec<(EventKey, u32)>);

fn read_events(input: &mut Reader<'_>, keys: &[EventKey]) -> Result<Events, SealedError> {
    let key = |input: &mut Reader<'_>| {
        let number = input.u32()? as usize;
        keys.get(number).copied().ok_or_else(|| input.damaged())
    };
    let count = input.count(4, ORDER_MAX)?;
    let events = (0..count).map(|_| key(input)).collect::<Result<Vec<_>, _>>()?;
    let count = input.count(8, MORE_MAX)?;
    let more =
        (0..count).map(|_| Ok((key(input)?, input.u32()?))).collect::<Result<Vec<_>, SealedError>>()?;
    Ok((events, more))
}

impl Entities {
    /// As a part of sealed bytes.
    pub fn write(&self, out: &mut Writer) {
        out.u64(self.seen);
        out.u64(self.clock as u64);
        out.u64(self.latest as u64);
        out.u64(self.random.state());
        self.finder.write(out);
        let (mut keys, mut body) = (Keys::default(), Writer::default());
        body.u32(self.kinds.len() as u32);
        for kind in &self.kinds {
            write_kind(kind, &mut keys, &mut body);
        }
        body.u32(self.table.len() as u32);
        for open in self.table.iter() {
            write_open(open, &mut keys, &mut body);
        }
        out.u32(keys.all.len() as u32);
        keys.all.iter().for_each(|key| out.u64(key.0));
        out.raw(body.as_bytes());
        let ended = || self.ended.iter().filter(|ended| **ended != (0, 0));
        out.u32(ended().count() as u32);
        for (key, nanos) in ended() {
            out.u64(*key);
            out.u64(*nanos as u64);
        }
        self.strange.write(out);
    }

    /// Goes on from what was saved, with the bounds of this one.
    ///
    /// # Errors
    /// When the bytes are not what [`Entities::write`] writes.
    pub fn read(&self, input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let mut read = Self::new(self.sessions_max, self.given.clone(), 0);
        read.seen = input.u64()?;
        (read.clock, read.latest) = (input.u64()? as i64, input.u64()? as i64);
        read.random = Random::from_state(input.u64()?);
        read.finder = Finder::read(input)?;
        let count = input.count(8, KEYS_MAX)?;
        let keys = (0..count).map(|_| Ok(EventKey(input.u64()?))).collect::<Result<Vec<_>, SealedError>>()?;
        for _ in 0..input.count(40, KINDS_MAX)? {
            read.kinds.push(read_kind(input, &keys)?);
        }
        read.table = Table::default();
        for _ in 0..input.count(60, usize::MAX)? {
            let open = read_open(input, &keys)?;
            if open.kind as usize >= read.kinds.len() || read.table.find(open.key).is_some() {
                return Err(input.damaged());
            }
            read.table.insert(open);
        }
        for _ in 0..input.count(16, ENDED)? {
            let ended = (input.u64()?, input.u64()? as i64);
            read.ended[mix(ended.0) as usize % ENDED] = ended;
        }
        read.strange = Strange::read(input)?;
        Ok(read)
    }
}

fn write_kind(kind: &Kind, keys: &mut Keys, out: &mut Writer) {
    out.u64(kind.id);
    out.bytes(kind.label.as_bytes());
    out.u8(u8::from(kind.is_certain));
    kind.idle().write(out);
    out.u64(kind.used as u64);
    out.u64(kind.closed.came);
    out.u64(kind.trained);
    out.u64(kind.trained_at as u64);
    out.u8(u8::from(kind.is_stale));
    kind.repeats.write(out);
    out.u32(kind.closed.kept.len() as u32);
    for closed in &kind.closed.kept {
        keys.write_events(&closed.events, &closed.more, out);
        out.f32(closed.duration_s);
        out.f32(closed.gap_s);
    }
}

fn read_kind(input: &mut Reader<'_>, keys: &[EventKey]) -> Result<Kind, SealedError> {
    let named = (input.u64()?, input.text(LABEL_MAX)?, input.u8()? != 0);
    let (idle, used, came) = (Idle::read(input)?, input.u64()? as i64, input.u64()?);
    let (trained, trained_at, is_stale) = (input.u64()?, input.u64()? as i64, input.u8()? != 0);
    let told = Repeats::read(input)?;
    let count = input.count(16, KEPT_MAX)?;
    let mut kept = Vec::with_capacity(count);
    for _ in 0..count {
        let (events, more) = read_events(input, keys)?;
        kept.push(Closed { events, more, duration_s: input.f32()?, gap_s: input.f32()? });
    }
    let mut kind = Kind::of(named, idle, Reservoir::of(kept, came), used);
    (kind.trained, kind.trained_at, kind.is_stale, kind.repeats) = (trained, trained_at, is_stale, told);
    Ok(kind)
}

fn write_open(open: &Open, keys: &mut Keys, out: &mut Writer) {
    out.u64(open.key);
    out.u32(open.kind);
    out.bytes(open.text.as_bytes());
    write_id(open.first, out);
    write_id(open.last, out);
    for nanos in [open.from, open.to, open.gap] {
        out.u64(nanos as u64);
    }
    keys.write_events(&open.events, &open.more, out);
    out.u64(open.count);
    out.u8(u8::from(open.is_partial));
    out.u64(open.opened);
    let (weights, counts) = open.grown.parts();
    weights.into_iter().for_each(|weight| out.f64(weight));
    counts.into_iter().for_each(|count| out.u32(count));
    out.u64(open.model);
    out.f64(open.told);
}

fn read_open(input: &mut Reader<'_>, keys: &[EventKey]) -> Result<Open, SealedError> {
    let (key, kind, text) = (input.u64()?, input.u32()?, input.text(TEXT_MAX)?);
    let (first, last) = (read_id(input)?, read_id(input)?);
    let (from, to, gap) = (input.u64()? as i64, input.u64()? as i64, input.u64()? as i64);
    let (events, more) = read_events(input, keys)?;
    let (count, is_partial, opened) = (input.u64()?, input.u8()? != 0, input.u64()?);
    let weights = [input.f64()?, input.f64()?];
    let counts = [input.u32()?, input.u32()?, input.u32()?, input.u32()?];
    let grown = Grown::of(weights, counts);
    let (model, told) = (input.u64()?, input.f64()?);
    let mut open = Open::new(key, kind, first, from);
    (open.text, open.last, open.to, open.gap) = (text, last, to, gap);
    (open.events, open.more, open.count) = (events, more, count);
    (open.is_partial, open.opened, open.grown) = (is_partial, opened, grown);
    (open.model, open.told) = (model, told);
    Ok(open)
}
