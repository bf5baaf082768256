//! From text to types, collecting every problem on the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use super::sources::{Value, Values};

pub(super) struct Reader<'v> {
    values: &'v BTreeMap<&'static str, Value>,
    problems: Vec<String>,
    /// Settings of which nothing could be read but a placeholder.
    unread: BTreeSet<String>,
}

impl<'v> Reader<'v> {
    /// Begins with what is wrong with the sources.
    pub(super) fn new(sources: &'v Values) -> Self {
        Self { values: &sources.values, problems: sources.problems.clone(), unread: BTreeSet::new() }
    }

    pub(super) fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Notes that these settings do not fit together, unless one of them could not be read: a placeholder is no value of
    /// anybody's.
    pub(super) fn misfit(&mut self, names: &[&str], problem: String) {
        if !names.iter().any(|name| self.unread.contains(*name)) {
            self.problem(problem);
        }
    }

    pub(super) fn finish(self) -> Vec<String> {
        self.problems
    }

    pub(super) fn string(&self, name: &str) -> String {
        self.text(name).to_owned()
    }

    /// Notes when one of two settings is there without the other.
    pub(super) fn need_each_other(&mut self, one: &str, other: &str) {
        if self.text(one).is_empty() != self.text(other).is_empty() {
            self.problem(format!("{one} and {other} need each other"));
        }
    }

