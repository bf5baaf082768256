//! Where settings come from, and which source wins.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use super::{dot_env, error::SettingsError, setting::Setting, table::SETTINGS};

/// Which source a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody set it.
    Default,
    /// `log-sentinel.yaml`, or the file named by `--config`.
    File(PathBuf),
    /// `.env`.
    DotEnv,
    /// The environment.
    Environment,
    /// A flag.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::DotEnv => formatter.write_str(".env"),
            Self::Environment => formatter.write_str("environment"),
            Self::Flag => formatter.write_str("flag"),
        }
    }
}

/// A setting's effective value as text, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    /// The text.
    pub text: String,
    /// Where it came from.
    pub origin: Origin,
}

/// What each source holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// Flags, by the setting's name.
    pub flags: BTreeMap<&'static str, String>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// `.env`.
    pub dot_env: BTreeMap<String, String>,
    /// The settings file, by key.
    pub file: Option<(PathBuf, BTreeMap<String, String>)>,
    /// The user's home directory, for the default of the data directory.
    pub home: Option<PathBuf>,
    /// Whether the user is root.
    pub root: bool,
}

/// What all sources together say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    /// By the name of the setting.
    pub values: BTreeMap<&'static str, Value>,
    /// What is wrong with the sources, a sentence each.
    pub problems: Vec<String>,
}

impl Values {
    /// Sets a setting, whatever the sources say of it.
    pub(crate) fn set(&mut self, name: &'static str, text: &str) {
        self.values.insert(name, Value { text: text.to_owned(), origin: Origin::Default });
    }

    /// Whether somebody has set it.
    pub(crate) fn is_said(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| value.origin != Origin::Default)
    }

    /// Takes a setting away, whatever the sources say of it.
    pub(crate) fn unset(&mut self, name: &str) {
        self.values.remove(name);
    }
}

impl Sources {
    /// Reads the environment, `.env` in the working directory, and the settings file: the one named, or
    /// `log-sentinel.yaml` in the working directory when there is one.
    ///
    /// # Errors
    /// When a file cannot be read or is not of its form.
    pub(crate) fn read(
        flags: BTreeMap<&'static str, String>,
        config: Option<&Path>,
    ) -> Result<Self, SettingsError> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let one = |problem: String| SettingsError { problems: vec![problem] };
        let dot_env = dot_env::read().map_err(one)?;
        let path = config.unwrap_or(Path::new("log-sentinel.yaml"));
        let file = match fs::read_to_string(path) {
            Ok(text) => Some((path.to_owned(), parse_file(path, &text).map_err(one)?)),
            Err(error) if config.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(one(format!("cannot read {}: {error}", path.display()))),
        };
        let home = environment.get(HOME).map(PathBuf::from);
        Ok(Self { flags, home, root: is_root(), environment, dot_env, file })
    }

    /// The effective value of every setting that has one, and what is wrong: unknown names, secrets given twice,
    /// secret files that cannot be read.
    pub(crate) fn resolve(&self) -> Values {
        let mut problems = self.unknown();
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            match self.value(setting) {
                Ok(Some(value)) => {
                    values.insert(setting.name, value);
                }
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        Values { values, problems }
    }

    /// Names that look meant for this program and do nothing in this version.
    pub(crate) fn without_effect(&self) -> Vec<String> {
        let mut notes = vec![];
        for (source, origin) in [(&self.environment, Origin::Environment), (&self.dot_env, Origin::DotEnv)] {
            for name in source.keys().filter(|name| source.get(*name).is_some_and(|text| !text.is_empty())) {
                let is_meant = ["ELASTIC_", "ALERT_"].iter().any(|prefix| name.starts_with(prefix));
                if is_meant && !SETTINGS.iter().any(|setting| names(setting).contains(name)) {
                    notes.push(format!(
                        "{name} is set ({origin}) and has no effect: there is no such setting"
                    ));
                }
            }
        }
        notes
    }

    fn value(&self, setting: &Setting) -> Result<Option<Value>, String> {
        if let Some(text) = self.flags.get(setting.name) {
            return Ok(Some(Value { text: text.clone(), origin: Origin::Flag }));
        }
        for (source, origin) in [(&self.environment, Origin::Environment), (&self.dot_env, Origin::DotEnv)] {
            if let Some(text) = from_names(setting, source, &origin)? {
                return Ok(Some(Value { text, origin }));
            }
        }
        if let Some((path, file)) = &self.file {
            let key = setting.key();
            if let Some(text) = file.get(&key) {
                return Ok(Some(Value { text: text.clone(), origin: Origin::File(path.clone()) }));
            }
            if let Some(secret) = file.get(&format!("{key}_file")).filter(|_| setting.secret) {
                return Ok(Some(Value {
                    text: read_secret(setting, secret)?,
                    origin: Origin::File(path.clone()),
                }));
            }
        }
        let text = match setting.default {
            "" => return Ok(None),
            "{state}" => self.state_dir(),
            other => other.to_owned(),
        };
        Ok(Some(Value { text, origin: Origin::Default }))
    }

    fn state_dir(&self) -> String {
        match (&self.home, self.root) {
            (_, true) | (None, _) => "/var/lib/log-sentinel".to_owned(),
            (Some(home), false) => home.join(STATE).display().to_string(),
        }
    }

    /// Names that no setting has: in the file all of them count, elsewhere those with our prefix.
    fn unknown(&self) -> Vec<String> {
        let mut problems = vec![];
        for (source, origin) in [(&self.environment, Origin::Environment), (&self.dot_env, Origin::DotEnv)] {
            for name in source.keys() {
                let ours = name.starts_with("LOG_SENTINEL_") && !name.starts_with("LOG_SENTINEL_TEST_");
                if ours && !SETTINGS.iter().any(|setting| names(setting).contains(name)) {
                    problems.push(unknown(
                        name,
                        &origin,
                        SETTINGS.iter().map(|setting| setting.name.to_owned()),
                    ));
                }
            }
        }
        if let Some((path, file)) = &self.file {
            let known = |key: &String| {
                SETTINGS.iter().any(|s| s.key() == *key || (s.secret && format!("{}_file", s.key()) == *key))
            };
            for key in file.keys().filter(|key| !known(key)) {
                problems.push(unknown(key, &Origin::File(path.clone()), SETTINGS.iter().map(Setting::key)));
            }
        }
        problems
    }
}

