//! How rare starts of programs are on a host, and the forest that is grown on them.

use std::time::Duration;

use forest::{Forest, Params, Splits};
use linfa::ParamGuard;
use rusqlite::{OptionalExtension, Transaction, params};
use suspicion::{HABITS, Habit, Scene, Suspicion, habits, rarity, strange};

use crate::FleetError;

/// Starts that a forest is grown on.
const GROWN_ON: i64 = 1_024;
/// The first is grown after so many: what comes first is rare in every way.
const GROWN_FROM: i64 = 1_536;
/// It is grown anew after so many more.
const GROWN_EVERY: i64 = 512;
/// Habits that are remembered of a host; of more those go that were not seen for longest.
const HABITS_MAX: i64 = 20_000;
const COLUMNS: usize = HABITS.len();

/// What is known of the starts of a host.
pub(super) struct Starts<'t> {
    transaction: &'t Transaction<'t>,
    agent: i64,
    learned: Duration,
    starts: i64,
    since: i64,
    grown: Option<(Forest, f32)>,
    has_changed: bool,
    is_grown_anew: bool,
}

impl<'t> Starts<'t> {
    pub(super) fn of(
        transaction: &'t Transaction<'t>,
        agent: i64,
        learned: Duration,
    ) -> Result<Self, FleetError> {
        let found = transaction
            .prepare_cached(
                "SELECT starts, since, forest, greatest FROM fleet_process_forest WHERE agent = ?1",
            )?
            .query_row([agent], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<Vec<u8>>>(2)?, row.get::<_, f64>(3)?))
            })
            .optional()?;
        let (starts, since, bytes, greatest) = found.unwrap_or((0, i64::MAX, None, 1.0));
        // One of another version is grown anew.
        let grown =
            bytes.and_then(|bytes| Forest::from_bytes(&bytes).ok()).filter(|it| it.columns() == COLUMNS);
        let grown = grown.map(|forest| (forest, greatest as f32));
        Ok(Self {
            transaction,
            agent,
            learned,
            starts,
            since,
            grown,
            has_changed: false,
            is_grown_anew: false,
        })
    }

    /// Learns from a start, and tells what is strange of it.
    pub(super) fn look(&mut self, scene: &Scene<'_>) -> Result<Option<Suspicion>, FleetError> {
        let Some(habits) = habits(scene) else { return Ok(None) };
        let at = scene.at.as_nanos();
        let mut rarities = [0.0; COLUMNS];
        for (place, (habit, bits)) in (0_i64..).zip(habits.iter().zip(&mut rarities)) {
            *bits =
                rarity(self.count(place, &habit.of, "", at)?, self.count(place, &habit.of, &of(habit), at)?);
        }
        let is_known =
            at.saturating_sub(self.since) >= i64::try_from(self.learned.as_nanos()).unwrap_or(i64::MAX);
        let grown = self.grown.as_ref().filter(|_| is_known);
        let found = grown.and_then(|(forest, greatest)| strange(scene, &rarities, (forest, *greatest)));
        self.keep(&rarities, at)?;
        Ok(found)
    }

    /// How often this was seen before; now once more.
    fn count(&self, habit: i64, program: &str, what: &str, at: i64) -> Result<u64, FleetError> {
        let seen: i64 = self
            .transaction
            .prepare_cached(
                "INSERT INTO fleet_process_habit VALUES (?1, ?2, ?3, ?4, 1, ?5)
                 ON CONFLICT DO UPDATE SET seen = seen + 1, last = max(last, ?5) RETURNING seen",
            )?
            .query_row(params![self.agent, habit, program, what, at], |row| row.get(0))?;
        Ok(u64::try_from(seen - 1).unwrap_or_default())
    }

    fn keep(&mut self, rarities: &[f32; COLUMNS], at: i64) -> Result<(), FleetError> {
        let bytes: Vec<u8> = rarities.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO fleet_process_start VALUES (?1, ?2, ?3)")?
            .execute(params![self.agent, self.starts % GROWN_ON, bytes])?;
        self.starts += 1;
        self.since = self.since.min(at);
        self.has_changed = true;
        if self.starts >= GROWN_FROM && self.starts % GROWN_EVERY == 0 {
            self.grown = self.grow()?;
            self.is_grown_anew = true;
        }
        Ok(())
    }

    /// None where none can be grown: then nothing is told.
    fn grow(&self) -> Result<Option<(Forest, f32)>, FleetError> {
        let rows = self
            .transaction
            .prepare_cached("SELECT rarities FROM fleet_process_start WHERE agent = ?1 ORDER BY place")?
            .query_map([self.agent], |row| row.get::<_, Vec<u8>>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        let rows: Vec<f32> =
            rows.iter().filter(|row| row.len() == 4 * COLUMNS).flat_map(|row| numbers(row)).collect();
        // Small, for it is read with each report that has starts.
        let params = Params::new(self.starts.cast_unsigned()).trees(50).sample(128).splits(Splits::Axis);
        let grown =
            params.check().and_then(|params| params.grow(&mut rows.clone(), rows.len() / COLUMNS, COLUMNS));
        let forest = match grown {
            Ok(forest) => forest,
            Err(error) => {
                tracing::warn!(%error, "no forest can be grown on starts of processes");
                return Ok(None);
            }
        };
        let greatest = rows.chunks_exact(COLUMNS).map(|row| forest.score_row(row)).fold(0.0, f32::max);
        Ok(Some((forest, greatest)))
    }

    /// Writes what was learned; says how many habits had to go.
    pub(super) fn save(self) -> Result<u64, FleetError> {
        if !self.has_changed {
            return Ok(0);
        }
        self.transaction
            .prepare_cached(
                "INSERT INTO fleet_process_forest (agent, starts, since) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET starts = ?2, since = ?3",
            )?
            .execute(params![self.agent, self.starts, self.since])?;
        if !self.is_grown_anew {
            return Ok(0);
        }
        let (bytes, greatest) = match &self.grown {
            Some((forest, greatest)) => (Some(forest.to_bytes()), f64::from(*greatest)),
            None => (None, 1.0),
        };
        self.transaction
            .prepare_cached("UPDATE fleet_process_forest SET forest = ?2, greatest = ?3 WHERE agent = ?1")?
            .execute(params![self.agent, bytes, greatest])?;
        let gone = self
            .transaction
            .prepare_cached(
                "DELETE FROM fleet_process_habit WHERE agent = ?1 AND (habit, program, what) IN
                 (SELECT habit, program, what FROM fleet_process_habit WHERE agent = ?1 ORDER BY last DESC LIMIT -1 OFFSET ?2)",
            )?
            .execute(params![self.agent, HABITS_MAX])?;
        Ok(gone as u64)
    }
}

/// What a habit is counted under: never as the number of all starts is.
fn of(habit: &Habit) -> String {
    format!("={}", habit.what)
}

fn numbers(row: &[u8]) -> impl Iterator<Item = f32> {
    row.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}
