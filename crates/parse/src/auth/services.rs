//! The sentences of services: mail, files, databases, telephones, routers, devices.

use super::service::{
    Means::{Denied, Failed, FailedSsh, FailedWeb, In, ProbedSsh},
    Service,
};

pub(super) const SERVICES: &[Service] = &[
    // Databases.
    Service {
        programs: &["mysqld", "mariadbd", "mysql", "mariadb"],
        phrases: &[
            (Failed, "Access denied for user '{user}'@'{from}' (using password: {*})"),
            (Failed, "Access denied for user '{user}'@'{from}' to database '{*}'"),
            (Failed, "Access denied for user '{user}'@'{from}'"),
            (Failed, "[MY-010926] [Server] Access denied for user '{user}'@'{from}' (using password: {*})"),
            (Failed, "Connect   Access denied for user '{user}'@'{from}' (using password: {*})"),
            (Failed, "{*} Connect{*}Access denied for user '{user}'@'{from}' (using password: {*})"),
            (
                Failed,
                "{*} [Note] [MY-010926] [Server] Access denied for user '{user}'@'{from}' (using password: {*})",
            ),
            (Failed, "{*} [Warning] Access denied for user '{user}'@'{from}' (using password: {*})"),
            (Failed, "{*} [Note] Access denied for user '{user}'@'{from}' (using password: {*})"),
        ],
    },
    Service {
        programs: &["postgres", "postgresql"],
        phrases: &[
            (Failed, "password authentication failed for user \"{user}\""),
            (Failed, "no pg_hba.conf entry for host \"{from}\", user \"{user}\", database \"{*}\"{*}"),
            (
                Failed,
                "pg_hba.conf rejects connection for host \"{from}\", user \"{user}\", database \"{*}\"{*}",
            ),
            (Failed, "{*} authentication failed for user \"{user}\""),
        ],
    },
    Service {
        programs: &["mongod", "mongos"],
        phrases: &[
            (Failed, "SCRAM-SHA-1 authentication failed for {user} on {*} from client {from} ; {*}"),
            (Failed, "SCRAM-SHA-256 authentication failed for {user} on {*} from client {from} ; {*}"),
        ],
    },
    Service {
        programs: &["sqlservr", "mssql"],
        phrases: &[
            (Failed, "Login failed for user '{user}'. Reason: {**} [CLIENT: {from}]"),
            (Failed, "Login failed for user '{user}'. [CLIENT: {from}]"),
            (Failed, "Logon       Login failed for user '{user}'. Reason: {**} [CLIENT: {from}]"),
        ],
    },
    // Files.
    Service {
        programs: &["pure-ftpd"],
        phrases: &[
            (Failed, "({*}@{from}) [WARNING] Authentication failed for user [{user}]"),
            (In, "({*}@{from}) [INFO] {user} is now logged in"),
        ],
    },
    Service {
        programs: &["proftpd"],
        phrases: &[
            (Failed, "{*}[{from}]){*}USER {user} (Login failed): {*}"),
            (Failed, "{*}[{from}]){*}USER {user}: no such user found from {*}"),
            (Failed, "{*}[{from}]){*}SECURITY VIOLATION: {user} login attempted{*}"),
            (Failed, "{*}[{from}]){*}Maximum login attempts ({*}) exceeded{*}"),
            (In, "{*}[{from}]){*}USER {user}: Login successful{*}"),
            (In, "{*}[{from}]){*}ANON {user}: Login successful{*}"),
        ],
    },
    Service { programs: &["wu-ftpd", "ftpd"], phrases: &[(Failed, "failed login from {*} [{from}]")] },
    Service {
        programs: &["smbd", "smbd_audit"],
        phrases: &[
            (
                In,
                "Auth: [{*}] user [{*}]\\[{user}] at [{*}] with [{*}] status [NT_STATUS_OK] workstation [{*}] remote host [ipv4:{from}] {*}",
            ),
            (
                Failed,
                "Auth: [{*}] user [{*}]\\[{user}] at [{*}] with [{*}] status [NT_STATUS_{*}] workstation [{*}] remote host [ipv4:{from}] {*}",
            ),
        ],
    },
    // Mail.
    Service {
        programs: &["sendmail", "sm-mta", "sm-acceptingconnections"],
        phrases: &[
            (Failed, "{*}: AUTH failure ({*}): {*}, user={user}, relay={*}[{from}]{*}"),
            (Failed, "{*}: AUTH failure ({*}): {*}, relay={*}[{from}]{*}"),
            (Denied, "{*}: ruleset={*}, arg1={*}, relay={*}[{from}]{*}, reject={*}"),
            (Failed, "{**}[{from}]: possible SMTP attack: command=AUTH, count={*}"),
            (Failed, "{**}[{from}] (may be forged): possible SMTP attack: command=AUTH, count={*}"),
        ],
    },
    Service {
        programs: &["solid-pop3d"],
        phrases: &[
            (Failed, "authentication failed: no such user: {user} - {from}"),
            (Failed, "authentication failed for user {user} - {from}"),
            (Failed, "can't find APOP secret for user {user} - {from}"),
            (Failed, "root login not allowed - {from}"),
        ],
    },
    Service {
        programs: &["imapd", "ipop3d", "pop3d", "imapd-ssl", "pop3d-ssl", "imaplogin", "pop3login"],
        phrases: &[
            (Failed, "Login failed user={user} auth={*} host={**}[{from}]"),
            (Failed, "Login excessive login failures user={user} auth={*} host={**}[{from}]"),
            (Failed, "Login disabled user={user} auth={*} host={**}[{from}]"),
            (Failed, "Login failure user={user} host={**}[{from}]"),
            // Courier.
            (Failed, "LOGIN FAILED, user={user}, ip=[{from}]"),
            (Failed, "LOGIN FAILED, method={*}, ip=[{from}]"),
            (Failed, "LOGIN FAILED, ip=[{from}]"),
            (In, "LOGIN, user={user}, ip=[{from}], {*}"),
        ],
    },
    Service {
        programs: &["cyrus/imap", "cyrus/pop3", "cyrus/imaps", "imaps", "pop3s"],
        phrases: &[
            (Failed, "badlogin: {**}[{from}] {*} {user} SASL{*}"),
            (In, "login: {**}[{from}] {user} {*} User logged in{*}"),
        ],
    },
    Service {
        programs: &["sogod"],
        phrases: &[
            (FailedWeb, "SOGoRootPage Login from '{from}' for user '{user}' might not have worked - {*}"),
            (
                FailedWeb,
                "SOGoRootPage Login from '{from}, {*}' for user '{user}' might not have worked - {*}",
            ),
        ],
    },
    Service {
        programs: &["roundcube"],
        phrases: &[
            (FailedWeb, "IMAP Error: Login failed for {user} against {*} from {from}. {*}"),
            (FailedWeb, "IMAP Error: Login failed for {user} from {from}. {*}"),
            (FailedWeb, "IMAP Error: Login failed for {user} from {from}"),
            (FailedWeb, "FAILED login for {user} from {from}"),
            (FailedWeb, "Failed login for {user} from {from} in session {*}"),
            (In, "Successful login for {user} from {from} in session {*}"),
        ],
    },
    Service {
        programs: &["HORDE", "horde"],
        phrases: &[
            (FailedWeb, "HORDE [error] [horde] FAILED LOGIN for {user} [{from}] to Horde {*}"),
            (FailedWeb, "[horde] FAILED LOGIN for {user} [{from}] to Horde {*}"),
            (FailedWeb, "FAILED LOGIN for {user} [{from}] to {*}"),
        ],
    },
    // Names, telephones, tunnels, routers, supervisors.
    Service {
        programs: &["named"],
        phrases: &[
            (Denied, "client {from}#{*} denied"),
            (Denied, "client @{*} {from}#{*} denied"),
            (Denied, "security: client @{*} {from}#{*} denied"),
            (Denied, "security: info: client @{*} {from}#{*} denied{*}"),
            (Denied, "security: error: client @{*} {from}#{*} denied"),
            (Denied, "{*}: client @{*} {from}#{*} denied"),
        ],
    },
    Service {
        programs: &["asterisk"],
        phrases: &[
            (Failed, "manager.c: {from} failed to authenticate as '{user}'"),
            (Failed, "NOTICE[{*} chan_sip.c: Registration from '{**}' failed for '{from}' - {*}"),
            (
                Failed,
                "NOTICE[{*} chan_sip.c: Call from '{**}' ({from}) to extension '{**}' rejected because {*}",
            ),
            (Failed, "chan_sip.c: Registration from '{**}' failed for '{from}' - {*}"),
            (Failed, "chan_sip.c: Call from '{**}' ({from}) to extension '{**}' rejected because {*}"),
            (Failed, "Registration from '{**}' failed for '{from}' - {*}"),
            (Failed, "Call from '{**}' ({from}) to extension '{**}' rejected because {*}"),
        ],
    },
    Service {
        programs: &["freeswitch"],
        phrases: &[
            (Failed, "sofia_reg.c:{*} Can't find user [{user}@{*}] from {from}"),
            (
                Failed,
                "sofia_reg.c:{*} SIP auth failure ({*}) on sofia profile {*} for [{user}@{*}] from ip {from}",
            ),
            (
                Failed,
                "sofia_reg.c:{*} SIP auth failure ({*}) on sofia profile {*} for [{user}] from ip {from}",
            ),
            (Denied, "sofia_reg.c:{*} IP {from} Rejected by register acl{*}"),
        ],
    },
    Service {
        programs: &["xinetd"],
        phrases: &[(Denied, "FAIL: {*} address from={from}"), (Denied, "FAIL: {*} libwrap from={from}")],
    },
    Service {
        programs: &["portsentry"],
        phrases: &[(Denied, "attackalert: {*} from host: {*}/{from} to {*} port: {*}")],
    },
    Service {
        programs: &["lfd"],
        phrases: &[
            (FailedSsh, "(sshd) Failed SSH login from {from} ({*}): {times} in the last {*}"),
            (FailedSsh, "(sshd) Failed SSH login from {from}: {times} in the last {*}"),
            (FailedWeb, "({*}) Failed {*} login from {from} ({*}): {times} in the last {*}"),
            (FailedWeb, "({*}) Failed {*} login from {from}: {times} in the last {*}"),
        ],
    },
    Service {
        programs: &["endlessh"],
        phrases: &[
            (ProbedSsh, "ACCEPT host={from} port={*}"),
            (ProbedSsh, "{*} ACCEPT host={from} port={*}"),
        ],
    },
    Service {
        programs: &["openvpn", "ovpn-server"],
        phrases: &[
            (Failed, "{from} TLS Auth Error: {*}"),
            (Failed, "{from} VERIFY ERROR: {*}"),
            (Failed, "{from} TLS Error: TLS handshake failed"),
            (In, "{from} [{user}] Peer Connection Initiated with {*}"),
        ],
    },
    Service {
        programs: &["ejabberd"],
        phrases: &[
            (Failed, "Failed c2s {*} authentication for {user} from {from}: {*}"),
            (Failed, "({*}) Failed c2s {*} authentication for {user} from {from}: {*}"),
            (In, "Accepted c2s {*} authentication for {user} by {*} backend from {from}"),
            (In, "({*}) Accepted c2s {*} authentication for {user} by {*} backend from {from}"),
        ],
    },
    Service {
        programs: &["system,error,critical"],
        phrases: &[
            (Failed, "login failure for user {user} from {from} via {*}"),
            (Failed, "system,error,critical login failure for user {user} from {from} via {*}"),
            (In, "system,info,account user {user} logged in from {from} via {*}"),
        ],
    },
    Service {
        programs: &["xrdp-sesman"],
        phrases: &[
            (Failed, "AUTHFAIL: user={user} ip={from} time={*}"),
            (Failed, "[INFO ] AUTHFAIL: user={user} ip={from} time={*}"),
        ],
    },
    Service { programs: &["znc"], phrases: &[(Failed, "[{user}] failed to login from {from}")] },
    // Devices, whose messages begin with their kind and need no program.
    Service {
        programs: &[],
        phrases: &[
            (Failed, "%ASA-{*}-605004: Login denied from {from}/{*} to {**} for user \"{user}\""),
            (In, "%ASA-{*}-605005: Login permitted from {from}/{*} to {**} for user \"{user}\""),
            (
                Failed,
                "%ASA-{*}-113015: AAA user authentication Rejected : reason = {*} : {*} : user = {user} : user IP = {from}",
            ),
            (Failed, "%ASA-{*}-113005: AAA user authentication Rejected {*}user = {user} : user IP = {from}"),
            (Failed, "%ASA-{*}-113005: AAA user authentication Rejected{*}User = {user}"),
            (In, "%ASA-{*}-113004: AAA user authentication Successful{*}ser = {user}"),
            (Failed, "%ASA-{*}-611102: User authentication failed: IP address: {from}, Uname: {user}"),
            (In, "%ASA-{*}-611101: User authentication succeeded: IP address: {from}, Uname: {user}"),
            (Denied, "%ASA-{*}-106023: Deny {*} src {*}:{from}/{*} dst {*}"),
            (Denied, "%ASA-{*}-106023: Deny {*} src {*}:{from} dst {*}"),
            (Denied, "%ASA-{*}-106001: Inbound TCP connection denied from {from}/{*} to {*}"),
            (Denied, "%ASA-{*}-106006: Deny inbound UDP from {from}/{*} to {*}"),
            (Denied, "%ASA-{*}-106014: Deny inbound icmp src {*}:{from} dst {*}"),
            (Denied, "%ASA-{*}-106015: Deny TCP (no connection) from {from}/{*} to {*}"),
            (Failed, "%SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: {user}] [Source: {from}] {*}"),
            (In, "%SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: {user}] [Source: {from}] {*}"),
        ],
    },
];

