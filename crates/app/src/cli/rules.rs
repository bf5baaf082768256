//! What can be asked of rules.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Output, Server};

/// What to do with rules. A collector is asked only for what is past, and only where no log files are named.
#[derive(Debug, Clone, Subcommand)]
pub enum RulesAction {
    /// Run the tests that stand in rule files: log lines with their times, and what must be found in them.
    ///
    /// The exit status is 0 when all hold, 1 when one does not or a rule is refused.
    Test {
        /// Files of rules, or folders of them. Default: the rules that come along.
        files: Vec<PathBuf>,
    },
    /// Say what a rule looks for, how grave that is, and when it is wrong.
    Explain {
        /// Its id, or a part of its title.
        rule: String,
        /// Files of rules, or folders of them. Default: the rules that come along.
        files: Vec<PathBuf>,
    },
    /// Print the techniques of MITRE ATT&CK with the rules that find them.
    Coverage {
        /// Files of rules, or folders of them. Default: the rules that come along.
        files: Vec<PathBuf>,
        /// How.
        #[arg(long, short = 'o', value_enum, default_value = "text")]
        output: Output,
    },
    /// Print what rules and detectors would have told of what is past, the noisiest first, with whom it was about most
    /// and what would make it less.
    ///
    /// It is the engine that looks at the stream, with the events' own times for a clock.
    Noise {
        /// Files of rules, or folders of them. Default: the rules that come along, and those of LOG_SENTINEL_RULES_DIR.
        files: Vec<PathBuf>,
        /// Of which events.
        #[command(flatten)]
        past: PastAsked,
    },
    /// Print how often a rule would have told something of what is past, about whom, and examples; without a rule, how
    /// often the thresholds of hosts would have.
    Backtest {
        /// A file of rules or a folder of them; else the id of a rule, or a part of its title, among those that come along
        /// and those of LOG_SENTINEL_RULES_DIR.
        rule: Option<String>,
        /// Of which events.
        #[command(flatten)]
        past: PastAsked,
    },
}

/// What is past: stored events of a collector, or log files.
#[derive(Debug, Clone, Args)]
pub struct PastAsked {
    /// Look at this log file, plain or packed, instead of what a collector has stored. May be given several times.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["query", "from", "to", "url"])]
    pub logs: Vec<PathBuf>,
    /// Only stored events that match, such as `source:sshd`.
    #[arg(long, value_name = "QUERY", default_value = "", hide_default_value = true)]
    pub query: String,
    /// Earliest time: RFC 3339 or such as now-15m.
    #[arg(long, value_name = "TIME", default_value = "now-7d")]
    pub from: String,
    /// Latest time, exclusive.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Look at no more events than this, the oldest first.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    pub limit: u64,
    /// How to print what came of it.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// Which collector.
    #[command(flatten)]
    pub server: Server,
}

impl RulesAction {
    /// The collector that it asks, where it asks one or may.
    pub fn past(&self) -> Option<&PastAsked> {
        match self {
            Self::Noise { past, .. } | Self::Backtest { past, .. } => Some(past),
            Self::Test { .. } | Self::Explain { .. } | Self::Coverage { .. } => None,
        }
    }
}
