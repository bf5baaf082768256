//! A cluster that requests are sent to, and every failure told apart by what mends it.

mod answer;
mod encode;
mod node;
mod nodes;
mod request;
mod server;

use std::sync::Arc;

pub(super) use self::answer::{is_block, refusal};
use self::nodes::Nodes;
pub use self::{
    answer::Answer,
    request::{Body, Method, Request},
    server::{Flavor, Server},
};
use super::{ClusterError, Config};

/// A cluster. Clones share its nodes.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
}

struct Shared {
    nodes: Nodes,
    server: tokio::sync::OnceCell<Server>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.shared.nodes.labels()).finish()
    }
}

impl Cluster {
    /// Prepares the transports; nothing is sent yet.
    ///
    /// # Errors
    /// When an address, a credential or the CA file cannot be used.
    pub fn new(config: &Config) -> Result<Self, ClusterError> {
        let (nodes, server) = (Nodes::new(config)?, tokio::sync::OnceCell::new());
        Ok(Self { shared: Arc::new(Shared { nodes, server }) })
    }

    /// Sends a request to a node that takes requests. Whatever a node answers is an answer; see
    /// [`Answer::require_success`]. When a node cannot be reached another one is asked, and also
    /// when it fails half-way, if asking twice does no harm.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, ClusterError> {
        self.shared.nodes.send(request).await
    }

    /// Its nodes.
    pub(super) fn nodes(&self) -> &Nodes {
        &self.shared.nodes
    }

    /// What kind of server it is: asked once, then remembered.
    ///
    /// # Errors
    /// When it does not answer, is of another kind or too old.
    pub async fn server(&self) -> Result<Server, ClusterError> {
        self.shared.server.get_or_try_init(|| server::probe(&self.shared.nodes)).await.copied()
    }

    /// What kind of server it is, if it was asked already.
    pub(super) fn known_server(&self) -> Option<Server> {
        self.shared.server.get().copied()
    }
}
