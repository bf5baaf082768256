//! What can be asked for.

/// A table, as a question sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name: lower-case letters, digits and `_`.
    pub name: &'static str,
    /// What a row is, in a few words.
    pub what: &'static str,
    /// In their order.
    pub columns: &'static [Column],
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name: lower-case letters, digits and `_`.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// What it says, with its unit.
    pub what: &'static str,
}

/// What the values of a column are. Each may also be nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text. Times are text too, in RFC 3339 and UTC, so that they sort and compare.
    Text,
    /// A whole number, 64 bits.
    Integer,
    /// A number.
    Real,
}

impl Kind {
    /// As SQL calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Integer => "INTEGER",
            Self::Real => "REAL",
        }
    }
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number. Truth is 1, untruth 0.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text.
    Text(String),
}

impl Value {
    /// Bytes that it takes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len() + 8,
            _ => 8,
        }
    }
}
