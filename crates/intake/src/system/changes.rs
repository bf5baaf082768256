//! What changed in a file, and the events that tell of it.

use std::collections::BTreeMap;

use event::{Event, Severity, Timestamp, Value};

use super::{items::Item, kind::Kind};

/// The program that such events name as theirs.
const PROVIDER: &str = "system_watch";

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Done {
    Added,
    Changed,
    Removed,
}

/// An item that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    done: Done,
    key: String,
    item: Option<Item>,
}

/// The file that something changed in.
pub(super) struct About<'a> {
    pub(super) path: &'a str,
    pub(super) kind: &'a Kind,
    /// Whose file it is now.
    pub(super) owner: Option<String>,
    pub(super) modified: Option<Timestamp>,
}

/// A change, as it is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) path: String,
    message: String,
    is_grave: bool,
    fields: Vec<(&'static str, Value<'static>)>,
}

/// What differs; all of it, where the file was not there.
pub(super) fn between(
    before: Option<&BTreeMap<String, u64>>,
    now: &BTreeMap<String, Item>,
) -> Vec<Difference> {
    let mut found = vec![];
    for (key, item) in now {
        let done = match before.and_then(|before| before.get(key)) {
            Some(hash) if *hash == item.hash => continue,
            Some(_) => Done::Changed,
            None => Done::Added,
        };
        found.push(Difference { done, key: key.clone(), item: Some(item.clone()) });
    }
    let gone = before.into_iter().flatten().filter(|(key, _)| !now.contains_key(*key));
    found.extend(gone.map(|(key, _)| Difference { done: Done::Removed, key: key.clone(), item: None }));
    found
}

/// Tells of differences of a file, at most so many one by one.
pub(super) fn told(about: &About<'_>, mut found: Vec<Difference>, most: usize) -> Vec<Change> {
    found.sort_by_key(|difference| difference.done);
    // Lines that went are not known any more: their number is all there is to tell.
    let is_of_lines = matches!(about.kind, Kind::Sudoers | Kind::Table | Kind::Keys { .. } | Kind::Preload);
    let removed = found.iter().filter(|difference| is_of_lines && difference.done == Done::Removed).count();
    found.retain(|difference| !is_of_lines || difference.done != Done::Removed);
    let more = found.len().saturating_sub(most);
    found.truncate(most);
    let mut changes: Vec<_> = found.iter().map(|difference| change(about, difference)).collect();
    if removed > 0 {
        changes.push(lines_removed(about, removed));
    }
    if more > 0 {
        let text = format!("{more} more changes of {}", about.path);
        changes.push(about.told(text, &["configuration"], &["change"], "more_changes"));
    }
    changes
}

fn change(about: &About<'_>, difference: &Difference) -> Change {
    let shown = difference.item.as_ref().map_or("", |item| item.shown.as_str());
    let path = about.path;
    match about.kind {
        Kind::Passwd => user(about, difference, shown),
        Kind::Group => group(about, difference, shown),
        Kind::Sudoers => {
            let text = format!("a line was added to {path}: {shown}");
            about.told(text, &["configuration"], &["change"], "sudoers_changed").grave()
        }
        Kind::Table => {
            let text = format!("a line was added to {path}: {shown}");
            let line = ("process.command_line", Value::from(shown.to_owned()));
            about.told(text, &["configuration"], &["change"], "cron_changed").with(line)
        }
        Kind::Script => {
            let done = match difference.done {
                Done::Added => "added",
                Done::Changed => "changed",
                Done::Removed => "removed",
            };
            about.told(format!("{path} was {done}"), &["configuration"], &["change"], "cron_changed")
        }
        Kind::Unit => starts(about, difference.done, &format!("the unit {path}"), shown),
        Kind::AtStart => starts(about, difference.done, path, shown),
        Kind::Preload => {
            let text = format!("a library for every program was added to {path}: {shown}");
            let library = ("process.command_line", Value::from(shown.to_owned()));
            about.told(text, &["configuration"], &["change"], "persistence_added").with(library).grave()
        }
        Kind::Keys { user } => {
            let (text, action) = match difference.done {
                Done::Added => {
                    (format!("an SSH key of {user} was added to {path}: {shown}"), "ssh_key_added")
                }
                _ => (format!("an SSH key of {user} was changed in {path}: {shown}"), "ssh_key_changed"),
            };
            let user = ("user.name", Value::from(user.clone()));
            about.told(text, &["configuration"], &["change"], action).with(user).grave()
        }
    }
}

