//! Bytes that only some formats have: looked for in a line at once, so that no format looks for its own where there is
//! none.

/// Which of these bytes a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signs(u8);

impl Signs {
    /// That which begins the colours of a terminal.
    pub(crate) const ESCAPE: u8 = 1;
    pub(crate) const NEWLINE: u8 = 1 << 1;
    /// A double quote.
    pub(crate) const QUOTE: u8 = 1 << 2;
    pub(crate) const PERCENT: u8 = 1 << 3;
    /// What pairs and objects have: `=` or `{`.
    pub(crate) const PAIR: u8 = 1 << 4;

    pub(crate) fn of(text: &str) -> Self {
        const LANES: usize = 16;
        let bytes = text.as_bytes();
        let Some(last) = bytes.last_chunk::<LANES>() else {
            return Self(bytes.iter().fold(0, |signs, byte| signs | sign(*byte)));
        };
        let (chunks, _) = bytes.as_chunks::<LANES>();
        let mut lanes = [0; LANES];
        // The last chunk overlaps the one before.
        for chunk in chunks.iter().chain([last]) {
            for (lane, byte) in lanes.iter_mut().zip(chunk) {
                *lane |= sign(*byte);
            }
        }
        Self(lanes.iter().fold(0, |signs, lane| signs | lane))
    }

    /// Whether the text has one of these.
    pub(crate) const fn has(self, signs: u8) -> bool {
        self.0 & signs != 0
    }
}

/// Without a branch, so that many bytes are looked at together.
const fn sign(byte: u8) -> u8 {
    (byte == 0x1b) as u8
        | ((byte == b'\n') as u8) << 1
        | ((byte == b'"') as u8) << 2
        | ((byte == b'%') as u8) << 3
        | ((byte == b'=') as u8 | (byte == b'{') as u8) << 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_found_wherever_it_stands() {
        for (sign, expected) in [
            ('\u{1b}', Signs::ESCAPE),
            ('\n', Signs::NEWLINE),
            ('"', Signs::QUOTE),
            ('%', Signs::PERCENT),
            ('=', Signs::PAIR),
            ('{', Signs::PAIR),
            ('x', 0),
        ] {
            for length in [1, 2, 15, 16, 17, 31, 32, 33, 100] {
                for at in 0..length {
                    let text: String =
                        (0..length).map(|place| if place == at { sign } else { 'é' }).collect();
                    assert_eq!(Signs::of(&text), Signs(expected), "{text:?}");
                }
            }
        }
        assert_eq!(Signs::of(""), Signs(0));
    }
}
