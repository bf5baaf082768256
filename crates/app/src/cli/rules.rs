//! What can be asked of rules.

use std::path::PathBuf;

use clap::Subcommand;

use super::Output;

/// What to do with rules. No server is needed.
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
}
