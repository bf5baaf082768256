//! What procmond told and no sample holds yet.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use event::Timestamp;
use process::{
    Change,
    message::{self, v1::ProcessAcknowledgement},
};

use super::socket::Stream;

/// Bytes of frames that wait. Beyond it nothing more is read, and procmond gives up its own oldest and tells how many.
const WAITING_BYTES: usize = 16 << 20;

/// One thing that was told.
#[derive(Debug)]
pub(crate) enum Item {
    /// Somebody speaks anew.
    Greeting {
        boot_id: String,
        told_by_kernel: bool,
    },
    Change(Box<Change>),
    Gap {
        changes: u64,
        given_up: bool,
    },
    /// All that there is has been told.
    Complete {
        at: Timestamp,
    },
}

/// Shared by who reads and who sends.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    state: Mutex<State>,
    room: Condvar,
    waiting: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<(u64, usize, Item)>,
    bytes: usize,
    /// The stream that is read, and its last frame that was taken.
    stream: Arc<str>,
    last: u64,
    connection: Option<Stream>,
}

impl Frames {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.lock().connection.is_some()
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.lock().items.is_empty()
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.lock().items.len()
    }

    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Somebody greets. Frames of the same stream that were taken before come again and are passed over.
    pub(super) fn greeted(&self, stream: &str, greeting: Item, connection: Stream) {
        let mut state = self.lock();
        if &*state.stream != stream {
            state.stream = stream.into();
            state.last = 0;
        }
        state.connection = Some(connection);
        state.items.push_back((0, 0, greeting));
    }

    pub(super) fn gone(&self) {
        self.lock().connection = None;
    }

    /// Takes one thing, when there is room; gives it back where there was none in time.
    pub(super) fn put(
        &self,
        sequence: u64,
        bytes: usize,
        item: Item,
        patience: Duration,
    ) -> Result<(), Item> {
        let mut state = self.lock();
        if state.bytes > WAITING_BYTES {
            state = self.room.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0;
            if state.bytes > WAITING_BYTES {
                return Err(item);
            }
        }
        if sequence > state.last {
            state.last = sequence;
            state.bytes += bytes;
            state.items.push_back((sequence, bytes, item));
            self.waiting.store(state.items.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Hands over what waits, at most so many bytes of frames, until `take` wants no more; the stream and the last frame of it.
    pub(super) fn drain(
        &self,
        bytes_max: usize,
        mut take: impl FnMut(Item) -> Result<(), Item>,
    ) -> Option<(Arc<str>, u64)> {
        let mut state = self.lock();
        let (mut taken, mut last) = (0, 0);
        while taken < bytes_max
            && let Some((sequence, bytes, item)) = state.items.pop_front()
        {
            if let Err(item) = take(item) {
                state.items.push_front((sequence, bytes, item));
                break;
            }
            state.bytes -= bytes;
            taken += bytes;
            last = last.max(sequence);
        }
        self.waiting.store(state.items.len() as u64, Ordering::Relaxed);
        let stream = Arc::clone(&state.stream);
        drop(state);
        self.room.notify_all();
        (last > 0).then_some((stream, last))
    }

    /// Frames up to this one are kept.
    pub(super) fn acknowledge(&self, stream: &str, sequence: u64) {
        let state = self.lock();
        // Of another stream this number is another frame.
        if &*state.stream == stream
            && let Some(connection) = &state.connection
        {
            let answer = ProcessAcknowledgement { sequence };
            // Whoever went away sends them again, which is told apart by their numbers.
            if message::write(&mut &*connection, &answer).is_err() {
                tracing::debug!("procmond went away before it heard what is kept");
            }
        }
    }

    /// Ends the connection, so that the next one begins with all that there is.
    pub(super) fn hang_up(&self) {
        if let Some(connection) = &self.lock().connection {
            // It ends by itself where this cannot.
            let _ended = connection.shutdown(std::net::Shutdown::Both);
        }
    }
}
