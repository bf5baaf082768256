use arithmetic::Random;
use linfa::{
    DatasetBase,
    traits::{Fit, Predict},
};
use ndarray::{Array1, Array2};
use proptest::prelude::*;

use crate::{
    COLUMNS_MAX, Forest, ForestError, Missing, Params, Splits, VALUE_MAX,
    tree::{LEAVES, Trees},
};

/// Two clusters around -3 and 3 in all columns but the last, which is constant.
fn clusters(rows: usize, columns: usize) -> Array2<f32> {
    let mut random = Random::of(7, 7);
    Array2::from_shape_fn((rows, columns), |(row, column)| {
        if column + 1 == columns { 5.0 } else { random.normal() + if row % 2 == 0 { 3.0 } else { -3.0 } }
    })
}

fn fit(params: Params, data: &Array2<f32>) -> Forest {
    params.fit(&DatasetBase::from(data.clone())).unwrap()
}

const KINDS: [Splits; 2] = [Splits::Axis, Splits::TwoColumns];

#[test]
fn outliers_score_above_all_others() {
    let data = clusters(1000, 6);
    for splits in KINDS {
        for guided in [0.0, 0.5] {
            let forest = fit(Params::new(1).splits(splits).guided(guided), &data);
            let ordinary: Array1<f32> = forest.predict(&data);
            let far = forest.score_row(&[40.0, -40.0, 40.0, -40.0, 40.0, 5.0]);
            let strangest = ordinary.iter().copied().fold(0.0, f32::max);
            assert!(far > strangest, "{splits:?} {guided}: {far} {strangest}");
        }
    }
}

#[test]
fn leaving_a_constant_is_strange() {
    let data = clusters(1000, 6);
    for splits in KINDS {
        let forest = fit(Params::new(1).splits(splits), &data);
        let usual = [3.0, 3.0, 3.0, 3.0, 3.0, 5.0];
        let changed = [3.0, 3.0, 3.0, 3.0, 3.0, 5.5];
        assert!(forest.score_row(&usual) < 0.5, "{splits:?}");
        assert!(forest.score_row(&changed) > 0.6, "{splits:?}");
    }
}

#[test]
fn one_row_and_many_rows_agree() {
    let data = clusters(300, 6);
    for splits in KINDS {
        let forest = fit(Params::new(3).splits(splits), &data);
        let scores: Array1<f32> = forest.predict(&data);
        for (row, score) in data.rows().into_iter().zip(&scores) {
            let one = forest.score_row(row.as_slice().unwrap());
            assert!((one - score).abs() < 1e-6, "{one} {score}");
        }
    }
}

#[test]
fn threads_change_nothing_and_seeds_do() {
    let data = clusters(500, 5);
    for splits in KINDS {
        let one = fit(Params::new(9).splits(splits).trees(13), &data);
        for threads in [2, 3, 16] {
            assert_eq!(one, fit(Params::new(9).splits(splits).trees(13).threads(threads), &data));
        }
        assert_ne!(one, fit(Params::new(10).splits(splits).trees(13), &data));
    }
}

#[test]
fn missing_and_infinite_values_have_finite_scores() {
    let mut data = clusters(400, 5);
    data[[3, 1]] = f32::NAN;
    data[[5, 2]] = f32::INFINITY;
    data[[9, 0]] = f32::NEG_INFINITY;
    data[[11, 3]] = f32::MAX;
    for splits in KINDS {
        for missing in [Missing::Median, Missing::Strange] {
            let forest = fit(Params::new(2).splits(splits).missing(missing), &data);
            let scores: Array1<f32> = forest.predict(&data);
            assert!(scores.iter().all(|score| *score > 0.0 && *score <= 1.0));
            let nothing = forest.score_row(&[f32::NAN; 5]);
            assert!(nothing > 0.0 && nothing <= 1.0);
        }
        let clean = clusters(400, 5);
        let strange = fit(Params::new(2).splits(splits).missing(Missing::Strange), &clean);
        let row = [f32::NAN, 3.0, 3.0, 3.0, 5.0];
        assert!(strange.score_row(&row) > strange.score_row(&[3.0, 3.0, 3.0, 3.0, 5.0]));
    }
}

