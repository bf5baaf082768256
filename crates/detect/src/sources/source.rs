//! What is usual for one source, and what is not.

use event::EventId;
use serde::{Deserialize, Serialize};

pub(super) const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Events are counted in pieces of five minutes, ...
const PIECE: i64 = 5 * MINUTE;
/// ... of which those of three hours are kept.
const PIECES: usize = 36;
/// Days whose extremes say what is usual.
const DAYS: usize = 8;
/// Latest events that are kept as evidence.
const EVIDENCE: usize = 4;

/// A source is known after so long and so many events.
const LEARNED: i64 = 2 * DAY;
const LEARNED_EVENTS: u64 = 200;
/// Silence is told when it lasts half as long again as any pause of the last days, and so long at least.
const SILENCE_MIN: i64 = 5 * MINUTE;
/// Of a source with longer pauses nothing is expected.
const PAUSE_MAX: i64 = 8 * HOUR;
/// A spike has so many events in ten minutes at least, and so many times the most of the last days.
const SPIKE_MIN: u64 = 60;
const SPIKE_PERCENT: u64 = 150;
/// The same of errors.
const ERRORS_MIN: u64 = 10;
const ERRORS_PERCENT: u64 = 200;
/// A drop is told of this long, where so many events were expected, and less than this came.
const DROP_PIECES: usize = 24;
const DROP_EXPECTED: u64 = 60;
const DROP_PERMILLE: u64 = 350;
/// Days of which each hour is remembered, and of which it must be known.
const HOURS: usize = 7;
const HOURS_LEARNED: usize = 3;
/// Against the lowest of the last days.
const DROP_AGAINST_PERCENT: u64 = 70;
/// Something that was told on so many of the last days is usual after all.
const USUAL_DAYS: usize = 2;
/// A source whose events are received so long after they happened is read from an old file, say.
const LATE: i64 = HOUR;
/// Something told is over when it was not so for an hour.
const OVER: i64 = HOUR;

/// What is not usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Strange {
    /// It says nothing.
    Silent { since: i64, now: i64, usual: i64 },
    /// It says more than ever.
    Spike(Amount),
    /// It says far less than at this time of day.
    Drop(Amount),
    /// It says more often than ever that something went wrong.
    Errors(Amount),
}

/// How much it says within a while, and how much is usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Amount {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: u64,
    pub(super) is_update: bool,
    pub(super) usual: u64,
    pub(super) within: i64,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Silence,
    Spike,
    Drop,
    Errors,
}

/// Extremes of a day.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Day {
    day: i64,
    pause: i64,
    most: u64,
    errors: u64,
    /// The lowest share of what was expected, in thousandths.
    least: u64,
    /// What was told on it.
    told: [bool; 4],
}

/// Something told that goes on.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Ongoing {
    first: i64,
    last: i64,
    told: u64,
}

/// What is known of a source.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(super) name: String,
    pub(super) host: String,
    first: i64,
    latest: i64,
    events: u64,
    /// Events and errors of the latest pieces, the last of them this one.
    pieces: Vec<(u32, u32)>,
    piece: i64,
    /// Events of each hour of the day, of the latest days.
    hours: Vec<Vec<u32>>,
    /// Events of the hour that is not over.
    hour: (i64, u64),
    days: Vec<Day>,
    ongoing: [Option<Ongoing>; 4],
    /// The lowest share of what was expected since there was enough: usual only once there is enough again.
    #[serde(default)]
    low: Option<u64>,
    /// When silence that was told ended.
    spoke: i64,
    /// Its latest event was received long after it happened: how late it is says nothing of it.
    #[serde(default)]
    is_late: bool,
    /// When we began to listen again after a stop: silence before that is our own.
    #[serde(default)]
    resumed: i64,
    evidence: Vec<EventId>,
}

impl Source {
    /// What it holds beside itself at most.
    pub(super) const ELSEWHERE_BYTES: usize = PIECES * size_of::<(u32, u32)>()
        + 24 * (size_of::<Vec<u32>>() + HOURS * size_of::<u32>())
        + DAYS * size_of::<Day>()
        + EVIDENCE * size_of::<EventId>()
        + 512;

    /// The latest events.
    pub(super) fn evidence(&self) -> impl Iterator<Item = EventId> {
        self.evidence.iter().copied()
    }

