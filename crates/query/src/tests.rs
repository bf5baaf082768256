use event::{
    Event, EventId, JournalId, Position, Severity, Template, Timestamp, Value, Verdict, VerdictState,
};

use super::*;

const ID: EventId = EventId { journal: JournalId(0xa), position: Position { segment: 0, record: 7 } };

fn now() -> Timestamp {
    Timestamp::parse("2024-06-01T12:00:00Z").unwrap()
}

fn parse(text: &str) -> Query {
    Query::parse(text, now()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The tree in a notation without precedence: every operator and its operands in parentheses.
fn tree(query: &Query) -> String {
    let list = |name: &str, parts: &[Query]| {
        let parts: Vec<_> = parts.iter().map(tree).collect();
        format!("({name} {})", parts.join(" "))
    };
    match query {
        Query::And(parts) => list("and", parts),
        Query::Or(parts) => list("or", parts),
        Query::Not(part) => format!("(not {})", tree(part)),
        leaf => leaf.to_string(),
    }
}

#[test]
fn precedence_and_forms() {
    for (text, expected) in [
        ("", "*"),
        ("   ", "*"),
        ("*", "*"),
        ("**", "*"),
        ("message:*", "*"),
        ("Timeout", "timeout"),
        ("\"Connection  refused!\"", "\"connection refused\""),
        ("10.0.0.1", "\"10 0 0 1\""),
        ("foo-Bar", "\"foo bar\""),
        ("--verbose", "verbose"),
        ("[error]", "error"),
        ("12:30", "\"12 30\""),
        ("http://a.example/x", "\"http a example x\""),
        ("user=root", "\"user root\""),
        ("and or not to", "(and and or not to)"),
        ("\"AND\"", "and"),
        ("ANDROID", "android"),
        ("time*", "time*"),
        ("10.0.*", "10.0.*"),
        ("\"time*\"", "time"),
        ("time\\*out", "\"time out\""),
        ("a b", "(and a b)"),
        ("a AND b && c", "(and a b c)"),
        ("a OR b || c", "(or a b c)"),
        ("a b OR c d", "(or (and a b) (and c d))"),
        ("a OR b AND NOT c", "(or a (and b (not c)))"),
        ("NOT a b", "(and (not a) b)"),
        ("!a -b", "(and (not a) (not b))"),
        ("NOT (a OR b) c", "(and (not (or a b)) c)"),
        ("NOT NOT a", "(not (not a))"),
        ("(a (b c))", "(and a b c)"),
        ("a||b&&c", "(or a (and b c))"),
        ("(a)(b)", "(and a b)"),
        ("a\"b c\"", "(and a \"b c\")"),
        ("user.name:root", "user.name:root"),
        ("user.name:\"John Doe\"", "user.name:\"John Doe\""),
        ("user.name:\"a*\"", "user.name:\"a*\""),
        ("user.name:a\\*", "user.name:\"a*\""),
        ("user.name:a*", "user.name:a*"),
        ("user.name:*", "user.name:*"),
        ("user.name:-x", "user.name:-x"),
        ("labels.url:http://x/y:1", "labels.url:http://x/y:1"),
        ("level:WARNING", "log.level:warn"),
        ("level:\"Err\"", "log.level:error"),
        ("level:>=error", "(or log.level:error log.level:fatal)"),
        ("level:{trace TO warn}", "(or log.level:debug log.level:info)"),
        ("level:>fatal", "(not *)"),
        ("level:[* TO *]", "log.level:*"),
        ("event.outcome:SUCCESS", "event.outcome:success"),
        ("source:sshd", "service.name:sshd"),
        ("source.ip:10.0.0.0/8", "source.ip:10.0.0.0/8"),
        ("source.ip:10.1.2.3/8", "source.ip:10.0.0.0/8"),
        ("source.ip:192.168.*", "source.ip:192.168.0.0/16"),
        ("source.ip:10.*.*.*", "source.ip:10.0.0.0/8"),
        ("source.ip:2001:db8:*", "source.ip:2001:db8::/32"),
        ("source.ip:::1", "source.ip:::1"),
        ("source.ip:[10.0.0.1 TO 10.0.0.4}", "source.ip:[10.0.0.1 TO 10.0.0.3]"),
        ("source.ip:>=10.0.0.0/8", "source.ip:[10.0.0.0 TO ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]"),
        ("source.ip:{10.0.0.1 TO 10.0.0.2}", "(not *)"),
        ("request_id:7", "labels.request_id:7"),
        ("LEVEL:info", "log.level:info"),
        ("error:timeout", "labels.error:timeout"),
        ("http.status:503", "labels.http.status:503"),
        ("\"user name\":x", "\"labels.user name\":x"),
        ("\"a:b \\\"c\\\"\":(x OR y)", "(or \"labels.a:b \\\"c\\\"\":x \"labels.a:b \\\"c\\\"\":y)"),
        ("\"level\":info", "log.level:info"),
        ("user\\ name:x", "\"labels.user name\":x"),
        ("labels.u:\"//x\"", "labels.u:\"//x\""),
        ("client.ip:unknown", "labels.client.ip:unknown"),
        ("process.pid:abc", "labels.process.pid:abc"),
        ("url.port:4.5", "labels.url.port:4.5"),
        ("event.start:soon", "labels.event.start:soon"),
        ("tls.established:yes", "labels.tls.established:yes"),
        ("CAFÉ", "(or café cafe)"),
        ("cafe\u{301}", "(or café cafe)"),
        ("-\"für Elise\" a", "(and (not (or \"für elise\" \"fu r elise\")) a)"),
        ("für\\*x", "(or \"für x\" \"fu r x\")"),
        ("서버", "*서버*"),
        ("a OR a", "a"),
        ("Ａ１ ΟΔΟΣ οδος", "(and a1 οδοσ οδοσ)"),
        ("数据库连接", "*数据库连接*"),
        ("\"连接失败 请重试\"", "*连接失败.请重试*"),
        ("\"连接 a 重试\"", "*连接.a.重试*"),
        ("用户*", "用户*"),
        ("message:~\"^a\\d+ \\\"b\\.c\\\"$\"", "message:~\"^a\\d+ \\\"b\\.c\\\"$\""),
        ("user.name:(~\"^a\" OR b)", "(or user.name:~\"^a\" user.name:b)"),
        ("file.path:~/x", "file.path:\"~/x\""),
        ("user.name:\\~x", "user.name:\"~x\""),
        ("DOMAIN\\Administrator", "\"domain administrator\""),
        ("CORP\\bob:x", "\"corp bob x\""),
        ("C:\\Windows\\System32", "\"c windows system32\""),
        ("\"C:\\Windows\\System32\\calc.exe\"", "\"c windows system32 calc exe\""),
        ("file.path:C:\\Win*", "file.path:C:\\Win*"),
        ("file.path:\"C:\\Windows\"", "file.path:\"C:\\\\Windows\""),
        ("file.path:\"C:\\\\Windows\"", "file.path:\"C:\\\\Windows\""),
        ("process.pid:7", "process.pid:7"),
        ("process.exit_code:(-1 OR 2)", "(or process.exit_code:-1 process.exit_code:2)"),
        ("process.pid:>7", "process.pid:{7 TO *]"),
        ("process.pid:[1 TO 5}", "process.pid:[1 TO 5}"),
        ("user.name:(a OR \"b c\" OR NOT d*)", "(or user.name:a user.name:\"b c\" (not user.name:d*))"),
        ("user.name:(a b)", "(and user.name:a user.name:b)"),
        ("user.name:((a b) OR c)", "(or (and user.name:a user.name:b) user.name:c)"),
        ("process.pid:([1 TO 2] OR >=9)", "(or process.pid:[1 TO 2] process.pid:[9 TO *])"),
        ("message:(disk OR \"i o\")", "(or disk \"i o\")"),
        ("message:Disk-full", "\"disk full\""),
        ("sentinel.anomaly.is_anomaly:true", "sentinel.anomaly.is_anomaly:true"),
        ("@timestamp:now-15m", "@timestamp:[2024-06-01T11:45:00Z TO 2024-06-01T11:45:00Z]"),
        ("timestamp:>=now-15m", "@timestamp:[2024-06-01T11:45:00Z TO *]"),
        ("timestamp:2024-06-01", "@timestamp:[2024-06-01T00:00:00Z TO 2024-06-02T00:00:00Z}"),
        ("timestamp:<=2024-06-01", "@timestamp:[* TO 2024-06-02T00:00:00Z}"),
        ("timestamp:>2024-06-01", "@timestamp:[2024-06-02T00:00:00Z TO *]"),
        (
            "timestamp:[2024-06-01 TO \"2024-06-01 13:00\"}",
            "@timestamp:[2024-06-01T00:00:00Z TO 2024-06-01T13:00:00Z}",
        ),
        ("user.name:[a TO b]", "user.name:[a TO b]"),
        ("user.name:[\"TO\" TO *]", "user.name:[\"TO\" TO *]"),
    ] {
        let query = parse(text);
        assert_eq!(tree(&query), expected, "{text}");
        assert_eq!(parse(&query.to_string()), query, "{text} → {query}");
    }
}

#[test]
fn errors_name_the_column_and_what_was_expected() {
    for (text, column, part) in [
        ("a AND", 6, "ends where"),
        ("AND a", 1, "before this"),
        ("a OR OR b", 6, "before this"),
        ("(a", 1, "never closed"),
        ("a)", 2, "closes nothing"),
        ("()", 2, "before this ')'"),
        ("ünï \"b", 5, "quote is never closed"),
        ("---", 1, "no letter, digit"),
        ("a - b", 3, "no letter, digit"),
        ("level:", 7, "right after 'level:'"),
        ("level: error", 7, "right after 'level:'"),
        ("process.pid:>abc", 13, "holds numbers"),
        ("sentinel.anomaly.score:high", 24, "holds numbers"),
        ("timestamp:yesterday", 11, "no time"),
        ("\"\":x", 1, "name of a field"),
        ("user.name:~\"(a\"", 11, "this is no regular expression: unclosed group"),
        ("user.name:~\"(a{99}){99}{99}\"", 11, "takes more than 32 KiB"),
        ("user.name:~\"a", 12, "never closed"),
        (
            "user.name:~ab.*",
            11,
            "stands in quotes, user.name:~\"…\"; for the sign itself write user.name:\\~",
        ),
        ("message:(x OR ~^ab)", 15, "stands in quotes"),
        ("process.pid:~\"1\"", 13, "holds none"),
        ("\"C:\\Temp\\\"", 1, "double the backslash"),
        ("process.pid:1*", 13, "take no '*'"),
        ("process.pid:>inf", 13, "holds numbers"),
        ("source.ip:>banana", 11, "holds addresses"),
        ("source.ip:<10.0.0.0/33", 11, "holds addresses"),
        ("source.ip:1*.2", 11, "whole parts"),
        ("labels.n:>x5", 10, "labels.n has an order among numbers only, and 'x5' is none"),
        ("n:[1 TO b]", 3, "labels.n has an order"),
        ("level:>loud", 7, "no level"),
        ("level:banana", 7, "no level; they are trace, debug, info, warn, error and fatal"),
        ("level:(warn OR banana)", 16, "no level"),
        ("event.kind:>a", 12, "no order"),
        ("message:>a", 9, "no order"),
        ("timestamp:>yesterday", 11, "no time"),
        ("sentinel.anomaly.is_anomaly:yes", 29, "true or false"),
        ("process.pid:[1 5]", 16, "TO was expected"),
        ("process.pid:[1 TO 5", 13, "never closed"),
        ("process.pid:[ TO 5]", 15, "a value or '*'"),
        ("process.pid:>=*", 15, "not '*'"),
        ("process.pid:>=", 15, "a value or '*'"),
        ("user*:root", 1, "field name"),
        ("a\\", 2, "after this backslash"),
        ("event.original:x", 16, "search message"),
    ] {
        let error = Query::parse(text, now()).expect_err(text);
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.reason.contains(part), "{text}: {error}");
    }
}

#[test]
fn limits_are_errors() {
    for (text, part) in [
        ("a".repeat(LENGTH_MAX + 1), "longer than"),
        ("a ".repeat(CLAUSES_MAX + 1), "more than 512 terms"),
        ("(".repeat(DEPTH_MAX + 1), "nested"),
        ("!".repeat(LENGTH_MAX), "nested"),
        ("-a:(".repeat(100), "nested"),
        ("a:~\"b\" ".repeat(EXPRESSIONS_MAX + 1), "more than 16 regular expressions"),
        (format!("a:~\"{}\"", "b".repeat(1025)), "at most 1024 bytes"),
    ] {
        let error = Query::parse(&text, now()).expect_err(part);
        assert!(error.reason.contains(part), "{error}");
    }
    parse(&format!("{}a{}", "(".repeat(DEPTH_MAX), ")".repeat(DEPTH_MAX)));
    parse(&"a ".repeat(CLAUSES_MAX));
}

fn event() -> Event<'static> {
    let mut event = Event::new("Failed password for Root from 192.168.1.7 port 22 ssh2", now());
    event.severity = Severity::Warn;
    event.source = Some("sshd".into());
    event.set("source.ip", "192.168.1.7");
    event.set("process.pid", 42);
    event.set("event.outcome", "Failure");
    event.set("user.name", "Root");
    event.set("labels.n", 5);
    event.set("labels.f", Value::Float(5.0));
    event.set("labels.b", true);
    event.set("labels.code", "007");
    event.set("labels.null", Value::Null);
    event.set("labels.tags", Value::Json("[\"a\",[\"b\"],null,7,{\"c\":1}]".into()));
    event.set("labels.empty", Value::Json("[]".into()));
    event.set("labels.objects", Value::Json("[{\"c\":1}]".into()));
    event.set("labels.large", Value::Json("123456789012345678901234567890".into()));
    event.set("event.duration", i64::MAX);
    event.set("event.start", "2024-06-01T10:00:00+02:00");
    event.set("host.ip", Value::Json("[\"10.0.0.1\",\"fe80::1\"]".into()));
    event.set("source.port", "not a number");
    event
}

