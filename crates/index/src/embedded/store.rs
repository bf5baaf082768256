//! The store as a whole: opening, writing, making durable, and what queries look at.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use event::{Batch, EventId, JournalId, Position, Timestamp, Verdict};
use telemetry::ledger;
use tokio::sync::watch;

use super::{
    amend::{self, Late},
    block::Section,
    cache::Cache,
    files::{Files, failed, set_aside},
    losses::{self, Loss},
    merge,
    open::{Opened, open},
    segment::{Segment, file_path, sync_directory},
    view::Mirror,
    writer::Writer,
};
use crate::{
    FieldInfo, FieldValues, FieldValuesRequest, FollowRequest, Followed, Histogram, HistogramRequest, Index,
    IndexError, IndexStats, Limits, Losses, LostFile, Meter, Patterns, PatternsRequest, SearchRequest,
    SearchResult,
};

/// Tables larger than this end a segment early, in bytes.
const TABLES_BYTES_MAX: usize = 64 << 20;

/// Settings of the embedded index.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where its files lie; made when it is not there.
    pub dir: PathBuf,
    /// Rows of a block, 1 to 65,536: more make it smaller on disk, fewer make rare tokens faster to find.
    pub block_rows: usize,
    /// Rows of a segment at most.
    pub segment_rows: u64,
    /// How much memory decoded blocks may take, in bytes.
    pub cache_bytes: usize,
}

impl Config {
    /// The defaults, for a folder.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), block_rows: 16_384, segment_rows: 1 << 20, cache_bytes: 64 << 20 }
    }
}

/// The embedded index.
#[derive(Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) cache: Cache,
    /// In the order of their numbers; segments in memory, which have none yet, last.
    segments: RwLock<Arc<Vec<Arc<Segment>>>>,
    writer: Mutex<Writer>,
    /// Taken before the writer's lock.
    mirror: Mutex<Mirror>,
    written: watch::Sender<Position>,
    /// Held while files are written or removed.
    files: Mutex<Files>,
    poisoned: AtomicBool,
    losses: Mutex<Vec<Loss>>,
}

/// What a query looks at.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) covered: Position,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Embedded {
    /// Opens the index in a folder. Files left over from an interrupted write are removed, damaged
    /// ones are renamed to `*.damaged`; what is lost is in [`Index::losses`].
    ///
    /// # Errors
    /// When the folder or a file in it cannot be read, or was written by a later version.
    pub fn open(config: Config) -> Result<Self, IndexError> {
        let config = Config { block_rows: config.block_rows.clamp(1, 1 << 16), ..config };
        let Opened { segments, covered, files, losses } = open(&config.dir)?;
        Ok(Self {
            shared: Arc::new(Shared {
                cache: Cache::new(config.cache_bytes),
                written: watch::Sender::new(last_of(&covered)),
                segments: RwLock::new(Arc::new(segments)),
                writer: Mutex::new(Writer::new(config.block_rows, covered)),
                mirror: Mutex::default(),
                files: Mutex::new(files),
                poisoned: AtomicBool::new(false),
                losses: Mutex::new(losses),
                config,
            }),
        })
    }

    /// Bytes of all files by what they hold.
    pub fn bytes_by_section(&self) -> Vec<(String, u64)> {
        let mut bytes: Vec<(String, u64)> =
            Section::ALL.iter().map(|section| (format!("{section:?}"), 0)).collect();
        let segments = self.shared.segments();
        for block in segments.iter().filter(|segment| segment.is_file()).flat_map(|segment| &segment.blocks) {
            for ((_, sum), (length, _)) in bytes.iter_mut().zip(block.meta.sections) {
                *sum += u64::from(length);
            }
        }
        bytes
    }

    /// Runs a query off the reactor, until nobody waits for it any more; damaged segments met on the
    /// way are set aside and the rest answers.
    async fn query<T: Send + 'static>(
        &self,
        limits: &Limits,
        run: impl Fn(&Shared, &Snapshot, &mut Meter<'_>) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let (shared, own) = (Arc::clone(&self.shared), limits.clone());
        let work = move || {
            let mut meter = own.meter();
            loop {
                meter.check()?;
                match run(&shared, &shared.snapshot(), &mut meter) {
                    Err(IndexError::Damaged { path, reason, block }) => {
                        shared.leave_out(&path, &reason, block)?;
                    }
                    answer => return answer,
                }
            }
        };
        let guard = limits.cancel_on_drop();
        let answer = self.off_reactor("query", "run a query on", work).await;
        guard.disarm();
        answer
    }

    /// Runs what takes processor or disk time where it does not hold the reactor up.
    async fn off_reactor<T: Send + 'static>(
        &self,
        name: &'static str,
        action: &'static str,
        work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, IndexError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return work();
        }
        match telemetry::task::blocking(name, work).await {
            Ok(answer) => answer,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => {
                let (path, source) = (self.shared.config.dir.clone(), std::io::Error::other(error));
                Err(IndexError::File { action, path, source })
            }
        }
    }
}

