//! How long bodies reach their clients: piece by piece, as they take them. What all bodies hold
//! together is bounded in bytes, and who takes nothing for a while is cut off.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use metrics::{counter, gauge};
use telemetry::metric;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};

/// A connection is given so much at a time, so that it does not buffer whole pages.
const PIECE_BYTES: usize = 64 << 10;

/// The bound of a kind of bodies. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Outlets {
    budget: Arc<Semaphore>,
    bytes_max: usize,
    write_timeout: Duration,
}

/// A part of the bound, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share(OwnedSemaphorePermit);

/// The client is gone, or takes nothing.
#[derive(Debug)]
pub(crate) struct Gone;

/// The body ended before its end.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
struct BrokenOff;

enum Piece {
    Bytes(Bytes),
    End,
}

/// Where a body is written to. Dropped before [`Outlet::end`], the connection ends abruptly.
#[derive(Debug)]
pub(crate) struct Outlet {
    pieces: mpsc::Sender<Piece>,
    write_timeout: Duration,
}

/// Bytes under way to a client, with their share.
struct Held {
    bytes: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Held {
    fn new(bytes: Vec<u8>, share: Share) -> Self {
        gauge!(metric::ANSWER_BYTES).increment(bytes.len() as f64);
        Self { bytes, _share: share }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        gauge!(metric::ANSWER_BYTES).decrement(self.bytes.len() as f64);
    }
}

impl Outlets {
    pub(crate) fn new(bytes_max: usize, write_timeout: Duration) -> Self {
        let bytes_max = bytes_max.clamp(1, u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        Self { budget: Arc::new(Semaphore::new(bytes_max)), bytes_max, write_timeout }
    }

    /// Waits for so many bytes, or for all there may be.
    pub(crate) async fn share(&self, bytes: usize) -> Option<Share> {
        let permits = bytes.clamp(1, self.bytes_max) as u32;
        Arc::clone(&self.budget).acquire_many_owned(permits).await.ok().map(Share)
    }

    /// A body, and where it is written to.
    pub(crate) fn open(&self) -> (Outlet, Body) {
        let (pieces, incoming) = mpsc::channel(1);
        let body = stream::unfold(Some(incoming), async |incoming| {
            let mut incoming: mpsc::Receiver<Piece> = incoming?;
            match incoming.recv().await {
                Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(incoming))),
                Some(Piece::End) => None,
                None => Some((Err(BrokenOff), None)),
            }
        });
        (Outlet { pieces, write_timeout: self.write_timeout }, Body::from_stream(body))
    }
}

impl Share {
    /// Gives back what is more than so many bytes.
    fn shrink(&mut self, bytes: usize) {
        let surplus = self.0.num_permits().saturating_sub(bytes.max(1));
        drop(self.0.split(surplus));
    }
}

/// A whole body that holds its share until it is written.
pub(crate) fn whole(bytes: Vec<u8>, mut share: Share) -> Body {
    share.shrink(bytes.len());
    Body::from(Bytes::from_owner(Held::new(bytes, share)))
}

impl Outlet {
    /// Hands bytes over, as the client takes them.
    ///
    /// # Errors
    /// When the client is gone or takes nothing for too long.
    pub(crate) async fn send(&self, bytes: Vec<u8>, mut share: Share) -> Result<(), Gone> {
        share.shrink(bytes.len());
        let mut left = Bytes::from_owner(Held::new(bytes, share));
        while !left.is_empty() {
            let piece = left.split_to(left.len().min(PIECE_BYTES));
            match timeout(self.write_timeout, self.pieces.send(Piece::Bytes(piece))).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Gone),
                Err(_) => {
                    counter!(metric::CUT_ANSWERS, "cause" => "client").increment(1);
                    return Err(Gone);
                }
            }
        }
        Ok(())
    }

    /// Says that the body is whole.
    pub(crate) async fn end(self) {
        // Who is gone needs no end.
        drop(timeout(self.write_timeout, self.pieces.send(Piece::End)).await);
    }

    /// Waits until the client is gone.
    pub(crate) async fn gone(&self) {
        self.pieces.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_body_comes_whole_or_breaks_off() {
        let outlets = Outlets::new(1 << 20, Duration::from_secs(60));
        for is_whole in [true, false] {
            let (outlet, body) = outlets.open();
            let share = outlets.share(400_000).await.unwrap();
            let sending = async {
                outlet.send(vec![b'x'; 300_000], share).await.unwrap();
                if is_whole {
                    outlet.end().await;
                }
            };
            let (collected, ()) = tokio::join!(body.collect(), sending);
            let length = collected.map(|body| body.to_bytes().len()).ok();
            assert_eq!(length, is_whole.then_some(300_000));
            assert_eq!(outlets.budget.available_permits(), 1 << 20);
        }
    }

    #[tokio::test]
    async fn who_takes_nothing_is_cut_off_and_its_share_comes_back() {
        let outlets = Outlets::new(1000, Duration::from_millis(20));
        let (outlet, body) = outlets.open();
        let share = outlets.share(5000).await.unwrap();
        outlet.send(vec![b'x'; 900], share).await.unwrap();
        assert_eq!(outlets.budget.available_permits(), 100, "a share is never more than there is");
        let share = outlets.share(50).await.unwrap();
        assert!(outlet.send(vec![b'x'; 50], share).await.is_err());
        assert_eq!(outlets.budget.available_permits(), 100);
        drop((outlet, body));
        assert_eq!(outlets.budget.available_permits(), 1000);
        let (outlet, body) = outlets.open();
        drop(body);
        outlet.gone().await;
    }
}
