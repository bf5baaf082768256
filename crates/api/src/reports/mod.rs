//! `GET /api/v1/report`: what a day or a week of signals came to.

mod coverage;
mod made;

use access::Caller;
use axum::{
    Extension, Router,
    extract::State,
    http::{HeaderName, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use event::Timestamp;
use problem::Problem;
use report::Period;
use signal::narrative::{Language, Reader};

use crate::{
    clock::now,
    gate::Gate,
    params::{Params, bad_parameter},
    questions::off_reactor,
    route::{self, READ, Route, Row, get},
};

pub use made::{ReportError, ReportMaker, Wanted};

/// Reports that are made at once.
const AT_ONCE: usize = 2;
const HOURS_OF_DAY: u32 = 24;
const HOURS_OF_WEEK: u32 = 7 * 24;
/// A page that runs nothing and loads nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Clone)]
struct Shared {
    maker: ReportMaker,
    places: Gate,
}

/// The route of reports. Merge it into the collector's.
pub fn reports(maker: ReportMaker) -> Router {
    route::router(table(), Shared { maker, places: Gate::new(AT_ONCE) })
}

/// Every route of [`reports`].
pub fn reports_routes() -> Vec<Row> {
    route::rows(&table())
}

fn table() -> Vec<Route<Shared>> {
    vec![get(READ, "/api/v1/report", report)]
}

#[derive(Clone, Copy)]
enum Form {
    Json,
    Html,
    Markdown,
}

async fn report(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["period", "from", "to", "organization", "zone", "lang", "format"])?;
    let form = params
        .one_of("format", &[("json", Form::Json), ("html", Form::Html), ("markdown", Form::Markdown)])?;
    let now = now();
    let languages = [("en", Language::English), ("pt", Language::Portuguese)];
    let reader =
        Reader { language: params.one_of("lang", &languages)?, zone: params.zone()?, ..Reader::default() };
    let organization = match &caller.organization {
        Some(own) => Some(own.to_string()),
        None => params.text("organization").map(str::to_owned),
    };
    let voice = report::Voice { language: reader.language, zone: reader.zone.clone() };
    let wanted = Wanted { period: period(&params, now)?, organization, reader };
    let _place = shared.places.enter().await?;
    let report = shared.maker.make(wanted, now).await.map_err(refused)?;
    let written = off_reactor("report", "the writing of a report", move || match form {
        Form::Json => serde_json::to_string(&report).map(|text| ("application/json", text)),
        Form::Html => Ok(("text/html; charset=utf-8", report::html(&report, &voice))),
        Form::Markdown => Ok(("text/markdown; charset=utf-8", report::markdown(&report, &voice))),
    });
    let (media, text) = written.await?.map_err(|_| Problem::internal())?;
    let mut response = text.into_response();
    let mut set =
        |name: HeaderName, value| response.headers_mut().insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, media);
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::CACHE_CONTROL, "no-store");
    Ok(response)
}

/// `from` and `to`; else the `period` that ends now: a week, or a day.
fn period(params: &Params, now: Timestamp) -> Result<Period, Problem> {
    let hours = params.one_of("period", &[("week", HOURS_OF_WEEK), ("day", HOURS_OF_DAY)])?;
    let (from, to) = params.period(("from", "to"), now)?;
    let period = match (from, to) {
        (None, None) => return Ok(Period::before(now, hours)),
        _ if params.text("period").is_some() => {
            return Err(bad_parameter(
                "period",
                "'period' and 'from' or 'to' say different things; give one of them",
            ));
        }
        (Some(from), to) => Period { from, to: to.unwrap_or(now.max(from)) },
        (None, Some(_)) => return Err(bad_parameter("from", "'to' needs a 'from' as well")),
    };
    match period.from < period.to {
        true => Ok(period),
        false => Err(bad_parameter("from", "'from' must be earlier than 'to'")),
    }
}

fn refused(error: ReportError) -> Problem {
    tracing::error!(error = &error as &dyn std::error::Error, "a report cannot be made");
    Problem::internal()
}
