//! `log-sentinel health`: for health checks that have no other program at hand.

use super::print_json;
use crate::{AppError, client::Client};

/// Prints why not everything is well; fails unless the process is ready.
///
/// # Errors
/// When it does not answer, or answers that it is not ready.
pub(crate) async fn run(client: &Client) -> Result<(), AppError> {
    let report = client.get_json("/readyz", &[]).await?;
    print_json(&format!("{report}\n"))?;
    Ok(())
}
