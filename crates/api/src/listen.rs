//! A listener that serves so many connections at a time, and so many of one address.
//!
//! Where no place is left, the connection that has been without a request for longest gives way to a new one;
//! where none is without, a new one waits, or, of an address that has its share, is closed. A client that takes
//! nothing of what it is sent for a while loses its connection: whatever is written to it would be held for as long
//! as it likes.

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use metrics::counter;
use telemetry::{metric, task::Stop};
use tls::Identity;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep},
};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// How often a new connection looks again for one that gives way.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long to wait when the operating system gives no connection: descriptors may be used up.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Bounds of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Served at a time. Setting `LOG_SENTINEL_CONNECTIONS_MAX`.
    pub max: usize,
    /// Of one address. Setting `LOG_SENTINEL_CONNECTIONS_PER_ADDRESS_MAX`.
    pub per_address_max: usize,
    /// How long one may take to bring the head of its first request, and over HTTP/1 of each further one.
    /// Setting `LOG_SENTINEL_HEADER_TIMEOUT`.
    pub header_timeout: Duration,
    /// How long a client may take nothing of what it is sent. Setting `LOG_SENTINEL_WRITE_TIMEOUT`.
    pub write_timeout: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        let patience = Duration::from_secs(30);
        Self { max: 1024, per_address_max: 512, header_timeout: patience, write_timeout: patience }
    }
}

/// A listener with so many places; each connection holds one until it ends.
#[derive(Debug)]
pub struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
    table: Arc<Table>,
    bounds: Connections,
    tls: Option<Identity>,
    /// Accepted, and not yet given a place.
    waiting: Option<(TcpStream, SocketAddr)>,
}

impl Bounded {
    /// Serves connections of this listener within the bounds.
    pub fn new(listener: TcpListener, bounds: Connections) -> Self {
        let places = Arc::new(Semaphore::new(bounds.max.clamp(1, Semaphore::MAX_PERMITS)));
        Self { listener, places, table: Arc::default(), bounds, tls: None, waiting: None }
    }

    /// Speaks TLS, where there is something to show.
    #[must_use]
    pub fn with_tls(self, tls: Option<Identity>) -> Self {
        Self { tls, ..self }
    }

    /// What connections are made with once they have been accepted.
    pub(crate) fn tls(&self) -> Option<Identity> {
        self.tls.clone()
    }

    pub(crate) fn bounds(&self) -> Connections {
        self.bounds
    }

    /// What closes the connections that are without a request.
    pub(crate) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table)
    }

    /// The next connection that has a place. Nothing is lost when this is dropped before it is done.
    pub async fn accept(&mut self) -> Connection {
        loop {
            if self.waiting.is_none() {
                match self.listener.accept().await {
                    Ok(accepted) => self.waiting = Some(accepted),
                    Err(error) if is_of_one_connection(&error) => continue,
                    Err(error) => {
                        tracing::warn!(%error, "no connection can be accepted at present");
                        tokio::time::sleep(ACCEPT_AGAIN).await;
                        continue;
                    }
                }
            }
            let place = self.place().await;
            let Some((stream, addr)) = self.waiting.take() else { continue };
            let Some(line) = Table::add(&self.table, addr.ip(), self.bounds.per_address_max) else {
                continue;
            };
            // Small answers must not wait for more to send. It is a wish; the connection works without.
            drop(stream.set_nodelay(true));
            let opening = Box::pin(tokio::time::sleep(self.bounds.header_timeout));
            let closed = Box::pin(line.0.close.clone().cancelled_owned());
            let write = Write::new(self.bounds.write_timeout);
            return Connection { stream, line, write, opening: Some(opening), closed, _place: place };
        }
    }

    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                return Some(place);
            }
            self.table.make_room(None);
            let acquired = Arc::clone(&self.places).acquire_owned();
            if let Ok(place) = tokio::time::timeout(LOOK_AGAIN, acquired).await {
                // The semaphore is never closed.
                return place.ok();
            }
        }
    }
}

/// Whether it concerns the connection that was to be accepted, and not the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// The connections of a listener.
#[derive(Debug, Default)]
pub(crate) struct Table {
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    by_number: HashMap<u64, Arc<State>>,
    next: u64,
}

#[derive(Debug)]
struct State {
    address: IpAddr,
    close: Stop,
    /// Requests that are being answered.
    busy: AtomicUsize,
    /// Whether a request ever came.
    opened: AtomicBool,
    idle_since: Mutex<Instant>,
    /// Set when TLS has been agreed on.
    secured: OnceLock<Secured>,
}

