//! From lines to what was done: parser, activity and connections together.

use detect::{Activity, Connections, Kind};
use event::{Event, Timestamp};
use parse::Context;

fn read(line: &'static str) -> Event<'static> {
    static UTC: jiff::tz::TimeZone = jiff::tz::TimeZone::UTC;
    let received = Timestamp::parse("2026-11-22T12:00:00Z").unwrap_or_default();
    parse::line(line.as_bytes(), &Context::new(received, &UTC, 1 << 20))
}

#[test]
fn lines_say_what_was_done() {
    for (line, expected) in [
        (
            "Oct 22 21:59:01 web1 sshd[42]: Failed password for ann from 192.0.2.7 port 4711 ssh2",
            Kind::SshFailure,
        ),
        (
            "Oct 22 21:59:01 web1 sshd[42]: Accepted password for ann from 192.0.2.7 port 4711 ssh2",
            Kind::SshSuccess,
        ),
        (
            "Oct 22 21:59:01 web1 sshd[42]: Unable to negotiate with 192.0.2.7 port 4711: no matching MAC found.",
            Kind::SshSuspicious,
        ),
        // One key of several, and what sshd itself will say.
        (
            "Oct 22 21:59:01 web1 sshd[42]: Failed publickey for ann from 192.0.2.7 port 4711 ssh2: RSA SHA256:A",
            Kind::None,
        ),
        (
            "Oct 22 21:59:01 web1 sshd[42]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=ann",
            Kind::None,
        ),
        (
            "Oct 22 21:59:01 web1 vsftpd: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=ann rhost=192.0.2.7",
            Kind::AuthFailure,
        ),
        (
            "Oct 22 21:59:01 web1 su(pam_unix)[42]: authentication failure; logname= uid=1000 euid=0 tty= ruser=ann rhost=  user=root",
            Kind::AuthFailure,
        ),
        (
            "Oct 22 21:59:01 web1 sudo: pam_unix(sudo:auth): authentication failure; logname=ann uid=1000 euid=0 tty=/dev/pts/1 ruser=ann rhost=  user=ann",
            Kind::PamFailedAuth,
        ),
        (
            "Oct 22 21:59:01 web1 sudo: pam_tally2(sudo:auth): user ann (1000) tally 6, deny 5",
            Kind::PamUserLock,
        ),
        (
            "Oct 22 21:59:01 web1 sudo:  ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            Kind::SudoSuccess,
        ),
        (
            "Oct 22 21:59:01 web1 sudo:  ann : 1 incorrect password attempt ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            Kind::SudoFailure,
        ),
        (
            "Oct 22 21:59:01 web1 sudo:  ann : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            Kind::SudoDenied,
        ),
        ("Oct 22 21:59:01 web1 su: BAD SU ann to root on /dev/ttyp0", Kind::SuFailure),
        ("Oct 22 21:59:01 web1 su: (to root) ann on pts/0", Kind::SuOther),
        ("Oct 22 21:59:01 web1 doas: ann ran command /bin/ls as root from /", Kind::SuOther),
        (
            "[Thu Oct 22 21:59:01 2026] [error] [client 192.0.2.7] user ann not found: /x",
            Kind::WebAuthFailure,
        ),
        (
            "2026/10/22 21:59:01 [error] 12#12: *3 limiting connections by zone \"z\", client: 192.0.2.7, server: s, request: \"GET / HTTP/1.1\", host: \"h\"",
            Kind::WebRate,
        ),
        (
            "[Thu Oct 22 21:59:01 2026] [error] [client 192.0.2.7] Invalid URI in request x",
            Kind::WebMalformed,
        ),
        (
            "type=USER_AUTH msg=audit(1792706341.260:3932): pid=7 uid=0 msg='op=pubkey acct=\"root\" exe=\"/usr/sbin/sshd\" addr=192.0.2.7 terminal=ssh res=failed'",
            Kind::SshFailure,
        ),
        (
            "type=USER_LOGIN msg=audit(1792706341.260:3933): pid=7 uid=0 msg='op=login acct=\"root\" exe=\"/usr/sbin/sshd\" addr=192.0.2.7 terminal=ssh res=failed'",
            Kind::None,
        ),
        ("Oct 22 21:59:01 web1 app[42]: Failed password for ann from 192.0.2.7 port 4711 ssh2", Kind::None),
    ] {
        assert_eq!(Activity::of(&read(line)).kind, expected, "{line}");
    }
}

#[test]
fn lines_of_one_connection_are_counted_once() {
    let mut connections = Connections::new(1000);
    for (line, expected) in [
        (
            "Oct 22 21:59:01 web1 sshd[1]: Failed publickey for git from 192.0.2.7 port 1 ssh2: RSA SHA256:A",
            "none",
        ),
        // Another connection goes on beside it.
        (
            "Oct 22 21:59:01 web1 sshd[2]: Failed publickey for git from 192.0.2.8 port 1 ssh2: RSA SHA256:A",
            "none",
        ),
        (
            "Oct 22 21:59:02 web1 sshd[2]: Accepted publickey for git from 192.0.2.8 port 1 ssh2: RSA SHA256:B",
            "ssh_success",
        ),
        (
            "Oct 22 21:59:02 web1 sshd[1]: Connection closed by authenticating user git 192.0.2.7 port 1 [preauth]",
            "ssh_failure",
        ),
        (
            "Oct 22 21:59:03 web1 sshd[2]: Received disconnect from 192.0.2.8 port 1:11: disconnected by user",
            "none",
        ),
        ("Oct 22 21:59:03 web1 sshd[3]: Failed password for root from 192.0.2.9 port 1 ssh2", "ssh_failure"),
        (
            "Oct 22 21:59:04 web1 sshd[3]: Disconnecting: Too many authentication failures for root [preauth]",
            "none",
        ),
        ("Oct 22 21:59:05 web1 sshd[4]: User root not allowed because account is locked", "none"),
        (
            "Oct 22 21:59:05 web1 sshd[4]: Received disconnect from 192.0.2.10: 11: Bye Bye [preauth]",
            "ssh_failure",
        ),
        ("Oct 22 21:59:06 web1 sshd[5]: Received disconnect from 192.0.2.11: 11: Bye Bye [preauth]", "none"),
    ] {
        assert_eq!(connections.read(&read(line)).activity.kind.as_str(), expected, "{line}");
    }
}
