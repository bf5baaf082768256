//! Lists of signals.
//!
//! Every question has an index that it is answered from, named in the statement: the narrowest thing that was asked for
//! leads, and what else was asked for stands in the same index. Totals of what has no time and no words come from
//! counts that are kept, so they cost the same for ten signals and for a million.

use event::Timestamp;
use finding::{FindingKind, Level};
use rusqlite::{Transaction, types::Value};

use super::{
    place::Place,
    row::{self, Found},
};
use crate::{AT_HOST, Signal, State, StoreError, suppression::Sort};

/// Signals that a page has at most.
const PAGE_MAX: usize = 1000;

/// Which signals are asked for. What is empty or none lets everything through.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// Those that stand so.
    pub states: Vec<State>,
    /// Those of these kinds.
    pub kinds: Vec<FindingKind>,
    /// Those as grave as one of these.
    pub severities: Vec<Level>,
    /// Those that this rule found.
    pub rule: Option<String>,
    /// Those about this: a value, or `type:value`, such as `source.ip:203.0.113.7`.
    pub entity: Option<String>,
    /// Not those that are about it only as about one of many at a host.
    pub without_many: bool,
    /// Those of this organization.
    pub organization: Option<String>,
    /// Those that were still seen at this time, or later.
    pub from: Option<Timestamp>,
    /// Those that had begun before this time.
    pub to: Option<Timestamp>,
    /// Those in which all of these words stand: in kind, rule, entities, facts or the events shown.
    pub text: Option<String>,
    /// Those that are hidden, in place of those that are shown.
    pub hidden: bool,
    /// At most so many, and never more than 1000.
    pub limit: usize,
    /// Where the page before ended, as its [`Page::next`] says.
    pub cursor: Option<String>,
}

impl Default for Filter {
    /// The hundred last seen of all that is shown.
    fn default() -> Self {
        Self {
            states: Vec::new(),
            kinds: Vec::new(),
            severities: Vec::new(),
            rule: None,
            entity: None,
            without_many: false,
            organization: None,
            from: None,
            to: None,
            text: None,
            hidden: false,
            limit: 100,
            cursor: None,
        }
    }
}

/// A page of signals.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// How many the filter lets through, on all pages.
    pub total: u64,
    /// Those of this page, those last seen first.
    pub signals: Vec<Signal>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// A statement in the making.
#[derive(Debug, Default)]
struct Statement {
    /// Where rows come from.
    source: String,
    conditions: Vec<String>,
    values: Vec<Value>,
    /// What orders the rows: columns of when a signal was last seen, and of its number.
    order: [&'static str; 2],
}

impl Statement {
    /// Keeps rows for which this holds; each `?` stands for the next of the values.
    fn holds(&mut self, condition: impl Into<String>, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition.into());
        self.values.extend(values);
    }

    fn is_one_of(&mut self, column: &str, values: Vec<Value>) {
        if !values.is_empty() {
            let places = vec!["?"; values.len()].join(", ");
            self.holds(format!("{column} IN ({places})"), values);
        }
    }

    fn text(&self, selected: &str, rest: &str) -> String {
        let conditions = self.conditions.join(" AND ");
        format!("SELECT {selected} FROM {} WHERE {conditions} {rest}", self.source)
    }
}

impl Filter {
    /// Whether kept counts answer for the total.
    fn is_counted(&self) -> bool {
        let has_place = self.rule.is_some() || self.entity.is_some() || self.words().is_some();
        !has_place && self.from.is_none() && self.to.is_none()
    }

    /// The words as a query of the index of words: each a phrase, all of them wanted.
    fn words(&self) -> Option<String> {
        let words = self.text.as_deref()?.split_whitespace();
        let phrases: Vec<String> = words.map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
        (!phrases.is_empty()).then(|| phrases.join(" "))
    }

    fn restrict(&self, statement: &mut Statement, states: &[State]) {
        let text = |name: &'static str| Value::from(name.to_owned());
        statement.is_one_of("state", states.iter().map(|state| text(state.as_str())).collect());
        statement.is_one_of("kind", self.kinds.iter().map(|kind| text(kind.as_str())).collect());
        let severities = self.severities.iter().map(|level| Value::from(*level as i64)).collect();
        statement.is_one_of("severity", severities);
        if let Some(organization) = &self.organization {
            statement.holds("organization = ?", [organization.clone().into()]);
        }
        statement.holds("hidden = ?", [i64::from(self.hidden).into()]);
    }

    /// Whether one index gives signals of every state in order, or only those of one.
    fn is_by_state(&self) -> bool {
        !self.states.is_empty() && self.rule.is_none() && self.entity.is_none() && self.words().is_none()
    }

