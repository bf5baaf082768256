//! Whom or what something is about.

use serde::{Deserialize, Serialize};

/// What kind of thing an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EntityType {
    /// An address from which something was done.
    #[serde(rename = "source.ip")]
    SourceIp,
    /// Who did it, or to whom it was done.
    #[serde(rename = "user")]
    User,
    /// The machine.
    #[serde(rename = "host")]
    Host,
    /// The service or program.
    #[serde(rename = "service")]
    Service,
    /// A process.
    #[serde(rename = "process")]
    Process,
    /// A template of messages.
    #[serde(rename = "template")]
    Template,
}

impl EntityType {
    /// The name of the type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SourceIp => "source.ip",
            Self::User => "user",
            Self::Host => "host",
            Self::Service => "service",
            Self::Process => "process",
            Self::Template => "template",
        }
    }
}

/// Whom or what a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entity {
    /// What kind of thing it is.
    pub r#type: EntityType,
    /// Its name or address, as text of at most [`Entity::BYTES_MAX`].
    pub value: String,
}

impl Entity {
    /// Longer names are cut.
    pub const BYTES_MAX: usize = 256;

    /// An entity of this type.
    pub fn new(r#type: EntityType, value: impl Into<String>) -> Self {
        let mut value = value.into();
        value.truncate(value.floor_char_boundary(Self::BYTES_MAX));
        Self { r#type, value }
    }

    /// Whether it is meant by a value, or by `type:value` such as `source.ip:203.0.113.7`.
    pub fn is(&self, wanted: &str) -> bool {
        let rest = wanted.strip_prefix(self.r#type.as_str()).and_then(|rest| rest.strip_prefix(':'));
        self.value == wanted || rest == Some(&self.value)
    }
}
