//! Growing trees.

use arithmetic::Random;
use linfa::{DatasetBase, Float, traits::Fit};
use ndarray::{ArrayBase, Data, Ix2};

use crate::{
    params::{ForestError, Missing, Splits, ValidParams},
    score::clean,
    tree::{AxisTree, COLUMNS_MAX, Column, DEPTH, Forest, LEAVES, Trees, TwoColumnTree, VALUE_MAX},
};

/// The share of random splits tried for a guided one.
const TRIES: usize = 10;

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
        let described = describe(values, columns, self.missing);
        clean(values, &described);
        let sample = Sample { values, columns, rows, size: self.sample.min(rows) };
        let trees = match self.splits {
            Splits::Axis => Trees::Axis(grow(self, &sample, axis_tree)?),
            Splits::TwoColumns => Trees::TwoColumns(grow(self, &sample, two_column_tree)?),
        };
        Ok(Forest { columns: described, expected: expected_depth(sample.size), trees })
    }
}

/// Cleaned training data, row-major, and how much of it a tree sees.
struct Sample<'a> {
    values: &'a [f32],
    columns: usize,
    rows: usize,
    size: usize,
}

/// Mean depth of an unsuccessful search in a binary search tree of n keys (Liu et al., equation 1).
fn expected_depth(n: usize) -> f32 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        n => {
            let n = n as f64;
            (2.0 * ((n - 1.0).ln() + EULER) - 2.0 * (n - 1.0) / n) as f32
        }
    }
}

/// What training saw of each column. The median is of at most 1,001 evenly spread rows.
fn describe(values: &[f32], columns: usize, missing: Missing) -> Vec<Column> {
    let rows = values.len() / columns;
    let step = rows.div_ceil(1001).max(1);
    let mut seen = Vec::with_capacity(1001);
    let column = |column: usize| {
        let all = || values.iter().skip(column).step_by(columns).filter(|value| !value.is_nan());
        let bounded = |value: &f32| value.clamp(-VALUE_MAX, VALUE_MAX);
        let (low, high) = all()
            .map(bounded)
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return Column { missing: 0.0, constant: Some(0.0) };
        }
        seen.clear();
        seen.extend(
            (0..rows).step_by(step).map(|row| values[row * columns + column]).filter(|v| !v.is_nan()),
        );
        seen.sort_unstable_by(f32::total_cmp);
        let median = seen.get(seen.len() / 2).map_or(low, bounded);
        let missing = match missing {
            Missing::Median => median,
            Missing::Strange => {
                (high + 2.0 * (high - low).max(high.abs()).max(1.0)).clamp(-VALUE_MAX, VALUE_MAX)
            }
        };
        let any_missing = values.iter().skip(column).step_by(columns).any(|value| value.is_nan());
        let constant = (low == high && !(any_missing && missing != low)).then_some(low);
        Column { missing, constant }
    };
    (0..columns).map(column).collect()
}