    fn text(&self, name: &str) -> &'v str {
        self.values.get(name).map_or("", |value| value.text.trim())
    }

    /// Where a setting was set, for messages.
    fn origin(&self, name: &str) -> String {
        self.values.get(name).map_or(String::new(), |value| value.origin.to_string())
    }

    /// Parses a setting, or notes that it is not `wanted`; what is returned then is never used.
    pub(super) fn parse<T>(
        &mut self,
        name: &str,
        wanted: &str,
        placeholder: T,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        let value = self.values.get(name);
        if let Some(read) = value.and_then(|value| parse(value.text.trim())) {
            return read;
        }
        self.unread.insert(name.to_owned());
        self.problem(match value {
            None => format!("{name} must be set: {wanted}"),
            Some(value) => {
                format!("{name} is '{}' ({}), but must be {wanted}", masked(&value.text), value.origin)
            }
        });
        placeholder
    }

    pub(super) fn address(&mut self, name: &str) -> SocketAddr {
        let wanted = "an address and port such as 127.0.0.1:8080";
        self.parse(name, wanted, SocketAddr::from(([127, 0, 0, 1], 0)), |text| {
            text.strip_prefix("localhost:")
                .map_or_else(|| text.parse(), |port| format!("127.0.0.1:{port}").parse())
                .ok()
        })
    }

    pub(super) fn path(&mut self, name: &str) -> PathBuf {
        self.parse(name, "a path", PathBuf::new(), |text| (!text.is_empty()).then(|| text.into()))
    }

    pub(super) fn optional_path(&mut self, name: &str) -> Option<PathBuf> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(PathBuf::from)
    }

    pub(super) fn optional_count(&mut self, name: &str, min: u32, max: u32) -> Option<u32> {
        if self.text(name).is_empty() {
            return None;
        }
        let wanted = format!("unset, or a whole number between {min} and {max}");
        Some(self.parse(name, &wanted, min, |text| text.parse().ok().filter(|n| (min..=max).contains(n))))
    }

    /// Addresses such as `http://localhost:9200`.
    pub(super) fn urls(&mut self, name: &str) -> Vec<String> {
        let urls = self.list(name);
        let origin = self.origin(name);
        let wanted = match name {
            _ if name.contains("ANOMALY") => "one address such as http://anomaly:50051",
            _ if name.contains("WITNESS") => "one address such as https://other.example.org:8080",
            _ => "addresses such as http://localhost:9200, separated by commas",
        };
        for url in &urls {
            let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
            if host.is_some_and(|host| host.contains('@')) {
                self.problem(format!(
                    "{name} ({origin}) must not hold a user name or password; they have settings of their own"
                ));
            } else if !host.is_some_and(|host| !host.starts_with(['/', ':']) && is_host(host)) {
                // Not repeated: it may hold a password.
                self.problem(format!("{name} ({origin}) must hold {wanted}"));
            }
        }
        urls
    }

    /// One address such as `http://anomaly:50051`, or none.
    pub(super) fn url(&mut self, name: &str) -> Option<String> {
        let mut urls = self.urls(name);
        if urls.len() > 1 {
            let origin = self.origin(name);
            self.problem(format!(
                "{name} ({origin}) names {} addresses, but must hold one address",
                urls.len()
            ));
        }
        urls.drain(..).next()
    }

    /// A syslog server such as `udp://host:514`, or none: whether it is reached over TCP, and its host and port.
    pub(super) fn syslog(&mut self, name: &str) -> Option<(bool, String)> {
        if self.text(name).is_empty() {
            return None;
        }
        let wanted = "an address such as udp://host:514 or tcp://host:514";
        Some(self.parse(name, wanted, (false, String::new()), |text| {
            let (is_tcp, host) = match text.split_once("://")? {
                ("udp", host) => (false, host),
                ("tcp", host) => (true, host),
                _ => return None,
            };
            let (named, port) = host.rsplit_once(':')?;
            let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
            (is_port && !named.is_empty() && is_host(host)).then(|| (is_tcp, host.to_owned()))
        }))
    }

    /// Names of hosts, each with or without a port.
    pub(super) fn hosts(&mut self, name: &str) -> Vec<String> {
        let origin = self.origin(name);
        let hosts = self.list(name);
        let is_host = |host: &&String| !host.contains(|c: char| c == '/' || c == '@' || c.is_whitespace());
        if let Some(host) = hosts.iter().find(|host| !is_host(host)) {
            // A comma may stand in a password too.
            let host = if self.text(name).contains('@') { self.text(name) } else { host };
            self.problem(format!(
                "{name} ({origin}) holds '{}', but must hold names such as logs.example.org or collector:8080, \
                 separated by commas, or *",
                masked(host)
            ));
        }
        hosts
    }

    pub(super) fn list(&mut self, name: &str) -> Vec<String> {
        self.text(name)
            .split([',', '\n'])
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The elements of a list, each as `read` reads it; one that it does not take is named with what it expects.
    pub(super) fn each<T>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, &'static str>) -> Vec<T> {
        let origin = self.origin(name);
        let mut values = vec![];
        for item in self.list(name) {
            match read(&item) {
                Ok(value) => values.push(value),
                Err(expected) => {
                    self.problem(format!("{name} ({origin}) holds '{item}', but must hold {expected}"));
                }
            }
        }
        values
    }

    /// Full paths of fields that can tell sessions apart.
    pub(super) fn session_keys(&mut self, name: &str) -> Vec<String> {
        const MOST: usize = 16;
        const BYTES_MAX: usize = 128;
        /// Members of every event, which say nothing of what it belongs to.
        const OF_EVERY_EVENT: [&str; 5] = ["@timestamp", "log.level", "message", "service.name", "host.name"];
        let origin = self.origin(name);
        let mut keys: Vec<String> = vec![];
        for given in self.list(name) {
            let path = query::resolve(&given).into_owned();
            let is_name = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
            if given.len() > BYTES_MAX || !given.split('.').all(is_name) {
                self.problem(format!(
                    "{name} ({origin}): '{given}' is no name of a field; such as trace.id,labels.order"
                ));
            } else if OF_EVERY_EVENT.contains(&path.as_str()) {
                self.problem(format!(
                    "{name} ({origin}): '{given}' is part of every event and tells no sessions apart"
                ));
            } else if !keys.contains(&path) {
                keys.push(path);
            }
        }
        if keys.len() > MOST {
            self.problem(format!(
                "{name} ({origin}) names {}, but may name {MOST} fields at most",
                keys.len()
            ));
        }
        keys
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.parse(name, "true or false", false, |text| match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        })
    }

    pub(super) fn zone(&mut self, name: &str) -> jiff::tz::TimeZone {
        let wanted = "a time zone of the IANA database such as Europe/Berlin, or an offset such as +02:00";
        self.parse(name, wanted, jiff::tz::TimeZone::UTC, |text| query::zone(text).ok())
    }

    /// A regular expression; None where there is none.
    pub(super) fn pattern(&mut self, name: &str) -> Option<parse::Pattern> {
        let text = self.text(name).trim();
        let pattern = parse::Pattern::new(text).map_err(|reason| {
            let origin = self.origin(name);
            self.problem(format!(
                "{name} is '{text}' ({origin}), but must be a regular expression: {reason}"
            ));
        });
        pattern.ok().filter(|_| !text.is_empty())
    }

    pub(super) fn one_of(&mut self, name: &str, known: &[&str]) -> String {
        let wanted = format!("one of {}", known.join(", "));
        self.parse(name, &wanted, String::new(), |text| {
            known.iter().find(|known| known.eq_ignore_ascii_case(text)).map(|known| (*known).to_owned())
        })
    }

    pub(super) fn size(&mut self, name: &str, min: u64, max: u64) -> usize {
        let wanted = format!("a size between {} and {}, such as 100MiB", show_bytes(min), show_bytes(max));
        self.parse(name, &wanted, 0, |text| {
            parse_bytes(text)
                .filter(|bytes| (min..=max).contains(bytes))
                .and_then(|bytes| bytes.try_into().ok())
        })
    }

    pub(super) fn count(&mut self, name: &str, min: usize, max: usize) -> usize {
        let wanted = format!("a whole number between {min} and {max}");
        self.parse(name, &wanted, min, |text| text.parse().ok().filter(|number| (min..=max).contains(number)))
    }

    pub(super) fn share(&mut self, name: &str, min: f64, max: f64) -> f64 {
        let wanted = format!("a share between {min} and {max}");
        self.parse(name, &wanted, min, |text| text.parse().ok().filter(|share| (min..=max).contains(share)))
    }

    pub(super) fn duration(&mut self, name: &str) -> Duration {
        let wanted = "a time greater than zero such as 30s, 5m or 12h";
        self.parse(name, wanted, Duration::ZERO, parse_duration)
    }

    pub(super) fn duration_or_never(&mut self, name: &str) -> Option<Duration> {
        self.parse(name, "never, or an age such as 30d", None, |text| {
            if text == "never" { Some(None) } else { parse_duration(text).map(Some) }
        })
    }
}

