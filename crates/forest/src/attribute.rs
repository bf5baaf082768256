//! Which columns isolate a row, and which the trees split on at all.

use crate::tree::{DEPTH, Forest, LEAVES, Trees};

/// A split that every finite row passes to the left is none.
fn is_split(threshold: f32) -> bool {
    threshold < f32::MAX
}

/// One node's question: whether a row goes right, given a way to read its columns.
struct Node {
    first: usize,
    second: usize,
    weight: f32,
    threshold: f32,
}

impl Node {
    fn right(&self, value: impl Fn(usize) -> f32) -> bool {
        value(self.first) + self.weight * value(self.second) > self.threshold
    }
}

impl Forest {
    fn node(&self, tree: usize, node: usize) -> Node {
        match &self.trees {
            Trees::Axis(trees) => {
                let (tree, first) = (&trees[tree], trees[tree].columns[node] as usize);
                Node { first, second: first, weight: 0.0, threshold: tree.thresholds[node] }
            }
            Trees::TwoColumns(trees) => {
                let tree = &trees[tree];
                Node {
                    first: tree.firsts[node] as usize,
                    second: tree.seconds[node] as usize,
                    weight: tree.weights[node],
                    threshold: tree.thresholds[node],
                }
            }
        }
    }

    fn depth(&self, tree: usize, leaf: usize) -> f32 {
        match &self.trees {
            Trees::Axis(trees) => trees[tree].depths[leaf],
            Trees::TwoColumns(trees) => trees[tree].depths[leaf],
        }
    }

    /// The share of each column in the row's isolation; together 1, or all 0 when the row is isolated
    /// no sooner than expected. In every tree the levels that the row's path is shorter than expected
    /// are divided among the columns without which a split of the path would have gone the other
    /// way: those whose median in its place turns it around.
    pub fn attribution(&self, row: &[f32]) -> Vec<f32> {
        let columns = self.columns();
        let mut shares = vec![0f32; columns];
        let value = |column: usize| row.get(column).copied().unwrap_or(f32::NAN);
        for tree in 0..self.trees() {
            let mut turned: Vec<usize> = Vec::with_capacity(2 * DEPTH);
            let mut at = 1;
            for _ in 0..DEPTH {
                let node = self.node(tree, at);
                let right = is_split(node.threshold) && node.right(value);
                if is_split(node.threshold) {
                    let second = (node.second != node.first).then_some(node.second);
                    turned.extend(std::iter::once(node.first).chain(second).filter(|column| {
                        let without = |other: usize| {
                            if other == *column { self.columns[other].missing } else { value(other) }
                        };
                        node.right(without) != right
                    }));
                }
                at = 2 * at + usize::from(right);
            }
            let sooner = (self.expected - self.depth(tree, at % LEAVES)).max(0.0);
            for column in &turned {
                shares[*column] += sooner / turned.len() as f32;
            }
        }
        let sum: f32 = shares.iter().sum();
        if sum > 0.0 {
            shares.iter_mut().for_each(|share| *share /= sum);
        }
        shares
    }

    /// The share of all splits that each column takes part in.
    pub fn usage(&self) -> Vec<f32> {
        let mut counts = vec![0f32; self.columns()];
        for tree in 0..self.trees() {
            for at in 1..LEAVES {
                let node = self.node(tree, at);
                if is_split(node.threshold) {
                    counts[node.first] += 0.5;
                    counts[node.second] += 0.5;
                }
            }
        }
        let sum: f32 = counts.iter().sum();
        if sum > 0.0 {
            counts.iter_mut().for_each(|count| *count /= sum);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use linfa::ParamGuard;

    use crate::params::{Params, Splits};

    #[test]
    fn the_column_that_is_odd_gets_most_of_it() {
        let columns = 4;
        let mut values: Vec<f32> = (0..512 * columns).map(|n| ((n * 7919) % 101) as f32 / 101.0).collect();
        for splits in [Splits::Axis, Splits::TwoColumns] {
            let params = Params::new(3).splits(splits).check().unwrap();
            let forest = params.grow(&mut values, 512, columns).unwrap();
            for odd in 0..columns {
                let mut row = vec![0.5; columns];
                row[odd] = 9.0;
                let shares = forest.attribution(&row);
                assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{shares:?}");
                assert!(shares[odd] > 0.6, "{splits:?} {odd}: {shares:?}");
            }
            let usage = forest.usage();
            assert!((usage.iter().sum::<f32>() - 1.0).abs() < 1e-4);
            assert!(usage.iter().all(|share| *share > 0.1), "{usage:?}");
        }
    }
}