/// A whole file of what starts by itself.
fn starts(about: &About<'_>, done: Done, called: &str, shown: &str) -> Change {
    let (done, action) = match done {
        Done::Added => ("added", "persistence_added"),
        Done::Changed => ("changed", "persistence_changed"),
        Done::Removed => ("removed", "persistence_removed"),
    };
    let runs = if shown.is_empty() { String::new() } else { format!(": {shown}") };
    let text = format!("{called} was {done}{runs}");
    let change = about.told(text, &["configuration"], &["change"], action);
    if shown.is_empty() {
        return change;
    }
    change.with(("process.command_line", Value::from(shown.to_owned())))
}

fn user(about: &About<'_>, difference: &Difference, shown: &str) -> Change {
    let name = &difference.key;
    let (text, r#type, action) = match difference.done {
        Done::Added => (format!("user {name} was added: {shown}"), "creation", "user_added"),
        Done::Changed => (format!("user {name} was changed: now {shown}"), "change", "user_changed"),
        Done::Removed => (format!("user {name} was removed"), "deletion", "user_removed"),
    };
    let id = difference.item.as_ref().and_then(|item| item.number);
    let mut change = about.told(text, &["iam"], &["user", r#type], action);
    change = change.with(("user.name", Value::from(name.clone())));
    match id {
        Some(id) => change.with(("user.id", Value::from(id.to_string()))),
        None => change,
    }
}

fn group(about: &About<'_>, difference: &Difference, shown: &str) -> Change {
    let (name, member) = match difference.key.split_once('/') {
        Some((name, member)) => (name, Some(member)),
        None => (difference.key.as_str(), None),
    };
    let (text, r#type, action) = match (difference.done, member) {
        (Done::Removed, Some(member)) => {
            (format!("deleted {member} from group {name}"), "change", "group_member_removed")
        }
        (_, Some(member)) => (format!("added {member} to group {name}"), "change", "group_member_added"),
        (Done::Added, None) => (format!("group {name} was added: {shown}"), "creation", "group_added"),
        (Done::Changed, None) => {
            (format!("group {name} was changed: now {shown}"), "change", "group_changed")
        }
        (Done::Removed, None) => (format!("group {name} was removed"), "deletion", "group_removed"),
    };
    let change = about.told(text, &["iam"], &["group", r#type], action);
    let change = change.with(("group.name", Value::from(name.to_owned())));
    match member {
        Some(member) => change.with(("user.name", Value::from(member.to_owned()))),
        None => change,
    }
}

fn lines_removed(about: &About<'_>, count: usize) -> Change {
    let path = about.path;
    let (what, action) = match about.kind {
        Kind::Keys { .. } => ("key", "ssh_key_removed"),
        Kind::Sudoers => ("line", "sudoers_changed"),
        Kind::Preload => ("line", "persistence_removed"),
        _ => ("line", "cron_changed"),
    };
    let many = if count == 1 { format!("1 {what} was") } else { format!("{count} {what}s were") };
    about.told(format!("{many} removed from {path}"), &["configuration"], &["change"], action)
}

impl About<'_> {
    fn told(&self, message: String, category: &[&str], r#type: &[&str], action: &'static str) -> Change {
        let list = |words: &[&str]| Value::Json(serde_json::json!(words).to_string().into());
        let mut fields = vec![
            ("event.provider", Value::from(PROVIDER)),
            ("event.category", list(category)),
            ("event.type", list(r#type)),
            ("event.action", Value::from(action)),
            ("file.path", Value::from(self.path.to_owned())),
        ];
        fields.extend(self.owner.clone().map(|owner| ("file.owner", Value::from(owner))));
        fields.extend(self.modified.map(|at| ("file.mtime", Value::from(at.to_string()))));
        Change { path: self.path.to_owned(), message, is_grave: false, fields }
    }
}

impl Change {
    fn with(mut self, field: (&'static str, Value<'static>)) -> Self {
        self.fields.push(field);
        self
    }

    fn grave(self) -> Self {
        Self { is_grave: true, ..self }
    }

    /// The event that tells of it.
    pub(super) fn event(&self, received: Timestamp, host: Option<&str>) -> Event<'_> {
        let mut event = Event::new(self.message.as_str(), received);
        event.severity = if self.is_grave { Severity::Warn } else { Severity::Info };
        event.source = Some(PROVIDER.into());
        event.host = host.map(|host| host.to_owned().into());
        for (path, value) in &self.fields {
            event.set(*path, value.clone());
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::items;

    fn messages(kind: &Kind, before: Option<&str>, now: &str) -> Vec<(String, String)> {
        let hashes = |text: &str| -> BTreeMap<String, u64> {
            items::of(kind, text).into_iter().map(|(key, item)| (key, item.hash)).collect()
        };
        let about = About { path: "/f", kind, owner: Some("root".to_owned()), modified: None };
        let found = between(before.map(hashes).as_ref(), &items::of(kind, now));
        let action = |change: &Change| {
            let action = change.fields.iter().find(|(path, _)| *path == "event.action");
            action.and_then(|(_, value)| value.as_str()).unwrap_or_default().to_owned()
        };
        told(&about, found, 3).iter().map(|change| (action(change), change.message.clone())).collect()
    }

    #[test]
    fn each_kind_of_change_is_told() {
        let own = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(action, text)| ((*action).to_owned(), (*text).to_owned())).collect()
        };
        let before = "ann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n";
        let now = "ann:x:0:1000::/home/ann:/bin/sh\neve:x:1002:1002::/home/eve:/bin/sh\n";
        assert_eq!(
            messages(&Kind::Passwd, Some(before), now),
            own(&[
                ("user_added", "user eve was added: id 1002, group 1002, home /home/eve, shell /bin/sh"),
                ("user_changed", "user ann was changed: now id 0, group 1000, home /home/ann, shell /bin/sh"),
                ("user_removed", "user bob was removed"),
            ])
        );
        assert_eq!(
            messages(&Kind::Group, Some("sudo:x:27:bob\n"), "sudo:x:27:ann\nnew:x:9:\n"),
            own(&[
                ("group_added", "group new was added: id 9"),
                ("group_member_added", "added ann to group sudo"),
                ("group_member_removed", "deleted bob from group sudo"),
            ])
        );
        assert_eq!(
            messages(&Kind::Sudoers, Some("a ALL\nb ALL\nc ALL\n"), "a ALL\nd ALL\n"),
            own(&[
                ("sudoers_changed", "a line was added to /f: d ALL"),
                ("sudoers_changed", "2 lines were removed from /f"),
            ])
        );
        let keys = Kind::Keys { user: "ann".to_owned() };
        assert_eq!(
            messages(&keys, Some("ssh-rsa AAAA x\nssh-rsa BBBB y\n"), "no-pty ssh-rsa AAAA x\n"),
            own(&[
                ("ssh_key_changed", "an SSH key of ann was changed in /f: ssh-rsa, x with no-pty"),
                ("ssh_key_removed", "1 key was removed from /f"),
            ])
        );
        assert_eq!(messages(&Kind::Script, Some("a"), "b"), own(&[("cron_changed", "/f was changed")]));
        assert_eq!(messages(&Kind::Script, None, "b"), own(&[("cron_changed", "/f was added")]));
        assert_eq!(
            messages(&Kind::Unit, Some("ExecStart=/a"), "ExecStart=/b"),
            own(&[("persistence_changed", "the unit /f was changed: /b")])
        );
        assert_eq!(messages(&Kind::AtStart, None, "b"), own(&[("persistence_added", "/f was added")]));
        assert_eq!(
            messages(&Kind::Preload, Some("/a.so"), "/b.so"),
            own(&[
                ("persistence_added", "a library for every program was added to /f: /b.so"),
                ("persistence_removed", "1 line was removed from /f"),
            ])
        );
        let many =
            messages(&Kind::Table, None, "1 * * * * a b\n2 * * * * a b\n3 * * * * a b\n4 * * * * a b\n");
        assert_eq!((many.len(), many[3].1.as_str()), (4, "1 more changes of /f"));
    }
}
