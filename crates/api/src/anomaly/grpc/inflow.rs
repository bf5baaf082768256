//! What calls bring, within bounds: of each call the message that is arriving or being answered is held within one
//! budget for all, and a message that has begun must go on arriving.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::HttpBody;
use axum::http::{Request, Response};
use body::{Budget, Held};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use metrics::counter;
use telemetry::metric;
use tokio::time::{Instant, Sleep};
use tonic::{Status, body::Body};
use tower::Service;

use super::refusal;
use crate::listen::Line;

/// A message begins with a byte that says whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// Bounds of what calls bring.
#[derive(Debug, Clone)]
pub(super) struct Inflow {
    pub(super) budget: Arc<Budget>,
    /// How long a message may pause while it arrives.
    pub(super) idle_max: Duration,
}

/// A service whose calls bring no more than that.
#[derive(Debug, Clone)]
pub(super) struct Bounded<S> {
    inner: S,
    inflow: Inflow,
}

impl Inflow {
    pub(super) fn around<S>(&self, inner: S) -> Bounded<S> {
        Bounded { inner, inflow: self.clone() }
    }
}

impl<S> Service<Request<Body>> for Bounded<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let busy = request.extensions().get::<Line>().map(Line::begin);
        let message = Arc::new(Mutex::new(Held::none(&self.inflow.budget)));
        let held = Arc::clone(&message);
        let idle_max = self.inflow.idle_max;
        let answer = self.inner.call(request.map(|inner| {
            let place = Place::default();
            Body::new(Messages { inner, place, held, idle_max, due: Box::pin(tokio::time::sleep(idle_max)) })
        }));
        Box::pin(async move {
            // A message is held until its call is answered, or the next one of its stream begins.
            let _message = message;
            let response = answer.await?;
            let refused = Status::from_header_map(response.headers());
            let response = match refused.as_ref().and_then(refusal::of_message) {
                Some(status) => status.into_http(),
                None => response,
            };
            Ok(response.map(|inner| Body::new(Answer { inner, _busy: busy })))
        })
    }
}

/// Where a body stands among its messages.
#[derive(Debug, Default)]
struct Place {
    prefix: [u8; PREFIX_BYTES],
    /// Bytes of the message so far, its prefix included.
    come: usize,
    /// Its length, its prefix included; known once that has come.
    length: usize,
}

impl Place {
    /// Whether a message has begun and not ended.
    fn is_within(&self) -> bool {
        self.come > 0 && (self.come < PREFIX_BYTES || self.come < self.length)
    }

    /// Goes on by some of these bytes; gives how many, and whether a message began with them.
    fn advance(&mut self, bytes: &[u8]) -> (usize, bool) {
        let began = !self.is_within();
        if began {
            *self = Self::default();
        }
        if self.come < PREFIX_BYTES {
            let taken = bytes.len().min(PREFIX_BYTES - self.come);
            self.prefix[self.come..self.come + taken].copy_from_slice(&bytes[..taken]);
            self.come += taken;
            let [_, length @ ..] = self.prefix;
            if self.come == PREFIX_BYTES {
                self.length = PREFIX_BYTES.saturating_add(u32::from_be_bytes(length) as usize);
            }
            return (taken, began);
        }
        let taken = bytes.len().min(self.length - self.come);
        self.come += taken;
        (taken, began)
    }
}

/// The body of a call.
struct Messages {
    inner: Body,
    place: Place,
    held: Arc<Mutex<Held>>,
    idle_max: Duration,
    due: Pin<Box<Sleep>>,
}

impl Messages {
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), Status> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        while !bytes.is_empty() {
            let (taken, began) = self.place.advance(bytes);
            bytes = &bytes[taken..];
            if began {
                *held = Held::none(&Arc::clone(held.budget()));
            }
            held.at_least(self.place.come).map_err(|problem| Status::resource_exhausted(problem.detail))?;
        }
        Ok(())
    }
}

impl HttpBody for Messages {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    self.take(data)?;
                    let due = Instant::now() + self.idle_max;
                    self.due.as_mut().reset(due);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Pending if self.place.is_within() && self.due.as_mut().poll(context).is_ready() => {
                counter!(metric::SLOW_BODIES).increment(1);
                Poll::Ready(Some(Err(Status::deadline_exceeded("no more of the message arrived"))))
            }
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The answer to a call, which is under way until its last byte.
struct Answer {
    inner: Body,
    _busy: Option<crate::listen::Busy>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_whatever_way_they_are_cut() {
        let message =
            |length: u32| [&[0], length.to_be_bytes().as_slice(), &vec![b'x'; length as usize]].concat();
        let stream: Vec<u8> = [300, 0, 1, 70_000].into_iter().flat_map(message).collect();
        for step in [1, 2, 3, 7, 64, 1000, stream.len()] {
            let (mut place, mut lengths) = (Place::default(), vec![]);
            for mut part in stream.chunks(step) {
                while !part.is_empty() {
                    let (taken, _) = place.advance(part);
                    part = &part[taken..];
                    if !place.is_within() {
                        lengths.push(place.come - PREFIX_BYTES);
                    }
                }
            }
            assert_eq!(lengths, [300, 0, 1, 70_000], "{step} bytes at a time");
        }
    }
}
