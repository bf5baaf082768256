//! Chance, hashes, logarithms and medians that come out the same on every machine, in every process and in every
//! version.
//!
//! Models and samples are drawn by this chance, files on disk hold these hashes, and verdicts are made with
//! these logarithms: two machines that read the same stream judge it alike. So nothing here may ever give
//! another result than it gave before.

mod logarithm;
mod middle;
mod random;

pub use logarithm::{log2, log10};
pub use middle::{median, median_and_deviation};
pub use random::{Random, hash, mix};
