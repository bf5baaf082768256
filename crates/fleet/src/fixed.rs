//! Numbers as they are kept: whole multiples of a small part of their unit.

use sample::Unit;

/// Greater numbers are taken for this; whole numbers up to here are exact.
const MAX: f64 = 9_007_199_254_740_992.0;

/// Digits behind the point that are kept of numbers of a unit: hundredths of percents, degrees and rates, whole bytes.
pub(crate) fn decimals(unit: Unit) -> u8 {
    match unit {
        Unit::Bytes | Unit::BytesPerSecond | Unit::Flag => 0,
        Unit::Percent
        | Unit::PercentOfCore
        | Unit::KilobytesPerSecond
        | Unit::PerSecond
        | Unit::Count
        | Unit::Celsius => 2,
        Unit::Seconds | Unit::Offset | Unit::Unknown => 3,
    }
}

fn scale(decimals: u8) -> f64 {
    10_f64.powi(i32::from(decimals))
}

/// A number as it is kept, rounded.
pub(crate) fn keep(number: f64, decimals: u8) -> i64 {
    (number * scale(decimals)).round().clamp(-MAX, MAX) as i64
}

/// The number again.
pub(crate) fn give(kept: i64, decimals: u8) -> f64 {
    kept as f64 / scale(decimals)
}

/// The mean of several.
pub(crate) fn mean(sum: i128, count: u64, decimals: u8) -> f64 {
    sum as f64 / count.max(1) as f64 / scale(decimals)
}
