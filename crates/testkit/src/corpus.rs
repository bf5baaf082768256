//! Realistic logs made from samples of real ones.
//!
//! Every line is a line of a sample in which numbers, addresses, ids and names were varied, so that the
//! templates are those of real programs and the variables as many as in a large installation.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Hosts that the events are spread over.
pub const HOSTS: u32 = 200;
/// The time the events span, in milliseconds.
const SPAN_MS: u64 = 24 * 3600 * 1000;
/// 2026-01-01T00:00:00Z, in milliseconds.
const START_MS: u64 = 1_767_225_600_000;
const NAMES: &[&str] = &[
    "alice", "bernd", "carla", "deploy", "emil", "fatima", "gustav", "hanna", "igor", "jana", "klaus",
    "lena", "maria", "nils", "olga", "paul", "quentin", "rosa", "stefan", "tomas", "ursula", "viktor",
    "wanda", "xenia", "yusuf", "zoe", "backup", "nagios", "oracle", "postgres", "www-data", "ubuntu",
];

/// A sample: a name and its lines.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Becomes the events' source.
    pub name: String,
    /// What the events' messages are varied from.
    pub lines: Vec<String>,
}

/// Every `*_2k.log` and `*_2k.log.gz` below a directory, in order of their paths.
///
/// # Errors
/// When the directory or a sample cannot be read, or there is none.
pub fn samples(dir: &Path) -> io::Result<Vec<Sample>> {
    let mut paths = vec![];
    collect(dir, &mut paths)?;
    paths.sort();
    let samples: Vec<Sample> = paths.iter().map(|path| sample(path)).collect::<io::Result<_>>()?;
    if samples.is_empty() {
        return Err(io::Error::other(format!("no *_2k.log or *_2k.log.gz below {}", dir.display())));
    }
    Ok(samples)
}

/// The samples that the repository carries, for when no others are at hand.
///
/// # Errors
/// When they cannot be unpacked.
pub fn built_in() -> io::Result<Vec<Sample>> {
    const FILES: [(&str, &[u8]); 2] = [
        ("sshd", include_bytes!("../../app/samples/auth_ec2_2017.log.gz")),
        ("apache", include_bytes!("../../app/samples/apache_access_2015.log.gz")),
    ];
    FILES.iter().map(|(name, bytes)| sample_of(name, MultiGzDecoder::new(*bytes))).collect()
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if name.ends_with("_2k.log") || name.ends_with("_2k.log.gz") {
            paths.push(path);
        }
    }
    Ok(())
}

fn sample(path: &Path) -> io::Result<Sample> {
    let file = fs::File::open(path)?;
    let gzip = path.extension().is_some_and(|extension| extension == "gz");
    let reader: Box<dyn Read> = if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = file_name.split("_2k").next().unwrap_or_default().to_ascii_lowercase();
    sample_of(&name, reader)
}

/// A sample of the lines of a reader.
///
/// # Errors
/// When it cannot be read, or has no line.
pub fn sample_of(name: &str, reader: impl Read) -> io::Result<Sample> {
    let mut lines = vec![];
    for line in BufReader::new(reader).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).trim_end().to_owned();
        if !line.is_empty() {
            lines.push(line);
        }
    }
    if lines.is_empty() {
        return Err(io::Error::other(format!("the sample {name} has no line")));
    }
    Ok(Sample { name: name.to_owned(), lines })
}

/// Writes `count` events as NDJSON: `timestamp`, `level`, `message`, `source`, `host`. The same samples,
/// count and seed give the same bytes.
///
/// # Errors
/// When writing fails.
pub fn write(samples: &[Sample], count: u64, seed: u64, out: &mut impl Write) -> io::Result<()> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut message = String::new();
    let mut time = Clock::new();
    for number in 0..count {
        let sample = &samples[random.random_range(0..samples.len())];
        let line = &sample.lines[random.random_range(0..sample.lines.len())];
        message.clear();
        vary(line, &mut random, &mut message);
        let at = START_MS + SPAN_MS * number / count.max(1);
        let host = random.random_range(0..HOSTS);
        let (level, stamp) = (level(line, &mut random), time.show(at));
        let quoted = serde_json::to_string(&message).map_err(io::Error::other)?;
        writeln!(
            out,
            r#"{{"timestamp":"{stamp}","level":"{level}","message":{quoted},"source":"{}","host":"host-{host:03}"}}"#,
            sample.name
        )?;
    }
    out.flush()
}

