//! What is watched on a host, and from where on it is told: the `monitoring` object of the agent's configuration.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

/// Names in a list, and bytes of each.
const LIST_MAX: usize = 256;
const NAME_BYTES_MAX: usize = 256;

/// What of a configuration does not fit, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfit {
    /// The field: its path with dots, below `monitoring`.
    pub field: String,
    /// Why it does not fit, and what would.
    pub reason: String,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.reason)
    }
}

/// The whole object: every section, with the defaults for what nobody said.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Monitoring(Map<String, Value>);

/// What a value must be.
#[derive(Clone, Copy)]
enum Form {
    Flag,
    Percent,
    Count,
    Names,
    Path,
    /// Kilobytes a second: both ways, or `{"in":…,"out":…}`.
    Rates,
}

const SECTIONS: &[(&str, &[(&str, Form)])] = &[
    ("cpu", &[("enabled", Form::Flag), ("threshold", Form::Percent), ("learned", Form::Flag)]),
    ("ram", &[("enabled", Form::Flag), ("threshold", Form::Percent), ("learned", Form::Flag)]),
    ("disk", &[("enabled", Form::Flag), ("paths", Form::Names), ("threshold", Form::Percent)]),
    (
        "network",
        &[
            ("enabled", Form::Flag),
            ("interfaces", Form::Names),
            ("threshold", Form::Rates),
            ("learned", Form::Flag),
        ],
    ),
    ("services", &[("enabled", Form::Flag), ("list", Form::Names)]),
    ("ssh", &[("enabled", Form::Flag), ("log_path", Form::Path), ("threshold", Form::Count)]),
];

impl Default for Monitoring {
    fn default() -> Self {
        let whole = json!({
            "cpu": {"enabled": true, "threshold": 80},
            "ram": {"enabled": true, "threshold": 85},
            "disk": {"enabled": true, "threshold": 90},
            "network": {"enabled": true, "threshold": {"in": 100_000, "out": 100_000}},
            "services": {"enabled": true},
            "ssh": {"enabled": true, "threshold": 5}
        });
        match whole {
            Value::Object(sections) => Self(sections),
            _ => Self(Map::new()),
        }
    }
}

impl Monitoring {
    /// The same with what is said here, section by section and field by field; null takes a field back to its default.
    /// Nothing is changed where something does not fit.
    ///
    /// # Errors
    /// Everything that does not fit.
    pub fn with(&self, said: &Map<String, Value>) -> Result<Self, Vec<Unfit>> {
        let (whole, unfit) = self.with_what_fits(said);
        if unfit.is_empty() { Ok(whole) } else { Err(unfit) }
    }

    /// The same with what fits of what is said, and what does not fit.
    pub(crate) fn with_what_fits(&self, said: &Map<String, Value>) -> (Self, Vec<Unfit>) {
        let (mut whole, mut unfit) = (self.clone(), Vec::new());
        for (section, fields) in said {
            let Some((_, known)) = SECTIONS.iter().find(|(name, _)| name == section) else {
                unfit.push(unknown(section, section, SECTIONS.iter().map(|(name, _)| *name)));
                continue;
            };
            let Value::Object(fields) = fields else {
                unfit.push(Unfit { field: section.clone(), reason: "must be an object".to_owned() });
                continue;
            };
            for (name, value) in fields {
                let path = format!("{section}.{name}");
                let Some((_, form)) = known.iter().find(|(known, _)| known == name) else {
                    unfit.push(unknown(&path, name, known.iter().map(|(name, _)| *name)));
                    continue;
                };
                if !value.is_null()
                    && let Some((below, reason)) = form.refuses(value)
                {
                    unfit.push(Unfit { field: format!("{path}{below}"), reason });
                    continue;
                }
                whole.set(section, name, value);
            }
        }
        (whole, unfit)
    }

    fn set(&mut self, section: &str, name: &str, value: &Value) {
        let default = || Self::default().0.get(section).and_then(|section| section.get(name)).cloned();
        let value = if value.is_null() { default() } else { Some(value.clone()) };
        let Some(Value::Object(fields)) = self.0.get_mut(section) else { return };
        match (value, fields.get_mut(name)) {
            // One way alone leaves the other as it is.
            (Some(Value::Object(said)), Some(Value::Object(held))) => {
                held.extend(said);
            }
            (Some(value), _) => {
                fields.insert(name.to_owned(), value);
            }
            (None, _) => {
                fields.remove(name);
            }
        }
    }

    /// The object.
    pub fn object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Whether a section is on.
    pub(crate) fn is_on(&self, section: &str) -> bool {
        self.field(section, "enabled") != Some(&Value::Bool(false))
    }

    /// Whether the limit of a section is learned: from what is usual at this hour of the week, once that is known.
    pub(crate) fn is_learned(&self, section: &str) -> bool {
        self.field(section, "learned") == Some(&Value::Bool(true))
    }

    /// A threshold of a section.
    pub(crate) fn threshold(&self, section: &str) -> Option<f64> {
        self.field(section, "threshold")?.as_f64()
    }

    /// The threshold of traffic, `in` or `out`.
    pub(crate) fn rate(&self, way: &str) -> Option<f64> {
        let threshold = self.field("network", "threshold")?;
        threshold.as_f64().or_else(|| threshold.get(way)?.as_f64())
    }

