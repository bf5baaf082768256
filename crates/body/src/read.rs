//! Reading and decompressing a body within its bounds.

use std::{
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;
use metrics::counter;
use problem::{Problem, StatusCode};
use telemetry::{metric, task::Stop};
use tokio::time::Instant;

use crate::{Budget, Encoding, Held, Members, Rubbish};

/// Decompressed at a time between two looks at the limits.
const STEP_BYTES: u64 = 256 * 1024;
/// Largest zstd window that is accepted, as a power of two: 8 MiB, RFC 9659 section 3.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// A body that is refused is still read for so long, unheld, so that its sender sees the answer
/// rather than a closed connection.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// Once something found no room, a body that has paused for so long makes some.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a body may still pause when the service stops.
const PAUSE_AT_STOP: Duration = Duration::from_secs(1);

/// Bounds of bodies.
#[derive(Debug, Clone)]
pub struct Config {
    /// Largest body in bytes, before and after decompression. Setting `LOG_SENTINEL_BODY_BYTES_MAX`.
    pub bytes_max: usize,
    /// Bytes of bodies held at a time between arrival and answer. Setting `LOG_SENTINEL_IN_FLIGHT_BYTES_MAX`.
    pub in_flight_bytes_max: usize,
    /// How long a body may pause while it arrives; then 408. Setting `LOG_SENTINEL_BODY_IDLE_MAX`.
    pub idle_max: Duration,
    /// Bytes a second that it must bring on average, once it has taken `idle_max`; else 408. Setting
    /// `LOG_SENTINEL_BODY_RATE_MIN`.
    pub rate_min: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bytes_max: 100 << 20,
            in_flight_bytes_max: 128 << 20,
            idle_max: Duration::from_secs(30),
            rate_min: 16 << 10,
        }
    }
}

/// A body as it arrived, and its share of the budget, given back when this is dropped.
#[derive(Debug)]
pub struct Taken {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their share.
    pub held: Held,
}

/// Reads bodies within the bounds. Clones share the budget.
#[derive(Debug, Clone)]
pub struct Reader {
    config: Arc<Config>,
    budget: Arc<Budget>,
    stop: Stop,
    pause: Duration,
    pause_at_stop: Duration,
}

impl Reader {
    /// With these bounds, until told to stop: then a body that pauses is no longer waited for.
    pub fn new(config: Config, stop: Stop) -> Self {
        Self {
            budget: Budget::new(config.in_flight_bytes_max),
            config: Arc::new(config),
            stop,
            pause: PAUSE,
            pause_at_stop: PAUSE_AT_STOP,
        }
    }

    /// Reads a whole body.
    ///
    /// # Errors
    /// 413 when it is larger than [`Config::bytes_max`], and as [`Reader::read_at_most`].
    pub async fn read(&self, body: Body) -> Result<Taken, Problem> {
        self.read_at_most(body, self.config.bytes_max).await
    }

    /// Reads a whole body of at most so many bytes.
    ///
    /// # Errors
    /// 413 when it is larger, 429 when the budget is used up, 408 when it arrives too slowly, 400 when the
    /// connection breaks off, 503 when the service stops meanwhile.
    pub async fn read_at_most(&self, mut body: Body, bytes_max: usize) -> Result<Taken, Problem> {
        let result = self.read_within(&mut body, bytes_max).await;
        if let Err(Problem {
            status: StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS, ..
        }) = &result
        {
            discard(body, bytes_max).await;
        }
        result
    }

