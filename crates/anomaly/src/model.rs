//! A trained model: from features to a score. Immutable, and a pure function of the features.
//!
//! - *Evidence*: each feature is a surprise by the window's own account; the model knows how often
//!   the training saw such a surprise. The mean of both counts, the largest in full and 3/10 of the others.
//! - *Forest*: an isolation forest over the sixteen features, its score as a rarity in training.
//! - The sum of 3/4 of the evidence and 1/4 of the forest's rarity is itself calibrated on the
//!   training, which gives p, the share of ordinary events at least as strange.
//!
//! The score is -log10(p) / 6, so it says the same with every model: 1/3 is one event in a hundred,
//! 1/2 one in a thousand, 1 one in a million or rarer.

use disk::sealed::{Reader, SealedError, Writer};
use event::Verdict;
use forest::{Forest, Params, Splits};
use hashbrown::HashMap;
use linfa::ParamGuard;
use serde::{Deserialize, Serialize};

use crate::{
    Parts,
    error::TrainError,
    rarity::Rarity,
    window::{FEATURES, Feature, Row, STEPS},
};

pub(crate) const MAGIC: &[u8; 8] = b"LSMODEL\0";
/// Version 1 has no origin in its card.
pub(crate) const VERSION: u32 = 2;
/// Rarity, in powers of ten, at which the score is 1.
const SCALE: f32 = 6.0;
/// Rarity in training counts as at most so many times the surprise itself.
const RARITY_PER_SURPRISE: f32 = 2.0;
/// The forest's rarity counts as at most the first, and the second for each unit of evidence.
const FOREST_ALONE: f32 = 0.25;
const FOREST_PER_EVIDENCE: f32 = 1.0;
/// The rarity of the sum counts as at most so many times the sum.
const RARITY_PER_SUM: f32 = 1.6;
/// Forest scores remembered for rows met before.
const CACHE_MAX: usize = 32_768;

/// What a model was made of; stored as JSON in the model's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Card {
    pub(crate) events: u64,
    pub(crate) templates: u64,
    /// Events the window had learned.
    pub(crate) seen: u64,
    pub(crate) rows: u64,
    pub(crate) trained_at: i64,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) false_positive_rate: f64,
    pub(crate) seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
}

/// What made somebody, or the service itself, train a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Events were given to train on.
    Request,
    /// The stream had grown enough for a first or a better one.
    Stream,
    /// The world had moved away from what the model before was trained on.
    Drift,
    /// A starter told what is usual elsewhere.
    Starter,
}

impl Origin {
    /// In lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Stream => "stream",
            Self::Drift => "drift",
            Self::Starter => "starter",
        }
    }
}

/// A score in the steps in which it is told.
pub(crate) fn quantized(score: f32) -> f32 {
    Verdict::quantize(score)
}

#[derive(Debug, PartialEq)]
pub(crate) struct Model {
    pub(crate) card: Card,
    pub(crate) threshold: f32,
    forest: Forest,
    /// Rarity in training of each value of each feature.
    columns: Vec<[f32; 256]>,
    forest_tail: Rarity,
    tail: Rarity,
    shares: Shares,
}

/// How much evidence and forest count in the sum; not stored.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shares {
    evidence: f32,
    forest: f32,
}

impl Shares {
    const ALL: Self = Self { evidence: 0.75, forest: 0.25 };

    const fn of(parts: Parts) -> Self {
        Self {
            evidence: if parts.evidence { Self::ALL.evidence } else { 0.0 },
            forest: if parts.forest { Self::ALL.forest } else { 0.0 },
        }
    }
}

