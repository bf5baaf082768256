//! How often sessions of a kind were told of for the same reason since the kind was learned: what keeps
//! coming is no longer strange, long before it is learned anew.

use disk::sealed::{Reader, SealedError, Writer};

/// Reasons remembered; one more takes the place of the one told of least.
const SUBJECTS_MAX: usize = 64;

#[derive(Debug, Clone, Default)]
pub(super) struct Repeats {
    subjects: Vec<(u64, u32)>,
}

impl Repeats {
    /// Counts a session told of for this; says how many there were.
    pub(super) fn count(&mut self, subject: u64) -> u32 {
        if let Some((_, times)) = self.subjects.iter_mut().find(|(known, _)| *known == subject) {
            *times = times.saturating_add(1);
            return *times;
        }
        if self.subjects.len() < SUBJECTS_MAX {
            self.subjects.push((subject, 1));
        } else if let Some(least) = self.subjects.iter_mut().min_by_key(|(_, times)| *times) {
            *least = (subject, 1);
        }
        1
    }

    /// How many sessions were told of for this.
    pub(super) fn times(&self, subject: u64) -> u32 {
        self.subjects.iter().find(|(known, _)| *known == subject).map_or(0, |(_, times)| *times)
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.u32(self.subjects.len() as u32);
        for (subject, times) in &self.subjects {
            out.u64(*subject);
            out.u32(*times);
        }
    }

    pub(super) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let count = input.count(12, SUBJECTS_MAX)?;
        let subjects =
            (0..count).map(|_| Ok((input.u64()?, input.u32()?))).collect::<Result<_, SealedError>>()?;
        Ok(Self { subjects })
    }
}
