//! Which files are watched: a directory with everything below it, and globs.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::watch::Watch;
use crate::platform::{self, About};

/// Levels of directories below a watched one.
const DEPTH_MAX: usize = 32;

/// A directory and what of it is watched.
#[derive(Debug, Clone)]
pub(crate) struct Area {
    dir: PathBuf,
    /// Everything, when there is none.
    files: Option<Matcher>,
    depth: usize,
}

#[derive(Debug, Clone)]
struct Matcher {
    glob: Option<GlobMatcher>,
    /// The glob taken as a path: names may hold brackets.
    literal: PathBuf,
}

impl Area {
    /// A directory with everything below it.
    pub(crate) fn dir(dir: PathBuf) -> Self {
        Self { dir: absolute(&dir), files: None, depth: DEPTH_MAX }
    }

    /// The files that match a glob: `*` within a name, `**` over directories; and the file that has
    /// the glob itself for its path.
    pub(crate) fn glob(glob: &str) -> Result<Self, globset::Error> {
        let literal = absolute(Path::new(glob));
        let text = literal.to_str().unwrap_or(glob);
        let matcher = match GlobBuilder::new(text).literal_separator(true).build() {
            Ok(glob) => Some(glob.compile_matcher()),
            Err(_) if literal.exists() => None,
            Err(error) => return Err(error),
        };
        let components: Vec<_> = literal.components().collect();
        let plain = |component: &Component<'_>| {
            // The root of Windows is a backslash.
            !matches!(component, Component::Normal(name) if name.to_string_lossy().contains(['*', '?', '[', '{', '\\']))
        };
        let above = components.iter().take_while(|component| plain(component)).count();
        let above = above.min(components.len().saturating_sub(1));
        let dir: PathBuf = components.iter().take(above).collect();
        let depth = if glob.contains("**") { DEPTH_MAX } else { components.len() - above };
        Ok(Self { dir, files: Some(Matcher { glob: matcher, literal }), depth })
    }

    /// Whether a path is one of its files, as far as its name tells.
    pub(crate) fn covers(&self, path: &Path) -> bool {
        let matches = |files: &Matcher| {
            files.literal == path || files.glob.as_ref().is_some_and(|glob| glob.is_match(path))
        };
        self.is_below(path) && self.files.as_ref().is_none_or(matches)
    }

    /// Whether a path stands below its directory, no deeper than is watched.
    pub(crate) fn is_below(&self, path: &Path) -> bool {
        let below = path.strip_prefix(&self.dir);
        below.is_ok_and(|rest| (1..=self.depth).contains(&rest.components().count()))
    }

    /// Whether a path without symbolic links is one of its files.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        let rest =
            self.dir.canonicalize().ok().and_then(|dir| path.strip_prefix(dir).ok().map(PathBuf::from));
        rest.is_some_and(|rest| self.covers(&self.dir.join(rest)))
    }

    /// Calls `found` with each regular file at or below a directory of it.
    pub(crate) fn walk(&self, from: &Path, follow_links: bool, found: &mut dyn FnMut(&Path, &About)) {
        let above = from.strip_prefix(&self.dir).map_or(0, |rest| rest.components().count());
        let depth = self.depth.saturating_sub(above);
        let walk = WalkDir::new(from).max_depth(depth).follow_links(follow_links).sort_by_file_name();
        for entry in walk.into_iter().filter_map(Result::ok) {
            if entry.file_type().is_file()
                && self.covers(entry.path())
                && let Ok(metadata) = platform::about_found(&entry)
            {
                found(entry.path(), &metadata);
            }
        }
    }
}

/// An area and how it stands with its directory.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) area: Area,
    watched: bool,
    missing: bool,
}

impl Root {
    pub(crate) fn new(area: Area) -> Self {
        Self { area, watched: false, missing: false }
    }

    /// Starts watching when the directory is there, warns once while it is not.
    fn check(&mut self, watch: &mut Watch) -> bool {
        let dir = &self.area.dir;
        if !dir.is_dir() {
            if !self.missing {
                tracing::warn!("{dir:?} does not exist; it is read as soon as it appears");
            }
            (self.missing, self.watched) = (true, false);
            return false;
        }
        if self.missing {
            tracing::info!("{dir:?} has appeared");
            self.missing = false;
        }
        if !self.watched {
            watch.add(dir, self.area.depth > 1);
            self.watched = true;
        }
        true
    }

    /// Calls `found` with each of its files.
    pub(crate) fn walk(
        &mut self,
        watch: &mut Watch,
        follow_links: bool,
        found: &mut dyn FnMut(&Path, &About),
    ) {
        if self.check(watch) {
            self.area.walk(&self.area.dir, follow_links, found);
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
