//! What messages about authentication say: who, from where, whether it succeeded. Values are taken only where the
//! message's form is certain, and never from a place where others choose the text.

mod accounts;
mod applications;
mod firewall;
mod heads;
mod local;
mod mail;
mod members;
mod pairs;
mod pam;
mod phrases;
mod said;
mod service;
mod services;
mod ssh;
mod starts;
mod web;
mod windows;
mod wording;

use std::borrow::Cow;

use event::Event;
pub(crate) use local::vsftpd;
pub(crate) use mail::{exim, exim_refusal};
pub(crate) use members::read as record;
pub(crate) use web::{apache, lighttpd, nginx, nginx_client};
pub(crate) use windows::read as windows;

use crate::cut;

/// Adds user, source, action and outcome to the event of a program's message.
pub(crate) fn enrich<'a>(event: &mut Event<'a>, program: &str, message: &'a str) {
    let message = repeated(event, message).unwrap_or(message);
    match program {
        "sshd" | "sshd-session" | "sshd-auth" => {
            let message = solaris(message).unwrap_or(message);
            if !pam::read(event, message) {
                ssh::read(event, message);
            }
        }
        "dropbear" => {
            if !pam::read(event, message) {
                ssh::dropbear(event, message);
            }
        }
        "sudo" => {
            if !pam::read(event, message) {
                local::sudo(event, message);
            }
        }
        "doas" => local::doas(event, message),
        "su" | "su-l" | "runuser" => {
            let message = solaris(message).unwrap_or(message);
            if !local::su(event, message) {
                pam::read(event, message);
            }
        }
        "login" => {
            if !local::login(event, message) {
                pam::read(event, message);
            }
        }
        "useradd" | "userdel" | "usermod" | "groupadd" | "groupdel" | "groupmod" | "passwd" | "chpasswd"
        | "gpasswd" | "adduser" | "deluser" => {
            if !pam::read(event, message) {
                accounts::tool(event, message);
            }
        }
        "CRON" | "cron" | "crond" | "crontab" => {
            if !pam::read(event, message) {
                accounts::cron(event, message);
            }
        }
        "systemd-logind" => accounts::logind(event, message),
        "kernel" => firewall::netfilter(event, message),
        "filterlog" => firewall::filterlog(event, message),
        "dovecot" => mail::dovecot(event, message),
        "imap-login" | "pop3-login" | "managesieve-login" | "submission-login" => {
            mail::dovecot_process(event, program, message);
        }
        "postfix/smtpd" | "postfix/submission/smtpd" | "postfix/smtps/smtpd" | "postfix/postscreen" => {
            mail::postfix(event, message);
        }
        "exim" | "exim4" => {
            if let Some((_, rest)) = message.split_once(" authenticator failed for ") {
                mail::exim(event, rest);
            }
        }
        "nginx" | "httpd" | "apache2" => web::through_syslog(event, message),
        name if name.starts_with("postfix") && name.ends_with("/smtpd") => mail::postfix(event, message),
        _ => {
            pam::read(event, message);
        }
    }
}

/// Writes down that somebody signed in at a device, or could not.
pub(crate) fn signed_in(event: &mut Event<'_>, outcome: &'static str) {
    said::login(event, "login", outcome);
}

/// Whether something may be read of the messages of this program.
pub(crate) fn tells(program: &str) -> bool {
    knows(program)
        || matches!(
            program,
            "su-l"
                | "runuser"
                | "useradd"
                | "userdel"
                | "usermod"
                | "groupadd"
                | "groupdel"
                | "groupmod"
                | "passwd"
                | "chpasswd"
                | "gpasswd"
                | "adduser"
                | "deluser"
                | "crontab"
                | "filterlog"
                | "dovecot"
                | "exim4"
                | "httpd"
                | "apache2"
        )
        || program.starts_with("postfix/")
        || services::has(program)
        || applications::has(program)
}

/// Whether a program is one whose messages are read here: its name alone shows that a line is of it.
pub(crate) fn knows(program: &str) -> bool {
    matches!(
        program,
        "sshd"
            | "sshd-session"
            | "sshd-auth"
            | "dropbear"
            | "sudo"
            | "doas"
            | "su"
            | "login"
            | "systemd-logind"
            | "CRON"
            | "cron"
            | "crond"
            | "nginx"
            | "kernel"
            | "exim"
            | "znc"
    )
}

