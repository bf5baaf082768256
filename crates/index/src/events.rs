//! Events as whoever looks at each of them needs them, whether they are a list or held otherwise.

use std::ops::Range;

use event::Analyzed;

use crate::IndexError;

/// Events that can be looked at one by one, however they are held.
pub trait Events {
    /// How many there are.
    fn count(&self) -> usize;

    /// Shows those of these numbers in turn; ends with the first error.
    ///
    /// # Errors
    /// Those of `look`.
    fn show(&self, numbers: Range<usize>, look: &mut Look<'_>) -> Result<(), IndexError>;
}

/// What is shown events, each with its number.
pub type Look<'l> = dyn FnMut(usize, &Analyzed<'_>) -> Result<(), IndexError> + 'l;

impl Events for Vec<Analyzed<'_>> {
    fn count(&self) -> usize {
        self.len()
    }

    fn show(&self, numbers: Range<usize>, look: &mut Look<'_>) -> Result<(), IndexError> {
        let shown = self.iter().enumerate().take(numbers.end).skip(numbers.start);
        shown.into_iter().try_for_each(|(number, analyzed)| look(number, analyzed))
    }
}

impl Events for &dyn Events {
    fn count(&self) -> usize {
        (**self).count()
    }

    fn show(&self, numbers: Range<usize>, look: &mut Look<'_>) -> Result<(), IndexError> {
        (**self).show(numbers, look)
    }
}