#[test]
fn parameters_and_shapes_are_checked() {
    let data = clusters(10, 3);
    let dataset = DatasetBase::from(data);
    for params in [
        Params::new(0).trees(0),
        Params::new(0).trees(10_001),
        Params::new(0).sample(1),
        Params::new(0).sample(257),
        Params::new(0).guided(1.5),
        Params::new(0).guided(f32::NAN),
        Params::new(0).threads(0),
    ] {
        assert!(matches!(params.fit(&dataset), Err(ForestError::Parameter { .. })), "{params:?}");
    }
    for (rows, columns) in [(0, 3), (1, 3), (5, 0), (5, COLUMNS_MAX + 1)] {
        let empty = DatasetBase::from(Array2::<f32>::zeros((rows, columns)));
        assert!(matches!(Params::new(0).fit(&empty), Err(ForestError::Shape { .. })), "{rows} {columns}");
    }
}

#[test]
fn a_single_repeated_row_is_ordinary_and_others_are_not() {
    let data = Array2::from_elem((50, 4), 2.5f32);
    for splits in KINDS {
        let forest = fit(Params::new(0).splits(splits), &data);
        assert!(forest.score_row(&[2.5; 4]) < forest.score_row(&[2.5, 2.5, 2.5, 9.0]));
    }
}

