//! A document of values with where each comes from.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    path::{Path, PathBuf},
};

use sample::{LABELS_MAX, Labels};
use serde_json::{Map, Value as Json};

use super::row::{ROWS, Row, Wants};

/// No file is read further.
const FILE_BYTES_MAX: usize = 1 << 20;
/// More items of a list are refused.
const ITEMS_MAX: usize = 1000;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything else.
    Default,
    /// The file of the agent.
    File(PathBuf),
    /// What stands above it: a flag or a variable of this name.
    Above(&'static str),
    /// The server, in this version of its configuration.
    Server(u64),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Above(name) => f.write_str(name),
            Self::Server(version) => write!(f, "server, version {version}"),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("cannot read the agent's file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not YAML of names and values. What is wrong is not repeated: it may be a key.
    #[error("cannot read {}{}: it must be YAML such as agent: {{ name: \"server1\" }}, each name once", path.display(), line.map_or(String::new(), |line| format!(", line {line}")))]
    Yaml {
        /// The file.
        path: PathBuf,
        /// Where, where that is known.
        line: Option<usize>,
    },
    /// Values that do not fit, each in words.
    #[error("the agent's configuration cannot be used:\n  {}", .0.join("\n  "))]
    Values(Vec<String>),
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    value: Json,
    origin: Origin,
}

/// The values, by path. Those that were given and do not fit are problems, and the value below them holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    entries: BTreeMap<&'static str, Entry>,
    problems: Vec<String>,
}

impl Default for Document {
    fn default() -> Self {
        let with_default = ROWS.iter().filter(|row| !row.default.is_empty());
        let value = |row: &Row| match row.wants {
            Wants::Flag => Json::Bool(row.default == "true"),
            Wants::Number(..) => row.default.parse::<f64>().map_or(Json::Null, Json::from),
            _ => fitting(row.wants, &Json::from(row.default)).unwrap_or_default(),
        };
        let entry = |row: &'static Row| (row.path, Entry { value: value(row), origin: Origin::Default });
        Self { entries: with_default.map(entry).collect(), problems: vec![] }
    }
}

