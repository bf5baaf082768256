//! Small estimators that know how sure they are. Each answers with a surprise: minus the decimal
//! logarithm of how often ordinary events are at least this unusual, 0 when it knows too little.

use arithmetic::{log2, log10};
use disk::sealed::{Reader, SealedError, Writer};

/// How often a yes-or-no thing happens, over the last few thousand chances.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Share {
    pub(crate) hits: f32,
    pub(crate) total: f32,
}

impl Share {
    const WINDOW: f32 = 8192.0;
    const LONG: f32 = 65_536.0;

    pub(crate) fn learn(&mut self, hit: bool) {
        self.learn_within(hit, Self::WINDOW);
    }

    /// For what happens so seldom that only a long history tells how seldom.
    pub(crate) fn learn_rare(&mut self, hit: bool) {
        self.learn_within(hit, Self::LONG);
    }

    fn learn_within(&mut self, hit: bool, window: f32) {
        if self.total >= window {
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

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
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
        (0.217 * deviations * deviations * self.sure()).min(6.0)
    }

    /// How much there is to go by, 0 to 1.
    pub(crate) fn sure(self) -> f32 {
        (f32::from(self.count) / 16.0).min(1.0)
    }

    pub(crate) fn write(self, out: &mut Writer) {
        out.f32(self.mean);
        out.f32(self.variance);
        out.u16(self.count);
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        Ok(Self { mean: input.f32()?, variance: input.f32()?, count: input.u16()? })
    }
}

/// A minute or a quarter of an hour, counted since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tick {
    pub(crate) number: u32,
    /// What is left of the largest count after one with events: half in two busy days. With [`Rate::GROWTH`]
    /// what comes daily is known.
    forget: f32,
    /// And after one without events.
    idle: f32,
    /// The least variance of its count over the mean: 1 would be events independent of each other, but
    /// a single session writes many within a minute.
    cluster: f32,
}

impl Tick {
    pub(crate) const fn minute(nanos: i64) -> Self {
        Self { number: (nanos / 60_000_000_000) as u32, forget: 0.99976, idle: 0.99976, cluster: 6.0 }
    }

    /// For what comes seldom, and in bursts: a tick without events makes forget a sixteenth of what one with
    /// events does, so that it is not taken for new each time.
    pub(crate) const fn patient(self) -> Self {
        Self { idle: 1.0 - (1.0 - self.forget) / 16.0, ..self }
    }

    pub(crate) const fn quarter(nanos: i64) -> Self {
        Self { number: (nanos / 900_000_000_000) as u32, forget: 0.9964, idle: 0.9964, cluster: 3.0 }
    }
}

/// Events a tick, in event time. A tick is a minute or a quarter of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Rate {
    tick: u32,
    /// Events in the tick at hand.
    pub(crate) count: u32,
    pub(crate) mean: f32,
    variance: f32,
    /// The largest count of a tick, slowly forgotten.
    peak: f32,
    /// Ticks seen, up to a bound.
    ticks: u16,
    /// Events in a row whose tick had already passed.
    late: u16,
}

impl Rate {
    const SLOWEST: u16 = 240;
    /// A rate a tick below this counts as this: what seldom comes, comes in sessions of several events.
    const RAREST: f32 = 0.5;
    /// Ticks of history that stand for an ordinary rate.
    const SURE: f32 = 120.0;
    /// A spike is so many times the largest count before.
    const GROWTH: f32 = 1.5;
    /// After so many late events in a row the clock is believed to have been put back.
    const LATE_MAX: u16 = 200;

    /// Closes the ticks that have passed.
    fn roll(&mut self, tick: Tick) {
        let Tick { number: tick, forget, idle, .. } = tick;
        if self.ticks == 0 {
            *self = Self { tick, ticks: 1, ..Self::default() };
            return;
        }
        if tick < self.tick {
            self.late += 1;
            if self.late > Self::LATE_MAX {
                self.tick = tick;
                self.count = 0;
                self.late = 0;
            }
            return;
        }
        self.late = 0;
        let passed = tick - self.tick;
        if passed == 0 {
            return;
        }
        self.close(self.count as f32, forget);
        // The other ticks that passed had no event: bounded work, since old minutes fade anyway.
        for _ in 1..passed.min(64) {
            self.close(0.0, idle);
        }
        if passed > 64 {
            let fade = (-((passed - 64) as f32) / f32::from(Self::SLOWEST)).exp();
            self.mean *= fade;
            self.variance *= fade;
            self.ticks = Self::SLOWEST;
            self.peak *= idle.powf((passed - 64) as f32);
        }
        self.tick = tick;
        self.count = 0;
    }

