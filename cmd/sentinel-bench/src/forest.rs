//! `forest`: scores of rows by a forest trained on other rows.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use forest::Params;
use linfa::{DatasetBase, traits::Fit};
use ndarray::Array2;

use crate::lines;

/// Heavier than what scores the stream: more trees, and half of the splits guided by gain.
const TREES: usize = 300;
/// Share of the splits that are the best of some tries instead of random.
const GUIDED: f32 = 0.5;

pub(crate) fn run(train: &Path, score: &Path, out: &Path, seed: u64) -> Result<()> {
    let (train, rows) = (read(train)?, read(score)?);
    ensure!(
        train.ncols() == rows.ncols(),
        "{} columns to train on, {} to score",
        train.ncols(),
        rows.ncols()
    );
    let forest = Params::new(seed).trees(TREES).guided(GUIDED).fit(&DatasetBase::from(train))?;
    let mut out =
        BufWriter::new(File::create(out).with_context(|| format!("cannot write {}", out.display()))?);
    for score in forest.score_rows(&mut rows.into_raw_vec_and_offset().0) {
        writeln!(out, "{score}")?;
    }
    out.flush()?;
    Ok(())
}

/// Every column is a feature; a first row that is not numeric is a header; what is no number is missing.
fn read(file: &Path) -> Result<Array2<f32>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(lines::open(file)?);
    let (mut values, mut columns, mut first) = (vec![], 0, true);
    for record in reader.records() {
        let record = record?;
        let header =
            std::mem::take(&mut first) && record.iter().any(|cell| cell.trim().parse::<f32>().is_err());
        columns = record.len();
        if !header {
            values.extend(record.iter().map(|cell| cell.trim().parse().unwrap_or(f32::NAN)));
        }
    }
    ensure!(columns > 0, "{} is empty", file.display());
    Ok(Array2::from_shape_vec((values.len() / columns, columns), values)?)
}
