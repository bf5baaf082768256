//! Asking in SQL.

use clap::Args;

/// A question in SQL in the place of a search.
#[derive(Debug, Clone, Default, Args)]
pub struct Sql {
    /// Answer this question: one SELECT over events, signals, hosts and what was measured on them.
    #[arg(long, value_name = "SELECT", conflicts_with_all = ["query", "follow", "context", "fields", "oldest_first"])]
    pub sql: Option<String>,
    /// List the tables that can be asked, with their columns; with names, those alone.
    #[arg(long, conflicts_with_all = ["sql", "follow"])]
    pub tables: bool,
    /// With --sql: the time that it is for the question, such as now-1d.
    #[arg(long, value_name = "TIME", requires = "sql")]
    pub at: Option<String>,
    /// With --sql: say how the question would be answered and what would make it cheaper, and do not answer it.
    #[arg(long, requires = "sql")]
    pub explain: bool,
}
