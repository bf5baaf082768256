//! What messages about authentication say: who, from where, whether it succeeded. Values are taken only where the
//! message's form is certain, and never from a place where others choose the text.

mod accounts;
mod firewall;
mod local;
mod mail;
mod pam;
mod phrases;
mod said;
mod services;
mod ssh;
mod web;

use std::borrow::Cow;

use event::Event;
pub(crate) use local::vsftpd;
pub(crate) use mail::exim;
pub(crate) use web::{apache, lighttpd, nginx, nginx_client};

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
    match event.source.as_deref() {
        None => phrases::read(event, None, message),
        Some(program) if services::has(program) => {
            let program = program.to_owned();
            phrases::read(event, Some(&program), message);
        }
        Some(_) => {}
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
