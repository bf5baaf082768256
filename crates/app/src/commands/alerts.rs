//! `log-sentinel alerts`: who is told, and how that went.

use alert::{AlertId, Occasion, Telling};
use event::Timestamp;
use finding::{Entity, EntityType, Facts, FindingKind, Level};
use serde_json::{Value as Json, json};
use signal::{Signal, SignalId, Standing, State, narrative};

use super::{note, print, show};
use crate::{
    AppError, Settings,
    cli::{AlertsAction, Output},
    client::Client,
    wording::{count, each, plain, table, text, texts, time},
};

/// Lists alerts and deliveries of a running collector, or tries channels and routes of these settings.
///
/// # Errors
/// When the collector does not answer, routes cannot be used, or a test is not delivered.
pub(crate) async fn run(
    settings: &Settings,
    client: &Client,
    action: &AlertsAction,
    output: Output,
) -> Result<(), AppError> {
    match action {
        AlertsAction::List { open, limit } => {
            let limit = limit.to_string();
            let mut parameters = vec![("limit", limit.as_str())];
            parameters.extend(open.then_some(("acknowledged", "false")));
            let answer = json!({"alerts": client.get_json("/alerts", &parameters).await?});
            show(output, &answer, Some("alerts"), alerts)
        }
        AlertsAction::Deliveries { channel, state, limit } => {
            let limit = limit.to_string();
            let mut parameters = vec![("limit", limit.as_str())];
            parameters.extend(channel.as_deref().map(|channel| ("channel", channel)));
            parameters.extend(state.as_deref().map(|state| ("state", state)));
            let answer = client.get_json("/api/v1/deliveries", &parameters).await?;
            show(output, &answer, Some("deliveries"), deliveries)
        }
        AlertsAction::Explain { id } => {
            // Else another path might be asked.
            let id: AlertId = id.parse().map_err(|_| AppError::NoSignal(id.clone()))?;
            let answer = client.get_json(&format!("/api/v1/alerts/{id}"), &[]).await?;
            show(output, &answer, None, explanation)
        }
        AlertsAction::SendTest { channel } => send_test(settings, channel.as_deref()).await,
        AlertsAction::Silence { action } => super::silences::run(client, action.as_ref(), output).await,
        AlertsAction::Routes { test: _, severity, kind, host, organization, at } => {
            let at = at.as_deref().map(Timestamp::parse).transpose();
            let at =
                at.map_err(|error| AppError::Asked(error.to_string()))?.unwrap_or_else(intake::system_clock);
            let severity: Level = severity.parse().map_err(|_| {
                AppError::Asked(format!(
                    "'{}' is no severity: info, low, medium, high, critical",
                    plain(severity)
                ))
            })?;
            let kind: FindingKind = kind.parse().map_err(|_| {
                AppError::Asked(format!("'{}' is no kind of signal, such as ssh_brute_force", plain(kind)))
            })?;
            let signal = like(severity, kind, host, organization.clone(), at);
            let (routes, _) = crate::routes::load(&settings.alerts)?;
            let words = narrative::of(&signal, &narrative::Reader::default()).into();
            let decision = routes.decide(&Telling::of(&signal, words, Occasion::Raised, 1, at), at);
            let planned: Vec<Json> = decision
                .planned
                .iter()
                .map(
                    |planned| json!({"channel": planned.channel, "route": planned.route, "due": planned.due}),
                )
                .collect();
            let answer = json!({"planned": planned, "reasons": decision.reasons});
            show(output, &answer, None, decided)
        }
    }
}

/// A signal like the one that is asked about.
fn like(
    severity: Level,
    kind: FindingKind,
    host: &str,
    organization: Option<String>,
    at: Timestamp,
) -> Signal {
    Signal {
        id: SignalId(0),
        kind,
        severity,
        confidence: 0.9,
        state: State::New,
        first: at,
        last: at,
        received: at,
        count: 1,
        entities: vec![Entity::new(EntityType::Host, host)],
        rule: kind.as_str().to_owned(),
        techniques: vec![],
        facts: Facts::new(),
        incident: None,
        organization,
        evidence: vec![],
        standing: Standing::default(),
    }
}

async fn send_test(settings: &Settings, channel: Option<&str>) -> Result<(), AppError> {
    let (routes, _) = crate::routes::load(&settings.alerts)?;
    let channels: Vec<String> = match channel {
        Some(channel) => vec![channel.to_owned()],
        None => routes.channels().map(|channel| channel.name.clone()).collect(),
    };
    if channels.is_empty() {
        return Err(AppError::NoChannel);
    }
    let voice = alert::Voice { language: settings.alerts.language, zone: settings.alerts.zone.clone() };
    let mut failed = 0;
    for channel in &channels {
        match routes.send_test_in(channel, &voice, intake::system_clock()).await {
            Ok(_) => drop(print(&format!("{}: delivered\n", plain(channel)))?),
            Err(error) => {
                failed += 1;
                note(&plain(&crate::wording::describe(&error)));
            }
        }
    }
    if failed == 0 { Ok(()) } else { Err(AppError::NotDelivered(failed)) }
}

fn alerts(answer: &Json) -> String {
    let rows: Vec<[String; 5]> = each(answer, "alerts")
        .iter()
        .map(|alert| {
            let has = match alert["acknowledged"].as_bool() {
                Some(true) => alert["acknowledged_by"].as_str().map_or("yes".to_owned(), plain),
                _ => String::new(),
            };
            [
                text(alert, "id"),
                text(alert, "severity"),
                time(alert, "timestamp"),
                has,
                text(alert, "message"),
            ]
        })
        .collect();
    if rows.is_empty() {
        "no alerts\n".to_owned()
    } else {
        table(["ID", "SEVERITY", "LAST SEEN", "WHO HAS IT", "WHAT"], &rows)
    }
}

fn deliveries(answer: &Json) -> String {
    let rows: Vec<[String; 6]> = each(answer, "deliveries")
        .iter()
        .map(|sent| {
            [
                time(sent, "at"),
                text(sent, "channel"),
                text(sent, "state"),
                count(sent, "tries").to_string(),
                text(sent, "alert"),
                text(sent, "last_error"),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "nothing was sent\n".to_owned();
    }
    table(["AT", "CHANNEL", "STATE", "TRIES", "ALERT", "LAST ERROR"], &rows)
}

fn explanation(answer: &Json) -> String {
    let alert = &answer["alert"];
    let mut said = format!("{}\n", text(alert, "message"));
    for telling in each(answer, "tellings") {
        said.push_str(&format!("\n{}  {}\n", time(telling, "at"), text(telling, "occasion")));
        for reason in texts(telling, "reasons") {
            said.push_str(&format!("  - {reason}\n"));
        }
    }
    for delivery in each(alert, "deliveries") {
        let error =
            delivery["last_error"].as_str().map(|error| format!(": {}", plain(error))).unwrap_or_default();
        said.push_str(&format!("{}: {}{error}\n", text(delivery, "channel"), text(delivery, "state")));
    }
    said
}

fn decided(answer: &Json) -> String {
    let planned = each(answer, "planned");
    let mut said = match planned.is_empty() {
        true => "nobody would be told\n".to_owned(),
        false => planned
            .iter()
            .map(|one| {
                format!("{} by route {}, at {}\n", text(one, "channel"), text(one, "route"), time(one, "due"))
            })
            .collect(),
    };
    for reason in texts(answer, "reasons") {
        said.push_str(&format!("  - {reason}\n"));
    }
    said
}
