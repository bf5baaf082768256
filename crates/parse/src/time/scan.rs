//! A cursor over the bytes of a time stamp.

/// Each method moves on only when it succeeds.
pub(super) struct Scan<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) at: usize,
}

/// A time of day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) hour: i8,
    pub(super) minute: i8,
    pub(super) second: i8,
    pub(super) nanos: i32,
}

const MONTHS: [&[u8]; 12] = [
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
];
const WEEKDAYS: [&[u8]; 7] =
    [b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];

/// The first three letters of names as numbers, which are compared at once.
const fn keys<const COUNT: usize>(names: &[&[u8]; COUNT]) -> [u32; COUNT] {
    let mut keys = [0; COUNT];
    let mut at = 0;
    while at < COUNT {
        keys[at] = u32::from_le_bytes([names[at][0], names[at][1], names[at][2], 0]);
        at += 1;
    }
    keys
}

const MONTH_KEYS: [u32; 12] = keys(&MONTHS);
const WEEKDAY_KEYS: [u32; 7] = keys(&WEEKDAYS);

impl<'b> Scan<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'b [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// What the function reads, or nothing and no step.
    pub(super) fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let start = self.at;
        let found = read(self);
        if found.is_none() {
            self.at = start;
        }
        found
    }

    pub(super) fn byte(&mut self, wanted: impl Fn(u8) -> bool) -> Option<u8> {
        let byte = self.peek().filter(|byte| wanted(*byte))?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn is(&mut self, wanted: u8) -> Option<()> {
        self.byte(|byte| byte == wanted).map(|_| ())
    }

    pub(super) fn text(&mut self, wanted: &[u8]) -> Option<()> {
        self.rest().starts_with(wanted).then(|| self.at += wanted.len())
    }

    /// Whether no letter or digit follows.
    pub(super) fn ends(&self) -> Option<()> {
        self.peek().is_none_or(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_')).then_some(())
    }

    /// How many digits follow.
    pub(super) fn run(&self) -> usize {
        self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// A number of exactly so many digits, at most 4; more may follow.
    pub(super) fn digits(&mut self, count: usize) -> Option<i16> {
        let digits = self.bytes.get(self.at..self.at + count)?;
        let value = digits.iter().try_fold(0i16, |sum, byte| {
            byte.is_ascii_digit().then(|| sum.wrapping_mul(10).wrapping_add(i16::from(byte - b'0')))
        })?;
        self.at += count;
        Some(value)
    }

    pub(super) fn two(&mut self) -> Option<i8> {
        let [tens, ones] = self.rest().first_chunk::<2>()?.map(|byte| byte.wrapping_sub(b'0'));
        if tens > 9 || ones > 9 {
            return None;
        }
        self.at += 2;
        Some((tens * 10 + ones) as i8)
    }

    /// A day or hour of one or two digits, the first of which may be a blank.
    pub(super) fn one_or_two(&mut self) -> Option<i8> {
        self.maybe(|scan| {
            let padded = scan.is(b' ').is_some();
            if !padded && let Some(value) = scan.two() {
                return Some(value);
            }
            scan.digits(1).map(|value| value as i8)
        })
    }

    /// The name of a month, whole or its first three letters, a point after these or not.
    pub(super) fn month(&mut self) -> Option<i8> {
        self.name(&MONTHS, &MONTH_KEYS).map(|index| index as i8 + 1)
    }

    pub(super) fn weekday(&mut self) -> Option<()> {
        self.name(&WEEKDAYS, &WEEKDAY_KEYS).map(|_| ())
    }

    fn name(&mut self, names: &[&[u8]], keys: &[u32]) -> Option<usize> {
        // What is a letter of a name once this bit is set was that letter before, in either case.
        let [first, second, third] = self.rest().first_chunk::<3>()?.map(|byte| byte | 0x20);
        let key = u32::from_le_bytes([first, second, third, 0]);
        let index = keys.iter().position(|known| *known == key)?;
        let name = names[index];
        let goes_on = self.rest().get(3).is_some_and(u8::is_ascii_alphabetic);
        let is_whole =
            goes_on && self.rest().get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name));
        self.at += if is_whole { name.len() } else { 3 };
        let _ = self.is(b'.');
        Some(index)
    }

    /// `21:59:01`, `9:59`, `9:59:01 PM`, with a fraction after a point, comma or colon.
    pub(super) fn clock(&mut self) -> Option<Clock> {
        self.maybe(|scan| {
            let hour = scan.one_or_two()?;
            let separator = scan.byte(|byte| byte == b':' || byte == b'.')?;
            let minute = scan.two()?;
            let seconds = scan.maybe(|scan| {
                scan.is(separator)?;
                scan.two()
            });
            let (second, nanos) = match seconds {
                Some(second) => (second, scan.fraction()),
                // Hours and minutes alone, but nothing that goes on like a number or an address.
                None if separator == b':' => {
                    let next = scan.peek();
                    next.is_none_or(|byte| matches!(byte, b' ' | b']' | b'Z' | b'+' | b'-' | b'|' | b'\t'))
                        .then_some((0, 0))?
                }
                None => return None,
            };
            let hour = scan.half_of_day(hour);
            Some(Clock { hour, minute, second, nanos })
        })
    }

    /// `215901` or `2159`, with a fraction.
    pub(super) fn compact_clock(&mut self) -> Option<Clock> {
        let (hour, minute) = (self.two()?, self.two()?);
        let second = self.two().unwrap_or_default();
        Some(Clock { hour, minute, second, nanos: self.fraction() })
    }

    /// After a point any digits, after a comma or colon three, six or nine; these tell fractions from lists.
    pub(super) fn fraction(&mut self) -> i32 {
        let read = self.maybe(|scan| {
            let mark = scan.byte(|byte| matches!(byte, b'.' | b',' | b':'))?;
            let length = scan.run();
            let whole = match mark {
                b'.' => length > 0,
                _ => matches!(length, 3 | 6 | 9),
            };
            let digits = scan.rest().get(..length).filter(|_| whole)?;
            scan.at += length;
            if mark == b':' && scan.peek() == Some(b':') {
                return None;
            }
            let mut unit = 1_000_000_000;
            Some(digits.iter().fold(0, |nanos, digit| {
                unit /= 10;
                nanos + i32::from(digit - b'0') * unit
            }))
        });
        read.unwrap_or_default()
    }

    /// The hour of 24 for one of 12 and `AM` or `PM`; where neither stands there, the hour as it is.
    pub(super) fn half_of_day(&mut self, hour: i8) -> i8 {
        // Nearly always neither stands there.
        let is_none = |byte: Option<&u8>| !matches!(byte, Some(b'A' | b'a' | b'P' | b'p' | 0x80..));
        if is_none(self.rest().first()) && (self.peek() != Some(b' ') || is_none(self.rest().get(1))) {
            return hour;
        }
        let half = self.maybe(|scan| {
            // A blank, one that keeps words together, or none.
            let _ = scan.is(b' ').or_else(|| scan.text(b"\xe2\x80\xaf")).or_else(|| scan.text(b"\xc2\xa0"));
            let half = scan.byte(|byte| matches!(byte, b'A' | b'a' | b'P' | b'p'))?.to_ascii_lowercase();
            let dotted = scan.is(b'.').is_some();
            scan.byte(|byte| matches!(byte, b'M' | b'm'))?;
            if dotted {
                let _ = scan.is(b'.');
            }
            scan.ends()?;
            Some(half)
        });
        match half {
            Some(b'a') if hour == 12 => 0,
            Some(b'p') if (1..12).contains(&hour) => hour + 12,
            _ => hour,
        }
    }
}
