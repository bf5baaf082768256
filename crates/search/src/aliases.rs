//! Questions about a template find the events of all ids that stand for it.
//!
//! What is stored keeps the id that its template had then. When templates have become one since, by
//! themselves or because somebody merged them, a question for any of their ids is one for all of them,
//! and patterns have one row. Here alone queries are rewritten so, just before they are answered.

use std::{collections::HashMap, sync::Arc};

use event::{Template, TemplateId, field};
use index::{Pattern, Patterns, PatternsRequest, Selection};
use query::{Query, Test, Texts};
use template::Merged;

/// Ids that one request of patterns takes together; the rows of further ones stay apart.
const IDS_MAX: usize = 10_000;

/// Which ids stand for one template, as of now.
pub trait Aliases: Send + Sync {
    /// All ids whose stored events belong to this template, its own among them.
    fn of(&self, id: TemplateId) -> Vec<TemplateId>;

    /// All templates that stand for other ids too.
    fn merged(&self) -> Vec<Merged>;
}

/// Every id stands for itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAliases;

impl Aliases for NoAliases {
    fn of(&self, id: TemplateId) -> Vec<TemplateId> {
        vec![id]
    }

    fn merged(&self) -> Vec<Merged> {
        Vec::new()
    }
}

/// The query for the events of all ids where it asks for those of one.
pub(crate) fn widened(query: Query, aliases: &dyn Aliases) -> Query {
    let all = |parts: Vec<Query>| parts.into_iter().map(|part| widened(part, aliases)).collect();
    match query {
        Query::Field { path, test } if path == field::TEMPLATE_ID => {
            let test = match test {
                Test::Equals { text, ignore_case } => match ids_of(&text, aliases) {
                    Some(ids) => Test::OneOf(Texts::new(ids.iter().map(TemplateId::to_string))),
                    None => Test::Equals { text, ignore_case },
                },
                other => other,
            };
            Query::Field { path, test }
        }
        Query::And(parts) => Query::And(all(parts)),
        Query::Or(parts) => Query::Or(all(parts)),
        Query::Not(part) => Query::Not(Box::new(widened(*part, aliases))),
        other @ (Query::All | Query::Message(_) | Query::Field { .. }) => other,
    }
}

/// The ids that stand for this one, where there are several.
fn ids_of(text: &str, aliases: &dyn Aliases) -> Option<Vec<TemplateId>> {
    let id: TemplateId = text.parse().ok()?;
    // Any other spelling finds nothing, as text.
    let ids = if id.to_string() == text { aliases.of(id) } else { Vec::new() };
    (ids.len() > 1).then_some(ids)
}

/// The rows of patterns that belong together.
pub(crate) struct Rows {
    of: HashMap<TemplateId, Arc<Template>>,
    pub(crate) is_cut: bool,
}

impl Rows {
    pub(crate) fn new(aliases: &dyn Aliases) -> Self {
        let (mut of, mut is_cut) = (HashMap::new(), false);
        for Merged { template, ids } in aliases.merged() {
            if of.len() + ids.len() >= IDS_MAX {
                is_cut = true;
                continue;
            }
            of.insert(template.id, template.clone());
            of.extend(ids.into_iter().map(|id| (id, template.clone())));
        }
        Self { of, is_cut }
    }

    /// As many rows as have to be asked for, so that all that are wanted are among them unless there are more.
    pub(crate) fn wide(&self, limit: usize) -> usize {
        limit.saturating_add(self.of.len())
    }

    /// Asks for the rows of templates that stand for several ids, and no others.
    pub(crate) fn apart(&self, selection: &Selection) -> PatternsRequest {
        let ids = Texts::new(self.of.keys().map(TemplateId::to_string));
        let of = Query::Field { path: field::TEMPLATE_ID.to_owned(), test: Test::OneOf(ids) };
        let query = Query::and(vec![selection.query.clone(), of]);
        PatternsRequest { selection: Selection { query, ..selection.clone() }, limit: self.of.len().max(1) }
    }

    /// Whether some rows that belong together may be missing from an answer.
    pub(crate) fn lacks(&self, found: &Patterns) -> bool {
        !self.of.is_empty() && (found.patterns.len() as u64) < found.distinct
    }

    /// One row for each template. `apart` are all rows of those that stand for several ids, where the answer
    /// may lack some.
    pub(crate) fn fold(&self, found: Patterns, apart: Option<Patterns>, limit: usize) -> Patterns {
        let Patterns { patterns, distinct, total, covered } = found;
        let (merged, others): (Vec<Pattern>, Vec<Pattern>) =
            patterns.into_iter().partition(|pattern| self.of.contains_key(&pattern.id));
        let merged = apart.map_or(merged, |apart| apart.patterns);
        let rows = merged.len() as u64;
        let current = merged.into_iter().map(|pattern| match self.of.get(&pattern.id) {
            Some(template) => Pattern { id: template.id, text: template.text.clone(), ..pattern },
            None => pattern,
        });
        let part = |patterns| Patterns { patterns, distinct: 0, total: 0, covered };
        let merged = part(current.collect()).merge(part(Vec::new()), usize::MAX);
        let distinct = distinct.saturating_sub(rows) + merged.patterns.len() as u64;
        let all = part(others).merge(merged, limit);
        Patterns { distinct, total, ..all }
    }
}

