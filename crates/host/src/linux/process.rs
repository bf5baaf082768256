//! Processes: how many there are, and those that take most (proc(5)).

use std::{
    collections::{HashMap, HashSet},
    fs,
    time::Duration,
};

use mask::Mask;

use super::{
    kernel::Kernel,
    number::{lines, number, text, words},
    passwd,
};
use crate::{
    command_line,
    rate::per_second,
    reading::{Process, Processes},
    top::{Takes, top},
};

/// More processes are not looked at; their number is still told.
const PROCESSES_MAX: usize = 32_768;
/// Names of users are read again after so many readings.
const USERS_READ_AGAIN: u32 = 60;

/// One line of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    name: [u8; 16],
    state: u8,
    ticks: u64,
    started: u64,
    rss_pages: u64,
}

impl Stat {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        // A name may hold blanks and brackets.
        let (open, close) = (memchr::memchr(b'(', bytes)?, memchr::memrchr(b')', bytes)?);
        let name_bytes = bytes.get(open + 1..close)?;
        let mut fields = words(bytes.get(close + 1..)?);
        let state = *fields.next()?.first()?;
        let mut at = 3;
        let mut field = |wanted: usize| {
            let found = fields.nth(wanted - at - 1);
            at = wanted;
            number(found?)
        };
        let (user, system) = (field(14)?, field(15)?);
        let (started, rss) = (field(22)?, field(24));
        let mut name = [0; 16];
        name.iter_mut().zip(name_bytes).for_each(|(to, from)| *to = *from);
        Some(Self { name, state, ticks: user.saturating_add(system), started, rss_pages: rss.unwrap_or(0) })
    }

    fn name(&self) -> String {
        text(self.name.split(|byte| *byte == 0).next().unwrap_or_default())
    }
}

/// Bytes read from and written to disks, of `/proc/PID/io`.
pub(crate) fn parse_io(bytes: &[u8]) -> Option<u64> {
    let of = |name: &[u8]| {
        let line = lines(bytes).find_map(|line| line.strip_prefix(name))?;
        words(line).next().and_then(number)
    };
    Some(of(b"read_bytes:")?.saturating_add(of(b"write_bytes:")?))
}

/// What is remembered of a process.
#[derive(Debug, Clone, Copy)]
struct Seen {
    started: u64,
    ticks: u64,
    io: Option<u64>,
}

/// Reads processes, and remembers what they have taken so far.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    mask: Mask,
    seen: HashMap<u32, Seen>,
    names: HashSet<[u8; 16]>,
    users: HashMap<u32, String>,
    readings: u32,
}

impl Reader {
    /// All processes, with those `each` that take most time, memory and disk.
    pub(crate) fn read(
        &mut self,
        kernel: &mut Kernel,
        elapsed: Duration,
        each: usize,
    ) -> std::io::Result<Processes> {
        let ticks_s = rustix::param::clock_ticks_per_second() as f64;
        let pids = pids(kernel)?;
        let (count, mut running) = (pids.len(), 0);
        let mut seen = HashMap::with_capacity(pids.len());
        self.names.clear();
        let mut takes = Vec::with_capacity(pids.len());
        for pid in pids.into_iter().take(PROCESSES_MAX) {
            // It may have ended meanwhile.
            let Some(stat) = kernel.proc(&format!("{pid}/stat")).ok().and_then(Stat::parse) else { continue };
            let io = kernel.proc(&format!("{pid}/io")).ok().and_then(parse_io);
            self.names.insert(stat.name);
            running += usize::from(stat.state == b'R');
            let before = self.seen.get(&pid).filter(|before| before.started == stat.started);
            let rate = |from: u64, to| per_second(from, to, elapsed);
            let cpu = before.and_then(|before| rate(before.ticks, stat.ticks)).unwrap_or(0.0);
            let io_bytes_s = io.map(|io| before.and_then(|before| rate(before.io?, io)).unwrap_or(0.0));
            takes.push(Takes {
                of: (pid, stat),
                cpu_percent: cpu / ticks_s * 100.0,
                rss: stat.rss_pages,
                io_bytes_s,
            });
            seen.insert(pid, Seen { started: stat.started, ticks: stat.ticks, io });
        }
        self.seen = seen;
        if self.readings.is_multiple_of(USERS_READ_AGAIN) {
            let path = kernel.roots().etc.join("passwd");
            self.users = kernel.file(&path).map(passwd::parse).unwrap_or_default();
        }
        self.readings = self.readings.wrapping_add(1);
        let top = top(takes, each).into_iter().map(|one| self.told(kernel, &one)).collect();
        Ok(Processes { count, running: Some(running), top })
    }

