//! The middle of numbers, and how far they lie from it: neither moves by a single odd one.

/// What makes the median absolute deviation of normal values their standard deviation (F. R. Hampel, "The influence curve
/// and its role in robust estimation", JASA 69, 1974).
const NORMAL: f64 = 1.4826;

/// The median: the mean of the two in the middle where they are even in number. None of nothing. Sorts them.
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(*values.get(middle - 1)?, upper) })
}

/// The median, and the median absolute deviation from it, as the standard deviation of normal values. None of nothing.
pub fn median_and_deviation(values: &mut [f64]) -> Option<(f64, f64)> {
    let middle = median(values)?;
    let mut off: Vec<f64> = values.iter().map(|one| (one - middle).abs()).collect();
    Some((middle, NORMAL * median(&mut off)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_odd_one_moves_neither() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [4.0, 1.0]), Some(2.5));
        assert_eq!(median_and_deviation(&mut [3.0, 1.0, 2.0]), Some((2.0, NORMAL)));
        assert_eq!(median_and_deviation(&mut [3.0, 1.0, 2.0, 2.0, 1e9]), Some((2.0, NORMAL)));
    }
}
