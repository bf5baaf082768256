//! Reports of several parts that some programs print at the margin, with empty lines between them.

use super::traces::{is_crash, is_exception_of_python, is_frame, is_link, is_rails_exception};

/// Which report an event is, and what was seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// A request to Rails in development.
    Rails,
    /// It was answered; an exception may follow.
    RailsEnd,
    /// The exception has a message of several lines.
    RailsMessage,
    /// Frames follow.
    RailsError,
    /// The place of a crash of Node.js; its source line follows.
    Node,
    /// The source line was seen; a caret and, behind an empty line, the error follow.
    NodeSource,
    /// The error and its message.
    NodeError,
    NodeFrames,
    /// A crash of Ruby.
    Ruby,
    /// The source line of it was seen.
    RubySource,
    /// A line of `=`.
    SanitizerHead,
    Sanitizer,
    /// The summary was seen.
    SanitizerEnd,
    /// What Python prints when a record cannot be logged.
    LoggingError,
    /// No line continues it.
    Over,
}

const SHADOW: [&str; 4] = ["Shadow bytes ", "Shadow byte legend", "=>", "HINT: "];

impl Block {
    /// The report that begins with a line.
    pub(super) fn of_head(head: &str) -> Option<Self> {
        let text = head.trim_end();
        let is_request = || {
            let mut words = text.split(' ').skip(1);
            words.next().is_some_and(|method| method.bytes().all(|byte| byte.is_ascii_uppercase()))
                && words.next().is_some_and(|path| path.starts_with('"'))
        };
        if text.starts_with("Started ") && is_request() {
            Some(Self::Rails)
        } else if text == "--- Logging error ---" {
            Some(Self::LoggingError)
        } else if text.len() >= 16 && text.bytes().all(|byte| byte == b'=') {
            Some(Self::SanitizerHead)
        } else if is_sanitizer(text) {
            Some(Self::Sanitizer)
        } else if is_script(text) {
            Some(Self::Node)
        } else if is_crash(text) {
            Some(Self::Ruby)
        } else {
            None
        }
    }

    /// The report with an indented line more.
    pub(super) fn indented(self, trimmed: &str) -> Self {
        match self {
            Self::Node if is_caret(trimmed) => Self::NodeSource,
            Self::NodeError if trimmed.starts_with("at ") => Self::NodeFrames,
            same => same,
        }
    }

    /// The report with a line more that stands at the margin, behind so many empty ones; None when the line is none of it.
    pub(super) fn next(self, text: &str, blanks: usize) -> Option<Self> {
        let text = text.trim_end();
        match self {
            Self::Rails | Self::RailsEnd | Self::RailsMessage | Self::RailsError => self.rails(text, blanks),
            Self::Node | Self::NodeSource | Self::NodeError | Self::NodeFrames => self.node(text, blanks),
            Self::Ruby if blanks == 1 => Some(Self::RubySource),
            Self::Ruby | Self::RubySource => {
                let is_more = is_caret(text) || text.starts_with("Did you mean?");
                (blanks <= 1 && is_more).then_some(self)
            }
            Self::SanitizerHead => (blanks == 0 && is_sanitizer(text)).then_some(Self::Sanitizer),
            Self::Sanitizer if text.starts_with("SUMMARY: ") => Some(Self::SanitizerEnd),
            Self::Sanitizer => (blanks <= 2).then_some(self),
            Self::SanitizerEnd => {
                let is_end = text.ends_with("==ABORTING") || text.bytes().all(|byte| byte == b'=');
                match is_end && blanks == 0 {
                    true => Some(Self::Over),
                    false => SHADOW.iter().any(|start| text.starts_with(start)).then_some(self),
                }
            }
            Self::LoggingError => {
                let is_part =
                    ["Traceback (most recent call last)", "Call stack:", "Message: ", "Unable to print "]
                        .iter()
                        .any(|start| text.starts_with(start))
                        || is_link(text)
                        || is_exception_of_python(text);
                match text.starts_with("Arguments: ") {
                    true => Some(Self::Over),
                    false => (blanks == 0 || is_link(text)).then_some(self).filter(|_| is_part),
                }
            }
            Self::Over => None,
        }
    }

    fn rails(self, text: &str, blanks: usize) -> Option<Self> {
        match self {
            _ if text.starts_with("Started ") => None,
            _ if blanks <= 3 && self != Self::RailsMessage && is_rails_exception(text) => {
                Some(if text.ends_with("):") { Self::RailsError } else { Self::RailsMessage })
            }
            Self::Rails if text.starts_with("Completed ") => Some(Self::RailsEnd),
            Self::Rails => (blanks == 0).then_some(self),
            Self::RailsMessage if text.ends_with("):") => Some(Self::RailsError),
            Self::RailsMessage if is_frame(text) => Some(Self::RailsError),
            Self::RailsMessage => (blanks == 0).then_some(self),
            _ => (self == Self::RailsError && blanks <= 2 && (is_frame(text) || text == "Causes:"))
                .then_some(self),
        }
    }

    fn node(self, text: &str, blanks: usize) -> Option<Self> {
        match self {
            Self::Node if blanks == 0 => Some(Self::NodeSource),
            Self::NodeSource if blanks == 0 => is_caret(text).then_some(self),
            Self::NodeSource => (blanks == 1).then_some(Self::NodeError),
            Self::NodeError if blanks == 0 => Some(self),
            _ if text.starts_with("Node.js v") => Some(Self::Over),
            _ => text.starts_with("(Use `node --trace-").then_some(self),
        }
    }
}

/// `==7==ERROR: AddressSanitizer: …`, `WARNING: ThreadSanitizer: …`.
fn is_sanitizer(text: &str) -> bool {
    let rest = text.strip_prefix("==").map_or(text, |rest| {
        rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).strip_prefix("==").unwrap_or(text)
    });
    rest.strip_prefix("ERROR: ")
        .or_else(|| rest.strip_prefix("WARNING: "))
        .and_then(|rest| rest.split([':', ' ']).next())
        .is_some_and(|name| name.ends_with("Sanitizer"))
}

/// `node:internal/modules/cjs/loader:1080`, `/srv/a.js:3`.
fn is_script(text: &str) -> bool {
    let Some((path, line)) = text.rsplit_once(':') else { return false };
    let has_line = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    let is_of_node = path.starts_with("node:") && !path.contains(' ');
    has_line
        && (is_of_node
            || [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"]
                .iter()
                .any(|end| path.ends_with(end)))
}

/// Nothing but what points at a place in the line above.
fn is_caret(text: &str) -> bool {
    text.contains('^') && text.bytes().all(|byte| matches!(byte, b'^' | b'~' | b' ' | b'\t'))
}
