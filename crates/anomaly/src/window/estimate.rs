//! Small estimators that know how sure they are. Each answers with a surprise: minus the decimal
//! logarithm of how often ordinary events are at least this unusual, 0 when it knows too little.

use crate::{
    bytes::{Reader, Writer},
    error::ModelError,
    logarithm::{log2, log10},
};

/// How often a yes-or-no thing happens, over the last few thousand chances.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Share {
    pub(crate) hits: f32,
    pub(crate) total: f32,
}

impl Share {
    const WINDOW: f32 = 8192.0;

    pub(crate) fn learn(&mut self, hit: bool) {
        if self.total >= Self::WINDOW {
            self.hits *= 0.5;
            self.total *= 0.5;
        }
        self.hits += if hit { 1.0 } else { 0.0 };
        self.total += 1.0;
    }

    pub(crate) fn of(self) -> f32 {
        (self.hits + 0.5) / (self.total + 1.0)
    }

    /// The surprise of a hit.
    pub(crate) fn surprise(self) -> f32 {
        -log10(self.of())
    }

    pub(crate) fn write(self, out: &mut Writer) {
        out.f32(self.hits);
        out.f32(self.total);
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, ModelError> {
        Ok(Self { hits: input.f32()?, total: input.f32()? })
    }
}

/// Mean and spread of a number, the last few hundred values counting most.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Moment {
    pub(crate) mean: f32,
    variance: f32,
    count: u16,
}

impl Moment {
    const SLOWEST: u16 = 256;

    pub(crate) fn learn(&mut self, value: f32) {
        self.count = (self.count + 1).min(Self::SLOWEST);
        let weight = 1.0 / f32::from(self.count);
        let apart = value - self.mean;
        self.mean += weight * apart;
        self.variance = (1.0 - weight) * (self.variance + weight * apart * apart);
    }

    /// Deviations from the mean; those of a steady number are taken as `least`.
    pub(crate) fn deviations(self, value: f32, least: f32) -> f32 {
        (value - self.mean) / (self.variance.max(0.0) + least * least).sqrt()
    }

    /// Surprise of so many deviations, by the normal tail, less while few values were seen.
    pub(crate) fn surprise(self, deviations: f32) -> f32 {
        let sure = (f32::from(self.count) / 16.0).min(1.0);
        (0.217 * deviations * deviations * sure).min(6.0)
    }

    pub(crate) fn write(self, out: &mut Writer) {
        out.f32(self.mean);
        out.f32(self.variance);
        out.u16(self.count);
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, ModelError> {
        Ok(Self { mean: input.f32()?, variance: input.f32()?, count: input.u16()? })
    }
}

/// Events a minute, in event time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Rate {
    minute: u32,
    /// Events in the minute at hand.
    pub(crate) count: u32,
    pub(crate) mean: f32,
    variance: f32,
    /// The largest count of a minute, slowly forgotten.
    peak: f32,
    /// Minutes seen, up to a bound.
    minutes: u16,
    /// Events in a row whose minute had already passed.
    late: u16,
}

impl Rate {
    const SLOWEST: u16 = 240;
    /// A rate below this counts as this: what seldom comes, comes in sessions of several events.
    const RAREST: f32 = 0.5;
    /// The least variance of a rate over its mean: 1 would be events independent of each other.
    const CLUSTER: f32 = 2.0;
    /// Minutes of history that stand for an ordinary rate.
    const SURE: f32 = 120.0;
    /// A spike is so many times the largest count before.
    const GROWTH: f32 = 1.25;
    /// What is left of the largest count after a minute.
    const FORGET: f32 = 0.9999;
    /// After so many late events in a row the clock is believed to have been put back.
    const LATE_MAX: u16 = 200;

    pub(crate) const fn minute_of(nanos: i64) -> u32 {
        (nanos / 60_000_000_000) as u32
    }

    /// Closes the minutes that have passed.
    fn roll(&mut self, minute: u32) {
        if self.minutes == 0 {
            *self = Self { minute, minutes: 1, ..Self::default() };
            return;
        }
        if minute < self.minute {
            self.late += 1;
            if self.late > Self::LATE_MAX {
                self.minute = minute;
                self.count = 0;
                self.late = 0;
            }
            return;
        }
        self.late = 0;
        let passed = minute - self.minute;
        if passed == 0 {
            return;
        }
        self.close(self.count as f32);
        // The other minutes that passed had no event: bounded work, since old minutes fade anyway.
        for _ in 1..passed.min(64) {
            self.close(0.0);
        }
        if passed > 64 {
            let fade = (-((passed - 64) as f32) / f32::from(Self::SLOWEST)).exp();
            self.mean *= fade;
            self.variance *= fade;
            self.minutes = Self::SLOWEST;
            self.peak *= Self::FORGET.powf((passed - 64) as f32);
        }
        self.minute = minute;
        self.count = 0;
    }