impl Document {
    /// The defaults, and above them a file.
    ///
    /// # Errors
    /// When the file cannot be read or is no YAML. Values that do not fit are told by [`Document::problems`].
    pub fn read(path: &Path) -> Result<Self, ConfigurationError> {
        use std::io::Read as _;
        let mut text = String::new();
        let file = std::fs::File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX as u64).read_to_string(&mut text));
        file.map_err(|source| ConfigurationError::Read { path: path.to_owned(), source })?;
        let mut document = Self::default();
        document.yaml(path, &text)?;
        Ok(document)
    }

    /// Lays the text of a file over what there is.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn yaml(&mut self, path: &Path, text: &str) -> Result<(), ConfigurationError> {
        let wrong = |line| ConfigurationError::Yaml { path: path.to_owned(), line };
        // Read so, a name that stands twice is a fault; as JSON the last would count.
        let read: serde_yaml_ng::Value =
            serde_yaml_ng::from_str(text).map_err(|error| wrong(error.location().map(|at| at.line())))?;
        match serde_json::to_value(read) {
            Ok(Json::Null) => Ok(()),
            Ok(values @ Json::Object(_)) => {
                self.lay(&values, "", &Origin::File(path.to_owned()));
                Ok(())
            }
            Ok(_) | Err(_) => Err(wrong(None)),
        }
    }

    /// Lays one value over what there is: the text of a flag or a variable.
    pub fn above(&mut self, path: &'static str, name: &'static str, text: &str) {
        let json = match ROWS.iter().find(|row| row.path == path).map(|row| row.wants) {
            Some(Wants::List) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
            Some(Wants::Labels) => {
                let own = |(name, value): (&str, &str)| (name.to_owned(), value.into());
                let pairs = sample::pairs(text).map(|pair| pair.map(own));
                pairs.collect::<Option<_>>().map_or(text.into(), Json::Object)
            }
            Some(Wants::Flag | Wants::Number(..)) => {
                serde_json::from_str(text).unwrap_or_else(|_| text.into())
            }
            _ => Json::from(text),
        };
        self.lay(&json, path, &Origin::Above(name));
    }

    /// Lays what the server wants of `monitoring` over what there is.
    pub fn server(&mut self, version: u64, monitoring: &Json) {
        self.lay(monitoring, "monitoring", &Origin::Server(version));
    }

    /// What does not fit, in words.
    pub fn problems(&self) -> Vec<String> {
        self.problems.clone()
    }

    fn lay(&mut self, value: &Json, path: &str, origin: &Origin) {
        // What is set to nothing is as if it were not there.
        if value.is_null() {
            return;
        }
        if let Some(row) = ROWS.iter().find(|row| row.path == path) {
            match fitting(row.wants, value) {
                Some(value) => drop(self.entries.insert(row.path, Entry { value, origin: origin.clone() })),
                None => {
                    let shown = match row.wants {
                        Wants::Secret | Wants::Address => String::new(),
                        _ => format!(" is {}", short(value)),
                    };
                    self.problems
                        .push(format!("{path}{shown} ({origin}), but must be {}", row.wants.words()));
                }
            }
            return;
        }
        let inner = format!("{path}.");
        let is_part = path.is_empty() || ROWS.iter().any(|row| row.path.starts_with(&inner));
        match value {
            _ if !is_part => self.problems.push(unknown(path, origin)),
            Json::Object(members) => {
                for (name, value) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.lay(value, &path, origin);
                }
            }
            // One number for both ways.
            Json::Number(_) if path == "monitoring.network.threshold" => {
                for way in ["in", "out"] {
                    self.lay(value, &format!("{path}.{way}"), origin);
                }
            }
            _ => self
                .problems
                .push(format!("{path} is {} ({origin}), but must hold names and values", short(value))),
        }
    }

    fn value(&self, path: &str) -> Option<&Json> {
        self.entries.get(path).map(|entry| &entry.value)
    }

    /// Whether a flag is set.
    pub(crate) fn is(&self, path: &str) -> bool {
        self.value(path) == Some(&Json::Bool(true))
    }

    pub(crate) fn number(&self, path: &str) -> Option<f64> {
        self.value(path)?.as_f64()
    }

    pub(crate) fn text(&self, path: &str) -> Option<String> {
        self.value(path)?.as_str().map(str::to_owned)
    }

    pub(crate) fn list(&self, path: &str) -> Option<Vec<String>> {
        let items = self.value(path)?.as_array()?;
        Some(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
    }

    pub(crate) fn labels(&self, path: &str) -> Labels {
        let labels = self.value(path).and_then(Json::as_object);
        let label = |(name, value): (&String, &Json)| Some((name.clone(), value.as_str()?.to_owned()));
        labels.into_iter().flatten().filter_map(label).collect()
    }

    /// What its own file says is to be watched, and what stands above that: the server holds samples against it.
    pub(crate) fn own_monitoring(&self) -> Map<String, Json> {
        let mut own = Map::new();
        for (path, entry) in &self.entries {
            let is_own = matches!(entry.origin, Origin::File(_) | Origin::Above(_));
            let Some(path) = path.strip_prefix("monitoring.").filter(|_| is_own) else { continue };
            let mut names = path.split('.');
            let Some(last) = names.next_back() else { continue };
            let place = names.try_fold(&mut own, |object, name| {
                object.entry(name).or_insert_with(|| Json::Object(Map::new())).as_object_mut()
            });
            if let Some(place) = place {
                place.insert(last.to_owned(), entry.value.clone());
            }
        }
        own
    }

    /// Every value as a line with its origin; secrets are not shown.
    pub fn table(&self) -> String {
        let row = |row: &Row| {
            let entry = self.entries.get(row.path);
            let value = entry.map_or("-".to_owned(), |entry| match row.wants {
                Wants::Secret => "***".to_owned(),
                _ => short(&entry.value),
            });
            (row.path, value, entry.map_or(String::new(), |entry| entry.origin.to_string()))
        };
        let rows: Vec<_> = ROWS.iter().map(row).collect();
        let width = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0).min(40);
        rows.iter().fold(String::new(), |mut text, (path, value, origin)| {
            // Writing to a string does not fail.
            let _ignored = writeln!(text, "{path:<32} {value:<width$} {origin}");
            text
        })
    }
}

