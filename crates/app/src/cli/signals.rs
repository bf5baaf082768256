//! The command line of signals.

use clap::{Args, Subcommand, ValueEnum};

use super::{Output, Server};

/// Which signals to print.
#[derive(Debug, Clone, Args)]
pub struct SignalsAsked {
    /// Words that stand in them.
    pub words: Vec<String>,
    /// Only those that stand so: new, ongoing, escalating, acknowledged, resolved, reopened; open is all that ask for
    /// attention. Several are separated by commas.
    #[arg(long, value_name = "STATES")]
    pub state: Option<String>,
    /// Only those of these kinds, such as ssh_brute_force.
    #[arg(long, value_name = "KINDS")]
    pub kind: Option<String>,
    /// Only those so grave: info, low, medium, high, critical.
    #[arg(long, value_name = "SEVERITIES")]
    pub severity: Option<String>,
    /// Only those that this rule or detector found, such as the id of a Sigma rule.
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// Only those about this address, user, host or service.
    #[arg(long, value_name = "NAME")]
    pub entity: Option<String>,
    /// Only those still seen at this time or later: RFC 3339 or such as now-1d.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only those that had begun before this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// How many.
    #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}

/// How they are told.
#[derive(Debug, Clone, Args)]
pub struct SignalsTold {
    /// The zone of the times printed, such as Europe/Berlin. Default: UTC.
    // In the place of the setting of that name, which is for logs.
    #[arg(
        id = "LOG_SENTINEL_ZONE",
        long = "zone",
        value_name = "ZONE",
        allow_hyphen_values = true,
        global = true
    )]
    pub zone: Option<String>,
    /// The language of their words.
    #[arg(long, value_enum, default_value_t = Language::En, global = true)]
    pub lang: Language,
    /// How to print them.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text, global = true)]
    pub output: Output,
    /// Which collector.
    #[command(flatten)]
    pub server: Server,
}

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// English.
    En,
    /// Portuguese.
    Pt,
}

impl Language {
    /// As the API names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Pt => "pt",
        }
    }
}

/// Who does it, and what they say of it.
#[derive(Debug, Clone, Args)]
pub struct Says {
    /// The id of the signal, or as many of its first digits as tell it from others.
    pub id: String,
    /// What to say of it.
    #[arg(long, short = 'm', value_name = "TEXT")]
    pub note: Option<String>,
    /// Who does it. Default: whose key it is.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// What to do with signals.
#[derive(Debug, Clone, Subcommand)]
pub enum SignalsAction {
    /// Print one with all that is known of it: what happened, why it matters, what to do next.
    Show {
        /// The id of the signal, or as many of its first digits as tell it from others.
        id: String,
    },
    /// Say that somebody has it: nobody is told of it any more.
    Acknowledge(Says),
    /// Say that it is over.
    Resolve(Says),
    /// Say that it is not over.
    Reopen(Says),
    /// Say that it is as it should be; with --similar of all alike, which are then hidden.
    Expected {
        /// Which.
        #[command(flatten)]
        says: Says,
        /// Also those alike: the same kind and rule about the same.
        #[arg(long)]
        similar: bool,
    },
    /// Say that it is what it says.
    Real {
        /// Which.
        #[command(flatten)]
        says: Says,
        /// Also those alike.
        #[arg(long)]
        similar: bool,
    },
}
