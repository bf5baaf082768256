//! Why a question may have found nothing, as far as its asker may know.

use access::Caller;
use index::{Limits, Selection};
use search::Searcher;

use crate::{params::Params, route::READ_ALL};

/// An answer says so many things of a query that found nothing.
const HINTS_MAX: usize = 8;

/// Who asked, and in which words.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    /// The query as it was written.
    text: String,
    /// Whether the caller may know of all events.
    knows_all: bool,
}

impl Asker {
    pub(super) fn of(params: &Params, caller: &Caller) -> Self {
        // Names of fields, hosts and services are of all events together.
        Self {
            text: params.text("q").unwrap_or_default().to_owned(),
            knows_all: caller.may(READ_ALL).is_ok(),
        }
    }

    /// In words.
    pub(super) async fn hints(
        &self,
        searcher: &Searcher,
        selection: &Selection,
        limits: &Limits,
    ) -> Vec<String> {
        let mut hints = query::hints(&self.text, &selection.query);
        if self.knows_all {
            hints.extend(searcher.hints(selection, limits).await);
        }
        hints.truncate(HINTS_MAX);
        hints
    }
}
