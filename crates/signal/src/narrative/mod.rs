//! A signal in words: what happened, why it matters, what to do next, for somebody woken at night who does not know
//! the program.
//!
//! Both languages stand beside each other in each sentence. A sentence is only said where what it needs is known: of
//! what a signal does not know nothing is claimed. Text of others is shown escaped and in quotes; the narrative is plain
//! text, so whoever puts it into HTML or a chat's markup has to escape it for that. It does no I/O and reads no clock.

mod exposure;
mod general;
mod guessing;
mod narrated;
mod reader;
mod span;
mod steps;
mod telling;

use finding::FindingKind;

use self::telling::Telling;
pub use self::{
    narrated::Narrative,
    reader::{History, Language, Reader, System},
};
use crate::Signal;

/// A signal in words.
pub fn of(signal: &Signal, reader: &Reader) -> Narrative {
    let telling = Telling { signal, reader };
    let words = match signal.kind {
        FindingKind::SshBruteForce => guessing::ssh_brute_force,
        FindingKind::LoginAfterFailures => guessing::login_after_failures,
        _ => general::general,
    };
    words(&telling)
}
