//! How counts, shares, texts of logs and tables read on a terminal.

use std::path::Path;

use serde_json::Value as Json;
use telemetry::clean;

/// `1 line`, `1,200 lines`.
pub(crate) fn many(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { more })
}

/// 12345 as 12,345.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share from 0 to 1 with at most two decimals: `0.1 %`.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// On one line, with what steers a terminal or hides made visible.
pub(crate) fn plain(text: &str) -> String {
    clean::line(text).into_owned()
}

/// A file's name as [`plain`] text.
pub(crate) fn name(path: &Path) -> String {
    plain(&path.display().to_string())
}

/// At most 120 characters as [`plain`] text.
pub(crate) fn short(text: &str) -> String {
    let mut characters = text.chars();
    let mut start: String = characters.by_ref().take(120).collect();
    if characters.next().is_some() {
        start.push('…');
    }
    plain(&start)
}

/// Columns below their heads, two blanks apart.
pub(crate) fn table<H: Into<String>>(
    heads: impl IntoIterator<Item = H>,
    rows: &[impl AsRef<[String]>],
) -> String {
    let heads: Vec<String> = heads.into_iter().map(Into::into).collect();
    let mut widths: Vec<usize> = heads.iter().map(|head| head.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row.as_ref()) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String]| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    std::iter::once(heads.as_slice()).chain(rows.iter().map(AsRef::as_ref)).map(line).collect()
}

/// A member's text, [`plain`]; empty where there is none.
pub(crate) fn text(json: &Json, member: &str) -> String {
    plain(json[member].as_str().unwrap_or_default())
}

/// A member's time to the second; empty where there is none.
pub(crate) fn time(json: &Json, member: &str) -> String {
    let time = text(json, member);
    match time.split_once('.') {
        // With the offset of its zone, where it is not UTC.
        Some((second, fraction)) => {
            format!("{second}{}", fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()))
        }
        None => time,
    }
}

/// A member's count; 0 where there is none.
pub(crate) fn count(json: &Json, member: &str) -> u64 {
    json[member].as_u64().unwrap_or_default()
}

/// A member's number; 0 where there is none.
pub(crate) fn number(json: &Json, member: &str) -> f64 {
    json[member].as_f64().unwrap_or_default()
}

/// A member's elements; none where it is no array.
pub(crate) fn each<'j>(json: &'j Json, member: &str) -> &'j [Json] {
    json[member].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The elements of a member that are texts, [`plain`].
pub(crate) fn texts(json: &Json, member: &str) -> Vec<String> {
    each(json, member).iter().filter_map(|text| text.as_str().map(plain)).collect()
}

/// An error with everything that caused it.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // What the HTTP client wraps around a cause says no more than the cause.
        let error = if error.is::<reqwest::Error>() { innermost(error) } else { error };
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

fn innermost<'e>(mut error: &'e (dyn std::error::Error + 'static)) -> &'e (dyn std::error::Error + 'static) {
    while let Some(inner) = error.source() {
        error = inner;
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_nouns_agree() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
        assert_eq!(many(1, "line", "lines"), "1 line");
        assert_eq!(many(1200, "line", "lines"), "1,200 lines");
    }

    #[test]
    fn shares_are_percentages() {
        for (share, expected) in
            [(0.0, "0 %"), (0.001, "0.1 %"), (0.5, "50 %"), (1.0, "100 %"), (0.12345, "12.35 %")]
        {
            assert_eq!(percent(share), expected);
        }
    }

    #[test]
    fn log_text_cannot_move_the_cursor() {
        assert_eq!(short("a\u{1b}[2Jb"), r"a\u{1b}[2Jb");
        assert_eq!(short(&"é".repeat(121)), "é".repeat(120) + "…");
    }

    #[test]
    fn times_are_told_to_the_second() {
        for (given, expected) in [
            ("2024-06-01T12:00:00.25Z", "2024-06-01T12:00:00Z"),
            ("2024-06-01T12:00:00Z", "2024-06-01T12:00:00Z"),
        ] {
            assert_eq!(time(&serde_json::json!({"at": given}), "at"), expected);
        }
        assert_eq!(time(&Json::Null, "at"), "");
    }

    #[test]
    fn columns_stand_below_their_heads() {
        let rows = [
            ["1".to_owned(), "größer".to_owned(), "x".to_owned()],
            ["22".to_owned(), "b".to_owned(), String::new()],
        ];
        assert_eq!(table(["ID", "NAME", "TEXT"], &rows), "ID  NAME    TEXT\n1   größer  x\n22  b\n");
    }

    #[test]
    fn members_are_read_as_what_they_are_or_as_nothing() {
        let json = serde_json::json!({
            "text": "a\u{1b}", "count": 7, "share": 0.25, "all": ["a\n", 1, "b"], "time": "2024-06-01T12:00:00.25+02:00"
        });
        assert_eq!(
            (text(&json, "text"), text(&json, "count"), text(&json, "none")),
            (r"a\u{1b}".into(), "".into(), "".into())
        );
        assert_eq!((count(&json, "count"), count(&json, "text"), count(&json, "none")), (7, 0, 0));
        assert!(
            (number(&json, "share") - 0.25).abs() < f64::EPSILON
                && number(&json, "text").abs() < f64::EPSILON
        );
        assert_eq!((each(&json, "all").len(), each(&json, "text").len()), (3, 0));
        assert_eq!(texts(&json, "all"), [r"a\n", "b"]);
        assert_eq!(time(&json, "time"), "2024-06-01T12:00:00+02:00");
        assert_eq!(name(Path::new("/a\u{1b}b")), r"/a\u{1b}b");
        assert_eq!(
            (short(&"x".repeat(120)), many(0, "line", "lines")),
            ("x".repeat(120), "0 lines".to_owned())
        );
        assert_eq!(
            (grouped(100_000), grouped(u64::from(u32::MAX))),
            ("100,000".into(), "4,294,967,295".into())
        );
    }

    #[test]
    fn an_error_is_told_with_its_causes_but_none_twice() {
        #[derive(Debug, thiserror::Error)]
        #[error("{words}")]
        struct Told {
            words: &'static str,
            source: Option<Box<Told>>,
        }
        let told = |all: &[&'static str]| {
            let chain = all.iter().rev().fold(None, |source, words| Some(Box::new(Told { words, source })));
            describe(&*chain.unwrap())
        };
        assert_eq!(told(&["cannot open"]), "cannot open");
        assert_eq!(told(&["cannot open", "not found", "no disk"]), "cannot open: not found: no disk");
        assert_eq!(
            told(&["cannot open: not found", "not found", "no disk"]),
            "cannot open: not found: no disk"
        );
    }
}
