//! A set of texts.

use std::{fmt, sync::Arc};

/// Texts to compare a value with. A look-up costs the same however many events are looked at, and a clone nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Texts(Arc<[String]>);

impl Texts {
    /// These, each once.
    pub fn new(texts: impl IntoIterator<Item = String>) -> Self {
        let mut texts: Vec<String> = texts.into_iter().collect();
        texts.sort_unstable();
        texts.dedup();
        Self(texts.into())
    }

    /// Whether this text is one of them.
    pub fn contains(&self, text: &str) -> bool {
        self.0.binary_search_by(|known| known.as_str().cmp(text)).is_ok()
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Debug for Texts {
    /// How many, the first and the last: there may be thousands, and caches go by this text before they compare.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Texts({}, {:?}, {:?})", self.0.len(), self.0.first(), self.0.last())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_contains_what_was_put_in_and_nothing_else() {
        let texts = Texts::new(["b", "a", "c", "a"].map(str::to_owned));
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(texts.contains("a") && texts.contains("c"));
        assert!(!texts.contains("") && !texts.contains("aa") && !texts.contains("d"));
        assert!(!Texts::new([]).contains(""));
    }
}
