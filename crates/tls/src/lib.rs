//! TLS of listeners: certificates that are read again when their files change, certificates of clients where a
//! listener asks for them, and an authority of this installation for who has none.
//!
//! It encrypts and verifies; who may do what is another crate's affair. A certificate that does not load never takes
//! the place of one that does.

mod authority;
mod identity;
mod watch;

pub use authority::{Authority, AuthorityError, Issued};
pub use identity::{Clients, Files, Identity, TlsError, TlsStream, peer_certificate};
pub use watch::watch;
