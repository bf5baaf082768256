//! In which form hits are written: as one JSON document, or as rows that have no end of their own, for exports of
//! any length.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use event::{Document, EventId, FieldKind, Timestamp, member};
use jiff::tz::TimeZone;
use problem::Problem;
use serde_json::Value;

use super::picked::Picked;
use crate::{params::Params, record::row};

/// Columns of CSV when no `fields` are asked for.
const COLUMNS: [&str; 6] = ["@timestamp", "log.level", "host.name", "service.name", "message", "_id"];
/// How many events match, in answers of rows.
const TOTAL: HeaderName = HeaderName::from_static("x-total");
/// Why an answer of rows does not cover everything stored.
const PARTIAL: HeaderName = HeaderName::from_static("x-partial");

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One document, whose hits are a list.
    Json,
    /// A document a line.
    Ndjson,
    /// RFC 4180.
    Csv,
}

impl Form {
    const NAMES: [(&str, Self); 3] = [("json", Self::Json), ("ndjson", Self::Ndjson), ("csv", Self::Csv)];

    /// `format`, else the one that the client would rather have.
    ///
    /// # Errors
    /// 400 for a format that there is not.
    pub(super) fn of(params: &Params, headers: &HeaderMap) -> Result<Self, Problem> {
        if params.text("format").is_some() {
            return params.one_of("format", &Self::NAMES);
        }
        let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        Ok(preferred(accept.flat_map(|value| value.split(','))))
    }

    /// The head of an answer.
    pub(super) fn response(self, body: Body, total: u64, partial: Option<&str>) -> Response {
        let media = match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        };
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
        if self != Self::Json {
            headers.insert(TOTAL, total.into());
            headers.extend(partial.and_then(|why| Some((PARTIAL, HeaderValue::from_str(why).ok()?))));
        }
        if self == Self::Csv {
            let name = HeaderValue::from_static("attachment; filename=\"events.csv\"");
            headers.insert(header::CONTENT_DISPOSITION, name);
        }
        response
    }
}

/// The form of the media type with the highest weight (RFC 9110 section 12.5.1); of equal ones the first.
fn preferred<'a>(ranges: impl Iterator<Item = &'a str>) -> Form {
    let mut best = (0.0, Form::Json);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/json" | "application/*" | "*/*" => Form::Json,
            "application/x-ndjson" | "application/ndjson" => Form::Ndjson,
            "text/csv" => Form::Csv,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
        let weight = weight.unwrap_or(0.0);
        if weight > best.0 {
            best = (weight, form);
        }
    }
    best.1
}

/// Writes hits.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pub(super) form: Form,
    pub(super) picked: Picked,
    /// Of the times in CSV.
    pub(super) zone: TimeZone,
}

impl Writer {
    /// What stands before the hits.
    pub(super) fn head(&self, total: u64) -> Vec<u8> {
        let mut out = Vec::new();
        match self.form {
            Form::Json => out.extend(format!("{{\"total\":{total},\"hits\":[").into_bytes()),
            Form::Ndjson => {}
            Form::Csv => row(self.columns().map(|name| (name.to_owned(), true)), &mut out),
        }
        out
    }

    /// Appends a hit to a page of them.
    ///
    /// # Errors
    /// Those of writing JSON.
    pub(super) fn hit(&self, id: EventId, document: Document, page: &mut Vec<u8>) -> serde_json::Result<()> {
        match self.form {
            Form::Json => {
                if !page.is_empty() {
                    page.push(b',');
                }
                serde_json::to_writer(page, &hit_json(id, self.picked.of_document(document)))
            }
            Form::Ndjson => {
                serde_json::to_writer(&mut *page, &hit_json(id, self.picked.of_document(document)))?;
                page.push(b'\n');
                Ok(())
            }
            Form::Csv => {
                row(self.columns().map(|name| cell(id, &document, name, &self.zone)), page);
                Ok(())
            }
        }
    }

    fn columns(&self) -> impl Iterator<Item = &str> {
        let names = self.picked.names();
        let usual = if names.is_empty() { &COLUMNS[..] } else { &[] };
        usual.iter().copied().chain(names.iter().map(String::as_str))
    }
}

