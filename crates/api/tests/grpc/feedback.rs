//! Feedback: given, felt by scores, listed in parts, taken back.

use super::*;

/// One ordinary record of [`records`] and what is said of it.
fn said(label: v1::Label, note: &str) -> v1::GiveFeedbackRequest {
    v1::GiveFeedbackRequest { event: records(7..8).remove(0), label: label.into(), note: note.to_owned() }
}

async fn predicted(client: &mut AnomalyServiceClient<Channel>, record: &Bytes) -> v1::Verdict {
    let request = v1::PredictRequest { log_records: vec![record.clone()] };
    client.predict(request).await.unwrap().into_inner().predictions.remove(0).verdict.unwrap()
}

#[tokio::test]
async fn feedback_changes_scores_until_it_is_taken_back() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    let trained = train(&mut client, 0..300).await;
    let record = records(7..8).remove(0);
    let before = predicted(&mut client, &record).await;
    assert!(!before.is_anomaly && before.state() == VerdictState::Scored, "{before:?}");

    let given = client.give_feedback(said(v1::Label::Bad, "an attack")).await.unwrap().into_inner();
    assert_eq!((given.id, given.label(), given.note.as_str()), (1, v1::Label::Bad, "an attack"));
    assert_eq!(given.message, "user 7 logged in from 192.0.2.7");
    assert_eq!((given.service_name.as_deref(), given.holds_for_template), (Some("sshd"), false));
    assert_eq!(given.event_time_unix_nano, 1_700_000_007_000_000_000);
    assert!(given.given_at_unix_nano > given.event_time_unix_nano);
    assert!(given.template.as_ref().unwrap().text.starts_with("user <int> logged in"), "{given:?}");
    let model = client.get_model(v1::GetModelRequest::default()).await.unwrap().into_inner();
    assert_eq!(model.version, trained);
    let after = predicted(&mut client, &record).await;
    assert!(after.is_anomaly && after.anomaly_score >= model.threshold, "{after:?}");
    assert_eq!(after.reasons[0], "marked as bad by feedback 1");
    // Similar events too, and when they are learned.
    let scored = client.score_batch(batch(1, 8..9)).await.unwrap().into_inner();
    assert!(scored.verdicts[0].is_anomaly, "{scored:?}");

    let listed = client.list_feedback(v1::ListFeedbackRequest::default()).await.unwrap().into_inner();
    assert_eq!((listed.feedback, listed.further), (vec![given.clone()], 0));
    assert_eq!((listed.most, listed.problem.as_str()), (anomaly::FEEDBACK_MAX as u64, ""));
    let take_back = v1::TakeBackFeedbackRequest { id: 1 };
    assert_eq!(client.take_back_feedback(take_back).await.unwrap().into_inner(), given);
    assert!(!predicted(&mut client, &record).await.is_anomaly);
    let listed = client.list_feedback(v1::ListFeedbackRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.feedback, []);
    let again = client.take_back_feedback(take_back).await.unwrap_err();
    assert_eq!(again.code(), Code::NotFound, "{again}");
    assert!(again.message().contains("ListFeedback"), "{again}");
}

#[tokio::test]
async fn feedback_that_cannot_be_taken_in_is_refused_by_field() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    let with = |event: &'static [u8]| v1::GiveFeedbackRequest {
        event: Bytes::from_static(event),
        ..said(v1::Label::Bad, "")
    };
    for (request, words) in [
        (said(v1::Label::Unspecified, ""), "label: LABEL_NORMAL or LABEL_BAD"),
        (v1::GiveFeedbackRequest { label: 9, ..said(v1::Label::Bad, "") }, "label: "),
        (with(b""), "event: none was given"),
        (with(&[9]), "event: the log record is damaged"),
        (said(v1::Label::Bad, &"x".repeat(anomaly::NOTE_BYTES_MAX + 1)), "note: "),
    ] {
        let status = client.give_feedback(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().starts_with(words), "{status}");
    }
    assert_eq!(server.service.feedback(), []);
}

#[tokio::test]
async fn a_list_that_has_no_room_in_one_message_is_given_in_parts() {
    let config = GrpcConfig { message_bytes_max: 4096, ..GrpcConfig::default() };
    let server = Server::start(&[], config).await;
    let mut client = server.client().await;
    for n in 0..10 {
        client.give_feedback(said(v1::Label::Normal, &format!("{n}{}", "x".repeat(900)))).await.unwrap();
    }
    let (mut ids, mut after_id, mut parts) = (vec![], 0, 0);
    loop {
        let request = v1::ListFeedbackRequest { after_id };
        let part = client.list_feedback(request).await.unwrap().into_inner();
        assert!(prost::Message::encoded_len(&part) <= 4096 && !part.feedback.is_empty());
        ids.extend(part.feedback.iter().map(|given| given.id));
        assert_eq!(ids.len() as u64 + part.further, 10);
        (after_id, parts) = (*ids.last().unwrap(), parts + 1);
        if part.further == 0 {
            break;
        }
    }
    assert_eq!(ids, (1..=10).collect::<Vec<u64>>());
    assert!(parts > 1);
}
