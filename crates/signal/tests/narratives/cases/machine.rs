//! What breaks, and how much sources say.

use finding::{EntityType, FindingKind, fact};
use signal::narrative::System;

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    [services(), disks(), kernel(), silence(), spikes(), drops(), errors(), patterns(), sessions()]
        .into_iter()
        .flatten()
        .collect()
}

fn services() -> Vec<Case> {
    let of = |name, rule| case(name, FindingKind::ServiceCrashLoop, rule);
    vec![
        of("restarts", "service_restarts")
            .times(3, 95)
            .service("web.service")
            .host("gate")
            .said("web.service: Scheduled restart job, restart counter is at 1."),
        of("given up", "service_given_up").service("web.service").host("gate"),
        of("a process crashes", "process_crashes").times(4, 500).service("java").system(System::RedHat),
        of("a hostile name", "service_given_up")
            .times(2, 5)
            .service("web`id`.service")
            .host("gate")
            .system(System::Unknown),
    ]
}

fn disks() -> Vec<Case> {
    let of = |name, rule| case(name, FindingKind::DiskError, rule);
    vec![
        of("one error", "disk_error")
            .host("gate")
            .facts(fact::DEVICES, &["sda1"])
            .facts(fact::ERRORS, &["EXT4-fs error"])
            .said("EXT4-fs error (device sda1): ext4_find_entry:1436: inode #2: comm ls: reading directory"),
        of("failing", "disk_failing")
            .times(12, 3_600)
            .host("gate")
            .facts(fact::DEVICES, &["nvme0n1p2", "md0"])
            .earlier(3, 0, "2024-04-28T10:00:00Z"),
        of("an array", "disk_failing").facts(fact::DEVICES, &["md0"]),
        of("no device", "disk_error").times(2, 1).system(System::RedHat),
    ]
}

fn kernel() -> Vec<Case> {
    let of = |name, rule| case(name, FindingKind::KernelError, rule);
    vec![
        of("out of memory", "kernel_error")
            .times(2, 1)
            .host("gate")
            .facts(fact::ERRORS, &["Out of memory", "oom-kill"])
            .said("Out of memory: Killed process 77 (java) total-vm:1kB"),
        of("panic", "kernel_broken").host("gate").facts(fact::ERRORS, &["Kernel panic"]),
        of("stuck and waiting", "kernel_error")
            .times(9, 700)
            .host("gate")
            .facts(fact::ERRORS, &["soft lockup", "blocked for more than"])
            .system(System::RedHat),
        of("hardware", "kernel_broken").facts(fact::ERRORS, &["Machine check"]).system(System::Unknown),
        of("a fault", "kernel_broken").host("gate").facts(fact::ERRORS, &["BUG"]),
        of("nothing is known", "kernel_error").host("gate"),
    ]
}

fn silence() -> Vec<Case> {
    let of = |name| case(name, FindingKind::SourceSilent, "source_silent");
    vec![
        of("a program").times(0, 360).service("app").host("gate").fact(fact::USUAL_PAUSE, 60),
        of("a file, for a day")
            .times(0, 90_000)
            .service("/var/log/nginx/access.log")
            .fact(fact::USUAL_PAUSE, 3_725),
        of("a hostile name").times(0, 700).service("app\u{7}; id").host("gate"),
    ]
}

fn spikes() -> Vec<Case> {
    let of = |name, rule| case(name, FindingKind::VolumeSpike, rule);
    vec![
        of("a program", "volume_spike")
            .times(120, 300)
            .service("app")
            .host("gate")
            .fact(fact::AMOUNT, 120)
            .fact(fact::USUAL_AMOUNT, 10)
            .fact(fact::WITHIN, 600),
        of("a source without a name", "volume_spike").times(61, 300).service("logs").unasked(),
        of("a file, without facts", "volume_spike").times(61, 300).service("/var/log/app/x.log"),
        of("too many requests", "web_rate").times(5, 60).from("198.51.100.7").host("gate").service("nginx"),
    ]
}

fn drops() -> Vec<Case> {
    let of = |name| case(name, FindingKind::VolumeDrop, "volume_drop");
    vec![
        of("a program")
            .times(20, 7_200)
            .service("app")
            .host("gate")
            .fact(fact::AMOUNT, 20)
            .fact(fact::USUAL_AMOUNT, 120)
            .fact(fact::WITHIN, 7_200),
        of("one event").times(1, 7_200).service("app"),
    ]
}

fn errors() -> Vec<Case> {
    let of = |name| case(name, FindingKind::ErrorBurst, "error_burst");
    vec![
        of("a program")
            .times(42, 600)
            .service("app")
            .host("gate")
            .fact(fact::AMOUNT, 42)
            .fact(fact::USUAL_AMOUNT, 0)
            .fact(fact::WITHIN, 600)
            .said("ERROR cannot reach \"db\" at 10.0.0.5:5432"),
        of("a file").times(1, 0).service("/var/log/app/x.log").host("gate"),
    ]
}

fn patterns() -> Vec<Case> {
    let of = |name, kind| case(name, kind, kind.as_str());
    vec![
        of("once", FindingKind::NewPattern)
            .about(EntityType::Template, "ERROR cannot reach <ip>")
            .service("app")
            .host("gate")
            .said("ERROR cannot reach 10.0.0.5"),
        of("often, hostile", FindingKind::NewPattern)
            .times(4, 86_400)
            .about(EntityType::Template, "\u{1b}[2J<script>alert(1)</script>")
            .service("a b"),
        of("with reasons", FindingKind::Anomaly)
            .about(EntityType::Template, "login of <user>")
            .service("app")
            .host("gate")
            .fact(fact::SCORE, 0.876)
            .facts(fact::REASONS, &["rare hour", "rare user", "long message"])
            .said("login of zoe"),
        of("of one client, in two forms", FindingKind::Anomaly)
            .times(2, 45)
            .about(EntityType::Template, "GET <path>")
            .service("access")
            .about(EntityType::Template, "GET /")
            .from("198.51.100.7")
            .fact(fact::SCORE, 0.75)
            .facts(fact::REASONS, &["rare path"])
            .said("GET /misc/"),
        of("nothing is known", FindingKind::Anomaly).times(2, 5),
    ]
}

fn sessions() -> Vec<Case> {
    let of = |name| case(name, FindingKind::StrangeSession, "strange_session");
    vec![
        of("of a process")
            .times(17, 30)
            .about(EntityType::Process, "blk_123")
            .host("gate")
            .facts(fact::REASONS, &["a step is missing"])
            .fact(fact::SCORE, 0.91),
        of("nothing is known"),
    ]
}
