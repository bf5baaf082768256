//! The forest beside the crate `extended-isolation-forest`.

use extended_isolation_forest::{Forest as Reference, ForestOptions};
use forest::{Params, Splits};
use linfa::{DatasetBase, traits::Fit};
use ndarray::Array2;

#[test]
fn both_rank_obvious_outliers_on_top() {
    let mut state = 1u64;
    let mut unit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 16_777_216.0
    };
    let mut rows: Vec<[f32; 4]> =
        (0..500).map(|_| std::array::from_fn(|_| unit() + unit() + unit())).collect();
    let outliers = [[25.0, -20.0, 25.0, -20.0], [-30.0, 30.0, 30.0, -30.0], [40.0, 40.0, -40.0, 40.0]];
    rows.extend(outliers);
    // The reference panics on what is not finite.
    assert!(rows.as_flattened().iter().all(|value| value.is_finite()));
    let options = ForestOptions { n_trees: 100, sample_size: 256, max_tree_depth: None, extension_level: 1 };
    let reference = Reference::from_slice(&rows, &options).unwrap();
    let data = Array2::from_shape_vec((rows.len(), 4), rows.concat()).unwrap();
    for splits in [Splits::Axis, Splits::TwoColumns] {
        let ours = Params::new(5).splits(splits).fit(&DatasetBase::from(data.clone())).unwrap();
        let top = |score: &dyn Fn(&[f32; 4]) -> f64| {
            let mut order: Vec<usize> = (0..rows.len()).collect();
            order.sort_by(|a, b| score(&rows[*b]).total_cmp(&score(&rows[*a])));
            let mut top = order[..outliers.len()].to_vec();
            top.sort_unstable();
            top
        };
        let expected: Vec<usize> = (500..503).collect();
        assert_eq!(top(&|row| f64::from(ours.score_row(row))), expected, "{splits:?}");
        assert_eq!(top(&|row| reference.score(row)), expected);
    }
}

/// Ranks of these scores, ties in the order of their places.
fn ranks(scores: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let mut ranks = vec![0.0; scores.len()];
    for (rank, at) in order.into_iter().enumerate() {
        ranks[at] = rank as f64;
    }
    ranks
}

/// The rank correlation of C. Spearman.
fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let (one, other) = (ranks(one), ranks(other));
    let n = one.len() as f64;
    let squares: f64 = one.iter().zip(&other).map(|(a, b)| (a - b) * (a - b)).sum();
    1.0 - 6.0 * squares / (n * (n * n - 1.0))
}

#[test]
fn both_rank_all_rows_alike() {
    for seed in 1..4u64 {
        let mut state = seed;
        let mut unit = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 16_777_216.0
        };
        // Three clusters of unlike width, and a tenth of the rows anywhere.
        let rows: Vec<[f32; 6]> = (0..2_000)
            .map(|n| {
                let (middle, width) = [(0.0, 1.0), (6.0, 0.5), (-5.0, 2.0)][n % 3];
                std::array::from_fn(|_| match n % 10 {
                    0 => 24.0 * unit() - 12.0,
                    _ => middle + width * (unit() + unit() + unit() - 1.5),
                })
            })
            .collect();
        let options =
            ForestOptions { n_trees: 300, sample_size: 256, max_tree_depth: Some(8), extension_level: 1 };
        let reference = Reference::from_slice(&rows, &options).unwrap();
        let expected: Vec<f64> = rows.iter().map(|row| reference.score(row)).collect();
        // It has no seed: two of it agree no better than this.
        let again = Reference::from_slice(&rows, &options).unwrap();
        let again: Vec<f64> = rows.iter().map(|row| again.score(row)).collect();
        let itself = correlation(&expected, &again);
        let data = Array2::from_shape_vec((rows.len(), 6), rows.concat()).unwrap();
        for splits in [Splits::Axis, Splits::TwoColumns] {
            let params = Params::new(seed).splits(splits).trees(300);
            let ours = params.fit(&DatasetBase::from(data.clone())).unwrap();
            let ours: Vec<f64> = rows.iter().map(|row| f64::from(ours.score_row(row))).collect();
            let agree = correlation(&ours, &expected);
            assert!(itself > 0.9 && agree >= itself - 0.03, "{splits:?}: {agree}, with itself {itself}");
        }
    }
}
