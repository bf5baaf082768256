//! Which files are watched: a directory with everything below it, and globs.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::watch::Watch;

/// Name endings of compressed files: rotated ones have been read already, and `import` reads others.
const COMPRESSED: &[&str] = &["gz", "zst", "xz", "bz2", "lz4", "zip"];
/// Levels of directories below a watched one.
const DEPTH_MAX: usize = 32;

/// A directory and what of it is watched.
#[derive(Debug)]
pub(crate) struct Root {
    dir: PathBuf,
    matcher: Option<GlobMatcher>,
    depth: usize,
    watched: bool,
    missing: bool,
}

impl Root {
    /// A directory with everything below it.
    pub(crate) fn dir(dir: PathBuf) -> Self {
        Self { dir, matcher: None, depth: DEPTH_MAX, watched: false, missing: false }
    }

    /// The files that match a glob: `*` within a name, `**` over directories.
    pub(crate) fn glob(glob: &str) -> Result<Self, globset::Error> {
        let matcher = GlobBuilder::new(glob).literal_separator(true).build()?.compile_matcher();
        let components: Vec<_> = Path::new(glob).components().collect();
        let plain = |component: &Component<'_>| {
            !component.as_os_str().to_string_lossy().contains(['*', '?', '[', '{', '\\'])
        };
        let literal = components.iter().take_while(|component| plain(component)).count();
        let literal = literal.min(components.len().saturating_sub(1));
        let dir: PathBuf = components.iter().take(literal).collect();
        let depth = if glob.contains("**") { DEPTH_MAX } else { components.len() - literal };
        Ok(Self { dir, matcher: Some(matcher), depth, watched: false, missing: false })
    }

    /// Whether a path is one of its files, as far as its name tells.
    pub(crate) fn covers(&self, path: &Path) -> bool {
        let below = path.strip_prefix(&self.dir);
        below.is_ok_and(|rest| rest.components().count() <= self.depth)
            && self.matcher.as_ref().is_none_or(|matcher| matcher.is_match(path))
            && !is_compressed(path)
    }

    /// Starts watching when the directory is there, warns once while it is not.
    fn check(&mut self, watch: &mut Watch) -> bool {
        if !self.dir.is_dir() {
            if !self.missing {
                tracing::warn!("{} does not exist; it is read as soon as it appears", self.dir.display());
            }
            (self.missing, self.watched) = (true, false);
            return false;
        }
        if self.missing {
            tracing::info!("{} has appeared", self.dir.display());
            self.missing = false;
        }
        if !self.watched {
            watch.add(&self.dir, self.depth > 1);
            self.watched = true;
        }
        true
    }

    /// Calls `found` with each regular file.
    pub(crate) fn walk(&mut self, watch: &mut Watch, found: &mut dyn FnMut(&Path, &std::fs::Metadata)) {
        if !self.check(watch) {
            return;
        }
        let walk = WalkDir::new(&self.dir).max_depth(self.depth).follow_links(true).sort_by_file_name();
        for entry in walk.into_iter().filter_map(Result::ok) {
            if entry.file_type().is_file()
                && self.covers(entry.path())
                && let Ok(metadata) = entry.metadata()
            {
                found(entry.path(), &metadata);
            }
        }
    }
}

fn is_compressed(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    COMPRESSED.iter().any(|compressed| compressed.eq_ignore_ascii_case(ending))
}
