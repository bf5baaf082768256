//! Templates of our own, verdicts of the service.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event::{Analyzed, Batch, Event, EventId, Position, Template, TemplateId, Variable, Verdict};
use template::{LoadError, Merged, Miner};

use super::Scoring;

/// Mines templates here and has events scored elsewhere.
pub struct RemoteAnalysis {
    config: template::Config,
    miner: Mutex<Miner>,
    scoring: Scoring,
}

impl fmt::Debug for RemoteAnalysis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RemoteAnalysis").field("attached", &self.scoring.is_attached()).finish()
    }
}

/// What the miner says of one event.
struct Mined {
    shape: u64,
    template: Arc<Template>,
    variables: std::ops::Range<u32>,
}

impl RemoteAnalysis {
    /// With a miner that knows nothing yet.
    pub fn new(scoring: Scoring, config: template::Config) -> Self {
        Self { miner: Mutex::new(Miner::new(config.clone())), config, scoring }
    }

    /// Whether events are scored as they come, and not later.
    pub fn is_attached(&self) -> bool {
        self.scoring.is_attached()
    }

    /// All ids whose stored rows belong to this template, for queries.
    pub fn aliases(&self, id: TemplateId) -> Vec<TemplateId> {
        self.miner().aliases(id)
    }

    /// All templates that stand for other ids too, for counts by template.
    pub fn merged_templates(&self) -> Vec<Merged> {
        self.miner().merged()
    }

    /// Templates known.
    pub fn templates(&self) -> usize {
        self.miner().len()
    }

    pub(crate) async fn analyze<'a>(&self, events: Vec<(EventId, Event<'a>)>, end: Position) -> Batch<'a> {
        let mut variables = Vec::new();
        // The service works while the templates are found.
        let (verdicts, mined) =
            tokio::join!(self.scoring.score(&events, end), async { self.mine(&events, &mut variables) });
        let with = events.into_iter().zip(mined).zip(verdicts);
        let events = with.map(|((event, mined), verdict)| analyzed(event, mined, verdict)).collect();
        Batch { events, variables, end }
    }

    fn mine(&self, events: &[(EventId, Event<'_>)], variables: &mut Vec<Variable>) -> Vec<Mined> {
        let mut miner = self.miner();
        let mined = events.iter().map(|(_, event)| {
            let from = variables.len() as u32;
            let mined = miner.mine(&event.message, variables);
            Mined { shape: mined.shape, template: mined.template, variables: from..variables.len() as u32 }
        });
        mined.collect()
    }

    pub(crate) fn start(&self, position: Position) {
        self.scoring.start(position);
    }

    pub(crate) fn commit(&self, indexed: Position) {
        self.scoring.commit(indexed);
    }

    pub(crate) fn snapshot(&self) -> Vec<u8> {
        self.miner().save()
    }

    pub(crate) fn restore(&self, snapshot: &[u8]) -> Result<(), LoadError> {
        *self.miner() = Miner::load(snapshot, self.config.clone())?;
        Ok(())
    }

    fn miner(&self) -> MutexGuard<'_, Miner> {
        self.miner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn analyzed(event: (EventId, Event<'_>), mined: Mined, verdict: Verdict) -> Analyzed<'_> {
    let (id, event) = event;
    let Mined { shape, template, variables } = mined;
    Analyzed { id, event, shape, variables, template: Some(template), verdict }
}
