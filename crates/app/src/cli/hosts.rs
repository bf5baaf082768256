//! The command line of hosts.

use clap::Args;

use super::{Output, Server};

/// How hosts are to be listed.
#[derive(Debug, Clone, Args)]
pub struct HostsAsked {
    /// Go on, and list them again every two seconds.
    #[arg(long, short = 'w')]
    pub watch: bool,
    /// Only those that carry all of these labels, such as env=prod,role=web.
    #[arg(long)]
    pub labels: Option<String>,
    /// How to print them.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// Which collector.
    #[command(flatten)]
    pub server: Server,
}