/// What is known of a connection over TLS.
#[derive(Debug)]
struct Secured {
    /// Of the client's certificate.
    certificate: Option<blake3::Hash>,
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None when the address has its share and all of it is in use.
    fn add(table: &Arc<Self>, address: IpAddr, per_address_max: usize) -> Option<Line> {
        let of_address = || table.lock().by_number.values().filter(|line| line.address == address).count();
        if of_address() >= per_address_max && !table.make_room(Some(address)) {
            counter!(metric::CLOSED_CONNECTIONS, "reason" => "per_address").increment(1);
            return None;
        }
        let state = Arc::new(State {
            address,
            close: Stop::new(),
            busy: AtomicUsize::new(0),
            opened: AtomicBool::new(false),
            idle_since: Mutex::new(Instant::now()),
            secured: OnceLock::new(),
        });
        let mut lines = table.lock();
        let number = lines.next;
        lines.next += 1;
        lines.by_number.insert(number, Arc::clone(&state));
        drop(lines);
        Some(Line(state, Arc::new(Listed { number, table: Arc::clone(table) })))
    }

    /// Closes the connection that has been without a request for longest; false when there is none.
    fn make_room(&self, of: Option<IpAddr>) -> bool {
        let mut lines = self.lock();
        let idle =
            lines.by_number.iter().filter(|(_, line)| of.is_none_or(|address| line.address == address));
        let longest = idle.filter_map(|(number, line)| Some((line.idle_since()?, *number))).min();
        let Some(line) = longest.and_then(|(_, number)| lines.by_number.remove(&number)) else {
            return false;
        };
        line.close.cancel();
        counter!(metric::CLOSED_CONNECTIONS, "reason" => "made_room").increment(1);
        true
    }

    /// Closes all that are without a request: there is nothing to answer.
    pub(crate) fn close_idle(&self) {
        let lines = self.lock();
        lines
            .by_number
            .values()
            .filter(|line| line.idle_since().is_some())
            .for_each(|line| line.close.cancel());
    }
}

impl State {
    fn idle_since(&self) -> Option<Instant> {
        let idle = self.busy.load(Ordering::Acquire) == 0;
        idle.then(|| *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct Listed {
    number: u64,
    table: Arc<Table>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.table.lock().by_number.remove(&self.number);
    }
}

/// What is known of a connection, for who answers its requests. It stays in the table until the last clone is
/// dropped.
#[derive(Debug, Clone)]
pub struct Line(Arc<State>, #[expect(dead_code, reason = "dropped with the last clone")] Arc<Listed>);

impl Line {
    /// Where it comes from.
    pub(crate) fn address(&self) -> IpAddr {
        self.0.address
    }

    /// BLAKE3 of the certificate that its client showed and that was verified.
    pub(crate) fn certificate(&self) -> Option<blake3::Hash> {
        self.0.secured.get()?.certificate
    }

    /// Whether it is encrypted.
    pub(crate) fn is_secured(&self) -> bool {
        self.0.secured.get().is_some()
    }

    /// TLS has been agreed on.
    pub(crate) fn secure(&self, certificate: Option<blake3::Hash>) {
        // Once for each connection.
        drop(self.0.secured.set(Secured { certificate }));
    }

    /// A request that is being answered until this is dropped.
    pub(crate) fn begin(&self) -> Busy {
        self.0.opened.store(true, Ordering::Release);
        self.0.busy.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(&self.0))
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Busy(Arc<State>);

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A connection and its place among those served.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    line: Line,
    write: Write,
    /// Until when a first request must have come.
    opening: Option<Pin<Box<Sleep>>>,
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
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
    pub(crate) fn line(&self) -> Line {
        self.line.clone()
    }

    /// An error once the connection is to be closed although nothing came.
    fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closed.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if self.line.0.opened.load(Ordering::Acquire) {
            self.opening = None;
        }
        if self.opening.as_mut().is_some_and(|opening| opening.as_mut().poll(context).is_ready()) {
            counter!(metric::CLOSED_CONNECTIONS, "reason" => "headers").increment(1);
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.poll_closed(context),
            ready => ready,
        }
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
        let mut listener = Bounded::new(
            listener,
            Connections { write_timeout: Duration::from_millis(50), ..Connections::default() },
        );
        let _silent = TcpStream::connect(addr).await.unwrap();
        let mut connection = listener.accept().await;
        let failed = loop {
            // The buffers of both sides fill first.
            if let Err(error) = connection.write(&[0; 65536]).await {
                break error;
            }
        };
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);

        listener.bounds.write_timeout = Duration::from_secs(60);
        let mut slow = TcpStream::connect(addr).await.unwrap();
        let mut connection = listener.accept().await;
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
