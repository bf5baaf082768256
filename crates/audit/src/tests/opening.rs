//! What is found at a start.

use std::{fs, sync::Mutex, time::Duration};

use serde_json::json;

use super::{at, made, record, small};
use crate::{
    Action, Actor, ActorKind, Audit, Config, Kind, OpenError, Record, RecordError, Report, Source, each,
    files, verify,
};

fn check(dir: &std::path::Path) -> Report {
    verify(&Source::Folder(dir.to_owned()), None, &[]).unwrap()
}

#[test]
fn a_line_torn_at_any_byte_is_cut_off_and_the_record_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(Config::new(dir.path()), None, at(0)).unwrap();
    audit.record(&record(1)).unwrap();
    drop(audit);
    let path = files::path(dir.path(), 0);
    let (whole, head) = (fs::read(&path).unwrap(), fs::read(dir.path().join(files::HEAD)).unwrap());
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for bytes in last..=whole.len() {
        fs::write(&path, &whole[..bytes]).unwrap();
        fs::write(dir.path().join(files::HEAD), &head).unwrap();
        let torn = if bytes == whole.len() { 0 } else { bytes - last };
        assert_eq!(check(dir.path()).torn_bytes, torn as u64);
        let audit = Audit::open(Config::new(dir.path()), None, at(2)).unwrap();
        audit.record(&record(3)).unwrap();
        drop(audit);
        let (mut actions, mut cut) = (vec![], None);
        each(dir.path(), |_, entry| {
            cut = entry.details.get("cut_bytes").cloned().or(cut.take());
            actions.push(entry.action);
            true
        })
        .unwrap();
        let trained = actions.iter().filter(|action| *action == "model.trained").count();
        assert_eq!(trained, if bytes == whole.len() { 2 } else { 1 }, "{bytes}");
        assert_eq!(cut, (torn > 0).then(|| json!(torn)));
        let report = check(dir.path());
        assert!(report.is_sound(), "{bytes}: {:?}", report.findings);
    }
}

#[test]
fn what_is_not_as_it_was_written_is_not_gone_on_with() {
    for records in [3, 60] {
        let dir = tempfile::tempdir().unwrap();
        made(dir.path(), records);
        let newest = files::list(dir.path()).unwrap().pop().unwrap();
        let text = fs::read_to_string(&newest).unwrap();
        let altered = text.replacen(r#""id":"k"#, r#""id":"x"#, 1);
        assert_ne!(text, altered);
        fs::write(&newest, altered).unwrap();
        let error = Audit::open(small(dir.path()), None, at(100)).unwrap_err();
        let OpenError::Tampered { finding, .. } = &error else { panic!("{error}") };
        assert_eq!(finding.kind, Kind::Edit);
        assert!(error.to_string().contains("log-sentinel audit verify"), "{error}");
        // Looking did not change it.
        assert_eq!(check(dir.path()).findings[0], **finding);
    }
}

#[test]
fn files_and_ends_that_are_gone_are_missed() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path(), 40);
    let newest = files::list(dir.path()).unwrap().pop().unwrap();
    fs::remove_file(&newest).unwrap();
    let refused = Audit::open(small(dir.path()), None, at(100)).unwrap_err();
    assert!(
        matches!(&refused, OpenError::Tampered { finding, .. } if finding.kind == Kind::CutTail),
        "{refused}"
    );
    for path in files::list(dir.path()).unwrap() {
        fs::remove_file(path).unwrap();
    }
    let refused = Audit::open(small(dir.path()), None, at(100)).unwrap_err();
    assert!(
        matches!(&refused, OpenError::Tampered { finding, .. } if finding.kind == Kind::CutTail),
        "{refused}"
    );
}

#[test]
fn the_key_is_made_once_for_its_owner_and_never_exchanged_silently() {
    let (dir, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = keys.path().join("audit.key");
    let config = || Config { key_file: Some(path.clone()), ..small(dir.path()) };
    drop(Audit::open(config(), None, at(0)).unwrap());
    assert!(!dir.path().join(files::PRIVATE_KEY).exists());
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777,
        0o600
    );
    drop(Audit::open(config(), None, at(1)).unwrap());
    let own = fs::read(&path).unwrap();
    fs::write(&path, b"something else").unwrap();
    assert!(matches!(Audit::open(config(), None, at(2)), Err(OpenError::Key(_))));
    fs::remove_file(&path).unwrap();
    assert!(matches!(Audit::open(config(), None, at(2)), Err(OpenError::NoKey { .. })));
    assert!(!path.exists(), "a key is made with a new record only");
    let other = tempfile::tempdir().unwrap();
    drop(Audit::open(small(other.path()), None, at(0)).unwrap());
    fs::copy(other.path().join(files::PRIVATE_KEY), &path).unwrap();
    assert!(matches!(Audit::open(config(), None, at(2)), Err(OpenError::OtherKey { .. })));
    fs::write(&path, own).unwrap();
    Audit::open(config(), None, at(2)).unwrap();
}

