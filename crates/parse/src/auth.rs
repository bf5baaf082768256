//! What authentication messages of sshd, sudo, su, PAM and the account tools say: who, from where,
//! whether it succeeded. Values are taken only where the message's form is certain.

use std::net::IpAddr;

use event::{Event, Value};

/// Adds user, source and outcome to the event of a program's message.
pub(crate) fn enrich<'a>(event: &mut Event<'a>, program: &str, message: &'a str) {
    match program {
        "sshd" | "sshd-session" | "sshd-auth" | "dropbear" => {
            if !pam(event, message) {
                ssh(event, message);
            }
        }
        "sudo" => {
            if !pam(event, message) {
                sudo(event, message);
            }
        }
        "useradd" | "groupadd" | "userdel" | "groupdel" | "usermod" => account(event, program, message),
        "su" if su(event, message) => {}
        "systemd-logind" => logind(event, message),
        _ => {
            pam(event, message);
        }
    }
}

fn list(text: &'static str) -> Value<'static> {
    Value::Json(text.into())
}

fn authentication<'a>(event: &mut Event<'a>, action: &'static str, outcome: &'static str) {
    attempted(event, outcome);
    event.set("event.action", action);
}

/// An authentication that no further word classes: PAM's message stands beside the program's own.
fn attempted(event: &mut Event<'_>, outcome: &'static str) {
    event.set("event.category", list("[\"authentication\"]"));
    event.set("event.type", list("[\"start\"]"));
    event.set("event.outcome", outcome);
}

fn set_user<'a>(event: &mut Event<'a>, user: &'a str) {
    let user = user.trim_matches(['"', '\'']);
    if !user.is_empty() {
        event.set("user.name", user);
    }
}

/// An address; one of IPv4 in the clothes of IPv6 is given as what it is. Else a host name.
fn set_source<'a>(event: &mut Event<'a>, address: &'a str) {
    let bare = address.trim_matches(['[', ']']);
    match bare.parse::<IpAddr>().map(|parsed| (parsed, parsed.to_canonical())) {
        Ok((parsed, canonical)) if parsed != canonical => event.set("source.ip", canonical.to_string()),
        Ok(_) => event.set("source.ip", bare),
        Err(_) if is_host_name(bare) => event.set("source.address", bare),
        Err(_) => {}
    }
}

fn is_host_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// `ADDRESS port N…` or `ADDRESS…` at the start.
fn set_endpoint<'a>(event: &mut Event<'a>, text: &'a str) {
    let mut words = text.split([' ', ',']);
    let Some(address) = words.next() else { return };
    set_source(event, address.trim_end_matches(':'));
    if words.next() == Some("port")
        && let Some(port) = words.next()
    {
        let digits = port.split(':').next().unwrap_or_default();
        if let Ok(port) = digits.parse::<u16>() {
            event.set("source.port", i64::from(port));
        }
    }
}

/// sshd, OpenSSH 3 to 10.
fn ssh<'a>(event: &mut Event<'a>, message: &'a str) {
    let text = ["error: ", "fatal: ", "info: ", "PAM: "]
        .iter()
        .fold(message, |text, prefix| text.strip_prefix(prefix).unwrap_or(text));
    if let Some(rest) = text.strip_prefix("Accepted ") {
        if attempt(event, rest) {
            authentication(event, "ssh_login", "success");
        }
    } else if let Some(rest) = text.strip_prefix("Failed ") {
        if attempt(event, rest) {
            authentication(event, "ssh_login", "failure");
        }
    } else if let Some(rest) =
        text.strip_prefix("Invalid user ").or_else(|| text.strip_prefix("Illegal user "))
    {
        // The name may be empty or hold " from ": the last one counts.
        if let Some((user, from)) = split_last(rest, "from ") {
            set_user(event, user.trim_end());
            set_endpoint(event, from);
            authentication(event, "ssh_login", "failure");
        }
    } else if let Some(rest) = text.strip_prefix("maximum authentication attempts exceeded for ") {
        let rest = rest.strip_prefix("invalid user ").unwrap_or(rest);
        if let Some((user, from)) = split_last(rest, " from ") {
            set_user(event, user);
            set_endpoint(event, from);
            authentication(event, "ssh_login", "failure");
        }
    } else if let Some(rest) = text.strip_prefix("User ") {
        if let Some((who, _)) = rest.split_once(" not allowed because ") {
            match split_last(who, " from ") {
                Some((user, from)) => {
                    set_user(event, user);
                    set_endpoint(event, from);
                }
                None => set_user(event, who),
            }
            authentication(event, "ssh_login", "failure");
        } else if let Some((user, from)) = rest.split_once(" from ").filter(|(user, _)| !user.contains(' ')) {
            set_user(event, user);
            set_endpoint(event, from);
        }
    } else if let Some(rest) = text.strip_prefix("ROOT LOGIN REFUSED FROM ") {
        set_endpoint(event, rest);
        event.set("user.name", "root");
        authentication(event, "ssh_login", "failure");
    } else {
        ssh_connection(event, text);
    }
}

