//! Queries as the server gets them, and the mapping they rely on.

use event::{
    FieldKind, Timestamp,
    ecs::{self, KnownField},
};
use query::Query;
use serde_json::{Value as Json, json};

use super::{
    dsl,
    fields::{leaves, mapping},
    refusal, wildcards,
    wildcards::Expanded,
};
use crate::IndexError;

fn parsed(text: &str) -> Query {
    Query::parse(text, Timestamp::parse("2024-06-01T12:00:00Z").unwrap()).unwrap()
}

fn both(path: &str) -> Json {
    json!({"bool": {
        "minimum_should_match": 1,
        "should": [{"exists": {"field": path}}, {"term": {"_ignored": path}}],
    }})
}

fn term(path: &str, value: impl Into<Json>) -> Json {
    json!({"term": {path: value.into()}})
}

fn check(text: &str, expected: Json) {
    assert_eq!(dsl::translate(&parsed(text), &Expanded::ByServer), expected, "{text}");
}

#[test]
fn words_are_looked_for_among_the_tokens() {
    let span = |token: &str| json!({"span_term": {"sentinel.tokens": {"value": token}}});
    let wildcard = |text: &str| json!({"wildcard": {"sentinel.tokens": {"value": text}}});
    let spans = |clauses: Json| json!({"span_near": {"clauses": clauses, "slop": 0, "in_order": true}});
    for (text, expected) in [
        ("", json!({"match_all": {}})),
        ("Timeout", json!({"match_phrase": {"sentinel.tokens": "timeout"}})),
        ("10.0.0.1", json!({"match_phrase": {"sentinel.tokens": "10 0 0 1"}})),
        ("T?me*", wildcard("t?me*")),
        ("10.0.*", spans(json!([span("10"), span("0"), {"span_multi": {"match": wildcard("?*")}}]))),
    ] {
        check(text, expected);
    }
}

#[test]
fn fields_are_compared_by_what_they_hold() {
    for (text, expected) in [
        ("user.name:root", term("user.name", "root")),
        ("user.name:*", both("user.name")),
        ("user.name:a\\*b*", json!({"wildcard": {"user.name": {"value": "a\\*b*"}}})),
        ("event.outcome:FAIL*", json!({"wildcard": {"event.outcome": {"value": "fail*"}}})),
        ("level:WARNING", term("log.level", "warn")),
        ("user.name:[a TO c}", json!({"range": {"user.name": {"gte": "a", "lt": "c"}}})),
        ("source.port:22.0", term("source.port", 22)),
        ("source.port:>=1023.5", json!({"range": {"source.port": {"gte": 1024}}})),
        ("source.port:[1 TO 9}", json!({"range": {"source.port": {"gte": 1, "lt": 9}}})),
        ("source.port:{9 TO 9.5]", json!({"match_none": {}})),
        ("sentinel.anomaly.score:>0", json!({"range": {"sentinel.anomaly.score": {"gt": 0.0}}})),
        ("sentinel.anomaly.score:0", json!({"range": {"sentinel.anomaly.score": {"gte": -0.0, "lte": 0.0}}})),
        ("sentinel.anomaly.is_anomaly:true", term("sentinel.anomaly.is_anomaly", true)),
        (
            "source.ip:10.0.0.0/8",
            json!({"range": {"source.ip": {"gte": "::ffff:10.0.0.0", "lte": "::ffff:10.255.255.255"}}}),
        ),
        (
            "timestamp:2024-06-01",
            json!({"range": {"@timestamp": {"gte": "2024-06-01T00:00:00Z", "lt": "2024-06-02T00:00:00Z"}}}),
        ),
        ("timestamp:>now", json!({"range": {"@timestamp": {"gte": "2024-06-01T12:00:00.000000001Z"}}})),
        ("labels.a:*", term("sentinel.label_names", "a")),
        (
            "labels.a:x",
            json!({"bool": {"filter": [term("sentinel.label_names", "a"), term("labels.a", "x")]}}),
        ),
        (
            "labels.a:x*",
            json!({"bool": {"filter": [term("sentinel.label_names", "a"), {"prefix": {"labels.a": "x"}}]}}),
        ),
        (
            "labels.a:1.0",
            json!({"bool": {"minimum_should_match": 1, "should": [
                {"bool": {"filter": [term("sentinel.label_names", "a"), {"terms": {"labels.a": ["1.0"]}}]}},
                term("sentinel.label_numbers", "1:a=bff0000000000000"),
            ]}}),
        ),
        (
            "labels.a:+9007199254740993",
            json!({"bool": {"minimum_should_match": 1, "should": [
                {"bool": {"filter": [
                    term("sentinel.label_names", "a"),
                    {"terms": {"labels.a": ["+9007199254740993", "9007199254740993"]}},
                ]}},
                term("sentinel.label_numbers", "1:a=c340000000000000"),
            ]}}),
        ),
        (
            "labels.a:>=1",
            json!({"range": {"sentinel.label_numbers": {"gte": "1:a=bff0000000000000", "lt": "1:a=g"}}}),
        ),
    ] {
        check(text, expected);
    }
}