    /// An event that happened and was received then, and whether it tells of an error.
    pub(super) fn see(&mut self, (at, received): (i64, i64), is_error: bool, id: EventId) -> Vec<Strange> {
        self.is_late = received.saturating_sub(at) > LATE;
        if self.events == 0 {
            (self.first, self.latest, self.piece) = (at, at, at / PIECE);
            self.hours = vec![Vec::new(); 24];
            self.hour = (at / HOUR, 0);
        }
        self.events += 1;
        self.keep(id);
        self.go_on_to(at);
        self.paused(at);
        self.latest = self.latest.max(at);
        if at / HOUR == self.hour.0 {
            self.hour.1 += 1;
        }
        let back = self.piece - at / PIECE;
        let place = usize::try_from(back).ok().and_then(|back| self.pieces.len().checked_sub(back + 1));
        let Some(place) = place else { return Vec::new() };
        let (events, errors) = &mut self.pieces[place];
        *events += 1;
        *errors += u32::from(is_error);
        let of_two = |count: fn(&(u32, u32)) -> u32| -> u64 {
            self.pieces[place.saturating_sub(1)..=place].iter().map(|piece| u64::from(count(piece))).sum()
        };
        let (events, errors) = (of_two(|piece| piece.0), of_two(|piece| piece.1));
        let mut found = Vec::new();
        found.extend(self.too_much(What::Spike, at, events));
        if is_error {
            found.extend(self.too_much(What::Errors, at, errors));
        }
        found
    }

    /// Time goes by.
    pub(super) fn tick(&mut self, now: i64) -> Vec<Strange> {
        let mut found = Vec::new();
        if self.events == 0 {
            return found;
        }
        if self.is_late {
            // Its own events say how late it is there.
            return found;
        }
        let before = self.piece;
        self.go_on_to(now);
        found.extend(self.silent(now));
        if self.piece > before {
            found.extend(self.too_little(now));
        }
        found
    }

    /// Nobody listened until now.
    pub(super) fn resume(&mut self, now: i64) {
        self.resumed = now;
        if self.is_late {
            return;
        }
        if now / PIECE > self.piece {
            self.pieces.clear();
        }
        self.go_on_to(now);
    }

    fn keep(&mut self, id: EventId) {
        if self.evidence.len() == EVIDENCE {
            self.evidence.remove(0);
        }
        self.evidence.push(id);
    }

    /// Brings pieces, hours and days up to a time.
    fn go_on_to(&mut self, at: i64) {
        if self.pieces.is_empty() {
            self.pieces.push((0, 0));
        }
        let passed = (at / PIECE - self.piece).clamp(0, PIECES as i64);
        if passed > 0 {
            self.learn();
        }
        for _ in 0..passed {
            self.pieces.push((0, 0));
        }
        self.pieces.drain(..self.pieces.len().saturating_sub(PIECES));
        self.piece = self.piece.max(at / PIECE);
        while self.hour.0 < at / HOUR {
            self.end_hour();
            if at / HOUR - self.hour.0 > 48 {
                self.hour = (at / HOUR, 0);
            }
        }
        let day = at / DAY;
        if self.days.last().is_none_or(|last| last.day < day) {
            self.days.push(Day { day, least: 1_000, ..Day::default() });
            self.days.drain(..self.days.len().saturating_sub(DAYS));
        }
    }

    /// Takes the latest ten minutes for what is usual, when they are over, unless they were told.
    fn learn(&mut self) {
        let latest = self.pieces.len().saturating_sub(2);
        let (events, errors) = self.pieces[latest..]
            .iter()
            .fold((0, 0), |sum, piece| (sum.0 + u64::from(piece.0), sum.1 + u64::from(piece.1)));
        let end = (self.piece + 1) * PIECE;
        for (what, count) in [(What::Spike, events), (What::Errors, errors)] {
            let ongoing = &mut self.ongoing[what as usize];
            *ongoing = ongoing.filter(|ongoing| end - ongoing.last <= OVER);
            if ongoing.is_some() && self.told_days(what) <= USUAL_DAYS {
                continue;
            }
            if let Some(day) = self.days.last_mut() {
                let most = if matches!(what, What::Spike) { &mut day.most } else { &mut day.errors };
                *most = (*most).max(count);
            }
        }
    }