    fn close(&mut self, count: f32, forget: f32) {
        let weight = 1.0 / f32::from(self.ticks.max(1));
        let apart = count - self.mean;
        self.mean += weight * apart;
        self.variance = (1.0 - weight) * (self.variance + weight * apart * apart);
        self.ticks = (self.ticks + 1).min(Self::SLOWEST);
        self.peak *= forget;
    }

    /// The rate as of this tick, this event included, and the surprise of so many events: the
    /// Chernoff bound of the Poisson tail, softened by how bursty the rate is (its variance over
    /// its mean, at least [`Tick::cluster`]) and while little history stands behind it. Only a count
    /// well above the largest one before is a spike, so that a burst speaks up as it grows and not
    /// at each of its events.
    pub(crate) fn assess(mut self, tick: Tick) -> (Self, f32) {
        self.roll(tick);
        if self.late > 0 || self.ticks < 3 {
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
        let bursty = (self.variance / expected).max(tick.cluster);
        let sure = (f32::from(self.ticks) / Self::SURE).min(1.0);
        (self, (tail / bursty * sure).clamp(0.0, 15.0))
    }

    pub(crate) fn learn(&mut self, tick: Tick) {
        self.roll(tick);
        if self.late > 0 {
            return;
        }
        self.count = self.count.saturating_add(1);
        if self.count as f32 >= Self::GROWTH * self.peak {
            self.peak = self.count as f32;
        }
    }

    pub(crate) fn write(self, out: &mut Writer) {
        out.u32(self.tick);
        out.u32(self.count);
        out.f32(self.mean);
        out.f32(self.variance);
        out.f32(self.peak);
        out.u16(self.ticks);
        out.u16(self.late);
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        Ok(Self {
            tick: input.u32()?,
            count: input.u32()?,
            mean: input.f32()?,
            variance: input.f32()?,
            peak: input.f32()?,
            ticks: input.u16()?,
            late: input.u16()?,
        })
    }
}

/// How little a source says, over two hours of quarters, against what it usually says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Quiet {
    quarter: u32,
    /// Events of the quarter at hand.
    count: u32,
    /// Those of the eight quarters before, the latest first.
    before: [u16; Quiet::QUARTERS],
    /// Mean of a quarter's events.
    mean: f32,
    /// Variance of the sum of eight.
    variance: f32,
    /// Mean of a quarter's events by hour of the day.
    hours: [f32; 24],
    /// The smallest sum of the eight, which slowly rises to the usual one again.
    trough: f32,
    quarters: u16,
}

impl Quiet {
    const QUARTERS: usize = 8;
    /// Quarters that the mean looks back on: two days, so that a night is part of what is usual.
    const SLOWEST: u16 = 192;
    const LONGEST: u16 = 4_096;
    /// A day of history is needed.
    const SURE: u16 = 96;
    /// The usual sum from which a small one says something.
    const LEAST: f32 = 12.0;
    /// A drop is so small a part of the smallest sum before.
    const SHRINK: f32 = 0.75;
    /// Part of the way back to the usual sum that the smallest one goes in a quarter.
    const RISE: f32 = 0.01;
    /// Quarters of history from which the hour of the day counts, and how much a quarter adds to its hour.
    const DAYS: u16 = 288;
    const HOUR: f32 = 0.1;
    /// The least variance of the sum over its mean.
    const CLUSTER: f32 = 4.0;

    fn sum(&self) -> f32 {
        self.before.iter().map(|count| f32::from(*count)).sum()
    }

    fn usual(&self) -> f32 {
        self.mean * Self::QUARTERS as f32
    }

    /// What is usual before this quarter, at this time of day too.
    fn expected(&self, quarter: u32) -> f32 {
        if self.quarters < Self::DAYS {
            return self.usual();
        }
        let before = 1..=Self::QUARTERS as u32;
        let hours = before.map(|back| self.hours[quarter.wrapping_sub(back) as usize / 4 % 24]);
        hours.sum::<f32>().min(self.usual())
    }

