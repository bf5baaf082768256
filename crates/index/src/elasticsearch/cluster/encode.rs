//! Request bodies as they travel.

use std::io::Write;

use bytes::Bytes;

use super::request::Body;

/// Below this many bytes packing costs more than it saves.
const PACKED_BYTES_MIN: usize = 1024;

/// A body and its headers.
#[derive(Debug, Clone)]
pub(super) struct Encoded {
    pub(super) bytes: Bytes,
    pub(super) content_type: &'static str,
    pub(super) is_gzip: bool,
}

impl Encoded {
    pub(super) fn new(body: &Body) -> Option<Self> {
        let (bytes, content_type) = match body {
            Body::None => return None,
            Body::Json(value) => (Bytes::from(value.to_string()), "application/json"),
            Body::Ndjson(bytes) => (bytes.clone(), "application/x-ndjson"),
        };
        Some(Self { bytes, content_type, is_gzip: false })
    }

    /// The same packed, where that pays. It computes for a while, so it leaves the reactor.
    pub(super) async fn packed(&self) -> Self {
        if self.bytes.len() < PACKED_BYTES_MIN {
            return self.clone();
        }
        let bytes = self.bytes.clone();
        let packed = tokio::task::spawn_blocking(move || {
            let mut encoder = flate2::write::GzEncoder::new(
                Vec::with_capacity(bytes.len() / 4),
                flate2::Compression::fast(),
            );
            encoder.write_all(&bytes)?;
            encoder.finish()
        });
        match packed.await {
            Ok(Ok(bytes)) => Self { bytes: bytes.into(), content_type: self.content_type, is_gzip: true },
            // Writing to memory does not fail; unpacked is as good.
            Ok(Err(_)) | Err(_) => self.clone(),
        }
    }
}