impl Shared {
    pub(super) fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        Arc::clone(&self.segments.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change_segments(&self, change: impl FnOnce(&mut Vec<Arc<Segment>>)) {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut segments));
    }

    fn snapshot(&self) -> Snapshot {
        let mut mirror = lock(&self.mirror);
        let (segments, covered) = {
            let writer = lock(&self.writer);
            mirror.catch_up(&writer);
            (self.segments(), last_of(writer.covered()))
        };
        let open = mirror.view();
        drop(mirror);
        Snapshot { segments: segments.iter().cloned().chain(open).collect(), covered }
    }

    /// Leaves out what a query or a merge found damaged, and says so once: a block, or a whole file.
    fn leave_out(&self, path: &Path, reason: &str, block: Option<u64>) -> Result<(), IndexError> {
        let _files = lock(&self.files);
        self.leave_out_locked(path, reason, block)
    }

    fn leave_out_locked(&self, path: &Path, reason: &str, block: Option<u64>) -> Result<(), IndexError> {
        let segments = self.segments();
        // Else another query has done so, or a merge has replaced it.
        let Some(segment) = segments.iter().find(|segment| segment.is_file() && segment.path() == path)
        else {
            return Ok(());
        };
        let (rest, loss) = match block {
            Some(block) => {
                let Some((rest, gone)) = segment.without(block) else { return Ok(()) };
                let what = format!("a block is damaged ({reason}) and left out");
                let (events, times) = (u64::from(gone.rows), (gone.first, gone.last));
                (
                    Some(Arc::new(rest)),
                    Loss { path: path.to_owned(), what, events: Some(events), times, file: None },
                )
            }
            None => {
                set_aside(path)?;
                let (path, what) =
                    (path.with_extension("damaged"), format!("damaged ({reason}) and set aside"));
                let times = (segment.first, segment.last);
                (None, Loss { path, what, events: Some(segment.rows), times, file: None })
            }
        };
        tracing::error!(path = %loss.path.display(), events = loss.events, "part of the index is lost: {}", loss.what);
        self.change_segments(|segments| {
            segments.retain_mut(|segment| {
                if !segment.is_file() || segment.path() != path {
                    return true;
                }
                rest.clone().is_some_and(|rest| {
                    *segment = rest;
                    true
                })
            });
        });
        lock(&self.losses).push(loss);
        Ok(())
    }

    fn write(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(IndexError::Poisoned);
        }
        let mut writer = lock(&self.writer);
        writer.write(batch);
        self.roll_if_full(&mut writer);
        Ok(())
    }

    fn restore(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(IndexError::Poisoned);
        }
        let mut writer = lock(&self.writer);
        writer.restore(batch);
        self.roll_if_full(&mut writer);
        Ok(())
    }

    fn roll_if_full(&self, writer: &mut Writer) {
        if writer.rows() >= self.config.segment_rows || writer.tables_bytes() > TABLES_BYTES_MAX {
            self.roll(writer);
        }
    }

    /// Ends the segment being written; it stays in memory until it is committed.
    fn roll(&self, writer: &mut Writer) {
        let segment = Arc::new(writer.finish());
        self.change_segments(|segments| segments.push(segment));
        // What queries saw of it takes memory; one that is at it drops it with the next copy.
        if let Ok(mut mirror) = self.mirror.try_lock() {
            *mirror = Mirror::default();
        }
    }

    fn commit(&self) -> Result<Position, IndexError> {
        let mut files = lock(&self.files);
        if self.poisoned.load(Ordering::Acquire) {
            return Err(IndexError::Poisoned);
        }
        if files.unsaved {
            files.save(&self.config.dir)?;
        }
        let end = {
            let mut writer = lock(&self.writer);
            if writer.rows() > 0 || self.is_behind(&writer) {
                self.roll(&mut writer);
            }
            writer.covered().last().map_or(Position::default(), |(_, end)| *end)
        };
        for pending in self.segments().iter().filter(|segment| !segment.is_file()) {
            self.write_file(pending, &mut files, &[])?;
        }
        while let Some(chosen) = merge::choose(&self.segments(), self.config.segment_rows) {
            let merged = match merge::merge(&chosen, self.config.block_rows, &self.cache) {
                Ok(merged) => merged,
                // What is damaged is left where it is; the others are merged.
                Err(IndexError::Damaged { path, reason, block }) => {
                    self.leave_out_locked(&path, &reason, block)?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let replaced: Vec<u64> = chosen.iter().map(|segment| segment.number).collect();
            if let Err(error) = self.write_file(&Arc::new(merged), &mut files, &replaced) {
                // What was to be merged is durable as it is; a full disk may have room another time.
                if self.poisoned.load(Ordering::Acquire) {
                    return Err(error);
                }
                break;
            }
        }
        Ok(end)
    }

    /// Whether a journal was read further than files say, though no row came of it.
    fn is_behind(&self, writer: &Writer) -> bool {
        let segments = self.segments();
        if segments.iter().any(|segment| !segment.is_file()) {
            return false;
        }
        // A cursor that moves without rows is worth a file only where files exist at all.
        writer.covered().iter().any(|(journal, end)| committed(&segments, *journal) < *end)
    }

    /// Writes a segment and puts the file in its place and in that of those it replaces.
    fn write_file(
        &self,
        pending: &Arc<Segment>,
        files: &mut Files,
        replaced: &[u64],
    ) -> Result<(), IndexError> {
        let number = files.next;
        let written = pending.write(&self.config.dir, number, replaced).map_err(|failure| {
            // Half a file only takes the room that is lacking.
            drop(std::fs::remove_file(file_path(&self.config.dir, number).with_extension("tmp")));
            if failure.poisons {
                self.poisoned.store(true, Ordering::Release);
                return IndexError::Poisoned;
            }
            failure.error
        })?;
        files.next += 1;
        files.manifest.add(&written, replaced);
        files.removable.extend_from_slice(replaced);
        let written = Arc::new(written);
        self.change_segments(|segments| {
            segments.retain(|segment| {
                !Arc::ptr_eq(segment, pending) && (!segment.is_file() || !replaced.contains(&segment.number))
            });
            segments.push(written);
            segments.sort_by_key(|segment| (!segment.is_file(), segment.number));
        });
        files.save(&self.config.dir)
    }

    /// Makes durable what was restored of a lost file, in one file that takes its place.
    fn restored(&self, lost: u64, events: u64) -> Result<(), IndexError> {
        let mut files = lock(&self.files);
        if self.poisoned.load(Ordering::Acquire) {
            return Err(IndexError::Poisoned);
        }
        {
            let mut writer = lock(&self.writer);
            if writer.rows() > 0 {
                self.roll(&mut writer);
            }
        }
        let segments = self.segments();
        let pending: Vec<_> = segments.iter().filter(|segment| !segment.is_file()).collect();
        for (at, segment) in pending.iter().enumerate() {
            // With the last: until then a crash has all of it done again.
            let replaced: &[u64] = if at + 1 == pending.len() { &[lost] } else { &[] };
            self.write_file(segment, &mut files, replaced)?;
        }
        losses::restored(&mut lock(&self.losses), lost, events);
        files.manifest.files.remove(&lost);
        files.save(&self.config.dir)
    }

    /// Files that hold rows without these verdicts are replaced by others with them. One with a damaged
    /// block stays as it is: another would not hold that block's bytes, which somebody may yet mend.
    fn amend(&self, verdicts: &[(EventId, Verdict)]) -> Result<u64, IndexError> {
        self.commit()?;
        let late: Late<'_> = verdicts.iter().map(|(id, verdict)| (*id, verdict)).collect();
        let mut files = lock(&self.files);
        let mut amended = 0;
        let fit = |segment: &&Arc<Segment>| segment.is_file() && segment.whole && segment.rows > 0;
        for segment in self.segments().iter().filter(fit) {
            let (with, rows) = match amend::amend(segment, &late, self.config.block_rows, &self.cache) {
                Ok(Some(with)) => with,
                // A query that meets the damage sets it aside.
                Ok(None) | Err(IndexError::Damaged { .. }) => continue,
                Err(error) => return Err(error),
            };
            self.write_file(&Arc::new(with), &mut files, &[segment.number])?;
            amended += rows;
        }
        Ok(amended)
    }

    fn expire(&self, before: Timestamp) -> Result<u64, IndexError> {
        let mut files = lock(&self.files);
        let old = |segment: &Segment| {
            segment.is_file() && segment.rows > 0 && segment.ages_from() < before.as_nanos()
        };
        let segments = self.segments();
        let (gone, kept): (Vec<_>, Vec<_>) = segments.iter().cloned().partition(|segment| old(segment));
        if gone.is_empty() {
            return Ok(0);
        }
        // The journal position must outlive the rows.
        let covered: Vec<_> = gone
            .iter()
            .flat_map(|segment| segment.covered.iter().map(|(journal, _)| *journal))
            .map(|journal| (journal, committed(&gone, journal)))
            .filter(|(journal, end)| committed(&kept, *journal) < *end)
            .collect::<std::collections::BTreeMap<_, _>>()
            .into_iter()
            .collect();
        let numbers: Vec<u64> = gone.iter().map(|segment| segment.number).collect();
        if !covered.is_empty() {
            let cursor = Arc::new(Segment::in_memory(Vec::new(), Arc::default(), covered));
            self.write_file(&cursor, &mut files, &numbers)?;
        } else {
            self.change_segments(|segments| {
                segments.retain(|segment| !segment.is_file() || !numbers.contains(&segment.number));
            });
        }
        files.manifest.files.retain(|number, _| !numbers.contains(number));
        files.removable.extend(numbers);
        files.save(&self.config.dir)?;
        sync_directory(&self.config.dir).map_err(failed("sync", &self.config.dir))?;
        Ok(gone.iter().map(|segment| segment.rows).sum())
    }
}

/// Behind the last event of the journal written last.
fn last_of(covered: &[(JournalId, Position)]) -> Position {
    covered.last().map_or(Position::default(), |(_, end)| *end)
}

/// Behind the last event of a journal that files hold.
fn committed(segments: &[Arc<Segment>], journal: JournalId) -> Position {
    let files = segments.iter().filter(|segment| segment.is_file());
    let covered = files.flat_map(|segment| &segment.covered).filter(|(known, _)| *known == journal);
    covered.map(|(_, end)| *end).max().unwrap_or_default()
}

#[async_trait]
impl Index for Embedded {
    fn attach(&self, journal: JournalId, _: Position, _: Position) -> Position {
        let listed = lock(&self.shared.files).manifest.covered.get(&journal).copied().unwrap_or_default();
        let position = committed(&self.shared.segments(), journal).max(listed);
        lock(&self.shared.writer).cover(journal, position);
        self.shared.written.send_replace(position);
        position
    }

    async fn write(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        self.shared.write(batch)?;
        ledger::stored(batch.events.len() as u64);
        let covered = last_of(lock(&self.shared.writer).covered());
        self.shared.written.send_replace(covered);
        Ok(())
    }

    async fn commit(&self) -> Result<Position, IndexError> {
        self.shared.commit()
    }

    fn written(&self) -> watch::Receiver<Position> {
        self.shared.written.subscribe()
    }

    async fn search(&self, request: SearchRequest, limits: &Limits) -> Result<SearchResult, IndexError> {
        self.query(limits, move |shared, snapshot, meter| shared.search(snapshot, &request, meter)).await
    }

    async fn follow(&self, request: FollowRequest, limits: &Limits) -> Result<Followed, IndexError> {
        self.query(limits, move |shared, snapshot, meter| shared.follow(snapshot, &request, meter)).await
    }

    async fn histogram(&self, request: HistogramRequest, limits: &Limits) -> Result<Histogram, IndexError> {
        self.query(limits, move |shared, snapshot, meter| shared.histogram(snapshot, &request, meter)).await
    }

    async fn field_values(
        &self,
        request: FieldValuesRequest,
        limits: &Limits,
    ) -> Result<FieldValues, IndexError> {
        self.query(limits, move |shared, snapshot, meter| shared.field_values(snapshot, &request, meter))
            .await
    }

    async fn fields(&self, limits: &Limits) -> Result<Vec<FieldInfo>, IndexError> {
        self.query(limits, |shared, snapshot, meter| shared.fields(snapshot, meter)).await
    }

    async fn patterns(&self, request: PatternsRequest, limits: &Limits) -> Result<Patterns, IndexError> {
        self.query(limits, move |shared, snapshot, meter| shared.patterns(snapshot, &request, meter)).await
    }

    async fn amend(&self, verdicts: &[(EventId, Verdict)]) -> Result<u64, IndexError> {
        self.shared.amend(verdicts)
    }

    async fn expire(&self, before: Timestamp) -> Result<u64, IndexError> {
        // It waits for files that are being written, which may take a while.
        let shared = Arc::clone(&self.shared);
        self.off_reactor("retention", "remove old files of", move || shared.expire(before)).await
    }

    fn stats(&self) -> IndexStats {
        let shared = &self.shared;
        let writer_rows = lock(&shared.writer).rows();
        let segments = shared.segments();
        let (files, memory): (Vec<_>, Vec<_>) = segments.iter().partition(|segment| segment.is_file());
        let rows = |segments: &[&Arc<Segment>]| segments.iter().map(|segment| segment.rows).sum::<u64>();
        let open_events = writer_rows + rows(&memory);
        IndexStats {
            events: rows(&files) + open_events,
            bytes: files.iter().map(|segment| segment.bytes).sum(),
            segments: files.len() as u64,
            open_events,
            damaged: lock(&shared.losses).len() as u64,
        }
    }

    fn losses(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> Losses {
        losses::sum(&lock(&self.shared.losses), from, to)
    }

    fn lost_files(&self) -> Vec<LostFile> {
        losses::files(&lock(&self.shared.losses))
    }

    async fn restore(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        self.shared.restore(batch)
    }

    async fn restored(&self, file: u64, events: u64) -> Result<(), IndexError> {
        self.shared.restored(file, events)
    }

    fn missing_files(&self) -> u64 {
        let segments = self.shared.segments();
        segments.iter().filter(|segment| segment.is_file() && !segment.path().exists()).count() as u64
    }
}
