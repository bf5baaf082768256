//! Detectors and rules as a reader of the journal: what they remember is kept with its place, and what they find goes
//! to whoever keeps it.
//!
//! The file `detection/state` holds, sealed: magic `LSDETECT`, version (u32), the journal's id (16 bytes), segment and
//! record of the place (u32 each), and what the engine remembers, packed by zstd. What was found before that place was kept when the
//! file was written; what was found behind it is found again after a crash, and whoever keeps it knows it again by its
//! evidence.

use std::{
    io::{self, Read},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Receiver,
    },
    time::{Duration, Instant},
};

use detect::{Engine, Finding, rules::RuleSet};
use disk::sealed::{Reader, Writer};
use event::{Batch, Event, JournalId, Position, Timestamp, Value, field};
use journal::{Cursor, Journal, OpenError};
use signal::{Evidence, Observed};
use telemetry::metric;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    detection::{Detector, DetectorError},
    records::decode,
};

/// The name of its cursor in the journal.
pub const DETECTION_CURSOR: &str = "detection";
const MAGIC: &[u8; 8] = b"LSDETECT";
const VERSION: u32 = 1;
/// How hard zstd tries: what is remembered is mostly numbers.
const PACKED: i32 = 3;
/// What all detectors remember is smaller by far.
const STATE_BYTES_MAX: u64 = 1 << 30;
/// What the engine remembers is written so seldom that it takes no more than this part of the time.
const SAVE_PART: u32 = 100;
/// How long a commit waits for what was found to be kept.
const SETTLE: Duration = Duration::from_secs(1);
/// The clock of the machine and the time that went by differ by more: it was set, or the machine slept.
const JUMP: Duration = Duration::from_secs(120);

/// Who keeps what is found.
pub trait Keeper: Send {
    /// Whether it takes more at present.
    fn has_room(&self) -> bool;

    /// Takes what was found before a place, to keep it soon.
    fn take(&mut self, found: Vec<Observed>, before: Position);

    /// Waits at most so long until all that it took is durable, and says whether it is.
    fn settle(&mut self, within: Duration) -> bool;
}

/// Where it keeps what, and who tells it the time.
pub struct EngineConfig {
    /// The file of what is remembered.
    pub file: PathBuf,
    /// Rules that take the place of those that are there.
    pub rules: Receiver<RuleSet>,
    /// The clock of the machine.
    pub clock: fn() -> Timestamp,
    /// Tells those who wait how far it has come.
    pub progress: Progress,
}

/// How far it is kept what was found, for those who wait for it. Clones share it.
#[derive(Debug, Clone)]
pub struct Progress {
    settled: watch::Sender<Position>,
    asked: Arc<AtomicBool>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { settled: watch::Sender::new(Position::default()), asked: Arc::default() }
    }
}

impl Progress {
    /// Waits until all that is found before a place, as of now, is kept; false when that takes longer than `within`.
    pub async fn settled(&self, before: Position, within: Duration) -> bool {
        let mut settled = self.settled.subscribe();
        let reached = async {
            // Asked anew each time: what was asked before may have been answered for less.
            loop {
                self.asked.store(true, Ordering::Release);
                if settled.changed().await.is_err() {
                    return false;
                }
                if *settled.borrow_and_update() >= before && !self.asked.load(Ordering::Acquire) {
                    return true;
                }
            }
        };
        tokio::time::timeout(within, reached).await.unwrap_or(false)
    }

    fn take_asked(&self) -> bool {
        self.asked.swap(false, Ordering::AcqRel)
    }
}

/// The engine, with its place.
pub struct EngineReader {
    engine: Engine,
    config: EngineConfig,
    keeper: Box<dyn Keeper>,
    journal: Journal,
    cursor: Cursor,
    /// Behind the last event whose findings are durable.
    durable: Position,
    saved: Option<(Instant, Duration)>,
    /// What the clock said when, to tell when it jumps.
    heard: Option<(Instant, Timestamp)>,
}

impl EngineReader {
    /// Goes on where the file stands. Without one that can be read it begins anew with what the journal still has.
    ///
    /// # Errors
    /// When the cursor cannot be opened.
    pub fn open(
        mut engine: Engine,
        config: EngineConfig,
        keeper: Box<dyn Keeper>,
        journal: &Journal,
    ) -> Result<Self, OpenError> {
        let cursor = journal.cursor(DETECTION_CURSOR)?;
        let read = match std::fs::read(&config.file) {
            Err(failure) if failure.kind() == io::ErrorKind::NotFound => None,
            read => Some(read.map_err(|error| error.to_string())),
        };
        let restored = read.map(|bytes| restore(&mut engine, &bytes?, journal.id())).transpose();
        let restored = restored.unwrap_or_else(|reason| {
            warn!(%reason, "detection begins anew: what it remembered cannot be read");
            None
        });
        let durable = restored.unwrap_or_default().max(cursor.position()).min(journal.end());
        info!(position = %durable, "detection goes on");
        Ok(Self {
            engine,
            config,
            keeper,
            journal: journal.clone(),
            cursor,
            durable,
            saved: None,
            heard: None,
        })
    }

    fn take_rules(&mut self) {
        if let Some(rules) = self.config.rules.try_iter().last() {
            self.engine.replace_rules(rules);
        }
    }

