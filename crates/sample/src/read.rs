//! Reading one sample tolerantly.

use std::{collections::BTreeMap, fmt};

use event::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Cpu, Expected, Labels, Measures, Metrics, Process, Sample, ServiceState, Ssh, Unit, labels};

/// More problems of one sample are counted and not told.
pub const PROBLEMS_MAX: usize = 20;
/// Longer texts are cut.
const TEXT_BYTES_MAX: usize = 256;
/// Deeper nesting below unknown names is a problem.
const DEPTH_MAX: usize = 4;

/// What a sample may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Samples in one body.
    pub samples_max: usize,
    /// Labels (mounts, interfaces, services, addresses, unknown names) in each group of a sample.
    pub labels_max: usize,
    /// Processes.
    pub top_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { samples_max: 10_000, labels_max: 256, top_max: 30 }
    }
}

/// What does not fit, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The field: its path with dots.
    pub field: String,
    /// Why it does not fit, and what would.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.reason)
    }
}

/// A sample that was read, and what of it does not fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What fits.
    pub sample: Sample,
    /// What does not; the first [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub problems_total: usize,
}

/// Reads a sample from its JSON.
pub(crate) fn reading(value: Value, limits: &Limits) -> Result<Reading, Problem> {
    let problem = |field: &str, reason: String| Problem { field: field.to_owned(), reason };
    let Value::Object(mut object) = value else {
        return Err(problem("", format!("a sample must be an object, not {}", kind(&value))));
    };
    let aliases = ["agent_name", "name", "hostname", "agent"];
    let (given, name) = aliases
        .iter()
        .find_map(|alias| object.remove(*alias).filter(|value| !value.is_null()).map(|value| (*alias, value)))
        .ok_or_else(|| problem("agent_name", "is missing: a sample must say whose it is".to_owned()))?;
    let Value::String(name) = name else {
        return Err(problem(given, format!("must be a text, not {}", kind(&name))));
    };
    if let Some(reason) = refused_name(name.trim()) {
        return Err(problem(given, reason));
    }
    let mut reader = Reader { limits, below: "", problems: Vec::new(), problems_total: 0 };
    let sample = reader.sample(name.trim(), object);
    Ok(Reading { sample, problems: reader.problems, problems_total: reader.problems_total })
}

