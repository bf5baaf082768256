//! `log-sentinel agent` with a collector as target: samples of this host and its logs go there.

use std::path::{Path, PathBuf};

use agent::{
    Agent, Config, Logs, MachineLog, Place, Server, Trust,
    configuration::{Configuration, Document},
};
use journal::Journal;
use telemetry::{health::Health, task::Tasks};

use super::print;
use crate::{
    AppError, Settings, VERSION, cli, formats, instance,
    serve::{self, Signals},
    settings::Values,
};

/// Read where no file is named and it is there.
const FILE: &str =
    if cfg!(windows) { r"C:\ProgramData\log-sentinel\agent.yaml" } else { "/etc/log-sentinel/agent.yaml" };
/// Settings that stand above the agent's file.
const ABOVE: [(&str, &str); 7] = [
    ("agent.name", "LOG_SENTINEL_AGENT_NAME"),
    ("agent.interval", "LOG_SENTINEL_AGENT_INTERVAL"),
    ("agent.labels", "LOG_SENTINEL_AGENT_LABELS"),
    ("server.url", "LOG_SENTINEL_AGENT_SERVER_URL"),
    ("server.api_key", "LOG_SENTINEL_API_KEY"),
    ("buffer.bytes_max", "LOG_SENTINEL_AGENT_BUFFER_BYTES_MAX"),
    ("buffer.age_max", "LOG_SENTINEL_AGENT_BUFFER_AGE_MAX"),
];

/// Runs it until a signal or a failure ends it; with `--check` only says what would hold.
///
/// # Errors
/// When the configuration is not usable, it cannot start, or a part of it fails for good.
pub(crate) async fn run(
    sources: &Values,
    settings: Settings,
    asked: &cli::Agent,
    file: Option<&Path>,
) -> Result<(), AppError> {
    let document = document(sources, asked, file)?;
    if asked.check {
        print(&document.table())?;
    }
    let configuration = Configuration::of(&document)?;
    let server = server(&settings, &configuration)?;
    if asked.check {
        print("\nthe configuration is usable\n")?;
        return Ok(());
    }
    serve::begin(&settings);
    let signals = Signals::new()?;
    let data = settings.data.clone();
    disk::create_dir_all(&data)
        .map_err(|source| instance::StartError::Data { path: data.clone(), source })?;
    let _lock = disk::DataLock::take(&data)?;
    let (tasks, health) = (Tasks::new(), Health::new());
    let place = server.place.clone();
    let root = sources.values.get("LOG_SENTINEL_HOST_ROOT").map_or("/", |value| value.text.as_str());
    let config = Config {
        logs: if configuration.sends_logs {
            Some(logs(&settings, sources, &configuration, root)?)
        } else {
            None
        },
        configuration,
        document,
        data: data.clone(),
        roots: host::Roots::below(Path::new(root)),
        server,
        version: VERSION.to_owned(),
        clock: intake::system_clock,
        backoff: agent::backoff(),
    };
    let agent = agent::start(config, &tasks, &health)?;
    print(&welcome(&agent, &place, &data))?;
    let failure = tokio::select! {
        name = signals.wait() => { tracing::info!(signal = name, "stopping"); None }
        task = tasks.panicked() => Some(format!("the task {task} panicked")),
    };
    let stragglers = tasks.shutdown(settings.shutdown_grace).await;
    if !stragglers.is_empty() {
        tracing::warn!(
            ?stragglers,
            "these did not end within LOG_SENTINEL_SHUTDOWN_GRACE and end with the process"
        );
    }
    agent.close(settings.shutdown_grace).await;
    failure.map_or(Ok(()), |reason| Err(AppError::Stopped(reason)))
}

/// The configuration: the file, and what stands above it.
fn document(sources: &Values, asked: &cli::Agent, file: Option<&Path>) -> Result<Document, AppError> {
    let file = file.map(Path::to_owned).or_else(|| Some(PathBuf::from(FILE)).filter(|path| path.exists()));
    let mut document = match &file {
        Some(path) => Document::read(path)?,
        None => Document::default(),
    };
    for (path, name) in ABOVE {
        if let Some(value) = sources.values.get(name).filter(|value| !value.text.trim().is_empty()) {
            document.above(path, name, value.text.trim());
        }
    }
    if let Some(url) = &asked.url {
        document.above("server.url", "--url", url);
    }
    Ok(document)
}

fn server(settings: &Settings, configuration: &Configuration) -> Result<Server, AppError> {
    let place =
        Place::of(&configuration.url, configuration.logs_url.as_deref()).map_err(agent::StartError::from)?;
    let files = [&settings.listeners.tls.ca_file, &configuration.ca_file];
    let trust = Trust {
        ca_files: files.into_iter().flatten().cloned().collect(),
        certificate: configuration.certificate.clone(),
    };
    let server = Server::new(place, configuration.api_key.clone(), &trust);
    Ok(server.map_err(agent::StartError::from)?)
}

/// The logs that are sent: those that are named, else those of this machine.
fn logs(
    settings: &Settings,
    sources: &Values,
    configuration: &Configuration,
    root: &str,
) -> Result<Logs, AppError> {
    let journal = Journal::open(settings.storage.journal.clone())?;
    let formats = formats::load(settings.intake.formats_file.as_deref())?;
    let mut door = intake::Config { formats, ..settings.intake.door.clone() };
    // What says no host is of this one, as samples call it.
    door.host = configuration.name.clone().or(door.host);
    let mut tail = settings.intake.tail.clone();
    if !sources.is_said("LOG_SENTINEL_DIR") {
        // A collector on the same machine reads its own folder.
        tail.dir = None;
    }
    let mut machine = None;
    match &configuration.log_files {
        Some(files) => tail.files.extend(files.iter().cloned()),
        None if settings.intake.system => {
            let found = instance::logs_of_machine(Path::new("/var/log"));
            tail.files.extend(found.files);
            machine = match std::env::consts::OS {
                "linux" if found.journal => Some(MachineLog::Journald(settings.intake.journalctl.clone())),
                "windows" => Some(MachineLog::EventLog(intake::event_log::Config::default())),
                _ => None,
            };
        }
        None => {}
    }
    tracing::info!(files = ?tail.files, machine = machine.is_some(), "logs that are sent");
    let mut watched = settings.intake.watched.clone();
    if !sources.is_said("LOG_SENTINEL_SYSTEM_ROOT") {
        watched.root = root.into();
    }
    // What is looked for is where Linux has it.
    let changes = (configuration.sends_changes && cfg!(target_os = "linux")).then_some(watched);
    Ok(Logs { door: intake::Door::new(journal, door, intake::system_clock), tail, machine, changes })
}

fn welcome(agent: &Agent, place: &Place, data: &Path) -> String {
    let mut text = format!(
        "Log Sentinel {VERSION} measures this host. Ctrl-C stops it; what could not be sent is sent after the next start.\n\n"
    );
    for (name, what) in [
        ("host", crate::wording::plain(&agent.name)),
        ("samples", format!("to {}", place.samples)),
        ("logs", if agent.sends_logs() { format!("to {}", place.logs) } else { "not sent".to_owned() }),
        ("data", data.display().to_string()),
    ] {
        text.push_str(&format!("  {name:<10} {what}\n"));
    }
    text
}
