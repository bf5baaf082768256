//! Network interfaces.

use std::time::Duration;

use sysinfo::Networks;

use crate::{problem::Problem, reading::Interface, wanted::Wanted};

/// More interfaces are left out.
const INTERFACES_MAX: usize = 256;
/// How names begin of those that do not lead out of this machine.
const INNER: [&str; 9] = ["lo", "Loopback", "vEthernet", "bridge", "utun", "awdl", "llw", "gif", "stf"];

/// Reads them.
#[derive(Debug, Default)]
pub(super) struct Reader {
    networks: Option<Networks>,
}

impl Reader {
    pub(super) fn read(
        &mut self,
        wanted: &Wanted,
        elapsed: Duration,
        problems: &mut Vec<Problem>,
    ) -> Vec<Interface> {
        let networks = match &mut self.networks {
            Some(networks) => networks,
            none => match Networks::new() {
                Ok(networks) => none.insert(networks),
                Err(error) => {
                    problems.push(Problem::new("interfaces", error));
                    return vec![];
                }
            },
        };
        let known: Vec<String> = networks.keys().map(|name| name.to_string_lossy().into_owned()).collect();
        networks.refresh(true);
        let is_wanted = |name: &str| match wanted {
            Wanted::Nothing => false,
            Wanted::Everything => !INNER.iter().any(|prefix| name.starts_with(prefix)),
            Wanted::These(names) => names.iter().any(|wanted| wanted == name),
        };
        let mut found: Vec<Interface> = vec![];
        let mut there: Vec<String> = vec![];
        for (name, data) in networks.iter() {
            let name = name.to_string_lossy().into_owned();
            there.push(name.clone());
            // One that came since the reading before has no rates yet.
            if !is_wanted(&name) || !known.contains(&name) || elapsed.is_zero() {
                continue;
            }
            let a_second = |grown: u64| grown as f64 / elapsed.as_secs_f64();
            found.push(Interface {
                name,
                in_bytes_s: a_second(data.received()),
                out_bytes_s: a_second(data.transmitted()),
                in_packets_s: a_second(data.packets_received()),
                out_packets_s: a_second(data.packets_transmitted()),
                errors: data.total_errors_on_received().saturating_add(data.total_errors_on_transmitted()),
                drops: None,
                bytes: (data.total_received(), data.total_transmitted()),
            });
        }
        let missing = wanted.names().iter().filter(|name| !there.contains(name));
        problems.extend(missing.map(|name| Problem::new(name, "there is no such interface")));
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found.truncate(INTERFACES_MAX);
        found
    }
}
