//! Numbers in as few bytes as they need (LEB128), as the record in the journal and our files have them.

/// Appends a number: seven bits a byte, the lowest first; the high bit says that more follow.
#[inline]
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number off the front; None when the bytes end too early or hold more than 64 bits.
#[inline]
pub fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        if at == 9 && *byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * at);
        if *byte < 0x80 {
            *bytes = &bytes[at + 1..];
            return Some(value);
        }
    }
    None
}

/// A number with a sign as one without: small ones stay small whatever their sign.
#[inline]
pub const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// What [`zigzag`] made its argument of.
#[inline]
pub const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_round_trip_and_no_cut_one_does(shift in 0u32..64, number: u64, signed: i64) {
            let number = number >> shift;
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            for length in 0..bytes.len() {
                prop_assert_eq!(take(&mut &bytes[..length]), None);
            }
            bytes.push(0xff);
            let mut rest = bytes.as_slice();
            prop_assert_eq!((take(&mut rest), rest), (Some(number), &[0xff][..]));
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
        }
    }

    #[test]
    fn sixty_four_bits_and_no_more() {
        let most = [&[0xff; 9][..], &[1]].concat();
        let more = [&[0xff; 9][..], &[2]].concat();
        assert_eq!((take(&mut most.as_slice()), take(&mut more.as_slice())), (Some(u64::MAX), None));
        assert_eq!(take(&mut [0x80; 11].as_slice()), None);
        assert_eq!([zigzag(0), zigzag(-1), zigzag(1), zigzag(i64::MIN)], [0, 1, 2, u64::MAX]);
    }
}
