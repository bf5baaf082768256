// What is done with each input of the fuzz targets; ordinary tests do the same.

use std::io::{Read, Write, repeat};

use ::body::{Budget, Config, Encoding, Held, Reader, decode, encoding, format, sniff};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
};
use flate2::{Compression, write};
use parse::Format;
use problem::Problem;
use telemetry::task::Stop;

#[path = "../../testkit/fuzz/changed.rs"]
mod changed;
use changed::changed;

/// A body may have so many bytes, and all together twice as many.
const BYTES_MAX: usize = 64 << 10;
const ENCODINGS: [Encoding; 3] = [Encoding::Gzip, Encoding::Deflate, Encoding::Zstd];

fn packed(encoding: Encoding, mut bytes: impl Read) -> Vec<u8> {
    fn written<W: Write>(bytes: &mut impl Read, mut encoder: W) -> W {
        std::io::copy(bytes, &mut encoder).unwrap();
        encoder
    }
    let bytes = &mut bytes;
    match encoding {
        Encoding::Identity => written(bytes, Vec::new()),
        Encoding::Gzip => {
            written(bytes, write::GzEncoder::new(Vec::new(), Compression::fast())).finish().unwrap()
        }
        Encoding::Deflate => {
            written(bytes, write::ZlibEncoder::new(Vec::new(), Compression::fast())).finish().unwrap()
        }
        Encoding::Zstd => written(bytes, zstd::Encoder::new(Vec::new(), 1).unwrap()).finish().unwrap(),
    }
}

/// Decodes bytes, changes to what an encoder wrote, and bombs; never more comes out than a body may have.
pub(crate) fn compressed(bytes: &[u8]) {
    let budget = Budget::new(2 * BYTES_MAX);
    let decoded = |raw: Vec<u8>, encoding| decode(raw, encoding, BYTES_MAX, &mut Held::none(&budget));
    for encoding in ENCODINGS {
        let honest = packed(encoding, &b"{\"message\":\"a line of a log\"}\n".repeat(40)[..]);
        for raw in [bytes.to_vec(), changed(&honest, bytes)] {
            match decoded(raw, encoding) {
                Ok(body) => assert!(body.len() <= BYTES_MAX),
                Err(problem) => assert!([400, 413].contains(&problem.status.as_u16()), "{problem:?}"),
            }
        }
        if bytes.len() <= BYTES_MAX {
            assert_eq!(decoded(packed(encoding, bytes), encoding).as_deref(), Ok(bytes));
        }
        // Pieces of what is there, up to sixteen times as long as a body may be.
        let length = bytes.first().map_or(0, |byte| usize::from(*byte) * BYTES_MAX / 16);
        let bomb = packed(encoding, repeat(bytes.get(1).copied().unwrap_or_default()).take(length as u64));
        match decoded(bomb, encoding) {
            Ok(body) => assert!(body.len() == length && length <= BYTES_MAX),
            Err(problem) => assert!(problem.status == 413 && length > BYTES_MAX, "{length}: {problem:?}"),
        }
    }
    assert!(Held::none(&budget).at_least(2 * BYTES_MAX).is_ok(), "all of it was given back");
}

/// Reads lines as a `Content-Type` and any number of `Content-Encoding`.
pub(crate) fn headers(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(HeaderValue::from_bytes);
    let mut headers = HeaderMap::new();
    if let Some(Ok(value)) = lines.next() {
        headers.insert(header::CONTENT_TYPE, value);
    }
    for value in lines.flatten() {
        headers.append(header::CONTENT_ENCODING, value);
    }
    let refused = |problem: Problem| {
        assert_eq!(problem.status, 415);
        assert!(problem.detail.len() < 1000, "{}", problem.detail);
    };
    format(&headers).map_or_else(refused, drop);
    encoding(&headers).map_or_else(refused, drop);
    assert_ne!(sniff(bytes), Format::Ndjson, "a body says so, or is JSON or lines");
}

/// Takes a body that arrives in pieces: whole, or not at all when it is longer than it may be.
pub(crate) fn arriving(bytes: &[u8]) {
    let (size, bytes) =
        bytes.split_first().map_or((1, bytes), |(size, rest)| (usize::from(*size).max(1), rest));
    let bytes_max = 64 * size;
    let config = Config { bytes_max, in_flight_bytes_max: 2 * bytes_max, ..Config::default() };
    let pieces: Vec<_> = bytes.chunks(size).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let body = Body::from_stream(tokio_stream::iter(pieces));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    match runtime.block_on(Reader::new(config, Stop::new()).read(body)) {
        Ok(taken) => assert_eq!(taken.bytes, bytes),
        Err(problem) => assert!(problem.status == 413 && bytes.len() > bytes_max, "{problem:?}"),
    }
}
