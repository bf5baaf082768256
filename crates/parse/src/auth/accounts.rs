//! What the tools say by which accounts, groups and schedules are changed, and who has a session.

use event::Event;

use super::said;

/// Adds what the tools for accounts say: `new user: name=x, UID=1000, GID=1000, …`, `add 'ann' to group 'sudo'`,
/// `delete user 'ann'`.
pub(super) fn tool<'a>(event: &mut Event<'a>, message: &'a str) {
    let part = |name: &str| {
        let (_, value) = message.split_once(name)?;
        Some(value.split([',', ' ']).next().unwrap_or_default())
    };
    let quoted = |number: usize| message.split('\'').nth(2 * number + 1).unwrap_or_default();
    let mut words = message.split(' ');
    let types = match (words.next().unwrap_or_default(), words.next().unwrap_or_default()) {
        ("new", "user:") => {
            if let Some(name) = part("name=") {
                said::user(event, name);
            }
            if let Some(id) = part("UID=") {
                event.set("user.id", id);
            }
            "[\"user\",\"creation\"]"
        }
        ("new", "group:") => {
            if let Some(name) = part("name=") {
                event.set("group.name", name);
            }
            "[\"group\",\"creation\"]"
        }
        ("delete", "user") => {
            said::user(event, quoted(0));
            "[\"user\",\"deletion\"]"
        }
        ("removed", "group") => {
            event.set("group.name", quoted(0));
            "[\"group\",\"deletion\"]"
        }
        // `add 'ann' to group 'sudo'`, also to a shadow group; `delete 'ann' from group 'sudo'`.
        ("add" | "delete", name) if name.starts_with('\'') => {
            said::user(event, quoted(0));
            event.set("group.name", quoted(1));
            "[\"group\",\"change\"]"
        }
        // `change user 'ann' password`, `lock user 'ann' password`, `unlock user …`.
        ("change" | "lock" | "unlock", "user") => {
            said::user(event, quoted(0));
            "[\"user\",\"change\"]"
        }
        // gpasswd: `user ann added by root to group sudo`, `user ann removed by root from group sudo`.
        ("user", name) if message.contains(" by ") && message.contains(" group ") => {
            said::user(event, name);
            event.set("group.name", message.rsplit(' ').next().unwrap_or_default());
            "[\"group\",\"change\"]"
        }
        // `password for 'ann' changed by 'root'`.
        ("password", "for") => {
            said::user(event, quoted(0));
            "[\"user\",\"change\"]"
        }
        _ => return,
    };
    if let Some(id) = part("GID=") {
        event.set("group.id", id);
    }
    said::account(event, types);
}

/// Adds what systemd-logind says: `New session 7 of user ann.`
pub(super) fn logind<'a>(event: &mut Event<'a>, message: &'a str) {
    if let Some((_, user)) =
        message.strip_prefix("New session ").and_then(|rest| rest.split_once(" of user "))
    {
        said::user(event, user.trim_end_matches('.'));
        event.set("event.category", said::list("[\"session\"]"));
        event.set("event.type", said::list("[\"start\"]"));
    }
}

/// Adds what cron and crontab say: `(root) CMD (run-parts /etc/cron.hourly)`, `(ann) REPLACE (ann)`.
pub(super) fn cron<'a>(event: &mut Event<'a>, message: &'a str) {
    let Some((user, rest)) = message.strip_prefix('(').and_then(|rest| rest.split_once(") ")) else { return };
    let Some((what, inside)) = rest.split_once(" (") else { return };
    let inside = inside.strip_suffix(')').unwrap_or(inside);
    match what {
        "CMD" => {
            said::user(event, user);
            event.set("process.command_line", inside);
        }
        "REPLACE" | "DELETE" => {
            said::user(event, user);
            event.set("user.target.name", inside);
            event.set("event.category", said::list("[\"configuration\"]"));
            event.set("event.type", said::list("[\"change\"]"));
            event.set("event.action", "cron_changed");
        }
        _ => {}
    }
}