    /// Whether the last reading had a process that may be of a service: of its name, of that of a daemon (`ssh`,
    /// `sshd`), or one that begins with it (`redis`, `redis-server`).
    pub(crate) fn has(&self, service: &str) -> bool {
        let name = service.strip_suffix(".service").unwrap_or(service);
        // The kernel keeps 15 bytes.
        let short = |name: &str| name.bytes().take(15).collect::<Vec<u8>>();
        let (whole, bare) = (short(name), short(name.strip_suffix('d').unwrap_or(name)));
        !name.is_empty()
            && self.names.iter().any(|other| {
                let other = other.split(|byte| *byte == 0).next().unwrap_or_default();
                other.starts_with(&whole) || (!bare.is_empty() && other == bare)
            })
    }

    fn told(&self, kernel: &mut Kernel, one: &Takes<(u32, Stat)>) -> Process {
        use std::os::unix::fs::MetadataExt;
        let (pid, stat) = one.of;
        let uid = fs::metadata(kernel.roots().proc.join(pid.to_string())).map(|found| found.uid());
        let user = uid.map(|uid| self.users.get(&uid).cloned().unwrap_or_else(|| uid.to_string()));
        let command = kernel.proc(&format!("{pid}/cmdline"));
        let command = command.map(|line| command_line::masked(line, &self.mask));
        Process {
            pid,
            name: stat.name(),
            user: user.unwrap_or_default(),
            cpu_percent: one.cpu_percent,
            rss_bytes: one.rss.saturating_mul(rustix::param::page_size() as u64),
            io_bytes_s: one.io_bytes_s,
            command: command.unwrap_or_default(),
        }
    }
}

fn pids(kernel: &Kernel) -> std::io::Result<Vec<u32>> {
    let entries = fs::read_dir(&kernel.roots().proc)?;
    let pid = |name: std::ffi::OsString| u32::try_from(number(name.as_encoded_bytes())?).ok();
    Ok(entries.filter_map(|entry| pid(entry.ok()?.file_name())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(pid: u32, name: &str, ticks: u64, started: u64, pages: u64) -> String {
        format!(
            "{pid} ({name}) R 1 1 1 0 -1 4194560 1 2 3 4 {ticks} 0 0 0 20 0 1 0 {started} 1000 {pages} 18446744073709551615 1 1\n"
        )
    }

    #[test]
    fn a_name_may_hold_anything() {
        let stat = Stat::parse(stat(7, "a) R (b", 12, 99, 5).as_bytes()).unwrap();
        assert_eq!((stat.name().as_str(), stat.ticks, stat.started, stat.rss_pages), ("a) R (b", 12, 99, 5));
        assert_eq!(Stat::parse(b"7 (x) R 1 1"), None);
        assert_eq!(Stat::parse(b") ("), None);
        assert_eq!(parse_io(b"rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\n"), Some(12_288));
    }

    #[test]
    fn those_that_take_most_are_found_and_a_number_given_out_again_is_another_process() {
        let dir = tempfile::tempdir().unwrap();
        let roots =
            crate::Roots { proc: dir.path().to_owned(), etc: dir.path().to_owned(), ..Default::default() };
        let put = |pid: u32, text: String, io: u64| {
            let folder = dir.path().join(pid.to_string());
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("stat"), text).unwrap();
            fs::write(folder.join("io"), format!("read_bytes: {io}\nwrite_bytes: 0\n")).unwrap();
            fs::write(folder.join("cmdline"), "app\0--token\0hunter2\0").unwrap();
        };
        let (mut kernel, mut reader) = (Kernel::new(roots), Reader::default());
        put(1, stat(1, "init", 100, 1, 10), 0);
        put(2, stat(2, "busy", 100, 5, 20), 0);
        put(3, stat(3, "large", 0, 5, 9000), 0);
        put(4, stat(4, "writer", 0, 5, 1), 0);
        reader.read(&mut kernel, Duration::from_secs(1), 1).unwrap();
        put(2, stat(2, "busy", 300, 5, 20), 0);
        put(4, stat(4, "writer", 0, 5, 1), 1 << 20);
        // Another process has the number of the first.
        put(1, stat(1, "other", 5000, 900, 10), 0);
        let read = reader.read(&mut kernel, Duration::from_secs(2), 1).unwrap();
        assert_eq!((read.count, read.running), (4, Some(4)));
        let names: Vec<_> = read.top.iter().map(|process| process.name.as_str()).collect();
        assert_eq!(names, ["busy", "large", "writer"]);
        let ticks_s = rustix::param::clock_ticks_per_second() as f64;
        assert!((read.top[0].cpu_percent - 100.0 * 100.0 / ticks_s).abs() < 1e-9);
        assert_eq!(read.top[2].io_bytes_s, Some(524_288.0));
        assert_eq!(read.top[0].command, format!("app --token {}", mask::MASKED));
    }
}
