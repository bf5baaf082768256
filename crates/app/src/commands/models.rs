//! `log-sentinel models`: what serves, what else there is, and exchanging it.

use std::{fs, path::Path};

use serde_json::Value as Json;

use super::{print, print_bytes, read, show};
use crate::{
    AppError,
    cli::{ModelsAction, Output},
    client::Client,
    wording::{count, each, grouped, many, name, number, percent, table, text, texts, time},
};

/// Lists, shows, compares, exchanges or carries models.
///
/// # Errors
/// When the service does not answer or refuses it, or a file cannot be used.
pub(crate) async fn run(client: &Client, action: &ModelsAction, output: Output) -> Result<(), AppError> {
    match action {
        ModelsAction::List => show(output, &client.get_json("/models", &[]).await?, Some("models"), list),
        ModelsAction::Show { version } => {
            let path =
                version.as_ref().map_or_else(|| "/model".to_owned(), |version| format!("/models/{version}"));
            show(output, &client.get_json(&path, &[]).await?, None, card)
        }
        ModelsAction::Compare { a, b } => {
            let answer = client.get_json("/models/compare", &[("a", a), ("b", b)]).await?;
            show(output, &answer, None, comparison)
        }
        ModelsAction::Activate { version } => {
            let answer = client.post(&format!("/models/{version}/activate"), &[], &[], vec![]).await?;
            show(output, &answer, None, serves)
        }
        ModelsAction::Rollback => {
            show(output, &client.post("/models/rollback", &[], &[], vec![]).await?, None, serves)
        }
        ModelsAction::Export { version, file } => {
            write(file, &client.get_bytes(&format!("/models/{version}/export")).await?)
        }
        ModelsAction::Import { file } => {
            let header = ("content-type", "application/octet-stream");
            show(output, &client.post("/models/import", &[], &[header], read(file)?).await?, None, imported)
        }
        ModelsAction::Rules => {
            show(output, &client.get_json("/model/rules", &[]).await?, Some("rules"), rules)
        }
    }
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), AppError> {
    if file == Path::new("-") {
        print_bytes(bytes)?;
        return Ok(());
    }
    let failed = |source| AppError::File { action: "write", path: file.to_owned(), source };
    fs::write(file, bytes).map_err(failed)?;
    print(&format!("{} in {}\n", many(bytes.len() as u64, "byte", "bytes"), name(file)))?;
    Ok(())
}

fn list(answer: &Json) -> String {
    let row = |model: &Json| {
        [
            text(model, "version"),
            text(model, "standing"),
            time(model, "trained_at"),
            grouped(count(model, "events")),
            grouped(count(model, "templates")),
            time(model, "from"),
            time(model, "to"),
            text(model, "why"),
        ]
    };
    let rows: Vec<_> = each(answer, "models").iter().map(row).collect();
    if rows.is_empty() {
        return "no model is kept yet; `log-sentinel models show` says how many events a first one needs\n"
            .to_owned();
    }
    table(["VERSION", "STANDING", "TRAINED", "EVENTS", "TEMPLATES", "FROM", "TO", "WHY"], &rows)
}

/// A model's card in words.
pub(super) fn card(model: &Json) -> String {
    if text(model, "version").is_empty() {
        let needed = many(count(model, "needed"), "more event is", "more events are");
        return format!("no model serves yet ({}): {needed} needed for a first one\n", text(model, "state"));
    }
    let mut said = format!("model {}: {}{}\n", text(model, "version"), text(model, "standing"), why(model));
    let mut say = |name: &str, words: String| said.push_str(&format!("  {name:<12} {words}\n"));
    let occasion = match model["trained_for"].as_str() {
        Some("request") => ", because it was asked for",
        Some("stream") => ", by itself, on the stream",
        Some("drift") => ", by itself, because the world had moved",
        Some("starter") => ", on what the starters tell",
        _ => "",
    };
    say("trained", format!("{}{occasion}", time(model, "trained_at")));
    let events = many(count(model, "events"), "event", "events");
    let templates = many(count(model, "templates"), "template", "templates");
    say("data", format!("{events} of {templates}{}", span(model)));
    if model["sample"].is_u64() {
        say("sample", format!("{} of them", many(count(model, "sample"), "event", "events")));
    }
    let (threshold, rate) = (number(model, "threshold"), percent(number(model, "false_positive_rate")));
    say("calibration", format!("scores from {threshold:.3} on are anomalies, {rate} of what is ordinary"));
    if model["drift"].is_object() {
        say("drift", drift(&model["drift"]));
    }
    said + &features(model)
}

