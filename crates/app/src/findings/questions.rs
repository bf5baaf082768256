//! The questions, and their answers as figures.

use serde_json::Value as Json;

use crate::{
    AppError,
    client::{Client, ClientError},
};

/// How many anomalies are looked at to find the strangest.
const ANOMALIES_LOOKED_AT: &str = "1000";
/// An hour is a burst when it has so many times the events of the median hour, and at least [`BURST_MIN`].
const BURST_FACTOR: u64 = 8;
/// Fewer events in an hour are no burst, whatever the median.
const BURST_MIN: u64 = 50;

/// A value and how often it occurs.
pub(super) type Count = (String, u64);

/// The values of a field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) total: u64,
    pub(super) distinct: u64,
    pub(super) top: Vec<Count>,
}

/// First and last time stamp.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: String,
    pub(super) last: String,
}

/// Failed logins.
#[derive(Debug, Default)]
pub(super) struct Guessing {
    pub(super) failures: u64,
    pub(super) addresses: Values,
    pub(super) users: Values,
    /// Addresses that failed, and also got in.
    pub(super) got_in: Vec<Count>,
    pub(super) successes: u64,
}

/// Requests that a web server did not answer well.
#[derive(Debug, Default)]
pub(super) struct Web {
    pub(super) requests: u64,
    pub(super) client_errors: u64,
    pub(super) server_errors: u64,
    pub(super) error_paths: Values,
    pub(super) server_error_paths: Values,
    pub(super) error_addresses: Values,
}

/// Events of level error or fatal.
#[derive(Debug, Default)]
pub(super) struct Severe {
    pub(super) count: u64,
    pub(super) templates: Vec<Count>,
}

/// The busiest hour.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Burst {
    pub(super) hour: String,
    pub(super) count: u64,
    pub(super) usual: u64,
    pub(super) source: Option<Count>,
}

/// What the model calls strange.
#[derive(Debug, Default)]
pub(super) struct Anomalies {
    pub(super) count: u64,
    pub(super) strangest: Vec<Strange>,
}

/// One strange event.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Strange {
    pub(super) score: f64,
    pub(super) time: String,
    pub(super) message: String,
    pub(super) reasons: Vec<String>,
    template: String,
}

pub(super) struct Questions<'c> {
    client: &'c Client,
    scope: String,
}

impl<'c> Questions<'c> {
    pub(super) fn new(client: &'c Client, scope: String) -> Self {
        Self { client, scope }
    }

    fn within(&self, query: &str) -> String {
        if self.scope == "*" { query.to_owned() } else { format!("{} AND ({query})", self.scope) }
    }

    async fn get(&self, path: &str, query: &str, further: &[(&str, &str)]) -> Result<Json, ClientError> {
        let query = self.within(query);
        let parameters: Vec<(&str, &str)> =
            [("q", query.as_str())].into_iter().chain(further.iter().copied()).collect();
        self.client.get_json(path, &parameters).await
    }

    async fn count(&self, query: &str) -> Result<u64, ClientError> {
        Ok(number(&self.get("/api/v1/search", query, &[("limit", "0")]).await?, "total"))
    }

    async fn values(&self, field: &str, query: &str, limit: &str) -> Result<Values, ClientError> {
        let answer = self.get("/api/v1/fields", query, &[("field", field), ("limit", limit)]).await?;
        let entry = |value: &Json| Some((value["value"].as_str()?.to_owned(), value["count"].as_u64()?));
        Ok(Values {
            total: number(&answer, "total"),
            distinct: number(&answer, "distinct"),
            top: answer["values"].as_array().into_iter().flatten().filter_map(entry).collect(),
        })
    }

    pub(super) async fn span(&self) -> Result<Span, AppError> {
        let answer = self.get("/api/v1/histogram", "*", &[("interval", "1d")]).await?;
        let buckets = answer["buckets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let day = |bucket: Option<&Json>| {
            let time = bucket.and_then(|bucket| bucket["t"].as_str()).unwrap_or_default();
            time.split('T').next().unwrap_or_default().to_owned()
        };
        Ok(Span { first: day(buckets.first()), last: day(buckets.last()) })
    }

    pub(super) async fn template_count(&self) -> Result<u64, AppError> {
        Ok(number(&self.get("/api/v1/patterns", "*", &[("limit", "1")]).await?, "distinct"))
    }

    pub(super) async fn guessing(&self) -> Result<Option<Guessing>, AppError> {
        let failed = "event.category:authentication AND event.outcome:failure AND source.ip:*";
        let failures = self.count(failed).await?;
        if failures == 0 {
            return Ok(None);
        }
        let succeeded = "event.category:authentication AND event.outcome:success AND source.ip:*";
        let addresses = self.values("source.ip", failed, "1000").await?;
        let entered = self.values("source.ip", succeeded, "1000").await?;
        let got_in = entered
            .top
            .iter()
            .filter(|(address, _)| addresses.top.iter().any(|(failed, _)| failed == address));
        Ok(Some(Guessing {
            failures,
            got_in: got_in.cloned().collect(),
            successes: entered.total,
            users: self.values("user.name", failed, "5").await?,
            addresses,
        }))
    }

