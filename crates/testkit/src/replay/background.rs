//! The ordinary lines: days and hours drawn from the real logs.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    net::Ipv4Addr,
};

use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::line::{DAY_MS, HOUR_MS, Line, MINUTE_MS, SECOND_MS, access_line, address, auth_line};
use crate::corpus;

/// Of so many requests one goes to a page never asked for before.
const NEW_PAGE_EACH: u32 = 200;
/// Of a block's addresses, how many were there before.
const KNOWN_ADDRESSES: f64 = 0.7;
/// Requests of the drift for each one before, and growth of answers.
const DRIFT_REQUESTS: f64 = 0.8;
const DRIFT_SIZE: f64 = 1.6;
/// Failed logins within ten minutes that make an attack.
const GUESSING_MIN: usize = 20;
/// Lines of a program within ten minutes that make a burst.
const LINES_MAX: usize = 100;
const DRIFT_BROWSER: &str = "Chrome/151.0.7103.92";

/// An auth line within its day: milliseconds and what follows the host name.
type AuthLine = (u64, String);

/// The real logs, taken apart.
pub(super) struct Background {
    days: Vec<Vec<AuthLine>>,
    /// By hour of the day, the real hours; each a list of visits, a visit a list of requests.
    hours: Vec<Vec<Vec<Visit>>>,
    /// Addresses that logged in; these stay.
    trusted: HashSet<String>,
    pub(super) pages: Vec<String>,
}

#[derive(Clone)]
struct Visit {
    address: String,
    requests: Vec<String>,
}

impl Background {
    pub(super) fn new(random: &mut Xoshiro256PlusPlus) -> io::Result<Self> {
        let mut samples = corpus::built_in()?.into_iter();
        let (auth, access) = (samples.next(), samples.next());
        let missing = || io::Error::other("a sample is missing");
        let (auth, access) = (auth.ok_or_else(missing)?, access.ok_or_else(missing)?);
        let mut days: BTreeMap<String, Vec<AuthLine>> = BTreeMap::new();
        let mut trusted = HashSet::new();
        for line in &auth.lines {
            let (Some(date), Some(clock), Some(rest)) = (line.get(..6), line.get(7..15), line.get(16..))
            else {
                continue;
            };
            let rest = rest.split_once(' ').map_or(rest, |(_, rest)| rest);
            let second = clock
                .split(':')
                .filter_map(|part| part.parse::<u64>().ok())
                .fold(0, |sum, part| sum * 60 + part);
            let at_ms = second * SECOND_MS + random.random_range(0..SECOND_MS / 4);
            if rest.contains("Accepted ") {
                trusted.extend(
                    rest.split(' ').filter(|word| word.parse::<Ipv4Addr>().is_ok()).map(str::to_owned),
                );
            }
            days.entry(date.replace("Mar", "3").replace("Apr", "4"))
                .or_default()
                .push((at_ms, rest.to_owned()));
        }
        for day in days.values_mut() {
            leave_out_bursts(day);
        }
        // The first and the last day are cut.
        days.pop_first();
        days.pop_last();
        let mut hours = vec![vec![]; 24];
        let mut pages = vec![];
        let mut latest = String::new();
        for line in &access.lines {
            let Some((address, rest)) = line.split_once(" - - [") else { continue };
            let Some((stamp, request)) = rest.split_once("] ") else { continue };
            let Some(hour) = stamp.get(12..14).and_then(|hour| hour.parse::<usize>().ok()) else { continue };
            let of_hour: &mut Vec<Vec<Visit>> = &mut hours[hour % 24];
            if latest != stamp[..14] {
                of_hour.push(vec![]);
                stamp[..14].clone_into(&mut latest);
            }
            if let (Some(page), true) = (request.split(' ').nth(1), request.contains("\" 200 ")) {
                pages.push(page.to_owned());
            }
            let Some(visits) = of_hour.last_mut() else { continue };
            match visits.last_mut() {
                Some(visit) if visit.address == address => visit.requests.push(request.to_owned()),
                _ => visits.push(Visit { address: address.to_owned(), requests: vec![request.to_owned()] }),
            }
        }
        Ok(Self { days: days.into_values().collect(), hours, trusted, pages })
    }

    /// One day's lines, not sorted.
    pub(super) fn day(
        &mut self,
        start_ms: u64,
        drift: Option<(u64, u64)>,
        random: &mut Xoshiro256PlusPlus,
        lines: &mut Vec<Line>,
    ) {
        let day = &self.days[random.random_range(0..self.days.len())];
        let mut varied = Varied::new(&self.trusted, random);
        lines.extend(day.iter().map(|(at_ms, rest)| {
            let rest = varied.line(rest, random);
            auth_line(start_ms + at_ms, &rest, None)
        }));
        for hour in 0..24 {
            let of_hour = &self.hours[hour];
            let visits = &of_hour[random.random_range(0..of_hour.len())];
            let hour_ms = start_ms + hour as u64 * HOUR_MS;
            let moved = drift.map_or(0.0, |(from, to)| {
                (hour_ms.saturating_sub(from) as f64 / (to - from).max(DAY_MS) as f64).min(1.0)
            });
            let mut varied = Varied::new(&self.trusted, random);
            for visit in visits {
                varied.visit(visit, hour_ms, 0.0, random, lines);
                if random.random_bool(DRIFT_REQUESTS * moved) {
                    let visit = Visit { address: address(random), requests: visit.requests.clone() };
                    varied.visit(&visit, hour_ms, moved, random, lines);
                }
            }
        }
    }
}

