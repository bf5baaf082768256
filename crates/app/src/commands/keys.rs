//! `log-sentinel keys`: through the process that uses the data folder, or on the folder while none does.

use access::{KeyError, Keys, NewKey};
use api::Decision;
use audit::{Action, Actor, ActorKind};
use disk::{DataLock, InUse};
use event::Timestamp;
use serde_json::{Value as Json, json};

use super::{note, print, print_json, show};
use crate::{
    AppError,
    cli::{KeysAction, Output, Scope},
    client::Client,
    instance,
    settings::{Settings, parse_duration},
    wording::{each, table, text, texts},
};

/// Where keys are changed.
pub(crate) enum Place {
    /// A process that runs.
    Service(Client),
    /// The data folder, which this process holds meanwhile.
    Folder {
        /// Its keys.
        keys: Keys,
        /// Where the collector will answer.
        url: String,
        /// What is decided is recorded there.
        record: instance::FolderRecord,
        _held: DataLock,
    },
}

impl Place {
    /// The service that is named, else the data folder of the settings, else the process that holds it.
    ///
    /// # Errors
    /// When the folder cannot be used and no process holds it.
    pub(crate) fn find(settings: &Settings, named: bool, client: Client) -> Result<Self, AppError> {
        let data = &settings.data;
        if named {
            return Ok(Self::Service(client));
        }
        disk::create_dir_all(data).map_err(|source| AppError::File {
            action: "make the data folder",
            path: data.clone(),
            source,
        })?;
        match DataLock::take(data) {
            Ok(held) => {
                let (keys, url) = (instance::keys(settings)?, client.shown().to_owned());
                Ok(Self::Folder { keys, url, record: instance::FolderRecord::of(settings), _held: held })
            }
            Err(InUse::Held { .. }) => Ok(Self::Service(client)),
            Err(error) => Err(error.into()),
        }
    }
}

pub(super) fn now() -> Timestamp {
    intake::system_clock()
}

/// What whoever types this decides.
pub(super) fn decides(action: Action) -> Decision {
    Decision::new(Actor::new(ActorKind::CommandLine, user()), action)
}

/// Who runs this: the user's name, or else number.
fn user() -> String {
    #[cfg(unix)]
    {
        let id = rustix::process::getuid().as_raw().to_string();
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let name = users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == id).then(|| name.chars().take(64).collect())
        });
        name.unwrap_or(id)
    }
    #[cfg(not(unix))]
    String::new()
}

/// Changes keys of a data folder, on record.
///
/// # Errors
/// When that is refused, or cannot be recorded.
pub(super) fn decided<T>(
    record: &instance::FolderRecord,
    decision: Decision,
    work: impl FnOnce() -> Result<T, KeyError>,
    said: impl FnOnce(&T, Decision) -> Decision,
) -> Result<T, AppError> {
    record.carry_out(decision, || work().map_err(AppError::from), said)
}

/// Makes, lists or revokes keys.
///
/// # Errors
/// When the service refuses it or does not answer, or the file of keys cannot be written.
pub(crate) async fn run(place: &Place, action: KeysAction, output: Output) -> Result<(), AppError> {
    match action {
        KeysAction::Create { scopes, name, organization, expires } => {
            let expires = expires.as_deref().map(until).transpose()?;
            let answer = create(place, &scopes, (name.unwrap_or_default(), organization), expires).await?;
            if output != Output::Text {
                print_json(&format!("{answer}\n"))?;
                return Ok(());
            }
            note(&format!("key {} for {}; it is shown this once:", text(&answer, "id"), scopes_of(&answer)));
            print(&format!("{}\n", text(&answer, "key")))?;
            Ok(())
        }
        KeysAction::List => {
            let answer = match place {
                Place::Service(client) => client.get_json("/api/v1/keys", &[]).await?,
                Place::Folder { keys, .. } => {
                    json!({"keys": keys.list().iter().map(|key| api::key_json(key, now())).collect::<Vec<_>>()})
                }
            };
            show(output, &answer, Some("keys"), list)
        }
        KeysAction::Revoke { id } => {
            let answer = match place {
                Place::Service(client) => client.delete(&format!("/api/v1/keys/{id}")).await?,
                Place::Folder { keys, record, .. } => {
                    let decision = decides(Action::KeyRevoked).about(api::told_id(&id));
                    let work = || keys.revoke(&id, now());
                    let key =
                        decided(record, decision, work, |key, decision| decision.with("name", &*key.name))?;
                    api::key_json(&key, now())
                }
            };
            show(output, &answer, None, |key| format!("key {} opens nothing from now on\n", text(key, "id")))
        }
    }
}

async fn create(
    place: &Place,
    scopes: &[Scope],
    (name, organization): (String, Option<String>),
    expires: Option<Timestamp>,
) -> Result<Json, AppError> {
    let scopes = scopes.iter().map(|scope| match scope {
        Scope::Ingest => access::Scope::Ingest,
        Scope::Read => access::Scope::Read,
        Scope::Admin => access::Scope::Admin,
    });
    match place {
        Place::Service(client) => {
            let scopes: Vec<_> = scopes.map(access::Scope::as_str).collect();
            let body =
                json!({"scopes": scopes, "name": name, "organization": organization, "expires": expires});
            Ok(client.post_json("/api/v1/keys", &body).await?)
        }
        Place::Folder { keys, record, .. } => {
            let new = NewKey { name, scopes: scopes.collect(), organization, expires };
            let decision = api::creates(decides(Action::KeyCreated), &new);
            let work = || keys.create(&new, now());
            let (key, secret) =
                decided(record, decision, work, |(key, _), decision| decision.about(&key.id))?;
            let mut json = api::key_json(&key, now());
            json["key"] = secret.reveal().into();
            Ok(json)
        }
    }
}

/// An age from now, or a time.
fn until(text: &str) -> Result<Timestamp, AppError> {
    let later = parse_duration(text)
        .map(|age| now().saturating_add(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX)));
    later.or_else(|| Timestamp::parse(text).ok()).ok_or_else(|| AppError::Expiry(text.to_owned()))
}

fn scopes_of(key: &Json) -> String {
    texts(key, "scopes").join(",")
}

fn list(answer: &Json) -> String {
    let rows: Vec<_> = each(answer, "keys")
        .iter()
        .map(|key| {
            let or = |member: &str, other: &str| match key[member].as_str() {
                Some(_) => text(key, member),
                None => other.to_owned(),
            };
            [
                text(key, "id"),
                text(key, "state"),
                scopes_of(key),
                or("organization", "-"),
                or("expires", "never"),
                or("last_used", "never"),
                text(key, "name"),
            ]
        })
        .collect();
    table(["ID", "STATE", "SCOPES", "ORGANIZATION", "EXPIRES", "LAST USED", "NAME"], &rows)
}
