//! The collector: journal, index, pipeline, and what takes in and answers.

use std::{net::SocketAddr, sync::Arc};

use dead_letter::DeadLetterStream;
use event::TemplateId;
use index::{Index, embedded, upkeep};
use journal::Journal;
use pipeline::{Analysis, CatchUp, Parts, Pipeline, PipelineError, Progress};
use telemetry::task::Stop;
use tokio::sync::watch;
use verdicts::Verdicts;

use super::{
    alerts,
    build::{Build, Scorer, bind, local, serve},
    detection, elastic,
    error::StartError,
    hosts, own, remote, reports, scores, sql, system,
};
use crate::Settings;

/// A collector that runs.
pub(super) struct Collector {
    pub(super) addr: SocketAddr,
    pub(super) journal: Journal,
    /// For routes that the anomaly service's port answers as well.
    pub(super) alerts: api::AlertsState,
    pub(super) signals: api::SignalsState,
    pub(super) hosts: api::HostsState,
    /// For the anomaly service's port; None where that is a process of its own.
    pub(super) scores: Option<api::AnomalyState>,
}

/// Opens and starts it.
pub(super) async fn start(build: &Build<'_>, scorer: &Scorer) -> Result<Collector, StartError> {
    let (settings, health) = (build.settings, &build.health);
    let journal = open_journal(settings)?;
    let letters = open_dead_letters(build, &journal)?;
    let elastic::Opened { index, prepared } = open_index(build, letters.as_ref())?;
    watch_letters(build, letters.as_ref());
    let analysis = analysis(build, (&journal, &index), scorer)?;
    let verdicts =
        Verdicts::open(settings.storage.verdicts.clone(), &journal).map_err(StartError::Verdicts)?;
    let kept = alerts::kept(build)?;
    let progress = Progress::default();
    let rules = detection::rules(build);
    let book = Arc::clone(&rules.book);
    let detector = detection::detector(build, &journal, &kept, rules, progress.clone())?;
    let parts = Parts {
        journal: journal.clone(),
        analysis: analysis.clone(),
        verdicts: verdicts.clone(),
        index: index.clone(),
        detector,
        health: health.clone(),
    };
    let (pipeline, catch_up) = Pipeline::open(settings.storage.pipeline.clone(), parts)?;
    let searcher = searcher(settings, (&journal, &index), verdicts, analysis);
    let door = door(build, &journal);
    let asked = api::collector(api::CollectorState {
        door: door.clone(),
        searcher: searcher.clone(),
        dead_letters: letters,
        live: pipeline.live(),
        stop: build.front.stop(),
        health: health.clone(),
        metrics: build.metrics.clone(),
        config: settings.questions.collector.clone(),
    });
    let signals = detection::state(build, &kept, scorer, detection::settled(build, &journal, progress))?;
    let hosts = hosts::start(build, &kept)?;
    let sources = sql::sources(&kept, &searcher, &hosts);
    let shelf = sql::rules(build, &kept, &book, &sources)?;
    alerts::send(build, &kept.outbox);
    let alerts = alerts::state(build, &kept);
    let router = taken_in(build, &door, &index)
        .merge(asked)
        .merge(api::alerts(alerts.clone()))
        .merge(api::signals(signals.clone()))
        .merge(api::rules(detection::rules_state(build, &book, shelf, &searcher)))
        .merge(api::sql(sql::state(build, &sources)))
        .merge(api::own(own::state(build, &searcher, &index)))
        .merge(api::reports(reports::start(build, &kept, &searcher)))
        .merge(api::ingest(signals.clone()))
        .merge(api::hosts(hosts.clone()));
    let scores = scores::beside(build, scorer, &searcher);
    let router = router.merge(scores.clone().map_or_else(api::anomaly_not_here, api::anomaly_below));
    let listener = bind(settings.listeners.addr, "LOG_SENTINEL_ADDR").await?;
    let addr = local(&listener, settings.listeners.addr);
    if prepared.is_none() {
        expire(build, &index);
    }
    run_readers(build, pipeline, catch_up, prepared)?;
    let watch = pipeline::watch(journal.clone(), index.clone(), health.clone(), build.front.stop());
    build.front.spawn("gauges", watch);
    let tls = build.entrance.identities.collector.clone();
    serve(&build.front, "collector", listener, guarded(build, router), (settings.listeners.connections, tls));
    read_files(build, door)?;
    Ok(Collector { addr, journal, alerts, signals, hosts, scores })
}

