//! Files as they are under their packing: gzip, zstd, xz, bzip2, lz4. Of a damaged one what can be read.

use std::{
    io::{self, BufRead, BufReader, Read},
    sync::{Arc, OnceLock},
};

use body::Packing;
use lz4_flex::frame::FrameDecoder;

/// Why the rest of a damaged file is missing, once that was met.
pub(crate) type Missing = Arc<OnceLock<String>>;

/// A file without its packing.
pub(crate) struct Unpacked {
    pub(crate) reader: BufReader<Box<dyn Read + Send>>,
    pub(crate) missing: Missing,
}

/// Looks at the first bytes: what is packed is unpacked; anything else is taken as it is, archives too.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn unpacked(reader: impl Read + Send + 'static) -> io::Result<Unpacked> {
    let mut buffered = BufReader::with_capacity(256 << 10, reader);
    let packing = Packing::of(buffered.fill_buf()?);
    let missing = Missing::default();
    let reader: Box<dyn Read + Send> = match packing {
        Some(Packing::Gzip) => Box::new(body::Members::new(buffered)),
        Some(Packing::Zstd) => Box::new(zstd::stream::read::Decoder::with_buffer(buffered)?),
        Some(Packing::Xz) => Box::new(lzma_rust2::XzReader::new(buffered, true)),
        Some(Packing::Bzip2) => Box::new(bzip2::bufread::MultiBzDecoder::new(buffered)),
        Some(Packing::Lz4) => {
            let watched = Watched { reader: buffered, has_ended: false, was_cut: false };
            Box::new(Frames(FrameDecoder::new(watched)))
        }
        Some(Packing::Zip | Packing::SevenZip | Packing::Rar | Packing::Tar) | None => {
            return Ok(Unpacked { reader: BufReader::with_capacity(1 << 20, Box::new(buffered)), missing });
        }
    };
    let readable =
        Readable { reader, bytes: 0, packing: packing.map_or("", Packing::name), missing: missing.clone() };
    Ok(Unpacked { reader: BufReader::with_capacity(1 << 20, Box::new(readable)), missing })
}

/// All frames of lz4, one after the other. The decoder takes the end of the file between two blocks for the end of
/// the frame.
struct Frames<R: Read>(FrameDecoder<Watched<R>>);

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let is_all_read = self.0.get_mut().reader.fill_buf()?.is_empty();
            let read = self.0.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Watched { was_cut, has_ended, .. } = self.0.get_ref();
            if *was_cut || (*has_ended && !is_all_read) {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within a frame"));
            }
            // Nothing comes of the end of a frame; the next read begins another one, or fails.
            if is_all_read {
                return Ok(0);
            }
        }
    }
}

/// Packed bytes, and whether their end came where more was asked for.
struct Watched<R> {
    reader: BufReader<R>,
    /// Nothing came any more.
    has_ended: bool,
    /// Less came than was needed.
    was_cut: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.has_ended |= read == 0 && !buffer.is_empty();
        Ok(read)
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let read = self.reader.read_exact(buffer);
        self.was_cut |= read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::UnexpectedEof);
        read
    }
}

/// Bytes that are unpacked of xz at a time.
const XZ_BYTES: usize = 1 << 10;

/// Packed text up to where it is damaged.
struct Readable {
    reader: Box<dyn Read + Send>,
    /// Unpacked so far.
    bytes: u64,
    packing: &'static str,
    missing: Missing,
}