fn names(setting: &Setting) -> Vec<String> {
    let mut names = vec![setting.name.to_owned()];
    if setting.secret {
        names.push(format!("{}_FILE", setting.name));
    }
    names
}

fn unknown(name: &str, origin: &Origin, known: impl Iterator<Item = String>) -> String {
    let nearest = known
        .map(|candidate| (strsim::damerau_levenshtein(name, &candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= 1 + name.len() / 3);
    match nearest {
        Some((_, candidate)) => format!("there is no setting {name} ({origin}); did you mean {candidate}?"),
        None => format!("there is no setting {name} ({origin}); `log-sentinel check` lists them all"),
    }
}

fn from_names(
    setting: &Setting,
    source: &BTreeMap<String, String>,
    origin: &Origin,
) -> Result<Option<String>, String> {
    let plain = source.get(setting.name).filter(|text| !text.is_empty());
    let file = source.get(&format!("{}_FILE", setting.name)).filter(|_| setting.secret);
    match (plain, file) {
        (Some(_), Some(_)) => {
            Err(format!("{0} and {0}_FILE are both set ({origin}); keep one of them", setting.name))
        }
        (Some(text), None) => Ok(Some(text.clone())),
        (None, Some(path)) => read_secret(setting, path).map(Some),
        (None, None) => Ok(None),
    }
}

fn read_secret(setting: &Setting, path: &str) -> Result<String, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => Err(format!("cannot read {path}, which {}_FILE names: {error}", setting.name)),
    }
}