fn why(model: &Json) -> String {
    let why = text(model, "why");
    if why.is_empty() { why } else { format!(" ({why})") }
}

fn span(model: &Json) -> String {
    match (time(model, "from").as_str(), time(model, "to").as_str()) {
        ("", _) | (_, "") => String::new(),
        (from, to) => format!(", from {from} to {to}"),
    }
}

fn drift(drift: &Json) -> String {
    if count(drift, "events") == 0 {
        return "nothing to tell by: no event came since it serves".to_owned();
    }
    let of = format!(
        "{} of {} past the threshold",
        grouped(count(drift, "flagged")),
        many(count(drift, "events"), "recent event", "recent events")
    );
    if drift["state"] != "drifting" {
        return format!("none: {of}");
    }
    let moved: String =
        texts(drift, "features").iter().map(|feature| format!("\n               {feature}")).collect();
    format!("the world has moved since {}: {of}{moved}", time(drift, "since"))
}

fn features(model: &Json) -> String {
    let row = |feature: &Json| {
        [
            text(feature, "name"),
            format!("{:.2}", number(feature, "weight")),
            percent(number(feature, "share_of_splits")),
            percent(number(feature, "share_of_events")),
        ]
    };
    let rows: Vec<_> = each(model, "features").iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let table = table(["FEATURE", "WEIGHT", "OF SPLITS", "OF EVENTS"], &rows);
    format!(
        "\n{table}\nWEIGHT: how much a surprise in it counts by itself. OF SPLITS: its share in the forest.\nOF EVENTS: training events with any surprise in it.\n"
    )
}

fn comparison(compared: &Json) -> String {
    let events = many(count(compared, "events"), "recent event", "recent events");
    let mut said = format!("on {events}\n");
    for name in ["a", "b"] {
        let side = &compared[name];
        said.push_str(&format!(
            "  {name}  {}  flags {} ({}) from a score of {:.3} on\n",
            text(side, "version"),
            grouped(count(side, "flagged")),
            percent(number(side, "share_flagged")),
            number(side, "threshold"),
        ));
    }
    said.push_str(&format!(
        "they differ on {} ({}); rank correlation of their scores {:.3}\n",
        grouped(count(compared, "flags_differ")),
        percent(number(compared, "share_flags_differ")),
        number(compared, "rank_correlation"),
    ));
    let disagreements = each(compared, "disagreements");
    if !disagreements.is_empty() {
        said.push_str("where they are furthest apart:\n");
    }
    for one in disagreements {
        let feature =
            |feature: &Json| format!("{} {:.2}", text(feature, "name"), number(feature, "evidence"));
        let features: Vec<String> = each(one, "features").iter().map(feature).collect();
        let (a, b) = (number(one, "a"), number(one, "b"));
        said.push_str(&format!("  a {a:.3}, b {b:.3}: {}\n", features.join(", ")));
    }
    said
}

fn serves(model: &Json) -> String {
    format!("{} serves now\n", text(model, "version"))
}

fn imported(model: &Json) -> String {
    let version = text(model, "version");
    format!("{version} was taken in; let it serve: log-sentinel models activate {version}\n")
}

