//! What starts by itself, by the file that says so: units of systemd, libraries that every program loads, scripts of boots and
//! logins. Schedules of cron and keys have kinds of their own.

use crate::{FindingKind, Level, declaration::Declaration};

const UNIT: Declaration =
    Declaration::once("unit_added", FindingKind::PersistenceAdded, Level::Medium, "T1543.002");
const UNIT_OF_PACKAGE: Declaration =
    Declaration::once("unit_installed", FindingKind::PersistenceAdded, Level::Informational, "T1543.002");
const PRELOAD: Declaration =
    Declaration::once("preload_added", FindingKind::PersistenceAdded, Level::High, "T1574.006");
const LOCAL_SCRIPT: Declaration =
    Declaration::once("local_boot_script_added", FindingKind::PersistenceAdded, Level::Medium, "T1037.004");
const BOOT_SCRIPT: Declaration =
    Declaration::once("boot_script_added", FindingKind::PersistenceAdded, Level::Low, "T1037.004");
const LOGIN_SCRIPT: Declaration =
    Declaration::once("login_script_added", FindingKind::PersistenceAdded, Level::Low, "T1546.004");

/// What a file that was added or changed is; None where nothing starts by it.
pub(crate) fn of_file(path: &str) -> Option<&'static Declaration> {
    let is_below = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
    Some(match path {
        "/etc/ld.so.preload" => &PRELOAD,
        "/etc/rc.local" | "/etc/rc.d/rc.local" => &LOCAL_SCRIPT,
        "/etc/profile" | "/etc/bash.bashrc" => &LOGIN_SCRIPT,
        // What packages bring: told, and nothing to get up for.
        _ if is_below(&["/usr/lib/systemd/", "/lib/systemd/"]) => &UNIT_OF_PACKAGE,
        _ if is_below(&["/etc/systemd/", "/usr/local/lib/systemd/"]) => &UNIT,
        _ if path.contains("/.config/systemd/user/") => &UNIT,
        _ if is_below(&["/etc/init.d/"]) => &BOOT_SCRIPT,
        _ if is_below(&["/etc/profile.d/", "/etc/update-motd.d/"]) => &LOGIN_SCRIPT,
        _ => return None,
    })
}

/// The same of what a command or a record of audit names: only what packages and services leave alone.
pub(crate) fn of_named(path: &str) -> Option<&'static Declaration> {
    of_file(path).filter(|declaration| [&PRELOAD, &UNIT, &LOCAL_SCRIPT].contains(declaration))
}
