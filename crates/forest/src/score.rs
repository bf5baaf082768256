//! Scoring rows: trees outermost over tiles of rows, sixteen rows side by side.
//!
//! Every array has a fixed size and every index is masked to it, so that the inner loop holds
//! neither bounds checks nor branches.

use linfa::{Float, traits::PredictInplace};
use ndarray::{Array1, ArrayBase, Data, Ix2};

use crate::tree::{AxisTree, COLUMNS_MAX, Column, DEPTH, Forest, LEAVES, Trees, TwoColumnTree, VALUE_MAX};

/// Most rows of a tile: its values stay in the first-level cache beside a tree.
const TILE_ROWS: usize = 128;
/// Rows whose values lie together, column by column: as many as the compiler unrolls.
const LANES: usize = 2;
/// Such packs walked side by side, to hide the latency of the loads.
const PACKS: usize = 8;
/// Rows walked side by side.
const GROUP: usize = PACKS * LANES;
/// Room for the values of [`LANES`] rows of at most 16 columns, and of at most [`COLUMNS_MAX`].
const NARROW: usize = 16 * LANES;
const WIDE: usize = COLUMNS_MAX * LANES;
/// Trees walked side by side for a single row.
const TREES: usize = 4;
/// Depth is divided by 1 plus this for each column that left its constant value.
const CONSTANT_LEFT: f32 = 1.5;

/// Replaces missing values and clamps infinite ones.
pub(crate) fn clean(values: &mut [f32], columns: &[Column]) {
    for row in values.chunks_exact_mut(columns.len().max(1)) {
        for (value, column) in row.iter_mut().zip(columns) {
            *value = cleaned(*value, column);
        }
    }
}

fn cleaned(value: f32, column: &Column) -> f32 {
    if value.is_nan() { column.missing } else { value.clamp(-VALUE_MAX, VALUE_MAX) }
}

trait Tree {
    /// Where the depths of the leaves stand.
    fn depths(&self) -> &[f32; LEAVES];

    /// 1 when the row goes right at a node, 0 when left. Nodes are numbered from 1, modulo 256:
    /// leaf 256 is number 0. `value` gives the row's value of a column.
    fn right(&self, node: u8, value: impl Fn(u16) -> f32) -> u8;
}

impl Tree for AxisTree {
    #[inline(always)]
    fn depths(&self) -> &[f32; LEAVES] {
        &self.depths
    }

    #[inline(always)]
    fn right(&self, node: u8, value: impl Fn(u16) -> f32) -> u8 {
        let node = usize::from(node);
        u8::from(value(self.columns[node]) > self.thresholds[node])
    }
}

impl Tree for TwoColumnTree {
    #[inline(always)]
    fn depths(&self) -> &[f32; LEAVES] {
        &self.depths
    }

    #[inline(always)]
    fn right(&self, node: u8, value: impl Fn(u16) -> f32) -> u8 {
        let node = usize::from(node);
        let along = value(self.firsts[node]) + self.weights[node] * value(self.seconds[node]);
        u8::from(along > self.thresholds[node])
    }
}

/// [`PACKS`] packs of rows, or numbers of theirs.
type Group<const ROOM: usize> = [[f32; ROOM]; PACKS];

/// Adds the depths of the rows of a group in this tree to `sums`.
#[inline(always)]
fn walk<T: Tree, const ROOM: usize>(tree: &T, group: &Group<ROOM>, sums: &mut Group<LANES>) {
    let mut at = [[1u8; LANES]; PACKS];
    for _ in 0..DEPTH {
        for (pack, at) in group.iter().zip(&mut at) {
            for (lane, at) in at.iter_mut().enumerate() {
                let value = |column: u16| pack[(column as usize * LANES + lane) & (ROOM - 1)];
                *at = at.wrapping_mul(2) + tree.right(*at, value);
            }
        }
    }
    for (sum, at) in sums.as_flattened_mut().iter_mut().zip(at.as_flattened()) {
        *sum += tree.depths()[usize::from(*at)];
    }
}

