//! Reading files that may be gzip.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;

/// A reader of the file's text.
pub(crate) fn open(file: &Path) -> Result<Box<dyn BufRead>> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let gzip = file.extension().is_some_and(|extension| extension == "gz");
    let reader: Box<dyn Read> = if gzip { Box::new(MultiGzDecoder::new(opened)) } else { Box::new(opened) };
    Ok(Box::new(BufReader::with_capacity(1 << 20, reader)))
}

/// Calls `visit` with each line, without its end.
pub(crate) fn each(file: &Path, mut visit: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let mut reader = open(file)?;
    let mut line = vec![];
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        visit(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']))?;
    }
}
