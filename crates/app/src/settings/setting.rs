//! What is told of a setting.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// Its name in the environment and in `.env`.
    pub name: &'static str,
    /// Its default as text; empty means unset. `{state}` stands for the state directory of the user.
    pub default: &'static str,
    /// What it does, in a sentence or two.
    pub help: &'static str,
    /// Whether its value must never be shown. A secret can also be given as a file by `NAME_FILE`.
    pub secret: bool,
}

impl Setting {
    /// Its name in `log-sentinel.yaml`: lower case, without the common prefix.
    pub(crate) fn key(&self) -> String {
        self.name.strip_prefix("LOG_SENTINEL_").unwrap_or(self.name).to_ascii_lowercase()
    }

    /// Its flag, without the dashes.
    pub(crate) fn flag(&self) -> String {
        self.key().replace('_', "-")
    }
}

pub(super) const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, default, help, secret: false }
}

pub(super) const fn secret(name: &'static str, help: &'static str) -> Setting {
    Setting { name, default: "", help, secret: true }
}
