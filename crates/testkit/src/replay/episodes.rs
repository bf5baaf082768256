//! What is injected.

use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{
    background::{Background, word},
    line::{HOUR_MS, Line, Log, MINUTE_MS, SECOND_MS, access_line, address, auth_line},
};

const USERS: [&str; 12] =
    ["root", "admin", "test", "oracle", "postgres", "ubnt", "guest", "pi", "support", "user", "git", "mysql"];
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 \
                       Safari/537.36";

/// What happens in an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// 30 to 120 failed logins from one address.
    BruteForce,
    /// As many from as many addresses.
    DistributedBruteForce,
    /// Failed logins of a new address, then a successful one.
    Takeover,
    /// 200 to 800 requests of one page within 5 to 15 minutes.
    Spike,
    /// 30 to 120 requests answered by a server error.
    ErrorBurst,
    /// One to four lines of an error never seen.
    NewError,
    /// One to three answers far larger than any before.
    HugeValue,
    /// The access log says nothing for 2 to 6 hours; the line after it belongs to the episode.
    Silence,
    /// A tenth of the requests for 3 to 6 hours; these, and the line after them, belong to it.
    Drop,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::BruteForce,
        Self::DistributedBruteForce,
        Self::Takeover,
        Self::Spike,
        Self::ErrorBurst,
        Self::NewError,
        Self::HugeValue,
        Self::Silence,
        Self::Drop,
    ];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BruteForce => "brute force, one address",
            Self::DistributedBruteForce => "brute force, many addresses",
            Self::Takeover => "login after failures, new address",
            Self::Spike => "spike of one page",
            Self::ErrorBurst => "burst of server errors",
            Self::NewError => "error never seen",
            Self::HugeValue => "huge answer",
            Self::Silence => "silence of a source",
            Self::Drop => "drop of a source",
        }
    }
}

/// The truth of an episode.
#[derive(Debug, Clone, Copy)]
pub struct Episode {
    /// Counts from 0 in order of time.
    pub id: u32,
    /// What happens.
    pub kind: Kind,
    /// The log it happens in.
    pub log: Log,
    /// When it begins, in milliseconds since 1970.
    pub start_ms: u64,
    /// When it ends.
    pub end_ms: u64,
}

pub(super) const fn log_of(kind: Kind) -> Log {
    match kind {
        Kind::BruteForce | Kind::DistributedBruteForce | Kind::Takeover | Kind::NewError => Log::Auth,
        Kind::Spike | Kind::ErrorBurst | Kind::HugeValue | Kind::Silence | Kind::Drop => Log::Access,
    }
}

/// How long an episode of this kind lasts.
pub(super) fn length_ms(kind: Kind, random: &mut Xoshiro256PlusPlus) -> u64 {
    match kind {
        Kind::BruteForce => random.random_range(MINUTE_MS..10 * MINUTE_MS),
        Kind::DistributedBruteForce => random.random_range(5 * MINUTE_MS..20 * MINUTE_MS),
        Kind::Takeover => random.random_range(30 * SECOND_MS..3 * MINUTE_MS),
        Kind::Spike => random.random_range(5 * MINUTE_MS..15 * MINUTE_MS),
        Kind::ErrorBurst => random.random_range(3 * MINUTE_MS..10 * MINUTE_MS),
        Kind::NewError | Kind::HugeValue => random.random_range(10 * SECOND_MS..MINUTE_MS),
        Kind::Silence => random.random_range(2 * HOUR_MS..6 * HOUR_MS),
        Kind::Drop => random.random_range(3 * HOUR_MS..6 * HOUR_MS),
    }
}

/// Puts the episode's lines into `out`, or takes lines away, and sets its end.
pub(super) fn inject(
    episode: &mut Episode,
    background: &Background,
    lines: &mut Vec<Line>,
    out: &mut Vec<Line>,
    random: &mut Xoshiro256PlusPlus,
) {
    match episode.kind {
        Kind::BruteForce => {
            let source = address(random);
            attempts(episode, random.random_range(30..=120), &mut |_| source.clone(), out, random);
        }
        Kind::DistributedBruteForce => {
            attempts(episode, random.random_range(30..=120), &mut address, out, random);
        }
        Kind::Takeover => takeover(episode, out, random),
        Kind::Spike => {
            let page = background.pages[random.random_range(0..background.pages.len())].clone();
            let size = random.random_range(2_000..60_000);
            let rest = format!("\"GET {page} HTTP/1.1\" 200 {size} \"-\" \"{BROWSER}\"");
            requests(episode, random.random_range(200..=800), &mut |_| rest.clone(), out, random);
        }
        Kind::ErrorBurst => {
            let status = [500, 502, 503][random.random_range(0..3)];
            let mut rest = |random: &mut Xoshiro256PlusPlus| {
                let page = &background.pages[random.random_range(0..background.pages.len())];
                format!(
                    "\"GET {page} HTTP/1.1\" {status} {} \"-\" \"{BROWSER}\"",
                    random.random_range(200..900)
                )
            };
            requests(episode, random.random_range(30..=120), &mut rest, out, random);
        }
        Kind::NewError => new_error(episode, out, random),
        Kind::HugeValue => {
            let mut rest = |random: &mut Xoshiro256PlusPlus| {
                let page = &background.pages[random.random_range(0..background.pages.len())];
                let size = random.random_range(5_000_000_000u64..500_000_000_000);
                format!("\"GET {page} HTTP/1.1\" 200 {size} \"-\" \"{BROWSER}\"")
            };
            requests(episode, random.random_range(1..=3), &mut rest, out, random);
        }
        Kind::Silence => thin(episode, 0.0, lines, random),
        Kind::Drop => thin(episode, 0.1, lines, random),
    }
}

