//! Places where a process listens and nobody did before.

use std::net::IpAddr;

use finding::{FindingKind, Level, fact};
use process::Listening;

use crate::scene::{Found, Rule, Scene, Suspicion};

const NEW: Rule = Rule {
    name: "process_listens",
    kind: FindingKind::ProcessNewListener,
    technique: "T1571",
    look: |_, _| None,
};

/// From here on the system gives ports to whoever names none, by ip_sysctl.
const EPHEMERAL: u16 = 32_768;

/// Each place that is new to the process; whether it is new to the host, its key says. What this machine alone can reach, at a port
/// that nobody named, is a program that speaks with itself.
pub(crate) fn new(scene: &Scene<'_>) -> Vec<Suspicion> {
    let before = scene.before.map(|before| before.listening.as_slice()).unwrap_or_default();
    let program = scene.now.executable.as_deref().unwrap_or(&scene.now.name);
    scene
        .now
        .listening
        .iter()
        .filter(|place| !before.contains(place))
        .filter_map(|place| {
            let (is_inside, is_named) = (is_inside(place), place.port < EPHEMERAL);
            if is_inside && !is_named {
                return None;
            }
            let port = if is_named { place.port.to_string() } else { "any".to_owned() };
            let side = if is_inside { "inside" } else { "outside" };
            let found = Found {
                level: if is_inside { Level::Informational } else { Level::Low },
                once: Some(format!("listens {program} {} {port} {side}", place.protocol)),
                about: None,
            };
            let mut suspicion = scene.suspicion(&NEW, found);
            let text = match place.address.contains(':') {
                true => format!("{} [{}]:{}", place.protocol, place.address, place.port),
                false => format!("{} {}:{}", place.protocol, place.address, place.port),
            };
            suspicion.finding = suspicion.finding.fact(fact::LISTENING, fact::list([text.as_str()]));
            Some(suspicion)
        })
        .collect()
}

fn is_inside(place: &Listening) -> bool {
    place.address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
