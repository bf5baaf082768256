//! How much the words weigh by which programs and records name what happened, where nothing else tells.

/// The last name of a field's path.
pub(super) fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// What a defence calls grave.
const GRAVE: [&str; 18] = [
    "attack",
    "flood",
    "spoofing",
    "virus",
    "malware",
    "trojan",
    "intrusion",
    "exploit",
    "critical condition",
    "critical alarm",
    "quarantine",
    "locked out",
    "out of memory",
    "limit exceeded",
    "promiscuous mode",
    "integrity checksum changed",
    "no space left on device",
    "file system full",
];
/// What did not go as somebody wished.
const REFUSED: [&str; 16] = [
    "denied",
    "blocked",
    "rejected",
    "refused",
    "failed",
    "failure",
    "incorrect",
    "unknown user",
    "invalid",
    "illegal",
    "unauthorized",
    "reset by peer",
    "timed out",
    "bad ",
    "malformed",
    "forbidden",
];

/// Who came and went, and what was let in.
const NOTED: [&str; 16] = [
    "logged in",
    "logged out",
    "logged on",
    "logged off",
    "-login: ",
    "didlogin",
    "logout",
    "unlocked",
    "screenislocked",
    "access record",
    "new usb device found",
    "was removed",
    "was added",
    "was deleted",
    "was created",
    "has been created",
];
/// What a browser asks for is the browser's affair: the log of requests has it.
const OF_CLIENT: [&str; 5] = [
    "file does not exist: ",
    " is not found (2: no such file or directory)",
    ": software caused connection abort)",
    "prematurely closed connection",
    "no user/password was provided for basic authentication",
];

/// The beginning of a message, in lower case: what words are looked for in.
pub(super) fn beginning(message: &str) -> String {
    const BYTES_MAX: usize = 512;
    message[..message.floor_char_boundary(BYTES_MAX)].to_ascii_lowercase()
}

fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The weight of a message of ordinary level, by what it says went wrong or changed.
pub(super) fn of_message(message: &str) -> Option<u8> {
    let text = beginning(message);
    if is_grave(&text) || is_policy_changed(&text) {
        Some(8)
    } else if has(&text, &REFUSED) {
        Some(5)
    } else if has(&text, &NOTED) || is_session(&text) {
        Some(3)
    } else {
        None
    }
}

/// `Session 7 created`, `session c2 has ended`: a session begins or ends, and nothing is done in one.
fn is_session(text: &str) -> bool {
    text.split_once("session ").is_some_and(|(_, rest)| {
        let words = rest.split(' ').skip(1).take(2).map(|word| word.trim_end_matches(['.', ',']));
        words
            .filter(|word| *word != "has" && *word != "was")
            .take(1)
            .any(|word| ["created", "destroyed", "started", "ended", "closed", "terminated"].contains(&word))
    })
}

/// Whether a message in lower case names an attack, or something at its end.
pub(super) fn is_grave(text: &str) -> bool {
    has(text, &GRAVE)
}

/// Whether a message in lower case says that other things are allowed now than before.
pub(super) fn is_policy_changed(text: &str) -> bool {
    text.split_once("policy").is_some_and(|(_, rest)| {
        ["was modified", "was changed", "was deleted", "was disabled"].iter().any(|word| rest.contains(word))
    })
}

/// The weight of what Windows says of itself, by the first sentence: the rest explains what there may be as well.
pub(super) fn of_windows(message: &str) -> u8 {
    let text = beginning(message);
    let sentence = text.split(['.', '\r', '\n']).next().unwrap_or_default();
    let is_account = sentence.contains("user account was")
        && has(sentence, &["was created", "was enabled", "was deleted"]);
    let is_heard = is_account || is_grave(sentence) || is_policy_changed(sentence);
    if is_heard || sentence.contains("audit log was cleared") { 8 } else { 3 }
}

/// Whether a message in lower case says that all is well again.
pub(super) fn is_recovery(text: &str) -> bool {
    has(text, &["normal operation", "back to normal", "recovered", "restored"])
}

