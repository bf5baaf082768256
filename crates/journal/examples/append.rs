//! What the journal does on this machine: `cargo run --release -p journal --example append [FOLDER]`.
//! The folder decides which disk is measured; a folder made in it is removed again.

use std::{
    error::Error,
    fs::File,
    hint::black_box,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use event::Position;
use journal::{Batch, Config, Journal};

const RECORD_BYTES: usize = 250;
const BATCH_RECORDS: usize = 4_000;
const BATCHES_A_THREAD: usize = 250;
const THREADS: usize = 2;
const TASKS: usize = 64;
const APPENDS_A_TASK: usize = 200;
const READ_BYTES: usize = 4 << 20;

fn batch(records: usize) -> Batch {
    let mut batch = Batch::new();
    for record in 0..records {
        let bytes = [record as u8; RECORD_BYTES];
        batch.push_with(|record| record.extend_from_slice(&bytes));
    }
    batch
}

fn large_batches(journal: &Journal) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let results: Vec<_> = std::thread::scope(|scope| {
        let append = || {
            (0..BATCHES_A_THREAD).try_for_each(|_| journal.append_blocking(batch(BATCH_RECORDS)).map(drop))
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(append)).collect();
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    for result in results {
        result.map_err(|_| "an appending thread panicked")??;
    }
    let records = (THREADS * BATCHES_A_THREAD * BATCH_RECORDS) as f64;
    let seconds = started.elapsed().as_secs_f64();
    let (rate, bytes) = (records / seconds / 1e6, records * RECORD_BYTES as f64 / seconds / 1e6);
    let syncs = journal.status().syncs;
    println!("append  {THREADS} threads, {BATCH_RECORDS} records of {RECORD_BYTES} bytes a batch:");
    println!("        {rate:.2} million records/s, {bytes:.0} MB/s, {syncs} fsyncs");
    Ok(())
}

/// What the disk itself does with writes of the size of a batch.
fn bare_disk(dir: &Path) -> Result<(), Box<dyn Error>> {
    let mut file = File::create(dir.join("bare"))?;
    let bytes = vec![1; BATCH_RECORDS * (RECORD_BYTES + 8)];
    let started = Instant::now();
    for _ in 0..BATCHES_A_THREAD {
        file.write_all(&bytes)?;
        file.sync_data()?;
    }
    let rate = (BATCHES_A_THREAD * bytes.len()) as f64 / started.elapsed().as_secs_f64() / 1e6;
    println!("disk    {rate:.0} MB/s: one file, a write and an fdatasync for every {} bytes", bytes.len());
    Ok(())
}

fn read_back(journal: &Journal) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let (mut from, mut count, mut bytes) = (Position::default(), 0_u64, 0_u64);
    loop {
        let records = journal.read(from, READ_BYTES)?;
        for (_, record) in records.iter() {
            count += 1;
            bytes += black_box(record).len() as u64;
        }
        from = records.end();
        if records.is_empty() {
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let (rate, bytes) = (count as f64 / seconds / 1e6, bytes as f64 / seconds / 1e6);
    println!(
        "read    {rate:.2} million records/s, {bytes:.0} MB/s, checksums looked at, file in the page cache"
    );
    Ok(())
}

fn small_appends(journal: &Journal) -> Result<(), Box<dyn Error>> {
    let syncs = journal.status().syncs;
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..TASKS {
            let journal = journal.clone();
            tasks.spawn(async move {
                for _ in 0..APPENDS_A_TASK {
                    journal.append(batch(1)).await?;
                }
                Ok::<_, journal::AppendError>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        journal.close(Duration::from_secs(10)).await;
        Ok::<_, Box<dyn Error>>(())
    })?;
    let (appends, seconds) = ((TASKS * APPENDS_A_TASK) as f64, started.elapsed().as_secs_f64());
    let syncs = (journal.status().syncs - syncs) as f64;
    println!("append  {TASKS} tasks, 1 record of {RECORD_BYTES} bytes an append:");
    println!("        {:.0} appends/s, {:.1} appends a fsync", appends / seconds, appends / syncs);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(parent)?;
    let (segment_bytes, budget_bytes, queue_bytes) = (64 << 20, 4 << 30, 64 << 20);
    let config = Config { segment_bytes, budget_bytes, queue_bytes, ..Config::new(dir.path()) };
    let journal = Journal::open(config)?;
    bare_disk(dir.path())?;
    large_batches(&journal)?;
    read_back(&journal)?;
    small_appends(&journal)
}
