//! `log-sentinel alerts silence`: alerts that nobody is told of for a while.

use serde_json::{Map, Value as Json, json};

use super::show;
use crate::{
    AppError,
    cli::{Output, SilenceAction, Which},
    client::Client,
    wording::{count, each, many, table, text, time},
};

const PATH: &str = "/api/v1/silences";

/// Lists, makes and ends silences of a running collector.
///
/// # Errors
/// When the collector does not answer, or refuses.
pub(crate) async fn run(
    client: &Client,
    action: Option<&SilenceAction>,
    output: Output,
) -> Result<(), AppError> {
    match action.unwrap_or(&SilenceAction::List) {
        SilenceAction::List => show(output, &client.get_json(PATH, &[]).await?, Some("silences"), listed),
        SilenceAction::Add { which, until, reason } => {
            let body = json!({"match": said(which), "until": until, "reason": reason});
            let made = client.post_json(PATH, &body).await?;
            show(output, &made, None, |made| {
                format!("silence {} holds until {}\n", count(made, "number"), text(made, "until"))
            })
        }
        SilenceAction::Preview { which } => {
            let hidden = client.post_json("/api/v1/silences/preview", &json!({"match": said(which)})).await?;
            show(output, &hidden, None, hides)
        }
        SilenceAction::End { number } => {
            let ended = client.delete(&format!("{PATH}/{number}")).await?;
            show(output, &ended, None, |_| format!("silence {number} is ended\n"))
        }
    }
}

fn said(which: &Which) -> Map<String, Json> {
    let Which { severity, kind, rule, source, entity, host, organization } = which;
    let all = [
        ("severity", severity),
        ("kind", kind),
        ("rule", rule),
        ("source", source),
        ("entity", entity),
        ("host", host),
        ("organization", organization),
    ];
    let given = |(name, value): (&str, &Option<String>)| Some((name.to_owned(), value.clone()?.into()));
    all.into_iter().filter_map(given).collect()
}

fn listed(answer: &Json) -> String {
    let rows: Vec<[String; 5]> = each(answer, "silences")
        .iter()
        .map(|silence| {
            let is_active = silence["is_active"].as_bool().unwrap_or(false);
            [
                count(silence, "number").to_string(),
                if is_active { "holds".to_owned() } else { "over".to_owned() },
                time(silence, "until"),
                text(silence, "by"),
                text(silence, "reason"),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "no silences\n".to_owned();
    }
    table(["NUMBER", "STATE", "UNTIL", "BY", "REASON"], &rows)
}

fn hides(answer: &Json) -> String {
    let number = count(answer, "alerts");
    let mut said =
        format!("{} of the last seven days would have been hidden\n", many(number, "alert", "alerts"));
    for alert in each(answer, "newest") {
        said.push_str(&format!("  {}  {}\n", time(alert, "timestamp"), text(alert, "message")));
    }
    said
}
