//! Channels and silences that were made while the program ran: each a map as a file of routes has it.

use std::{collections::BTreeMap, sync::Arc};

use event::Timestamp;
use serde_json::{Map, Value as Json};

use super::{
    channels,
    fields::{Fields, Problems},
    problem::RouteProblem,
    routes::{Routes, Silence, silence},
    yaml,
};
use crate::{
    channel::{ChannelConfig, EmailConfig},
    message::Telling,
};

/// Members whose values are never shown again.
const SECRETS: [&str; 6] = ["secret", "api_key", "bot_token", "webhook_url", "password", "headers"];
/// Members that say where a secret goes. Where they change, secrets must be given anew.
const DESTINATIONS: [&str; 7] = ["type", "url", "server", "port", "api", "encryption", "ca_file"];

/// Reads a channel. It can name no file: who may ask the API may not thereby read or write what this program may.
///
/// # Errors
/// With everything that is wrong with it.
pub fn made_channel(name: &str, members: &Map<String, Json>) -> Result<ChannelConfig, Vec<RouteProblem>> {
    let wrong =
        |key: &str, reason: &str| RouteProblem { line: 1, place: key.to_owned(), reason: reason.to_owned() };
    let of_file = members.keys().filter(|key| key.ends_with("_file"));
    let mut found: Vec<RouteProblem> =
        of_file.map(|key| wrong(key, "files are named in the file of routes only")).collect();
    if members.get("type").and_then(Json::as_str) == Some("file") {
        found.push(wrong("type", "a channel that writes a file is set up in the file of routes only"));
    }
    let node = yaml::of_json(&Json::Object(members.clone()));
    let (problems, mut channels) = (Problems::default(), BTreeMap::new());
    channels::read(name, Fields::new(&node, "", &problems), &mut channels);
    found.extend(problems.into_inner());
    match channels.remove(name).filter(|_| found.is_empty()) {
        Some(channel) => Ok(channel),
        None => Err(found),
    }
}

/// The members of a channel that is changed: secrets that are not given stay, as long as they go where they went.
pub(crate) fn with_secrets(mut members: Map<String, Json>, before: &Map<String, Json>) -> Map<String, Json> {
    let is_webhook = before.get("type").and_then(Json::as_str) == Some("webhook");
    let stays = |key: &&str| {
        // The address of a webhook is a secret itself.
        let is_left_out = is_webhook && *key == "url" && !members.contains_key("url");
        is_left_out || said_or_usual(&members, key) == said_or_usual(before, key)
    };
    if !DESTINATIONS.iter().all(stays) {
        return members;
    }
    for key in SECRETS.into_iter().chain(is_webhook.then_some("url")) {
        if let (false, Some(kept)) = (members.contains_key(key), before.get(key)) {
            members.insert(key.to_owned(), kept.clone());
        }
    }
    members
}

/// A member, or what holds where it is left out and the list of channels names it all the same.
fn said_or_usual(members: &Map<String, Json>, key: &str) -> Option<Json> {
    let is_mail = members.get("type").and_then(Json::as_str) == Some("email");
    members.get(key).cloned().or_else(|| (is_mail && key == "port").then(|| EmailConfig::PORT.into()))
}

/// A silence that was made while the program ran.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeSilence(pub(super) Silence);

impl MadeSilence {
    /// Reads `{match, until, reason}`.
    ///
    /// # Errors
    /// With everything that is wrong with it.
    pub fn read(members: &Map<String, Json>) -> Result<Self, Vec<RouteProblem>> {
        let node = yaml::of_json(&Json::Object(members.clone()));
        let problems = Problems::default();
        let silence = silence(Fields::new(&node, "", &problems));
        let problems = problems.into_inner();
        if problems.is_empty() { Ok(Self(silence)) } else { Err(problems) }
    }

    /// When it ends.
    pub fn until(&self) -> Timestamp {
        self.0.until
    }

    /// Whether it would hold of an alert that was recorded then.
    pub(crate) fn holds(&self, alert: &Telling, then: Timestamp) -> bool {
        self.0.condition.fault(alert, then).is_none()
    }
}

