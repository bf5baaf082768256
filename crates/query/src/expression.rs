//! Regular expressions, within bounds of their size and so of the time that one takes.

use regex::{Regex, RegexBuilder};

/// Bytes of one as it is written.
const LENGTH_MAX: usize = 1024;
/// Bytes that one may take when it is compiled.
const COMPILED_MAX: usize = 32 << 10;
/// Bytes at the start of a text that are looked at.
const LOOK_BYTES: usize = 64 << 10;
/// Bytes that searching with one may take.
const CACHE_MAX: usize = 1 << 20;

/// A regular expression, in the syntax of the crate `regex`: without look-around and back references, and found in time
/// linear in the text. Equal to another that is written the same.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    ignores_case: bool,
    regex: Regex,
}

impl Expression {
    /// From its text.
    ///
    /// # Errors
    /// When it is none, or too large; the error says so in words.
    pub fn new(text: &str, ignores_case: bool) -> Result<Self, String> {
        if text.len() > LENGTH_MAX {
            return Err(format!("a regular expression has at most {LENGTH_MAX} bytes"));
        }
        let regex = RegexBuilder::new(text)
            .case_insensitive(ignores_case)
            .size_limit(COMPILED_MAX)
            .dfa_size_limit(CACHE_MAX)
            .build();
        let regex = regex.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                format!(
                    "this regular expression takes more than {} KiB; repeat less in it",
                    COMPILED_MAX >> 10
                )
            }
            // The last of several lines says what is wrong.
            error => {
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("this is no regular expression: {reason}")
            }
        })?;
        Ok(Self { text: text.to_owned(), ignores_case, regex })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is found in the first 64 KiB of a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(&text[..text.floor_char_boundary(LOOK_BYTES)])
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.ignores_case) == (&other.text, other.ignores_case)
    }
}