/// `count` times within the episode, rising, the first at its start.
fn times(episode: &Episode, count: u64, random: &mut Xoshiro256PlusPlus) -> Vec<u64> {
    let length = (episode.end_ms - episode.start_ms).max(1);
    let mut times: Vec<u64> = (1..count).map(|_| episode.start_ms + random.random_range(0..length)).collect();
    times.push(episode.start_ms);
    times.sort_unstable();
    times
}

fn requests(
    episode: &Episode,
    count: u64,
    rest: &mut dyn FnMut(&mut Xoshiro256PlusPlus) -> String,
    out: &mut Vec<Line>,
    random: &mut Xoshiro256PlusPlus,
) {
    let sources: Vec<String> = (0..random.random_range(1..20)).map(|_| address(random)).collect();
    for at_ms in times(episode, count, random) {
        let source = &sources[random.random_range(0..sources.len())];
        out.push(access_line(at_ms, source, &rest(random), Some(episode.id)));
    }
}

fn attempts(
    episode: &Episode,
    count: u64,
    source: &mut dyn FnMut(&mut Xoshiro256PlusPlus) -> String,
    out: &mut Vec<Line>,
    random: &mut Xoshiro256PlusPlus,
) {
    let only = random.random_bool(0.5).then(|| USERS[random.random_range(0..USERS.len())]);
    for at_ms in times(episode, count, random) {
        let user = only.unwrap_or_else(|| USERS[random.random_range(0..USERS.len())]);
        let from = source(random);
        attempt(episode, at_ms, user, &from, out, random);
    }
}

/// The three or five lines of a failed login.
fn attempt(
    episode: &Episode,
    at_ms: u64,
    user: &str,
    from: &str,
    out: &mut Vec<Line>,
    random: &mut Xoshiro256PlusPlus,
) {
    let (pid, port) = (random.random_range(1_000..32_000), random.random_range(1_025..65_000));
    let mut put = |after_ms: u64, rest: String| {
        out.push(auth_line(at_ms + after_ms, &format!("sshd[{pid}]: {rest}"), Some(episode.id)));
    };
    const FAILURE: &str = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser=";
    if user == "root" || user.starts_with("elastic") || user == "ubuntu" {
        put(0, format!("{FAILURE} rhost={from}  user={user}"));
        put(900, format!("Failed password for {user} from {from} port {port} ssh2"));
    } else {
        put(0, format!("Invalid user {user} from {from}"));
        put(10, format!("input_userauth_request: invalid user {user} [preauth]"));
        put(20, "pam_unix(sshd:auth): check pass; user unknown".to_owned());
        put(900, format!("Failed password for invalid user {user} from {from} port {port} ssh2"));
    }
    put(950, format!("Connection closed by {from} port {port} [preauth]"));
}

fn takeover(episode: &mut Episode, out: &mut Vec<Line>, random: &mut Xoshiro256PlusPlus) {
    let from = address(random);
    let user = ["ubuntu", "elastic_user_3", "elastic_user_7"][random.random_range(0..3)];
    for at_ms in times(episode, random.random_range(4..=8), random) {
        attempt(episode, at_ms, user, &from, out, random);
    }
    let (pid, port) = (random.random_range(1_000..32_000), random.random_range(1_025..65_000));
    let at_ms = episode.end_ms + 2 * SECOND_MS;
    for rest in [
        format!("Accepted password for {user} from {from} port {port} ssh2"),
        format!("pam_unix(sshd:session): session opened for user {user} by (uid=0)"),
    ] {
        out.push(auth_line(at_ms, &format!("sshd[{pid}]: {rest}"), Some(episode.id)));
    }
    episode.end_ms = at_ms;
}

fn new_error(episode: &Episode, out: &mut Vec<Line>, random: &mut Xoshiro256PlusPlus) {
    const PROGRAMS: [&str; 4] = ["sshd", "CRON", "systemd-logind", "sudo"];
    const WHAT: [&str; 6] = [
        "cannot allocate memory for",
        "failed to write to",
        "lost connection to",
        "corrupt record in",
        "permission denied on",
        "timed out waiting for",
    ];
    let program = PROGRAMS[random.random_range(0..PROGRAMS.len())];
    let what = WHAT[random.random_range(0..WHAT.len())];
    let (object, detail) = (word(random), word(random));
    for at_ms in times(episode, random.random_range(1..=4), random) {
        let code = random.random_range(1..140);
        let pid = random.random_range(1_000..32_000);
        let rest = format!("{program}[{pid}]: error: {what} {object} {detail} (code {code})");
        out.push(auth_line(at_ms, &rest, Some(episode.id)));
    }
}

/// Leaves this share of the log's lines within the episode; they, and the first one after, belong to it.
fn thin(episode: &Episode, share: f64, lines: &mut Vec<Line>, random: &mut Xoshiro256PlusPlus) {
    let from = lines.partition_point(|line| line.at_ms < episode.start_ms);
    let to = lines.partition_point(|line| line.at_ms < episode.end_ms);
    if let Some(line) = lines[to..].iter_mut().find(|line| line.log == episode.log) {
        line.episode = Some(episode.id);
    }
    let mut at = 0;
    lines.retain_mut(|line| {
        at += 1;
        if !(from..to).contains(&(at - 1)) || line.log != episode.log {
            return true;
        }
        line.episode = Some(episode.id);
        share > 0.0 && random.random_bool(share)
    });
}
