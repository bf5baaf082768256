//! The bounded memory of a stream, and the features that it gives an event.
//!
//! A feature is a surprise: minus the decimal logarithm of the share of ordinary events that are at
//! least as unusual in this respect, as far as the window can know. It is kept in steps of 1/16.
//! [`Window::assess`] is a pure function of window and event; [`Window::learn`] alone changes the
//! window. All history is in event time.

mod beginning;
mod estimate;
mod feature;
mod layout;
mod memory;
mod prior;
mod seen;

use std::sync::Arc;

use arithmetic::{Random, log2, log10};
use disk::sealed::{Reader, SealedError, Writer};
use event::Event;
use session::Slots;

pub(crate) use feature::{Counted, FEATURES, Facts, Feature, Row, STEPS};

use estimate::{Clock, Share, Tick};
pub(crate) use layout::LAYOUT;
use layout::LAYOUT_2;
use memory::{Caller, Content, Group, Place, Source};
pub(crate) use prior::{Novelty, Prior};
use seen::group_key;
pub(crate) use seen::{Keys, Seen};

/// Templates at sources remembered; the least recently seen goes.
const GROUPS_MAX: usize = 16_384;
/// Sources remembered.
const SOURCES_MAX: usize = 2_048;
/// Addresses whose latest doings are remembered.
const CALLERS_MAX: usize = 4_096;
/// Least deviation of the logarithm of failures before a success.
const FAILURES_APART: f32 = 0.5;
/// A template never seen says so much more of an address that has been busy since it came.
const BUSY_NEW: f32 = 1.7;
/// Rows kept to train on, a sample in which old ones fade.
const ROWS_MAX: usize = 8_192;
/// An event later than so many usual gaps after its source's latest does not continue the stream.
const GAPS_MAX: f32 = 4.0;
/// Days of history from which the hour of an event apart from the stream says something.
const DAYS_MIN: u8 = 7;
/// One silence says so much of what a source that fell quiet for hours does.
const GAP_SHARE: f32 = 0.5;
/// A new template that begins as a known one says so much of what another one does.
const KNOWN_HEAD: f32 = 0.5;
/// Levels from error on.
const SEVERE: usize = 4;
/// A message's length may differ from the usual by this share of it, and by so many bytes, for nothing.
const LENGTH_SHARE: f32 = 0.25;
const LENGTH_BYTES: f32 = 16.0;

/// The bounded memory of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    groups: Slots<Group>,
    sources: Slots<Source>,
    callers: Slots<Caller>,
    new_sources: Share,
    /// How often an event is of level error or above, of a new template and begins as none did.
    new_errors: Share,
    /// Events learned.
    pub(crate) seen: u64,
    /// Earliest and latest event time, nanoseconds.
    pub(crate) from: i64,
    pub(crate) to: i64,
    rows: Vec<Row>,
    random: Random,
    /// No part of what is saved, and neither is the mask of the features that take part.
    pub(crate) prior: Arc<Prior>,
    pub(crate) mask: Row,
}

