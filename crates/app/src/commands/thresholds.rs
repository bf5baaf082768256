//! `log-sentinel rules backtest` without a rule: how often the thresholds of hosts would have told something.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value as Json, json};

use super::{print, show};
use crate::{
    AppError,
    cli::{Output, PastAsked},
    client::Client,
    wording::{count, each, grouped, many, number, plain, table},
};

/// Asks for each host, and prints what came of all.
///
/// # Errors
/// When more than a time was asked for, or the collector does not answer.
pub(crate) async fn backtest(client: &Client, asked: &PastAsked) -> Result<(), AppError> {
    if !asked.logs.is_empty() || !asked.query.is_empty() {
        let reason = "say which rule: a file, an id or a part of a title; without one the thresholds of hosts are \
                      tried on what was measured";
        return Err(AppError::Asked(reason.to_owned()));
    }
    let mut period = vec![("from", asked.from.as_str())];
    period.extend(asked.to.as_deref().map(|to| ("to", to)));
    let agents = client.get_json("/agents", &[]).await?;
    let mut rows = vec![];
    for name in agents.as_array().into_iter().flatten().filter_map(|agent| agent["name"].as_str()) {
        let path = format!("/history/{}/thresholds", segment(name));
        let found = client.get_json(&path, &period).await?;
        for trial in each(&found, "thresholds") {
            let mut row = trial.clone();
            row["agent_name"] = name.into();
            rows.push(row);
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(count(row, "raised")));
    let whole = json!({"thresholds": rows});
    match asked.output {
        Output::Text => print(&told(&whole)).map(drop)?,
        output => show(output, &whole, Some("thresholds"), told)?,
    }
    Ok(())
}

/// A name as a part of a path.
fn segment(name: &str) -> String {
    name.bytes().fold(String::new(), |mut path, byte| {
        match byte {
            b'-' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => path.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(path, "%{byte:02X}")),
        }
        path
    })
}

fn told(whole: &Json) -> String {
    let rows = each(whole, "thresholds");
    let mut kinds: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for row in rows {
        let (times, hosts) = kinds.entry(row["kind"].as_str().unwrap_or_default()).or_default();
        *times += count(row, "raised");
        *hosts += u64::from(count(row, "raised") > 0);
    }
    if kinds.is_empty() {
        return "nothing was measured in this time; `log-sentinel hosts` lists hosts\n".to_owned();
    }
    let mut text = String::new();
    for (kind, (times, places)) in kinds {
        let on = if times == 0 { String::new() } else { format!(", at {}", many(places, "place", "places")) };
        // Writing to a string does not fail.
        let _ignored = writeln!(text, "{:<14} {}{on}", plain(kind), many(times, "time", "times"));
    }
    let raised: Vec<[String; 6]> = rows.iter().filter(|row| count(row, "raised") > 0).map(row_of).collect();
    if !raised.is_empty() {
        text.push('\n');
        text.push_str(&table(["HOST", "THRESHOLD", "FROM", "HIGHEST", "TIMES", "FIRST"], &raised));
    }
    text
}

fn row_of(row: &Json) -> [String; 6] {
    let said = |value: &Json| value.as_str().map(plain).unwrap_or_default();
    let rounded = |name: &str| format!("{}", (number(row, name) * 100.0).round() / 100.0);
    [
        said(&row["agent_name"]),
        said(&row["rule"]),
        rounded("threshold"),
        rounded("highest"),
        grouped(count(row, "raised")),
        said(&row["raised_at"][0]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path() {
        assert_eq!(segment("web-1"), "web-1");
        assert_eq!(segment("a/../b c?é"), "a%2F%2E%2E%2Fb%20c%3F%C3%A9");
    }
}
