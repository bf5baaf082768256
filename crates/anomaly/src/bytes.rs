//! Little-endian numbers in a byte buffer, and sealed blobs: magic, version, body, checksum.
//!
//! ```text
//! 8 bytes   magic
//! u32       format version
//! ...       body
//! 32 bytes  BLAKE3 of everything before
//! ```
//! All integers are little-endian. Reading never panics and never allocates more than the input holds.

use std::ops::RangeInclusive;

use crate::error::ModelError;

const CHECKSUM: usize = 32;

/// Appends numbers to a buffer.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    /// Begins a sealed blob.
    pub(crate) fn sealed(magic: &[u8; 8], version: u32) -> Self {
        let mut writer = Self(Vec::with_capacity(4096));
        writer.0.extend_from_slice(magic);
        writer.u32(version);
        writer
    }

    /// Closes a sealed blob with its checksum.
    pub(crate) fn seal(mut self) -> Vec<u8> {
        let checksum = blake3::hash(&self.0);
        self.0.extend_from_slice(checksum.as_bytes());
        self.0
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn f32(&mut self, value: f32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn f64(&mut self, value: f64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A u32 length and the bytes.
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.u32(value.len() as u32);
        self.0.extend_from_slice(value);
    }
}

/// Takes numbers from the front of a buffer.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Opens a sealed blob of this kind and version, having verified its checksum.
    pub(crate) fn sealed(
        blob: &'a [u8],
        magic: &[u8; 8],
        version: u32,
        what: &'static str,
    ) -> Result<Self, ModelError> {
        Self::sealed_since(blob, magic, version..=version, what).map(|(reader, _)| reader)
    }

    /// As [`Reader::sealed`] for any of these versions; says which.
    pub(crate) fn sealed_since(
        blob: &'a [u8],
        magic: &[u8; 8],
        versions: RangeInclusive<u32>,
        what: &'static str,
    ) -> Result<(Self, u32), ModelError> {
        let Some((head, _)) = blob.split_at_checked(12) else { return Err(ModelError::Damaged { what }) };
        if &head[..8] != magic {
            return Err(ModelError::Foreign { what });
        }
        let found = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
        let Some((body, checksum)) =
            blob.len().checked_sub(CHECKSUM).and_then(|at| blob.split_at_checked(at))
        else {
            return Err(ModelError::Damaged { what });
        };
        if blake3::hash(body).as_bytes() != checksum {
            return Err(ModelError::Damaged { what });
        }
        if !versions.contains(&found) {
            return Err(ModelError::Version { what, found, known: *versions.end() });
        }
        let rest = body.get(12..).ok_or(ModelError::Damaged { what })?;
        Ok((Self { rest, what }, found))
    }

    pub(crate) fn damaged(&self) -> ModelError {
        ModelError::Damaged { what: self.what }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], ModelError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ModelError> {
        let damaged = self.damaged();
        self.take(N)?.try_into().map_err(|_| damaged)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, ModelError> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, ModelError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ModelError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, ModelError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number that is neither NaN nor infinite.
    pub(crate) fn f32(&mut self) -> Result<f32, ModelError> {
        let value = self.array().map(f32::from_le_bytes)?;
        if value.is_finite() { Ok(value) } else { Err(self.damaged()) }
    }

    /// A number that is neither NaN nor infinite.
    pub(crate) fn f64(&mut self) -> Result<f64, ModelError> {
        let value = self.array().map(f64::from_le_bytes)?;
        if value.is_finite() { Ok(value) } else { Err(self.damaged()) }
    }

    /// Text of at most so many bytes.
    pub(crate) fn text(&mut self, max: usize) -> Result<String, ModelError> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.damaged())?;
        if bytes.len() > max { Err(self.damaged()) } else { Ok(text.to_owned()) }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], ModelError> {
        let length = self.u32()? as usize;
        self.take(length)
    }

    /// A count of things of at least `size` bytes each, of which at most `max` are allowed.
    pub(crate) fn count(&mut self, size: usize, max: usize) -> Result<usize, ModelError> {
        let count = self.u32()? as usize;
        if count > max || count.saturating_mul(size) > self.rest.len() {
            Err(self.damaged())
        } else {
            Ok(count)
        }
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Everything has been read.
    pub(crate) fn end(self) -> Result<(), ModelError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.damaged()) }
    }
}
