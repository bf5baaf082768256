//! The logs of package managers: dpkg, apt, pacman, yum and dnf.

use event::Event;

#[cfg(test)]
use super::format::Sample;
use super::format::{Begins, Format, Line};
use crate::{Context, time};

pub(super) const FORMATS: &[Format] = &[
    Format {
        name: "dpkg",
        begins: Begins::Stamp(b"siuctrpd"),
        read: dpkg,
        #[cfg(test)]
        samples: SAMPLES,
    },
    Format {
        name: "apt",
        begins: Begins::With(b"CDEILPRSU"),
        read: apt,
        #[cfg(test)]
        samples: &[],
    },
    Format {
        name: "update-alternatives",
        begins: Begins::With(b"u"),
        read: alternatives,
        #[cfg(test)]
        samples: &[],
    },
];

fn of_program<'a>(program: &'static str, message: &'a str, context: &Context<'_>) -> Event<'a> {
    let mut event = Event::new(message, context.received);
    event.source = Some(program.into());
    event.set("process.name", program);
    event
}

/// `status installed nginx:amd64 1.24.0-2`, `[ALPM] installed nginx (1.24.0-1)`, `Installed: nginx-1.24`.
fn dpkg<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    const ACTIONS: [&str; 10] = [
        "startup ",
        "status ",
        "install ",
        "upgrade ",
        "configure ",
        "trigproc ",
        "remove ",
        "purge ",
        "conffile ",
        "disappear ",
    ];
    const STATES: [&str; 9] = [
        "archives",
        "packages",
        "not-installed",
        "config-files",
        "half-",
        "unpacked",
        "triggers-",
        "installed",
        "file",
    ];
    let stamp = line.stamp?;
    let message = stamp.rest.strip_prefix(' ')?;
    let action = ACTIONS.iter().find_map(|action| message.strip_prefix(action))?;
    let is_state = STATES.iter().any(|state| action.starts_with(state));
    // A package with its architecture, or a word that only dpkg writes there.
    let is_package =
        action.split(' ').next().is_some_and(|package| package.contains(':')) && action.contains(' ');
    if !is_state && !is_package {
        return None;
    }
    let mut event = of_program("dpkg", message, context);
    event.timestamp = stamp.at?;
    Some(event)
}

/// `Start-Date: 2026-10-22  21:59:01` and what follows it in history.log, `Log started: …` of term.log.
fn apt<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let (name, value) = line.text.split_once(": ").filter(|(name, _)| name.len() < 16)?;
    // `nginx:amd64 (1.24.0-2, automatic), …`
    let is_of_packages = || {
        let (package, rest) = value.split_once(' ').unwrap_or((value, ""));
        rest.starts_with('(') && package.split_once(':').is_some_and(|(_, machine)| !machine.is_empty())
    };
    let mut event = of_program("apt", line.text, context);
    match name {
        "Start-Date" | "End-Date" | "Log started" | "Log ended" => {
            event.timestamp = time::parse(value, context)?;
        }
        "Commandline" => {}
        "Install" | "Reinstall" | "Upgrade" | "Downgrade" | "Remove" | "Purge" if is_of_packages() => {}
        "Requested-By" if value.ends_with(')') => {}
        _ => return None,
    }
    Some(event)
}

/// `update-alternatives 2026-10-22 21:59:01: link group pager updated to point to /usr/bin/less`.
fn alternatives<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    const PROGRAM: &str = "update-alternatives";
    let stamp = time::stamp(line.text.strip_prefix(PROGRAM)?.strip_prefix(' ')?, context)?;
    let mut event = of_program(PROGRAM, stamp.rest.strip_prefix(": ")?, context);
    event.timestamp = stamp.at?;
    Some(event)
}

#[cfg(test)]
const SAMPLES: &[Sample] = &[
    [
        "dpkg",
        "2026-10-22 21:59:01 status installed nginx:amd64 1.24.0-2",
        "2026-10-22T21:59:01Z",
        "info",
        "",
        "dpkg",
        "status installed nginx:amd64 1.24.0-2",
    ],
    [
        "dpkg",
        "2026-10-22 21:59:01 upgrade libc6:amd64 2.36-9 2.36-10",
        "2026-10-22T21:59:01Z",
        "info",
        "",
        "dpkg",
        "upgrade libc6:amd64 2.36-9 2.36-10",
    ],
    [
        "apt",
        "Start-Date: 2026-10-22  21:59:01",
        "2026-10-22T21:59:01Z",
        "info",
        "",
        "apt",
        "Start-Date: 2026-10-22  21:59:01",
    ],
    [
        "apt",
        "Log started: 2026-10-22  21:59:01",
        "2026-10-22T21:59:01Z",
        "info",
        "",
        "apt",
        "Log started: 2026-10-22  21:59:01",
    ],
    [
        "apt",
        "Install: nginx:amd64 (1.24.0-2), nginx-common:amd64 (1.24.0-2, automatic)",
        "",
        "info",
        "",
        "apt",
        "Install: nginx:amd64 (1.24.0-2), nginx-common:amd64 (1.24.0-2, automatic)",
    ],
    [
        "update-alternatives",
        "update-alternatives 2026-10-22 21:59:01: link group pager updated to point to /usr/bin/less",
        "2026-10-22T21:59:01Z",
        "info",
        "",
        "update-alternatives",
        "link group pager updated to point to /usr/bin/less",
    ],
];