    /// Whether a name is in a section's list, or there is none.
    pub(crate) fn lists(&self, section: &str, list: &str, name: &str) -> bool {
        match self.field(section, list).and_then(Value::as_array) {
            None => true,
            Some(names) => names.is_empty() || names.iter().any(|listed| listed == name),
        }
    }

    fn field(&self, section: &str, name: &str) -> Option<&Value> {
        self.0.get(section)?.get(name)
    }
}

impl Form {
    /// What below a value does not fit, and why.
    fn refuses(self, value: &Value) -> Option<(&'static str, String)> {
        let must = |what: &str| Some(("", format!("must be {what}")));
        match self {
            Self::Flag if !value.is_boolean() => must("true or false"),
            Self::Percent if !is_within(value, 0.0, 100.0) => must("a number from 0 to 100"),
            Self::Count if !is_within(value, 1.0, 1e9) => must("a number from 1 on"),
            Self::Path if !value.as_str().is_some_and(is_name) => must("a path"),
            Self::Names => {
                let names = value.as_array();
                let fits = names.is_some_and(|names| {
                    names.len() <= LIST_MAX && names.iter().all(|name| name.as_str().is_some_and(is_name))
                });
                if fits { None } else { must(&format!("a list of at most {LIST_MAX} names")) }
            }
            Self::Rates => match value {
                Value::Object(ways) => ways.iter().find_map(|(way, rate)| match way.as_str() {
                    "in" if !is_rate(rate) => Some((".in", "must be KB/s, not negative".to_owned())),
                    "out" if !is_rate(rate) => Some((".out", "must be KB/s, not negative".to_owned())),
                    "in" | "out" => None,
                    _ => must("KB/s, or {\"in\": KB/s, \"out\": KB/s}"),
                }),
                rate if is_rate(rate) => None,
                _ => must("KB/s, or {\"in\": KB/s, \"out\": KB/s}"),
            },
            _ => None,
        }
    }
}

fn is_rate(value: &Value) -> bool {
    is_within(value, 0.0, 1e12)
}

fn is_within(value: &Value, least: f64, most: f64) -> bool {
    value.as_f64().is_some_and(|number| (least..=most).contains(&number))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control)
}

fn unknown<'n>(path: &str, name: &str, known: impl Iterator<Item = &'n str>) -> Unfit {
    let known: Vec<&str> = known.collect();
    let near = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), *candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let reason = match near {
        Some((_, candidate)) => format!("is not known; did you mean '{candidate}'?"),
        None => format!("is not known; there are {}", known.join(", ")),
    };
    let field: String = path.chars().take(NAME_BYTES_MAX).collect();
    Unfit { field, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_part_changes_only_what_it_names() {
        let whole = Monitoring::default()
            .with(&said(json!({"cpu": {"threshold": 95}, "disk": {"paths": ["/"]}, "network": {"threshold": {"in": 5}}})))
            .unwrap();
        assert_eq!(whole.threshold("cpu"), Some(95.0));
        assert_eq!(whole.threshold("ram"), Some(85.0));
        assert_eq!((whole.rate("in"), whole.rate("out")), (Some(5.0), Some(100_000.0)));
        assert!(whole.lists("disk", "paths", "/") && !whole.lists("disk", "paths", "/home"));
        let back = whole.with(&said(json!({"cpu": {"threshold": null}, "disk": {"paths": null}}))).unwrap();
        assert_eq!(back.threshold("cpu"), Some(80.0));
        assert!(back.lists("disk", "paths", "/home"));
    }

    #[test]
    fn the_example_of_the_documentation_is_taken() {
        let example = json!({
            "cpu": {"enabled": true, "threshold": 80}, "ram": {"enabled": true, "threshold": 85},
            "disk": {"enabled": true, "paths": ["/", "/home"], "threshold": 90},
            "network": {"enabled": true, "interfaces": ["eth0"], "threshold": {"in": 100_000, "out": 100_000}},
            "services": {"enabled": true, "list": ["nginx", "postgresql"]},
            "ssh": {"enabled": true, "log_path": "/var/log/auth.log", "threshold": 5}
        });
        assert_eq!(*Monitoring::default().with(&said(example.clone())).unwrap().object(), said(example));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (wrong, told) in [
            (json!({"cpu": {"threshold": 101}}), "cpu.threshold must be a number from 0 to 100"),
            (json!({"cpu": {"treshold": 50}}), "cpu.treshold is not known; did you mean 'threshold'?"),
            (json!({"dsk": {}}), "dsk is not known; did you mean 'disk'?"),
            (json!({"xyzzy": {}}), "xyzzy is not known; there are cpu, ram, disk, network, services, ssh"),
            (json!({"ram": 5}), "ram must be an object"),
            (json!({"ram": {"enabled": "yes"}}), "ram.enabled must be true or false"),
            (json!({"disk": {"paths": "/"}}), "disk.paths must be a list of at most 256 names"),
            (
                json!({"network": {"threshold": {"in": -1}}}),
                "network.threshold.in must be KB/s, not negative",
            ),
            (json!({"ssh": {"threshold": 0}}), "ssh.threshold must be a number from 1 on"),
        ] {
            let unfit = Monitoring::default().with(&said(wrong)).unwrap_err();
            assert_eq!(unfit.iter().map(ToString::to_string).collect::<Vec<_>>(), [told]);
        }
    }
}