/// Leaves out what a program says in tens of minutes with many failed logins or lines: attacks and a
/// script's run, bursts themselves, which an injected one could not be told from.
fn leave_out_bursts(day: &mut Vec<AuthLine>) {
    let slot = |at_ms: u64, rest: &str| {
        let program = rest.split(['[', ':']).next().unwrap_or_default();
        let program =
            if matches!(program, "useradd" | "groupadd" | "chpasswd") { "accounts" } else { program };
        (at_ms / (10 * MINUTE_MS), program.to_owned())
    };
    let mut counts: HashMap<(u64, String), (usize, usize)> = HashMap::new();
    for (at_ms, rest) in day.iter() {
        let (lines, failures) = counts.entry(slot(*at_ms, rest)).or_default();
        *lines += 1;
        *failures += usize::from(rest.contains("Failed password") || rest.contains("Invalid user"));
    }
    day.retain(|(at_ms, rest)| {
        let (lines, failures) = counts.get(&slot(*at_ms, rest)).copied().unwrap_or_default();
        lines < LINES_MAX && failures < GUESSING_MIN
    });
}

/// The values of one block: the same ones stay the same within it.
struct Varied<'b> {
    trusted: &'b HashSet<String>,
    addresses: HashMap<String, String>,
    numbers: u64,
}

impl<'b> Varied<'b> {
    fn new(trusted: &'b HashSet<String>, random: &mut Xoshiro256PlusPlus) -> Self {
        Self { trusted, addresses: HashMap::new(), numbers: random.random_range(1..20_000) }
    }

    fn address(&mut self, real: &str, random: &mut Xoshiro256PlusPlus) -> String {
        if self.trusted.contains(real) || real.starts_with("0.") {
            return real.to_owned();
        }
        let varied = self.addresses.entry(real.to_owned()).or_insert_with(|| {
            if random.random_bool(KNOWN_ADDRESSES) { real.to_owned() } else { address(random) }
        });
        varied.clone()
    }

    /// An auth line with other addresses, ports, process ids and numbers of users.
    fn line(&mut self, rest: &str, random: &mut Xoshiro256PlusPlus) -> String {
        let mut out = String::with_capacity(rest.len() + 8);
        let mut left = rest;
        while let Some(start) = left.find(|c: char| c.is_ascii_digit()) {
            out.push_str(&left[..start]);
            left = &left[start..];
            let end = left.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(left.len());
            let end = left[..end].trim_end_matches('.').len();
            let word = &left[..end];
            left = &left[end..];
            let number = word.parse::<u64>();
            match number {
                _ if word.parse::<Ipv4Addr>().is_ok() => out.push_str(&self.address(word, random)),
                Ok(port) if out.ends_with("port ") && port > 1024 => {
                    out.push_str(&(1_024 + (port + self.numbers * 7) % 64_000).to_string());
                }
                Ok(pid) if out.ends_with('[') && pid > 99 => {
                    out.push_str(&(100 + (pid + self.numbers) % 32_000).to_string());
                }
                Ok(user) if out.ends_with("elastic_user_") => {
                    out.push_str(&((user + self.numbers) % 12).to_string());
                }
                _ => out.push_str(word),
            }
        }
        out.push_str(left);
        out
    }

    fn visit(
        &mut self,
        visit: &Visit,
        hour_ms: u64,
        moved: f64,
        random: &mut Xoshiro256PlusPlus,
        lines: &mut Vec<Line>,
    ) {
        let address = self.address(&visit.address, random);
        let mut at_ms = hour_ms + random.random_range(0..HOUR_MS);
        for request in &visit.requests {
            let mut request = if moved > 0.0 { drifted(request, moved) } else { request.clone() };
            if random.random_ratio(1, NEW_PAGE_EACH) {
                request = new_page(&request, random);
            }
            lines.push(access_line(at_ms, &address, &request, None));
            at_ms += random.random_range(100..12 * SECOND_MS);
        }
    }
}

fn new_page(request: &str, random: &mut Xoshiro256PlusPlus) -> String {
    let mut parts = request.splitn(3, ' ');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(method), Some(_), Some(rest)) => {
            format!("{method} /blog/{}/{}.html {rest}", word(random), word(random))
        }
        _ => request.to_owned(),
    }
}

/// A word that is no word.
pub(super) fn word(random: &mut Xoshiro256PlusPlus) -> String {
    const SYLLABLES: [&str; 16] = [
        "ba", "cor", "den", "fi", "gra", "ho", "jun", "ka", "li", "mor", "ne", "pol", "ri", "su", "ta", "vex",
    ];
    (0..random.random_range(2..5)).map(|_| SYLLABLES[random.random_range(0..SYLLABLES.len())]).collect()
}

/// A larger answer to a newer browser.
fn drifted(request: &str, moved: f64) -> String {
    let mut parts: Vec<String> = request.splitn(6, ' ').map(str::to_owned).collect();
    if let Some(size) = parts.get_mut(4)
        && let Ok(bytes) = size.parse::<f64>()
    {
        *size = format!("{:.0}", bytes * (1.0 + (DRIFT_SIZE - 1.0) * moved));
    }
    let request = parts.join(" ");
    match request.split_once("Chrome/") {
        Some((before, after)) => {
            let rest = after.split_once(' ').map_or("\"", |(_, rest)| rest);
            format!("{before}{DRIFT_BROWSER} {rest}")
        }
        None => request,
    }
}
