//! `log-sentinel demo`: a throw-away instance, real logs, and what was found in them.

use std::path::{Path, PathBuf};

use event::Timestamp;

use super::{import, print};
use crate::{
    AppError, Instance, Role,
    client::Client,
    formats, found,
    imported::Imported,
    settings::{Certificates, Settings, SettingsError, Values},
};

/// Real public logs: name, last written, content; with source and licence in `samples/SOURCES.md`.
const SAMPLES: [(&str, &str, &[u8]); 2] = [
    ("auth.log", "2017-04-20T23:59:59Z", include_bytes!("../../samples/auth_ec2_2017.log.gz")),
    ("access.log", "2015-05-20T23:59:59Z", include_bytes!("../../samples/apache_access_2015.log.gz")),
];

/// Feeds the files, or the sample, through the ordinary intake of an instance of its own.
///
/// # Errors
/// When the settings are not usable, the instance cannot start or a file cannot be read.
pub(crate) async fn run(sources: &Values, files: &[PathBuf]) -> Result<(), AppError> {
    let data = tempfile::tempdir().map_err(|source| AppError::File {
        action: "make a folder for the demo (TMPDIR names another place for it) in",
        path: std::env::temp_dir(),
        source,
    })?;
    let settings = elsewhere(sources, data.path())?;
    let instance = Instance::start(&settings, Role::All).await?;
    let client = Client::new(&instance.url(), None);
    let outcome = feed(&client, &settings, files).await;
    instance.stop(settings.shutdown_grace).await;
    outcome
}

/// The settings of an instance of its own, which nobody else reaches and which keeps all it has in a folder.
fn elsewhere(sources: &Values, data: &Path) -> Result<Settings, SettingsError> {
    let watched = data.join("watched");
    let mut sources = sources.clone();
    for name in ["LOG_SENTINEL_ADDR", "LOG_SENTINEL_ANOMALY_ADDR", "LOG_SENTINEL_ANOMALY_GRPC_ADDR"] {
        sources.set(name, "127.0.0.1:0");
    }
    sources.set("LOG_SENTINEL_DATA", &data.display().to_string());
    sources.set("LOG_SENTINEL_DIR", &watched.display().to_string());
    for name in [
        "LOG_SENTINEL_ANOMALY_URL",
        "ELASTIC_ADDR",
        "LOG_SENTINEL_FILES",
        "API_KEYS",
        "LOG_SENTINEL_ALLOWED_HOSTS",
    ] {
        sources.unset(name);
    }
    let mut settings = Settings::check(&sources)?;
    settings.listeners.tls = Certificates::default();
    // Nobody else's events wait for a training, and the same files are to say the same each time.
    settings.analysis.service.waits_for_training = true;
    Ok(settings)
}

async fn feed(client: &Client, settings: &Settings, files: &[PathBuf]) -> Result<(), AppError> {
    if files.is_empty() {
        print(
            "A sample of real logs: an auth.log of a cloud host (2017) and the access log of a web site (2015).\n\n",
        )?;
    }
    let (door, begun) = (&formats::door(settings)?, intake::system_clock());
    let mut imported = Imported::default();
    for (name, modified, bytes) in SAMPLES.iter().filter(|_| files.is_empty()) {
        let modified = Timestamp::parse(modified).ok();
        import::lines(client, door, *bytes, name, modified, &mut imported).await?;
    }
    if !files.is_empty() {
        imported = import::run(client, door, files, false).await?;
    }
    print(&found::report(client, &imported, begun, false).await?)?;
    print(
        "\nThis was a throw-away instance; nothing of it is kept. `log-sentinel import FILE` does\nthe same for keeps, and tells how to look closer.\n",
    )?;
    Ok(())
}
