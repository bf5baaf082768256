//! What the programs say by which somebody on the machine becomes another or signs in at it: sudo, su, doas,
//! login, vsftpd.

use event::Event;

use super::said;

/// Adds what sudo says: `ann : TTY=pts/0 ; PWD=/home ; USER=root ; COMMAND=/bin/ls`, with a complaint first where it
/// refused. The command comes last and may hold anything.
pub(super) fn sudo<'a>(event: &mut Event<'a>, message: &'a str) {
    let Some((user, rest)) = message.trim_start().split_once(" : ") else { return };
    if user.contains(' ') {
        return;
    }
    let (complaint, rest) = match rest.find("TTY=").or_else(|| rest.find("PWD=")) {
        Some(0) => ("", rest),
        Some(at) => (rest[..at].trim_end_matches([' ', ';']), &rest[at..]),
        None => return,
    };
    said::user(event, user);
    let (head, command) = rest.split_once("COMMAND=").unwrap_or((rest, ""));
    for part in head.split(" ; ") {
        match part.split_once('=') {
            Some(("TTY", terminal)) => event.set("labels.sudo.tty", terminal),
            Some(("PWD", directory)) => event.set("process.working_directory", directory),
            Some(("USER", target)) => event.set("user.effective.name", target),
            _ => {}
        }
    }
    if !command.is_empty() {
        event.set("process.command_line", command);
    }
    said::login(event, "sudo", if complaint.is_empty() { "success" } else { "failure" });
    if !complaint.is_empty() {
        said::reason(event, complaint);
        if let Some((number, "incorrect password attempts")) = complaint.split_once(' ')
            && let Ok(number) = number.parse::<u8>()
        {
            event.set("labels.repeated", i64::from(number));
        }
    }
}

/// Adds what su says, of whichever system. Whether it is one of its own messages.
pub(super) fn su<'a>(event: &mut Event<'a>, message: &'a str) -> bool {
    let Some((target, user, outcome)) = became(message) else { return false };
    said::user(event, user);
    event.set("user.effective.name", target);
    said::login(event, "su", outcome);
    true
}

/// Who became whom, or was refused.
fn became(message: &str) -> Option<(&str, &str, &'static str)> {
    fn pair<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
        let (left, right) = text.split_once(separator)?;
        Some((left, right.split(' ').next().unwrap_or_default()))
    }
    let (word, rest) = message.split_once(' ')?;
    match word {
        "Successful" => pair(rest.strip_prefix("su for ")?, " by ").map(|(to, by)| (to, by, "success")),
        "FAILED" => {
            let old = rest.strip_prefix("su for ").and_then(|rest| pair(rest, " by "));
            let new = || pair(rest.strip_prefix("SU (to ")?, ") ");
            old.or_else(new).map(|(to, by)| (to, by, "failure"))
        }
        "BAD" => pair(rest.strip_prefix("SU ")?, " to ").map(|(by, to)| (to, by, "failure")),
        "(to" => pair(rest, ") ").map(|(to, by)| (to, by, "success")),
        // `+ pts/1 ann:root`, `- pts/1 ann:root`.
        "+" | "-" => {
            let (_, users) = rest.split_once(' ')?;
            let (by, to) = users.split_once([':', '-'])?;
            Some((to, by, if word == "+" { "success" } else { "failure" }))
        }
        // `'su root' failed for ann on /dev/pts/1`.
        "'su" => {
            let (to, rest) = rest.split_once("' ")?;
            let (how, by) = rest.split_once(" for ")?;
            let outcome = if how == "failed" { "failure" } else { "success" };
            Some((to, by.split(' ').next().unwrap_or_default(), outcome))
        }
        // `ann to root on /dev/pts/1`.
        by => pair(rest.strip_prefix("to ")?, " on ").map(|(to, _)| (to, by, "success")),
    }
}

/// Adds what doas says: `ann ran command /bin/ls as root from /home/ann`, `failed auth for ann`.
pub(super) fn doas<'a>(event: &mut Event<'a>, message: &'a str) {
    if let Some(user) = message.strip_prefix("failed auth for ") {
        said::user(event, user.trim_end());
        said::login(event, "doas", "failure");
        said::reason(event, "incorrect password");
    } else if let Some(rest) = ["failed command for ", "command not permitted for "]
        .iter()
        .find_map(|start| message.strip_prefix(start))
    {
        let (user, command) = rest.split_once(": ").unwrap_or((rest, ""));
        said::user(event, user);
        if !command.is_empty() {
            event.set("process.command_line", command);
        }
        said::login(event, "doas", "failure");
        said::reason(event, "command not permitted");
    } else if let Some((user, rest)) = message.split_once(" ran command ") {
        let (rest, directory) = rest.rsplit_once(" from ").unwrap_or((rest, ""));
        let (command, target) = rest.rsplit_once(" as ").unwrap_or((rest, ""));
        said::user(event, user);
        event.set("process.command_line", command);
        if !target.is_empty() {
            event.set("user.effective.name", target);
        }
        if !directory.is_empty() {
            event.set("process.working_directory", directory);
        }
        said::login(event, "doas", "success");
    }
}

/// Adds what login says: `FAILED LOGIN 1 FROM tty1 FOR ann, Authentication failure`, `LOGIN ON tty1 BY ann`.
pub(super) fn login<'a>(event: &mut Event<'a>, message: &'a str) -> bool {
    let unquoted = |text: &'a str| text.trim_matches('\'');
    if let Some(rest) =
        message.strip_prefix("FAILED LOGIN ").or_else(|| message.strip_prefix("TOO MANY LOGIN TRIES "))
    {
        if let Some((head, user)) = rest.split_once(" FOR ") {
            // The reason is login's own, the name is not.
            said::user(event, unquoted(user.rsplit_once(", ").map_or(user, |(user, _)| user)));
            if let Some((_, from)) = head.rsplit_once("FROM ").or_else(|| head.rsplit_once("from ")) {
                said::source(event, unquoted(from.trim()));
            }
        }
        said::login(event, "login", "failure");
    } else if let Some(rest) = message.strip_prefix("LOGIN ON ") {
        if let Some((_, who)) = rest.split_once(" BY ") {
            let (user, from) = who.split_once(" FROM ").unwrap_or((who, ""));
            said::user(event, user);
            if !from.is_empty() {
                said::source(event, from);
            }
        }
        said::login(event, "login", "success");
    } else if let Some(rest) = message.strip_prefix("ROOT LOGIN ") {
        event.set("user.name", "root");
        if let Some((_, from)) = rest.split_once(" FROM ").or_else(|| rest.split_once(" from ")) {
            said::source(event, unquoted(from));
        }
        said::login(event, "login", "success");
    } else {
        return false;
    }
    true
}

/// Adds what vsftpd says: `[ann] FAIL LOGIN: Client "192.0.2.7"`, whose name may hold anything but a control character.
pub(crate) fn vsftpd<'a>(event: &mut Event<'a>, message: &'a str) {
    let Some(rest) = message.strip_prefix('[') else { return };
    for (mark, outcome) in [("] FAIL LOGIN: Client ", "failure"), ("] OK LOGIN: Client ", "success")] {
        if let Some((user, _)) = rest.rsplit_once(mark) {
            said::user(event, user);
            return said::login(event, "login", outcome);
        }
    }
}
