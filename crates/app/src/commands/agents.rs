//! `log-sentinel agents`: who is to send from other machines.

use access::{Agent, NewAgent};
use audit::Action;
use serde_json::{Value as Json, json};

use super::{
    keys::{Place, decided, decides, now},
    note, print, print_json, show,
};
use crate::{
    AppError,
    cli::{AgentsAction, Output},
    settings::Settings,
    wording::{each, table, text},
};

/// Adds, lists or revokes agents.
///
/// # Errors
/// When the service refuses it or does not answer, or the file of keys cannot be written.
pub(crate) async fn run(
    settings: &Settings,
    place: &Place,
    action: AgentsAction,
    output: Output,
) -> Result<(), AppError> {
    match action {
        AgentsAction::Add { name, organization } => {
            let answer = match place {
                Place::Service(client) => {
                    let body = json!({"name": name, "organization": organization});
                    client.post_json("/api/v1/agents", &body).await?
                }
                Place::Folder { keys, url, record, .. } => {
                    let new = NewAgent { name, organization, token_life: settings.listeners.token_life };
                    let decision = api::adds(decides(Action::AgentAdded), &new);
                    let said = |(token, _): &(access::Token, _), decision: api::Decision| {
                        decision.with("token", token.id.as_str())
                    };
                    let (token, secret) = decided(record, decision, || keys.add_agent(&new, now()), said)?;
                    let mut json = api::agent_json(&Agent::Waiting(token), now());
                    json["token"] = secret.reveal().into();
                    json["command"] = {
                        let shows_own = settings.listeners.tls.shows_own();
                        api::enrol_command(url, secret.reveal(), shows_own).into()
                    };
                    json
                }
            };
            if output != Output::Text {
                print_json(&format!("{answer}\n"))?;
                return Ok(());
            }
            if text(&answer, "command").contains("--cacert") {
                note("copy the file access/authority.pem of the service's data folder there first");
            }
            note(&format!("type this on {}, until {}:", text(&answer, "name"), text(&answer, "expires")));
            print(&format!("{}\n", text(&answer, "command")))?;
            Ok(())
        }
        AgentsAction::List => {
            let answer = match place {
                Place::Service(client) => client.get_json("/api/v1/agents", &[]).await?,
                Place::Folder { keys, .. } => {
                    let agents = keys.agents();
                    json!({"agents": agents.iter().map(|agent| api::agent_json(agent, now())).collect::<Vec<_>>()})
                }
            };
            show(output, &answer, Some("agents"), list)
        }
        AgentsAction::Revoke { name } => {
            let answer = match place {
                Place::Service(client) => client.delete(&format!("/api/v1/agents/{name}")).await?,
                Place::Folder { keys, record, .. } => {
                    let decision = decides(Action::AgentRevoked).about(&name);
                    let work = || keys.revoke_agent(&name, now());
                    decided(record, decision, work, |(), decision| decision)?;
                    json!({"name": name, "state": "revoked"})
                }
            };
            show(output, &answer, None, |agent| {
                format!("{} opens nothing from now on\n", text(agent, "name"))
            })
        }
    }
}

fn list(answer: &Json) -> String {
    let rows: Vec<_> = each(answer, "agents")
        .iter()
        .map(|agent| {
            let organization =
                agent["organization"].as_str().map_or("-".to_owned(), |_| text(agent, "organization"));
            let used = agent["last_used"].as_str().map_or("never".to_owned(), |_| text(agent, "last_used"));
            [text(agent, "name"), text(agent, "state"), organization, used]
        })
        .collect();
    table(["NAME", "STATE", "ORGANIZATION", "LAST USED"], &rows)
}
