//! Templates: listed, named, pinned, split, merged, and it is undone.

use super::*;

const UNKNOWN: &str = "0123456789abcdef";

async fn learn(client: &mut AnomalyServiceClient<Channel>, messages: &[&str]) {
    let record = |message: &&str| {
        encoded(&Event::new(*message, Timestamp::from_nanos(1_700_000_900_000_000_000).unwrap()))
    };
    let part = v1::TrainRequest { log_records: messages.iter().map(record).collect() };
    client.train(tokio_stream::iter([part])).await.unwrap();
}

/// The template that a message has.
async fn template_of(client: &mut AnomalyServiceClient<Channel>, message: &str) -> v1::Template {
    let log_records = vec![encoded(&Event::new(message, Timestamp::MIN))];
    let answer = client.predict(v1::PredictRequest { log_records }).await.unwrap().into_inner();
    answer.predictions[0].template.clone().unwrap()
}

#[tokio::test]
async fn templates_are_named_pinned_split_merged_and_it_is_undone() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    train(&mut client, 0..300).await;
    learn(&mut client, &["queue alpha full", "queue beta full"]).await;
    let login = "user 3 logged in from 192.0.2.3";
    let id = template_of(&mut client, login).await.id;

    let name = v1::NameTemplateRequest { id: id.clone(), name: "logins".into() };
    let named = client.name_template(name).await.unwrap().into_inner();
    assert_eq!((named.action(), named.name.as_deref()), (v1::TemplateAction::Name, Some("logins")));
    assert!(named.in_effect && named.templates[0].id == id && named.given_at_unix_nano > 0, "{named:?}");
    assert_eq!(template_of(&mut client, login).await.name.as_deref(), Some("logins"));
    let query = |query: &str| v1::ListTemplatesRequest { query: query.to_owned(), limit: None };
    let listed = client.list_templates(query("LOGINS")).await.unwrap().into_inner();
    assert_eq!((listed.total, listed.templates.len()), (1, 1));
    assert_eq!(listed.templates[0].template.as_ref().unwrap().name.as_deref(), Some("logins"));
    let pin = v1::PinTemplateRequest { id: id.clone() };
    let pinned = client.pin_template(pin.clone()).await.unwrap().into_inner();
    assert_eq!(pinned.action(), v1::TemplateAction::Pin);
    assert_eq!(client.pin_template(pin).await.unwrap_err().code(), Code::FailedPrecondition);

    let split =
        v1::SplitTemplateRequest { id: id.clone(), by: Some(v1::split_template_request::By::Variable(1)) };
    let parted = client.split_template(split).await.unwrap().into_inner();
    assert_eq!((parted.action(), parted.variable), (v1::TemplateAction::Split, Some(1)));
    learn(&mut client, &[login]).await;
    let part = template_of(&mut client, login).await;
    assert_ne!(part.id, id);
    let part = client.get_template(v1::GetTemplateRequest { id: part.id }).await.unwrap().into_inner();
    assert_eq!(part.part_of.as_deref(), Some(id.as_str()));
    let whole = client.get_template(v1::GetTemplateRequest { id: id.clone() }).await.unwrap().into_inner();
    assert!(whole.pinned && whole.split && !whole.variables.is_empty(), "{whole:?}");

    let queues = [
        template_of(&mut client, "queue alpha full").await.id,
        template_of(&mut client, "queue beta full").await.id,
    ];
    let merge = v1::MergeTemplatesRequest { templates: queues.to_vec() };
    let merged = client.merge_templates(merge).await.unwrap().into_inner();
    assert_eq!((merged.action(), merged.templates.len()), (v1::TemplateAction::Merge, 2));
    let result = merged.result.clone().unwrap().id;
    for queue in &queues {
        let found =
            client.get_template(v1::GetTemplateRequest { id: queue.clone() }).await.unwrap().into_inner();
        assert_eq!(found.template.unwrap().id, result, "the old id still finds it");
        assert!(found.aliases.contains(queue) && found.aliases_total == found.aliases.len() as u64);
    }

    let list = |after_id| v1::ListTemplateOperationsRequest { after_id };
    let all = client.list_template_operations(list(0)).await.unwrap().into_inner();
    assert_eq!(all.operations, [named, pinned.clone(), parted.clone(), merged.clone()]);
    assert_eq!((all.further, all.problem.as_str()), (0, ""));
    let later = client.list_template_operations(list(pinned.id)).await.unwrap().into_inner();
    assert_eq!(later.operations, [parted.clone(), merged.clone()]);
    for (operation, message, before) in [(merged, "queue alpha full", &queues[0]), (parted, login, &id)] {
        let undo = v1::UndoTemplateOperationRequest { id: operation.id };
        let undone = client.undo_template_operation(undo).await.unwrap().into_inner();
        assert_eq!(undone, v1::TemplateOperation { in_effect: false, ..operation });
        assert_eq!(template_of(&mut client, message).await.id, *before);
        assert_eq!(client.undo_template_operation(undo).await.unwrap_err().code(), Code::NotFound);
    }
    let left = client.list_template_operations(list(0)).await.unwrap().into_inner();
    assert_eq!(left.operations.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_done_to_templates_is_refused_with_its_reason() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    train(&mut client, 0..300).await;
    let id = template_of(&mut client, "user 3 logged in from 192.0.2.3").await.id;
    for unknown in [UNKNOWN, "nonsense", ""] {
        let id = unknown.to_owned();
        let name = v1::NameTemplateRequest { id: id.clone(), name: "x".into() };
        let by = Some(v1::split_template_request::By::Variable(1));
        for status in [
            client.get_template(v1::GetTemplateRequest { id: id.clone() }).await.unwrap_err(),
            client.name_template(name).await.unwrap_err(),
            client.pin_template(v1::PinTemplateRequest { id: id.clone() }).await.unwrap_err(),
            client.split_template(v1::SplitTemplateRequest { id, by }).await.unwrap_err(),
        ] {
            assert_eq!(status.code(), Code::NotFound, "{unknown}: {status}");
            assert!(status.message().contains("ListTemplates"), "{unknown}: {status}");
        }
    }
    let undo = client.undo_template_operation(v1::UndoTemplateOperationRequest { id: 1 }).await.unwrap_err();
    assert_eq!(undo.code(), Code::NotFound, "{undo}");
    let name = v1::NameTemplateRequest { id: id.clone(), name: "x".repeat(257) };
    let status = client.name_template(name).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert!(status.message().starts_with("name: "), "{status}");
    use v1::split_template_request::By;
    for (by, words) in [
        (None, "by: "),
        (Some(By::Variable(0)), "variable: "),
        (Some(By::Variable(99)), "variable: "),
        (Some(By::Example("another line".into())), "example: "),
    ] {
        let status =
            client.split_template(v1::SplitTemplateRequest { id: id.clone(), by }).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().starts_with(words), "{status}");
    }
    for (templates, code, words) in [
        (vec![], Code::InvalidArgument, "templates: "),
        (vec![id.clone()], Code::InvalidArgument, "templates: "),
        (vec![id.clone(), "nonsense".into()], Code::InvalidArgument, "templates: number 2 "),
        (vec![id.clone(), UNKNOWN.into()], Code::NotFound, "there is no template"),
    ] {
        let status = client.merge_templates(v1::MergeTemplatesRequest { templates }).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().starts_with(words), "{status}");
    }
    let limit = v1::ListTemplatesRequest { limit: Some(1_001), ..Default::default() };
    let status = client.list_templates(limit).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert!(status.message().starts_with("limit: "), "{status}");
    let none = v1::ListTemplatesRequest { limit: Some(0), ..Default::default() };
    let answer = client.list_templates(none).await.unwrap().into_inner();
    assert!(answer.templates.is_empty() && answer.total > 0, "{answer:?}");
    assert_eq!(server.service.template_operations(), []);
}
