//! How what was found is printed.

use clap::ValueEnum;

/// How events are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A readable line each.
    Text,
    /// One JSON document with everything.
    Json,
    /// One JSON object a line.
    Ndjson,
}
