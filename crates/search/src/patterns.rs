//! Templates with their counts: in which order, and what became of them from one period to another.

use std::collections::HashMap;

use event::{Position, TemplateId, Timestamp};
use index::{Limits, Pattern, Patterns, PatternsRequest};

use crate::{Answer, SearchError, Searcher, aliases::Rows, searcher::wide, waiting::Tail};

/// Which templates come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PatternOrder {
    /// Those with most events.
    #[default]
    Frequent,
    /// Those with fewest events.
    Rare,
    /// Those whose earliest event is the latest.
    Newest,
}

/// What became of a template from one period to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It has events in the later one alone.
    New,
    /// It has events in the earlier one alone.
    Gone,
    /// It has events in both, and not as many.
    Changed,
}

/// A template with other counts in two periods.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedPattern {
    /// Of the later period, of the earlier one where it is gone. Its `count` is that of the later.
    pub pattern: Pattern,
    /// Events in the earlier period.
    pub before: u64,
    /// What became of it.
    pub change: Change,
}

/// Two periods, compared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// At most so many of each kind of change as were asked for: new ones by count, then those gone by count,
    /// then changed ones, those first whose counts chance explains least.
    pub changes: Vec<ChangedPattern>,
    /// Matching events of the later and of the earlier period.
    pub total: (u64, u64),
    /// How many templates are new, gone and changed.
    pub counts: [u64; 3],
    /// How many have as many events in both.
    pub unchanged: u64,
}

impl Searcher {
    /// Templates with their counts, each with those of all ids that stand for it. Events that are not
    /// analysed yet have none.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub async fn patterns(
        &self,
        request: PatternsRequest,
        order: PatternOrder,
        limits: &Limits,
    ) -> Result<Answer<Patterns>, SearchError> {
        let limit = request.limit;
        let by: fn(&Pattern) -> (i128, TemplateId) = match order {
            PatternOrder::Frequent => return self.frequent(request, limits).await,
            PatternOrder::Rare => |pattern| (pattern.count.into(), pattern.id),
            PatternOrder::Newest => |pattern| (-i128::from(pattern.first.as_nanos()), pattern.id),
        };
        let mut answer = self.most(request, limits).await?;
        answer.result.patterns.sort_by_key(by);
        answer.result.patterns.truncate(limit);
        Ok(answer)
    }

    /// Compares the events that a request is about with those of an earlier period that match the same query.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub async fn compare_patterns(
        &self,
        request: PatternsRequest,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        limits: &Limits,
    ) -> Result<Answer<Comparison>, SearchError> {
        let limit = request.limit;
        let mut earlier = request.clone();
        (earlier.selection.from, earlier.selection.to) = (from, to);
        let before = self.most(earlier, limits).await?;
        let now = self.most(request, limits).await?;
        Ok(Answer {
            result: compare(now.result, before.result, limit),
            partial: now.partial.or(before.partial),
            from_index: now.from_index && before.from_index,
        })
    }

    /// As many templates as there may be in any other order than the most frequent first.
    async fn most(&self, request: PatternsRequest, limits: &Limits) -> Result<Answer<Patterns>, SearchError> {
        let request = PatternsRequest { limit: wide(request.limit), ..request };
        let mut answer = self.frequent(request, limits).await?;
        let found = answer.result.patterns.len();
        if (found as u64) < answer.result.distinct && answer.partial.is_none() {
            answer.partial =
                Some(format!("there are more templates than the {found} most frequent ones looked at"));
        }
        Ok(answer)
    }

    /// The most frequent templates.
    async fn frequent(
        &self,
        request: PatternsRequest,
        limits: &Limits,
    ) -> Result<Answer<Patterns>, SearchError> {
        let (rows, limit) = (Rows::new(&*self.aliases), request.limit);
        let selection = self.selection(request.selection);
        let end = self.begin(limits).await;
        let wide = PatternsRequest { selection: selection.clone(), limit: rows.wide(limit) };
        let Answer { result, mut partial, from_index } = self.rows(wide, end, limits).await?;
        let apart = match rows.lacks(&result) {
            true => Some(self.rows(rows.apart(&selection), end, limits).await?.result),
            false => None,
        };
        if rows.is_cut && partial.is_none() {
            partial = Some("more templates were merged than patterns can take together".to_owned());
        }
        Ok(Answer { result: rows.fold(result, apart, limit), partial, from_index })
    }

    /// Templates with their counts, as they are stored.
    async fn rows(
        &self,
        request: PatternsRequest,
        end: Position,
        limits: &Limits,
    ) -> Result<Answer<Patterns>, SearchError> {
        let limit = request.limit;
        let found = self.in_time(self.index.patterns(request.clone(), limits), limits).await;
        let request = PatternsRequest { limit: wide(limit), ..request };
        let scan = move |tail: &Tail<'_>, limits: &Limits| tail.patterns(&request, limits);
        let covered = |found: &Patterns| found.covered;
        self.with_ranked_tail(found, covered, (end, limits), (limit, scan), Patterns::merge).await
    }
}

