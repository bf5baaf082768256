//! The logs of this machine: files of syslog, or the journal of systemd where those are not there; and changes of who
//! may do what on it.

use std::{fs::File, path::Path};

use super::build::Build;

/// Files of syslog, on Debian and Ubuntu and on Red Hat's kin.
const FILES: [&str; 4] = ["auth.log", "syslog", "secure", "messages"];
/// Those of them in which sign-ins stand.
const SIGN_INS: [&str; 2] = ["auth.log", "secure"];

/// What of this machine's logs is read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Files.
    pub(crate) files: Vec<String>,
    /// Whether the journal of systemd is read. It holds what the files hold: both would count everything twice.
    pub(crate) journal: bool,
}

/// Looks below a folder of logs.
pub(crate) fn found(dir: &Path) -> Found {
    let mut found = Found { files: vec![], journal: true };
    for name in FILES {
        let path = dir.join(name);
        match File::open(&path) {
            Ok(_) => {
                found.files.push(path.display().to_string());
                found.journal &= !SIGN_INS.contains(&name);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a log of this machine cannot be read; run as root, or as a user of the group adm");
            }
        }
    }
    if found.journal {
        // What the journal holds stands in the other files too.
        found.files.clear();
    }
    found
}

/// Tells of changes of accounts, keys and schedules until the program stops.
pub(super) fn watch(build: &Build<'_>, door: &intake::Door) {
    let config = build.settings.intake.watched.clone();
    let health = build.health.component("system");
    build.front.spawn("system", intake::system::watch(config, door.clone(), health, build.front.stop()));
}

/// Reads the journal of systemd until the program stops.
pub(super) fn read_journal(build: &Build<'_>, door: &intake::Door) {
    let program = build.settings.intake.journalctl.clone();
    let health = build.health.component("journald");
    build.front.spawn("journald", intake::journald::read(program, door.clone(), health, build.front.stop()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_sign_ins_stand_for_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(found(dir.path()), Found { files: vec![], journal: true });
        std::fs::write(dir.path().join("syslog"), "").unwrap();
        assert_eq!(found(dir.path()), Found { files: vec![], journal: true });
        std::fs::write(dir.path().join("auth.log"), "").unwrap();
        let both = found(dir.path());
        assert!(!both.journal && both.files.len() == 2, "{both:?}");
        assert!(both.files[0].ends_with("auth.log"));
    }
}