#[cfg(test)]
mod tests {
    use event::{Position, Severity, Timestamp};

    use super::*;

    /// 1 stands for 2 and 3.
    struct Known;

    fn template() -> Arc<Template> {
        Arc::new(Template { id: TemplateId(1), text: "one".to_owned() })
    }

    impl Aliases for Known {
        fn of(&self, id: TemplateId) -> Vec<TemplateId> {
            if id.0 <= 3 { (1..=3).map(TemplateId).collect() } else { vec![id] }
        }

        fn merged(&self) -> Vec<Merged> {
            vec![Merged { template: template(), ids: vec![TemplateId(2), TemplateId(3)] }]
        }
    }

    fn asked(text: &str) -> String {
        widened(Query::parse(text, Timestamp::MIN).unwrap(), &Known).to_string()
    }

    #[test]
    fn a_question_for_one_id_is_one_for_all_that_stand_for_it() {
        let [one, two, three, four] = [1, 2, 3, 4].map(|id| TemplateId(id).to_string());
        let all = format!("sentinel.template.id:({one} OR {two} OR {three})");
        assert_eq!(asked(&format!("sentinel.template.id:{one}")), all);
        assert_eq!(asked(&format!("sentinel.template.id:{three}")), all);
        assert_eq!(asked(&format!("sentinel.template.id:{four}")), format!("sentinel.template.id:{four}"));
        let nested = asked(&format!("disk AND (NOT sentinel.template.id:{two} OR level:error)"));
        assert!(nested.contains(&format!("({one} OR {two} OR {three})")), "{nested}");
        for other in ["sentinel.template.id:*", "sentinel.template.id:00*", "labels.id:0000000000000002", "x"]
        {
            let plain = Query::parse(other, Timestamp::MIN).unwrap();
            assert_eq!(widened(plain.clone(), &Known), plain, "{other}");
        }
    }

    fn row(id: u64, count: u64) -> Pattern {
        let at = |n: u64| Timestamp::saturating_from_nanos(i128::from(n));
        Pattern {
            id: TemplateId(id),
            text: format!("text {id}"),
            count,
            first: at(id),
            last: at(10 * id),
            severity: Severity::Info,
            score_max: 0.1 * id as f32,
            anomalies: id,
        }
    }

    fn rows(rows: Vec<Pattern>, distinct: u64) -> Patterns {
        let total = rows.iter().map(|row| row.count).sum();
        Patterns { patterns: rows, distinct, total, covered: Position::default() }
    }

    #[test]
    fn rows_of_one_template_are_one_row() {
        let fold = Rows::new(&Known);
        let found = rows(vec![row(4, 7), row(1, 4), row(2, 3), row(3, 2), row(5, 1)], 5);
        assert!(!fold.lacks(&found));
        let folded = fold.fold(found, None, 2);
        let [one, four] = folded.patterns.as_slice() else { panic!("{folded:?}") };
        assert_eq!((one.id, one.text.as_str(), one.count, one.anomalies), (TemplateId(1), "one", 9, 6));
        assert_eq!((one.first.as_nanos(), one.last.as_nanos(), one.score_max), (1, 30, 0.3));
        assert_eq!((four.id, four.count), (TemplateId(4), 7));
        assert_eq!((folded.distinct, folded.total), (3, 17));
    }

    #[test]
    fn rows_that_an_answer_lacks_are_asked_for_apart() {
        let fold = Rows::new(&Known);
        let found = rows(vec![row(4, 7), row(1, 4)], 5);
        assert!(fold.lacks(&found));
        let asked = fold.apart(&Selection { query: Query::All, from: None, to: None });
        assert_eq!(asked.limit, 3);
        assert!(asked.selection.query.to_string().contains("0000000000000003"));
        let apart = rows(vec![row(1, 4), row(2, 3), row(3, 2)], 3);
        let folded = fold.fold(found, Some(apart), 1);
        assert_eq!((folded.patterns[0].id, folded.patterns[0].count), (TemplateId(1), 9));
        assert_eq!((folded.patterns.len(), folded.distinct), (1, 3));
    }

    #[test]
    fn without_aliases_nothing_changes() {
        let fold = Rows::new(&NoAliases);
        let found = rows(vec![row(4, 7), row(1, 4)], 5);
        assert!(!fold.lacks(&found) && fold.wide(2) == 2);
        assert_eq!(fold.fold(found.clone(), None, 2), found);
    }
}
