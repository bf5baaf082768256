//! Commands that ask what is stored.

use clap::{Args, ValueEnum};

use super::{
    output::{HitsOutput, Output},
    sql::Sql,
};

/// Which collector to talk to.
#[derive(Debug, Clone, Args)]
pub struct Server {
    /// Where the collector answers, such as http://127.0.0.1:8080.
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
}

/// Which events, and whose.
#[derive(Debug, Clone, Args)]
pub struct Question {
    /// What to look for: words, "phrases", field:value, AND OR NOT. Nothing means everything.
    pub query: Vec<String>,
    /// Earliest time: RFC 3339 or such as now-15m.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Latest time, exclusive.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// The zone of times given without one, of days and longer stretches, and of the times printed: a name such as
    /// Europe/Berlin, or an offset such as +02:00. Default: UTC.
    // In the place of the setting of that name, which is for logs.
    #[arg(id = "LOG_SENTINEL_ZONE", long = "zone", value_name = "ZONE", allow_hyphen_values = true)]
    pub zone: Option<String>,
    /// Which collector.
    #[command(flatten)]
    pub server: Server,
}

/// What to print of the events found.
#[derive(Debug, Clone, Args)]
pub struct Search {
    /// Which events.
    #[command(flatten)]
    pub question: Question,
    /// In SQL.
    #[command(flatten)]
    pub sql: Sql,
    /// How many events, or rows of an answer in SQL.
    #[arg(long, short = 'n', default_value_t = 100)]
    pub limit: u32,
    /// Print all of them.
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
    /// Print the oldest first, instead of the newest.
    #[arg(long)]
    pub oldest_first: bool,
    /// Print those found, the newest last, then further ones as they come in, until interrupted.
    #[arg(long, short = 'f', conflicts_with_all = ["oldest_first", "context", "to"])]
    pub follow: bool,
    /// Also print so many events before and after each, of the same file, else session, else host.
    #[arg(long, short = 'C', value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub context: u32,
    /// Print these fields only, separated by commas; in text in this order. A name with blanks or commas stands in quotes.
    #[arg(long, value_name = "NAMES")]
    pub fields: Vec<String>,
    /// How to print them.
    #[arg(long, short = 'o', value_enum, default_value_t = HitsOutput::Text)]
    pub output: HitsOutput,
}

/// How many events there are.
#[derive(Debug, Clone, Args)]
pub struct Count {
    /// Which events.
    #[command(flatten)]
    pub question: Question,
    /// How to print the answer.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// Which values a field has most.
#[derive(Debug, Clone, Args)]
pub struct Top {
    /// Which field, such as source.ip.
    pub field: String,
    /// Which events.
    #[command(flatten)]
    pub question: Question,
    /// How many values, most frequent first.
    #[arg(long, short = 'n', default_value_t = 10)]
    pub limit: u32,
    /// How to print the answer.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// How many events there are at which times.
#[derive(Debug, Clone, Args)]
pub struct Histogram {
    /// Which events.
    #[command(flatten)]
    pub question: Question,
    /// Width of a bucket: 1d, 1w (from Monday), 1M, 1q or 1y of the zone, or such as 30s, 5m or 12h. Default: one that
    /// suits the range.
    #[arg(long, value_name = "WIDTH")]
    pub interval: Option<String>,
    /// Also count by the values of this field, such as source.
    #[arg(long, value_name = "FIELD")]
    pub by: Option<String>,
    /// How to print the answer.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// Which templates come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PatternOrder {
    /// Those with most events.
    Frequent,
    /// Those with fewest events.
    Rare,
    /// Those that began last.
    Newest,
}

/// Which templates there are.
#[derive(Debug, Clone, Args)]
pub struct Patterns {
    /// Which events.
    #[command(flatten)]
    pub question: Question,
    /// Which come first.
    #[arg(long, value_enum, default_value_t = PatternOrder::Frequent)]
    pub order: PatternOrder,
    /// Say what changed since an earlier period instead: when it begins.
    #[arg(long, value_name = "TIME", conflicts_with = "order")]
    pub compare_from: Option<String>,
    /// When it ends. Default: where the later one begins.
    #[arg(long, value_name = "TIME", conflicts_with = "order")]
    pub compare_to: Option<String>,
    /// How many templates; of a comparison, how many of each kind of change.
    #[arg(long, short = 'n', default_value_t = 20)]
    pub limit: u32,
    /// How to print the answer.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// An argument that leaves events out, such as `-level:info`, in the form that is no option of ours.
pub(super) fn without_hyphen(argument: std::ffi::OsString) -> std::ffi::OsString {
    let negated = argument.to_str().and_then(|text| text.strip_prefix('-')).and_then(|rest| {
        let (name, _) = rest.split_once(':')?;
        let is_name = name.starts_with(|first: char| first.is_alphabetic() || "_@".contains(first))
            && name.chars().all(|character| character.is_alphanumeric() || "_@.-".contains(character));
        is_name.then(|| format!("!{rest}").into())
    });
    negated.unwrap_or(argument)
}
