//! Failed logins: guessing by one address or many, fast or patient, at SSH and at any other service,
//! and logins that follow them.

mod attempts;
mod noted;

use std::time::Duration;

use finding::fact;

use crate::{
    Config, Detector, Entity, EntityType, Finding, FindingKind, Kind, Level, Occurrence, Origin, Protocol,
    Seen, StateError, Time,
    detector::{remembered, state},
    table::Occupancy,
    window::{Limit, Moment, Windows, nanos},
};
use attempts::{Attempts, hash, service_of};
use noted::{Crowd, MINUTES, Note, Patience, Target, note};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Failures of one address before it gets in that a person who mistypes does not have.
const BEFORE_LOGIN: u64 = 4;
/// Different users that one address tries within ten minutes when it sprays.
const SPRAYED_USERS: usize = 10;
/// Different addresses that fail at one host within ten minutes when they work together.
const ADDRESSES: usize = 12;
/// Hosts that are watched for that.
const HOSTS_MAX: usize = 256;
/// Broken handshakes of one address within ten minutes, and of those that exhaust or break the server.
const PROBES: u32 = 5;
const ABUSES: u32 = 4;
/// What a failure and a broken handshake are worth, and how much of it in a day is guessing with patience.
const FAILURE_POINTS: u32 = 10;
const PROBE_POINTS: u32 = 3;
const PATIENT_POINTS: u32 = 100;
/// Fewer are enough when they come at a pace that no person has: as many, of as many users, so far apart.
const PACED: usize = 4;
const PACED_USERS: usize = 3;
const PACE: std::ops::Range<Duration> = Duration::from_secs(9 * 60)..Duration::from_secs(6 * 3_600);
/// What notes hold beside themselves at most: names of users or addresses, the host and who got in.
const NOTE_BYTES: usize = (fact::LIST_MAX + 2) * (size_of::<String>() + fact::TEXT_BYTES_MAX);

/// Finds guessing.
#[derive(Debug)]
pub struct Guessing {
    failures: Windows<Target, Note>,
    hosts: Windows<String, Crowd>,
    /// Broken handshakes, and whether they are of the kind that exhausts or breaks the server.
    probes: Windows<(Origin, bool), String>,
    /// All that an address did in a day.
    patient: Windows<Target, Patience>,
    attempts: Attempts,
}

impl Guessing {
    /// With nothing seen yet.
    pub fn new(config: &Config) -> Self {
        let limit = |points, within| Limit { points, within };
        Self {
            failures: Windows::new(limit(config.failures.clamp(2, 16), MINUTES), config.keys_max).keeping(32),
            hosts: Windows::new(limit(1, MINUTES), HOSTS_MAX).keeping(48),
            probes: Windows::new(limit(PROBES, MINUTES), config.keys_max),
            patient: Windows::new(limit(PATIENT_POINTS, DAY), config.keys_max).keeping(16),
            attempts: Attempts::new(config.keys_max),
        }
    }

    fn failed(&mut self, seen: &Seen<'_>, address: std::net::IpAddr, findings: &mut Vec<Finding>) {
        let service = service_of(&seen.analyzed.event);
        let is_ssh = is_ssh(seen);
        let origin = Origin::of(address);
        let times = self.attempts.more(seen, if is_ssh { "ssh" } else { service }, origin, is_ssh);
        if times == 0 {
            return;
        }
        let target = Target { service: (!is_ssh).then(|| service.to_owned()), origin };
        let user = seen.activity.user.as_deref().unwrap_or_default();
        let moment = Moment::new(seen.at(), times).with(hash(user));
        let (id, limit) = (seen.analyzed.id, u64::from(self.failures.limit().points));
        let Some(run) = self.failures.add(&target, moment, id) else { return };
        note(run, seen, user);
        let is_much = run.most(moment.at, MINUTES) >= limit;
        if is_much && let Some(told) = self.failures.tell(&target, moment.at) {
            findings.extend(self.told_fast(&target, told));
            self.told_of_network(&target, address);
        }
        self.was_fast(&target, moment.at);
        self.sprayed(&target, moment, findings);
        self.logged_in_after(&target, moment.at, findings);
        if let Some(network) = Origin::network(address) {
            self.failed_in_network(
                seen,
                Target { origin: network, ..target.clone() },
                &target,
                moment,
                findings,
            );
        }
        if is_ssh {
            self.worked_together(seen, origin, moment, findings);
        }
        self.patiently(seen, &target, moment.worth(times.saturating_mul(FAILURE_POINTS)), findings);
    }

