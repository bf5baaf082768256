//! How much the words weigh by which programs and records name what happened, where nothing else tells.

/// What a defence calls grave.
const GRAVE: [&str; 14] = [
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
];
/// What did not go as somebody wished.
const REFUSED: [&str; 14] = [
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
];

/// The weight of a message of ordinary level, by what it says went wrong.
pub(crate) fn of_message(message: &str) -> Option<u8> {
    const BYTES_MAX: usize = 512;
    let text = message[..message.floor_char_boundary(BYTES_MAX)].to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&GRAVE) {
        Some(8)
    } else if has(&REFUSED) {
        Some(5)
    } else {
        None
    }
}

/// Whether an action is that of a firewall that lets something not through.
pub(crate) fn is_refusal(action: &str) -> bool {
    const REFUSALS: [&str; 5] = ["drop", "deny", "reject", "block", "reset"];
    let action = action.to_ascii_lowercase();
    REFUSALS.iter().any(|refusal| action.starts_with(refusal))
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
const LITTLE: [&str; 9] =
    ["comment", "review", "discussion", "post", "reply", "project.", "domain", "runner", "network"];

/// The weight of an action on record, by its name: what is done, and to what.
pub(crate) fn of_action(action: &str) -> u8 {
    let action = action.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| action.contains(word));
    let is_little = has(&LITTLE) || action.ends_with('.');
    match () {
        () if has(&OFF) => 12,
        () if has(&TAKES) => {
            if is_little {
                5
            } else {
                7
            }
        }
        () if has(&DEAR) && (is_little || (has(&GIVES) && !action.contains("_secret"))) => 5,
        () if has(&DEAR) => 7,
        () => 3,
    }
}

/// The weight of a record, by the part of a suite that wrote it: who tells of threats tells of nothing else.
pub(crate) fn of_workload(name: &str) -> u8 {
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match () {
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
        ] {
            assert_eq!(of_message(message), expected, "{message}");
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
        ] {
            assert_eq!(of_action(action), expected, "{action}");
        }
        for (name, expected) in
            [("ThreatFeed", 12), ("EndpointAlerts", 8), ("SecurityCenter", 5), ("Mail", 3)]
        {
            assert_eq!(of_workload(name), expected, "{name}");
        }
    }
}
