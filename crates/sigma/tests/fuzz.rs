//! The body of the fuzz target on generated inputs, so that it runs everywhere; and the index held against the naive way.

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*, sample::select};
use sigma::{Json, Options, Rules, Scratch};

const KEYS: &[&str] = &[
    "a",
    "b|contains",
    "a|startswith",
    "message|endswith|cased",
    "a|contains|all",
    "b|neq",
    "a|re",
    "a|re|i",
    "e.f|cidr",
    "b|gte",
    "t|hour",
    "a|fieldref",
    "c|exists",
    "a|windash|contains",
    "a|base64offset|contains",
    "a|wide|base64",
    "'|all'",
    "K",
];

const VALUES: &[&str] = &[
    "x",
    "evil",
    "'*vil*'",
    "EVIL act",
    "'C:\\Windows\\x\\*\\?'",
    "'C:\\\\*'",
    "4625",
    "'4625'",
    "-1.5",
    "'5'",
    "true",
    "'rue'",
    "null",
    "''",
    "straße",
    "STRASSE",
    "'é*k'",
    "k",
    "' -f '",
    "10.0.0.0/8",
    "'^[a-z]+$'",
    "23",
    "b",
    "'2026*'",
];

fn detection() -> impl Strategy<Value = String> {
    let item = (select(KEYS), vec(select(VALUES), 1..4));
    let map = vec(item, 1..3).prop_map(|items| {
        let mut seen = std::collections::BTreeSet::new();
        let items = items.into_iter().filter(|(key, _)| seen.insert(*key));
        let items: Vec<String> =
            items.map(|(key, values)| format!("{key}: [{}]", values.join(", "))).collect();
        format!("{{{}}}", items.join(", "))
    });
    let keywords = vec(select(VALUES), 1..4).prop_map(|values| format!("[{}]", values.join(", ")));
    let maps = vec(map.clone(), 1..3).prop_map(|maps| format!("[{}]", maps.join(", ")));
    prop_oneof![3 => map, 1 => keywords, 1 => maps]
}

const CONDITIONS: &[&str] =
    &["s1", "s1 and s2", "s1 or s2", "s1 and not s2", "1 of s*", "all of them", "not s1", "[s1, s2 and s3]"];

fn rule() -> impl Strategy<Value = String> {
    (vec(detection(), 3), select(CONDITIONS)).prop_map(|(parts, condition)| {
        format!(
            "title: r\nlogsource: {{category: x}}\ndetection:\n  s1: {}\n  s2: {}\n  s3: {}\n  condition: {condition}\n",
            parts[0], parts[1], parts[2]
        )
    })
}

fn value() -> impl Strategy<Value = String> {
    let text = select(VALUES).prop_map(|value| {
        let text = value.trim_matches('\'').replace('*', "x");
        serde_json::Value::from(text).to_string()
    });
    let text = prop_oneof![
        text,
        "[a-zA-Z éİKß/–-]{0,12}".prop_map(|text| serde_json::Value::from(text).to_string())
    ];
    let other =
        select(&["4625", "-1.5", "5", "true", "null", "[]", "\"10.1.2.3\"", "{\"f\":\"10.0.0.1\"}"][..]);
    let other = other.prop_map(str::to_owned);
    prop_oneof![3 => text.clone(), 1 => other, 1 => vec(text, 0..3).prop_map(|texts| format!("[{}]", texts.join(",")))]
}

fn event() -> impl Strategy<Value = String> {
    const FIELDS: &[&str] = &["a", "b", "c", "e", "t", "message", "K"];
    vec((select(FIELDS), value()), 0..6).prop_map(|fields| {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_what_the_naive_way_finds(rules in vec(rule(), 1..6), events in vec(event(), 1..6)) {
        let text = rules.join("---\n");
        let (rules, _) = Rules::load([("generated.yml", text.as_str())], &Options::default());
        let mut scratch = Scratch::default();
        for text in &events {
            let event = Json::parse(text).unwrap();
            let naive = rules.rules().iter().enumerate().filter(|(_, rule)| rule.matches(&event));
            let naive: Vec<usize> = naive.map(|(number, _)| number).collect();
            prop_assert_eq!(rules.matches(&event, None, &mut scratch), naive, "{}", text);
        }
    }

    #[test]
    fn generated_rules(rules in vec(rule(), 1..4)) {
        body::rules(&rules.join("---\n"));
    }

    #[test]
    fn rules_with_a_fault(rule in rule(), at in 0_usize..200, piece in select(&["[", "}", ":", "|", "\n", "- ", "'", "*a", "&a ", "\t", "é"][..])) {
        let at = rule.floor_char_boundary(at.min(rule.len()));
        body::rules(&format!("{}{piece}{}", &rule[..at], &rule[at..]));
    }

    #[test]
    fn any_text(text in ".{0,60}") {
        body::rules(&text);
    }
}

#[test]
fn most_generated_rules_are_rules() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut loaded = 0;
    for _ in 0..200 {
        let text = rule().new_tree(&mut runner).unwrap().current();
        loaded += Rules::load([("generated.yml", text.as_str())], &Options::default()).0.rules().len();
    }
    assert!(loaded > 40, "{loaded} of 200");
}
