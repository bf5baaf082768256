//! Which files are watched.

use std::path::Path;

use super::{
    items,
    kind::Kind,
    listed::{Listed, read},
    starts,
};

pub(super) const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
const SUDOERS: &str = "/etc/sudoers";
/// Tables of cron in the system's own form.
const TABLES: [&str; 2] = ["/etc/crontab", "/etc/anacrontab"];
/// Folders of such tables, of those of users, and of whole scripts.
const TABLE_DIRS: [&str; 4] =
    ["/etc/cron.d", "/var/spool/cron", "/var/spool/cron/crontabs", "/var/spool/cron/tabs"];
const SCRIPT_DIRS: [&str; 5] =
    ["/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly", "/etc/cron.yearly"];
/// Files of keys in a home.
const KEYS: [&str; 2] = [".ssh/authorized_keys", ".ssh/authorized_keys2"];

/// Whether a machine always has this file, and something in it: it may only be that it cannot be read just now.
pub(super) fn is_never_gone(path: &str) -> bool {
    [PASSWD, GROUP].contains(&path)
}

/// What stands in a file of this path that is gone.
pub(super) fn kind_of(path: &str) -> Kind {
    let is_below = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(&format!("{folder}/")));
    match path {
        PASSWD => Kind::Passwd,
        GROUP => Kind::Group,
        _ if path.starts_with(SUDOERS) => Kind::Sudoers,
        _ if TABLES.contains(&path) || is_below(&TABLE_DIRS) => Kind::Table,
        _ if is_below(&SCRIPT_DIRS) => Kind::Script,
        // Whose keys they were stands in the path, as a rule.
        _ => starts::kind_of(path)
            .unwrap_or_else(|| Kind::Keys { user: path.rsplit('/').nth(2).unwrap_or_default().to_owned() }),
    }
}

/// Looks at what is there below a root.
pub(super) fn all(root: &Path) -> Listed {
    let mut listed = Listed::default();
    for (path, kind) in [(PASSWD, Kind::Passwd), (GROUP, Kind::Group), (SUDOERS, Kind::Sudoers)] {
        listed.add(root, path, kind);
    }
    listed.folder(root, "/etc/sudoers.d", &Kind::Sudoers);
    for path in TABLES {
        listed.add(root, path, Kind::Table);
    }
    for (folders, kind) in [(&TABLE_DIRS[..], Kind::Table), (&SCRIPT_DIRS, Kind::Script)] {
        folders.iter().for_each(|folder| listed.folder(root, folder, &kind));
    }
    starts::list(&mut listed, root);
    if let Ok(Some((_, passwd))) = read(root, PASSWD) {
        for (user, home) in items::homes(&passwd) {
            for name in KEYS {
                let path = format!("{}/{name}", home.trim_end_matches('/'));
                listed.add(root, &path, Kind::Keys { user: user.to_owned() });
            }
            starts::list_of_user(&mut listed, root, home.trim_end_matches('/'));
        }
    }
    listed
}