    /// Counts for the network what its addresses do that stay below the limit each for itself.
    fn failed_in_network(
        &mut self,
        seen: &Seen<'_>,
        network: Target,
        single: &Target,
        moment: Moment,
        findings: &mut Vec<Finding>,
    ) {
        if self.failures.has_told(single, moment.at) {
            return;
        }
        let moment = moment.with(hash(&single.origin.to_string()));
        let limit = u64::from(self.failures.limit().points);
        let Some(run) = self.failures.add(&network, moment, seen.analyzed.id) else { return };
        note(run, seen, seen.activity.user.as_deref().unwrap_or_default());
        let is_much = run.most(moment.at, MINUTES) >= limit;
        if is_much
            && run.most_different(moment.at, MINUTES) > 1
            && let Some(told) = self.failures.tell(&network, moment.at)
        {
            findings.extend(self.told_fast(&network, told));
        }
    }

    /// What an address did that is told for itself is not told again of its network.
    fn told_of_network(&mut self, target: &Target, address: std::net::IpAddr) {
        let Some(origin) = Origin::network(address) else { return };
        let network = Target { service: target.service.clone(), origin };
        if let Some(run) = self.failures.get_mut(&network) {
            run.forget(hash(&target.origin.to_string()));
        }
    }

    /// Notes of what is told as fast that it is not told as slow for a day from its latest failure on.
    fn was_fast(&mut self, target: &Target, at: i64) {
        if self.failures.has_told(target, at)
            && let Some(run) = self.patient.get_mut(target)
        {
            run.note.fast_told = run.note.fast_told.max(at);
        }
    }

    fn told_fast(&self, target: &Target, told: Occurrence) -> Option<Finding> {
        Some(fast(target, told, &self.failures.get(target)?.note))
    }

    /// Many users of one address, each tried once or twice.
    fn sprayed(&mut self, target: &Target, moment: Moment, findings: &mut Vec<Finding>) {
        let Some(run) = self.failures.get(target) else { return };
        let users = run.most_different(moment.at, MINUTES);
        let is_new = moment.at.saturating_sub(run.note.spraying_told) > nanos(HOUR);
        if users < SPRAYED_USERS || run.most(moment.at, MINUTES) > 2 * users as u64 || !is_new {
            return;
        }
        let Some(told) = self.failures.tell_anyway(target, moment.at) else { return };
        let Some(run) = self.failures.get_mut(target) else { return };
        run.note.spraying_told = moment.at;
        let told = Occurrence { is_update: false, ..told };
        let finding = target.finding(
            FindingKind::PasswordSpraying,
            Level::Medium,
            "password_spraying",
            told,
            Some(&run.note),
        );
        findings.push(finding.technique("T1110.003").fact(fact::USERS_TOTAL, users as u64));
    }

    /// One host, many addresses.
    fn worked_together(
        &mut self,
        seen: &Seen<'_>,
        origin: Origin,
        moment: Moment,
        findings: &mut Vec<Finding>,
    ) {
        let host = seen.analyzed.event.host.as_deref().unwrap_or_default().to_owned();
        let moment = moment.with(hash(&origin.to_string()));
        let Some(run) = self.hosts.add(&host, moment, seen.analyzed.id) else { return };
        if run.moments().len() == 1 {
            run.note = Crowd::default();
        }
        fact::add(&mut run.note.addresses, &origin.to_string());
        let addresses = run.most_different(moment.at, MINUTES);
        run.note.most = run.note.most.max(addresses);
        if addresses < ADDRESSES {
            return;
        }
        if let Some(told) = self.hosts.tell(&host, moment.at) {
            let crowd = self.hosts.get(&host).map(|run| run.note.clone()).unwrap_or_default();
            findings.push(together(&host, told, &crowd));
        }
    }

    /// What adds up over a day, or comes at a pace.
    fn patiently(&mut self, seen: &Seen<'_>, target: &Target, moment: Moment, findings: &mut Vec<Finding>) {
        let Some(run) = self.patient.add(target, moment, seen.analyzed.id) else { return };
        let fast_told = run.note.fast_told;
        let is_told = fast_told > moment.at.saturating_sub(nanos(DAY)) && fast_told > 0;
        if run.moments().len() == 1 {
            run.note.is_patient = false;
        }
        let is_one_client = target.service.is_some() && run.most_different(moment.at, DAY) < 2;
        let points = run.most(moment.at, DAY);
        let is_patient = points >= u64::from(PATIENT_POINTS) || is_paced(run.moments());
        // At SSH nobody is left out who fails so often in a day, whoever it is.
        let least = u64::from(self.failures.limit().points.saturating_mul(FAILURE_POINTS));
        let is_some = target.service.is_none() && points >= least;
        if is_told || is_one_client || !(is_patient || is_some) {
            return;
        }
        let became_patient = is_patient && !std::mem::replace(&mut run.note.is_patient, true);
        let told = match became_patient {
            true => self.patient.tell_anyway(target, moment.at),
            false => self.patient.tell(target, moment.at),
        };
        let is_patient = self.patient.get(target).is_some_and(|run| run.note.is_patient);
        findings.extend(told.map(|told| self.slow(target, told, is_patient)));
    }

