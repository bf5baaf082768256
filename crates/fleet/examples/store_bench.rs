//! What keeping samples costs: `cargo run --release -p fleet --example store_bench [-- FOLDER [PART…]]`. It prints a JSON object a
//! line: the processor's share of a hundred hosts, bytes of a number at rest beside plain rows, and how long charts take.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::{fs, path::Path, time::Instant};

use event::Timestamp;
use fleet::{Config, Fleet, Question, Sender};
use sample::Limits;
use serde_json::{Map, Value, json};
use state::Database;

const BEGAN: i64 = 1_790_000_000;
const DAY: i64 = 86_400;

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos((BEGAN + second) * 1_000_000_000).unwrap()
}

/// Noise that is the same on every machine.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A share around a level, with one digit behind the point as most programs give it.
    fn percent(&mut self, level: f64) -> f64 {
        let share = (level + (self.next() - 0.5) * 8.0).clamp(0.0, 100.0);
        (share * 10.0).round() / 10.0
    }

    fn pages(&mut self, level: f64, spread: f64) -> f64 {
        ((level + (self.next() - 0.5) * spread) / 4096.0).round() * 4096.0
    }
}

fn groups(count: usize, name: &str, mut of: impl FnMut(usize) -> Value) -> Value {
    (0..count).map(|number| (format!("{name}{number}"), of(number))).collect::<Map<_, _>>().into()
}

/// A sample of a server with 16 cores, six mounts, ten containers.
fn sample(host: usize, second: i64, noise: &mut Noise) -> Value {
    let daily = 30.0 + 20.0 * (second as f64 / DAY as f64 * std::f64::consts::TAU).sin();
    let cores: Vec<f64> = (0..16).map(|_| noise.percent(daily)).collect();
    let load = [noise.percent(40.0) / 10.0, noise.percent(40.0) / 10.0, 4.0];
    let used = noise.pages(12e9, 2e8);
    let disk = groups(6, "/srv/", |number| {
        let used = 1e11 + second as f64 * 4096.0 * number as f64;
        json!({"percent": (used / 1e12 * 1000.0).round() / 10.0, "total": 1e12, "used": used, "available": 1e12 - used,
            "inodes_percent": 3.1, "read_only": false})
    });
    let io = groups(4, "sd", |number| match number {
        3 => {
            json!({"read_bytes_s": 0, "write_bytes_s": 0, "read_ops_s": 0, "write_ops_s": 0, "busy_percent": 0})
        }
        _ => json!({"read_bytes_s": noise.pages(2e6, 2e6), "write_bytes_s": noise.pages(4e6, 4e6),
            "read_ops_s": noise.percent(50.0), "write_ops_s": noise.percent(60.0), "busy_percent": noise.percent(10.0)}),
    });
    let network = groups(6, "eth", |number| match number {
        0 | 1 => json!({"in_kb_s": noise.percent(50.0) * 10.0, "out_kb_s": noise.percent(50.0) * 10.0,
            "in_packets_s": noise.percent(50.0) * 10.0, "out_packets_s": noise.percent(50.0) * 10.0, "errors": 0, "drops": 12}),
        _ => {
            json!({"in_kb_s": 0, "out_kb_s": 0, "in_packets_s": 0, "out_packets_s": 0, "errors": 0, "drops": 0})
        }
    });
    let pressure = |noise: &mut Noise| json!({"some": noise.percent(1.0), "full": 0});
    json!({
        "agent_name": format!("host-{host}"), "timestamp": at(second).to_string(), "seq": second / 10, "interval": 10,
        "metrics": {
            "cpu": {"percent": noise.percent(daily), "user": noise.percent(daily / 2.0), "system": noise.percent(8.0),
                "iowait": noise.percent(1.0), "steal": 0, "cores": cores, "load": load},
            "ram": {"percent": (used / 16e9 * 1000.0).round() / 10.0, "total": 16e9, "used": used, "available": 16e9 - used},
            "swap": {"percent": 0, "total": 2e9, "used": 0, "available": 2e9},
            "disk": disk, "disk_io": io, "network": network,
            "pressure": {"cpu": pressure(noise), "memory": pressure(noise), "io": pressure(noise)},
            "tcp": {"established": noise.percent(40.0).round(), "listen": 12, "time_wait": noise.percent(20.0).round(),
                "close_wait": 0, "retransmits_s": noise.percent(0.5)},
            "descriptors": {"open": noise.percent(50.0).round() * 32.0, "max": 1_000_000},
            "services": groups(15, "unit-", |_| json!("running")),
            "units": groups(15, "unit-", |_| json!({"restarts": 0, "memory_bytes": noise.pages(3e7, 4e5)})),
            "containers": groups(10, "box-", |_| json!({"cpu_percent": noise.percent(20.0), "memory_bytes": noise.pages(2e8, 1e6)})),
            "temperatures": groups(5, "core", |_| json!(noise.percent(55.0).round())),
            "uptime_s": second, "users": 1, "processes": noise.percent(50.0).round() + 200.0,
            "top": [{"pid": 812, "name": "postgres", "user": "postgres", "cpu_percent": noise.percent(40.0), "rss_bytes": 5e8}]
        }
    })
}

fn open(folder: &Path) -> Fleet {
    fs::create_dir_all(folder).unwrap();
    let database = Database::open(folder.join("metrics.db")).unwrap();
    Fleet::open(database, Config::default(), at(0)).unwrap()
}

fn take(fleet: &Fleet, body: &str, second: i64) {
    let readings = sample::read(body.as_bytes(), &Limits::default()).unwrap();
    let taken = fleet.take(readings, &Sender::default(), at(second)).unwrap();
    assert_eq!((taken.rejected_total, taken.problems_total), (0, 0), "{taken:?}");
}

