//! Files of what starts by itself: units of systemd, libraries that every program loads, scripts of boots and logins.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use super::{
    kind::Kind,
    listed::{Listed, below},
};

/// Folders of units, those of packages last.
const UNIT_DIRS: [&str; 5] = [
    "/etc/systemd/system",
    "/etc/systemd/user",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// The same below a home.
const UNIT_DIR_OF_USER: &str = "/.config/systemd/user";
/// Units that start something.
const UNITS: [&str; 4] = [".service", ".timer", ".socket", ".path"];
/// Folders beside a unit: with parts of it, and with units that it has started.
const PARTS: &str = ".d";
const WANTED: [&str; 2] = [".wants", ".requires"];

const PRELOAD: &str = "/etc/ld.so.preload";
const FILES: [&str; 4] = ["/etc/rc.local", "/etc/rc.d/rc.local", "/etc/profile", "/etc/bash.bashrc"];
const FOLDERS: [&str; 3] = ["/etc/init.d", "/etc/profile.d", "/etc/update-motd.d"];

/// What stands in a file of this path; None where it is none of these.
pub(super) fn kind_of(path: &str) -> Option<Kind> {
    let is_below = |folder: &&str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    match path {
        PRELOAD => Some(Kind::Preload),
        _ if FILES.contains(&path) || FOLDERS.iter().any(is_below) => Some(Kind::AtStart),
        _ if UNIT_DIRS.iter().any(is_below) || path.contains(UNIT_DIR_OF_USER) => Some(Kind::Unit),
        _ => None,
    }
}

/// Those of the machine.
pub(super) fn list(listed: &mut Listed, root: &Path) {
    listed.add(root, PRELOAD, Kind::Preload);
    for path in FILES {
        listed.add(root, path, Kind::AtStart);
    }
    for folder in FOLDERS {
        listed.folder(root, folder, &Kind::AtStart);
    }
    // Where `/lib` is `/usr/lib`, its units are those that were listed.
    let is_one = fs::symlink_metadata(below(root, "/lib")).is_ok_and(|about| about.is_symlink());
    let folders = UNIT_DIRS.iter().filter(|folder| !(is_one && folder.starts_with("/lib/")));
    folders.for_each(|folder| units(listed, root, folder));
}

/// Those of a user.
pub(super) fn list_of_user(listed: &mut Listed, root: &Path, home: &str) {
    units(listed, root, &format!("{home}{UNIT_DIR_OF_USER}"));
}

fn units(listed: &mut Listed, root: &Path, folder: &str) {
    for name in listed.names(root, folder) {
        let path = format!("{folder}/{name}");
        if is_unit(&name) {
            unit(listed, root, &path);
        } else if name.ends_with(PARTS) {
            for part in listed.names(root, &path).iter().filter(|part| part.ends_with(".conf")) {
                listed.add(root, &format!("{path}/{part}"), Kind::Unit);
            }
        } else if WANTED.iter().any(|wanted| name.ends_with(wanted)) {
            for wanted in listed.names(root, &path).iter().filter(|wanted| is_unit(wanted)) {
                unit(listed, root, &format!("{path}/{wanted}"));
            }
        }
    }
}

fn is_unit(name: &str) -> bool {
    UNITS.iter().any(|ending| name.ends_with(ending))
}

/// A link to a unit in one of the folders is another name of what is listed there.
fn unit(listed: &mut Listed, root: &Path, path: &str) {
    let target = fs::read_link(below(root, path)).ok();
    let folder = target.and_then(|target| resolved(path, &target).parent().map(Path::to_owned));
    let is_other_name = folder.is_some_and(|folder| {
        UNIT_DIRS.iter().any(|units| folder == Path::new(units)) || folder.ends_with(&UNIT_DIR_OF_USER[1..])
    });
    if !is_other_name {
        listed.add(root, path, Kind::Unit);
    }
}

/// Where a link leads, by its text alone.
fn resolved(link: &str, target: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in Path::new(link).parent().unwrap_or(Path::new("/")).join(target).components() {
        match part {
            Component::ParentDir => drop(resolved.pop()),
            Component::CurDir => {}
            part => resolved.push(part),
        }
    }
    resolved
}
