//! Whether a line continues the event before it, as the presets have it.

use super::rules::Joining;
use crate::{
    container,
    stamped::{begins_with_time, has_time},
    windows,
};

/// What the event is so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
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
}

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
            (self.lines > 0 && self.goes_on(joining, text, mark, line), mark)
        };
        let fits = self.lines < joining.lines_max && self.bytes + line.len() < joining.bytes_max;
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

    /// Nearly every line: it has a time of its own, and so had the one before.
    fn is_plain_start(&self, line: &[u8]) -> bool {
        !matches!(self.head.first(), Some(b'{' | b'<' | b'#'))
            && line.first().is_some_and(|first| first.is_ascii_alphanumeric() || *first == b'[')
            && begins_with_time(line)
            && !container::is_cri(line)
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
            return false;
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
        if is_indented && !self.is_indented() && (self.blanks == 0 || kind != Kind::Any) {
            if trimmed.starts_with("Traceback (most recent call last)") {
                self.kind = Some(Kind::Python);
            }
            return true;
        }
        if is_indented {
            return false;
        }
        self.continues_unindented(text)
    }

    /// Lines that stand at the margin and are no events.
    fn continues_unindented(&mut self, text: &str) -> bool {
        if self.blanks == 0 && ALWAYS.iter().any(|start| text.starts_with(start)) {
            if text.starts_with("goroutine ") {
                self.kind = Some(Kind::Go);
            }
            return !text.starts_with("... ") || text.ends_with(" more");
        }
        let chained = text.strip_prefix("Next ").is_some_and(is_exception);
        if chained && self.blanks <= 1 {
            self.frame = 0;
            return true;
        }
        if self.blanks == 0 && (self.numbered_frame(text) || is_frame(text)) {
            return true;
        }
        if self.blanks == 0 && self.lines > 1 && is_closing(text) {
            return true;
        }
        // What a logger prints below its own line.
        let is_below_header = match self.lines {
            1 => self.has_header(),
            2 => self.of_head(|head| is_java_header(head.trim_end())),
            _ => false,
        };
        if self.blanks == 0 && is_below_header {
            if text.starts_with("Traceback (most recent call last)") {
                self.kind = Some(Kind::Python);
                return true;
            }
            if is_exception(text) {
                return true;
            }
        }
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
        const LINKS: [&str; 2] =
            ["During handling of the above exception", "The above exception was the direct cause"];
        let next = match kind {
            // The exception ends its trace.
            Kind::Python if self.blanks == 0 && is_exception_of_python(text) => Kind::PythonEnd,
            Kind::PythonEnd if LINKS.iter().any(|link| text.starts_with(link)) => Kind::PythonLinked,
            Kind::PythonLinked if text.starts_with("Traceback (most recent call last)") => Kind::Python,
            _ => return false,
        };
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

/// A line of a container runtime.
fn part(text: &str) -> Option<container::Part<'_>> {
    match text.as_bytes().first()? {
        byte if byte.is_ascii_digit() => container::cri(text),
        b'{' => container::docker(text),
        _ => None,
    }
}

pub(crate) fn kind_of(text: &str) -> Kind {
    let trimmed = text.trim_end();
    if let Some(rest) = trimmed.strip_prefix('{') {
        let is_spread = rest.is_empty()
            || (rest.trim_start().starts_with('"') && trimmed.ends_with([',', '{', '[', ':']));
        return if is_spread { Kind::Json(open_brackets(0, trimmed)) } else { Kind::Closed };
    }
    if text.contains("Traceback (most recent call last)") {
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

/// `Oct 22, 2026 9:59:01 PM com.example.Main run`.
fn is_java_header(text: &str) -> bool {
    let mut words = text.split(' ');
    let month = words
        .next()
        .is_some_and(|word| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    month
        && words.next().is_some_and(|day| day.ends_with(','))
        && words.nth(1).is_some_and(|clock| clock.contains(':'))
        && words.next().is_some_and(|half| matches!(half.trim_end_matches(','), "AM" | "PM"))
        && words.next().is_some_and(|class| class.contains('.'))
}

/// `java.lang.IllegalStateException: text`, `System.Exception`, `ValueError: text`.
fn is_exception(text: &str) -> bool {
    let text =
        text.strip_prefix("Uncaught ").or_else(|| text.strip_prefix("Unhandled exception. ")).unwrap_or(text);
    let end = text.find([':', ' ', '(']).unwrap_or(text.len());
    let name = &text[..end];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'\\');
    let class = name.split('$').next().unwrap_or_default();
    let is_named = ["Exception", "Error", "Throwable", "Fault"].iter().any(|last| class.ends_with(last));
    name.bytes().all(plain)
        && (is_named || (text[end..].starts_with(": ") && is_qualified(name)))
        && (name.contains('.') || text[end..].is_empty() || text[end..].starts_with(": "))
}

/// `com.example.PaymentDeclined`: a class in a package of a package.
fn is_qualified(name: &str) -> bool {
    let Some((package, class)) = name.rsplit_once('.') else { return false };
    package.contains('.')
        && package
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_'))
        && class.starts_with(|first: char| first.is_ascii_uppercase())
        && class.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn is_exception_of_python(text: &str) -> bool {
    let name = text.split(':').next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    !name.is_empty()
        && name.len() <= 100
        && name.bytes().all(plain)
        && (name.len() < text.len()
            || is_exception(text)
            || name.contains('.')
            || name.starts_with(|first: char| first.is_ascii_uppercase()))
}

/// `at com.example.Main.run(Main.java:7)` and Ruby's `app.rb:3:in 'run'` at the margin.
fn is_frame(text: &str) -> bool {
    (text.starts_with("at ") && text.contains('(') && text.trim_end().ends_with(')'))
        || (text.starts_with("from ") && text.contains(":in "))
        || text.split_once(":in ").is_some_and(|(place, _)| {
            let line = place.rsplit_once(':').map_or("", |(_, line)| line);
            !place.contains(' ') && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// `main.main()`, `net/http.(*conn).serve(0xc0000)`.
fn is_call(text: &str) -> bool {
    let Some(open) = text.find('(') else { return false };
    let name = &text[..open];
    !name.is_empty()
        && !name.contains(' ')
        && (name.contains('.') || name == "panic")
        && text.trim_end().ends_with(')')
}

/// `rax    0x0`, as Go prints after a fatal signal.
fn is_register(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    words.next().is_some_and(|name| name.len() <= 6)
        && words.next().is_some_and(|value| value.starts_with("0x"))
}

/// Nothing but brackets: the end of what was printed indented.
fn is_closing(text: &str) -> bool {
    text.starts_with(['}', ']', ')', '"'])
        && text.bytes().all(|byte| matches!(byte, b'}' | b']' | b')' | b',' | b';' | b'"' | b' ' | b'\r'))
}

fn open_brackets(depth: u32, text: &str) -> u32 {
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

/// The level in the header of a line. The digits of its time are no count that denies it.
pub(crate) fn header_level(head: &str) -> Option<event::Severity> {
    crate::level_from_message(head.trim_start_matches(|character: char| !character.is_ascii_alphabetic()))
}