/// The weight of an error that a web server has with what a client asks of it; None for any other.
pub(super) fn of_web_error(message: &str, has_client: bool) -> Option<u8> {
    let text = beginning(message);
    let is_harm = || is_grave(&text) || has(&text, &REFUSED) || has(&text, &["fatal", "error:", "warning:"]);
    (has(&text, &OF_CLIENT) || (has_client && !is_harm())).then_some(2)
}

/// Whether an action is that of a firewall that lets something not through.
pub(super) fn is_refusal(action: &str) -> bool {
    const REFUSALS: [&str; 5] = ["drop", "deny", "reject", "block", "reset"];
    let action = action.to_ascii_lowercase();
    REFUSALS.iter().any(|refusal| action.starts_with(refusal))
}

/// The weight of what a guard made of what it saw; None where that is nothing, or where words of its message weigh more.
pub(super) fn of_verdict(verdict: &str) -> Option<u8> {
    let verdict = verdict.to_ascii_lowercase();
    ["detect", "clean", "spam", "suspicious"].iter().any(|word| verdict.starts_with(word)).then_some(3)
}

/// What switches something off.
const OFF: [&str; 2] = ["disable", "stoplogging"];
/// What takes away, or turns over.
const TAKES: [&str; 12] = [
    "destroy",
    "delete",
    "remove",
    "revoke",
    "purge",
    "archive",
    "promote",
    "demote",
    "decline",
    "publish",
    "quarantine",
    "malware",
];
/// What secrets, rights, defences and money are called.
const DEAR: [&str; 17] = [
    "secret",
    "permission",
    "credential",
    "oauth",
    "protection",
    "security",
    "access",
    "billing",
    "payment",
    "plan_change",
    "two_factor",
    "saml",
    "sso",
    "terms_of",
    "parent_team",
    "vulnerability",
    "advisory",
];
/// What adds to what is there.
const GIVES: [&str; 6] = ["create", "add_", "enable", "transfer", "invite", "new_"];
/// What people write, and what is made anew with little work.
const LITTLE: [&str; 10] = [
    "comment",
    "review",
    "discussion",
    "post",
    "reply",
    "project.",
    "domain",
    "runner",
    "network",
    "container",
];

/// The weight of an action on record, by its name: what is done, and to what.
pub(super) fn of_action(action: &str) -> u8 {
    // What is taken out of the archive is given back, and a search for secrets is none.
    let action =
        action.to_ascii_lowercase().replace("unarchive", "restore").replace("secret_scanning", "scanning");
    let has = |words: &[&str]| has(&action, words);
    let is_little = has(&LITTLE) || action.ends_with('.');
    match () {
        () if has(&OFF) && is_little => 5,
        () if has(&OFF) => 12,
        () if has(&TAKES) && is_little => 5,
        () if has(&TAKES) => 7,
        () if has(&DEAR) && (is_little || (has(&GIVES) && !action.contains("_secret"))) => 5,
        () if has(&DEAR) => 7,
        () => 3,
    }
}

/// The weight of a request that a store of objects has on record: `REST.GET.OBJECT`. None for any other action.
pub(super) fn of_request(action: &str, is_refused: bool) -> Option<u8> {
    let mut parts = action.split('.');
    if !matches!(parts.next()?, "REST" | "SOAP" | "WEBSITE" | "BATCH") {
        return None;
    }
    Some(match parts.next()? {
        _ if is_refused => 5,
        "DELETE" => 3,
        _ => 2,
    })
}

