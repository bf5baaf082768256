//! Signals of every kind in words, compared with the texts in `narratives/`, which people have read. After a change of
//! words: `cargo test -p signal --test narratives -- --ignored`, and read what has changed.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "narratives/cases/mod.rs"]
mod cases;
#[path = "narratives/truth.rs"]
mod truth;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::PathBuf,
};

use cases::Case;
use proptest::prelude::*;
use serde_json::Value;
use signal::narrative::{self, Language, Narrative, Reader};

const LANGUAGES: [(Language, &str); 2] = [(Language::English, "en"), (Language::Portuguese, "pt")];

fn told(case: &Case, language: Language) -> Narrative {
    narrative::of(&case.signal, &Reader { language, ..case.reader.clone() })
}

fn text(name: &str, told: &Narrative) -> String {
    let mut text = format!("== {name}\n{}\n\n{}\n\n{}\n\n", told.title, told.what, told.why);
    for (number, step) in told.next.iter().enumerate() {
        writeln!(text, "{}. {step}", number + 1).unwrap();
    }
    text
}

/// File and text of each kind and language.
fn texts() -> BTreeMap<PathBuf, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/narratives");
    let mut texts = BTreeMap::<PathBuf, String>::new();
    for case in cases::all() {
        for (language, ending) in LANGUAGES {
            let file = folder.join(format!("{}.{ending}.txt", case.signal.kind));
            let texts = texts.entry(file).or_default();
            if !texts.is_empty() {
                texts.push('\n');
            }
            texts.push_str(&text(case.name, &told(&case, language)));
        }
    }
    for (name, cases) in cases::stories() {
        for (language, ending) in LANGUAGES {
            let texts = texts.entry(folder.join(format!("incident.{ending}.txt"))).or_default();
            if !texts.is_empty() {
                texts.push('\n');
            }
            texts.push_str(&text(name, &story(&cases, language)));
        }
    }
    texts
}

fn story(cases: &[Case], language: Language) -> Narrative {
    let reader = Reader { language, ..cases[0].reader.clone() };
    narrative::incident(cases.iter().map(|case| &case.signal), &reader).unwrap()
}

#[test]
fn a_story_says_only_what_its_signals_say() {
    assert_eq!(narrative::incident([], &Reader::default()), None);
    for (name, cases) in cases::stories() {
        let mut allowed: BTreeSet<String> = cases.iter().flat_map(truth::allowed).collect();
        allowed.extend(truth::whole(&cases));
        for (language, _) in LANGUAGES {
            let told = story(&cases, language);
            for text in each_text(&told) {
                let strange = truth::words(text).into_iter().find(|word| !allowed.contains(word));
                assert_eq!(strange, None, "{name}: {text:?}");
            }
            assert!(
                told.title.chars().count() <= 80 && (2..=5).contains(&told.next.len()),
                "{name}: {told:#?}"
            );
        }
    }
}

#[test]
fn every_case_is_told_as_it_was_read() {
    for (file, text) in texts() {
        let golden = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(text, golden, "{}", file.display());
    }
}

#[test]
fn the_page_shows_what_is_told() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/signals.md")).unwrap();
    let texts: Vec<String> = texts().into_values().collect();
    let examples: Vec<&str> =
        page.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        assert!(texts.iter().any(|text| text.contains(example)), "{example}");
    }
}

#[test]
#[ignore = "writes the texts anew"]
fn write_the_texts() {
    for (file, text) in texts() {
        fs::write(file, text).unwrap();
    }
}

fn each_text(told: &Narrative) -> impl Iterator<Item = &String> {
    [&told.title, &told.what, &told.why].into_iter().chain(&told.next)
}

#[test]
fn every_number_address_time_and_quotation_is_the_signals_own() {
    let (mut seen, mut problems) = (0, vec![]);
    for case in cases::all() {
        let allowed = truth::allowed(&case);
        for (language, _) in LANGUAGES {
            let told = told(&case, language);
            for text in each_text(&told) {
                let words = truth::words(text);
                seen += words.len();
                let strange = words.into_iter().filter(|word| !allowed.contains(word));
                let quoted =
                    truth::quotations(text).into_iter().filter(|quoted| !truth::is_of(&case, quoted));
                let strange = strange.chain(quoted.map(str::to_owned));
                problems.extend(strange.map(|word| format!("{}: {word:?} in {text:?}", case.name)));
            }
        }
    }
    assert!(problems.is_empty(), "not of the signal:\n{}", problems.join("\n"));
    assert!(seen > 1_000, "{seen} words with a digit were looked at");
}

