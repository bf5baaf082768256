//! Which events and trainings a state of the service holds, so that two states can be told apart and ordered
//! without comparing them.
//!
//! ```text
//! u64      hash of everything learned, in order; u64 hash of what came beside the stream; u64 events of the stream
//! u32      marks, each u64: hashes that this one had when states were put on disk, oldest first
//! u32      places, each u128 journal, u32 segment, u32 record: up to where each journal is learned
//! u32      places likewise, of records learned that the journal will give again
//! ```

use arithmetic::mix;
use disk::sealed::{Reader, SealedError, Writer};
use event::{EventId, JournalId, Position};

/// States on disk that are recognised as forebears; more than models are kept and exchanged.
const MARKS_MAX: usize = 256;
/// Journals whose place is known; the one unused for longest is forgotten.
const PLACES_MAX: usize = 64;

type Places = Vec<(JournalId, Position)>;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lineage {
    chain: u64,
    root: u64,
    streamed: u64,
    marks: Vec<u64>,
    places: Places,
    ahead: Places,
}

fn reach(places: &mut Places, journal: JournalId, position: Position) {
    let before = places.iter().position(|(known, _)| *known == journal).map(|at| places.remove(at).1);
    places.push((journal, before.map_or(position, |before| before.max(position))));
    let surplus = places.len().saturating_sub(PLACES_MAX);
    places.drain(..surplus);
}

impl Lineage {
    /// Of a state saved before lineages were.
    pub(crate) fn unknown(snapshot: &[u8], seen: u64) -> Self {
        let chain = arithmetic::hash(snapshot);
        Self { chain, root: chain, streamed: seen, ..Self::default() }
    }

