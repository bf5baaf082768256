//! The effective settings as they may be told: secrets told apart and never shown.

use std::collections::BTreeMap;

use super::{
    secret::Secret,
    setting::Setting,
    sources::{Origin, Values},
    table::SETTINGS,
    value::masked,
};

/// A setting's value as it may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// As it is, passwords in addresses masked.
    Text(String),
    /// Not at all.
    Secret(Secret),
}

/// What is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective {
    pub value: Told,
    /// Nobody set it.
    pub is_default: bool,
}

/// The effective value of every setting that has one, by its name.
pub(crate) fn told(values: &Values) -> BTreeMap<&'static str, Effective> {
    let told = |setting: &Setting| {
        let value = values.values.get(setting.name)?;
        let is_default = value.origin == Origin::Default;
        let value = match setting.secret {
            true => Told::Secret(Secret(value.text.clone())),
            false => Told::Text(shown(setting, &value.text)),
        };
        Some((setting.name, Effective { value, is_default }))
    };
    SETTINGS.iter().filter_map(told).collect()
}

/// What may be shown of a value.
pub(crate) fn shown(setting: &Setting, text: &str) -> String {
    match setting {
        Setting { secret: true, .. } => "********".to_owned(),
        setting if is_address(setting.name) => masked(text),
        _ => text.to_owned(),
    }
}

/// Whether a setting holds addresses, in which people write passwords.
fn is_address(name: &str) -> bool {
    ["_ADDR", "_URL", "_HOSTS"].iter().any(|end| name.ends_with(end))
}
