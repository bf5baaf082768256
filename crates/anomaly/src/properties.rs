//! What holds for the model of events whatever it was trained on.
//!
//! Monotone is the *evidence*: more surprise in one feature never weighs less, and nothing is weighed
//! against another feature. The whole score is not, since a quarter of it is the forest's: a row may lie
//! nearer to others with more surprise than with less. How far that can go is stated below.

use arithmetic::Random;
use proptest::prelude::*;

use crate::{
    Parts,
    model::{Card, Model, Origin, WEIGHTS},
    rarity::{RARITY_MAX, Rarity},
    window::{FEATURES, Feature, Row},
};

/// Of scores by models trained on the same rows in another order: the mean and the largest difference.
const REORDERED: (f32, f32) = (0.01, 0.1);

fn card(seed: u64) -> Card {
    Card {
        events: 1,
        templates: 1,
        seen: 1,
        rows: 0,
        trained_at: 1,
        from: 1,
        to: 1,
        false_positive_rate: 0.001,
        seed,
        origin: Some(Origin::Request),
    }
}

/// Rows as a stream gives them: mostly without surprise, and with more of it the less often.
fn usual_row(random: &mut Random) -> Row {
    std::array::from_fn(|_| match random.below(20) {
        0 => random.below(40) as u8,
        1..4 => random.below(12) as u8,
        _ => 0,
    })
}

fn usual_rows(count: usize, seed: u64) -> Vec<Row> {
    let mut random = Random::of(seed, 1);
    (0..count).map(|_| usual_row(&mut random)).collect()
}

