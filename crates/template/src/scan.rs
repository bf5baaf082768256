//! One pass over a message: its variables and the hash of what stands between them.

use event::{Variable, VariableKind};

use crate::{
    hash::Hash,
    kinds::{self, ALPHA, CLASS, DIGIT, HEX, HEXDIGIT, JOINT, LOWER, MARK, UPPER, WIDE, WORD, class, run},
};

/// How much of a message is looked at; what follows is one variable.
pub(crate) const BYTES_MAX: usize = 8 << 10;
/// How many variables are told apart; what follows is one more.
pub(crate) const VARIABLES_MAX: usize = 256;
/// The longest quoted text taken as a whole.
const QUOTED_MAX: usize = 512;

/// Appends the message's variables and returns its shape.
#[inline]
pub(crate) fn scan(message: &str, variables: &mut Vec<Variable>) -> u64 {
    let mut limit = message.len();
    if limit > BYTES_MAX {
        limit = BYTES_MAX;
        while !message.is_char_boundary(limit) {
            limit -= 1;
        }
    }
    let mut scan = Scan {
        text: &message.as_bytes()[..limit],
        at: 0,
        literal: 0,
        hash: Hash::new(),
        variables,
        left: VARIABLES_MAX,
    };
    scan.run();
    // Rows count positions in 32 bits.
    let end = message.len().min(u32::MAX as usize);
    let (literal, at) = (scan.literal, scan.at);
    if at < end {
        // Cut short: everything from here on is one text.
        let mut start = at.max(literal);
        while !message.is_char_boundary(start) {
            start -= 1;
        }
        scan.emit_of(message.as_bytes(), VariableKind::Text, start, end);
    }
    let tail = scan.literal;
    scan.hash.text(message.as_bytes().get(tail..).unwrap_or_default());
    scan.hash.finish()
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// Start of the literal text not hashed yet.
    literal: usize,
    hash: Hash,
    variables: &'a mut Vec<Variable>,
    left: usize,
}

