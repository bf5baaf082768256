//! Our own log, on standard error.

use std::{io::IsTerminal, str::FromStr, sync::Once};

use tracing_subscriber::EnvFilter;

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
/// Panics are logged too, with the name of their thread.
///
/// # Errors
/// When `level` cannot be understood.
pub fn init(format: Format, level: &str) -> Result<(), InvalidLevel> {
    static FIRST: Once = Once::new();
    let filter = EnvFilter::builder()
        .parse(level)
        .map_err(|source| InvalidLevel { text: level.to_owned(), source })?;
    FIRST.call_once(|| {
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        // An application that embeds this one may have set up a log before: then that one stays.
        let installed = match format {
            Format::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
            Format::Json => builder.json().flatten_event(true).try_init(),
        };
        if installed.is_ok() {
            log_panics();
        }
    });
    Ok(())
}

fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        let reason = info.payload_as_str().unwrap_or("unknown");
        tracing::error!(thread = thread.name().unwrap_or("unnamed"), location, "panic: {reason}");
    }));
}

#[cfg(test)]
mod tests {
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
}