/// The pairs of a settings file, lists with commas between their items.
///
/// # Errors
/// What is wrong, with its line or name.
pub(crate) fn parse_file(path: &Path, text: &str) -> Result<BTreeMap<String, String>, String> {
    use serde_yaml_ng::Value as Yaml;
    let shown = path.display();
    let scalar = |value: &Yaml| match value {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    // What is wrong is not repeated: it may be a secret.
    let document: Option<BTreeMap<String, Yaml>> = serde_yaml_ng::from_str(text).map_err(|error| {
        let place = error.location().map_or(String::new(), |at| format!(", line {}", at.line()));
        format!("cannot read {shown}{place}: it must be YAML of 'name: value', each name once")
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in document.unwrap_or_default() {
        let text = match &value {
            Yaml::Null => continue,
            Yaml::Sequence(items) => {
                items.iter().map(scalar).collect::<Option<Vec<_>>>().map(|items| items.join(","))
            }
            other => scalar(other),
        };
        let text =
            text.ok_or_else(|| format!("{key} in {shown} must be a text, a number, true, false or a list"))?;
        values.insert(key, text);
    }
    Ok(values)
}

/// Where the folder is found that is a user's own, and what of it is the program's.
#[cfg(not(windows))]
const HOME: &str = "HOME";
#[cfg(not(windows))]
const STATE: &str = ".local/state/log-sentinel";
#[cfg(windows)]
const HOME: &str = "LOCALAPPDATA";
#[cfg(windows)]
const STATE: &str = "log-sentinel";

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn flags_beat_the_environment_beats_dot_env_beats_the_file() {
        let mut sources = Sources {
            flags: [("LOG_SENTINEL_ADDR", "127.0.0.1:1".to_owned())].into(),
            environment: map(&[("LOG_SENTINEL_ADDR", "127.0.0.1:2")]),
            dot_env: map(&[("LOG_SENTINEL_ADDR", "127.0.0.1:3")]),
            file: Some(("x.yaml".into(), map(&[("addr", "127.0.0.1:4")]))),
            ..Sources::default()
        };
        let mut seen = vec![];
        for step in 0..5 {
            seen.push(sources.resolve().values["LOG_SENTINEL_ADDR"].text.clone());
            match step {
                0 => sources.flags.clear(),
                1 => sources.environment.clear(),
                2 => sources.dot_env.clear(),
                _ => sources.file = None,
            }
        }
        assert_eq!(seen, ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4", "127.0.0.1:8080"]);
    }

    #[test]
    fn unknown_keys_of_the_file_are_errors_with_a_suggestion() {
        let file = parse_file(Path::new("x.yaml"), "adr: 127.0.0.1:1\nfiles: [/a, /b]\n").unwrap();
        assert_eq!(file["files"], "/a,/b");
        let sources = Sources { file: Some(("x.yaml".into(), file)), ..Sources::default() };
        let text = sources.resolve().problems.concat();
        assert!(text.contains("did you mean addr?") && text.contains("x.yaml"), "{text}");
    }

    #[test]
    fn a_secret_may_come_from_a_file_but_not_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        fs::write(&path, "first,second\n").unwrap();
        let path = path.display().to_string();
        let mut sources = Sources { environment: map(&[("API_KEYS_FILE", &path)]), ..Sources::default() };
        assert_eq!(sources.resolve().values["API_KEYS"].text, "first,second");
        sources.environment.insert("API_KEYS".to_owned(), "third".to_owned());
        assert!(sources.resolve().problems.concat().contains("both set"));
    }

    #[test]
    fn a_file_that_is_no_yaml_is_not_repeated() {
        for text in ["API_KEYS=hunter2", "api_keys: [hunter2", "- hunter2", "api_keys: hunter2\n hunter2: {"]
        {
            let problem = parse_file(Path::new("x.yaml"), text).unwrap_err();
            assert!(problem.contains("x.yaml") && !problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn a_name_that_is_meant_for_this_program_is_an_error_or_has_no_effect() {
        let names = map(&[
            ("LOG_SENTINEL_ADRR", "x"),
            ("LOG_SENTINEL_SOMETHING_ALTOGETHER_DIFFERENT_FROM_ALL", "x"),
            ("LOG_SENTINEL_TEST_X", "x"),
            ("LOG_SENTINEL_ADDR_FILE", "x"),
            ("ELASTIC_ADR", "x"),
            ("ALERT_EMAIL_FORM", "x"),
            ("ALERT_OF_NOTHING", ""),
            ("ELASTIC_INDEX", "x"),
            ("PATH", "x"),
        ]);
        for origin in [Origin::Environment, Origin::DotEnv] {
            let mut sources = Sources::default();
            *(if origin == Origin::DotEnv { &mut sources.dot_env } else { &mut sources.environment }) =
                names.clone();
            let unset =
                |name: &str| format!("{name} is set ({origin}) and has no effect: there is no such setting");
            assert_eq!(sources.without_effect(), [unset("ALERT_EMAIL_FORM"), unset("ELASTIC_ADR")]);
            let is_none = |name: &str| format!("there is no setting {name} ({origin}); ");
            let problems = sources.resolve().problems;
            let expected = [
                is_none("LOG_SENTINEL_ADDR_FILE") + "did you mean LOG_SENTINEL_ALERTS_FILE?",
                is_none("LOG_SENTINEL_ADRR") + "did you mean LOG_SENTINEL_ADDR?",
                is_none("LOG_SENTINEL_SOMETHING_ALTOGETHER_DIFFERENT_FROM_ALL")
                    + "`log-sentinel check` lists them all",
            ];
            assert_eq!(problems, expected);
        }
    }

    #[test]
    fn an_empty_variable_sets_nothing_and_a_missing_secret_is_named() {
        let environment = map(&[("LOG_SENTINEL_ADDR", ""), ("API_KEYS_FILE", "/no/such/file")]);
        let dot_env = map(&[("LOG_SENTINEL_ADDR", "127.0.0.1:3")]);
        let resolved = Sources { environment, dot_env, ..Sources::default() }.resolve();
        assert_eq!(resolved.values["LOG_SENTINEL_ADDR"].text, "127.0.0.1:3");
        assert_eq!(resolved.problems.len(), 1);
        let begins = "cannot read /no/such/file, which API_KEYS_FILE names: ";
        assert!(resolved.problems[0].starts_with(begins), "{:?}", resolved.problems);
    }

    #[test]
    fn a_settings_file_holds_texts_numbers_flags_lists_and_files_of_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("secret");
        fs::write(&secret, "\u{feff}hunter2\r\n").unwrap();
        let text = format!(
            "addr: '127.0.0.1:7'\nqueries_max: 3\naudit: false\nfiles: [/a, 7, true]\nzone:\napi_keys_file: {}\n",
            secret.display()
        );
        let path = Path::new("x.yaml");
        let file = Some((path.to_owned(), parse_file(path, &text).unwrap()));
        let resolved = Sources { file, ..Sources::default() }.resolve();
        assert_eq!(resolved.problems, [""; 0]);
        for (name, text) in [
            ("LOG_SENTINEL_ADDR", "127.0.0.1:7"),
            ("LOG_SENTINEL_QUERIES_MAX", "3"),
            ("LOG_SENTINEL_AUDIT", "false"),
            ("LOG_SENTINEL_FILES", "/a,7,true"),
            ("API_KEYS", "hunter2"),
        ] {
            let expected = Value { text: text.to_owned(), origin: Origin::File("x.yaml".into()) };
            assert_eq!(resolved.values[name], expected, "{name}");
        }
        assert_eq!(resolved.values["LOG_SENTINEL_ZONE"].origin, Origin::Default);
        assert_eq!(parse_file(path, "").unwrap(), map(&[]));
        for wrong in ["addr: {a: b}", "files: [[a]]"] {
            let problem = parse_file(path, wrong).unwrap_err();
            assert!(
                problem.ends_with("in x.yaml must be a text, a number, true, false or a list"),
                "{problem}"
            );
        }
        assert!(parse_file(path, "a: 1\nb: [").unwrap_err().starts_with("cannot read x.yaml, line "));
    }

    #[test]
    fn the_state_of_a_user_is_at_home_and_that_of_root_with_the_system() {
        let at = |home: Option<&str>, root| {
            let sources = Sources { home: home.map(PathBuf::from), root, ..Sources::default() };
            sources.resolve().values["LOG_SENTINEL_DATA"].text.clone()
        };
        assert_eq!(at(Some("/home/a"), false), format!("/home/a/{STATE}"));
        for system in [at(Some("/root"), true), at(None, false), at(None, true)] {
            assert_eq!(system, "/var/lib/log-sentinel");
        }
    }

    #[test]
    fn what_is_set_by_the_program_itself_counts_as_said_by_nobody() {
        let environment = map(&[("LOG_SENTINEL_ADDR", "127.0.0.1:1")]);
        let mut values = Sources { environment, ..Sources::default() }.resolve();
        assert!(values.is_said("LOG_SENTINEL_ADDR") && !values.is_said("LOG_SENTINEL_ZONE"));
        values.set("LOG_SENTINEL_ADDR", "127.0.0.1:2");
        assert!(!values.is_said("LOG_SENTINEL_ADDR"));
        assert_eq!(values.values["LOG_SENTINEL_ADDR"].text, "127.0.0.1:2");
        values.unset("LOG_SENTINEL_ADDR");
        assert!(!values.values.contains_key("LOG_SENTINEL_ADDR") && !values.is_said("LOG_SENTINEL_ADDR"));
    }

    #[test]
    fn a_settings_file_that_is_named_must_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        let flags = || [("LOG_SENTINEL_ADDR", "127.0.0.1:1".to_owned())].into();
        let missing = Sources::read(flags(), Some(&path)).unwrap_err().problems;
        assert!(missing[0].starts_with(&format!("cannot read {}: ", path.display())), "{missing:?}");
        fs::write(&path, "queries_max: 3\n").unwrap();
        let read = Sources::read(flags(), Some(&path)).unwrap();
        assert_eq!(read.flags, flags());
        assert_eq!(read.file, Some((path, map(&[("queries_max", "3")]))));
        assert_eq!(Sources::read(flags(), None).unwrap().file, None);
    }

    #[test]
    fn an_origin_is_named_as_people_know_it() {
        let all = [
            Origin::Default,
            Origin::File("/a.yaml".into()),
            Origin::DotEnv,
            Origin::Environment,
            Origin::Flag,
        ];
        let named = all.map(|origin| origin.to_string());
        assert_eq!(named, ["default", "/a.yaml", ".env", "environment", "flag"]);
    }
}
