//! Whether a line continues the event before it, as the presets have it.

use super::{
    blocks::Block,
    kind::{Kind, kind_of, open_brackets},
    postgres,
    rules::Joining,
    traces::{
        is_call, is_closing, is_crash, is_exception, is_exception_of_python, is_frame, is_java_header,
        is_link, is_python_place, is_rails_exception, is_register,
    },
};
use crate::{
    container, level,
    stamped::{begins_with_time, has_time},
    windows,
};

/// Lines at the margin that are taken for the message of an exception, until its first frame.
const MESSAGE_LINES_MAX: u8 = 32;
/// What tells a time from one that a container's runtime wrote: its stream follows within so many bytes.
const RUNTIME_HEAD_BYTES: usize = 48;

/// What continues an event wherever it stands at the margin.
const ALWAYS: [&str; 16] = [
    "Caused by:",
    "Wrapped by: ",
    "Suppressed: ",
    "[CIRCULAR REFERENCE",
    "Error has been observed at the following site",
    "Original Stack Trace:",
    "Stack backtrace:",
    "Location:",
    "... ",
    "--- End of ",
    "---> ",
    "Stack trace:",
    "stack backtrace:",
    "[stacktrace]",
    "note: run with `RUST_BACKTRACE",
    "goroutine ",
];

/// Decides line by line. What costs is only asked of the first line when a line comes that may continue it.
#[derive(Debug)]
pub(crate) struct Joiner<'j, 'b> {
    joining: Option<&'j Joining>,
    /// The first line of the event.
    head: &'b [u8],
    kind: Option<Kind>,
    lines: usize,
    bytes: usize,
    /// Empty lines since the last one that was not.
    blanks: usize,
    /// The number of the next frame of a numbered trace.
    frame: u32,
    /// Of a container's last line: its stream, and whether it goes on.
    part: Option<(bool, bool)>,
    /// How many more lines may be of an exception's message.
    message_lines: u8,
    pub(crate) is_rest: bool,
}

impl<'j, 'b> Joiner<'j, 'b> {
    pub(crate) fn new(joining: Option<&'j Joining>) -> Self {
        Self {
            joining,
            head: &[],
            kind: None,
            lines: 0,
            bytes: 0,
            blanks: 0,
            frame: 0,
            part: None,
            message_lines: 0,
            is_rest: false,
        }
    }

