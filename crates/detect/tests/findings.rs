//! Timed lines, and what is found in them.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use detect::{Config, Engine, Finding, Level, Maintenance};
use event::{Analyzed, Event, EventId, JournalId, Position, Timestamp};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn analyzed(event: Event<'_>, number: u32) -> Analyzed<'_> {
    let position = Position { segment: 0, record: number };
    Analyzed::unanalyzed(EventId { journal: JournalId(1), position }, event)
}

fn found_with(config: Config, lines: &[String]) -> Vec<Finding> {
    let zone = jiff::tz::TimeZone::UTC;
    let mut engine = Engine::new(config);
    for (number, line) in lines.iter().enumerate() {
        let context = parse::Context::new(at("2026-06-30T00:00:00Z"), &zone, 1 << 16);
        engine.see_one(&analyzed(received_at_once(parse::line(line.as_bytes(), &context)), number as u32));
    }
    engine.drain()
}

fn received_at_once(event: Event<'_>) -> Event<'_> {
    Event { observed_timestamp: event.timestamp, ..event }
}

/// Lines of an auth.log: minutes and seconds of an hour, and what the program says.
fn auth(lines: &[(&str, &str)]) -> Vec<String> {
    lines.iter().map(|(time, text)| format!("Jun  3 {time} gate {text}")).collect()
}

fn failure(user: &str, from: &str, pid: u32) -> String {
    format!("sshd[{pid}]: Failed password for {user} from {from} port 40022 ssh2")
}

/// `rule about level count`, the last word of each.
fn told(findings: &[Finding]) -> Vec<String> {
    let mut last = BTreeMap::new();
    for finding in findings {
        let about = finding.entities[0].value.clone();
        last.insert((finding.rule.clone(), about), (finding.level, finding.count));
    }
    last.into_iter()
        .map(|((rule, about), (level, count))| format!("{rule} {about} {} {count}", level.as_str()))
        .collect()
}

fn check(name: &str, lines: &[String], expected: &[&str]) {
    assert_eq!(told(&found_with(Config::default(), lines)), expected, "{name}");
}

#[test]
fn failures_of_one_address() {
    let fails = |count: u32, apart: u32| -> Vec<String> {
        let lines: Vec<(String, String)> = (0..count)
            .map(|n| {
                let second = n * apart;
                let time = format!("{:02}:{:02}:{:02}", 4 + second / 3600, second / 60 % 60, second % 60);
                (time, failure("root", "192.0.2.7", 100 + n))
            })
            .collect();
        let lines: Vec<(&str, &str)> = lines.iter().map(|(t, l)| (t.as_str(), l.as_str())).collect();
        auth(&lines)
    };
    check("five within ten minutes", &fails(5, 140), &["ssh_brute_force 192.0.2.7 medium 5"]);
    check("four are none", &fails(4, 10), &[]);
    check(
        "five in more than ten minutes are few",
        &fails(5, 160),
        &["ssh_patient_guessing 192.0.2.7 info 5"],
    );
    check("four in a day are none", &fails(4, 7_000), &[]);
    check("ten in a day are patience", &fails(10, 700), &["ssh_patient_guessing 192.0.2.7 low 10"]);
    let mut with_login = fails(5, 20);
    with_login.extend(auth(&[(
        "04:03:00",
        "sshd[300]: Accepted password for root from 192.0.2.7 port 40022 ssh2",
    )]));
    check(
        "who gets in is worse",
        &with_login,
        &["login_after_failures 192.0.2.7 high 5", "ssh_brute_force 192.0.2.7 high 5"],
    );
}

#[test]
fn several_lines_of_one_attempt_count_once() {
    let from = "192.0.2.7";
    let attempt = |pid: u32| {
        [
            format!("sshd[{pid}]: Invalid user admin from {from} port 40022"),
            format!("sshd[{pid}]: Failed password for invalid user admin from {from} port 40022 ssh2"),
            format!("sshd[{pid}]: Connection closed by invalid user admin {from} port 40022 [preauth]"),
        ]
    };
    let lines = |attempts: u32| -> Vec<String> {
        let lines: Vec<String> = (0..attempts).flat_map(|n| attempt(10 + n)).collect();
        auth(&lines.iter().map(|line| ("05:00:00", line.as_str())).collect::<Vec<_>>())
    };
    check("four attempts of three lines", &lines(4), &[]);
    check("five attempts of three lines", &lines(5), &["ssh_brute_force 192.0.2.7 medium 5"]);
}

#[test]
fn what_only_a_later_line_of_a_connection_shows_counts() {
    let from = "192.0.2.7";
    let keys = |pid: u32, end: &str| {
        let offered =
            format!("sshd[{pid}]: Failed publickey for ann from {from} port 40022 ssh2: RSA SHA256:x{pid}");
        vec![offered.clone(), offered, format!("sshd[{pid}]: {end}")]
    };
    let lines = |end: &str| -> Vec<String> {
        let lines: Vec<String> = (10..15).flat_map(|pid| keys(pid, end)).collect();
        auth(&lines.iter().map(|line| ("05:00:00", line.as_str())).collect::<Vec<_>>())
    };
    let gone = format!("Connection closed by authenticating user ann {from} port 40022 [preauth]");
    check("keys that were not taken, five times", &lines(&gone), &["ssh_brute_force 192.0.2.7 medium 5"]);
    let is_in = format!("Accepted publickey for ann from {from} port 40022 ssh2: RSA SHA256:y");
    check("of which one was taken each time", &lines(&is_in), &[]);
    let as_other = format!("Accepted password for bob from {from} port 40022 ssh2");
    let found = told(&found_with(Config::default(), &lines(&as_other)));
    assert!(found.iter().any(|told| told.starts_with("login_after_failures")), "{found:?}");
}

#[test]
fn many_users_and_many_addresses() {
    let lines: Vec<String> = (0..10).map(|n| failure(&format!("user{n}"), "192.0.2.7", n)).collect();
    let lines = auth(&lines.iter().map(|line| ("05:00:00", line.as_str())).collect::<Vec<_>>());
    check(
        "one address, many users",
        &lines,
        &["password_spraying 192.0.2.7 medium 10", "ssh_brute_force 192.0.2.7 medium 10"],
    );
    let lines: Vec<String> = (0..12).map(|n| failure("root", &format!("192.0.2.{n}"), n)).collect();
    let lines = auth(&lines.iter().map(|line| ("05:00:00", line.as_str())).collect::<Vec<_>>());
    check("many addresses", &lines, &["ssh_brute_force_distributed gate medium 12"]);
    let lines: Vec<String> = (0..5).map(|n| failure("root", &format!("2001:db8:1:2::{n}"), n)).collect();
    let lines = auth(&lines.iter().map(|line| ("05:00:00", line.as_str())).collect::<Vec<_>>());
    check("one network of IPv6", &lines, &["ssh_brute_force 2001:db8:1:2::/64 medium 5"]);
}

#[test]
fn what_changes_on_a_host() {
    let cases: &[(&str, &[&str])] = &[
        (
            "useradd[7]: new user: name=ann, UID=1001, GID=1001, home=/home/ann, shell=/bin/bash",
            &["account_changed gate low 1"],
        ),
        (
            "useradd[7]: new user: name=toor, UID=0, GID=0, home=/root, shell=/bin/bash",
            &["administrator_made gate high 1"],
        ),
        ("gpasswd[7]: user ann added by root to group sudo", &["administrator_made gate high 1"]),
        ("gpasswd[7]: user ann removed by root from group sudo", &["account_changed gate low 1"]),
        ("usermod[7]: add 'ann' to group 'sudo'", &["administrator_made gate high 1"]),
        ("usermod[7]: delete 'ann' from group 'sudo'", &["account_changed gate low 1"]),
        (
            "sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/sbin/usermod -aG sudo bob",
            &["administrator_made gate high 1"],
        ),
        (
            "sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/sbin/usermod -rG sudo bob",
            &["account_changed gate low 1"],
        ),
        (
            "sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/gpasswd -d bob sudo",
            &["account_changed gate low 1"],
        ),
        (
            "sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/gpasswd --add bob sudo",
            &["administrator_made gate high 1"],
        ),
        ("crontab[7]: (ann) REPLACE (ann)", &["cron_changed gate low 1"]),
        ("crontab[7]: (ann) LIST (ann)", &[]),
        (
            "sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/sbin/visudo",
            &["sudoers_changed gate medium 1"],
        ),
        ("sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/cat /etc/sudoers", &[]),
        (
            "sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/tee -a /root/.ssh/authorized_keys",
            &["ssh_key_added gate medium 1"],
        ),
        (
            "sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/rm -f /var/log/auth.log",
            &["logs_removed gate high 1"],
        ),
        (
            "sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/tail -f /var/log/auth.log",
            &[],
        ),
        (
            "sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/bin/systemctl stop rsyslog",
            &["logging_stopped gate medium 1"],
        ),
        (
            "kernel: [ 7.1] EXT4-fs error (device sda1): ext4_find_entry:1436: inode #2: comm ls: reading directory",
            &["disk_error gate medium 1"],
        ),
        ("kernel: [ 7.1] EXT4-fs (sda1): mounted filesystem with ordered data mode", &[]),
        ("kernel: [ 7.1] Kernel panic - not syncing: Fatal exception", &["kernel_broken gate high 1"]),
        (
            "kernel: [ 7.1] Out of memory: Killed process 77 (java) total-vm:1kB",
            &["kernel_error gate medium 1"],
        ),
        (
            "systemd[1]: web.service: Start request repeated too quickly.",
            &["service_given_up web.service high 1"],
        ),
        ("nginx: 192.0.2.1 asks for Kernel panic", &[]),
    ];
    for (line, expected) in cases {
        check(line, &auth(&[("05:00:00", line)]), expected);
    }
}

#[test]
fn records_of_the_audit_tell_of_processes() {
    let call = |number: u32, program: &str, pid: u32| {
        format!(
            r#"{{"ID":"1714557600.260:{number}","SYSCALL":{{"syscall":59,"success":"yes","ppid":7,"pid":{pid},"exe":"{program}"}}}}"#
        )
    };
    let crash = |program: &str| {
        format!(
            r#"{{"ID":"1714557600.260:9","NODE":"gate","ANOM_ABEND":[{{"pid":42,"exe":"{program}","sig":11,"res":1}}]}}"#
        )
    };
    check("su crashed", &[crash("/usr/bin/su")], &["program_with_privileges_crashed /usr/bin/su high 1"]);
    check("ls crashed", &[crash("/usr/bin/ls")], &[]);
    check(
        "a script in disguise",
        &[call(1, "/usr/bin/base64", 8), call(2, "/usr/bin/bash", 9)],
        &["decoded_script_run 7 medium 2"],
    );
    check(
        "what was fetched is run",
        &[call(1, "/usr/bin/curl", 8), call(2, "/tmp/x", 9)],
        &["fetched_program_run 7 high 2", "program_run_from_temp /tmp/x low 1"],
    );
    check("only fetched", &[call(1, "/usr/bin/curl", 8), call(2, "/usr/bin/curl", 9)], &[]);
    let kills = |count: u32| (0..count).map(|n| call(n, "/usr/bin/pkill", 10 + n)).collect::<Vec<_>>();
    check("rivals are killed", &kills(5), &["many_programs_killed 7 medium 5"]);
    check("a service is stopped", &kills(4), &[]);
    check("one shell after the other", &[call(1, "/usr/bin/bash", 8), call(2, "/usr/bin/bash", 9)], &[]);
}

#[test]
fn services_that_will_not_stay_up() {
    let restart =
        |n: u32| format!("systemd[1]: web.service: Scheduled restart job, restart counter is at {n}.");
    let lines: Vec<String> = (0..3).map(restart).collect();
    let lines = |count: usize| {
        auth(&lines[..count].iter().map(|line| ("05:00:00", line.as_str())).collect::<Vec<_>>())
    };
    check("two restarts", &lines(2), &[]);
    check("three restarts", &lines(3), &["service_restarts web.service medium 3"]);
}

#[test]
fn own_addresses_and_maintenance_are_excepted() {
    let lines: Vec<String> = (0..6).map(|n| failure("root", "192.0.2.7", n)).collect();
    let lines = auth(&lines.iter().map(|line| ("05:00:00", line.as_str())).collect::<Vec<_>>());
    let found = |config| found_with(config, &lines).len();
    let own =
        |network: &str, bits| Config { own: vec![(network.parse().unwrap(), bits)], ..Config::default() };
    assert_eq!(found(own("192.0.2.0", 24)), 0);
    assert_eq!(found(own("192.0.3.0", 24)), 1);
    let during = |host: Option<&str>, to| Config {
        maintenance: vec![Maintenance {
            from: at("2026-06-03T04:00:00Z"),
            to: at(to),
            host: host.map(str::to_owned),
        }],
        ..Config::default()
    };
    assert_eq!(found(during(None, "2026-06-03T06:00:00Z")), 0);
    assert_eq!(found(during(Some("gate"), "2026-06-03T06:00:00Z")), 0);
    assert_eq!(found(during(Some("other"), "2026-06-03T06:00:00Z")), 1);
    assert_eq!(found(during(None, "2026-06-03T04:30:00Z")), 1);
}

#[test]
fn a_user_from_elsewhere_is_told_once_the_origins_are_known() {
    let login = |day: u32, from: &str| {
        format!(
            "Jun {day:2} 09:00:00 gate sshd[{day}]: Accepted publickey for ann from {from} port 40022 ssh2"
        )
    };
    let mut lines: Vec<String> = (1..8).map(|day| login(day, "192.0.2.7")).collect();
    check("always the same", &lines, &[]);
    lines.push(login(8, "192.0.2.99"));
    check("a neighbour", &lines, &[]);
    lines.push(login(9, "198.51.100.7"));
    check("from elsewhere", &lines, &["new_login_origin ann low 1"]);
}

#[test]
fn a_source_is_silent_while_it_is_silent() {
    let mut lines = vec![];
    let mut stamp = at("2026-06-01T00:00:00Z").as_nanos();
    let line =
        |stamp: i64, text: &str| format!("{} gate {text}", Timestamp::from_nanos(stamp).unwrap().to_jiff());
    for _ in 0..3 * 24 * 12 {
        lines.push(line(stamp, "app[1]: tick"));
        lines.push(line(stamp, "other[1]: tock"));
        stamp += 300_000_000_000;
    }
    assert_eq!(told(&found_with(Config::default(), &lines)), Vec::<String>::new());
    let since = stamp;
    for _ in 0..6 {
        lines.push(line(stamp, "other[1]: tock"));
        stamp += 300_000_000_000;
    }
    let found = found_with(Config::default(), &lines);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].rule.as_str(), found[0].level), ("source_silent", Level::Medium));
    assert_eq!(found[0].entities[0].value, "app");
    let told_after = found[0].last.as_nanos() - (since - 300_000_000_000);
    assert!(told_after <= 600_000_000_000, "told within twice the usual pause, not after {told_after} ns");
}

