//! A bounded listener as the stream of connections that tonic serves.

use std::io;

use futures_util::{Stream, stream};
use tonic::transport::server::Connected;

use crate::listen::{Bounded, Connection, Line};

/// The connections, as they come.
pub(super) fn connections(listener: Bounded) -> impl Stream<Item = io::Result<Connection>> {
    stream::unfold(listener, |mut listener| async {
        let connection = listener.accept().await;
        Some((Ok(connection), listener))
    })
}

impl Connected for Connection {
    type ConnectInfo = Line;

    fn connect_info(&self) -> Line {
        self.line()
    }
}
