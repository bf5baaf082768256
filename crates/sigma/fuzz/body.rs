// What is done with each input of the fuzz target `rules`; an ordinary test does the same.

use sigma::{Correlator, Json, Limits, Options, Rules, Scratch};

const EVENTS: &[&str] = &[
    r#"{"a":"x","b":4625,"c":null,"d":["1","evil"],"e":{"f":"10.0.0.1"},"t":"2026-01-13T23:05:00Z"}"#,
    r#"{"message":"an EVIL act – straße","a":"C:\\Windows\\x*?","ip":"2001:db8::1"}"#,
    r#"{"a":true,"b":-1.5,"e.f":"/f –g","K":"\u212a"}"#,
    "[]",
];

/// Loads rules and holds events against them; panics where a promise is broken.
pub(crate) fn rules(text: &str) {
    let (rules, errors) = Rules::load([("fuzzed.yml", text)], &Options::default());
    for error in &errors {
        assert!(error.to_string().starts_with("fuzzed.yml:"), "{error}");
    }
    let mut scratch = Scratch::default();
    let mut correlator = Correlator::new(&rules, Limits { groups: 3, entries: 3, ..Limits::default() });
    let mut met = vec![];
    for (second, text) in (0..).zip(EVENTS) {
        let event = Json::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found = rules.matches(&event, None, &mut scratch).to_vec();
        let naive = rules.rules().iter().enumerate().filter(|(_, rule)| rule.matches(&event));
        assert_eq!(found, naive.map(|(number, _)| number).collect::<Vec<_>>(), "{text}");
        correlator.observe(&rules, &found, &event, second * 1_000_000_000, 1, &mut met);
    }
    let bytes = correlator.snapshot(&rules);
    let restored = Correlator::restore(&rules, Limits::default(), &bytes);
    let restored = restored.unwrap_or_else(|error| panic!("a snapshot is read: {error}"));
    assert_eq!(restored.status(), correlator.status());
}