/// Five levels: what the line itself says, else mostly INFO.
fn level(line: &str, random: &mut Xoshiro256PlusPlus) -> &'static str {
    let head = line.get(..line.len().min(80)).unwrap_or(line);
    for (word, level) in [
        ("FATAL", "FATAL"),
        ("ERROR", "ERROR"),
        ("[error]", "ERROR"),
        ("WARN", "WARN"),
        ("DEBUG", "DEBUG"),
        (" D ", "DEBUG"),
        (" W ", "WARN"),
        ("INFO", "INFO"),
    ] {
        if head.contains(word) {
            return level;
        }
    }
    match random.random_range(0..100) {
        0..2 => "ERROR",
        2..8 => "WARN",
        8..12 => "DEBUG",
        _ => "INFO",
    }
}

/// Copies a line, replacing what varies in real logs: hexadecimal ids, numbers of three digits and more,
/// half of the short ones, octets of addresses, and names of users.
fn vary(line: &str, random: &mut Xoshiro256PlusPlus, out: &mut String) {
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = &rest[..end];
        rest = &rest[end..];
        vary_word(word, random, out);
    }
    out.push_str(rest);
}

fn vary_word(word: &str, random: &mut Xoshiro256PlusPlus, out: &mut String) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let hex = word.len() >= 8 && digits > 0 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits == 0 {
        let user = matches!(word, "root" | "admin" | "test" | "guest" | "oracle" | "user1");
        out.push_str(if user && random.random_bool(0.5) {
            NAMES[random.random_range(0..NAMES.len())]
        } else {
            word
        });
        return;
    }
    let keep = word.len() <= 2 && random.random_bool(0.5);
    let mut first = true;
    for byte in word.bytes() {
        let varied = match byte {
            _ if keep => byte,
            b'0'..=b'9' if hex && digits < word.len() => b"0123456789abcdef"[random.random_range(0..16)],
            // An octet stays an octet: three digits begin with 1.
            b'0'..=b'9' if first && word.len() == 3 => b'1',
            b'1'..=b'9' if first => b'1' + random.random_range(0..9),
            b'0'..=b'9' if first => byte,
            b'0'..=b'9' => b'0' + random.random_range(0..10),
            b'a'..=b'f' if hex => b"0123456789abcdef"[random.random_range(0..16)],
            other => other,
        };
        first = false;
        out.push(char::from(varied));
    }
}

/// RFC 3339 text of rising time stamps within one day of 2026.
struct Clock {
    text: String,
}

impl Clock {
    fn new() -> Self {
        Self { text: String::new() }
    }

    fn show(&mut self, at_ms: u64) -> &str {
        use std::fmt::Write as _;
        let within = (at_ms - START_MS) % SPAN_MS;
        let (hours, minutes) = (within / 3_600_000, within / 60_000 % 60);
        self.text.clear();
        // Writing to a string does not fail.
        let _ignored = write!(
            self.text,
            "2026-01-01T{hours:02}:{minutes:02}:{:02}.{:03}Z",
            within / 1000 % 60,
            within % 1000
        );
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(seed: u64) -> Vec<serde_json::Value> {
        let lines = "sshd[24200]: Failed password for root from 10.1.2.3 port 38926 ssh2\n\
                     081109 203615 148 INFO dfs.DataNode: block blk_38865049064139660 terminating\n";
        let sample = sample_of("mixed", lines.as_bytes()).unwrap();
        let mut out = vec![];
        write(&[sample], 500, seed, &mut out).unwrap();
        out.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_events_and_another_seed_others() {
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }

    #[test]
    fn time_rises_and_addresses_stay_addresses() {
        let events = made(3);
        let times: Vec<&str> = events.iter().map(|event| event["timestamp"].as_str().unwrap()).collect();
        assert!(times.is_sorted());
        for event in &events {
            let message = event["message"].as_str().unwrap();
            if let Some((_, rest)) = message.split_once(" from ") {
                let address = rest.split(' ').next().unwrap();
                assert!(address.parse::<std::net::Ipv4Addr>().is_ok(), "{message}");
            }
        }
    }
}
