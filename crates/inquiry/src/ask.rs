//! One question, answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use fleet::Fleet;
use search::Searcher;
use signal::Store;
use sql::{Answer, Budget, Question, Refusal, Run};

use crate::{
    error::AskError,
    filling::{Cut, Filling, ROWS_MAX},
    scope::Scope,
    sources::{hosts, logs, processes, signals},
    tables::TABLES,
    time,
};

/// An answer, and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// Rows of each table that was read.
    pub read: Vec<(&'static str, usize)>,
    /// Tables that do not hold all that they should: then the answer could not be evaluated whole.
    pub cuts: Vec<Cut>,
    /// Time that it took with the filling of tables.
    pub took: Duration,
}

/// Where rows come from. Clones share them.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Events.
    pub searcher: Searcher,
    /// Hosts and what was measured on them.
    pub fleet: Arc<Fleet>,
    /// Signals.
    pub signals: Arc<Store>,
}

/// Reads a text. It is made ready on a connection of its own: call it off the reactor.
///
/// # Errors
/// What is wrong with it, with its place.
pub fn check(text: &str) -> Result<Question, Refusal> {
    Question::check(text, TABLES)
}

impl Sources {
    /// Fills the tables that the question reads, and answers it. Both together end within twice the time of the budget.
    ///
    /// # Errors
    /// Past a bound of the budget, and when rows cannot be read.
    pub async fn ask(
        &self,
        question: Question,
        scope: &Scope,
        budget: &Budget,
    ) -> Result<Answered, AskError> {
        let began = Instant::now();
        let mut filling = Filling::until(began + budget.time);
        let is_read = |name: &str| question.tables().iter().any(|table| table.name == name);
        if is_read("logs") {
            logs::fill(&self.searcher, &question, scope, &mut filling).await?;
        }
        let (sources, scope, budget) = (self.clone(), scope.clone(), budget.clone());
        let work = move || {
            sources.fill(&question, &scope, &mut filling)?;
            answer(question, filling, (&scope, budget))
        };
        let (answer, read, cuts) =
            telemetry::task::blocking("sql", work).await.map_err(|_| AskError::Ended)??;
        Ok(Answered { answer, read, cuts, took: began.elapsed() })
    }

    /// Fills what is read off the reactor.
    fn fill(&self, question: &Question, scope: &Scope, filling: &mut Filling) -> Result<(), AskError> {
        for table in question.tables() {
            match table.name {
                "hosts" => hosts::fill(&self.fleet, question, scope, filling)?,
                "services" => hosts::services(&self.fleet, question, scope, filling)?,
                "metrics" => hosts::metrics(&self.fleet, question, scope, filling)?,
                "processes" => processes::fill(&self.fleet, question, scope, filling)?,
                "process_events" => processes::events(&self.fleet, question, scope, filling)?,
                "listening_ports" => processes::ports(&self.fleet, question, scope, filling)?,
                "signals" => signals::fill(&self.signals, question, scope, filling)?,
                _ => {}
            }
        }
        Ok(())
    }
}

type Told = (Answer, Vec<(&'static str, usize)>, Vec<Cut>);

fn answer(question: Question, filling: Filling, (scope, budget): (&Scope, Budget)) -> Result<Told, AskError> {
    let budget = Budget { rows_read: budget.rows_read.min(ROWS_MAX), ..budget };
    let mut run = Run::begin_at(question, budget, time::moment(scope.at))?;
    let mut read = Vec::new();
    for (table, rows) in filling.tables {
        read.push((table, rows.len()));
        run.insert(table, rows)?;
    }
    Ok((run.answer()?, read, filling.cuts))
}
