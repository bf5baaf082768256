//! How much weighs what a network device says behind the mnemonic of its message.

use super::words;

/// The weight of `%ASA-4-106023: …`; None for any other message. Severities go from 0 to 7. Those up to 2 are alerts where
/// something failed or was denied. Those from 5 on are the everyday of a device: of these only who rules it, and what was
/// done with that, is told.
pub(super) fn weight(message: &str) -> Option<u8> {
    let (_, rest) = message.strip_prefix('%')?.split_once('-')?;
    let severity = match rest.as_bytes() {
        [digit @ b'0'..=b'7', b'-', ..] => digit - b'0',
        _ => return None,
    };
    let text = words::beginning(rest);
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let by_severity = match severity {
        0..=2 if words::is_recovery(&text) => 3,
        0..=2 if has(&["deny ", "denied", "fail", "lost", " down", "attack", "spoof", "exhaust"]) => 8,
        0..=2 => 6,
        3 => 5,
        4 => 4,
        _ => 2,
    };
    let is_user = has(&["user ", "user'"]);
    let by_words = match () {
        () if words::is_grave(&text) || has(&["arp response collision"]) => 8,
        () if is_user && has(&[" added to ", " deleted from ", "privilege level changed"]) => 8,
        () if has(&["erase configuration", "begin configuration", "end configuration"]) => 8,
        () if has(&["login denied", "password incorrect", "authentication rejected"]) => 5,
        () if has(&["login permitted", "configured from"]) => 3,
        () if is_user && has(&["executed", "successful"]) => 3,
        () => 0,
    };
    Some(by_severity.max(by_words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_weigh_by_severity_and_by_who_rules_them() {
        for (message, expected) in [
            ("%ASA-1-105009: Testing failed", Some(8)),
            ("%ASA-1-700000: Number of flows has reached its limit", Some(6)),
            ("%ASA-1-105009: Module x, back to normal", Some(3)),
            ("%ASA-4-106023: Deny tcp", Some(4)),
            ("%SYS-5-CONFIG_I: x", Some(2)),
            ("%XY-6-700001: User ann locked out", Some(8)),
            ("%XY-5-700002: New user added to the list: ann", Some(8)),
            ("%XY-5-700005: 192.0.2.7 begin configuration: writing to memory", Some(8)),
            ("%XY-5-CONFIG_I: Configured from console by ann", Some(3)),
            ("%XY-5-700003: User 'ann' executed 'show clock'", Some(3)),
            ("%XY-6-700004: Login denied from 192.0.2.7", Some(5)),
            ("%ASA-x", None),
            ("plain", None),
        ] {
            assert_eq!(weight(message), expected, "{message}");
        }
    }
}
