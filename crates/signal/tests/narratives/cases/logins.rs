//! Logins that are new in some way, and who becomes root.

use finding::{EntityType, FindingKind, fact};
use signal::narrative::System;

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    [new_origin(), unusual_time(), root(), privileges()].into_iter().flatten().collect()
}

fn new_origin() -> Vec<Case> {
    let of = |name| case(name, FindingKind::NewLoginOrigin, "new_login_origin");
    vec![
        of("from the internet, usually from two networks")
            .user("ann")
            .from("198.51.100.7")
            .host("gate")
            .facts(fact::USUAL_NETWORKS, &["192.0.2.0/24", "203.0.113.0/24"])
            .fact(fact::USUAL_LOGINS, 32)
            .zone("America/Sao_Paulo")
            .earlier(2, 1, "2024-04-28T10:00:00Z"),
        of("several times, from two addresses")
            .times(3, 7_000)
            .user("ann")
            .from("198.51.100.7")
            .from("10.1.2.3")
            .system(System::RedHat)
            .facts(fact::USUAL_NETWORKS, &["2001:db8:1::/48"])
            .fact(fact::USUAL_LOGINS, 1),
        of("root, without facts").user("root").from("192.168.1.7").host("gate").system(System::Unknown),
        of("a hostile name").user("-rf /; ann").from("not an address").host("gate"),
    ]
}

fn unusual_time() -> Vec<Case> {
    let of = |name| case(name, FindingKind::UnusualLoginTime, "unusual_login_time");
    vec![
        of("in the reader's zone")
            .user("ann")
            .from("198.51.100.7")
            .host("gate")
            .facts(fact::USUAL_HOURS, &["11-20", "23-00"])
            .fact(fact::USUAL_LOGINS, 48)
            .zone("America/Sao_Paulo"),
        of("no address, no facts").user("backup").times(2, 86_000).system(System::RedHat),
    ]
}

fn root() -> Vec<Case> {
    let of = |name| case(name, FindingKind::RootAccess, "root_access");
    vec![
        of("by sudo").user("ann").host("gate").fact(fact::WAY, "sudo"),
        of("by su, on Red Hat").user("bob").host("gate").fact(fact::WAY, "su").system(System::RedHat),
        of("by su, on an unknown system").user("bob").fact(fact::WAY, "su").system(System::Unknown).earlier(
            1,
            0,
            "2024-04-28T10:00:00Z",
        ),
        of("a login").user("root").from("198.51.100.7").host("gate").fact(fact::WAY, "login"),
        of("without facts").user("Robert'); DROP").host("gate"),
    ]
}

fn privileges() -> Vec<Case> {
    let of = |name, rule| case(name, FindingKind::PrivilegeEscalation, rule);
    vec![
        of("sudo refused somebody once", "privileges_denied")
            .user("ann")
            .host("gate")
            .facts(fact::COMMAND_LINES, &["/bin/sh -i"]),
        of("sudo refused somebody often", "privileges_denied")
            .times(7, 600)
            .user("ann")
            .host("gate")
            .facts(
                fact::COMMAND_LINES,
                &["/bin/sh", "/usr/bin/cat /etc/shadow", "/usr/bin/id", "/bin/\u{1b}[0m"],
            )
            .system(System::RedHat),
        of("failures", "privileges_failed").times(3, 41).user("ann").host("gate"),
        of("one failure", "privileges_failed").user("\u{202e}toor"),
        of("success after failures", "privileges_after_failures")
            .times(2, 20)
            .user("root")
            .host("gate")
            .facts(fact::COMMAND_LINES, &["/bin/bash", "/usr/bin/id"]),
        of("a crash on Debian", "program_with_privileges_crashed")
            .about(EntityType::Process, "/usr/bin/su")
            .host("gate"),
        of("crashes on Red Hat", "program_with_privileges_crashed")
            .times(3, 5)
            .about(EntityType::Process, "/usr/bin/pkexec")
            .system(System::RedHat),
        of("a hostile path", "program_with_privileges_crashed")
            .about(EntityType::Process, "/tmp/$(id)/su")
            .system(System::Unknown),
    ]
}
