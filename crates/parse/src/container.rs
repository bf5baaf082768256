//! Lines of container runtimes: what they say of a line of a program, and that line.

use std::borrow::Cow;

use crate::cut;

/// A line in a runtime's form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) stamp: &'a str,
    pub(crate) stream: &'a str,
    /// The line goes on with the next part of the stream.
    pub(crate) is_partial: bool,
    pub(crate) text: Cow<'a, str>,
}

/// `2026-10-22T21:59:01.1Z stdout F text`, as CRI runtimes write it.
pub(crate) fn cri(line: &str) -> Option<Part<'_>> {
    let (stamp, rest) = line.split_at_checked(line.bytes().take(40).position(|byte| byte == b' ')?)?;
    if !stamp.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let (stream, rest) = rest.strip_prefix(' ')?.split_at_checked(6)?;
    if !matches!(stream, "stdout" | "stderr") {
        return None;
    }
    let rest = rest.strip_prefix(' ')?;
    let (tags, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_partial = match tags.split(':').next()? {
        "P" => true,
        "F" => false,
        _ => return None,
    };
    Some(Part { stamp, stream, is_partial, text: Cow::Borrowed(text) })
}

/// Whether a line begins as one of a CRI runtime does.
pub(crate) fn is_cri(line: &[u8]) -> bool {
    let blank = line.iter().take(40).position(|byte| *byte == b' ');
    blank.is_some_and(|blank| {
        line[blank + 1..].starts_with(b"stdout ") || line[blank + 1..].starts_with(b"stderr ")
    })
}

/// `{"log":"text\n","stream":"stdout","time":"…"}`, as Docker writes it.
pub(crate) fn docker(line: &str) -> Option<Part<'_>> {
    const HEAD: &str = "{\"log\":";
    #[derive(serde::Deserialize)]
    struct Docker<'a> {
        #[serde(borrow)]
        log: Cow<'a, str>,
        stream: &'a str,
        time: &'a str,
    }
    if !line.starts_with(HEAD) {
        return None;
    }
    let Docker { log, stream, time } = serde_json::from_str(line).ok()?;
    let is_partial = !log.ends_with('\n');
    let text = match log {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
        Cow::Owned(text) => Cow::Owned(text.strip_suffix('\n').unwrap_or(&text).to_owned()),
    };
    Some(Part { stamp: time, stream, is_partial, text })
}

/// The text of CRI lines that belong together, or of Docker's where there are several, with the stamp and the stream of
/// the first. Part of the text itself as long as that is one line.
pub(crate) fn parts(text: &str) -> Option<Part<'_>> {
    // As each of these lines begins.
    if text.as_bytes().get(10) != Some(&b'T') && !text.starts_with('{') {
        return None;
    }
    let (head, rest) = cut::once(text, b'\n').unwrap_or((text, ""));
    let head = head.strip_suffix('\r').unwrap_or(head);
    let is_docker = head.starts_with('{');
    if is_docker && rest.is_empty() {
        return None;
    }
    let read = if is_docker { docker } else { cri };
    let first = read(head)?;
    if rest.is_empty() {
        return Some(first);
    }
    let (mut joined, mut is_partial) = (first.text.into_owned(), first.is_partial);
    for line in rest.lines() {
        let part = read(line);
        if !std::mem::replace(&mut is_partial, part.as_ref().is_some_and(|part| part.is_partial)) {
            joined.push('\n');
        }
        joined.push_str(part.as_ref().map_or(line, |part| &part.text));
    }
    joined.truncate(joined.trim_end_matches('\n').len());
    Some(Part { text: joined.into(), ..first })
}
