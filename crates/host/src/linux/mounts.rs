//! How full file systems are. Each is asked on a thread of its own: one of a server that is away does not answer.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    kernel::Kernel,
    mount::{self, Mount},
};
use crate::{patient::Patient, problem::Problem, rate::percent, reading::FileSystem, wanted::Wanted};

/// All of them together have so long to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// More file systems are not asked.
const FILE_SYSTEMS_MAX: usize = 64;

/// What statvfs(3) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) block: u64,
    pub(crate) blocks: u64,
    pub(crate) free: u64,
    pub(crate) available: u64,
    pub(crate) inodes: u64,
    pub(crate) inodes_free: u64,
}

/// How it is asked.
pub(crate) type Ask = fn(&Path) -> io::Result<Usage>;

pub(crate) fn statvfs(path: &Path) -> io::Result<Usage> {
    let said = rustix::fs::statvfs(path)?;
    Ok(Usage {
        block: said.f_frsize,
        blocks: said.f_blocks,
        free: said.f_bfree,
        available: said.f_bavail,
        inodes: said.f_files,
        inodes_free: said.f_ffree,
    })
}

/// Asks file systems.
#[derive(Debug)]
pub(crate) struct Reader {
    ask: Ask,
    patience: Duration,
    threads: BTreeMap<PathBuf, Patient<PathBuf, io::Result<Usage>>>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { ask: statvfs, patience: PATIENCE, threads: BTreeMap::new() }
    }
}

impl Reader {
    pub(crate) fn read(
        &mut self,
        kernel: &mut Kernel,
        wanted: &Wanted,
        problems: &mut Vec<Problem>,
    ) -> Vec<FileSystem> {
        let mounts = match kernel.of_namespace("mountinfo") {
            Ok(text) => mount::parse(text),
            Err(error) => {
                problems.push(Problem::new("mountinfo", error));
                return vec![];
            }
        };
        let mut places = places(&mounts, wanted);
        if places.len() > FILE_SYSTEMS_MAX {
            problems
                .push(Problem::new("file systems", format!("only the first {FILE_SYSTEMS_MAX} are asked")));
            places.truncate(FILE_SYSTEMS_MAX);
        }
        self.threads.retain(|path, _| places.iter().any(|(place, _)| place == path));
        let ask = self.ask;
        for (path, _) in &places {
            if !self.threads.contains_key(path) {
                match Patient::new("mount", move |path: PathBuf| ask(&path)) {
                    Ok(thread) => drop(self.threads.insert(path.clone(), thread)),
                    Err(error) => problems.push(Problem::new(path.display(), error)),
                }
            }
            if let Some(thread) = self.threads.get_mut(path) {
                let below = path.strip_prefix("/").unwrap_or(path);
                thread.ask(kernel.roots().files.join(below));
            }
        }
        let deadline = Instant::now() + self.patience;
        let mut found = vec![];
        for (path, mount) in places {
            let Some(thread) = self.threads.get_mut(&path) else { continue };
            match thread.answer(deadline) {
                Some(Ok(usage)) => found.extend(file_system(&path, usage, mount)),
                Some(Err(error)) => problems.push(Problem::new(path.display(), error)),
                None => problems.push(Problem::new(path.display(), "the file system does not answer")),
            }
        }
        found
    }
}

/// What is asked, with what is mounted there.
fn places<'m>(mounts: &'m [Mount], wanted: &Wanted) -> Vec<(PathBuf, Option<&'m Mount>)> {
    match wanted {
        Wanted::Nothing => vec![],
        Wanted::Everything => {
            mount::real(mounts).into_iter().map(|mount| (mount.path.clone(), Some(mount))).collect()
        }
        Wanted::These(paths) => {
            let place = |path: &String| (PathBuf::from(path), mount::holding(mounts, Path::new(path)));
            paths.iter().map(place).collect()
        }
    }
}

/// None of one that has no size, such as those of the kernel.
fn file_system(path: &Path, usage: Usage, mount: Option<&Mount>) -> Option<FileSystem> {
    let bytes = |blocks: u64| blocks.saturating_mul(usage.block);
    let used = usage.blocks.saturating_sub(usage.free);
    Some(FileSystem {
        path: path.display().to_string(),
        total: bytes(usage.blocks),
        used: bytes(used),
        available: bytes(usage.available),
        percent: percent(used, used.saturating_add(usage.available))?,
        inodes_percent: percent(usage.inodes.saturating_sub(usage.inodes_free), usage.inodes),
        is_read_only: mount.is_some_and(|mount| mount.is_read_only),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Roots;

    fn usage(path: &Path) -> io::Result<Usage> {
        match path.to_str() {
            Some("/nas") => loop {
                std::thread::park();
            },
            Some("/gone") => Err(io::ErrorKind::NotFound.into()),
            _ => Ok(Usage { block: 10, blocks: 100, free: 40, available: 20, inodes: 50, inodes_free: 40 }),
        }
    }

    fn kernel(dir: &Path, text: &str) -> Kernel {
        std::fs::create_dir_all(dir.join("1")).unwrap();
        std::fs::write(dir.join("1/mountinfo"), text).unwrap();
        Kernel::new(Roots { proc: dir.to_owned(), ..Roots::default() })
    }

    #[test]
    fn one_that_hangs_and_one_that_is_gone_leave_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let text = "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:9 / /nas rw - nfs4 nas:/ rw\n";
        let mut kernel = kernel(dir.path(), text);
        let mut reader = Reader { ask: usage, patience: Duration::from_millis(50), ..Reader::default() };
        for _ in 0..3 {
            let mut problems = vec![];
            let found = reader.read(&mut kernel, &Wanted::Everything, &mut problems);
            assert_eq!(found.len(), 1);
            assert_eq!((found[0].total, found[0].used, found[0].percent), (1000, 600, 75.0));
            assert_eq!(found[0].inodes_percent, Some(20.0));
            assert_eq!((problems.len(), problems[0].what.as_str()), (1, "/nas"));
        }
        assert_eq!(reader.threads.len(), 2);
        let mut problems = vec![];
        let these = Wanted::These(vec!["/srv".into(), "/gone".into()]);
        let found = reader.read(&mut kernel, &these, &mut problems);
        assert_eq!((found.len(), found[0].path.as_str()), (1, "/srv"));
        assert_eq!((problems.len(), problems[0].what.as_str()), (1, "/gone"));
    }
}
