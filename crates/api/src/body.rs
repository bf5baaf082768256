//! Request bodies: decompressed, limited before and after, within one budget for all.

use std::sync::Arc;

use async_compression::tokio::bufread::{GzipDecoder, ZlibDecoder, ZstdDecoder};
use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use futures_util::{StreamExt, TryStreamExt};
use parse::Format;
use problem::{Problem, StatusCode};
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt, BufReader},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::io::StreamReader;

/// A body and its share of the budget, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) format: Format,
    _share: Option<OwnedSemaphorePermit>,
}

/// Reads bodies of at most `body_bytes_max` after decompression, together at most the budget.
#[derive(Debug, Clone)]
pub(crate) struct Bodies {
    body_bytes_max: usize,
    budget: Arc<Semaphore>,
}

impl Bodies {
    pub(crate) fn new(body_bytes_max: usize, budget_bytes: usize) -> Self {
        Self { body_bytes_max, budget: Arc::new(Semaphore::new(budget_bytes.min(Semaphore::MAX_PERMITS))) }
    }

    /// # Errors
    /// 400 for an empty or broken body, 413 for one that is too large, 415 for an unknown type or
    /// encoding, 429 when the budget is used up.
    pub(crate) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Payload, Problem> {
        let format = format_of(headers)?;
        let stream = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other).boxed());
        let mut reader = decoder(headers, stream)?;
        let mut bytes = Vec::new();
        let mut share: Option<OwnedSemaphorePermit> = None;
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let read = reader.read(&mut chunk).await.map_err(|_| {
                let detail = "the body ended early or is not in the Content-Encoding that the request states";
                Problem::new(StatusCode::BAD_REQUEST, "bad_body", "The body cannot be read", detail)
            })?;
            if read == 0 {
                break;
            }
            if bytes.len() + read > self.body_bytes_max {
                return Err(self.too_large());
            }
            let more = self.reserve(read)?;
            match &mut share {
                Some(share) => share.merge(more),
                None => share = Some(more),
            }
            bytes.extend_from_slice(&chunk[..read]);
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "empty_body",
                "The body is empty",
                "send at least one log",
            ));
        }
        Ok(Payload { bytes, format, _share: share })
    }

    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        Arc::clone(&self.budget).try_acquire_many_owned(permits).map_err(|_| {
            let detail = "the bodies being read use up their budget; send this again later";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", "Too busy", detail)
                .retry_after(Duration::from_secs(1))
        })
    }

    fn too_large(&self) -> Problem {
        let detail =
            format!("the body is larger than {} bytes, counted after decompression", self.body_bytes_max);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large", detail)
    }
}

fn decoder(
    headers: &HeaderMap,
    stream: impl tokio::io::AsyncBufRead + Send + Unpin + 'static,
) -> Result<Box<dyn AsyncRead + Send + Unpin>, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING).map_or(Ok("identity"), |value| value.to_str());
    let encoding = encoding.unwrap_or("?").trim().to_ascii_lowercase();
    // Several members may follow each other (RFC 1952 section 2.2, RFC 8878 section 3).
    Ok(match encoding.as_str() {
        "identity" | "" => Box::new(stream),
        "gzip" | "x-gzip" => {
            let mut decoder = GzipDecoder::new(BufReader::new(stream));
            decoder.multiple_members(true);
            Box::new(decoder)
        }
        "deflate" => Box::new(ZlibDecoder::new(BufReader::new(stream))),
        "zstd" => {
            let mut decoder = ZstdDecoder::new(BufReader::new(stream));
            decoder.multiple_members(true);
            Box::new(decoder)
        }
        _ => {
            return Err(unsupported(
                "Content-Encoding",
                "the encodings taken are gzip, zstd, deflate and identity",
            ));
        }
    })
}

fn format_of(headers: &HeaderMap) -> Result<Format, Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Format::Json) };
    let media =
        value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        "application/json" => Ok(Format::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" => {
            Ok(Format::Ndjson)
        }
        "text/plain" => Ok(Format::Lines),
        _ => Err(unsupported(
            "Content-Type",
            "the types taken are application/json, application/x-ndjson and text/plain",
        )),
    }
}

fn unsupported(header: &'static str, detail: &'static str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "Unsupported media type",
        detail,
    )
    .field(header)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    async fn check(encoding: &str, media: &str, body: Vec<u8>) -> Result<Payload, u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::CONTENT_ENCODING, encoding), (header::CONTENT_TYPE, media)] {
            if !value.is_empty() {
                headers.insert(name, value.parse().unwrap());
            }
        }
        Bodies::new(1000, 1500)
            .read(&headers, Body::from(body))
            .await
            .map_err(|problem| problem.status.as_u16())
    }

    #[tokio::test]
    async fn encodings_types_and_limits() {
        let plain = b"{\"message\":\"m\"}".to_vec();
        type Case = (&'static str, &'static str, Vec<u8>, Result<Format, u16>);
        let cases: Vec<Case> = vec![
            ("", "", plain.clone(), Ok(Format::Json)),
            ("", "application/json; charset=utf-8", plain.clone(), Ok(Format::Json)),
            ("", "Application/X-NDJSON", plain.clone(), Ok(Format::Ndjson)),
            ("identity", "text/plain", plain.clone(), Ok(Format::Lines)),
            ("gzip", "", gzip(&plain), Ok(Format::Json)),
            ("deflate", "", zlib(&plain), Ok(Format::Json)),
            ("zstd", "", zstd::encode_all(plain.as_slice(), 1).unwrap(), Ok(Format::Json)),
            ("gzip", "", plain.clone(), Err(400)),
            ("gzip", "", gzip(&plain)[..20].to_vec(), Err(400)),
            ("gzip", "", gzip(&vec![b'x'; 1_000_000]), Err(413)),
            ("zstd", "", zstd::encode_all(vec![b'x'; 1_000_000].as_slice(), 1).unwrap(), Err(413)),
            ("", "", vec![b'x'; 1001], Err(413)),
            ("br", "", plain.clone(), Err(415)),
            ("", "application/xml", plain.clone(), Err(415)),
            ("", "", Vec::new(), Err(400)),
            ("", "", b" \n".to_vec(), Err(400)),
        ];
        for (encoding, media, body, expected) in cases {
            let result = check(encoding, media, body).await.map(|payload| payload.format);
            assert_eq!(result, expected, "{encoding} {media}");
        }
    }

    #[tokio::test]
    async fn bodies_share_one_budget() {
        let bodies = Bodies::new(1000, 1500);
        let headers = HeaderMap::new();
        let read = || bodies.read(&headers, Body::from(vec![b'x'; 800]));
        let first = read().await.unwrap();
        assert_eq!(first.bytes.len(), 800);
        assert_eq!(read().await.unwrap_err().status, 429);
        drop(first);
        assert!(read().await.is_ok());
    }
}
