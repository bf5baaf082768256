//! Reads every process.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    sync::Arc,
};

use event::Timestamp;
use mask::Mask;
use rustix::{
    fs::{AtFlags, CWD, Dir, Mode, OFlags, Stat as FileStat, openat, readlinkat, statat},
    io::{Errno, read},
};

use super::{
    container,
    executable::Executables,
    port::{self, Protocol, Table},
    stat::Stat,
    status::{self, Status},
    users::Users,
};
use crate::{
    executable::Hashed,
    kind::{Capabilities, Listening, Process, Snapshot, StandardInput, ports},
    problems::Problems,
    scope::Scope,
};

/// Nothing at all can be said of the processes.
#[derive(Debug, thiserror::Error)]
#[error("reading {path} for the list of processes: {source}; mount /proc, or run where it is")]
pub struct Error {
    path: PathBuf,
    source: io::Error,
}

/// Reads processes below one `/proc`.
#[derive(Debug)]
pub struct Reader {
    root: PathBuf,
    folder: OwnedFd,
    scope: Scope,
    host: String,
    boot_id: String,
    /// When the machine started. Read once: the kernel works it out from the clock each time, and a start must not move with that.
    booted: Timestamp,
    /// Both asked of the system once, before whoever reads is held by a filter of system calls.
    ticks_per_second: u64,
    page_bytes: u64,
    passwd: PathBuf,
    users: Users,
    names: Names,
    buffer: Vec<u8>,
}

/// Texts that many processes share are kept once.
#[derive(Debug, Default)]
struct Names(HashSet<Arc<str>>);

impl Names {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }

    fn forget_unused(&mut self) {
        self.0.retain(|text| Arc::strong_count(text) > 1);
    }
}

/// What one scan gathers beside the processes.
#[derive(Default)]
struct Gathered {
    problems: Problems,
    /// By network namespace.
    sockets: HashMap<String, Table>,
    /// Namespaces of process 1.
    first: Vec<(&'static str, String)>,
}

impl Gathered {
    /// The namespace is another than that of process 1, as far as that is known.
    fn differs(&self, own: &(&'static str, String)) -> bool {
        !self.first.is_empty() && !self.first.contains(own)
    }

    /// The value, or nothing and a note of why; a process that has ended is no problem.
    fn noted<T>(&mut self, what: &'static str, result: Result<T, Errno>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(errno) if has_ended(errno) => None,
            Err(errno) => {
                self.problems.note(what, io::Error::from(errno));
                None
            }
        }
    }
}

/// Whether this says that the process is no more.
fn has_ended(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::SRCH)
}

/// Namespaces that are told where they differ from those of process 1.
const NAMESPACES: [&str; 4] = ["mnt", "net", "pid", "user"];
/// Longer files of `/proc` are cut: those of a process are smaller, tables of sockets are read apart.
const FILE_BYTES: usize = 64 << 10;
const SOCKETS_BYTES: usize = 64 << 20;