    fn slow(&self, target: &Target, told: Occurrence, is_patient: bool) -> Finding {
        let note = self.failures.get(target).map(|run| &run.note);
        let (kind, level, rule) = match target.service {
            None if is_patient => (FindingKind::SshBruteForce, Level::Low, "ssh_patient_guessing"),
            // So few may be somebody who mistypes.
            None => (FindingKind::SshBruteForce, Level::Informational, "ssh_patient_guessing"),
            Some(_) => (FindingKind::PasswordSpraying, Level::Low, "auth_patient_guessing"),
        };
        target.finding(kind, level, rule, told, note).technique("T1110.001")
    }

    fn succeeded(&mut self, seen: &Seen<'_>, address: std::net::IpAddr, findings: &mut Vec<Finding>) {
        let is_ssh = is_ssh(seen);
        let service = (!is_ssh).then(|| service_of(&seen.analyzed.event).to_owned());
        let target = Target { service, origin: Origin::of(address) };
        let at = seen.at().as_nanos();
        let Some(run) = self.failures.get_mut(&target) else { return };
        // One that belongs to no failures does not take the place of one that does, which is yet to be told.
        let belongs = |at: i64| run.is_near(at, MINUTES);
        if run.note.login.as_ref().is_some_and(|(known, _)| belongs(*known)) && !belongs(at) {
            return;
        }
        run.note.login = Some((at, seen.activity.user.as_deref().unwrap_or_default().to_owned()));
        self.logged_in_after(&target, at, findings);
    }

    /// Whether somebody got in after failures, near a moment.
    fn logged_in_after(&mut self, target: &Target, at: i64, findings: &mut Vec<Finding>) {
        let Some(run) = self.failures.get(target) else { return };
        let Some((login, user)) = run.note.login.clone() else { return };
        let before = |moment: &&Moment| moment.at <= login && login - moment.at <= nanos(MINUTES);
        let failures: u64 = run.moments().iter().filter(before).map(|moment| u64::from(moment.times)).sum();
        if failures < BEFORE_LOGIN
            || login.abs_diff(at) > nanos(HOUR).unsigned_abs()
            || run.note.login_told >= login
        {
            return;
        }
        let was_told = self.failures.has_told(target, login);
        let Some(told) = self.failures.tell_anyway(target, login) else { return };
        let Some(run) = self.failures.get_mut(target) else { return };
        run.note.login_told = login;
        // Of a long run only the latest moments are kept one by one.
        let failures = if told.last.as_nanos() <= login { told.count } else { failures };
        let first = Occurrence { is_update: false, ..told.clone() };
        let mut finding = target.finding(
            FindingKind::LoginAfterFailures,
            Level::High,
            "login_after_failures",
            first,
            Some(&run.note),
        );
        finding.entities.retain(|entity| entity.r#type != EntityType::User);
        finding.entities.insert(1, Entity::new(EntityType::User, user));
        findings.push(finding.technique("T1110").fact(fact::FAILURES, failures));
        if was_told {
            findings.extend(self.told_fast(target, Occurrence { is_update: true, ..told }));
        }
    }

    /// Handshakes that no ordinary client breaks off.
    fn probed(&mut self, seen: &Seen<'_>, address: std::net::IpAddr, findings: &mut Vec<Finding>) {
        let origin = Origin::of(address);
        let is_abuse = is_abuse(&seen.analyzed.event.message);
        let moment = Moment::new(seen.at(), seen.activity.times);
        let key = (origin, is_abuse);
        let Some(run) = self.probes.add(&key, moment, seen.analyzed.id) else { return };
        run.note = seen.analyzed.event.host.as_deref().unwrap_or_default().to_owned();
        let target = Target { service: None, origin };
        let is_much = run.most(moment.at, MINUTES) >= u64::from(if is_abuse { ABUSES } else { PROBES });
        if is_much
            && !self.failures.has_told(&target, moment.at)
            && let Some(told) = self.probes.tell(&key, moment.at)
        {
            let host = seen.analyzed.event.host.as_deref().unwrap_or_default();
            findings.push(probing(&key, told, host));
        }
        // What was told as handshakes does not add up to guessing with patience as well.
        if self.probes.has_told(&key, moment.at) {
            return;
        }
        let worth = seen.activity.times.saturating_mul(PROBE_POINTS);
        self.patiently(seen, &target, moment.worth(worth), findings);
    }
}

impl Guessing {
    fn look(&mut self, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let Some(address) = seen.activity.address else { return };
        match seen.activity.kind {
            Kind::SshFailure | Kind::PamFailedAuth => self.failed(seen, address, findings),
            Kind::AuthFailure if seen.activity.protocol != Protocol::Http => {
                self.failed(seen, address, findings)
            }
            Kind::SshSuccess | Kind::AuthSuccess => self.succeeded(seen, address, findings),
            Kind::SshSuspicious => self.probed(seen, address, findings),
            _ => {}
        }
    }
}

impl Detector for Guessing {
    fn name(&self) -> &'static str {
        "guessing"
    }

