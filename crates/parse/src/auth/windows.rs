//! What the security log of Windows says of sign-ins, in whichever form its events come: XML, or a collector's JSON.

use event::{Event, Value};

use super::said;
use crate::names;

/// Adds what an event of the security log says.
pub(crate) fn read(event: &mut Event<'_>) {
    let Some(number) = number(event).filter(|_| is_of_security(event)) else { return };
    let text = |wanted: &str| {
        let is_named = |path: &str| {
            let name = path.rsplit('.').next().unwrap_or(path);
            names::folded(name, |name| (name == wanted).then_some(())).is_some()
        };
        let found = event.fields.iter().find(|each| is_named(&each.path))?;
        let text = match &found.value {
            Value::String(text) => text.to_string(),
            other => other.to_json().to_string(),
        };
        Some(text).filter(|text| !matches!(text.as_str(), "" | "-"))
    };
    let outcome = match number {
        // Services, batch jobs and screens that are unlocked are nobody who signs in.
        4624 if matches!(text("logontype").as_deref(), Some("2" | "3" | "8" | "10")) => "success",
        4625 | 4771 => "failure",
        4776 if !matches!(text("status").as_deref(), None | Some("0x0")) => "failure",
        4740 => "failure",
        _ => return,
    };
    let user = text("targetusername").filter(|name| !name.ends_with('$'));
    if number == 4624 && user.is_none() {
        return;
    }
    let address = text("ipaddress");
    if let Some(user) = user {
        event.set("user.name", user);
    }
    if let Some(address) = address {
        said::owned_socket(event, &address);
    }
    said::login(event, if number == 4740 { "account_locked" } else { "login" }, outcome);
}

/// The number of the event, where it is one of a sign-in.
fn number(event: &Event<'_>) -> Option<i64> {
    event.fields.iter().find_map(|each| {
        let end = each.path.as_bytes().last_chunk::<4>()?.map(|byte| byte | 0x20);
        // `EventID`, `event_id`, `event.code`; an underscore has the bit already.
        if !matches!(&end, b"ntid" | b"t\x7fid" | b"code") {
            return None;
        }
        let number = match &each.value {
            Value::Int(number) => *number,
            value => value.as_str()?.parse().ok()?,
        };
        matches!(number, 4624 | 4625 | 4740 | 4771 | 4776).then_some(number)
    })
}

fn is_of_security(event: &Event<'_>) -> bool {
    const PROVIDER: &str = "Microsoft-Windows-Security-Auditing";
    event.source.as_deref() == Some(PROVIDER)
        || event.source.as_deref() == Some("Security")
        || event.fields.iter().any(|each| {
            let name = each.path.rsplit('.').next().unwrap_or_default();
            let is_named = name.eq_ignore_ascii_case("channel")
                || name.eq_ignore_ascii_case("provider")
                || name.eq_ignore_ascii_case("providerName")
                || name.eq_ignore_ascii_case("provider_name");
            is_named && matches!(each.value.as_str(), Some("Security" | PROVIDER))
        })
}
