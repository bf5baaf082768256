//! One visit of a web server, weighed.

use event::Value;

use crate::{
    Entity, EntityType, Kind, Level, Origin, Protocol, Seen,
    web::{Request, Sign},
};

/// Files that pages ask for in passing, and that are often not there.
const PASSING: [&str; 18] = [
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".ico",
    ".svg",
    ".webp",
    ".css",
    ".js",
    ".map",
    ".woff",
    ".woff2",
    ".ttf",
    ".eot",
    ".mp4",
    ".mp3",
    ".pdf",
    ".webmanifest",
];
/// Places that browsers and crawlers ask every site for.
const USUAL: [&str; 12] = [
    "/robots.txt",
    "/favicon",
    "/apple-touch-icon",
    "/sitemap",
    "/ads.txt",
    "/app-ads.txt",
    "/security.txt",
    "/humans.txt",
    "/browserconfig.xml",
    "/crossdomain.xml",
    "/.well-known/",
    "/manifest.json",
];
/// What those call themselves that follow links, old and broken ones too.
const CRAWLERS: [&str; 7] = ["bot", "crawl", "spider", "slurp", "archiver", "validator", "feed"];

/// Somebody asked a web server for something, or an application tells what somebody did.
#[derive(Debug)]
pub(super) struct Visit<'s> {
    pub(super) seen: &'s Seen<'s>,
    pub(super) origin: Origin,
    /// Of an address of IPv6.
    pub(super) network: Option<Origin>,
    pub(super) request: Option<&'s Request<'s>>,
    pub(super) sign: Option<Sign>,
    /// The access log tells of it, which has every request once.
    pub(super) is_access: bool,
}

impl<'s> Visit<'s> {
    /// The visit that an event tells of.
    pub(super) fn of(seen: &'s Seen<'s>) -> Option<Self> {
        let address = seen.activity.address?;
        let (origin, network) = (Origin::of(address), Origin::network(address));
        let is_http = seen.activity.protocol == Protocol::Http;
        let (request, read) = (seen.activity.request.as_ref(), seen.activity.sign);
        let is_access = request.is_some_and(|request| request.status.is_some());
        let own = match seen.activity.kind {
            Kind::WebAttack if !is_access => Some(Sign::Reported),
            Kind::WebProbe => Some(Sign::Absent),
            Kind::WebMalformed => Some(Sign::Malformed),
            Kind::WebAuthFailure => Some(Sign::LoginFailed),
            Kind::WebRate => Some(Sign::TooMany),
            Kind::AuthFailure if is_http => Some(Sign::LoginFailed),
            Kind::AuthSuccess if is_http => Some(Sign::LoginPassed),
            _ => None,
        };
        // An error log may say what was done about a request; else the gravest counts.
        let sign = match own {
            Some(Sign::LoginFailed | Sign::LoginPassed | Sign::TooMany) if !is_access => own,
            _ if is_access => read.or(own),
            _ => own.into_iter().chain(read).min(),
        };
        (request.is_some() || sign.is_some()).then_some(Self {
            seen,
            origin,
            network,
            request,
            sign,
            is_access,
        })
    }

    /// What the visit says for a scan.
    pub(super) fn points(&self) -> u32 {
        match self.sign {
            // Its own name says what it is for.
            Some(Sign::AttackTool) => 10,
            Some(Sign::VulnerableEndpoint) => 5,
            Some(Sign::FalseCrawler | Sign::SensitiveFile | Sign::WebShell) => 4,
            Some(sign) if sign.is_exploit() => 4,
            Some(Sign::Absent) => 3,
            Some(Sign::Scanner) => 2,
            Some(Sign::Malformed) => 1,
            Some(_) => 0,
            None => u32::from(self.request.is_some_and(is_in_vain)),
        }
    }

