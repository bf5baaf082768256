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
    pub origin: Origin,
}

impl Effective {
    /// Nobody set it.
    pub(crate) fn is_default(&self) -> bool {
        self.origin == Origin::Default
    }

    /// Its value as people may see it.
    pub(crate) fn shown(&self) -> &str {
        match &self.value {
            Told::Text(text) => text,
            Told::Secret(_) => "********",
        }
    }
}

/// The effective value of every setting that has one, by its name.
pub(crate) fn told(values: &Values) -> BTreeMap<&'static str, Effective> {
    let told = |setting: &Setting| {
        let value = values.values.get(setting.name)?;
        let origin = value.origin.clone();
        let value = match setting.secret {
            true => Told::Secret(Secret(value.text.clone())),
            false if is_address(setting.name) => Told::Text(masked(&value.text)),
            false => Told::Text(value.text.clone()),
        };
        Some((setting.name, Effective { value, origin }))
    };
    SETTINGS.iter().filter_map(told).collect()
}

/// Whether a setting holds addresses, in which people write passwords.
fn is_address(name: &str) -> bool {
    ["_ADDR", "_URL", "_HOSTS"].iter().any(|end| name.ends_with(end))
}
