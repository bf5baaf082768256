//! Logarithms of positive numbers, fast and the same on every machine: verdicts depend on them.

/// To base 2, to about seven digits: the exponent, and of the mantissa between √½ and √2 the series
/// of the inverse hyperbolic tangent. Anything that is not positive and normal counts as the
/// smallest normal number.
#[inline]
pub fn log2(value: f32) -> f32 {
    const MANTISSA: u32 = 0x007f_ffff;
    const ROOT_HALF: u32 = 0x3f35_04f3;
    let bits = if value >= f32::MIN_POSITIVE { value.to_bits() } else { f32::MIN_POSITIVE.to_bits() };
    let above = bits.wrapping_sub(ROOT_HALF);
    let exponent = (above as i32) >> 23;
    let mantissa = f32::from_bits((above & MANTISSA) + ROOT_HALF);
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let square = t * t;
    let series = 1.0 + square * (1.0 / 3.0 + square * (0.2 + square * (1.0 / 7.0)));
    exponent as f32 + 2.0 * std::f32::consts::LOG2_E * t * series
}

/// To base 10.
#[inline]
pub fn log10(value: f32) -> f32 {
    std::f32::consts::LOG10_2 * log2(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_hold_over_all_magnitudes() {
        for value in [
            1e-30f32,
            0.001,
            0.4999,
            0.5,
            0.707,
            std::f32::consts::FRAC_1_SQRT_2,
            0.708,
            0.999,
            1.0,
            1.001,
            1.41,
            1.42,
            3.0,
            1e9,
            3e38,
        ] {
            let (found, exact) = (f64::from(log2(value)), f64::from(value).log2());
            assert!((found - exact).abs() <= 2e-6 + 2e-7 * exact.abs(), "{value}: {found} {exact}");
        }
        assert_eq!((log2(1.0), log2(8.0)), (0.0, 3.0));
        assert!([0.0, -1.0, f32::NAN].into_iter().all(|odd| log2(odd) == -126.0));
    }
}
