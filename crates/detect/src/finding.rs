//! What a detector found.

use event::{EventId, Timestamp};

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    Informational,
    /// Worth a look some day.
    Low,
    /// Worth a look today.
    Medium,
    /// Worth a look now.
    High,
    /// Somebody is in, or something is breaking.
    Critical,
}

/// What kind of thing was found, as signals name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are those of the signals, which their page describes")]
pub enum FindingKind {
    SshBruteForce,
    SshBruteForceDistributed,
    PasswordSpraying,
    LoginAfterFailures,
    NewLoginOrigin,
    UnusualLoginTime,
    AccountChanged,
    SshKeyAdded,
    PrivilegeEscalation,
    RootAccess,
    SudoersChanged,
    CronChanged,
    LogTampering,
    WebScan,
    WebExploitAttempt,
    WebAuthBruteForce,
    ServiceCrashLoop,
    DiskError,
    KernelError,
    SourceSilent,
    VolumeSpike,
    VolumeDrop,
    ErrorBurst,
    NewPattern,
    Anomaly,
    StrangeSession,
    Sigma,
}

impl FindingKind {
    /// The name of the kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SshBruteForce => "ssh_brute_force",
            Self::SshBruteForceDistributed => "ssh_brute_force_distributed",
            Self::PasswordSpraying => "password_spraying",
            Self::LoginAfterFailures => "login_after_failures",
            Self::NewLoginOrigin => "new_login_origin",
            Self::UnusualLoginTime => "unusual_login_time",
            Self::AccountChanged => "account_changed",
            Self::SshKeyAdded => "ssh_key_added",
            Self::PrivilegeEscalation => "privilege_escalation",
            Self::RootAccess => "root_access",
            Self::SudoersChanged => "sudoers_changed",
            Self::CronChanged => "cron_changed",
            Self::LogTampering => "log_tampering",
            Self::WebScan => "web_scan",
            Self::WebExploitAttempt => "web_exploit_attempt",
            Self::WebAuthBruteForce => "web_auth_brute_force",
            Self::ServiceCrashLoop => "service_crash_loop",
            Self::DiskError => "disk_error",
            Self::KernelError => "kernel_error",
            Self::SourceSilent => "source_silent",
            Self::VolumeSpike => "volume_spike",
            Self::VolumeDrop => "volume_drop",
            Self::ErrorBurst => "error_burst",
            Self::NewPattern => "new_pattern",
            Self::Anomaly => "anomaly",
            Self::StrangeSession => "strange_session",
            Self::Sigma => "sigma",
        }
    }
}

/// What kind of thing an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityType {
    /// An address from which something was done.
    SourceIp,
    /// Who did it, or to whom it was done.
    User,
    /// The machine.
    Host,
    /// The service or program.
    Service,
    /// A process.
    Process,
    /// A template of messages.
    Template,
}

impl EntityType {
    /// The name of the type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SourceIp => "source.ip",
            Self::User => "user",
            Self::Host => "host",
            Self::Service => "service",
            Self::Process => "process",
            Self::Template => "template",
        }
    }
}

/// Whom or what a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entity {
    /// What kind of thing it is.
    pub r#type: EntityType,
    /// Its name or address, as text.
    pub value: String,
}

/// Something that a person should be told, with what it was found from.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// How grave.
    pub level: Level,
    /// The rule that found it: a Sigma rule's id, else the detector's name.
    pub rule: String,
    /// Whom or what it is about, the main one first; never empty.
    pub entities: Vec<Entity>,
    /// Techniques of MITRE ATT&CK, such as `T1110`.
    pub techniques: Vec<String>,
    /// When it began, in event time.
    pub first: Timestamp,
    /// When it was last seen, in event time.
    pub last: Timestamp,
    /// How many events it stands for.
    pub count: u64,
    /// The first and the last few events that it was found from.
    pub evidence: Vec<EventId>,
}
