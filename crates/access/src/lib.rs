//! Who may ask for what: keys with scopes, sign-ins of browsers, agents and their one-time tokens, and the slowing of
//! who guesses.
//!
//! Every listener asks [`Access::admit`] before it does anything else. It reads no clock (time is handed in) and knows
//! no listener; the one thing it keeps is its [state file](Keys). A secret is given out once, when it is made; what is
//! kept and compared are hashes, and nothing here ever shows a secret or says how much of one was right.

mod access;
mod book;
mod caller;
mod credential;
mod enrolment;
mod file;
mod key;
mod keys;
mod refusal;
mod scope;
mod secret;
mod sign_in;
mod throttle;
mod uses;

pub use access::{Access, Asked, Config, SignedIn};
pub use caller::{Caller, Kind};
pub use credential::SESSION_COOKIE;
pub use enrolment::{Agent, Enrolled, NewAgent};
pub use key::{Key, KeyError, NewKey, State, Token};
pub use keys::{Keys, KeysConfig, OpenError};
pub use refusal::Refusal;
pub use scope::{Needs, Scope, Scopes};
pub use secret::Secret;
pub use uses::Use;
