//! What people decide about templates, above what the miner finds.
//!
//! An operation changes nothing that was learned: it changes what is shown of it. A *view* is a
//! template that merges take in or that is split, a *part* one that a split made. Taking an operation
//! back and doing the rest again gives what there would be without it. What the operations speak of
//! does not age, and is not merged with anything by itself.

mod apply;
mod file;
mod operation;
mod plan;
mod view;

pub use apply::{Described, Merged, PARTS_MAX, PARTS_PER_TEMPLATE_MAX};
pub use operation::{
    Action, EXAMPLE_BYTES_MAX, MERGED_MAX, NAME_BYTES_MAX, OPERATIONS_BYTES_MAX, OPERATIONS_MAX, Operation,
    OperationError, Operations, Split,
};
pub(crate) use view::{Part, Shown, User};