/// How much each feature counts as evidence; the forest sees all of them.
pub(crate) const WEIGHTS: [(Feature, f32); FEATURES] = [
    (Feature::NewTemplate, 1.0),
    (Feature::RareTemplate, 0.4),
    (Feature::NewSource, 1.0),
    (Feature::NewHost, 0.9),
    (Feature::TemplateLevel, 0.8),
    (Feature::SourceLevel, 0.9),
    (Feature::Severity, 0.5),
    (Feature::TemplateSpike, 1.0),
    (Feature::SourceSpike, 1.0),
    (Feature::TemplateGap, 0.4),
    (Feature::SourceGap, 1.0),
    (Feature::Length, 0.6),
    (Feature::Number, 1.0),
    (Feature::Value, 1.0),
    (Feature::Hour, 0.5),
    (Feature::Weekday, 0.4),
];

/// Forest scores of rows met before, for one model.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    scores: HashMap<Row, f32, foldhash::fast::FixedState>,
    misses: Vec<Row>,
    values: Vec<f32>,
}

impl Cache {
    pub(crate) fn clear(&mut self) {
        self.scores.clear();
    }
}

impl Model {
    /// Trains on rows. `card` says where they come from; its `rows` is set here. Of `parts`, evidence and
    /// forest matter here.
    pub(crate) fn train(rows: &[Row], mut card: Card, parts: Parts) -> Result<Self, TrainError> {
        if rows.is_empty() {
            return Err(TrainError::NothingUsable);
        }
        card.rows = rows.len() as u64;
        let mut values = floats(rows);
        // A forest needs two rows; a single one is its own twin.
        if rows.len() == 1 {
            values.extend_from_within(..);
        }
        let params = Params::new(card.seed).splits(Splits::TwoColumns).check().map_err(TrainError::Forest)?;
        let height = values.len() / FEATURES;
        let forest = params.grow(&mut values, height, FEATURES)?;
        let mut scores = forest.score_rows(&mut values);
        scores.truncate(rows.len());
        let forest_tail = Rarity::of(&mut scores.clone(), 5.0, 60.0);
        let columns = (0..FEATURES).map(|column| column_rarity(rows, column)).collect();
        let mut model = Self {
            threshold: threshold(card.false_positive_rate),
            card,
            forest,
            columns,
            forest_tail,
            tail: Rarity::of(&mut [], 0.5, 2.0),
            shares: Shares::of(parts),
        };
        let mut sums: Vec<f32> =
            rows.iter().zip(&scores).map(|(row, score)| model.sum(row, *score)).collect();
        model.tail = Rarity::of(&mut sums, 0.4, 3.0);
        Ok(model)
    }

    /// The score, before rounding.
    pub(crate) fn score(&self, row: &Row) -> f32 {
        let values: [f32; FEATURES] = std::array::from_fn(|column| f32::from(row[column]) / STEPS);
        self.calibrate(row, self.forest.score_row(&values))
    }

    /// Scores of many rows, appended to `scores`.
    pub(crate) fn score_all(&self, rows: &[Row], cache: &mut Cache, scores: &mut Vec<f32>) {
        if cache.scores.len() + rows.len() > CACHE_MAX {
            cache.clear();
        }
        cache.misses.clear();
        for row in rows {
            if let hashbrown::hash_map::Entry::Vacant(vacant) = cache.scores.entry(*row) {
                vacant.insert(f32::NAN);
                cache.misses.push(*row);
            }
        }
        cache.values.clear();
        cache.values.extend(cache.misses.iter().flatten().map(|value| f32::from(*value) / STEPS));
        let fresh = self.forest.score_rows(&mut cache.values);
        for (row, score) in cache.misses.iter().zip(fresh) {
            cache.scores.insert(*row, self.calibrate(row, score));
        }
        scores.extend(rows.iter().map(|row| cache.scores.get(row).copied().unwrap_or(f32::NAN)));
    }

    fn calibrate(&self, row: &Row, forest: f32) -> f32 {
        // A training without variety leaves a tail without scale: the evidence itself bounds it.
        let sum = self.sum(row, forest);
        (self.tail.rarity(sum).min(RARITY_PER_SUM * sum) / SCALE).min(1.0)
    }

