//! Alerts as lines for programs: JSON, CEF, or text.

use std::{fmt::Write, net::IpAddr};

use finding::{EntityType, Level};
use serde::Serialize;

use crate::{
    message::{Message, Occasion, Telling},
    voice::Voice,
};

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON object.
    Json,
    /// ArcSight's Common Event Format, version 0.
    Cef,
    /// Text for people.
    Plain,
}

#[derive(Serialize)]
struct Line<'a> {
    key: String,
    late_s: u64,
    #[serde(flatten)]
    telling: &'a Telling,
}

/// The lines of a message, one for each alert, each with its newline.
pub(crate) fn text(message: &Message, format: Format) -> String {
    message.alerts.iter().map(|telling| one(message, telling, format) + "\n").collect()
}

/// The line of one alert, without a newline.
pub(crate) fn one(message: &Message, telling: &Telling, format: Format) -> String {
    let key = message.key_of(telling);
    match format {
        Format::Json => {
            let line = Line { key, late_s: message.late_s, telling };
            // Texts, numbers and lists of them: nothing of it can fail.
            let json = serde_json::to_string(&line).unwrap_or_default();
            telemetry::clean::json(&json).into_owned()
        }
        Format::Cef => cef(&key, telling),
        Format::Plain => plain(&key, telling, &message.voice),
    }
}

fn plain(key: &str, telling: &Telling, voice: &Voice) -> String {
    let line = format!("{} {}: {} ({key})", telling.last, telling.headline(voice), telling.words.what);
    telemetry::clean::line(&line).into_owned()
}

/// How grave, from 0 to 10.
fn cef_severity(telling: &Telling) -> u8 {
    if telling.occasion == Occasion::Resolved {
        return 0;
    }
    match telling.severity {
        Level::Informational => 1,
        Level::Low => 3,
        Level::Medium => 5,
        Level::High => 8,
        Level::Critical => 10,
    }
}

fn cef(key: &str, telling: &Telling) -> String {
    let header = |text: &str| telemetry::clean::line(text).replace('\\', "\\\\").replace('|', "\\|");
    let value = |text: &str| telemetry::clean::line(text).replace('\\', "\\\\").replace('=', "\\=");
    let ms = |at: event::Timestamp| (at.as_nanos() / 1_000_000).to_string();
    let mut line = format!(
        "CEF:0|Log Sentinel|log-sentinel|{}|{}|{}|{}|",
        env!("CARGO_PKG_VERSION"),
        header(&telling.kind),
        header(&telling.words.title),
        cef_severity(telling)
    );
    let address = telling.entity(EntityType::SourceIp).and_then(|text| text.parse::<IpAddr>().ok());
    let (ipv4, ipv6) = match address {
        Some(IpAddr::V4(address)) => (Some(address.to_string()), None),
        Some(IpAddr::V6(address)) => (None, Some(address.to_string())),
        None => (None, None),
    };
    let fields = [
        ("rt", Some(ms(telling.recorded))),
        ("start", Some(ms(telling.first))),
        ("end", Some(ms(telling.last))),
        ("cnt", Some(telling.count.to_string())),
        ("externalId", Some(telling.alert.to_string())),
        ("act", Some(telling.occasion.as_str().to_owned())),
        ("src", ipv4),
        ("c6a2Label", ipv6.is_some().then(|| "Source IPv6 Address".to_owned())),
        ("c6a2", ipv6),
        ("dhost", telling.host().map(&value)),
        ("duser", telling.entity(EntityType::User).map(&value)),
        ("dproc", telling.entity(EntityType::Service).map(&value)),
        ("cs1Label", Some("key".to_owned())),
        ("cs1", Some(value(key))),
        ("msg", Some(value(&telling.words.what))),
    ];
    for (at, (name, value)) in fields.into_iter().filter_map(|(name, value)| Some((name, value?))).enumerate()
    {
        let space = if at == 0 { "" } else { " " };
        // Writing to a string does not fail.
        let _ignored = write!(line, "{space}{name}={value}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::sample;

    #[test]
    fn every_form_is_one_line_that_text_of_others_cannot_break() {
        let mut message = sample(&Voice::default());
        let telling = &mut message.alerts[0];
        telling.words.title = "a|b\\c\nCEF:0|x".to_owned();
        telling.words.what = "cnt=9 \r\nnext\u{202e}".to_owned();
        for format in [Format::Json, Format::Cef, Format::Plain] {
            let text = text(&message, format);
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(!text.trim_end().chars().any(telemetry::clean::is_unseen), "{text}");
        }
        let cef = text(&message, Format::Cef);
        assert!(cef.contains(r"|test|a\|b\\c\\nCEF:0\|x|1|rt=1714564800000 start="), "{cef}");
        assert!(
            cef.contains(r" dhost=example ") && cef.contains(r" msg=cnt\=9 \\r\\nnext\\u{202e}"),
            "{cef}"
        );
        let json: serde_json::Value = serde_json::from_str(&text(&message, Format::Json)).unwrap();
        assert_eq!(json["key"], format!("{}-test-1", "0".repeat(32)));
        assert_eq!((&json["occasion"], &json["severity"]), (&"test".into(), &"info".into()));
    }
}
