//! What is said of a session, with an event of it or once it has ended.

use event::TemplateId;
use template::Miner;

use super::{
    closed,
    counts::Counts,
    evidence::Evidence,
    kind::Kind,
    models::KindModel,
    open::{Open, cut},
    repeats::Repeats,
    strange::{Finding, SessionEnd, Strange, TemplateCount},
};
use crate::model::{self, EventKey, Grown, Reason, Session};

/// What was told is told again when it has grown so many times.
const GROWN: f64 = 2.0;
/// What this share of the sessions is told of for is not told any more.
const USUAL: f64 = 0.05;
/// Events that end a session bring a verdict on the whole of it so often: each costs as much as the session
/// is long, and more of them are strange by themselves.
const ENDS_MAX: u32 = 4;
/// Bytes of a template's text among the words.
const NAME_MAX: usize = 80;

/// An event by the template that it belongs to by now.
pub(super) fn current(miner: &Miner, key: EventKey) -> EventKey {
    match key {
        EventKey::OTHER => key,
        key => miner.current(TemplateId(key.0)).into(),
    }
}

/// Where verdicts are noted.
pub(super) struct Book<'a> {
    strange: &'a mut Strange,
    counts: &'a mut Counts,
    repeats: &'a mut Repeats,
    /// Sessions that came since the kind was learned.
    since: u64,
}

impl<'a> Book<'a> {
    pub(super) fn of(kind: &'a mut Kind, strange: &'a mut Strange, counts: &'a mut Counts) -> Self {
        let since = kind.since();
        Self { strange, counts, repeats: &mut kind.repeats, since }
    }

    /// The share of the sessions that were told of for the first of these, this one included; none when
    /// that is usual by now.
    fn share(&mut self, open: &Open, kind: &KindModel, reasons: &[Reason]) -> Option<f64> {
        let subject = reasons.first().map_or(0, Reason::subject);
        // A session counts once.
        let times =
            if open.told > 0.0 { self.repeats.times(subject).max(1) } else { self.repeats.count(subject) };
        let share = f64::from(times) / (kind.model.sessions() + self.since).max(1) as f64;
        (share <= USUAL).then_some(share)
    }
}

fn text(miner: &Miner, key: EventKey, max: usize) -> String {
    match miner.template(TemplateId(key.0)) {
        Some(template) => cut(&template.text, max).to_owned(),
        None if key == EventKey::OTHER => "other events".to_owned(),
        None => "an event of a forgotten template".to_owned(),
    }
}

/// Whether the model knows an event by the template that this one was merged from.
pub(super) fn is_merged(kind: &KindModel, key: EventKey, miner: &Miner) -> bool {
    let knows = |id: &TemplateId| kind.model.knows((*id).into());
    !kind.model.knows(key) && miner.aliases(TemplateId(key.0)).iter().any(knows)
}

/// Says what an event, which its session has by now, brings against it.
pub(super) fn with_event(
    open: &mut Open,
    key: EventKey,
    kind: &KindModel,
    miner: &Miner,
    book: &mut Book<'_>,
) -> Option<Evidence> {
    let before = open.times(key).saturating_sub(1);
    if open.model != kind.generation {
        regrow(open, kind);
    } else {
        let Open { grown, events, .. } = &mut *open;
        kind.model.grow(grown, key, before, || events);
    }
    if before < ENDS_MAX && kind.model.closes(key) && !open.is_partial {
        return whole_with_event(open, kind, miner, book);
    }
    let strangeness = open.grown.strangeness;
    if strangeness <= 1.0 || strangeness < GROWN * open.told {
        return None;
    }
    let reasons = kind.model.grown_reasons(key, before.saturating_add(1), &open.events);
    let share = book.share(open, kind, &reasons);
    open.told = strangeness;
    let share = share?;
    let reasons = words(&reasons, miner);
    let p_value = kind.model.p_value(strangeness).max(share);
    let nearest = nearest(kind, miner, &open.events);
    note(open, SessionEnd::Open, kind, (p_value, reasons.clone(), nearest), book);
    Some(evidence(open, kind, (strangeness, share), reasons))
}

fn words(reasons: &[Reason], miner: &Miner) -> Vec<String> {
    let name = |key: EventKey| format!("\"{}\"", text(miner, key, NAME_MAX));
    reasons.iter().map(|reason| reason.words(&name)).collect()
}

/// The verdict on the whole session with the event that ends it.
fn whole_with_event(
    open: &mut Open,
    kind: &KindModel,
    miner: &Miner,
    book: &mut Book<'_>,
) -> Option<Evidence> {
    let (strangeness, share, reasons) = whole(open, SessionEnd::Closed, kind, miner, book)?;
    if strangeness < GROWN * open.told {
        return None;
    }
    open.told = strangeness;
    Some(evidence(open, kind, (strangeness, share), reasons))
}

fn evidence(
    open: &Open,
    kind: &KindModel,
    (strangeness, share): (f64, f64),
    reasons: Vec<String>,
) -> Evidence {
    let reasons = reasons.into_iter().map(|words| format!("session {}: {words}", open.text)).collect();
    let of_events = share / kind.length_mean.max(1.0);
    Evidence {
        p_value: kind.p_value(strangeness).max(of_events),
        told_share: kind.told_share().max(of_events),
        reasons,
    }
}

/// Judges a session that was seen whole, and puts it on the list when it is strange.
pub(super) fn whole(
    open: &Open,
    end: SessionEnd,
    kind: &KindModel,
    miner: &Miner,
    book: &mut Book<'_>,
) -> Option<(f64, f64, Vec<String>)> {
    let events = closed::all(&open.events, &open.more, |key| current(miner, key));
    if events.iter().any(|key| is_merged(kind, *key, miner)) {
        return None;
    }
    let [duration_s, gap_s] = open.seconds();
    let verdict = kind.model.score_timed(Session { events: &events, duration_s, gap_s });
    if !verdict.is_anomaly {
        return None;
    }
    let share = book.share(open, kind, &verdict.reasons)?;
    let reasons = words(&verdict.reasons, miner);
    let nearest = nearest(kind, miner, &events);
    note(open, end, kind, (verdict.p_value.max(share), reasons.clone(), nearest), book);
    Some((verdict.strangeness, share, reasons))
}

fn nearest(kind: &KindModel, miner: &Miner, events: &[EventKey]) -> Vec<TemplateCount> {
    let normal = kind.model.nearest_normal(events);
    let counted = |(key, count)| TemplateCount { template: text(miner, key, 200), count };
    normal.into_iter().map(counted).collect()
}

fn note(
    open: &Open,
    end: SessionEnd,
    kind: &KindModel,
    (p_value, reasons, nearest): (f64, Vec<String>, Vec<TemplateCount>),
    book: &mut Book<'_>,
) {
    let score = model::score(p_value);
    let finding = Finding { kind: kind.label.clone(), score, p_value, reasons, nearest };
    book.counts.strange += u64::from(book.strange.note(open, end, finding.bounded()));
}

/// Goes through the session's events by another model. What was told stays told.
fn regrow(open: &mut Open, kind: &KindModel) {
    (open.model, open.grown) = (kind.generation, Grown::default());
    let Open { grown, events, .. } = &mut *open;
    for at in 0..events.len() {
        let before = events[..at].iter().filter(|key| **key == events[at]).count() as u32;
        kind.model.grow(grown, events[at], before, || &events[..=at]);
    }
}