/// Joins the templates of two periods.
fn compare(now: Patterns, before: Patterns, limit: usize) -> Comparison {
    let mut comparison = Comparison { total: (now.total, before.total), ..Comparison::default() };
    let mut earlier: HashMap<TemplateId, Pattern> =
        before.patterns.into_iter().map(|pattern| (pattern.id, pattern)).collect();
    let mut changes = Vec::new();
    for pattern in now.patterns {
        match earlier.remove(&pattern.id).map(|earlier| earlier.count) {
            None => changes.push(ChangedPattern { pattern, before: 0, change: Change::New }),
            Some(before) if before == pattern.count => comparison.unchanged += 1,
            Some(before) => changes.push(ChangedPattern { pattern, before, change: Change::Changed }),
        }
    }
    for pattern in earlier.into_values() {
        let before = pattern.count;
        let pattern = Pattern { count: 0, ..pattern };
        changes.push(ChangedPattern { pattern, before, change: Change::Gone });
    }
    // Counts scatter by their square root.
    let weight = |changed: &ChangedPattern| {
        let (now, before) = (changed.pattern.count as f64, changed.before as f64);
        (now - before).abs() / (now + before).sqrt()
    };
    changes.sort_by(|a, b| {
        let by_weight = weight(b).total_cmp(&weight(a)).then(a.pattern.id.cmp(&b.pattern.id));
        a.change.cmp(&b.change).then(by_weight)
    });
    for changed in changes {
        let count = &mut comparison.counts[changed.change as usize];
        *count += 1;
        if *count <= limit as u64 {
            comparison.changes.push(changed);
        }
    }
    comparison
}

#[cfg(test)]
mod tests {
    use event::Severity;

    use super::*;

    fn rows(rows: &[(u64, u64)]) -> Patterns {
        let pattern = |(id, count): &(u64, u64)| Pattern {
            id: TemplateId(*id),
            text: format!("text {id}"),
            count: *count,
            first: Timestamp::MIN,
            last: Timestamp::MIN,
            severity: Severity::Info,
            score_max: 0.0,
            anomalies: 0,
        };
        let patterns: Vec<_> = rows.iter().map(pattern).collect();
        let total = patterns.iter().map(|pattern| pattern.count).sum();
        Patterns { distinct: rows.len() as u64, patterns, total, covered: Position::default() }
    }

    #[test]
    fn what_became_of_templates_is_told_by_kind() {
        let now = rows(&[(1, 1000), (2, 90), (3, 7), (4, 5), (5, 3), (6, 1)]);
        let before = rows(&[(1, 1010), (2, 10), (5, 3), (7, 2), (8, 40)]);
        let changes = |limit| {
            let found = compare(now.clone(), before.clone(), limit);
            assert_eq!((found.total, found.counts, found.unchanged), ((1106, 1065), [3, 2, 2], 1));
            let row = |changed: ChangedPattern| {
                (changed.pattern.id.0, changed.pattern.count, changed.before, changed.change)
            };
            found.changes.into_iter().map(row).collect::<Vec<_>>()
        };
        use Change::{Changed, Gone, New};
        let all = [
            (3, 7, 0, New),
            (4, 5, 0, New),
            (6, 1, 0, New),
            (8, 0, 40, Gone),
            (7, 0, 2, Gone),
            (2, 90, 10, Changed),
            (1, 1000, 1010, Changed),
        ];
        assert_eq!(changes(10), all);
        assert_eq!(changes(1), [all[0], all[3], all[5]]);
    }
}