    async fn read_within(&self, body: &mut Body, bytes_max: usize) -> Result<Taken, Problem> {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > bytes_max {
            return Err(too_large(bytes_max));
        }
        let mut held = Held::none(&self.budget);
        held.expect(announced)?;
        let (began, mut bytes) = (Instant::now(), Vec::new());
        while let Some(data) = self.next(body, began, bytes.len()).await? {
            if bytes.len() + data.len() > bytes_max {
                return Err(too_large(bytes_max));
            }
            held.at_least(bytes.len() + data.len())?;
            if bytes.capacity() - bytes.len() < data.len() {
                // No more than twice what has come, and no more than what is announced.
                let wanted = (2 * bytes.len()).min(announced).max(bytes.len() + data.len());
                bytes.reserve_exact(wanted - bytes.len());
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Taken { bytes, held })
    }

    /// What comes next of a body that began then and has brought so many bytes; None at its end.
    async fn next(&self, body: &mut Body, began: Instant, bytes: usize) -> Result<Option<Bytes>, Problem> {
        let Config { idle_max, rate_min, .. } = *self.config;
        let due = began + idle_max + Duration::from_secs((bytes / rate_min.max(1)) as u64);
        let since = Instant::now();
        let mut stopping = false;
        loop {
            let until = if stopping { since + self.pause_at_stop } else { due.min(since + idle_max) };
            let refused = self.budget.refused();
            let why = tokio::select! {
                biased;
                frame = body.frame() => match frame {
                    None => return Ok(None),
                    Some(Err(_)) => {
                        return Err(incomplete(StatusCode::BAD_REQUEST, "the connection broke off"));
                    }
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) => return Ok(Some(data)),
                        Err(_) => continue,
                    },
                },
                () = tokio::time::sleep_until(until) => match stopping {
                    true => return Err(incomplete(StatusCode::SERVICE_UNAVAILABLE, "the service is stopping")),
                    false if until == due => too_slow(rate_min, bytes),
                    false => "no more of it arrived".to_owned(),
                },
                () = self.stop.cancelled(), if !stopping => {
                    stopping = true;
                    continue;
                }
                () = refused => match bytes > 0 && since.elapsed() >= self.pause {
                    true => "it paused, and others needed its room".to_owned(),
                    false => continue,
                },
            };
            counter!(metric::SLOW_BODIES).increment(1);
            return Err(incomplete(StatusCode::REQUEST_TIMEOUT, &why));
        }
    }
}

async fn discard(mut body: Body, bytes_max: usize) {
    let mut left = bytes_max.saturating_mul(2);
    let all = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len()));
            if left == 0 {
                break;
            }
        }
    };
    // Whether all of it came or not, the answer is the same.
    tokio::time::timeout(DISCARD_TIME, all).await.unwrap_or_default();
}

/// What a body holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Decompressed.
    pub bytes: Vec<u8>,
    /// Behind the packed data stands something else, which is not among the bytes.
    pub has_rubbish: bool,
}

/// Decompresses within a limit, so that a small body cannot become a large one. Takes time.
///
/// # Errors
/// 413 when it becomes larger than `bytes_max`, 429 when there is no room for it, 400 when it is not what its
/// encoding says.
pub fn decode(
    raw: Vec<u8>,
    encoding: Encoding,
    bytes_max: usize,
    held: &mut Held,
) -> Result<Vec<u8>, Problem> {
    let Decoded { bytes, has_rubbish } = unpack(raw, encoding, bytes_max, held)?;
    if has_rubbish { Err(undecodable(encoding)) } else { Ok(bytes) }
}

/// As [`decode`]; of gzip with something else behind it, what the gzip holds.
///
/// # Errors
/// As [`decode`].
pub fn unpack(
    raw: Vec<u8>,
    encoding: Encoding,
    bytes_max: usize,
    held: &mut Held,
) -> Result<Decoded, Problem> {
    let input = raw.as_slice();
    let mut reader: Box<dyn Read + '_> = match encoding {
        Encoding::Identity => return Ok(Decoded { bytes: raw, has_rubbish: false }),
        Encoding::Gzip => Box::new(Members::new(input)),
        // RFC 9110 means zlib; some clients send bare deflate data.
        Encoding::Deflate if is_zlib(input) => Box::new(flate2::bufread::ZlibDecoder::new(input)),
        Encoding::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(input)),
        Encoding::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(input).map_err(|_| undecodable(encoding))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|_| undecodable(encoding))?;
            Box::new(decoder)
        }
    };
    let mut bytes = Vec::new();
    loop {
        let before = bytes.len();
        let read = reader.by_ref().take(STEP_BYTES).read_to_end(&mut bytes);
        if bytes.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        held.at_least(bytes.len())?;
        let is_rubbish = |error: &io::Error| error.get_ref().is_some_and(|source| source.is::<Rubbish>());
        match read {
            Ok(_) if bytes.len() == before => return Ok(Decoded { bytes, has_rubbish: false }),
            Ok(_) => {}
            Err(error) if is_rubbish(&error) => return Ok(Decoded { bytes, has_rubbish: true }),
            Err(_) => return Err(undecodable(encoding)),
        }
    }
}

