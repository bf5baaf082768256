//! What the headers say of a body: its form and how it is compressed.

use axum::http::{HeaderMap, header};
use parse::Format;
use problem::{Problem, StatusCode};

use crate::Packing;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or RFC 1951 alone.
    Deflate,
    /// RFC 8878.
    Zstd,
}

/// The form that `Content-Type` names; None without one, and then the body is looked at: [`sniff`].
///
/// # Errors
/// 415 for a type or a charset that is not taken.
pub fn format(headers: &HeaderMap) -> Result<Option<Format>, Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(None) };
    let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
    let media_type = text.split(';').next().unwrap_or_default().trim();
    if let Some(charset) = charset(&text)
        && !matches!(charset, "utf-8" | "utf8" | "us-ascii" | "ascii")
    {
        return Err(unsupported(format!(
            "The charset '{}' is not supported. Send the body as UTF-8.",
            charset.chars().take(100).collect::<String>()
        )));
    }
    match media_type {
        "application/json" | "text/json" => Ok(Some(Format::Json)),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonl"
        | "application/jsonlines" | "application/x-jsonlines" | "application/json-lines" | "application/json-seq"
        | "text/x-ndjson" => Ok(Some(Format::Ndjson)),
        "text/plain" => Ok(Some(Format::Lines)),
        "" => Ok(None),
        json if json.starts_with("application/") && json.ends_with("+json") => Ok(Some(Format::Json)),
        json if json.starts_with("application/") && json.ends_with("+x-ndjson") => Ok(Some(Format::Ndjson)),
        "application/x-www-form-urlencoded" => Err(unsupported(
            "A form cannot be stored. `curl -d` declares one unless told otherwise: \
             add -H 'Content-Type: application/json' for JSON, or -H 'Content-Type: text/plain' for plain lines."
                .to_owned(),
        )),
        other => Err(unsupported(format!(
            "'{}' cannot be stored. Send application/json (an object, an array, or one object a line), \
             application/x-ndjson, or text/plain (one event a line).",
            other.chars().take(100).collect::<String>()
        ))),
    }
}

/// The parameter `charset` of a media type in lower case, quoted or not.
fn charset(text: &str) -> Option<&str> {
    text.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name.trim() == "charset").then(|| value.trim().trim_matches('"').trim())
    })
}

fn unsupported(detail: String) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The body's type is not supported",
        detail,
    )
    .field("Content-Type")
}

/// How `Content-Encoding` says that the body is compressed.
///
/// # Errors
/// 415 for an encoding that is not taken, or several at once.
pub fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let mut found = Encoding::Identity;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        for name in text.split(',').map(str::trim) {
            let encoding = match name {
                "" | "identity" => continue,
                "gzip" | "x-gzip" => Encoding::Gzip,
                "deflate" => Encoding::Deflate,
                "zstd" => Encoding::Zstd,
                other => {
                    let other: String = other.chars().take(100).collect();
                    return Err(unsupported_encoding(format!("'{other}' is not supported")));
                }
            };
            if found != Encoding::Identity {
                return Err(unsupported_encoding("A body may be compressed once only".to_owned()));
            }
            found = encoding;
        }
    }
    Ok(found)
}

fn unsupported_encoding(what: String) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_content_encoding",
        "The body's compression is not supported",
        format!("{what}: send gzip, zstd, deflate, or an uncompressed body."),
    )
    .field("Content-Encoding")
}

/// How a body of log lines is compressed that need not say so: as its header says, else as its first bytes do.
///
/// # Errors
/// 415 for what is packed in a way that is not unpacked here.
pub fn unpacking(body: &[u8], encoding: Encoding) -> Result<Encoding, Problem> {
    match (encoding, Packing::of(body)) {
        (Encoding::Identity, Some(Packing::Gzip)) => Ok(Encoding::Gzip),
        (Encoding::Identity, Some(Packing::Zstd)) => Ok(Encoding::Zstd),
        (Encoding::Identity, Some(packing)) => {
            Err(unsupported_encoding(format!("'{}' is not supported", packing.name())))
        }
        (encoding, _) => Ok(encoding),
    }
}

/// Refuses what is still packed.
///
/// # Errors
/// 415, naming the packing.
pub fn plain(body: &[u8]) -> Result<(), Problem> {
    match Packing::of(body) {
        Some(packing) => Err(unsupported_encoding(format!(
            "What is in the body is packed once more, as '{}'",
            packing.name()
        ))),
        None => Ok(()),
    }
}

/// The form of a body without a `Content-Type`: JSON when it begins like an object or like a list
/// of objects, else plain lines.
pub fn sniff(body: &[u8]) -> Format {
    let mut bytes = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
    match (bytes.next(), bytes.next()) {
        (Some(b'{'), _) | (Some(b'['), Some(b'{' | b']')) => Format::Json,
        _ => Format::Lines,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn media_types() {
        for (text, expected) in [
            ("application/json", Some(Some(Format::Json))),
            ("Application/JSON; charset=utf-8", Some(Some(Format::Json))),
            ("application/vnd.acme.log+json", Some(Some(Format::Json))),
            ("application/x-ndjson", Some(Some(Format::Ndjson))),
            ("application/jsonl", Some(Some(Format::Ndjson))),
            ("text/plain; charset=us-ascii", Some(Some(Format::Lines))),
            ("text/plain; format=flowed; charset=\"UTF-8\"", Some(Some(Format::Lines))),
            ("text/plain; charset=iso-8859-1", None),
            ("application/json;charset=utf-16", None),
            ("", Some(None)),
            ("application/x-www-form-urlencoded", None),
            ("application/xml", None),
            ("text/html", None),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(text))]);
            assert_eq!(format(&headers).ok(), expected, "{text}");
        }
        assert_eq!(format(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn encodings() {
        for (texts, expected) in [
            (&["gzip"][..], Some(Encoding::Gzip)),
            (&["X-GZIP"], Some(Encoding::Gzip)),
            (&["identity"], Some(Encoding::Identity)),
            (&["identity, zstd"], Some(Encoding::Zstd)),
            (&["deflate"], Some(Encoding::Deflate)),
            (&["gzip, gzip"], None),
            (&["gzip", "zstd"], None),
            (&["br"], None),
        ] {
            let headers =
                texts.iter().map(|text| (header::CONTENT_ENCODING, HeaderValue::from_static(text))).collect();
            let mut map = HeaderMap::new();
            for (name, value) in Vec::<(header::HeaderName, HeaderValue)>::from_iter::<Vec<_>>(headers) {
                map.append(name, value);
            }
            assert_eq!(encoding(&map).ok(), expected, "{texts:?}");
        }
    }

    #[test]
    fn bodies_without_a_type_are_looked_at() {
        for (body, expected) in [
            ("{\"message\":1}", Format::Json),
            (" \n[ {", Format::Json),
            ("[]", Format::Json),
            ("[error] disk full", Format::Lines),
            ("Jun  1 12:00:00 host sshd[1]: x", Format::Lines),
        ] {
            assert_eq!(sniff(body.as_bytes()), expected, "{body}");
        }
    }
}