fn refused_name(name: &str) -> Option<String> {
    match name {
        "" => Some("must not be empty".to_owned()),
        _ if name.len() > Sample::NAME_BYTES_MAX => {
            Some(format!("is longer than {} bytes", Sample::NAME_BYTES_MAX))
        }
        _ if name.chars().any(char::is_control) => Some("must not have control characters".to_owned()),
        _ => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

struct Reader<'l> {
    limits: &'l Limits,
    /// What stands before the fields of problems.
    below: &'static str,
    problems: Vec<Problem>,
    problems_total: usize,
}

impl Reader<'_> {
    fn problem(&mut self, field: &str, reason: impl Into<String>) {
        self.problems_total += 1;
        if self.problems.len() < PROBLEMS_MAX {
            let field = format!("{}{}", self.below, cut(field));
            self.problems.push(Problem { field, reason: reason.into() });
        }
    }

    fn sample(&mut self, name: &str, mut object: Map<String, Value>) -> Sample {
        let mut sample = Sample::of(name);
        let mut take = |name: &str| object.remove(name).filter(|value| !value.is_null());
        sample.timestamp = take("timestamp").and_then(|value| self.timestamp(&value));
        sample.seq = take("seq").and_then(|value| self.whole("seq", &value));
        sample.agent_id = take("agent_id").and_then(|value| self.text("agent_id", value));
        sample.interval = take("interval").and_then(|value| self.interval(&value));
        sample.version = take("version").and_then(|value| self.text("version", value));
        sample.os = take("os").and_then(|value| self.text("os", value));
        sample.expected = take("expected").and_then(|value| self.expected(&value));
        sample.labels = take("labels").and_then(|value| self.labels(value));
        sample.config_version = take("config_version").and_then(|value| self.whole("config_version", &value));
        sample.config_problem = take("config_problem").and_then(|value| self.text("config_problem", value));
        sample.monitoring = take("monitoring").and_then(|value| self.monitoring(value));
        match take("processes") {
            None => {}
            Some(processes @ Value::Object(_)) => sample.processes = Some(processes),
            Some(value) => self.problem("processes", not_object(&value)),
        }
        match take("metrics") {
            None => {}
            Some(Value::Object(metrics)) => sample.metrics = self.metrics(metrics),
            Some(value) => self.problem("metrics", format!("must be an object, not {}", kind(&value))),
        }
        sample
    }

    fn labels(&mut self, value: Value) -> Option<Labels> {
        let Value::Object(object) = value else {
            self.problem("labels", not_object(&value));
            return None;
        };
        let (labels, unfit) = labels::fitting(object);
        unfit.into_iter().for_each(|(path, reason)| self.problem(&path, reason));
        Some(labels)
    }

    fn monitoring(&mut self, value: Value) -> Option<Map<String, Value>> {
        match value {
            Value::Object(object)
                if Value::Object(object.clone()).to_string().len() <= Sample::MONITORING_BYTES_MAX =>
            {
                Some(object)
            }
            Value::Object(_) => {
                self.problem("monitoring", format!("is longer than {} bytes", Sample::MONITORING_BYTES_MAX));
                None
            }
            value => {
                self.problem("monitoring", not_object(&value));
                None
            }
        }
    }

    fn timestamp(&mut self, value: &Value) -> Option<Timestamp> {
        let found = match value {
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Timestamp::from_integer(integer),
                None => number.as_f64().and_then(Timestamp::from_number),
            },
            // Without a zone it is UTC: so do programs write that know no better.
            Value::String(text) => {
                Timestamp::parse(text).or_else(|_| Timestamp::parse(&format!("{}Z", text.trim()))).ok()
            }
            _ => None,
        };
        if found.is_none() {
            self.problem(
                "timestamp",
                "must be RFC 3339, such as 2024-06-01T12:00:00Z, or seconds since 1970",
            );
        }
        found
    }

    fn interval(&mut self, value: &Value) -> Option<f64> {
        let found = value.as_f64().filter(|seconds| *seconds > 0.0 && *seconds <= 86_400.0);
        if found.is_none() {
            self.problem("interval", "must be seconds, more than 0 and at most 86400");
        }
        found
    }

    fn expected(&mut self, value: &Value) -> Option<Expected> {
        let found = match value.as_str() {
            Some("always") => Some(Expected::Always),
            Some("sometimes") => Some(Expected::Sometimes),
            _ => None,
        };
        if found.is_none() {
            self.problem("expected", "must be \"always\" or \"sometimes\"");
        }
        found
    }

    fn whole(&mut self, field: &str, value: &Value) -> Option<u64> {
        let found = value.as_u64();
        if found.is_none() {
            self.problem(field, "must be a whole number, not negative");
        }
        found
    }

    fn text(&mut self, field: &str, value: Value) -> Option<String> {
        match value {
            Value::String(text) => Some(cut(&text).chars().filter(|c| !c.is_control()).collect()),
            value => {
                self.problem(field, format!("must be a text, not {}", kind(&value)));
                None
            }
        }
    }

    /// A number of this unit; null is none, and no problem.
    fn number(&mut self, field: &str, value: &Value, unit: Unit) -> Option<f64> {
        let number = match value {
            Value::Null => return None,
            Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
            Value::Bool(yes) if matches!(unit, Unit::Flag | Unit::Unknown) => f64::from(u8::from(*yes)),
            Value::String(text) if ["NaN", "Infinity", "-Infinity"].contains(&text.as_str()) => f64::NAN,
            value => {
                let wanted = if unit == Unit::Flag { "true or false" } else { "a number" };
                self.problem(field, format!("must be {wanted}, not {}", kind(value)));
                return None;
            }
        };
        match unit.refuses(number) {
            None => Some(number),
            Some(reason) => {
                self.problem(field, reason);
                None
            }
        }
    }

    fn metrics(&mut self, object: Map<String, Value>) -> Metrics {
        let mut metrics = Metrics::default();
        self.below = "metrics.";
        for (name, value) in object.into_iter().filter(|(_, value)| !value.is_null()) {
            let other = &mut metrics.other;
            match name.as_str() {
                "cpu" => metrics.cpu = self.cpu(value, other),
                "ram" | "memory" => metrics.ram = self.group("ram", value, "percent", other),
                "swap" => metrics.swap = self.group("swap", value, "percent", other),
                "disk" => metrics.disk = self.groups("disk", value, "percent", other),
                "disk_io" => metrics.disk_io = self.groups("disk_io", value, "", other),
                "network" => metrics.network = self.groups("network", value, "", other),
                "pressure" => metrics.pressure = self.groups("pressure", value, "some", other),
                "tcp" => metrics.tcp = self.group("tcp", value, "established", other),
                "descriptors" => metrics.descriptors = self.group("descriptors", value, "open", other),
                "services" => metrics.services = self.services(value),
                "units" => metrics.units = self.groups("units", value, "", other),
                "containers" => metrics.containers = self.groups("containers", value, "cpu_percent", other),
                "ssh" => metrics.ssh = self.ssh(value, other),
                "temperatures" => {
                    metrics.temperatures = self.numbers("temperatures", value, Unit::Celsius);
                }
                "uptime_s" => metrics.uptime_s = self.number("uptime_s", &value, Unit::Seconds),
                "users" => metrics.users = self.number("users", &value, Unit::Count),
                "processes" => metrics.processes = self.number("processes", &value, Unit::Count),
                "clock_offset_s" => {
                    metrics.clock_offset_s = self.number("clock_offset_s", &value, Unit::Offset);
                }
                "top" => metrics.top = self.top(value),
                "other" => match value {
                    Value::Object(object) => {
                        object.iter().for_each(|(name, value)| self.other(name, value, 0, other));
                    }
                    value => self.problem("other", not_object(&value)),
                },
                _ => self.other(&name, &value, 0, other),
            }
        }
        self.below = "";
        metrics
    }

    /// A number by a name that is not known here, or several below it.
    fn other(&mut self, path: &str, value: &Value, depth: usize, other: &mut BTreeMap<String, f64>) {
        match value {
            Value::Object(object) if depth < DEPTH_MAX => {
                for (name, value) in object {
                    self.other(&format!("{path}.{name}"), value, depth + 1, other);
                }
            }
            Value::Array(_) | Value::Object(_) => {
                self.problem(path, format!("must be a number, not {}", kind(value)))
            }
            value => {
                if let Some(number) = self.number(path, value, Unit::Unknown)
                    && self.has_room(path, "other", other.len())
                    && self.is_label(path, path)
                {
                    other.insert(path.to_owned(), number);
                }
            }
        }
    }

    fn has_room(&mut self, field: &str, group: &str, taken: usize) -> bool {
        let has_room = taken < self.limits.labels_max;
        if !has_room {
            let max = self.limits.labels_max;
            self.problem(field, format!("is left out: {group} has more than {max} names"));
        }
        has_room
    }

    fn is_label(&mut self, field: &str, label: &str) -> bool {
        let is_label =
            !label.is_empty() && label.len() <= TEXT_BYTES_MAX && !label.chars().any(char::is_control);
        if !is_label {
            let reason = "must be named by a text of at most 256 bytes without control characters";
            self.problem(field, reason);
        }
        is_label
    }

    /// A group of numbers; a plain number is that of the name `plain`. Names that the group does not have go to `other`.
    fn group<M: Measures>(
        &mut self,
        path: &str,
        value: Value,
        plain: &str,
        other: &mut BTreeMap<String, f64>,
    ) -> Option<M> {
        let mut group = M::default();
        match value {
            Value::Object(object) => {
                for (name, value) in &object {
                    let field = format!("{path}.{name}");
                    match group.slot(name) {
                        Some((slot, unit)) => *slot = self.number(&field, value, unit),
                        None => self.other(&field, value, 1, other),
                    }
                }
            }
            Value::Null => return None,
            value => {
                let Some((slot, unit)) = group.slot(plain) else {
                    self.problem(path, not_object(&value));
                    return None;
                };
                *slot = self.number(path, &value, unit);
            }
        }
        let mut is_empty = true;
        group.each(&mut |_, _, _, _| is_empty = false);
        (!is_empty).then_some(group)
    }

    fn groups<M: Measures>(
        &mut self,
        path: &str,
        value: Value,
        plain: &str,
        other: &mut BTreeMap<String, f64>,
    ) -> BTreeMap<String, M> {
        let mut groups = BTreeMap::new();
        let Value::Object(object) = value else {
            self.problem(path, not_object(&value));
            return groups;
        };
        for (label, value) in object {
            let field = format!("{path}.{label}");
            if !self.has_room(&field, path, groups.len()) || !self.is_label(&field, &label) {
                continue;
            }
            if let Some(group) = self.group(&field, value, plain, other) {
                groups.insert(label, group);
            }
        }
        groups
    }

    fn numbers(&mut self, path: &str, value: Value, unit: Unit) -> BTreeMap<String, f64> {
        let mut numbers = BTreeMap::new();
        let Value::Object(object) = value else {
            self.problem(path, not_object(&value));
            return numbers;
        };
        for (label, value) in object {
            let field = format!("{path}.{label}");
            if self.has_room(&field, path, numbers.len())
                && self.is_label(&field, &label)
                && let Some(number) = self.number(&field, &value, unit)
            {
                numbers.insert(label, number);
            }
        }
        numbers
    }

    fn cpu(&mut self, value: Value, other: &mut BTreeMap<String, f64>) -> Option<Cpu> {
        let mut cpu = Cpu::default();
        let rest = match value {
            Value::Object(mut object) => {
                if let Some(cores) = object.remove("cores") {
                    cpu.cores = self.row("cpu.cores", &cores, Unit::Percent);
                }
                if let Some(load) = object.remove("load") {
                    cpu.load = self.row("cpu.load", &load, Unit::Count).try_into().ok();
                }
                Value::Object(object)
            }
            value => value,
        };
        let shares = self.group("cpu", rest, "percent", other);
        let is_empty = shares.is_none() && cpu.cores.is_empty() && cpu.load.is_none();
        cpu.shares = shares.unwrap_or_default();
        (!is_empty).then_some(cpu)
    }

    /// Numbers in a row: all of them, or none where one does not fit, for their places mean something.
    fn row(&mut self, field: &str, value: &Value, unit: Unit) -> Vec<f64> {
        let numbers = match value {
            Value::Null => return Vec::new(),
            Value::Array(numbers) => numbers,
            value => {
                self.problem(field, format!("must be an array of numbers, not {}", kind(value)));
                return Vec::new();
            }
        };
        if field == "cpu.load" && numbers.len() != 3 {
            self.problem(field, "must be three numbers: of 1, 5 and 15 minutes");
            return Vec::new();
        }
        if numbers.len() > self.limits.labels_max {
            self.problem(field, format!("has more than {} numbers", self.limits.labels_max));
            return Vec::new();
        }
        let mut row = Vec::with_capacity(numbers.len());
        for (place, number) in numbers.iter().enumerate() {
            match self.number(&format!("{field}.{place}"), number, unit) {
                Some(number) => row.push(number),
                None => return Vec::new(),
            }
        }
        row
    }

    fn services(&mut self, value: Value) -> BTreeMap<String, ServiceState> {
        let mut services = BTreeMap::new();
        let Value::Object(object) = value else {
            self.problem("services", not_object(&value));
            return services;
        };
        for (name, value) in object {
            let field = format!("services.{name}");
            if !self.has_room(&field, "services", services.len()) || !self.is_label(&field, &name) {
                continue;
            }
            match ServiceState::of(&value) {
                Some(state) => {
                    services.insert(name, state);
                }
                None => self.problem(&field, "must be running, stopped, failed or unknown"),
            }
        }
        services
    }

    fn ssh(&mut self, value: Value, other: &mut BTreeMap<String, f64>) -> Option<Ssh> {
        let mut ssh = Ssh::default();
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    match name.as_str() {
                        "failed_attempts" => {
                            ssh.failed_attempts = self.number("ssh.failed_attempts", &value, Unit::Count);
                        }
                        "addresses" => ssh.addresses = self.numbers("ssh.addresses", value, Unit::Count),
                        _ => self.other(&format!("ssh.{name}"), &value, 1, other),
                    }
                }
            }
            value => ssh.failed_attempts = self.number("ssh", &value, Unit::Count),
        }
        (ssh != Ssh::default()).then_some(ssh)
    }

    fn top(&mut self, value: Value) -> Vec<Process> {
        let Value::Array(list) = value else {
            self.problem("top", format!("must be an array, not {}", kind(&value)));
            return Vec::new();
        };
        let max = self.limits.top_max;
        if list.len() > max {
            self.problem("top", format!("has more than {max} processes; the first {max} are kept"));
        }
        let mut top = Vec::new();
        for (place, value) in list.into_iter().take(max).enumerate() {
            let path = format!("top.{place}");
            let Value::Object(mut object) = value else {
                self.problem(&path, not_object(&value));
                continue;
            };
            let mut take = |name: &str| object.remove(name).filter(|value| !value.is_null());
            let at = |name: &str| format!("{path}.{name}");
            let mut process = Process::default();
            let pid = take("pid").and_then(|value| self.whole(&at("pid"), &value));
            let name = take("name").and_then(|value| self.text(&at("name"), value));
            process.user = take("user").and_then(|value| self.text(&at("user"), value));
            process.command = take("command").and_then(|value| self.text(&at("command"), value));
            let mut number =
                |name: &str, unit| take(name).and_then(|value| self.number(&at(name), &value, unit));
            process.cpu_percent = number("cpu_percent", Unit::PercentOfCore);
            process.rss_bytes = number("rss_bytes", Unit::Bytes);
            process.io_bytes_s = number("io_bytes_s", Unit::BytesPerSecond);
            match (pid, name) {
                (Some(pid), Some(name)) => top.push(Process { pid, name, ..process }),
                _ => self.problem(&path, "must have pid and name"),
            }
        }
        top
    }
}

fn not_object(value: &Value) -> String {
    format!("must be an object, not {}", kind(value))
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}