#[test]
fn what_matches_an_event() {
    let template = Template::new("Failed password for <user> from <ip> port <int> ssh2");
    let verdict = Verdict {
        score: 0.42,
        is_anomaly: true,
        state: VerdictState::Scored,
        reasons: vec!["rare".to_owned()],
    };
    let event = event();
    for (text, expected) in [
        ("", true),
        ("failed", true),
        ("fail", false),
        ("fail*", true),
        ("\"password failed\"", false),
        ("\"FAILED Password for\"", true),
        ("192.168.1.7", true),
        ("192.168.1", true),
        ("168.1.7.22", false),
        ("192.168.*.7", true),
        ("ss?2", true),
        ("level:WARNING", true),
        ("level:w*", true),
        ("level:>=warn", true),
        ("level:<warn", false),
        ("source:sshd", true),
        ("source:SSHD", false),
        ("host:*", false),
        ("NOT host:web", true),
        ("user.name:root", false),
        ("user.name:Root", true),
        ("user.name:[R TO S]", true),
        ("event.outcome:failure", true),
        ("event.outcome:FAIL*", true),
        ("process.pid:42", true),
        ("process.pid:42.0", true),
        ("process.pid:4.2e1", true),
        ("process.pid:[40 TO 42}", false),
        ("process.pid:{41.5 TO *}", true),
        ("event.duration:9223372036854775807", true),
        ("event.duration:9223372036854775806", false),
        ("source.port:>0", false),
        ("source.port:*", true),
        ("source.ip:192.168.1.7", true),
        ("source.ip:192.168.0.0/16", true),
        ("source.ip:192.168.2.*", false),
        ("source.ip:[192.168.1.0 TO 192.168.1.7}", false),
        ("host.ip:10.0.0.0/8 host.ip:fe80:*", true),
        ("labels.n:5", true),
        ("message:~\"from [0-9.]+ port\"", true),
        ("message:~\"^password\"", false),
        ("user.name:~\"^R..t$\"", true),
        ("event.outcome:~\"^fail\"", true),
        ("labels.tags:~\"^[bc]$\"", true),
        ("labels.n:~\"^5$\"", true),
        ("labels.null:~\"\"", false),
        ("labels.n:5.0", true),
        ("labels.n:0.5e1", true),
        ("labels.n:5x", false),
        ("labels.n:>4", true),
        ("labels.n:[5 TO 6}", true),
        ("labels.n:{5 TO *]", false),
        ("labels.b:>=0", false),
        ("labels.tags:[6.5 TO 7]", true),
        ("labels.large:>1e29", true),
        ("labels.code:007", true),
        ("labels.code:7", false),
        ("labels.code:>1", false),
        ("n:5", true),
        ("labels.f:5.0", true),
        ("labels.f:5", true),
        ("labels.b:true", true),
        ("labels.null:*", false),
        ("labels.empty:*", false),
        ("labels.objects:*", false),
        ("labels.tags:*", true),
        ("labels.tags:(a b 7)", true),
        ("labels.tags:a*", true),
        ("labels.tags:null", false),
        ("labels.large:123456789012345678901234567890", true),
        ("labels.large:123456789012345678901234567891", false),
        ("event.start:2024-06-01T08:00:00Z", true),
        ("event.start:[2024-06-01 TO 2024-06-01]", true),
        ("timestamp:[now-1m TO now]", true),
        ("timestamp:<now", false),
        ("sentinel.anomaly.score:>0.4", true),
        ("sentinel.anomaly.score:0.42", true),
        ("sentinel.anomaly.is_anomaly:true", true),
        ("sentinel.anomaly.state:SCORED", true),
        ("sentinel.anomaly.reasons:rare", true),
        ("sentinel.template.text:Failed*", true),
    ] {
        assert_eq!(parse(text).matches(ID, &event, Some(&template), &verdict), expected, "{text}");
    }
}

