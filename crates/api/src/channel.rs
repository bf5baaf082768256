//! A connection as requests come over it: plain, or with TLS.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use metrics::counter;
use telemetry::metric;
use tls::Identity;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::listen::{Connection, Line};

/// A connection as requests come over it.
#[derive(Debug)]
pub(crate) enum Channel {
    Plain(Connection),
    Tls(Box<tls::TlsStream<Connection>>),
}

impl Channel {
    /// Agrees on TLS, where a listener speaks it. A client has as long for that as for its first request.
    pub(crate) async fn open(connection: Connection, tls: Option<&Identity>) -> io::Result<Self> {
        let Some(tls) = tls else { return Ok(Self::Plain(connection)) };
        let line = connection.line();
        let stream = tls.accept(connection).await.inspect_err(|error| {
            counter!(metric::TLS_HANDSHAKES_FAILED).increment(1);
            tracing::debug!(%error, "a client and this service did not agree on TLS");
        })?;
        line.secure(tls::peer_certificate(&stream));
        Ok(Self::Tls(Box::new(stream)))
    }

    pub(crate) fn line(&self) -> Line {
        match self {
            Self::Plain(connection) => connection.line(),
            Self::Tls(stream) => stream.get_ref().0.line(),
        }
    }
}

impl AsyncRead for Channel {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Channel {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