/// `password for [invalid user ]NAME from ADDRESS port N ssh2…`.
fn attempt<'a>(event: &mut Event<'a>, rest: &'a str) -> bool {
    let Some((method, rest)) = rest.split_once(" for ").filter(|(method, _)| method.len() <= 40) else {
        return false;
    };
    let rest =
        rest.strip_prefix("invalid user ").or_else(|| rest.strip_prefix("illegal user ")).unwrap_or(rest);
    // A name may itself hold " from "; what follows the protocol is the peer's own text.
    let head = match rest.find(" ssh2: ").or_else(|| rest.find(" ssh1: ")) {
        Some(end) => &rest[..end],
        None => rest,
    };
    let Some((user, from)) =
        split_last(head, "from ").filter(|(user, _)| user.is_empty() || user.ends_with(' '))
    else {
        return false;
    };
    if event.message.len() < 2048 && !method.contains(' ') {
        event.set("labels.ssh.method", method.to_owned());
    }
    set_user(event, user.trim_end());
    set_endpoint(event, from);
    true
}

fn split_last<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    text.rsplit_once(separator)
}

/// Messages about a connection, some of which name the user.
fn ssh_connection<'a>(event: &mut Event<'a>, text: &'a str) {
    const STARTS: [&str; 13] = [
        "Connection closed by ",
        "Connection reset by ",
        "Disconnected from ",
        "Disconnecting ",
        "Received disconnect from ",
        "Connection from ",
        "banner exchange: Connection from ",
        "ssh_dispatch_run_fatal: Connection from ",
        "Unable to negotiate with ",
        "Timeout before authentication for connection from ",
        "Timeout before authentication for ",
        "Did not receive identification string from ",
        "Postponed publickey for ",
    ];
    if let Some((_, from)) =
        text.strip_prefix("Bad protocol version identification ").and_then(|rest| split_last(rest, "' from "))
    {
        set_endpoint(event, from);
        return;
    }
    if let Some((_, from)) =
        text.strip_prefix("Magic value check failed ").and_then(|rest| split_last(rest, " from "))
    {
        set_endpoint(event, from);
        return;
    }
    if let Some(rest) = text.strip_prefix("refused connect from ") {
        let inner = rest.rsplit_once('(').and_then(|(_, inner)| inner.split_once(')'));
        set_endpoint(event, inner.map_or(rest, |(address, _)| address));
        return;
    }
    if text.starts_with("reverse mapping checking getaddrinfo for ") {
        if let Some((address, _)) = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')) {
            set_source(event, address);
        }
        return;
    }
    let Some(rest) = STARTS.iter().find_map(|start| text.strip_prefix(start)) else { return };
    if text.starts_with("Postponed ") {
        if let Some((user, from)) = split_last(rest, " from ") {
            set_user(event, user);
            set_endpoint(event, from);
        }
        return;
    }
    let named = ["authenticating user ", "invalid user ", "user "]
        .iter()
        .find_map(|mark| rest.strip_prefix(mark).map(|rest| (rest, *mark)));
    let Some((rest, mark)) = named else {
        set_endpoint(event, rest);
        return;
    };
    // NAME ADDRESS port N: the name may hold blanks, so that it is read from the end.
    let Some((head, port)) = split_last(rest, " port ") else { return };
    let Some((user, address)) = split_last(head, " ") else { return };
    set_user(event, user);
    set_source(event, address);
    let digits = port.split([' ', ':']).next().unwrap_or_default();
    if let Ok(port) = digits.parse::<u16>() {
        event.set("source.port", i64::from(port));
    }
    if mark != "user " {
        authentication(event, "ssh_login", "failure");
    }
}

