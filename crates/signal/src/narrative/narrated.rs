//! What comes of it.

use serde::{Deserialize, Serialize};

/// A signal in words. Plain text: it is to be escaped for HTML and the markup of chats, not for a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narrative {
    /// One line of at most 80 characters.
    pub title: String,
    /// What happened: how often, who, from where, when, on which host.
    pub what: String,
    /// Why it matters: what it is, whether it succeeded, who could do it, what came before.
    pub why: String,
    /// What to do next, what can be undone first; commands stand at the end of a step. They are for people to read, and
    /// nothing is to be run from them unread.
    pub next: Vec<String>,
}
