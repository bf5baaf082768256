//! What a detector found.

use event::{Analyzed, EventId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::window::Told;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

impl Level {
    /// Its name as a severity of signals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What kind of thing was found, as signals name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    ProcessUnusualParent,
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
            Self::ProcessUnusualParent => "process_unusual_parent",
        }
    }
}

/// What kind of thing an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entity {
    /// What kind of thing it is.
    pub r#type: EntityType,
    /// Its name or address, as text of at most [`Entity::BYTES_MAX`].
    pub value: String,
}

impl Entity {
    /// Longer names are cut.
    pub const BYTES_MAX: usize = 256;

    /// An entity of this type.
    pub fn new(r#type: EntityType, value: impl Into<String>) -> Self {
        let mut value = value.into();
        if value.len() > Self::BYTES_MAX {
            let end = (0..=Self::BYTES_MAX).rev().find(|at| value.is_char_boundary(*at));
            value.truncate(end.unwrap_or(0));
        }
        Self { r#type, value }
    }
}

/// Something that a person should be told, with what it was found from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Whether it tells more of what was found before: the same kind, rule and main entity.
    pub is_update: bool,
    /// The first and the last few events that it was found from.
    pub evidence: Vec<EventId>,
}

impl Finding {
    /// A finding of a run of events.
    pub fn of_run(kind: FindingKind, level: Level, rule: &str, about: Entity, run: Told) -> Self {
        Self {
            kind,
            level,
            rule: rule.to_owned(),
            entities: vec![about],
            techniques: Vec::new(),
            first: run.first,
            last: run.last,
            count: run.count,
            is_update: run.is_update,
            evidence: run.evidence,
        }
    }

    /// A finding of one event.
    pub fn of_event(
        kind: FindingKind,
        level: Level,
        rule: &str,
        about: Entity,
        event: &Analyzed<'_>,
    ) -> Self {
        let at = event.event.timestamp;
        let run = Told { first: at, last: at, count: 1, is_update: false, evidence: vec![event.id] };
        Self::of_run(kind, level, rule, about, run)
    }

    /// The same with a technique of ATT&CK.
    pub fn technique(mut self, technique: &str) -> Self {
        self.techniques.push(technique.to_owned());
        self
    }

    /// The same about more.
    pub fn and(mut self, entities: impl IntoIterator<Item = Entity>) -> Self {
        for entity in entities {
            if !entity.value.is_empty() && !self.entities.contains(&entity) {
                self.entities.push(entity);
            }
        }
        self
    }
}
