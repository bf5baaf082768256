//! Bodies of logs and of files, read within the bounds of [`body`] and decompressed.

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use body::{Encoding, Held, Reader, Taken};
use parse::Format;
use problem::{Problem, StatusCode};
use serde::de::DeserializeOwned;

/// A body and its share of the budget, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) format: Format,
    _held: Held,
}

/// Reads bodies of at most `bytes_max` after decompression.
#[derive(Debug, Clone)]
pub(crate) struct Bodies {
    reader: Reader,
    bytes_max: usize,
}

impl Bodies {
    pub(crate) fn new(reader: Reader, bytes_max: usize) -> Self {
        Self { reader, bytes_max }
    }

    /// # Errors
    /// 400 for an empty or broken body, 408 for one that is too slow, 413 for one that is too large, 415 for an
    /// unknown type or encoding, 429 when the budget is used up.
    pub(crate) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Payload, Problem> {
        let (format, encoding) = (body::format(headers)?, body::encoding(headers)?);
        let Taken { bytes, mut held } = self.reader.read(body).await?;
        let bytes_max = self.bytes_max;
        let decode = move || body::decode(bytes, encoding, bytes_max, &mut held).map(|bytes| (bytes, held));
        let (bytes, _held) = match encoding {
            Encoding::Identity => decode()?,
            _ => tokio::task::spawn_blocking(decode).await.map_err(|_| Problem::internal())??,
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            let detail = "send at least one log";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "empty_body", "The body is empty", detail));
        }
        let format = format.unwrap_or_else(|| body::sniff(&bytes));
        Ok(Payload { bytes, format, _held })
    }

    /// The bytes of a body, whatever it is declared as (`curl -d` declares a form).
    ///
    /// # Errors
    /// As [`Bodies::read`].
    pub(crate) async fn any(&self, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
        let mut packed = HeaderMap::new();
        for encoding in headers.get_all(header::CONTENT_ENCODING) {
            packed.append(header::CONTENT_ENCODING, encoding.clone());
        }
        Ok(self.read(&packed, body).await?.bytes)
    }

    /// The members of a JSON body, whatever it is declared as (`curl -d` declares a form); those of an empty one are all
    /// absent.
    ///
    /// # Errors
    /// As [`Bodies::read`], and 400 for what is not of this form.
    pub(crate) async fn json_or_default<T: DeserializeOwned + Default>(
        &self,
        headers: &HeaderMap,
        body: Body,
        form: &str,
    ) -> Result<T, Problem> {
        let bytes = match self.any(headers, body).await {
            Err(problem) if problem.code == "empty_body" => return Ok(T::default()),
            read => read?,
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let detail = format!("the body must be {form}: {error}");
            Problem::new(StatusCode::BAD_REQUEST, "bad_body", "The body cannot be read", detail)
        })
    }

    /// The bytes of a file of ours, at most so many.
    ///
    /// # Errors
    /// As [`Bodies::read`].
    pub(crate) async fn file(&self, body: Body, bytes_max: usize, what: &str) -> Result<Taken, Problem> {
        self.reader.read_at_most(body, bytes_max).await.map_err(|problem| {
            if problem.status != StatusCode::PAYLOAD_TOO_LARGE {
                return problem;
            }
            let detail = format!("the body is larger than {bytes_max} bytes and so no {what}");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large", detail)
        })
    }
}
