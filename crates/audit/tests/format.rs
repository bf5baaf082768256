//! Files of format version 1, as they were written when it was made.

use std::{fs, path::Path};

use audit::{Audit, Config, Kind, PublicKey, ReadError, Source, each, verify};
use event::Timestamp;

fn fixture() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1"))
}

#[test]
fn version_1_is_verified_read_and_gone_on_with() {
    let key = PublicKey::read(&fixture().join("key.pub")).unwrap();
    let kept = [fixture().join("kept.log")];
    let report = verify(&Source::Folder(fixture().into()), Some(&key), &kept).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.installation, "00112233445566778899aabbccddeeff");
    assert_eq!((report.files, report.lines, report.records, report.checkpoints), (2, (1, 13), 8, 3));
    assert_eq!((report.unsigned, report.witnessed), (0, Some(12)));
    let mut said = vec![];
    each(fixture(), |_, entry| {
        said.push(format!(
            "{} {} {} {} {}",
            entry.seq, entry.actor.kind, entry.action, entry.target, entry.outcome
        ));
        true
    })
    .unwrap();
    assert_eq!(
        said,
        [
            "2 system audit.opened 00112233445566778899aabbccddeeff done",
            "4 key model.trained model 1 done",
            "5 key model.trained model 2 refused",
            "6 command_line key.created k9 done",
            "7 session feedback.given j-0-1 done",
            "8 session template.changed größer\u{202e} done",
            "11 system index.expired  failed",
            "12 system settings.changed LOG_SENTINEL_ADDR done",
        ]
    );
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixture()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let key_line = format!("log-sentinel-audit-private-key/1 {}\n", "07".repeat(32));
    fs::write(copy.path().join("key"), key_line).unwrap();
    let now = Timestamp::parse("2024-06-02T00:00:00Z").unwrap();
    let audit = Audit::open(Config::new(copy.path()), None, now).unwrap();
    audit.close(now).unwrap();
    let report = verify(&Source::Folder(copy.path().into()), Some(&key), &kept).unwrap();
    assert!(report.is_sound() && report.lines.1 == 15, "{report:?}");
}

#[test]
fn a_later_version_is_refused_by_name_and_an_altered_one_is_an_edit() {
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("0000000000.ndjson");
    let text = fs::read_to_string(fixture().join("0000000000.ndjson")).unwrap();
    let text = text.replacen(r#""version":1"#, r#""version":2"#, 1);
    fs::write(&path, &text).unwrap();
    let report = verify(&Source::Files(vec![path.clone()]), None, &[]).unwrap();
    assert_eq!(report.findings[0].kind, Kind::Edit);
    // As a program of that version would have written it.
    let header = text.lines().next().unwrap();
    let (content, _) = header.split_once(r#","hash":"#).unwrap();
    let previous = header.split_once(r#""previous":""#).unwrap().1;
    let previous = blake3::Hash::from_hex(&previous[..64]).unwrap();
    let hash = blake3::hash(&[previous.as_bytes(), content.as_bytes()].concat());
    fs::write(&path, format!("{content},\"hash\":\"{hash}\"}}\n")).unwrap();
    let refused = verify(&Source::Files(vec![path]), None, &[]).unwrap_err();
    assert!(matches!(refused, ReadError::Version { found: 2, .. }), "{refused}");
}
