//! The one door: whatever brought an event, it comes into the journal through here.
//!
//! A face of a protocol, the reader of watched files and the replay of dead letters do the same four things: ask
//! for the [`parse::Context`] of where the records come from, put each record into a [`Delivery`] as an event or as
//! what is wrong with it, append the delivery, and answer in their own form from the [`Receipt`]. What is bounded,
//! encoded, counted or refused is so here, for all of them.

use std::{sync::Arc, time::Duration};

use body::Budget;
use event::{Position, field};
use journal::Journal;
use metrics::counter;
use parse::Format;
use telemetry::{ledger, metric};

use crate::{
    Clock,
    config::{Config, Origin},
    delivery::{Counts, Delivery, Finished},
    refusal::Refused,
};

/// How long to wait before what was refused is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What became of a delivery once it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// What was in it.
    pub counts: Counts,
    /// Behind its events.
    pub end: Position,
}

/// The way into a journal. Clones share it.
#[derive(Debug, Clone)]
pub struct Door(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    journal: Journal,
    config: Config,
    clock: Clock,
    budget: Arc<Budget>,
}

impl Door {
    /// The door of a journal.
    pub fn new(journal: Journal, mut config: Config, clock: Clock) -> Self {
        if let Some(joining) = &mut config.joining {
            // What is longer would be cut.
            joining.bytes_max = joining.bytes_max.min(config.line_bytes_max);
        }
        let budget = Budget::new(config.held_bytes_max);
        Self(Arc::new(Inner { journal, config, clock, budget }))
    }

    /// How records are understood.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// What it leads to.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// What parsers are to know of records that are received now.
    pub fn context<'c>(&'c self, origin: &Origin<'c>) -> parse::Context<'c> {
        let Config { line_bytes_max, zone, joining, formats, .. } = self.config();
        let received = (self.0.clock)();
        parse::Context {
            near: origin.written.unwrap_or(received),
            file: origin.file,
            host: origin.host,
            before: origin.before,
            joining: joining.as_ref(),
            formats: Some(formats),
            ..parse::Context::new(received, zone, *line_bytes_max)
        }
    }

    /// A delivery of somebody who waits for an answer. It is refused as a whole when it finds no room among those
    /// held at the same time.
    pub fn delivery(&self) -> Delivery {
        Delivery::new(self.config(), (self.0.clock)(), Some(&self.0.budget))
    }

    /// A delivery of whoever bounds by itself what it brings at a time, and brings it again when it was refused.
    pub fn own_delivery(&self) -> Delivery {
        Delivery::new(self.config(), (self.0.clock)(), None)
    }

    /// Puts the records of a body into a delivery.
    pub fn read(&self, delivery: &mut Delivery, origin: &Origin<'_>, format: Format, body: &[u8]) {
        parse::body(format, body, &self.context(origin), |mut record| {
            if let Ok(event) = &mut record
                && origin.is_cut
            {
                event.flag(field::INCOMPLETE);
            }
            delivery.put(record);
        });
        delivery.came(body.len());
    }

    /// Makes a delivery durable. When the future is dropped it may still be, uncounted: run it as a task.
    ///
    /// # Errors
    /// See [`Refused`]; nothing of the delivery is stored.
    pub async fn append(&self, delivery: Delivery) -> Result<Receipt, Refused> {
        let Finished { batch, counts, received_bytes, held: _held } = delivery.finish()?;
        let bytes = batch.bytes();
        let appended = self.0.journal.append(batch).await;
        let appended = appended.map_err(|source| Refused::Journal { bytes, source })?;
        Ok(received(counts, received_bytes, appended.end))
    }

    /// Makes durable what `delivery` gives, which is tried again and again while it is refused. A stop of whoever waits does not
    /// keep it from being counted.
    pub(crate) async fn append_at_last(&self, name: &'static str, delivery: impl Fn() -> Delivery) {
        loop {
            let (door, delivery) = (self.clone(), delivery());
            let appended = telemetry::task::spawn(name, async move { door.append(delivery).await }).await;
            if let Ok(Ok(_)) = appended {
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// As [`Door::append`]. Blocks on the disk; call it off the reactor.
    ///
    /// # Errors
    /// See [`Refused`]; nothing of the delivery is stored.
    pub fn append_blocking(&self, delivery: Delivery) -> Result<Receipt, Refused> {
        let Finished { batch, counts, received_bytes, held: _held } = delivery.finish()?;
        let bytes = batch.bytes();
        let appended = self.0.journal.append_blocking(batch);
        let appended = appended.map_err(|source| Refused::Journal { bytes, source })?;
        Ok(received(counts, received_bytes, appended.end))
    }

    /// Counts the records of a delivery of which none is to be stored.
    pub fn turn_away(&self, delivery: &Delivery) {
        counter!(metric::REJECTED_EVENTS).increment(delivery.counts().refused);
    }
}

/// The only place that counts new events.
fn received(counts: Counts, bytes: u64, end: Position) -> Receipt {
    ledger::received(counts.accepted);
    counter!(metric::RECEIVED_BYTES).increment(bytes);
    counter!(metric::REJECTED_EVENTS).increment(counts.refused);
    counter!(metric::EXPIRED_ON_ARRIVAL).increment(counts.expired);
    counter!(metric::SPLIT_EVENTS).increment(counts.rest);
    Receipt { counts, end }
}