/// Grows all trees, in as many threads as wanted; tree number i depends on the seed and i alone.
fn grow<T: Send>(
    params: &ValidParams,
    sample: &Sample<'_>,
    tree: fn(&ValidParams, &Sample<'_>, &mut Random) -> T,
) -> Result<Vec<T>, ForestError> {
    let one = |number: usize| tree(params, sample, &mut Random::of(params.seed, number as u64));
    if params.threads == 1 {
        return Ok((0..params.trees).map(one).collect());
    }
    let share = params.trees.div_ceil(params.threads);
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for first in (0..params.trees).step_by(share) {
            let work = move || (first..(first + share).min(params.trees)).map(one).collect::<Vec<T>>();
            let builder = std::thread::Builder::new().name("forest".to_owned());
            workers.push(builder.spawn_scoped(scope, work).map_err(ForestError::Thread)?);
        }
        let mut trees = Vec::with_capacity(params.trees);
        for worker in workers {
            match worker.join() {
                Ok(grown) => trees.extend(grown),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(trees)
    })
}

/// A direction and a threshold.
#[derive(Debug, Clone, Copy)]
struct Split {
    first: u16,
    second: u16,
    weight: f32,
    threshold: f32,
}

impl Split {
    /// Sends every finite row left: below a leaf that is higher than the lowest level.
    const NONE: Self = Self { first: 0, second: 0, weight: 0.0, threshold: f32::MAX };
}

fn axis_tree(params: &ValidParams, sample: &Sample<'_>, random: &mut Random) -> AxisTree {
    let mut tree = AxisTree { thresholds: [f32::MAX; LEAVES], columns: [0; LEAVES], depths: [0.0; LEAVES] };
    Growth::new(params, sample, random).run(&mut tree.depths, |node, split| {
        tree.thresholds[node] = split.threshold;
        tree.columns[node] = split.first;
    });
    tree
}

fn two_column_tree(params: &ValidParams, sample: &Sample<'_>, random: &mut Random) -> TwoColumnTree {
    let mut tree = TwoColumnTree {
        thresholds: [f32::MAX; LEAVES],
        weights: [0.0; LEAVES],
        firsts: [0; LEAVES],
        seconds: [0; LEAVES],
        depths: [0.0; LEAVES],
    };
    Growth::new(params, sample, random).run(&mut tree.depths, |node, split| {
        tree.thresholds[node] = split.threshold;
        tree.weights[node] = split.weight;
        tree.firsts[node] = split.first;
        tree.seconds[node] = split.second;
    });
    tree
}

/// One tree in the making.
struct Growth<'a> {
    params: &'a ValidParams,
    random: &'a mut Random,
    /// The tree's sample, column by column.
    values: Vec<f32>,
    size: usize,
    columns: usize,
    /// Columns that vary in the node at hand, gathered when random picks fail.
    varying: Vec<u16>,
    projected: Vec<f32>,
}

impl<'a> Growth<'a> {
    fn new(params: &'a ValidParams, sample: &Sample<'_>, random: &'a mut Random) -> Self {
        let (size, columns) = (sample.size, sample.columns);
        let mut values = vec![0.0; size * columns];
        for (at, row) in random.distinct(sample.rows, size).into_iter().enumerate() {
            for (column, value) in sample.values[row * columns..(row + 1) * columns].iter().enumerate() {
                values[column * size + at] = *value;
            }
        }
        Self {
            params,
            random,
            values,
            size,
            columns,
            varying: Vec::new(),
            projected: Vec::with_capacity(size),
        }
    }

    /// Splits from the root down; nodes are numbered like a heap, from 1.
    fn run(&mut self, depths: &mut [f32; LEAVES], mut set: impl FnMut(usize, Split)) {
        let mut order: Vec<u16> = (0..self.size as u16).collect();
        let mut stack = vec![(1usize, 0usize, self.size, 0usize)];
        while let Some((node, from, to, depth)) = stack.pop() {
            let rows = &mut order[from..to];
            let split = if depth < DEPTH && rows.len() > 1 { self.split(rows) } else { None };
            let Some(split) = split else {
                // All leaves of the lowest level below this node say the same.
                let width = LEAVES >> depth;
                let first = (node << (DEPTH - depth)) - LEAVES;
                let isolated = depth as f32 + expected_depth(to - from);
                depths[first..first + width].fill(isolated);
                continue;
            };
            let mut left = 0;
            for at in 0..rows.len() {
                if self.project(rows[at], &split) <= split.threshold {
                    rows.swap(left, at);
                    left += 1;
                }
            }
            set(node, split);
            stack.push((2 * node + 1, from + left, to, depth + 1));
            stack.push((2 * node, from, from + left, depth + 1));
        }
    }

    fn value(&self, column: u16, row: u16) -> f32 {
        self.values[column as usize * self.size + row as usize]
    }

    /// Where a row lies along a split's direction; the same arithmetic as in scoring.
    fn project(&self, row: u16, split: &Split) -> f32 {
        match self.params.splits {
            Splits::Axis => self.value(split.first, row),
            Splits::TwoColumns => self.value(split.first, row) + split.weight * self.value(split.second, row),
        }
    }

