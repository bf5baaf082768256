//! Who may ask, and what listeners show, opened for one process.

use std::{path::PathBuf, sync::Arc, time::Duration};

use access::{Access, Keys, KeysConfig, State};
use event::Timestamp;
use metrics::gauge;
use telemetry::{
    health::Health,
    metric,
    task::{Stop, Tasks, Ticks, blocking},
};
use tls::{Authority, Files, Identity};

use super::error::StartError;
use crate::settings::{Pem, Settings, Tls};

/// How often it is written down when keys were last used.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// What each listener shows.
#[derive(Default, Clone)]
pub(super) struct Identities {
    pub(super) collector: Option<Identity>,
    pub(super) anomaly: Option<Identity>,
    pub(super) anomaly_grpc: Option<Identity>,
}

/// Who may ask, and what listeners show.
pub(super) struct Entrance {
    pub(super) who: Arc<Access>,
    pub(super) authority: Option<Arc<Authority>>,
    pub(super) identities: Identities,
}

/// The folder of keys and of this installation's authority.
pub(crate) fn folder(settings: &Settings) -> PathBuf {
    settings.data.join("access")
}

/// The keys that have been made.
///
/// # Errors
/// When their file cannot be used.
pub(crate) fn keys(settings: &Settings) -> Result<Keys, access::OpenError> {
    Keys::open(KeysConfig { path: folder(settings).join("keys"), max: settings.listeners.keys_max })
}

/// Opens keys, authority and certificates. A process that `collects` has keys that are made; another one only those of
/// `API_KEYS`.
pub(super) fn open(settings: &Settings, collects: bool) -> Result<Entrance, StartError> {
    let keys = collects.then(|| keys(settings)).transpose()?;
    let listeners = &settings.listeners;
    listeners.check_reach(keys.as_ref().is_some_and(Keys::is_locked)).map_err(StartError::Reach)?;
    let authority = authority(settings)?;
    Ok(Entrance {
        who: Arc::new(Access::new(&listeners.access, keys)),
        identities: identities(settings, authority.as_deref())?,
        authority,
    })
}

fn now() -> Timestamp {
    intake::system_clock()
}

/// This installation's authority, where a listener is to use it.
fn authority(settings: &Settings) -> Result<Option<Arc<Authority>>, StartError> {
    let is_own = |tls: &Tls| {
        tls.shown == Pem::Own || tls.clients.as_ref().is_some_and(|(roots, _)| *roots == Pem::Own)
    };
    let wanted = settings.listeners.tls.all().any(|(_, tls)| is_own(tls));
    Ok(wanted.then(|| Authority::open(&folder(settings), now())).transpose()?.map(Arc::new))
}

fn identities(settings: &Settings, authority: Option<&Authority>) -> Result<Identities, StartError> {
    // One certificate for all that show it.
    let mut own: Option<(PathBuf, PathBuf)> = None;
    let mut identity = |tls: &Option<Tls>| -> Result<Option<Identity>, StartError> {
        let Some(tls) = tls else { return Ok(None) };
        let (cert_file, key_file) = match (&tls.shown, authority, own.clone()) {
            (Pem::Files(files), ..) => files.clone(),
            (Pem::Own, _, Some(files)) => files,
            (Pem::Own, Some(authority), None) => {
                own.insert(authority.serve_as(&names(settings), now())?).clone()
            }
            (Pem::Own, None, None) => return Ok(None),
        };
        let clients = tls.clients.as_ref().map(|(roots, clients)| match roots {
            Pem::Own => (Authority::certificate_file(&folder(settings)), *clients),
            Pem::Files(path) => (path.clone(), *clients),
        });
        Ok(Some(Identity::open(Files { cert_file, key_file, clients })?))
    };
    Ok(Identities {
        collector: identity(&settings.listeners.tls.collector)?,
        anomaly: identity(&settings.listeners.tls.anomaly)?,
        anomaly_grpc: identity(&settings.listeners.tls.anomaly_grpc)?,
    })
}

/// The names and addresses by which this machine's listeners are asked.
fn names(settings: &Settings) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let hosts = settings.listeners.allowed_hosts.iter().map(|host| match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => {
            name.to_owned()
        }
        _ => host.trim_matches(['[', ']']).to_owned(),
    });
    let listeners = &settings.listeners;
    let listeners = [listeners.addr, listeners.anomaly_addr, listeners.anomaly_grpc_addr];
    let addresses = listeners.iter().map(|addr| addr.ip()).filter(|ip| !ip.is_unspecified());
    let all = hosts.filter(|host| host != "*").chain(settings.intake.door.host.clone());
    for name in all.chain(addresses.map(|ip| ip.to_string())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl Entrance {
    /// Follows certificates, notes when keys are used, and says how many there are, until the stop of `tasks`.
    pub(super) fn watch(&self, tasks: &Tasks, health: &Health) {
        let Identities { collector, anomaly, anomaly_grpc } = self.identities.clone();
        let shown: Vec<_> = [collector, anomaly, anomaly_grpc].into_iter().flatten().collect();
        if !shown.is_empty() {
            tasks.spawn("certificates", tls::watch(shown, health.component("certificates"), tasks.stop()));
        }
        if self.who.keys().is_some() {
            tasks.spawn("keys", note(Arc::clone(&self.who), tasks.stop()));
        }
    }
}

/// Writes down when keys were last used, from time to time and at the end.
async fn note(who: Arc<Access>, stop: Stop) {
    let mut ticks = Ticks::every(NOTE_EVERY, stop);
    loop {
        let goes_on = ticks.next().await;
        let who = Arc::clone(&who);
        let noted = blocking("keys", move || {
            let Some(keys) = who.keys() else { return Ok(()) };
            let good = keys.list().iter().filter(|key| key.state(now()) == State::Active).count();
            gauge!(metric::ACCESS_KEYS).set(good as f64);
            keys.flush()
        });
        if let Ok(Err(error)) = noted.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "when keys were last used is not written down"
            );
        }
        if !goes_on {
            return;
        }
    }
}
