//! Sealed bytes: magic, version, a body of little-endian numbers, checksum.
//!
//! ```text
//! 8 bytes   magic
//! u32       format version
//! ...       body
//! 32 bytes  BLAKE3 of everything before
//! ```
//! All integers are little-endian. Reading never panics and never allocates more than the input holds.

use std::ops::RangeInclusive;

const CHECKSUM: usize = 32;

/// Why sealed bytes cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// Cut short, altered, or not what any writer writes.
    #[error("{what} is damaged: its checksum or its contents do not hold")]
    Damaged {
        /// What was read.
        what: &'static str,
    },
    /// Something else altogether.
    #[error("these bytes are something else than {what}: it begins with other bytes")]
    Foreign {
        /// What was expected.
        what: &'static str,
    },
    /// Of another format version.
    #[error(
        "{what} is of format version {found}; this program reads version {known}; \
             use a program that reads it, or make it anew"
    )]
    Version {
        /// What was read.
        what: &'static str,
        /// Its version.
        found: u32,
        /// The version this program reads.
        known: u32,
    },
}

/// Closes bytes that begin with a magic and a version with their checksum.
pub fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}

/// Appends numbers to a buffer.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins a sealed blob.
    pub fn sealed(magic: &[u8; 8], version: u32) -> Self {
        let mut writer = Self(Vec::with_capacity(4096));
        writer.0.extend_from_slice(magic);
        writer.u32(version);
        writer
    }

    /// Closes a sealed blob with its checksum.
    pub fn seal(self) -> Vec<u8> {
        seal(self.0)
    }

    /// What was written so far.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes whose number the reader knows.
    #[inline]
    pub fn raw(&mut self, value: &[u8]) {
        self.0.extend_from_slice(value);
    }

    /// A byte.
    #[inline]
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Two bytes.
    #[inline]
    pub fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Four bytes.
    #[inline]
    pub fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Eight bytes.
    #[inline]
    pub fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Four bytes.
    #[inline]
    pub fn f32(&mut self, value: f32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Eight bytes.
    #[inline]
    pub fn f64(&mut self, value: f64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A u32 length and the bytes.
    #[inline]
    pub fn bytes(&mut self, value: &[u8]) {
        self.u32(value.len() as u32);
        self.0.extend_from_slice(value);
    }
}

/// Takes numbers from the front of a buffer.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Opens a sealed blob of this kind and version, having verified its checksum.
    ///
    /// # Errors
    /// When the bytes are something else, of another version, cut short or altered.
    pub fn sealed(
        blob: &'a [u8],
        magic: &[u8; 8],
        version: u32,
        what: &'static str,
    ) -> Result<Self, SealedError> {
        Self::sealed_since(blob, magic, version..=version, what).map(|(reader, _)| reader)
    }

    /// As [`Reader::sealed`] for any of these versions; says which.
    ///
    /// # Errors
    /// As [`Reader::sealed`].
    pub fn sealed_since(
        blob: &'a [u8],
        magic: &[u8; 8],
        versions: RangeInclusive<u32>,
        what: &'static str,
    ) -> Result<(Self, u32), SealedError> {
        if !blob.starts_with(magic) && !magic.starts_with(blob) {
            return Err(SealedError::Foreign { what });
        }
        let Some((head, _)) = blob.split_at_checked(12) else { return Err(SealedError::Damaged { what }) };
        let found = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
        let Some((body, checksum)) =
            blob.len().checked_sub(CHECKSUM).and_then(|at| blob.split_at_checked(at))
        else {
            return Err(SealedError::Damaged { what });
        };
        if blake3::hash(body).as_bytes() != checksum {
            return Err(SealedError::Damaged { what });
        }
        if !versions.contains(&found) {
            return Err(SealedError::Version { what, found, known: *versions.end() });
        }
        let rest = body.get(12..).ok_or(SealedError::Damaged { what })?;
        Ok((Self { rest, what }, found))
    }

    /// To be given for contents that do not hold.
    #[inline]
    pub fn damaged(&self) -> SealedError {
        SealedError::Damaged { what: self.what }
    }

    /// The next bytes.
    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], SealedError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], SealedError> {
        let damaged = self.damaged();
        self.take(N)?.try_into().map_err(|_| damaged)
    }

    /// A byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, SealedError> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, SealedError> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, SealedError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes.
    #[inline]
    pub fn u64(&mut self) -> Result<u64, SealedError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number that is neither NaN nor infinite.
    #[inline]
    pub fn f32(&mut self) -> Result<f32, SealedError> {
        let value = self.array().map(f32::from_le_bytes)?;
        if value.is_finite() { Ok(value) } else { Err(self.damaged()) }
    }

    /// A number that is neither NaN nor infinite.
    #[inline]
    pub fn f64(&mut self) -> Result<f64, SealedError> {
        let value = self.array().map(f64::from_le_bytes)?;
        if value.is_finite() { Ok(value) } else { Err(self.damaged()) }
    }

    /// Text of at most so many bytes.
    #[inline]
    pub fn text(&mut self, max: usize) -> Result<String, SealedError> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.damaged())?;
        if bytes.len() > max { Err(self.damaged()) } else { Ok(text.to_owned()) }
    }

    /// A u32 length and so many bytes.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], SealedError> {
        let length = self.u32()? as usize;
        self.take(length)
    }

    /// A count of things of at least `size` bytes each, of which at most `max` are allowed.
    #[inline]
    pub fn count(&mut self, size: usize, max: usize) -> Result<usize, SealedError> {
        let count = self.u32()? as usize;
        if count > max || count.saturating_mul(size) > self.rest.len() {
            Err(self.damaged())
        } else {
            Ok(count)
        }
    }

    /// What has not been read.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Everything has been read.
    #[inline]
    pub fn end(self) -> Result<(), SealedError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.damaged()) }
    }
}
