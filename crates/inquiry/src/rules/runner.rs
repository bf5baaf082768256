//! Rules are asked when it is time, and what is new is told.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use event::Timestamp;
use finding::FindingKind;
use fleet::ProcessPlace;
use metrics::counter;
use rulebook::RuleBook;
use signal::{Act, Beside, Deed, Filter, Observed, State as Stands, Store};
use sql::{Budget, Failure};
use state::Database;
use telemetry::{
    metric,
    task::{Stop, Ticks, blocking},
};

use super::{
    found::{self, Mark},
    kept,
    last::{Ended, Last},
    rule::Rule,
    shelf::Shelf,
};
use crate::{Answered, AskError, Scope, Sources};

/// Who resolves what is over.
const BY: &str = "Log Sentinel";
/// How often it is looked what is due, whether files changed, and which rules are suspended.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Rows of an answer; more are no finding but a list.
const ROWS_MAX: usize = 10_000;
/// New rows that one run of a rule is asked about; the next run takes further ones.
const NEW_ROWS: usize = 10_000;

/// Behind the first up to the second lie rows that a rule is asked about.
type Places = (ProcessPlace, ProcessPlace);

/// Runs the rules of a shelf.
pub struct Runner {
    /// The rules.
    pub shelf: Arc<Shelf>,
    /// Rules of Sigma, of which it is told too when they are suspended.
    pub book: Arc<RuleBook>,
    /// Where rows come from.
    pub sources: Sources,
    /// Where it is kept what was told.
    pub database: Arc<Database>,
    /// What is written in the transaction of a signal's change.
    pub beside: Beside,
    /// What one run may take.
    pub budget: Budget,
    /// The clock.
    pub clock: fn() -> Timestamp,
}

