//! Why the program did not do what it was asked, in words.

use std::{io, path::PathBuf};

use rulebook::RuleFilesError;

use crate::{
    client::ClientError, formats::FormatsError, instance::StartError, routes::AlertsError,
    settings::SettingsError, wording,
};

/// Why the program did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// It could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The formats of the user's own.
    #[error(transparent)]
    Formats(#[from] FormatsError),
    /// A collector did not answer as it should.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An agent could not start.
    #[error(transparent)]
    Agent(#[from] agent::StartError),
    /// An agent's configuration is wrong.
    #[error(transparent)]
    AgentConfiguration(#[from] agent::configuration::ConfigurationError),
    /// The journal could not be read.
    #[error("cannot read the journal")]
    Journal(#[from] journal::OpenError),
    /// The journal is not as it was written.
    #[error(
        "the journal is damaged: {lost}. The service goes on with all others and keeps the bytes that are left in \
         journal/quarantine; check the disk, and restore a backup to have the events back"
    )]
    JournalDamaged {
        /// What is lost, in words.
        lost: String,
    },
    /// What has no end was asked for in a form that has one.
    #[error("a table of what is yet to come has no end; follow with -o text, json or ndjson")]
    FollowedCsv,
    /// The neighbours of events were asked for in a form that has no place for them.
    #[error("a table has no place for --context; ask for it with -o text, json or ndjson")]
    ContextInCsv,
    /// Of files that were to be imported, none holds text that can be read.
    #[error("nothing was taken in")]
    NothingTakenIn,
    /// Rules in files.
    #[error(transparent)]
    RuleFiles(#[from] RuleFilesError),
    /// There is no rule to work with.
    #[error("no rule could be read; a rule file is YAML and ends with .yml or .yaml")]
    NoRules,
    /// No rule has this id, or this in its title.
    #[error("no rule has the id or the title '{}'; see `log-sentinel rules coverage`", wording::plain(_0))]
    UnknownRule(String),
    /// Routes of alerts.
    #[error(transparent)]
    Alerts(#[from] AlertsError),
    /// What was asked cannot be read.
    #[error("{0}")]
    Asked(String),
    /// There is no channel to send a test over.
    #[error(
        "no channel is set up: set ALERT_EMAIL_ENABLED and the like, or name channels in LOG_SENTINEL_ALERTS_FILE"
    )]
    NoChannel,
    /// Tests were not delivered; which, and why, stands above.
    #[error("{} not delivered", wording::many(*_0, "test was", "tests were"))]
    NotDelivered(u64),
    /// No signal has this id, or several begin so.
    #[error(
        "no signal, or more than one, has an id that begins with '{}'; see `log-sentinel signals`",
        wording::plain(_0)
    )]
    NoSignal(String),
    /// A rule was refused, or one of its tests does not hold; which stands above.
    #[error("not all rules are as their tests say")]
    RulesFailed,
    /// Of files that were imported, a part could not be read; which, and what was read, is said before.
    #[error("{} damaged: what could be read was taken in, the rest is missing", wording::many(*_0, "file is", "files are"))]
    Damaged(u64),
    /// Keys or agents were not changed.
    #[error(transparent)]
    Key(#[from] access::KeyError),
    /// The keys cannot be used.
    #[error("cannot tell who may ask")]
    Keys(#[from] access::OpenError),
    /// When a key is to expire cannot be read.
    #[error(
        "'{}' is no time; give an age such as 90d, or a time such as 2030-01-01T00:00:00Z",
        wording::plain(_0)
    )]
    Expiry(String),
    /// The data folder cannot be changed at present.
    #[error(transparent)]
    InUse(#[from] disk::InUse),
    /// What was to be done must be recorded, and could not be.
    #[error("nothing is done that cannot be recorded; see what is wrong with `log-sentinel audit verify`")]
    Unrecorded(#[from] audit::OpenError),
    /// The same, once the record was open.
    #[error(transparent)]
    NotRecorded(#[from] api::NotRecorded),
    /// The audit record could not be read.
    #[error("cannot read the audit record")]
    Audit(#[from] audit::ReadError),
    /// The audit record is not as it was written; what was found is printed before.
    #[error("the audit record was tampered with: keep its folder as it is for whoever looks into this")]
    Tampered,
    /// A time cannot be read.
    #[error(transparent)]
    Time(#[from] query::InvalidTime),
    /// No cluster is named.
    #[error("ELASTIC_ADDR is not set: name the cluster, such as ELASTIC_ADDR=http://localhost:9200")]
    NoCluster,
    /// A cluster could not be reached.
    #[error("cannot use the cluster")]
    Cluster(#[from] index::elasticsearch::ClusterError),
    /// A cluster could not be prepared.
    #[error(transparent)]
    Setup(#[from] index::elasticsearch::setup::SetupError),
    /// A file could not be used.
    #[error("cannot {action} {}", wording::name(path))]
    File {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What feedback was to be given on is not one log.
    #[error("cannot give feedback on this: {}", wording::plain(_0))]
    Event(String),
    /// A starter is neither a file nor one that comes along.
    #[error(
        "there is no file {}, and no starter of this name comes along; these do: {shipped}",
        wording::name(starter)
    )]
    NoStarter {
        /// What was named.
        starter: PathBuf,
        /// Those that come along.
        shipped: String,
    },
    /// Standard output or the operating system refused.
    #[error("cannot write the output")]
    Io(#[from] io::Error),
    /// It had to end although nobody asked.
    #[error("stopped because {0}")]
    Stopped(String),
}

/// What a command decides on a data folder is on record.
impl api::Ending for AppError {
    fn outcome(&self) -> audit::Outcome {
        match self {
            Self::Key(access::KeyError::Write { .. } | access::KeyError::Random(_)) => audit::Outcome::Failed,
            _ => audit::Outcome::Refused,
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Key(access::KeyError::NotFound(..)) => "not_found",
            Self::Key(access::KeyError::Full(..)) => "too_many_keys",
            Self::Key(access::KeyError::Field(..)) => "bad_key",
            _ => "failed",
        }
        .to_owned()
    }
}
