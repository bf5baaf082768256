//! What the service tells of itself: its settings, its room.

use std::sync::Arc;

use index::Index;
use search::Searcher;

use super::build::Build;
use crate::settings::{Effective, Origin, SETTINGS, Settings};

/// What the routes about the service itself need.
pub(super) fn state(build: &Build<'_>, searcher: &Searcher, index: &Arc<dyn Index>) -> api::OwnState {
    api::OwnState {
        settings: settings(build.settings),
        searcher: searcher.clone(),
        index: Arc::clone(index),
        is_elsewhere: build.settings.elastic.is_some(),
        retention: build.settings.storage.retention,
    }
}

/// All settings as they may be told, from what `log-sentinel check` prints as well.
fn settings(settings: &Settings) -> Arc<[api::OwnSetting]> {
    let row = |setting: &crate::settings::Setting| {
        let one = settings.told.get(setting.name);
        let (origin, file) = match one.map(|one| &one.origin) {
            None | Some(Origin::Default) => ("default", None),
            Some(Origin::File(path)) => ("file", Some(path.display().to_string())),
            Some(Origin::DotEnv) => (".env", None),
            Some(Origin::Environment) => ("environment", None),
            Some(Origin::Flag) => ("flag", None),
        };
        api::OwnSetting {
            name: setting.name,
            value: one.map(Effective::shown).map(str::to_owned),
            default: setting.default,
            origin,
            file,
            secret: setting.secret,
            help: setting.help,
        }
    };
    SETTINGS.iter().map(row).collect()
}
