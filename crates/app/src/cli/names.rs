//! Other names of the program.

use std::{ffi::OsString, path::Path};

/// The arguments as the program's own name takes them: `sentinelagent` is `log-sentinel agent` where no command is named, and `sentinelcli`
/// without arguments says what there is instead of beginning to serve.
#[must_use]
pub fn by_name(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let called = arguments.first().and_then(|name| Path::new(name).file_stem()?.to_str().map(str::to_owned));
    let names_none = |first: Option<&OsString>| {
        first.is_none_or(|first| {
            first.to_str().is_some_and(|first| first.starts_with('-') && first != "--version")
        })
    };
    match called.as_deref() {
        Some("sentinelagent") if names_none(arguments.get(1)) => arguments.insert(1, "agent".into()),
        Some("sentinelcli") if arguments.len() == 1 => arguments.push("--help".into()),
        _ => {}
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_are_other_beginnings() {
        for (line, expected) in [
            ("log-sentinel", "log-sentinel"),
            ("/usr/bin/sentinelagent", "/usr/bin/sentinelagent agent"),
            ("sentinelagent --config x.yaml", "sentinelagent agent --config x.yaml"),
            ("sentinelagent --version", "sentinelagent --version"),
            ("sentinelagent query x", "sentinelagent query x"),
            ("sentinelcli", "sentinelcli --help"),
            ("./sentinelcli query --tables", "./sentinelcli query --tables"),
        ] {
            let told = by_name(line.split(' ').map(OsString::from).collect());
            assert_eq!(told, expected.split(' ').map(OsString::from).collect::<Vec<_>>(), "{line}");
        }
    }
}
