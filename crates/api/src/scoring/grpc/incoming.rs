//! A bounded listener as the stream of connections that tonic serves.

use std::io;

use axum::serve::Listener;
use futures_util::{Stream, stream};
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::listen::{Bounded, Connection};

/// The connections, as they come.
pub(super) fn connections(listener: Bounded) -> impl Stream<Item = io::Result<Connection>> {
    stream::unfold(listener, |mut listener| async {
        let (connection, _) = listener.accept().await;
        Some((Ok(connection), listener))
    })
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream().connect_info()
    }
}
