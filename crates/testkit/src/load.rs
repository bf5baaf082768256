//! A load on `POST /logs`: as little work as possible on the sending side, counts checked at the store.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use flate2::read::MultiGzDecoder;

/// What to send, and how.
#[derive(Debug, Clone)]
pub struct Load {
    /// `http://127.0.0.1:PORT` of a collector.
    pub url: String,
    /// NDJSON, plain or gzip.
    pub file: PathBuf,
    /// Bytes of a request.
    pub batch_bytes: usize,
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// One line a request.
    pub one_per_request: bool,
    /// Send the file again and again for so long; None sends it once.
    pub duration: Option<Duration>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Lines answered as accepted.
    pub acknowledged: u64,
    /// Lines in requests that were refused, or refused within one.
    pub refused: u64,
    /// Time of each request, rising.
    pub latencies: Vec<Duration>,
}

impl Outcome {
    /// The time within which this share of the requests was answered.
    pub fn percentile(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
    }
}

/// Sends it all.
///
/// # Errors
/// When the file cannot be read or a connection breaks.
pub fn run(load: &Load) -> io::Result<Outcome> {
    let address = load.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let source = Mutex::new(Source::open(load)?);
    let start = Instant::now();
    let workers = thread::scope(|scope| {
        let spawn = |_| scope.spawn(|| worker(&address, &source));
        let handles: Vec<_> = (0..load.connections.max(1)).map(spawn).collect();
        let join = |handle: thread::ScopedJoinHandle<'_, _>| {
            handle.join().unwrap_or_else(|_| Err(io::Error::other("a sender panicked")))
        };
        handles.into_iter().map(join).collect::<io::Result<Vec<_>>>()
    })?;
    let elapsed = start.elapsed();
    let mut outcome = Outcome { elapsed, acknowledged: 0, refused: 0, latencies: vec![] };
    for worker in workers {
        outcome.acknowledged += worker.acknowledged;
        outcome.refused += worker.refused;
        outcome.latencies.extend(worker.latencies);
    }
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

/// Batches of whole lines, handed to whichever connection is free.
struct Source {
    file: PathBuf,
    reader: Box<dyn BufRead + Send>,
    batch_bytes: usize,
    until: Option<Instant>,
}

impl Source {
    fn open(load: &Load) -> io::Result<Self> {
        Ok(Self {
            file: load.file.clone(),
            reader: open(&load.file)?,
            batch_bytes: if load.one_per_request { 1 } else { load.batch_bytes },
            until: load.duration.map(|duration| Instant::now() + duration),
        })
    }

    /// Fills `batch` with the next lines and gives their number; 0 at the end.
    fn next(&mut self, batch: &mut Vec<u8>) -> io::Result<u64> {
        batch.clear();
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Ok(0);
        }
        let mut lines = 0;
        while batch.len() < self.batch_bytes {
            if self.reader.read_until(b'\n', batch)? == 0 {
                if lines > 0 || self.until.is_none() {
                    break;
                }
                self.reader = open(&self.file)?;
                continue;
            }
            lines += 1;
        }
        Ok(lines)
    }
}

fn open(file: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let opened = File::open(file)?;
    let gzip = file.extension().is_some_and(|extension| extension == "gz");
    let reader: Box<dyn Read + Send> =
        if gzip { Box::new(MultiGzDecoder::new(opened)) } else { Box::new(opened) };
    Ok(Box::new(BufReader::with_capacity(1 << 20, reader)))
}

#[derive(Default)]
struct Worker {
    acknowledged: u64,
    refused: u64,
    latencies: Vec<Duration>,
}

fn worker(address: &str, source: &Mutex<Source>) -> io::Result<Worker> {
    let mut connection = BufReader::new(TcpStream::connect(address)?);
    connection.get_ref().set_nodelay(true)?;
    let mut worker = Worker::default();
    let (mut batch, mut request) = (vec![], vec![]);
    loop {
        let lines = source.lock().unwrap_or_else(PoisonError::into_inner).next(&mut batch)?;
        if lines == 0 {
            return Ok(worker);
        }
        request.clear();
        write!(
            request,
            "POST /logs HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
            batch.len()
        )?;
        request.extend_from_slice(&batch);
        let start = Instant::now();
        connection.get_mut().write_all(&request)?;
        let (status, body) = answer(&mut connection)?;
        worker.latencies.push(start.elapsed());
        let accepted = serde_json::from_slice::<serde_json::Value>(&body).ok();
        let accepted =
            accepted.and_then(|body| body["accepted"].as_u64()).filter(|_| status == 200).unwrap_or(0);
        worker.acknowledged += accepted;
        worker.refused += lines.saturating_sub(accepted);
    }
}

/// Status and body of an HTTP/1.1 answer that names its length.
fn answer(connection: &mut impl BufRead) -> io::Result<(u16, Vec<u8>)> {
    let invalid =
        |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("the answer has no {what}"));
    let (mut status, mut length, mut line) = (None, None, String::new());
    loop {
        line.clear();
        if connection.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let header = line.trim_end();
        if header.is_empty() {
            break;
        }
        if status.is_none() {
            status = header.split(' ').nth(1).and_then(|code| code.parse().ok());
        } else if let Some((_, value)) =
            header.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            length = value.trim().parse().ok();
        }
    }
    let mut body = vec![0; length.ok_or_else(|| invalid("length"))?];
    connection.read_exact(&mut body)?;
    Ok((status.ok_or_else(|| invalid("status"))?, body))
}
