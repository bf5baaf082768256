//! Isolation forests (F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation Forest", ICDM 2008) with
//! splits on one column, or on two at once (after S. Hariri, M. Carrasco Kind, R. J. Brunner,
//! "Extended Isolation Forest", TKDE 2019).
//!
//! A row that few random splits separate from all others is strange. Its score is
//! 2^(-h / c), with h the mean depth at which it comes to stand alone and c the depth expected for
//! a sample of that size: near 1 for what is strange, below 1/2 for what is ordinary.
//!
//! - The same data, parameters and seed give the same forest, however many threads grow it.
//! - A missing value (NaN) counts as [`Missing`] says; infinite values are clamped to [`VALUE_MAX`].
//! - No split can ever be made on a column that is constant in training. Such columns are watched
//!   apart: a row that differs there has its depth divided.
//!
//! It must never know what a column means, and never change what a forest on disk says of a row.

mod attribute;
mod file;
mod grow;
mod score;

use linfa::{
    DatasetBase, Float, ParamGuard,
    traits::{Fit, PredictInplace},
};
use ndarray::{Array1, ArrayBase, Data, Ix2};

use grow::Sample;

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

/// Which hyperplanes split the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Splits {
    /// One column against a threshold.
    Axis = 0,
    /// A weighted sum of two columns against a threshold.
    TwoColumns = 1,
}

/// What a missing value (NaN) counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Missing {
    /// As the column's median in training.
    Median = 0,
    /// As something far above all values seen: strange unless values were missing in training too.
    Strange = 1,
}

/// Why a forest cannot be grown.
#[derive(Debug, thiserror::Error)]
pub enum ForestError {
    /// A parameter is outside its range.
    #[error("{parameter} of an isolation forest must lie in {range}")]
    Parameter {
        /// Which.
        parameter: &'static str,
        /// What is allowed.
        range: &'static str,
    },
    /// Too few rows, or no column, or too many.
    #[error(
        "an isolation forest needs at least 2 rows and 1 to {COLUMNS_MAX} columns; there are {rows} rows and {columns} columns"
    )]
    Shape {
        /// Rows given.
        rows: usize,
        /// Columns given.
        columns: usize,
    },
    /// No thread could be started.
    #[error("cannot start a thread to grow trees")]
    Thread(#[source] std::io::Error),
    /// From linfa.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

/// Checked parameters of a forest.
#[derive(Debug, Clone)]
pub struct ValidParams {
    trees: usize,
    sample: usize,
    splits: Splits,
    guided: f32,
    missing: Missing,
    threads: usize,
    seed: u64,
}

/// Parameters of a forest: by default 100 trees on samples of 256 rows with two-column splits.
#[derive(Debug, Clone)]
pub struct Params(ValidParams);

impl Default for Params {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Params {
    /// The defaults with this seed.
    pub fn new(seed: u64) -> Self {
        Self(ValidParams {
            trees: 100,
            sample: LEAVES,
            splits: Splits::TwoColumns,
            guided: 0.0,
            missing: Missing::Median,
            threads: 1,
            seed,
        })
    }

    /// Number of trees, 1 to 10,000.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.0.trees = trees;
        self
    }

    /// Rows a tree is grown from, 2 to 256; fewer when there are fewer.
    #[must_use]
    pub fn sample(mut self, sample: usize) -> Self {
        self.0.sample = sample;
        self
    }

    /// Kind of splits.
    #[must_use]
    pub fn splits(mut self, splits: Splits) -> Self {
        self.0.splits = splits;
        self
    }

    /// Share of the splits, 0 to 1, taken as the best of ten random ones by pooled gain, the
    /// relative drop of the standard deviation along the split's direction.
    #[must_use]
    pub fn guided(mut self, guided: f32) -> Self {
        self.0.guided = guided;
        self
    }

    /// What a missing value counts as.
    #[must_use]
    pub fn missing(mut self, missing: Missing) -> Self {
        self.0.missing = missing;
        self
    }

    /// Threads that grow trees, 1 to 256. The result is the same for any number.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.0.threads = threads;
        self
    }
}

impl ParamGuard for Params {
    type Checked = ValidParams;
    type Error = ForestError;

    fn check_ref(&self) -> Result<&ValidParams, ForestError> {
        let parameter = |parameter, range| Err(ForestError::Parameter { parameter, range });
        match &self.0 {
            p if !(1..=TREES_MAX).contains(&p.trees) => parameter("the number of trees", "1 to 10,000"),
            p if !(2..=LEAVES).contains(&p.sample) => parameter("the sample size", "2 to 256"),
            p if !(0.0..=1.0).contains(&p.guided) => parameter("the share of guided splits", "0 to 1"),
            p if !(1..=256).contains(&p.threads) => parameter("the number of threads", "1 to 256"),
            p => Ok(p),
        }
    }

    fn check(self) -> Result<ValidParams, ForestError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

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

impl<F: Float, D: Data<Elem = F>, T> Fit<ArrayBase<D, Ix2>, T, ForestError> for ValidParams {
    type Object = Forest;

    /// Grows a forest from all rows.
    ///
    /// # Errors
    /// With fewer than two rows, no column, or more than [`COLUMNS_MAX`]; when no thread starts.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Forest, ForestError> {
        let records = &dataset.records;
        let (rows, columns) = records.dim();
        let mut values = Vec::with_capacity(rows * columns);
        for row in records.rows() {
            values.extend(row.iter().map(|value| f32::cast(*value)));
        }
        self.grow(&mut values, rows, columns)
    }
}

impl ValidParams {
    /// Grows a forest from row-major values, which are cleaned in place.
    ///
    /// # Errors
    /// With fewer than two rows, no column, or more than [`COLUMNS_MAX`]; when no thread starts.
    pub fn grow(&self, values: &mut [f32], rows: usize, columns: usize) -> Result<Forest, ForestError> {
        if rows < 2 || columns == 0 || columns > COLUMNS_MAX {
            return Err(ForestError::Shape { rows, columns });
        }
        let described = grow::describe(values, columns, self.missing);
        score::clean(values, &described);
        let sample = Sample { values, columns, rows, size: self.sample.min(rows) };
        let trees = match self.splits {
            Splits::Axis => Trees::Axis(grow::grow(self, &sample, grow::axis_tree)?),
            Splits::TwoColumns => Trees::TwoColumns(grow::grow(self, &sample, grow::two_column_tree)?),
        };
        Ok(Forest { columns: described, expected: grow::expected_depth(sample.size), trees })
    }
}

impl<F: Float, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<f32>> for Forest {
    /// Scores in (0, 1], one a row. Columns past those of the training are ignored, missing ones
    /// count as missing values.
    fn predict_inplace<'a>(&'a self, x: &'a ArrayBase<D, Ix2>, y: &mut Array1<f32>) {
        let columns = self.columns();
        let mut values = Vec::with_capacity(x.nrows() * columns);
        for row in x.rows() {
            values.extend(row.iter().take(columns).map(|value| f32::cast(*value)));
            values.extend(std::iter::repeat_n(f32::NAN, columns.saturating_sub(row.len())));
        }
        *y = Array1::from(self.score_rows(&mut values));
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<f32> {
        Array1::zeros(x.nrows())
    }
}

#[cfg(test)]
mod tests;
