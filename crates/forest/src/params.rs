//! How a forest is grown.

use linfa::ParamGuard;

use crate::tree::{COLUMNS_MAX, LEAVES, TREES_MAX};

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
    pub(crate) trees: usize,
    pub(crate) sample: usize,
    pub(crate) splits: Splits,
    pub(crate) guided: f32,
    pub(crate) missing: Missing,
    pub(crate) threads: usize,
    pub(crate) seed: u64,
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
