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
        // Nearly no line has one of the first three.
        let rare = Self::among(text, [(0x1b, Self::ESCAPE), (b'\n', Self::NEWLINE), (b'%', Self::PERCENT)]);
        let common = Self::among(text, [(b'"', Self::QUOTE), (b'=', Self::PAIR), (b'{', Self::PAIR)]);
        Self(rare | common)
    }

    fn among(text: &str, signs: [(u8, u8); 3]) -> u8 {
        let bytes = text.as_bytes();
        let [first, second, third] = signs.map(|(byte, _)| byte);
        let Some(at) = memchr::memchr3(first, second, third, bytes) else { return 0 };
        let has = |byte: u8| memchr::memchr(byte, &bytes[at..]).is_some();
        signs.iter().fold(0, |found, (byte, sign)| if has(*byte) { found | sign } else { found })
    }

    /// Whether the text has one of these.
    pub(crate) const fn has(self, signs: u8) -> bool {
        self.0 & signs != 0
    }
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
