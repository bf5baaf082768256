//! What a journal says of itself.

use event::Position;

use crate::Problem;

/// Counters since the journal was opened, and its present state.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Bytes of segments and quarantine.
    pub bytes: u64,
    /// Bytes allowed.
    pub budget_bytes: u64,
    /// The last batch had no room within the budget, and would have none now.
    pub refusing: bool,
    /// Segment files.
    pub segments: u64,
    /// A write failed; nothing is accepted.
    pub poisoned: bool,
    /// The journal's files were deleted or moved away while it was open; nothing is accepted.
    pub gone: bool,
    /// Bytes free on the disk, where that is known.
    pub free_bytes: Option<u64>,
    /// Bytes of the disk that stay free.
    pub reserve_bytes: u64,
    /// Damaged records met.
    pub damaged_records: u64,
    /// Bytes of torn batches cut off when it was opened.
    pub truncated_bytes: u64,
    /// Records accepted.
    pub appended_records: u64,
    /// Batches accepted.
    pub appended_batches: u64,
    /// Times the disk was asked to make segments durable.
    pub syncs: u64,
    /// Bytes waiting for the writer.
    pub queued_bytes: u64,
    /// Live notes' bytes.
    pub notes_bytes: u64,
    /// Cursors by name.
    pub cursors: Vec<(String, Position)>,
    /// The first record there is.
    pub start: Position,
    /// Behind the last durable record.
    pub end: Position,
    /// Files that were not as they should be.
    pub problems: Vec<Problem>,
}

/// Problems that are told in full.
const TOLD_MAX: usize = 8;

impl Status {
    /// What was destroyed, in words, each with its file: empty when nothing was.
    pub fn damage(&self) -> Vec<String> {
        let told = self.problems.iter().take(TOLD_MAX);
        let mut damage: Vec<_> =
            told.map(|problem| format!("{}: {}", problem.path.display(), problem.what)).collect();
        if self.damaged_records > 0 {
            damage.push(format!(
                "{} records could not be read and are lost; the folder quarantine beside them keeps their bytes where \
                 there was room",
                self.damaged_records
            ));
        }
        damage
    }
}
