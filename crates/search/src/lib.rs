//! Questions about all that was taken in: one answer from the index and from what the journal holds beyond it.
//!
//! [`Searcher`] asks both, and asks for all ids that stand for a template. It changes nothing that is stored,
//! and knows nothing of who asks or how: no protocol, no page, no key.

mod aliases;
mod future;
mod hints;
mod kept;
mod patterns;
mod piece;
mod searcher;
mod waiting;

pub use aliases::{Aliases, NoAliases};
pub use patterns::{Change, ChangedPattern, Comparison, PatternOrder};
pub use searcher::{Answer, Config, SearchError, Searcher};
