//! The files of the page: what they promise before any browser sees them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::Value;

/// What a browser has to fetch before the first screen stands: compressed bytes.
const FIRST_LOAD_MAX: usize = 120_000;

fn web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("web")
}

/// Every file of the page with its text, by its path below `web/`.
fn sources(ends: &[&str]) -> BTreeMap<String, String> {
    fn walk(folder: &Path, ends: &[&str], found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, ends, found);
            } else if ends.iter().any(|end| path.extension().is_some_and(|own| own == *end)) {
                let name = path.strip_prefix(web()).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&web(), ends, &mut found);
    found
}

/// Our own modules.
fn own() -> BTreeMap<String, String> {
    let mut all = sources(&["js"]);
    all.retain(|name, _| !name.starts_with("vendor/"));
    assert!(all.len() > 30, "{:?}", all.keys());
    all
}

/// What stands between single quotes behind each of these beginnings.
fn quoted_behind<'a>(text: &'a str, beginning: &str) -> Vec<&'a str> {
    text.match_indices(beginning)
        .filter_map(|(at, found)| text[at + found.len()..].split('\'').next())
        .collect()
}

#[test]
fn what_is_vendored_is_what_the_manifest_says() {
    let vendor = web().join("vendor");
    let manifest: Vec<Value> =
        serde_json::from_slice(&fs::read(vendor.join("manifest.json")).unwrap()).unwrap();
    let mut named = BTreeSet::new();
    for row in &manifest {
        for member in ["package", "version", "licence", "path"] {
            assert!(!row[member].as_str().unwrap().is_empty(), "{row}");
        }
        let file = row["file"].as_str().unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, &fs::read(vendor.join(file)).unwrap());
        let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(row["sha256"], hex, "{file}");
        named.insert(file.to_owned());
    }
    let there: BTreeSet<String> = sources(&["mjs"])
        .into_keys()
        .filter_map(|name| name.strip_prefix("vendor/").map(str::to_owned))
        .collect();
    assert_eq!(named, there);
}

#[test]
fn every_language_has_the_same_words() {
    let keys = |code: &str| {
        let text = fs::read_to_string(web().join(format!("words/{code}.js"))).unwrap();
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix('\''));
        let words: BTreeMap<String, String> = lines
            .map(|line| {
                let (key, word) = line.split_once("': '").unwrap();
                (key.to_owned(), word.trim_end_matches("',").to_owned())
            })
            .collect();
        words
    };
    let (english, portuguese) = (keys("en"), keys("pt"));
    assert!(english.len() > 200);
    assert_eq!(english.keys().collect::<Vec<_>>(), portuguese.keys().collect::<Vec<_>>());
    let gaps = |word: &str| {
        let mut gaps: Vec<String> =
            word.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(str::to_owned).collect();
        gaps.sort();
        gaps
    };
    for (key, word) in &english {
        assert!(!word.is_empty() && !portuguese[key].is_empty(), "{key}");
        assert_eq!(gaps(word), gaps(&portuguese[key]), "{key}");
    }
    let asked: BTreeSet<String> = own()
        .iter()
        .filter(|(name, _)| !name.starts_with("words"))
        .flat_map(|(_, text)| quoted_behind(text, "t('").into_iter().map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| word.contains('.') && word.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c)))
        .collect();
    assert!(asked.len() > 100);
    for word in asked {
        assert!(english.contains_key(&word), "{word} has no text");
    }
}

#[test]
fn modules_import_only_what_is_there() {
    let names = ["preact", "preact/hooks", "htm", "@preact/signals"];
    for (name, text) in own() {
        let imported = quoted_behind(&text, " from '").into_iter().chain(quoted_behind(&text, "import('"));
        for module in imported.chain(quoted_behind(&text, "\nimport '")) {
            // Types are of the check alone, and languages are one of several.
            if module.ends_with(".d.ts") || names.contains(&module) {
                continue;
            }
            assert!(module.starts_with('.'), "{name} imports {module}");
            let path = web().join(&name).parent().unwrap().join(module);
            assert!(path.is_file(), "{name} imports {module}");
        }
    }
}

