//! What a forest consists of.

/// Levels of splits in a tree. A tree has 2^8 leaves, so samples are of 256 rows at most.
pub(crate) const DEPTH: usize = 8;
/// Nodes at the lowest level; also the room for the nodes above, which are numbered from 1.
pub(crate) const LEAVES: usize = 1 << DEPTH;
/// Most columns of a data set.
pub const COLUMNS_MAX: usize = 1024;
/// Most trees of a forest.
pub const TREES_MAX: usize = 10_000;
/// Values are clamped to this magnitude, so that sums of two products stay finite.
pub const VALUE_MAX: f32 = 1e15;

/// A split on one column for each inner node, and the depths of the leaves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AxisTree {
    pub(crate) thresholds: [f32; LEAVES],
    pub(crate) columns: [u16; LEAVES],
    pub(crate) depths: [f32; LEAVES],
}

/// A split on `first + weight * second` for each inner node, and the depths of the leaves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TwoColumnTree {
    pub(crate) thresholds: [f32; LEAVES],
    pub(crate) weights: [f32; LEAVES],
    pub(crate) firsts: [u16; LEAVES],
    pub(crate) seconds: [u16; LEAVES],
    pub(crate) depths: [f32; LEAVES],
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trees {
    Axis(Vec<AxisTree>),
    TwoColumns(Vec<TwoColumnTree>),
}

/// What training saw of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Column {
    /// What a missing value is replaced by.
    pub(crate) missing: f32,
    /// The value of a column that was constant.
    pub(crate) constant: Option<f32>,
}

/// A grown forest.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    pub(crate) columns: Vec<Column>,
    /// Expected depth for a sample of the size used, c(n).
    pub(crate) expected: f32,
    pub(crate) trees: Trees,
}

impl Forest {
    /// Columns a row must have.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Number of trees.
    pub fn trees(&self) -> usize {
        match &self.trees {
            Trees::Axis(trees) => trees.len(),
            Trees::TwoColumns(trees) => trees.len(),
        }
    }
}