#[test]
fn bytes_round_trip_and_every_truncation_is_refused() {
    let data = clusters(100, 4);
    for splits in KINDS {
        let forest = fit(Params::new(4).splits(splits).trees(2), &data);
        let bytes = forest.to_bytes();
        assert_eq!(Forest::from_bytes(&bytes).unwrap(), forest);
        for length in 0..bytes.len() {
            assert!(Forest::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
    }
}

#[test]
fn well_sealed_nonsense_is_refused() {
    let forest = fit(Params::new(4).trees(1), &clusters(100, 4));
    let bytes = forest.to_bytes();
    let body = &bytes[..bytes.len() - 32];
    // Kind of splits, expected depth, number of columns, first column's number in the tree.
    for (at, value) in [(12, 9), (16, 0xff), (17, 200), (17 + 4 + 36 + 4 + 2048 + 1, 0xff)] {
        let mut changed = body.to_vec();
        changed[at] = value;
        assert!(Forest::from_bytes(&disk::sealed::seal(changed)).is_err(), "byte {at}");
    }
}

proptest! {
    #[test]
    fn flipped_bits_are_refused(at in 0usize..5000, bit in 0u8..8) {
        let forest = fit(Params::new(4).splits(Splits::Axis).trees(2), &clusters(60, 3));
        let mut bytes = forest.to_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(Forest::from_bytes(&bytes).is_err());
    }

    #[test]
    fn any_numbers_give_scores_in_range(values in prop::collection::vec(any::<f32>(), 8..200), seed: u64) {
        let data = Array2::from_shape_vec((values.len() / 4, 4), values[..values.len() / 4 * 4].to_vec()).unwrap();
        for splits in KINDS {
            let forest = fit(Params::new(seed).splits(splits).trees(5), &data);
            let scores: Array1<f32> = forest.predict(&data);
            prop_assert!(scores.iter().all(|score| *score >= 0.0 && *score <= 1.0), "{scores}");
        }
    }
}

/// A tree of the books: nodes that point to nodes. Built of what a flat tree holds.
enum Node {
    Leaf { depth: f32 },
    Split { first: usize, second: usize, weight: f32, threshold: f32, below: Box<[Node; 2]> },
}

impl Node {
    /// The tree below a node of a flat one, whose nodes have the numbers of a binary heap.
    fn of(trees: &Trees, tree: usize, number: usize) -> Self {
        let at = number % LEAVES;
        if number >= LEAVES {
            let depth = match trees {
                Trees::Axis(trees) => trees[tree].depths[at],
                Trees::TwoColumns(trees) => trees[tree].depths[at],
            };
            return Self::Leaf { depth };
        }
        let (first, second, weight, threshold) = match trees {
            Trees::Axis(trees) => (trees[tree].columns[at], 0, 0.0, trees[tree].thresholds[at]),
            Trees::TwoColumns(trees) => {
                let tree = &trees[tree];
                (tree.firsts[at], tree.seconds[at], tree.weights[at], tree.thresholds[at])
            }
        };
        let below = Box::new([2 * number, 2 * number + 1].map(|number| Self::of(trees, tree, number)));
        Self::Split { first: first.into(), second: second.into(), weight, threshold, below }
    }

    fn depth(&self, row: &[f32]) -> f32 {
        match self {
            Self::Leaf { depth } => *depth,
            Self::Split { first, second, weight, threshold, below } => {
                let along = if *weight == 0.0 { row[*first] } else { row[*first] + weight * row[*second] };
                below[usize::from(along > *threshold)].depth(row)
            }
        }
    }
}

/// The score by definition: 2^(-h / c), h the mean depth, divided for each constant column that was left.
fn score_by_the_books(forest: &Forest, nodes: &[Node], row: &[f32]) -> f64 {
    let clean: Vec<f32> = row
        .iter()
        .zip(&forest.columns)
        .map(
            |(value, column)| {
                if value.is_nan() { column.missing } else { value.clamp(-VALUE_MAX, VALUE_MAX) }
            },
        )
        .collect();
    let sum: f64 = nodes.iter().map(|node| f64::from(node.depth(&clean))).sum();
    let left = clean.iter().zip(&forest.columns).filter(|(value, column)| {
        column.constant.is_some_and(|constant| (**value - constant).abs() > 1e-6 * constant.abs().max(1e-30))
    });
    let depth = sum / nodes.len() as f64 / 2.5f64.powi(left.count() as i32);
    (-depth / f64::from(forest.expected)).exp2()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_flat_forest_scores_as_one_of_nodes_that_point_to_nodes(
        columns in prop_oneof![1usize..6, Just(16), Just(17), Just(40)],
        rows in 2usize..400,
        trees in 1usize..9,
        guided in prop_oneof![Just(0.0f32), Just(0.7)],
        seed: u64,
    ) {
        let data = clusters(rows, columns);
        let mut random = Random::of(seed, 11);
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, 1e30, -4.0, 5.0];
        let asked = Array2::from_shape_fn((150, columns), |(row, column)| match random.below(12) {
            0 => odd[random.below(odd.len())],
            _ => data[[row % rows, column]] + if row % 3 == 0 { random.normal() } else { 0.0 },
        });
        for splits in KINDS {
            let forest = fit(Params::new(seed).splits(splits).trees(trees).guided(guided), &data);
            let nodes: Vec<Node> = (0..trees).map(|tree| Node::of(&forest.trees, tree, 1)).collect();
            let scores: Array1<f32> = forest.predict(&asked);
            for (row, score) in asked.rows().into_iter().zip(&scores) {
                let row = row.to_vec();
                let expected = score_by_the_books(&forest, &nodes, &row);
                prop_assert!((expected - f64::from(*score)).abs() < 1e-5, "{splits:?} {row:?}: {expected} {score}");
                prop_assert!((expected - f64::from(forest.score_row(&row))).abs() < 1e-5, "{splits:?} {row:?}");
            }
        }
    }

    #[test]
    fn any_number_of_threads_grows_the_same_forest(threads in 1usize..=256, trees in 1usize..40, seed: u64, guided in 0.0f32..=1.0) {
        let data = clusters(90, 4);
        for splits in KINDS {
            let params = Params::new(seed).splits(splits).trees(trees).guided(guided);
            let (one, other) = (fit(params.clone(), &data), fit(params.threads(threads), &data));
            prop_assert_eq!(one.to_bytes(), other.to_bytes());
        }
    }

    #[test]
    fn saved_and_loaded_a_forest_is_the_same(rows in 2usize..120, columns in 1usize..20, trees in 1usize..6, seed: u64) {
        let data = clusters(rows, columns);
        for splits in KINDS {
            let forest = fit(Params::new(seed).splits(splits).trees(trees), &data);
            let read = Forest::from_bytes(&forest.to_bytes()).unwrap();
            prop_assert_eq!(&read, &forest);
            prop_assert_eq!(read.to_bytes(), forest.to_bytes());
            let (one, other): (Array1<f32>, Array1<f32>) = (forest.predict(&data), read.predict(&data));
            prop_assert_eq!(one, other);
        }
    }
}

#[test]
fn the_order_of_the_rows_changes_scores_by_little() {
    let data = clusters(2_000, 6);
    let turned = Array2::from_shape_fn(data.dim(), |(row, column)| data[[1_999 - row, column]]);
    for splits in KINDS {
        let forests = [&data, &turned].map(|data| fit(Params::new(3).splits(splits), data));
        let [one, other]: [Array1<f32>; 2] = forests.map(|forest| forest.predict(&data));
        let most = one.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most > 0.0 && most <= 0.08, "{splits:?}: {most}");
    }
}
