// What is done with each input of the fuzz targets; ordinary tests do the same.

use std::sync::OnceLock;

use anomaly::{Config, Service};
use event::{Event, EventId, JournalId, Position, Timestamp};
use tempfile::TempDir;

#[path = "../../testkit/fuzz/changed.rs"]
mod changed;
use changed::changed;

const CHECKSUM: usize = 32;

/// With the checksum that belongs to it, as somebody who means harm would write it.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len().saturating_sub(CHECKSUM));
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}

fn served(number: u64) -> Event<'static> {
    let time = Timestamp::from_nanos(1_700_000_000_000_000_000 + number as i64 * 1_000_000_000).unwrap();
    Event::new(format!("served {} bytes to 10.0.0.{}", number * 7919 % 50_000, number % 7), time)
}

fn service() -> (TempDir, Service) {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::open(Config { events_min: 50, ..Config::new(dir.path()) }).unwrap();
    (dir, service)
}

/// A model as it is exported, and a window as it is saved.
fn honest() -> &'static (Vec<u8>, Vec<u8>) {
    static HONEST: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    HONEST.get_or_init(|| {
        let (_dir, service) = service();
        service.train(&(0..300).map(served).collect::<Vec<_>>()).unwrap();
        (service.export(&service.model().version).unwrap(), service.snapshot())
    })
}

/// It still judges and learns, and says what it says within bounds.
fn works(service: &Service) {
    let score = service.predict(&served(7)).score;
    assert!((0.0..=1.0).contains(&score), "{score}");
    let id = EventId { journal: JournalId(1), position: Position::default() };
    let batch = service.analyze((300..310).map(|number| (id, served(number))).collect(), Position::default());
    for one in &batch.events {
        assert!((0.0..=1.0).contains(&one.verdict.score), "{:?}", one.verdict);
    }
}

fn forms(honest: &[u8], bytes: &[u8]) -> [Vec<u8>; 4] {
    let changed = changed(honest, bytes);
    [bytes.to_vec(), sealed(bytes.to_vec()), changed.clone(), sealed(changed)]
}

/// Takes bytes, and changes to a model, in as a model; what is taken in can serve.
pub(crate) fn model(bytes: &[u8]) {
    for file in forms(&honest().0, bytes) {
        let (_dir, service) = service();
        let Ok(model) = service.import(&file) else { continue };
        if service.activate(&model.version).is_ok() {
            works(&service);
        }
    }
}

/// Restores a window from bytes, and from changes to one.
pub(crate) fn window(bytes: &[u8]) {
    for file in forms(&honest().1, bytes) {
        let (_dir, service) = service();
        if service.restore(&file).is_ok() {
            works(&service);
            let (_dir, other) = self::service();
            other.restore(&service.snapshot()).unwrap();
        }
    }
}

/// Takes bytes, and changes to a delivered starter, in as a starter.
pub(crate) fn starter(bytes: &[u8]) {
    const DELIVERED: &[u8] = include_bytes!("../../../models/sshd-auth.starter");
    for file in forms(DELIVERED, bytes) {
        let (_dir, service) = service();
        if service.start_from(&file).is_ok() {
            works(&service);
        }
    }
}
