//! Reports: what makes them.

use std::sync::Arc;

use super::{alerts::Kept, build::Build};

/// What makes reports of what is kept here.
pub(super) fn maker(build: &Build<'_>, kept: &Kept, searcher: &search::Searcher) -> api::ReportMaker {
    let questions = &build.settings.questions.collector;
    api::ReportMaker {
        signals: Arc::clone(&kept.signals),
        searcher: searcher.clone(),
        signals_max: build.settings.detection.report_signals_max,
        question: (questions.query_timeout, questions.query_work_max),
    }
}
