//! Signals of others, as `POST /ingest` takes them.

use event::{Event, EventId, JournalId, Position, Timestamp, Value};
use finding::{Entity, EntityType, Facts, Finding, FindingKind, Level};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use signal::{Evidence, Observed};

/// The field that is wrong, and why.
type Wrong = (&'static str, String);

/// Bytes of what an assistant says that are kept.
const ANALYSIS_BYTES_MAX: usize = 4_096;
/// Events that a signal of another Log Sentinel brings.
const EVIDENCE_MAX: usize = 16;
const ENTITIES_MAX: usize = 32;

/// What an assistant says of a signal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Analysis {
    /// The host whose newest signal is meant.
    pub(super) host: Option<String>,
    /// What it says.
    pub(super) text: String,
}

/// What one element is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Foreign {
    Found(Box<Observed>),
    Analysis(Analysis),
}

impl Foreign {
    /// Reads an element: of an agent, of an assistant, or a signal of another Log Sentinel.
    pub(super) fn read(
        element: &Json,
        organization: Option<&str>,
        received: Timestamp,
    ) -> Result<Self, Wrong> {
        let members = element.as_object().ok_or(("", "it is no object".to_owned()))?;
        if let Some(text) = members.get("ai_analyst") {
            let text = text.as_str().filter(|text| !text.trim().is_empty());
            let text = text.ok_or(("ai_analyst", "it must be a text".to_owned()))?;
            let text = cut(text, ANALYSIS_BYTES_MAX).to_owned();
            return Ok(Self::Analysis(Analysis {
                host: member(members, "hostname").map(str::to_owned),
                text,
            }));
        }
        let observed = match members.contains_key("kind") && members.contains_key("entities") {
            true => signal(members, organization, received)?,
            false => alert(members, organization, received)?,
        };
        Ok(Self::Found(Box::new(observed)))
    }
}

fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn member<'j>(members: &'j Map<String, Json>, name: &str) -> Option<&'j str> {
    members.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// `{"hostname","timestamp","alert_type","severity","description","raw_log"}`, of which some may be missing.
fn alert(
    members: &Map<String, Json>,
    organization: Option<&str>,
    received: Timestamp,
) -> Result<Observed, Wrong> {
    let kind_named = member(members, "alert_type");
    let (description, raw) = (member(members, "description"), member(members, "raw_log"));
    if kind_named.is_none() && description.is_none() && raw.is_none() {
        return Err(("alert_type", "it says neither alert_type nor description nor raw_log".to_owned()));
    }
    let kind: FindingKind =
        kind_named.and_then(|name| name.to_ascii_lowercase().parse().ok()).unwrap_or(FindingKind::External);
    let level = level(members.get("severity"))?;
    let at = time(members.get("timestamp"), "timestamp")?.unwrap_or(received);
    let host = member(members, "hostname");
    let said = raw.or(description).unwrap_or_default();
    let mut facts = Facts::new();
    for (name, value) in [(finding::fact::ALERT_TYPE, kind_named), (finding::fact::DESCRIPTION, description)]
    {
        if let Some(value) = value {
            facts.insert(name.to_owned(), cut(value, finding::fact::TEXT_BYTES_MAX).into());
        }
    }
    let entities = entities(said, host, received);
    let id = derived(&[
        host.unwrap_or_default(),
        kind_named.unwrap_or_default(),
        &at.to_string(),
        said,
        description.unwrap_or_default(),
    ]);
    let rule = cut(kind_named.unwrap_or(kind.as_str()), finding::fact::TEXT_BYTES_MAX).to_owned();
    Ok(Observed {
        finding: Finding {
            kind,
            level,
            rule,
            entities,
            techniques: vec![],
            first: at,
            last: at,
            count: 1,
            is_update: false,
            evidence: vec![id],
            facts,
        },
        organization: organization.map(str::to_owned),
        evidence: vec![Evidence::new(id, at, said)],
    })
}

/// Whom the line of a log is about, the address first; else the host that sent it.
fn entities(line: &str, host: Option<&str>, received: Timestamp) -> Vec<Entity> {
    let zone = jiff::tz::TimeZone::UTC;
    let event: Event<'_> = parse::line(line.as_bytes(), &parse::Context::new(received, &zone, 64 << 10));
    let of = |path: &str| event.field(path).and_then(Value::as_str).map(str::to_owned);
    let host = host.map(str::to_owned).or_else(|| event.host.as_deref().map(str::to_owned));
    let found: Vec<Entity> = [
        of("source.ip").map(|address| Entity::new(EntityType::SourceIp, address)),
        of("user.name").map(|user| Entity::new(EntityType::User, user)),
        host.map(|host| Entity::new(EntityType::Host, host)),
    ]
    .into_iter()
    .flatten()
    .filter(|entity| !entity.value.is_empty())
    .collect();
    if found.is_empty() { vec![Entity::new(EntityType::Host, "unknown")] } else { found }
}

