//! Settings of questions in SQL.

use super::setting::{Setting, setting};

/// Those settings, in the order in which people meet them.
pub(super) const SQL: &[Setting] = &[
    setting(
        "LOG_SENTINEL_SQL_TIME_MAX",
        "5s",
        "How long a question in SQL, of people or of a rule, may be answered; reading the rows that it is about may take as long again.",
    ),
    setting(
        "LOG_SENTINEL_SQL_MEMORY_MAX",
        "256MiB",
        "By how much the process may grow while a question in SQL is answered.",
    ),
];