/// Where what is taken in comes through.
fn door(build: &Build<'_>, journal: &Journal) -> intake::Door {
    let config = intake::Config { formats: build.formats.clone(), ..build.settings.intake.door.clone() };
    intake::Door::new(journal.clone(), config, intake::system_clock)
}

/// The routes that take in.
fn taken_in(build: &Build<'_>, door: &intake::Door, index: &Arc<dyn Index>) -> axum::Router {
    intake::http::router(intake::http::Intake::new(
        door.clone(),
        build.settings.intake.body.clone(),
        Some(indexed(index.clone())),
        build.front.stop(),
    ))
}

/// All routes of the collector, with who may.
fn guarded(build: &Build<'_>, router: axum::Router) -> axum::Router {
    let rows = [
        intake::http::ROUTES.to_vec(),
        api::collector_routes(),
        api::keys_routes(),
        api::signals_routes(),
        api::reports_routes(),
        api::alerts_routes(),
        api::rules_routes(),
        api::sql_routes(),
        api::own_routes(),
        api::ingest_routes(),
        api::hosts_routes(),
        api::anomaly_below_routes(),
    ];
    let router = router.merge(api::keys(keys_state(build)));
    api::guarded(router, build.access.clone(), &rows.concat())
}

/// Reads watched files until told to stop.
pub(super) fn read_files(build: &Build<'_>, door: intake::Door) -> Result<(), StartError> {
    let tail = watched(build, &door);
    let pulse = intake::tail::start(tail, door, &build.front)?;
    let health = build.health.component("watched_files");
    build.front.spawn("tail-health", pulse.watch(health, build.front.stop()));
    Ok(())
}

/// The files that are watched. Where this machine's own logs are read too, reading its journal begins.
fn watched(build: &Build<'_>, door: &intake::Door) -> intake::tail::Config {
    let mut tail = build.settings.intake.tail.clone();
    if build.settings.intake.system {
        let found = system::found(&build.settings.intake.watched.root.join("var/log"));
        tracing::info!(files = ?found.files, journal = found.journal, "reading the logs of this machine");
        tail.files.extend(found.files);
        if found.journal {
            system::read_journal(build, door);
        }
        system::watch(build, door);
    }
    tail
}

/// Deletes what is too old, where the index does not do so by itself.
fn expire(build: &Build<'_>, index: &Arc<dyn Index>) {
    let Some(retention) = build.settings.storage.retention else { return };
    let told = (build.record.told_of_deletions(), build.front.stop());
    build.front.spawn("retention", upkeep::expire(Arc::clone(index), retention, intake::system_clock, told));
}

fn keys_state(build: &Build<'_>) -> api::KeysState {
    api::KeysState {
        access: Arc::clone(&build.entrance.who),
        authority: build.entrance.authority.clone(),
        shows_own: build.settings.listeners.tls.shows_own(),
        token_life: build.settings.listeners.token_life,
        body: build.settings.intake.body.clone(),
        stop: build.front.stop(),
    }
}

/// What answers questions about all that was taken in.
fn searcher(
    settings: &Settings,
    (journal, index): (&Journal, &Arc<dyn Index>),
    verdicts: Verdicts,
    analysis: Analysis,
) -> search::Searcher {
    let config = settings.questions.search.clone();
    search::Searcher::new(index.clone(), journal.clone(), verdicts, index.written(), config)
        .following(Arc::new(Templates(analysis)))
}

/// The templates that the analysis knows, for questions about them.
struct Templates(Analysis);

impl search::Aliases for Templates {
    fn of(&self, id: TemplateId) -> Vec<TemplateId> {
        self.0.aliases(id)
    }

    fn merged(&self) -> Vec<anomaly::Merged> {
        self.0.merged_templates()
    }
}

