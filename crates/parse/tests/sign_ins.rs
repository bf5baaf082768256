//! What applications say of sign-ins in ordinary words or in records: the fields that are read, whatever others wrote.

use event::{Event, Timestamp, Value};
use parse::Context;
use proptest::{collection::vec, prelude::*, sample::select};

fn read(line: &str) -> Event<'_> {
    static UTC: jiff::tz::TimeZone = jiff::tz::TimeZone::UTC;
    let received = Timestamp::parse("2024-05-01T12:00:00Z").unwrap_or_default();
    parse::line(line.as_bytes(), &Context::new(received, &UTC, 1 << 20))
}

/// What a line must say: `action outcome user from`, a dash for what it does not.
fn check(line: &'static str, expected: &str) {
    let event = read(line);
    let text = |path: &str| match event.field(path) {
        Some(Value::String(text)) => text.to_string(),
        Some(value) => value.to_json().to_string(),
        None => "-".to_owned(),
    };
    let found = ["event.action", "event.outcome", "user.name", "source.ip"].map(text).join(" | ");
    assert_eq!(found, expected, "{line}");
}

#[test]
fn sentences_in_ordinary_words_are_read() {
    for (line, expected) in [
        (
            "2024-05-01 10:00:00 WARN Failed login attempt for user ann from 192.0.2.7",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "[2024-05-01 10:00:00] ERROR: [Auth] Failed login attempt for username \"ann\" from ip 192.0.2.7 (User not found)",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00 INFO Invalid password for 'ann' from 192.0.2.7:4711.",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00 WARN Authentication failed from 192.0.2.7 for user ann",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00 WARN Unknown user ann (2001:db8::7)",
            "web_login | failure | ann | 2001:db8::7",
        ),
        (
            "2024-05-01 10:00:00 WARN 192.0.2.7 failed to authenticate as 'ann'",
            "web_login | failure | ann | 192.0.2.7",
        ),
        ("2024-05-01 10:00:00 ann 192.0.2.7 failed to login", "web_login | failure | ann | 192.0.2.7"),
        (
            "2024-05-01 10:00:00 WARN FTP login failed for ann from 192.0.2.7",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00 INFO Successful login for ann from 192.0.2.7",
            "web_login | success | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00,123 42 INFO shop odoo.addons.base.models.res_users: Login failed for db:shop login:ann from 192.0.2.7",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "2024/05/01 10:00:00 ...ers/web/auth/auth.go:201:SignInPost() [I] Failed authentication attempt for ann from 192.0.2.7:0: user does not exist",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "May  1 10:00:00 web wordpress(www.example.org)[42]: Authentication attempt for unknown user ann from 192.0.2.7",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "May  1 10:00:00 chat prosody[42]: Failed authentication attempt (not-authorized) for user ann from IP: 192.0.2.7",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "guacamole-1  | 2024-05-01T10:00:00,820Z [http-nio-8080-exec-5] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [192.0.2.7, 172.18.0.2] for user \"ann\" failed.",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00.774649 [NOTICE] [42] [192.0.2.7:45164:HTTP2-41#_AdminVHost] [STDERR] [WebAdmin Console] Failed Login Attempt - username:ann ip:192.0.2.7 url:",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00,762 INFO  [qtp1-2:https://mail.example.org:7073/service/admin/soap/] [oip=192.0.2.7;oport=57752;oproto=smtp;soapId=68;] SoapEngine - handler exception: authentication failed for [ann], account not found",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "WARN: [May  1 10:00:00.643] failed to validate user credentials (invalid format) ip=192.0.2.7:28050 subsystem=sftp username=ann",
            "ssh_login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00.123 Info Server: http/1.1 Response 401 to 192.0.2.7. Time: 8ms. POST https://h/emby/Users/AuthenticateByName",
            "web_login | failure | - | 192.0.2.7",
        ),
        (
            "2024-05-01T10:00:00.000Z [warn][API]: Failed sign-in attempt using invalid Overseerr password {\"ip\":\"192.0.2.7\",\"email\":\"ann@example.org\"}",
            "web_login | failure | ann@example.org | 192.0.2.7",
        ),
        (
            "[2024-05-01 10:00:00 -0500] info [cpaneld] 192.0.2.7 - ann \"POST /login/?login_only=1 HTTP/1.1\" FAILED LOGIN cpaneld: invalid user",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00 NOTICE  192.0.2.7         functions_dolibarr::check_user_password_abc Authentication KO bad password for 'ann', cryptType=1",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "May  1 10:00:00 nas qlogd[42]: conn log: Users: ann, Source IP: 192.0.2.7, Computer name: ---, Connection type: HTTP, Accessed resources: ---, Action: Login Fail",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01T10:00:00.411498Z 25 [Note] [MY-010926] [Server] Access denied for user 'ann'@'192.0.2.7' (using password: NO)",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "192.0.2.7 2024-05-01 10:00:00.428 UTC [53962] ann@shop FATAL:  password authentication failed for user \"ann\"",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00 UTC [53962]: [1-1] user=ann,db=shop,app=[unknown],client=192.0.2.7 FATAL:  password authentication failed for user \"ann\"",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "May  1 10:00:00 nas smbd[42]:   Auth: [SMB2,(null)] user [WORKGROUP]\\[ann] at [Wed, 01 May 2024 10:00:00.123456 UTC] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [PC] remote host [ipv4:192.0.2.7:49152] mapped to [WORKGROUP]\\[ann]. local host [ipv4:192.0.2.1:445]",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "May 1, 2024 10:00:00 AM org.slf4j.impl.JCLLoggerAdapter warn\nWARNING: Authentication attempt from 192.0.2.7 for user \"ann\" failed.",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00.123  WARN 1 --- [nio-8080-exec-1] o.s.s.a.event.LoggerListener : Authentication event AuthenticationFailureBadCredentialsEvent: ann; details: WebAuthenticationDetails [RemoteIpAddress=192.0.2.7, SessionId=null]; exception: Bad credentials",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "May  1 10:00:00 host gitea[42]: 2024/05/01 10:00:00 routers/web/auth/auth.go:201:SignInPost() [I] Failed authentication attempt for ann from 192.0.2.7:0: user does not exist",
            "web_login | failure | ann | 192.0.2.7",
        ),
        ("2024-05-01 10:00:00 [INFO] User ann logged in from 192.0.2.7", "login | success | ann | 192.0.2.7"),
        (
            "2024-05-01 10:00:00 H=mx.example.org (x[198.51.100.1]) [192.0.2.7]:4711 F=<ann@example.org> rejected RCPT <bob@example.org>: relay not permitted",
            "mail_rejected | failure | - | 192.0.2.7",
        ),
        (
            "May  1 10:00:00 mx dovecot: imap-login: Login aborted: Connection closed (auth failed, 3 attempts in 16 secs) (auth_failed): user=<ann>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, TLS",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "May  1 10:00:00 ftp proftpd[42]: ftp (mx.example.org[192.0.2.7]) - Maximum login attempts (3) exceeded",
            "login | failure | - | 192.0.2.7",
        ),
        (
            "May  1 10:00:00 gw openvpn[42]: 192.0.2.7:4711 TLS Auth Error: Auth Username/Password verification failed for peer",
            "login | failure | - | 192.0.2.7",
        ),
        (
            "May  1 10:00:00 host lfd[42]: (ftpd) Failed FTP login from 192.0.2.7 (DE/Germany/-): 10 in the last 3600 secs - *Blocked in csf* [LF_FTPD]",
            "web_login | failure | - | 192.0.2.7",
        ),
        (
            "2024-05-01T10:00:00.521Z ACCEPT host=::ffff:192.0.2.7 port=4711 fd=4 n=1/4096",
            "ssh_handshake | failure | - | 192.0.2.7",
        ),
        (
            "2024/05/01 10:00:00 [error] 12#12: *3 FastCGI sent in stderr: \"PHP message: Failed login for ann@example.org\" while reading response header from upstream, client: 192.0.2.7, server: s, request: \"POST /login HTTP/1.1\", host: \"h\"",
            "web_login | failure | ann@example.org | 192.0.2.7",
        ),
        (
            "[Wed May 01 10:00:00.123456 2024] [proxy_fcgi:error] [pid 7:tid 8] [client 192.0.2.7:4711] AH01071: Got error 'PHP message: user ann authentication failure for Baikal'",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00,457 WARN  [org.keycloak.events] (executor-thread-1) type=\"LOGIN_ERROR\", realmId=\"r\", clientId=\"c\", userId=\"null\", ipAddress=\"192.0.2.7\", error=\"user_not_found\", username=\"ann\"",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "May  1 10:00:00 172.25.0.1 core[42]: 2024-05-01T10:00:00Z [ERROR] [/server/middleware/security/basic_auth.go:72][client IP=\"192.0.2.7, 192.168.0.1\" requestID=\"1\" user agent=\"docker/23\"]: failed to authenticate user:ann, error:Failed",
            "web_login | failure | ann | 192.0.2.7",
        ),
    ] {
        check(line, expected);
    }
}

#[test]
fn sentences_about_something_else_are_not() {
    for line in [
        "2024-05-01 10:00:00 WARN Failed to update user ann from 192.0.2.7",
        "2024-05-01 10:00:00 WARN Failed password reset request for ann from 192.0.2.7",
        "2024-05-01 10:00:00 WARN Invalid argument for login page from 192.0.2.7",
        "2024-05-01 10:00:00 WARN Login page requested from 192.0.2.7",
        "2024-05-01 10:00:00 INFO chat said: Login failed for root from 198.51.100.1",
        "May  1 10:00:00 srv chat[42]: Login failed for root from 198.51.100.1",
    ] {
        let event = read(line);
        assert_eq!(event.field("event.outcome"), None, "{line}");
        assert_eq!(event.field("source.ip"), None, "{line}");
    }
}

#[test]
fn records_say_it_by_the_names_of_their_events() {
    for (line, expected) in [
        (
            r#"{"time":"2024-05-01T10:00:00Z","type":"LOGIN_ERROR","ipAddress":"192.0.2.7","username":"ann"}"#,
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            r#"{"time":"2024-05-01T10:00:00Z","event":"user.login","user":"ann","success":false,"addr.remote":"192.0.2.7:4711"}"#,
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            r#"{"time":"2024-05-01T10:00:00Z","event":"user.login","user":"ann","success":true,"addr.remote":"192.0.2.7:4711"}"#,
            "web_login | success | ann | 192.0.2.7",
        ),
        (
            r#"{"timestamp":"2024-05-01T10:00:00Z","level":"info","event":"Created Event","action":"login_failed","client_ip":"192.0.2.7","context":{"username":"ann"}}"#,
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            r#"{"eventType":"user.session.start","published":"2024-05-01T10:00:00Z","outcome":{"result":"FAILURE"},"client":{"ipAddress":"192.0.2.7"}}"#,
            "web_login | failure | - | 192.0.2.7",
        ),
        (
            r#"{"event":"mfa_enabled","success":true,"ip":"192.0.2.7","user":"ann","time":"2024-05-01T10:00:00Z"}"#,
            "- | - | ann | -",
        ),
        (
            r#"{"CreationTime":"2024-05-01T10:00:00","Operation":"UserLoginFailed","ClientIP":"192.0.2.7","UserId":"ann"}"#,
            "web_login | failure | - | 192.0.2.7",
        ),
        (
            r#"{"eventTime":"2024-05-01T10:00:00Z","eventName":"ConsoleLogin","sourceIPAddress":"192.0.2.7","responseElements":{"ConsoleLogin":"Failure"},"userIdentity":{"userName":"ann"}}"#,
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            r#"{"eventid":"cowrie.login.failed","username":"ann","src_ip":"192.0.2.7","protocol":"telnet","timestamp":"2024-05-01T10:00:00Z"}"#,
            "login | failure | ann | 192.0.2.7",
        ),
        (
            r#"{"t":{"$date":"2024-05-01T10:00:00.000Z"},"s":"I","c":"ACCESS","id":20249,"ctx":"conn1","msg":"Authentication failed","attr":{"mechanism":"SCRAM-SHA-256","principalName":"ann","remote":"192.0.2.7:4711"}}"#,
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "[2024-05-01 10:00:00] events.INFO: {\"type\":\"ADMIN_LOGIN_FAILED\",\"ip\":\"192.0.2.7\"} []",
            "web_login | failure | - | 192.0.2.7",
        ),
    ] {
        check(line, expected);
    }
}

#[test]
fn the_security_log_of_windows_is_read_in_every_form() {
    for (line, expected) in [
        (
            "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><System><Provider Name=\"Microsoft-Windows-Security-Auditing\"/><EventID>4625</EventID><Level>0</Level><TimeCreated SystemTime=\"2024-05-01T10:00:00.0Z\"/><Channel>Security</Channel></System><EventData><Data Name=\"TargetUserName\">ann</Data><Data Name=\"LogonType\">3</Data><Data Name=\"IpAddress\">192.0.2.7</Data></EventData></Event>",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            r#"{"EventID":4625,"Channel":"Security","TimeCreated":"2024-05-01T10:00:00Z","TargetUserName":"ann","IpAddress":"::ffff:192.0.2.7"}"#,
            "login | failure | ann | 192.0.2.7",
        ),
        (
            r#"{"@timestamp":"2024-05-01T10:00:00Z","winlog":{"event_id":4624,"channel":"Security","event_data":{"TargetUserName":"ann","IpAddress":"192.0.2.7","LogonType":"10"}}}"#,
            "login | success | ann | 192.0.2.7",
        ),
        // A service, and a number of another log.
        (
            r#"{"EventID":4624,"Channel":"Security","TargetUserName":"SYSTEM","LogonType":5,"IpAddress":"-"}"#,
            "- | - | - | -",
        ),
        (r#"{"EventID":4625,"Channel":"Application","TargetUserName":"ann"}"#, "- | - | - | -"),
    ] {
        check(line, expected);
    }
}

#[test]
fn records_say_it_in_words_beside_an_address() {
    for (line, expected) in [
        (
            "time=\"2024-05-01T10:00:00Z\" level=error msg=\"Unsuccessful 1FA authentication attempt by user 'ann': user not found\" method=POST path=/api/firstfactor remote_ip=192.0.2.7",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            r#"{"level":"error","msg":"Unauthorized","error":"[password-auth.failed] failed to authenticate identity: invalid password","remote_addr":"192.0.2.7","t":"2024-05-01T10:00:00Z"}"#,
            "web_login | failure | - | 192.0.2.7",
        ),
        (
            "time=2024-05-01T10:00:00Z level=WARN msg=\"Incorrect username or password\" authentication_failed=true client_ip=192.0.2.7 username=ann",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            r#"{"reqId":"a","level":2,"time":"2024-05-01T10:00:00+00:00","remoteAddr":"192.0.2.7","user":"--","app":"core","method":"POST","url":"/login","message":"Login failed: 'ann' (Remote IP: '192.0.2.7')"}"#,
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            r#"{"label":"Auth","level":"warn","message":"Failed login attempt from user with incorrect Jellyfin credentials","timestamp":"2024-05-01T10:00:00Z","account":{"ip":"::ffff:192.0.2.7","email":"ann@example.org"}}"#,
            "web_login | failure | ann@example.org | 192.0.2.7",
        ),
        // About a password, and no sign-in.
        (
            r#"{"level":"error","msg":"Failed password reset for ann","remote_addr":"192.0.2.7","t":"2024-05-01T10:00:00Z"}"#,
            "- | - | - | 192.0.2.7",
        ),
        // No address: a message may be anybody's words.
        (
            r#"{"level":"info","msg":"Login failed for ann from 192.0.2.7","t":"2024-05-01T10:00:00Z"}"#,
            "- | - | - | -",
        ),
    ] {
        check(line, expected);
    }
}

/// What users and clients write into names, agents and requests stays there.
#[test]
fn text_of_others_decides_nothing() {
    for (line, expected) in [
        (
            "2024-05-01 10:00:00 WARN Failed login attempt for user x from 198.51.100.1 from 192.0.2.7",
            "web_login | failure | x from 198.51.100.1 | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00 WARN Failed login for 'x' from 198.51.100.1 port 1' from 192.0.2.7 port 4711",
            "web_login | failure | x' from 198.51.100.1 port 1 | 192.0.2.7",
        ),
        (
            "2024-05-01 10:00:00 WARN Authentication failed from 192.0.2.7 for user x from 198.51.100.1",
            "web_login | failure | x | 192.0.2.7",
        ),
        // Where others may have written what stands at the end, no address is taken.
        ("2024-05-01 10:00:00 WARN Failed login for x from 198.51.100.1 with agent curl", "- | - | - | -"),
        (
            "type=LOGIN_ERROR, realmId=r, clientId=c, ipAddress=192.0.2.7, error=e, username=x, ipAddress=198.51.100.1",
            "web_login | failure | x | -",
        ),
        (
            r#"{"message":"Login failed: 'x' (Remote IP: '198.51.100.1')","remoteAddr":"192.0.2.7","time":"2024-05-01T10:00:00Z"}"#,
            "web_login | failure | x | 192.0.2.7",
        ),
        // A client may have begun the list of proxies itself.
        (
            r#"{"action":"login_failed","ip":"198.51.100.1, 192.0.2.7, 10.0.0.1","time":"2024-05-01T10:00:00Z"}"#,
            "web_login | failure | - | 192.0.2.7",
        ),
        (
            "2024/05/01 10:00:00 [error] 12#12: *3 FastCGI sent in stderr: \"PHP message: Failed login for x from 198.51.100.1\" while reading response header from upstream, client: 192.0.2.7, server: s, request: \"POST /login HTTP/1.1\", host: \"h\", referrer: \"http://h/ from 198.51.100.1\"",
            "web_login | failure | x | 192.0.2.7",
        ),
    ] {
        check(line, expected);
    }
}

#[test]
fn requests_in_the_logs_of_frameworks_are_requests() {
    for line in [
        "[GIN] 2024/05/01 - 10:00:00 | 401 |     505.317µs |       192.0.2.7 | POST     \"/api/login\"",
        "2024-05-01T10:00:00Z | 401 |     505.317µs |       192.0.2.7 | POST     \"/api/login\"",
        "INFO:     192.0.2.7:4711 - \"POST /api/login HTTP/1.1\" 401 Unauthorized",
        "[info] o.t.s.AccessLogFilter [1e|29] 192.0.2.7 POST /api/login took 8ms and returned 401 65 bytes",
        r#"{"time":"2024-05-01T10:00:00Z","method":"post","statusCode":401,"req":{"url":"/api/login","method":"post","remoteAddress":"192.0.2.7"}}"#,
    ] {
        let event = read(line);
        let text = |path: &str| event.field(path).map(|value| value.to_json().to_string());
        assert_eq!(text("source.ip").as_deref(), Some("\"192.0.2.7\""), "{line}");
        assert_eq!(text("http.request.method").as_deref(), Some("\"POST\""), "{line}");
        assert_eq!(text("url.original").as_deref(), Some("\"/api/login\""), "{line}");
        assert_eq!(text("http.response.status_code").as_deref(), Some("401"), "{line}");
    }
}

#[test]
fn records_of_the_audit_are_read_as_its_lines_are() {
    for (line, expected) in [
        (
            r#"{"ID":"1714557600.260:3932","USER_LOGIN":[{"pid":42,"AUID":"unset","acct":"ann","exe":"/usr/sbin/sshd","addr":"192.0.2.7","res":"failed"}]}"#,
            "user_login | failure | ann | 192.0.2.7",
        ),
        (
            r#"{"ID":"1714557600.260:3933","SYSCALL":{"syscall":59,"success":"yes","ppid":7,"pid":8,"comm":"ls","exe":"/usr/bin/ls","AUID":"ann"},"EXECVE":{"ARGV":["ls"]}}"#,
            "syscall | success | ann | -",
        ),
        (r#"{"ID":"7","level":"info","message":"an order was paid"}"#, "- | - | - | -"),
    ] {
        check(line, expected);
    }
    let event = read(
        r#"{"ID":"1714557600.260:3934","ANOM_ABEND":[{"pid":42,"comm":"su","exe":"/usr/bin/su","sig":11,"res":1,"AUID":"ann"}]}"#,
    );
    let text = |path: &str| event.field(path).map(|value| value.to_json().to_string());
    assert_eq!(event.source.as_deref(), Some("auditd"));
    assert_eq!(event.timestamp.to_string(), "2024-05-01T10:00:00.26Z");
    assert_eq!(text("process.executable").as_deref(), Some("\"/usr/bin/su\""));
    assert_eq!(text("process.pid").as_deref(), Some("42"));
}

#[test]
fn a_summary_says_how_often() {
    for (line, times, reason) in [
        (
            "May  1 10:00:00 host lfd[42]: (sshd) Failed SSH login from 192.0.2.7 (DE/Germany/-): 5 in the last 300 secs - *Blocked in csf* [LF_SSHD]",
            Some(Value::Int(5)),
            None,
        ),
        (
            "2024-05-01 10:00:00 '192.0.2.7' 13 failed login attempts. Account 'ann'",
            Some(Value::Int(13)),
            None,
        ),
        (
            "[2024-05-01 10:00:00,112] WARNING in limiter: Authentication attempt from 192.0.2.7 has been rate-limited.",
            None,
            Some("too many authentication failures"),
        ),
    ] {
        let event = read(line);
        assert_eq!(event.field("labels.repeated").cloned(), times, "{line}");
        assert_eq!(event.field("event.reason").and_then(Value::as_str), reason, "{line}");
        assert_eq!(event.field("event.outcome").and_then(Value::as_str), Some("failure"), "{line}");
    }
}

/// What somebody may call himself who knows how lines are read.
const NAMES: &[&str] = &[
    "x",
    " ",
    "from",
    " from 198.51.100.1",
    " from IP `198.51.100.1`.",
    "'",
    "\"",
    "`",
    "[",
    "]",
    ": ",
    "IP: 198.51.100.1",
    "ip=198.51.100.1",
    "(198.51.100.1)",
    ", ipAddress=198.51.100.1",
    " ip:198.51.100.1 url:",
    "RemoteAddress=\"IPV4/UDP/198.51.100.1/1\"",
    " failed to login",
    " port 22",
    "user",
    "198.51.100.1",
    " succeeded",
];

/// Lines of somebody of that name at 192.0.2.7.
fn lines_of(name: &str) -> Vec<String> {
    let at = "2024-05-01 10:00:00 WARN";
    let quoted = name.replace('"', "\\\"");
    vec![
        format!("{at} Failed login attempt for user {name} from 192.0.2.7"),
        format!("{at} Invalid password for '{name}' from 192.0.2.7:4711."),
        format!("{at} Login failed for user `{name}` from IP `192.0.2.7`."),
        format!("{at} Authentication failed from 192.0.2.7 for user {name}"),
        format!("{at} 192.0.2.7 failed to authenticate as '{name}'"),
        format!("{at} Failed authentication attempt for {name} from 192.0.2.7:0: user does not exist"),
        format!("2024-05-01 10:00:00 {name} 192.0.2.7 failed to login"),
        format!(
            "{at} type=LOGIN_ERROR, realmId=r, clientId=c, ipAddress=192.0.2.7, error=e, username={name}"
        ),
        format!(
            "{at} [7] [STDERR] [WebAdmin Console] Failed Login Attempt - username:{name} ip:192.0.2.7 url:"
        ),
        format!(
            "[2024-05-01 10:00:00] SECURITY[7]: res_security_log.c: SecurityEvent=\"InvalidPassword\",AccountID=\"{name}\",RemoteAddress=\"IPV4/UDP/192.0.2.7/5060\""
        ),
        format!(
            "time=\"2024-05-01T10:00:00Z\" level=error msg=\"Unsuccessful 1FA authentication attempt by user '{quoted}'\" remote_ip=192.0.2.7"
        ),
        format!(
            "{{\"time\":\"2024-05-01T10:00:00Z\",\"message\":\"Login failed: '{quoted}' (Remote IP: '192.0.2.7')\",\"remoteAddr\":\"192.0.2.7\"}}"
        ),
        format!("May  1 10:00:00 web wordpress(h)[42]: Authentication failure for {name} from 192.0.2.7"),
    ]
}

proptest! {
    #[test]
    fn no_name_accuses_another_address(name in vec(select(NAMES), 0..6)) {
        for line in lines_of(&name.concat()) {
            let event = read(&line);
            let from = event.field("source.ip").and_then(Value::as_str);
            prop_assert!(matches!(from, None | Some("192.0.2.7")), "{from:?}: {line}");
            prop_assert_ne!(event.field("event.outcome").and_then(Value::as_str), Some("success"), "{}", line);
        }
    }
}
