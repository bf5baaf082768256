//! What is not yet as it shall be. The list only shrinks.

/// Circles of files that still stand. A file in a circle that is not listed here fails the
/// test, and so does a circle that is listed and gone.
pub(crate) const CIRCLES: &[(&str, &[&str])] = &[
    ("parse", &["body.rs", "framing.rs", "list.rs"]),
    (
        "parse",
        &[
            "container.rs",
            "continuation.rs",
            "envelope.rs",
            "formats/mod.rs",
            "formats/vendor.rs",
            "joining.rs",
            "json.rs",
            "line.rs",
            "logfmt.rs",
            "record/http.rs",
            "record/mod.rs",
            "syslog.rs",
        ],
    ),
];