impl Routes {
    /// The same with what was made beside them. Where both know a channel of a name, that of the file or of the
    /// environment holds.
    pub(crate) fn with(&self, channels: &[ChannelConfig], silences: &[MadeSilence]) -> Arc<Self> {
        let mut all = self.clone();
        for channel in channels {
            if all.channels.contains_key(&channel.name) {
                continue;
            }
            all.channels.insert(channel.name.clone(), channel.clone());
            for route in all.routes.iter_mut().filter(|route| route.is_for_all) {
                route.to.push(channel.name.clone());
            }
        }
        all.silences.extend(silences.iter().map(|silence| silence.0.clone()));
        Arc::new(all)
    }

    /// The routes as their file says them, in their order.
    pub fn told(&self) -> Vec<Json> {
        let told = |route: &super::routes::Route| {
            let mut told = match route.said.clone() {
                Json::Object(members) => members,
                _ => Map::new(),
            };
            told.insert("name".to_owned(), route.name.clone().into());
            told.insert("to".to_owned(), route.to.clone().into());
            Json::Object(told)
        };
        self.routes.iter().map(told).collect()
    }

    /// The silences, as they are said where they were made.
    pub fn silences_told(&self) -> Vec<Json> {
        self.silences.iter().map(|silence| silence.said.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn members(json: Json) -> Map<String, Json> {
        json.as_object().cloned().unwrap()
    }

    fn places(problems: Vec<RouteProblem>) -> Vec<String> {
        problems.into_iter().map(|problem| problem.place).collect()
    }

    #[test]
    fn a_channel_is_read_as_the_file_would_read_it_and_names_no_file() {
        let pager = json!({"type": "webhook", "url": "https://example.com/x", "rate": "20/1h", "headers": {"x-a": "b"}});
        assert_eq!(made_channel("pager", &members(pager)).unwrap().rate.unwrap().messages, 20);
        let mail = json!({"type": "email", "from": "a@b.c", "to": ["d@e.f"], "server": "h", "port": 25});
        assert!(made_channel("mail", &members(mail)).is_ok());
        for (channel, place) in [
            (json!({"type": "file", "path": "/etc/passwd"}), "type"),
            (json!({"type": "webhook", "url": "https://h", "secret_file": "/etc/shadow"}), "secret_file"),
            (json!({"type": "webhook", "url": "https://h", "ca_file": "/x"}), "ca_file"),
            (json!({"type": "webhok", "url": "https://h"}), "type"),
            (json!({"type": "webhook"}), "url"),
            (json!({"type": "webhook", "url": "https://h", "urls": 1}), "urls"),
        ] {
            assert_eq!(
                places(made_channel("x", &members(channel.clone())).unwrap_err()),
                [place],
                "{channel}"
            );
        }
        assert!(made_channel("No Name", &members(json!({"type": "stdout"}))).is_err());
    }

    #[test]
    fn a_secret_stays_where_it_goes_where_it_went() {
        let before = members(json!({"type": "email", "server": "h", "password": "hunter2", "from": "a"}));
        let same = with_secrets(members(json!({"type": "email", "server": "h", "from": "b"})), &before);
        assert_eq!((&same["password"], &same["from"]), (&json!("hunter2"), &json!("b")));
        let usual = with_secrets(members(json!({"type": "email", "server": "h", "port": 587})), &before);
        assert_eq!(
            usual["password"], "hunter2",
            "the port that the list names is the one where none was said"
        );
        for other in [
            json!({"type": "email", "server": "evil"}),
            json!({"type": "email", "server": "h", "port": 26}),
            json!({"type": "email", "server": "h", "encryption": "none"}),
            json!({"type": "webhook", "server": "h"}),
        ] {
            assert!(!with_secrets(members(other.clone()), &before).contains_key("password"), "{other}");
        }
        let hook = members(json!({"type": "webhook", "url": "https://h/secret", "secret": "s"}));
        let kept = with_secrets(members(json!({"type": "webhook", "rate": "none"})), &hook);
        assert_eq!((&kept["url"], &kept["secret"]), (&json!("https://h/secret"), &json!("s")));
        let moved = with_secrets(members(json!({"type": "webhook", "url": "https://evil"})), &hook);
        assert!(!moved.contains_key("secret"));
    }

    #[test]
    fn a_silence_must_end_and_say_which_and_why() {
        let good = json!({"match": {"host": "db-*", "severity": "low"}, "until": "2030-01-01T00:00:00Z", "reason": "disks"});
        assert!(MadeSilence::read(&members(good)).is_ok());
        let found = places(MadeSilence::read(&Map::new()).unwrap_err());
        assert_eq!(found, ["match", "until", "reason"]);
    }
}
