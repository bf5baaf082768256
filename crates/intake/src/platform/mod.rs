//! What is asked of files and of the system otherwise on one platform than on another. Both sides have the same functions.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

/// What tells the file to which a path leads from all others of this machine, whatever it is called.
///
/// # Errors
/// Those of the file system.
pub fn identity(path: &std::path::Path) -> std::io::Result<(u64, u64)> {
    about(path).map(|about| id(&about))
}