/// Where the signal says another name, the narrative says that one, and is the same else.
#[test]
fn every_name_is_the_signals_own() {
    let names = [
        ("ann", "zoe"),
        ("bob", "kim"),
        ("gate", "dock"),
        ("mail", "post"),
        ("app", "erp"),
        ("dovecot", "courier"),
        ("web.service", "api.service"),
        ("198.51.100.7", "203.0.113.9"),
        ("10.0.0.9", "10.9.9.1"),
        ("sda1", "sdb1"),
    ];
    let mut changed = 0;
    for case in cases::all() {
        let signal = serde_json::to_string(&case.signal).unwrap();
        let other = serde_json::from_str(&truth::renamed(&signal, &names)).unwrap();
        let other = Case { signal: other, ..case.clone() };
        for (language, _) in LANGUAGES {
            let (told, told_of_other) = (told(&case, language), told(&other, language));
            for (text, of_other) in each_text(&told).zip(each_text(&told_of_other)) {
                let expected = truth::renamed(text, &names).replace("/dev/sda", "/dev/sdb");
                assert_eq!(of_other, &expected, "{}", case.name);
                changed += usize::from(of_other != text);
            }
        }
    }
    assert!(changed > 300, "{changed} texts with a name were looked at");
}

#[test]
fn narratives_stay_within_their_bounds() {
    for case in cases::all() {
        for (language, _) in LANGUAGES {
            let told = told(&case, language);
            let reader = Reader { language, history: None, ..case.reader.clone() };
            let unasked = narrative::of(&case.signal, &reader);
            assert!(unasked.why.ends_with('.') && !unasked.why.contains("earlier signal"), "{unasked:#?}");
            let context = format!("{} {:?}: {told:#?}", case.name, language);
            assert!(told.title.chars().count() <= 80, "{context}");
            assert!((2..=5).contains(&told.next.len()), "{context}");
            for text in each_text(&told) {
                assert!(!text.is_empty() && !text.contains("  "), "{context}");
                assert!(!text.chars().any(telemetry::clean::is_unseen), "{context}");
            }
            for text in [&told.what, &told.why] {
                assert!(text.ends_with('.'), "{context}");
            }
        }
    }
}

/// What stands outside of quotes.
fn unquoted(steps: &[String]) -> Vec<String> {
    steps.iter().map(|step| step.split('"').step_by(2).collect()).collect()
}

/// The same signal with this in the place of each text of others.
fn filled(case: &Case, hostile: &str) -> Case {
    let mut case = case.clone();
    for entity in &mut case.signal.entities {
        hostile.clone_into(&mut entity.value);
    }
    for value in case.signal.facts.values_mut() {
        match value {
            Value::String(text) => hostile.clone_into(text),
            Value::Array(list) => list.fill(Value::from(hostile)),
            _ => {}
        }
    }
    case.signal.evidence.iter_mut().for_each(|evidence| hostile.clone_into(&mut evidence.message));
    case
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever a log says, the commands are the same, and nothing steers a terminal.
    #[test]
    fn text_of_others_gets_into_no_command(hostile in "[a-z]{0,9}[;&|$`(){}<>'\" \\\\\n\r\t\u{1b}\u{202e}][^\u{0}]{0,70}") {
        for case in cases::all() {
            for (language, _) in LANGUAGES {
                let told_of = |text: &str| told(&filled(&case, text), language);
                let (told, other) = (told_of(&hostile), told_of("; reboot"));
                prop_assert_eq!(unquoted(&told.next), unquoted(&other.next), "{}", case.name);
                prop_assert!(told.title.chars().count() <= 80, "{}", told.title);
                prop_assert!(!each_text(&told).any(|text| text.chars().any(telemetry::clean::is_unseen)));
            }
        }
    }
}
