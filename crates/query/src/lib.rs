//! The query language: one text, one tree, the same answers on every index.
//!
//! | written | finds |
//! |---|---|
//! | nothing, or `*` | every event |
//! | `timeout` | events whose `message` has this token, whatever its case |
//! | `"connection refused"`, `10.0.0.1`, `foo-bar` | these tokens in `message`, one behind the other |
//! | `time*`, `*out`, `t?meout` | a token that fits; `*` is any number of characters, `?` exactly one |
//! | `user.name:root`, `user.name:"John Doe"` | events whose field has this value |
//! | `user.name:adm*` | a value that fits as a whole |
//! | `user.name:~"^adm[0-9]+$"` | a value in which a regular expression is found |
//! | `user.name:*` | events that have the field |
//! | `user.name:(root OR admin)` | either value; AND, NOT, ranges and nesting work within too |
//! | `http.response.status_code:[400 TO 499]`, `{400 TO *}` | a range: `[ ]` with its ends, `{ }` without, `*` open |
//! | `source.port:>=1024` | also `>`, `<=` and `<` |
//! | `level:>=warn` | levels by their severity |
//! | `@timestamp:>now-15m`, `timestamp:2024-06-01` | times, as [`time`] reads them; a day is the whole day |
//! | `source.ip:10.0.0.0/8`, `source.ip:192.168.*` | addresses within a network |
//! | `a b`, `a AND b`, `a && b` | both |
//! | <code>a OR b</code>, <code>a \|\| b</code> | either |
//! | `NOT a`, `!a`, `-a` | events without it |
//! | `(a OR b) c` | parentheses; else NOT binds tightest, then AND, then OR |
//! | `\*`, `"a \" b"` | a backslash takes the meaning from the next character, unless that is a letter or digit |
//! | `"user name":root` | a field name with signs in it |
//!
//! **Tokens** are maximal runs of Unicode letters, digits and `_`, lower-cased character by
//! character; everything else separates. Full-width letters and digits are those of ASCII, a final sigma is
//! a sigma, and accents are found composed and decomposed. A sentence of a script without blanks between words is one token,
//! and its words are found anywhere in it. Words and phrases search `message` alone. Within quotes
//! only the backslash has a meaning. A word without any token, such as `---`, is an error. `AND`,
//! `OR`, `NOT` and `TO` are operators in upper case only.
//!
//! **Field names** are full ECS paths. `level`, `source`, `host` and `timestamp` alone mean
//! `log.level`, `service.name`, `host.name` and `@timestamp`; a name that is no field of ECS is that of
//! a label: `request_id:7` is `labels.request_id:7`, and so is `client.ip:unknown` one of a label, for
//! it holds what does not fit into the field. A word is `field:value` when letters stand before its
//! first colon (`12:30`, `http://…` and `C:\…` are text, and so is `--all`).
//!
//! **Values** are compared by what their field holds ([`FieldKind`](event::FieldKind)):
//!
//! | kind | fields | equality | `*` and `?` | ranges |
//! |---|---|---|---|---|
//! | text | `message` | by tokens | within a token | refused |
//! | keyword | all others | exact, by text; numbers and booleans by their JSON | the whole value | by code points |
//! | enumeration | `log.level`, `event.outcome`, `event.category`, `event.kind`, `event.type`, `sentinel.anomaly.state`, `http.request.method`, `log.flags`, … | ignores case; `level:warning` finds `warn`, and what is no level is refused | ignores case | `log.level` by severity, others refused |
//! | label | `labels.*` | as keyword, whatever the type was | the whole value | refused |
//! | long, double | ports, sizes, codes, `sentinel.anomaly.score`, … | by number: `5` is `5.0` | refused | by number |
//! | boolean | `sentinel.anomaly.is_anomaly`, … | `true` or `false` | refused | refused |
//! | date | `@timestamp`, `event.created`, … | an instant, or within a day, month, … | refused | by time, to the nanosecond |
//! | ip | `source.ip`, `host.ip`, … | an address or network | whole parts at the end | by address, IPv4 mapped into IPv6 |
//!
//! A list passes when any of its elements does. Null, an empty list, and objects within lists are no
//! value: they pass no test, not even `field:*`. What the objects in a list have is found by its name behind that of
//! the list: `items.id:7`. `NOT` finds events that lack the field, too.
//! `event.original` is not searched.
//!
//! **Limits**: a query has at most [`LENGTH_MAX`] bytes, [`CLAUSES_MAX`] terms, [`EXPRESSIONS_MAX`] regular
//! expressions and [`DEPTH_MAX`] levels of nesting.
//!
//! This crate must never know where events are kept or who asks: whoever holds an event, its template and its
//! verdict can ask [`Query::matches`] of them.

mod clock;
mod display;
mod expression;
mod field;
mod hints;
mod matches;
mod parse;
mod script;
#[cfg(test)]
mod tests;
mod text;
mod texts;
mod time;
mod tree;
mod typed;
mod words;

pub use clock::{Clock, InvalidZone, zone};
pub use expression::Expression;
pub use field::{names, paths, resolve};
pub use hints::hints;
pub use matches::{EXACT_MAX, Scalar, address_number, below, members, rest, scalars, value_at};
pub use parse::{CLAUSES_MAX, DEPTH_MAX, EXPRESSIONS_MAX, LENGTH_MAX, QueryError};
pub use text::{RawTokens, is_token_char, lower, lowered, raw_tokens, tokens};
pub use texts::Texts;
pub use time::{InvalidTime, time};
pub use tree::{Bound, Phrase, Query, Test, TokenPattern, Wildcard, WildcardPart};
