//! Checkpoints that were kept elsewhere, found in whatever kept them.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::{
    ReadError,
    checkpoint::{Checkpoint, TEXT_BYTES_MAX},
    files::io_error,
};

const BUFFER_BYTES: usize = 1 << 20;
/// The most checkpoints taken from a file: those of a thousand million records.
const CHECKPOINTS_MAX: usize = 1_000_000;

/// The checkpoints in a file, each once, ascending by record.
///
/// # Errors
/// When the file cannot be read, or has none.
pub(super) fn read(path: &Path) -> Result<Vec<Checkpoint>, ReadError> {
    let mut file = File::open(path).map_err(io_error("open", path))?;
    let mut found = BTreeMap::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut held = 0;
    loop {
        let bytes = match file.read(&mut buffer[held..]) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(io_error("read", path)(error)),
        };
        let end = held + bytes;
        Checkpoint::find_all(&buffer[..end], |checkpoint| {
            found.insert((checkpoint.record, checkpoint.text().to_owned()), checkpoint);
        });
        if found.len() > CHECKPOINTS_MAX {
            return Err(ReadError::TooManyCheckpoints { path: path.to_owned(), max: CHECKPOINTS_MAX });
        }
        if bytes == 0 {
            break;
        }
        // What is longer than a checkpoint holds none that has not been found.
        held = end.min(TEXT_BYTES_MAX);
        buffer.copy_within(end - held..end, 0);
    }
    if found.is_empty() {
        return Err(ReadError::NoCheckpoints { path: path.to_owned() });
    }
    Ok(found.into_values().collect())
}
