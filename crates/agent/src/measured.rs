//! What was measured, in the words of a sample.

use std::collections::BTreeMap;

use event::Timestamp;
use host::{Reading, ServiceState};
use sample::{
    Container, Cpu, CpuShares, Descriptors, Disk, DiskIo, Memory, Metrics, Network, Pressure, Process,
    ServiceUnit, Ssh, Tcp,
};

use crate::sign_ins::Failures;

/// A kilobyte of a sample.
const KB: f64 = 1024.0;

fn whole(number: u64) -> Option<f64> {
    Some(number as f64)
}

/// The metrics of a reading.
pub(crate) fn metrics(reading: Reading, failures: Option<Failures>) -> Metrics {
    let (services, units) = services(reading.services);
    let addresses = |failures: &Failures| {
        failures.by_address.iter().map(|(address, count)| (address.to_string(), *count as f64)).collect()
    };
    Metrics {
        cpu: cpu(reading.cpu, reading.load),
        ram: reading.memory.map(|memory| Memory {
            percent: Some(memory.percent),
            total: whole(memory.total),
            used: whole(memory.used),
            available: whole(memory.available),
        }),
        swap: reading.swap.map(|swap| Memory {
            percent: Some(swap.percent),
            total: whole(swap.total),
            used: whole(swap.used),
            available: None,
        }),
        disk: reading.file_systems.into_iter().map(disk).collect(),
        disk_io: reading.devices.into_iter().map(disk_io).collect(),
        network: reading.interfaces.into_iter().map(network).collect(),
        pressure: reading
            .pressure
            .into_iter()
            .map(|one| (one.resource.to_owned(), Pressure { some: Some(one.some), full: one.full }))
            .collect(),
        tcp: reading.tcp.map(|found| tcp(&found)),
        descriptors: reading
            .descriptors
            .map(|(open, max)| Descriptors { open: whole(open), max: whole(max) }),
        services,
        units,
        containers: containers(reading.containers),
        ssh: failures
            .map(|failures| Ssh { failed_attempts: whole(failures.all), addresses: addresses(&failures) }),
        temperatures: reading.temperatures.into_iter().map(|one| (one.sensor, one.celsius)).collect(),
        uptime_s: reading.uptime_s,
        users: reading.users.map(|users| users as f64),
        processes: (reading.processes.count > 0).then_some(reading.processes.count as f64),
        clock_offset_s: None,
        top: reading.processes.top.into_iter().map(process).collect(),
        other: BTreeMap::new(),
    }
}

fn cpu(measured: Option<host::Cpu>, load: Option<host::Load>) -> Option<Cpu> {
    let load = load.map(|load| load.averages);
    match measured {
        None if load.is_none() => None,
        None => Some(Cpu { load, ..Cpu::default() }),
        Some(cpu) => Some(Cpu {
            shares: CpuShares {
                percent: Some(cpu.total.busy),
                user: cpu.total.user,
                system: cpu.total.system,
                iowait: cpu.total.iowait,
                steal: cpu.total.steal,
            },
            cores: cpu.cores,
            load,
        }),
    }
}

fn disk(one: host::FileSystem) -> (String, Disk) {
    let disk = Disk {
        percent: Some(one.percent),
        total: whole(one.total),
        used: whole(one.used),
        available: whole(one.available),
        inodes_percent: one.inodes_percent,
        read_only: Some(f64::from(u8::from(one.is_read_only))),
    };
    (one.path, disk)
}

fn disk_io(one: host::Device) -> (String, DiskIo) {
    let io = DiskIo {
        read_bytes_s: Some(one.read_bytes_s),
        write_bytes_s: Some(one.write_bytes_s),
        read_ops_s: one.read_ops_s,
        write_ops_s: one.write_ops_s,
        busy_percent: one.busy_percent,
    };
    (one.name, io)
}

fn network(one: host::Interface) -> (String, Network) {
    let network = Network {
        in_kb_s: Some(one.in_bytes_s / KB),
        out_kb_s: Some(one.out_bytes_s / KB),
        in_packets_s: Some(one.in_packets_s),
        out_packets_s: Some(one.out_packets_s),
        errors: whole(one.errors),
        drops: one.drops.and_then(whole),
    };
    (one.name, network)
}

fn tcp(found: &host::Tcp) -> Tcp {
    let of = |names: &[&str]| {
        let states = found.states.iter().filter(|(name, _)| names.contains(name));
        Some(states.map(|(_, count)| *count as f64).sum())
    };
    const NAMED: [&str; 6] = ["established", "listen", "time_wait", "close_wait", "syn_sent", "syn_recv"];
    let other = found.states.iter().filter(|(name, _)| !NAMED.contains(name));
    Tcp {
        established: of(&["established"]),
        listen: of(&["listen"]),
        time_wait: of(&["time_wait"]),
        close_wait: of(&["close_wait"]),
        opening: of(&["syn_sent", "syn_recv"]),
        other: Some(other.map(|(_, count)| *count as f64).sum()),
        retransmits_s: found.retransmits_s,
    }
}

fn services(
    found: Vec<host::Service>,
) -> (BTreeMap<String, sample::ServiceState>, BTreeMap<String, ServiceUnit>) {
    let unit = |one: &host::Service| ServiceUnit {
        restarts: one.restarts.map(|number| number as f64),
        memory_bytes: one.memory_bytes.map(|number| number as f64),
    };
    let state = |state| match state {
        ServiceState::Running => sample::ServiceState::Running,
        ServiceState::Stopped => sample::ServiceState::Stopped,
        ServiceState::Failed => sample::ServiceState::Failed,
        ServiceState::Unknown => sample::ServiceState::Unknown,
    };
    let told = found.iter().filter(|one| one.restarts.is_some() || one.memory_bytes.is_some());
    let units = told.map(|one| (one.name.clone(), unit(one))).collect();
    (found.into_iter().map(|one| (one.name, state(one.state))).collect(), units)
}

/// Two of one name are told apart by a number.
fn containers(found: Vec<host::Container>) -> BTreeMap<String, Container> {
    let mut containers = BTreeMap::new();
    for one in found {
        let container = Container {
            cpu_percent: one.cpu_percent,
            memory_bytes: one.memory_bytes.map(|bytes| bytes as f64),
        };
        let names =
            std::iter::once(one.name.clone()).chain((2..).map(|number| format!("{} ({number})", one.name)));
        if let Some(name) = names.into_iter().find(|name| !containers.contains_key(name)) {
            containers.insert(name, container);
        }
    }
    containers
}

fn process(one: host::Process) -> Process {
    let said = |text: String| (!text.is_empty()).then_some(text);
    Process {
        pid: u64::from(one.pid),
        name: one.name,
        user: said(one.user),
        command: said(one.command),
        cpu_percent: Some(one.cpu_percent),
        rss_bytes: Some(one.rss_bytes as f64),
        io_bytes_s: one.io_bytes_s,
    }
}

/// A time of the system's clock in milliseconds since 1970.
pub(crate) fn milliseconds(now: Timestamp) -> u64 {
    u64::try_from(now.to_jiff().as_millisecond()).unwrap_or(0)
}
