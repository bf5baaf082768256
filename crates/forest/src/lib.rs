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
mod params;
mod score;
#[cfg(test)]
mod tests;
mod tree;

pub use params::{ForestError, Missing, Params, Splits, ValidParams};
pub use tree::{COLUMNS_MAX, Forest, TREES_MAX, VALUE_MAX};
