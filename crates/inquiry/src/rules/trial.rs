//! Tests that stand in the file of a rule: rows, and how many the answer must have.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

/// A test of a rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// What it shows.
    pub name: String,
    /// The time that it is.
    #[serde(default)]
    pub at: Option<String>,
    /// Rows of tables, by the names of their columns.
    #[serde(default)]
    pub tables: BTreeMap<String, Vec<BTreeMap<String, Json>>>,
    /// Rows that the answer must have.
    pub rows: usize,
}
