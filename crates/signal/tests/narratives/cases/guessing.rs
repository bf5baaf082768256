//! Failed logins, and logins behind them.

use finding::{FindingKind, Level, fact};
use signal::{AT_HOST, narrative::System};

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    [ssh(), many(), spraying(), after_failures()].into_iter().flatten().collect()
}

fn ssh() -> Vec<Case> {
    let of = |name, rule| case(name, FindingKind::SshBruteForce, rule);
    vec![
        of("many users from the internet", "ssh_brute_force")
            .times(37, 480)
            .from("198.51.100.7")
            .user("root")
            .user("admin")
            .service("ssh")
            .host("gate")
            .facts(fact::USERS, &["root", "admin", "ubuntu", "test", "oracle", "git"])
            .fact(fact::USERS_TOTAL, 16)
            .fact(fact::SUCCEEDED, false),
        of("somebody got in", "ssh_brute_force")
            .times(12, 95)
            .from("198.51.100.7")
            .user("ann")
            .service("ssh")
            .host("gate")
            .facts(fact::USERS, &["ann"])
            .fact(fact::SUCCEEDED, true)
            .fact(fact::LOGIN_USER, "ann")
            .fact(fact::LOGIN_AT, "2024-05-01T03:14:08Z")
            .zone("America/Sao_Paulo")
            .system(System::RedHat)
            .earlier(3, 2, "2024-04-30T23:59:59Z"),
        of("a private address, no host, no user", "ssh_brute_force")
            .times(5, 86_400 + 7_200)
            .from("10.0.0.9")
            .service("ssh")
            .system(System::Unknown)
            .earlier(1, 1, "2024-04-03T12:00:00Z"),
        of("the host itself", "ssh_brute_force").times(6, 0).from("127.0.0.1").service("ssh").host("gate"),
        of("a network of IPv6", "ssh_brute_force")
            .times(9, 61)
            .from("2001:db8:1:2::/64")
            .user("root")
            .service("ssh")
            .host("gate")
            .system(System::RedHat)
            .fact(fact::SUCCEEDED, false),
        of("hostile names", "ssh_brute_force")
            .times(5, 30)
            .from("198.51.100.7")
            .user("$(reboot)")
            .service("ssh")
            .host("gate\u{1b}[2J\u{202e}; rm -rf /")
            .facts(fact::USERS, &["$(reboot)", "a\nb\" from 1.2.3.4 \u{1b}[31m", "<b>@everyone</b>"])
            .fact(fact::SUCCEEDED, false),
        of("with patience", "ssh_patient_guessing")
            .times(10, 41_000)
            .from("198.51.100.7")
            .user("root")
            .service("ssh")
            .host("gate")
            .fact(fact::SUCCEEDED, false),
        of("few in a day", "ssh_patient_guessing")
            .grave(Level::Informational)
            .times(5, 41_000)
            .from("198.51.100.7")
            .user("ann")
            .service("ssh")
            .host("gate")
            .fact(fact::SUCCEEDED, false),
        of("in several ways", "ssh_brute_force")
            .times(74, 41_000)
            .from("198.51.100.7")
            .user("root")
            .service("ssh")
            .host("gate")
            .facts(fact::FOUND_BY, &["ssh_probing", "ssh_brute_force", "ssh_patient_guessing"])
            .fact(fact::SUCCEEDED, false),
        of("at an open port", AT_HOST)
            .times(1204, 80_000)
            .host("gate")
            .from("198.51.100.7")
            .from("203.0.113.9")
            .from("2001:db8:1:2::/64")
            .from("198.51.100.8")
            .from("198.51.100.9")
            .from("198.51.100.10")
            .user("root")
            .user("admin")
            .service("ssh")
            .earlier(20, 0, "2024-04-30T23:59:59Z"),
        of("at an open port, one address", AT_HOST)
            .times(5, 40)
            .host("gate")
            .from("198.51.100.7")
            .service("ssh"),
        of("probing", "ssh_probing").times(5, 300).from("198.51.100.7").host("gate"),
        of("one that is exhausting", "ssh_handshake_abuse").from("198.51.100.7").host("gate"),
    ]
}

fn many() -> Vec<Case> {
    let of = |name| case(name, FindingKind::SshBruteForceDistributed, "ssh_brute_force_distributed");
    let addresses: Vec<String> = (1..11).map(|number| format!("198.51.100.{number}")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    vec![
        of("many addresses")
            .times(48, 590)
            .host("gate")
            .service("ssh")
            .facts(fact::ADDRESSES, &addresses)
            .fact(fact::ADDRESSES_TOTAL, 24),
        of("without facts").times(12, 60).service("ssh").system(System::Unknown),
    ]
}

fn spraying() -> Vec<Case> {
    let of = |name, rule| case(name, FindingKind::PasswordSpraying, rule);
    let users = ["u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"];
    vec![
        of("many names over SSH", "password_spraying")
            .times(18, 300)
            .from("198.51.100.7")
            .user("u0")
            .service("ssh")
            .host("gate")
            .facts(fact::USERS, &users)
            .fact(fact::USERS_TOTAL, 15)
            .fact(fact::SUCCEEDED, false),
        of("at a mail server, and somebody got in", "auth_brute_force")
            .times(7, 60)
            .from("198.51.100.7")
            .user("ann")
            .service("dovecot")
            .host("mail")
            .facts(fact::USERS, &["ann", "bob"])
            .fact(fact::SUCCEEDED, true)
            .fact(fact::LOGIN_USER, "bob")
            .fact(fact::LOGIN_AT, "2024-05-01T03:13:00Z")
            .system(System::RedHat),
        of("with patience, nothing known", "auth_patient_guessing")
            .times(10, 40_000)
            .from("10.0.0.9")
            .service("vsftpd")
            .system(System::Unknown),
    ]
}

fn after_failures() -> Vec<Case> {
    let of = |name| case(name, FindingKind::LoginAfterFailures, "login_after_failures");
    vec![
        of("over SSH")
            .times(14, 260)
            .from("198.51.100.7")
            .user("ann")
            .service("ssh")
            .host("gate")
            .fact(fact::FAILURES, 12)
            .fact(fact::LOGIN_USER, "ann")
            .fact(fact::LOGIN_AT, "2024-05-01T03:16:53Z")
            .fact(fact::SUCCEEDED, true),
        of("as root from a private address")
            .times(4, 59)
            .from("192.168.1.20")
            .user("root")
            .service("vsftpd")
            .host("files")
            .system(System::RedHat)
            .earlier(2, 0, "2024-04-30T10:00:00Z"),
        of("without facts, host or user").times(1, 1).from("2001:db8::7").system(System::Unknown),
        of("a hostile name")
            .times(4, 59)
            .from("198.51.100.7")
            .user("ann; reboot")
            .service("ssh")
            .host("gate")
            .fact(fact::LOGIN_USER, "ann; reboot"),
    ]
}