    fn see(&mut self, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        if let Some(activity) = seen.before {
            let Seen { analyzed, source, now, .. } = *seen;
            self.look(&Seen { analyzed, source, activity, before: None, now }, findings);
        }
        self.look(seen, findings);
    }

    fn tick(&mut self, time: Time, findings: &mut Vec<Finding>) {
        for (target, told, note) in self.failures.over(time.seen) {
            findings.push(fast(&target, told, &note));
        }
        for (target, told, note) in self.patient.over(time.seen) {
            findings.push(self.slow(&target, told, note.is_patient));
        }
        for (host, told, crowd) in self.hosts.over(time.seen) {
            findings.push(together(&host, told, &crowd));
        }
        for (key, told, host) in self.probes.over(time.seen) {
            findings.push(probing(&key, told, &host));
        }
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        state(&(&self.failures, &self.hosts, &self.probes, &self.patient, &self.attempts))
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), StateError> {
        let (failures, hosts, probes, patient, attempts) = remembered(snapshot)?;
        self.failures.take_up(failures);
        self.hosts.take_up(hosts);
        self.probes.take_up(probes);
        self.patient.take_up(patient);
        self.attempts.take_up(attempts);
        Ok(())
    }

    fn occupancy(&self) -> Occupancy {
        let tables = [
            self.failures.occupancy_with(NOTE_BYTES),
            self.hosts.occupancy_with(NOTE_BYTES),
            self.probes.occupancy(),
            self.patient.occupancy(),
            self.attempts.occupancy(),
        ];
        tables.into_iter().sum()
    }
}

/// Failures in quick succession.
fn fast(target: &Target, told: Occurrence, note: &Note) -> Finding {
    let level = if note.login_of(told.first, told.last).is_some() { Level::High } else { Level::Medium };
    let (kind, rule) = match target.service {
        None => (FindingKind::SshBruteForce, "ssh_brute_force"),
        Some(_) => (FindingKind::PasswordSpraying, "auth_brute_force"),
    };
    target.finding(kind, level, rule, told, Some(note)).technique("T1110.001")
}

/// Many addresses at one host.
fn together(host: &str, told: Occurrence, crowd: &Crowd) -> Finding {
    let (kind, about) = (FindingKind::SshBruteForceDistributed, Entity::new(EntityType::Host, host));
    Finding::of_run(kind, Level::Medium, "ssh_brute_force_distributed", about, told)
        .technique("T1110")
        .and([Entity::new(EntityType::Service, "ssh")])
        .fact(fact::ADDRESSES, fact::list(crowd.addresses.iter().map(String::as_str)))
        .fact(fact::ADDRESSES_TOTAL, crowd.most as u64)
}

/// Broken handshakes.
fn probing(key: &(Origin, bool), told: Occurrence, host: &str) -> Finding {
    let (rule, level, technique) = match key.1 {
        true => ("ssh_handshake_abuse", Level::Medium, "T1190"),
        false => ("ssh_probing", Level::Low, "T1110"),
    };
    Finding::of_run(FindingKind::SshBruteForce, level, rule, key.0.entity(), told)
        .technique(technique)
        .and([Entity::new(EntityType::Host, host)])
}

fn is_ssh(seen: &Seen<'_>) -> bool {
    seen.activity.protocol == Protocol::Ssh || service_of(&seen.analyzed.event).starts_with("sshd")
}

/// Whether a broken handshake is of the kind that exhausts a server's places or tries its code.
fn is_abuse(message: &str) -> bool {
    let text = message.strip_prefix("fatal: ").or_else(|| message.strip_prefix("error: ")).unwrap_or(message);
    text.starts_with("Timeout before authentication") || text.starts_with("ssh_dispatch_run_fatal: ")
}

/// Whether attempts come so far apart, again and again, as somebody has them come who does not want to be
/// noticed: half of the pauses are longer than people try again, and as many names are tried.
fn is_paced(moments: &[Moment]) -> bool {
    let mut users: Vec<u64> = moments.iter().map(|moment| moment.what).collect();
    users.sort_unstable();
    users.dedup();
    let mut pauses: Vec<i64> = moments.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    pauses.sort_unstable();
    let Some(median) = pauses.get(pauses.len() / 2) else { return false };
    moments.len() >= PACED
        && users.len() >= PACED_USERS
        && (nanos(PACE.start)..nanos(PACE.end)).contains(median)
}