    /// Hands on what was found.
    fn hand_on(&mut self, batch: Option<&Batch<'_>>, before: Position) {
        let findings = self.engine.drain();
        if findings.is_empty() {
            return;
        }
        metrics::counter!(metric::FINDINGS).increment(findings.len() as u64);
        let found = findings.into_iter().map(|finding| self.with_lines(finding, batch)).collect();
        self.keeper.take(found, before);
    }

    /// A finding with what its events say, as far as the journal still has them, and whose they are.
    fn with_lines(&self, finding: Finding, batch: Option<&Batch<'_>>) -> Observed {
        let mut organization = None;
        let mut evidence = Vec::with_capacity(finding.evidence.len());
        for id in &finding.evidence {
            let events = batch.map_or(&[][..], |batch| &batch.events);
            let mut keep = |event: &Event<'_>| {
                if organization.is_none() {
                    let named = event.field(field::ORGANIZATION).and_then(Value::as_str);
                    organization = named.map(str::to_owned);
                }
                let line = Evidence::new(*id, event.timestamp, &event.message);
                evidence.push(line.of_service(event.source.as_deref()));
            };
            match events.binary_search_by_key(&id.position, |event| event.id.position) {
                Ok(at) => keep(&events[at].event),
                Err(_) if id.journal == self.journal.id() => {
                    let Ok(records) = self.journal.read(id.position, 1) else { continue };
                    let record = records.iter().next().filter(|(position, _)| *position == id.position);
                    if let Some((_, record)) = record {
                        keep(&decode(record));
                    }
                }
                Err(_) => {}
            }
        }
        Observed { finding, organization, evidence }
    }

    /// Writes down what is remembered.
    fn save(&mut self, position: Position) -> Result<(), DetectorError> {
        let mut writer = Writer::sealed(MAGIC, VERSION);
        writer.raw(&self.journal.id().0.to_be_bytes());
        writer.u32(position.segment);
        writer.u32(position.record);
        writer.raw(&zstd::bulk::compress(&self.engine.snapshot()?, PACKED)?);
        if let Some(folder) = self.config.file.parent() {
            disk::create_dir_all(folder)?;
        }
        disk::replace(&self.config.file, &writer.seal())?;
        Ok(())
    }
}

/// Lets the engine go on from a file's bytes, and says where.
fn restore(engine: &mut Engine, bytes: &[u8], journal: JournalId) -> Result<Position, String> {
    let mut reader = Reader::sealed(bytes, MAGIC, VERSION, "what detection remembers")
        .map_err(|error| error.to_string())?;
    let mut fields = || -> Result<(u128, Position), disk::sealed::SealedError> {
        let mut id = [0; 16];
        id.copy_from_slice(reader.take(16)?);
        Ok((u128::from_be_bytes(id), Position { segment: reader.u32()?, record: reader.u32()? }))
    };
    let (id, position) = fields().map_err(|error| error.to_string())?;
    if id != journal.0 {
        return Err("it is of another journal".to_owned());
    }
    let mut bytes = Vec::new();
    zstd::stream::Decoder::new(reader.rest())
        .and_then(|decoder| decoder.take(STATE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    engine.restore(&bytes).map_err(|error| error.to_string())?;
    Ok(position)
}

impl Detector for EngineReader {
    fn position(&self) -> Position {
        self.durable
    }

    fn is_ready(&self) -> bool {
        self.keeper.has_room()
    }

    fn see(&mut self, batch: &Batch<'_>) {
        self.take_rules();
        self.engine.see(batch);
        self.hand_on(Some(batch), batch.end);
    }

    fn tick(&mut self, position: Position) {
        self.take_rules();
        let (now, instant) = ((self.config.clock)(), Instant::now());
        let is_continuous = self.heard.is_some_and(|(at, said)| {
            let passed = i128::from(now.as_nanos()) - i128::from(said.as_nanos());
            passed.abs_diff(at.elapsed().as_nanos() as i128) <= JUMP.as_nanos()
        });
        self.heard = Some((instant, now));
        if !is_continuous {
            self.engine.resume(now);
        }
        match self.config.progress.take_asked() {
            true => self.engine.tick_now(now),
            false => self.engine.tick(now),
        }
        self.hand_on(None, position);
        if self.keeper.settle(Duration::ZERO) {
            self.config.progress.settled.send_replace(position);
        }
        let occupancy = self.engine.occupancy();
        metrics::gauge!(metric::DETECTION_KEYS).set(occupancy.keys as f64);
        metrics::counter!(metric::DETECTION_KEYS_EVICTED).absolute(occupancy.evicted);
    }

    fn commit(&mut self, position: Position, is_last: bool) -> Result<Position, DetectorError> {
        let is_due = self.saved.is_none_or(|(at, took)| at.elapsed() >= took * SAVE_PART);
        if position == self.durable || !(is_due || is_last) {
            return Ok(self.durable);
        }
        if !self.keeper.settle(SETTLE) {
            return Err("what was found could not be kept in time".into());
        }
        let begun = Instant::now();
        self.save(position)?;
        self.saved = Some((begun, begun.elapsed()));
        self.durable = position;
        self.cursor.commit(position)?;
        Ok(position)
    }
}