#[test]
fn ids_are_whole() {
    let (own, other) = (ID.to_string(), "0000000000000000000000000000000b-00000000-00000007");
    let asked = |text: &str| parse(text).matches(ID, &event(), None, &Verdict::unscored());
    for (text, expected, ids) in [
        (format!("_id:{own}"), true, Some(1)),
        (format!("_id:{}", own.to_uppercase()), true, Some(1)),
        (format!("_id:({other} OR {own})"), true, Some(2)),
        (format!("disk _id:{own}"), false, Some(1)),
        (format!("_id:{other}"), false, Some(1)),
        (format!("NOT _id:{other}"), true, None),
        (format!("disk OR _id:{own}"), true, None),
        ("_id:*".to_owned(), true, None),
        (format!("user.name:{own}"), false, None),
    ] {
        assert_eq!((asked(&text), parse(&text).ids().map(|ids| ids.len())), (expected, ids), "{text}");
    }
    for (text, reason) in [
        ("_id:7", "'7' is not an event id: 32, 8 and 8 hexadecimal digits"),
        ("_id:0a*", "given whole"),
        ("_id:>7", "has no order"),
    ] {
        let error = Query::parse(text, Timestamp::MIN).unwrap_err();
        assert!(error.reason.contains(reason), "{text}: {error}");
    }
}

#[test]
fn value_at_agrees_with_the_document() {
    let (event, verdict) = (event(), Verdict::unscored());
    let template = Template::new("t");
    event::fields_of(&event, Some(&template), &verdict, &mut |path, value| {
        assert_eq!(value_at(&event, Some(&template), &verdict, path), Some(value), "{path}");
    });
}

#[test]
fn of_no_parts_all_match_and_none_does() {
    for (query, text) in [(Query::And(vec![]), "*"), (Query::Or(vec![]), "NOT *")] {
        assert_eq!(query.to_string(), text);
        assert_eq!(parse(text).to_string(), text);
    }
}
