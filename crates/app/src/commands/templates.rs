//! `log-sentinel templates`: what people decide about templates.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::show;
use crate::{
    AppError,
    cli::{Output, TemplatesAction},
    client::Client,
    wording::{count, each, grouped, many, plain, short, table, text, time},
};

/// Of so many templates events are counted, those that have most.
const COUNTED: &str = "10000";

/// Lists templates, changes them, or takes a change back. Events are counted where the collector answers.
///
/// # Errors
/// When the service does not answer or refuses it.
pub(crate) async fn run(
    client: &Client,
    collector: Option<&Client>,
    action: &TemplatesAction,
    output: Output,
) -> Result<(), AppError> {
    let (path, body) = match action {
        TemplatesAction::List { holding, limit } => {
            let limit = limit.to_string();
            let query = [("q", holding.as_deref().unwrap_or_default()), ("limit", &limit)];
            let mut answer = client.get_json("/templates", &query).await?;
            if let Some(collector) = collector {
                count_events(collector, &mut answer).await;
            }
            return show(output, &answer, Some("templates"), list);
        }
        TemplatesAction::Operations => {
            let answer = client.get_json("/templates/operations", &[]).await?;
            return show(output, &answer, Some("operations"), operations);
        }
        TemplatesAction::Undo { id } => {
            let answer = client.delete(&format!("/templates/operations/{id}")).await?;
            return show(output, &answer, None, |undone| format!("taken back: {}\n", said(undone)));
        }
        TemplatesAction::Name { id, name } => (format!("/templates/{id}/name"), json!({"name": name})),
        TemplatesAction::Pin { id } => (format!("/templates/{id}/pin"), json!({})),
        TemplatesAction::Split(split) => {
            let body = match (&split.variable, &split.example) {
                (Some(variable), _) => json!({"variable": variable}),
                (None, example) => json!({"example": example}),
            };
            (format!("/templates/{}/split", split.id), body)
        }
        TemplatesAction::Merge { ids } => ("/templates/merge".to_owned(), json!({"templates": ids})),
    };
    show(output, &client.post_json(&path, &body).await?, None, done)
}

/// Gives the templates of an answer the number of events that are stored of each, its other ids included.
async fn count_events(collector: &Client, answer: &mut Json) {
    let asked = [("field", "sentinel.template.id"), ("limit", COUNTED)];
    let Ok(counted) = collector.get_json("/api/v1/fields", &asked).await else { return };
    let counts: HashMap<String, u64> =
        each(&counted, "values").iter().map(|value| (text(value, "value"), count(value, "count"))).collect();
    for template in answer["templates"].as_array_mut().into_iter().flatten() {
        let aliases = each(template, "aliases").iter().filter_map(Json::as_str);
        let ids = template["id"].as_str().into_iter().chain(aliases);
        let events: u64 = ids.filter_map(|id| counts.get(id)).sum();
        template["events"] = events.into();
    }
}

fn list(answer: &Json) -> String {
    let row = |template: &Json| {
        let events = template["events"].as_u64().map_or_else(|| "-".to_owned(), grouped);
        let (id, name) = (text(template, "id"), text(template, "name"));
        [id, events, state(template), name, short(template["text"].as_str().unwrap_or_default())]
    };
    let rows: Vec<_> = each(answer, "templates").iter().map(row).collect();
    let total = grouped(count(answer, "total"));
    let shown = format!("{} of {total} templates\n", rows.len());
    if rows.is_empty() { shown } else { table(["ID", "EVENTS", "STATE", "NAME", "TEXT"], &rows) + &shown }
}

/// What people decided about a template, and ids that mean it too.
fn state(template: &Json) -> String {
    let mut state = vec![];
    for what in ["pinned", "split"] {
        if template[what] == true {
            state.push(what.to_owned());
        }
    }
    if let Some(whole) = template["part_of"].as_str() {
        state.push(format!("part of {}", plain(whole)));
    }
    let aliases = each(template, "aliases").len() as u64;
    let aliases = template["aliases_total"].as_u64().unwrap_or(aliases);
    if aliases > 0 {
        state.push(many(aliases, "alias", "aliases"));
    }
    state.join(", ")
}

fn operations(answer: &Json) -> String {
    let row = |operation: &Json| {
        let hidden = operation["in_effect"] == false;
        let state = if hidden { "without effect" } else { "in effect" };
        [count(operation, "id").to_string(), time(operation, "given_at"), state.to_owned(), said(operation)]
    };
    let rows: Vec<_> = each(answer, "operations").iter().map(row).collect();
    let mut said = match rows.as_slice() {
        [] => "nothing was done to templates\n".to_owned(),
        rows => table(["ID", "DONE", "STATE", "WHAT"], rows),
    };
    if let Some(problem) = answer["problem"].as_str() {
        said.push_str(&format!("operations done earlier are missing: {}\n", plain(problem)));
    }
    said
}

