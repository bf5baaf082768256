//! Names of what a finding may know beside entities, times and counts. Values are numbers, texts of at most
//! [`TEXT_BYTES_MAX`], yes or no, or lists of at most [`LIST_MAX`] such texts.
//!
//! What is the same as a field of ECS has its name. Lists hold what was met first; how many there were is a fact of
//! its own where it is known. All of it is text of others, never to be taken for anything but data.

use serde_json::Value;

/// Longer texts are cut.
pub const TEXT_BYTES_MAX: usize = 256;
/// More are left out.
pub const LIST_MAX: usize = 10;

/// Whether it came to what was tried: somebody got in, a request was answered. Yes or no; left out where the log does
/// not say.
pub const SUCCEEDED: &str = "succeeded";
/// When somebody got in, as RFC 3339.
pub const LOGIN_AT: &str = "login.at";
/// As whom.
pub const LOGIN_USER: &str = "login.user";
/// Failed logins before that.
pub const FAILURES: &str = "login.failures";
/// A list: users that were tried.
pub const USERS: &str = "users";
/// How many different ones at least.
pub const USERS_TOTAL: &str = "users.total";
/// A list: addresses that took part.
pub const ADDRESSES: &str = "addresses";
/// How many different ones at least.
pub const ADDRESSES_TOTAL: &str = "addresses.total";
/// A list: networks from which a user came before.
pub const USUAL_NETWORKS: &str = "usual.networks";
/// A list: hours of the day in UTC at which a user comes, such as `08-17`, the last one included.
pub const USUAL_HOURS: &str = "usual.hours";
/// How many earlier logins say what is usual.
pub const USUAL_LOGINS: &str = "usual.logins";
/// A list: rules by which one signal was found, where there are several.
pub const FOUND_BY: &str = "found_by";
/// How somebody became root: `sudo`, `su` or `login`.
pub const WAY: &str = "way";
/// A list: command lines that were run.
pub const COMMAND_LINES: &str = "process.command_line";
/// A list: numbers of processes.
pub const PROCESS_IDS: &str = "process.pid";
/// A list: BLAKE3 of the files that processes run.
pub const PROCESS_HASHES: &str = "process.hash.blake3";
/// A list: command lines of the processes that started them.
pub const PARENTS: &str = "process.parent.command_line";
/// A list: where processes listen, such as `tcp 0.0.0.0:80`.
pub const LISTENING: &str = "listening";
/// A list: files that were changed, or that processes run.
pub const FILES: &str = "file.path";
/// A list: what a file that was changed has run, and when.
pub const STARTED: &str = "started";
/// A list: accounts that were changed.
pub const ACCOUNTS: &str = "accounts";
/// A list: groups that were changed, or that somebody was put into.
pub const GROUPS: &str = "group.name";
/// A list: what was done to accounts or groups: `user` or `group`, and the word of ECS's `event.type`, such as
/// `user creation`.
pub const CHANGES: &str = "event.type";
/// A list: devices that failed.
pub const DEVICES: &str = "device";
/// A list: words by which an error was told from other messages.
pub const ERRORS: &str = "error";
/// Seconds: the longest pause of a source that is usual.
pub const USUAL_PAUSE: &str = "usual.pause_seconds";
/// A list: programs that a program usually starts.
pub const USUAL_PROGRAMS: &str = "usual.programs";
/// What is taken now: percent of a core, or MiB. At most it was [`USUAL_AMOUNT`] in [`USUAL_LOOKS`].
pub const TAKES: &str = "takes";
/// In how many looks that was seen.
pub const USUAL_LOOKS: &str = "usual.looks";
/// In how many starts that was seen.
pub const USUAL_STARTS: &str = "usual.starts";
/// Events, or errors, that were counted within [`WITHIN`].
pub const AMOUNT: &str = "amount";
/// What there was at most, or at least, within as long before.
pub const USUAL_AMOUNT: &str = "usual.amount";
/// Seconds.
pub const WITHIN: &str = "within_seconds";
/// A list: what was asked of a web server.
pub const PATHS: &str = "url.path";
/// A list: with which status it answered.
pub const STATUSES: &str = "http.response.status_code";
/// A list: what requests betray, by the names of signs such as `sql_injection`.
pub const SIGNS: &str = "signs";
/// What a rule is called.
pub const RULE_TITLE: &str = "rule.title";
/// What it says of itself.
pub const RULE_DESCRIPTION: &str = "rule.description";
/// A list: what else may look the same.
pub const FALSE_POSITIVES: &str = "rule.false_positives";
/// How strange, from 0 to 1.
pub const SCORE: &str = "score";
/// A list: why something is strange.
pub const REASONS: &str = "reasons";
/// What kind of thing a signal of others is, as its sender calls it.
pub const ALERT_TYPE: &str = "alert_type";
/// What its sender says of it.
pub const DESCRIPTION: &str = "description";
/// What was measured, with [`THRESHOLD`] beside it.
pub const VALUE: &str = "value";
/// Above it, something is told.
pub const THRESHOLD: &str = "threshold";
/// What is least, and most, at this hour of the week, where the threshold follows from that.
pub const USUAL_LEAST: &str = "usual.least";
/// See [`USUAL_LEAST`].
pub const USUAL_MOST: &str = "usual.most";
/// How many earlier weeks say so.
pub const USUAL_WEEKS: &str = "usual.weeks";
/// What of a host was measured: a file system, an interface and its direction.
pub const MEASURED_AT: &str = "measured_at";
/// A list: the processes that used most when it was told first, each with what it used.
pub const TOP_PROCESSES: &str = "top_processes";
/// When somebody or something was last heard of, as RFC 3339.
pub const LAST_SEEN: &str = "last_seen";

/// Adds a text to a list, if it is not there and the list is not full.
pub fn add(list: &mut Vec<String>, text: &str) {
    let text = cut(text);
    if !text.is_empty() && list.len() < LIST_MAX && !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

/// A text as a fact.
pub fn text(text: &str) -> Value {
    Value::from(cut(text))
}

/// Texts as a fact: each once.
pub fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> Value {
    let mut list = Vec::new();
    for text in texts {
        add(&mut list, text);
    }
    Value::from(list)
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_lists_stay_within_their_bounds() {
        assert_eq!(text(&"é".repeat(TEXT_BYTES_MAX)), Value::from("é".repeat(TEXT_BYTES_MAX / 2)));
        assert_eq!(list(["a", "", "b", "a"]), serde_json::json!(["a", "b"]));
        let many: Vec<String> = (0..3 * LIST_MAX).map(|number| number.to_string()).collect();
        assert_eq!(list(many.iter().map(String::as_str)).as_array().map(Vec::len), Some(LIST_MAX));
    }
}