impl Scan<'_> {
    #[inline]
    fn emit(&mut self, kind: VariableKind, start: usize, end: usize) {
        self.emit_of(self.text, kind, start, end);
    }

    #[inline]
    fn emit_of(&mut self, text: &[u8], kind: VariableKind, start: usize, end: usize) {
        self.hash.text(text.get(self.literal..start).unwrap_or_default());
        self.hash.number(kind as u64);
        self.variables.push(Variable { kind, start: start as u32, end: end as u32 });
        self.literal = end;
        self.at = end;
        self.left = self.left.saturating_sub(1);
    }

    fn run(&mut self) {
        let text = self.text;
        while self.at < text.len() && self.left > 0 {
            let start = self.at;
            let first = CLASS[text[start] as usize];
            if first == 0 {
                self.separator(text[start]);
                continue;
            }
            let (mut end, mut seen) = (start, 0);
            while end < text.len() {
                let class = CLASS[text[end] as usize];
                if class == 0 {
                    break;
                }
                seen |= class;
                end += 1;
            }
            self.word(start, end, seen);
        }
    }

    #[inline]
    fn separator(&mut self, byte: u8) {
        let start = self.at;
        let handled = match byte {
            b'"' | b'\'' => self.quoted(byte),
            b':' if self.text.get(start + 1) == Some(&b':') => match kinds::ipv6(self.text, start) {
                Some(end) if start == 0 || class(self.text, start - 1) == 0 => {
                    self.emit(VariableKind::Ip, start, end);
                    true
                }
                _ => false,
            },
            _ => false,
        };
        if !handled {
            self.at = start + 1;
        }
    }

    /// Takes in a quoted text as one variable, unless it is a key, empty, a request line, or no quotation at all.
    fn quoted(&mut self, quote: u8) -> bool {
        let (text, start) = (self.text, self.at + 1);
        if self.at > 0 && class(text, self.at - 1) & WORD != 0 {
            return false;
        }
        let window = &text[start..text.len().min(start + QUOTED_MAX)];
        let mut from = 0;
        let end = loop {
            match memchr::memchr2(quote, b'\\', &window[from..]) {
                None => return false,
                Some(at) if window[from + at] == b'\\' => {
                    from += at + 2;
                    if from >= window.len() {
                        return false;
                    }
                }
                Some(at) => break start + from + at,
            }
        };
        let inside = &text[start..end];
        let behind = text.get(end + 1).copied().unwrap_or(b' ');
        if inside.is_empty() || CLASS[behind as usize] & WORD != 0 {
            return false;
        }
        if quote == b'"' && behind == b':' {
            // A key of a JSON object: literal.
            self.at = end + 1;
            return inside.iter().all(|byte| !byte.is_ascii_digit());
        }
        let verb = run(inside, 0, UPPER);
        if verb >= 3 && inside.get(verb) == Some(&b' ') && inside.get(verb + 1) == Some(&b'/') {
            return false;
        }
        if inside.first() == Some(&b' ') && inside.last() != Some(&b' ') {
            return false;
        }
        let kind = self.kind_of(start, end);
        self.emit(kind, start, end);
        self.at = end + 1;
        true
    }

    /// The kind of a whole quoted text.
    fn kind_of(&self, start: usize, end: usize) -> VariableKind {
        let inside = &self.text[start..end];
        if inside.iter().all(u8::is_ascii_digit) {
            VariableKind::Integer
        } else if kinds::uuid(inside, 0) == Some(inside.len()) {
            VariableKind::Uuid
        } else if kinds::ipv4(inside, 0) == Some(inside.len()) {
            VariableKind::Ip
        } else {
            VariableKind::Text
        }
    }

    /// Whether the text before `start` is `key=`.
    fn is_value(&self, start: usize) -> bool {
        start >= 2 && self.text[start - 1] == b'=' && class(self.text, start - 2) & (WORD | MARK) != 0
    }

    #[inline]
    fn word(&mut self, start: usize, end: usize, seen: u8) {
        if seen & (DIGIT | JOINT) == 0 {
            self.plain(start, end, seen);
        } else {
            self.marked(start, end, seen);
        }
    }

    /// A word of letters and marks.
    #[inline]
    fn plain(&mut self, start: usize, end: usize, seen: u8) {
        let text = self.text;
        if self.is_value(start) {
            return self.emit(VariableKind::Text, start, end);
        }
        let length = end - start;
        if length == 3 && CLASS[text[start] as usize] & UPPER != 0 {
            if let Some(end) = kinds::name_time(text, start) {
                return self.emit(VariableKind::Time, start, end);
            }
        } else if text.get(end) == Some(&b':') && seen & (UPPER | WIDE) == 0 {
            if text.get(end + 1) == Some(&b'/') && text.get(end + 2) == Some(&b'/') {
                return self.emit(VariableKind::Path, start, kinds::path_end(text, start, true));
            }
            if length <= 4 && seen & !(LOWER | HEX) == 0 && self.address(start) {
                return;
            }
        }
        if length >= 8 && run(text, start, HEX) == end {
            return self.emit(VariableKind::Hex, start, end);
        }
        self.at = end;
    }

    /// IPv6 and MAC addresses.
    fn address(&mut self, start: usize) -> bool {
        if let Some(end) = kinds::mac(self.text, start) {
            self.emit(VariableKind::Text, start, end);
        } else if let Some(end) = kinds::ipv6(self.text, start) {
            self.emit(VariableKind::Ip, start, end);
        } else {
            return false;
        }
        true
    }

    /// A word with digits, dots, slashes or `@`.
    fn marked(&mut self, start: usize, end: usize, seen: u8) {
        let text = self.text;
        let first = text[start];
        if CLASS[first as usize] & DIGIT != 0 {
            // The common case first: a plain number.
            if seen & !DIGIT == 0 && end - start > 4 {
                return self.emit(VariableKind::Integer, start, end);
            }
            if let Some(end) = kinds::digit_time(text, start) {
                return self.emit(VariableKind::Time, start, end);
            }
        }
        if CLASS[first as usize] & HEXDIGIT != 0 {
            if let Some(end) = kinds::uuid(text, start) {
                return self.emit(VariableKind::Uuid, start, end);
            }
            if text.get(end) == Some(&b':') && end - start <= 4 && self.address(start) {
                return;
            }
            if seen & !DIGIT == 0 {
                return self.emit(VariableKind::Integer, start, end);
            }
        }
        if seen & JOINT == 0 {
            return self.pieces(start, end);
        }
        if first == b'/' {
            if class(text, start + 1) & (ALPHA | WIDE | MARK) != 0 || text.get(start + 1) == Some(&b'.') {
                return self.emit(VariableKind::Path, start, kinds::path_end(text, start, false));
            }
            if end - start > 1 {
                self.at = start + 1;
                return;
            }
        }
        let mut stop = end;
        while stop > start && matches!(text[stop - 1], b'.' | b'-' | b'!' | b'?') {
            stop -= 1;
        }
        let word = &text[start..stop];
        if CLASS[first as usize] & DIGIT != 0
            && let Some(end) = kinds::ipv4(text, start)
        {
            return self.emit(VariableKind::Ip, start, end);
        }
        if seen & WIDE == 0 && kinds::host(word) {
            return self.emit(VariableKind::Host, start, stop);
        }
        if let Some(slash) = memchr::memchr(b'/', word)
            && let more = memchr::memchr(b'/', &word[slash + 1..]).is_some()
            && (more || matches!(first, b'.' | b'~'))
            && word.iter().filter(|byte| CLASS[**byte as usize] & ALPHA != 0).count() > 2
        {
            return self.emit(VariableKind::Path, start, kinds::path_end(text, start, false).min(stop));
        }
        if let Some(at) = memchr::memchr(b'@', word)
            && at > 0
            && at + 1 < word.len()
            && seen & WIDE == 0
        {
            return self.emit(VariableKind::Text, start, stop);
        }
        if self.is_value(start) && seen & DIGIT == 0 && stop > start {
            return self.emit(VariableKind::Text, start, stop);
        }
        if seen & DIGIT == 0 {
            self.at = end;
            return;
        }
        self.pieces(start, end);
    }

    /// Takes the digits out of a word.
    fn pieces(&mut self, start: usize, end: usize) {
        let text = self.text;
        if self.is_value(start) && self.mixed(start, end) {
            return self.emit(VariableKind::Text, start, end);
        }
        let mut at = start;
        while at < end && self.left > 0 {
            let class_here = CLASS[text[at] as usize];
            if class_here & WORD == 0 {
                at += 1;
                continue;
            }
            let stop = run(text, at, WORD).min(end);
            if class_here & DIGIT != 0
                && let Some(address) = kinds::ipv4(text, at)
                && (at == start || text[at - 1] != b'.')
            {
                self.emit(VariableKind::Ip, at, address);
                at = address;
                continue;
            }
            self.piece(at, stop, end);
            at = self.at.max(stop);
        }
        self.at = at;
    }

    /// Whether digits and letters alternate so that no literal part is worth keeping.
    fn mixed(&self, start: usize, end: usize) -> bool {
        let (mut runs, mut digit, mut letters) = (0, false, false);
        for &byte in &self.text[start..end] {
            let now = byte.is_ascii_digit();
            runs += usize::from(now && !digit);
            digit = now;
            letters |= CLASS[byte as usize] & (ALPHA | WIDE) != 0;
        }
        letters && runs > 2
    }

    /// One run of letters and digits within a word.
    fn piece(&mut self, start: usize, stop: usize, end: usize) {
        let text = self.text;
        let piece = &text[start..stop];
        let mut runs = 0;
        let (mut seen, mut previous, mut hex) = (0, 0, true);
        for &byte in piece {
            let class = CLASS[byte as usize];
            runs += usize::from(class & DIGIT != 0 && previous & DIGIT == 0);
            seen |= class;
            hex &= class & HEXDIGIT != 0;
            previous = class;
        }
        if seen & DIGIT == 0 {
            if hex && stop - start >= 8 {
                self.emit(VariableKind::Hex, start, stop);
            }
            return;
        }
        if seen & !DIGIT == 0 {
            // A fraction, when nothing but one point joins two runs of digits.
            if text.get(stop) == Some(&b'.') && (start == 0 || text[start - 1] != b'.') {
                let fraction = run(text, stop + 1, DIGIT);
                if fraction > stop + 1 && fraction <= end && text.get(fraction) != Some(&b'.') {
                    return self.emit(VariableKind::Number, start, fraction);
                }
            }
            return self.emit(VariableKind::Integer, start, stop);
        }
        if piece.len() > 2
            && piece[0] == b'0'
            && matches!(piece[1], b'x' | b'X')
            && run(piece, 2, HEXDIGIT) == piece.len()
        {
            return self.emit(VariableKind::Hex, start, stop);
        }
        if hex && piece.len() >= 6 {
            return self.emit(VariableKind::Hex, start, stop);
        }
        if runs > 2 || runs == 2 && piece.len() >= 12 && seen & UPPER != 0 && seen & LOWER != 0 {
            return self.emit(VariableKind::Text, start, stop);
        }
        // `ssh2`, `ext3`: the digit belongs to the name.
        if runs == 1
            && piece.len() > 2
            && previous & DIGIT != 0
            && CLASS[piece[piece.len() - 2] as usize] & ALPHA != 0
        {
            return;
        }
        let mut at = start;
        while at < stop {
            let digits = run(text, at, DIGIT);
            if digits == at {
                at += 1;
            } else {
                let digits = digits.min(stop);
                self.emit(VariableKind::Integer, at, digits);
                at = digits;
            }
        }
    }
}