    /// Whether nothing was learned yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.chain == 0
    }

    /// Whether both hold the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.chain == other.chain
    }

    /// Whether this state holds the record already, although the journal gives it again after a restart.
    pub(crate) fn holds(&self, id: EventId) -> bool {
        self.ahead.iter().any(|(journal, place)| *journal == id.journal && id.position < *place)
    }

    /// Takes note of an event of the stream.
    pub(crate) fn learn(&mut self, id: EventId) {
        let place = (u64::from(id.position.segment) << 32) | u64::from(id.position.record);
        self.chain = mix(self.chain ^ mix(place ^ id.journal.0 as u64)) | 1;
        if self.root == 0 {
            self.root = mix(id.journal.0 as u64 ^ (id.journal.0 >> 64) as u64) | 1;
        }
        self.streamed += 1;
    }

    /// Takes note of how far the stream has come. A sender that knows no places leaves them at the start.
    pub(crate) fn reach(&mut self, last: EventId) {
        if last.position == Position::default() {
            return;
        }
        self.ahead.retain(|(journal, place)| *journal != last.journal || last.position.next() < *place);
        reach(&mut self.places, last.journal, last.position.next());
    }

    /// Takes note of something learned beside the stream.
    pub(crate) fn teach(&mut self, what: u64) {
        self.chain = mix(self.chain ^ mix(what)) | 1;
        self.root = mix(self.root ^ mix(what)) | 1;
    }

    /// Remembers that this state is put on disk.
    pub(crate) fn mark(&mut self) {
        if self.marks.last() != Some(&self.chain) {
            self.marks.push(self.chain);
            let surplus = self.marks.len().saturating_sub(MARKS_MAX);
            self.marks.drain(..surplus);
        }
    }

    /// Whether a state of this lineage should give way to `kept`, the one that a model was kept with: when
    /// it does not descend from it, or nothing of the stream came in between. What only the stream has
    /// added stays.
    pub(crate) fn yields_to(&self, kept: &Self) -> bool {
        if self.chain == kept.chain || kept.is_empty() {
            return false;
        }
        if self.marks.contains(&kept.chain) { self.streamed == kept.streamed } else { true }
    }

    /// Whether both hold the same and stand at the same places.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        self.is_same(other) && self.places == other.places && self.ahead == other.ahead
    }

    /// Whether the stream, read again from where this state stands, leads to `kept`.
    pub(crate) fn leads_to(&self, kept: &Self) -> bool {
        self.root != 0 && self.root == kept.root && self.streamed < kept.streamed
    }

    /// Goes on as the state `kept`, in a process that is where `self` stands.
    pub(crate) fn follow(&self, kept: &Self) -> Self {
        let mut next = kept.clone();
        next.ahead.clear();
        for (journal, place) in &kept.places {
            let here = self.places.iter().find(|(known, _)| known == journal).map(|(_, place)| *place);
            if here.is_none_or(|here| here < *place) {
                next.ahead.push((*journal, *place));
            }
        }
        for (journal, place) in &self.places {
            reach(&mut next.places, *journal, *place);
        }
        next.mark();
        next
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.u64(self.chain);
        out.u64(self.root);
        out.u64(self.streamed);
        out.u32(self.marks.len() as u32);
        self.marks.iter().for_each(|mark| out.u64(*mark));
        for places in [&self.places, &self.ahead] {
            out.u32(places.len() as u32);
            for (journal, position) in places {
                out.raw(&journal.0.to_le_bytes());
                out.u32(position.segment);
                out.u32(position.record);
            }
        }
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let (chain, root, streamed) = (input.u64()?, input.u64()?, input.u64()?);
        let count = input.count(8, MARKS_MAX)?;
        let marks = (0..count).map(|_| input.u64()).collect::<Result<_, _>>()?;
        let mut places = || -> Result<Places, SealedError> {
            let count = input.count(24, PLACES_MAX)?;
            let one = |input: &mut Reader<'_>| {
                let mut id = [0; 16];
                id.copy_from_slice(input.take(16)?);
                let position = Position { segment: input.u32()?, record: input.u32()? };
                Ok((JournalId(u128::from_le_bytes(id)), position))
            };
            (0..count).map(|_| one(input)).collect()
        };
        let (places, ahead) = (places()?, places()?);
        Ok(Self { chain, root, streamed, marks, places, ahead })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(record: u32) -> EventId {
        EventId { journal: JournalId(7), position: Position { segment: 0, record } }
    }

    fn stream(lineage: &mut Lineage, records: std::ops::Range<u32>) {
        for record in records {
            lineage.learn(at(record));
            lineage.reach(at(record));
        }
    }

    #[test]
    fn a_state_gives_way_to_what_it_does_not_hold() {
        let mut one = Lineage::default();
        stream(&mut one, 0..5);
        let before = one.clone();
        one.teach(1);
        one.mark();
        let taught = one.clone();
        assert!(before.yields_to(&taught) && !before.leads_to(&taught), "the stream does not tell of it");
        stream(&mut one, 5..8);
        assert!(!one.yields_to(&taught) && !one.yields_to(&before.clone().follow(&one)));
        let mut other = taught.clone();
        other.teach(2);
        assert!(other.yields_to(&taught), "nothing of the stream is lost by going back");
        let mut later = before.clone();
        stream(&mut later, 5..9);
        assert!(before.yields_to(&later) && before.leads_to(&later), "the stream leads there by itself");
    }

    #[test]
    fn records_that_come_again_are_held() {
        let (mut here, mut kept) = (Lineage::default(), Lineage::default());
        stream(&mut here, 0..3);
        stream(&mut kept, 0..6);
        kept.teach(1);
        let mut next = here.follow(&kept);
        assert!(next.holds(at(3)) && next.holds(at(5)) && !next.holds(at(6)));
        next.reach(at(4));
        assert!(next.holds(at(5)));
        next.reach(at(5));
        assert!(!next.holds(at(5)), "each comes again once");
        let mut out = Writer::default();
        next.write(&mut out);
        let sealed =
            disk::sealed::seal([b"LINEAGE\0".as_slice(), &1u32.to_le_bytes(), out.as_bytes()].concat());
        let mut input = Reader::sealed(&sealed, b"LINEAGE\0", 1, "it").unwrap();
        assert_eq!(Lineage::read(&mut input).unwrap(), next);
    }
}
