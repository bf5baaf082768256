//! Scoring rows: trees outermost over tiles of rows, sixteen rows side by side.
//!
//! Every array has a fixed size and every index is masked to it, so that the inner loop holds
//! neither bounds checks nor branches.

use super::{AxisTree, Column, DEPTH, Forest, LEAVES, Trees, TwoColumnTree, VALUE_MAX};

/// Values in a tile of rows; 16 KiB stay in the first-level cache beside a tree.
const TILE: usize = 4096;
/// Rows walked side by side, to hide the latency of the loads.
const LANES: usize = 16;
/// Depth is divided by 1 plus this for each column that left its constant value.
const CONSTANT_LEFT: f32 = 1.5;

/// Replaces missing values and clamps infinite ones.
pub(super) fn clean(values: &mut [f32], columns: &[Column]) {
    for row in values.chunks_exact_mut(columns.len().max(1)) {
        for (value, column) in row.iter_mut().zip(columns) {
            *value = if value.is_nan() { column.missing } else { value.clamp(-VALUE_MAX, VALUE_MAX) };
        }
    }
}

trait Walk {
    /// Adds each lane's depth in this tree to `sums`.
    fn walk(&self, tile: &[f32; TILE], offsets: &[u32; LANES], sums: &mut [f32; LANES]);
}

impl Walk for AxisTree {
    #[inline(always)]
    fn walk(&self, tile: &[f32; TILE], offsets: &[u32; LANES], sums: &mut [f32; LANES]) {
        let mut at = [1u32; LANES];
        for _ in 0..DEPTH {
            for lane in 0..LANES {
                let node = at[lane] as usize & (LEAVES - 1);
                let place = offsets[lane] as usize + self.columns[node] as usize;
                let right = tile[place & (TILE - 1)] > self.thresholds[node];
                at[lane] = 2 * at[lane] + u32::from(right);
            }
        }
        for lane in 0..LANES {
            sums[lane] += self.depths[at[lane] as usize & (LEAVES - 1)];
        }
    }
}

impl Walk for TwoColumnTree {
    #[inline(always)]
    fn walk(&self, tile: &[f32; TILE], offsets: &[u32; LANES], sums: &mut [f32; LANES]) {
        let mut at = [1u32; LANES];
        for _ in 0..DEPTH {
            for lane in 0..LANES {
                let node = at[lane] as usize & (LEAVES - 1);
                let first = offsets[lane] as usize + self.firsts[node] as usize;
                let second = offsets[lane] as usize + self.seconds[node] as usize;
                let along = tile[first & (TILE - 1)] + self.weights[node] * tile[second & (TILE - 1)];
                at[lane] = 2 * at[lane] + u32::from(along > self.thresholds[node]);
            }
        }
        for lane in 0..LANES {
            sums[lane] += self.depths[at[lane] as usize & (LEAVES - 1)];
        }
    }
}

/// Sums of depths over all trees for the rows of one tile.
fn walk_all<T: Walk>(trees: &[T], tile: &[f32; TILE], stride: usize, sums: &mut [[f32; LANES]]) {
    for tree in trees {
        for (group, sums) in sums.iter_mut().enumerate() {
            let offsets = std::array::from_fn(|lane| ((group * LANES + lane) * stride) as u32);
            tree.walk(tile, &offsets, sums);
        }
    }
}

impl Forest {
    /// Scores row-major rows of [`Forest::columns`] values each; they are cleaned in place.
    pub fn score_rows(&self, values: &mut [f32]) -> Vec<f32> {
        let columns = self.columns();
        clean(values, &self.columns);
        let stride = columns.next_power_of_two();
        let tile_rows = (TILE / stride).min(128);
        let mut scores = Vec::with_capacity(values.len() / columns.max(1));
        let mut tile = [0f32; TILE];
        let mut sums = Vec::with_capacity(tile_rows.div_ceil(LANES));
        for rows in values.chunks(tile_rows * columns) {
            for (place, row) in tile.chunks_exact_mut(stride).zip(rows.chunks_exact(columns)) {
                place[..columns].copy_from_slice(row);
            }
            let count = rows.len() / columns;
            sums.clear();
            sums.resize(count.div_ceil(LANES), [0f32; LANES]);
            match &self.trees {
                Trees::Axis(trees) => walk_all(trees, &tile, stride, &mut sums),
                Trees::TwoColumns(trees) => walk_all(trees, &tile, stride, &mut sums),
            }
            let depths = sums.as_flattened().iter().take(count);
            scores.extend(depths.zip(rows.chunks_exact(columns)).map(|(sum, row)| self.finish(*sum, row)));
        }
        scores
    }

    /// The score of one row of [`Forest::columns`] values.
    pub fn score_row(&self, row: &[f32]) -> f32 {
        let mut values = [0f32; 64];
        let mut long = Vec::new();
        let cleaned = match values.get_mut(..row.len()) {
            Some(room) => room,
            None => {
                long.resize(row.len(), 0.0);
                long.as_mut_slice()
            }
        };
        cleaned.copy_from_slice(row);
        clean(cleaned, &self.columns);
        let sum = match &self.trees {
            Trees::Axis(trees) => trees
                .iter()
                .map(|tree| {
                    descend(&tree.depths, |node| value(cleaned, tree.columns[node]) > tree.thresholds[node])
                })
                .sum::<f32>(),
            Trees::TwoColumns(trees) => trees
                .iter()
                .map(|tree| {
                    descend(&tree.depths, |node| {
                        let second = tree.weights[node] * value(cleaned, tree.seconds[node]);
                        value(cleaned, tree.firsts[node]) + second > tree.thresholds[node]
                    })
                })
                .sum::<f32>(),
        };
        self.finish(sum, cleaned)
    }

    fn finish(&self, sum: f32, row: &[f32]) -> f32 {
        let mut depth = sum / self.trees() as f32;
        for (value, column) in row.iter().zip(&self.columns) {
            if let Some(constant) = column.constant
                && (value - constant).abs() > 1e-6 * constant.abs().max(1e-30)
            {
                depth /= 1.0 + CONSTANT_LEFT;
            }
        }
        (-depth / self.expected).exp2()
    }
}

fn value(row: &[f32], column: u16) -> f32 {
    row.get(column as usize).copied().unwrap_or_default()
}

fn descend(depths: &[f32; LEAVES], right: impl Fn(usize) -> bool) -> f32 {
    let mut at = 1usize;
    for _ in 0..DEPTH {
        at = 2 * at + usize::from(right(at & (LEAVES - 1)));
    }
    depths[at & (LEAVES - 1)]
}
