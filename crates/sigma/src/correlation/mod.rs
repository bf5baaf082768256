//! Correlations: matches of rules counted over time and by group.

mod correlator;
mod definition;
mod resolution;
mod snapshot;
mod state;
mod window;

pub use correlator::{Correlated, Correlator};
pub use definition::{Correlation, CorrelationType};
pub(crate) use resolution::{Uses, resolve};
pub use state::{CorrelatorStatus, Limits};
