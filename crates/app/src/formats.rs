//! Formats of the user's own: the file that `LOG_SENTINEL_FORMATS_FILE` names.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use parse::{Definition, FormatError, Formats};
use serde::Deserialize;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FormatsError {
    /// It cannot be read.
    #[error("LOG_SENTINEL_FORMATS_FILE: cannot read {}", crate::wording::name(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no YAML with formats in it.
    #[error(
        "LOG_SENTINEL_FORMATS_FILE: {} is no list of formats (`formats:` with `- name:` and `pattern:` below it)",
        crate::wording::name(path)
    )]
    Yaml {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong there.
        source: serde_yaml_ng::Error,
    },
    /// One of them is wrong.
    #[error("LOG_SENTINEL_FORMATS_FILE: {}", crate::wording::name(path))]
    Format {
        /// The file.
        path: PathBuf,
        /// Which, and what is wrong with it.
        source: FormatError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    formats: Vec<Definition>,
}

/// The formats of a file, checked; none without a file.
///
/// # Errors
/// When the file cannot be used.
pub(crate) fn load(path: Option<&Path>) -> Result<Arc<Formats>, FormatsError> {
    let Some(path) = path else { return Ok(Arc::default()) };
    let named = || path.to_owned();
    let text =
        std::fs::read_to_string(path).map_err(|source| FormatsError::Read { path: named(), source })?;
    let file: File =
        serde_yaml_ng::from_str(&text).map_err(|source| FormatsError::Yaml { path: named(), source })?;
    let formats = Formats::new(file.formats, intake::system_clock());
    Ok(Arc::new(formats.map_err(|source| FormatsError::Format { path: named(), source })?))
}

/// How lines come in, with the formats of one's own.
///
/// # Errors
/// As [`load`].
pub(crate) fn door(settings: &crate::Settings) -> Result<intake::Config, FormatsError> {
    let formats = load(settings.intake.formats_file.as_deref())?;
    Ok(intake::Config { formats, ..settings.intake.door.clone() })
}
