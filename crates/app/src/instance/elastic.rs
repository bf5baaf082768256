//! The index in a cluster, which is prepared before anything is written to it.

use std::sync::Arc;

use dead_letter::DeadLetterStream;
use index::{
    Index,
    elasticsearch::{Elasticsearch, setup},
    upkeep,
};
use tokio::sync::watch;

use super::{build::Build, error::StartError};
use crate::settings::Elastic;

/// An index and whether it may be written to.
pub(super) struct Opened {
    pub(super) index: Arc<dyn Index>,
    /// Becomes true once the cluster is prepared; None where nothing has to be.
    pub(super) prepared: Option<watch::Receiver<bool>>,
}

/// Opens it; the cluster need not be there yet.
pub(super) fn open(
    build: &Build<'_>,
    elastic: &Elastic,
    letters: Arc<DeadLetterStream>,
) -> Result<Opened, StartError> {
    let index =
        Elasticsearch::open(elastic.cluster.clone(), letters, build.health.component("elasticsearch"))?;
    let cluster = index.cluster().clone();
    let config = elastic.setup.clone();
    let health = build.health.component("elasticsearch_setup");
    let index: Arc<dyn Index> = Arc::new(index);
    let (sender, prepared) = watch::channel(false);
    let (retention, tasks, stop) =
        (build.settings.storage.retention, build.front.clone(), build.front.stop());
    let (rolled, told) = (Arc::clone(&index), build.record.told_of_deletions());
    build.front.spawn("elasticsearch-setup", async move {
        let Some(duties) = setup::prepare(&cluster, &config, &health, &stop).await else { return };
        sender.send_replace(true);
        if duties.rollover {
            tasks.spawn("rollover", upkeep::roll_over(rolled, retention, intake::system_clock, (told, stop)));
        }
    });
    Ok(Opened { index, prepared: Some(prepared) })
}