/// The weight of a record, by the part of a suite that wrote it: who tells of threats tells of nothing else.
pub(super) fn of_workload(name: &str, operation: &str) -> u8 {
    let (name, operation) = (name.to_ascii_lowercase(), operation.to_ascii_lowercase());
    let has = |words: &[&str]| has(&name, words);
    match () {
        () if ["malware", "phish"].iter().any(|threat| operation.contains(threat)) => 12,
        () if has(&["threat", "malware", "phish"]) => 12,
        () if has(&["alert", "quarantine"]) => 8,
        () if has(&["security", "protection", "deleted", "compliance"]) => 5,
        () => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_messages_weigh() {
        for (message, expected) in [
            ("SYN flood from 192.0.2.7", Some(8)),
            ("User ann locked out", Some(8)),
            ("Connection to 192.0.2.7 refused", Some(5)),
            ("Read error: Connection reset by peer", Some(5)),
            ("Session opened", None),
            ("Sent malformed header", Some(5)),
            ("Policy 7 was modified by ann", Some(8)),
            ("The policy is read at 10 o'clock", None),
            ("Screen unlocked by ann", Some(3)),
            ("login page rendered in 3 ms", None),
            ("pop3-login: Disconnected", Some(3)),
            ("Session 7 created, uid 501", Some(3)),
            ("Session c2 has ended.", Some(3)),
            ("Started TLS on session 7", None),
            ("Integrity checksum changed for /etc/hosts", Some(8)),
            ("eth0 entered promiscuous mode", Some(8)),
            ("Group \"shop\" was removed", Some(3)),
        ] {
            assert_eq!(of_message(message), expected, "{message}");
        }
    }

    #[test]
    fn errors_with_what_a_client_asks_for_are_the_clients() {
        for (message, has_client, expected) in [
            ("File does not exist: /srv/www/a.png", true, Some(2)),
            ("open() \"/srv/www/a\" is not found (2: No such file or directory)", false, Some(2)),
            ("Notice: Undefined index", true, Some(2)),
            ("Notice: Undefined index", false, None),
            ("Client sent malformed Host header", true, None),
            ("client denied by server configuration: /srv/www", true, None),
            ("Directory index forbidden by rule: /srv/www", true, None),
            ("PHP Warning: no such key", true, None),
            ("PHP Fatal error: out of stack", true, None),
        ] {
            assert_eq!(of_web_error(message, has_client), expected, "{message}");
        }
    }

    #[test]
    fn windows_weighs_by_its_first_sentence() {
        for (message, expected) in [
            ("\"A user account was created.\r\n\r\nSubject:", 8),
            ("A user account was locked out.", 8),
            ("System audit policy was changed.", 8),
            ("The audit log was cleared.", 8),
            ("A service was installed. An attack may look so.", 3),
            ("A user account was changed.", 3),
        ] {
            assert_eq!(of_windows(message), expected, "{message}");
        }
    }

    #[test]
    fn requests_on_record_weigh_like_requests() {
        for (action, is_refused, expected) in [
            ("REST.GET.OBJECT", false, Some(2)),
            ("REST.PUT.OBJECT", false, Some(2)),
            ("REST.DELETE.OBJECT", false, Some(3)),
            ("REST.GET.OBJECT", true, Some(5)),
            ("repo.destroy", false, None),
        ] {
            assert_eq!(of_request(action, is_refused), expected, "{action}");
        }
    }

    #[test]
    fn actions_weigh_by_what_is_done_and_to_what() {
        for (action, expected) in [
            ("org.disable_two_factor_requirement", 12),
            ("repo.destroy", 7),
            ("team.promote_member", 7),
            ("org.update_actions_secret", 7),
            ("org.create_actions_secret", 7),
            ("oauth_application.create", 5),
            ("issue_comment.destroy", 5),
            ("team.create", 3),
            ("repo.unarchive", 3),
            ("repo.archive", 7),
            ("secret_scanning.enable", 3),
            ("secret_scanning.disable", 12),
            ("issue_comments.disable", 5),
            ("container destroy", 5),
            ("volume destroy", 7),
        ] {
            assert_eq!(of_action(action), expected, "{action}");
        }
        for (name, expected) in
            [("ThreatFeed", 12), ("EndpointAlerts", 8), ("SecurityCenter", 5), ("Mail", 3)]
        {
            assert_eq!(of_workload(name, ""), expected, "{name}");
        }
        assert_eq!(of_workload("Mail", "MalwareFound"), 12);
    }
}