impl Read for Readable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        if self.missing.get().is_some() {
            return Ok(0);
        }
        // Of what it had unpacked when it met the damage, the reader of xz gives nothing.
        let at_once = if self.packing == "xz" { buffer.len().min(XZ_BYTES) } else { buffer.len() };
        let buffer = &mut buffer[..at_once];
        match self.reader.read(buffer) {
            Ok(read) => {
                self.bytes += read as u64;
                Ok(read)
            }
            Err(error) if matches!(error.kind(), InvalidData | InvalidInput | Other | UnexpectedEof) => {
                let Self { bytes, packing, .. } = &*self;
                self.missing.get_or_init(|| {
                    format!("the {packing} data is damaged behind {bytes} bytes of text ({error})")
                });
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: Vec<u8>) -> (String, Option<String>) {
        let Unpacked { mut reader, missing } = unpacked(io::Cursor::new(bytes)).unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        (text, missing.get().cloned())
    }

    fn packed(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(text).unwrap();
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(text).unwrap();
        vec![
            ("gzip", gzip.finish().unwrap()),
            ("bzip2", bzip2.finish().unwrap()),
            ("lz4", lz4.finish().unwrap()),
            ("zstd", zstd::encode_all(text, 1).unwrap()),
        ]
    }

    #[test]
    fn what_is_packed_is_unpacked_and_members_follow_each_other() {
        for (name, bytes) in packed(b"one\ntwo\n") {
            assert_eq!(read(bytes.clone()), ("one\ntwo\n".to_owned(), None), "{name}");
            assert_eq!(read([&bytes[..], &bytes].concat()).0, "one\ntwo\n".repeat(2), "{name}");
        }
        assert_eq!(read(b"plain\n".to_vec()), ("plain\n".to_owned(), None));
        assert_eq!(read(XZ.to_vec()), ("one\ntwo\n".to_owned(), None));
    }

    #[test]
    fn of_what_is_damaged_the_readable_is_read_and_the_rest_named() {
        let noise: String = (0..60_000u32).map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761))).collect();
        for (name, bytes) in packed(noise.as_bytes()) {
            let (text, missing) = read(bytes[..bytes.len() - 9].to_vec());
            assert!(noise.starts_with(&text), "{name}");
            let missing = missing.unwrap_or_else(|| panic!("{name}: nothing is said"));
            assert!(
                missing.contains(name) && missing.contains(&format!("{} bytes", text.len())),
                "{missing}"
            );
        }
        let (name, mut bytes) = packed(b"one\n").remove(0);
        bytes.extend(b"rubbish");
        let (text, missing) = read(bytes);
        assert_eq!((text.as_str(), missing.is_some()), ("one\n", true), "{name}");
    }

    /// Of several blocks each, that of xz but with `xz --block-size`.
    fn blocks() -> Vec<(&'static str, Vec<u8>, String)> {
        let text = "the same line\n".repeat(10_000);
        let mut all: Vec<_> =
            packed(text.as_bytes()).into_iter().map(|(name, bytes)| (name, bytes, text.clone())).collect();
        for (mode, is_checked) in [
            (lz4_flex::frame::BlockMode::Independent, true),
            (lz4_flex::frame::BlockMode::Linked, false),
            (lz4_flex::frame::BlockMode::Independent, false),
        ] {
            let info = lz4_flex::frame::FrameInfo::new()
                .block_size(lz4_flex::frame::BlockSize::Max64KB)
                .block_mode(mode)
                .block_checksums(is_checked)
                .content_checksum(is_checked);
            let mut lz4 = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            lz4.write_all(text.as_bytes()).unwrap();
            all.push(("lz4", lz4.finish().unwrap(), text.clone()));
        }
        all.push(("xz", XZ_BLOCKS.to_vec(), "one\ntwo\n".to_owned()));
        all
    }

    #[test]
    fn what_is_cut_is_named_wherever_that_is() {
        for (name, one, text) in blocks() {
            let (bytes, text) = ([&one[..], &one].concat(), text.repeat(2));
            // The first bytes tell the packing; of the second member what it begins and ends with.
            let (second, end) = (one.len() + 64, bytes.len());
            for cut in (10..second.min(end)).chain(second.max(end - 64)..=end) {
                let (read, missing) = read(bytes[..cut].to_vec());
                let is_whole = cut == one.len() || cut == bytes.len();
                assert!(text.starts_with(&read), "{name} {cut}");
                assert_eq!(missing.is_none(), is_whole, "{name} cut at {cut} of {}: {missing:?}", one.len());
            }
        }
    }

    #[test]
    fn an_empty_block_of_lz4_is_no_end() {
        let mut bytes = packed(b"one\n").into_iter().find(|(name, _)| *name == "lz4").unwrap().1;
        let end = bytes.len() - 4;
        assert_eq!(bytes[end..], [0; 4], "the mark of the end");
        bytes.splice(end.., 0x8000_0000_u32.to_le_bytes());
        assert!(read(bytes.clone()).1.is_some());
        bytes.extend([0; 4]);
        assert_eq!(read(bytes), ("one\n".to_owned(), None));
    }

    /// `printf 'one\ntwo\n' | xz --block-size=4`.
    const XZ_BLOCKS: &[u8] = &[
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x16,
        0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x03, 0x6f, 0x6e, 0x65, 0x0a, 0x00, 0xf5, 0x5c,
        0xbb, 0x56, 0x1f, 0xc6, 0xfd, 0x86, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5,
        0xa3, 0x01, 0x00, 0x03, 0x74, 0x77, 0x6f, 0x0a, 0x00, 0x65, 0x06, 0xd6, 0xff, 0xc4, 0xc0, 0xf9, 0x3a,
        0x00, 0x02, 0x1c, 0x04, 0x1c, 0x04, 0x00, 0x00, 0x9b, 0xea, 0xef, 0x6e, 0xb1, 0xc4, 0x67, 0xfb, 0x02,
        0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
    ];

    /// `printf 'one\ntwo\n' | xz`.
    const XZ: &[u8] = &[
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x16,
        0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x07, 0x6f, 0x6e, 0x65, 0x0a, 0x74, 0x77, 0x6f,
        0x0a, 0x00, 0x51, 0xab, 0x9e, 0xaf, 0x57, 0x75, 0x70, 0x49, 0x00, 0x01, 0x20, 0x08, 0xbb, 0x19, 0xd9,
        0xbb, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
    ];
}
