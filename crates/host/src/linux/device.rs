//! Block devices: what they read and write, and for how much of the time (`/proc/diskstats`,
//! Documentation/admin-guide/iostats.rst of the kernel).

use std::time::Duration;

use super::number::{lines, number, text, words};
use crate::{rate::per_second, reading::Device};

/// More devices are left out.
const DEVICES_MAX: usize = 256;
/// The unit of the kernel's counters, whatever the device's own sectors are.
const SECTOR_BYTES: u64 = 512;

/// Its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) name: String,
    read: u64,
    written: u64,
    reads: u64,
    writes: u64,
    busy_ms: u64,
}

/// Whole devices that have done something: no parts, memory disks and loops.
pub(crate) fn parse(bytes: &[u8]) -> Vec<Counters> {
    let line = |line: &[u8]| {
        let fields: Vec<&[u8]> = words(line).collect();
        let name = text(fields.get(2)?);
        let at = |index: usize| number(fields.get(index).copied().unwrap_or_default());
        let (reads, writes) = (at(3)?, at(7)?);
        let counters = Counters {
            name,
            read: at(5)?.saturating_mul(SECTOR_BYTES),
            written: at(9)?.saturating_mul(SECTOR_BYTES),
            reads,
            writes,
            busy_ms: at(12)?,
        };
        (reads.saturating_add(writes) > 0 && is_whole(&counters.name)).then_some(counters)
    };
    lines(bytes).filter_map(line).take(DEVICES_MAX).collect()
}

/// By their names: `sda1` is a part of `sda`, `nvme0n1p1` of `nvme0n1`.
fn is_whole(name: &str) -> bool {
    let is_of = |prefix: &str| name.starts_with(prefix);
    if is_of("loop") || is_of("ram") || is_of("zram") || is_of("fd") || is_of("sr") {
        return false;
    }
    let ends_with_digit = name.ends_with(|c: char| c.is_ascii_digit());
    if is_of("nvme") || is_of("mmcblk") || is_of("nbd") {
        let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
        return !(ends_with_digit && base.ends_with('p'));
    }
    let is_lettered = ["sd", "hd", "vd", "xvd"].iter().any(|prefix| is_of(prefix));
    !(is_lettered && ends_with_digit)
}

impl Counters {
    pub(crate) fn since(&self, before: &[Self], elapsed: Duration) -> Option<Device> {
        let before = before.iter().find(|other| other.name == self.name)?;
        let busy_ms_s = per_second(before.busy_ms, self.busy_ms, elapsed)?;
        Some(Device {
            name: self.name.clone(),
            read_bytes_s: per_second(before.read, self.read, elapsed)?,
            write_bytes_s: per_second(before.written, self.written, elapsed)?,
            read_ops_s: Some(per_second(before.reads, self.reads, elapsed)?),
            write_ops_s: Some(per_second(before.writes, self.writes, elapsed)?),
            busy_percent: Some((busy_ms_s / 10.0).min(100.0)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_devices_are_measured() {
        let before = b"   8 0 sda 10 0 80 5 20 0 160 7 0 100 12\n   8 1 sda1 10 0 80 5 20 0 160 7 0 100 12\n\
            7 0 loop0 9 0 9 9 9 0 9 9 0 9 9\n 259 0 nvme0n1 1 0 8 0 0 0 0 0 0 1 1 0 0 0 0\n259 1 nvme0n1p1 1 0 8 0 0 0 0 0 0 1 1\n";
        let after = b"   8 0 sda 20 0 180 5 40 0 360 7 0 1100 12\n";
        let [before, after] = [&before[..], &after[..]].map(parse);
        assert_eq!(before.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["sda", "nvme0n1"]);
        let device = after[0].since(&before, Duration::from_secs(2)).unwrap();
        assert_eq!((device.read_bytes_s, device.write_bytes_s), (25_600.0, 51_200.0));
        assert_eq!(
            (device.read_ops_s, device.write_ops_s, device.busy_percent),
            (Some(5.0), Some(10.0), Some(50.0))
        );
        assert_eq!(after[0].since(&[], Duration::from_secs(2)), None);
    }
}
