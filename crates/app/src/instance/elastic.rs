//! The index in a cluster.

use std::sync::Arc;

use dead_letter::DeadLetterStream;
use index::{Index, elasticsearch::Elasticsearch};

use super::{Build, StartError, configs};
use crate::settings::Elastic;

/// Opens it; the cluster need not be there yet.
pub(super) fn open(
    build: &Build<'_>,
    elastic: &Elastic,
    letters: Arc<DeadLetterStream>,
) -> Result<Arc<dyn Index>, StartError> {
    let config = configs::cluster_config(elastic);
    let index = Elasticsearch::open(config, letters, build.health.component("elasticsearch"))?;
    Ok(Arc::new(index))
}