/// Opens the journal, and says what it found.
pub(super) fn open_journal(settings: &Settings) -> Result<Journal, StartError> {
    let journal = Journal::open(settings.storage.journal.clone())?;
    for problem in journal.status().problems {
        tracing::error!(path = %problem.path.display(), what = problem.what, "a file of the journal is not as it should be");
    }
    match journal.status().truncated_bytes {
        0 => {}
        bytes => {
            tracing::info!(bytes, "cut off a write that had not finished; nobody was told that it was stored")
        }
    }
    Ok(journal)
}

fn open_index(
    build: &Build<'_>,
    letters: Option<&Arc<DeadLetterStream>>,
) -> Result<elastic::Opened, StartError> {
    if let (Some(cluster), Some(letters)) = (&build.settings.elastic, letters) {
        return elastic::open(build, cluster, Arc::clone(letters));
    }
    let index = Arc::new(embedded::Embedded::open(build.settings.storage.embedded.clone())?);
    Ok(elastic::Opened { index, prepared: None })
}

/// The dead letters, where an index may refuse events or once has.
fn open_dead_letters(
    build: &Build<'_>,
    journal: &Journal,
) -> Result<Option<Arc<DeadLetterStream>>, StartError> {
    let config = build.settings.storage.dead_letters.clone();
    if build.settings.elastic.is_none() && !config.dir.exists() {
        return Ok(None);
    }
    let cursor = journal.cursor(pipeline::CURSOR)?.position();
    let letters = DeadLetterStream::open(config, journal, cursor).map_err(StartError::DeadLetters)?;
    if !letters.is_empty() {
        tracing::warn!(letters = letters.len(), "events that the index refused wait: log-sentinel dlq list");
    }
    Ok(Some(Arc::new(letters)))
}

/// Says how full they are, as long as there are any.
fn watch_letters(build: &Build<'_>, letters: Option<&Arc<DeadLetterStream>>) {
    if let Some(letters) = letters {
        let watch = Arc::clone(letters).watch(build.health.component("dead_letters"), build.front.stop());
        build.front.spawn("dead-letters", watch);
    }
}

/// What analyses the events.
fn analysis(
    build: &Build<'_>,
    (journal, index): (&Journal, &Arc<dyn Index>),
    scorer: &Scorer,
) -> Result<Analysis, StartError> {
    match scorer {
        Scorer::Here(service) => {
            pipeline::remote::forget(journal)?;
            Ok(Analysis::InProcess(Arc::clone(service)))
        }
        Scorer::Elsewhere(config) => remote::analysis(build, (journal, index), config.clone()),
    }
}

/// What `?wait=indexed` waits for.
fn indexed(index: Arc<dyn Index>) -> intake::http::Indexed {
    Arc::new(move |position, timeout| {
        let index = index.clone();
        let mut written = index.written();
        let visible = async move {
            written.wait_for(|reached| *reached >= position).await.is_ok() && index.refresh().await.is_ok()
        };
        Box::pin(async move { tokio::time::timeout(timeout, visible).await.unwrap_or(false) })
    })
}

/// Runs analysis and indexing on threads of their own: they compute most of the time. Nothing is
/// given to an index that has to be prepared first.
fn run_readers(
    build: &Build<'_>,
    pipeline: Pipeline,
    catch_up: CatchUp,
    prepared: Option<watch::Receiver<bool>>,
) -> Result<(), StartError> {
    let catch_up = match prepared {
        Some(prepared) => catch_up.when(prepared),
        None => catch_up,
    };
    let runtime = tokio::runtime::Handle::current();
    let failed = build.failed.clone();
    let tell = move |result: Result<(), PipelineError>| {
        if let Err(error) = result {
            failed.send_replace(Some(crate::wording::describe(&error)));
        }
    };
    let (told, handle) = (tell.clone(), runtime.clone());
    let analysis = move |stop: Stop| told(handle.block_on(pipeline.run(stop)));
    build.back.thread("analysis", analysis).map_err(StartError::Thread)?;
    let indexing = move |stop: Stop| tell(runtime.block_on(catch_up.run(stop)));
    build.back.thread("indexing", indexing).map_err(StartError::Thread)
}
