//! What can go wrong.

use std::{io, path::PathBuf};

use disk::sealed::SealedError;

/// Why the service could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The model directory cannot be made or read.
    #[error("cannot use the model directory {}: check that it exists and may be written", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// What people said of events or decided about templates cannot be read.
    #[error("cannot read feedback and templates in {}: check that they may be read and written", path.display())]
    Feedback {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Why nothing was done to templates. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It cannot be done.
    #[error(transparent)]
    Operation(#[from] template::OperationError),
    /// The disk refused.
    #[error("the operation cannot be stored")]
    Store(#[source] ModelError),
}

/// Why a training came to nothing. The model that served before serves on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// There was no event to learn from.
    #[error("nothing to train on: give at least one event")]
    NothingUsable,
    /// Who watched it wanted it to end.
    #[error("the training was cancelled")]
    Cancelled,
    /// As many starters are kept as may be.
    #[error(
        "sixteen starters are kept, as many as may be; remove one from the folder starters beside the models"
    )]
    Starters,
    /// No forest could be grown.
    #[error("cannot grow a forest from these events")]
    Forest(#[from] forest::ForestError),
    /// The model could not be stored.
    #[error("the trained model cannot be stored; the one before serves on")]
    Store(#[from] ModelError),
}

/// Why a model or snapshot was refused. What served before serves on.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is not what it should be.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// No such model is kept.
    #[error("no model '{version}' is kept; the list of models names those that are")]
    Unknown {
        /// What was asked for.
        version: String,
    },
    /// No other model served before.
    #[error("no model that is still kept served before this one; activate one from the list of models")]
    NothingBefore,
    /// The templates of a snapshot or starter do not load.
    #[error("the stored templates do not load")]
    Templates(#[source] template::LoadError),
    /// The disk refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}
