//! Who may ask: the `Host` header against DNS rebinding, then API keys.

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
        let name = host_name(&authority);
        is_loopback(name)
            || self.0.hosts.iter().any(|allowed| {
                let with_port = host_name(allowed).len() != bare(allowed).len();
                allowed == "*" || *allowed == authority || (!with_port && host_name(allowed) == name)
            })
    }

    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().unwrap_or_default(),
            (None, _) => uri.authority().map_or("", |authority| authority.as_str()),
            (Some(_), Some(_)) => "",
        };
        if !self.accepts_host(host) {
            let detail = format!(
                "requests addressed to '{}' are not answered here; LOG_SENTINEL_ALLOWED_HOSTS names the hosts that are",
                host.chars().take(100).collect::<String>()
            );
            let problem =
                Problem::new(StatusCode::MISDIRECTED_REQUEST, "host_not_allowed", "Host not allowed", detail);
            return Err(problem.field("Host"));
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
/// with 421 for the host and 401 for the key.
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
