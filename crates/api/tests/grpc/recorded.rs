//! What is decided over gRPC is on record before it is answered, and refused when that cannot be.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use access::{Keys, KeysConfig, NewKey, Scope};
use api::Decisions;
use audit::Audit;
use tonic::{Status, metadata::MetadataValue, service::interceptor::InterceptedService};

use super::*;

type Client<F> = AnomalyServiceClient<InterceptedService<Channel, F>>;

fn now() -> Timestamp {
    Timestamp::from_jiff(jiff::Timestamp::now()).unwrap()
}

/// What is on record of actions with this name: actor's id, outcome, target.
fn recorded(dir: &Path, action: &str) -> Vec<(String, String, String)> {
    let mut all = vec![];
    audit::each(dir, |_, entry| {
        if entry.action == action {
            all.push((entry.actor.id, entry.outcome, entry.target));
        }
        true
    })
    .unwrap();
    all
}

/// Makes a call that changes something; None for one that this does not know.
async fn call<F>(client: &mut Client<F>, name: &str) -> Option<(&'static str, Result<(), Status>)>
where
    F: tonic::service::Interceptor,
{
    let id = || "0000000000000000".to_owned();
    Some(match name {
        "Train" => {
            let part = v1::TrainRequest { log_records: records(0..100) };
            ("model.trained", client.train(tokio_stream::iter([part])).await.map(drop))
        }
        "ActivateModel" => {
            let request = v1::ActivateModelRequest { version: "00000009-00000000".to_owned() };
            ("model.activated", client.activate_model(request).await.map(drop))
        }
        "RollBackModel" => {
            ("model.rolled_back", client.roll_back_model(v1::RollBackModelRequest {}).await.map(drop))
        }
        "ImportModel" => {
            let request = v1::ImportModelRequest { model: "no model".into() };
            ("model.imported", client.import_model(request).await.map(drop))
        }
        "StartFrom" => {
            let request = v1::StartFromRequest { starter: "no starter".into() };
            ("starter.taken", client.start_from(request).await.map(drop))
        }
        "GiveFeedback" => {
            let event = records(0..1).remove(0);
            let label = v1::Label::Normal.into();
            let request = v1::GiveFeedbackRequest { event, label, ..Default::default() };
            ("feedback.given", client.give_feedback(request).await.map(drop))
        }
        "TakeBackFeedback" => {
            let request = v1::TakeBackFeedbackRequest { id: 9 };
            ("feedback.withdrawn", client.take_back_feedback(request).await.map(drop))
        }
        "NameTemplate" => {
            let request = v1::NameTemplateRequest { id: id(), name: "a name".to_owned() };
            ("template.changed", client.name_template(request).await.map(drop))
        }
        "PinTemplate" => {
            let request = v1::PinTemplateRequest { id: id() };
            ("template.changed", client.pin_template(request).await.map(drop))
        }
        "SplitTemplate" => {
            let by = Some(v1::split_template_request::By::Variable(1));
            let request = v1::SplitTemplateRequest { id: id(), by };
            ("template.changed", client.split_template(request).await.map(drop))
        }
        "MergeTemplates" => {
            let request = v1::MergeTemplatesRequest { templates: vec![id(), "0000000000000001".to_owned()] };
            ("template.changed", client.merge_templates(request).await.map(drop))
        }
        "UndoTemplateOperation" => {
            let request = v1::UndoTemplateOperationRequest { id: 9 };
            ("template.changed", client.undo_template_operation(request).await.map(drop))
        }
        _ => return None,
    })
}

#[tokio::test]
async fn every_call_that_changes_something_leaves_a_record_of_who_made_it() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::open(KeysConfig { path: dir.path().join("keys"), max: 10 }).unwrap();
    let new = NewKey { scopes: [Scope::Admin].into_iter().collect(), ..NewKey::default() };
    let (key, secret) = keys.create(&new, now()).unwrap();
    let who = Arc::new(access::Access::new(&access::Config::default(), Some(keys)));
    let record = dir.path().join("audit");
    let audit = Audit::open(audit::Config::new(&record), None, now()).unwrap();
    let decisions = Decisions::on(Arc::new(OnceLock::from(audit.clone())));
    let access = Access::over(&[], who).recording(decisions);
    let server = Server::start_for(access, GrpcConfig::default(), 50).await;
    let bearer: MetadataValue<_> = format!("Bearer {}", secret.reveal()).parse().unwrap();
    let with_key = move |mut request: Request<()>| {
        request.metadata_mut().insert("authorization", bearer.clone());
        Ok(request)
    };
    let mut client = AnomalyServiceClient::with_interceptor(server.channel().await, with_key);
    let changing: Vec<&str> = calls().into_iter().filter(|call| scope_of(call) == Scope::Admin).collect();
    assert!(changing.len() >= 12, "{changing:?}");
    for name in &changing {
        let made = call(&mut client, name).await;
        let (action, outcome) = made.unwrap_or_else(|| panic!("{name} leaves no record"));
        let on_record = recorded(&record, action);
        let [.., asked, ended] = on_record.as_slice() else {
            panic!("{name} is not on record: {on_record:?}")
        };
        let expected = if outcome.is_ok() { "done" } else { "refused" };
        assert_eq!((asked.0.as_str(), asked.1.as_str()), (&*key.id, "asked"), "{name}");
        assert_eq!((ended.0.as_str(), ended.1.as_str()), (&*key.id, expected), "{name}: {outcome:?}");
    }
    let version = server.service.model().version;
    assert!(recorded(&record, "model.trained").iter().any(|(_, _, target)| *target == version));

    audit.close(now()).unwrap();
    for name in changing {
        let (_, outcome) = call(&mut client, name).await.unwrap();
        assert_eq!(outcome.unwrap_err().code(), Code::Unavailable, "{name}");
    }
    assert_eq!(server.service.model().version, version);
    let scored = client.score_batch(batch(1, 0..3)).await.unwrap_err();
    assert_eq!(scored.code(), Code::PermissionDenied, "what only scores is no matter of the record");
}
