//! What is wrong, said once and not again until it was well.

use std::collections::BTreeMap;

/// More things are not told apart.
const KNOWN_MAX: usize = 256;

/// What was said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Why, by what is wrong.
    known: BTreeMap<String, String>,
}

/// What has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Is wrong, and was not or was for another reason.
    pub(crate) new: Vec<(String, String)>,
    /// Was wrong, and is well.
    pub(crate) well: Vec<String>,
}

impl Said {
    /// Takes all that is wrong at present.
    pub(crate) fn now(&mut self, wrong: impl IntoIterator<Item = (String, String)>) -> Changes {
        let now: BTreeMap<_, _> = wrong.into_iter().take(KNOWN_MAX).collect();
        let new = now.iter().filter(|(what, reason)| self.known.get(*what) != Some(reason));
        let new = new.map(|(what, reason)| (what.clone(), reason.clone())).collect();
        let well = self.known.keys().filter(|what| !now.contains_key(*what)).cloned().collect();
        self.known = now;
        Changes { new, well }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_and_that_it_is_well_again() {
        let mut said = Said::default();
        let wrong = || [("eth9".to_owned(), "there is no such interface".to_owned())];
        assert_eq!(said.now(wrong()), Changes { new: wrong().to_vec(), well: vec![] });
        assert_eq!(said.now(wrong()), Changes::default());
        assert_eq!(said.now([]), Changes { new: vec![], well: vec!["eth9".to_owned()] });
        assert_eq!(said.now(wrong()).new.len(), 1);
    }
}
