//! What sshd says, OpenSSH 3 to 10, and dropbear.
//!
//! Peers choose user names, and the text with which they disconnect. So a name is read up to the last ` from `, or
//! from the end where the address follows without a word, and what follows the protocol or a code is not looked at.

use event::Event;

use super::said;

/// What the server did when somebody tried to sign in.
const LOGIN: &str = "ssh_login";
/// A connection that came to nothing before anybody was known.
const HANDSHAKE: &str = "ssh_handshake";
/// The end of a connection, which says nothing of its own about a sign-in.
const DISCONNECT: &str = "ssh_disconnect";

const INVALID: &str = "invalid user";

/// Adds what a message of sshd says.
pub(super) fn read<'a>(event: &mut Event<'a>, message: &'a str) {
    let text = bare(message);
    let Some((word, rest)) = text.split_once(' ') else { return };
    let is_read = match word {
        "Accepted" => attempt(event, rest, Some("success")),
        "Failed" => attempt(event, rest, Some("failure")),
        "Postponed" | "Partial" => attempt(event, rest, None),
        "Invalid" | "Illegal" => rest.strip_prefix("user ").is_some_and(|rest| invalid(event, rest)),
        "User" => not_allowed(event, rest),
        "PAM:" => pam(event, rest),
        "Connection" => closed(event, rest),
        "Disconnected" => rest.strip_prefix("from ").is_some_and(|rest| disconnected(event, rest)),
        "Disconnecting" | "Disconnecting:" => disconnecting(event, text),
        "Received" => rest.strip_prefix("disconnect from ").is_some_and(|rest| received(event, rest)),
        _ => refused(event, text) || handshake(event, text),
    };
    if is_read {
        event.set("labels.ssh.event", word.trim_end_matches(':'));
    } else {
        mention(event, text);
    }
}

/// A message without the levels before it; some systems also put the kernel's prefix there.
fn bare(message: &str) -> &str {
    let mut text = message;
    if let Some(rest) = text.strip_prefix("kernel:")
        && let Some((_, rest)) = rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']'))
    {
        text = rest.trim_start_matches([':', ' ']);
    }
    for level in ["error: ", "fatal: ", "info: "] {
        text = text.strip_prefix(level).unwrap_or(text);
    }
    text
}

fn failed(event: &mut Event<'_>) {
    said::login(event, LOGIN, "failure");
}

fn suspicious(event: &mut Event<'_>) {
    event.set("event.category", said::list("[\"network\"]"));
    event.set("event.type", said::list("[\"connection\",\"denied\"]"));
    event.set("event.outcome", "failure");
    event.set("event.action", HANDSHAKE);
}

fn ended(event: &mut Event<'_>) {
    event.set("event.category", said::list("[\"session\"]"));
    event.set("event.type", said::list("[\"end\"]"));
    event.set("event.action", DISCONNECT);
}

/// `password for [invalid user ]NAME from ADDRESS port N ssh2…`. Without an outcome the attempt goes on, unless the
/// user is none.
fn attempt<'a>(event: &mut Event<'a>, rest: &'a str, outcome: Option<&'static str>) -> bool {
    let Some((method, rest)) = rest.split_once(" for ").filter(|(method, _)| method.len() <= 40) else {
        return false;
    };
    // What follows the protocol is the peer's own text.
    let (head, tail) = match rest.find(" ssh2: ").or_else(|| rest.find(" ssh1: ")) {
        Some(end) => (&rest[..end], &rest[end + 7..]),
        None => (rest, ""),
    };
    // A name may itself hold " from ", or be empty.
    let Some((who, from)) = head.rsplit_once("from ").filter(|(who, _)| who.is_empty() || who.ends_with(' '))
    else {
        return false;
    };
    let known = ["invalid user ", "illegal user "].iter().find_map(|mark| who.strip_prefix(mark));
    let name = known.unwrap_or_else(|| match who.strip_prefix("user ") {
        Some(name) if !name.trim_end().is_empty() => name,
        _ => who,
    });
    if !method.contains(' ') {
        event.set("labels.ssh.method", method);
    }
    said::user(event, name.trim_end());
    said::endpoint(event, from);
    if !tail.is_empty() && method == "publickey" {
        event.set("labels.ssh.signature", tail.split(" [").next().unwrap_or(tail));
    }
    if known.is_some() {
        said::reason(event, INVALID);
    }
    match outcome.or(known.map(|_| "failure")) {
        Some(outcome) => said::login(event, LOGIN, outcome),
        None => event.set("event.category", said::list("[\"authentication\"]")),
    }
    true
}