impl Runner {
    /// Prepares what is kept, and takes over what is remembered.
    ///
    /// # Errors
    /// When the tables cannot be prepared or read.
    pub fn open(&self) -> Result<(), state::OpenError> {
        self.database.migrate(&kept::MIGRATIONS)?;
        let remembered =
            kept::forget(&self.database, (self.clock)()).and_then(|()| kept::load(&self.database));
        match remembered {
            Ok(remembered) => self.shelf.remember(remembered),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "what rules in SQL found before cannot be read"
                );
            }
        }
        Ok(())
    }

    /// Runs until told to stop.
    pub async fn follow(self: Arc<Self>, stop: Stop) {
        let mut ticks = Ticks::every(LOOK_EVERY, stop.clone());
        while ticks.next().await {
            let runner = Arc::clone(&self);
            let look = move || {
                runner.shelf.look();
                runner.tell_suspended();
                runner.shelf.running()
            };
            let Ok(rules) = blocking("sql-rules", look).await else { return };
            for rule in rules {
                if stop.is_cancelled() {
                    return;
                }
                if rule.on.is_some() {
                    self.run_over_new_rows(rule).await;
                } else if self.is_due(&rule) {
                    self.run(rule, None).await;
                }
            }
        }
    }

    /// Asks a rule about rows that came since it was asked last; where those could not be evaluated, after a while again.
    async fn run_over_new_rows(self: &Arc<Self>, rule: Arc<Rule>) {
        let (runner, asked) = (Arc::clone(self), Arc::clone(&rule));
        let Ok(places) = blocking("sql-rules", move || runner.new_rows(&asked)).await else { return };
        match places {
            Ok(Some(places)) if !self.shelf.is_stuck(&rule) || self.is_due(&rule) => {
                self.run(rule, Some(places)).await;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(
                    rule = rule.id,
                    error = &*error,
                    "new rows for a rule in SQL cannot be looked for; trying again"
                );
            }
        }
    }

    /// Where rows lie that a rule was not asked about. One that was never asked begins with those that come from now on.
    fn new_rows(&self, rule: &Rule) -> Result<Option<Places>, signal::BoxError> {
        let fleet = &self.sources.fleet;
        let Some(behind) = kept::place(&self.database, &rule.id)? else {
            let end = fleet.process_place(ProcessPlace::default(), usize::MAX)?;
            self.database.write(|transaction| kept::put_place(transaction, &rule.id, end))?;
            return Ok(None);
        };
        let through = fleet.process_place(behind, NEW_ROWS)?;
        Ok((through != behind).then_some((behind, through)))
    }

    fn is_due(&self, rule: &Rule) -> bool {
        let every = i64::try_from(rule.every.as_nanos()).unwrap_or(i64::MAX);
        let since = |at: i64| (self.clock)().as_nanos() - at;
        // A clock that was set back must not hold it up.
        self.shelf.ran_at(&rule.id).is_none_or(|at| !(0..every).contains(&since(at)))
    }

    async fn run(self: &Arc<Self>, rule: Arc<Rule>, changes: Option<Places>) {
        let now = (self.clock)();
        let from = Some(now.saturating_sub(rule.window));
        let scope = Scope { organization: None, at: now, from, to: None, changes };
        let budget = Budget { rows: ROWS_MAX, ..self.budget.clone() };
        let answered = self.sources.ask(rule.question.clone(), &scope, &budget).await;
        let runner = Arc::clone(self);
        let told = blocking("sql-rules", move || runner.take(&rule, answered, (now, changes))).await;
        if told.is_err() {
            tracing::error!("what a rule in SQL found could not be told");
        }
    }

    /// Writes down what came of a run, and tells what is new, in one transaction.
    fn take(
        &self,
        rule: &Rule,
        answered: Result<Answered, AskError>,
        (now, changes): (Timestamp, Option<Places>),
    ) {
        let mut last = last(rule, &answered, now, self.shelf.was_over(rule));
        let is_whole = matches!(last.ended, Ended::Matched | Ended::NoMatch);
        // A new row is there, whatever was lost beside it: it is told, and what was lost never comes.
        let is_all = |answered: &Answered| {
            changes.is_some() && !answered.answer.cut && answered.cuts.iter().all(|cut| cut.is_lost)
        };
        let whole = answered.ok().filter(|answered| is_whole || is_all(answered));
        last.is_stuck = whole.is_none();
        let (observed, marks) = match whole.map(|answered| self.news(rule, &answered, now)).transpose() {
            Ok(Some(new)) => {
                last.new_rows = new.rows;
                (new.observed, Some(new.marks))
            }
            Ok(None) => (Vec::new(), None),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "what a rule in SQL found before cannot be read; it is asked again"
                );
                return;
            }
        };
        counter!(metric::SQL_RULE_RUNS, "outcome" => last.ended.as_str()).increment(1);
        let suspended = last.reason.clone().filter(|_| last.ended == Ended::Suspended);
        let findings = observed.len() as u64;
        let rows = marks.as_ref().map(|marks| match changes {
            None => kept::Rows::All(marks),
            Some(_) => kept::Rows::Seen { marks, now, since: now.saturating_sub(rule.window) },
        });
        let written = self.observe(observed, now, |transaction| {
            kept::save(transaction, (&rule.id, &rule.hash), &last, suspended.as_deref(), rows)?;
            if let Some((_, through)) = changes.filter(|_| rows.is_some()) {
                kept::put_place(transaction, &rule.id, through)?;
            }
            Ok(())
        });
        match written {
            Ok(()) => self.shelf.ran(rule, last, findings),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "what a rule in SQL found could not be told; it is asked again"
                );
            }
        }
    }

    fn news(
        &self,
        rule: &Rule,
        answered: &Answered,
        now: Timestamp,
    ) -> Result<found::New, state::StateError> {
        let since = rule.on.map(|_| now.saturating_sub(rule.window));
        let known: HashSet<Mark> = kept::marks(&self.database, &rule.id, since)?;
        Ok(found::new(rule, &answered.answer, &known, now))
    }

    fn store(&self) -> &Store {
        &self.sources.signals
    }

    fn observe(
        &self,
        observed: Vec<Observed>,
        now: Timestamp,
        also: impl FnOnce(&state::rusqlite::Transaction<'_>) -> Result<(), signal::BoxError>,
    ) -> Result<(), signal::StoreError> {
        self.store().observe(observed, None, now, |transaction, changes| {
            also(transaction)?;
            (self.beside)(transaction, changes)
        })?;
        Ok(())
    }

    /// A rule over its budget, of Sigma or of SQL, is a signal until it runs again.
    fn tell_suspended(&self) {
        let suspended: BTreeMap<String, (String, String)> = self
            .shelf
            .suspended()
            .into_iter()
            .chain(self.book.suspended())
            .map(|(id, title, why)| (id, (title, why)))
            .collect();
        if let Err(error) = self.compare(&suspended) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "could not tell which rules are suspended; trying again"
            );
        }
    }

    fn compare(&self, suspended: &BTreeMap<String, (String, String)>) -> Result<(), signal::StoreError> {
        let (told, now) = (kept::told(&self.database)?, (self.clock)());
        for (id, (title, reason)) in suspended.iter().filter(|(id, _)| !told.contains_key(*id)) {
            let observed = vec![found::suspended(id, title, reason, now)];
            self.observe(observed, now, |transaction| kept::tell(transaction, id, Some(reason)))?;
        }
        for id in told.keys().filter(|id| !suspended.contains_key(*id)) {
            self.over(id, now)?;
            self.observe(Vec::new(), now, |transaction| kept::tell(transaction, id, None))?;
        }
        Ok(())
    }

    fn over(&self, rule: &str, now: Timestamp) -> Result<(), signal::StoreError> {
        for hidden in [false, true] {
            let filter = Filter {
                kinds: vec![FindingKind::RuleSuspended],
                rule: Some(rule.to_owned()),
                hidden,
                limit: 10,
                ..Filter::default()
            };
            let open = self.store().list(&filter)?.signals;
            for signal in open.into_iter().filter(|signal| signal.state != Stands::Resolved) {
                let act = Act { deed: Deed::Resolve, by: BY.to_owned(), note: None };
                let beside = &self.beside;
                self.store()
                    .act(signal.id, &act, now, |transaction, changes| beside(transaction, changes))?;
            }
        }
        Ok(())
    }
}

