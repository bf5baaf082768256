//! What visitors of web servers do: looking for what is not there, trying exploits, guessing passwords.

mod asked;
mod probes;
mod visit;

use std::time::Duration;

use finding::fact;
use serde::{Deserialize, Serialize};

use crate::{
    Config, Detector, Entity, EntityType, Finding, FindingKind, Level, Occurrence, Origin, Seen, StateError,
    Time,
    detector::{remembered, state},
    table::Occupancy,
    web::Sign,
    window::{Limit, Moment, Run, Windows},
};
use asked::Asked;
use probes::Probes;
use visit::Visit;

const MINUTES: Duration = Duration::from_secs(600);
const HOUR: Duration = Duration::from_secs(3_600);

/// Points of different requests within ten minutes that make a scan.
const SCAN_POINTS: u32 = 10;
/// Requests of one address that are told apart.
const REQUESTS: usize = 32;
/// So many different requests of a scan weigh more.
const MANY: u64 = 50;
/// So many different exploits of an address within an hour are no stray one.
const EXPLOITS: u64 = 5;
/// Forms of login sent within half a minute, whose outcome the status does not tell.
const TRIES: Limit = Limit { points: 6, within: Duration::from_secs(30) };
/// Requests turned down for their number within ten minutes.
const RATE: u32 = 5;

/// What is noted of an address that asks for what is not there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Answers {
    /// Requests that were answered meanwhile.
    answered: u32,
    /// What is secret was answered.
    is_grave: bool,
    asked: Asked,
    /// A hash of who asked first, and whether others of its network did, too.
    #[serde(default)]
    who: Option<u64>,
    #[serde(default)]
    is_many: bool,
}

/// What is noted of an address that tries exploits.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Exploits {
    /// The gravest level that was told.
    level: Option<Level>,
    asked: Asked,
}

/// What is noted of an address that guesses.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Guesses {
    user: String,
    /// Somebody got in, and it was told.
    is_in: bool,
    asked: Asked,
}

/// Finds scans, exploits and guessing at web servers and applications.
#[derive(Debug, Serialize, Deserialize)]
pub struct Visitors {
    scans: Windows<Origin, Answers>,
    exploits: Windows<Origin, Exploits>,
    /// Refused logins as the access log tells them, and as the application does: both may tell of the same.
    failures: Windows<(Origin, bool), Guesses>,
    tries: Windows<(Origin, u64)>,
    rates: Windows<Origin>,
    /// What each asked for that scanners look for, however little, and where.
    #[serde(default)]
    probes: Probes,
}

impl Visitors {
    /// With nothing seen yet.
    pub fn new(config: &Config) -> Self {
        let limit = |points, within| Limit { points, within };
        Self {
            scans: Windows::new(limit(SCAN_POINTS, MINUTES), config.keys_max).keeping(REQUESTS),
            exploits: Windows::new(limit(1, HOUR), config.keys_max),
            failures: Windows::new(limit(config.failures.clamp(2, 16), MINUTES), config.keys_max),
            tries: Windows::new(TRIES, config.keys_max),
            rates: Windows::new(limit(RATE, MINUTES), config.keys_max),
            probes: Probes::new(config.keys_max),
        }
    }

    /// What an address does that stays below the limit counts for its network of IPv6 as well.
    fn scanned(&mut self, visit: &Visit<'_>) -> Option<Finding> {
        let told = self.scanned_by(visit.origin, visit);
        let Some(network) = visit.network else { return told };
        if told.is_none() && !self.scans.has_told(&visit.origin, visit.seen.at().as_nanos()) {
            return self.scanned_by(network, visit);
        }
        // What is told of an address is not told again of its network.
        let moments = self.scans.get(&visit.origin).map(Run::moments).unwrap_or_default();
        let own: Vec<u64> = moments.iter().map(|moment| moment.what).collect();
        if let Some(run) = self.scans.get_mut(&network) {
            own.into_iter().for_each(|what| run.forget(what));
        }
        told
    }

    /// Counts requests that differ. What anybody may ask for in vain counts little, and only where most was in vain.
    fn scanned_by(&mut self, origin: Origin, visit: &Visit<'_>) -> Option<Finding> {
        let (seen, points) = (visit.seen, visit.points());
        let moment = Moment::new(seen.at(), 1).worth(points).with(visit.what());
        let known = self.scans.get_mut(&origin);
        if points == 0 {
            if let Some(run) = known.filter(|_| visit.is_answered()) {
                run.note.answered = run.note.answered.saturating_add(1);
            }
            return None;
        }
        if let Some(run) = known {
            if run.moments().iter().any(|known| known.what == moment.what) {
                return None;
            }
            if run.most(moment.at, MINUTES) == 0 {
                run.note = Answers::default();
            }
        }
        let run = self.scans.add(&origin, moment, seen.analyzed.id)?;
        run.note.asked.note(visit);
        run.note.is_many |= *run.note.who.get_or_insert(visit.who()) != visit.who();
        run.note.is_grave |= visit.sign == Some(Sign::SensitiveFile) && visit.is_answered();
        let is_whole = run.note.is_many || matches!(origin, Origin::Address(_));
        if !is_whole || !is_scan(run, moment.at) {
            return None;
        }
        let told = self.scans.tell(&origin, moment.at)?;
        Some(scan(origin, told, &self.scans.get(&origin)?.note).and(visit.about()))
    }

