//! `log-sentinel hosts`: how the hosts are.

use std::time::Duration;

use event::Timestamp;
use serde_json::{Value as Json, json};

use super::{print, show};
use crate::{
    AppError,
    cli::{HostsAsked, Output},
    client::Client,
    wording::{count, each, plain, table},
};

/// How often `--watch` asks again.
const EVERY: Duration = Duration::from_secs(2);
/// Characters of a host's name.
const NAME: usize = 18;
/// Where a terminal begins again.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// Lists hosts once, or over and over.
///
/// # Errors
/// When the collector does not answer, or output cannot be written.
pub(crate) async fn run(client: &Client, asked: &HostsAsked) -> Result<(), AppError> {
    let wanted: Vec<(&str, &str)> = asked.labels.iter().map(|labels| ("labels", labels.as_str())).collect();
    loop {
        let answer = client.get_json("/agents", &wanted).await?;
        let now = intake::system_clock();
        let words = |answer: &Json| match asked.labels {
            Some(_) if each(answer, "agents").is_empty() => "no host carries these labels\n".to_owned(),
            _ => hosts(answer, now),
        };
        let whole = json!({"agents": answer});
        match (asked.watch, asked.output) {
            (true, Output::Text) => {
                // Whoever read it may be gone.
                if !print(&format!("{CLEAR}{}", words(&whole)))? {
                    return Ok(());
                }
            }
            (_, Output::Json) => show(Output::Json, &whole["agents"], None, words)?,
            (_, output) => show(output, &whole, Some("agents"), words)?,
        }
        if !asked.watch {
            return Ok(());
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn hosts(answer: &Json, now: Timestamp) -> String {
    let rows: Vec<[String; 9]> = each(answer, "agents").iter().map(|agent| row(agent, now)).collect();
    if rows.is_empty() {
        return "no hosts: start log-sentinel agent on one, or see docs/hosts.md\n".to_owned();
    }
    table(["HOST", "STATE", "CPU", "MEM", "DISK", "LOAD", "NET KB/s", "SEEN", "SIGNALS"], &rows)
}

fn row(agent: &Json, now: Timestamp) -> [String; 9] {
    let metrics = &agent["metrics"];
    let percent =
        |group: &Json| group["percent"].as_f64().map_or("-".to_owned(), |percent| format!("{percent:.0}%"));
    let groups = |name: &str| metrics[name].as_object().into_iter().flat_map(|groups| groups.values());
    let fullest = groups("disk").filter_map(|disk| disk["percent"].as_f64()).reduce(f64::max);
    let traffic: Vec<f64> = groups("network")
        .map(|one| one["in_kb_s"].as_f64().unwrap_or_default() + one["out_kb_s"].as_f64().unwrap_or_default())
        .collect();
    let load = metrics["cpu"]["load"][0].as_f64();
    let seen = agent["last_seen"].as_str().and_then(|text| Timestamp::parse(text).ok());
    let open = count(agent, "open_signals");
    [
        cut(&plain(agent["name"].as_str().unwrap_or_default())),
        plain(agent["state"].as_str().unwrap_or_default()),
        percent(&metrics["cpu"]),
        percent(&metrics["ram"]),
        fullest.map_or("-".to_owned(), |percent| format!("{percent:.0}%")),
        load.map_or("-".to_owned(), |load| format!("{load:.1}")),
        if traffic.is_empty() { "-".to_owned() } else { format!("{:.0}", traffic.iter().sum::<f64>()) },
        seen.map_or("never".to_owned(), |seen| age(now.as_nanos() - seen.as_nanos())),
        if open == 0 { "-".to_owned() } else { open.to_string() },
    ]
}

fn cut(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    let begins: String = name.chars().take(NAME - 1).collect();
    format!("{begins}…")
}

/// How long ago, in its greatest unit.
fn age(nanos: i64) -> String {
    match nanos.max(0) / 1_000_000_000 {
        seconds @ 0..=99 => format!("{seconds}s"),
        seconds @ 100..=5_999 => format!("{}m", seconds / 60),
        seconds @ 6_000..=172_799 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_hosts_fits_eighty_columns_and_nothing_of_it_steers_the_terminal() {
        let now = Timestamp::parse("2026-12-01T00:00:12Z").unwrap();
        let host = |name: &str| {
            json!({"name": name, "state": "silent", "last_seen": "2026-12-01T00:00:00Z", "open_signals": 1_234_567,
            "metrics": {"cpu": {"percent": 100, "load": [123.45, 1, 1]}, "ram": {"percent": 99.6},
                "disk": {"/": {"percent": 10}, "/home": {"percent": 91.2}},
                "network": {"eth0": {"in_kb_s": 12_345_678, "out_kb_s": 1}}}})
        };
        let answer = json!({"agents": [host("a-rather-long-name-of-a-host.example.org"), host("a\u{1b}[2Jb"),
            {"name": "soon", "state": "never", "last_seen": null, "metrics": {}, "open_signals": 0}]});
        let text = hosts(&answer, now);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].starts_with("a-rather-long-nam…  silent"), "{text}");
        assert!(lines[1].contains("100%  100%  91%"), "{text}");
        assert!(lines[3].contains("soon") && lines[3].contains("never"), "{text}");
        assert_eq!(hosts(&json!({"agents": []}), now).lines().count(), 1);
        for (seconds, told) in [(5, "5s"), (300, "5m"), (7_200, "2h"), (864_000, "10d"), (-5, "0s")] {
            assert_eq!(age(seconds * 1_000_000_000), told);
        }
    }
}