impl Window {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            groups: Slots::new(GROUPS_MAX),
            sources: Slots::new(SOURCES_MAX),
            callers: Slots::new(CALLERS_MAX),
            new_sources: Share::default(),
            new_errors: Share::default(),
            seen: 0,
            from: i64::MAX,
            to: 0,
            rows: Vec::new(),
            random: Random::of(seed, 0x77),
            prior: Arc::default(),
            mask: [u8::MAX; FEATURES],
        }
    }

    /// A sample of the rows learned.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Whether this template at this source is remembered.
    pub(crate) fn knows(&self, keys: Keys) -> bool {
        self.groups.get(keys.group).is_some()
    }

    /// Lets a template go on with the history of those that were merged into it.
    pub(crate) fn inherit(&mut self, keys: Keys, from: impl Iterator<Item = event::TemplateId>) {
        let richest = from
            .filter_map(|id| self.groups.get(group_key(id, keys.source)))
            .max_by_key(|group| group.count)
            .cloned();
        if let Some(group) = richest {
            *self.groups.entry(keys.group) = group;
        }
    }

    /// When an event happened, by the stream's clock. A stamp in the future says nothing of that: such an event
    /// counts as of now, or no rate and no gap would be right again.
    pub(crate) fn time_of(&self, event: &Event<'_>) -> i64 {
        match event.is_future() {
            false => event.timestamp.as_nanos(),
            true if self.from <= self.to => self.to,
            true => event.observed_timestamp.as_nanos(),
        }
    }

    /// The event's features. Changes nothing.
    pub(crate) fn assess(&self, seen: &Seen<'_>, keys: Keys) -> (Row, Facts) {
        let event = seen.event;
        let nanos = self.time_of(event);
        let level = event.severity as usize;
        let mut row = [0; FEATURES];
        let mut facts = Facts { length: event.message.len() as u32, ..Facts::default() };
        put(&mut row, Feature::Severity, level as f32 / 2.0);
        let caller = seen.caller.and_then(|address| self.callers.get(u64::from(address)).copied());
        let caller = caller.unwrap_or_default();
        let prior = &*self.prior;
        let source = self.sources.get(keys.source).or_else(|| prior.source(keys.source, seen.template));
        match source {
            Some(source) => {
                let is_newcomer = seen.caller.is_some() && caller.is_new(nanos);
                assess_source(source, nanos, (level, keys.host, is_newcomer), &mut row, &mut facts);
            }
            None => put(&mut row, Feature::NewSource, self.new_sources.surprise()),
        }
        let group = self.groups.get(keys.group).or_else(|| prior.group(seen.template));
        let mut failed = 0.0;
        if let Some(failures) = seen.failures(&caller, nanos) {
            failed = assess_failures(failures, group, source, &mut facts);
        }
        match (group, source) {
            (Some(group), _) => {
                let total = facts.source_count.max(group.count) as f32;
                put(
                    &mut row,
                    Feature::RareTemplate,
                    -log10(((group.count as f32 + 0.5) / (total + 1.0)).min(1.0)),
                );
                assess_group(group, nanos, level, &mut row, &mut facts);
                assess_places(&group.places, seen.contents(), failed, &mut row, &mut facts);
            }
            (None, Some(source)) => {
                let mut surprise = source.new_templates.surprise();
                if level >= SEVERE {
                    surprise = surprise.max(prior.new_errors(keys.source, self.new_errors).surprise());
                }
                if source.knows_head(&event.message) {
                    surprise *= KNOWN_HEAD;
                }
                if caller.is_busy(nanos) {
                    surprise *= BUSY_NEW;
                }
                put(&mut row, Feature::NewTemplate, surprise);
                put(&mut row, Feature::RareTemplate, log10(source.count as f32 + 1.0) + 0.3);
                put(&mut row, Feature::Value, failed);
                let is_address = |content: &Content| matches!(content, Content::Address(_));
                facts.value_at = seen.contents().iter().position(is_address).unwrap_or_default() as u8;
                facts.failures_tell = true;
            }
            (None, None) => put(&mut row, Feature::NewTemplate, 0.3),
        }
        for (value, mask) in row.iter_mut().zip(self.mask) {
            *value &= mask;
        }
        (row, facts)
    }

    /// As [`Window::assess`], for an event that need not follow those learned: what compares it with
    /// the stream's clock is neutral unless it continues the stream of its source.
    pub(crate) fn assess_single(&self, seen: &Seen<'_>, keys: Keys) -> (Row, Facts) {
        let (mut row, facts) = self.assess(seen, keys);
        let nanos = self.time_of(seen.event);
        if !self.sources.get(keys.source).is_some_and(|source| continues(source, nanos)) {
            for feature in
                [Feature::TemplateSpike, Feature::SourceSpike, Feature::TemplateGap, Feature::SourceGap]
            {
                put(&mut row, feature, 0.0);
            }
            if facts.days < DAYS_MIN {
                put(&mut row, Feature::Hour, 0.0);
                put(&mut row, Feature::Weekday, 0.0);
            }
        }
        (row, facts)
    }

    /// Takes the event into the history, and its row into the sample to train on.
    pub(crate) fn learn(&mut self, seen: &Seen<'_>, keys: Keys, row: Row) {
        let event = seen.event;
        let nanos = self.time_of(event);
        let (minute, quarter) = (Tick::minute(nanos), Tick::quarter(nanos));
        let level = event.severity as usize;
        self.keep(row);
        self.from = self.from.min(nanos);
        self.to = self.to.max(nanos);
        let (mut failures, mut is_newcomer) = (None, false);
        if let Some(address) = seen.caller {
            let caller = self.callers.entry(u64::from(address));
            (failures, is_newcomer) = (seen.failures(caller, nanos), caller.is_new(nanos));
            caller.learn(nanos, seen.outcome);
        }
        let source = self.sources.entry(keys.source);
        let new_source = source.count == 0;
        if !new_source && nanos > source.latest {
            source.gap.learn(seconds_log(nanos - source.latest));
        }
        source.latest = if new_source { nanos } else { source.latest.max(nanos) };
        source.count = source.count.saturating_add(1);
        source.rate.learn(minute.patient());
        source.slow.learn(quarter.patient());
        if level >= SEVERE {
            source.severe.learn(quarter);
        }
        if is_newcomer {
            source.newcomers.learn(quarter);
        }
        source.quiet.learn(quarter.number);
        source.clock.learn(Clock::hour_of(nanos));
        source.learn_host(keys.host);
        source.learn_level(level);
        if let Some(failures) = failures {
            source.failures.learn(failures_log(failures));
        }
        let group = self.groups.entry(keys.group);
        source.new_templates.learn(group.count == 0);
        let new_head = group.count == 0 && !source.knows_head(&event.message);
        if new_head {
            source.learn_head(&event.message);
        }
        self.new_errors.learn_rare(new_head && level >= SEVERE);
        self.new_sources.learn(new_source);
        if group.count > 0 && nanos > group.latest {
            group.gap.learn(seconds_log(nanos - group.latest));
        }
        group.latest = if group.count == 0 { nanos } else { group.latest.max(nanos) };
        group.count = group.count.saturating_add(1);
        group.length.learn(length_log(event.message.len() as f32));
        group.rate.learn(minute);
        group.slow.learn(quarter);
        if let Some(failures) = failures {
            group.failures.learn(failures_log(failures));
        }
        group.learn_level(level);
        if group.places.len() < seen.followed {
            group.places.resize_with(seen.followed, Place::default);
        }
        for (place, content) in group.places.iter_mut().zip(seen.contents()) {
            place.learn(*content);
        }
    }

    /// Reservoir sampling (J. S. Vitter, "Random sampling with a reservoir", algorithm R), with the
    /// stream's length bounded so that new rows keep coming in and old ones fade.
    fn keep(&mut self, row: Row) {
        self.seen = self.seen.saturating_add(1);
        if self.rows.len() < ROWS_MAX {
            self.rows.push(row);
        } else {
            let length = self.seen.min(4 * ROWS_MAX as u64) as usize;
            if let Some(kept) = self.rows.get_mut(self.random.below(length)) {
                *kept = row;
            }
        }
    }

    /// Takes in what another window knows and this one does not, or knows better.
    pub(crate) fn absorb(&mut self, other: &Self) {
        for (key, theirs) in other.sources.iter() {
            let ours = self.sources.entry(key);
            if ours.count < theirs.count {
                *ours = theirs.clone();
            }
        }
        for (key, theirs) in other.groups.iter() {
            let ours = self.groups.entry(key);
            if ours.count < theirs.count {
                *ours = theirs.clone();
            }
        }
        if self.new_sources.total < other.new_sources.total {
            self.new_sources = other.new_sources;
            self.new_errors = other.new_errors;
        }
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        let seen = self.seen.saturating_add(other.seen);
        for row in &other.rows {
            self.keep(*row);
        }
        self.seen = seen;
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.u32(LAYOUT);
        out.u64(self.seen);
        out.u64(self.from as u64);
        out.u64(self.to as u64);
        out.u64(self.random.state());
        self.new_sources.write(out);
        self.new_errors.write(out);
        self.sources.write(out, Source::write);
        self.callers.write(out, Caller::write);
        self.groups.write(out, Group::write);
        out.u32(self.rows.len() as u32);
        self.rows.iter().for_each(|row| out.raw(row));
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let layout = input.u32()?;
        if ![LAYOUT_2, LAYOUT].contains(&layout) {
            return Err(input.damaged());
        }
        let seen = input.u64()?;
        let (from, to) = (input.u64()? as i64, input.u64()? as i64);
        let random = Random::from_state(input.u64()?);
        let (new_sources, new_errors) = (Share::read(input)?, Share::read(input)?);
        let sources = Slots::read(input, SOURCES_MAX, |input| Source::read(input, layout))?;
        let callers = Slots::read(input, CALLERS_MAX, |input| Caller::read(input, layout))?;
        let groups = Slots::read(input, GROUPS_MAX, |input| Group::read(input, layout))?;
        let count = input.count(FEATURES, ROWS_MAX)?;
        let (rows, _) = input.take(count * FEATURES)?.as_chunks::<FEATURES>();
        let rows = rows.to_vec();
        let (prior, mask) = (Arc::default(), [u8::MAX; FEATURES]);
        Ok(Self {
            groups,
            sources,
            callers,
            new_sources,
            new_errors,
            seen,
            from,
            to,
            rows,
            random,
            prior,
            mask,
        })
    }

    /// Templates at sources remembered.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }
}

