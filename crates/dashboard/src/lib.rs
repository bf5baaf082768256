//! The dashboard: what people look at in a browser. It holds the files of `web/` and serves them; what they show they
//! ask of the public API, as any other client may.
//!
//! Everything stands below an address that names the bytes of all files, so that a browser may keep it for good, and one page
//! leads there. The page allows no script, style or connection but those of this service. This crate must never ask for
//! anything of what is stored, and no answer of it depends on who asks.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};

/// Below which path the files are, as a template of a router: the version, then the path below `web/`.
pub const FILES_PATH: &str = "/ui/{version}/{*path}";

/// A file of `web/`.
struct File {
    path: &'static str,
    plain: &'static [u8],
    packed: &'static [u8],
}

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

const TEMPLATE: &str = include_str!("../web/index.html");

/// What modules are called in `import`, and where they are.
const MODULES: [(&str, &str); 5] = [
    ("preact", "vendor/preact.mjs"),
    ("preact/hooks", "vendor/hooks.mjs"),
    ("htm", "vendor/htm.mjs"),
    ("@preact/signals", "vendor/signals.mjs"),
    ("@preact/signals-core", "vendor/signals-core.mjs"),
];

static SITE: LazyLock<Site> = LazyLock::new(Site::new);

/// What is the same for every request.
struct Site {
    /// Names the bytes of all files: 16 hexadecimal digits.
    version: String,
    page: String,
    policy: String,
}

impl Site {
    fn new() -> Self {
        let mut hasher = blake3::Hasher::new();
        for file in FILES {
            hasher.update(file.path.as_bytes()).update(&[0]);
            hasher.update(&(file.plain.len() as u64).to_le_bytes()).update(file.plain);
        }
        let version = hasher.finalize().to_hex()[..16].to_owned();
        let map = import_map(&version);
        let digest = ring::digest::digest(&ring::digest::SHA256, map.as_bytes());
        let policy = format!(
            "default-src 'self'; script-src 'self' 'sha256-{}'; object-src 'none'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'; require-trusted-types-for 'script'",
            STANDARD.encode(digest)
        );
        let mut preloads = String::new();
        for file in FILES.iter().filter(|file| is_wanted_first(file.path)) {
            // Writing to a text does not fail.
            let _written = writeln!(
                preloads,
                r#"<link rel="modulepreload" href="/ui/{version}/{path}">"#,
                path = file.path
            );
        }
        let page = TEMPLATE
            .replace("{{map}}", &map)
            .replace("{{preloads}}", preloads.trim_end())
            .replace("{{version}}", &version);
        Self { version, page, policy }
    }
}

/// Modules that every screen needs. Those of one screen and the words of one language are asked for by `import()`.
fn is_wanted_first(path: &str) -> bool {
    let is_module = path.ends_with(".js") || path.ends_with(".mjs");
    is_module && path != "boot.js" && !path.starts_with("screens/") && !path.starts_with("words/")
}

fn import_map(version: &str) -> String {
    let modules = MODULES.map(|(name, path)| format!(r#""{name}":"/ui/{version}/{path}""#));
    format!(r#"{{"imports":{{{}}}}}"#, modules.join(","))
}

/// The page at `/`, which asks for everything else.
pub fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, &SITE.policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // It names the version that is current, so it is asked for each time.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, SITE.page.as_str()).into_response()
}

/// A file of this version, packed where the client takes that.
///
/// `version` and `path` are those of [`FILES_PATH`]. None for what is not of this version: a page that was loaded before
/// the service was replaced would mix the files of two.
pub fn file(version: &str, path: &str, headers: &HeaderMap) -> Option<Response> {
    let found = FILES.iter().find(|file| file.path == path).filter(|_| version == SITE.version);
    let file = found?;
    let is_packed = takes_gzip(headers);
    // The version names the bytes; the two forms of a file are two representations (RFC 9110 section 8.8.3).
    let tag = format!("\"{}{}\"", SITE.version, if is_packed { "-gzip" } else { "" });
    let has_it = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = has_it.is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    let mut response = match (is_known, is_packed) {
        (true, _) => StatusCode::NOT_MODIFIED.into_response(),
        (false, true) => Bytes::from_static(file.packed).into_response(),
        (false, false) => Bytes::from_static(file.plain).into_response(),
    };
    let kept = response.headers_mut();
    kept.insert(header::CONTENT_TYPE, HeaderValue::from_static(media(path)));
    kept.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    kept.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    kept.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_packed && !is_known {
        kept.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        kept.insert(header::ETAG, tag);
    }
    Some(response)
}

fn media(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    }
}

/// Whether gzip is named in `Accept-Encoding`, and not with the weight 0 (RFC 9110 section 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    codings.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
        is_gzip && weight.is_ok_and(|weight| weight > 0.0)
    })
}
