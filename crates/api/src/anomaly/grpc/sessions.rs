//! The sessions found strange lately, and how many there are.

use anomaly::{STRANGE_MAX, Service, SessionEnd, StrangeSession, TemplateCount};
use tonic::Status;
use wire::v1;

use super::{answer::fitting, refusal::limit};

pub(super) fn list(
    service: &Service,
    request: v1::ListStrangeSessionsRequest,
    bytes_max: usize,
) -> Result<v1::ListStrangeSessionsResponse, Status> {
    let limit = limit(request.limit, STRANGE_MAX)?;
    let stats = service.stats();
    let strange = service.strange_sessions().into_iter().take(limit);
    let (sessions, _) = fitting(strange.map(session), bytes_max);
    Ok(v1::ListStrangeSessionsResponse {
        sessions,
        open_sessions: stats.open_sessions,
        ended_sessions: stats.ended_sessions,
        strange_sessions: stats.strange_sessions,
        evicted_sessions: stats.evicted_sessions,
    })
}

fn session(session: StrangeSession) -> v1::StrangeSession {
    let end = match session.end {
        SessionEnd::Open => v1::SessionEnd::Open,
        SessionEnd::Closed => v1::SessionEnd::Closed,
        SessionEnd::Silent => v1::SessionEnd::Silent,
        SessionEnd::Evicted => v1::SessionEnd::Evicted,
    };
    let nearest = session.nearest.into_iter();
    v1::StrangeSession {
        key: session.key,
        kind: session.kind,
        first_event_id: session.first.to_string(),
        last_event_id: session.last.to_string(),
        from_unix_nano: session.from.as_nanos() as u64,
        to_unix_nano: session.to.as_nanos() as u64,
        events: session.events,
        score: session.score,
        p_value: session.p_value,
        end: end.into(),
        reasons: session.reasons,
        nearest: nearest.map(template_count).collect(),
    }
}

fn template_count(normal: TemplateCount) -> v1::TemplateCount {
    v1::TemplateCount { template: normal.template, count: normal.count }
}
