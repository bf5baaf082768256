//! `log-sentinel elastic`: prepares a cluster and says how it stands.

use index::elasticsearch::{Cluster, setup};

use super::print;
use crate::{AppError, Settings, cli::ElasticAction};

/// Does what was asked with the cluster of the settings.
///
/// # Errors
/// Without a cluster, when it cannot be reached, or when something in it stands in the way.
pub(crate) async fn run(settings: &Settings, action: ElasticAction) -> Result<(), AppError> {
    let Some(elastic) = &settings.elastic else { return Err(AppError::NoCluster) };
    let cluster = Cluster::new(&elastic.cluster)?;
    let config = &elastic.setup;
    let dry_run = match action {
        ElasticAction::Status => {
            print(&setup::status(&cluster, config).await?.to_string())?;
            return Ok(());
        }
        ElasticAction::Setup { dry_run } | ElasticAction::Upgrade { dry_run } => dry_run,
    };
    let plan = setup::plan(&cluster, config).await?;
    print(&plan.to_string())?;
    if dry_run {
        print("nothing was changed: this was a dry run\n")?;
    } else {
        setup::apply(&cluster, config, &plan).await?;
        print("done\n")?;
    }
    Ok(())
}
