//! What joins lines: presets, a pattern of the user's own, bounds.

use regex::bytes::Regex;

/// A regular expression over the bytes of a line, as the crate `regex` reads it.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles it.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn new(text: &str) -> Result<Self, String> {
        // The words of the crate show the pattern and a pointer to the fault on lines of their own.
        Regex::new(text)
            .map(Self)
            .map_err(|error| error.to_string().lines().last().unwrap_or_default().to_owned())
    }

    pub(crate) fn is_match(&self, line: &[u8]) -> bool {
        self.0.is_match(line)
    }
}

/// How lines are joined, and how many at most.
#[derive(Debug, Clone)]
pub struct Joining {
    /// Whether traces, indented lines, cut lines and spread JSON are known.
    pub presets: bool,
    /// What the first line of each event matches; every other line continues the one before.
    pub start: Option<Pattern>,
    /// Longest event of several lines, in bytes.
    pub bytes_max: usize,
    /// Lines of an event at most.
    pub lines_max: usize,
}

impl Default for Joining {
    fn default() -> Self {
        Self { presets: true, start: None, bytes_max: 256 << 10, lines_max: 2000 }
    }
}
