//! What can be asked of the anomaly service.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::output::Output;

/// Which anomaly service to talk to, and how its answer is printed.
#[derive(Debug, Clone, Args)]
pub struct Service {
    /// Where the anomaly service answers, such as http://127.0.0.1:8000.
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// How to print the answer.
    #[arg(long, short = 'o', global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// What to do with models.
#[derive(Debug, Clone, Subcommand)]
pub enum ModelsAction {
    /// List all that are kept (the default).
    List,
    /// Print the card of one: its data, features, calibration, and whether the world has moved.
    Show {
        /// Its version. Default: the one that serves.
        #[arg(value_parser = id)]
        version: Option<String>,
    },
    /// Compare how two of them judge the same recent events.
    Compare {
        /// Version of the one.
        #[arg(value_parser = id)]
        a: String,
        /// Version of the other.
        #[arg(value_parser = id)]
        b: String,
    },
    /// Let one of them serve.
    Activate {
        /// Its version.
        #[arg(value_parser = id)]
        version: String,
    },
    /// Let the model serve again that served before.
    Rollback,
    /// Write one to a file, to import it elsewhere.
    Export {
        /// Its version.
        #[arg(value_parser = id)]
        version: String,
        /// Where to; `-` is standard output.
        file: PathBuf,
    },
    /// Take in an exported one. It serves once you activate it.
    Import {
        /// The file; `-` is standard input.
        file: PathBuf,
    },
    /// Print short rules for what recent anomalies have in common.
    Rules,
}

/// What to do with feedback.
#[derive(Debug, Clone, Subcommand)]
pub enum FeedbackAction {
    /// List what was said, oldest first.
    List,
    /// Say that an event, and so those similar to it, is normal or bad. Changes scores at once.
    Give(GivenFeedback),
    /// Take back what was said.
    Undo {
        /// Its number, as the list has it.
        id: u64,
    },
}

/// Which event, and what is said of it.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("event").required(true))]
pub struct GivenFeedback {
    /// What it is.
    #[arg(long, value_enum)]
    pub label: Label,
    /// Why, for those who read the list.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// A file of one JSON log or one plain line; `-` is standard input.
    #[arg(group = "event")]
    pub file: Option<PathBuf>,
    /// The line itself instead.
    #[arg(long, group = "event", allow_hyphen_values = true)]
    pub line: Option<String>,
    /// Who logged it, such as sshd, where the log does not say so.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
}

/// What is said of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Label {
    /// Expected: no anomaly.
    Normal,
    /// An anomaly.
    Bad,
}

impl Label {
    /// As the service spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Bad => "bad",
        }
    }
}

/// What to do with starters: what other logs taught, for the time before the service has learned from its own.
#[derive(Debug, Clone, Subcommand)]
pub enum StartersAction {
    /// List those taken in, and those that come along.
    List,
    /// Take one in.
    Add {
        /// The name of one that comes along, else a file; `-` is standard input.
        starter: PathBuf,
    },
}

/// What to do with templates.
#[derive(Debug, Clone, Subcommand)]
pub enum TemplatesAction {
    /// List them.
    List {
        /// Only those whose text or name holds this, or that have or had this id; nothing means all.
        holding: Option<String>,
        /// How many, at most 1000.
        #[arg(long, short = 'n', default_value_t = 100)]
        limit: u32,
    },
    /// List what was done to them, with the numbers that `undo` takes.
    Operations,
    /// Give one a name.
    Name {
        /// Its id.
        #[arg(value_parser = id)]
        id: String,
        /// What to call it.
        name: String,
    },
    /// Keep one as it reads: the service neither merges it nor forgets it.
    Pin {
        /// Its id.
        #[arg(value_parser = id)]
        id: String,
    },
    /// Split one: a template for each content of a variable, or one for the lines like an example.
    Split(SplitTemplate),
    /// Make one template of several.
    Merge {
        /// Their ids, of at least two.
        #[arg(required = true, num_args = 2.., value_parser = id)]
        ids: Vec<String>,
    },
    /// Take back what was done.
    Undo {
        /// Its number, as `operations` lists it.
        id: u64,
    },
}

/// Which template to split, and by what.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("by").required(true))]
pub struct SplitTemplate {
    /// Its id.
    #[arg(value_parser = id)]
    pub id: String,
    /// By this variable: its number from 1, counted from the left.
    #[arg(long, value_name = "NUMBER", group = "by")]
    pub variable: Option<u32>,
    /// By this line, in which variables read as they do in the lines wanted.
    #[arg(long, value_name = "LINE", group = "by", allow_hyphen_values = true)]
    pub example: Option<String>,
}

/// A version or an id becomes a part of an address, so it is letters, digits and hyphens.
fn id(text: &str) -> Result<String, &'static str> {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    plain.then(|| text.to_owned()).ok_or("it has letters, digits and hyphens only; the list shows it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_lead_to_another_address() {
        assert_eq!(id("00000007-3fa4c1d2").as_deref(), Ok("00000007-3fa4c1d2"));
        for refused in ["", "..", "a/b", "a?b=c", "a%2fb", "ä", "a b"] {
            assert!(id(refused).is_err(), "{refused:?}");
        }
    }
}
