//! Files beside the models: replaced as a whole, and set aside when they are damaged.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::error::ModelError;

/// Says what was attempted, and on what.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ModelError {
    let path = path.to_owned();
    move |source| ModelError::Io { action, path, source }
}

/// Replaces a file of the folder as a whole; several may be at it at the same time.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    disk::replace(path, bytes).map_err(failed("replace", path))
}

/// What a damaged file is, and where it was put out of the way.
pub(crate) fn put_aside(path: &Path, error: &dyn std::error::Error) -> String {
    match set_aside(path) {
        Ok(aside) => format!(
            "{error}; it was set aside as {}: restore it from a backup, or remove that file",
            aside.display()
        ),
        Err(failed) => format!("{error}; it could not be set aside: {failed}"),
    }
}

/// Says so of a file of which a damaged version still lies set aside.
pub(crate) fn earlier(path: &Path) -> Option<String> {
    let aside = asides(path).take_while(|aside| aside.exists()).last()?;
    Some(format!(
        "an earlier {} was damaged and set aside as {}; remove that file when it is no longer needed",
        path.file_name().unwrap_or_default().display(),
        aside.display()
    ))
}

/// Puts a damaged file out of the way under a name that no other has; says which.
pub(crate) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = asides(path).find(|aside| !aside.exists()).unwrap_or_default();
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// The names under which damaged versions of a file are set aside, in the order in which they are used.
pub(crate) fn asides(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let path = path.as_os_str().to_owned();
    (0..u64::MAX).map(move |n| {
        let mut aside = path.clone();
        aside.push(".refused");
        if n > 0 {
            aside.push(format!(".{n}"));
        }
        PathBuf::from(aside)
    })
}

/// Writes a new file, durable when this returns.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let write = || {
        let mut file = disk::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(failed("write", path))
}

/// Makes durable which files a folder has.
pub(crate) fn sync_dir(path: &Path) -> Result<(), ModelError> {
    disk::sync_dir(path).map_err(failed("sync", path))
}