fn put(row: &mut Row, feature: Feature, value: f32) {
    row[feature as usize] = (value * STEPS + 0.5) as u8;
}

/// Logarithm to base 2 of a time in seconds, plus a millisecond; the argument is not negative.
fn seconds_log(nanos: i64) -> f32 {
    log2(nanos as f32 * 1e-9 + 1e-3)
}

fn failures_log(failures: u32) -> f32 {
    log2(failures as f32 + 1.0)
}

fn length_log(length: f32) -> f32 {
    log2(length + 8.0)
}

/// The length with its difference from the usual one lessened by what is nothing.
fn beyond_usual(length: f32, usual: f32) -> f32 {
    let nothing = (LENGTH_SHARE * usual).max(LENGTH_BYTES);
    let apart = length - usual;
    usual + apart.signum() * (apart.abs() - nothing).max(0.0)
}

/// Whether an event of this time comes next in its source's stream: neither before the latest one
/// nor long after it.
fn continues(source: &Source, nanos: i64) -> bool {
    nanos == source.latest
        || nanos > source.latest
            && seconds_log(nanos.saturating_sub(source.latest)) <= source.gap.mean + GAPS_MAX.log2()
}

fn assess_source(
    source: &Source,
    nanos: i64,
    (level, host, is_newcomer): (usize, u32, bool),
    row: &mut Row,
    facts: &mut Facts,
) {
    facts.source_count = source.count;
    if !source.hosts.has(host) {
        put(row, Feature::NewHost, source.new_hosts.surprise());
    }
    put(row, Feature::SourceLevel, source.assess_level(level));
    let (rate, mut spike) = source.rate.assess(Tick::minute(nanos).patient());
    (facts.source_minute_count, facts.source_mean, facts.source_minutes) = (rate.count, rate.mean, 1);
    let quarter = Tick::quarter(nanos);
    let (rate, slow) = source.slow.assess(quarter.patient());
    if slow > spike {
        spike = slow;
        (facts.source_minute_count, facts.source_mean, facts.source_minutes) = (rate.count, rate.mean, 15);
    }
    if level >= SEVERE {
        let (rate, severe) = source.severe.assess(quarter);
        if severe > spike {
            spike = severe;
            (facts.source_minute_count, facts.source_mean, facts.source_minutes) =
                (rate.count, rate.mean, 15);
            facts.source_counted = Counted::Errors;
        }
    }
    if is_newcomer {
        let (rate, newcomers) = source.newcomers.assess(quarter);
        if newcomers > spike {
            spike = newcomers;
            (facts.source_minute_count, facts.source_mean, facts.source_minutes) =
                (rate.count, rate.mean, 15);
            facts.source_counted = Counted::Addresses;
        }
    }
    put(row, Feature::SourceSpike, spike);
    if nanos > source.latest {
        let gap = seconds_log(nanos - source.latest);
        let deviations = source.gap.deviations(gap, 1.0).max(0.0);
        let mut surprise = GAP_SHARE * source.gap.surprise(deviations);
        let (count, usual, few) = source.quiet.assess(quarter.number);
        if few > surprise {
            surprise = few;
            (facts.quiet_count, facts.quiet_usual) = (count, usual);
        }
        put(row, Feature::SourceGap, surprise);
        (facts.source_gap_s, facts.source_usual_gap_s) = (gap.exp2(), source.gap.mean.exp2());
    }
    let hour = Clock::hour_of(nanos);
    let (hours, weekdays) = source.clock.assess(hour);
    put(row, Feature::Hour, hours);
    put(row, Feature::Weekday, weekdays);
    (facts.hour_active, facts.days) = source.clock.active(hour);
}