#[test]
fn a_bool_holds_all_that_fits_into_one() {
    let word = |text: &str| json!({"match_phrase": {"sentinel.tokens": text}});
    let either = |parts: Json| json!({"bool": {"minimum_should_match": 1, "should": parts}});
    for (text, expected) in [
        ("a b", json!({"bool": {"filter": [word("a"), word("b")]}})),
        ("a OR b", either(json!([word("a"), word("b")]))),
        ("NOT a", json!({"bool": {"must_not": [word("a")]}})),
        ("NOT NOT a", json!({"bool": {"filter": [word("a")]}})),
        ("NOT (a OR b)", json!({"bool": {"must_not": [word("a"), word("b")]}})),
        ("NOT *", json!({"bool": {"must_not": [{"match_all": {}}]}})),
        (
            "a -b (c OR d) (e OR f)",
            json!({"bool": {
                "filter": [word("a"), either(json!([word("e"), word("f")]))],
                "minimum_should_match": 1,
                "should": [word("c"), word("d")],
                "must_not": [word("b")],
            }}),
        ),
    ] {
        check(text, expected);
    }
}

#[test]
fn the_deepest_query_stays_within_what_servers_nest() {
    fn depth(json: &Json) -> usize {
        let of = |(name, value): (&String, &Json)| usize::from(name == "bool") + depth(value);
        match json {
            Json::Object(members) => members.iter().map(of).max().unwrap_or_default(),
            Json::Array(elements) => elements.iter().map(depth).max().unwrap_or_default(),
            _ => 0,
        }
    }
    let levels = query::DEPTH_MAX - 1;
    for (opening, levels_each) in [("(a OR (b ", 2), ("NOT (a ", 2), ("NOT (a OR ", 2), ("NOT (a OR (b ", 3)]
    {
        let opening = opening.repeat(levels / levels_each);
        let text = format!("{opening}x{}", ")".repeat(opening.matches('(').count()));
        let nested = depth(&dsl::translate(&parsed(&text), &Expanded::ByServer));
        assert!((8..=20).contains(&nested), "{nested}: {text}");
    }
}

#[test]
fn whole_numbers_are_compared_as_floats() {
    let range = |from: f64| {
        let from = std::ops::Bound::Included(from);
        let test = query::Test::NumberRange(from, std::ops::Bound::Unbounded);
        dsl::translate(&Query::Field { path: "source.bytes".to_owned(), test }, &Expanded::ByServer)
    };
    let least = |first: i64| json!({"range": {"source.bytes": {"gte": first}}});
    // 2^53 + 1 becomes 2^53 as a float, and 2^53 + 3 becomes 2^53 + 4.
    assert_eq!(range(9_007_199_254_740_992.0), least(9_007_199_254_740_992));
    assert_eq!(range(9_007_199_254_740_996.0), least(9_007_199_254_740_995));
    assert_eq!(range(-1e300), least(i64::MIN));
    assert_eq!(range(1e300), json!({"match_none": {}}));
    check(
        "source.bytes:9007199254740993",
        json!({"terms": {"source.bytes": [9_007_199_254_740_992_i64, 9_007_199_254_740_993_i64]}}),
    );
    check("source.bytes:9007199254740995", term("source.bytes", 9_007_199_254_740_995_i64));
    check("source.bytes:9007199254740995.0", json!({"match_none": {}}));
}

#[test]
fn a_set_of_texts_is_one_clause() {
    let texts = query::Texts::new(["b", "a"].map(str::to_owned));
    let one_of = Query::Field { path: "sentinel.template.id".to_owned(), test: query::Test::OneOf(texts) };
    let terms = json!({"terms": {"sentinel.template.id": ["a", "b"]}});
    assert_eq!(dsl::translate(&one_of, &Expanded::ByServer), terms);
}

#[test]
fn wildcards_on_labels_become_the_values_that_fit() {
    let query =
        parsed("labels.a:*x.y? OR NOT labels.b:?z labels.a:*x.y? labels.c:p* user.name:*q labels.d:*");
    let patterns = wildcards::in_labels(&query);
    let texts: Vec<_> = patterns.iter().map(|(path, wildcard)| (*path, wildcard.text.as_str())).collect();
    assert_eq!(texts, [("labels.a", "*x.y?"), ("labels.b", "?z")]);
    let asked = wildcards::aggregations(&patterns);
    assert_eq!(asked["0"]["aggs"]["values"]["terms"]["include"], ".*x\\.y.");
    assert_eq!(asked["0"]["filter"], term("sentinel.label_names", "a"));
    let answer = json!({"0": {"values": {"buckets": [{"key": "1x.y2", "doc_count": 3}]}}});
    let expanded = Expanded::of(&patterns, &answer).unwrap();
    let translated = dsl::translate(&parsed("labels.a:*x.y?"), &expanded);
    assert_eq!(translated["bool"]["filter"][1], json!({"terms": {"labels.a": ["1x.y2"]}}));

    let bucket = json!({"key": "v", "doc_count": 1});
    let answer = json!({"1": {"values": {"buckets": vec![bucket; wildcards::VALUES_MAX + 1]}}});
    let error = Expanded::of(&patterns, &answer).unwrap_err().to_string();
    assert!(error.contains("10000 values of labels.b that fit '?z'"), "{error}");
}

