//! Services of Windows, as its own program `sc.exe` tells of them.
//!
//! What it prints is translated, but not the order of the lines nor the numbers in them: name, (in lists) name for
//! people, type, state, exit code.

use std::path::{Path, PathBuf};

use crate::{
    reading::{Service, ServiceState},
    service::{Answer, FAILED_MAX, Services, called},
};

/// ERROR_SERVICE_DOES_NOT_EXIST, with which the program ends.
const NO_SUCH_SERVICE: &str = "1060";
/// Exit codes that are no failure: none, and ERROR_SERVICE_NEVER_STARTED.
const NO_FAILURE: [u64; 2] = [0, 1077];
/// Room for the list of all services.
const LIST_BYTES: &str = "262144";

/// Services as Windows has them, by this `sc.exe`.
pub(crate) fn services(program: PathBuf) -> Services {
    Services::new("the service control manager", program, tell)
}

/// Tells of these services, and of those that have stopped with a failure.
fn tell(program: &Path, mut names: Vec<String>, finds_failed: bool) -> Answer {
    if finds_failed {
        let list = ["query", "type=", "service", "state=", "inactive", "bufsize=", LIST_BYTES];
        let said = called(program, &list, &[], &[])?;
        let failed = parse(&said).into_iter().filter(|service| service.state == ServiceState::Failed);
        for service in failed.take(FAILED_MAX) {
            if !names.contains(&service.name) {
                names.push(service.name);
            }
        }
    }
    names.into_iter().map(|name| one(program, name)).collect()
}

fn one(program: &Path, name: String) -> Result<Service, String> {
    let said = match called(program, &["query"], std::slice::from_ref(&name), &[]) {
        Ok(said) => said,
        Err(reason) if reason.contains(NO_SUCH_SERVICE) => {
            return Ok(Service::of(&name, ServiceState::Unknown));
        }
        Err(reason) => return Err(reason),
    };
    let found = parse(&said).into_iter().next().map(|service| Service { name, ..service });
    found.ok_or_else(|| "the answer of sc.exe cannot be understood".to_owned())
}

/// The services of an answer.
pub(crate) fn parse(bytes: &[u8]) -> Vec<Service> {
    let said = String::from_utf8_lossy(bytes);
    let mut found = vec![];
    let mut name: Option<&str> = None;
    // Of the lines with a number those of the type, the state and the exit code come first.
    let mut numbers: Vec<u64> = vec![];
    for line in said.lines() {
        let Some((key, value)) = line.split_once(':').filter(|(key, _)| !key.trim().is_empty()) else {
            continue;
        };
        if key.starts_with("SERVICE_NAME") {
            name = Some(value.trim());
            numbers.clear();
            continue;
        }
        // The name for people may be anything; it is not indented.
        if !key.starts_with(char::is_whitespace) {
            continue;
        }
        // The type is hexadecimal and does not matter.
        let number = value.split_whitespace().next().unwrap_or_default();
        numbers.push(number.parse().unwrap_or(0));
        if let (Some(known), [_, state, exit]) = (name, numbers.as_slice()) {
            found.push(Service::of(known, state_of(*state, *exit)));
            name = None;
        }
    }
    found
}

/// The numbers are those of SERVICE_STATUS in the Windows API.
fn state_of(state: u64, exit: u64) -> ServiceState {
    match state {
        1 if !NO_FAILURE.contains(&exit) => ServiceState::Failed,
        // Stopped, stopping, pausing, paused.
        1 | 3 | 6 | 7 => ServiceState::Stopped,
        // Starting, running, going on.
        2 | 4 | 5 => ServiceState::Running,
        _ => ServiceState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Wanted;

    const SPOOLER: &str = "\r\nSERVICE_NAME: Spooler \r\n        TYPE               : 110  WIN32_OWN_PROCESS  (interactive)\r\n        \
        STATE              : 4  RUNNING \r\n                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)\r\n        \
        WIN32_EXIT_CODE    : 0  (0x0)\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n        CHECKPOINT         : 0x0\r\n        \
        WAIT_HINT          : 0x0\r\n";

    #[test]
    fn what_is_said_is_read_in_any_language() {
        let list = "\r\nSERVICE_NAME: backup\r\nDISPLAY_NAME: Sicherung: nachts\r\n        TYP                : 10  WIN32_OWN_PROCESS\r\n        \
            STATUS             : 1  STOPPED\r\n        WIN32_EXITCODE     : 1067  (0x42b)\r\n        DIENSTEXITCODE     : 0  (0x0)\r\n\
            \r\nSERVICE_NAME: never\r\nDISPLAY_NAME: x\r\n        TYP                : 20  x\r\n        STATUS             : 1  STOPPED\r\n        \
            WIN32_EXITCODE     : 1077  (0x435)\r\n";
        let found = parse([SPOOLER, list].concat().as_bytes());
        let states: Vec<_> = found.iter().map(|service| (service.name.as_str(), service.state)).collect();
        use ServiceState::*;
        assert_eq!(states, [("Spooler", Running), ("backup", Failed), ("never", Stopped)]);
        assert_eq!(parse(b"SERVICE_NAME: x\n STATE : 4\n"), []);
    }

    #[cfg(unix)]
    #[test]
    fn services_are_asked_for_by_name_and_those_that_failed_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sc");
        let text = "#!/bin/sh\nsay() { printf 'SERVICE_NAME: %s\\n  TYPE : 10 x\\n  STATE : %s x\\n  EXIT : %s (0x0)\\n' $1 $2 $3; }\n\
            case $2 in\ntype=) say backup 1 1067; say idle 1 0 ;;\nbackup) say backup 1 1067 ;;\nSpooler) say Spooler 4 0 ;;\n\
            *) echo '[SC] EnumQueryServicesStatus:OpenService FAILED 1060:' >&2; exit 36 ;;\nesac\n";
        testkit::program::script(&path, text);
        let read = |wanted: Wanted| {
            let mut problems = vec![];
            let found = services(path.clone()).read(&wanted, &mut problems);
            let named: Vec<_> = found.into_iter().map(|service| (service.name, service.state)).collect();
            (named, problems.into_iter().map(|problem| problem.what).collect::<Vec<_>>())
        };
        use ServiceState::*;
        let (found, problems) = read(Wanted::These(vec!["Spooler".into(), "none".into()]));
        assert_eq!(found, [("Spooler".to_owned(), Running), ("none".to_owned(), Unknown)]);
        assert_eq!(problems, ["none"]);
        assert_eq!(read(Wanted::Everything), (vec![("backup".to_owned(), Failed)], vec![]));
    }
}