fn done(operation: &Json) -> String {
    let id = count(operation, "id");
    format!("{}\nTake it back: log-sentinel templates undo {id}\n", said(operation))
}

/// An operation as a sentence.
fn said(operation: &Json) -> String {
    let one = |template: &Json| {
        format!("{} \"{}\"", text(template, "id"), short(template["text"].as_str().unwrap_or_default()))
    };
    let templates: Vec<String> = each(operation, "templates").iter().map(one).collect();
    let templates = templates.join(" and ");
    let result = match &operation["result"] {
        result @ Json::Object(_) => format!(" into {}", one(result)),
        _ => String::new(),
    };
    match operation["operation"].as_str() {
        Some("name") => format!("{templates} is called \"{}\"", text(operation, "name")),
        Some("pin") => format!("{templates} is pinned"),
        Some("merge") => format!("{templates} are merged{result}"),
        Some("split") => match operation["variable"].as_u64() {
            Some(variable) => format!("{templates} is split by its variable {variable}"),
            None => {
                let example = short(operation["example"].as_str().unwrap_or_default());
                format!("{templates} is split by the example \"{example}\"{result}")
            }
        },
        _ => format!("{} {templates}{result}", text(operation, "operation")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_a_table() {
        let answer = json!({"total": 1_234, "templates": [
            {"id": "0f3c5a9be1d24c77", "text": "login of <user> refused", "variables": ["<user>"], "name": "login refused", "pinned": true, "split": true, "aliases": ["1", "2"]},
            {"id": "9a1be07745ffc210", "text": "started", "events": 1_234, "variables": [], "pinned": false, "split": false, "part_of": "0f3c5a9be1d24c77", "aliases": []}
        ]});
        assert_eq!(
            list(&answer),
            "ID                EVENTS  STATE                     NAME           TEXT\n\
             0f3c5a9be1d24c77  -       pinned, split, 2 aliases  login refused  login of <user> refused\n\
             9a1be07745ffc210  1,234   part of 0f3c5a9be1d24c77                 started\n\
             2 of 1,234 templates\n"
        );
        assert_eq!(list(&json!({"total": 0, "templates": []})), "0 of 0 templates\n");
    }

    #[test]
    fn each_operation_is_a_sentence() {
        let (a, b) = (json!({"id": "a", "text": "x <n>"}), json!({"id": "b", "text": "y <n>"}));
        let check = |mut operation: Json, expected: &str| {
            (operation["id"], operation["given_at"]) = (7.into(), "2024-06-01T12:00:00Z".into());
            assert_eq!(said(&operation), expected);
        };
        check(
            json!({"operation": "name", "templates": [a], "name": "mine"}),
            "a \"x <n>\" is called \"mine\"",
        );
        check(json!({"operation": "pin", "templates": [a]}), "a \"x <n>\" is pinned");
        check(
            json!({"operation": "split", "templates": [a], "variable": 2}),
            "a \"x <n>\" is split by its variable 2",
        );
        check(
            json!({"operation": "split", "templates": [a], "example": "x 7", "result": b}),
            "a \"x <n>\" is split by the example \"x 7\" into b \"y <n>\"",
        );
        let result = json!({"id": "c", "text": "<w> <n>"});
        check(
            json!({"operation": "merge", "templates": [a, b], "result": result}),
            "a \"x <n>\" and b \"y <n>\" are merged into c \"<w> <n>\"",
        );
    }

    #[test]
    fn operations_carry_the_number_that_takes_them_back() {
        let pin = json!({"id": 7, "given_at": "2024-06-01T12:00:00Z", "operation": "pin", "templates": [{"id": "a", "text": "x"}], "in_effect": false});
        assert_eq!(done(&pin), "a \"x\" is pinned\nTake it back: log-sentinel templates undo 7\n");
        assert_eq!(
            operations(&json!({"operations": [pin], "most": 500})),
            "ID  DONE                  STATE           WHAT\n7   2024-06-01T12:00:00Z  without effect  a \"x\" is pinned\n"
        );
        let lost = operations(&json!({"operations": [], "problem": "cut short"}));
        assert_eq!(lost, "nothing was done to templates\noperations done earlier are missing: cut short\n");
    }
}
