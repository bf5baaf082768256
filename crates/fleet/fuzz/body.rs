// What is done with each input of the fuzz target `chunk`; an ordinary test does the same.

use event::Timestamp;
use fleet::{Config, Fleet, FleetError, Question, Sender};
use sample::Limits;
use state::Database;

const SECOND: i64 = 1_000_000_000;
const BEGAN: i64 = 1_800_000_000 * SECOND;

fn at(nanos: i64) -> Timestamp {
    Timestamp::saturating_from_nanos(i128::from(nanos))
}

struct World {
    fleet: Fleet,
    /// The same file by another door.
    beside: rusqlite::Connection,
    tables: Vec<String>,
    _dir: tempfile::TempDir,
}

/// A fleet with one sample of one series, in a chunk of each tier.
fn world() -> World {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("metrics.db");
    let fleet = Fleet::open(Database::open(&path).expect("a database"), Config::default(), at(BEGAN));
    let fleet = fleet.expect("a fleet");
    let body = format!(r#"{{"name":"web-1","timestamp":{},"metrics":{{"cpu":5}}}}"#, BEGAN / SECOND);
    let readings = sample::read(body.as_bytes(), &Limits::default()).expect("a sample");
    fleet.take(readings, &Sender::default(), at(BEGAN)).expect("taken");
    fleet.seal(1, at(BEGAN)).expect("put away");
    let beside = rusqlite::Connection::open(&path).expect("the file");
    let tables = {
        let mut found = beside
            .prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'fleet_chunk_%'")
            .expect("a question");
        let rows = found.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<Vec<String>, _>>().expect("names")
    };
    assert_eq!(tables.len(), 4);
    World { fleet, beside, tables, _dir: dir }
}

thread_local! {
    static WORLD: World = world();
}

/// Has every chunk hold these bytes, under a checksum that is right: a chart is answered or the chunk is called damaged, and
/// of what is answered the mean lies where least and greatest are.
pub(crate) fn chunk(bytes: &[u8]) {
    WORLD.with(|world| {
        for table in &world.tables {
            let data = [&crc32c::crc32c(bytes).to_le_bytes(), bytes].concat();
            world.beside.execute(&format!("UPDATE {table} SET data = ?1"), [data]).expect("written");
        }
        for width in [10, 60, 600, 3600] {
            let (from, to) = (at(BEGAN - 7200 * SECOND), at(BEGAN + 7200 * SECOND));
            let question = Question { metric: "cpu.percent".to_owned(), from, to, points: 14_400 / width };
            match world.fleet.chart("web-1", None, &question, at(BEGAN)) {
                Ok(chart) => {
                    assert!(chart.points.iter().all(|point| point.min <= point.max && point.count > 0))
                }
                Err(error) => assert!(matches!(error, FleetError::Damaged { .. }), "{error}"),
            }
        }
    });
}
