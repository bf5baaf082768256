//! Names of what a finding may know beside entities, times and counts. Values are numbers, texts of at most
//! [`TEXT_BYTES_MAX`], or lists of at most [`LIST_MAX`] such texts.

/// Longer texts are cut.
pub const TEXT_BYTES_MAX: usize = 256;
/// More are left out.
pub const LIST_MAX: usize = 10;
