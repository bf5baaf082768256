//! What was found, in plain words: a handful of questions to the ordinary search API, and their answers as
//! sentences that a person can act on.

mod questions;
mod words;

use std::fmt::Write;

use crate::{AppError, client::Client, imported::Imported, wording::plain};
use questions::Questions;

/// Looks at what an import brought. `kept` says that the store holds more than this and goes on after it: only
/// the imported files are looked at, and the queries that show more are named.
///
/// # Errors
/// When the collector does not answer.
pub(crate) async fn report(client: &Client, imported: &Imported, kept: bool) -> Result<String, AppError> {
    if kept && imported.paths.is_empty() {
        // Nothing of what was named could be read, and each was named.
        return Ok(String::new());
    }
    let scope = if kept { scope(&imported.paths) } else { "*".to_owned() };
    let questions = Questions::new(client, scope);
    let mut text = String::new();
    let mut say = |sentence: String| {
        text.push_str(&sentence);
        text.push('\n');
    };
    say(words::taken_in(imported, &questions.span().await?, questions.template_count().await?));
    let mut findings = vec![];
    findings.extend(questions.guessing().await?.map(|guessing| words::guessing(&guessing)));
    findings.extend(questions.privileges().await?.map(|refused| words::privileges(&refused)));
    findings.extend(questions.web().await?.map(|web| words::web(&web)));
    findings.extend(questions.severe().await?.map(|severe| words::severe(&severe)));
    findings.extend(questions.burst().await?.map(|burst| words::burst(&burst)));
    findings.extend(questions.anomalies().await?.map(|anomalies| words::anomalies(&anomalies)));
    if findings.is_empty() {
        say("\nNothing stands out.".to_owned());
    }
    for (number, finding) in findings.iter().enumerate() {
        // Writing to a string does not fail.
        let _ignored = writeln!(text, "\n{}. {}", number + 1, finding.said);
        if kept {
            let _ignored = writeln!(text, "   Look closer: log-sentinel query '{}'", plain(&finding.query));
        }
    }
    Ok(text)
}

/// A query for the events of these files.
pub(crate) fn scope(paths: &[String]) -> String {
    let quoted: Vec<String> =
        paths.iter().map(|path| format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("log.file.path:({})", quoted.join(" OR "))
}
