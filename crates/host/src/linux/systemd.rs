//! Services: what systemd says of its units, else whether a process of that name runs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    kernel::Kernel,
    number::{lines, number, text, words},
};
use crate::{
    reading::{Service, ServiceState},
    service::{Answer, FAILED_MAX, Services, called},
    wanted::Wanted,
};

const PROPERTIES: &str = "--property=Id,LoadState,ActiveState,SubState,NRestarts,MemoryCurrent";

/// What is read is not to be translated or coloured.
const ENGLISH: [(&str, &str); 2] = [("LC_ALL", "C"), ("SYSTEMD_COLORS", "0")];

/// Services as systemd has them, by this `systemctl`.
pub(super) fn services(systemctl: PathBuf) -> Services {
    Services::new("systemd", systemctl, units)
}

/// Whether systemd manages this machine.
pub(super) fn is_there(kernel: &Kernel) -> bool {
    kernel.roots().run.join("systemd/system").is_dir()
}

/// Services that are named, by the processes that run: where nobody manages them.
pub(super) fn by_processes(kernel: &Kernel, wanted: &Wanted, runs: impl Fn(&str) -> bool) -> Vec<Service> {
    let (run, proc) = (&kernel.roots().run, &kernel.roots().proc);
    let service = |name: &String| match runs(name) || has_living(run, proc, name) {
        true => Service::of(name, ServiceState::Running),
        false => Service::of(name, ServiceState::Stopped),
    };
    wanted.names().iter().map(service).collect()
}

/// Asks systemd for these units, and for those that have failed.
fn units(systemctl: &Path, mut names: Vec<String>, finds_failed: bool) -> Answer {
    if finds_failed {
        let said = called(
            systemctl,
            &["list-units", "--state=failed", "--plain", "--no-legend", "--no-pager"],
            &[],
            &ENGLISH,
        )?;
        let failed =
            lines(&said).filter_map(|line| words(line).find(|word| *word != "●".as_bytes())).map(text);
        for name in failed.take(FAILED_MAX) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if names.is_empty() {
        return Ok(vec![]);
    }
    let units: Vec<String> = names.iter().map(|name| unit(name)).collect();
    let said = called(systemctl, &["show", PROPERTIES, "--"], &units, &ENGLISH)?;
    let found = parse_show(&said);
    if found.len() != names.len() {
        return Err("the answer of systemctl cannot be understood".to_owned());
    }
    let named = found.into_iter().zip(names).map(|(service, name)| Service { name, ..service });
    Ok(named.collect())
}

/// A name without a kind is one of a service.
fn unit(name: &str) -> String {
    const KINDS: [&str; 11] = [
        ".service",
        ".socket",
        ".device",
        ".mount",
        ".automount",
        ".swap",
        ".target",
        ".path",
        ".timer",
        ".slice",
        ".scope",
    ];
    if KINDS.iter().any(|kind| name.ends_with(kind)) { name.to_owned() } else { format!("{name}.service") }
}

/// What `systemctl show` says of each unit, in the order in which they were named.
pub(crate) fn parse_show(bytes: &[u8]) -> Vec<Service> {
    let said = String::from_utf8_lossy(bytes);
    let blocks = said.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).take(4096);
    let service = |block: &str| {
        let of = |name: &str| {
            block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
        };
        let state = match (of("LoadState"), of("ActiveState"), of("SubState")) {
            ("not-found" | "", _, _) => ServiceState::Unknown,
            (_, "failed", _) | (_, "activating", "auto-restart" | "auto-restart-queued") => {
                ServiceState::Failed
            }
            (_, "active" | "activating" | "reloading" | "refreshing", _) => ServiceState::Running,
            (_, "inactive" | "deactivating" | "maintenance", _) => ServiceState::Stopped,
            _ => ServiceState::Unknown,
        };
        // All ones, or words, where it is not counted.
        let counted = |name: &str| number(of(name).as_bytes()).filter(|number| *number < u64::MAX);
        Service {
            name: of("Id").to_owned(),
            state,
            restarts: counted("NRestarts"),
            memory_bytes: counted("MemoryCurrent"),
        }
    };
    blocks.map(service).collect()
}

