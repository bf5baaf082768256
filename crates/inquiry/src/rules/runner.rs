//! Rules are asked when it is time, and what is new is told.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use event::Timestamp;
use finding::FindingKind;
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
                if self.is_due(&rule) {
                    self.run(rule).await;
                }
            }
        }
    }

    fn is_due(&self, rule: &Rule) -> bool {
        let every = i64::try_from(rule.every.as_nanos()).unwrap_or(i64::MAX);
        let since = |at: i64| (self.clock)().as_nanos() - at;
        // A clock that was set back must not hold it up.
        self.shelf.ran_at(&rule.id).is_none_or(|at| !(0..every).contains(&since(at)))
    }

    async fn run(self: &Arc<Self>, rule: Arc<Rule>) {
        let now = (self.clock)();
        let scope =
            Scope { organization: None, at: now, from: Some(now.saturating_sub(rule.window)), to: None };
        let budget = Budget { rows: ROWS_MAX, ..self.budget.clone() };
        let answered = self.sources.ask(rule.question.clone(), &scope, &budget).await;
        let runner = Arc::clone(self);
        let told = blocking("sql-rules", move || runner.take(&rule, answered, now)).await;
        if told.is_err() {
            tracing::error!("what a rule in SQL found could not be told");
        }
    }

    /// Writes down what came of a run, and tells what is new, in one transaction.
    fn take(&self, rule: &Rule, answered: Result<Answered, AskError>, now: Timestamp) {
        let mut last = last(rule, &answered, now, self.shelf.was_over(rule));
        let whole = answered.ok().filter(|_| matches!(last.ended, Ended::Matched | Ended::NoMatch));
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
        let written = self.observe(observed, now, |transaction| {
            kept::save(transaction, (&rule.id, &rule.hash), &last, suspended.as_deref(), marks.as_ref())
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
        let known: HashSet<Mark> = kept::marks(&self.database, &rule.id)?;
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
