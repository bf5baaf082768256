//! `log-sentinel report`: what a day or a week came to.

use std::{fs, path::Path};

use super::{note, print, print_json};
use crate::{
    AppError,
    cli::{ReportAsked, ReportFormat},
    client::{Client, ClientError},
};

/// Has a running collector make a report, and writes it to a file or to standard output.
///
/// # Errors
/// When the collector does not answer or refuses, or the report cannot be written.
pub(crate) async fn run(client: &Client, asked: &ReportAsked) -> Result<(), AppError> {
    let format = format(asked);
    let mut parameters = vec![("lang", asked.lang.as_str()), ("format", format.as_str())];
    let given = [
        ("from", &asked.from),
        ("to", &asked.to),
        ("organization", &asked.organization),
        ("zone", &asked.zone),
    ];
    parameters.extend(given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
    if asked.day {
        parameters.push(("period", "day"));
    }
    let answer = client.get("/api/v1/report", &parameters).await?;
    let url = answer.url().to_string();
    let text = answer.text().await.map_err(|source| ClientError::Answer { url, source })?;
    match (&asked.output, format) {
        (Some(path), _) => {
            fs::write(path, &text).map_err(|source| AppError::File {
                action: "write",
                path: path.clone(),
                source,
            })?;
            note(&format!("the report is in {}", path.display()));
        }
        (None, ReportFormat::Json) => {
            print_json(&format!("{text}\n"))?;
        }
        (None, _) => {
            print(&text)?;
        }
    }
    Ok(())
}

/// What is asked for, else what the file's name says, else text that a terminal shows.
fn format(asked: &ReportAsked) -> ReportFormat {
    let ending = asked.output.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
    let by_name = ending.and_then(|ending| match ending.to_ascii_lowercase().as_str() {
        "html" | "htm" => Some(ReportFormat::Html),
        "md" | "markdown" => Some(ReportFormat::Markdown),
        "json" => Some(ReportFormat::Json),
        _ => None,
    });
    asked.format.or(by_name).unwrap_or(ReportFormat::Markdown)
}