/// Whether a file below `/run` names a process of the service that lives.
fn has_living(run: &Path, proc: &Path, name: &str) -> bool {
    if name.contains('/') {
        return false;
    }
    let name = name.strip_suffix(".service").unwrap_or(name);
    let inner = fs::read_dir(run.join(name))
        .into_iter()
        .flatten()
        .take(64)
        .filter_map(|entry| Some(entry.ok()?.path()));
    let files = inner.chain([run.join(format!("{name}.pid"))]);
    let mut pids = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "pid"))
        .filter_map(|path| {
            let said = fs::read_to_string(path).ok()?;
            number(said.lines().next()?.trim().as_bytes())
        });
    pids.any(|pid| proc.join(pid.to_string()).is_dir())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Roots;

    #[test]
    fn what_systemctl_shows_is_read() {
        let said = b"Id=nginx.service\nLoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=2\nMemoryCurrent=1048576\n\n\
            Id=a.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nNRestarts=0\nMemoryCurrent=[not set]\n\n\
            Id=b.service\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\nMemoryCurrent=18446744073709551615\n\n\
            Id=c.service\nLoadState=masked\nActiveState=inactive\nSubState=dead\n";
        let found = parse_show(said);
        let states: Vec<_> = found.iter().map(|service| service.state).collect();
        use ServiceState::*;
        assert_eq!(states, [Running, Unknown, Failed, Stopped]);
        assert_eq!((found[0].restarts, found[0].memory_bytes), (Some(2), Some(1 << 20)));
        assert_eq!((found[2].restarts, found[2].memory_bytes), (None, None));
    }

    fn kernel(dir: &Path) -> Kernel {
        let roots = Roots { proc: dir.join("proc"), run: dir.join("run"), ..Roots::default() };
        fs::create_dir_all(&roots.proc).unwrap();
        fs::create_dir_all(&roots.run).unwrap();
        Kernel::new(roots)
    }

    fn script(dir: &Path, text: &str) -> PathBuf {
        let path = dir.join("systemctl");
        testkit::program::script(&path, &format!("#!/bin/sh\n{text}\n"));
        path
    }

    #[test]
    fn without_systemd_a_process_of_the_name_stands_for_the_service() {
        let dir = tempfile::tempdir().unwrap();
        let kernel = kernel(dir.path());
        let wanted = Wanted::These(vec!["nginx".into(), "postgresql".into(), "cron".into(), "../x".into()]);
        fs::create_dir_all(dir.path().join("run/postgresql")).unwrap();
        fs::write(dir.path().join("run/postgresql/main.pid"), "7\n").unwrap();
        fs::create_dir_all(dir.path().join("proc/7")).unwrap();
        fs::write(dir.path().join("run/cron.pid"), "8\n").unwrap();
        assert!(!is_there(&kernel));
        let found = by_processes(&kernel, &wanted, |name| name == "nginx");
        let states: Vec<_> = found.iter().map(|service| service.state).collect();
        use ServiceState::*;
        assert_eq!(states, [Running, Running, Stopped, Stopped]);
    }

    #[test]
    fn a_unit_that_failed_is_told_of_until_it_runs_again() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let text = format!(
            "S=$(cat {0})\ncase $1 in\nlist-units) [ $S = failed ] && echo 'backup.service loaded failed failed Backup' ;;\n\
             show) printf 'Id=backup.service\\nLoadState=loaded\\nActiveState=%s\\nSubState=x\\n' $S ;;\nesac\ntrue",
            state.display()
        );
        let mut services = super::services(script(dir.path(), &text));
        let mut read = |said: &str| {
            fs::write(&state, said).unwrap();
            let mut problems = vec![];
            let found = services.read(&Wanted::Everything, &mut problems);
            assert_eq!(problems, []);
            found.into_iter().map(|service| (service.name, service.state)).collect::<Vec<_>>()
        };
        assert_eq!(read("active"), []);
        assert_eq!(read("failed"), [("backup.service".to_owned(), ServiceState::Failed)]);
        assert_eq!(read("active"), [("backup.service".to_owned(), ServiceState::Running)]);
    }

    #[test]
    fn a_manager_that_does_not_answer_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        // Waits for whoever writes to a pipe.
        let text = format!("mkfifo {0}; read line < {0}", pipe.display());
        let mut services = super::services(script(dir.path(), &text));
        services.patience = Duration::from_millis(20);
        let mut problems = vec![];
        let found = services.read(&Wanted::These(vec!["nginx".into()]), &mut problems);
        assert_eq!((found[0].state, problems.len()), (ServiceState::Unknown, 1));
        assert_eq!(problems[0].reason, "systemd does not answer");
        while fs::OpenOptions::new().write(true).open(&pipe).is_err() {
            std::thread::yield_now();
        }
    }
}
