//! What people decide about templates: at once, kept apart, taken back.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{fs, path::Path};

use anomaly::{Action, Config, Label, OperationError, Service, Split, TemplateError};
use event::{Event, EventId, JournalId, Position, TemplateId, Timestamp};

const NOW: Timestamp = Timestamp::MIN;

fn open(dir: &Path) -> Service {
    Service::open(Config { events_min: 1_000, ..Config::new(dir) }).unwrap()
}

fn event(seconds: u64, message: String) -> Event<'static> {
    let at = 1_700_000_000_000_000_000 + i128::from(seconds) * 1_000_000_000;
    let mut event = Event::new(message, Timestamp::saturating_from_nanos(at));
    event.source = Some("web".into());
    event
}

fn line(code: u64, n: u64) -> String {
    format!("GET /items/{n} answered {code} in {} ms", 20 + n % 9)
}

fn ordinary(count: u64) -> Vec<Event<'static>> {
    (0..count).map(|n| event(n * 7, line(if n.is_multiple_of(5) { 404 } else { 200 }, n))).collect()
}

fn template(service: &Service, message: String) -> (TemplateId, String) {
    let id = EventId { journal: JournalId(1), position: Position::default() };
    let batch = service.analyze(vec![(id, event(30_000, message))], Position::default());
    let template = batch.events[0].template.clone().unwrap();
    (template.id, template.text.clone())
}

#[test]
fn operations_survive_restart_snapshot_and_retraining() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    service.train(&ordinary(3_000)).unwrap();
    let (whole, text) = template(&service, line(200, 1));
    assert_eq!(text, "GET <path> answered <int> in <int> ms");
    service.decide(&[whole], Action::Name("requests".to_owned()), NOW).unwrap();
    let split = service.decide(&[whole], Action::Split(Split::Variable(2)), NOW).unwrap().operation;
    let [alpha, beta] =
        ["queue alpha full", "queue beta full"].map(|text| template(&service, text.to_owned()).0);
    let merge = service.decide(&[alpha, beta], Action::Merge, NOW).unwrap().operation;
    let merged = merge.result.clone().unwrap().id;
    service.decide(&[merged], Action::Pin, NOW).unwrap();
    let check = |service: &Service, what: &str| {
        assert_eq!(template(service, line(404, 2)).1, "GET <path> answered 404 in <int> ms", "{what}");
        assert_eq!(template(service, "queue gamma full".to_owned()).0, merged, "{what}");
        assert_eq!(service.template_name(whole).as_deref(), Some("requests"), "{what}");
        assert!(service.template(alpha).unwrap().pinned, "{what}");
        assert!(service.aliases(merged).contains(&beta), "{what}");
        let operations = service.template_operations();
        assert!(operations.len() == 4 && operations.iter().all(|one| one.in_effect), "{what}");
    };
    check(&service, "at once");
    service.train(&ordinary(4_000)).unwrap();
    check(&service, "after a training");
    let snapshot = service.snapshot();
    drop(service);
    let service = open(dir.path());
    check(&service, "after a restart that lost the snapshot");
    service.restore(&snapshot).unwrap();
    check(&service, "after a restart");
    assert_eq!(service.templates("REQUESTS", 10).total, 1, "found by name");
    assert_eq!(service.templates(&beta.to_string(), 10).templates[0].template.id, merged, "found by alias");
    let all = service.templates("", 2);
    assert!(all.templates.len() == 2 && all.total > 2);

    // A snapshot from before knows nothing of what was decided or undone since.
    service.undo_template_operation(split.id).unwrap();
    service.undo_template_operation(merge.id).unwrap();
    let undone = |service: &Service, what: &str| {
        assert_eq!(template(service, line(404, 2)).0, whole, "{what}");
        assert_eq!(template(service, "queue alpha full".to_owned()).0, alpha, "{what}");
        assert_eq!(service.template_operations().len(), 2, "{what}");
    };
    undone(&service, "at once");
    service.restore(&snapshot).unwrap();
    undone(&service, "after a restart");
    let parts = service.aliases(whole);
    assert!(parts.contains(&TemplateId::of("GET <path> answered 404 in <int> ms")), "{parts:?}");
    let error = service.undo_template_operation(split.id).unwrap_err();
    assert!(
        matches!(error, TemplateError::Operation(OperationError::UnknownOperation(id)) if id == split.id)
    );
}

#[test]
fn a_split_brings_no_flood_of_novelties_and_feedback_finds_its_events() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    service.train(&ordinary(3_000)).unwrap();
    let usual = event(21_001, line(200, 7));
    assert!(!service.predict(&usual).is_anomaly);
    let given = service.give_feedback(&event(21_001, line(404, 7)), Label::Bad, "", NOW).unwrap();
    assert!(service.predict(&event(21_002, line(404, 9))).is_anomaly, "similar");
    let whole = given.template.id;
    let split = service.decide(&[whole], Action::Split(Split::Variable(2)), NOW).unwrap().operation;
    assert!(service.predict(&event(21_003, line(404, 9))).is_anomaly, "still on such events");
    let id = EventId { journal: JournalId(1), position: Position::default() };
    let lines: Vec<_> = (3_000..4_000).map(|n| (id, event(n * 7, line(200, n)))).collect();
    let batch = service.analyze(lines, Position::default());
    let flagged = batch.events.iter().filter(|one| one.verdict.is_anomaly).count();
    assert!(flagged <= 10, "{flagged} of 1,000");
    service.undo_template_operation(split.id).unwrap();
    assert!(service.predict(&event(28_003, line(404, 11))).is_anomaly, "as before");
    service.take_back_feedback(given.id).unwrap();
    let said = service.predict(&event(28_003, line(404, 11)));
    assert!(!said.reasons.iter().any(|reason| reason.contains("feedback")), "{said:?}");
}

#[test]
fn a_damaged_file_is_set_aside_and_a_full_disk_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let (id, _) = template(&service, "disk 5 failed".to_owned());
    service.decide(&[id], Action::Pin, NOW).unwrap();
    let path = dir.path().join("templates");
    let bytes = fs::read(&path).unwrap();
    for damaged in [bytes[..bytes.len() - 1].to_vec(), b"something else".to_vec(), Vec::new()] {
        fs::write(&path, &damaged).unwrap();
        let service = open(dir.path());
        assert!(service.template_operations().is_empty());
        assert!(service.template_problem().unwrap().contains("templates.refused"));
        assert_eq!(fs::read(dir.path().join("templates.refused")).unwrap(), damaged);
        fs::remove_file(dir.path().join("templates.refused")).unwrap();
        assert!(!path.exists());
    }
    fs::remove_dir_all(dir.path()).unwrap();
    assert!(matches!(service.decide(&[id], Action::Name("x".to_owned()), NOW), Err(TemplateError::Store(_))));
    assert!(matches!(service.undo_template_operation(1), Err(TemplateError::Store(_))));
    assert_eq!(service.template_operations().len(), 1);
    fs::create_dir_all(dir.path()).unwrap();
}
