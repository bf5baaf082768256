//! How what was found is printed.

use clap::ValueEnum;

/// How hits of a search are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HitsOutput {
    /// A readable line each.
    #[value(alias = "table")]
    Text,
    /// One JSON document with everything.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// Rows for a spreadsheet, below the names of --fields or of the columns.
    Csv,
}

impl HitsOutput {
    /// The same, where it is none for spreadsheets.
    pub fn printed(self) -> Option<Output> {
        match self {
            Self::Text => Some(Output::Text),
            Self::Json => Some(Output::Json),
            Self::Ndjson => Some(Output::Ndjson),
            Self::Csv => None,
        }
    }
}

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
