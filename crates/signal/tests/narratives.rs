//! Signals of every kind in words, compared with the texts in `narratives/`, which people have read. After a change of
//! words: `cargo test -p signal --test narratives -- --ignored`, and read what has changed.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "narratives/cases/mod.rs"]
mod cases;

use std::{collections::BTreeMap, fmt::Write, fs, path::PathBuf};

use cases::Case;
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
    texts
}

#[test]
fn every_case_is_told_as_it_was_read() {
    for (file, text) in texts() {
        let golden = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(text, golden, "{}", file.display());
    }
}

#[test]
#[ignore = "writes the texts anew"]
fn write_the_texts() {
    for (file, text) in texts() {
        fs::write(file, text).unwrap();
    }
}

#[test]
fn narratives_stay_within_their_bounds() {
    for case in cases::all() {
        for (language, _) in LANGUAGES {
            let told = told(&case, language);
            let context = format!("{} {:?}: {told:#?}", case.name, language);
            assert!(told.title.chars().count() <= 80, "{context}");
            assert!((2..=5).contains(&told.next.len()), "{context}");
            for text in [&told.title, &told.what, &told.why].into_iter().chain(&told.next) {
                assert!(!text.is_empty() && !text.contains("  "), "{context}");
                assert!(!text.chars().any(telemetry::clean::is_unseen), "{context}");
            }
            for text in [&told.what, &told.why] {
                assert!(text.ends_with('.'), "{context}");
            }
        }
    }
}
