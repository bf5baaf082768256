//! The state as bytes, sealed as the models are, magic `LSWINDOW`; the body: templates (u32 length, bytes of their
//! own), the window, u64 events at which a training may be tried again, the monitor of drift, u8 1 with where and by
//! which model the serving one is followed, or 0, the sessions ([`session::Entities::write`]), what was learned of
//! them ([`session::Models::write`]), and the lineage (`lineage`).

use disk::sealed::{Reader, Writer};
use template::Miner;

use super::{Learning, State, Upkeep, entities};
use crate::{Config, error::ModelError, lineage::Lineage, window::Window};

pub(crate) const MAGIC: &[u8; 8] = b"LSWINDOW";
/// Version 1 ends with the window, version 2 before the sessions, version 3 before the lineage.
const VERSION: u32 = 4;

impl State {
    /// The state, with a model on its way that is trained or without.
    pub(crate) fn to_bytes(&self, with_pending: bool) -> Vec<u8> {
        let mut out = Writer::sealed(MAGIC, VERSION);
        out.bytes(&self.miner.save());
        self.window.write(&mut out);
        out.u64(self.retry_at);
        self.upkeep.write(&mut out, with_pending);
        self.entities.write(&mut out);
        self.learning.write(&mut out);
        self.lineage.write(&mut out);
        out.seal()
    }

    /// What [`State::to_bytes`] wrote.
    pub(crate) fn from_bytes(snapshot: &[u8], config: &Config) -> Result<Self, ModelError> {
        let (mut input, version) = Reader::sealed_since(snapshot, MAGIC, 1..=VERSION, "the snapshot")?;
        let miner = Miner::load(input.bytes()?, config.template.clone()).map_err(ModelError::Templates)?;
        let mut window = Window::read(&mut input)?;
        window.mask = config.parts.mask();
        let (retry_at, upkeep) = match version {
            1 => (0, Upkeep::new(config.seed)),
            _ => (input.u64()?, Upkeep::read(&mut input)?),
        };
        let mut entities = entities(config);
        let mut learning = Learning::default();
        if version > 2 {
            entities = entities.read(&mut input)?;
            learning = Learning::read(&mut input)?;
            entities.relearn(&learning.models);
        }
        let lineage = match version {
            1..=3 => Lineage::unknown(snapshot, window.seen),
            _ => Lineage::read(&mut input)?,
        };
        input.end()?;
        Ok(Self { miner, window, entities, retry_at, lineage, upkeep, learning })
    }
}
