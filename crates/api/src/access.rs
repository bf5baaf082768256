//! Who may ask: the `Host` header against DNS rebinding, `Origin` and `Sec-Fetch-Site` against other web
//! pages, then API keys.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use problem::{Problem, StatusCode};

/// Paths that answer without a key, so that probes need none.
pub const OPEN_PATHS: [&str; 5] = ["/livez", "/readyz", "/ready", "/health", "/healthz"];

/// Why a request that a web page of others had a browser send is refused.
pub(crate) const FOREIGN_ORIGIN: &str = "a web page from elsewhere had this request sent; only pages of this \
                                         service and of the hosts in LOG_SENTINEL_ALLOWED_HOSTS may ask";

/// Settings of [`Access`].
#[derive(Clone, Default)]
pub struct AccessConfig {
    /// Host names that requests may be addressed to besides loopback names, each with or without a
    /// port; without one any port will do, and `*` is any host.
    pub allowed_hosts: Vec<String>,
    /// The keys, any of which will do. Empty means that none is asked for.
    pub api_keys: Vec<String>,
}

impl std::fmt::Debug for AccessConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AccessConfig")
            .field("allowed_hosts", &self.allowed_hosts)
            .field("api_keys", &format_args!("({} keys)", self.api_keys.len()))
            .finish()
    }
}

/// The rules of one listener. Clones share them.
#[derive(Clone)]
pub struct Access(Arc<Rules>);

struct Rules {
    hosts: Vec<String>,
    /// Hashes, whose comparison takes the same time whatever differs.
    keys: Vec<blake3::Hash>,
}

impl Access {
    /// The rules that these settings make. Blank entries are ignored.
    pub fn new(config: &AccessConfig) -> Self {
        let tidy = |list: &[String]| -> Vec<String> {
            list.iter()
                .map(|entry| entry.trim())
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect()
        };
        Self(Arc::new(Rules {
            hosts: tidy(&config.allowed_hosts).iter().map(|host| host.to_ascii_lowercase()).collect(),
            keys: tidy(&config.api_keys).iter().map(|key| blake3::hash(key.as_bytes())).collect(),
        }))
    }

    /// Whether keys are asked for.
    pub fn needs_key(&self) -> bool {
        !self.0.keys.is_empty()
    }

    /// Whether one of the keys is this one. Takes the same time for every wrong key of its length.
    pub fn accepts_key(&self, key: &str) -> bool {
        let given = blake3::hash(key.as_bytes());
        self.0.keys.iter().fold(false, |found, known| found | (*known == given))
    }

    /// Whether requests may be addressed to this host (`name` or `name:port`).
    pub fn accepts_host(&self, authority: &str) -> bool {
        let authority = authority.to_ascii_lowercase();
        is_loopback(host_name(&authority))
            || self.0.hosts.iter().any(|allowed| allowed == "*" || is_allowed(allowed, &authority))
    }

    /// Whether a page may ask that was loaded from somewhere, by what a browser adds to the request: only one
    /// of this service itself, under the host that is asked or one of the allowed hosts.
    pub(crate) fn accepts_origin(&self, headers: &HeaderMap, host: Option<&str>) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter().peekable();
        let named = origins.peek().is_some();
        let own = |origin: &HeaderValue| origin.to_str().is_ok_and(|origin| self.is_own(origin, host));
        let mut sites = headers.get_all("sec-fetch-site").iter();
        // A site is more than an origin: another port or name of it needs an origin that says which.
        let near = |site: &HeaderValue| match site.as_bytes().to_ascii_lowercase().as_slice() {
            b"same-origin" | b"none" => true,
            b"same-site" => named,
            _ => false,
        };
        origins.all(own) && sites.all(near)
    }

    fn is_own(&self, origin: &str, host: Option<&str>) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let default = match scheme.to_ascii_lowercase().as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => return false,
        };
        let without_default = |authority: &str| {
            let authority = authority.to_ascii_lowercase();
            authority.strip_suffix(default).map(str::to_owned).unwrap_or(authority)
        };
        let origin = without_default(authority);
        host.is_some_and(|host| without_default(host) == origin)
            // `*` lets requests be addressed to any host; it does not make any page one of ours.
            || self.0.hosts.iter().any(|allowed| allowed != "*" && is_allowed(allowed, &origin))
    }

    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let target = uri.authority().map(|authority| authority.as_str());
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().unwrap_or_default(),
            (None, _) => target.unwrap_or_default(),
            (Some(_), Some(_)) => "",
        };
        // A request that names its target in full is addressed to that one (RFC 9112 section 3.2.2).
        if let Some(refused) =
            [Some(host), target].into_iter().flatten().find(|host| !self.accepts_host(host))
        {
            let detail = format!(
                "requests addressed to '{}' are not answered here; LOG_SENTINEL_ALLOWED_HOSTS names the hosts that are",
                refused.chars().take(100).collect::<String>()
            );
            let problem =
                Problem::new(StatusCode::MISDIRECTED_REQUEST, "host_not_allowed", "Host not allowed", detail);
            return Err(problem.field("Host"));
        }
        if !self.accepts_origin(headers, Some(target.unwrap_or(host))) {
            let problem =
                Problem::new(StatusCode::FORBIDDEN, "foreign_origin", "Foreign origin", FOREIGN_ORIGIN);
            return Err(problem.field("Origin"));
        }
        if !self.needs_key() || OPEN_PATHS.contains(&uri.path()) {
            return Ok(());
        }
        match presented_key(headers) {
            Some(key) if self.accepts_key(key) => Ok(()),
            given => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "API key needed",
                match given {
                    Some(_) => "this API key is not known",
                    None => "send an API key as 'Authorization: Bearer <key>' or 'x-api-key: <key>'",
                },
            )),
        }
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Access {{ hosts: {:?}, keys: {} }}", self.0.hosts, self.0.keys.len())
    }
}

