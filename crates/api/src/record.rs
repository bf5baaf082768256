//! Rows for spreadsheets.

/// Appends a record (RFC 4180). A text that a spreadsheet would take for a formula gets a `'` before it.
pub(crate) fn row(cells: impl Iterator<Item = (String, bool)>, out: &mut Vec<u8>) {
    for (at, (text, is_text)) in cells.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let is_formula =
            is_text && text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_field_name(&text);
        let guarded = if is_formula { format!("'{text}") } else { text };
        if guarded.contains(['"', ',', '\r', '\n']) || guarded.starts_with(' ') || guarded.ends_with(' ') {
            out.extend(format!("\"{}\"", guarded.replace('"', "\"\"")).into_bytes());
        } else {
            out.extend(guarded.into_bytes());
        }
    }
    out.extend(b"\r\n");
}

/// The one name of ours that begins like a formula.
fn is_field_name(text: &str) -> bool {
    text == event::field::TIMESTAMP
}