/// `NAME from ADDRESS[ port N]`: the name may be empty or hold " from ".
fn invalid<'a>(event: &mut Event<'a>, rest: &'a str) -> bool {
    let Some((user, from)) = rest.rsplit_once("from ") else { return false };
    said::user(event, user.trim_end());
    said::endpoint(event, from);
    said::reason(event, INVALID);
    failed(event);
    true
}

/// `NAME[ from ADDRESS] not allowed because …`. One without an address is told again when the connection ends.
fn not_allowed<'a>(event: &mut Event<'a>, rest: &'a str) -> bool {
    let Some((who, because)) = rest.rsplit_once(" not allowed because ") else {
        return false;
    };
    match who.rsplit_once(" from ") {
        Some((user, from)) => {
            said::user(event, user);
            said::endpoint(event, from);
            failed(event);
        }
        None => {
            said::user(event, who);
            said::attempted(event, "failure");
        }
    }
    said::reason(event, because.trim_end_matches(" [preauth]"));
    true
}

/// `Authentication failure for [illegal user ]NAME from ADDRESS`.
fn pam<'a>(event: &mut Event<'a>, rest: &'a str) -> bool {
    let Some((what, who)) = rest.split_once(" for ").filter(|(what, _)| what.len() <= 80) else {
        return false;
    };
    let Some((user, from)) = who.trim_end().rsplit_once(" from ") else { return false };
    let known = ["illegal user ", "invalid user "].iter().find_map(|mark| user.strip_prefix(mark));
    said::user(event, known.unwrap_or(user));
    said::endpoint(event, from);
    said::reason(event, if known.is_some() { INVALID } else { what });
    failed(event);
    true
}

/// Who stands behind `by` or `from`.
enum Who<'a> {
    /// An address alone.
    Nobody,
    /// `invalid user NAME`.
    Invalid,
    /// `authenticating user NAME`.
    Authenticating,
    /// `user NAME`, who was in.
    User,
    /// None of these; the text.
    Other(&'a str),
}

/// `ADDRESS port N`, `authenticating user NAME ADDRESS port N` and the like. The name may hold blanks, so that it is
/// read from the end.
fn who<'a>(event: &mut Event<'a>, rest: &'a str) -> Who<'a> {
    let marks = [
        ("invalid user ", Who::Invalid),
        ("authenticating user ", Who::Authenticating),
        ("user ", Who::User),
    ];
    let named = marks.into_iter().find_map(|(mark, who)| Some((rest.strip_prefix(mark)?, who)));
    let Some((rest, who)) = named else {
        if !said::begins_with_address(rest) {
            return Who::Other(rest);
        }
        said::endpoint(event, rest);
        return Who::Nobody;
    };
    let Some((head, number)) = rest.rsplit_once(" port ") else { return Who::Other(rest) };
    // A name that is empty leaves the address alone.
    let (user, address) = head.rsplit_once(' ').unwrap_or(("", head));
    said::user(event, user);
    said::source(event, address);
    said::port(event, number);
    if matches!(who, Who::Invalid) {
        said::reason(event, INVALID);
    }
    who
}

/// `Connection closed by …`, `Connection reset by …`.
fn closed<'a>(event: &mut Event<'a>, rest: &'a str) -> bool {
    let Some(rest) = rest.strip_prefix("closed by ").or_else(|| rest.strip_prefix("reset by ")) else {
        return false;
    };
    match who(event, rest) {
        Who::Invalid => failed(event),
        Who::Authenticating => suspicious(event),
        Who::Nobody if rest.trim_end().ends_with("[preauth]") => suspicious(event),
        Who::Nobody | Who::User => ended(event),
        Who::Other(_) => return false,
    }
    true
}

/// `Disconnected from …`: the server ended it.
fn disconnected<'a>(event: &mut Event<'a>, rest: &'a str) -> bool {
    match who(event, rest) {
        Who::Invalid | Who::Authenticating => failed(event),
        Who::Nobody if rest.trim_end().ends_with("[preauth]") => suspicious(event),
        Who::Nobody | Who::User => ended(event),
        Who::Other(_) => return false,
    }
    true
}