    fn end_hour(&mut self) {
        let (hour, count) = self.hour;
        self.hour = (hour + 1, 0);
        if hour == self.first / HOUR || self.ongoing.iter().any(Option::is_some) {
            return;
        }
        let counts = &mut self.hours[(hour % 24) as usize];
        if counts.len() == HOURS {
            counts.remove(0);
        }
        counts.push(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn is_known(&self, at: i64) -> bool {
        self.events >= LEARNED_EVENTS && at - self.first >= LEARNED
    }

    fn told_days(&self, what: What) -> usize {
        self.days.iter().filter(|day| day.told[what as usize]).count()
    }

    fn tell(&mut self, what: What, at: i64) {
        if let Some(day) = self.days.iter_mut().find(|day| day.day == at / DAY) {
            day.told[what as usize] = true;
        }
    }

    /// A pause has ended.
    fn paused(&mut self, at: i64) {
        let pause = at - self.latest;
        let was_told = self.ongoing[What::Silence as usize].take_if(|_| pause > 0).is_some();
        if was_told {
            self.spoke = at;
        }
        if was_told && self.told_days(What::Silence) <= USUAL_DAYS {
            return;
        }
        if let Some(day) = self.days.last_mut() {
            day.pause = day.pause.max(pause);
        }
    }

    fn silent(&mut self, now: i64) -> Option<Strange> {
        let usual = self.days.iter().map(|day| day.pause).max().unwrap_or(0);
        let limit = (usual + usual / 2).max(SILENCE_MIN);
        let ongoing = &mut self.ongoing[What::Silence as usize];
        if ongoing.is_some()
            || now - self.latest.max(self.resumed) <= limit
            || usual > PAUSE_MAX
            || usual == 0
        {
            return None;
        }
        if self.events < LEARNED_EVENTS || self.latest - self.first < LEARNED {
            return None;
        }
        *ongoing = Some(Ongoing { first: self.latest, last: now, told: 0 });
        self.tell(What::Silence, now);
        Some(Strange::Silent { since: self.latest, now, usual })
    }

    fn too_much(&mut self, what: What, at: i64, count: u64) -> Option<Strange> {
        let of_day = |day: &Day| if matches!(what, What::Spike) { day.most } else { day.errors };
        let usual = self.days.iter().map(of_day).max().unwrap_or(0);
        let (least, percent) = match what {
            What::Errors => (ERRORS_MIN, ERRORS_PERCENT),
            _ => (SPIKE_MIN, SPIKE_PERCENT),
        };
        let limit = (usual * percent / 100).max(least);
        if count < limit || !self.is_known(at) {
            return None;
        }
        let ongoing = self.ongoing[what as usize].filter(|ongoing| at - ongoing.last <= OVER);
        let is_due = ongoing.is_none_or(|ongoing| count >= 2 * ongoing.told);
        let first = ongoing.map_or(at - PIECE, |ongoing| ongoing.first);
        let told = if is_due { count } else { ongoing.map_or(count, |ongoing| ongoing.told) };
        self.ongoing[what as usize] = Some(Ongoing { first, last: at, told });
        self.tell(what, at);
        let is_update = ongoing.is_some();
        let amount = Amount { first, last: at, count, is_update, usual, within: 2 * PIECE };
        is_due.then_some(match what {
            What::Errors => Strange::Errors(amount),
            _ => Strange::Spike(amount),
        })
    }

    fn too_little(&mut self, now: i64) -> Option<Strange> {
        let expected = self.expected(now)?;
        let over = self.pieces.len() - 1;
        let count: u64 = self.pieces[over - DROP_PIECES..over].iter().map(|piece| u64::from(piece.0)).sum();
        let permille = count * 1_000 / expected.max(1);
        let is_silent = self.ongoing[What::Silence as usize].is_some()
            || now - self.spoke <= (DROP_PIECES as i64 + 1) * PIECE;
        let usual = self.days.iter().map(|day| day.least).min().unwrap_or(1_000);
        let limit = DROP_PERMILLE.min(usual * DROP_AGAINST_PERCENT / 100);
        let ongoing = self.ongoing[What::Drop as usize];
        let is_told = ongoing.is_some();
        if is_silent || count == 0 {
            return None;
        }
        if permille >= limit {
            if !is_told {
                self.low = Some(self.low.unwrap_or(1_000).min(permille));
            }
            if permille >= 2 * DROP_PERMILLE {
                self.ongoing[What::Drop as usize] = None;
                if let (Some(low), Some(day)) = (self.low.take(), self.days.last_mut()) {
                    day.least = day.least.min(low);
                }
            }
            return None;
        }
        self.low = None;
        let first = ongoing.map_or(now - DROP_PIECES as i64 * PIECE, |ongoing| ongoing.first);
        self.ongoing[What::Drop as usize] = Some(Ongoing { first, last: now, told: count });
        if self.told_days(What::Drop) > USUAL_DAYS
            && let Some(day) = self.days.last_mut()
        {
            day.least = day.least.min(permille);
        }
        self.tell(What::Drop, now);
        let within = DROP_PIECES as i64 * PIECE;
        let amount = Amount { first, last: now, count, is_update: false, usual: expected, within };
        (!is_told).then_some(Strange::Drop(amount))
    }

    /// Events that the last hours had on two of three other days at least; None where that is not known or too few to say anything.
    fn expected(&self, now: i64) -> Option<u64> {
        if !self.is_known(now) || self.pieces.len() <= DROP_PIECES {
            return None;
        }
        let mut pieces = 0;
        for piece in (self.piece - DROP_PIECES as i64)..self.piece {
            let mut counts = self.hours[(piece * PIECE / HOUR % 24) as usize].clone();
            if counts.len() < HOURS_LEARNED {
                return None;
            }
            counts.sort_unstable();
            pieces += u64::from(counts[counts.len() / 3]);
        }
        let expected = pieces * PIECE.unsigned_abs() / HOUR.unsigned_abs();
        (expected >= DROP_EXPECTED).then_some(expected)
    }
}