    fn roll(&mut self, quarter: u32) {
        if self.quarters == 0 {
            *self = Self { quarter, quarters: 1, trough: f32::MAX, ..Self::default() };
        }
        let passed = quarter.saturating_sub(self.quarter);
        for step in 0..passed.min(u32::from(Self::SLOWEST)) {
            let count = self.count as f32;
            let weight = 1.0 / f32::from(self.quarters.min(Self::SLOWEST));
            let hour = &mut self.hours[(self.quarter + step) as usize / 4 % 24];
            *hour += (4.0 * 24.0 / f32::from(self.quarters) / 4.0).clamp(Self::HOUR, 1.0) * (count - *hour);
            self.mean += weight * (count - self.mean);
            self.before.rotate_right(1);
            self.before[0] = self.count.min(u32::from(u16::MAX)) as u16;
            self.count = 0;
            self.quarters = (self.quarters + 1).min(Self::LONGEST);
            if usize::from(self.quarters) > Self::QUARTERS {
                let most = self.usual() / 3.0;
                let apart = (self.sum() - self.usual()).clamp(-most, most);
                self.variance = (1.0 - weight) * (self.variance + weight * apart * apart);
                self.trough = self.trough.min(self.usual());
                self.trough += Self::RISE * (self.usual() - self.trough);
            }
        }
        self.quarter = self.quarter.max(quarter);
    }

    /// The events of the last eight quarters, the usual number, and the surprise of so few: the
    /// Chernoff bound of the Poisson tail, softened as for [`Rate`]. Only the first event of a quarter
    /// speaks, and only when there were clearly fewer than ever lately.
    pub(crate) fn assess(mut self, quarter: u32) -> (f32, f32, f32) {
        if quarter <= self.quarter || self.quarters < Self::SURE {
            return (0.0, 0.0, 0.0);
        }
        // What is usual must not sink by the very silence that is judged.
        let (usual, trough) = (self.expected(quarter), self.trough);
        let bursty = (self.variance / self.usual().max(1e-3)).max(Self::CLUSTER);
        self.roll(quarter);
        let sum = self.sum();
        if usual < Self::LEAST || sum > Self::SHRINK * trough - 1.0 {
            return (sum, usual, 0.0);
        }
        let log = if sum > 0.0 { sum * std::f32::consts::LN_2 * log2(sum / usual) } else { 0.0 };
        let tail = (log - (sum - usual)) * std::f32::consts::LOG10_E;
        (sum, usual, (tail / bursty).clamp(0.0, 15.0))
    }

    pub(crate) fn learn(&mut self, quarter: u32) {
        let turned = quarter > self.quarter;
        self.roll(quarter);
        if turned && usize::from(self.quarters) > Self::QUARTERS {
            self.trough = self.trough.min(self.sum());
        }
        self.count = self.count.saturating_add(1);
    }

    pub(crate) fn write(self, out: &mut Writer) {
        out.u32(self.quarter);
        out.u32(self.count);
        self.before.iter().for_each(|count| out.u16(*count));
        out.f32(self.mean);
        out.f32(self.variance);
        self.hours.iter().for_each(|mean| out.f32(*mean));
        out.f32(self.trough);
        out.u16(self.quarters);
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let mut quiet = Self { quarter: input.u32()?, count: input.u32()?, ..Self::default() };
        for count in &mut quiet.before {
            *count = input.u16()?;
        }
        quiet.mean = input.f32()?;
        quiet.variance = input.f32()?;
        for mean in &mut quiet.hours {
            *mean = input.f32()?;
        }
        quiet.trough = input.f32()?;
        quiet.quarters = input.u16()?;
        Ok(quiet)
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
        out.raw(&self.hours);
        out.raw(&self.weekdays);
        out.u8(self.days);
        out.u8(self.weeks);
        out.u32(self.latest);
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let mut clock = Self::default();
        clock.hours.copy_from_slice(input.take(24)?);
        clock.weekdays.copy_from_slice(input.take(7)?);
        clock.days = input.u8()?;
        clock.weeks = input.u8()?;
        clock.latest = input.u32()?;
        Ok(clock)
    }
}
