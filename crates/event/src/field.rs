//! Names of the fields that this product gives a meaning to: ECS, and `sentinel.*` for its own.

/// The event's own id, beside the fields of its document.
pub const ID: &str = "_id";
/// When the event happened.
pub const TIMESTAMP: &str = "@timestamp";
/// When it was received.
pub const CREATED: &str = "event.created";
/// The line it was parsed from.
pub const ORIGINAL: &str = "event.original";
/// The normalised level.
pub const LEVEL: &str = "log.level";
/// The text.
pub const MESSAGE: &str = "message";
/// The program or service that logged it.
pub const SERVICE_NAME: &str = "service.name";
/// The machine it was logged on.
pub const HOST_NAME: &str = "host.name";
/// The file it was read from.
pub const FILE_PATH: &str = "log.file.path";
/// Whose events these are, where several customers share a service: that of the key or agent that sent them.
pub const ORGANIZATION: &str = "organization.name";
/// What befell the line on its way in: a list of [`INVALID_UTF8`], [`TRUNCATED`], [`TIMESTAMP_REPLACED`],
/// [`FUTURE`], [`UTF16`], [`WINDOWS_1252`], [`ANSI`], [`REST`], [`INCOMPLETE`].
pub const FLAGS: &str = "log.flags";
/// Prefix of everything ECS does not know.
pub const LABELS: &str = "labels.";
/// Content-derived id of the template.
pub const TEMPLATE_ID: &str = "sentinel.template.id";
/// Readable text of the template.
pub const TEMPLATE_TEXT: &str = "sentinel.template.text";
/// How strange the event is, 0 to 1.
pub const ANOMALY_SCORE: &str = "sentinel.anomaly.score";
/// Whether the score is past the model's threshold.
pub const ANOMALY_IS_ANOMALY: &str = "sentinel.anomaly.is_anomaly";
/// What drove the score, in words.
pub const ANOMALY_REASONS: &str = "sentinel.anomaly.reasons";
/// `scored`, `warming-up` or `unscored`.
pub const ANOMALY_STATE: &str = "sentinel.anomaly.state";

/// Flag of a line with bytes that are no text, for which U+FFFD stands; [`ORIGINAL_BASE64`] has them.
pub const INVALID_UTF8: &str = "invalid_utf8";
/// Flag of a line that was cut at the line limit.
pub const TRUNCATED: &str = "truncated";
/// Flag of an event whose time stamp was unusable; the original stands in `labels.timestamp`.
pub const TIMESTAMP_REPLACED: &str = "timestamp_replaced";

/// Flag of an event whose time stamp lay more than [`crate::FUTURE_AFTER`] after its receipt.
pub const FUTURE: &str = "future";

/// Flag of a line that was decoded from UTF-16.
pub const UTF16: &str = "utf16";

/// Flag of a line that was decoded from Windows-1252, which holds Latin-1: its text encoded so gives back the bytes.
pub const WINDOWS_1252: &str = "windows_1252";

/// Flag of a line whose escape sequences (colours) are in `event.original` only.
pub const ANSI: &str = "ansi";

/// Flag of the rest of an event of several lines that was longer than may be joined.
pub const REST: &str = "rest";
/// Flag of a line whose end is missing, for its file is damaged there.
pub const INCOMPLETE: &str = "incomplete";

/// The bytes of a line that holds [`INVALID_UTF8`], in Base64.
pub const ORIGINAL_BASE64: &str = "labels.original_base64";
