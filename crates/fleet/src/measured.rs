//! What of a sample is held against a threshold.

use finding::{Entity, EntityType, Facts, Finding, FindingKind, Level, Occurrence, fact};
use sample::{Metrics, Process, ServiceState, Unit};
use serde_json::Value;

use crate::{monitoring::Monitoring, usual::Usual};

/// Of the threshold: below this part of it, what was raised has cleared.
const CLEAR_PART: f64 = 0.95;
/// From here on a full disk or memory is grave.
const GRAVE_PERCENT: f64 = 95.0;
/// So many tasks for each core are too many.
const LOAD_PER_CORE: f64 = 4.0;
/// Samples above a threshold that can be passed for a moment.
const SAMPLES: u32 = 2;
/// A learned limit is so far above what is usual: so many times what that varies, and at least the margin.
const SPREADS: f64 = 3.0;
const MARGIN_PERCENT: f64 = 10.0;
const MARGIN_PART: f64 = 0.25;
const MARGIN_KB_S: f64 = 100.0;
/// Processes that are told with what was raised.
const TOP_TOLD: usize = 5;

/// Something measured that is held against a threshold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    /// The rule: the kind, and what of the host it is about, such as `host_disk /home`.
    pub(crate) rule: String,
    pub(crate) kind: FindingKind,
    /// The section of `monitoring` that it is of.
    pub(crate) section: &'static str,
    /// The series that keeps it.
    pub(crate) series: String,
    /// The service or what else it is about beside the host.
    pub(crate) service: Option<String>,
    pub(crate) value: f64,
    pub(crate) raise: f64,
    pub(crate) clear: f64,
    /// So many samples in a row raise it, and as many clear it.
    pub(crate) samples: u32,
    pub(crate) level: Level,
    /// What is usual, where the limit follows from that.
    pub(crate) usual: Option<Usual>,
}

