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
    /// Say who would be told of a signal like this, with the settings at hand.
    Routes {
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