/// Whether a program is one of those whose sentences stand here. They are spelled out, so that the name of any other costs
/// one comparison of its length and bytes.
pub(super) fn has(program: &str) -> bool {
    matches!(
        program,
        "mysqld"
            | "mariadbd"
            | "mysql"
            | "mariadb"
            | "postgres"
            | "postgresql"
            | "mongod"
            | "mongos"
            | "sqlservr"
            | "mssql"
            | "pure-ftpd"
            | "proftpd"
            | "wu-ftpd"
            | "ftpd"
            | "smbd"
            | "smbd_audit"
            | "sendmail"
            | "sm-mta"
            | "sm-acceptingconnections"
            | "solid-pop3d"
            | "imapd"
            | "ipop3d"
            | "pop3d"
            | "imapd-ssl"
            | "pop3d-ssl"
            | "imaplogin"
            | "pop3login"
            | "cyrus/imap"
            | "cyrus/pop3"
            | "cyrus/imaps"
            | "imaps"
            | "pop3s"
            | "sogod"
            | "roundcube"
            | "HORDE"
            | "horde"
            | "named"
            | "asterisk"
            | "freeswitch"
            | "xinetd"
            | "portsentry"
            | "lfd"
            | "endlessh"
            | "openvpn"
            | "ovpn-server"
            | "ejabberd"
            | "system,error,critical"
            | "xrdp-sesman"
            | "znc"
    )
}

/// Whether a program is one of these to which nobody signs in by what is asked over HTTP.
pub(super) fn is_other_than_web(program: &str) -> bool {
    let is_web = |service: &Service| service.phrases.iter().any(|(means, _)| *means == FailedWeb);
    has(program) && !SERVICES.iter().filter(|service| service.programs.contains(&program)).any(is_web)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_with_sentences_is_known() {
        for program in SERVICES.iter().flat_map(|service| service.programs) {
            assert!(has(program), "{program}");
        }
    }
}
