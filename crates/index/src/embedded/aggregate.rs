//! Counting: over time, by value, by template.

use std::collections::{BTreeMap, HashMap};

use event::{FieldKind, Template, Timestamp, Value, field, fields_of};
use foldhash::fast::FixedState;
use query::{lowered, scalars};

use super::{
    common::Common,
    matcher::Matcher,
    reader::Block,
    rows::score_of,
    search::Collect,
    shapes::{Plan, RowShape, SCORE, ShapeTotals, Tables},
    store::{Shared, Snapshot},
};
use crate::{
    Bucket, FieldInfo, FieldValues, FieldValuesRequest, Histogram, HistogramRequest, IndexError, Interval,
    Meter, Pattern, Patterns, PatternsRequest, Selection, Width,
    interval::{CHOSEN_BUCKETS_MAX, counting_width},
    merge::{sort_counts, sort_patterns},
    scan::names,
};

type Counts = HashMap<String, u64, FixedState>;

/// The distinct values of a field as text; those of enumerations in lower case.
fn texts(path: &str, value: &Value<'_>) -> Vec<String> {
    let text = |text: &str| match FieldKind::of(path) {
        FieldKind::Enumeration => lowered(text).into_owned(),
        _ => text.to_owned(),
    };
    let mut values: Vec<_> = scalars(value).iter().map(|scalar| text(&scalar.text())).collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn count(counts: &mut Counts, value: &str, rows: u64) {
    match counts.get_mut(value) {
        Some(count) => *count += rows,
        None => {
            counts.insert(value.to_owned(), rows);
        }
    }
}

/// Counts values of a field.
struct Values<'r> {
    path: &'r str,
    counts: Counts,
    total: u64,
}

impl Values<'_> {
    /// False when the shape's rows differ.
    fn shape(&mut self, shape: &RowShape, rows: u64) -> bool {
        match shape.common(self.path) {
            Common::Absent => true,
            Common::Differs => false,
            Common::Value(value) => {
                self.add(&value, rows);
                true
            }
        }
    }

    fn add(&mut self, value: &Value<'_>, rows: u64) {
        if let (Value::String(text), field::LEVEL | field::SERVICE_NAME) = (value, self.path) {
            // What there are most of, without a copy of each.
            self.total += rows;
            return count(&mut self.counts, text, rows);
        }
        let values = texts(self.path, value);
        self.total += if values.is_empty() { 0 } else { rows };
        values.iter().for_each(|value| count(&mut self.counts, value, rows));
    }
}

impl Collect for Values<'_> {
    fn segment(&mut self, tables: &Tables, shape: usize, totals: &ShapeTotals) -> bool {
        self.shape(&tables.shapes[shape], totals.rows)
    }

    fn block(&mut self, block: &Block<'_>, shape: usize, rows: u64) -> Result<bool, IndexError> {
        Ok(self.shape(&block.tables.shapes[shape], rows))
    }

    fn row(&mut self, matcher: &mut Matcher<'_>, row: usize) -> Result<(), IndexError> {
        if self.path == field::HOST_NAME {
            if let Some(host) = matcher.rows.block.host(row)? {
                self.total += 1;
                count(&mut self.counts, host, 1);
            }
        } else if let Some(value) = matcher.value(self.path, row)? {
            self.add(&value, 1);
        }
        Ok(())
    }
}

/// Buckets there may be while their width is not settled.
const UNSETTLED_MAX: usize = 100_000;

/// Counts over time.
struct Buckets<'r> {
    request: &'r HistogramRequest,
    width: Width,
    /// The bucket looked for last: where it starts, and where the next one does.
    span: (i64, i64),
    /// Of the events that have a say in an interval that is to be chosen, the first and the last.
    range: Option<(i64, i64)>,
    buckets: BTreeMap<i64, (u64, Counts)>,
    /// The bucket counted last, to be added when another begins.
    open: (i64, u64),
}

