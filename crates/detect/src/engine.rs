//! Reads each event as an activity, and lets every detector look at it.

use std::time::Duration;

use event::{Analyzed, Batch, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Clocks, Config, Connections, Declared, Detector, Finding, Guessing, Kind, Logins, Patterns, Seen,
    SigmaRules, Sources, Told, Visitors,
    detector::{StateError, Time, remembered, state},
    late::LateSources,
    rules::RuleSet,
    sources::key_of,
    table::Occupancy,
    window::{LATENESS, nanos},
};

/// Detectors are told the time about so often.
const TICK: Duration = Duration::from_secs(60);

/// All detectors, and how late it is.
pub struct Engine {
    config: Config,
    detectors: Vec<Box<dyn Detector>>,
    connections: Connections,
    late: LateSources,
    /// The latest time of any event.
    now: Timestamp,
    ticked: Timestamp,
    findings: Vec<Finding>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    now: Timestamp,
    ticked: Timestamp,
    findings: Vec<Finding>,
    detectors: Vec<(String, Box<serde_json::value::RawValue>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connections: Option<Box<serde_json::value::RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late: Option<Box<serde_json::value::RawValue>>,
}

impl Engine {
    /// Every detector there is, without rules.
    pub fn new(config: Config) -> Self {
        Self::with_rules(config, RuleSet::default())
    }

    /// Every detector there is, and Sigma rules.
    pub fn with_rules(config: Config, rules: impl Into<RuleSet>) -> Self {
        let detectors: Vec<Box<dyn Detector>> = vec![
            Box::new(Guessing::new(&config)),
            Box::new(Logins::new(&config)),
            Box::new(Declared::new(&config)),
            Box::new(Sources::new(&config)),
            Box::new(Clocks::new(&config)),
            Box::new(Patterns::new(&config)),
            Box::new(Visitors::new(&config)),
            Box::new(SigmaRules::new(rules, &config)),
        ];
        Self::with(config, detectors)
    }

    /// Goes on with other Sigma rules. What those that stay have counted stays with them.
    pub fn replace_rules(&mut self, rules: impl Into<RuleSet>) {
        let mut replacing = SigmaRules::new(rules, &self.config);
        for detector in &mut self.detectors {
            if detector.name() != replacing.name() {
                continue;
            }
            // Rules that cannot take up what was counted begin anew.
            if let Ok(snapshot) = detector.snapshot() {
                let _ignored: Result<(), StateError> = replacing.restore(&snapshot);
            }
            *detector = Box::new(replacing);
            return;
        }
    }

    /// Says that nobody listened until now: after a stop, once.
    pub fn resume(&mut self, now: Timestamp) {
        for detector in &mut self.detectors {
            detector.resume(now);
        }
    }

    /// Only these detectors.
    pub fn with(config: Config, detectors: Vec<Box<dyn Detector>>) -> Self {
        let connections = Connections::new(config.keys_max);
        let (late, never) = (LateSources::new(), Timestamp::MIN);
        Self { config, detectors, connections, late, now: never, ticked: never, findings: Vec::new() }
    }

    /// Looks at events, in their order.
    pub fn see(&mut self, batch: &Batch<'_>) {
        for analyzed in &batch.events {
            self.see_one(analyzed);
        }
    }

    /// Looks at one event. A time in the future says nothing of how late it is, and is not looked at.
    pub fn see_one(&mut self, analyzed: &Analyzed<'_>) {
        if analyzed.event.is_future() {
            return;
        }
        let source = key_of(&analyzed.event);
        self.late.see(&analyzed.event, source);
        self.tick(analyzed.event.timestamp);
        self.now = self.now.max(analyzed.event.timestamp);
        let Told { mut activity, mut before } = self.connections.read(&analyzed.event);
        for activity in before.iter_mut().chain([&mut activity]) {
            if activity.address.is_some_and(|address| self.config.is_own(address)) {
                (activity.kind, activity.address) = (Kind::None, None);
            }
        }
        let (activity, before) = (&activity, before.as_ref());
        let seen = Seen { analyzed, source, activity, before, now: self.now };
        let from = self.findings.len();
        for detector in &mut self.detectors {
            detector.see(&seen, &mut self.findings);
        }
        self.except(from);
    }

    /// Says how late it is, at least once a minute, so that what stays away is found while it does.
    pub fn tick(&mut self, now: Timestamp) {
        if now.as_nanos() >= self.ticked.as_nanos().saturating_add(nanos(TICK)) {
            let seen = self.late.seen(now);
            self.tell(Time { now, seen });
        }
    }

    /// The same at once, for who has taken in all there is: what is over by then is told, and of no source more is
    /// waited for.
    pub fn tick_now(&mut self, now: Timestamp) {
        self.late.forget();
        self.tell(Time { now, seen: now });
    }

    fn tell(&mut self, time: Time) {
        (self.ticked, self.now) = (self.ticked.max(time.now), self.now.max(time.now));
        let from = self.findings.len();
        for detector in &mut self.detectors {
            detector.tick(time, &mut self.findings);
        }
        self.except(from);
    }

    /// Takes what was found since it was last asked.
    pub fn drain(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// How full all tables are together.
    pub fn occupancy(&self) -> Occupancy {
        self.occupancies().map(|(_, occupancy)| occupancy).sum()
    }

    /// How full the tables of each detector are, and that of connections.
    pub fn occupancies(&self) -> impl Iterator<Item = (&'static str, Occupancy)> {
        let of_detectors = self.detectors.iter().map(|detector| (detector.name(), detector.occupancy()));
        of_detectors
            .chain([("connections", self.connections.occupancy()), ("late sources", self.late.occupancy())])
    }

    /// Everything that it remembers, findings that were not drained among it.
    ///
    /// # Errors
    /// When a detector's state cannot be written down.
    pub fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        let mut detectors = Vec::with_capacity(self.detectors.len());
        for detector in &self.detectors {
            let bytes = detector.snapshot()?;
            if !bytes.is_empty() {
                detectors.push((detector.name().to_owned(), remembered(&bytes)?));
            }
        }
        let findings = self.findings.clone();
        let connections = Some(remembered(&state(&self.connections)?)?);
        let late = Some(remembered(&state(&self.late)?)?);
        state(&Saved { now: self.now, ticked: self.ticked, findings, detectors, connections, late })
    }

    /// Goes on from a snapshot. A detector that it does not know begins anew.
    ///
    /// # Errors
    /// When the bytes are no snapshot. Detectors before the one that cannot read its part have then gone on.
    pub fn restore(&mut self, snapshot: &[u8]) -> Result<(), StateError> {
        let saved: Saved = remembered(snapshot)?;
        for (name, bytes) in &saved.detectors {
            if let Some(detector) = self.detectors.iter_mut().find(|detector| detector.name() == name) {
                detector.restore(bytes.get().as_bytes())?;
            }
        }
        if let Some(kept) = &saved.connections {
            self.connections.take_up(remembered(kept.get().as_bytes())?);
        }
        if let Some(kept) = &saved.late {
            self.late.take_up(remembered(kept.get().as_bytes())?);
        }
        (self.now, self.ticked, self.findings) = (saved.now, saved.ticked, saved.findings);
        Ok(())
    }

    /// How much later than others an event may come and count where it belongs.
    pub const fn lateness() -> Duration {
        LATENESS
    }

    /// Leaves out findings of maintenance.
    fn except(&mut self, from: usize) {
        let maintenance = &self.config.maintenance;
        let mut at = 0;
        self.findings.retain(|finding| {
            at += 1;
            at <= from || !maintenance.iter().any(|maintenance| maintenance.covers(finding))
        });
    }
}