#[test]
fn nothing_makes_markup_or_code_of_text_or_asks_elsewhere() {
    let forbidden = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "dangerouslySet",
        "eval(",
        "new Function",
        "srcdoc",
        "import('http",
        "fetch('http",
        "url(http",
    ];
    for (name, text) in own().into_iter().chain(sources(&["css"])) {
        for word in forbidden {
            assert!(!text.contains(word), "{name} has {word}");
        }
    }
}

fn packed(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(vec![], Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap().len()
}

#[tokio::test]
async fn the_page_names_what_it_needs_and_that_is_small() {
    let (status, headers, page) = answer(dashboard::page()).await;
    assert_eq!(status, 200);
    let page = String::from_utf8(page).unwrap();
    assert!(!page.contains("{{"));
    // The one inline script is allowed by what it is.
    let map = page.split("<script type=\"importmap\">").nth(1).unwrap().split("</script>").next().unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, map.as_bytes());
    let policy = &headers["content-security-policy"];
    assert!(policy.starts_with("default-src 'self'; "), "{policy}");
    assert!(policy.contains(&format!("'sha256-{}'", base64(digest.as_ref()))), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    let scripts = page.matches("<script").count() - page.matches("<script src=").count();
    assert_eq!(scripts, 2, "the map, and the module");
    for bad in [" style=", "<style", "http:", "https:"] {
        assert!(!page.contains(bad), "{bad}");
    }
    let mut first: BTreeSet<&str> = page.split('"').filter(|text| text.starts_with("/ui/")).collect();
    let version = first.iter().next().unwrap().split('/').nth(2).unwrap();
    let more = ["words/pt.js", "screens/overview.js", "screens/logs/histogram.js"];
    let more = more.map(|path| format!("/ui/{version}/{path}"));
    first.extend(more.iter().map(String::as_str));
    let mut sum = packed(page.as_bytes());
    for address in first {
        let (status, headers, bytes) = file(address, &[("accept-encoding", "gzip")]).await;
        assert_eq!((status, headers["content-encoding"].as_str()), (200, "gzip"), "{address}");
        sum += bytes.len();
    }
    assert!(sum <= FIRST_LOAD_MAX, "the first load is {sum} bytes");
}

#[tokio::test]
async fn files_come_in_both_forms_with_a_tag_and_only_of_this_version() {
    let (_, _, page) = answer(dashboard::page()).await;
    let page = String::from_utf8(page).unwrap();
    let address = page.split('"').find(|text| text.ends_with("/app.js")).unwrap();
    let (status, plain_headers, plain) = file(address, &[]).await;
    assert_eq!(status, 200);
    assert_eq!(plain, fs::read(web().join("app.js")).unwrap());
    assert_eq!(plain_headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(plain_headers["content-type"], "text/javascript; charset=utf-8");
    assert!(!plain_headers.contains_key("content-encoding"));
    let (_, headers, bytes) = file(address, &[("accept-encoding", "br;q=1, gzip;q=0.5")]).await;
    let mut unpacked = vec![];
    GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
    assert_ne!(headers["etag"], plain_headers["etag"]);
    for refused in ["gzip;q=0", "br", "identity", "gzip;q=banana"] {
        let (_, headers, _) = file(address, &[("accept-encoding", refused)]).await;
        assert!(!headers.contains_key("content-encoding"), "{refused}");
    }
    let (status, _, bytes) = file(address, &[("if-none-match", &plain_headers["etag"])]).await;
    assert_eq!((status, bytes.len()), (304, 0));
    for path in
        ["/ui/0000000000000000/app.js", &format!("{address}x"), &address.replace("app.js", "index.html")]
    {
        assert_eq!(file(path, &[]).await.0, 404, "{path}");
    }
}

type Answer = (u16, BTreeMap<String, String>, Vec<u8>);

async fn answer(response: axum::response::Response) -> Answer {
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    (parts.status.as_u16(), headers, axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

async fn file(address: &str, headers: &[(&str, &str)]) -> Answer {
    let (version, path) = address.strip_prefix("/ui/").unwrap().split_once('/').unwrap();
    let mut map = axum::http::HeaderMap::new();
    for (name, value) in headers {
        map.insert(axum::http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    match dashboard::file(version, path, &map) {
        Some(response) => answer(response).await,
        None => (404, BTreeMap::new(), vec![]),
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
