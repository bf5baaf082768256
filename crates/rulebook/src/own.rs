//! Files of one's own rules, written for whoever edits them elsewhere than in the folder itself. What a file held before
//! is kept beside: `HISTORY/<name of the file, slashes as %2F>/<number>`, as plain text, the newest [`VERSIONS_MAX`].

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use event::Timestamp;

use crate::files::FILE_BYTES_MAX;

/// Versions of a file that are kept.
const VERSIONS_MAX: usize = 20;
/// Longer names are refused.
const NAME_BYTES_MAX: usize = 200;

/// Why a file of rules cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// There is no folder.
    #[error("there is no folder of rules of one's own: name one in LOG_SENTINEL_RULES_DIR")]
    NoFolder,
    /// The name is none of a file of rules.
    #[error(
        "a file of rules is named by its path below the folder, with / between its parts: letters, digits, blanks and ._- \
         at most {NAME_BYTES_MAX} bytes, no part of which begins with a dot, ending with .yml, .yaml or .sql"
    )]
    Name,
    /// There is no such file, or no such version of it.
    #[error("there is no such file, or no such version of it")]
    Missing,
    /// It is too large.
    #[error("it is larger than {} MiB, which no rule is", FILE_BYTES_MAX >> 20)]
    Large,
    /// The disk.
    #[error("the file cannot be read or written: {0}")]
    Disk(#[from] io::Error),
}

/// What a file held before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Its number, from 1; higher ones are later.
    pub number: u32,
    /// Until when it stood there.
    pub until: Option<Timestamp>,
    /// How long it is.
    pub bytes: u64,
}

/// The folder, and the one of what was there before.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) dir: Option<PathBuf>,
    pub(crate) history: PathBuf,
}

impl Own {
    /// Where a file is. No part of its path may be a link: what is written stays below the folder.
    fn path(&self, file: &str) -> Result<PathBuf, OwnError> {
        let dir = self.dir.as_deref().ok_or(OwnError::NoFolder)?;
        if !is_name(file) {
            return Err(OwnError::Name);
        }
        let mut path = dir.to_owned();
        for part in file.split('/') {
            path.push(part);
            if fs::symlink_metadata(&path).is_ok_and(|about| about.file_type().is_symlink()) {
                return Err(OwnError::Name);
            }
        }
        Ok(path)
    }

    fn versions_dir(&self, file: &str) -> PathBuf {
        self.history.join(file.replace('/', "%2F"))
    }

    pub(crate) fn read(&self, file: &str) -> Result<String, OwnError> {
        text_of(&self.path(file)?)
    }

    /// Writes a file as a whole, and keeps what it held. Gives the number of that, where it held something else.
    pub(crate) fn write(&self, file: &str, text: &str) -> Result<Option<u32>, OwnError> {
        let path = self.path(file)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(OwnError::Large);
        }
        let kept = self.keep(file, &path, Some(text))?;
        if let Some(folder) = path.parent() {
            disk::create_dir_all(folder)?;
        }
        disk::replace(&path, text.as_bytes())?;
        Ok(kept)
    }

    /// Removes a file, and keeps what it held.
    pub(crate) fn remove(&self, file: &str) -> Result<Option<u32>, OwnError> {
        let path = self.path(file)?;
        let kept = self.keep(file, &path, None)?;
        fs::remove_file(&path).map_err(missing)?;
        Ok(kept)
    }

    /// Keeps what a file holds, unless it is this.
    fn keep(&self, file: &str, path: &Path, next: Option<&str>) -> Result<Option<u32>, OwnError> {
        let text = match text_of(path) {
            Err(OwnError::Missing) => return Ok(None),
            read => read?,
        };
        if Some(text.as_str()) == next {
            return Ok(None);
        }
        let folder = self.versions_dir(file);
        disk::create_dir_all(&folder)?;
        let versions = self.versions(file)?;
        let number = versions.last().map_or(1, |last| last.number.saturating_add(1));
        disk::replace(&folder.join(number.to_string()), text.as_bytes())?;
        for old in versions.iter().rev().skip(VERSIONS_MAX - 1) {
            fs::remove_file(folder.join(old.number.to_string()))?;
        }
        Ok(Some(number))
    }

    /// What is kept of a file, the oldest first.
    pub(crate) fn versions(&self, file: &str) -> Result<Vec<Version>, OwnError> {
        if !is_name(file) {
            return Err(OwnError::Name);
        }
        let entries = match fs::read_dir(self.versions_dir(file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            read => read?,
        };
        let mut versions = vec![];
        for entry in entries {
            let entry = entry?;
            let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let about = entry.metadata()?;
            let written = about.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            let until = written.map(|since| Timestamp::saturating_from_nanos(since.as_nanos() as i128));
            versions.push(Version { number, until, bytes: about.len() });
        }
        versions.sort_unstable_by_key(|version| version.number);
        Ok(versions)
    }

    pub(crate) fn version(&self, file: &str, number: u32) -> Result<String, OwnError> {
        if !is_name(file) {
            return Err(OwnError::Name);
        }
        text_of(&self.versions_dir(file).join(number.to_string()))
    }
}