impl Measured {
    fn of(
        kind: FindingKind,
        about: &str,
        (section, series): (&'static str, String),
        value: f64,
        raise: f64,
    ) -> Self {
        let rule = if about.is_empty() { kind.as_str().to_owned() } else { format!("{kind} {about}") };
        let (clear, level) = (raise * CLEAR_PART, Level::Medium);
        let (service, samples, usual) = (None, SAMPLES, None);
        Self { rule, kind, section, series, service, value, raise, clear, samples, level, usual }
    }

    fn at_once(self) -> Self {
        Self { samples: 1, ..self }
    }

    fn grave_from(self, percent: f64) -> Self {
        let level = if self.value >= percent { Level::High } else { self.level };
        Self { level, ..self }
    }

    /// The same, held against what is usual instead of a fixed limit. Memory is grave from where it always is.
    pub(crate) fn by(self, usual: Usual) -> Self {
        let least = if self.kind == FindingKind::HostNetwork {
            MARGIN_KB_S.max(MARGIN_PART * usual.most)
        } else {
            MARGIN_PERCENT
        };
        let learned = usual.most + least.max(SPREADS * usual.spread);
        let raise = match self.kind {
            FindingKind::HostMemory => learned.min(self.raise.max(GRAVE_PERCENT)),
            _ => learned,
        };
        // Half way back to what is usual.
        let clear = f64::midpoint(usual.most.min(raise), raise);
        Self { raise, clear, usual: Some(usual), ..self }
    }

    /// In what it is kept.
    pub(crate) fn unit(&self) -> Unit {
        sample::unit(&self.series).map_or(Unit::Unknown, |(unit, _)| unit)
    }

    /// Whether it is so high that it is raised.
    pub(crate) fn is_high(&self) -> bool {
        self.value >= self.raise
    }

    /// Whether it is so low that it has cleared.
    pub(crate) fn is_low(&self) -> bool {
        self.value < self.clear
    }
}

/// All that is to be held against thresholds.
pub(crate) fn measured(metrics: &Metrics, monitoring: &Monitoring) -> Vec<Measured> {
    let mut all = Vec::new();
    let shares = metrics.cpu.as_ref().and_then(|cpu| cpu.shares.percent);
    let ram = metrics.ram.and_then(|ram| ram.percent);
    for (section, kind, value) in
        [("cpu", FindingKind::HostCpu, shares), ("ram", FindingKind::HostMemory, ram)]
    {
        if let (true, Some(value), Some(raise)) =
            (monitoring.is_on(section), value, monitoring.threshold(section))
        {
            let one = Measured::of(kind, "", (section, format!("{section}.percent")), value, raise);
            all.push(if section == "ram" { one.grave_from(GRAVE_PERCENT) } else { one });
        }
    }
    if monitoring.is_on("cpu")
        && let Some(cpu) = &metrics.cpu
        && let (Some([_, load, _]), false) = (cpu.load, cpu.cores.is_empty())
    {
        let raise = LOAD_PER_CORE * cpu.cores.len() as f64;
        all.push(Measured::of(FindingKind::HostLoad, "", ("load", "cpu.load.5".to_owned()), load, raise));
    }
    disks(metrics, monitoring, &mut all);
    networks(metrics, monitoring, &mut all);
    services(metrics, monitoring, &mut all);
    all
}

fn disks(metrics: &Metrics, monitoring: &Monitoring, all: &mut Vec<Measured>) {
    let Some(raise) = monitoring.threshold("disk").filter(|_| monitoring.is_on("disk")) else { return };
    for (path, disk) in &metrics.disk {
        // What cannot be written to is full by nature: an image, a disc.
        if disk.read_only == Some(1.0) || !monitoring.lists("disk", "paths", path) {
            continue;
        }
        let inodes = ("inodes_percent", format!("{path} inodes"), disk.inodes_percent);
        for (name, about, value) in [("percent", path.clone(), disk.percent), inodes] {
            if let Some(value) = value {
                let series = ("disk", format!("disk.{path}.{name}"));
                let one = Measured::of(FindingKind::HostDisk, &about, series, value, raise);
                all.push(one.at_once().grave_from(GRAVE_PERCENT));
            }
        }
    }
}

fn networks(metrics: &Metrics, monitoring: &Monitoring, all: &mut Vec<Measured>) {
    if !monitoring.is_on("network") {
        return;
    }
    for (interface, network) in &metrics.network {
        if !monitoring.lists("network", "interfaces", interface) {
            continue;
        }
        for (way, value) in [("in", network.in_kb_s), ("out", network.out_kb_s)] {
            if let (Some(value), Some(raise)) = (value, monitoring.rate(way)) {
                let about = format!("{interface} {way}");
                let series = ("network", format!("network.{interface}.{way}_kb_s"));
                all.push(Measured::of(FindingKind::HostNetwork, &about, series, value, raise));
            }
        }
    }
}

fn services(metrics: &Metrics, monitoring: &Monitoring, all: &mut Vec<Measured>) {
    if !monitoring.is_on("services") {
        return;
    }
    for (name, state) in &metrics.services {
        let is_down = match state {
            ServiceState::Running => 0.0,
            ServiceState::Stopped | ServiceState::Failed => 1.0,
            ServiceState::Unknown => continue,
        };
        if monitoring.lists("services", "list", name) {
            let series = ("services", format!("services.{name}"));
            let one = Measured::of(FindingKind::ServiceDown, name, series, is_down, 1.0).at_once();
            all.push(Measured { service: Some(name.clone()), level: Level::High, ..one });
        }
    }
}

/// What is told of a threshold that was passed from `first` to `last`.
pub(crate) fn finding(host: &str, one: &Measured, run: Occurrence, top: &[Process]) -> Finding {
    let is_update = run.is_update;
    let mut finding =
        Finding::of_run(one.kind, one.level, &one.rule, Entity::new(EntityType::Host, host), run);
    if let Some(service) = &one.service {
        finding = finding.and([Entity::new(EntityType::Service, service.as_str())]);
    }
    if is_update {
        return finding;
    }
    finding.facts = facts(one, top);
    finding
}

fn facts(one: &Measured, top: &[Process]) -> Facts {
    let mut facts = Facts::new();
    let about = one.rule.split_once(' ').map(|(_, about)| about);
    if let Some(about) = about.filter(|_| one.service.is_none()) {
        facts.insert(fact::MEASURED_AT.to_owned(), fact::text(about));
    }
    if one.service.is_none() {
        facts.insert(fact::VALUE.to_owned(), number(one.value));
        facts.insert(fact::THRESHOLD.to_owned(), number(one.raise));
    }
    if let Some(usual) = &one.usual {
        facts.insert(fact::USUAL_LEAST.to_owned(), number(usual.least));
        facts.insert(fact::USUAL_MOST.to_owned(), number(usual.most));
        facts.insert(fact::USUAL_WEEKS.to_owned(), Value::from(usual.weeks));
    }
    let told: Vec<String> =
        sorted(one.kind, top).into_iter().map(|process| process_told(one.kind, process)).collect();
    if !told.is_empty() {
        facts.insert(fact::TOP_PROCESSES.to_owned(), fact::list(told.iter().map(String::as_str)));
    }
    facts
}

fn number(value: f64) -> Value {
    Value::from((value * 100.0).round() / 100.0)
}

/// The processes that use most of what is scarce, the most first; none where no process is to blame.
fn sorted(kind: FindingKind, top: &[Process]) -> Vec<&Process> {
    let uses: fn(&Process) -> Option<f64> = match kind {
        FindingKind::HostCpu | FindingKind::HostLoad => |process| process.cpu_percent,
        FindingKind::HostMemory => |process| process.rss_bytes,
        FindingKind::HostNetwork | FindingKind::HostDisk => |process| process.io_bytes_s,
        _ => return Vec::new(),
    };
    let mut list: Vec<&Process> =
        top.iter().filter(|process| uses(process).is_some_and(|of| of > 0.0)).collect();
    list.sort_by(|one, other| uses(other).unwrap_or_default().total_cmp(&uses(one).unwrap_or_default()));
    list.truncate(TOP_TOLD);
    list
}

fn process_told(kind: FindingKind, process: &Process) -> String {
    let uses = match kind {
        FindingKind::HostMemory => process.rss_bytes.map(|bytes| format!("{:.0} MiB", bytes / 1_048_576.0)),
        FindingKind::HostNetwork | FindingKind::HostDisk => {
            process.io_bytes_s.map(|bytes| format!("{:.0} KiB/s", bytes / 1024.0))
        }
        _ => process.cpu_percent.map(|percent| format!("{percent:.0} %")),
    };
    format!("{} ({}) {}", process.name, process.pid, uses.unwrap_or_default())
}

/// What is told of failed sign-ins: one finding for each address that failed so often between two samples.
pub(crate) fn sign_ins(
    host: &str,
    metrics: &Metrics,
    monitoring: &Monitoring,
    run: &Occurrence,
) -> Vec<Finding> {
    let Some(threshold) = monitoring.threshold("ssh").filter(|_| monitoring.is_on("ssh")) else {
        return Vec::new();
    };
    let Some(ssh) = &metrics.ssh else { return Vec::new() };
    // The lines come too, and detection counts them.
    if metrics.other.get("agent.sign_ins_sent").is_some_and(|sent| *sent > 0.0) {
        return Vec::new();
    }
    let told = |about: Entity, count: f64| {
        let run = Occurrence { count: count as u64, ..run.clone() };
        // The rule has the name of the detector's that reads the same from logs: both make one signal.
        Finding::of_run(FindingKind::SshBruteForce, Level::Medium, "ssh_brute_force", about, run)
            .technique("T1110")
            .fact(fact::SUCCEEDED, false)
            .fact(fact::FAILURES, count as u64)
    };
    let on_host = Entity::new(EntityType::Host, host);
    let of_addresses =
        ssh.addresses.iter().filter(|(_, count)| **count >= threshold).map(|(address, count)| {
            told(Entity::new(EntityType::SourceIp, address.as_str()), *count).and([on_host.clone()])
        });
    let found: Vec<Finding> = of_addresses.collect();
    match ssh.failed_attempts {
        Some(total) if found.is_empty() && ssh.addresses.is_empty() && total >= threshold => {
            vec![told(on_host, total)]
        }
        _ => found,
    }
}