fn rules(answer: &Json) -> String {
    let anomalies = count(answer, "anomalies");
    if anomalies == 0 {
        return "no anomaly was found since the start, so there is nothing to tell\n".to_owned();
    }
    let lately = many(anomalies, "recent anomaly", "recent anomalies");
    let rules = each(answer, "rules");
    if rules.is_empty() {
        return format!("{lately} since the start: too few, or too unlike each other, for a rule\n");
    }
    let ordinary = many(count(answer, "ordinary"), "ordinary event", "ordinary events");
    let mut said = format!("what tells {lately} from {ordinary}:\n");
    for rule in rules {
        said.push_str(&format!(
            "  {} of {}: {} ({} of the ordinary ones meet it too)\n",
            grouped(count(rule, "anomalies")),
            grouped(anomalies),
            text(rule, "rule"),
            percent(number(rule, "share_of_ordinary")),
        ));
    }
    said
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model() -> Json {
        json!({
            "version": "00000002-3fa4c1d2", "state": "trained", "active": true, "standing": "serving",
            "trained_at": "2024-06-02T00:00:00Z", "events": 12_000, "templates": 4, "threshold": 0.5,
            "false_positive_rate": 0.0005, "from": "2024-06-01T12:00:00Z", "to": "2024-06-01T18:00:00Z",
            "trained_for": "drift", "sample": 4_096,
            "features": [{"name": "template rarity", "weight": 1.0, "share_of_splits": 0.25, "share_of_events": 0.0123}],
            "drift": {"state": "stable", "since": null, "features": [], "events": 1_024, "flagged": 3}
        })
    }

    #[test]
    fn models_are_a_table() {
        let mut other = model();
        other["version"] = "00000001-00000000".into();
        other["standing"] = "candidate".into();
        other["why"] = "it flags\u{1b}[2J more".into();
        let text = list(&json!({"models": [model(), other]}));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "VERSION            STANDING   TRAINED               EVENTS  TEMPLATES  FROM                  TO                    WHY"
        );
        assert_eq!(
            lines[1],
            "00000002-3fa4c1d2  serving    2024-06-02T00:00:00Z  12,000  4          2024-06-01T12:00:00Z  2024-06-01T18:00:00Z"
        );
        assert!(lines[2].ends_with("  it flags\\u{1b}[2J more"), "{text}");
        assert!(list(&json!({"models": []})).starts_with("no model is kept yet"));
    }

    #[test]
    fn a_card_is_said_in_words() {
        let text = card(&model());
        for expected in [
            "model 00000002-3fa4c1d2: serving\n",
            "  trained      2024-06-02T00:00:00Z, by itself, because the world had moved\n",
            "  data         12,000 events of 4 templates, from 2024-06-01T12:00:00Z to 2024-06-01T18:00:00Z\n",
            "  sample       4,096 events of them\n",
            "  calibration  scores from 0.500 on are anomalies, 0.05 % of what is ordinary\n",
            "  drift        none: 3 of 1,024 recent events past the threshold\n",
            "FEATURE          WEIGHT  OF SPLITS  OF EVENTS\ntemplate rarity  1.00    25 %       1.23 %\n",
        ] {
            assert!(text.contains(expected), "{expected:?} in:\n{text}");
        }
        let mut moved = model();
        moved["drift"] = json!({"state": "drifting", "since": "2024-06-03T00:00:00Z", "features": ["scores: 9 of 10"], "events": 10, "flagged": 9});
        moved["why"] = "asked for".into();
        let text = card(&moved);
        assert!(text.starts_with("model 00000002-3fa4c1d2: serving (asked for)\n"), "{text}");
        assert!(text.contains("the world has moved since 2024-06-03T00:00:00Z: 9 of 10 recent events past the threshold\n               scores: 9 of 10\n"), "{text}");
    }

    #[test]
    fn the_card_of_no_model_says_what_is_missing() {
        let none =
            json!({"version": "", "state": "warming-up", "active": false, "needed": 1_990, "events": 10});
        assert_eq!(
            card(&none),
            "no model serves yet (warming-up): 1,990 more events are needed for a first one\n"
        );
    }

    #[test]
    fn a_comparison_names_both_and_what_they_differ_on() {
        let compared = json!({
            "a": {"version": "1-a", "threshold": 0.5, "flagged": 1_200, "share_flagged": 0.6},
            "b": {"version": "2-b", "threshold": 0.5, "flagged": 2, "share_flagged": 0.001},
            "events": 2_000, "rank_correlation": 0.8712, "flags_differ": 1_198, "share_flags_differ": 0.599,
            "disagreements": [{"a": 0.98, "b": 0.1, "features": [{"name": "template rarity", "evidence": 3.25}]}]
        });
        assert_eq!(
            comparison(&compared),
            "on 2,000 recent events\n\
             \x20 a  1-a  flags 1,200 (60 %) from a score of 0.500 on\n\
             \x20 b  2-b  flags 2 (0.1 %) from a score of 0.500 on\n\
             they differ on 1,198 (59.9 %); rank correlation of their scores 0.871\n\
             where they are furthest apart:\n\
             \x20 a 0.980, b 0.100: template rarity 3.25\n"
        );
    }

    #[test]
    fn rules_say_how_many_meet_them() {
        let some = json!({"anomalies": 40, "ordinary": 625, "rules": [{"rule": "source is 'sshd'", "anomalies": 38, "share_of_ordinary": 0.002}]});
        assert_eq!(
            rules(&some),
            "what tells 40 recent anomalies from 625 ordinary events:\n  38 of 40: source is 'sshd' (0.2 % of the ordinary ones meet it too)\n"
        );
        let none = |anomalies| rules(&json!({"anomalies": anomalies, "ordinary": 625, "rules": []}));
        assert!(none(0).starts_with("no anomaly was found"), "{}", none(0));
        assert!(none(1).starts_with("1 recent anomaly since the start: too few"), "{}", none(1));
    }
}
