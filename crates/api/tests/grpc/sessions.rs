//! Sessions found strange, and starters.

use super::*;

fn id(n: u64) -> String {
    format!("{:016x}", (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Messages of one request after the other, each with an id of its own; one lacks a step.
fn requests() -> v1::ScoreRequest {
    let mut log_records = Vec::new();
    for n in 0..600_u64 {
        let id = id(n);
        let mut steps = vec![
            format!("request {id} accepted"),
            format!("checked the rights of request {id}"),
            format!("stored request {id} in {} ms", 5 + n % 20),
            format!("answered request {id}"),
        ];
        if n == 500 {
            steps.remove(2);
        }
        for (step, message) in (0..).zip(steps) {
            let nanos = 1_700_000_000_000_000_000 + (n * 20 + step) as i64 * 1_000_000_000;
            let mut event = Event::new(message, Timestamp::from_nanos(nanos).unwrap());
            event.source = Some("orders".into());
            log_records.push(encoded(&event));
        }
    }
    let positions = (0..log_records.len() as u64).collect();
    v1::ScoreRequest { journal_id: vec![7; 16].into(), positions, log_records }
}

#[tokio::test]
async fn strange_sessions_are_listed() {
    let server = Server::start_with(&[], GrpcConfig::default(), 2_000).await;
    let mut client = server.client().await;
    let list = |limit| v1::ListStrangeSessionsRequest { limit };
    let none = client.list_strange_sessions(list(None)).await.unwrap().into_inner();
    assert_eq!(none, v1::ListStrangeSessionsResponse::default());
    client.score_batch(requests()).await.unwrap();

    let all = client.list_strange_sessions(list(None)).await.unwrap().into_inner();
    assert_eq!((all.strange_sessions, all.evicted_sessions), (1, 0), "{all:?}");
    assert!(all.open_sessions > 0 && all.ended_sessions > 500, "{all:?}");
    let session = &all.sessions[0];
    assert_eq!((session.key.as_str(), session.events), (id(500).as_str(), 3));
    let journal = "07".repeat(16);
    assert_eq!(session.first_event_id, format!("{journal}-00000000-{:08x}", 2_000));
    assert_eq!(session.last_event_id, format!("{journal}-00000000-{:08x}", 2_002));
    assert_eq!(session.from_unix_nano, 1_700_010_000_000_000_000);
    assert_eq!(session.to_unix_nano, 1_700_010_002_000_000_000);
    assert!(session.score > 0.0 && session.score <= 1.0 && session.p_value < 0.05, "{session:?}");
    assert!([v1::SessionEnd::Closed, v1::SessionEnd::Silent].contains(&session.end()), "{session:?}");
    assert!(session.reasons.concat().contains("stored request"), "{session:?}");
    assert_eq!(session.nearest.len(), 4, "the four steps of an ordinary request: {session:?}");
    assert!(session.nearest.iter().all(|one| one.count == 1 && !one.template.is_empty()));
    let none = client.list_strange_sessions(list(Some(0))).await.unwrap().into_inner();
    assert!(none.sessions.is_empty() && none.strange_sessions == 1);
    let status = client.list_strange_sessions(list(Some(257))).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert!(status.message().starts_with("limit: "), "{status}");
}

#[tokio::test]
async fn a_starter_serves_until_there_is_a_model_of_its_own() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/sshd-auth.starter");
    let starter = std::fs::read(shipped).unwrap();
    let start = |bytes: &[u8]| v1::StartFromRequest { starter: Bytes::copy_from_slice(bytes) };
    let huge = vec![0; anomaly::STARTER_BYTES_MAX + 1];
    for (bytes, code) in [
        (&b""[..], Code::InvalidArgument),
        (b"no starter", Code::InvalidArgument),
        (&starter[..starter.len() - 1], Code::InvalidArgument),
        (&huge, Code::OutOfRange),
    ] {
        let status = client.start_from(start(bytes)).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
    }
    let listed = client.list_starters(v1::ListStartersRequest {}).await.unwrap().into_inner();
    assert!(listed.starters.is_empty() && listed.most == anomaly::STARTERS_MAX as u64, "{listed:?}");

    let model = client.start_from(start(&starter)).await.unwrap().into_inner();
    assert_eq!((model.state(), model.trained_for()), (VerdictState::Scored, v1::Origin::Starter));
    assert!(model.active && model.needed > 0, "{model:?}");
    let listed = client.list_starters(v1::ListStartersRequest {}).await.unwrap().into_inner();
    assert_eq!(listed.starters.len(), 1);
    assert_eq!(listed.starters[0].name, "sshd-auth");
    assert!(listed.starters[0].events > 0 && listed.starters[0].templates > 0, "{listed:?}");
    assert_eq!(listed.problems, Vec::<String>::new());
    let version = train(&mut client, 0..300).await;
    let own = client.get_model(v1::GetModelRequest::default()).await.unwrap().into_inner();
    assert_eq!((own.version, own.trained_for), (version, v1::Origin::Request.into()));
}
