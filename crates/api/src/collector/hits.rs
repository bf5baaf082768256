//! `GET /api/v1/search`: hits page by page, as the client takes them, so that an answer holds a page
//! at a time however much is asked for. In the forms that exports have it is as much as there is.

use std::time::{Duration, Instant};

use access::Caller;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use event::Position;
use index::{Cursor, Limits, SearchRequest, SortKey};
use metrics::counter;
use problem::Problem;
use search::{Answer, Searcher};
use serde_json::{Value, json};
use telemetry::metric;

use super::{
    form::{Form, Writer},
    hinted::Asker,
    picked::Picked,
    state::Shared,
};
use crate::{
    clock::now,
    outlet::{Outlet, whole},
    params::Params,
    unanswered::unanswered,
};

/// Bytes of hits that are found, written and handed over at a time.
const PAGE_BYTES: usize = 1 << 20;
/// So many hits are looked for at a time where all there are may be wanted.
const PAGE_HITS_MAX: usize = 1000;
/// A further page asks for so many hits at least.
const PAGE_HITS_MIN: usize = 4;

pub(super) async fn search(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let names = ["q", "from", "to", "zone", "limit", "cursor", "order", "fields", "format"];
    let params = Params::of(&uri, &names)?.within(&caller);
    let form = Form::of(&params, &headers)?;
    let (limit, bytes_left, at_once) = match form {
        Form::Json => {
            let limit = params.number("limit", 100, shared.state.config.hits_max)?;
            (limit, shared.state.config.answer_bytes_max, limit)
        }
        Form::Ndjson | Form::Csv => {
            let limit = params.number("limit", usize::MAX, usize::MAX)?;
            (limit, usize::MAX, limit.min(PAGE_HITS_MAX))
        }
    };
    let order = params.order()?;
    let request = SearchRequest {
        order,
        after: params.cursor(order)?,
        bytes_max: PAGE_BYTES,
        ..SearchRequest::new(params.selection(now())?, at_once)
    };
    let share = shared.share(PAGE_BYTES).await?;
    let pages = Pages {
        searcher: shared.state.searcher.clone(),
        request,
        writer: Writer { form, picked: Picked::of(&params)?, zone: params.zone()? },
        end: None,
        left: limit,
        bytes_left,
        at_once,
        from_index: false,
        partial: None,
        worked: Duration::ZERO,
        asker: Asker::of(&params, &caller),
        hints: Vec::new(),
    };
    let (pages, page) = shared
        .run(async move |limits: Limits| {
            let mut pages = pages;
            let page = pages.next(&limits).await?;
            Ok((pages, page))
        })
        .await?;
    let mut text = pages.writer.head(page.total);
    text.extend_from_slice(&page.text);
    let partial = pages.partial.clone();
    let body = if page.is_last {
        text.extend(pages.foot(page.next));
        whole(text, share)
    } else {
        let (outlet, body) = shared.answers.open();
        // It ends with its client, or when that takes nothing any more.
        drop(telemetry::task::spawn("answer", async move {
            if outlet.send(text, share).await.is_ok() {
                go_on(shared, pages, outlet).await;
            }
        }));
        body
    };
    Ok(form.response(body, page.total, partial.as_deref()))
}

/// The pages behind the first. What goes wrong ends the connection, for the status is sent.
async fn go_on(shared: Shared, mut pages: Pages, outlet: Outlet) {
    loop {
        let share = tokio::select! {
            share = shared.answers.share(PAGE_BYTES) => share,
            () = outlet.gone() => None,
        };
        let Some(share) = share else { return };
        let work = async move |limits: Limits| {
            let page = pages.next(&limits).await?;
            Ok((pages, page))
        };
        let done = tokio::select! {
            done = shared.run(work) => done,
            () = outlet.gone() => return,
        };
        let (after, page) = match done {
            Ok(done) => done,
            Err(problem) => {
                tracing::warn!(code = problem.code, "an answer broke off: {}", problem.detail);
                counter!(metric::CUT_ANSWERS, "cause" => "failure").increment(1);
                return;
            }
        };
        pages = after;
        let mut text = Vec::with_capacity(page.text.len() + 1);
        if !page.text.is_empty() && pages.writer.form == Form::Json {
            text.push(b',');
        }
        text.extend_from_slice(&page.text);
        if page.is_last {
            text.extend(pages.foot(page.next));
        }
        if outlet.send(text, share).await.is_err() {
            return;
        }
        if page.is_last {
            return outlet.end().await;
        }
    }
}

/// An answer, as far as it is written.
struct Pages {
    searcher: Searcher,
    request: SearchRequest,
    writer: Writer,
    /// Where the journal ended when it began.
    end: Option<Position>,
    left: usize,
    bytes_left: usize,
    /// How many hits a page has at most.
    at_once: usize,
    from_index: bool,
    partial: Option<String>,
    worked: Duration,
    asker: Asker,
    /// Why it may be that nothing was found.
    hints: Vec<String>,
}

/// Some of its hits.
struct Page {
    total: u64,
    /// As the writer has them.
    text: Vec<u8>,
    next: Option<SortKey>,
    is_last: bool,
}

impl Pages {
    async fn next(&mut self, limits: &Limits) -> Result<Page, Problem> {
        let begun = Instant::now();
        let end = match self.end {
            Some(end) => end,
            None => self.searcher.begin(limits).await,
        };
        let is_first = self.end.replace(end).is_none();
        let Answer { result, partial, from_index } =
            self.searcher.search_until(self.request.clone(), end, limits).await.map_err(unanswered)?;
        if !is_first && self.from_index && !from_index {
            // Hits of the index would be left out without a word.
            tracing::warn!("the index went away while an answer was being written");
            return Err(Problem::internal());
        }
        self.from_index |= from_index;
        if is_first {
            self.partial = partial;
            // The others have no place for them.
            if result.total == 0 && self.writer.form == Form::Json {
                self.hints = self.asker.hints(&self.searcher, &self.request.selection, limits).await;
            }
        }
        let count = result.hits.len();
        let (hits, writer) = (result.hits, self.writer.clone());
        let written = telemetry::task::blocking("answer", move || {
            let mut text = Vec::new();
            for hit in hits {
                writer.hit(hit.key.id, hit.document, &mut text)?;
            }
            Ok::<_, serde_json::Error>(text)
        });
        let Ok(Ok(text)) = written.await else { return Err(Problem::internal()) };
        self.left -= count.min(self.left);
        if self.writer.form == Form::Json {
            self.bytes_left = self.bytes_left.saturating_sub(text.len());
        }
        self.request.after = result.next;
        self.request.counted = false;
        self.request.limit = self.left.min(PAGE_HITS_MIN.max(count * 2)).min(self.at_once);
        self.worked += begun.elapsed();
        let is_last = result.next.is_none() || self.left == 0 || self.bytes_left == 0;
        Ok(Page { total: result.total, text, next: result.next, is_last })
    }

    /// What stands behind the hits.
    fn foot(&self, next: Option<SortKey>) -> Vec<u8> {
        if self.writer.form != Form::Json {
            return Vec::new();
        }
        let mut foot = json!({
            "next": next.map(|key| Cursor { key, order: self.request.order }.to_string()),
            "took_ms": self.worked.as_millis() as u64,
        });
        if let Some(reason) = &self.partial {
            foot["partial"] = Value::Bool(true);
            foot["reason"] = reason.as_str().into();
        }
        if !self.hints.is_empty() {
            foot["hints"] = json!(self.hints);
        }
        let members = foot.to_string();
        format!("],{}", members.get(1..).unwrap_or_default()).into_bytes()
    }
}
