//! What findings know beside whom they are about, as it is put into words elsewhere.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fmt::Write;

use detect::{Config, Engine, EntityType, Finding};
use event::{Analyzed, Event, EventId, JournalId, Position, Template, Timestamp};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn analyzed(event: Event<'_>, number: usize) -> Analyzed<'_> {
    let position = Position { segment: 0, record: u32::try_from(number).unwrap() };
    Analyzed::unanalyzed(EventId { journal: JournalId(1), position }, event)
}

fn found(lines: &[String]) -> Vec<Finding> {
    let zone = jiff::tz::TimeZone::UTC;
    let mut engine = Engine::new(Config::default());
    for (number, line) in lines.iter().enumerate() {
        let context = parse::Context::new(at("2024-06-30T00:00:00Z"), &zone, 1 << 16);
        let mut event = parse::line(line.as_bytes(), &context);
        event.observed_timestamp = event.timestamp;
        engine.see_one(&analyzed(event, number));
    }
    engine.drain()
}

/// The facts of what was told last by a rule, one a line.
#[track_caller]
fn check(rule: &str, lines: &[String], expected: &[&str]) {
    let found = found(lines);
    let told = found.iter().rfind(|finding| finding.rule == rule);
    let mut text = String::new();
    for (name, value) in told.unwrap_or_else(|| panic!("no {rule} in {found:#?}")).facts.clone() {
        writeln!(text, "{name} {value}").unwrap();
    }
    assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{rule}");
}

/// Lines of 3 June 2024: the time, and what a program of the host `gate` says.
fn lines(lines: &[(&str, &str)]) -> Vec<String> {
    lines.iter().map(|(time, text)| format!("Jun  3 {time} gate {text}")).collect()
}

fn failures(users: &[&str], from: &str) -> Vec<String> {
    let line = |(second, user): (usize, &&str)| {
        format!(
            "2024-06-03T04:00:{second:02}Z gate sshd[{second}]: Failed password for {user} from {from} port 4 ssh2"
        )
    };
    users.iter().enumerate().map(line).collect()
}

#[test]
fn who_was_tried_and_whether_somebody_got_in() {
    let from = "198.51.100.7";
    let mut guessing = failures(&["root", "ann", "root", "bob", "ann"], from);
    check("ssh_brute_force", &guessing, &["succeeded false", r#"users ["root","ann","bob"]"#]);
    guessing
        .extend(lines(&[("04:01:00", "sshd[99]: Accepted password for ann from 198.51.100.7 port 4 ssh2")]));
    let in_words = [r#"login.at "2024-06-03T04:01:00Z""#, r#"login.user "ann""#, "succeeded true"];
    let users = r#"users ["root","ann","bob"]"#;
    check("ssh_brute_force", &guessing, &[&in_words[..], &[users]].concat());
    let after = [&in_words[..1], &["login.failures 5"], &in_words[1..], &[users]].concat();
    check("login_after_failures", &guessing, &after);
    let about: Vec<String> = found(&guessing)
        .into_iter()
        .find(|finding| finding.rule == "login_after_failures")
        .unwrap()
        .entities
        .into_iter()
        .map(|entity| entity.value)
        .collect();
    assert_eq!(about, [from, "ann", "ssh", "gate"]);
    let network: Vec<String> =
        (1..6).flat_map(|n| failures(&["root"], &format!("2001:db8:1:2::{n}"))).collect();
    check("ssh_brute_force", &network, &[r#"users ["root"]"#]);
}

#[test]
fn how_many_users_and_addresses() {
    let names: Vec<String> = (0..12).map(|n| format!("u{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    check(
        "password_spraying",
        &failures(&names, "198.51.100.7"),
        &[
            "succeeded false",
            r#"users ["u0","u1","u2","u3","u4","u5","u6","u7","u8","u9"]"#,
            "users.total 10",
        ],
    );
    let crowd: Vec<String> = (0..12).flat_map(|n| failures(&["root"], &format!("198.51.100.{n}"))).collect();
    let first: Vec<String> = (0..10).map(|n| format!("\"198.51.100.{n}\"")).collect();
    let addresses = format!("addresses [{}]", first.join(","));
    check("ssh_brute_force_distributed", &crowd, &[&addresses, "addresses.total 12"]);
}

#[test]
fn what_was_usual_of_a_user() {
    let login = |day: u32, hour: u32, from: &str| {
        format!(
            "2024-06-{day:02}T{hour:02}:30:00Z gate sshd[{day}{hour}]: Accepted publickey for ann from {from} port 4 ssh2"
        )
    };
    let mut logins: Vec<String> =
        (1..9).flat_map(|day| [8, 9, 10, 23].map(|hour| login(day, hour, "192.0.2.7"))).collect();
    logins.push(login(9, 17, "198.51.100.7"));
    check("new_login_origin", &logins, &["usual.logins 32", r#"usual.networks ["192.0.2.0/24"]"#]);
    check("unusual_login_time", &logins, &[r#"usual.hours ["23-23","08-10"]"#, "usual.logins 32"]);
}

#[test]
fn what_was_changed() {
    check(
        "sudoers_changed",
        &lines(&[("05:00:00", "sudo: ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/sbin/visudo")]),
        &[r#"process.command_line ["/usr/sbin/visudo"]"#],
    );
    check(
        "administrator_made",
        &lines(&[("05:00:00", "usermod[7]: add 'ann' to group 'sudo'")]),
        &[r#"accounts ["ann"]"#, r#"event.type ["group change"]"#, r#"group.name ["sudo"]"#],
    );
    check(
        "account_changed",
        &lines(&[
            ("05:00:00", "useradd[7]: new user: name=ann, UID=1001, GID=1001, home=/home/ann, shell=/bin/sh"),
            ("05:00:09", "userdel[8]: delete user 'bob'"),
        ]),
        &[r#"accounts ["ann","bob"]"#, r#"event.type ["user creation","user deletion"]"#],
    );
    check(
        "ssh_key_added",
        &[r#"type=PATH msg=audit(1717390800.260:3932): item=1 name="/root/.ssh/authorized_keys" inode=7 nametype=CREATE"#.to_owned()],
        &[r#"file.path ["/root/.ssh/authorized_keys"]"#],
    );
    check(
        "privileges_denied",
        &lines(&[(
            "05:00:00",
            "sudo: ann : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh -i",
        )]),
        &[r#"process.command_line ["/bin/sh -i"]"#],
    );
}

#[test]
fn what_breaks() {
    for (said, rule, expected) in [
        (
            "kernel: [ 7.1] EXT4-fs error (device sda1): ext4_find_entry:1436: inode #2",
            "disk_error",
            &[r#"device ["sda1"]"#, r#"error ["EXT4-fs error"]"#][..],
        ),
        (
            "kernel: [ 7.1] blk_update_request: I/O error, dev nvme0n1, sector 7",
            "disk_error",
            &[r#"device ["nvme0n1"]"#, r#"error ["I/O error"]"#],
        ),
        (
            "kernel: [ 7.1] Out of memory: Killed process 77 (java) total-vm:1kB",
            "kernel_error",
            &[r#"error ["Out of memory"]"#],
        ),
        (
            "smartd[7]: Device: /dev/sdb [SAT], 8 Currently unreadable (pending) sectors",
            "disk_failing",
            &[r#"device ["sdb"]"#],
        ),
    ] {
        check(rule, &lines(&[("05:00:00", said)]), expected);
    }
}

#[test]
fn what_was_asked_of_a_web_server() {
    let get = |second: u32, path: &str, status: u32| {
        format!(
            "198.51.100.7 - - [03/Jun/2024:04:00:{second:02} +0000] \"GET {path} HTTP/1.1\" {status} 9 \"-\" \"-\""
        )
    };
    check(
        "web_scan",
        &[get(0, "/wp-login.php", 404), get(1, "/.env", 200), get(2, "/.git/config", 404)],
        &[
            r#"http.response.status_code ["404","200"]"#,
            r#"signs ["absent","sensitive_file"]"#,
            "succeeded true",
            r#"url.path ["/wp-login.php","/.env","/.git/config"]"#,
        ],
    );
    let injection = get(0, "/?id=1%27%20UNION%20SELECT%20password%20FROM%20users--", 404);
    check(
        "web_exploit_attempt",
        &[injection],
        &[
            r#"http.response.status_code ["404"]"#,
            r#"signs ["sql_injection"]"#,
            "succeeded false",
            r#"url.path ["/?id=1%27%20UNION%20SELECT%20password%20FROM%20users--"]"#,
        ],
    );
}

/// Five days of a source that says so much of this in each minute, by whether it is the last day and by the minute of
/// the day, beside one that keeps time going.
fn days(said: impl Fn(bool, i64) -> (usize, &'static str)) -> Vec<String> {
    const DAY: i64 = 1_440;
    let start = at("2024-06-01T00:00:00Z");
    let mut lines = vec![];
    for minute in 0..5 * DAY {
        let stamp = start.saturating_add(minute * 60_000_000_000);
        let (count, text) = said(minute >= 4 * DAY, minute % DAY);
        lines.extend(std::iter::repeat_n(format!("{stamp} gate app[1]: {text}"), count));
        lines.push(format!("{stamp} gate other[1]: INFO tock"));
    }
    lines
}

#[test]
fn what_was_usual_of_a_source() {
    let spike = days(|is_last, minute| (if is_last && minute < 5 { 40 } else { 1 }, "INFO tick"));
    check("volume_spike", &spike, &["amount 120", "usual.amount 10", "within_seconds 600"]);
    let errors =
        days(|is_last, minute| (1, if is_last && minute < 20 { "ERROR it failed" } else { "INFO tick" }));
    check("error_burst", &errors, &["amount 10", "usual.amount 5", "within_seconds 600"]);
    let silence = days(|is_last, _| (usize::from(!is_last), "INFO tick"));
    check("source_silent", &silence, &["usual.pause_seconds 60"]);
    let hourly = |is_last, minute| {
        (
            if minute % 60 > 0 {
                0
            } else if is_last {
                10
            } else {
                60
            },
            "INFO tick",
        )
    };
    check("volume_drop", &days(hourly), &["amount 20", "usual.amount 120", "within_seconds 7200"]);
    // On its way down it is not learned that so little is usual.
    let slowly = |is_last: bool, minute: i64| {
        (usize::from(!is_last || [0, 3, 7].contains(&(minute % 10))), "INFO tick")
    };
    check("volume_drop", &days(slowly), &["amount 40", "usual.amount 120", "within_seconds 7200"]);
}

/// What is told of a message that is said a thousand times, and is strange the last time.
fn strange(fields: &[(&'static str, &'static str)]) -> Vec<Finding> {
    let mut engine = Engine::new(Config::default());
    let start = at("2024-06-01T00:00:00Z");
    for number in 0..1_000_usize {
        let time = start.saturating_add(number as i64 * 300_000_000_000);
        let mut event = Event::new("INFO tick", time);
        event.source = Some("app".into());
        for (name, value) in fields {
            event.set(*name, *value);
        }
        let mut analyzed = analyzed(event, number);
        analyzed.template = Some(std::sync::Arc::new(Template::new("INFO tick")));
        if number == 999 {
            analyzed.verdict.is_anomaly = true;
            analyzed.verdict.score = 0.875;
            analyzed.verdict.reasons = vec!["rare hour".to_owned()];
        }
        engine.see_one(&analyzed);
    }
    engine.drain()
}

#[test]
fn why_something_is_strange() {
    let found = strange(&[]);
    let anomaly = found.iter().find(|finding| finding.rule == "anomaly").unwrap();
    assert_eq!(serde_json::to_string(&anomaly.facts).unwrap(), r#"{"reasons":["rare hour"],"score":0.875}"#);
}

#[test]
fn that_one_of_many_refusals_is_strange_says_nothing_more() {
    let refused = [("event.category", "authentication"), ("event.outcome", "failure")];
    assert!(
        strange(&refused).iter().all(|finding| finding.rule != "anomaly"),
        "failures are counted elsewhere"
    );
    let let_in = [("event.category", "authentication"), ("event.outcome", "success")];
    assert!(strange(&let_in).iter().any(|finding| finding.rule == "anomaly"));
}

#[test]
fn what_is_strange_of_one_client_within_an_hour_is_told_under_one_template() {
    let mut engine = Engine::new(Config::default());
    let start = at("2024-06-01T00:00:00Z");
    let mut see = |number: usize, minute: i64, template: &'static str, client: &'static str| {
        let mut event = Event::new(template, start.saturating_add(minute * 60_000_000_000));
        event.source = Some("app".into());
        event.set("source.ip", client);
        let mut analyzed = analyzed(event, number);
        analyzed.template = Some(std::sync::Arc::new(Template::new(template)));
        analyzed.verdict.is_anomaly = number >= 1_000;
        engine.see_one(&analyzed);
    };
    (0..1_000).for_each(|number| see(number, number as i64 * 5, "INFO tick", "192.0.2.1"));
    see(1_000, 5_001, "GET one", "192.0.2.7");
    see(1_001, 5_030, "GET two", "192.0.2.7");
    see(1_002, 5_031, "GET three", "192.0.2.8");
    see(1_003, 5_200, "GET four", "192.0.2.7");
    let told: Vec<_> = engine
        .drain()
        .into_iter()
        .filter(|finding| finding.rule == "anomaly")
        .map(|finding| {
            let of = |wanted| finding.entities.iter().filter(move |entity| entity.r#type == wanted);
            let templates: Vec<_> = of(EntityType::Template).map(|entity| entity.value.clone()).collect();
            let client = of(EntityType::SourceIp).next().map(|entity| entity.value.clone());
            (templates, client, finding.count, finding.evidence.len())
        })
        .collect();
    let one = |templates: &[&str], client: &str| {
        (templates.iter().map(|text| (*text).to_owned()).collect(), Some(client.to_owned()), 1, 1)
    };
    assert_eq!(
        told,
        [
            one(&["GET one"], "192.0.2.7"),
            one(&["GET one", "GET two"], "192.0.2.7"),
            one(&["GET three"], "192.0.2.8"),
            one(&["GET four"], "192.0.2.7")
        ]
    );
}
