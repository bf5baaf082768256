//! What files are watched for.

/// What stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Passwd,
    Group,
    Sudoers,
    /// Lines of cron.
    Table,
    /// A program that cron runs.
    Script,
    /// SSH keys that open an account.
    Keys {
        user: String,
    },
}
