//! What was learned of sessions, as part of a sealed blob.
//!
//! ```text
//! u64      sessions, then the cleaning: u64 sessions, u64 vectors, f64 hold, u64 broken, f64 kinds, u64 taken back
//! u8       parts that judge: bit 0 novelty, 1 relations, 2 order, 3 cleaning, 4 modes, 5 forest
//! u32      events, then the u64 key of each, rising
//! u32      events that close a session, then the u32 number of each, rising
//! ...      nearest vectors, ranges, relations, orders, calibration and forest, each as its module says
//! ```
//! Events go by their number, the place of their key. Maps are made anew on reading.

use disk::sealed::{Reader, SealedError, Writer};

use super::{
    Model, calibrate::Calibration, clean::Cleaning, collect::number, config::Parts, normal::Normals,
    order::Order, range::Range, relation, sequence::EventKey,
};

/// More events than any configuration tells apart.
const EVENTS_MAX: usize = 1 << 20;
const FLAGS: usize = 6;

impl Parts {
    fn flags(self) -> [bool; FLAGS] {
        [self.novelty, self.relations, self.order, self.cleaning, self.modes, self.forest]
    }
}

impl Model {
    pub(crate) fn write(&self, out: &mut Writer) {
        out.u64(self.sessions);
        let cleaning = &self.cleaning;
        out.u64(cleaning.sessions);
        out.u64(cleaning.vectors as u64);
        out.f64(cleaning.hold);
        out.u64(cleaning.broken);
        out.f64(cleaning.kinds);
        out.u64(cleaning.taken_back);
        out.u8(self.parts.flags().iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(*flag)));
        out.u32(self.keys.len() as u32);
        self.keys.iter().for_each(|key| out.u64(key.0));
        out.u32(self.closing.len() as u32);
        self.closing.iter().for_each(|number| out.u32(*number));
        self.normals.write(out);
        self.range.write(out);
        relation::write(&self.relations, out);
        self.order.write(out);
        self.calibration.write(out);
        out.u8(u8::from(self.forest.is_some()));
        if let Some(forest) = &self.forest {
            forest.write(out);
        }
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let sessions = input.u64()?;
        let cleaning = Cleaning {
            sessions: input.u64()?,
            vectors: input.u64()? as usize,
            hold: input.f64()?,
            broken: input.u64()?,
            kinds: input.f64()?,
            taken_back: input.u64()?,
        };
        let bits = input.u8()?;
        let [novelty, relations, order, cleaning_on, modes, forest] =
            std::array::from_fn::<bool, FLAGS, _>(|bit| bits >> bit & 1 == 1);
        let parts = Parts { novelty, relations, order, cleaning: cleaning_on, modes, forest };
        let events = input.count(8, EVENTS_MAX)?;
        let keys =
            (0..events).map(|_| Ok(EventKey(input.u64()?))).collect::<Result<Vec<_>, SealedError>>()?;
        if !keys.is_sorted_by(|left, right| left < right) {
            return Err(input.damaged());
        }
        let count = input.count(4, events)?;
        let closing = (0..count).map(|_| number(input, events)).collect::<Result<Vec<_>, _>>()?;
        if !closing.is_sorted_by(|left, right| left < right) {
            return Err(input.damaged());
        }
        let numbers = keys.iter().zip(0..).map(|(key, number)| (*key, number)).collect();
        Ok(Self {
            numbers,
            normals: Normals::read(input, events)?,
            range: Range::read(input, events)?,
            relations: relation::read(input, events)?,
            order: Order::read(input, events)?,
            closing,
            calibration: Calibration::read(input)?,
            forest: match input.u8()? {
                0 => None,
                _ => Some(super::forest::Part::read(input)?),
            },
            cleaning,
            sessions,
            parts,
            keys,
        })
    }
}