    /// A hash of what was asked for, numbers aside: the same thing asked for again says nothing new.
    pub(super) fn what(&self) -> u64 {
        let Some(request) = self.request else {
            return arithmetic::hash(masked(&self.seen.analyzed.event.message).as_bytes());
        };
        let text = if self.sign.is_some() { request.target.as_ref() } else { path(request) };
        // The numbers are what is looked for, or all there is.
        let is_numbered = self.sign == Some(Sign::Scanner) && text.contains("?author=");
        if is_numbered || self.sign == Some(Sign::Malformed) {
            return arithmetic::hash(request.target.as_bytes());
        }
        let method = request.method.unwrap_or_default();
        arithmetic::hash(format!("{method} {}", masked(text)).as_bytes())
    }

    /// A hash of the address.
    pub(super) fn who(&self) -> u64 {
        arithmetic::hash(self.origin.to_string().as_bytes())
    }

    /// A hash of the place that was asked for.
    pub(super) fn place(&self) -> u64 {
        arithmetic::hash(self.request.map_or("", path).as_bytes())
    }

    /// Whether it was answered as who asked had wished.
    pub(super) fn is_answered(&self) -> bool {
        self.request.is_some_and(Request::is_answered)
    }

    /// Whether an application says that it lets this visitor in no more, after too many failures.
    pub(super) fn is_barred(&self) -> bool {
        let reason = self.seen.analyzed.event.field("event.reason").and_then(Value::as_str);
        reason == Some("too many authentication failures")
    }

    /// How grave an exploit is by its answer: turned down, it harmed nobody.
    pub(super) fn gravity(&self) -> Level {
        let status = self.request.and_then(|request| request.status);
        match (status, self.sign) {
            (Some(200..300), Some(Sign::KnownExploit | Sign::WebShell)) => Level::High,
            (Some(200..300 | 500..600), _) => Level::Medium,
            _ => Level::Low,
        }
    }

    /// What else a finding is about.
    pub(super) fn about(&self) -> [Entity; 2] {
        let event = &self.seen.analyzed.event;
        [
            Entity::new(EntityType::Host, event.host.as_deref().unwrap_or_default()),
            Entity::new(EntityType::Service, event.source.as_deref().unwrap_or_default()),
        ]
    }
}

/// Whether a request was in vain, and none of those that follow a broken link: those say where they come from, or
/// are made by crawlers, or are for parts of pages.
fn is_in_vain(request: &Request<'_>) -> bool {
    let path = path(request);
    let agent = request.agent.unwrap_or_default().to_ascii_lowercase();
    request.is_refused
        && request.referrer.is_none()
        && matches!(request.method, Some("GET" | "HEAD" | "POST"))
        && !PASSING.iter().any(|end| path.ends_with(end))
        && !USUAL.iter().any(|usual| path.contains(usual))
        && !CRAWLERS.iter().any(|name| agent.contains(name))
}

fn path<'r>(request: &'r Request<'_>) -> &'r str {
    request.target.split('?').next().unwrap_or_default()
}

/// The text with one zero for every run of digits, and for every word of hexadecimal digits with one in it.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(512));
    let mut rest = &text[..text.floor_char_boundary(512)];
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_alphanumeric()) {
        out.push_str(&rest[..at]);
        let word = &rest[at..];
        let length = word.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(word.len());
        let (word, after) = word.split_at(length);
        let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
        if has_digit && length >= 6 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            out.push('0');
        } else {
            let mut was_digit = false;
            for letter in word.chars() {
                let is_digit = letter.is_ascii_digit();
                if !is_digit || !was_digit {
                    out.push(if is_digit { '0' } else { letter });
                }
                was_digit = is_digit;
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ids_are_masked() {
        for (text, expected) in [
            ("/api/users/123/x9", "/api/users/0/x0"),
            ("/o/5f2c9a1b7e/p", "/o/0/p"),
            ("/facade/decade", "/facade/decade"),
            ("/é/ß7", "/é/ß0"),
            ("", ""),
        ] {
            assert_eq!(masked(text), expected);
        }
    }
}