impl Reader {
    /// `root` is `/proc`, `passwd` is `/etc/passwd`; without the latter users have numbers only.
    ///
    /// # Errors
    /// Where `root` is no `/proc`.
    pub fn open(root: &Path, passwd: &Path, scope: Scope) -> Result<Self, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source: io::Error| Error { path, source }
        };
        let folder = openat(CWD, root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| failed(root)(errno.into()))?;
        let stat = root.join("stat");
        let booted = booted(&fs::read_to_string(&stat).map_err(failed(&stat))?).ok_or_else(|| {
            failed(&stat)(io::Error::new(io::ErrorKind::InvalidData, "it has no line 'btime'"))
        })?;
        let line = |path: &str| {
            fs::read_to_string(root.join(path)).map(|text| text.trim_end().to_owned()).unwrap_or_default()
        };
        Ok(Self {
            root: root.to_owned(),
            folder,
            scope,
            host: line("sys/kernel/hostname"),
            boot_id: line("sys/kernel/random/boot_id"),
            booted,
            ticks_per_second: rustix::param::clock_ticks_per_second().max(1),
            page_bytes: rustix::param::page_size() as u64,
            passwd: passwd.to_owned(),
            users: Users::default(),
            names: Names::default(),
            buffer: Vec::new(),
        })
    }

    /// Every process that there is. `now` is the time of the scan.
    ///
    /// # Errors
    /// Where the list of processes cannot be read; what cannot be read of a process stands in the snapshot's problems.
    pub fn scan(&mut self, now: Timestamp, executables: &mut Executables) -> Result<Snapshot, Error> {
        self.users = Users::parse(&fs::read(&self.passwd).unwrap_or_default());
        self.names.forget_unused();
        executables.begin();
        let failed = |errno: Errno| Error { path: self.root.clone(), source: errno.into() };
        let mut numbers: Vec<u32> = Vec::new();
        for entry in Dir::read_from(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            numbers.extend(entry.file_name().to_str().ok().and_then(|name| name.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        let mut gathered = Gathered::default();
        if let Ok(first) = self.process_folder(1) {
            gathered.first = namespaces(first.as_fd()).unwrap_or_default();
        }
        let processes =
            numbers.into_iter().filter_map(|pid| self.process(pid, executables, &mut gathered)).collect();
        Ok(Snapshot {
            host: self.host.clone(),
            taken_at: now,
            boot_id: self.boot_id.clone(),
            processes,
            problems: gathered.problems.told(),
        })
    }

    /// One process, as a scan would give it; `None` where it has ended.
    pub fn one(&mut self, pid: u32, executables: &mut Executables) -> Option<Process> {
        self.process(pid, executables, &mut Gathered::default())
    }

    /// A handle on the folder: it stays that of this process when the number is given to another.
    fn process_folder(&self, pid: u32) -> Result<OwnedFd, Errno> {
        openat(
            &self.folder,
            pid.to_string(),
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
    }

    fn process(
        &mut self,
        pid: u32,
        executables: &mut Executables,
        gathered: &mut Gathered,
    ) -> Option<Process> {
        let folder = self.process_folder(pid).ok()?;
        let folder = folder.as_fd();
        let mut buffer = std::mem::take(&mut self.buffer);
        let process = self.read(pid, folder, &mut buffer, executables, gathered);
        self.buffer = buffer;
        process
    }

    /// Of a number of ticks since the machine's start.
    fn time_of(&self, ticks: u64) -> Timestamp {
        let since = i128::from(ticks) * 1_000_000_000 / i128::from(self.ticks_per_second);
        Timestamp::saturating_from_nanos(i128::from(self.booted.as_nanos()) + since)
    }

    fn read(
        &mut self,
        pid: u32,
        folder: BorrowedFd<'_>,
        buffer: &mut Vec<u8>,
        executables: &mut Executables,
        gathered: &mut Gathered,
    ) -> Option<Process> {
        let text = gathered.noted("stat", contents(folder, "stat", FILE_BYTES, buffer))?;
        let Some(stat) = Stat::parse(text) else {
            gathered.problems.note("stat", "it has another form than proc(5) says");
            return None;
        };
        let name = String::from_utf8_lossy(stat.name).into_owned();
        if self.scope.excluded.contains(&name) {
            return None;
        }
        let (kernel_thread, parent, ticks, started, pages) =
            (stat.is_kernel_thread(), stat.parent, stat.ticks, stat.started, stat.resident_pages);
        let status = Status::parse(gathered.noted("status", contents(folder, "status", FILE_BYTES, buffer))?);
        let limit = self.scope.command_bytes;
        let command = gathered.noted("command", contents(folder, "cmdline", limit + 1, buffer));
        let command = command.map_or_else(String::new, |bytes| command_line(bytes, limit, &self.scope.mask));
        let cgroup =
            gathered.noted("cgroup", contents(folder, "cgroup", FILE_BYTES, buffer)).and_then(status::cgroup);
        let io =
            gathered.noted("io", contents(folder, "io", FILE_BYTES, buffer)).map(storage).unwrap_or_default();
        let file =
            if kernel_thread { File::default() } else { self.file(folder, buffer, executables, gathered) };
        let cwd = gathered.noted("cwd", link(folder, "cwd", buffer)).filter(|_| !kernel_thread);
        let listening = if kernel_thread { Vec::new() } else { self.listening(folder, buffer, gathered) };
        let namespaces = gathered.noted("namespaces", namespaces(folder)).unwrap_or_default();
        let namespaces =
            namespaces.into_iter().filter(|own| gathered.differs(own)).map(|(_, name)| self.names.get(&name));
        let namespaces = namespaces.collect();
        Some(Process {
            pid,
            started_at: self.time_of(started),
            ppid: parent,
            name: self.names.get(&name),
            command: self.names.get(&command),
            executable: file.path.map(|path| self.names.get(&path)),
            executable_deleted: file.deleted,
            executable_replaced: file.replaced,
            executable_hash: file.hash,
            user: self.users.name(status.uid),
            uid: status.uid,
            gid: status.gid,
            capabilities: Capabilities(status.capabilities),
            container: cgroup.as_deref().and_then(container::of).map(|id| self.names.get(id)),
            cgroup: cgroup.map(|path| self.names.get(&path)),
            cwd: cwd.map(|path| self.names.get(&path)),
            cpu_seconds: ticks as f64 / self.ticks_per_second as f64,
            rss_bytes: pages.saturating_mul(self.page_bytes),
            open_ports: ports(&listening),
            real_uid: status.real_uid,
            kernel_thread,
            tracer_pid: status.traced_by,
            standard_input: standard_input(folder, buffer, gathered),
            device: file.device,
            inode: file.inode,
            set_uid: file.set_uid,
            namespaces,
            read_bytes: io.0,
            write_bytes: io.1,
            listening,
        })
    }

    fn file(
        &self,
        folder: BorrowedFd<'_>,
        buffer: &mut Vec<u8>,
        executables: &mut Executables,
        gathered: &mut Gathered,
    ) -> File {
        let Some(path) = gathered.noted("executable", link(folder, "exe", buffer)) else {
            return File::default();
        };
        let stat = gathered.noted("executable", statat(folder, "exe", AtFlags::empty()));
        let (path, deleted) = deleted(path, stat.as_ref());
        // As the process itself sees the path, in its own file system.
        let replaced = deleted
            && path.starts_with('/')
            && statat(folder, format!("root{path}"), AtFlags::empty()).is_ok();
        let hash = stat.as_ref().and_then(|stat| match executables.hash(folder, stat) {
            Hashed::Failed(error) if Errno::from_io_error(&error).is_some_and(has_ended) => None,
            hashed => gathered.problems.hash(hashed),
        });
        File {
            path: Some(path),
            deleted,
            replaced,
            hash,
            device: stat.as_ref().map(|stat| stat.st_dev),
            inode: stat.as_ref().map(|stat| stat.st_ino),
            set_uid: stat.as_ref().is_some_and(|stat| stat.st_mode & 0o4000 != 0 && stat.st_uid == 0),
        }
    }

    fn listening(
        &self,
        folder: BorrowedFd<'_>,
        buffer: &mut Vec<u8>,
        gathered: &mut Gathered,
    ) -> Vec<Listening> {
        let Some(space) = gathered.noted("sockets", link(folder, "ns/net", buffer)) else {
            return Vec::new();
        };
        if !gathered.sockets.contains_key(&space) {
            let table = sockets(folder, buffer);
            gathered.sockets.insert(space.clone(), table);
        }
        if gathered.sockets.get(&space).is_none_or(Table::is_empty) {
            return Vec::new();
        }
        let open = openat(folder, "fd", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let Some(entries) = gathered.noted("sockets", open.and_then(Dir::new)) else { return Vec::new() };
        let mut found: Vec<Listening> = Vec::new();
        for (number, entry) in entries.enumerate() {
            if number > self.scope.descriptors {
                gathered.problems.note(
                    "sockets",
                    format!("more than {} open files were not looked at", self.scope.descriptors),
                );
                break;
            }
            let Ok(entry) = entry else { break };
            let Ok(name) = entry.file_name().to_str() else { continue };
            let Ok(target) = link(folder, &format!("fd/{name}"), buffer) else { continue };
            let inode =
                target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')?.parse::<u64>().ok());
            let place = inode.and_then(|inode| gathered.sockets.get(&space)?.get(&inode)?.as_ref());
            if let Some(place) = place.filter(|place| !found.contains(place)) {
                found.push(place.clone());
            }
        }
        found.sort_by(|a, b| (a.port, &a.protocol, &a.address).cmp(&(b.port, &b.protocol, &b.address)));
        found
    }
}

/// What a process runs.
#[derive(Default)]
struct File {
    path: Option<String>,
    deleted: bool,
    replaced: bool,
    hash: Option<Arc<str>>,
    device: Option<u64>,
    inode: Option<u64>,
    set_uid: bool,
}

/// The whole of a file, at most `limit` bytes of it.
fn contents<'a>(
    folder: BorrowedFd<'_>,
    name: &str,
    limit: usize,
    buffer: &'a mut Vec<u8>,
) -> Result<&'a [u8], Errno> {
    let file = openat(folder, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    buffer.clear();
    let mut length = 0;
    while length < limit {
        if buffer.len() == length {
            buffer.resize((length + (8 << 10)).min(limit), 0);
        }
        match read(&file, buffer.get_mut(length..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(buffer.get(..length).unwrap_or_default())
}

/// Where a link leads, lossily: a path is for people and for rules.
fn link(folder: BorrowedFd<'_>, name: &str, buffer: &mut Vec<u8>) -> Result<String, Errno> {
    let target = readlinkat(folder, name, std::mem::take(buffer))?;
    let text = target.to_string_lossy().into_owned();
    *buffer = target.into_bytes();
    Ok(text)
}

/// The kernel's mark of a path that leads nowhere any more.
const DELETED: &str = " (deleted)";

/// The path without the kernel's mark, and whether it leads nowhere. A file may be *called* so: it is then found under that name.
fn deleted(path: String, stat: Option<&FileStat>) -> (String, bool) {
    let Some(bare) = path.strip_suffix(DELETED) else { return (path, false) };
    let there = statat(CWD, path.as_str(), AtFlags::empty()).ok().zip(stat);
    if there.is_some_and(|(there, stat)| (there.st_dev, there.st_ino) == (stat.st_dev, stat.st_ino)) {
        return (path, false);
    }
    (bare.to_owned(), true)
}

/// Arguments joined by blanks, masked, at most `limit` bytes.
fn command_line(bytes: &[u8], limit: usize, mask: &Mask) -> String {
    let whole = bytes.len() <= limit;
    let bytes = bytes.get(..limit).unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return String::new();
    }
    let arguments: Vec<_> = bytes.split(|&b| b == 0).map(String::from_utf8_lossy).collect();
    // A process that wrote its own title has one text in the place of its arguments.
    let mut text = match arguments.as_slice() {
        [title] => mask.text(title),
        arguments => mask.arguments(arguments).join(" "),
    };
    if !whole {
        text.push('…');
    }
    text
}

fn booted(stat: &str) -> Option<Timestamp> {
    let seconds: i64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Timestamp::from_nanos(seconds.checked_mul(1_000_000_000)?)
}

/// Bytes read from and written to storage.
fn storage(text: &[u8]) -> (Option<u64>, Option<u64>) {
    let text = String::from_utf8_lossy(text);
    let number = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    (number("read_bytes:"), number("write_bytes:"))
}

fn namespaces(folder: BorrowedFd<'_>) -> Result<Vec<(&'static str, String)>, Errno> {
    let mut buffer = Vec::new();
    NAMESPACES.iter().map(|name| Ok((*name, link(folder, &format!("ns/{name}"), &mut buffer)?))).collect()
}

fn standard_input(
    folder: BorrowedFd<'_>,
    buffer: &mut Vec<u8>,
    gathered: &Gathered,
) -> Option<StandardInput> {
    let target = link(folder, "fd/0", buffer).ok()?;
    Some(match target.as_str() {
        text if text.starts_with("socket:") => {
            let inode = text.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')?.parse().ok());
            // Numbers of sockets are given out once for all namespaces.
            let is_network = inode
                .is_some_and(|inode: u64| gathered.sockets.values().any(|table| table.contains_key(&inode)));
            if is_network { StandardInput::Network } else { StandardInput::Socket }
        }
        text if text.starts_with("pipe:") => StandardInput::Pipe,
        text if text.starts_with("/dev/pts/") || text.starts_with("/dev/tty") || text == "/dev/console" => {
            StandardInput::Terminal
        }
        _ => StandardInput::File,
    })
}

fn sockets(folder: BorrowedFd<'_>, buffer: &mut Vec<u8>) -> Table {
    let mut table = Table::new();
    for (name, protocol) in [
        ("net/tcp", Protocol::Tcp),
        ("net/tcp6", Protocol::Tcp),
        ("net/udp", Protocol::Udp),
        ("net/udp6", Protocol::Udp),
    ] {
        if let Ok(text) = contents(folder, name, SOCKETS_BYTES, buffer) {
            table.extend(port::table(protocol, text));
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_cut_masked_and_lossy() {
        let mask = Mask::default();
        assert_eq!(
            command_line(b"tool\0--password\0x\0\xff\0", 100, &mask),
            "tool --password ******** \u{fffd}"
        );
        assert_eq!(command_line(b"postgres: anna shop idle", 100, &mask), "postgres: anna shop idle");
        assert_eq!(command_line(b"abcdef", 3, &mask), "abc…");
        assert_eq!(command_line(b"", 3, &mask), "");
    }

    #[test]
    fn bytes_of_storage_are_read_by_name() {
        assert_eq!(
            storage(b"rchar: 9\nread_bytes: 4096\nwrite_bytes: 7\ncancelled_write_bytes: 1\n"),
            (Some(4096), Some(7))
        );
        assert_eq!(storage(b""), (None, None));
    }
}