impl Buckets<'_> {
    fn start(&mut self, nanos: i64) -> i64 {
        if !(self.span.0..self.span.1).contains(&nanos) {
            self.span = self.width.span(nanos);
        }
        self.span.0
    }

    /// Adds rows to the bucket of an instant, at which one of them is.
    fn bucket(&mut self, at: i64, rows: u64) -> Result<&mut Counts, IndexError> {
        self.reach(at, at);
        let start = self.start(at);
        let most = match self.request.interval {
            Interval::Fixed(_) | Interval::Calendar(..) => self.request.buckets_max,
            Interval::Chosen { .. } => UNSETTLED_MAX,
        };
        if self.buckets.len() >= most && !self.buckets.contains_key(&start) {
            return Err(self.too_many());
        }
        let bucket = self.buckets.entry(start).or_default();
        bucket.0 += rows;
        Ok(&mut bucket.1)
    }

    fn too_many(&self) -> IndexError {
        let limit = format!("{} buckets, or widen its interval", self.request.buckets_max);
        IndexError::QueryTooLarge { limit }
    }

    /// Takes into account that events match at both of these instants: a width that is to be chosen grows
    /// with their range.
    fn reach(&mut self, first: i64, last: i64) {
        let Interval::Chosen { until, zone } = &self.request.interval else { return };
        for at in [first, last].into_iter().filter(|at| *at <= until.as_nanos()) {
            let (from, to) = self.range.unwrap_or((at, at));
            if self.range.is_some() && (from..=to).contains(&at) {
                continue;
            }
            let (from, to) = (from.min(at), to.max(at));
            self.range = Some((from, to));
            self.widen(counting_width(from, to, zone));
        }
    }

    fn widen(&mut self, width: Width) {
        if width.about() <= self.width.about() {
            return;
        }
        (self.width, self.span) = (width, (0, 0));
        self.open.0 = self.start(self.open.0);
        for (start, (rows, counts)) in std::mem::take(&mut self.buckets) {
            let start = self.start(start);
            let wider = self.buckets.entry(start).or_default();
            wider.0 += rows;
            counts.iter().for_each(|(value, rows)| count(&mut wider.1, value, *rows));
        }
    }

    fn close(&mut self) -> Result<(), IndexError> {
        let (start, rows) = std::mem::take(&mut self.open);
        if rows > 0 {
            self.bucket(start, rows)?;
        }
        Ok(())
    }

    fn whole(&mut self, shape: &RowShape, first: i64, last: i64, rows: u64) -> Result<bool, IndexError> {
        let start = self.start(first);
        if start != self.start(last) {
            return Ok(false);
        }
        let Some(by) = self.request.by.as_deref() else {
            self.bucket(start, rows)?;
            return Ok(true);
        };
        match shape.common(by) {
            Common::Differs => return Ok(false),
            Common::Absent => {
                self.bucket(start, rows)?;
            }
            Common::Value(value) => {
                let counts = self.bucket(start, rows)?;
                texts(by, &value).iter().for_each(|value| count(counts, value, rows));
            }
        }
        Ok(true)
    }
}

