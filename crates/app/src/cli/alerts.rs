//! The command line of alerts.

use clap::Subcommand;

/// What to do with alerts.
#[derive(Debug, Clone, Subcommand)]
pub enum AlertsAction {
    /// List alerts, the newest first.
    List {
        /// Only those that nobody has yet.
        #[arg(long)]
        open: bool,
        /// How many.
        #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Send a test over one channel, or over all: with the settings at hand, without a running service.
    ///
    /// The exit status is 0 when every one was delivered.
    SendTest {
        /// The channel.
        channel: Option<String>,
    },
    /// List what was sent over which channel, with every try and answer.
    Deliveries {
        /// Only over this channel.
        #[arg(long)]
        channel: Option<String>,
        /// Only those that stand so: queued, failed, delivered or dead.
        #[arg(long)]
        state: Option<String>,
        /// How many.
        #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Say why an alert went where it went: which route, which silence.
    Explain {
        /// Its id.
        id: String,
    },
    /// Tell nobody of some alerts for a while, see what that would have hidden, or end it.
    Silence {
        /// What to do. Default: list them.
        #[command(subcommand)]
        action: Option<SilenceAction>,
    },
    /// Say who would be told of a signal like this, with the settings at hand. `routes test` is the same.
    Routes {
        /// The word `test`, which changes nothing.
        #[arg(value_parser = ["test"], hide = true)]
        test: Option<String>,
        /// How grave it is: info, low, medium, high or critical.
        #[arg(long, default_value = "medium")]
        severity: String,
        /// Of which kind it is.
        #[arg(long, default_value = "ssh_brute_force")]
        kind: String,
        /// On which host.
        #[arg(long, default_value = "web-1")]
        host: String,
        /// Of which organization.
        #[arg(long)]
        organization: Option<String>,
        /// When: RFC 3339. Default: now.
        #[arg(long)]
        at: Option<String>,
    },
}

/// What to do with silences.
#[derive(Debug, Clone, Subcommand)]
pub enum SilenceAction {
    /// List them, the newest first.
    List,
    /// Tell nobody until a time, with a reason.
    Add {
        /// Which alerts.
        #[command(flatten)]
        which: Which,
        /// When it ends: RFC 3339, such as 2030-01-01T00:00:00Z.
        #[arg(long)]
        until: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Say which alerts of the last seven days it would have hidden.
    Preview {
        /// Which alerts.
        #[command(flatten)]
        which: Which,
    },
    /// End one.
    End {
        /// Its number.
        number: u64,
    },
}

/// Which alerts a silence is about. What is not said does not matter; `*` stands for any text.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = true)]
pub struct Which {
    /// How grave: info, low, medium, high or critical; high+ for these and all graver ones.
    #[arg(long)]
    pub severity: Option<String>,
    /// Of which kind.
    #[arg(long)]
    pub kind: Option<String>,
    /// Found by which rule, by its id.
    #[arg(long)]
    pub rule: Option<String>,
    /// About which service.
    #[arg(long)]
    pub source: Option<String>,
    /// About whom, such as source.ip:203.0.113.*.
    #[arg(long)]
    pub entity: Option<String>,
    /// On which host.
    #[arg(long)]
    pub host: Option<String>,
    /// Of which organization.
    #[arg(long)]
    pub organization: Option<String>,
}
