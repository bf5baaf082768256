//! What rules find, what others report, and kinds that have no words of their own yet.

use finding::{EntityType, FindingKind, fact};
use signal::narrative::System;

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    [rules(), suspended(), reported(), parents(), others()].into_iter().flatten().collect()
}

fn rules() -> Vec<Case> {
    let id = "6f6ab5d0-8b0e-4b1a-9d3f-0a5a6a0c0001";
    vec![
        case("of Sigma", FindingKind::Sigma, id)
            .user("ann")
            .host("gate")
            .service("sudo")
            .fact(fact::RULE_TITLE, "A shell of root is opened")
            .fact(
                fact::RULE_DESCRIPTION,
                "Somebody opens a shell as root, in which sudo records nothing more.",
            )
            .facts(fact::FALSE_POSITIVES, &["Administrators", "Installers", "Scripts"])
            .said("ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/bash"),
        case("of Sigma, without facts", FindingKind::Sigma, id).times(3, 59).from("198.51.100.7"),
        case("of Sigma, a long and hostile title", FindingKind::Sigma, id)
            .times(2, 1)
            .from("10.0.0.9")
            .host("a-host-of-a-name-that-is-longer-than-titles-can-take.example.org")
            .fact(fact::RULE_TITLE, "<b>\u{1b}[2J a title that goes on and on and on and on and on and on")
            .system(System::Unknown),
        case("of SQL", FindingKind::SqlRule, "many_children")
            .about(EntityType::Process, "4711")
            .host("gate")
            .fact(fact::RULE_TITLE, "Many children")
            .unasked(),
    ]
}

fn suspended() -> Vec<Case> {
    let of =
        |name, rule| case(name, FindingKind::RuleSuspended, rule).about(EntityType::Service, "log-sentinel");
    vec![
        of("of Sigma", "6f6ab5d0-8b0e-4b1a-9d3f-0a5a6a0c0001")
            .fact(fact::RULE_TITLE, "Everything anywhere")
            .facts(fact::REASONS, &["it takes longer than LOG_SENTINEL_RULE_COST_MAX allows"]),
        of("of SQL, hostile", "endless")
            .times(2, 59)
            .fact(fact::RULE_TITLE, "<b>\u{1b}[2J endless")
            .facts(fact::REASONS, &["the question took too long"]),
        of("nothing is known", "many_children"),
    ]
}

fn reported() -> Vec<Case> {
    let of = |name| case(name, FindingKind::External, "external");
    vec![
        of("with numbers")
            .host("web1")
            .fact(fact::ALERT_TYPE, "cpu_high")
            .fact(fact::DESCRIPTION, "CPU at 97 %")
            .fact(fact::VALUE, 97)
            .fact(fact::THRESHOLD, 80),
        of("often, hostile")
            .times(3, 60)
            .from("198.51.100.7")
            .fact(fact::ALERT_TYPE, "x\" onload=\"y")
            .fact(fact::DESCRIPTION, "line\nline \u{1b}]0;title\u{7}"),
        of("nothing is known"),
    ]
}

fn parents() -> Vec<Case> {
    vec![
        case("a script in disguise", FindingKind::ProcessUnusualParent, "decoded_script_run")
            .times(2, 0)
            .about(EntityType::Process, "4711")
            .host("gate"),
        case("another rule", FindingKind::ProcessUnusualParent, "other")
            .about(EntityType::Process, "4711")
            .host("gate"),
    ]
}

/// Every kind that is told in general words: with a host, and with nothing.
fn others() -> Vec<Case> {
    const SPECIAL: [FindingKind; 32] = [
        FindingKind::SshBruteForce,
        FindingKind::SshBruteForceDistributed,
        FindingKind::PasswordSpraying,
        FindingKind::LoginAfterFailures,
        FindingKind::NewLoginOrigin,
        FindingKind::UnusualLoginTime,
        FindingKind::AccountChanged,
        FindingKind::SshKeyAdded,
        FindingKind::PrivilegeEscalation,
        FindingKind::RootAccess,
        FindingKind::SudoersChanged,
        FindingKind::CronChanged,
        FindingKind::LogTampering,
        FindingKind::WebScan,
        FindingKind::WebExploitAttempt,
        FindingKind::WebAuthBruteForce,
        FindingKind::ServiceCrashLoop,
        FindingKind::DiskError,
        FindingKind::KernelError,
        FindingKind::SourceSilent,
        FindingKind::VolumeSpike,
        FindingKind::VolumeDrop,
        FindingKind::ErrorBurst,
        FindingKind::NewPattern,
        FindingKind::Anomaly,
        FindingKind::StrangeSession,
        FindingKind::Sigma,
        FindingKind::SqlRule,
        FindingKind::External,
        FindingKind::ProcessUnusualParent,
        FindingKind::AgentSilent,
        FindingKind::RuleSuspended,
    ];
    let others = FindingKind::ALL.iter().filter(|kind| !SPECIAL.contains(kind));
    let told = others.map(|kind| case("on a host", *kind, kind.as_str()).host("gate").times(2, 59));
    let silent = case("nothing is known", FindingKind::AgentSilent, "agent_silent");
    let measured = case("measured", FindingKind::HostCpu, "host_cpu")
        .host("gate")
        .fact(fact::VALUE, 97.5)
        .fact(fact::THRESHOLD, 80)
        .facts(fact::TOP_PROCESSES, &["burn (7) 390 %", "postgres (812) 12 %"])
        .earlier(12, 1, "2024-04-28T10:00:00Z");
    let learned = case("above what is usual", FindingKind::HostCpu, "host_cpu")
        .host("gate")
        .fact(fact::VALUE, 72.25)
        .fact(fact::THRESHOLD, 45)
        .fact(fact::USUAL_LEAST, 5)
        .fact(fact::USUAL_MOST, 31.5)
        .fact(fact::USUAL_WEEKS, 6);
    let full = case("a file system", FindingKind::HostDisk, "host_disk /home")
        .host("gate")
        .fact(fact::VALUE, 91.5)
        .fact(fact::THRESHOLD, 90)
        .fact(fact::MEASURED_AT, "/home");
    let unheard = case("last heard of", FindingKind::AgentSilent, "agent_silent")
        .host("gate")
        .fact(fact::LAST_SEEN, "2024-05-01T09:57:00Z");
    let service = case("a service", FindingKind::ServiceDown, "service_down").service("nginx").host("gate");
    let reported = case("reported by an agent", FindingKind::SshBruteForce, "ssh_brute_force")
        .from("198.51.100.7")
        .host("gate")
        .fact(fact::ALERT_TYPE, "ssh_brute_force")
        .fact(fact::DESCRIPTION, "6 failures from 198.51.100.7.");
    told.chain([silent, measured, learned, full, unheard, service, reported]).collect()
}
