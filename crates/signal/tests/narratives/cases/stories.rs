//! Signals that belong together.

use finding::{FindingKind, Level, fact};

use super::{Case, case};

/// A name, and the signals of one incident.
pub(crate) fn stories() -> Vec<(&'static str, Vec<Case>)> {
    let scan = |n: i64| {
        case("", FindingKind::WebScan, "web_scan").times(9, 5).from("198.51.100.7").host("gate").later(n * 60)
    };
    vec![
        ("a break-in", break_in()),
        (
            "a break-in over midnight, as it came",
            break_in().into_iter().rev().map(|case| case.later(83_000)).collect(),
        ),
        ("two scans", vec![scan(0), scan(3)]),
        ("many scans", (0..12).map(scan).collect()),
        ("work before a login is no break-in", {
            let mut cases = break_in();
            cases.remove(0);
            let login = cases.remove(0);
            cases.push(login.later(20_000));
            cases
        }),
        ("one disk", vec![case("", FindingKind::DiskError, "disk_error").host("gate")]),
        (
            "nothing is known",
            vec![case("", FindingKind::External, "external"), case("", FindingKind::Anomaly, "anomaly")],
        ),
    ]
}

fn break_in() -> Vec<Case> {
    let all = vec![
        case("", FindingKind::SshBruteForce, "ssh_brute_force")
            .times(37, 480)
            .from("198.51.100.7")
            .service("ssh")
            .host("gate")
            .fact(fact::SUCCEEDED, false),
        case("", FindingKind::LoginAfterFailures, "login_after_failures")
            .times(37, 480)
            .from("198.51.100.7")
            .user("ann")
            .service("ssh")
            .host("gate")
            .fact(fact::FAILURES, 37)
            .grave(Level::High)
            .later(1),
        case("", FindingKind::RootAccess, "root_access")
            .user("ann")
            .host("gate")
            .fact(fact::WAY, "sudo")
            .later(600),
        case("", FindingKind::SshKeyAdded, "ssh_key_added").host("gate").user("ann").later(660),
        case("", FindingKind::LogTampering, "logs_removed").host("gate").user("ann").later(13_000),
    ];
    all.into_iter().map(|case| case.zone("America/Sao_Paulo")).collect()
}
