//! What packet filters say: netfilter with or without ufw or firewalld, and pf through filterlog.

use event::Event;

use super::said;

/// Adds what the kernel says of a packet: `[UFW BLOCK] IN=eth0 OUT= MAC=… SRC=192.0.2.7 DST=… PROTO=TCP SPT=… DPT=22 …`.
pub(super) fn netfilter<'a>(event: &mut Event<'a>, message: &'a str) {
    let Some(at) = message.find("IN=").filter(|at| *at < 80) else { return };
    let (prefix, fields) = message.split_at(at);
    if !fields.contains(" SRC=") {
        return;
    }
    for word in fields.split(' ') {
        match word.split_once('=') {
            Some(("SRC", address)) => said::source(event, address),
            Some(("DST", address)) if address.parse::<std::net::IpAddr>().is_ok() => {
                event.set("destination.ip", address);
            }
            Some(("SPT", number)) => said::port(event, number),
            Some(("DPT", number)) => {
                if let Ok(port) = number.parse::<u16>() {
                    event.set("destination.port", i64::from(port));
                }
            }
            Some(("PROTO", name)) => event.set("network.transport", name.to_ascii_lowercase()),
            _ => {}
        }
    }
    // What was done with the packet is only in the words of whoever wrote the rule.
    let is_said = |words: [&str; 4]| words.iter().any(|word| prefix.to_ascii_uppercase().contains(word));
    if is_said(["BLOCK", "DROP", "DENY", "REJECT"]) {
        denied(event);
    } else if is_said(["ALLOW", "ACCEPT", "AUDIT", "PASS"]) {
        event.set("event.category", said::list("[\"network\"]"));
        event.set("event.type", said::list("[\"allowed\"]"));
        event.set("event.outcome", "success");
    }
}

fn denied(event: &mut Event<'_>) {
    event.set("event.category", said::list("[\"network\"]"));
    event.set("event.type", said::list("[\"denied\"]"));
    event.set("event.action", "packet_denied");
    event.set("event.outcome", "failure");
}

/// Adds what filterlog of pfSense and OPNsense says: values between commas, as their documentation lists them.
pub(super) fn filterlog<'a>(event: &mut Event<'a>, message: &'a str) {
    const COLUMNS_MAX: usize = 32;
    let columns: Vec<&str> = message.split(',').take(COLUMNS_MAX).collect();
    let [_, _, _, _, _, _, what, _, version, ..] = columns.as_slice() else { return };
    // The header of IPv4 is longer than that of IPv6.
    let (transport, from, to) = match *version {
        "4" => (16, 18, 19),
        "6" => (12, 15, 16),
        _ => return,
    };
    let column = |number: usize| columns.get(number).copied().filter(|text| !text.is_empty());
    if let Some(name) = column(transport) {
        event.set("network.transport", name.to_ascii_lowercase());
    }
    if let Some(address) = column(from) {
        said::source(event, address);
    }
    if let Some(address) = column(to).filter(|address| address.parse::<std::net::IpAddr>().is_ok()) {
        event.set("destination.ip", address);
    }
    if let Some(number) = column(to + 1) {
        said::port(event, number);
    }
    if let Some(port) = column(to + 2).and_then(|number| number.parse::<u16>().ok()) {
        event.set("destination.port", i64::from(port));
    }
    match *what {
        "block" => denied(event),
        "pass" => {
            event.set("event.category", said::list("[\"network\"]"));
            event.set("event.type", said::list("[\"allowed\"]"));
            event.set("event.outcome", "success");
        }
        _ => {}
    }
}
