//! What an event is, by its first line.

use super::{
    blocks::Block,
    traces::{is_java_header, is_python_place},
};
use crate::windows;

/// What the event is so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    #[default]
    Any,
    /// No line continues it.
    Closed,
    Python,
    /// The exception was named; what says that another one is its cause may follow.
    PythonEnd,
    /// That was said.
    PythonLinked,
    Go,
    /// The next line is the message.
    RustHead,
    Rust,
    /// JSON that is spread over lines: how many brackets are open.
    Json(u32),
    /// The header of java.util.logging; its message is on the next line.
    JavaHead,
    /// The slow log of MySQL.
    Slow,
    /// An event of Windows in XML.
    Xml,
    Block(Block),
}

pub(super) fn kind_of(text: &str) -> Kind {
    let trimmed = text.trim_end();
    if let Some(rest) = trimmed.strip_prefix('{') {
        let is_spread = rest.is_empty()
            || (rest.trim_start().starts_with('"') && trimmed.ends_with([',', '{', '[', ':']));
        return if is_spread { Kind::Json(open_brackets(0, trimmed)) } else { Kind::Closed };
    }
    if let Some(block) = Block::of_head(text) {
        Kind::Block(block)
    } else if text.contains("Traceback (most recent call last)") || is_python_place(text.trim_start()) {
        Kind::Python
    } else if ["panic: ", "fatal error: ", "goroutine ", "SIG"].iter().any(|start| text.starts_with(start)) {
        Kind::Go
    } else if text.contains("' panicked at ")
        || (text.starts_with("thread '") && text.contains(" panicked at "))
    {
        if trimmed.ends_with(':') { Kind::RustHead } else { Kind::Rust }
    } else if text.starts_with("# Time: ") || text.starts_with("# User@Host: ") {
        Kind::Slow
    } else if windows::begins(text.trim_start()) {
        if text.contains("</Event>") { Kind::Closed } else { Kind::Xml }
    } else if is_java_header(trimmed) {
        Kind::JavaHead
    } else {
        Kind::Any
    }
}

/// How many brackets are open behind a line.
pub(super) fn open_brackets(depth: u32, text: &str) -> u32 {
    let (mut depth, mut in_text, mut escaped) = (depth, false, false);
    for byte in text.bytes() {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth
}
