//! Access logs.

use crate::formats::Sample;

pub(super) const SAMPLES: &[Sample] = &[
    [
        "Apache, nginx, Traefik",
        "192.0.2.7 - ann [22/Oct/2026:23:59:01 +0200] \"GET /s?level=fatal HTTP/1.1\" 200 5 \"-\" \"probe/1.0\"",
        "2026-10-22T21:59:01Z",
        "info",
        "",
        "",
        "192.0.2.7 - ann [22/Oct/2026:23:59:01 +0200] \"GET /s?level=fatal HTTP/1.1\" 200 5 \"-\" \"probe/1.0\"",
    ],
    [
        "behind a proxy",
        "192.0.2.7, 10.0.0.1 - - [22/Oct/2026:21:59:01 +0000] \"GET / HTTP/1.1\" 404 5",
        "2026-10-22T21:59:01Z",
        "warn",
        "",
        "",
        "192.0.2.7, 10.0.0.1 - - [22/Oct/2026:21:59:01 +0000] \"GET / HTTP/1.1\" 404 5",
    ],
    [
        "AWS S3",
        "0123abcd bucket [22/Oct/2026:21:59:01 +0000] 192.0.2.3 - 3E57 REST.GET.OBJECT a.txt \"GET /a.txt HTTP/1.1\" 503 - 113",
        "2026-10-22T21:59:01Z",
        "error",
        "",
        "",
        "0123abcd bucket [22/Oct/2026:21:59:01 +0000] 192.0.2.3 - 3E57 REST.GET.OBJECT a.txt \"GET /a.txt HTTP/1.1\" 503 - 113",
    ],
    [
        "Envoy",
        "[2026-10-22T21:59:01.123Z] \"GET /x HTTP/1.1\" 503 UF 0 91 7 - \"192.0.2.7\" \"curl\"",
        "2026-10-22T21:59:01.123Z",
        "error",
        "",
        "",
        "\"GET /x HTTP/1.1\" 503 UF 0 91 7 - \"192.0.2.7\" \"curl\"",
    ],
    [
        "Django",
        "[22/Oct/2026 21:59:01] \"GET /admin/ HTTP/1.1\" 404 179",
        "2026-10-22T21:59:01Z",
        "warn",
        "",
        "",
        "\"GET /admin/ HTTP/1.1\" 404 179",
    ],
];