#[test]
fn one_process_writes_and_others_read() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(small(dir.path()), None, at(0)).unwrap();
    assert!(matches!(Audit::open(small(dir.path()), None, at(0)), Err(OpenError::InUse(_))));
    audit.record(&record(1)).unwrap();
    let report = check(dir.path());
    assert!(report.is_sound() && report.unsigned == 1, "{report:?}");
}

#[test]
fn checkpoints_come_after_so_many_records_after_so_long_and_at_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let config = || Config {
        checkpoint_records: 3,
        checkpoint_interval: Duration::from_secs(60),
        ..Config::new(dir.path())
    };
    let told = std::sync::Arc::new(Mutex::new(vec![]));
    let witness = {
        let told = told.clone();
        Box::new(move |checkpoint: &crate::Checkpoint| told.lock().unwrap().push(checkpoint.record()))
    };
    let audit = Audit::open(config(), Some(witness), at(0)).unwrap();
    let told = || told.lock().unwrap().clone();
    assert_eq!(told(), [2], "what a start finds is signed at once");
    for second in 1..=4 {
        audit.record(&record(second)).unwrap();
    }
    assert_eq!(told(), [2, 6]);
    assert!(!audit.checkpoint_if_due(at(62)).unwrap());
    assert!(audit.checkpoint_if_due(at(63)).unwrap());
    assert!(!audit.checkpoint_if_due(at(200)).unwrap(), "nothing new to sign");
    audit.record(&record(201)).unwrap();
    assert!(audit.checkpoint_if_due(at(5)).unwrap(), "a clock that was set back puts nothing off");
    audit.record(&record(202)).unwrap();
    audit.close(at(203)).unwrap();
    assert_eq!(told(), [2, 6, 8, 10, 12]);
    let status = audit.status();
    assert_eq!((status.records, status.unsigned, status.last_checkpoint), (6, 0, Some(at(203))));
    let report = check(dir.path());
    assert_eq!((report.checkpoints, report.unsigned), (5, 0));
}

#[test]
fn a_line_holds_all_of_a_record_and_steers_no_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(small(dir.path()), None, at(0)).unwrap();
    audit.record(&record(7)).unwrap();
    let (mut lines, mut entries) = (vec![], vec![]);
    each(dir.path(), |line, entry| {
        lines.push(String::from_utf8(line.to_vec()).unwrap());
        entries.push(entry);
        true
    })
    .unwrap();
    assert!(!lines[1].chars().any(telemetry::clean::is_unseen), "{}", lines[1]);
    let entry = &entries[1];
    assert_eq!(entry.target, "model \"7\" \u{1b}[2J\u{202e}é");
    assert_eq!((entry.actor.id.as_str(), entry.actor.address.as_deref()), ("k7", Some("192.0.2.7")));
    assert_eq!(
        (entry.action.as_str(), entry.outcome.as_str(), &entry.details["events"]),
        ("model.trained", "done", &json!(7))
    );
    assert_eq!(entry.time, at(7));
}

#[test]
fn what_is_too_long_is_refused_by_name_and_what_just_fits_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(small(dir.path()), None, at(0)).unwrap();
    let make = |id: usize, target: usize, details: usize| {
        let actor = Actor::new(ActorKind::Key, "\u{1}".repeat(id)).at("::1");
        Record::new(at(1), actor, Action::KeyCreated, "\u{2}".repeat(target))
            .with("x", "\u{85}".repeat(details / 2))
    };
    for (record, what) in
        [(make(257, 0, 0), "actor's id"), (make(0, 1025, 0), "target"), (make(0, 0, 8192), "details")]
    {
        let refused = audit.record(&record).unwrap_err();
        let RecordError::TooLong { what: found, .. } = &refused else { panic!("{refused}") };
        assert_eq!(*found, what);
    }
    audit.record(&make(256, 1024, 8192 - 8)).unwrap();
    audit.close(at(2)).unwrap();
    assert!(check(dir.path()).is_sound());
}

#[test]
fn actions_are_named_by_a_dot() {
    let names: std::collections::BTreeSet<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
    assert_eq!(names.len(), Action::ALL.len());
    for action in Action::ALL {
        assert_eq!(serde_json::to_value(action).unwrap(), json!(action.as_str()));
        let (what, done) = action.as_str().split_once('.').unwrap();
        assert!(
            [what, done]
                .iter()
                .all(|part| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        );
    }
}
