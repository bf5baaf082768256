//! What the operating system says of a process (Linux only).

use std::{fs, io, path::Path, time::Duration};

/// CPU time and memory of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// Most memory ever resident, in bytes.
    pub peak_bytes: u64,
    /// Memory resident now, in bytes.
    pub resident_bytes: u64,
}

/// The usage of a process so far.
///
/// # Errors
/// When it is gone, or the system has no `/proc`.
pub fn usage(pid: u32) -> io::Result<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default()
    };
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field may hold blanks; after its closing parenthesis utime and stime are fields 12 and 13.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().collect();
    let ticks: u64 = [11, 12].iter().filter_map(|index| fields.get(*index)?.parse::<u64>().ok()).sum();
    Ok(Usage {
        cpu: Duration::from_millis(ticks * 10),
        peak_bytes: kib("VmHWM:") * 1024,
        resident_bytes: kib("VmRSS:") * 1024,
    })
}

/// The process on this machine that listens on a TCP port of an IPv4 address.
///
/// # Errors
/// When the system has no `/proc`.
pub fn listening_on(port: u16) -> io::Result<Option<u32>> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let wanted = format!(":{port:04X}");
    let inode = table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        (fields.get(1)?.ends_with(&wanted) && *fields.get(3)? == "0A")
            .then(|| fields.get(9).map(|s| (*s).to_owned()))?
    });
    let Some(inode) = inode else { return Ok(None) };
    let socket = format!("socket:[{inode}]");
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(files) = fs::read_dir(entry.path().join("fd")) else { continue };
        if files
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(|target| target == Path::new(&socket)))
        {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}

/// Bytes that everything below a directory takes, by file length.
///
/// # Errors
/// When it cannot be read.
pub fn bytes_below(dir: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        // A file may go while we look: segments are replaced all the time.
        let Ok(metadata) = entry.metadata() else { continue };
        sum +=
            if metadata.is_dir() { bytes_below(&entry.path()).unwrap_or_default() } else { metadata.len() };
    }
    Ok(sum)
}
