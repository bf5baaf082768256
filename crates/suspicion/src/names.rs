//! Names that are, or look like, those of programs of the system.

use finding::Level;
use process::Process;

use crate::{
    known::{OF_MANY_NAMES, SERVICES, base, is_installed, is_interpreter, is_open, program},
    scene::{Found, Scene},
};

/// Shorter names are too near to each other.
const SIMILAR_BYTES: usize = 4;

/// A service of the system from another place, or what calls itself so and is an interpreter.
pub(crate) fn system_name(_: &Scene<'_>, process: &Process) -> Option<Found> {
    let path = process.executable.as_deref()?;
    // In a container the same names are at places of their own.
    if process.container.is_some() && !is_open(path) {
        return None;
    }
    let is_elsewhere = SERVICES.contains(&base(path)) && !is_installed(path) && path.starts_with('/');
    // A script has the name of its file, which stands among the arguments.
    let is_script = process.command.split(' ').skip(1).take(2).any(|word| base(word) == &*process.name);
    let is_called_so = !is_script
        && SERVICES.contains(&&*process.name)
        && base(path) != &*process.name
        && is_interpreter(program(process))
        && !OF_MANY_NAMES.contains(&program(process));
    (is_elsewhere || is_called_so).then_some(Found::at(Level::High))
}

/// A name that is read as that of a service, of a file that is not installed.
pub(crate) fn similar_name(_: &Scene<'_>, process: &Process) -> Option<Found> {
    let path = process.executable.as_deref()?;
    if is_installed(path) || !path.starts_with('/') {
        return None;
    }
    let similar = [base(path), &process.name].into_iter().find_map(similar)?;
    let mut found = Found::at(Level::High);
    found.about = Some(similar.to_owned());
    Some(found)
}

/// The service whose name this is read as, and is not.
fn similar(name: &str) -> Option<&'static str> {
    if SERVICES.contains(&name) {
        return None;
    }
    let read = read(name);
    SERVICES
        .iter()
        .filter(|service| service.len() >= SIMILAR_BYTES)
        .find(|service| self::read(service) == read || is_swapped(name, service))
        .copied()
}

/// As it is read: signs that look the same are one, doubled ones too, and what is not seen is left out.
fn read(name: &str) -> String {
    let mut read = String::new();
    for sign in name.chars() {
        let sign = match sign.to_ascii_lowercase() {
            '0' | 'о' | 'ο' => 'o',
            '1' | 'i' | 'і' | '|' => 'l',
            '5' | 'ѕ' => 's',
            'а' => 'a',
            'е' => 'e',
            'с' => 'c',
            'р' => 'p',
            'ԁ' => 'd',
            '_' => '-',
            sign if sign.is_whitespace() || sign == '.' || !(sign.is_alphanumeric() || sign == '-') => {
                continue;
            }
            sign => sign,
        };
        if !read.ends_with(sign) {
            read.push(sign);
        }
    }
    read
}

/// Two neighbours changed places.
fn is_swapped(name: &str, service: &str) -> bool {
    if name.len() != service.len() || name == service {
        return false;
    }
    let others: Vec<usize> = name
        .bytes()
        .zip(service.bytes())
        .enumerate()
        .filter(|(_, (a, b))| a != b)
        .map(|(at, _)| at)
        .collect();
    let [first, second] = others.as_slice() else { return false };
    let (name, service) = (name.as_bytes(), service.as_bytes());
    *second == first + 1
        && name.get(*first) == service.get(*second)
        && name.get(*second) == service.get(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_read_as_others_are_found() {
        for (name, service) in [
            ("ssshd", "sshd"),
            ("sshd ", "sshd"),
            ("sshd.", "sshd"),
            ("5shd", "sshd"),
            ("sytsemd", "systemd"),
            ("systemd-1ogind", "systemd-logind"),
            ("systemd_journald", "systemd-journald"),
            ("cr0n", "cron"),
            ("сron", "cron"),
        ] {
            assert_eq!(similar(name), Some(service), "{name}");
        }
        for name in
            ["ssh", "sshd", "cron", "crond", "crow", "system", "node", "postgres", "logic", "audit", ""]
        {
            assert_eq!(similar(name), None, "{name}");
        }
    }
}
