//! A sample as named numbers.

use std::collections::BTreeMap;

use crate::{
    Container, CpuShares, Descriptors, Disk, DiskIo, Kind, Measures, Memory, Metrics, Network, Pressure,
    Sample, ServiceState, ServiceUnit, Tcp, Unit,
};

/// One number of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name: the path in the sample with dots, such as `cpu.percent`, `disk./.percent`, `cpu.load.1`.
    pub name: String,
    /// In what it is measured.
    pub unit: Unit,
    /// How it is to be read.
    pub kind: Kind,
    /// The number; finite.
    pub value: f64,
}

impl Sample {
    /// Every number of the sample, each name once. Services are 1 when they run and 0 when they do not; addresses and
    /// processes are none, for their names know no end.
    pub fn series(&self) -> Vec<Series> {
        let mut list = List::default();
        list.metrics(&self.metrics);
        list.0
    }
}

#[derive(Default)]
struct List(Vec<Series>);

impl List {
    fn one(&mut self, name: String, unit: Unit, kind: Kind, value: f64) {
        if value.is_finite() {
            self.0.push(Series { name, unit, kind, value });
        }
    }

    fn gauge(&mut self, name: impl Into<String>, unit: Unit, value: Option<f64>) {
        if let Some(value) = value {
            self.one(name.into(), unit, Kind::Gauge, value);
        }
    }

    fn group(&mut self, path: &str, group: &impl Measures) {
        group.each(&mut |name, unit, kind, value| self.one(format!("{path}.{name}"), unit, kind, value));
    }

    fn groups<M: Measures>(&mut self, path: &str, groups: &BTreeMap<String, M>) {
        for (label, group) in groups {
            self.group(&format!("{path}.{label}"), group);
        }
    }

    fn metrics(&mut self, metrics: &Metrics) {
        if let Some(cpu) = &metrics.cpu {
            self.group("cpu", &cpu.shares);
            for (core, percent) in cpu.cores.iter().enumerate() {
                self.gauge(format!("cpu.cores.{core}"), Unit::Percent, Some(*percent));
            }
            for (minutes, load) in [1, 5, 15].into_iter().zip(cpu.load.into_iter().flatten()) {
                self.gauge(format!("cpu.load.{minutes}"), Unit::Count, Some(load));
            }
        }
        metrics.ram.iter().for_each(|ram| self.group("ram", ram));
        metrics.swap.iter().for_each(|swap| self.group("swap", swap));
        self.groups("disk", &metrics.disk);
        self.groups("disk_io", &metrics.disk_io);
        self.groups("network", &metrics.network);
        self.groups("pressure", &metrics.pressure);
        metrics.tcp.iter().for_each(|tcp| self.group("tcp", tcp));
        metrics.descriptors.iter().for_each(|files| self.group("descriptors", files));
        for (name, state) in &metrics.services {
            let runs = match state {
                ServiceState::Running => Some(1.0),
                ServiceState::Stopped | ServiceState::Failed => Some(0.0),
                ServiceState::Unknown => None,
            };
            self.gauge(format!("services.{name}"), Unit::Flag, runs);
        }
        self.groups("units", &metrics.units);
        self.groups("containers", &metrics.containers);
        let attempts = metrics.ssh.as_ref().and_then(|ssh| ssh.failed_attempts);
        self.gauge("ssh.failed_attempts", Unit::Count, attempts);
        for (sensor, celsius) in &metrics.temperatures {
            self.gauge(format!("temperatures.{sensor}"), Unit::Celsius, Some(*celsius));
        }
        if let Some(uptime) = metrics.uptime_s {
            self.one("uptime_s".to_owned(), Unit::Seconds, Kind::Counter, uptime);
        }
        self.gauge("users", Unit::Count, metrics.users);
        self.gauge("processes", Unit::Count, metrics.processes);
        self.gauge("clock_offset_s", Unit::Offset, metrics.clock_offset_s);
        for (name, value) in &metrics.other {
            self.gauge(format!("other.{name}"), Unit::Unknown, Some(*value));
        }
    }
}

/// Unit and kind of the series of this name, whether or not a sample has it; None for a name that no series has.
pub fn unit(name: &str) -> Option<(Unit, Kind)> {
    let gauge = |unit| Some((unit, Kind::Gauge));
    let (group, rest) = name.split_once('.').unwrap_or((name, ""));
    // The label in the middle may have dots of its own.
    let last = rest.rsplit_once('.').map(|(_, last)| last).unwrap_or_default();
    match group {
        "cpu" if rest.starts_with("cores.") => gauge(Unit::Percent),
        "cpu" if rest.starts_with("load.") => gauge(Unit::Count),
        "cpu" => CpuShares::unit(rest),
        "ram" | "swap" => Memory::unit(rest),
        "disk" => Disk::unit(last),
        "disk_io" => DiskIo::unit(last),
        "network" => Network::unit(last),
        "pressure" => Pressure::unit(last),
        "tcp" => Tcp::unit(rest),
        "descriptors" => Descriptors::unit(rest),
        "units" => ServiceUnit::unit(last),
        "containers" => Container::unit(last),
        "services" if !rest.is_empty() => gauge(Unit::Flag),
        "temperatures" if !rest.is_empty() => gauge(Unit::Celsius),
        "ssh" if rest == "failed_attempts" => gauge(Unit::Count),
        "uptime_s" if rest.is_empty() => Some((Unit::Seconds, Kind::Counter)),
        "users" | "processes" if rest.is_empty() => gauge(Unit::Count),
        "clock_offset_s" if rest.is_empty() => gauge(Unit::Offset),
        "other" if !rest.is_empty() => gauge(Unit::Unknown),
        _ => None,
    }
}
