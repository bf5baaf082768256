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

/// What of a section can be set for a group of hosts; all else is about what one host has.
const GROUPED: [&str; 2] = ["threshold", "learned"];

/// What of a part of a configuration cannot be set for a group.
pub(crate) fn unfit_for_group(said: &Map<String, Value>) -> Vec<Unfit> {
    let fields = said.iter().flat_map(|(section, fields)| {
        fields.as_object().into_iter().flat_map(move |fields| fields.keys().map(move |name| (section, name)))
    });
    let reason = || format!("is set for each host; a group sets {}", GROUPED.join(" and "));
    fields
        .filter(|(_, name)| !GROUPED.contains(&name.as_str()))
        .map(|(section, name)| Unfit { field: format!("{section}.{name}"), reason: reason() })
        .collect()
}

/// What was set with this over it: section by section, field by field; null takes a field away. All of it fits.
pub(crate) fn over(held: &Map<String, Value>, said: &Map<String, Value>) -> Map<String, Value> {
    let mut whole = held.clone();
    for (section, fields) in said {
        let Value::Object(fields) = fields else { continue };
        let entry = whole.entry(section.clone()).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(held) = entry else { continue };
        for (name, value) in fields {
            let form = SECTIONS.iter().find(|(known, _)| known == section);
            let form = form.and_then(|(_, known)| known.iter().find(|(known, _)| known == name));
            match (value, form) {
                (Value::Null, _) => drop(held.remove(name)),
                (value, Some((_, form))) => {
                    take_ways(held, name, value);
                    put(held, name, form.whole(value));
                    if held.get(name).and_then(Value::as_object).is_some_and(Map::is_empty) {
                        held.remove(name);
                    }
                }
                (_, None) => {}
            }
        }
    }
    whole
}

/// Takes away the ways that are said to be null.
fn take_ways(held: &mut Map<String, Value>, name: &str, said: &Value) {
    if let (Some(Value::Object(held)), Value::Object(said)) = (held.get_mut(name), said) {
        held.retain(|way, _| said.get(way) != Some(&Value::Null));
    }
}

/// Puts a value into a section. One way alone leaves the other as it is.
fn put(held: &mut Map<String, Value>, name: &str, value: Value) {
    match (value, held.get_mut(name)) {
        (Value::Object(said), Some(Value::Object(held))) => held.extend(said),
        (value, _) => drop(held.insert(name.to_owned(), value)),
    }
}

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
    /// Every section with nothing in it.
    pub(crate) fn nothing() -> Self {
        let empty = |(section, _): &(&str, _)| ((*section).to_owned(), Value::Object(Map::new()));
        Self(SECTIONS.iter().map(empty).collect())
    }

    /// The same with what is said here, section by section and field by field; null says nothing. Nothing is changed
    /// where something does not fit.
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
                if value.is_null() {
                    continue;
                }
                if let Some((below, reason)) = form.refuses(value) {
                    unfit.push(Unfit { field: format!("{path}{below}"), reason });
                    continue;
                }
                if let Some(Value::Object(held)) = whole.0.get_mut(section) {
                    put(held, name, form.whole(value));
                }
            }
        }
        (whole, unfit)
    }

    /// The paths of the thresholds that it has, and of whether they are learned.
    pub(crate) fn limits(&self) -> impl Iterator<Item = String> {
        let fields = self.0.iter().flat_map(|(section, fields)| {
            GROUPED.iter().filter_map(move |name| Some((section, name, fields.get(*name)?)))
        });
        fields.flat_map(|(section, name, value)| match value {
            Value::Object(ways) => ways.keys().map(|way| format!("{section}.{name}.{way}")).collect(),
            _ => vec![format!("{section}.{name}")],
        })
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
        self.field("network", "threshold")?.get(way)?.as_f64()
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
    /// A value as it is held: of traffic each way, also where one number was given for both.
    fn whole(self, value: &Value) -> Value {
        match (self, value) {
            (Self::Rates, Value::Number(rate)) => json!({"in": rate, "out": rate}),
            (Self::Rates, Value::Object(ways)) => {
                let said = ways.iter().filter(|(_, rate)| !rate.is_null());
                Value::Object(said.map(|(way, rate)| (way.clone(), rate.clone())).collect())
            }
            _ => value.clone(),
        }
    }

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
                    "in" | "out" if rate.is_null() => None,
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
        let nothing = said(json!({"cpu": {"threshold": null}, "disk": {"paths": null}}));
        assert_eq!(whole.with(&nothing).unwrap(), whole);
    }

    #[test]
    fn what_was_set_is_taken_back_by_null_and_one_number_is_for_both_ways() {
        let held = over(&Map::new(), &said(json!({"cpu": {"threshold": 95}, "network": {"threshold": 7}})));
        let held =
            over(&held, &said(json!({"cpu": {"threshold": null}, "network": {"threshold": {"in": 5}}})));
        assert_eq!(held, said(json!({"cpu": {}, "network": {"threshold": {"in": 5, "out": 7}}})));
        let one = over(&held, &said(json!({"network": {"threshold": {"in": null}}})));
        assert_eq!(one, said(json!({"cpu": {}, "network": {"threshold": {"out": 7}}})));
        assert_eq!(
            over(&one, &said(json!({"network": {"threshold": {"out": null}}}))),
            said(json!({"cpu": {}, "network": {}}))
        );
        let whole = Monitoring::default().with_what_fits(&held).0;
        assert_eq!(
            (whole.threshold("cpu"), whole.rate("in"), whole.rate("out")),
            (Some(80.0), Some(5.0), Some(7.0))
        );
    }

    #[test]
    fn a_group_sets_thresholds_alone() {
        let told =
            |wrong: Value| unfit_for_group(&said(wrong)).into_iter().map(|one| one.field).collect::<Vec<_>>();
        assert_eq!(
            told(json!({"cpu": {"threshold": 1, "learned": true}, "network": {"threshold": {"in": 1}}})),
            [""; 0]
        );
        assert_eq!(
            told(json!({"cpu": {"enabled": false}, "disk": {"paths": []}})),
            ["cpu.enabled", "disk.paths"]
        );
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