fn text_of(path: &Path) -> Result<String, OwnError> {
    let about = fs::metadata(path).map_err(missing)?;
    if about.len() > FILE_BYTES_MAX {
        return Err(OwnError::Large);
    }
    Ok(String::from_utf8_lossy(&fs::read(path).map_err(missing)?).into_owned())
}

fn missing(error: io::Error) -> OwnError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => OwnError::Missing,
        _ => OwnError::Disk(error),
    }
}

fn is_name(file: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" ._-".contains(&byte))
    };
    let is_below = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    let is_rule = [".yml", ".yaml", ".sql"].iter().any(|end| file.ends_with(end));
    file.len() <= NAME_BYTES_MAX && is_below && is_rule && file.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(root: &Path) -> Own {
        let dir = root.join("rules");
        fs::create_dir_all(&dir).unwrap();
        Own { dir: Some(dir), history: root.join("history") }
    }

    #[test]
    fn what_a_file_held_is_kept_and_found_again() {
        let root = tempfile::tempdir().unwrap();
        let own = own(root.path());
        let file = "birds/heron.yml";
        assert_eq!(own.write(file, "one").unwrap(), None);
        assert_eq!(own.write(file, "one").unwrap(), None, "nothing changed");
        assert_eq!(own.write(file, "two").unwrap(), Some(1));
        assert_eq!(own.remove(file).unwrap(), Some(2));
        assert!(matches!(own.read(file), Err(OwnError::Missing)));
        assert!(matches!(own.remove(file), Err(OwnError::Missing)));
        assert_eq!(own.version(file, 1).unwrap(), "one");
        for number in 3..40 {
            own.write(file, &number.to_string()).unwrap();
        }
        let versions = own.versions(file).unwrap();
        assert_eq!((versions.len(), versions.last().map(|last| last.number)), (VERSIONS_MAX, Some(38)));
        assert_eq!(own.read(file).unwrap(), "39");
        assert_eq!(own.version(file, 38).unwrap(), "38");
        assert!(matches!(own.version(file, 1), Err(OwnError::Missing)), "the oldest are gone");
    }

    #[test]
    fn nothing_is_written_outside_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let own = own(root.path());
        let long = format!("{}.yml", "x".repeat(NAME_BYTES_MAX));
        for name in [
            "../x.yml",
            "/etc/x.yml",
            "a/../../x.yml",
            ".hidden.yml",
            "a/.b/x.yml",
            "x.txt",
            "",
            ".yml",
            "a//x.yml",
            "a\\x.yml",
            "a\0.yml",
            "x.yml/",
            "%2e.yml",
            &long,
        ] {
            assert!(matches!(own.write(name, "x"), Err(OwnError::Name)), "{name}");
            assert!(matches!(own.versions(name), Err(OwnError::Name)), "{name}");
        }
        let large = "x".repeat(FILE_BYTES_MAX as usize + 1);
        assert!(matches!(own.write("x.yml", &large), Err(OwnError::Large)));
        let nowhere = Own { dir: None, history: root.path().join("history") };
        assert!(matches!(nowhere.write("x.yml", "x"), Err(OwnError::NoFolder)));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let own = own(root.path());
        let dir = own.dir.clone().unwrap();
        fs::write(root.path().join("other.yml"), "kept").unwrap();
        std::os::unix::fs::symlink(root.path().join("other.yml"), dir.join("link.yml")).unwrap();
        std::os::unix::fs::symlink(root.path(), dir.join("out")).unwrap();
        for name in ["link.yml", "out/other.yml"] {
            assert!(matches!(own.write(name, "x"), Err(OwnError::Name)), "{name}");
            assert!(matches!(own.read(name), Err(OwnError::Name)), "{name}");
        }
        assert_eq!(fs::read_to_string(root.path().join("other.yml")).unwrap(), "kept");
    }
}
