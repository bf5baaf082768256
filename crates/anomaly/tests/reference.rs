//! The forest beside the crate `extended-isolation-forest`.

use anomaly::forest::{Params, Splits};
use extended_isolation_forest::{Forest as Reference, ForestOptions};
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
