//! The sentences of web applications, of what has pages to manage it, and of what writes to files of its own.

use super::service::{
    Means::{Barred, Denied, Failed, FailedSsh, FailedWeb, In, ProbedSsh},
    Service,
};

pub(super) const APPLICATIONS: &[Service] = &[
    // Web applications, and what has pages to manage it.
    Service {
        programs: &["pvedaemon", "pveproxy", "pmgdaemon", "pmgproxy", "proxmox-backup-proxy"],
        phrases: &[
            (FailedWeb, "authentication failure; rhost={from} user={user} msg={*}"),
            (In, "successful auth for user '{user}'"),
        ],
    },
    Service {
        programs: &["php-fpm", "audit", "php"],
        phrases: &[
            (FailedWeb, "/index.php: webConfigurator authentication error for user '{user}' from: {from}"),
            (FailedWeb, "/index.php: webConfigurator authentication error for '{user}' from {from}"),
            (FailedWeb, "/index.php: Web GUI authentication error for '{user}' from {from}"),
            (In, "/index.php: Successful login for user '{user}' from: {from}{*}"),
        ],
    },
    Service {
        programs: &["webmin", "usermin"],
        phrases: &[
            (FailedWeb, "Invalid login as {user} from {from}"),
            (FailedWeb, "Non-existent login as {user} from {from}"),
            (In, "Successful login as {user} from {from}"),
        ],
    },
    Service {
        programs: &["LLNG", "lemonldap-ng"],
        phrases: &[
            (FailedWeb, "[warn] {user} was not found in LDAP directory ({from})"),
            (FailedWeb, "[warn] Bad password for {user} ({from})"),
            (FailedWeb, "Lemonldap::NG : {user} was not found in LDAP directory ({from})"),
            (FailedWeb, "Lemonldap::NG : Bad password for {user} ({from})"),
        ],
    },
    Service {
        programs: &["phpMyAdmin"],
        phrases: &[
            (FailedWeb, "user denied: {user} ({*}) from {from}"),
            (In, "user authenticated: {user} from {from}"),
        ],
    },
    Service {
        programs: &["uhttpd"],
        phrases: &[
            (FailedWeb, "luci: failed login on {*} for {user} from {from}"),
            (FailedWeb, "[info] luci: failed login on {*} for {user} from {from}"),
            (In, "luci: accepted login on {*} for {user} from {from}"),
            (In, "[info] luci: accepted login on {*} for {user} from {from}"),
        ],
    },
    Service {
        programs: &["monit"],
        phrases: &[(FailedWeb, "HttpRequest: access denied -- client {from}: {*}")],
    },
    Service {
        programs: &["vaultwarden", "bitwarden_rs", "Bitwarden-Identity"],
        phrases: &[
            (FailedWeb, "Username or password is incorrect. Try again. IP: {from}. Username: {user}."),
            (FailedWeb, "Invalid admin token. IP: {from}"),
            (FailedWeb, "Invalid admin token! IP: {from}"),
            (FailedWeb, "Invalid admin token! IP: {from}. Username: {user}"),
            (FailedWeb, "Invalid TOTP code! Server time: {*} IP: {from}"),
            (FailedWeb, "Token is invalid! IP: {from}"),
            (FailedWeb, "Failed login attempt. {from}"),
            (FailedWeb, "Failed login attempt, 2FA invalid. {from}"),
            (FailedWeb, "[{*}] Failed login attempt. {from}"),
            (FailedWeb, "[{*}] Failed login attempt, 2FA invalid. {from}"),
        ],
    },
    Service {
        programs: &["jellyfin"],
        phrases: &[
            (FailedWeb, "Authentication request for {user} has been denied (IP: {from})."),
            (FailedWeb, "Authentication request for {user} has been denied (IP: \"{from}\")."),
            (FailedWeb, "[{*}] [INF] Authentication request for {user} has been denied (IP: \"{from}\")."),
            (FailedWeb, "[{*}] [INF] Authentication request for {user} has been denied (IP: {from})."),
        ],
    },
    Service {
        programs: &["guacd", "guacamole", "tomcat"],
        phrases: &[
            (FailedWeb, "Authentication attempt from [{from}, {*}] for user \"{user}\" failed."),
            (FailedWeb, "Authentication attempt from {from} for user \"{user}\" failed."),
        ],
    },
    Service {
        programs: &["meshcentral", "https"],
        phrases: &[
            (FailedWeb, "Failed password for {user} from {from} port {*}"),
            (In, "Accepted password for {user} from {from} port {*}"),
        ],
    },
    // Those that write to files of their own; the first word of a message names none of them.
    Service {
        programs: &[],
        phrases: &[
            (FailedWeb, "LOGIN FAILED for user: \"{user}\" from IP: {from}"),
            (In, "LOGIN SUCCESS for user: \"{user}\" from IP: {from}"),
            (FailedWeb, "POST {from} /control/login: invalid username or password"),
            (FailedWeb, "POST {*} /control/login: from ip {from}: invalid username or password"),
            (FailedWeb, "AUDIT: Login failed. Attempt for user \"{user}\" failed. ({from} -> {*}"),
            (FailedWeb, "AUDIT: User is trying to login using \"{user}\" ({from} -> {*}"),
            (
                FailedWeb,
                "(MainThread) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from {*} ({from}). {*}",
            ),
            (FailedWeb, "Login attempt or request with invalid authentication from {*} ({from}). {*}"),
            (FailedWeb, "Incorrect username or password from {from}"),
            (FailedWeb, "Incorrect username or password for user {user}. IP={from}"),
            (FailedWeb, "Invalid token provided for user {user}. IP={from}"),
            (FailedWeb, "Login failed for user `{user}` from private IP `{from}`."),
            (FailedWeb, "[paperless.auth] Login failed for user `{user}` from private IP `{from}`."),
            (FailedWeb, "[paperless.auth] Login failed for user `{user}` from IP `{from}`."),
            (FailedWeb, "Login failed for user `{user}` from IP `{from}`."),
            (FailedWeb, "Failed login for '{user}' from {from} at {*}"),
            (In, "Successful authentication for '{user}' from {from} at {*}"),
            (FailedWeb, "Auth|Auth-Failure ip {from} username '{user}'"),
            (Barred, "in limiter: Authentication attempt from {from} has been rate-limited."),
            (FailedWeb, "web_php[{*}].ERR [{from}] [Could not retrieve user {user} details] at {*}"),
            (FailedSsh, "failed to validate user credentials ({*}) ip={from} subsystem=sftp username={user}"),
            (
                Failed,
                "Query         |{*}|query from {*} {from} attempted to login with account \"{user}\" and failed!",
            ),
            (ProbedSsh, "ACCEPT host={from} port={*}"),
            (Denied, "fail2ban.actions{*}[{*}] Ban {from}"),
            (FailedWeb, "Auth-Failure ip {from} username '{user}'"),
            (FailedWeb, "WebAPI login failure. Reason: {*}, IP: {from}, username: {user}"),
            (FailedWeb, "Login failed for db:{*} login:{user} from {from}"),
            (In, "Login successful for db:{*} login:{user} from {from}"),
            (FailedWeb, "Failed authentication attempt for {user} from {from}: {*}"),
            (FailedWeb, "Error occurred getting details for user with username input '{user}' which {*}"),
            (FailedWeb, "User [{user}] from [{from}] failed to log in via [{*}] due to {*}"),
            (FailedWeb, "User [{user}] from [{from}] failed to sign in to [{*}] via [{*}] due to {*}"),
            (In, "User [{user}] from [{from}] logged in successfully via [{*}]."),
            (In, "User {user} logged in from {from}"),
            (FailedWeb, "User {user} failed to log in from {from}"),
            (FailedWeb, "User {user} failed to login from {from}"),
            (FailedWeb, "User \"{user}\" login failed from ip \"{from}\""),
            (FailedWeb, "user {user} authentication failure for {*}"),
            (FailedWeb, "web_php[{*}].ERR [{from}] [Login denied for user \"{user}\"] at {*}"),
            (In, "web_php[{*}].INF [{from}] [Login successful for user \"{user}\"] at {*}"),
            (FailedWeb, "AUDIT: MFA failure count is set to {*}. ({from} ({user}) -> {*}"),
            (FailedWeb, "[cpaneld] {from} - {user} \"{**}\" FAILED LOGIN {*}"),
            (FailedWeb, "[whostmgrd] {from} - {user} \"{**}\" FAILED LOGIN {*}"),
            (FailedWeb, "[webmaild] {from} - {user} \"{**}\" FAILED LOGIN {*}"),
            (FailedWeb, "info [cpaneld] {from} - {user} \"{**}\" FAILED LOGIN {*}"),
            (FailedWeb, "info [whostmgrd] {from} - {user} \"{**}\" FAILED LOGIN {*}"),
            (FailedWeb, "info [webmaild] {from} - {user} \"{**}\" FAILED LOGIN {*}"),
            (FailedWeb, "Info Server: http/1.1 Response 401 to {from}. Time: {*}. POST {*}"),
            (FailedWeb, "Server: http/1.1 Response 401 to {from}. Time: {*}. POST {*}"),
            (FailedWeb, "-1|0|0|[WEB] [{from}] Authentication failed for '{user}' : {*}"),
            (Failed, "query from {*} {from} attempted to login with account \"{user}\" and failed!"),
            (Failed, "Authentication failed for user {user} ; connecting host [{from}]"),
        ],
    },
];

/// Whether a program is one of those whose sentences stand here, or are in ordinary words.
pub(super) fn has(program: &str) -> bool {
    matches!(
        program,
        "prosody"
            | "LLNG"
            | "lemonldap-ng"
            | "phpMyAdmin"
            | "uhttpd"
            | "qlogd"
            | "vncserver"
            | "Xvnc"
            | "x11vnc"
            | "grafana"
            | "gitea"
            | "forgejo"
            | "nextcloud"
            | "odoo"
            | "synology"
            | "wordpress"
            | "harbor-core"
            | "core"
            | "pvedaemon"
            | "pveproxy"
            | "pmgdaemon"
            | "pmgproxy"
            | "proxmox-backup-proxy"
            | "php-fpm"
            | "audit"
            | "php"
            | "webmin"
            | "usermin"
            | "monit"
            | "vaultwarden"
            | "bitwarden_rs"
            | "Bitwarden-Identity"
            | "jellyfin"
            | "guacd"
            | "guacamole"
            | "tomcat"
            | "meshcentral"
            | "https"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_with_sentences_is_known() {
        for program in APPLICATIONS.iter().flat_map(|service| service.programs) {
            assert!(has(program), "{program}");
        }
    }
}
