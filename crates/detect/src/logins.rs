//! Who logs in from where and when, and what of it is new: the origin, the hour, being root.

use finding::fact;
use serde::{Deserialize, Serialize};

use crate::{
    Config, Detector, Entity, EntityType, Finding, FindingKind, Kind, Level, Origin, Seen, StateError,
    declaration::host_of,
    detector::{remembered, state},
    table::{Occupancy, Table},
};

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;

/// A user's origins are known after so many logins and so long.
const LEARNED_LOGINS: u32 = 5;
const LEARNED: i64 = 3 * DAY;
/// Somebody with so many new origins within a month is on the road.
const ROAMING: usize = 3;
const MONTH: i64 = 30 * DAY;
/// Origins that are kept of a user, and users of an origin.
const ORIGINS_MAX: usize = 16;
const COMPANY: usize = 2;
/// A user's hours are known after so many logins on so many days.
const HOURS_LOGINS: u32 = 20;
const HOURS_DAYS: u32 = 7;
/// A login so many hours from any known one is unusual.
const HOURS_NEAR: usize = 2;
/// Logins that are remembered by the hour; then they count half.
const HOURS_MAX: u32 = 1_000;
/// What is known of who becomes root on a host is known after so long and so many times.
const ROOT_LEARNED: i64 = 3 * DAY;
const ROOT_TIMES: u32 = 10;
/// Users who became root that are kept of a host.
const ROOTS_MAX: usize = 64;

/// What is known of a user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Person {
    logins: u32,
    first: i64,
    /// Neighbourhood, when it was first seen, and when last.
    origins: Vec<(u64, i64, i64)>,
    hours: [u32; 24],
    days: u32,
    latest_day: i64,
    hour_told: i64,
}

/// Who became root on a host.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Roots {
    first: i64,
    times: u32,
    /// Hashes of users and the way they took.
    known: Vec<u64>,
}

/// Finds what is new about logins.
#[derive(Debug)]
pub struct Logins {
    people: Table<String, Person>,
    /// Hashes of the users of a neighbourhood.
    neighbourhoods: Table<u64, Vec<u64>>,
    roots: Table<String, Roots>,
}

impl Logins {
    /// With nobody known.
    pub fn new(config: &Config) -> Self {
        Self {
            people: Table::new(config.keys_max / 4),
            neighbourhoods: Table::new(config.keys_max / 4),
            roots: Table::new(config.keys_max / 16),
        }
    }

    fn logged_in(&mut self, seen: &Seen<'_>, user: &str, findings: &mut Vec<Finding>) {
        let user = Entity::new(EntityType::User, user);
        let at = seen.at().as_nanos();
        let person = self.people.touch(&user.value);
        if person.logins == 0 {
            person.first = at;
        }
        if let Some(address) = seen.activity.address {
            let company = self.neighbourhoods.touch(&Origin::neighbourhood(address));
            let own = arithmetic::hash(user.value.as_bytes());
            let others = company.iter().filter(|other| **other != own).count();
            if !company.contains(&own) && company.len() <= COMPANY {
                company.push(own);
            }
            if person.is_from_elsewhere(Origin::neighbourhood(address), at) && others < COMPANY {
                let level = if user.value == "root" { Level::Medium } else { Level::Low };
                let finding = Finding::of_event(
                    FindingKind::NewLoginOrigin,
                    level,
                    "new_login_origin",
                    user.clone(),
                    seen.analyzed,
                );
                let origin = Origin::of(address).entity();
                let usual = person.usual_networks();
                findings.push(
                    finding
                        .technique("T1078")
                        .and([origin])
                        .and(host_of(seen))
                        .fact(fact::USUAL_NETWORKS, fact::list(usual.iter().map(String::as_str)))
                        .fact(fact::USUAL_LOGINS, person.logins),
                );
            }
        }
        if person.is_at_odd_hour(at) {
            let about = user.clone();
            let finding = Finding::of_event(
                FindingKind::UnusualLoginTime,
                Level::Low,
                "unusual_login_time",
                about,
                seen.analyzed,
            );
            let origin = seen.activity.address.map(|address| Origin::of(address).entity());
            let usual = person.usual_hours(at);
            findings.push(
                finding
                    .technique("T1078")
                    .and(origin)
                    .and(host_of(seen))
                    .fact(fact::USUAL_HOURS, fact::list(usual.iter().map(String::as_str)))
                    .fact(fact::USUAL_LOGINS, person.logins),
            );
        }
        person.logins = person.logins.saturating_add(1);
        if user.value == "root" {
            self.became_root(seen, "root", "login", Level::Medium, findings);
        }
    }