/// The `name=value` after a blank or semicolon, up to the next blank.
fn assigned<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    while let Some(found) = text[from..].find(name) {
        let start = from + found;
        let bounded = start == 0 || text.as_bytes()[start - 1] == b' ';
        let rest = &text[start + name.len()..];
        if bounded && let Some(value) = rest.strip_prefix('=') {
            return Some(value.split(' ').next().unwrap_or_default()).filter(|value| !value.is_empty());
        }
        from = start + name.len();
    }
    None
}

/// Messages of PAM modules, in whichever program they run.
fn pam<'a>(event: &mut Event<'a>, message: &'a str) -> bool {
    let text = match message.strip_prefix("pam_").or_else(|| message.strip_prefix("(pam_")) {
        Some(rest) => rest.split_once(": ").or_else(|| rest.split_once(") ")).map_or(rest, |(_, text)| text),
        None => message,
    };
    let failure = text.starts_with("authentication failure;") || text.starts_with("check pass; user unknown");
    let more = text.starts_with("PAM ") && text.contains(" more authentication failure");
    if failure || more {
        if let Some(address) = assigned(text, "rhost") {
            set_source(event, address);
        }
        let user = assigned(text, "user").or_else(|| assigned(text, "ruser"));
        if let Some(user) = user {
            set_user(event, user);
        }
        attempted(event, "failure");
        return true;
    }
    if let Some((_, user)) = text.split_once("not met by user \"") {
        set_user(event, user.trim_end_matches('"'));
        return true;
    }
    if let Some(rest) = text.strip_prefix("session opened for user ") {
        session(event, rest);
        event.set("event.category", list("[\"session\"]"));
        event.set("event.type", list("[\"start\"]"));
        event.set("event.outcome", "success");
        return true;
    }
    if let Some(user) = text.strip_prefix("session closed for user ") {
        set_user(event, user.split(' ').next().unwrap_or_default());
        event.set("event.category", list("[\"session\"]"));
        event.set("event.type", list("[\"end\"]"));
        return true;
    }
    if let Some(rest) = text.strip_prefix("user ").filter(|rest| rest.contains(" tally ")) {
        set_user(event, rest.split(' ').next().unwrap_or_default());
        attempted(event, "failure");
        return true;
    }
    message.starts_with("pam_") || message.starts_with("(pam_")
}

/// `root(uid=0) by vagrant(uid=1000)`: who became whom. Without a caller the user is the one named.
fn session<'a>(event: &mut Event<'a>, rest: &'a str) {
    let (target, caller) = rest.split_once(" by ").unwrap_or((rest, ""));
    let name = |text: &'a str| text.split(['(', ' ']).next().unwrap_or_default();
    let id =
        |text: &'a str| text.split_once("(uid=").and_then(|(_, rest)| rest.split_once(')')).map(|(id, _)| id);
    if name(caller).is_empty() {
        set_user(event, name(target));
        if let Some(id) = id(target) {
            event.set("user.id", id);
        }
        return;
    }
    set_user(event, name(caller));
    if let Some(id) = id(caller) {
        event.set("user.id", id);
    }
    event.set("user.effective.name", name(target));
}

