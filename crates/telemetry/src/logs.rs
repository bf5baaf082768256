//! Our own log, on standard error. Whoever writes to it and whatever is written, an event is one line, in which
//! nothing steers a terminal: see [`clean`].

use std::{fmt, io::IsTerminal, str::FromStr, sync::Once};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, MakeWriter, SubscriberBuilder,
        format::{FormatEvent, FormatFields, Writer},
    },
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::clean;

/// Form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people: one readable line an event, coloured on a terminal.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// A form that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no log format: use text or json")]
pub struct InvalidFormat(String);

impl FromStr for Format {
    type Err = InvalidFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(InvalidFormat(other.to_owned())),
        }
    }
}

/// A level that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{text}' is no log level: use error, warn, info, debug, trace, or target=level pairs joined by commas"
)]
pub struct InvalidLevel {
    text: String,
    source: tracing_subscriber::filter::ParseError,
}

/// Starts our own log: `level` is a level such as `info`, or directives such as
/// `info,intake=debug`. The first call of a process wins; later ones only check their arguments.
///
/// Panics are logged too, with thread and place. Their text only when it is a literal of the program: a text
/// made at run time may quote a log.
///
/// # Errors
/// When `level` cannot be understood.
pub fn init(format: Format, level: &str) -> Result<(), InvalidLevel> {
    static FIRST: Once = Once::new();
    let filter = EnvFilter::builder()
        .parse(level)
        .map_err(|source| InvalidLevel { text: level.to_owned(), source })?;
    FIRST.call_once(|| {
        let colored = format == Format::Text && std::io::stderr().is_terminal();
        // An application that embeds this one may have set up a log before: then that one stays.
        if subscriber(format, filter, colored, std::io::stderr).try_init().is_ok() {
            log_panics();
        }
    });
    Ok(())
}

fn subscriber<W>(
    format: Format,
    filter: EnvFilter,
    colored: bool,
    writer: W,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let builder = SubscriberBuilder::default().with_ansi(false).with_env_filter(filter).with_writer(writer);
    match format {
        Format::Text => Box::new(builder.map_event_format(|inner| Clean { inner, format, colored }).finish()),
        Format::Json => {
            let builder = builder.json().flatten_event(true);
            Box::new(builder.map_event_format(|inner| Clean { inner, format, colored }).finish())
        }
    }
}

/// Formats events as another does, then cleans the line as a whole.
struct Clean<F> {
    inner: F,
    format: Format,
    colored: bool,
}

impl<S, N, F> FormatEvent<S, N> for Clean<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = String::new();
        self.inner.format_event(context, Writer::new(&mut text), event)?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        match self.format {
            Format::Json => writer.write_str(&clean::json(text))?,
            Format::Text if self.colored => {
                let level = *event.metadata().level();
                let painted = format!("\u{1b}[{}m{level}\u{1b}[0m", color(level));
                writer.write_str(&clean::line(text).replacen(level.as_str(), &painted, 1))?;
            }
            Format::Text => writer.write_str(&clean::line(text))?,
        }
        writer.write_char('\n')
    }
}

fn color(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    }
}

fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        let reason = info.payload().downcast_ref::<&'static str>();
        let reason = reason.unwrap_or(&"its text may quote a log and is left out");
        tracing::error!(thread = thread.name().unwrap_or("unnamed"), location, "panic: {reason}");
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn levels_and_formats_are_checked() {
        for level in ["info", "WARN", "info,intake=debug", "off"] {
            assert!(init(Format::Text, level).is_ok(), "{level}");
        }
        assert!(init(Format::Json, "info,intake=loud").unwrap_err().to_string().contains("loud"));
        assert_eq!("json".parse(), Ok(Format::Json));
        assert!("xml".parse::<Format>().unwrap_err().to_string().contains("text or json"));
    }

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What stands in the log when everything that can be said holds this text.
    fn logged(format: Format, colored: bool, evil: &str) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let filter = EnvFilter::builder().parse("info").unwrap();
        let subscriber = subscriber(format, filter, colored, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            let cause = std::io::Error::other(evil.to_owned());
            let _span = tracing::info_span!("task", name = evil).entered();
            tracing::error!("a message {evil}");
            tracing::warn!(text = evil, shown = %evil, debug = ?[evil], "fields");
            tracing::info!(error = &cause as &dyn std::error::Error, "an error");
            tracing::info!(target: "elsewhere", path = %std::path::Path::new(evil).display(), "a path");
        });
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn nothing_said_forges_a_line_or_steers_a_terminal() {
        let evil = "x\n2026-11-29T12:00:00Z ERROR forged\r\u{1b}[31m\u{9b}2J\u{202e}\u{2028}\u{200b}\u{7f}y";
        for (format, colored) in [(Format::Text, false), (Format::Json, false), (Format::Text, true)] {
            let mut log = logged(format, colored, evil);
            for paint in ["\u{1b}[31m", "\u{1b}[33m", "\u{1b}[32m", "\u{1b}[0m"].iter().filter(|_| colored) {
                log = log.replace(paint, "");
            }
            assert_eq!(log.lines().count(), 4, "{log}");
            assert!(!log.chars().any(|c| c != '\n' && clean::is_unseen(c)), "{log:?}");
            assert!(log.contains("forged") && log.contains("202e"), "it is shown, not dropped: {log}");
            if format == Format::Text {
                assert!(log.lines().all(|line| line.split_whitespace().nth(1) != Some("forged")));
            }
        }
    }
}
