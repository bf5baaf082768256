//! Messages that name what they say: `type=LOGIN_ERROR, …, ipAddress=192.0.2.7, …, username=ann`.
//!
//! Names and other texts of a client stand before the address and behind it, so that the address counts only where its
//! name occurs once.

use event::Event;

use super::said;

/// A message that is longer is none of these.
const MESSAGE_BYTES_MAX: usize = 4096;
/// The name of an event stands within so many bytes.
const HEAD_BYTES_MAX: usize = 160;

/// How a program names what it says.
struct Form {
    /// What the message has near its start.
    head: &'static str,
    /// What it says further on; empty where the head says all.
    says: &'static str,
    is_web: bool,
    address: &'static str,
    user: &'static str,
}

const FORMS: &[Form] = &[
    // Keycloak, old and new.
    Form { head: "type=LOGIN_ERROR, ", says: "", is_web: true, address: "ipAddress=", user: "username=" },
    Form {
        head: "type=\"LOGIN_ERROR\", ",
        says: "",
        is_web: true,
        address: "ipAddress=\"",
        user: "username=\"",
    },
    // Rocket.Chat.
    Form {
        head: "Failed login detected - ",
        says: "",
        is_web: true,
        address: "ClientAddress: ",
        user: "Username: ",
    },
    // LiteSpeed.
    Form {
        head: "[WebAdmin Console] Failed Login Attempt - ",
        says: "",
        is_web: true,
        address: " ip:",
        user: "username:",
    },
    // Zimbra.
    Form {
        head: "oip=",
        says: "authentication failed for [",
        is_web: false,
        address: "oip=",
        user: "authentication failed for [",
    },
    // Spring Security.
    Form {
        head: "Authentication event AuthenticationFailure",
        says: "[RemoteIpAddress=",
        is_web: true,
        address: "RemoteIpAddress=",
        user: "Event: ",
    },
    // QNAP.
    Form {
        head: "conn log: Users: ",
        says: "Action: Login Fail",
        is_web: true,
        address: "Source IP: ",
        user: "Users: ",
    },
    // Harbor.
    Form {
        head: "[client IP=\"",
        says: "]: failed to authenticate user:",
        is_web: true,
        address: "[client IP=\"",
        user: "]: failed to authenticate user:",
    },
    // Asterisk: the events of its framework for security that tell of a peer turned away.
    Form {
        head: "SecurityEvent=\"InvalidAccountID\"",
        says: "",
        is_web: false,
        address: "RemoteAddress=\"",
        user: "AccountID=\"",
    },
    Form {
        head: "SecurityEvent=\"InvalidPassword\"",
        says: "",
        is_web: false,
        address: "RemoteAddress=\"",
        user: "AccountID=\"",
    },
    Form {
        head: "SecurityEvent=\"FailedACL\"",
        says: "",
        is_web: false,
        address: "RemoteAddress=\"",
        user: "AccountID=\"",
    },
    Form {
        head: "SecurityEvent=\"ChallengeResponseFailed\"",
        says: "",
        is_web: false,
        address: "RemoteAddress=\"",
        user: "AccountID=\"",
    },
];

/// Adds what such a message says, of a program that is known or of any. Whether it is one.
pub(super) fn read<'a>(event: &mut Event<'a>, message: &'a str, is_known: bool) -> bool {
    // As the messages of these programs begin, loggers apart.
    let is_one = is_known
        || match message.as_bytes().first() {
            Some(b'[') => true,
            Some(b'A') => message.starts_with("Authentication event "),
            Some(b't') => message.starts_with("type="),
            Some(b'F') => message.starts_with("Failed login detected"),
            Some(b'S') => message.starts_with("SECURITY[") || message.starts_with("SecurityEvent="),
            Some(b'r') => message.starts_with("res_security_log"),
            _ => false,
        };
    if !is_one || message.len() > MESSAGE_BYTES_MAX {
        return false;
    }
    let head = &message[..message.floor_char_boundary(HEAD_BYTES_MAX)];
    let has = |text: &str, part: &str| memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some();
    let form = FORMS.iter().find(|form| has(head, form.head) && has(message, form.says));
    let Some(form) = form else { return false };
    if let Some(address) = once(message, form.address).map(in_transport).and_then(said::of_chain) {
        said::source(event, address);
    }
    if let Some(user) = first(message, form.user).filter(|user| *user != "null") {
        said::user(event, user);
    }
    if form.is_web {
        said::web_refused(event);
    } else {
        said::login(event, "login", "failure");
    }
    true
}

/// What stands behind a name that occurs once.
fn once<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(name)?;
    if rest.contains(name) {
        return None;
    }
    let ends: &[char] = if name.ends_with('"') { &['"'] } else { &[',', ' ', ';', ']'] };
    rest.split(ends).next()
}

fn first<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(name)?;
    rest.split(['"', ',', ' ', ';', ']']).next().filter(|value| !value.is_empty())
}

/// The address of `IPV4/UDP/192.0.2.7/5060`.
fn in_transport(text: &str) -> &str {
    if text.starts_with("IPV") { text.split('/').nth(2).unwrap_or_default() } else { text }
}
