//! The page for users against what holds.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use finding::FindingKind;
use signal::{Policy, Story};

fn length(text: &str) -> Duration {
    let (number, unit) = text.split_once(' ').unwrap();
    let seconds = match unit {
        "min" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        other => panic!("no unit: {other}"),
    };
    Duration::from_secs(number.parse::<u64>().unwrap() * seconds)
}

fn story(text: &str) -> Story {
    match text {
        "attempt" => Story::Attempt,
        "inside" => Story::Inside,
        "health" => Story::Health,
        "alone" => Story::Alone,
        other => panic!("no story: {other}"),
    }
}

#[test]
fn the_page_tells_what_holds_for_each_kind() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/signals.md");
    let page = fs::read_to_string(page).unwrap();
    let mut told = BTreeMap::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", kind, _, confidence, quiet, of, ""] = cells[..] else { continue };
        let Ok(kind) = kind.trim_matches('`').parse::<FindingKind>() else { continue };
        let confidence = confidence.parse().unwrap();
        told.insert(kind, Policy { quiet: length(quiet), confidence, story: story(of) });
    }
    let holds = FindingKind::ALL.iter().map(|kind| (*kind, Policy::of(*kind))).collect();
    assert_eq!(told, holds);
}