/// A signal as `GET /api/v1/signals` tells it.
fn signal(
    members: &Map<String, Json>,
    organization: Option<&str>,
    received: Timestamp,
) -> Result<Observed, Wrong> {
    let kind: Option<FindingKind> = member(members, "kind").and_then(|kind| kind.parse().ok());
    let kind = kind.ok_or(("kind", "it is no kind of signal, such as ssh_brute_force".to_owned()))?;
    let entities: Vec<Entity> = members["entities"]
        .as_array()
        .ok_or(("entities", "it must be an array of {\"type\", \"value\"}".to_owned()))?
        .iter()
        .take(ENTITIES_MAX + signal::ADDRESSES_MAX)
        .filter_map(read_entity)
        .collect();
    if entities.is_empty() {
        return Err(("entities", "it names nobody: an array of {\"type\", \"value\"}".to_owned()));
    }
    let last = time(members.get("last"), "last")?.unwrap_or(received);
    let first = time(members.get("first"), "first")?.unwrap_or(last).min(last);
    let evidence: Vec<Evidence> = members
        .get("evidence")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .take(EVIDENCE_MAX)
        .filter_map(|event| {
            let message = event["message"].as_str().unwrap_or_default();
            let id = event["id"].as_str()?.parse().ok()?;
            Some(Evidence::new(id, time(event.get("@timestamp"), "evidence").ok()??, message))
        })
        .collect();
    let ids: Vec<EventId> = match evidence.is_empty() {
        false => evidence.iter().map(|event| event.id).collect(),
        true => {
            vec![derived(&[member(members, "id").unwrap_or_default(), kind.as_str(), &first.to_string()])]
        }
    };
    let texts = |name: &str| -> Vec<String> {
        let all = members.get(name).and_then(Json::as_array).into_iter().flatten();
        all.filter_map(|text| text.as_str().map(|text| cut(text, 64).to_owned())).take(ENTITIES_MAX).collect()
    };
    let rule = member(members, "rule").unwrap_or(kind.as_str());
    Ok(Observed {
        finding: Finding {
            kind,
            level: level(members.get("severity"))?,
            rule: cut(rule, finding::fact::TEXT_BYTES_MAX).to_owned(),
            entities,
            techniques: texts("technique"),
            first,
            last,
            count: members.get("count").and_then(Json::as_u64).unwrap_or(1).max(1),
            // It counts all of it so far.
            is_update: true,
            evidence: ids,
            facts: members.get("facts").map_or_else(Facts::new, facts),
        },
        organization: organization.or(member(members, "organization")).map(str::to_owned),
        evidence,
    })
}