/// The document with its `_id` before everything else.
pub(super) fn hit_json(id: EventId, document: Document) -> Document {
    let mut hit = Document::with_capacity(document.len() + 1);
    hit.insert("_id".to_owned(), id.to_string().into());
    hit.extend(document);
    hit
}

/// The text of a field, times in a zone, and whether it is text there.
fn cell(id: EventId, document: &Document, name: &str, zone: &TimeZone) -> (String, bool) {
    if name == event::field::ID {
        return (id.to_string(), false);
    }
    let paths = query::paths(name);
    match paths.iter().find_map(|path| member(document, path)) {
        Some(Value::String(text))
            if *zone != TimeZone::UTC && FieldKind::of(&paths[0]) == FieldKind::Date =>
        {
            let local = Timestamp::parse(text).map(|time| local(time, zone));
            (local.unwrap_or_else(|_| text.clone()), true)
        }
        None | Some(Value::Null) => (String::new(), false),
        Some(Value::String(text)) => (text.clone(), true),
        Some(value) => (value.to_string(), false),
    }
}

/// A time as clocks of a zone show it, with its offset.
fn local(time: Timestamp, zone: &TimeZone) -> String {
    time.to_jiff().to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
}

#[cfg(test)]
mod tests {
    use event::{JournalId, Position};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_form_is_the_one_that_the_client_would_rather_have() {
        for (accept, expected) in [
            ("", Form::Json),
            ("*/*", Form::Json),
            ("text/csv", Form::Csv),
            ("TEXT/CSV, */*;q=0.1", Form::Csv),
            ("application/json, text/csv", Form::Json),
            ("application/json;q=0.5, application/x-ndjson", Form::Ndjson),
            ("application/ndjson; q=0.9, text/csv;q=0.8", Form::Ndjson),
            ("text/csv;q=0", Form::Json),
            ("text/html", Form::Json),
        ] {
            assert_eq!(preferred(accept.split(',')), expected, "{accept}");
        }
    }

    #[test]
    fn records_are_quoted_and_never_formulas() {
        let id = EventId { journal: JournalId(1), position: Position::default() };
        let document = json!({
            "message": "say \"hi\", then\nleave", "user": {"name": "=cmd|' /C calc'!A0"}, "source": {"port": -5},
            "log": {"level": "-"}, "labels": {"list": ["a", 1], "at": "@SUM(1)", "tab": "\tx", "plus": "+1", "blank": " x", "source": {"ip": "?"}},
        });
        let names = [
            "message",
            "user.name",
            "source.port",
            "level",
            "list",
            "at",
            "tab",
            "plus",
            "blank",
            "source.ip",
        ];
        let writer = Writer { form: Form::Csv, picked: Picked::named(&names), zone: TimeZone::UTC };
        let mut page = writer.head(7);
        writer.hit(id, document.as_object().unwrap().clone(), &mut page).unwrap();
        assert_eq!(
            String::from_utf8(page).unwrap(),
            "message,user.name,source.port,level,list,at,tab,plus,blank,source.ip\r\n\
             \"say \"\"hi\"\", then\nleave\",'=cmd|' /C calc'!A0,-5,'-,\"[\"\"a\"\",1]\",'@SUM(1),'\tx,'+1,\" x\",?\r\n"
        );
        let zone = query::zone("Europe/Berlin").unwrap();
        let usual = Writer { form: Form::Csv, picked: Picked::default(), zone };
        let mut page = usual.head(0);
        assert_eq!(page, b"@timestamp,log.level,host.name,service.name,message,_id\r\n");
        page.clear();
        let document = json!({"@timestamp": "2024-06-01T12:00:00.25Z", "message": "2024-06-01T12:00:00Z"});
        usual.hit(id, document.as_object().unwrap().clone(), &mut page).unwrap();
        assert!(page.starts_with(b"2024-06-01T14:00:00.25+02:00,,,,2024-06-01T12:00:00Z,"));
    }
}
