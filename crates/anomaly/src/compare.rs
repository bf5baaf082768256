//! Two models side by side on the same rows.

use std::collections::HashMap;

use crate::{
    explain::name,
    model::{Model, quantized},
    window::Row,
};

/// Disagreements shown.
const DISAGREEMENTS_MAX: usize = 10;
/// Of the strongest rows of the current model, so many are looked at, and this share of them must be
/// among this share of the strongest of the other.
const STRONGEST: usize = 20;
const AGREED: f64 = 0.8;
const AMONG: f64 = 0.05;
/// One in so many events that are flagged for the same features makes a habit.
const HABIT: usize = 100;

/// One of two models that are compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Its version.
    pub version: String,
    /// Its threshold.
    pub threshold: f32,
    /// Rows it flags.
    pub flagged: u64,
}

/// A row on which two models differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Disagreement {
    /// Score of the one.
    pub a: f32,
    /// Score of the other.
    pub b: f32,
    /// The row's strongest features with their surprise, powers of ten.
    pub features: Vec<(&'static str, f32)>,
}

/// What two models say of the same recent events.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The one.
    pub a: Side,
    /// The other.
    pub b: Side,
    /// Recent events compared on.
    pub events: u64,
    /// Spearman's rank correlation of the scores, -1 to 1.
    pub rank_correlation: f64,
    /// Events that one flags and the other does not.
    pub differ: u64,
    /// Where the scores are furthest apart, flags that differ first.
    pub disagreements: Vec<Disagreement>,
}

fn scores(model: &Model, rows: &[Row]) -> Vec<f32> {
    rows.iter().map(|row| quantized(model.score(row))).collect()
}

pub(crate) fn compare(
    (a, a_version): (&Model, &str),
    (b, b_version): (&Model, &str),
    rows: &[Row],
) -> Comparison {
    let (of_a, of_b) = (scores(a, rows), scores(b, rows));
    let side = |model: &Model, version: &str, scores: &[f32]| Side {
        version: version.to_owned(),
        threshold: model.threshold,
        flagged: scores.iter().filter(|score| **score >= model.threshold).count() as u64,
    };
    let differs = |at: &usize| (of_a[*at] >= a.threshold) != (of_b[*at] >= b.threshold);
    let apart = |at: &usize| (of_a[*at] - of_b[*at]).abs();
    let mut order: Vec<usize> = (0..rows.len()).filter(|at| apart(at) > 0.0 || differs(at)).collect();
    order.sort_by(|x, y| differs(y).cmp(&differs(x)).then(apart(y).total_cmp(&apart(x))).then(x.cmp(y)));
    // The same row many times over says no more than once.
    let mut shown: Vec<usize> = Vec::new();
    for at in order {
        if shown.len() < DISAGREEMENTS_MAX && shown.iter().all(|other| rows[*other] != rows[at]) {
            shown.push(at);
        }
    }
    let disagreements = shown.into_iter().map(|at| Disagreement {
        a: of_a[at],
        b: of_b[at],
        features: strongest(a, &rows[at]),
    });
    Comparison {
        a: side(a, a_version, &of_a),
        b: side(b, b_version, &of_b),
        events: rows.len() as u64,
        rank_correlation: correlation(&ranks(&of_a), &ranks(&of_b)),
        differ: (0..rows.len()).filter(differs).count() as u64,
        disagreements: disagreements.collect(),
    }
}

fn strongest(model: &Model, row: &Row) -> Vec<(&'static str, f32)> {
    let ranked = model.ranked(row).into_iter().filter(|(_, evidence)| *evidence > 0.0).take(4);
    ranked.map(|(feature, evidence)| (name(feature), (evidence * 100.0).round() / 100.0)).collect()
}

/// Ranks from 1, ties share the mean of theirs.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let value = values[order[from]];
        let to = from + order[from..].iter().take_while(|at| values[**at] == value).count();
        let rank = (from + to + 1) as f64 / 2.0;
        order[from..to].iter().for_each(|at| ranks[*at] = rank);
        from = to;
    }
    ranks
}

/// Pearson's correlation; of constants 1 when both are, else 0.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / (values.len().max(1)) as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - mean_a) * (y - mean_b);
        aa += (x - mean_a) * (x - mean_a);
        bb += (y - mean_b) * (y - mean_b);
    }
    match (aa > 0.0, bb > 0.0) {
        (true, true) => (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0),
        (false, false) => 1.0,
        _ => 0.0,
    }
}

/// Why `new` may not take over from `old` on the word of recent rows; None when it may.
pub(crate) fn objection(old: &Model, new: &Model, rows: &[Row]) -> Option<String> {
    let (of_old, of_new) = (scores(old, rows), scores(new, rows));
    let rate = new.card.false_positive_rate;
    let flagged = of_new.iter().filter(|score| **score >= new.threshold).count();
    let most = at_most(rows.len(), rate);
    if flagged > most {
        return Some(format!(
            "it flags {flagged} of {} recent events; at most {most} agree with a stated share of {rate}",
            rows.len()
        ));
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|x, y| of_old[*y].total_cmp(&of_old[*x]).then(x.cmp(y)));
    let mut new_sorted = of_new.clone();
    new_sorted.sort_by(|x, y| y.total_cmp(x));
    let place = ((rows.len() as f64 * AMONG) as usize).max(STRONGEST);
    let least = new_sorted.get(place).copied().unwrap_or(0.0);
    // What many recent events are flagged for is a new habit; agreement is asked for on the rest.
    let mut habits: HashMap<u32, usize> = HashMap::new();
    let why: Vec<u32> = rows.iter().map(|row| old.spoken(row)).collect();
    why.iter().for_each(|features| *habits.entry(*features).or_default() += 1);
    let habit = (rows.len() / HABIT).max(most);
    let strongest: Vec<usize> = order
        .into_iter()
        .filter(|at| of_old[*at] >= old.threshold && habits[&why[*at]] <= habit)
        .take(STRONGEST)
        .collect();
    let agreed = strongest.iter().filter(|at| of_new[**at] >= least && of_new[**at] > 0.0).count();
    if (agreed as f64) < AGREED * strongest.len() as f64 {
        return Some(format!(
            "of the {} recent events that the serving model finds strangest it finds only {agreed} strange",
            strongest.len()
        ));
    }
    None
}

/// The number of flags among `n` that is exceeded by chance once in ten thousand times, when each
/// comes with this probability.
pub(crate) fn at_most(n: usize, rate: f64) -> usize {
    upper(n, rate, 1e-4)
}

/// The smallest k with P(X > k) <= `chance` for a binomial X.
pub(crate) fn upper(n: usize, rate: f64, chance: f64) -> usize {
    let (n_f, rate) = (n as f64, rate.clamp(1e-9, 0.999_999));
    let mut log_p = n_f * (1.0 - rate).ln();
    let mut sum = log_p.exp();
    let mut k = 0;
    while 1.0 - sum > chance && k < n {
        log_p += ((n_f - k as f64) / (k as f64 + 1.0) * rate / (1.0 - rate)).ln();
        sum += log_p.exp();
        k += 1;
    }
    k
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_correlations_and_bounds() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]), 1.0);
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0);
        assert_eq!(correlation(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
        // Binomial(10, 0.5): P(X > 8) = 11/1024, P(X > 7) = 56/1024.
        assert_eq!(upper(10, 0.5, 0.02), 8);
        assert_eq!(upper(10, 0.5, 0.06), 7);
        assert_eq!(upper(0, 0.5, 0.06), 0);
    }
}