fn assess_group(group: &Group, nanos: i64, level: usize, row: &mut Row, facts: &mut Facts) {
    facts.group_count = group.count;
    facts.usual_level = group.usual_level() as u8;
    put(row, Feature::TemplateLevel, group.assess_level(level));
    let (rate, mut spike) = group.rate.assess(Tick::minute(nanos));
    (facts.template_count, facts.template_mean, facts.template_minutes) = (rate.count, rate.mean, 1);
    let (rate, slow) = group.slow.assess(Tick::quarter(nanos));
    if slow > spike {
        spike = slow;
        (facts.template_count, facts.template_mean, facts.template_minutes) = (rate.count, rate.mean, 15);
    }
    put(row, Feature::TemplateSpike, spike);
    if nanos > group.latest {
        let gap = seconds_log(nanos - group.latest);
        let deviations = group.gap.deviations(gap, 1.0).max(0.0);
        put(row, Feature::TemplateGap, group.gap.surprise(deviations));
        (facts.gap_s, facts.usual_gap_s) = (gap.exp2(), group.gap.mean.exp2());
    }
    facts.usual_length = group.length.mean.exp2() - 8.0;
    let length = length_log(beyond_usual(facts.length as f32, facts.usual_length));
    put(row, Feature::Length, group.length.surprise(group.length.deviations(length, 0.15)));
}