fn any_rows(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Row>> {
    let any_value = prop_oneof![4 => Just(0u8), 2 => 0u8..30, 1 => any::<u8>()];
    prop::collection::vec(prop::array::uniform(any_value), count)
}

fn any_model() -> impl Strategy<Value = Model> {
    (any_rows(1..120), any::<u64>())
        .prop_map(|(rows, seed)| Model::train(&rows, card(seed), Parts::default()).unwrap())
}

fn evidence(model: &Model, row: &Row) -> f32 {
    WEIGHTS.iter().map(|(feature, weight)| weight * model.evidence(row, *feature)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn scores_are_in_range_and_the_same_one_by_one_and_together(model in any_model(), rows in any_rows(1..40)) {
        let mut together = Vec::new();
        model.score_all(&rows, &mut crate::model::Cache::default(), &mut together);
        for (row, score) in rows.iter().zip(&together) {
            prop_assert!((0.0..=1.0).contains(score), "{row:?}: {score}");
            prop_assert!((model.score(row) - score).abs() < 1e-5, "{row:?}");
        }
        prop_assert!(model.score(&[0; FEATURES]) <= model.threshold, "no surprise is no anomaly");
        prop_assert!((0.0..=1.0).contains(&model.score(&[255; FEATURES])));
    }

    #[test]
    fn more_surprise_in_one_feature_is_never_less_evidence(
        model in any_model(),
        row in any_rows(1..2),
        at in 0..FEATURES,
        more in 1u8..=255,
    ) {
        let row = row[0];
        let mut raised = row;
        raised[at] = raised[at].saturating_add(more);
        for (feature, _) in WEIGHTS {
            let (before, after) = (model.evidence(&row, feature), model.evidence(&raised, feature));
            prop_assert!(before >= 0.0 && after >= before, "{feature:?}: {before} {after}");
            prop_assert!(after == before || feature as usize == at, "{feature:?} speaks for itself alone");
        }
        prop_assert!(evidence(&model, &raised) >= evidence(&model, &row));
        prop_assert!(model.ranked(&raised)[0].1 >= model.ranked(&row)[0].1);
        prop_assert!(model.spoken(&row) & !model.spoken(&raised) == 0, "what spoke goes on speaking");
    }

    #[test]
    fn a_tail_rises_within_its_range(
        mut values in prop::collection::vec(-4.0f32..4.0, 0..600),
        ask in prop::collection::vec(-9.0f32..9.0, 2..40),
    ) {
        let tail = Rarity::of(&mut values, 0.5, 20.0);
        let mut ask = ask;
        ask.sort_by(f32::total_cmp);
        let rarities: Vec<f32> = ask.iter().map(|value| tail.rarity(*value)).collect();
        prop_assert!(rarities.iter().all(|rarity| (0.0..=RARITY_MAX).contains(rarity)), "{rarities:?}");
        prop_assert!(rarities.is_sorted(), "{ask:?} {rarities:?}");
    }

    #[test]
    fn the_same_training_gives_the_same_model_and_the_same_bytes(rows in any_rows(1..80), seed: u64) {
        let (one, other) = (Model::train(&rows, card(seed), Parts::default()).unwrap(), Model::train(&rows, card(seed), Parts::default()).unwrap());
        prop_assert_eq!(one.to_bytes(), other.to_bytes());
        let read = Model::from_bytes(&one.to_bytes()).unwrap();
        prop_assert_eq!(&read, &one);
        prop_assert_eq!(read.to_bytes(), one.to_bytes());
        for row in &rows {
            prop_assert_eq!(read.score(row), one.score(row));
        }
    }
}

#[test]
fn the_score_rises_with_surprise_but_for_the_forests_share() {
    for seed in 0..4 {
        let model = Model::train(&usual_rows(4_000, seed), card(seed), Parts::default()).unwrap();
        let mut random = Random::of(seed, 2);
        let (mut fell, mut most) = (0, 0f32);
        for turn in 0..4_000 {
            let row = usual_row(&mut random);
            let mut raised = row;
            raised[turn % FEATURES] = row[turn % FEATURES].saturating_add(1 + random.below(80) as u8);
            let fall = model.score(&row) - model.score(&raised);
            fell += usize::from(fall > 0.0);
            most = most.max(fall);
        }
        assert!(fell <= 40 && most <= 0.02, "{fell} of 4,000 fell, by at most {most}");
        // From no surprise at all on it rises to the most.
        for (feature, _) in WEIGHTS {
            let alone = |value: u8| {
                let mut row = [0; FEATURES];
                row[feature as usize] = value;
                model.score(&row)
            };
            assert!(alone(0) <= alone(40) + 0.01 && alone(40) <= alone(255) + 0.01, "{feature:?}");
        }
    }
}

#[test]
fn the_order_of_the_training_rows_changes_scores_by_little() {
    let rows = usual_rows(3_000, 5);
    let model = Model::train(&rows, card(1), Parts::default()).unwrap();
    let mut random = Random::of(5, 3);
    let probes: Vec<Row> = (0..1_000)
        .map(|turn| {
            let mut row = usual_row(&mut random);
            if turn % 4 == 0 {
                row[random.below(FEATURES)] = 60 + random.below(196) as u8;
            }
            row
        })
        .collect();
    for turn in 0..4 {
        let mut shuffled = rows.clone();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, Random::of(turn, at as u64).below(at + 1));
        }
        assert_ne!(shuffled, rows);
        let other = Model::train(&shuffled, card(1), Parts::default()).unwrap();
        let differences = probes.iter().map(|row| (model.score(row) - other.score(row)).abs());
        let (sum, most) = differences.fold((0.0, 0f32), |(sum, most), it| (sum + it, most.max(it)));
        let mean = sum / probes.len() as f32;
        assert!(mean <= REORDERED.0 && most <= REORDERED.1, "mean {mean}, most {most}");
        // The evidence has no order in it at all.
        for row in &probes {
            assert_eq!(evidence(&model, row), evidence(&other, row));
        }
        let verdict = |model: &Model, row: &Row| model.score(row) >= model.threshold;
        let differ = probes.iter().filter(|row| verdict(&model, row) != verdict(&other, row)).count();
        assert!(differ <= 30, "{differ} of 1,000 verdicts differ");
    }
    assert_eq!(Feature::NewTemplate as usize, 0, "rows lie in the order of the features");
}