#[test]
fn refusals_name_the_limit_that_was_met() {
    for (reason, limit) in [
        ("maxClauseCount is set to 1024", Some("max_clause_count")),
        ("Automaton [t1*] expanded to too many terms (limit 128)", Some("max_clause_count")),
        ("too_many_buckets_exception", Some("search.max_buckets")),
        (
            "Determinizing automaton with 227 states would require more than 10000 effort",
            Some("single wildcard"),
        ),
        ("[request] Data too large, data for [<agg [top]>] would be [1gb]", Some("breaker.request.limit")),
        ("[parent] Data too large, data for [<http_request>] would be [1gb]", None),
        ("No mapping found for [x] in order to sort on", None),
    ] {
        let body = json!({"error": {"reason": reason}}).to_string().into();
        let found = refusal::too_large(&body);
        let found = found.map(|error| match error {
            IndexError::QueryTooLarge { limit } => limit,
            other => panic!("{other}"),
        });
        match (limit, found) {
            (Some(limit), Some(found)) => assert!(found.contains(limit), "{found}"),
            (limit, found) => assert_eq!((limit.is_some(), found), (false, None), "{reason}"),
        }
    }
}

/// What documents in a cluster have beside the fields of events.
const OF_THE_CLUSTER: [&str; 6] = [
    "labels",
    "sentinel.id",
    "sentinel.index",
    "sentinel.label_names",
    "sentinel.label_numbers",
    "sentinel.tokens",
];

#[test]
fn every_field_has_the_mapping_that_its_queries_need() {
    let mut mapped = Vec::new();
    leaves(&mapping(), "", &mut mapped);
    let mut mapped: std::collections::BTreeMap<_, _> = mapped.into_iter().collect();
    let original = &mapped[event::field::ORIGINAL];
    assert_eq!((&original["index"], &original["doc_values"]), (&json!(false), &json!(false)));
    for KnownField { path, kind, .. } in ecs::fields() {
        let Some(definition) = mapped.remove(path) else { panic!("{path} is not mapped") };
        let expected = match kind {
            FieldKind::Text => "text",
            FieldKind::Keyword | FieldKind::Enumeration => "keyword",
            FieldKind::Long => "long",
            FieldKind::Double => "double",
            FieldKind::Boolean => "boolean",
            FieldKind::Date => "date_nanos",
            FieldKind::Ip => "ip",
            FieldKind::Label => panic!("{path} is a label"),
        };
        assert_eq!(definition["type"], expected, "{path}");
        if expected == "keyword" && path != event::field::ORIGINAL {
            // Lucene takes 32,766 bytes, and a character of a Java text has at most three.
            assert!(definition["ignore_above"].as_u64().is_some_and(|most| most <= 32_766 / 3), "{path}");
        }
        let normalizer = (kind == FieldKind::Enumeration).then_some("lowercase");
        assert_eq!(definition["normalizer"].as_str(), normalizer, "{path}");
    }
    assert_eq!(mapped.keys().collect::<Vec<_>>(), OF_THE_CLUSTER, "mapped, and in no table of fields");
    assert_eq!(mapping()["dynamic"], false);
}

/// Java's lower case is that of a character; what else is one letter to us is mapped before.
#[test]
fn the_analyzer_takes_for_one_letter_what_we_do() {
    let file = include_str!("../../../../../infra/elastic/mappings.json");
    let template: Json = serde_json::from_str(file).unwrap();
    let mappings = &template["settings"]["index"]["analysis"]["char_filter"]["sentinel"]["mappings"];
    let mut mapped: std::collections::BTreeMap<char, char> = Default::default();
    for mapping in mappings.as_array().unwrap() {
        let (from, to) = mapping.as_str().unwrap().split_once(" => ").unwrap();
        mapped.insert(from.parse().unwrap(), to.parse().unwrap());
    }
    for character in '\u{80}'..=char::MAX {
        let by_java = mapped.get(&character).copied().unwrap_or(character).to_lowercase().next();
        assert_eq!(Some(query::lower(character)), by_java, "{character}");
    }
}

#[test]
fn the_mapping_for_opensearch_differs_in_labels_alone() {
    let read = |text: &str| serde_json::from_str::<Json>(text).unwrap();
    let mut elasticsearch = read(include_str!("../../../../../infra/elastic/mappings.json"));
    let mut opensearch = read(include_str!("../../../../../infra/elastic/mappings-opensearch.json"));
    let labels = |template: &mut Json| template["mappings"]["properties"]["labels"].take();
    assert_eq!(labels(&mut elasticsearch)["type"], "flattened");
    assert_eq!(labels(&mut opensearch)["type"], "flat_object");
    assert_eq!(elasticsearch, opensearch);
}
