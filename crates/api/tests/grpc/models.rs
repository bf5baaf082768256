//! Models: their cards, compared, rolled back, carried elsewhere; rules; trainings that end early.

use super::*;

fn get(version: &str) -> v1::GetModelRequest {
    v1::GetModelRequest { version: version.to_owned() }
}

fn import(model: impl Into<Bytes>) -> v1::ImportModelRequest {
    v1::ImportModelRequest { model: model.into() }
}

#[tokio::test]
async fn models_are_compared_rolled_back_and_carried_elsewhere() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    let empty = client.get_model(get("")).await.unwrap().into_inner();
    assert_eq!((empty.state(), empty.trained_for()), (VerdictState::WarmingUp, v1::Origin::Unspecified));
    assert_eq!((empty.active, empty.standing()), (false, v1::Standing::Unspecified), "there is none");
    assert!(empty.features.is_empty() && empty.drift.is_none(), "{empty:?}");
    let none = client.roll_back_model(v1::RollBackModelRequest {}).await.unwrap_err();
    assert_eq!(none.code(), Code::FailedPrecondition, "{none}");
    let (a, b) = (train(&mut client, 0..300).await, train(&mut client, 0..600).await);

    let card = client.get_model(get("")).await.unwrap().into_inner();
    assert_eq!((card.version.as_str(), card.standing()), (b.as_str(), v1::Standing::Serving));
    assert_eq!((card.trained_for(), card.features.len()), (v1::Origin::Request, 16));
    assert!(card.sample_rows > 0 && card.why.is_empty(), "{card:?}");
    let sum: f32 = card.features.iter().map(|feature| feature.share_of_splits).sum();
    assert!(card.features.iter().all(|f| !f.name.is_empty() && (0.0..=1.0).contains(&f.share_of_events)));
    assert!(sum >= 0.99, "each split looks at one feature or two: {sum}");
    let drift = card.drift.unwrap();
    assert!(!drift.drifting && drift.since_unix_nano.is_none(), "{drift:?}");
    let other = client.get_model(get(&a)).await.unwrap().into_inner();
    assert_eq!((other.active, other.standing(), other.drift), (false, v1::Standing::Kept, None));

    let request = v1::CompareModelsRequest { a: a.clone(), b: b.clone() };
    let compared = client.compare_models(request).await.unwrap().into_inner();
    let expected = server.service.compare(&a, &b).unwrap();
    assert_eq!(compared.a.unwrap().version, a);
    assert_eq!(compared.b.unwrap().flagged, expected.b.flagged);
    assert!(compared.events > 0 && (-1.0..=1.0).contains(&compared.rank_correlation));
    assert_eq!((compared.events, compared.flags_differ), (expected.events, expected.differ));
    assert_eq!(compared.disagreements.len(), expected.disagreements.len());

    let back = client.roll_back_model(v1::RollBackModelRequest {}).await.unwrap().into_inner();
    assert_eq!((back.version.as_str(), back.standing()), (a.as_str(), v1::Standing::Serving));
    let none = client.roll_back_model(v1::RollBackModelRequest {}).await.unwrap_err();
    assert_eq!(none.code(), Code::FailedPrecondition, "{none}");
    let listed = client.list_models(v1::ListModelsRequest {}).await.unwrap().into_inner().models;
    let standings: Vec<v1::Standing> = listed.iter().map(v1::Model::standing).collect();
    assert_eq!(standings, [v1::Standing::Serving, v1::Standing::RolledBack]);
    assert_eq!(listed[1].why, format!("rolled back to {a}"));

    let export = v1::ExportModelRequest { version: b };
    let exported = client.export_model(export).await.unwrap().into_inner().model;
    let elsewhere = Server::start(&[], GrpcConfig::default()).await;
    let mut there = elsewhere.client().await;
    train(&mut there, 0..100).await;
    let brought = there.import_model(import(exported.clone())).await.unwrap().into_inner();
    assert_eq!((brought.active, brought.standing()), (false, v1::Standing::Imported));
    assert_eq!((brought.events, brought.sample_rows), (card.events, card.sample_rows));
    let activate = v1::ActivateModelRequest { version: brought.version.clone() };
    assert!(there.activate_model(activate.clone()).await.unwrap().into_inner().active);
    assert!(there.activate_model(activate).await.unwrap().into_inner().active, "it serves already");
    let export = v1::ExportModelRequest { version: brought.version };
    assert_eq!(there.export_model(export).await.unwrap().into_inner().model, exported);
}