fn read_entity(entity: &Json) -> Option<Entity> {
    let Entity { r#type, value } = Entity::deserialize(entity).ok()?;
    Some(Entity::new(r#type, value)).filter(|entity| !entity.value.is_empty())
}

/// Facts, within their bounds.
fn facts(given: &Json) -> Facts {
    let mut facts = Facts::new();
    for (name, value) in given.as_object().into_iter().flatten() {
        let value = match value {
            Json::String(text) => cut(text, finding::fact::TEXT_BYTES_MAX).into(),
            Json::Number(_) | Json::Bool(_) => value.clone(),
            Json::Array(all) => {
                let texts = all.iter().filter_map(Json::as_str).take(finding::fact::LIST_MAX);
                texts.map(|text| cut(text, finding::fact::TEXT_BYTES_MAX)).collect()
            }
            _ => continue,
        };
        if facts.len() < ENTITIES_MAX && name.len() <= 64 {
            facts.insert(name.clone(), value);
        }
    }
    facts
}

/// How grave: by the names of signals, by those of others, or a number up to 10; medium where nothing is said.
fn level(value: Option<&Json>) -> Result<Level, Wrong> {
    let wrong = || {
        ("severity", "it is one of info, low, medium, high, critical, or a number from 0 to 10".to_owned())
    };
    match value {
        None | Some(Json::Null) => Ok(Level::Medium),
        Some(Json::Number(number)) => match number.as_f64().unwrap_or(-1.0) {
            0.0..2.0 => Ok(Level::Informational),
            2.0..4.0 => Ok(Level::Low),
            4.0..7.0 => Ok(Level::Medium),
            7.0..9.0 => Ok(Level::High),
            9.0..=10.0 => Ok(Level::Critical),
            _ => Err(wrong()),
        },
        Some(Json::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "" => Ok(Level::Medium),
            "info" | "informational" | "information" | "notice" | "debug" => Ok(Level::Informational),
            "low" | "minor" => Ok(Level::Low),
            "medium" | "moderate" | "warning" | "warn" => Ok(Level::Medium),
            "high" | "major" | "error" | "severe" => Ok(Level::High),
            "critical" | "fatal" | "emergency" | "alert" => Ok(Level::Critical),
            _ => Err(wrong()),
        },
        Some(_) => Err(wrong()),
    }
}

/// A time: RFC 3339, the same without a zone (which is UTC then), or seconds, ms, µs or ns since 1970.
fn time(value: Option<&Json>, field: &'static str) -> Result<Option<Timestamp>, Wrong> {
    let wrong = || (field, "it is no time such as 2024-06-01T12:00:00Z".to_owned());
    match value {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Number(number)) => match number.as_i64() {
            Some(number) => Timestamp::from_integer(number).map(Some).ok_or_else(wrong),
            None => number.as_f64().and_then(Timestamp::from_number).map(Some).ok_or_else(wrong),
        },
        Some(Json::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Json::String(text)) => {
            let text = text.trim();
            let civil = || {
                let civil = text.parse::<jiff::civil::DateTime>().ok()?;
                Timestamp::from_jiff(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
            };
            Timestamp::parse(text).ok().or_else(civil).map(Some).ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}

/// An id of an event of others, the same for the same texts.
fn derived(texts: &[&str]) -> EventId {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    EventId { journal: JournalId(u128::from_be_bytes(bytes)), position: Position::default() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn received() -> Timestamp {
        Timestamp::parse("2024-05-01T12:00:00Z").unwrap()
    }

    fn found(element: &Json) -> Observed {
        match Foreign::read(element, Some("acme"), received()).unwrap() {
            Foreign::Found(found) => *found,
            Foreign::Analysis(_) => panic!("a signal was expected"),
        }
    }

    #[test]
    fn an_alert_of_an_agent_names_whom_its_line_is_about() {
        let alert = json!({
            "hostname": "web-1", "timestamp": "2024-05-01T10:00:00", "alert_type": "SSH_BRUTE_FORCE",
            "severity": "High", "description": "many failures",
            "raw_log": "May  1 10:00:00 web-1 sshd[7]: Failed password for root from 203.0.113.9 port 22 ssh2"
        });
        let observed = found(&alert);
        assert_eq!(observed.finding.kind, FindingKind::SshBruteForce);
        assert_eq!(observed.finding.level, Level::High);
        assert_eq!(observed.finding.first.to_string(), "2024-05-01T10:00:00Z");
        let entities: Vec<_> = observed.finding.entities.iter().map(|entity| entity.value.as_str()).collect();
        assert_eq!(entities, ["203.0.113.9", "root", "web-1"]);
        assert_eq!(observed.organization.as_deref(), Some("acme"));
        assert_eq!(found(&alert).finding.evidence, observed.finding.evidence, "the same again is the same");
        let other = json!({"alert_type": "door opened", "hostname": "gate"});
        let other = found(&other);
        assert_eq!((other.finding.kind, other.finding.rule.as_str()), (FindingKind::External, "door opened"));
        assert_eq!(other.finding.facts[finding::fact::ALERT_TYPE], "door opened");
    }

    #[test]
    fn a_signal_of_another_log_sentinel_stays_what_it_is() {
        let signal = json!({
            "id": "0".repeat(32), "kind": "web_scan", "severity": "low", "first": "2024-05-01T10:00:00Z",
            "last": "2024-05-01T11:00:00Z", "count": 40, "rule": "web_scan", "technique": ["T1595"],
            "entities": [{"type": "source.ip", "value": "203.0.113.9"}, {"type": "colour", "value": "red"}],
            "evidence": [{"id": format!("{:032x}-00000000-00000001", 7), "@timestamp": "2024-05-01T10:00:00Z", "message": "GET /"}]
        });
        let observed = found(&signal);
        assert_eq!((observed.finding.kind, observed.finding.count), (FindingKind::WebScan, 40));
        assert_eq!(observed.finding.entities, [Entity::new(EntityType::SourceIp, "203.0.113.9")]);
        assert_eq!(observed.finding.evidence, [observed.evidence[0].id]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (element, field) in [
            (json!(7), ""),
            (json!({}), "alert_type"),
            (json!({"alert_type": "x", "severity": "loud"}), "severity"),
            (json!({"alert_type": "x", "severity": 11}), "severity"),
            (json!({"alert_type": "x", "timestamp": "yesterday"}), "timestamp"),
            (json!({"ai_analyst": ""}), "ai_analyst"),
            (json!({"kind": "x", "entities": []}), "kind"),
            (json!({"kind": "sigma", "entities": []}), "entities"),
            (json!({"kind": "sigma", "entities": 7}), "entities"),
        ] {
            let (found, reason) = Foreign::read(&element, None, received()).unwrap_err();
            assert!(found == field && !reason.is_empty(), "{element}: {found} {reason}");
        }
    }
}
