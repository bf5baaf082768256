//! `log-sentinel journal`: what the journal holds, without the server.

use std::{io, path::Path};

use event::{EventId, Verdict, codec, document};

use super::{note, print, print_json};
use crate::{
    AppError,
    wording::{many, name, plain},
};

/// Prints the journal's events as NDJSON, in order.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) fn cat(data: &Path) -> Result<(), AppError> {
    let (dir, cursors) = (data.join("journal"), data.join("cursors"));
    let Some(identity) = journal::verify(&dir, &cursors)?.identity else { return Ok(()) };
    let mut closed = false;
    let outcome = journal::cat(&dir, |position, record| {
        closed = !print_json(&line(identity.event(position), record))?;
        if closed { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    });
    if closed {
        return Ok(());
    }
    let damaged = outcome?;
    if damaged > 0 {
        note(&format!("{damaged} damaged records were skipped"));
    }
    Ok(())
}

/// Checks every record and prints what was found.
///
/// # Errors
/// When the journal cannot be read, or something in it is damaged.
pub(crate) fn verify(data: &Path) -> Result<(), AppError> {
    let report = journal::verify(&data.join("journal"), &data.join("cursors"))?;
    let mut text = format!(
        "{} in {}, {}; {}, {}, {} at the end\n",
        many(report.records, "record", "records"),
        many(report.segments, "segment", "segments"),
        many(report.bytes, "byte", "bytes"),
        many(report.damaged_records, "damaged record", "damaged records"),
        many(report.damaged_places, "damaged place", "damaged places"),
        many(report.torn_bytes, "torn byte", "torn bytes")
    );
    for (cursor, position) in &report.cursors {
        text.push_str(&format!("cursor {} stands at {position}\n", plain(cursor)));
    }
    for problem in &report.problems {
        text.push_str(&format!("{}: {}\n", name(&problem.path), problem.what));
    }
    print(&text)?;
    if report.is_intact() {
        return Ok(());
    }
    Err(AppError::JournalDamaged {
        lost: match report.damaged_records {
            0 => "no event is lost by it".to_owned(),
            records => {
                format!("{records} events cannot be read and are lost where they had not been indexed")
            }
        },
    })
}

fn line(id: EventId, record: &[u8]) -> String {
    match codec::decode(record) {
        Ok(event) => {
            let mut document = document(&event, None, &Verdict::unscored());
            document.remove("sentinel");
            document.shift_insert(0, "_id".to_owned(), id.to_string().into());
            format!("{}\n", serde_json::Value::Object(document))
        }
        Err(error) => format!("{}\n", serde_json::json!({"_id": id, "error": error.to_string()})),
    }
}
