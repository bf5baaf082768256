// What is done with each input of the fuzz target `kernel`; an ordinary test does the same.

use std::{
    fs,
    time::{Duration, Instant},
};

use host::{Machine, Roots, Selection, Wanted};

/// Has every file of the kernel say these bytes, behind what the file begins with, and reads the machine twice: numbers
/// are finite, shares are between nothing and everything, and names are text.
pub(crate) fn kernel(bytes: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let files = [
        ("proc/stat", "cpu  1 2 3 4\n"),
        ("proc/loadavg", ""),
        ("proc/meminfo", "MemTotal: 100 kB\nMemAvailable:"),
        ("proc/diskstats", "8 0 sda 1 0 8 5 2 0 1 7 0 1 12\n"),
        ("proc/uptime", ""),
        ("proc/pressure/io", "some avg10="),
        ("proc/1/mountinfo", "1 0 8:1 / /nowhere-at-all rw - ext4 /dev/a rw\n"),
        ("proc/1/net/dev", "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13\n"),
        ("proc/1/net/snmp", "Tcp: CurrEstab RetransSegs\nTcp: 1 "),
        ("proc/1/net/sockstat", "TCP: inuse 1 tw "),
        ("proc/1/net/tcp", "head\n"),
        ("proc/1/stat", "1 (a) R "),
        ("proc/1/io", "read_bytes: "),
        ("proc/1/cmdline", ""),
        ("proc/sys/fs/file-nr", ""),
        ("sys/class/thermal/thermal_zone0/temp", ""),
        ("sys/fs/cgroup/cgroup.controllers", ""),
        ("run/utmp", ""),
        ("etc/passwd", "root:x:0:"),
    ];
    for (name, begins) in files {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::write(at(name), [begins.as_bytes(), bytes].concat()).unwrap();
    }
    let roots = Roots::below(dir.path());
    let mut machine = Machine::new(roots);
    let selection = Selection { services: Wanted::These(vec!["a".to_owned()]), ..Selection::default() };
    let now = Instant::now();
    machine.read(&selection, now);
    let read = machine.read(&selection, now + Duration::from_secs(1));
    let shares = read
        .cpu
        .iter()
        .flat_map(|cpu| std::iter::once(cpu.total.busy).chain(cpu.total.iowait).chain(cpu.cores.clone()));
    let shares =
        shares.chain(read.memory.map(|memory| memory.percent)).chain(read.swap.map(|swap| swap.percent));
    for share in shares.chain(read.devices.iter().filter_map(|device| device.busy_percent)) {
        assert!((0.0..=100.0).contains(&share), "{share}");
    }
    let rates = read.interfaces.iter().flat_map(|one| [one.in_bytes_s, one.out_bytes_s]);
    for rate in rates.chain(read.processes.top.iter().map(|process| process.cpu_percent)) {
        assert!(rate.is_finite() && rate >= 0.0, "{rate}");
    }
    assert!(read.processes.top.iter().all(|process| !process.command.chars().any(char::is_control)));
}
