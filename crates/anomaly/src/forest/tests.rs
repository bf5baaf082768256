use linfa::traits::Predict;
use ndarray::Array2;
use proptest::prelude::*;

use super::*;
use crate::random::Random;

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
        let checksum = blake3::hash(&changed);
        changed.extend_from_slice(checksum.as_bytes());
        assert!(Forest::from_bytes(&changed).is_err(), "byte {at}");
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
