//! What visitors of web servers do.

use finding::{FindingKind, fact};
use signal::{WEB_PROBES, narrative::System};

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    [scans(), exploits(), guessing()].into_iter().flatten().collect()
}

fn scans() -> Vec<Case> {
    let of = |name| case(name, FindingKind::WebScan, "web_scan");
    let probes = |name| case(name, FindingKind::WebScan, WEB_PROBES).host("gate").service("nginx");
    vec![
        probes("a day of them")
            .times(21, 80_000)
            .from("198.51.100.7")
            .from("203.0.113.9")
            .from("2001:db8::7")
            .from("198.51.100.8")
            .from("198.51.100.9")
            .facts(fact::PATHS, &["/wp-login.php", "/.env", "/phpmyadmin/", "/a", "/b", "/c"])
            .earlier(20, 0, "2024-04-30T23:59:59Z"),
        probes("one").from("198.51.100.7").facts(fact::PATHS, &["/wp-login.php"]),
        of("in vain")
            .times(37, 60)
            .from("198.51.100.7")
            .host("gate")
            .service("nginx")
            .facts(fact::PATHS, &["/wp-login.php", "/.env", "/phpmyadmin/", "/a", "/b", "/c"])
            .facts(fact::STATUSES, &["404", "403"])
            .facts(fact::SIGNS, &["absent", "sensitive_file"])
            .fact(fact::SUCCEEDED, false),
        of("answered")
            .times(3, 2)
            .from("198.51.100.7")
            .facts(fact::PATHS, &["/.env"])
            .facts(fact::STATUSES, &["200"])
            .facts(fact::SIGNS, &["sensitive_file"])
            .fact(fact::SUCCEEDED, true)
            .system(System::RedHat)
            .earlier(5, 0, "2024-04-28T10:00:00Z"),
        of("hostile paths, a private address")
            .times(10, 59)
            .from("10.0.0.9")
            .facts(fact::PATHS, &["/\u{1b}[31m\"><script>", "/x\r\nSet-Cookie: a=b"])
            .system(System::Unknown),
    ]
}

fn exploits() -> Vec<Case> {
    let of = |name| case(name, FindingKind::WebExploitAttempt, "web_exploit_attempt");
    vec![
        of("one, refused")
            .from("198.51.100.7")
            .host("gate")
            .service("nginx")
            .facts(fact::PATHS, &["/?id=1'%20OR%201=1"])
            .facts(fact::STATUSES, &["403"])
            .facts(fact::SIGNS, &["sql_injection"])
            .fact(fact::SUCCEEDED, false),
        of("many, one answered")
            .times(26, 1_200)
            .from("2001:db8::7")
            .host("gate")
            .facts(fact::PATHS, &["/cgi-bin/x?a=;id", "/${jndi:ldap://x/a}"])
            .facts(fact::STATUSES, &["404", "200"])
            .facts(fact::SIGNS, &["command_injection", "jndi_lookup"])
            .fact(fact::SUCCEEDED, true),
        of("nothing is known").times(2, 1).from("198.51.100.7").system(System::Unknown),
    ]
}

fn guessing() -> Vec<Case> {
    let of = |name| case(name, FindingKind::WebAuthBruteForce, "web_auth_brute_force");
    vec![
        of("refused")
            .times(40, 300)
            .from("198.51.100.7")
            .user("admin")
            .host("gate")
            .facts(fact::PATHS, &["/wp-login.php"])
            .facts(fact::SIGNS, &["login_failed"]),
        of("then one succeeded")
            .times(6, 30)
            .from("198.51.100.7")
            .user("admin")
            .facts(fact::SIGNS, &["login_failed"])
            .fact(fact::SUCCEEDED, true)
            .system(System::RedHat),
        of("the log does not say").times(6, 20).from("127.0.0.1").host("gate"),
        of("one attempt").from("198.51.100.7"),
    ]
}
