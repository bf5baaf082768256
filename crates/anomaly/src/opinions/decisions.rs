//! The file `templates` beside the models holds the operations as [`template::Operations::save`] writes
//! them, and nothing that was learned. It is replaced as a whole. One that does not load is set aside as
//! `templates.refused`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use template::Operations;

use crate::{
    error::TemplateError,
    files::{earlier, replace, set_aside},
};

/// The operations, and their file.
#[derive(Debug)]
pub(crate) struct Decisions {
    path: PathBuf,
    pub(crate) operations: Operations,
    /// Why the file was set aside.
    problem: Option<String>,
}

impl Decisions {
    /// Reads what there is.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join("templates");
        let mut all = Self { path: path.clone(), operations: Operations::default(), problem: None };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
            Err(error) => return Err(error),
        };
        match Operations::load(&bytes) {
            Ok(operations) => (all.operations, all.problem) = (operations, earlier(&path)),
            Err(error) => {
                let aside = set_aside(&path)?;
                all.problem = Some(format!(
                    "{error}; it was set aside as {}: restore it from a backup, or remove that file",
                    aside.display()
                ));
            }
        }
        Ok(all)
    }

    /// Why operations done earlier are not there.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Lets these be in force, on disk first.
    pub(crate) fn replace(&mut self, operations: Operations) -> Result<(), TemplateError> {
        replace(&self.path, &operations.save()).map_err(TemplateError::Store)?;
        self.operations = operations;
        Ok(())
    }
}