/// Sums of depths over all trees for the rows of a tile.
fn walk_all<T: Tree, const ROOM: usize>(trees: &[T], tile: &[Group<ROOM>], sums: &mut [Group<LANES>]) {
    for tree in trees {
        for (group, sums) in tile.iter().zip(&mut *sums) {
            walk(tree, group, sums);
        }
    }
}

/// The sum of depths over all trees for one row.
fn walk_one<T: Tree, const ROOM: usize>(trees: &[T], row: &[f32; ROOM]) -> f32 {
    let value = |column: u16| row[column as usize & (ROOM - 1)];
    let (groups, rest) = trees.as_chunks::<TREES>();
    let mut sum = 0.0;
    for group in groups {
        let mut at = [1u8; TREES];
        for _ in 0..DEPTH {
            for (at, tree) in at.iter_mut().zip(group) {
                *at = at.wrapping_mul(2) + tree.right(*at, value);
            }
        }
        for (at, tree) in at.iter().zip(group) {
            sum += tree.depths()[usize::from(*at)];
        }
    }
    for tree in rest {
        let mut at = 1u8;
        for _ in 0..DEPTH {
            at = at.wrapping_mul(2) + tree.right(at, value);
        }
        sum += tree.depths()[usize::from(at)];
    }
    sum
}

impl Forest {
    /// Scores row-major rows of [`Forest::columns`] values each; they are cleaned in place.
    pub fn score_rows(&self, values: &mut [f32]) -> Vec<f32> {
        clean(values, &self.columns);
        if self.columns() * LANES <= NARROW {
            self.score_tiles::<NARROW>(values, TILE_ROWS / GROUP)
        } else {
            self.score_tiles::<WIDE>(values, 1)
        }
    }

    /// As [`Forest::score_rows`], in tiles of so many groups of [`GROUP`] rows.
    fn score_tiles<const ROOM: usize>(&self, values: &[f32], groups: usize) -> Vec<f32> {
        let columns = self.columns();
        let mut scores = Vec::with_capacity(values.len() / columns.max(1));
        let mut tile = vec![[[0f32; ROOM]; PACKS]; groups];
        let mut sums = vec![[[0f32; LANES]; PACKS]; groups];
        for rows in values.chunks(groups * GROUP * columns) {
            for (pack, rows) in tile.as_flattened_mut().iter_mut().zip(rows.chunks(LANES * columns)) {
                for (lane, row) in rows.chunks_exact(columns).enumerate() {
                    for (place, value) in pack.chunks_exact_mut(LANES).zip(row) {
                        place[lane] = *value;
                    }
                }
            }
            let count = rows.len() / columns;
            let used = count.div_ceil(GROUP);
            sums.fill([[0.0; LANES]; PACKS]);
            match &self.trees {
                Trees::Axis(trees) => walk_all(trees, &tile[..used], &mut sums),
                Trees::TwoColumns(trees) => walk_all(trees, &tile[..used], &mut sums),
            }
            let depths = sums.as_flattened().as_flattened().iter().take(count);
            scores.extend(depths.zip(rows.chunks_exact(columns)).map(|(sum, row)| self.finish(*sum, row)));
        }
        scores
    }

    /// The score of one row of [`Forest::columns`] values; any after these are ignored.
    pub fn score_row(&self, row: &[f32]) -> f32 {
        if self.columns() <= 16 { self.score_one::<16>(row) } else { self.score_one::<COLUMNS_MAX>(row) }
    }

    fn score_one<const ROOM: usize>(&self, row: &[f32]) -> f32 {
        let mut room = [0f32; ROOM];
        for (place, (value, column)) in room.iter_mut().zip(row.iter().zip(&self.columns)) {
            *place = cleaned(*value, column);
        }
        let sum = match &self.trees {
            Trees::Axis(trees) => walk_one(trees, &room),
            Trees::TwoColumns(trees) => walk_one(trees, &room),
        };
        self.finish(sum, &room)
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
