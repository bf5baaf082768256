//! `log-sentinel query --sql`: questions in SQL from a terminal.

use serde_json::{Value as Json, json};

use super::{note, print, print_bytes, print_json};
use crate::{
    AppError,
    cli::{HitsOutput, Search},
    client::Client,
    wording::{each, plain, short, table, text, texts},
};

/// The API gives so many rows at most.
const ROWS_MAX: u32 = 10_000;

/// Answers a question, or lists what can be asked.
///
/// # Errors
/// When the collector does not answer, or output cannot be written.
pub(crate) async fn run(client: &Client, search: &Search) -> Result<(), AppError> {
    if search.sql.tables {
        return tables(client, search).await;
    }
    let asked = &search.sql;
    let limit = if search.all { ROWS_MAX } else { search.limit.min(ROWS_MAX) };
    let mut body = json!({"sql": asked.sql, "limit": limit, "explain": asked.explain});
    for (name, value) in [("at", &asked.at), ("from", &search.question.from), ("to", &search.question.to)] {
        if let Some(value) = value {
            body[name] = value.as_str().into();
        }
    }
    if search.output == HitsOutput::Csv && !asked.explain {
        return csv(client, body).await;
    }
    let answer = client.post_json("/api/v1/sql", &body).await?;
    match search.output {
        HitsOutput::Json => drop(print_json(&format!("{answer:#}\n"))?),
        HitsOutput::Ndjson => drop(print_json(&objects(&answer))?),
        HitsOutput::Text | HitsOutput::Csv if asked.explain => {
            for step in texts(&answer, "plan") {
                print(&format!("{step}\n"))?;
            }
            texts(&answer, "hints").iter().for_each(|hint| note(hint));
        }
        HitsOutput::Text | HitsOutput::Csv => {
            print(&columns(&answer))?;
            summarize(&answer);
        }
    }
    Ok(())
}

/// As the collector writes it; what it lacks is said beside it.
async fn csv(client: &Client, body: Json) -> Result<(), AppError> {
    let headers = [("content-type", "application/json"), ("accept", "text/csv")];
    let (bytes, said) = client
        .post_bytes("/api/v1/sql", &headers, body.to_string().into_bytes(), ["x-partial", "x-more"])
        .await?;
    print_bytes(&bytes)?;
    let [partial, more] = said;
    if let Some(why) = partial {
        note(&plain(&why));
    }
    if more.is_some() {
        note("there are more rows; ask for them with --all or LIMIT and OFFSET");
    }
    Ok(())
}

async fn tables(client: &Client, search: &Search) -> Result<(), AppError> {
    let answer = client.get_json("/api/v1/sql/tables", &[]).await?;
    if matches!(search.output, HitsOutput::Json | HitsOutput::Ndjson) {
        print_json(&format!("{answer:#}\n"))?;
        return Ok(());
    }
    let names = &search.question.query;
    for known in each(&answer, "tables") {
        let name = text(known, "name");
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        print(&format!("{name}: {}\n", text(known, "what")))?;
        let rows = each(known, "columns").iter().map(|column| {
            [format!("  {}", text(column, "name")), text(column, "type"), text(column, "what")]
        });
        print(&table(["  column", "type", "what"], &rows.collect::<Vec<_>>()))?;
        print("\n")?;
    }
    Ok(())
}

/// An object a row.
fn objects(answer: &Json) -> String {
    let names = texts(answer, "columns");
    let rows = each(answer, "rows").iter().map(|row| {
        let cells = row.as_array().into_iter().flatten();
        let object: serde_json::Map<String, Json> = names.iter().cloned().zip(cells.cloned()).collect();
        format!("{}\n", Json::Object(object))
    });
    rows.collect()
}

/// Columns below their names.
fn columns(answer: &Json) -> String {
    let rows =
        each(answer, "rows").iter().map(|row| row.as_array().into_iter().flatten().map(cell).collect());
    let rows: Vec<Vec<String>> = rows.collect();
    table(texts(answer, "columns").iter().map(|name| short(name)), &rows)
}

fn cell(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => short(text),
        other => short(&other.to_string()),
    }
}

fn summarize(answer: &Json) {
    let rows = each(answer, "rows").len();
    let more = if answer["more"] == true { ", and there are more" } else { "" };
    let read = answer["rows_read"].as_u64().unwrap_or_default();
    let took = answer["took_ms"].as_f64().unwrap_or_default();
    note(&format!("{rows} rows{more}; {read} rows read in {took:.0} ms"));
    if let Some(reason) = answer["reason"].as_str() {
        note(&plain(reason));
    }
    for hint in texts(answer, "hints") {
        note(&hint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_in_columns_and_steer_no_terminal() {
        let answer = json!({"columns": ["a", "a\nb"], "rows": [["x\u{1b}[31m", null], [1, "long"]]});
        assert_eq!(
            columns(&answer),
            "a          a\\nb\nx\\u{1b}[31m  -\n1          long\n"
                .replace("a          a", "a            a")
                .replace("1          l", "1            l")
        );
        assert_eq!(objects(&json!({"columns": ["a", "b"], "rows": [[1, "x"]]})), "{\"a\":1,\"b\":\"x\"}\n");
    }
}
