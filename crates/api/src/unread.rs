//! What a handler does not read of a request's body over HTTP/2 is read and passed over before its answer ends. A body
//! that is let go before has the stream reset, and clients take that for a broken stream and not for the refusal that it
//! is.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body as Answer;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// So much is passed over, as long as it comes within [`TIME_MAX`]; behind that the stream is reset.
const BYTES_MAX: usize = 16 << 20;
const TIME_MAX: Duration = Duration::from_secs(5);

/// Where a body goes that nobody reads any more.
type Left<B> = Arc<Mutex<Option<B>>>;

/// A request's body, which is not lost when it is dropped before its end.
pub(crate) struct Watched<B: Body + Unpin> {
    body: Option<B>,
    left: Left<B>,
}

/// An answer that ends no earlier than the body of its request.
pub(crate) struct Lingering<B> {
    answer: Option<Answer>,
    left: Left<B>,
    bytes: usize,
    time: Option<Pin<Box<Sleep>>>,
}

/// The body to be handled, and what makes an answer of the handler's.
pub(crate) fn watch<B>(body: B) -> (Watched<B>, impl FnOnce(Answer) -> Lingering<B>)
where
    B: Body<Data = Bytes> + Unpin,
{
    let left = Left::default();
    let watched = Watched { body: Some(body), left: Arc::clone(&left) };
    (watched, |answer| Lingering { answer: Some(answer), left, bytes: 0, time: None })
}

impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Body + Unpin> Drop for Watched<B> {
    fn drop(&mut self) {
        let body = self.body.take().filter(|body| !body.is_end_stream());
        if body.is_some() {
            *self.left.lock().unwrap_or_else(PoisonError::into_inner) = body;
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Lingering<B> {
    /// Passes over what was left of the request; ready when nothing is, or it is too much.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(body) = left.as_mut() {
            match Pin::new(body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.bytes += frame.data_ref().map_or(0, Bytes::len);
                    if self.bytes > BYTES_MAX {
                        break;
                    }
                }
                Poll::Ready(_) => break,
                Poll::Pending => {
                    let time = self.time.get_or_insert_with(|| Box::pin(tokio::time::sleep(TIME_MAX)));
                    std::task::ready!(time.as_mut().poll(context));
                    break;
                }
            }
        }
        *left = None;
        Poll::Ready(())
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Lingering<B> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(answer) = &mut self.answer {
            match std::task::ready!(Pin::new(answer).poll_frame(context)) {
                None => self.answer = None,
                frame => return Poll::Ready(frame),
            }
        }
        self.poll_rest(context).map(|()| None)
    }

    fn is_end_stream(&self) -> bool {
        self.answer.as_ref().is_none_or(Body::is_end_stream)
            && self.left.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    #[tokio::test]
    async fn an_answer_ends_when_the_request_does() {
        for is_read in [false, true] {
            let (watched, lingering) = watch(Full::new(Bytes::from_static(b"question")));
            if is_read {
                assert_eq!(watched.collect().await.unwrap().to_bytes(), "question");
            } else {
                drop(watched);
            }
            let mut answer = lingering(Answer::from("answer"));
            assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "answer");
            assert_eq!(answer.is_end_stream(), is_read);
            assert!(answer.frame().await.is_none());
            assert_eq!(answer.bytes, if is_read { 0 } else { 8 });
        }
    }

    #[tokio::test]
    async fn a_request_without_an_end_is_passed_over_for_so_long() {
        let frame = || Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from(vec![0; 1 << 20])));
        let endless = futures_util::stream::repeat_with(frame);
        let (watched, lingering) = watch(http_body_util::StreamBody::new(endless));
        drop(watched);
        let mut answer = lingering(Answer::from("answer"));
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "answer");
        assert!(answer.frame().await.is_none());
        assert_eq!(answer.bytes, BYTES_MAX + (1 << 20));
        assert!(answer.is_end_stream());
    }
}
