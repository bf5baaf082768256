//! The text of a file in parts that each fit into a request.

use std::io::{self, BufRead, Read};

use parse::{
    Joining,
    utf16::{self, Order},
};

/// A request carries about so much text; lines are never split.
const REQUEST_BYTES: usize = 4 << 20;
/// No more of a line is sent.
const LINE_BYTES: u64 = 16 << 20;
/// No part is longer: a line behind what is nearly a request, and its newline.
const PART_BYTES_MAX: usize = REQUEST_BYTES + LINE_BYTES as usize + 1;

/// The text of a file in parts.
pub(crate) struct Chunks<R> {
    reader: R,
    /// Read, and of the next part.
    rest: Vec<u8>,
    joining: Option<Joining>,
    is_begun: bool,
    /// Of text in UTF-16.
    order: Option<Order>,
    /// The last line had no newline, and was given one.
    ends_within_line: bool,
}

impl<R: BufRead> Chunks<R> {
    /// Parts of what a reader gives. No event that `joining` tells of is split.
    pub(crate) fn new(reader: R, joining: Option<Joining>) -> Self {
        Self { reader, rest: Vec::new(), joining, is_begun: false, order: None, ends_within_line: false }
    }

    /// About [`REQUEST_BYTES`] of whole events; empty at the end. What a line has beyond [`LINE_BYTES`] is skipped, so
    /// that a file without newlines cannot fill the memory; the collector cuts lines earlier anyway. Each part of text
    /// in UTF-16 begins with a byte order mark.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn next(&mut self) -> io::Result<Vec<u8>> {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.order = utf16::order(self.reader.fill_buf()?);
        }
        match self.order {
            Some(order) => self.wide(order),
            None => self.lines(),
        }
    }

    /// Whether all was given.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.rest.is_empty() && self.reader.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    /// Whether the text ended without a newline: the last part has one more byte than the text.
    pub(crate) fn ends_within_line(&self) -> bool {
        self.ends_within_line
    }

    /// Reads on behind a part until it has so many bytes, or the file ends; not for a length that no part has.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read_on(&mut self, part: &mut Vec<u8>, bytes: usize) -> io::Result<()> {
        if bytes > PART_BYTES_MAX {
            return Ok(());
        }
        while part.len() < bytes {
            let missing = bytes - part.len();
            let read = if !self.rest.is_empty() {
                part.extend(self.rest.drain(..missing.min(self.rest.len())));
                true
            } else if self.order.is_some() {
                self.reader.by_ref().take(missing as u64).read_to_end(part)? > 0
            } else {
                self.line(part)?
            };
            if !read {
                break;
            }
        }
        Ok(())
    }

    /// What was read and is not wanted yet: the next part begins with it.
    pub(crate) fn give_back(&mut self, mut bytes: Vec<u8>) {
        bytes.append(&mut self.rest);
        self.rest = bytes;
    }

    /// Reads one line more; false at the end.
    fn line(&mut self, chunk: &mut Vec<u8>) -> io::Result<bool> {
        if self.reader.by_ref().take(LINE_BYTES).read_until(b'\n', chunk)? == 0 {
            return Ok(false);
        }
        if chunk.last() != Some(&b'\n') {
            self.ends_within_line = self.reader.skip_until(b'\n')? == 0;
            chunk.push(b'\n');
        }
        Ok(true)
    }

    fn lines(&mut self) -> io::Result<Vec<u8>> {
        let mut chunk = Vec::with_capacity(REQUEST_BYTES + (64 << 10));
        chunk.append(&mut self.rest);
        while chunk.len() < REQUEST_BYTES {
            if !self.line(&mut chunk)? {
                return Ok(chunk);
            }
        }
        // What was given back may be more than a part.
        let newline = chunk[REQUEST_BYTES - 1..].iter().position(|byte| *byte == b'\n');
        let beyond = chunk.split_off(newline.map_or(chunk.len(), |at| REQUEST_BYTES + at));
        let complete = self.joining.as_ref().map_or(chunk.len(), |joining| joining.complete(&chunk).bytes);
        if complete > 0 {
            self.rest = chunk.split_off(complete);
        }
        self.rest.extend(beyond);
        Ok(chunk)
    }

    fn wide(&mut self, order: Order) -> io::Result<Vec<u8>> {
        let mark: [u8; 2] = if order == Order::Little { [0xff, 0xfe] } else { [0xfe, 0xff] };
        let mut chunk = std::mem::take(&mut self.rest);
        // What was given back may be more than a part.
        let beyond = chunk.split_off(chunk.len().min(REQUEST_BYTES));
        let missing = REQUEST_BYTES.saturating_sub(chunk.len()) as u64;
        self.reader.by_ref().take(missing).read_to_end(&mut chunk)?;
        if chunk.len() >= REQUEST_BYTES {
            let newline = utf16::units(&chunk, order).enumerate().filter(|(_, unit)| *unit == 0x0a).last();
            // A line that is longer is cut between characters.
            let end = newline.map_or(chunk.len() & !1, |(at, _)| 2 * at + 2);
            self.rest = chunk.split_off(end);
        }
        self.rest.extend(beyond);
        if !chunk.is_empty() && !chunk.starts_with(&mark) {
            chunk.splice(0..0, mark);
        }
        Ok(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_never_split_and_long_ones_are_cut() {
        let mut text = b"short\n".to_vec();
        text.extend(vec![b'x'; 2 * LINE_BYTES as usize]);
        text.extend(b"\nlast without newline");
        let mut chunks = Chunks::new(text.as_slice(), None);
        let mut all = vec![];
        loop {
            let chunk = chunks.next().unwrap();
            if chunk.is_empty() {
                break;
            }
            assert_eq!(chunk.last(), Some(&b'\n'));
            all.extend(chunk);
        }
        assert!(chunks.ends_within_line());
        let lines: Vec<_> = all.split(|byte| *byte == b'\n').collect();
        assert_eq!(lines[0], b"short");
        assert_eq!(lines[1].len(), LINE_BYTES as usize);
        assert_eq!(lines[2], b"last without newline");
    }

    #[test]
    fn no_event_is_split() {
        let trace = "2026-10-22 21:59:01 ERROR failed\n\tat a.B\n\tat a.C\n";
        let text = trace.repeat(3 * REQUEST_BYTES / trace.len());
        let mut chunks = Chunks::new(text.as_bytes(), Some(Joining::default()));
        let mut all = vec![];
        loop {
            let chunk = chunks.next().unwrap();
            if chunk.is_empty() {
                break;
            }
            assert!(chunk.starts_with(b"2026") && chunk.ends_with(b"a.C\n"));
            all.extend(chunk);
        }
        assert!(all == text.as_bytes());
    }

    #[test]
    fn wide_characters_are_never_split() {
        let text = "Größe 1\n\u{10a00} und Ċ 2\n".repeat(300_000);
        for (order, encode) in
            [(Order::Little, u16::to_le_bytes as fn(u16) -> [u8; 2]), (Order::Big, u16::to_be_bytes)]
        {
            let wide: Vec<u8> =
                "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(encode).collect();
            let mut chunks = Chunks::new(io::BufReader::new(wide.as_slice()), Some(Joining::default()));
            let (mut all, mut parts) = (String::new(), 0);
            loop {
                let chunk = chunks.next().unwrap();
                if chunk.is_empty() {
                    break;
                }
                assert_eq!(utf16::order(&chunk), Some(order));
                let part = utf16::decoded(&chunk, order);
                assert!(part.ends_with('\n'));
                all.push_str(&part);
                parts += 1;
            }
            assert!(all == text && parts > 1);
        }
    }

    #[test]
    fn what_is_given_back_is_the_start_of_the_next_part() {
        let narrow: Vec<u8> = (0..900_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let wide: Vec<u8> =
            String::from_utf8(narrow.clone()).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (text, mark) in [(narrow, &[][..]), ([&[0xff, 0xfe][..], &wide].concat(), &[0xff, 0xfe])] {
            let mut chunks = Chunks::new(text.as_slice(), None);
            let mut first = chunks.next().unwrap();
            let bytes = first.len();
            chunks.read_on(&mut first, bytes + 100).unwrap();
            assert!(first.len() >= bytes + 100 && text.starts_with(&first));
            chunks.read_on(&mut first, 2 * REQUEST_BYTES + 10).unwrap();
            assert!(first.len() >= 2 * REQUEST_BYTES + 10 && text.starts_with(&first));
            chunks.give_back(first.split_off(1000));
            let (mut all, mut longest) = (first, 0);
            loop {
                let chunk = chunks.next().unwrap();
                if chunk.is_empty() {
                    break;
                }
                longest = longest.max(chunk.len());
                all.extend(chunk.strip_prefix(mark).unwrap());
            }
            assert!(all == text && longest < REQUEST_BYTES + 100, "{longest}");
        }
    }

    #[test]
    fn nothing_is_read_for_a_length_that_no_part_has() {
        let mut chunks = Chunks::new(&b"one\ntwo\n"[..], None);
        let mut part = vec![];
        chunks.read_on(&mut part, PART_BYTES_MAX + 1).unwrap();
        assert!(part.is_empty());
        chunks.read_on(&mut part, PART_BYTES_MAX).unwrap();
        assert_eq!(part, b"one\ntwo\n");
    }
}