#[test]
fn silence_is_told_neither_of_old_files_nor_of_our_own_stops() {
    const MINUTES: i64 = 5 * 60_000_000_000;
    let start = at("2026-06-01T00:00:00Z").as_nanos();
    let stamp = |number: i64| Timestamp::from_nanos(start + number * MINUTES).unwrap();
    let told_after_an_hour = |late: i64, resumes: bool| {
        let mut engine = Engine::new(Config::default());
        for number in 0..3 * 24 * 12 {
            let mut event = Event::new("tick", stamp(number + late));
            event.timestamp = stamp(number);
            event.source = Some("app".into());
            engine.see_one(&analyzed(event, number as u32));
        }
        if resumes {
            engine.resume(stamp(3 * 24 * 12 + 12));
        }
        engine.tick(stamp(3 * 24 * 12 + 12));
        told(&engine.drain())
    };
    assert_eq!(told_after_an_hour(0, false), ["source_silent app medium 0"]);
    assert_eq!(told_after_an_hour(0, true), [""; 0], "we have just begun to listen again");
    assert_eq!(told_after_an_hour(24 * 12, false), [""; 0], "it is received a day late");
}

#[test]
fn rules_are_replaced_and_those_that_stay_go_on_counting() {
    let text = |id: u32, word: &str| {
        format!(
            "title: {word}\nid: 00000000-0000-4000-8000-00000000000{id}\nlogsource: {{product: linux}}\ndetection:\n  words: ['{word}']\n  condition: words\nlevel: high\n"
        )
    };
    let read = |texts: &[String]| {
        let (rules, errors) = detect::rules::read(texts.iter().map(|text| ("a.yml", text.as_str())));
        assert!(errors.is_empty(), "{errors:?}");
        rules
    };
    let (one, other) = (text(1, "falcon"), text(2, "heron"));
    let mut engine = Engine::with_rules(Config::default(), read(std::slice::from_ref(&one)));
    let see = |engine: &mut Engine, second: u32, message: &'static str| {
        let mut event =
            Event::new(message, at("2026-06-01T00:00:00Z").saturating_add(i64::from(second) * 1_000_000_000));
        event.source = Some("cron".into());
        event.host = Some("gate".into());
        engine.see_one(&analyzed(event, second));
        engine
            .drain()
            .iter()
            .map(|finding| (finding.rule[35..].to_owned(), finding.count, finding.is_update))
            .collect::<Vec<_>>()
    };
    assert_eq!(see(&mut engine, 1, "a falcon"), [("1".to_owned(), 1, false)]);
    assert_eq!(see(&mut engine, 2, "a heron"), []);
    engine.replace_rules(read(&[one, other]));
    assert_eq!(see(&mut engine, 3, "a heron"), [("2".to_owned(), 1, false)]);
    assert_eq!(see(&mut engine, 4, "a falcon"), [("1".to_owned(), 2, true)], "more of the run before");
}