/// Surprise of so many failures before a success, by what is usual of the template, or of its source while little
/// is known of it.
fn assess_failures(failures: u32, group: Option<&Group>, source: Option<&Source>, facts: &mut Facts) -> f32 {
    let of_group = group.map(|group| group.failures).filter(|usual| usual.sure() >= 1.0);
    let Some(usual) = of_group.or(source.map(|source| source.failures)) else { return 0.0 };
    (facts.failures, facts.usual_failures) = (failures, usual.mean.exp2() - 1.0);
    usual.surprise(usual.deviations(failures_log(failures), FAILURES_APART).max(0.0))
}

/// The values at the variables' places. An address that failed oddly often before it succeeded is the odder when
/// it is new here.
fn assess_places(places: &[Place], contents: &[Content], mut failed: f32, row: &mut Row, facts: &mut Facts) {
    let (mut number, mut value) = (0.0, 0.0);
    for (at, (place, content)) in places.iter().zip(contents).enumerate() {
        let mut surprise = place.assess(*content);
        if matches!(content, Content::Address(_)) {
            facts.failures_tell = failed > surprise;
            // The first address is who did it.
            surprise += std::mem::take(&mut failed);
        }
        match content {
            Content::Number(found) if surprise > number => {
                number = surprise;
                (facts.number_at, facts.number) = (at as u8, *found);
                (facts.low, facts.high) = (place.low, place.high);
            }
            Content::Category(_) | Content::Address(_) if surprise > value => {
                value = surprise;
                (facts.value_at, facts.values_seen) = (at as u8, place.count);
            }
            _ => {}
        }
    }
    put(row, Feature::Number, number);
    put(row, Feature::Value, value);
}