impl Collect for Buckets<'_> {
    fn takes_blocks(&self) -> bool {
        self.request.by.is_none()
    }

    fn rows(&mut self, block: &Block<'_>) -> Result<(), IndexError> {
        let meta = &block.segment.blocks[block.index].meta;
        self.reach(meta.first, meta.last);
        if self.start(meta.first) == self.start(meta.last) {
            self.bucket(meta.first, u64::from(meta.rows))?;
            return Ok(());
        }
        let mut times = block.times()?;
        while let Some(first) = times.first() {
            let start = self.start(*first);
            let next = self.span.1;
            let end = times.partition_point(|time| *time < next);
            self.bucket(start, end as u64)?;
            times = times.get(end..).unwrap_or_default();
        }
        Ok(())
    }

    fn segment(&mut self, tables: &Tables, shape: usize, totals: &ShapeTotals) -> bool {
        if totals.rows > 0 {
            self.reach(totals.first, totals.last);
        }
        // Too many buckets are met again when blocks are read.
        let known = self.start(totals.first) == self.start(totals.last);
        known && self.whole(&tables.shapes[shape], totals.first, totals.last, totals.rows).unwrap_or(false)
    }

    fn block(&mut self, block: &Block<'_>, shape: usize, rows: u64) -> Result<bool, IndexError> {
        let meta = &block.segment.blocks[block.index].meta;
        self.whole(&block.tables.shapes[shape], meta.first, meta.last, rows)
    }

    fn row(&mut self, matcher: &mut Matcher<'_>, row: usize) -> Result<(), IndexError> {
        let nanos = matcher.rows.block.times()?.get(row).copied().unwrap_or_default();
        let start = self.start(nanos);
        if start != self.open.0 {
            self.close()?;
            self.open.0 = self.start(nanos);
        }
        let start = self.open.0;
        let Some(by) = self.request.by.as_deref() else {
            self.open.1 += 1;
            return Ok(());
        };
        let value = matcher.value(by, row)?;
        let counts = self.bucket(start, 1)?;
        for value in value.iter().flat_map(|value| texts(by, value)) {
            count(counts, &value, 1);
        }
        Ok(())
    }
}

/// Counts templates.
#[derive(Default)]
struct Templates {
    found: HashMap<u64, Pattern, FixedState>,
    total: u64,
}

impl Templates {
    fn add(&mut self, shape: &RowShape, totals: &ShapeTotals) {
        self.total += totals.rows;
        let Some(template) = &shape.template else { return };
        let Template { id, text } = template.as_ref();
        if totals.rows == 0 {
            return;
        }
        let time = |nanos| Timestamp::from_nanos(nanos).unwrap_or_default();
        let pattern = |text: String| Pattern {
            id: *id,
            text,
            count: totals.rows,
            first: time(totals.first),
            last: time(totals.last),
            severity: shape.severity,
            score_max: score_of(totals.score_max),
            anomalies: if shape.is_anomaly { totals.rows } else { 0 },
        };
        match self.found.get_mut(&id.0) {
            Some(known) => known.add(&pattern(String::new())),
            None => {
                self.found.insert(id.0, pattern(text.clone()));
            }
        }
    }
}

impl Collect for Templates {
    fn segment(&mut self, tables: &Tables, shape: usize, totals: &ShapeTotals) -> bool {
        self.add(&tables.shapes[shape], totals);
        true
    }

    fn block(&mut self, _: &Block<'_>, _: usize, _: u64) -> Result<bool, IndexError> {
        Ok(false)
    }

    fn row(&mut self, matcher: &mut Matcher<'_>, row: usize) -> Result<(), IndexError> {
        let nanos = matcher.rows.block.times()?.get(row).copied().unwrap_or_default();
        let (place, rank, shape) = matcher.rows.locate(row)?;
        let score_max = matcher.rows.cell(place, rank, SCORE)?;
        self.add(shape, &ShapeTotals { rows: 1, first: nanos, last: nanos, score_max });
        Ok(())
    }
}

/// Counts fields.
#[derive(Default)]
struct Fields {
    counts: BTreeMap<String, u64>,
}

impl Fields {
    fn add(&mut self, path: &str, rows: u64) {
        match self.counts.get_mut(path) {
            Some(count) => *count += rows,
            None if rows > 0 => {
                self.counts.insert(path.to_owned(), rows);
            }
            None => {}
        }
    }
}

impl Collect for Fields {
    fn segment(&mut self, _: &Tables, _: usize, _: &ShapeTotals) -> bool {
        false
    }