/// `alice : TTY=pts/0 ; PWD=/home ; USER=root ; COMMAND=/bin/ls`, with a complaint first when refused.
fn sudo<'a>(event: &mut Event<'a>, message: &'a str) {
    let Some((user, rest)) = message.trim_start().split_once(" : ") else { return };
    if user.contains(' ') {
        return;
    }
    let Some(at) = rest.find("TTY=").or_else(|| rest.find("PWD=")) else { return };
    set_user(event, user);
    let part = |name: &str| {
        let (_, value) = rest.split_once(name)?;
        let end = if name == "COMMAND=" { value.len() } else { value.find(" ; ").unwrap_or(value.len()) };
        Some(&value[..end])
    };
    if let Some(target) = part("USER=") {
        event.set("user.effective.name", target);
    }
    if let Some(command) = part("COMMAND=") {
        event.set("process.command_line", command);
    }
    if let Some(directory) = part("PWD=") {
        event.set("process.working_directory", directory);
    }
    if let Some(terminal) = part("TTY=") {
        event.set("labels.sudo.tty", terminal);
    }
    authentication(event, "sudo", if at == 0 { "success" } else { "failure" });
}

/// `Successful su for root by alice`, `FAILED su for root by alice`, `BAD SU alice to root on …`,
/// `(to root) alice on pts/0`.
fn su<'a>(event: &mut Event<'a>, message: &'a str) -> bool {
    let pair = |rest: &'a str, separator: &str| {
        let (left, right) = rest.split_once(separator)?;
        Some((left, right.split(' ').next().unwrap_or_default()))
    };
    let success = message.strip_prefix("Successful su for ").and_then(|rest| pair(rest, " by "));
    let opened = message.strip_prefix("(to ").and_then(|rest| pair(rest, ") "));
    let failed = message.strip_prefix("FAILED su for ").and_then(|rest| pair(rest, " by "));
    let bad = message.strip_prefix("BAD SU ").and_then(|rest| pair(rest, " to "));
    let (target, user, outcome) = match (success.or(opened), failed, bad) {
        (Some((target, user)), _, _) => (target, user, "success"),
        (_, Some((target, user)), _) => (target, user, "failure"),
        (_, _, Some((user, target))) => (target, user, "failure"),
        _ => return pam(event, message),
    };
    set_user(event, user);
    event.set("user.effective.name", target);
    authentication(event, "su", outcome);
    true
}

/// `new user: name=x, UID=1000, GID=1000, …`, `new group: name=x, GID=48`.
fn account<'a>(event: &mut Event<'a>, program: &str, message: &'a str) {
    let part = |name: &str| {
        let (_, value) = message.split_once(name)?;
        Some(value.split([',', ' ']).next().unwrap_or_default())
    };
    let types = match program {
        "useradd" if message.starts_with("new user: ") => {
            if let Some(name) = part("name=") {
                set_user(event, name);
            }
            if let Some(id) = part("UID=") {
                event.set("user.id", id);
            }
            "[\"user\",\"creation\"]"
        }
        "groupadd" | "useradd" if message.starts_with("new group: ") => {
            if let Some(name) = part("name=") {
                event.set("group.name", name);
            }
            "[\"group\",\"creation\"]"
        }
        "userdel" if message.starts_with("delete user '") => {
            set_user(event, message.split('\'').nth(1).unwrap_or_default());
            "[\"user\",\"deletion\"]"
        }
        _ => return,
    };
    if let Some(id) = part("GID=") {
        event.set("group.id", id);
    }
    event.set("event.category", list("[\"iam\"]"));
    event.set("event.type", list(types));
    event.set("event.outcome", "success");
}

/// `New session 7 of user alice.`
fn logind<'a>(event: &mut Event<'a>, message: &'a str) {
    if let Some((_, user)) =
        message.strip_prefix("New session ").and_then(|rest| rest.split_once(" of user "))
    {
        set_user(event, user.trim_end_matches('.'));
        event.set("event.category", list("[\"session\"]"));
        event.set("event.type", list("[\"start\"]"));
    }
}
