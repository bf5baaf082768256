//! `log-sentinel parse`: what is made of lines, without a server.

use std::{fmt::Write, path::Path};

use event::{Event, Verdict, document, field};
use parse::{Context, Explanation};
use serde_json::json;

use super::{modified, print, print_json, read};
use crate::{AppError, Settings, cli::Output, formats, wording::plain};

/// Prints what is made of the lines of a file, and where that is asked for why.
///
/// # Errors
/// When the file, or that of the formats of one's own, cannot be read.
pub(crate) fn run(settings: &Settings, file: &Path, explain: bool, output: Output) -> Result<(), AppError> {
    let door = formats::door(settings)?;
    let bytes = read(file)?;
    let path = (file != Path::new("-")).then(|| std::path::absolute(file)).transpose()?;
    let path = path.as_ref().map(|path| path.to_string_lossy());
    let written = std::fs::metadata(file).ok().and_then(|metadata| modified(&metadata));
    let received = intake::system_clock();
    let context = Context {
        near: written.unwrap_or(received),
        file: path.as_deref(),
        joining: door.joining.as_ref(),
        formats: Some(&door.formats),
        ..Context::new(received, &door.zone, door.line_bytes_max)
    };
    let mut outcome = Ok(true);
    parse::explain(&bytes, &context, |explanation| {
        // Nobody may read any more: then what is left is passed over.
        if matches!(outcome, Ok(true)) {
            outcome = match (explain, output) {
                (true, Output::Text) => print(&words(&explanation)),
                (true, _) => print_json(&reasons(&explanation)),
                (false, _) => print_json(&format!("{}\n", json(&explanation.event))),
            };
        }
    });
    outcome?;
    Ok(())
}

fn json(event: &Event<'_>) -> serde_json::Value {
    let mut document = document(event, None, &Verdict::unscored());
    document.remove("sentinel");
    document.into()
}

fn reasons(it: &Explanation<'_>) -> String {
    let explained = json!({
        "line": it.line,
        "formats": it.formats,
        "time": it.time,
        "level": it.level,
        "event": json(&it.event),
    });
    format!("{explained}\n")
}

fn words(it: &Explanation<'_>) -> String {
    let Explanation { line, event, formats, time, level } = it;
    let mut text = format!("line {line}: {}\n", plain(&formats.join(", in it ")));
    let mut row = |name: &str, value: &str, why: &str| {
        let why = if why.is_empty() { String::new() } else { format!("  ({})", plain(why)) };
        // Writing to a string does not fail.
        let _ignored = writeln!(text, "  {:<12} {}{why}", plain(name), plain(value));
    };
    row("time", &event.timestamp.to_string(), time);
    row("level", event.severity.as_str(), level);
    row("host", event.host.as_deref().unwrap_or("-"), "");
    row("program", event.source.as_deref().unwrap_or("-"), "");
    row("message", &event.message, "");
    for each in event.fields.iter().filter(|each| each.path != field::FILE_PATH) {
        row(&each.path, &each.value.to_json().to_string(), "");
    }
    text
}