    fn exploited(&mut self, visit: &Visit<'_>) -> Option<Finding> {
        let seen = visit.seen;
        let moment = Moment::new(seen.at(), seen.activity.times.max(1)).with(visit.what());
        let run = self.exploits.add(&visit.origin, moment, seen.analyzed.id)?;
        let is_much = run.most_different(moment.at, HOUR) as u64 >= EXPLOITS;
        let level = visit.gravity().max(if is_much { Level::Medium } else { Level::Low });
        if run.moments().len() == 1 {
            run.note = Exploits::default();
        }
        run.note.asked.note(visit);
        let is_graver = run.note.level.is_none_or(|known| known < level);
        run.note.level = run.note.level.max(Some(level));
        let told = if is_graver {
            self.exploits.tell_anyway(&visit.origin, moment.at)
        } else {
            self.exploits.tell(&visit.origin, moment.at)
        };
        let note = &self.exploits.get(&visit.origin)?.note;
        Some(exploit(visit.origin, told?, note).and(visit.about()))
    }

    /// The same of failures.
    fn failed(&mut self, visit: &Visit<'_>) -> Option<Finding> {
        let told = self.failed_by(visit.origin, visit);
        let Some(network) = visit.network else { return told };
        let (key, at) = ((visit.origin, visit.is_access), visit.seen.at().as_nanos());
        if told.is_none() && !self.failures.has_told(&key, at) {
            return self.failed_by(network, visit);
        }
        if let Some(run) = self.failures.get_mut(&(network, visit.is_access)) {
            run.forget(visit.who());
        }
        told
    }

    fn failed_by(&mut self, origin: Origin, visit: &Visit<'_>) -> Option<Finding> {
        let seen = visit.seen;
        // Who is let in no more has failed as often as the application bears.
        let least = if visit.is_barred() { self.failures.limit().points } else { 1 };
        let moment = Moment::new(seen.at(), seen.activity.times.max(least)).with(visit.who());
        let key = (origin, visit.is_access);
        let run = self.failures.add(&key, moment, seen.analyzed.id)?;
        if run.moments().len() == 1 {
            run.note = Guesses::default();
        }
        run.note.asked.note(visit);
        if let Some(user) = seen.activity.user.as_deref() {
            run.note.user = Entity::new(EntityType::User, user).value;
        }
        let is_whole = matches!(origin, Origin::Address(_)) || run.most_different(moment.at, MINUTES) > 1;
        if !is_whole || run.most(moment.at, MINUTES) < u64::from(self.failures.limit().points) {
            return None;
        }
        let told = self.failures.tell(&key, moment.at)?;
        Some(guessed(&key, told, &self.failures.get(&key)?.note).and(visit.about()))
    }

    /// A login that went well after so many that did not.
    fn passed(&mut self, visit: &Visit<'_>) -> Option<Finding> {
        let (key, at) = ((visit.origin, visit.is_access), visit.seen.at().as_nanos());
        if !self.failures.has_told(&key, at) {
            return None;
        }
        let run = self.failures.get_mut(&key)?;
        if std::mem::replace(&mut run.note.is_in, true) {
            return None;
        }
        let latest = run.moments().last().map_or(at, |moment| moment.at);
        if let Some(user) = visit.seen.activity.user.as_deref() {
            run.note.user = Entity::new(EntityType::User, user).value;
        }
        let told = self.failures.tell_anyway(&key, latest)?;
        Some(guessed(&key, told, &self.failures.get(&key)?.note).and(visit.about()))
    }

    fn tried(&mut self, visit: &Visit<'_>) -> Option<Finding> {
        let seen = visit.seen;
        let moment = Moment::new(seen.at(), 1);
        let told = self.tries.count(&(visit.origin, visit.place()), moment, seen.analyzed.id)?;
        Some(guessing(Level::Low, visit.origin, told).and(visit.about()))
    }

    fn slowed(&mut self, visit: &Visit<'_>) -> Option<Finding> {
        let seen = visit.seen;
        let moment = Moment::new(seen.at(), seen.activity.times.max(1));
        let told = self.rates.count(&visit.origin, moment, seen.analyzed.id)?;
        Some(slowed_down(visit.origin, told).and(visit.about()))
    }
}