    /// Somebody became root: told when nobody of that name did so this way, on a host where it is known who does.
    fn became_root(
        &mut self,
        seen: &Seen<'_>,
        user: &str,
        way: &str,
        level: Level,
        findings: &mut Vec<Finding>,
    ) {
        let host = seen.analyzed.event.host.as_deref().unwrap_or_default();
        let roots = self.roots.touch(&Entity::new(EntityType::Host, host).value);
        let at = seen.at().as_nanos();
        if roots.times == 0 {
            roots.first = at;
        }
        roots.times = roots.times.saturating_add(1);
        let who = arithmetic::hash(format!("{way} {user}").as_bytes());
        if roots.known.contains(&who) {
            return;
        }
        if roots.known.len() < ROOTS_MAX {
            roots.known.push(who);
        }
        if roots.times > ROOT_TIMES && at - roots.first >= ROOT_LEARNED && roots.known.len() < ROOTS_MAX {
            let about = Entity::new(EntityType::User, user);
            let finding =
                Finding::of_event(FindingKind::RootAccess, level, "root_access", about, seen.analyzed);
            let origin = seen.activity.address.map(|address| Origin::of(address).entity());
            findings.push(finding.technique("T1078.003").and(origin).and(host_of(seen)).fact(fact::WAY, way));
        }
    }
}

impl Person {
    /// Whether somebody whose origins are known comes from a new one, and notes it.
    fn is_from_elsewhere(&mut self, origin: u64, at: i64) -> bool {
        if let Some(known) = self.origins.iter_mut().find(|(known, ..)| *known == origin) {
            known.2 = known.2.max(at);
            return false;
        }
        if self.origins.len() == ORIGINS_MAX
            && let Some(oldest) = (0..ORIGINS_MAX).min_by_key(|place| self.origins[*place].2)
        {
            self.origins.remove(oldest);
        }
        let learned = self.first.saturating_add(LEARNED);
        let is_late = |first: i64| first >= learned && at - first <= MONTH;
        let is_roaming = self.origins.iter().filter(|(_, first, _)| is_late(*first)).count() >= ROAMING;
        self.origins.push((origin, at, at));
        self.logins >= LEARNED_LOGINS && at >= learned && !is_roaming
    }

    /// Where they came from before, the latest first: all but the origin that was just noted.
    fn usual_networks(&self) -> Vec<String> {
        let (_, before) = self.origins.split_last().unwrap_or((&(0, 0, 0), &[]));
        let mut before: Vec<_> = before.iter().collect();
        before.sort_by_key(|(.., last)| std::cmp::Reverse(*last));
        before.into_iter().map(|(network, ..)| Origin::neighbourhood_text(*network)).collect()
    }

    /// The hours at which they came but this one, as ranges such as `08-17`; one that goes past midnight is `22-03`.
    fn usual_hours(&self, at: i64) -> Vec<String> {
        let odd = (at / HOUR % 24) as usize;
        let is_usual = |hour: usize| hour % 24 != odd && self.hours[hour % 24] > 0;
        // Nobody comes at the odd hour, so that no range goes past it.
        let hours = odd..odd + 24;
        let starts = hours.clone().filter(|hour| is_usual(*hour) && !is_usual(hour + 23));
        starts
            .filter_map(|start| Some((start, (start..odd + 25).find(|hour| !is_usual(*hour))?)))
            .map(|(start, end)| format!("{:02}-{:02}", start % 24, (end + 23) % 24))
            .collect()
    }

    /// Whether somebody whose hours are known comes at another, and notes it; told once a day.
    fn is_at_odd_hour(&mut self, at: i64) -> bool {
        let hour = (at / HOUR % 24) as usize;
        let near = (0..=2 * HOURS_NEAR).map(|offset| (hour + 24 + offset - HOURS_NEAR) % 24);
        let is_known = near.map(|hour| self.hours[hour]).sum::<u32>() > 0;
        let is_learned = self.hours.iter().sum::<u32>() >= HOURS_LOGINS && self.days >= HOURS_DAYS;
        self.hours[hour] += 1;
        if self.hours.iter().sum::<u32>() > HOURS_MAX {
            self.hours.iter_mut().for_each(|count| *count /= 2);
        }
        if at / DAY > self.latest_day {
            (self.latest_day, self.days) = (at / DAY, self.days.saturating_add(1));
        }
        if is_known || !is_learned || at - self.hour_told < DAY {
            return false;
        }
        self.hour_told = at;
        true
    }
}

impl Detector for Logins {
    fn name(&self) -> &'static str {
        "logins"
    }

    fn see(&mut self, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let user = seen.activity.user.as_deref().filter(|user| !user.is_empty());
        let Some(user) = user else { return };
        match seen.activity.kind {
            Kind::SshSuccess | Kind::AuthSuccess => self.logged_in(seen, user, findings),
            Kind::SudoSuccess => self.became_root(seen, user, "sudo", Level::Low, findings),
            Kind::SuOther if seen.analyzed.event.message.contains("Successful su for root") => {
                self.became_root(seen, user, "su", Level::Low, findings);
            }
            _ => {}
        }
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        state(&(&self.people, &self.neighbourhoods, &self.roots))
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), StateError> {
        let (people, neighbourhoods, roots) = remembered(snapshot)?;
        self.people.take_up(people);
        self.neighbourhoods.take_up(neighbourhoods);
        self.roots.take_up(roots);
        Ok(())
    }

    fn occupancy(&self) -> Occupancy {
        let name = Entity::BYTES_MAX;
        let tables = [
            self.people.occupancy(ORIGINS_MAX * size_of::<(u64, i64, i64)>() + 2 * name),
            self.neighbourhoods.occupancy((COMPANY + 1) * size_of::<u64>()),
            self.roots.occupancy(ROOTS_MAX * size_of::<u64>() + 2 * name),
        ];
        tables.into_iter().sum()
    }
}