/// `Disconnecting: Too many authentication failures for NAME`, `Disconnecting invalid user NAME ADDRESS port N: Too
/// many authentication failures`, and other reasons, of which only those about users are read.
fn disconnecting<'a>(event: &mut Event<'a>, text: &'a str) -> bool {
    if let Some(rest) = text.strip_prefix("Disconnecting: ") {
        let Some(user) = rest.strip_prefix("Too many authentication failures for ") else { return false };
        said::user(event, user.trim_end_matches(" [preauth]"));
        said::reason(event, "too many authentication failures");
        failed(event);
        return true;
    }
    let rest = text.strip_prefix("Disconnecting ").unwrap_or(text);
    // The reason is the server's own text; a name may hold colons, but no address follows those.
    let Some((head, why)) = [": Too many authentication failures", ": Change of username or service"]
        .iter()
        .find_map(|why| rest.rfind(why).map(|at| (&rest[..at], &rest[at + 2..])))
    else {
        return false;
    };
    match who(event, head.strip_prefix("from ").unwrap_or(head)) {
        Who::Invalid | Who::Authenticating => {
            if event.field("event.reason").is_none() {
                said::reason(event, why.trim_end_matches(" [preauth]"));
            }
            failed(event);
            true
        }
        Who::Nobody | Who::User | Who::Other(_) => false,
    }
}

/// `ADDRESS[ port N]:CODE: TEXT`, where the text is the peer's. Codes are those of RFC 4253 section 11.1; some clients
/// say with 3 that they could not sign in, and with 14 that they know no further way.
fn received<'a>(event: &mut Event<'a>, rest: &'a str) -> bool {
    if !said::begins_with_address(rest) {
        return false;
    }
    said::endpoint(event, rest);
    let after = rest.split_once(' ').map_or("", |(_, after)| after);
    let after = after.strip_prefix("port ").and_then(|port| port.split_once(':')).map_or(after, |(_, it)| it);
    let (code, text) = after.trim_start().split_once(": ").unwrap_or((after, ""));
    let text = text.trim_end().trim_end_matches("[preauth]").trim_end();
    match code {
        "3" if text.ends_with(": Auth fail") => failed(event),
        "14" => suspicious(event),
        _ => ended(event),
    }
    true
}

/// Messages about a refusal that do not begin with a word of their own.
fn refused<'a>(event: &mut Event<'a>, text: &'a str) -> bool {
    if let Some(rest) = text.strip_prefix("maximum authentication attempts exceeded for ") {
        let known = ["invalid user ", "illegal user "].iter().find_map(|mark| rest.strip_prefix(mark));
        let Some((user, from)) = known.unwrap_or(rest).rsplit_once(" from ") else { return false };
        said::user(event, user);
        said::endpoint(event, from);
        said::reason(event, if known.is_some() { INVALID } else { "too many authentication failures" });
    } else if let Some(rest) = text.strip_prefix("ROOT LOGIN REFUSED FROM ") {
        said::endpoint(event, rest);
        event.set("user.name", "root");
    } else if let Some(rest) = text.strip_prefix("Authentication tried for ") {
        let Some((user, rest)) = rest.rsplit_once(" with correct key but not from a permitted host (host=")
        else {
            return false;
        };
        said::user(event, user);
        if let Some((_, address)) = rest.rsplit_once(", ip=") {
            said::source(event, address.trim_end_matches(['.', ')']));
        }
    } else if text.starts_with("Magic value check failed ") {
        let Some((_, from)) = text.rsplit_once(" on obfuscated handshake from ") else { return false };
        said::endpoint(event, from);
    } else {
        return false;
    }
    failed(event);
    true
}