/// Seconds of the processor that this process has used.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn bytes(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

/// A hundred hosts every ten seconds for an hour, each sample in a request of its own.
fn keeping(folder: &Path) {
    let (fleet, mut noise) = (open(folder), Noise(1));
    let hosts = 100;
    let readings = sample::read(sample(0, 0, &mut noise).to_string().as_bytes(), &Limits::default()).unwrap();
    let series = readings[0].as_ref().unwrap().sample.series().len();
    let (before, began) = (cpu(), Instant::now());
    for step in 0..360 {
        let body = sample(0, step * 10, &mut noise).to_string();
        for host in 0..hosts {
            take(&fleet, &body.replace("host-0", &format!("host-{host}")), step * 10);
        }
        if step % 3 == 0 {
            fleet.seal(180, at(step * 10)).unwrap();
        }
    }
    let used = cpu() - before;
    println!(
        "{}",
        json!({"what": "keeping", "hosts": hosts, "series": series, "simulated_s": 3600, "cpu_s": used,
            "share_of_a_core_percent": used / 36.0, "wall_s": began.elapsed().as_secs_f64()})
    );
}

/// Two hosts for the 48 hours of the finest tier; and the same numbers as rows.
fn at_rest(folder: &Path) {
    let (fleet, mut noise) = (open(folder), Noise(2));
    let (mut numbers, hosts, steps) = (0_u64, 2, 17_280);
    let rows = rusqlite::Connection::open(folder.join("rows")).unwrap();
    rows.execute_batch("PRAGMA synchronous = OFF; CREATE TABLE number (series INTEGER, at INTEGER, value REAL, PRIMARY KEY (series, at)) WITHOUT ROWID").unwrap();
    let mut in_rows = 0_u64;
    for host in 0..hosts {
        for hundred in 0..steps / 90 {
            let batch: Vec<Value> =
                (0..90).map(|step| sample(host, (hundred * 90 + step) * 10, &mut noise)).collect();
            let readings = sample::read(json!(batch).to_string().as_bytes(), &Limits::default()).unwrap();
            if host == 0 && hundred < 8 {
                rows.execute_batch("BEGIN").unwrap();
            }
            for reading in &readings {
                let sample = &reading.as_ref().unwrap().sample;
                let series = sample.series();
                numbers += series.len() as u64;
                if host == 0 && hundred < 8 {
                    let mut insert = rows.prepare_cached("INSERT INTO number VALUES (?1, ?2, ?3)").unwrap();
                    for (place, one) in series.iter().enumerate() {
                        let second = sample.timestamp.unwrap().as_nanos() / 1_000_000_000;
                        insert.execute((place as i64, second, one.value)).unwrap();
                        in_rows += 1;
                    }
                }
            }
            if host == 0 && hundred < 8 {
                rows.execute_batch("COMMIT").unwrap();
            }
            let second = (hundred * 90 + 89) * 10;
            fleet.take(readings, &Sender::default(), at(second)).unwrap();
            fleet.seal(180, at(second)).unwrap();
        }
    }
    drop(rows);
    let of_rows = fs::metadata(folder.join("rows")).unwrap().len();
    fs::remove_file(folder.join("rows")).unwrap();
    drop(fleet);
    let all = bytes(folder);
    println!(
        "{}",
        json!({"what": "at rest", "numbers": numbers, "bytes": all, "bytes_a_number": all as f64 / numbers as f64,
            "as_rows_bytes_a_number": of_rows as f64 / in_rows as f64})
    );
}

/// One host loaded with so many days, a sample each `every` seconds; charts of it.
fn charts(folder: &Path, days: i64, every: i64, asked: &[i64]) {
    let (fleet, mut noise) = (open(folder), Noise(3));
    let mut second = 0;
    while second < days * DAY {
        let batch: Vec<Value> = (0..180).map(|step| sample(0, second + step * every, &mut noise)).collect();
        let readings = sample::read(json!(batch).to_string().as_bytes(), &Limits::default()).unwrap();
        second += 180 * every;
        // As of the end, so that what is too old for a fine tier is not put into it.
        fleet.take(readings, &Sender::default(), at(days * DAY)).unwrap();
        fleet.seal(180, at(days * DAY)).unwrap();
    }
    for asked in asked {
        let (from, to) = (at((days - asked) * DAY), at(days * DAY));
        let mut took: Vec<f64> = (0..20)
            .map(|_| {
                let began = Instant::now();
                let question = Question { metric: "cpu.percent".to_owned(), from, to, points: 300 };
                let chart = fleet.chart("host-0", None, &question, to).unwrap();
                assert!(chart.points.len() > 100, "{}", chart.points.len());
                began.elapsed().as_secs_f64() * 1000.0
            })
            .collect();
        took.sort_by(f64::total_cmp);
        println!(
            "{}",
            json!({"what": "chart", "loaded_days": days, "days": asked, "median_ms": took[10], "most_ms": took[19]})
        );
    }
}

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "/tmp/store_bench".to_owned());
    let folder = Path::new(&folder);
    let parts: Vec<String> = std::env::args().skip(2).collect();
    fs::create_dir_all(folder).unwrap();
    for (name, run) in [
        ("keeping", keeping as fn(&Path)),
        ("rest", at_rest),
        ("month", |folder| charts(folder, 30, 60, &[1, 7, 30])),
        ("year", |folder| charts(folder, 365, 600, &[1, 30, 365])),
    ] {
        if !parts.is_empty() && !parts.iter().any(|part| part == name) {
            continue;
        }
        let folder = folder.join(name);
        run(&folder);
        fs::remove_dir_all(folder).unwrap();
    }
}
