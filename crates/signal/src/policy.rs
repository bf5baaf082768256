//! What holds for each kind of signal: how long it goes on, and how sure it is.

use std::time::Duration;

use finding::{FindingKind, Level};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What holds for a kind of signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// What comes within this time of it, in event time, belongs to it; and when nothing came for as long, by the time of
    /// receipt, it is resolved.
    pub quiet: Duration,
    /// How sure one finding of this kind is, from 0 to 1.
    pub confidence: f64,
    /// How it becomes part of a story with others.
    pub story: Story,
}

/// How signals of a kind become part of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// Somebody tries to get in: told by the address, since the accounts tried are not theirs.
    Attempt,
    /// Somebody is in, or does what only insiders can do: told by address, by user on a host, and by host.
    Inside,
    /// Something is not well: told by host.
    Health,
    /// Nothing says what it has to do with others.
    Alone,
}

impl Policy {
    /// What holds for a kind.
    pub const fn of(kind: FindingKind) -> Self {
        use FindingKind as K;
        let (quiet, confidence, story) = match kind {
            K::SshBruteForce | K::PasswordSpraying | K::WebAuthBruteForce => (DAY, 0.9, Story::Attempt),
            K::SshBruteForceDistributed => (DAY, 0.8, Story::Attempt),
            K::WebScan => (DAY, 0.8, Story::Attempt),
            K::WebExploitAttempt => (DAY, 0.7, Story::Attempt),
            K::LoginAfterFailures | K::ReverseShell => (days(7), 0.8, Story::Inside),
            K::AccountChanged | K::SshKeyAdded | K::SudoersChanged | K::CronChanged | K::PersistenceAdded => {
                (days(7), 0.9, Story::Inside)
            }
            K::LogTampering | K::RootAccess => (days(7), 0.8, Story::Inside),
            K::PrivilegeEscalation | K::SuidExecuted => (days(3), 0.7, Story::Inside),
            K::NewLoginOrigin | K::UnusualLoginTime => (DAY, 0.5, Story::Inside),
            K::ProcessNoExecutable
            | K::ProcessChangedExecutable
            | K::ProcessDuplicateName
            | K::ProcessUnusualParent
            | K::ProcessNewListener
            | K::ProcessMasquerade
            | K::ProcessFromTemp
            | K::ProcessTraced => (DAY, 0.6, Story::Inside),
            K::Sigma | K::SqlRule => (DAY, 0.7, Story::Inside),
            K::External => (DAY, 0.5, Story::Inside),
            K::ServiceCrashLoop | K::DiskError | K::KernelError => (times(HOUR, 6), 0.9, Story::Health),
            K::SourceSilent | K::AgentSilent | K::ServiceDown => (HOUR, 0.9, Story::Health),
            K::HostCpu | K::HostMemory | K::HostDisk | K::HostNetwork | K::HostLoad | K::ProcessResources => {
                (times(MINUTE, 30), 0.9, Story::Health)
            }
            K::VolumeSpike | K::VolumeDrop | K::ErrorBurst => (times(HOUR, 2), 0.6, Story::Health),
            K::NewPattern | K::Anomaly | K::StrangeSession => (times(HOUR, 6), 0.4, Story::Alone),
            K::RuleSuspended => (DAY, 1.0, Story::Alone),
        };
        Self { quiet, confidence, story }
    }

    /// How sure a signal is that stands for so many runs: each one more takes a quarter of what is missing, three at
    /// most.
    pub(crate) fn confidence_of(&self, runs: u64) -> f64 {
        let more = i32::try_from(runs.saturating_sub(1).min(3)).unwrap_or(3);
        1.0 - (1.0 - self.confidence) * 0.75_f64.powi(more)
    }
}

const fn times(unit: Duration, number: u32) -> Duration {
    Duration::from_secs(unit.as_secs() * number as u64)
}

const fn days(number: u32) -> Duration {
    times(DAY, number)
}

/// What comes first, from 0 to 100.
pub(crate) fn rank(severity: Level, confidence: f64) -> f64 {
    let weight = match severity {
        Level::Informational => 10.0,
        Level::Low => 25.0,
        Level::Medium => 50.0,
        Level::High => 75.0,
        Level::Critical => 100.0,
    };
    weight * confidence
}