fn last(rule: &Rule, answered: &Result<Answered, AskError>, at: Timestamp, was_over: bool) -> Last {
    let plan = rule.question.plan().steps.clone();
    let none = Last {
        at,
        ended: Ended::Failed,
        reason: None,
        rows: 0,
        new_rows: 0,
        rows_read: 0,
        tables_cut: 0,
        took_ms: 0.0,
        steps: 0,
        is_over: false,
        is_stuck: false,
        plan,
    };
    let answered = match answered {
        Ok(answered) => answered,
        Err(error) => {
            let is_over = matches!(error, AskError::Failed(Failure::Time(_) | Failure::Memory(_)));
            let ended = match error {
                AskError::Failed(Failure::Steps(_)) => Ended::Suspended,
                AskError::Failed(Failure::Time(_) | Failure::Memory(_)) if was_over => Ended::Suspended,
                AskError::Failed(
                    Failure::Time(_)
                    | Failure::Memory(_)
                    | Failure::Dropped { .. }
                    | Failure::RowsRead { .. },
                ) => Ended::CouldNotEvaluate,
                _ => Ended::Failed,
            };
            return Last { ended, reason: Some(error.to_string()), is_over, ..none };
        }
    };
    let cuts = answered.cuts.iter().map(|cut| format!("'{}' lacks rows: {}", cut.table, cut.reason));
    let mut reasons: Vec<String> = cuts.collect();
    if answered.answer.cut {
        reasons.push(format!("the answer has more than {ROWS_MAX} rows"));
    }
    let ended = match (reasons.is_empty(), answered.answer.rows.is_empty()) {
        (false, _) => Ended::CouldNotEvaluate,
        (true, false) => Ended::Matched,
        (true, true) => Ended::NoMatch,
    };
    Last {
        ended,
        reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        rows: answered.answer.rows.len() as u64,
        rows_read: answered.answer.rows_read as u64,
        tables_cut: answered.cuts.len() as u64,
        took_ms: (answered.took.as_secs_f64() * 1e6).round() / 1e3,
        steps: answered.answer.steps,
        ..none
    }
}