#[tokio::test]
async fn models_that_are_not_there_or_are_none_are_refused() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    let version = train(&mut client, 0..300).await;
    let compare = v1::CompareModelsRequest { a: version.clone(), b: "none".to_owned() };
    for status in [
        client.get_model(get("none")).await.unwrap_err(),
        client.get_model(get("00000099-3fa4c1d2")).await.unwrap_err(),
        client.activate_model(v1::ActivateModelRequest { version: "none".into() }).await.unwrap_err(),
        client.export_model(v1::ExportModelRequest { version: "none".into() }).await.unwrap_err(),
        client.export_model(v1::ExportModelRequest::default()).await.unwrap_err(),
        client.compare_models(compare).await.unwrap_err(),
        client.compare_models(v1::CompareModelsRequest::default()).await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::NotFound, "{status}");
        assert!(status.message().contains("ListModels"), "{status}");
    }
    let model = server.service.export(&version).unwrap();
    let mut altered = model.clone();
    altered[100] ^= 1;
    for (bytes, code) in [
        (vec![], Code::InvalidArgument),
        (b"no model".to_vec(), Code::InvalidArgument),
        (model[..model.len() - 1].to_vec(), Code::InvalidArgument),
        (altered, Code::InvalidArgument),
        (vec![0; (32 << 20) + 1], Code::OutOfRange),
        (vec![0; 17 << 20], Code::OutOfRange),
    ] {
        let length = bytes.len();
        let status = client.import_model(import(bytes)).await.unwrap_err();
        assert_eq!(status.code(), code, "{length}: {status}");
    }
    assert_eq!(server.service.models().len(), 1);
    assert_eq!(server.service.model().version, version);
}

#[tokio::test]
async fn an_export_that_has_no_room_in_a_message_is_refused_in_words() {
    let config = GrpcConfig { message_bytes_max: 64 << 10, ..GrpcConfig::default() };
    let server = Server::start(&[], config).await;
    let mut client = server.client().await;
    let version = train(&mut client, 0..300).await;
    let status = client.export_model(v1::ExportModelRequest { version }).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    assert!(status.message().contains("at most 65536"), "{status}");
}

#[tokio::test]
async fn rules_tell_what_recent_anomalies_have_in_common() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    let none = client.get_rules(v1::GetRulesRequest {}).await.unwrap().into_inner();
    assert_eq!(none, v1::GetRulesResponse::default());
    client.score_batch(batch(1, 0..3_000)).await.unwrap();
    let crashes: Vec<Bytes> = (0..20)
        .map(|n| {
            let time = Timestamp::from_nanos(1_700_003_100_000_000_000 + n * 1_000_000_000).unwrap();
            let mut event = Event::new(format!("core dumped after {n} tries"), time);
            event.source = Some("crashd".into());
            encoded(&event)
        })
        .collect();
    let (event, label) = (crashes[0].clone(), v1::Label::Bad.into());
    client.give_feedback(v1::GiveFeedbackRequest { event, label, note: String::new() }).await.unwrap();
    let request = v1::ScoreRequest { log_records: crashes, ..v1::ScoreRequest::default() };
    client.score_batch(request).await.unwrap();
    let found = client.get_rules(v1::GetRulesRequest {}).await.unwrap().into_inner();
    assert!(found.anomalies >= 20 && found.ordinary >= 32, "{found:?}");
    let rule = &found.rules[0];
    assert!(rule.text.contains("crashd") && rule.anomalies >= 20, "{rule:?}");
    assert_eq!(rule.share_of_ordinary, 0.0, "{rule:?}");
}

#[tokio::test]
async fn a_training_ends_with_its_call() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    let call = task::spawn("training", {
        let mut client = client.clone();
        async move {
            let part = v1::TrainRequest { log_records: records(0..100_000) };
            client.train(tokio_stream::iter([part])).await
        }
    });
    let learning = async {
        while server.service.stats().templates == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, learning).await.unwrap();
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let next = async {
        loop {
            let part = v1::TrainRequest { log_records: records(0..300) };
            match client.train(tokio_stream::iter([part])).await {
                Err(status) if status.code() == Code::ResourceExhausted => tokio::task::yield_now().await,
                answer => break answer,
            }
        }
    };
    let trained = timeout(SOON, next).await.unwrap().unwrap().into_inner();
    let models = server.service.models();
    assert_eq!(models.len(), 1, "none came of the call that went away: {models:?}");
    assert_eq!(models[0].version, trained.model_version);
}