fn scan(origin: Origin, told: Occurrence, note: &Answers) -> Finding {
    let level = if told.count >= MANY || note.is_grave { Level::Medium } else { Level::Low };
    let finding = Finding::of_run(FindingKind::WebScan, level, "web_scan", origin.entity(), told);
    note.asked.told_with_outcome(finding).technique("T1595")
}

fn exploit(origin: Origin, told: Occurrence, note: &Exploits) -> Finding {
    let (kind, level) = (FindingKind::WebExploitAttempt, note.level.unwrap_or(Level::Low));
    let finding = Finding::of_run(kind, level, "web_exploit_attempt", origin.entity(), told);
    note.asked.told_with_outcome(finding.technique("T1190"))
}

fn guessed(key: &(Origin, bool), told: Occurrence, note: &Guesses) -> Finding {
    let level = if note.is_in { Level::High } else { Level::Medium };
    let finding = guessing(level, key.0, told).and([Entity::new(EntityType::User, note.user.as_str())]);
    let finding = note.asked.told(finding);
    // A login before the guessing was told is not noted, so that without one nothing is said.
    if note.is_in { finding.fact(fact::SUCCEEDED, true) } else { finding }
}

/// Whether what was asked for makes a scan: enough of it names what only scanners look for, or most was in vain.
fn is_scan(run: &Run<Answers>, at: i64) -> bool {
    let named: u32 =
        run.moments().iter().filter(|moment| moment.points > 1).map(|moment| moment.points).sum();
    run.most(at, MINUTES) >= u64::from(SCAN_POINTS)
        && (named >= SCAN_POINTS || 2 * run.note.answered as usize <= run.moments().len())
}

fn guessing(level: Level, origin: Origin, told: Occurrence) -> Finding {
    Finding::of_run(FindingKind::WebAuthBruteForce, level, "web_auth_brute_force", origin.entity(), told)
        .technique("T1110")
}

fn slowed_down(origin: Origin, told: Occurrence) -> Finding {
    Finding::of_run(FindingKind::VolumeSpike, Level::Low, "web_rate", origin.entity(), told)
        .technique("T1499")
}

impl Detector for Visitors {
    fn name(&self) -> &'static str {
        "web"
    }

    fn see(&mut self, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let Some(visit) = Visit::of(seen) else { return };
        let (scans, exploits) = (&self.scans, &self.exploits);
        self.probes.settle(&visit.origin, seen.at().as_nanos(), |origin, times| {
            times.iter().any(|at| scans.has_told(origin, *at) || exploits.has_told(origin, *at))
        });
        let found = match visit.sign {
            Some(sign) if sign.is_exploit() => self.exploited(&visit),
            Some(Sign::LoginFailed) => self.failed(&visit),
            Some(Sign::LoginTried) => self.tried(&visit),
            Some(Sign::LoginPassed) => self.passed(&visit),
            Some(Sign::TooMany) => self.slowed(&visit),
            _ => None,
        };
        findings.extend(found);
        findings.extend(self.scanned(&visit));
        if visit.sign.is_some_and(Sign::is_looked_for) {
            self.probes.note(&visit);
        }
    }

    fn tick(&mut self, time: Time, findings: &mut Vec<Finding>) {
        for (origin, told, note) in self.scans.over(time.seen) {
            findings.push(scan(origin, told, &note));
        }
        for (origin, told, note) in self.exploits.over(time.seen) {
            findings.push(exploit(origin, told, &note));
        }
        for (key, told, note) in self.failures.over(time.seen) {
            findings.push(guessed(&key, told, &note));
        }
        for ((origin, _), told, ()) in self.tries.over(time.seen) {
            findings.push(guessing(Level::Low, origin, told));
        }
        for (origin, told, ()) in self.rates.over(time.seen) {
            findings.push(slowed_down(origin, told));
        }
        let (scans, exploits) = (&self.scans, &self.exploits);
        findings.extend(self.probes.over(time.seen, |origin, times| {
            times.iter().any(|at| scans.has_told(origin, *at) || exploits.has_told(origin, *at))
        }));
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        state(self)
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), StateError> {
        let kept: Self = remembered(snapshot)?;
        self.scans.take_up(kept.scans);
        self.exploits.take_up(kept.exploits);
        self.failures.take_up(kept.failures);
        self.tries.take_up(kept.tries);
        self.rates.take_up(kept.rates);
        self.probes.take_up(kept.probes);
        Ok(())
    }

    fn occupancy(&self) -> Occupancy {
        [
            self.scans.occupancy_with(Asked::BYTES_MAX),
            self.exploits.occupancy_with(Asked::BYTES_MAX),
            self.failures.occupancy_with(Asked::BYTES_MAX + Entity::BYTES_MAX),
            self.tries.occupancy(),
            self.rates.occupancy(),
            self.probes.occupancy(),
        ]
        .into_iter()
        .sum()
    }
}
