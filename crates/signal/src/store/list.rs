//! Lists of signals.
//!
//! Every question has an index that it is answered from, named in the statement: the narrowest thing that was asked for
//! leads, and what else was asked for stands in the same index. Totals of what has no time and no words come from
//! counts that are kept, so they cost the same for ten signals and for a million.

use event::Timestamp;
use finding::{FindingKind, Level};
use rusqlite::{Transaction, types::Value};

use super::row;
use crate::{Signal, State, StoreError};

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
    /// Those about this: a value, or `type:value`, such as `source.ip:203.0.113.7`.
    pub entity: Option<String>,
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
            entity: None,
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

/// The place of a signal in a list: those before it were seen later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    last: i64,
    number: i64,
}

impl Place {
    fn read(cursor: &str) -> Result<Self, StoreError> {
        let number = |text: &str| i64::from_str_radix(text, 16).ok();
        let place = cursor
            .split_once('-')
            .and_then(|(last, of)| Some(Self { last: number(last)?, number: number(of)? }));
        place.ok_or_else(|| StoreError::Cursor { cursor: cursor.chars().take(64).collect() })
    }

    fn write(self) -> String {
        format!("{:x}-{:x}", self.last, self.number)
    }
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
        self.entity.is_none() && self.from.is_none() && self.to.is_none() && self.words().is_none()
    }

    /// The words as a query of the index of words: each a phrase, all of them wanted.
    fn words(&self) -> Option<String> {
        let words = self.text.as_deref()?.split_whitespace();
        let phrases: Vec<String> = words.map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
        (!phrases.is_empty()).then(|| phrases.join(" "))
    }

    fn sorts(&self, statement: &mut Statement) {
        let texts =
            |names: Vec<&'static str>| names.into_iter().map(|name| Value::from(name.to_owned())).collect();
        statement.is_one_of("state", texts(self.states.iter().map(|state| state.as_str()).collect()));
        statement.is_one_of("kind", texts(self.kinds.iter().map(|kind| kind.as_str()).collect()));
        let severities = self.severities.iter().map(|level| Value::from(*level as i64)).collect();
        statement.is_one_of("severity", severities);
        if let Some(organization) = &self.organization {
            statement.holds("organization = ?", [organization.clone().into()]);
        }
        statement.holds("hidden = ?", [i64::from(self.hidden).into()]);
    }

    /// What finds the rows, but for the page.
    fn statement(&self) -> Statement {
        let mut statement = Statement { order: ["signal.last", "signal.number"], ..Statement::default() };
        if let Some(entity) = &self.entity {
            "signal_entity CROSS JOIN signal ON signal.number = signal_entity.signal"
                .clone_into(&mut statement.source);
            statement.order = ["signal_entity.last", "signal_entity.signal"];
            statement.holds("signal_entity.entity = ?", [entity.clone().into()]);
        } else if self.words().is_some() {
            "signal".clone_into(&mut statement.source);
        } else {
            let index = match (self.states.len(), self.kinds.len(), &self.organization) {
                (1, _, _) => "signal_by_state",
                (_, 1, _) => "signal_by_kind",
                (_, _, Some(_)) => "signal_by_organization",
                _ => "signal_by_time",
            };
            statement.source = format!("signal INDEXED BY {index}");
        }
        if let Some(words) = self.words() {
            statement.holds(
                "signal.number IN (SELECT rowid FROM signal_text WHERE signal_text MATCH ?)",
                [words.into()],
            );
        }
        self.sorts(&mut statement);
        if let Some(from) = self.from {
            statement.holds(format!("{} >= ?", statement.order[0]), [from.as_nanos().into()]);
        }
        if let Some(to) = self.to {
            statement.holds("first < ?", [to.as_nanos().into()]);
        }
        statement
    }
}

/// The page of signals that a filter asks for.
pub(super) fn list(transaction: &Transaction<'_>, filter: &Filter) -> Result<Page, StoreError> {
    let total = total(transaction, filter)?;
    let limit = filter.limit.min(PAGE_MAX);
    let mut statement = filter.statement();
    let [last, number] = statement.order;
    if let Some(cursor) = &filter.cursor {
        let place = Place::read(cursor)?;
        statement.holds(format!("({last}, {number}) < (?, ?)"), [place.last.into(), place.number.into()]);
    }
    // One more than asked for tells whether there is a next page.
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let rest = format!("ORDER BY {last} DESC, {number} DESC LIMIT {wanted}");
    let mut prepared = transaction.prepare_cached(&statement.text(row::COLUMNS, &rest))?;
    let mut found = row::read_all(&mut prepared, rusqlite::params_from_iter(statement.values))?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let end = found.last().filter(|_| has_more);
    let next = end.map(|end| Place { last: end.held.signal.last.as_nanos(), number: end.number }.write());
    Ok(Page { total, signals: found.into_iter().map(|found| found.held.signal).collect(), next })
}

fn total(transaction: &Transaction<'_>, filter: &Filter) -> Result<u64, StoreError> {
    let (statement, selected) = if filter.is_counted() {
        let mut statement = Statement { source: "signal_total".to_owned(), ..Statement::default() };
        filter.sorts(&mut statement);
        (statement, "coalesce(sum(signals), 0)")
    } else {
        (filter.statement(), "count(*)")
    };
    let mut prepared = transaction.prepare_cached(&statement.text(selected, ""))?;
    let total: i64 = prepared.query_row(rusqlite::params_from_iter(statement.values), |row| row.get(0))?;
    Ok(u64::try_from(total).unwrap_or(0))
}
