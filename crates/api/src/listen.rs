//! A listener that serves so many connections at a time; further ones wait in the operating system's queue.
//! A client that takes nothing of what it is sent for a while loses its connection: whatever is written to
//! it would be held for as long as it likes.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep},
};

/// A listener with so many places; each connection holds one until it ends.
#[derive(Debug)]
pub struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
    write_timeout: Duration,
}

impl Bounded {
    /// Serves `connections_max` connections of this listener at a time, each for as long as its client
    /// takes something within `write_timeout`.
    pub fn new(listener: TcpListener, connections_max: usize, write_timeout: Duration) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(connections_max)), write_timeout }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // The semaphore is never closed.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, addr) = Listener::accept(&mut self.listener).await;
        // Small answers must not wait for more to send. It is a wish; the connection works without.
        drop(stream.set_nodelay(true));
        (Connection { stream, write: Write::new(self.write_timeout), _place: place }, addr)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection and its place among those served.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    write: Write,
    _place: Option<OwnedSemaphorePermit>,
}

/// Since when a client has taken nothing.
#[derive(Debug)]
struct Write {
    timeout: Duration,
    /// Runs while the client's side is full.
    due: Option<Pin<Box<Sleep>>>,
}

impl Write {
    fn new(timeout: Duration) -> Self {
        Self { timeout, due: None }
    }

    /// What became of a write; an error when it was the last one of too many in vain.
    fn outcome<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.due = None;
            return outcome;
        }
        let due =
            self.due.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + self.timeout)));
        if due.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        metrics::counter!(telemetry::metric::WRITE_TIMEOUTS).increment(1);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl Connection {
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.write.outcome(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.write.outcome(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_cut_off_and_a_slow_one_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut listener = Bounded::new(listener, 2, Duration::from_millis(50));
        let _silent = TcpStream::connect(addr).await.unwrap();
        let (mut connection, _) = listener.accept().await;
        let failed = loop {
            // The buffers of both sides fill first.
            if let Err(error) = connection.write(&[0; 65536]).await {
                break error;
            }
        };
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);

        listener.write_timeout = Duration::from_secs(60);
        let mut slow = TcpStream::connect(addr).await.unwrap();
        let (mut connection, _) = listener.accept().await;
        let bytes = vec![0; 32 << 20];
        let reading = async {
            let (mut read, mut buffer) = (0, vec![0; 1 << 20]);
            while read < bytes.len() {
                read += slow.read(&mut buffer).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(connection.write_all(&bytes), reading);
        written.unwrap();
    }
}