/// Adds what the message of an event says when it is a sentence of a service that signs people in: of the program that
/// the event names, or of any where it names none.
pub(crate) fn sentence(event: &mut Event<'_>) {
    let Cow::Borrowed(message) = event.message else { return };
    let message = cut::behind(message, |byte| byte == b' ');
    if event.source.as_deref().is_some_and(|program| !services::has(program) && !applications::has(program)) {
        return;
    }
    // What a program's own reader has told is not told again.
    let (mut is_told, mut logger) = (false, None);
    for field in &event.fields {
        match field.path.as_ref() {
            "event.action" | "labels.pam.module" | "http.response.status_code" => is_told = true,
            "log.logger" => logger = field.value.as_str(),
            _ => {}
        }
    }
    if is_told {
        return;
    }
    // Behind a logger's name stand the program's own words, but where they go on with it: `SignInPost() [I] text`.
    let has_head = message.starts_with('[') || logger.is_none_or(|logger| message.starts_with(logger));
    let program = event.source.as_deref().map(str::to_owned);
    let message = through_server(message);
    let before = event.fields.len();
    let is_of_pairs = matches!(program.as_deref(), Some("asterisk" | "core" | "harbor-core" | "qlogd"));
    if pairs::read(event, message, is_of_pairs) {
        return;
    }
    phrases::read(event, program.as_deref(), message);
    if event.fields.len() > before {
        return;
    }
    let inner = if has_head { heads::own_words(message) } else { message };
    if inner.len() < message.len() {
        phrases::read(event, program.as_deref(), inner);
    }
    let message = inner;
    if event.fields.len() == before
        && let Some(sentence) = wording::read(message)
    {
        worded(event, sentence);
    }
}

/// What an application said that a server of the web wrote down: the client is the one that the server names.
fn through_server(message: &str) -> &str {
    let inner = match message.as_bytes().first() {
        Some(b'F') => message.strip_prefix("FastCGI sent in stderr: \"").map(|inner| (inner, '"')),
        Some(b'A') => message.strip_prefix("AH01071: Got error '").map(|inner| (inner, '\'')),
        Some(b'G') => message.strip_prefix("Got error '").map(|inner| (inner, '\'')),
        _ => None,
    };
    let Some((inner, close)) = inner else { return message };
    let inner = inner.strip_prefix("PHP message: ").unwrap_or(inner);
    inner.split(close).next().unwrap_or(inner)
}

fn worded<'a>(event: &mut Event<'a>, sentence: wording::Sentence<'a>) {
    if event.field("event.action").is_some() {
        return;
    }
    // Where the address stands elsewhere, that in the sentence is of others' choosing.
    match (event.field("source.ip"), sentence.from) {
        (None, Some(from)) => said::socket(event, from),
        (None, None) => return,
        (Some(_), _) => {}
    }
    if let Some(user) = sentence.user
        && event.field("user.name").is_none()
    {
        said::user(event, user);
    }
    if let Some(times) = sentence.times {
        event.set("labels.repeated", i64::from(times));
    }
    let outcome = if sentence.is_failure { "failure" } else { "success" };
    // A database's own words need not say that it is one.
    let is_other = event.source.as_deref().is_some_and(services::is_other_than_web);
    if sentence.is_web && !is_other {
        said::web_login(event, outcome);
    } else {
        said::login(event, "login", outcome);
    }
}

/// What `message repeated 3 times: [ text]` repeats; the event says how often it happened.
fn repeated<'a>(event: &mut Event<'a>, message: &'a str) -> Option<&'a str> {
    let (number, rest) = message.strip_prefix("message repeated ")?.split_once(" times: [")?;
    let number = number.parse::<u32>().ok()?;
    event.set("labels.repeated", i64::from(number));
    Some(rest.strip_suffix(']').unwrap_or(rest).trim_start())
}

/// What follows `[ID 800047 auth.notice] `.
fn solaris(message: &str) -> Option<&str> {
    Some(message.strip_prefix("[ID ")?.split_once("] ")?.1)
}
