//! What is not yet as it shall be. The list only shrinks.

/// Circles of files that still stand. A file in a circle that is not listed here fails the
/// test, and so does a circle that is listed and gone.
pub(crate) const CIRCLES: &[(&str, &[&str])] = &[("intake", &["tail/open.rs", "tail/position.rs"])];
