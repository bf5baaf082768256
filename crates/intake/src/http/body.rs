//! Reading and decompressing a body within its bounds.

use std::{io::Read, time::Duration};

use axum::body::{Body, HttpBody};
use http_body_util::BodyExt;
use problem::{Problem, StatusCode};
use tokio::time::Instant;

use super::{admission::Held, content::Encoding};

/// Decompressed at a time between two looks at the limits.
const STEP_BYTES: u64 = 256 * 1024;
/// Largest zstd window that is accepted, as a power of two: 8 MiB, RFC 9659 section 3.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// A body that is refused is still read for so long, unheld, so that its sender sees the answer
/// rather than a closed connection.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// How slowly a body may arrive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The longest pause; also the time after which `rate_min` counts.
    pub(crate) idle_max: Duration,
    /// Bytes per second on average.
    pub(crate) rate_min: usize,
}

/// Reads a whole body of at most `bytes_max`, giving up when it arrives too slowly.
pub(crate) async fn read(
    mut body: Body,
    bytes_max: usize,
    pace: Pace,
    held: &mut Held,
) -> Result<Vec<u8>, Problem> {
    let result = read_within(&mut body, bytes_max, pace, held).await;
    if let Err(Problem { status: StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS, .. }) =
        &result
    {
        discard(body, bytes_max).await;
    }
    result
}

async fn read_within(
    body: &mut Body,
    bytes_max: usize,
    pace: Pace,
    held: &mut Held,
) -> Result<Vec<u8>, Problem> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > bytes_max {
        return Err(too_large(bytes_max));
    }
    held.expect(announced)?;
    let began = Instant::now();
    let mut bytes = Vec::new();
    loop {
        let due = began + pace.idle_max + Duration::from_secs((bytes.len() / pace.rate_min.max(1)) as u64);
        let until = due.min(Instant::now() + pace.idle_max);
        let frame = match tokio::time::timeout_at(until, body.frame()).await {
            Err(_) if until == due => {
                return Err(incomplete(StatusCode::REQUEST_TIMEOUT, &too_slow(pace, bytes.len())));
            }
            Err(_) => return Err(incomplete(StatusCode::REQUEST_TIMEOUT, "no more of it arrived")),
            Ok(None) => return Ok(bytes),
            Ok(Some(Err(_))) => return Err(incomplete(StatusCode::BAD_REQUEST, "the connection broke off")),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
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

/// Decompresses within the same limit, so that a small body cannot become a large one.
pub(crate) fn decode(
    raw: Vec<u8>,
    encoding: Encoding,
    bytes_max: usize,
    held: &mut Held,
) -> Result<Vec<u8>, Problem> {
    let input = raw.as_slice();
    let mut reader: Box<dyn Read + '_> = match encoding {
        Encoding::Identity => return Ok(raw),
        Encoding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        // RFC 9110 means zlib; some clients send bare deflate data.
        Encoding::Deflate if is_zlib(input) => Box::new(flate2::bufread::ZlibDecoder::new(input)),
        Encoding::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(input)),
        Encoding::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(input).map_err(|_| undecodable(encoding))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|_| undecodable(encoding))?;
            Box::new(decoder)
        }
    };
    let mut body = Vec::new();
    loop {
        let read =
            reader.by_ref().take(STEP_BYTES).read_to_end(&mut body).map_err(|_| undecodable(encoding))?;
        if body.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        held.at_least(body.len())?;
        if read == 0 {
            return Ok(body);
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

fn too_slow(pace: Pace, bytes: usize) -> String {
    format!("only {bytes} bytes of it arrived in time, and {} a second are needed", pace.rate_min)
}

fn incomplete(status: StatusCode, why: &str) -> Problem {
    Problem::new(
        status,
        "body_incomplete",
        "The body did not arrive",
        format!("The body is not complete: {why}. Nothing of it was stored."),
    )
}
