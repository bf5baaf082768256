//! A few bytes beside others that restore a damaged part of them, as a parity disk does.
//!
//! ```text
//! shield    16 CRC-32C u32, one for each sixteenth of the bytes; then the exclusive or of all sixteenths
//! ```
//! The tables and the footer of a segment are needed for every row in it, so that one flipped bit there
//! would cost a million events. Whether what comes out is right is for the checksum of the whole to say.

const PARTS: usize = 16;

fn part_len(length: usize) -> usize {
    length.div_ceil(PARTS).max(1)
}

/// Bytes of the shield of so many bytes.
pub(super) fn shield_len(length: usize) -> usize {
    PARTS * 4 + part_len(length)
}

/// The shield of some bytes.
pub(super) fn shield(bytes: &[u8]) -> Vec<u8> {
    let length = part_len(bytes.len());
    let mut checksums = Vec::with_capacity(shield_len(bytes.len()));
    let mut parity = vec![0; length];
    for number in 0..PARTS {
        let part = part(bytes, number);
        checksums.extend_from_slice(&crc32c::crc32c(part).to_le_bytes());
        parity.iter_mut().zip(part).for_each(|(parity, byte)| *parity ^= byte);
    }
    checksums.extend_from_slice(&parity);
    checksums
}

/// Restores the one part that is damaged; leaves the bytes as they are when more are, or none.
pub(super) fn restore(bytes: &mut [u8], shield: &[u8]) {
    let Some((checksums, parity)) = shield.split_at_checked(PARTS * 4) else { return };
    let is_damaged = |number: &usize| {
        checksums.get(number * 4..number * 4 + 4) != Some(&crc32c::crc32c(part(bytes, *number)).to_le_bytes())
    };
    let damaged: Vec<usize> = (0..PARTS).filter(is_damaged).collect();
    let &[damaged] = damaged.as_slice() else { return };
    let mut restored = parity.to_vec();
    for number in (0..PARTS).filter(|number| *number != damaged) {
        restored.iter_mut().zip(part(bytes, number)).for_each(|(restored, byte)| *restored ^= byte);
    }
    let start = damaged * part_len(bytes.len());
    bytes.iter_mut().skip(start).zip(restored).for_each(|(byte, restored)| *byte = restored);
}

fn part(bytes: &[u8], number: usize) -> &[u8] {
    let length = part_len(bytes.len());
    let start = (number * length).min(bytes.len());
    &bytes[start..bytes.len().min(start + length)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_in_one_part_is_undone_whatever_the_length() {
        for length in [0, 1, 2, 15, 16, 17, 100, 1000, 1007] {
            let sound: Vec<u8> = (0..length).map(|at| (at * 7 % 251) as u8).collect();
            let shield = shield(&sound);
            assert_eq!(shield.len(), shield_len(length));
            for at in 0..length {
                let mut damaged = sound.clone();
                damaged[at] ^= 0x41;
                restore(&mut damaged, &shield);
                assert_eq!(damaged, sound, "{at} of {length}");
            }
        }
    }

    #[test]
    fn damage_in_two_parts_is_left() {
        let sound = vec![1; 160];
        let mut damaged = sound.clone();
        (damaged[5], damaged[155]) = (0, 0);
        let before = damaged.clone();
        restore(&mut damaged, &shield(&sound));
        assert_eq!(damaged, before);
    }
}
