// What is done with each input of the fuzz target `settings`; an ordinary test does the same.

use std::{collections::BTreeMap, path::Path};

use crate::settings::{SETTINGS, Settings, Sources, dot_env, sources::parse_file};

const SECRET: &str = "zQ7hunterX";

/// What the program says of a `.env` and of a settings file.
fn said(env: &[u8], yaml: &str) -> String {
    let mut told = String::new();
    let mut tell = |read: Result<BTreeMap<String, String>, String>| {
        read.inspect_err(|problem| told.push_str(problem)).unwrap_or_default()
    };
    let (dot_env, path) = (tell(dot_env::parse(env)), Path::new("log-sentinel.yaml"));
    let file = Some((path.to_owned(), tell(parse_file(path, yaml))));
    let sources = Sources { dot_env, file, ..Sources::default() };
    let checked = Settings::check(&sources.resolve()).map(|settings| format!("{settings:?}"));
    let checked = checked.unwrap_or_else(|error| error.to_string());
    [told, checked, sources.without_effect().concat()].concat()
}

/// Reads bytes as `.env` and as YAML; then the text in them around the value of a secret, and around a password in an
/// address: what is said never repeats it.
pub(crate) fn settings(bytes: &[u8]) {
    said(bytes, &String::from_utf8_lossy(bytes));
    let [which, bytes @ ..] = bytes else { return };
    let text = String::from_utf8_lossy(bytes).replace(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'], " ");
    let (before, after) = text.split_once('\0').unwrap_or((&text, ""));
    let holds_addresses = |name: &str| ["_ADDR", "_URL", "_HOSTS"].iter().any(|end| name.ends_with(end));
    let mut concerned =
        SETTINGS.iter().filter(|setting| setting.secret || holds_addresses(setting.name)).cycle();
    let Some(setting) = concerned.nth(usize::from(*which)) else { return };
    let value = match setting.secret {
        true => format!("{before}{SECRET}{after}"),
        false => format!("http://user:{before}{SECRET}{after}@host:9200"),
    };
    let quoted = format!("'{}'", value.replace('\'', "''"));
    // Without quotes a comment would cut the address in the middle of its password, and leave what may be a host.
    for value in [value.replace('#', ""), quoted] {
        let told = said(
            format!("{}={value}\nA=1\n", setting.name).as_bytes(),
            &format!("{}: {value}\n", setting.key()),
        );
        assert!(!told.contains(SECRET), "{value}: {told}");
    }
}
