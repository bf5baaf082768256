//! The layouts of a saved window.

/// Which fields a saved window has, and in what order. Layout 2 knows nothing of failures.
pub(crate) const LAYOUT: u32 = 0x4c57_0003;
pub(super) const LAYOUT_2: u32 = 0x4c57_0002;
