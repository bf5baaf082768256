//! Why an index did not do what it was asked.

/// Why an index did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Reading or writing a file failed.
    #[error("cannot {action} {path}")]
    File {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what this program wrote.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
        /// The part that alone is damaged, by a number of this process; None when it is the whole file.
        block: Option<u64>,
    },
    /// A file is of a later version.
    #[error(
        "{path} was written by a later version of the program; run that version, \
         or move the file away and do without its events"
    )]
    Version {
        /// The file.
        path: std::path::PathBuf,
    },
    /// A query needs more than it may have.
    #[error("the query needs more than {limit}; narrow its time range")]
    QueryTooLarge {
        /// The limit, with its unit and setting.
        limit: String,
    },
    /// A question's time is up.
    #[error("the question was not answered in its time")]
    TimedOut,
    /// Nobody waits for the answer any more.
    #[error("the question was given up by who asked it")]
    Cancelled,
    /// A remote index keeps or counts things in a way that cannot give this answer.
    #[error("the cluster cannot answer this: {what}")]
    Unsupported {
        /// What it cannot do, and what it can.
        what: String,
    },
    /// A remote index did not do it. Nothing is lost by that; it may be asked again.
    #[error("the index could not {action}")]
    Remote {
        /// What was attempted.
        action: &'static str,
        /// Why not, and what to do about it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A remote index has been given as much as it may hold unanswered. It is a matter of pace, not a
    /// fault: the same batch may be given again at once.
    #[error("the index holds {events} events of {bytes} bytes that are not answered for yet")]
    Busy {
        /// How many wait.
        events: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// After a failed fsync nothing more is written.
    #[error("the index stopped writing after a failed fsync; restart once the disk is sound")]
    Poisoned,
}
