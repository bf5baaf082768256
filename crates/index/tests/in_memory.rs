//! The contract suite on the index in memory, and the scan's own properties.

mod contract;

use async_trait::async_trait;
use contract::{Factory, block_on, now, random};
use index::{
    Index, Limits, Order, SearchRequest, Selection,
    scan::{Scan, ScanIndex},
};
use proptest::prelude::*;
use query::Query;

struct InMemory;

#[async_trait]
impl Factory for InMemory {
    type Place = ScanIndex;

    fn place(&self) -> ScanIndex {
        ScanIndex::new()
    }

    async fn open(&self, place: &ScanIndex) -> Box<dyn Index> {
        Box::new(place.reopened())
    }
}

#[test]
fn the_index_in_memory_keeps_the_contract() {
    block_on(contract::check(&InMemory));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_index_in_memory_equals_the_scan(events in random::events(), query in random::queries(), commit: bool) {
        block_on(random::equals_scan(&ScanIndex::new(), events, query, commit));
    }

    #[test]
    fn a_query_as_text_parses_back(query in random::queries()) {
        prop_assert_eq!(Query::parse(&query.to_string(), now()), Ok(query));
    }

    #[test]
    fn two_halves_merge_to_the_whole(events in random::events(), query in random::queries(), limit in 0usize..9, oldest: bool) {
        let (mut whole, mut older, mut newer) = (Scan::new(), Scan::new(), Scan::new());
        for (at, event) in events.iter().enumerate() {
            whole.push(event.clone());
            if at < events.len() / 2 { older.push(event.clone()) } else { newer.push(event.clone()) }
        }
        let selection = Selection { query, from: None, to: None };
        let order = if oldest { Order::OldestFirst } else { Order::NewestFirst };
        let request = SearchRequest { order, ..SearchRequest::new(selection.clone(), limit) };
        let both = |request: &SearchRequest| {
            older.search(request, &Limits::none()).unwrap().merge(newer.search(request, &Limits::none()).unwrap(), request)
        };
        prop_assert_eq!(both(&request), whole.search(&request, &Limits::none()).unwrap());
        let mut page = SearchRequest { limit: 100, ..request.clone() };
        let expected = whole.search(&page, &Limits::none()).unwrap().hits;
        page.bytes_max = 700;
        let mut hits = Vec::new();
        loop {
            let answer = both(&page);
            prop_assert!(!answer.hits.is_empty() || answer.next.is_none());
            hits.extend(answer.hits);
            page.after = answer.next;
            if page.after.is_none() { break }
        }
        prop_assert_eq!(hits, expected);
        let request = index::FieldValuesRequest { selection: selection.clone(), field: "labels.a".into(), limit: 100 };
        let merged = older.field_values(&request, &Limits::none()).unwrap().merge(newer.field_values(&request, &Limits::none()).unwrap(), 100);
        prop_assert_eq!(merged, whole.field_values(&request, &Limits::none()).unwrap());
        let request = index::PatternsRequest { selection: selection.clone(), limit: 100 };
        prop_assert_eq!(older.patterns(&request, &Limits::none()).unwrap().merge(newer.patterns(&request, &Limits::none()).unwrap(), 100), whole.patterns(&request, &Limits::none()).unwrap());
        let mut request = index::HistogramRequest {
            selection, interval: index::Interval::Fixed(2_000_000_000), by: Some("labels.a".into()), by_limit: 100, buckets_max: 100,
        };
        let halves = [older.histogram(&request, &Limits::none()).unwrap(), newer.histogram(&request, &Limits::none()).unwrap()];
        let [older, newer] = halves;
        request.by_limit = 2;
        prop_assert_eq!(older.merge(newer, 2), whole.histogram(&request, &Limits::none()).unwrap());
    }
}