/// The text of a setting as it may be shown: what stands before the last `@` is masked but for the first scheme, for a
/// password may hold anything; so is what stands behind a `?`, and all of it where that comes before the `@`.
pub(crate) fn masked(text: &str) -> String {
    const MASK: &str = "********";
    let (before, query) = text.split_once('?').map_or((text, None), |(before, query)| (before, Some(query)));
    let query_mask = if query.is_some() { "?********" } else { "" };
    let host = match query {
        Some(query) if query.contains('@') => "",
        _ => match before.rfind('@') {
            Some(at) if is_host(&before[at + 1..]) => &before[at..],
            Some(_) => "",
            None if before.split(',').all(is_plain) => return format!("{before}{query_mask}"),
            None => "",
        },
    };
    let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let scheme = before.split_once("://").filter(|(scheme, _)| is_scheme(scheme));
    let scheme = scheme.map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
    format!("{scheme}{MASK}{host}{query_mask}")
}

/// Whether an address holds nothing but a host: `user:password` whose `@` was cut off looks like a host whose port is no
/// number.
fn is_plain(address: &str) -> bool {
    address.split_once("://").is_none_or(|(_, rest)| is_host(rest))
}

/// Whether an address without its scheme begins with a host and, where there is one, a port that is a number.
fn is_host(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = match authority.rsplit_once(']') {
        Some((_, port)) => port.strip_prefix(':'),
        None => authority.split_once(':').map(|(_, port)| port),
    };
    let is_visible = |character: char| !character.is_whitespace() && !character.is_control();
    !authority.is_empty()
        && authority.chars().all(is_visible)
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// `100MiB`, `64k`, `1 GB` or plain bytes. Decimal units are powers of 1000, `i` makes them powers of 1024.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(scale)
}