    /// Whether nothing can continue the event.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.joining {
            None => true,
            Some(joining) if joining.start.is_some() => self.lines == 0,
            Some(joining) => {
                self.lines == 0
                    || !joining.presets
                    || (!matches!(self.part, Some((_, true))) && self.kind() == Kind::Closed)
            }
        }
    }

    /// Whether the event is surely not whole yet.
    pub(crate) fn is_open(&mut self) -> bool {
        let has_presets = self.joining.is_some_and(|joining| joining.presets && joining.start.is_none());
        has_presets
            && self.lines > 0
            && (matches!(self.part, Some((_, true))) || matches!(self.kind(), Kind::Json(_) | Kind::Xml))
    }

    /// Whether the event ends before a line of which this is the begin, however it goes on.
    pub(crate) fn is_ended_by(&self, begin: &[u8]) -> bool {
        let has_presets = self.joining.is_some_and(|joining| joining.presets && joining.start.is_none());
        has_presets && begin.len() >= RUNTIME_HEAD_BYTES && self.is_plain_start(begin)
    }

    /// Whether a line continues the event before; else it begins one. Blank lines do neither: they stand within an
    /// event when one behind continues it.
    pub(crate) fn continues(&mut self, line: &'b [u8]) -> bool {
        let Some(joining) = self.joining else { return false };
        if line.trim_ascii().is_empty() {
            self.blanks += 1;
            return false;
        }
        let (goes_on, part) = if joining.start.is_none() && joining.presets && self.is_plain_start(line) {
            (false, None)
        } else {
            let text = String::from_utf8_lossy(line);
            let part = Some(&text).filter(|_| joining.presets).and_then(|text| part(text));
            let mark = part.as_ref().map(|part| (part.stream == "stderr", part.is_partial));
            let text = part.as_ref().map_or(text.as_ref(), |part| &part.text);
            if self.is_blank_within(text, mark) && self.fits(joining, line) {
                (self.blanks, self.bytes) = (self.blanks + 1, self.bytes + line.len() + 1);
                return true;
            }
            (self.lines > 0 && self.goes_on(joining, text, mark, line), mark)
        };
        let fits = self.fits(joining, line);
        let (lines, bytes) = (self.lines + 1 + self.blanks, self.bytes + line.len() + 1);
        self.blanks = 0;
        self.part = part;
        match (goes_on, fits) {
            (true, true) => (self.lines, self.bytes) = (lines, bytes),
            // What is left is of the same kind.
            (true, false) => (self.lines, self.bytes, self.is_rest) = (1, line.len() + 1, true),
            (false, _) => {
                *self = Self { head: line, lines: 1, bytes: line.len() + 1, part, ..Self::new(self.joining) };
            }
        }
        goes_on && fits
    }

    fn fits(&self, joining: &Joining, line: &[u8]) -> bool {
        self.lines + self.blanks < joining.lines_max && self.bytes + line.len() < joining.bytes_max
    }

    /// Whether a container's line is an empty line of its program, within what may have some.
    fn is_blank_within(&mut self, text: &str, part: Option<(bool, bool)>) -> bool {
        let is_same = matches!((self.part, part), (Some((of, false)), Some((next, false))) if of == next);
        is_same
            && self.lines > 0
            && text.trim().is_empty()
            && match self.kind() {
                Kind::Any => self.lines > 1,
                kind => kind != Kind::Closed,
            }
    }

    /// Nearly every line: it has a time of its own, and so had the one before.
    fn is_plain_start(&self, line: &[u8]) -> bool {
        !matches!(self.head.first(), Some(b'{' | b'<' | b'#'))
            && line.first().is_some_and(|first| first.is_ascii_alphanumeric() || *first == b'[')
            && begins_with_time(line)
            && !container::is_cri(line)
            && !postgres::may_be_part(self.head, line)
    }

    fn kind(&mut self) -> Kind {
        match self.kind {
            Some(kind) => kind,
            None => {
                let kind = self.of_head(kind_of);
                *self.kind.insert(kind)
            }
        }
    }

    /// What the text of the first line says.
    fn of_head<T>(&self, ask: impl FnOnce(&str) -> T) -> T {
        let head = String::from_utf8_lossy(self.head);
        let part = part(&head);
        ask(part.as_ref().map_or(head.as_ref(), |part| &part.text))
    }

    /// Whether the first line is one that a logger may print an exception below: it has a time or a level, and does not
    /// say that all is well.
    fn has_header(&self) -> bool {
        self.of_head(|head| match header_level(head) {
            Some(severity) => severity > event::Severity::Info,
            None => has_time(head),
        })
    }

    fn is_indented(&self) -> bool {
        self.of_head(|head| head.starts_with([' ', '\t']))
    }

    fn goes_on(&mut self, joining: &Joining, text: &str, part: Option<(bool, bool)>, line: &[u8]) -> bool {
        if let Some(start) = &joining.start {
            return !start.is_match(line);
        }
        if !joining.presets {
            return false;
        }
        match (self.part, part) {
            (Some((stream, true)), Some((next, _))) => return stream == next,
            (Some((stream, false)), Some((next, _))) if stream == next => {}
            (None, None) => {}
            _ => return false,
        }
        self.kind() != Kind::Closed && self.continues_text(text)
    }

    fn continues_text(&mut self, text: &str) -> bool {
        let trimmed = text.trim_start();
        let is_indented = trimmed.len() < text.len();
        let kind = self.kind();
        if let Kind::Json(depth) = kind {
            return self.json(depth, text);
        }
        if !is_indented && has_time(text) {
            return self.of_head(|head| postgres::part(head, text)).is_some();
        }
        if kind == Kind::Xml {
            if text.contains("</Event>") {
                self.kind = Some(Kind::Closed);
            }
            return !windows::begins(trimmed);
        }
        if windows::begins(trimmed) {
            return false;
        }
        if has_time(text) {
            return false;
        }
        if !is_indented {
            return self.continues_unindented(text);
        }
        let is_below = !self.is_indented() || (kind == Kind::Python && !self.is_group(trimmed));
        if !is_below || (self.blanks > 0 && kind == Kind::Any) {
            return false;
        }
        self.indented(kind, trimmed);
        true
    }

    /// Takes notice of an indented line of the event.
    fn indented(&mut self, kind: Kind, trimmed: &str) {
        if trimmed.starts_with("at ") || trimmed.starts_with("from ") {
            self.message_lines = 0;
        }
        if let Kind::Block(block) = kind {
            self.kind = Some(Kind::Block(block.indented(trimmed)));
        } else if trimmed.starts_with("Traceback (most recent call last)")
            || (kind == Kind::Any && is_python_place(trimmed))
        {
            self.kind = Some(Kind::Python);
        }
    }

    /// Whether a line begins another group of Python's exceptions, as the event's first line does.
    fn is_group(&self, trimmed: &str) -> bool {
        const GROUP: &str = "+ Exception Group Traceback";
        trimmed.starts_with(GROUP) && self.of_head(|head| head.trim_start().starts_with(GROUP))
    }

    /// What follows may be more lines of an exception's message, where other events have times.
    fn expect_message(&mut self) {
        if self.of_head(has_time) {
            self.message_lines = MESSAGE_LINES_MAX;
        }
    }

    /// Lines that stand at the margin and are no events.
    fn continues_unindented(&mut self, text: &str) -> bool {
        if let Kind::Block(block) = self.kind()
            && let Some(next) = block.next(text, self.blanks)
        {
            self.kind = Some(if next == Block::Over { Kind::Closed } else { Kind::Block(next) });
            return true;
        }
        if self.blanks == 0 && ALWAYS.iter().any(|start| text.starts_with(start)) {
            if text.starts_with("goroutine ") {
                self.kind = Some(Kind::Go);
            }
            if text.starts_with("Caused by:") {
                self.expect_message();
            }
            return !text.starts_with("... ") || text.ends_with(" more");
        }
        let chained = text.strip_prefix("Next ").is_some_and(is_exception);
        if chained && self.blanks <= 1 {
            self.frame = 0;
            return true;
        }
        if self.blanks == 0 && (self.numbered_frame(text) || (is_frame(text) && !is_crash(text))) {
            self.message_lines = 0;
            return true;
        }
        if self.blanks == 0 && self.lines > 1 && is_closing(text) {
            return true;
        }
        self.is_named_below(text) || self.is_of_kind(text) || self.is_of_message(text)
    }

    /// Whether a line names what went wrong, below a line of a logger.
    fn is_named_below(&mut self, text: &str) -> bool {
        let is_below_time = self.lines == 1 && self.blanks == 0 && self.of_head(has_time);
        if is_below_time && text.starts_with("Stack (most recent call last)") {
            return true;
        }
        // What a logger prints below its own line.
        let is_below_header = match self.lines {
            1 => self.has_header(),
            2 => self.of_head(|head| is_java_header(head.trim_end())),
            _ => false,
        };
        if self.blanks > 0 || !is_below_header {
            return false;
        }
        if text.starts_with("Traceback (most recent call last)") {
            self.kind = Some(Kind::Python);
        } else if is_crash(text) && self.of_head(has_time) {
            self.kind = Some(Kind::Block(Block::Ruby));
        } else if is_rails_exception(text) {
            self.kind = Some(Kind::Block(Block::RailsError));
        } else if is_exception(text) {
            self.expect_message();
        } else {
            return false;
        }
        true
    }

    /// Whether a line is one more of an exception's message.
    fn is_of_message(&mut self, text: &str) -> bool {
        if self.lines == 1 && self.has_header() && self.of_head(names_exception) {
            self.expect_message();
        }
        let word = text.split_ascii_whitespace().next().unwrap_or_default();
        let is_level = !word.bytes().any(|byte| byte.is_ascii_lowercase())
            && level::of_token(word.trim_matches(['[', ']', ':'])).is_some();
        if self.message_lines == 0 || self.blanks > 0 || is_level {
            return false;
        }
        self.message_lines -= 1;
        true
    }

    fn is_of_kind(&mut self, text: &str) -> bool {
        match self.kind() {
            kind @ (Kind::Python | Kind::PythonEnd | Kind::PythonLinked) => self.python(kind, text),
            Kind::Go => {
                is_call(text)
                    || is_register(text)
                    || ["goroutine ", "created by ", "exit status ", "[signal ", "runtime stack:"]
                        .iter()
                        .any(|start| text.starts_with(start))
            }
            Kind::RustHead => {
                self.kind = Some(Kind::Rust);
                self.blanks == 0
            }
            Kind::Rust => text.starts_with("note: ") || text.starts_with("stack backtrace:"),
            Kind::JavaHead => {
                self.kind = Some(Kind::Any);
                let level = text.split_once(": ").map_or("", |(level, _)| level);
                matches!(level, "SEVERE" | "WARNING" | "INFO" | "CONFIG" | "FINE" | "FINER" | "FINEST")
            }
            Kind::Slow => {
                !text.starts_with("# Time: ") && (!text.starts_with("# User@Host") || self.lines == 1)
            }
            _ => false,
        }
    }

    fn python(&mut self, kind: Kind, text: &str) -> bool {
        let next = match kind {
            // The exception ends its trace.
            Kind::Python if self.blanks == 0 && is_exception_of_python(text) => Kind::PythonEnd,
            Kind::PythonEnd if is_link(text) => Kind::PythonLinked,
            Kind::PythonLinked if text.starts_with("Traceback (most recent call last)") => Kind::Python,
            _ => return false,
        };
        if next == Kind::PythonEnd {
            self.expect_message();
        }
        self.kind = Some(next);
        true
    }

    fn json(&mut self, depth: u32, text: &str) -> bool {
        if !text.starts_with([' ', '\t', '"', '}', ']', '{', '['])
            || (text.starts_with('[') && has_time(text))
        {
            return false;
        }
        let depth = open_brackets(depth, text);
        self.kind = Some(if depth == 0 { Kind::Closed } else { Kind::Json(depth) });
        true
    }

    /// `#0 /srv/a.php(7): f()`, `0: std::panicking` and what follows them in order.
    fn numbered_frame(&mut self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix('#') else { return false };
        let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        let is_next = rest[end..].starts_with(' ') && rest[..end].parse() == Ok(self.frame);
        if is_next {
            self.frame += 1;
        }
        is_next
    }
}

/// `Failed: java.lang.IllegalStateException: text`: whether a line names an exception with its package.
fn names_exception(head: &str) -> bool {
    head.split(' ').any(|word| word.ends_with(':') && word.contains('.') && is_exception(word))
}

/// A line of a container runtime.
fn part(text: &str) -> Option<container::Part<'_>> {
    match text.as_bytes().first()? {
        byte if byte.is_ascii_digit() => container::cri(text),
        b'{' => container::docker(text),
        _ => None,
    }
}

/// The level in the header of a line. The digits of its time are no count that denies it.
pub(crate) fn header_level(head: &str) -> Option<event::Severity> {
    crate::level_from_message(head.trim_start_matches(|character: char| !character.is_ascii_alphabetic()))
}