    fn close(&mut self, count: f32) {
        let weight = 1.0 / f32::from(self.minutes.max(1));
        let apart = count - self.mean;
        self.mean += weight * apart;
        self.variance = (1.0 - weight) * (self.variance + weight * apart * apart);
        self.minutes = (self.minutes + 1).min(Self::SLOWEST);
        self.peak *= Self::FORGET;
    }

    /// The rate as of this minute, this event included, and the surprise of so many events: the
    /// Chernoff bound of the Poisson tail, softened by how bursty the rate is (its variance over
    /// its mean, at least [`Rate::CLUSTER`]) and while little history stands behind it. Only a count
    /// well above the largest one before is a spike, so that a burst speaks up as it grows and not
    /// at each of its events.
    pub(crate) fn assess(mut self, minute: u32) -> (Self, f32) {
        self.roll(minute);
        if self.late > 0 || self.minutes < 3 {
            return (self, 0.0);
        }
        self.count = self.count.saturating_add(1);
        let count = self.count as f32;
        let expected = self.mean.max(Self::RAREST);
        if count < 4.0 || count < Self::GROWTH * self.peak || count <= expected {
            return (self, 0.0);
        }
        let tail = (count * std::f32::consts::LN_2 * log2(count / expected) - (count - expected))
            * std::f32::consts::LOG10_E;
        let bursty = (self.variance / expected).max(Self::CLUSTER);
        let sure = (f32::from(self.minutes) / Self::SURE).min(1.0);
        (self, (tail / bursty * sure).clamp(0.0, 15.0))
    }

    pub(crate) fn learn(&mut self, minute: u32) {
        self.roll(minute);
        if self.late > 0 {
            return;
        }
        self.count = self.count.saturating_add(1);
        if self.count as f32 >= Self::GROWTH * self.peak {
            self.peak = self.count as f32;
        }
    }

    pub(crate) fn write(self, out: &mut Writer) {
        out.u32(self.minute);
        out.u32(self.count);
        out.f32(self.mean);
        out.f32(self.variance);
        out.f32(self.peak);
        out.u16(self.minutes);
        out.u16(self.late);
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, ModelError> {
        Ok(Self {
            minute: input.u32()?,
            count: input.u32()?,
            mean: input.f32()?,
            variance: input.f32()?,
            peak: input.f32()?,
            minutes: input.u16()?,
            late: input.u16()?,
        })
    }
}

/// On how many days each hour was active, and in how many weeks each day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Clock {
    hours: [u8; 24],
    weekdays: [u8; 7],
    days: u8,
    weeks: u8,
    /// Hours since 1970 of the latest event.
    latest: u32,
}

impl Clock {
    const FULL: u8 = 200;

    pub(crate) const fn hour_of(nanos: i64) -> u32 {
        (nanos / 3_600_000_000_000) as u32
    }

    /// Surprises of the hour of the day and the day of the week, 0 while another event of the same
    /// hour has been seen or too little history has.
    pub(crate) fn assess(&self, hour: u32) -> (f32, f32) {
        if hour == self.latest {
            return (0.0, 0.0);
        }
        let rare = |active: u8, of: u8, least: u8| {
            if of < least {
                0.0
            } else {
                -log10(((f32::from(active) + 0.5) / (f32::from(of) + 1.0)).min(1.0))
            }
        };
        let hours = rare(self.hours[hour as usize % 24], self.days, 3);
        let weekdays = rare(self.weekdays[hour as usize / 24 % 7], self.weeks, 3);
        (hours, weekdays)
    }

    pub(crate) fn active(&self, hour: u32) -> (u8, u8) {
        (self.hours[hour as usize % 24], self.days)
    }

    pub(crate) fn learn(&mut self, hour: u32) {
        if self.days > 0 && hour <= self.latest {
            return;
        }
        let new_day = self.days == 0 || hour / 24 != self.latest / 24;
        // 1970-01-01 was a Thursday; weeks are counted from it.
        let new_week = self.weeks == 0 || hour / 168 != self.latest / 168;
        if new_day {
            if self.days >= Self::FULL {
                self.days /= 2;
                self.hours.iter_mut().for_each(|count| *count /= 2);
            }
            self.days += 1;
            if self.weeks >= Self::FULL {
                self.weeks /= 2;
                self.weekdays.iter_mut().for_each(|count| *count /= 2);
            }
            self.weeks += u8::from(new_week);
            let weekday = &mut self.weekdays[hour as usize / 24 % 7];
            *weekday = weekday.saturating_add(1);
        }
        let active = &mut self.hours[hour as usize % 24];
        *active = active.saturating_add(1);
        self.latest = hour;
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.0.extend_from_slice(&self.hours);
        out.0.extend_from_slice(&self.weekdays);
        out.u8(self.days);
        out.u8(self.weeks);
        out.u32(self.latest);
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, ModelError> {
        let mut clock = Self::default();
        clock.hours.copy_from_slice(input.take(24)?);
        clock.weekdays.copy_from_slice(input.take(7)?);
        clock.days = input.u8()?;
        clock.weeks = input.u8()?;
        clock.latest = input.u32()?;
        Ok(clock)
    }
}
