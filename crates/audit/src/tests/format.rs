//! Today's format is that of the files under `tests/fixtures/v1`, byte by byte.

use std::{fs, path::Path};

use ed25519_dalek::SigningKey;

use super::at;
use crate::{
    Action, Actor, ActorKind, Checkpoint, Outcome, Record,
    file::OpenFile,
    files,
    header::Header,
    key::PublicKey,
    line,
    verify::scan::Link,
    writer::{Bounds, Writer},
};

const INSTALLATION: &str = "00112233445566778899aabbccddeeff";

fn writer(dir: &Path) -> Writer {
    let key = SigningKey::from_bytes(&[7; 32]);
    let before = Link { seq: 0, hash: line::genesis(INSTALLATION) };
    let header = Header::new(INSTALLATION, 0, &before.hash, &key.verifying_key());
    let (bytes, hash) = Writer::make_file(&files::path(dir, 0), &header, before, at(0)).unwrap();
    PublicKey(key.verifying_key()).write(&dir.join(files::PUBLIC_KEY)).unwrap();
    Writer {
        dir: dir.to_owned(),
        bounds: Bounds { file_bytes: 2300, checkpoint_records: 5 },
        installation: INSTALLATION.to_owned(),
        key,
        file: OpenFile::open(&files::path(dir, 0)).unwrap(),
        number: 0,
        bytes,
        end: Link { seq: 1, hash },
        unsigned: 0,
        last_checkpoint: None,
        broken: None,
    }
}

#[test]
fn what_is_written_today_is_what_the_fixture_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let (key, session) =
        (Actor::new(ActorKind::Key, "k1").at("192.0.2.7"), Actor::new(ActorKind::Session, "k2"));
    let command_line = Actor::new(ActorKind::CommandLine, "root");
    let records = [
        Record::new(at(0), Actor::system(), Action::AuditOpened, INSTALLATION),
        Record::new(at(1), key.clone(), Action::ModelTrained, "model 1").with("events", 50_000),
        Record::new(at(2), key, Action::ModelTrained, "model 2").outcome(Outcome::Refused),
        Record::new(at(3), command_line, Action::KeyCreated, "k9").with("scopes", vec!["ingest", "read"]),
        Record::new(at(4), session.clone(), Action::FeedbackGiven, "j-0-1"),
        Record::new(at(5), session.at("::1"), Action::TemplateChanged, "größer\u{202e}")
            .with("name", "a \"b\"\n"),
        Record::new(at(6), Actor::system(), Action::IndexExpired, "").outcome(Outcome::Failed),
        Record::new(at(7), Actor::system(), Action::SettingsChanged, "LOG_SENTINEL_ADDR"),
    ];
    let mut kept = vec![];
    let mut keep = |writer: &Writer| kept.push(writer.last_checkpoint.as_ref().unwrap().syslog("host"));
    for (number, record) in records.iter().enumerate() {
        writer.write(&[(record.time(), record.members().unwrap())]).unwrap();
        if number == 0 {
            writer.checkpoint(at(0)).unwrap();
            keep(&writer);
        }
    }
    keep(&writer);
    writer.checkpoint(at(8)).unwrap();
    keep(&writer);
    fs::write(dir.path().join("kept.log"), kept.join("\n")).unwrap();
    let fixture = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1"));
    for name in ["0000000000.ndjson", "0000000001.ndjson", "head", "key.pub", "kept.log"] {
        let [written, expected] =
            [dir.path(), fixture].map(|dir| fs::read_to_string(dir.join(name)).unwrap());
        assert_eq!(written, expected, "{name}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5);
}

#[test]
fn a_checkpoint_says_what_is_documented() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let hash = blake3::hash(b"");
    let text = Checkpoint::sign(&key, INSTALLATION, (9, hash), at(0), 5).text().to_owned();
    let (signed, _) = text.split_once(" signature=").unwrap();
    assert_eq!(
        signed,
        format!(
            "log-sentinel-audit-checkpoint/1 installation={INSTALLATION} record=9 hash={hash} \
             time=2023-11-14T22:13:20Z every=5"
        )
    );
}
