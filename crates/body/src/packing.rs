//! How bytes are packed, by their first ones; and gzip as `gzip` reads it.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// Of `xz`.
    Xz,
    /// Of `bzip2`.
    Bzip2,
    /// Frames of `lz4`.
    Lz4,
    /// An archive of `zip`.
    Zip,
    /// An archive of `7z`.
    SevenZip,
    /// An archive of `rar`.
    Rar,
    /// An archive of `tar`.
    Tar,
}

/// Bytes of the head of a file in an archive of `tar`.
const TAR_HEAD: usize = 512;

impl Packing {
    /// How a file or a body is packed that begins with these bytes; None when no packing is known by them.
    pub fn of(start: &[u8]) -> Option<Self> {
        let packing = match start {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            // The mark of the first block, or of the end of an empty file.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Self::Bzip2,
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Lz4,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Self::SevenZip,
            [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => Self::Rar,
            _ if is_tar(start) => Self::Tar,
            _ => return None,
        };
        Some(packing)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
            Self::Zip => "zip",
            Self::SevenZip => "7z",
            Self::Rar => "rar",
            Self::Tar => "tar",
        }
    }
}

/// Whether the head of a file of a POSIX or GNU archive stands here, with the right checksum: text may hold all else of it.
fn is_tar(start: &[u8]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let Some(head) = start.get(..TAR_HEAD).filter(|head| head[257..].starts_with(b"ustar")) else {
        return false;
    };
    let written =
        head[CHECKSUM].iter().skip_while(|byte| **byte == b' ').take_while(|byte| byte.is_ascii_digit());
    let written = written.fold(0u64, |sum, digit| sum * 8 + u64::from(digit - b'0'));
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    written == sum(head) - sum(&head[CHECKSUM]) + 8 * u64::from(b' ')
}

/// What stands behind a whole member of gzip and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what stands behind the packed data is no gzip")]
pub struct Rubbish;

/// All members of a gzip file, one after the other. NULs behind a member are passed over, as tapes and reserved space
/// leave them; what is neither ends in an error of [`Rubbish`].
#[derive(Debug)]
pub struct Members<R: BufRead> {
    /// None when all was read.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    /// The members that begin here.
    pub fn new(reader: R) -> Self {
        Self { member: Some(GzDecoder::new(reader)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.member else { return Ok(0) };
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(mut reader) = self.member.take().map(GzDecoder::into_inner) else { return Ok(0) };
            loop {
                let next = reader.fill_buf()?;
                let nuls = next.iter().take_while(|byte| **byte == 0).count();
                match next.get(nuls) {
                    Some(0x1f) if nuls == 0 => {
                        self.member = Some(GzDecoder::new(reader));
                        break;
                    }
                    Some(byte) if *byte != 0x1f => {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, Rubbish));
                    }
                    None if nuls == 0 => return Ok(0),
                    _ => reader.consume(nuls),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn packings_are_told_by_their_first_bytes() {
        let mut like_tar = vec![b'a'; 600];
        like_tar[257..262].copy_from_slice(b"ustar");
        let mut tar = vec![0; 600];
        tar[..5].copy_from_slice(b"a.log");
        tar[257..265].copy_from_slice(b"ustar\x0000");
        let sum = tar[..512].iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
        tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        for (bytes, expected) in [
            (gzip(b"x"), Some(Packing::Gzip)),
            (b"BZh91AY&SYx".to_vec(), Some(Packing::Bzip2)),
            (b"BZh is text".to_vec(), None),
            (b"PK\x03\x04".to_vec(), Some(Packing::Zip)),
            (b"PK is text".to_vec(), None),
            (tar, Some(Packing::Tar)),
            (like_tar, None),
            (b"".to_vec(), None),
        ] {
            assert_eq!(Packing::of(&bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn members_are_read_over_nuls_and_up_to_rubbish() {
        let (one, two) = (gzip(b"one\n"), gzip(b"two\n"));
        for (bytes, expected, is_whole) in [
            ([&one[..], &two].concat(), "one\ntwo\n", true),
            ([&one[..], &[0; 700], &two, &[0; 9]].concat(), "one\ntwo\n", true),
            ([&one[..], b"rubbish"].concat(), "one\n", false),
            ([&one[..], &[0; 9], b"rubbish"].concat(), "one\n", false),
            (one[..one.len() - 4].to_vec(), "one\n", false),
        ] {
            for size in [1, 7, 4096] {
                let mut text = Vec::new();
                let reader = io::BufReader::with_capacity(size, &bytes[..]);
                let read = Members::new(reader).read_to_end(&mut text);
                assert_eq!((String::from_utf8(text).unwrap(), read.is_ok()), (expected.to_owned(), is_whole));
            }
        }
    }
}
