//! Who may ask: the `Host` header against DNS rebinding, `Origin` and `Sec-Fetch-Site` against other web
//! pages, then who calls and what they may.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use ::access::{Asked, Needs, Refusal};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use metrics::counter;
use problem::{Problem, StatusCode};
use telemetry::metric;

use crate::{
    clock::now,
    decision::{By, Decisions},
    listen::Line,
    route::Row,
    standing::Standing,
};

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
    who: Arc<::access::Access>,
    decisions: Decisions,
}

impl Access {
    /// The rules that these settings make, without any keys but those. Blank entries are ignored.
    pub fn new(config: &AccessConfig) -> Self {
        let api_keys = config.api_keys.clone();
        let who = ::access::Access::new(&::access::Config { api_keys, ..::access::Config::default() }, None);
        Self::over(&config.allowed_hosts, Arc::new(who))
    }

    /// The rules of a listener that requests may be addressed to by these names, for those who `who` knows.
    pub fn over(allowed_hosts: &[String], who: Arc<::access::Access>) -> Self {
        let hosts = allowed_hosts.iter().map(|host| host.trim().to_ascii_lowercase());
        let hosts = hosts.filter(|host| !host.is_empty()).collect();
        Self(Arc::new(Rules { hosts, who, decisions: Decisions::default() }))
    }

    /// The same rules, with what callers decide on record.
    #[must_use]
    pub fn recording(self, decisions: Decisions) -> Self {
        let Rules { hosts, who, .. } = &*self.0;
        Self(Arc::new(Rules { hosts: hosts.clone(), who: Arc::clone(who), decisions }))
    }

    /// Whether they still may, for answers that go on.
    pub(crate) fn standing(&self, caller: &::access::Caller, headers: &HeaderMap) -> Standing {
        Standing::new(&self.0.who, caller, headers)
    }

    /// Who sends a request that was admitted, for what they decide.
    pub(crate) fn by(&self, caller: Option<::access::Caller>, line: Option<&Line>) -> By {
        By { decisions: self.0.decisions.clone(), caller, address: line.map(Line::address) }
    }

    /// Who calls, once they may do what needs this; None for what is open. Refusals are counted.
    ///
    /// # Errors
    /// Why they may not.
    pub(crate) fn admit(
        &self,
        needs: Needs,
        (method, query): (&Method, Option<&str>),
        headers: &HeaderMap,
        line: Option<&Line>,
    ) -> Result<Option<::access::Caller>, Refusal> {
        let asked = Asked {
            needs,
            headers,
            query,
            writes: !matches!(*method, Method::GET | Method::HEAD),
            address: line.map(Line::address),
            certificate: line.and_then(Line::certificate),
            now: now(),
        };
        self.0.who.admit(&asked).inspect_err(|refusal| {
            counter!(metric::ACCESS_REFUSED, "reason" => refusal.reason()).increment(1);
        })
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

    fn check_page(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
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
        Ok(())
    }
}

/// A refusal as HTTP's clients read it.
pub(crate) fn refused(refusal: &Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Lacks(scope) => {
            Problem::new(StatusCode::FORBIDDEN, "scope_lacking", "The key lacks a scope", detail)
                .member("scope", scope.as_str())
        }
        Refusal::OfOneOrganization => Problem::new(
            StatusCode::FORBIDDEN,
            "of_one_organization",
            "The key is of one organization",
            detail,
        ),
        Refusal::NoCsrfToken => {
            Problem::new(StatusCode::FORBIDDEN, "no_csrf_token", "CSRF token needed", detail)
                .field("X-CSRF-Token")
        }
        Refusal::Slowed { retry_after } => {
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_wrong_keys", "Too many wrong keys", detail)
                .retry_after(*retry_after)
        }
        _ => Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "API key needed", detail),
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Access {{ hosts: {:?}, locked: {} }}", self.0.hosts, self.0.who.is_locked())
    }
}

/// The rules of a router: who may ask, and what its routes need.
#[derive(Clone)]
pub(crate) struct Guard {
    access: Access,
    needs: Arc<HashMap<(&'static str, &'static str), Needs>>,
}

impl Guard {
    pub(crate) fn new(access: Access, rows: &[Row]) -> Self {
        let needs = rows.iter().map(|(method, path, needs)| ((*method, *path), *needs));
        Self { access, needs: Arc::new(needs.collect()) }
    }

    /// What a request needs. One that no route answers needs a key all the same: what there is, is told to callers.
    fn needs(&self, request: &Request) -> Needs {
        let method = match request.method().as_str() {
            "HEAD" => "GET",
            method => method,
        };
        let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        path.and_then(|path| self.needs.get(&(method, path))).copied().unwrap_or(Needs::Key)
    }
}

/// Middleware: refuses what [`Access`] does not allow, with 421 for the host, 403 for a web page of others, 401 for who
/// is not known, 403 for who may not, 429 for who guesses. Who calls is among the extensions of what goes on.
pub(crate) async fn access_layer(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    if let Err(problem) = guard.access.check_page(request.uri(), request.headers()) {
        return problem.into_response();
    }
    let needs = guard.needs(&request);
    let line = request.extensions().get::<Line>();
    let asked = (request.method(), request.uri().query());
    match guard.access.admit(needs, asked, request.headers(), line) {
        Ok(caller) => {
            let by = guard.access.by(caller.clone(), line);
            request.extensions_mut().insert(by);
            if let Some(caller) = caller {
                let standing = guard.access.standing(&caller, request.headers());
                request.extensions_mut().insert(standing);
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(refusal) => refused_response(&refusal),
    }
}

/// With 401 also how to do better.
pub(crate) fn refused_response(refusal: &Refusal) -> Response {
    let problem = refused(refusal);
    let is_unknown = problem.status == StatusCode::UNAUTHORIZED;
    let mut response = problem.into_response();
    if is_unknown {
        let scheme = HeaderValue::from_static("Bearer realm=\"log-sentinel\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

/// Whether an allowed host is this one; without a port it is so with any.
fn is_allowed(allowed: &str, authority: &str) -> bool {
    let with_port = host_name(allowed).len() != bare(allowed).len();
    allowed == authority || (!with_port && host_name(allowed) == host_name(authority))
}

/// The host of `host`, `host:port`, `[address]` or `[address]:port`, without brackets.
fn host_name(authority: &str) -> &str {
    let is_port =
        |text: &str| text.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    if let Some(rest) = authority.strip_prefix('[') {
        let parts = rest.split_once(']').filter(|(_, port)| port.is_empty() || is_port(port));
        return parts.map_or("", |(address, _)| address);
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

    fn access(hosts: &[&str]) -> Access {
        let allowed_hosts = hosts.iter().map(|entry| (*entry).to_owned()).collect();
        Access::new(&AccessConfig { allowed_hosts, api_keys: vec![] })
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
            (default, "[::1]evil.example", false),
            (default, "[::1]:80@evil.example", false),
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
            assert_eq!(access(allowed).accepts_host(host), *expected, "{host} with {allowed:?}");
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
            let answer = access(allowed).check_page(&Uri::from_static("/x"), &headers);
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
            let answer = access(&[]).check_page(&Uri::from_static(target), &headers);
            assert_eq!(answer.err().map(|problem| problem.status.as_u16()), expected, "{target} {host:?}");
        }
    }

    #[test]
    fn keys_never_show_in_debug_output() {
        let config = AccessConfig { allowed_hosts: vec![], api_keys: vec!["hunter2".to_owned()] };
        assert!(!format!("{config:?} {:?}", Access::new(&config)).contains("hunter2"));
    }
}