    /// Everything but lists, which may be empty, is there in all rows of a shape or in none.
    fn block(&mut self, block: &Block<'_>, shape: usize, rows: u64) -> Result<bool, IndexError> {
        let shape = &block.tables.shapes[shape];
        if shape.fields.iter().any(|field| field.plan == Plan::Json) {
            return Ok(false);
        }
        let fixed = [
            field::TIMESTAMP,
            field::LEVEL,
            field::MESSAGE,
            field::SERVICE_NAME,
            field::HOST_NAME,
            field::CREATED,
            field::ORIGINAL,
            field::TEMPLATE_ID,
            field::TEMPLATE_TEXT,
            field::ANOMALY_SCORE,
            field::ANOMALY_IS_ANOMALY,
            field::ANOMALY_STATE,
            field::ANOMALY_REASONS,
        ];
        // A further field of the same name would count twice, as it does in a document's fields.
        let unnamed = RowShape { fields: Vec::new(), ..shape.as_ref().clone() };
        for path in fixed {
            if unnamed.common(path) != Common::Absent {
                self.add(path, rows);
            }
        }
        for field in &shape.fields {
            match &field.plan {
                Plan::Constant(value) => names(&field.path, value, |name| self.add(name, rows)),
                _ => self.add(&field.path, rows),
            }
        }
        Ok(true)
    }

    fn row(&mut self, matcher: &mut Matcher<'_>, row: usize) -> Result<(), IndexError> {
        let owned = matcher.rows.row(row)?;
        fields_of(&owned.event, owned.template.as_deref(), &owned.verdict, &mut |path, value| {
            names(path, &value, |name| self.add(name, 1));
        });
        Ok(())
    }
}

impl Shared {
    pub(super) fn histogram(
        &self,
        snapshot: &Snapshot,
        request: &HistogramRequest,
        meter: &mut Meter<'_>,
    ) -> Result<Histogram, IndexError> {
        let mut found = Buckets {
            request,
            width: request.interval.first(),
            span: (0, 0),
            range: None,
            buckets: BTreeMap::new(),
            open: (0, 0),
        };
        self.visit(snapshot, &request.selection, &mut found, meter)?;
        found.close()?;
        if found.buckets.len() > request.buckets_max.max(CHOSEN_BUCKETS_MAX) {
            return Err(found.too_many());
        }
        let width = found.width;
        let bucket = |(start, (count, by)): (i64, (u64, Counts))| Bucket {
            t: Timestamp::from_nanos(start).unwrap_or_default(),
            count,
            by: by.into_iter().collect(),
        };
        let buckets = found.buckets.into_iter().map(bucket).collect();
        let mut histogram = Histogram { buckets, width, covered: snapshot.covered };
        histogram.limit_values(request.by_limit);
        Ok(histogram)
    }

    pub(super) fn field_values(
        &self,
        snapshot: &Snapshot,
        request: &FieldValuesRequest,
        meter: &mut Meter<'_>,
    ) -> Result<FieldValues, IndexError> {
        let mut found = Values { path: &request.field, counts: Counts::default(), total: 0 };
        self.visit(snapshot, &request.selection, &mut found, meter)?;
        let distinct = found.counts.len() as u64;
        let mut values: Vec<_> = found.counts.into_iter().collect();
        sort_counts(&mut values);
        values.truncate(request.limit);
        Ok(FieldValues { values, total: found.total, distinct, covered: snapshot.covered })
    }

    pub(super) fn fields(
        &self,
        snapshot: &Snapshot,
        meter: &mut Meter<'_>,
    ) -> Result<Vec<FieldInfo>, IndexError> {
        let mut found = Fields::default();
        self.visit(snapshot, &Selection::all(), &mut found, meter)?;
        let info = |(name, count): (String, u64)| {
            let kind = FieldKind::of(&name).as_str().to_owned();
            FieldInfo { name, kind, count }
        };
        Ok(found.counts.into_iter().map(info).collect())
    }

    pub(super) fn patterns(
        &self,
        snapshot: &Snapshot,
        request: &PatternsRequest,
        meter: &mut Meter<'_>,
    ) -> Result<Patterns, IndexError> {
        let mut found = Templates::default();
        self.visit(snapshot, &request.selection, &mut found, meter)?;
        let distinct = found.found.len() as u64;
        let mut patterns: Vec<_> = found.found.into_values().collect();
        sort_patterns(&mut patterns);
        patterns.truncate(request.limit);
        Ok(Patterns { patterns, distinct, total: found.total, covered: snapshot.covered })
    }
}
