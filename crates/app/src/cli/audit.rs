//! What can be asked of the audit record.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// What to do with the audit record. The program may be running meanwhile: it is only read.
#[derive(Debug, Clone, Subcommand)]
pub enum AuditAction {
    /// Say whether the record is as it was written, and name the first line that is not.
    ///
    /// The exit status is 0 when it is, 1 when it shows tampering, 2 when it could not be read.
    Verify {
        /// A data folder, its folder `audit`, or a copy of that. Default: the data folder of these settings.
        #[arg(conflicts_with = "from")]
        dir: Option<PathBuf>,
        /// Verify only these files, which follow each other, instead of a whole record.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        from: Vec<PathBuf>,
        /// The public key, exported before: a copy of `audit/key.pub`. Default: the one that the record itself names.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// What kept checkpoints elsewhere, such as a file of syslog or events of another Log Sentinel. May be repeated.
        #[arg(long, value_name = "FILE")]
        against: Vec<PathBuf>,
    },
    /// Print the records for another program.
    Export {
        /// In which form.
        #[arg(long, value_enum, default_value_t = AuditFormat::Ndjson)]
        format: AuditFormat,
        /// Earliest time: RFC 3339 or such as now-15m.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Latest time, exclusive.
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
    },
    /// Print the newest records as a table, oldest first.
    Show {
        /// How many.
        #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// Only those of this actor: its id, its address, or `key`, `session`, `command_line`, `system`.
        #[arg(long)]
        actor: Option<String>,
        /// Only this action, such as `key.created`, or all of `key`.
        #[arg(long)]
        action: Option<String>,
    },
}

/// How records are printed for another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// One JSON object a line, as in the files.
    Ndjson,
    /// Common Event Format, version 0.
    Cef,
}
