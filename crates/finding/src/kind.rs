//! The kinds of things that are found.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($variant:ident $name:literal,)+) => {
        /// What kind of thing was found, as signals name it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the names are those of the signals, which their page describes")]
        pub enum FindingKind {
            $(#[serde(rename = $name)] $variant,)+
        }

        impl FindingKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name of the kind.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

kinds! {
    SshBruteForce "ssh_brute_force",
    SshBruteForceDistributed "ssh_brute_force_distributed",
    PasswordSpraying "password_spraying",
    LoginAfterFailures "login_after_failures",
    NewLoginOrigin "new_login_origin",
    UnusualLoginTime "unusual_login_time",
    AccountChanged "account_changed",
    SshKeyAdded "ssh_key_added",
    PrivilegeEscalation "privilege_escalation",
    RootAccess "root_access",
    SudoersChanged "sudoers_changed",
    CronChanged "cron_changed",
    LogTampering "log_tampering",
    WebScan "web_scan",
    WebExploitAttempt "web_exploit_attempt",
    WebAuthBruteForce "web_auth_brute_force",
    ServiceCrashLoop "service_crash_loop",
    DiskError "disk_error",
    KernelError "kernel_error",
    SourceSilent "source_silent",
    VolumeSpike "volume_spike",
    VolumeDrop "volume_drop",
    ErrorBurst "error_burst",
    NewPattern "new_pattern",
    Anomaly "anomaly",
    StrangeSession "strange_session",
    Sigma "sigma",
    SqlRule "sql_rule",
    HostCpu "host_cpu",
    HostMemory "host_memory",
    HostDisk "host_disk",
    HostNetwork "host_network",
    HostLoad "host_load",
    ServiceDown "service_down",
    AgentSilent "agent_silent",
    ProcessNoExecutable "process_no_executable",
    ProcessChangedExecutable "process_changed_executable",
    ProcessDuplicateName "process_duplicate_name",
    ProcessUnusualParent "process_unusual_parent",
    ProcessResources "process_resources",
    ProcessNewListener "process_new_listener",
    ProcessMasquerade "process_masquerade",
    ProcessFromTemp "process_from_temp",
    ProcessTraced "process_traced",
    ReverseShell "reverse_shell",
    SuidExecuted "suid_executed",
    PersistenceAdded "persistence_added",
    RuleSuspended "rule_suspended",
    External "external",
}

impl FindingKind {
    /// Whether it was found because the analysis called events strange: then that can be told better.
    pub const fn is_of_verdicts(self) -> bool {
        matches!(self, Self::Anomaly | Self::StrangeSession)
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No kind has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownKind;

impl FromStr for FindingKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name).ok_or(UnknownKind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_that_it_is_read_back_from() {
        for kind in FindingKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!("no_kind".parse::<FindingKind>(), Err(UnknownKind));
    }
}