/// Connections that end before anybody has a name.
fn handshake<'a>(event: &mut Event<'a>, text: &'a str) -> bool {
    const STARTS: [&str; 6] = [
        "banner exchange: Connection from ",
        "ssh_dispatch_run_fatal: Connection from ",
        "Unable to negotiate with ",
        "Timeout before authentication for connection from ",
        "Timeout before authentication for ",
        "Did not receive identification string from ",
    ];
    const NAMELESS: [&str; 3] = ["Unable to negotiate a ", "no matching ", "no hostkey alg"];
    if let Some(rest) = STARTS.iter().find_map(|start| text.strip_prefix(start)) {
        let rest = match rest.rsplit_once(" port ") {
            Some((_, after)) if !said::begins_with_address(rest) => {
                let end = after.find(':').map_or(rest.len(), |colon| rest.len() - after.len() + colon);
                &rest[..end]
            }
            _ => rest,
        };
        // A server that looks names up gives a host's name in place of its address.
        if let Who::Other(from) = who(event, rest)
            && !from.starts_with("UNKNOWN")
        {
            said::endpoint(event, from);
        }
    } else if let Some(rest) = text.strip_prefix("Bad protocol version identification ") {
        let Some((_, from)) = rest.rsplit_once("' from ") else { return false };
        said::endpoint(event, from);
    } else if let Some(rest) = text.strip_prefix("Protocol major versions differ for ") {
        said::endpoint(event, rest);
    } else if let Some(rest) = text.strip_prefix("refused connect from ") {
        let inner = rest.rsplit_once('(').and_then(|(_, inner)| inner.split_once(')'));
        said::endpoint(event, inner.map_or(rest, |(address, _)| address));
    } else if let Some(rest) = text.strip_prefix("drop connection #") {
        let Some((_, from)) = rest.split_once(" from [") else { return false };
        if let Some((address, number)) = from.split_once("]:") {
            said::source(event, address);
            said::port(event, number);
        }
    } else if !NAMELESS.iter().any(|start| text.starts_with(start)) {
        return false;
    }
    suspicious(event);
    true
}

/// What names an address or a user, and tells of nothing that was done.
fn mention<'a>(event: &mut Event<'a>, text: &'a str) {
    if let Some(rest) = text.strip_prefix("Connection from ") {
        said::endpoint(event, rest);
        event.set("labels.ssh.event", "Connection from");
    } else if let Some(rest) = text.strip_prefix("Address ") {
        said::endpoint(event, rest);
    } else if let Some(rest) = text.strip_prefix("Read error from remote host ") {
        said::endpoint(event, rest);
    } else if let Some(rest) = text.strip_prefix("input_userauth_request: invalid user ") {
        said::user(event, rest.trim_end_matches(" [preauth]"));
    } else if text.starts_with("reverse mapping checking getaddrinfo for ")
        && let Some((address, _)) = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'))
    {
        said::source(event, address);
    } else if let Some(rest) = text.strip_prefix("User ")
        && let Some((user, from)) = rest.rsplit_once(" from ").filter(|(user, _)| !user.contains(' '))
    {
        said::user(event, user);
        said::endpoint(event, from);
    }
}

/// Adds what a message of dropbear says: `Bad password attempt for 'NAME' from ADDRESS:PORT`.
pub(super) fn dropbear<'a>(event: &mut Event<'a>, message: &'a str) {
    // It may repeat its process id and time: `[825] Jul 10 23:53:52 `.
    let text = match message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((pid, rest)) if pid.bytes().all(|byte| byte.is_ascii_digit()) => rest.get(16..).unwrap_or(rest),
        _ => message,
    };
    let Some((word, rest)) = text.split_once(' ') else { return };
    let from = |event: &mut Event<'a>| {
        let Some((before, from)) = text.rsplit_once(" from ") else { return };
        said::socket(event, from.trim_end().trim_matches(['<', '>']));
        if let Some((_, name)) = before.split_once(" for '") {
            said::user(event, name.rsplit_once('\'').map_or(name, |(name, _)| name));
        }
    };
    match word {
        "Bad" | "bad" if rest.contains("assword attempt for ") => from(event),
        "Login" | "login" if rest.starts_with("attempt for nonexistent user") => {
            from(event);
            said::reason(event, INVALID);
        }
        "Exit" | "exit" if rest.starts_with("before auth") && rest.contains("Max auth tries reached") => {
            let rest = &rest["before auth".len()..];
            match rest.strip_prefix(" from <").and_then(|rest| rest.split_once('>')) {
                Some((address, _)) => said::socket(event, address),
                None => from(event),
            }
            if let Some((_, user)) = rest.rsplit_once(" - user '") {
                said::user(event, user.split('\'').next().unwrap_or_default());
            }
        }
        "Password" | "Pubkey" | "PAM" if rest.contains("auth succeeded for ") => {
            from(event);
            said::login(event, LOGIN, "success");
            return;
        }
        _ => return,
    }
    failed(event);
}
