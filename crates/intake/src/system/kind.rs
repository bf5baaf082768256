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
    /// What systemd starts, when, and how.
    Unit,
    /// Libraries that every program loads.
    Preload,
    /// A script that runs when the machine starts or somebody logs in.
    AtStart,
}

impl Kind {
    /// Whether it is of what starts by itself.
    pub(super) const fn is_of_starts(&self) -> bool {
        matches!(self, Self::Unit | Self::Preload | Self::AtStart)
    }
}