    fn sum(&self, row: &Row, forest: f32) -> f32 {
        let (mut most, mut all) = (0f32, 0f32);
        for (feature, weight) in WEIGHTS {
            let evidence = weight * self.evidence(row, feature);
            most = most.max(evidence);
            all += evidence;
        }
        // A forest grown on almost constant columns isolates whatever leaves them by a hair.
        let forest = self.forest_tail.rarity(forest).min(FOREST_ALONE + FOREST_PER_EVIDENCE * all);
        self.shares.evidence * (0.7 * most + 0.3 * all) + self.shares.forest * forest
    }

    /// How much one feature of a row speaks for an anomaly.
    pub(crate) fn evidence(&self, row: &Row, feature: Feature) -> f32 {
        let value = row[feature as usize];
        if value == 0 {
            return 0.0;
        }
        let surprise = f32::from(value) / STEPS;
        // Past an almost constant column everything is rare: that makes no certainty of a trifle.
        let rarity = self.columns[feature as usize][value as usize].min(RARITY_PER_SURPRISE * surprise);
        0.5 * (surprise + rarity)
    }

    /// The features that speak up by themselves, a bit each.
    pub(crate) fn spoken(&self, row: &Row) -> u32 {
        let speaks = WEIGHTS.iter().filter(|(feature, weight)| weight * self.evidence(row, *feature) >= 0.8);
        speaks.fold(0, |bits, (feature, _)| bits | 1 << (*feature as u32))
    }

    /// The features that speak most, strongest first.
    pub(crate) fn ranked(&self, row: &Row) -> [(Feature, f32); FEATURES] {
        let mut ranked = WEIGHTS.map(|(feature, weight)| (feature, weight * self.evidence(row, feature)));
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }

    /// The share of the training rows that each value of a feature had, from the rarities of at least
    /// that value.
    pub(crate) fn shares(&self, feature: Feature) -> [f64; 256] {
        let rows = self.card.rows.max(1) as f64;
        let rarity = &self.columns[feature as usize];
        let at_least = |value: usize| match rarity.get(value) {
            Some(rarity) => (10f64.powf(-f64::from(*rarity)) * (rows + 1.0) - 1.0).round().max(0.0),
            None => 0.0,
        };
        let mut above = 0.0;
        let mut shares = [0.0; 256];
        for value in (0..256).rev() {
            let here = at_least(value);
            shares[value] = (here - above).max(0.0) / rows;
            above = f64::max(above, here);
        }
        shares
    }

    /// The share of each feature in what the forest finds strange about a row, strongest first.
    pub(crate) fn attribution(&self, row: &Row) -> Vec<(Feature, f32)> {
        let values: [f32; FEATURES] = std::array::from_fn(|column| f32::from(row[column]) / STEPS);
        let shares = self.forest.attribution(&values);
        let mut ranked: Vec<(Feature, f32)> =
            WEIGHTS.iter().map(|(feature, _)| (*feature, shares[*feature as usize])).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }

    /// The share of the forest's splits that each feature takes part in.
    pub(crate) fn usage(&self) -> Vec<f32> {
        self.forest.usage()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::sealed(MAGIC, VERSION);
        out.bytes(&serde_json::to_vec(&self.card).unwrap_or_default());
        out.f32(self.threshold);
        out.bytes(&self.forest.to_bytes());
        for column in &self.columns {
            column.iter().for_each(|rarity| out.f32(*rarity));
        }
        self.forest_tail.write(&mut out);
        self.tail.write(&mut out);
        out.seal()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, SealedError> {
        let mut input = Reader::sealed_since(bytes, MAGIC, 1..=VERSION, "the model")?.0;
        let card = serde_json::from_slice(input.bytes()?).map_err(|_| input.damaged())?;
        let threshold = input.f32()?;
        if !(0.0..=1.0).contains(&threshold) {
            return Err(input.damaged());
        }
        let forest = Forest::from_bytes(input.bytes()?)?;
        let mut columns = Vec::with_capacity(FEATURES);
        for _ in 0..FEATURES {
            let mut column = [0.0; 256];
            for rarity in &mut column {
                *rarity = input.f32()?;
            }
            columns.push(column);
        }
        let (forest_tail, tail) = (Rarity::read(&mut input)?, Rarity::read(&mut input)?);
        if forest.columns() != FEATURES {
            return Err(input.damaged());
        }
        input.end()?;
        Ok(Self { card, threshold, forest, columns, forest_tail, tail, shares: Shares::ALL })
    }
}

/// The score at which a share of ordinary events is at least as strange.
pub(crate) fn threshold(false_positive_rate: f64) -> f32 {
    ((-false_positive_rate.clamp(1e-6, 0.5).log10()) as f32 / SCALE).clamp(0.0, 1.0)
}

/// The score of a surprise that no model calibrates.
pub(crate) fn uncalibrated(row: &Row) -> f32 {
    let strongest = [Feature::NewTemplate, Feature::NewSource, Feature::Value];
    let surprise = strongest.iter().map(|feature| row[*feature as usize]).max().unwrap_or_default();
    (f32::from(surprise) / STEPS / SCALE).min(1.0)
}

fn floats(rows: &[Row]) -> Vec<f32> {
    rows.iter().flatten().map(|value| f32::from(*value) / STEPS).collect()
}

/// Minus the decimal logarithm of the share of rows with at least each value; past the largest one
/// it goes on rising by the value itself.
fn column_rarity(rows: &[Row], column: usize) -> [f32; 256] {
    let mut counts = [0u32; 256];
    rows.iter().for_each(|row| counts[row[column] as usize] += 1);
    let mut rarity = [0.0; 256];
    let mut at_least = 0;
    for value in (0..256).rev() {
        at_least += counts[value];
        rarity[value] = -((at_least as f32 + 1.0) / (rows.len() as f32 + 1.0)).log10();
    }
    let largest = counts.iter().rposition(|count| *count > 0).unwrap_or_default();
    for (value, rarity) in rarity.iter_mut().enumerate().skip(largest + 1) {
        *rarity = (*rarity + (value - largest) as f32 / STEPS / 2.0).min(8.0);
    }
    rarity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_truncation_of_a_model_is_refused() {
        let card = Card {
            events: 3,
            templates: 1,
            seen: 3,
            rows: 0,
            trained_at: 3,
            from: 1,
            to: 3,
            false_positive_rate: 0.001,
            seed: 1,
            origin: Some(Origin::Request),
        };
        let rows = [[0; FEATURES], [1; FEATURES], [2; FEATURES]];
        let mut model = Model::train(&rows, card, Parts::default()).unwrap();
        let params = Params::new(1).trees(1).splits(Splits::TwoColumns).check().unwrap();
        model.forest = params.grow(&mut floats(&rows), rows.len(), FEATURES).unwrap();
        let bytes = model.to_bytes();
        assert_eq!(Model::from_bytes(&bytes).unwrap(), model);
        let shares = model.shares(Feature::NewTemplate);
        for (value, share) in shares.iter().enumerate() {
            assert_eq!(*share, if value < 3 { 1.0 / 3.0 } else { 0.0 }, "{value}");
        }
        for length in 0..bytes.len() {
            assert!(Model::from_bytes(&bytes[..length]).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn models_of_version_1_are_read() {
        let card = Card {
            events: 2,
            templates: 1,
            seen: 2,
            rows: 0,
            trained_at: 3,
            from: 1,
            to: 3,
            false_positive_rate: 0.001,
            seed: 1,
            origin: None,
        };
        let model = Model::train(&[[0; FEATURES], [1; FEATURES]], card, Parts::default()).unwrap();
        assert!(!String::from_utf8_lossy(&model.to_bytes()).contains("origin"), "as version 1 wrote it");
        let mut body = model.to_bytes();
        body.truncate(body.len() - 32);
        body[8] = 1;
        let old = disk::sealed::seal(body);
        assert_eq!(Model::from_bytes(&old).unwrap(), model);
    }
}
