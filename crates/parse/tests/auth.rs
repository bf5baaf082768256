//! What lines about sign-ins say: the fields that are read from them, whatever others wrote into them.

use event::{Event, Timestamp, Value};
use parse::Context;

fn read(line: &'static str) -> Event<'static> {
    static UTC: jiff::tz::TimeZone = jiff::tz::TimeZone::UTC;
    let received = Timestamp::parse("2026-11-22T12:00:00Z").unwrap_or_default();
    parse::line(line.as_bytes(), &Context::new(received, &UTC, 1 << 20))
}

/// What a line must say: `action outcome user from reason`, a dash for what it does not.
fn check(line: &'static str, expected: &str) {
    let event = read(line);
    let text = |path: &str| match event.field(path) {
        Some(Value::String(text)) => text.to_string(),
        Some(value) => value.to_json().to_string(),
        None => "-".to_owned(),
    };
    let from = match text("source.ip") {
        from if from == "-" => text("source.address"),
        from => from,
    };
    let found = [text("event.action"), text("event.outcome"), text("user.name"), from].join(" | ");
    assert_eq!(found, expected, "{line}");
}

macro_rules! sshd {
    ($message:literal) => {
        concat!("Oct 22 21:59:01 web1 sshd[42]: ", $message)
    };
}

#[test]
fn sshd_says_who_failed_and_from_where() {
    const FAILED: &str = "ssh_login | failure | ann | 192.0.2.7";
    for line in [
        sshd!("Failed password for ann from 192.0.2.7 port 4711 ssh2"),
        sshd!("Failed password for invalid user ann from 192.0.2.7 port 4711 ssh2"),
        sshd!("Failed password for illegal user ann from 192.0.2.7 port 4711"),
        sshd!("Failed password for user ann from 192.0.2.7 port 4711 ssh2"),
        sshd!("Failed keyboard-interactive/pam for ann from ::ffff:192.0.2.7 port 4711 ssh2 [preauth]"),
        sshd!("Failed publickey for ann from 192.0.2.7 port 4711 ssh2: RSA SHA256:AAAA"),
        sshd!("Failed none for ann from 192.0.2.7 port 4711 ssh2"),
        sshd!("Invalid user ann from 192.0.2.7 port 4711"),
        sshd!("Illegal user ann from 192.0.2.7"),
        sshd!("Postponed keyboard-interactive for invalid user ann from 192.0.2.7 port 4711 ssh2 [preauth]"),
        sshd!("User ann from 192.0.2.7 not allowed because not listed in AllowUsers"),
        sshd!("User ann from 192.0.2.7 not allowed because none of user's groups are listed in AllowGroups"),
        sshd!("error: PAM: Authentication failure for ann from 192.0.2.7"),
        sshd!(
            "error: PAM: User not known to the underlying authentication module for illegal user ann from 192.0.2.7"
        ),
        sshd!(
            "error: maximum authentication attempts exceeded for ann from 192.0.2.7 port 4711 ssh2 [preauth]"
        ),
        sshd!(
            "maximum authentication attempts exceeded for invalid user ann from 192.0.2.7 port 4711 ssh2 [preauth]"
        ),
        sshd!(
            "Disconnecting authenticating user ann 192.0.2.7 port 4711: Too many authentication failures [preauth]"
        ),
        sshd!(
            "Disconnecting invalid user ann 192.0.2.7 port 4711: Change of username or service not allowed: (ann,ssh-connection) -> (bob,ssh-connection) [preauth]"
        ),
        sshd!("Disconnected from authenticating user ann 192.0.2.7 port 4711 [preauth]"),
        sshd!("Disconnected from invalid user ann 192.0.2.7 port 4711 [preauth]"),
        sshd!("Connection closed by invalid user ann 192.0.2.7 port 4711 [preauth]"),
        sshd!("Connection reset by invalid user ann 192.0.2.7 port 4711 [preauth]"),
        sshd!(
            "Authentication tried for ann with correct key but not from a permitted host (host=a.example.org, ip=192.0.2.7)."
        ),
        sshd!("message repeated 3 times: [ Failed password for ann from 192.0.2.7 port 4711 ssh2]"),
        sshd!("[ID 800047 auth.info] Failed password for ann from 192.0.2.7 port 4711 ssh2"),
        sshd!("kernel:[12970.6] Failed password for ann from 192.0.2.7 port 4711 ssh2"),
        "Oct 22 21:59:01 web1 sshd-session[42]: Failed password for ann from 192.0.2.7 port 4711 ssh2",
        "Oct 22 21:59:01 [sshd] Failed password for ann from 192.0.2.7 port 4711 ssh2",
        "web1 sshd[42]: Failed password for ann from 192.0.2.7 port 4711 ssh2",
        "<38>1 2026-10-22T21:59:01Z web1 sshd 42 - - Failed password for ann from 192.0.2.7 port 4711 ssh2",
        "Oct 22 21:59:01 web1 dropbear[42]: Bad password attempt for 'ann' from 192.0.2.7:4711",
        "Oct 22 21:59:01 web1 dropbear[42]: [42] Oct 22 21:59:01 Bad PAM password attempt for 'ann' from 192.0.2.7:4711",
        "Oct 22 21:59:01 web1 dropbear[42]: Exit before auth from <192.0.2.7:4711>: (user 'ann', 10 fails): Max auth tries reached - user 'ann'",
        "Oct 22 21:59:01 web1 dropbear[42]: Exit before auth (user 'ann', 3 fails): Max auth tries reached - user 'ann' from 192.0.2.7:4711",
    ] {
        check(line, FAILED);
    }
}

#[test]
fn sshd_says_who_came_in_and_what_came_to_nothing() {
    for (line, expected) in [
        (
            sshd!("Accepted publickey for ann from 192.0.2.7 port 4711 ssh2: ED25519 SHA256:AAAA"),
            "ssh_login | success | ann | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 web1 dropbear[42]: Pubkey auth succeeded for 'ann' with ssh-rsa key SHA256:AA from 192.0.2.7:4711",
            "ssh_login | success | ann | 192.0.2.7",
        ),
        (sshd!("ROOT LOGIN REFUSED FROM 192.0.2.7 port 4711"), "ssh_login | failure | root | 192.0.2.7"),
        (
            sshd!(
                "Received disconnect from 192.0.2.7 port 4711:3: com.example.JSchException: Auth fail [preauth]"
            ),
            "ssh_login | failure | - | 192.0.2.7",
        ),
        (
            sshd!("Disconnecting: Too many authentication failures for ann [preauth]"),
            "ssh_login | failure | ann | -",
        ),
        (
            sshd!(
                "Unable to negotiate with 192.0.2.7 port 4711: no matching cipher found. Their offer: none [preauth]"
            ),
            "ssh_handshake | failure | - | 192.0.2.7",
        ),
        (
            sshd!("fatal: Unable to negotiate a key exchange method [preauth]"),
            "ssh_handshake | failure | - | -",
        ),
        (
            sshd!("Did not receive identification string from 192.0.2.7 port 4711"),
            "ssh_handshake | failure | - | 192.0.2.7",
        ),
        (
            sshd!("Bad protocol version identification 'GET / HTTP/1.1' from 192.0.2.7 port 4711"),
            "ssh_handshake | failure | - | 192.0.2.7",
        ),
        (
            sshd!("banner exchange: Connection from 192.0.2.7 port 4711: invalid format"),
            "ssh_handshake | failure | - | 192.0.2.7",
        ),
        (
            sshd!(
                "ssh_dispatch_run_fatal: Connection from authenticating user ann 192.0.2.7 port 4711: Broken pipe [preauth]"
            ),
            "ssh_handshake | failure | ann | 192.0.2.7",
        ),
        (
            sshd!("fatal: Timeout before authentication for 192.0.2.7 port 4711"),
            "ssh_handshake | failure | - | 192.0.2.7",
        ),
        (
            sshd!("Timeout before authentication for connection from 192.0.2.7 to 192.0.2.1, pid = 43"),
            "ssh_handshake | failure | - | 192.0.2.7",
        ),
        (sshd!("refused connect from a.example.org (192.0.2.7)"), "ssh_handshake | failure | - | 192.0.2.7"),
        (
            sshd!("drop connection #10 from [192.0.2.7]:4711 on [192.0.2.1]:22 past MaxStartups"),
            "ssh_handshake | failure | - | 192.0.2.7",
        ),
        (
            sshd!("Connection closed by authenticating user ann 192.0.2.7 port 4711 [preauth]"),
            "ssh_handshake | failure | ann | 192.0.2.7",
        ),
        (
            sshd!("Connection reset by 192.0.2.7 port 4711 [preauth]"),
            "ssh_handshake | failure | - | 192.0.2.7",
        ),
        (sshd!("Connection closed by 192.0.2.7 port 4711"), "ssh_disconnect | - | - | 192.0.2.7"),
        (
            sshd!("Received disconnect from 192.0.2.7 port 4711:11: disconnected by user"),
            "ssh_disconnect | - | - | 192.0.2.7",
        ),
        (sshd!("Disconnected from user ann 192.0.2.7 port 4711"), "ssh_disconnect | - | ann | 192.0.2.7"),
        (sshd!("Connection from 192.0.2.7 port 4711 on 192.0.2.1 port 22"), "- | - | - | 192.0.2.7"),
        (sshd!("User ann not allowed because account is locked"), "- | failure | ann | -"),
        (
            sshd!(
                "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=ann"
            ),
            "- | failure | ann | 192.0.2.7",
        ),
        (sshd!("Server listening on 0.0.0.0 port 22."), "- | - | - | -"),
        (sshd!("error: kex_exchange_identification: Connection closed by remote host"), "- | - | - | -"),
        (sshd!("Disconnecting: bad client public DH value"), "- | - | - | -"),
    ] {
        check(line, expected);
    }
}

/// What users and clients write into their names stays in their names.
#[test]
fn text_of_others_decides_nothing() {
    for (line, expected) in [
        (
            sshd!("Failed password for x from 198.51.100.1 port 1 ssh2 from 192.0.2.7 port 4711 ssh2"),
            "ssh_login | failure | x from 198.51.100.1 port 1 ssh2 | 192.0.2.7",
        ),
        (
            sshd!("Invalid user from 198.51.100.1 from 192.0.2.7 port 4711"),
            "ssh_login | failure | from 198.51.100.1 | 192.0.2.7",
        ),
        (sshd!("Invalid user  from 192.0.2.7 port 4711"), "ssh_login | failure | - | 192.0.2.7"),
        (
            sshd!("Connection closed by invalid user root 198.51.100.1 port 1 192.0.2.7 port 4711 [preauth]"),
            "ssh_login | failure | root 198.51.100.1 port 1 | 192.0.2.7",
        ),
        (sshd!("Disconnected from totally user ann 192.0.2.7 port 4711 [preauth]"), "- | - | - | -"),
        (
            sshd!(
                "Received disconnect from 192.0.2.7: 11: Failed password for root from 198.51.100.1 port 1 ssh2"
            ),
            "ssh_disconnect | - | - | 192.0.2.7",
        ),
        (
            sshd!(
                "Bad protocol version identification '' from 198.51.100.1 port 1' from 192.0.2.7 port 4711"
            ),
            "ssh_handshake | failure | - | 192.0.2.7",
        ),
        (
            sshd!("User x from 198.51.100.1 from 192.0.2.7 not allowed because not listed in AllowUsers"),
            "ssh_login | failure | x from 198.51.100.1 | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 web1 app[42]: Failed password for root from 198.51.100.1 port 1 ssh2",
            "- | - | - | -",
        ),
        (
            "Oct 22 21:59:01 web1 app[42]: sshd[1]: Failed password for root from 198.51.100.1 port 1 ssh2",
            "- | - | - | -",
        ),
        ("2026-10-22T21:59:01Z INFO chat said: Login failed for root from 198.51.100.1", "- | - | - | -"),
        (
            "Oct 22 21:59:01 web1 ftpd: pam_unix(ftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=x rhost=198.51.100.1 rhost=192.0.2.7",
            "- | failure | x rhost=198.51.100.1 | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 web1 ftpd: pam_unix(ftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser= rhost=192.0.2.7  user=x rhost=198.51.100.1",
            "- | failure | x rhost=198.51.100.1 | 192.0.2.7",
        ),
        (
            "2026/10/22 21:59:01 [error] 12#12: *3 user \"x\": password mismatch, client: 198.51.100.1, server: s, request: \"GET / HTTP/1.1\": password mismatch, client: 192.0.2.7, server: s, request: \"GET / HTTP/1.1\", host: \"h\"",
            "web_login | failure | x | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 mx dovecot: imap-login: Disconnected (auth failed, 2 attempts in 6 secs): user=<x>, method=PLAIN, rip=198.51.100.1, lip=1>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, TLS",
            "login | failure | x>, method=PLAIN, rip=198.51.100.1, lip=1 | 192.0.2.7",
        ),
        (
            "2026-10-22 21:59:01 login authenticator failed for ([198.51.100.1]) [192.0.2.7]:4711: 535 Incorrect authentication data (set_id=ann)",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "Thu Oct 22 21:59:01 2026 [pid 2] [x] FAIL LOGIN: Client \"198.51.100.1\"] FAIL LOGIN: Client \"::ffff:192.0.2.7\"",
            "login | failure | x] FAIL LOGIN: Client \"198.51.100.1 | 192.0.2.7",
        ),
    ] {
        check(line, expected);
    }
}

#[test]
fn programs_of_the_machine_say_who_became_whom() {
    for (line, expected, effective) in [
        (
            "Oct 22 21:59:01 web1 sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/bin/ls ; USER=x",
            "sudo | success | ann | -",
            "root",
        ),
        (
            "Oct 22 21:59:01 web1 sudo:      ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/bin/ls",
            "sudo | failure | ann | -",
            "root",
        ),
        (
            "Oct 22 21:59:01 web1 sudo:      ann : user NOT in sudoers ; TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/bin/ls",
            "sudo | failure | ann | -",
            "root",
        ),
        ("Oct 22 21:59:01 web1 su[42]: (to root) ann on pts/0", "su | success | ann | -", "root"),
        ("Oct 22 21:59:01 web1 su[42]: FAILED SU (to root) ann on pts/0", "su | failure | ann | -", "root"),
        ("Oct 22 21:59:01 web1 su[42]: FAILED su for root by ann", "su | failure | ann | -", "root"),
        ("Oct 22 21:59:01 web1 su[42]: Successful su for root by ann", "su | success | ann | -", "root"),
        ("Oct 22 21:59:01 web1 su[42]: - pts/1 ann:root", "su | failure | ann | -", "root"),
        ("Oct 22 21:59:01 web1 su: BAD SU ann to root on /dev/ttyp0", "su | failure | ann | -", "root"),
        ("Oct 22 21:59:01 web1 su: 'su root' failed for ann on /dev/pts/1", "su | failure | ann | -", "root"),
        (
            "Oct 22 21:59:01 web1 doas: ann ran command /bin/ls as root from /home/ann",
            "doas | success | ann | -",
            "root",
        ),
        ("Oct 22 21:59:01 web1 doas: failed auth for ann", "doas | failure | ann | -", "-"),
        (
            "Oct 22 21:59:01 web1 login[42]: FAILED LOGIN 1 FROM tty1 FOR ann, Authentication failure",
            "login | failure | ann | tty1",
            "-",
        ),
        ("Oct 22 21:59:01 web1 login[42]: LOGIN ON tty1 BY ann", "login | success | ann | -", "-"),
        (
            "Oct 22 21:59:01 web1 sudo: pam_tally2(sudo:auth): user ann (1000) tally 6, deny 5",
            "account_locked | failure | ann | -",
            "-",
        ),
        (
            "Oct 22 21:59:01 web1 sshd[42]: pam_faillock(sshd:auth): Consecutive login failures for user ann account temporarily locked",
            "account_locked | failure | ann | -",
            "-",
        ),
        (
            "Oct 22 21:59:01 web1 passwd[42]: pam_unix(passwd:chauthtok): password changed for ann",
            "password_changed | success | ann | -",
            "-",
        ),
        ("Oct 22 21:59:01 web1 crontab[42]: (ann) REPLACE (ann)", "cron_changed | - | ann | -", "-"),
    ] {
        check(line, expected);
        let event = read(line);
        assert_eq!(
            event.field("user.effective.name").and_then(Value::as_str).unwrap_or("-"),
            effective,
            "{line}"
        );
    }
}

#[test]
fn changes_of_accounts_name_who_and_what() {
    for (line, user, group, types) in [
        (
            "Oct 22 21:59:01 web1 useradd[42]: new user: name=bob, UID=1001, GID=1001, home=/home/bob, shell=/bin/sh",
            "bob",
            "-",
            "[\"user\",\"creation\"]",
        ),
        ("Oct 22 21:59:01 web1 userdel[42]: delete user 'bob'", "bob", "-", "[\"user\",\"deletion\"]"),
        (
            "Oct 22 21:59:01 web1 usermod[42]: add 'bob' to group 'sudo'",
            "bob",
            "sudo",
            "[\"group\",\"change\"]",
        ),
        (
            "Oct 22 21:59:01 web1 groupadd[42]: new group: name=web, GID=48",
            "-",
            "web",
            "[\"group\",\"creation\"]",
        ),
        (
            "Oct 22 21:59:01 web1 gpasswd[42]: user bob added by root to group docker",
            "bob",
            "docker",
            "[\"group\",\"change\"]",
        ),
    ] {
        let event = read(line);
        let text = |path: &str| event.field(path).and_then(Value::as_str).unwrap_or("-");
        assert_eq!((text("user.name"), text("group.name")), (user, group), "{line}");
        assert_eq!(event.field("event.type"), Some(&Value::Json(types.into())), "{line}");
    }
}

#[test]
fn services_say_who_failed_and_from_where() {
    for (line, expected) in [
        (
            "[Thu Oct 22 21:59:01 2026] [error] [client 192.0.2.7] user ann not found: /private",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "[Thu Oct 22 21:59:01.123456 2026] [auth_basic:error] [pid 7:tid 8] [client 192.0.2.7:4711] AH01617: user ann: authentication failure for \"/x\": Password Mismatch",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "[Thu Oct 22 21:59:01.123456 2026] [auth_digest:error] [pid 7:tid 8] [client 192.0.2.7:4711] AH01790: user `ann' in realm `r' not found: /x",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "[Thu Oct 22 21:59:01.123456 2026] [authz_core:error] [pid 7] [client 192.0.2.7:4711] AH01630: client denied by server configuration: /srv/x",
            "web_access | failure | - | 192.0.2.7",
        ),
        (
            "[Thu Oct 22 21:59:01 2026] [error] [client 192.0.2.7] request failed: URI too long (longer than 8190)",
            "malformed_request | failure | - | 192.0.2.7",
        ),
        (
            "[Thu Oct 22 21:59:01 2026] [error] [client 192.0.2.7] PHP Notice: user ann not found",
            "- | - | - | 192.0.2.7",
        ),
        (
            "2026/10/22 21:59:01 [error] 12#12: *3 user \"ann\" was not found in \"/etc/nginx/users\", client: 192.0.2.7, server: s, request: \"GET / HTTP/1.1\", host: \"h\"",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "2026/10/22 21:59:01 [error] 12#12: *3 limiting requests, excess: 1.4 by zone \"one\", client: 192.0.2.7, server: s, request: \"GET / HTTP/1.1\", host: \"h\"",
            "rate_limited | failure | - | 192.0.2.7",
        ),
        (
            "2026-10-22 21:59:01: (mod_auth.c.525) password doesn't match for /x username: ann, IP: 192.0.2.7",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 mx postfix/smtpd[42]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
            "login | failure | - | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 mx postfix/smtpd[42]: warning: mx.example.org[192.0.2.7]: SASL PLAIN authentication failed: (reason unavailable), sasl_username=ann",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 mx dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, mpid=4, TLS",
            "login | success | ann | 192.0.2.7",
        ),
        (
            "2026-10-22T21:59:01.123456Z 344 [Note] Access denied for user 'ann'@'192.0.2.7' (using password: YES)",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 ftp pure-ftpd: (?@192.0.2.7) [WARNING] Authentication failed for user [ann]",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 web1 webmin[42]: Invalid login as ann from 192.0.2.7",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 pve pvedaemon[42]: authentication failure; rhost=192.0.2.7 user=ann msg=no such user",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 gw kernel: [ 3529.289825] [UFW BLOCK] IN=eth0 OUT= MAC=00 SRC=192.0.2.7 DST=192.0.2.1 LEN=40 PROTO=TCP SPT=4711 DPT=22 SYN",
            "packet_denied | failure | - | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 gw filterlog: 53,,,1000000301,em0,match,block,in,4,0x0,,64,420,0,none,6,tcp,460,192.0.2.7,192.0.2.1,4711,22,420,PA,1,2,65535,,",
            "packet_denied | failure | - | 192.0.2.7",
        ),
        (
            "%ASA-6-605004: Login denied from 192.0.2.7/4711 to outside:192.0.2.1/ssh for user \"ann\"",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "type=USER_AUTH msg=audit(1792706341.260:3932): pid=7 uid=0 msg='op=PAM:authentication acct=616E6E exe=\"/usr/sbin/sshd\" hostname=192.0.2.7 addr=192.0.2.7 terminal=ssh res=failed'",
            "user_auth | failure | ann | 192.0.2.7",
        ),
    ] {
        check(line, expected);
    }
}

#[test]
fn applications_say_who_failed_in_sentences() {
    for (line, expected) in [
        (
            "[2026-10-22 21:59:01] SECURITY[6988] res_security_log.c: SecurityEvent=\"InvalidPassword\",EventTV=\"2026-10-22T21:59:01.015+0000\",Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"ann\",SessionID=\"x\",LocalAddress=\"IPV4/UDP/192.0.2.1/5060\",RemoteAddress=\"IPV4/UDP/192.0.2.7/5061\"",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 srv monit[42]: HttpRequest: access denied -- client 192.0.2.7: empty password",
            "web_login | failure | - | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 mx dovecot: auth-worker(7): conn unix:auth-worker (pid=8,uid=9): auth-worker<5>: pam(ann,192.0.2.7): unknown user",
            "- | - | ann | 192.0.2.7",
        ),
        (
            "Oct 22 21:59:01 mx exim[42]: dovecot_login authenticator failed for (User) [192.0.2.7]: 535 Incorrect authentication data (set_id=ann)",
            "login | failure | ann | 192.0.2.7",
        ),
        (
            "2026-10-22 21:59:01.2|Warn|Auth|Auth-Failure ip 192.0.2.7 username 'ann'",
            "web_login | failure | ann | 192.0.2.7",
        ),
        (
            "[2026-10-22 21:59:01,332] [INFO] [paperless.auth] Login failed for user `ann` from IP `192.0.2.7`.",
            "web_login | failure | ann | 192.0.2.7",
        ),
        // A program that is none of these may write what it likes.
        ("Oct 22 21:59:01 srv chat[42]: Login failed for user `ann` from IP `192.0.2.7`.", "- | - | - | -"),
    ] {
        check(line, expected);
    }
}

#[test]
fn a_repeated_line_says_how_often() {
    for (line, expected) in [
        (
            sshd!("message repeated 3 times: [ Failed password for ann from 192.0.2.7 port 4711 ssh2]"),
            Some(3),
        ),
        (sshd!("message repeated x times: [ Failed password for ann from 192.0.2.7 port 4711 ssh2]"), None),
        (
            "Oct 22 21:59:01 mx dovecot: imap-login: Disconnected (auth failed, 2 attempts in 6 secs): user=<a>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1",
            Some(2),
        ),
        (
            "Oct 22 21:59:01 web1 sudo:  ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            Some(3),
        ),
    ] {
        assert_eq!(read(line).field("labels.repeated"), expected.map(Value::Int).as_ref(), "{line}");
    }
}
