//! How much weighs the text of a script that PowerShell has on record.

use event::Event;

/// Calls by which a script puts code into memory and runs it, or takes what people write and keep. In lower case.
const CALLS: &[&str] = &[
    "createthread(",
    "createremotethread",
    "virtualalloc",
    "writeprocessmemory",
    "queueuserapc",
    "getdelegateforfunctionpointer",
    "minidumpwritedump",
    "getasynckeystate",
    "frombase64string",
    "downloadstring",
    "interop.outlook",
    "mimikatz",
    "sekurlsa",
];

/// The weight of a script; None for an event that has none.
pub(super) fn weight(event: &Event<'_>) -> Option<u8> {
    let text = event.fields.iter().find_map(|field| {
        let is_script = field.path.rsplit('.').next()?.eq_ignore_ascii_case("scriptBlockText");
        field.value.as_str().filter(|_| is_script)
    })?;
    let text = text.to_ascii_lowercase();
    Some(if CALLS.iter().any(|call| text.contains(call)) { 8 } else { 3 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Timestamp;

    #[test]
    fn scripts_weigh_by_what_they_call() {
        for (text, expected) in [
            ("$api::VirtualAlloc(0, $size, 0x3000, 0x40)", 8),
            ("(New-Object Net.WebClient).DownloadString('https://files.example.org/a')", 8),
            ("Get-Process | Sort-Object CPU", 3),
        ] {
            let mut event = Event::new("", Timestamp::MIN);
            event.set("labels.win.eventdata.scriptBlockText", text);
            assert_eq!(weight(&event), Some(expected), "{text}");
        }
        assert_eq!(weight(&Event::new("VirtualAlloc", Timestamp::MIN)), None);
    }
}
