//! Serves a router on a listener: HTTP/1 and HTTP/2, within bounds of headers and connections.

use std::{convert::Infallible, pin::pin, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, Version},
};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use telemetry::task::Stop;
use tls::Identity;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::{
    channel::Channel,
    listen::{Bounded, Connection, Line},
    unread,
};

/// Bytes of a request's head, and what is read of a body at a time.
const HEAD_BYTES_MAX: usize = 128 << 10;
/// Requests at a time on an HTTP/2 connection.
const STREAMS_MAX: u32 = 100;
/// How long an HTTP/2 connection may be silent before it is asked whether it lives, and how long it may take to
/// say so.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Serves until told to stop. Then what is being answered is answered, and connections without a request, or with
/// half the head of one, are closed at once.
pub async fn serve(mut listener: Bounded, router: Router, stop: Stop) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(listener.bounds().header_timeout)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE);
    let tls = listener.tls();
    let mut served = JoinSet::new();
    loop {
        let connection = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = served.join_next(), if !served.is_empty() => continue,
            connection = listener.accept() => connection,
        };
        served.spawn(answer(builder.clone(), (connection, tls.clone()), router.clone(), stop.clone()));
    }
    let table = listener.table();
    drop(listener);
    table.close_idle();
    while served.join_next().await.is_some() {}
}

async fn answer(
    builder: Builder<TokioExecutor>,
    (connection, tls): (Connection, Option<Identity>),
    router: Router,
    stop: Stop,
) {
    let Ok(connection) = Channel::open(connection, tls.as_ref()).await else { return };
    let line = connection.line();
    let service = service_fn(move |request| answered(line.clone(), router.clone(), request));
    let mut served = pin!(builder.serve_connection(TokioIo::new(connection), service));
    let outcome = tokio::select! {
        outcome = served.as_mut() => outcome,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    // How a connection ends is its client's affair.
    if let Err(error) = outcome {
        tracing::trace!(error, "a connection ended early");
    }
}

async fn answered(
    line: Line,
    router: Router,
    request: Request<Incoming>,
) -> Result<axum::response::Response, Infallible> {
    let busy = line.begin();
    let (head, body) = request.into_parts();
    let (body, lingering) = if head.version == Version::HTTP_2 {
        let (body, lingering) = unread::watch(body);
        (Body::new(body), Some(lingering))
    } else {
        (Body::new(body), None)
    };
    let mut request = Request::from_parts(head, body);
    request.extensions_mut().insert(line);
    let response = router.oneshot(request).await?;
    // The request is under way until the last byte of its answer.
    Ok(response.map(|body| {
        let body = match lingering {
            Some(lingering) => Body::new(lingering(body)),
            None => body,
        };
        Body::new(body.map_err(move |error| {
            let _busy = &busy;
            error
        }))
    }))
}
