//! The command line of reports.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Language, Server};

/// What a report is about, and how it is told.
#[derive(Debug, Clone, Args)]
pub struct ReportAsked {
    /// Of the 24 hours that end now.
    #[arg(long, conflicts_with_all = ["week", "from", "to"])]
    pub day: bool,
    /// Of the seven days that end now; so it is unless another time is given.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub week: bool,
    /// Of the time that begins here: RFC 3339 or such as now-30d.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Up to this time. Default: now.
    #[arg(long, value_name = "TIME", requires = "from")]
    pub to: Option<String>,
    /// Only what is of this organization.
    #[arg(long, value_name = "NAME")]
    pub organization: Option<String>,
    /// In which form.
    #[arg(long, short = 'f', value_enum)]
    pub format: Option<ReportFormat>,
    /// The file to write it to; its name says the form where --format does not. Default: standard output.
    #[arg(long, short = 'o', value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The zone of days and times, such as Europe/Berlin. Default: UTC.
    // In the place of the setting of that name, which is for logs.
    #[arg(id = "LOG_SENTINEL_ZONE", long = "zone", value_name = "ZONE", allow_hyphen_values = true)]
    pub zone: Option<String>,
    /// The language of its words.
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub lang: Language,
    /// Which collector.
    #[command(flatten)]
    pub server: Server,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// A page that prints well and needs nothing else.
    Html,
    /// Text with tables, for tickets and chats.
    Markdown,
    /// Everything as data.
    Json,
}

impl ReportFormat {
    /// As the API names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Json => "json",
        }
    }
}