    /// What finds the rows in these states, but for the page.
    fn statement(&self, states: &[State]) -> Statement {
        let mut statement = Statement { order: ["signal.last", "signal.number"], ..Statement::default() };
        statement.source = if let Some(entity) = &self.entity {
            statement.order = ["signal_entity.last", "signal_entity.signal"];
            statement.holds("signal_entity.entity = ?", [entity.clone().into()]);
            if self.without_many {
                let values = [AT_HOST, entity, entity].map(|text| Value::from(text.to_owned()));
                statement.holds("(signal.rule <> ? OR signal.entity IN (?, 'host:' || ?))", values);
            }
            "signal_entity CROSS JOIN signal ON signal.number = signal_entity.signal".to_owned()
        } else if self.words().is_some() {
            "signal".to_owned()
        } else {
            let index = match (&self.rule, states.len(), self.kinds.len(), &self.organization) {
                (Some(_), ..) => "signal_by_rule",
                (_, 1.., ..) => "signal_by_state",
                (_, _, 1, _) => "signal_by_kind",
                (.., Some(_)) => "signal_by_organization",
                _ => "signal_by_time",
            };
            format!("signal INDEXED BY {index}")
        };
        if let Some(words) = self.words() {
            let condition = "signal.number IN (SELECT rowid FROM signal_text WHERE signal_text MATCH ?)";
            statement.holds(condition, [words.into()]);
        }
        self.restrict(&mut statement, states);
        if let Some(rule) = &self.rule {
            statement.holds("rule = ?", [rule.clone().into()]);
        }
        if let Some(from) = self.from {
            statement.holds(format!("{} >= ?", statement.order[0]), [from.as_nanos().into()]);
        }
        if let Some(to) = self.to {
            statement.holds("first < ?", [to.as_nanos().into()]);
        }
        statement
    }

    /// The text and the values of what counts the rows.
    pub(super) fn total(&self) -> (String, Vec<Value>) {
        if !self.is_counted() {
            let statement = self.statement(&self.states);
            return (statement.text("count(*)", ""), statement.values);
        }
        let mut statement = Statement { source: "signal_total".to_owned(), ..Statement::default() };
        self.restrict(&mut statement, &self.states);
        (statement.text("coalesce(sum(signals), 0)", ""), statement.values)
    }

    /// The text and the values of what counts the rows of each kind and severity.
    pub(super) fn sorts(&self) -> (String, Vec<Value>) {
        let statement = self.statement(&self.states);
        let rest = "GROUP BY kind, severity ORDER BY count(*) DESC";
        (statement.text("kind, severity, count(*)", rest), statement.values)
    }

    /// The text and the values of what selects so many rows in order: of each state as many, and of these so many.
    pub(super) fn page(&self, limit: usize) -> Result<(String, Vec<Value>), StoreError> {
        let place = self.cursor.as_deref().map(Place::read).transpose()?;
        let parts =
            if self.is_by_state() { self.states.chunks(1) } else { self.states.chunks(State::ALL.len()) };
        let parts: Vec<&[State]> = if self.states.is_empty() { vec![&[]] } else { parts.collect() };
        let (mut texts, mut values) = (Vec::new(), Vec::new());
        for states in parts {
            let mut statement = self.statement(states);
            let [last, number] = statement.order;
            if let Some(place) = place {
                let after = [place.last.into(), place.number().into()];
                statement.holds(format!("({last}, {number}) < (?, ?)"), after);
            }
            let rest = format!("ORDER BY {last} DESC, {number} DESC LIMIT {limit}");
            let selected = format!("{number} AS number");
            texts.push(format!("SELECT number FROM ({})", statement.text(&selected, &rest)));
            values.extend(statement.values);
        }
        let found = texts.join(" UNION ALL ");
        let text = format!(
            "{} ({found}) ORDER BY signal.last DESC, signal.number DESC LIMIT {limit}",
            row::select!("FROM signal WHERE signal.number IN")
        );
        Ok((text, values))
    }
}

/// The page of signals that a filter asks for.
pub(super) fn list(transaction: &Transaction<'_>, filter: &Filter) -> Result<Page, StoreError> {
    let total = total(transaction, filter)?;
    let limit = filter.limit.min(PAGE_MAX);
    let mut found = find(transaction, filter, limit + 1)?;
    // One more than asked for tells whether there is a next page.
    let has_more = found.len() > limit;
    found.truncate(limit);
    let end = found.last().filter(|_| has_more);
    let next = end.map(|end| Place::of_signal(end.held.signal.last, end.number).write());
    Ok(Page { total, signals: found.into_iter().map(|found| found.held.signal).collect(), next })
}

/// The signals that a filter lets through, at most so many, those last seen first.
pub(super) fn find(
    transaction: &Transaction<'_>,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Found>, StoreError> {
    let (text, values) = filter.page(limit)?;
    let mut prepared = transaction.prepare_cached(&text)?;
    row::read_all(&mut prepared, rusqlite::params_from_iter(values))
}

/// How many signals a filter lets through.
pub(super) fn total(transaction: &Transaction<'_>, filter: &Filter) -> Result<u64, StoreError> {
    let (text, values) = filter.total();
    let mut prepared = transaction.prepare_cached(&text)?;
    let total: i64 = prepared.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?;
    Ok(u64::try_from(total).unwrap_or(0))
}

/// How many signals of each kind and severity a filter lets through.
pub(super) fn sorts(transaction: &Transaction<'_>, filter: &Filter) -> Result<Vec<Sort>, StoreError> {
    let (text, values) = filter.sorts();
    let mut prepared = transaction.prepare_cached(&text)?;
    let mut rows = prepared.query(rusqlite::params_from_iter(values))?;
    let mut sorts = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, severity, signals): (String, u8, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let severity = Level::ALL.get(usize::from(severity)).copied();
        if let (Ok(kind), Some(severity)) = (kind.parse(), severity) {
            sorts.push(Sort { kind, severity, signals: u64::try_from(signals).unwrap_or(0) });
        }
    }
    Ok(sorts)
}
