//! Tokens at variable places: found wherever they stand, and nowhere else.

use event::field;
use query::{Phrase, Test, TokenPattern, tokens};

use super::*;

/// Whether both find the same by a token.
pub(super) fn same_by_token(index: &Embedded, scan: &Scan, token: &str) {
    same(index, scan, phrase(&[token]));
}

fn phrase(tokens: &[&str]) -> Query {
    Query::Message(Phrase(tokens.iter().map(|token| TokenPattern::Exact((*token).to_owned())).collect()))
}

fn same(index: &Embedded, scan: &Scan, query: Query) {
    let asked = format!("{query:?}");
    let request = SearchRequest::new(Selection { query, ..Selection::all() }, 1000);
    let (ours, theirs) = (
        run(index.search(request.clone(), &Limits::none())).unwrap(),
        scan.search(&request, &Limits::none()).unwrap(),
    );
    assert_eq!((ours.total, ours.hits), (theirs.total, theirs.hits), "{asked}");
}

/// Events of few shapes with every kind of variable, whose values repeat.
fn repeating(count: u64) -> Vec<Made> {
    use VariableKind as K;
    let make = |at: u64| {
        let value = |salt: u64, values: u64| super::super::bloom::hash(salt, &at.to_le_bytes()) % values;
        let host = format!("web-{}.example", value(14, 6));
        let pieces = [
            (None, "took ".to_owned()),
            (Some(K::Integer), value(1, 9000).to_string()),
            (None, " ms for ".to_owned()),
            (Some(K::Text), ["root", "Admin", "Müller", "user-17"][value(2, 4) as usize].to_owned()),
            (None, [" of ", " at "][value(3, 2) as usize].to_owned()),
            (Some(K::Ip), format!("10.0.{}.{}", value(4, 3), value(5, 250))),
            (None, " id blk_".to_owned()),
            (Some(K::Integer), (at / 3 * 17).to_string()),
            (None, " ".to_owned()),
            (Some(K::Hex), format!("0x{:x}", value(6, 1 << 20))),
            (None, " x".to_owned()),
            (Some(K::Hex), format!("{:032x}", value(7, 20))),
            (None, " ".to_owned()),
            (Some(K::Uuid), format!("{:08x}-0000-4000-8000-{:012x}", value(8, 9), value(9, 9000))),
            (None, " of ".to_owned()),
            (Some(K::Integer), (value(17, 4) * 0x2_0000_0001).to_string()),
            (None, " in user_".to_owned()),
            (Some(K::Text), ["root", "e\u{301} x", "a.b", "17"][value(10, 4) as usize].to_owned()),
            (None, "s of size ".to_owned()),
            (Some(K::Integer), value(11, 50).to_string()),
            (None, "x".to_owned()),
            (Some(K::Integer), value(12, 50).to_string()),
            (Some(K::Text), ["px", ".", " px"][value(13, 3) as usize].to_owned()),
            (None, " on ".to_owned()),
            (Some(K::Host), host.clone()),
            (None, [", v", ", e"][value(15, 2) as usize].to_owned()),
            (Some(K::Text), ["one", "\u{301}t\u{e9}", "two three"][value(16, 3) as usize].to_owned()),
        ];
        let (mut message, mut variables) = (String::new(), Vec::new());
        for (kind, text) in pieces {
            let start = message.len() as u32;
            message.push_str(&text);
            variables.extend(kind.map(|kind| Variable { kind, start, end: message.len() as u32 }));
        }
        let mut event = Event::new(message, Timestamp::from_nanos(at as i64).unwrap());
        event.host = Some(host.into());
        Made { event, variables, verdict: Verdict::unscored(), template: 1, skip: 0 }
    };
    (0..count).map(make).collect()
}

#[test]
fn every_token_of_full_blocks_is_found_where_it_stands() {
    let dir = TempDir::new().unwrap();
    let config = Config { block_rows: 150, ..Config::new(dir.path()) };
    let index = Embedded::open(config.clone()).unwrap();
    let made = repeating(400);
    let batch = batch(&made, 1, &mut 0);
    let mut scan = Scan::new();
    scan.add(&batch);
    run(index.write(&batch)).unwrap();
    let mut asked: Vec<String> = vec!["0".into(), "8999".into(), "0x0".into(), "blk_1".into(), "ö".into()];
    for event in made.iter().step_by(29) {
        asked.extend(tokens(&event.event.message).map(String::from));
    }
    asked.sort_unstable();
    asked.dedup();
    assert!(asked.len() > 90, "{}", asked.len());
    let all_same = |index: &Embedded| {
        asked.iter().for_each(|token| same_by_token(index, &scan, token));
        // Tokens that some shapes have among their fixed ones, beside what others have.
        for (at, token) in asked.iter().enumerate() {
            let other = &asked[(at * 7 + 1) % asked.len()];
            let host = Test::Equals { text: format!("web-{}.example", at % 6), ignore_case: false };
            let host = Query::Field { path: field::HOST_NAME.to_owned(), test: host };
            same(index, &scan, Query::And(vec![phrase(&["of"]), phrase(&[token]), host.clone()]));
            same(index, &scan, Query::Or(vec![phrase(&[token]), phrase(&[other, "of"]), host]));
        }
        for event in made.iter().step_by(37) {
            let own: Vec<String> = tokens(&event.event.message).map(String::from).collect();
            own.windows(2).for_each(|pair| same(index, &scan, phrase(&[&pair[0], &pair[1]])));
        }
    };
    all_same(&index);
    run(index.commit()).unwrap();
    drop(index);
    all_same(&Embedded::open(config).unwrap());
}
