//! A signal in words: what happened, why it matters, what to do next, for somebody woken at night who does not know
//! the program.
//!
//! Both languages stand beside each other in each sentence. A sentence is only said where what it needs is known: of
//! what a signal does not know nothing is claimed. Text of others is shown escaped and in quotes; the narrative is plain
//! text, so whoever puts it into HTML or a chat's markup has to escape it for that. It does no I/O and reads no clock.

mod changes;
pub(crate) mod exposure;
mod general;
mod guessing;
mod logins;
mod machine;
mod narrated;
mod patterns;
mod persistence;
mod privileges;
mod processes;
mod reader;
mod rules;
mod sources;
mod span;
mod steps;
mod story;
mod tampering;
mod telling;
mod web;

use finding::{FindingKind, fact};

use self::telling::Telling;
pub use self::{
    narrated::Narrative,
    reader::{History, Language, Reader, System},
    story::incident,
};
use crate::Signal;

/// A signal in words.
pub fn of(signal: &Signal, reader: &Reader) -> Narrative {
    let telling = Telling { signal, reader };
    let words = match signal.kind {
        FindingKind::SshBruteForce => guessing::ssh_brute_force,
        FindingKind::SshBruteForceDistributed => guessing::distributed,
        FindingKind::PasswordSpraying => guessing::spraying,
        FindingKind::LoginAfterFailures => guessing::login_after_failures,
        FindingKind::NewLoginOrigin => logins::new_login_origin,
        FindingKind::UnusualLoginTime => logins::unusual_login_time,
        FindingKind::RootAccess => logins::root_access,
        FindingKind::PrivilegeEscalation => privileges::privilege_escalation,
        FindingKind::AccountChanged => changes::account_changed,
        FindingKind::SshKeyAdded => changes::ssh_key_added,
        FindingKind::SudoersChanged => changes::sudoers_changed,
        FindingKind::CronChanged => changes::cron_changed,
        FindingKind::PersistenceAdded if persistence::knows(&signal.rule) => persistence::persistence_added,
        FindingKind::LogTampering => tampering::log_tampering,
        FindingKind::WebScan => web::web_scan,
        FindingKind::WebExploitAttempt => web::web_exploit_attempt,
        FindingKind::WebAuthBruteForce => web::web_auth_brute_force,
        FindingKind::ServiceCrashLoop => machine::service_crash_loop,
        FindingKind::DiskError => machine::disk_error,
        FindingKind::KernelError => machine::kernel_error,
        FindingKind::SourceSilent => sources::source_silent,
        FindingKind::VolumeSpike => sources::volume_spike,
        FindingKind::VolumeDrop => sources::volume_drop,
        FindingKind::ErrorBurst => sources::error_burst,
        FindingKind::NewPattern => patterns::new_pattern,
        FindingKind::Anomaly if processes::knows(&signal.rule) => processes::process,
        FindingKind::Anomaly => patterns::anomaly,
        FindingKind::StrangeSession => patterns::strange_session,
        FindingKind::Sigma | FindingKind::SqlRule => rules::rule,
        FindingKind::RuleSuspended => rules::suspended,
        FindingKind::External => rules::external,
        _ if processes::knows(&signal.rule) => processes::process,
        FindingKind::ProcessUnusualParent if signal.rule == "decoded_script_run" => rules::unusual_parent,
        _ => general::general,
    };
    let narrative = words(&telling);
    if telling.text(fact::ALERT_TYPE).is_some() {
        // Its count is of reports, and not of what the kind counts.
        return Narrative { next: narrative.next, ..rules::external(&telling) };
    }
    narrative
}