    pub(super) async fn privileges(&self) -> Result<Option<Values>, AppError> {
        let refused = "process.name:(sudo OR su) AND event.outcome:failure";
        let values = self.values("user.name", refused, "3").await?;
        Ok((values.total > 0).then_some(values))
    }

    pub(super) async fn web(&self) -> Result<Option<Web>, AppError> {
        let requests = self.count("http.response.status_code:*").await?;
        if requests == 0 {
            return Ok(None);
        }
        let (client, server) =
            ("http.response.status_code:[400 TO 499]", "http.response.status_code:[500 TO 599]");
        let web = Web {
            requests,
            client_errors: self.count(client).await?,
            server_errors: self.count(server).await?,
            error_paths: self.values("url.path", client, "3").await?,
            server_error_paths: self.values("url.path", server, "3").await?,
            error_addresses: self.values("source.ip", client, "1").await?,
        };
        Ok((web.client_errors + web.server_errors > 0).then_some(web))
    }

    pub(super) async fn severe(&self) -> Result<Option<Severe>, AppError> {
        let severe = "log.level:(error OR fatal) AND NOT http.response.status_code:*";
        let answer = self.get("/api/v1/patterns", severe, &[("limit", "3")]).await?;
        let pattern =
            |pattern: &Json| Some((pattern["text"].as_str()?.to_owned(), pattern["count"].as_u64()?));
        let templates: Vec<Count> =
            answer["patterns"].as_array().into_iter().flatten().filter_map(pattern).collect();
        let count = number(&answer, "total");
        Ok((count > 0).then_some(Severe { count, templates }))
    }

    pub(super) async fn burst(&self) -> Result<Option<Burst>, AppError> {
        let answer =
            self.get("/api/v1/histogram", "*", &[("interval", "1h"), ("by", "service.name")]).await?;
        let buckets = answer["buckets"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(burst(buckets))
    }

    pub(super) async fn anomalies(&self) -> Result<Option<Anomalies>, AppError> {
        let strange = "sentinel.anomaly.is_anomaly:true";
        let answer = self.get("/api/v1/search", strange, &[("limit", ANOMALIES_LOOKED_AT)]).await?;
        let hits = answer["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
        let count = number(&answer, "total");
        Ok((count > 0)
            .then(|| Anomalies { count, strangest: strangest(hits.iter().map(read_strange).collect()) }))
    }
}

fn number(answer: &Json, name: &str) -> u64 {
    answer[name].as_u64().unwrap_or_default()
}

fn burst(buckets: &[Json]) -> Option<Burst> {
    let mut counts: Vec<u64> = buckets.iter().map(|bucket| number(bucket, "count")).collect();
    counts.sort_unstable();
    let usual = *counts.get(counts.len() / 2)?;
    let busiest = buckets.iter().max_by_key(|bucket| number(bucket, "count"))?;
    let count = number(busiest, "count");
    if buckets.len() < 4 || count < BURST_MIN || count < usual.saturating_mul(BURST_FACTOR) {
        return None;
    }
    let by = busiest["by"].as_object().into_iter().flatten();
    let source =
        by.filter_map(|(name, count)| Some((name.clone(), count.as_u64()?))).max_by_key(|(_, count)| *count);
    Some(Burst { hour: busiest["t"].as_str()?.to_owned(), count, usual, source })
}

fn read_strange(hit: &Json) -> Strange {
    let text = |pointer: &str| hit.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned();
    let reasons = hit.pointer("/sentinel/anomaly/reasons").and_then(Json::as_array).into_iter().flatten();
    Strange {
        score: hit.pointer("/sentinel/anomaly/score").and_then(Json::as_f64).unwrap_or_default(),
        time: text("/@timestamp"),
        message: text("/message"),
        reasons: reasons.filter_map(|reason| reason.as_str().map(str::to_owned)).collect(),
        template: text("/sentinel/template/id"),
    }
}

/// The strangest three, each of another template, so that one burst does not fill the list.
fn strangest(mut all: Vec<Strange>) -> Vec<Strange> {
    all.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.time.cmp(&b.time)));
    let mut chosen: Vec<Strange> = vec![];
    for strange in all {
        if chosen.len() < 3 && chosen.iter().all(|other| other.template != strange.template) {
            chosen.push(strange);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_burst_is_an_hour_far_above_the_median() {
        let hours = |busy: u64| -> Vec<Json> {
            let counts = [10, 12, busy, 9, 11];
            counts
                .iter()
                .enumerate()
                .map(|(h, n)| json!({"t": format!("h{h}"), "count": n, "by": {"sshd": n}}))
                .collect()
        };
        let expected =
            Burst { hour: "h2".to_owned(), count: 400, usual: 11, source: Some(("sshd".to_owned(), 400)) };
        assert_eq!(burst(&hours(400)), Some(expected));
        assert_eq!(burst(&hours(40)), None);
        assert_eq!(burst(&[]), None);
    }

    #[test]
    fn one_template_does_not_fill_the_list() {
        let of =
            |score, template: &str| Strange { score, template: template.to_owned(), ..Strange::default() };
        let chosen = strangest(vec![of(0.9, "a"), of(0.95, "a"), of(0.8, "b"), of(0.99, "c"), of(0.7, "d")]);
        assert_eq!(chosen.iter().map(|s| s.score).collect::<Vec<_>>(), [0.99, 0.95, 0.8]);
    }
}