fn is_zlib(input: &[u8]) -> bool {
    matches!(input, [first, second, ..]
        if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "The body is too large",
        format!(
            "A body may have {bytes_max} bytes, before and after decompression (LOG_SENTINEL_BODY_BYTES_MAX). \
             Nothing of it was stored; send it in parts."
        ),
    )
    .member("limit_bytes", bytes_max)
}

fn undecodable(encoding: Encoding) -> Problem {
    let name = match encoding {
        Encoding::Identity => "identity",
        Encoding::Gzip => "gzip",
        Encoding::Deflate => "deflate",
        Encoding::Zstd => "zstd (with a window of 8 MiB at most)",
    };
    Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_compression",
        "The body cannot be decompressed",
        format!("The body is not complete, valid {name} data, as its Content-Encoding says. Nothing of it was stored."),
    )
    .field("Content-Encoding")
}

fn too_slow(rate_min: usize, bytes: usize) -> String {
    format!("only {bytes} bytes of it arrived in time, and {rate_min} a second are needed")
}

fn incomplete(status: StatusCode, why: &str) -> Problem {
    Problem::new(
        status,
        "body_incomplete",
        "The body did not arrive",
        format!("The body is not complete: {why}. Nothing of it was stored."),
    )
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio_stream::{StreamExt, wrappers::ReceiverStream};

    use super::*;

    /// A body that brings what is sent and ends when the sender is dropped.
    fn fed() -> (mpsc::Sender<Vec<u8>>, Body) {
        let (sender, receiver) = mpsc::channel::<Vec<u8>>(16);
        (sender, Body::from_stream(ReceiverStream::new(receiver).map(Ok::<_, std::io::Error>)))
    }

    fn reader(config: Config) -> (Reader, Stop) {
        let stop = Stop::new();
        (Reader::new(config, stop.clone()), stop)
    }

    async fn status(reader: &Reader, body: Body) -> u16 {
        reader.read(body).await.map_or_else(|problem| problem.status.as_u16(), |_| 200)
    }

    #[tokio::test]
    async fn a_silent_body_is_given_up_and_so_is_one_that_drips() {
        let idle_max = Duration::from_millis(50);
        let (reader, _) = reader(Config { idle_max, rate_min: 1 << 20, ..Config::default() });
        let (silent, body) = fed();
        assert_eq!(status(&reader, body).await, 408);
        drop(silent);
        let (drip, body) = fed();
        let dripping = async { while drip.send(vec![b'x']).await.is_ok() {} };
        let (answer, ()) = tokio::join!(status(&reader, body), dripping);
        assert_eq!(answer, 408);
    }

    #[tokio::test]
    async fn a_paused_body_makes_room_for_who_needs_it() {
        let (mut reader, _) = reader(Config {
            bytes_max: 1 << 20,
            in_flight_bytes_max: 1 << 20,
            idle_max: Duration::from_secs(3600),
            ..Config::default()
        });
        reader.pause = Duration::ZERO;
        let (paused, body) = fed();
        let holding = telemetry::task::spawn("holding", {
            let reader = reader.clone();
            async move { status(&reader, body).await }
        });
        paused.send(vec![0; 900 << 10]).await.unwrap();
        while reader.read(Body::from(vec![0; 500 << 10])).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert_eq!(holding.await.unwrap(), 408, "what was refused made it give way");
        assert_eq!(status(&reader, Body::from(vec![0; 500 << 10])).await, 200);
    }

    #[tokio::test]
    async fn a_stop_waits_for_no_paused_body() {
        let (mut reader, stop) = reader(Config { idle_max: Duration::from_secs(3600), ..Config::default() });
        reader.pause_at_stop = Duration::from_millis(1);
        let (half, body) = fed();
        half.send(b"half".to_vec()).await.unwrap();
        let stopping = async { stop.cancel() };
        let (answer, ()) = tokio::join!(status(&reader, body), stopping);
        assert_eq!(answer, 503);
    }
}