    fn split(&mut self, rows: &[u16]) -> Option<Split> {
        let guided = self.params.guided > 0.0 && self.random.unit() < self.params.guided;
        if !guided || rows.len() < 4 {
            return self.random_split(rows);
        }
        let mut best: Option<(f32, Split)> = None;
        for _ in 0..TRIES {
            let split = self.random_split(rows)?;
            let gain = self.gain(rows, &split);
            if best.is_none_or(|(most, _)| gain > most) {
                best = Some((gain, split));
            }
        }
        best.map(|(_, split)| split)
    }

    /// A column that varies within these rows, with its smallest and largest value.
    fn pick(&mut self, rows: &[u16], not: Option<u16>) -> Option<(u16, f32, f32)> {
        for _ in 0..4 {
            let column = self.random.below(self.columns) as u16;
            if Some(column) != not {
                let (low, high) = self.range(column, rows);
                if low < high {
                    return Some((column, low, high));
                }
            }
        }
        self.varying.clear();
        for column in 0..self.columns as u16 {
            let (low, high) = self.range(column, rows);
            if low < high && Some(column) != not {
                self.varying.push(column);
            }
        }
        if self.varying.is_empty() {
            return None;
        }
        let column = self.varying[self.random.below(self.varying.len())];
        let (low, high) = self.range(column, rows);
        Some((column, low, high))
    }

    fn range(&self, column: u16, rows: &[u16]) -> (f32, f32) {
        let values = &self.values[column as usize * self.size..(column as usize + 1) * self.size];
        rows.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), row| {
            let value = values[*row as usize];
            (low.min(value), high.max(value))
        })
    }

    fn random_split(&mut self, rows: &[u16]) -> Option<Split> {
        let (first, low, high) = self.pick(rows, None)?;
        let axis = Split { first, second: first, weight: 0.0, ..Split::NONE };
        if self.params.splits == Splits::TwoColumns
            && let Some((second, ..)) = self.pick(rows, Some(first))
        {
            // Normal coefficients over the node's deviations, with the first one brought to 1.
            let ratio = self.random.normal() / self.random.normal();
            let weight = ratio * self.deviation(first, rows) / self.deviation(second, rows);
            if weight.is_finite() && weight.abs() < VALUE_MAX {
                let split = Split { first, second, weight, ..Split::NONE };
                let (low, high) = rows.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), row| {
                    let value = self.project(*row, &split);
                    (low.min(value), high.max(value))
                });
                if let Some(threshold) = self.threshold(low, high) {
                    return Some(Split { threshold, ..split });
                }
            }
        }
        self.threshold(low, high).map(|threshold| Split { threshold, ..axis })
    }

    /// Uniform in [low, high), so that neither side is empty.
    fn threshold(&mut self, low: f32, high: f32) -> Option<f32> {
        let threshold = low + self.random.unit() * (high - low);
        let threshold = if threshold < high { threshold } else { low };
        (low < high && threshold.is_finite()).then_some(threshold)
    }

    fn deviation(&self, column: u16, rows: &[u16]) -> f32 {
        deviation(rows.iter().map(|row| self.value(column, *row)))
    }

    /// Relative drop of the pooled standard deviation along the split's direction.
    fn gain(&mut self, rows: &[u16], split: &Split) -> f32 {
        let mut projected = std::mem::take(&mut self.projected);
        projected.clear();
        projected.extend(rows.iter().map(|row| self.project(*row, split)));
        let left = || projected.iter().copied().filter(|value| *value <= split.threshold);
        let right = || projected.iter().copied().filter(|value| *value > split.threshold);
        let count = left().count() as f32;
        let rest = projected.len() as f32 - count;
        let pooled = (count * deviation(left()) + rest * deviation(right())) / projected.len() as f32;
        let gain = 1.0 - pooled / deviation(projected.iter().copied());
        self.projected = projected;
        if gain.is_finite() { gain } else { 0.0 }
    }
}

fn deviation(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let (sum, count) =
        values.clone().fold((0f64, 0f64), |(sum, count), value| (sum + f64::from(value), count + 1.0));
    if count == 0.0 {
        return 0.0;
    }
    let mean = sum / count;
    let squares: f64 = values.map(|value| (f64::from(value) - mean).powi(2)).sum();
    (squares / count).sqrt() as f32
}
