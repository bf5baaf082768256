//! The socket on which procmond speaks.

#[cfg(unix)]
pub(super) use unix::{IS_THERE, Stream, connect};

#[cfg(not(unix))]
pub(super) use other::{IS_THERE, Stream, connect};

#[cfg(unix)]
mod unix {
    use std::{io, path::Path};

    pub(in super::super) use std::os::unix::net::UnixStream as Stream;

    /// Whether there is a procmond for this platform.
    pub(in super::super) const IS_THERE: bool = cfg!(target_os = "linux");

    pub(in super::super) fn connect(path: &Path) -> io::Result<Stream> {
        Stream::connect(path)
    }
}

/// There is no procmond, and nothing is ever connected.
#[cfg(not(unix))]
mod other {
    use std::{io, path::Path};

    pub(in super::super) use std::net::TcpStream as Stream;

    pub(in super::super) const IS_THERE: bool = false;

    pub(in super::super) fn connect(_: &Path) -> io::Result<Stream> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
