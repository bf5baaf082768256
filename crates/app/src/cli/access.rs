//! `keys` and `agents`.

use clap::{Args, Subcommand, ValueEnum};

use super::output::Output;

/// Which service's keys, and how the answer is printed.
#[derive(Debug, Clone, Args)]
pub struct Keeper {
    /// Where the collector answers, such as http://127.0.0.1:8080. Default: the data folder of these settings, or the
    /// process that uses it.
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// How to print the answer.
    #[arg(long, short = 'o', global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// To send logs.
    Ingest,
    /// To search, and to see how the service does.
    Read,
    /// To change what the service is and does.
    Admin,
}

/// What to do with keys.
#[derive(Debug, Clone, Subcommand)]
pub enum KeysAction {
    /// Make a key, and print it this once. The first one locks every port.
    Create {
        /// What it is for, separated by commas. None implies another.
        #[arg(long, required = true, value_delimiter = ',', value_enum)]
        scopes: Vec<Scope>,
        /// What you call it.
        #[arg(long)]
        name: Option<String>,
        /// Whose events it sends and reads, and no others.
        #[arg(long)]
        organization: Option<String>,
        /// When it is good no more: an age such as 90d, or a time such as 2030-01-01T00:00:00Z.
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
    },
    /// List keys, those of agents included.
    List,
    /// Take a key back.
    Revoke {
        /// Its id.
        id: String,
    },
}

/// What to do with agents.
#[derive(Debug, Clone, Subcommand)]
pub enum AgentsAction {
    /// Make a token with which an agent enrols, once, and print what to type there. An agent that has a key gets another.
    Add {
        /// Its name.
        name: String,
        /// Whose events it sends.
        #[arg(long)]
        organization: Option<String>,
    },
    /// List agents.
    List,
    /// Take back an agent's key, certificate and token.
    Revoke {
        /// Its name.
        name: String,
    },
}