fn unknown(path: &str, origin: &Origin) -> String {
    let known: std::collections::BTreeSet<&str> = ROWS
        .iter()
        .flat_map(|row| row.path.match_indices('.').map(|(at, _)| &row.path[..at]).chain([row.path]))
        .collect();
    let nearest = known.into_iter().map(|other| (strsim::damerau_levenshtein(path, other), other)).min();
    let hint = match nearest.filter(|(distance, _)| *distance <= 1 + path.len() / 3) {
        Some((_, other)) => format!("did you mean {other}?"),
        None => "`log-sentinel agent --check` lists what there is".to_owned(),
    };
    let shown: String = path.chars().filter(|c| !c.is_control()).take(100).collect();
    format!("there is no {shown} ({origin}); {hint}")
}

/// As YAML would have it, on one line and not too long.
fn short(value: &Json) -> String {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.as_f64().map_or(number.to_string(), |number| number.to_string()),
        other => other.to_string(),
    };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The value as it is kept; None when it is not what is wanted.
fn fitting(wants: Wants, value: &Json) -> Option<Json> {
    let within = |number: f64, min: f64, max: f64| (min..=max).contains(&number).then(|| Json::from(number));
    match wants {
        Wants::Flag => value.is_boolean().then(|| value.clone()),
        Wants::Number(min, max) => within(value.as_f64()?, min, max),
        Wants::Text | Wants::Secret => match value {
            Json::String(text) if is_text(text) => Some(value.clone()),
            // A name such as 7 is a number to YAML.
            Json::Number(number) => Some(number.to_string().into()),
            _ => None,
        },
        Wants::Word(words) => value.as_str().filter(|word| words.contains(word)).map(Json::from),
        Wants::List => {
            let items = value.as_array().filter(|items| items.len() <= ITEMS_MAX)?;
            items.iter().map(|item| fitting(Wants::Text, item)).collect::<Option<Vec<_>>>().map(Json::from)
        }
        Wants::Labels => {
            let labels = value.as_object().filter(|labels| labels.len() <= LABELS_MAX)?;
            let label = |(name, value): (&String, &Json)| {
                Some((name.clone(), sample::label(name, value).ok()?.into()))
            };
            labels.iter().map(label).collect::<Option<Map<_, _>>>().map(Json::Object)
        }
        Wants::Address => {
            let text = value.as_str().filter(|text| is_text(text))?;
            let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
            let end = host.find('/').unwrap_or(host.len());
            let is_host = end > 0 && !host.starts_with(':') && !host[..end].contains(['@', ' ']);
            is_host.then(|| value.clone())
        }
        Wants::Bytes => {
            let bytes = value.as_f64().or_else(|| sized(value.as_str()?, BYTE_UNITS))?;
            within(bytes, (1 << 20) as f64, (1u64 << 40) as f64)
        }
        Wants::Seconds(min, max) => {
            within(value.as_f64().or_else(|| sized(value.as_str()?, TIME_UNITS))?, min, max)
        }
    }
}

fn is_text(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 4096 && !text.chars().any(char::is_control)
}

const BYTE_UNITS: &[(&str, f64)] =
    &[("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0), ("B", 1.0), ("", 1.0)];
const TIME_UNITS: &[(&str, f64)] =
    &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0), ("", 1.0)];

fn sized(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<f64>().ok().map(|number| number * factor)
}