/// Days of a source that says something every minute, and of one that keeps time going; then what is put in.
fn days(days: i64, put: &[(i64, i64, usize, &str)]) -> Vec<String> {
    const MINUTE: i64 = 60_000_000_000;
    let start = at("2026-06-01T00:00:00Z").as_nanos();
    let mut lines = vec![];
    for minute in 0..days * 1_440 {
        let stamp = Timestamp::from_nanos(start + minute * MINUTE).unwrap().to_jiff();
        let special = put.iter().find(|(from, to, ..)| (*from..*to).contains(&minute));
        let (count, text) = special.map_or((1, "INFO tick"), |(_, _, count, text)| (*count, *text));
        lines.extend(std::iter::repeat_n(format!("{stamp} gate app[1]: {text}"), count));
        lines.push(format!("{stamp} gate other[1]: INFO tock"));
    }
    lines
}

#[test]
fn how_much_a_source_says() {
    const DAY: i64 = 1_440;
    let told = |put: &[(i64, i64, usize, &str)]| {
        let mut rules: Vec<String> = found_with(Config::default(), &days(5, put))
            .into_iter()
            .filter(|finding| !finding.is_update)
            .map(|finding| format!("{} {}", finding.rule, finding.entities[0].value))
            .collect();
        rules.dedup();
        rules
    };
    assert_eq!(told(&[]), Vec::<String>::new());
    assert_eq!(told(&[(4 * DAY, 4 * DAY + 5, 40, "INFO tick")]), ["volume_spike app"]);
    assert_eq!(told(&[(DAY, DAY + 5, 40, "INFO tick")]), Vec::<String>::new(), "not yet known");
    assert_eq!(told(&[(4 * DAY, 4 * DAY + 4, 5, "ERROR it failed")]), ["error_burst app"]);
    assert_eq!(told(&[(4 * DAY, 4 * DAY + 240, 0, "INFO tick")]), ["source_silent app"]);
}

#[test]
fn what_a_detector_tells_is_not_told_again_by_a_rule_that_comes_along() {
    let line = "Jun  3 10:00:00 gate sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/sbin/auditctl -D";
    let zone = jiff::tz::TimeZone::UTC;
    let found = |own: &[(&str, &str)]| {
        let rules = detect::rules::read(detect::SHIPPED.iter().copied().chain(own.iter().copied())).0;
        let mut engine = Engine::with_rules(Config::default(), rules);
        let context = parse::Context::new(at("2026-06-30T00:00:00Z"), &zone, 1 << 16);
        engine.see_one(&analyzed(received_at_once(parse::line(line.as_bytes(), &context)), 0));
        told(&engine.drain())
    };
    // As grave as the rule says that it is.
    assert_eq!(found(&[]), ["logging_stopped gate high 1"]);
    let own = "title: Audit\nid: own\nlogsource: {product: linux}\ntags: [attack.t1562.012]\n\
               detection:\n  words: ['auditctl -D']\n  condition: words\nlevel: low\n";
    assert_eq!(found(&[("own.yml", own)]), ["logging_stopped gate high 1", "own ann low 1"]);
}
