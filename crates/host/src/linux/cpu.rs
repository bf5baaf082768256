//! Processors: where their time went, and how many want them (proc(5), `/proc/stat`, `/proc/loadavg`,
//! `/proc/pressure`).

use super::number::{decimal, lines, number, text, words};
use crate::{
    rate::percent,
    reading::{Cpu, Load, Pressure, Shares},
};

/// More processors are not told apart.
const CORES_MAX: usize = 1024;

/// Ticks since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Ticks {
    user: u64,
    system: u64,
    idle: u64,
    iowait: u64,
    steal: u64,
}

impl Ticks {
    fn parse<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut next = || words.next().map(number);
        let [user, nice, system, idle] = [next()??, next()??, next()??, next()??];
        // Those behind came with later kernels. Guests are counted as users already.
        let [iowait, irq, softirq, steal] =
            [next(), next(), next(), next()].map(|n| n.flatten().unwrap_or(0));
        Some(Self {
            user: user.saturating_add(nice),
            system: system.saturating_add(irq).saturating_add(softirq),
            idle,
            iowait,
            steal,
        })
    }

    fn all(&self) -> u64 {
        [self.user, self.system, self.idle, self.iowait, self.steal]
            .iter()
            .fold(0, |a, b| a.saturating_add(*b))
    }

    /// None while no time passed. A counter that went back (iowait does) did not move.
    fn since(&self, before: &Self) -> Option<Shares> {
        let grown = Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
            idle: self.idle.saturating_sub(before.idle),
            iowait: self.iowait.saturating_sub(before.iowait),
            steal: self.steal.saturating_sub(before.steal),
        };
        let all = grown.all();
        Some(Shares {
            busy: percent(all.saturating_sub(grown.idle.saturating_add(grown.iowait)), all)?,
            user: percent(grown.user, all),
            system: percent(grown.system, all),
            iowait: percent(grown.iowait, all),
            steal: percent(grown.steal, all),
        })
    }
}

/// The counters of `/proc/stat`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Times {
    total: Ticks,
    cores: Vec<(u64, Ticks)>,
    /// When the machine was started, in seconds since 1970.
    pub(crate) booted: Option<u64>,
}

impl Times {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (mut times, mut found) = (Self::default(), false);
        for line in lines(bytes) {
            let mut words = words(line);
            match words.next().unwrap_or_default() {
                b"cpu" => {
                    times.total = Ticks::parse(words)?;
                    found = true;
                }
                b"btime" => times.booted = words.next().and_then(number),
                name => {
                    let core = name.strip_prefix(b"cpu").and_then(number);
                    let ticks = core.and_then(|core| Some((core, Ticks::parse(words)?)));
                    times.cores.extend(ticks.filter(|_| times.cores.len() < CORES_MAX));
                }
            }
        }
        found.then_some(times)
    }

    pub(crate) fn since(&self, before: &Self) -> Option<Cpu> {
        let core = |(number, ticks): &(u64, Ticks)| {
            let earlier = before.cores.iter().find(|(other, _)| other == number)?;
            Some(ticks.since(&earlier.1)?.busy)
        };
        Some(Cpu {
            total: self.total.since(&before.total)?,
            // One that was switched on meanwhile has no time yet, and the others keep their places.
            cores: self.cores.iter().map(|ticks| core(ticks).unwrap_or(0.0)).collect(),
        })
    }
}

impl Load {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut words = words(bytes);
        let mut next = || words.next().and_then(decimal);
        Some(Self { averages: [next()?, next()?, next()?] })
    }
}

impl Pressure {
    /// The shares of one file: some, full.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(f64, Option<f64>)> {
        let of = |which: &str| {
            let line = lines(bytes).find(|line| text(line).starts_with(which))?;
            words(line).find_map(|word| decimal(word.strip_prefix(b"avg10=")?))
        };
        Some((of("some")?, of("full")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &[u8] = b"cpu  100 20 50 1000 30 5 5 10 7 0\ncpu0 50 10 25 500 15 0 0 5 0 0\n\
        cpu1 50 10 25 500 15 5 5 5 0 0\nintr 1 2 3\nctxt 5\nbtime 1700000000\nprocesses 99\n";
    const AFTER: &[u8] = b"cpu  140 20 60 1040 40 5 5 10 7 0\ncpu0 90 10 35 500 15 0 0 5 0 0\n\
        cpu1 50 10 25 540 25 5 5 5 0 0\nbtime 1700000000\n";

    #[test]
    fn time_is_shared_out() {
        let [before, after] = [BEFORE, AFTER].map(|text| Times::parse(text).unwrap());
        let cpu = after.since(&before).unwrap();
        assert_eq!(
            cpu.total,
            Shares { busy: 50.0, user: Some(40.0), system: Some(10.0), iowait: Some(10.0), steal: Some(0.0) }
        );
        assert_eq!(cpu.cores, [100.0, 0.0]);
        assert_eq!(after.booted, Some(1_700_000_000));
        assert_eq!(before.since(&before), None);
    }

    #[test]
    fn a_core_that_is_switched_on_leaves_the_others_where_they_are() {
        let before = Times::parse(b"cpu 10 0 0 10\ncpu1 10 0 0 10\n").unwrap();
        let after = Times::parse(b"cpu 20 0 0 20\ncpu0 5 0 0 5\ncpu1 20 0 0 10\n").unwrap();
        assert_eq!(after.since(&before).unwrap().cores, [0.0, 100.0]);
    }

    #[test]
    fn load_and_pressure_are_read() {
        assert_eq!(Load::parse(b"0.52 0.58 0.59 3/602 29914\n").unwrap().averages, [0.52, 0.58, 0.59]);
        let io =
            b"some avg10=1.25 avg60=0.5 avg300=0.1 total=7\nfull avg10=0.75 avg60=0.0 avg300=0.0 total=3\n";
        assert_eq!(Pressure::parse(io), Some((1.25, Some(0.75))));
        assert_eq!(Pressure::parse(b"some avg10=NaN"), None);
    }
}
