//! A bounded listener as the stream of connections that tonic serves.

use std::io;

use futures_util::{Stream, stream};
use tls::Identity;
use tokio::task::JoinSet;
use tonic::transport::server::Connected;

use crate::{
    channel::Channel,
    listen::{Bounded, Line},
};

struct Incoming {
    listener: Bounded,
    tls: Option<Identity>,
    /// Connections that are agreeing on TLS: a slow one holds nobody up.
    opening: JoinSet<io::Result<Channel>>,
}

/// The connections, as they come.
pub(super) fn connections(listener: Bounded) -> impl Stream<Item = io::Result<Channel>> {
    let tls = listener.tls();
    let incoming = Incoming { listener, tls, opening: JoinSet::new() };
    stream::unfold(incoming, |mut incoming| async {
        loop {
            tokio::select! {
                connection = incoming.listener.accept() => {
                    let Some(tls) = incoming.tls.clone() else {
                        return Some((Channel::open(connection, None).await, incoming));
                    };
                    incoming.opening.spawn(async move { Channel::open(connection, Some(&tls)).await });
                }
                Some(opened) = incoming.opening.join_next(), if !incoming.opening.is_empty() => {
                    // One that did not agree is no connection.
                    if let Ok(Ok(channel)) = opened {
                        return Some((Ok(channel), incoming));
                    }
                }
            }
        }
    })
}

impl Connected for Channel {
    type ConnectInfo = Line;

    fn connect_info(&self) -> Line {
        self.line()
    }
}
