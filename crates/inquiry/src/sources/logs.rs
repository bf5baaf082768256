//! Events.

use event::{Document, field, member};
use index::{Hit, Limits, SearchRequest, Selection};
use query::{Query, Test, Texts};
use search::Searcher;
use serde_json::Value as Json;
use sql::{Question, Value};

use crate::{
    AskError, Scope,
    filling::{Filling, Row, real, text},
    tables::LOGS,
    time,
};

/// Events and bytes that are read at a time.
const PAGE: usize = 2_000;
const PAGE_BYTES: usize = 4 << 20;
/// Work that looking for events may be: rows read and tests made on them.
const WORK_MAX: u64 = 500_000_000;
/// Columns by whose text events can be told apart before they are read, and the fields that they are.
const NARROWING: &[(&str, &str)] = &[
    ("level", field::LEVEL),
    ("host", field::HOST_NAME),
    ("service", field::SERVICE_NAME),
    ("template_id", field::TEMPLATE_ID),
    ("source_ip", "source.ip"),
    ("user", "user.name"),
];

pub(crate) async fn fill(
    searcher: &Searcher,
    question: &Question,
    scope: &Scope,
    filling: &mut Filling,
) -> Result<(), AskError> {
    filling.table(&LOGS);
    let mut request = SearchRequest {
        bytes_max: PAGE_BYTES,
        counted: false,
        ..SearchRequest::new(selection(question, scope), PAGE)
    };
    loop {
        if filling.is_late() {
            return Ok(());
        }
        // One more than there is room for shows that there are more.
        request.limit = PAGE.min(filling.rows_left() + 1);
        let limits = Limits::new(filling.deadline, WORK_MAX);
        let asked = searcher.search(request.clone(), &limits);
        let Ok(found) = tokio::time::timeout_at(filling.deadline.into(), asked).await else {
            filling.is_late();
            return Ok(());
        };
        let found = match found {
            Ok(found) => found,
            Err(search::SearchError::TimedOut | search::SearchError::TooLarge { .. }) => {
                filling.cut("looking for events took as long as it may; narrow it by time");
                return Ok(());
            }
            Err(error) => return Err(AskError::Search(error)),
        };
        if let Some(why) = found.partial {
            filling.cut(why);
        }
        for hit in &found.result.hits {
            if !filling.row(row(question, hit)) {
                return Ok(());
            }
        }
        request.after = found.result.next;
        if request.after.is_none() {
            return Ok(());
        }
    }
}

/// Which events can matter.
fn selection(question: &Question, scope: &Scope) -> Selection {
    let conditions = question.conditions(LOGS.name);
    let (from, to) = time::period(&conditions, "timestamp", scope.at);
    let equals = |path: &str, texts: Vec<String>| Query::Field {
        path: path.to_owned(),
        test: Test::OneOf(Texts::new(texts)),
    };
    let mut parts: Vec<Query> =
        scope.organization.iter().map(|own| equals(field::ORGANIZATION, vec![own.clone()])).collect();
    for (column, path) in NARROWING {
        if let Some(texts) = time::one_of(&conditions, column) {
            parts.push(equals(path, texts));
        }
    }
    Selection {
        query: Query::and(parts),
        from: from.max(scope.from),
        to: [to, scope.to].into_iter().flatten().min(),
    }
}

fn row(question: &Question, hit: &Hit) -> Vec<Value> {
    let document: &Document = &hit.document;
    let said = |path: &str| match member(document, path) {
        None | Some(Json::Null) => Value::Null,
        Some(Json::String(said)) => text(Some(said)),
        Some(other) => Value::Text(other.to_string()),
    };
    Row::of(question, &LOGS)
        .with("timestamp", || time::value(hit.key.timestamp))
        .with("id", || Value::Text(hit.key.id.to_string()))
        .with("level", || said(field::LEVEL))
        .with("host", || said(field::HOST_NAME))
        .with("service", || said(field::SERVICE_NAME))
        .with("message", || said(field::MESSAGE))
        .with("template_id", || said(field::TEMPLATE_ID))
        .with("template", || said(field::TEMPLATE_TEXT))
        .with("score", || real(member(document, field::ANOMALY_SCORE).and_then(Json::as_f64)))
        .with("is_anomaly", || {
            let is_anomaly = member(document, field::ANOMALY_IS_ANOMALY).and_then(Json::as_bool);
            is_anomaly.map_or(Value::Null, |is_anomaly| Value::Integer(is_anomaly.into()))
        })
        .with("source_ip", || said("source.ip"))
        .with("user", || said("user.name"))
        .with("organization", || said(field::ORGANIZATION))
        .with("fields", || serde_json::to_string(document).map_or(Value::Null, Value::Text))
        .done()
}