/// Middleware for `axum::middleware::from_fn_with_state`: refuses what [`Access`] does not allow,
/// with 421 for the host, 403 for a web page of others and 401 for the key.
pub async fn access_layer(State(access): State<Access>, request: Request, next: Next) -> Response {
    match access.check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            let needs_key = problem.status == StatusCode::UNAUTHORIZED;
            let mut response = problem.into_response();
            if needs_key {
                let scheme = HeaderValue::from_static("Bearer realm=\"log-sentinel\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            }
            response
        }
    }
}

pub(crate) fn presented_key(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get("x-api-key") {
        return value.to_str().ok().map(str::trim);
    }
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    ["bearer", "apikey"].iter().any(|known| scheme.eq_ignore_ascii_case(known)).then(|| key.trim())
}

/// Whether an allowed host is this one; without a port it is so with any.
fn is_allowed(allowed: &str, authority: &str) -> bool {
    let with_port = host_name(allowed).len() != bare(allowed).len();
    allowed == authority || (!with_port && host_name(allowed) == host_name(authority))
}

/// The host of `host`, `host:port`, `[address]` or `[address]:port`, without brackets.
fn host_name(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or("", |(address, _)| address);
    }
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.contains(':') => name,
        _ => authority,
    }
}

fn bare(authority: &str) -> &str {
    authority.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(authority)
}

fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(hosts: &[&str], keys: &[&str]) -> Access {
        let own = |list: &[&str]| list.iter().map(|entry| (*entry).to_owned()).collect();
        Access::new(&AccessConfig { allowed_hosts: own(hosts), api_keys: own(keys) })
    }

    #[test]
    fn hosts() {
        let default: &[&str] = &[];
        let cases: &[(&[&str], &str, bool)] = &[
            (default, "localhost", true),
            (default, "LOCALHOST:8080", true),
            (default, "127.0.0.1:8080", true),
            (default, "127.9.9.9", true),
            (default, "[::1]:8080", true),
            (default, "[::1]", true),
            (default, "evil.example", false),
            (default, "localhost.evil.example:8080", false),
            (default, "192.0.2.1", false),
            (default, "localhost@evil.example", false),
            (default, "", false),
            (&["collector", "logs.example:443"], "collector:8080", true),
            (&["collector", "logs.example:443"], "collector", true),
            (&["collector", "logs.example:443"], "logs.example:443", true),
            (&["collector", "logs.example:443"], "logs.example:8080", false),
            (&["collector", "logs.example:443"], "logs.example", false),
            (&["collector", "logs.example:443"], "localhost", true),
            (&["[2001:db8::1]"], "[2001:db8::1]:8080", true),
            (&["2001:db8::1"], "[2001:db8::1]:8080", true),
            (&["[2001:db8::1]:80"], "[2001:db8::1]:8080", false),
            (&["*"], "anything.example", true),
            (&["", " "], "localhost", true),
        ];
        for (allowed, host, expected) in cases {
            assert_eq!(access(allowed, &[]).accepts_host(host), *expected, "{host} with {allowed:?}");
        }
    }

    #[test]
    fn web_pages_of_others_may_not_ask() {
        type Headers<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(&[&str], &str, Headers<'_>, bool)] = &[
            (&[], "localhost:8080", &[], true),
            (&[], "localhost:8080", &[("origin", "http://localhost:8080")], true),
            (&[], "LocalHost:8080", &[("origin", "HTTP://LOCALHOST:8080")], true),
            (&[], "localhost", &[("origin", "http://localhost:80")], true),
            (&["*"], "logs.example:443", &[("origin", "https://logs.example")], true),
            (&[], "[::1]:8080", &[("origin", "http://[::1]:8080")], true),
            (&[], "localhost:8080", &[("origin", "http://localhost:3000")], false),
            (&[], "localhost:8080", &[("origin", "http://127.0.0.1:8080")], false),
            (&[], "localhost:8080", &[("origin", "https://evil.example")], false),
            (&[], "localhost:8080", &[("origin", "http://localhost:8080.evil.example")], false),
            (&[], "localhost:8080", &[("origin", "http://localhost:8080@evil.example")], false),
            (&[], "localhost:8080", &[("origin", "null")], false),
            (&[], "localhost:8080", &[("origin", "")], false),
            (&[], "localhost:8080", &[("origin", "file://")], false),
            (&[], "localhost:8080", &[("origin", "moz-extension://localhost:8080")], false),
            (
                &[],
                "localhost:8080",
                &[("origin", "http://localhost:8080"), ("origin", "https://evil.example")],
                false,
            ),
            (&["logs.example"], "localhost:8080", &[("origin", "https://logs.example")], true),
            (&["logs.example:444"], "localhost:8080", &[("origin", "https://logs.example:444")], true),
            (&["logs.example:444"], "localhost:8080", &[("origin", "https://logs.example")], false),
            (&["*"], "localhost:8080", &[("origin", "https://evil.example")], false),
            (&[], "localhost:8080", &[("sec-fetch-site", "none")], true),
            (&[], "localhost:8080", &[("sec-fetch-site", "same-origin")], true),
            (&[], "localhost:8080", &[("sec-fetch-site", "cross-site")], false),
            (&[], "localhost:8080", &[("sec-fetch-site", "Cross-Site")], false),
            (&[], "localhost:8080", &[("sec-fetch-site", "same-site")], false),
            (
                &[],
                "localhost:8080",
                &[("origin", "http://localhost:8080"), ("sec-fetch-site", "same-site")],
                true,
            ),
            (
                &[],
                "localhost:8080",
                &[("origin", "http://localhost:8080"), ("sec-fetch-site", "cross-site")],
                false,
            ),
        ];
        for (allowed, host, given, expected) in cases {
            let mut headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
            for (name, value) in *given {
                headers.append(*name, HeaderValue::from_static(value));
            }
            let answer = access(allowed, &[]).check(&Uri::from_static("/x"), &headers);
            let status = answer.err().map(|problem| problem.status.as_u16());
            assert_eq!(status, (!expected).then_some(403), "{given:?} at {host} with {allowed:?}");
        }
    }

    #[test]
    fn a_target_named_in_full_counts_as_the_host() {
        for (target, host, expected) in [
            ("http://localhost:8080/logs", Some("localhost:8080"), None),
            ("http://localhost:8080/logs", None, None),
            ("http://evil.example/logs", Some("localhost:8080"), Some(421)),
            ("http://evil.example/logs", None, Some(421)),
            ("http://localhost@evil.example/logs", Some("localhost"), Some(421)),
            ("http://localhost:8080/logs", Some("evil.example"), Some(421)),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, HeaderValue::from_static(host));
            }
            let answer = access(&[], &[]).check(&Uri::from_static(target), &headers);
            assert_eq!(answer.err().map(|problem| problem.status.as_u16()), expected, "{target} {host:?}");
        }
    }

    #[test]
    fn keys_never_show_in_debug_output() {
        let config = AccessConfig { allowed_hosts: vec![], api_keys: vec!["hunter2".to_owned()] };
        assert!(!format!("{config:?} {:?}", Access::new(&config)).contains("hunter2"));
    }

    #[test]
    fn a_key_is_accepted_whole_or_not_at_all() {
        let access = access(&[], &["alpha", " beta "]);
        for (key, expected) in
            [("alpha", true), ("beta", true), ("alph", false), ("alphaa", false), ("", false)]
        {
            assert_eq!(access.accepts_key(key), expected, "{key}");
        }
    }
}