fn show_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match UNITS.iter().find(|(_, shift)| bytes >= 1 << shift && bytes.is_multiple_of(1 << shift)) {
        Some((unit, shift)) => format!("{}{unit}", bytes >> shift),
        None => format!("{bytes}"),
    }
}

/// `250ms`, `30s`, `5m`, `12h`, `30d`, `4w`; greater than zero.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().ok()?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        "d" => Duration::from_secs(number.checked_mul(86_400)?),
        "w" => Duration::from_secs(number.checked_mul(604_800)?),
        _ => return None,
    };
    (!duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_show_their_host_alone() {
        for (text, expected) in [
            ("http://h:9200", "http://h:9200"),
            ("http://[::1]:9200/path", "http://[::1]:9200/path"),
            ("http://a:9200, https://b", "http://a:9200, https://b"),
            ("http://u:p", "http://********"),
            ("http://u:p@ss word", "http://********"),
            ("http://a:9200, https://u:p/d", "http://********"),
            ("http://u:p@h:9200", "http://********@h:9200"),
            ("http://u:p@w/d,x@h", "http://********@h"),
            ("http://h/?token=p", "http://h/?********"),
            ("http://a:9200, https://u:p@b", "http://********@b"),
            ("u:p@h", "********@h"),
            ("http://u:p://w@h", "http://********@h"),
            ("http://u:p?w@h", "http://********?********"),
            ("http://u:p@h/?token=w@v", "http://********?********"),
            ("p://w@h", "p://********@h"),
            ("u:p://w@h", "********@h"),
        ] {
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("0", Some(0)),
            ("7b", Some(7)),
            ("64k", Some(64_000)),
            ("64KB", Some(64_000)),
            ("2m", Some(2_000_000)),
            ("2mb", Some(2_000_000)),
            ("3g", Some(3_000_000_000)),
            ("1 GB", Some(1_000_000_000)),
            ("4t", Some(4_000_000_000_000)),
            ("4TB", Some(4_000_000_000_000)),
            ("5KiB", Some(5_120)),
            ("100MiB", Some(104_857_600)),
            ("2GiB", Some(2_147_483_648)),
            ("1TiB", Some(1_099_511_627_776)),
            ("", None),
            ("1.5k", None),
            ("1 mile", None),
            ("-1", None),
            ("MiB", None),
            ("99999999999999TiB", None),
        ] {
            assert_eq!(parse_bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("12h", Some(43_200_000)),
            ("2d", Some(172_800_000)),
            ("4w", Some(2_419_200_000)),
            ("0ms", None),
            ("-5s", None),
            ("5 s", None),
            ("5y", None),
            ("30500568904944w", None),
            ("0s", None),
            ("5", None),
            ("m", None),
        ] {
            assert_eq!(parse_duration(text), expected.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn bytes_are_shown_in_the_greatest_unit_that_leaves_no_rest() {
        for (bytes, expected) in [
            (0, "0"),
            (1_023, "1023"),
            (1_024, "1KiB"),
            (1_025, "1025"),
            (1_536, "1536"),
            (3 << 20, "3MiB"),
            ((1 << 30) + (1 << 10), "1048577KiB"),
            (5 << 30, "5GiB"),
            (1 << 40, "1TiB"),
            (1 << 50, "1024TiB"),
        ] {
            assert_eq!(show_bytes(bytes), expected);
            assert_eq!(parse_bytes(expected), Some(bytes), "{expected}");
        }
    }
}
