//! What sources there were, asked of the store.

use std::time::{Duration, Instant};

use event::{Timestamp, field};
use index::{FieldValuesRequest, Limits, Selection};
use query::{Query, Test};
use report::{Coverage, Period, Seen, SourceType};
use search::Searcher;

/// Sources of each type that are counted.
const SOURCES_MAX: usize = 2_000;
/// Events that say where they are from by their file, and those that do not.
const OF: [(SourceType, &str, &str); 2] = [
    (SourceType::File, field::FILE_PATH, "log.file.path:*"),
    (SourceType::Service, field::SERVICE_NAME, "NOT log.file.path:*"),
];
/// Events of which nothing was read but their text.
const UNREAD: &str = "NOT log.level:* AND NOT event.category:* AND NOT http.request.method:* AND NOT process.name:* \
                      AND NOT process.pid:*";

/// Who is asked, for what of whom, and how much one question may cost.
pub(super) struct Asked<'a> {
    pub(super) searcher: &'a Searcher,
    pub(super) period: Period,
    pub(super) organization: Option<&'a str>,
    pub(super) question: (Duration, u64),
}

pub(super) async fn of(asked: &Asked<'_>) -> Coverage {
    let mut problem = None;
    let (period, before) = (asked.period, asked.period.earlier());
    let now = seen(asked, period, None, &mut problem).await;
    let unread = seen(asked, period, Some(UNREAD), &mut problem).await;
    let before = seen(asked, before, None, &mut problem).await;
    Coverage::of(now, unread, before, problem)
}

/// The sources of a time; of an answer that is not whole, what there is of it, and why.
async fn seen(
    asked: &Asked<'_>,
    period: Period,
    also: Option<&str>,
    problem: &mut Option<String>,
) -> Vec<Seen> {
    let mut all = Vec::new();
    for (r#type, path, text) in OF {
        let Ok(query) = query(asked.organization, text, also) else { continue };
        let selection = Selection { query, from: Some(period.from), to: Some(period.to) };
        let request = FieldValuesRequest { selection, field: path.to_owned(), limit: SOURCES_MAX };
        let (most, work) = asked.question;
        let limits = Limits::new(Instant::now() + most, work);
        match asked.searcher.field_values(request, &limits).await {
            Ok(answer) => {
                if let Some(reason) = answer.partial {
                    *problem = Some(reason);
                }
                let values = answer.result.values.into_iter();
                all.extend(values.map(|(name, events)| Seen { r#type, name, events }));
            }
            Err(error) => *problem = Some(error.to_string()),
        }
    }
    all
}

fn query(organization: Option<&str>, text: &str, also: Option<&str>) -> Result<Query, query::QueryError> {
    let mut parts = Vec::new();
    for text in [Some(text), also].into_iter().flatten() {
        // Neither names a time.
        parts.push(Query::parse(text, Timestamp::default())?);
    }
    if let Some(organization) = organization {
        let test = Test::Equals { text: organization.to_owned(), ignore_case: false };
        parts.push(Query::Field { path: field::ORGANIZATION.to_owned(), test });
    }
    Ok(Query::and(parts))
}
