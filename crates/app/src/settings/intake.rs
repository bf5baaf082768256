//! The group of settings of what comes in: bodies, lines, watched files.

use std::{path::PathBuf, sync::Arc, time::Duration};

use intake::tail::Symlinks;
use parse::Joining;

use super::value::Reader;

/// How events come in.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    pub body: body::Config,
    pub door: intake::Config,
    pub tail: intake::tail::Config,
    /// Formats of the user's own.
    pub formats_file: Option<PathBuf>,
    /// Whether this machine's own logs are read, and the program that gives its journal.
    pub system: bool,
    pub journalctl: PathBuf,
    /// Where its accounts, keys and schedules are, and how often they are looked at.
    pub watched: intake::system::Config,
}

impl Intake {
    pub(super) fn read(reader: &mut Reader<'_>, retention: Option<Duration>) -> Self {
        let body = body::Config {
            bytes_max: reader.size("LOG_SENTINEL_BODY_BYTES_MAX", 1 << 10, 4 << 30),
            in_flight_bytes_max: reader.size("LOG_SENTINEL_IN_FLIGHT_BYTES_MAX", 1 << 20, 64 << 30),
            idle_max: reader.duration("LOG_SENTINEL_BODY_IDLE_MAX"),
            rate_min: reader.size("LOG_SENTINEL_BODY_RATE_MIN", 1, 1 << 30),
        };
        if body.bytes_max > body.in_flight_bytes_max {
            let problem = format!(
                "LOG_SENTINEL_BODY_BYTES_MAX ({} bytes) is more than LOG_SENTINEL_IN_FLIGHT_BYTES_MAX ({} bytes): \
                 the largest body could never be taken in",
                body.bytes_max, body.in_flight_bytes_max
            );
            reader.misfit(&["LOG_SENTINEL_BODY_BYTES_MAX", "LOG_SENTINEL_IN_FLIGHT_BYTES_MAX"], problem);
        }
        let door = intake::Config {
            line_bytes_max: reader.size("LOG_SENTINEL_LINE_BYTES_MAX", 1 << 10, 16 << 20),
            joining: joining(reader),
            zone: reader.zone("LOG_SENTINEL_ZONE"),
            formats: Arc::default(),
            host: host_name(),
            retention,
            held_bytes_max: body.in_flight_bytes_max,
        };
        let dir = reader.path("LOG_SENTINEL_DIR");
        let tail = intake::tail::Config {
            dir: Some(dir).filter(|dir| !dir.as_os_str().is_empty()),
            files: reader.list("LOG_SENTINEL_FILES"),
            scan_interval: reader.duration("LOG_SENTINEL_SCAN_INTERVAL"),
            line_wait: reader.duration("LOG_SENTINEL_LINE_WAIT"),
            event_wait: reader.duration("LOG_SENTINEL_EVENT_WAIT"),
            open_files_max: reader.count("LOG_SENTINEL_OPEN_FILES_MAX", 16, 100_000),
            symlinks: match reader.one_of("LOG_SENTINEL_SYMLINKS", &["owner", "any", "never"]).as_str() {
                "any" => Symlinks::Any,
                "never" => Symlinks::Never,
                _ => Symlinks::Owner,
            },
            ..intake::tail::Config::default()
        };
        Self {
            body,
            door,
            tail,
            formats_file: reader.optional_path("LOG_SENTINEL_FORMATS_FILE"),
            system: reader.flag("LOG_SENTINEL_SYSTEM"),
            journalctl: reader.path("LOG_SENTINEL_JOURNALCTL"),
            watched: intake::system::Config {
                root: reader.path("LOG_SENTINEL_SYSTEM_ROOT"),
                interval: reader.duration("LOG_SENTINEL_SYSTEM_INTERVAL"),
            },
        }
    }
}

/// Which lines are one event.
fn joining(reader: &mut Reader<'_>) -> Option<Joining> {
    let joining = Joining {
        presets: reader.flag("LOG_SENTINEL_JOIN_LINES"),
        start: reader.pattern("LOG_SENTINEL_EVENT_START"),
        lines_max: reader.count("LOG_SENTINEL_EVENT_LINES_MAX", 2, 1_000_000),
        bytes_max: reader.size("LOG_SENTINEL_EVENT_BYTES_MAX", 1 << 10, 16 << 20),
    };
    (joining.presets || joining.start.is_some()).then_some(joining)
}

/// The name of this machine, for lines of watched files that name none.
fn host_name() -> Option<String> {
    #[cfg(unix)]
    {
        rustix::system::uname().nodename().to_str().ok().map(str::to_owned).filter(|name| !name.is_empty())
    }
    #[cfg(not(unix))]
    {
        None
    }
}
