//! Where hits stand whose time stamps lie in the future: behind all others in either order, unless a range with an
//! end is asked for. One wrong clock would else head every search until its time has come.

use event::{EventId, FUTURE_AFTER, JournalId, Position, Timestamp};
use index::{Limits, Order, SearchRequest, SearchResult, Selection, SortKey};

use crate::{Answer, SearchError, Searcher};

/// The future begins at a whole hour, so that it seldom moves between two pages of an answer.
const HOUR: i64 = 3_600_000_000_000;

/// The time of day, read here and nowhere else in this crate.
fn now() -> Timestamp {
    Timestamp::from_jiff(jiff::Timestamp::now()).unwrap_or(Timestamp::MIN)
}

fn horizon(now: Timestamp) -> Timestamp {
    let nanos = now.saturating_add(FUTURE_AFTER.as_nanos() as i64).as_nanos();
    Timestamp::saturating_from_nanos(i128::from(nanos - nanos % HOUR) + i128::from(HOUR))
}

/// Before every hit.
fn start() -> SortKey {
    let position = Position { segment: u32::MAX, record: u32::MAX };
    SortKey { timestamp: Timestamp::MAX, id: EventId { journal: JournalId(u128::MAX), position } }
}

impl Searcher {
    /// A page of hits, those of the future last; covers the journal up to a position.
    ///
    /// # Errors
    /// When the question needs too much or the journal cannot be looked through.
    pub async fn search_until(
        &self,
        request: SearchRequest,
        end: Position,
        limits: &Limits,
    ) -> Result<Answer<SearchResult>, SearchError> {
        let horizon = horizon(now());
        let Selection { from, to, .. } = request.selection;
        let in_place = request.order == Order::OldestFirst;
        if in_place || to.is_some() || request.limit == 0 || from.is_some_and(|from| from >= horizon) {
            return self.page(request, end, limits).await;
        }
        let beyond = |limit, after| {
            let selection = Selection { from: Some(horizon), ..request.selection.clone() };
            SearchRequest { selection, limit, after, counted: true, ..request.clone() }
        };
        if request.after.is_some_and(|after| after.timestamp >= horizon) {
            let mut answer = self.page(beyond(request.limit, request.after), end, limits).await?;
            let whole = SearchRequest { limit: 0, after: None, ..request };
            answer.result.total =
                if whole.counted { self.page(whole, end, limits).await?.result.total } else { 0 };
            return Ok(answer);
        }
        let mut answer = self.page(request.clone(), end, limits).await?;
        let led = answer.result.hits.first().is_some_and(|hit| hit.key.timestamp >= horizon);
        if led {
            let total = answer.result.total;
            let selection = Selection { to: Some(horizon), ..request.selection.clone() };
            answer = self
                .page(SearchRequest { selection, counted: false, ..request.clone() }, end, limits)
                .await?;
            answer.result.total = total;
        }
        if answer.result.next.is_none() && (led || request.after.is_some()) {
            let left = request.limit - answer.result.hits.len().min(request.limit);
            let rest = self.page(beyond(left, None), end, limits).await?.result;
            answer.result.next = if left == 0 { (rest.total > 0).then(start) } else { rest.next };
            answer.result.hits.extend(rest.hits);
        }
        Ok(answer)
    }
}
