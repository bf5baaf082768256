//! Files of alerts: no line is lost, none is there twice, and they do not grow for ever.

use std::{fs, path::Path};

use alert::channel::{ChannelKind, FileConfig, Format};

use crate::{message, open};

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_message_that_is_sent_again_is_there_once() {
    let dir = tempfile::tempdir().unwrap();
    for format in [Format::Json, Format::Cef, Format::Plain] {
        let path = dir.path().join(format!("{format:?}"));
        let channel = open(ChannelKind::File(FileConfig::new(&path, format)));
        let mut message = message();
        channel.send(&message).await.unwrap();
        assert_eq!(channel.send(&message).await.unwrap().answer, "0 lines written");
        message.alerts[0].revision = 2;
        channel.send(&message).await.unwrap();
        assert_eq!(lines(&path).len(), 2);
    }
}

#[tokio::test]
async fn half_a_line_of_a_crash_is_left_alone_and_written_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alerts.json");
    let channel = open(ChannelKind::File(FileConfig::new(&path, Format::Json)));
    channel.send(&message()).await.unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    for cut in [1, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(channel.send(&message()).await.unwrap().answer, "1 lines written");
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n{whole}", &whole[..cut]));
    }
}

#[tokio::test]
async fn full_files_are_put_aside_and_the_oldest_goes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alerts.json");
    let config = FileConfig { bytes_max: 1, keep: 2, ..FileConfig::new(&path, Format::Json) };
    let channel = open(ChannelKind::File(config));
    let mut message = message();
    for revision in 1..=5 {
        message.alerts[0].revision = revision;
        channel.send(&message).await.unwrap();
        channel.send(&message).await.unwrap();
    }
    let revision = |name: &str| {
        let lines = lines(&dir.path().join(name));
        assert_eq!(lines.len(), 1, "{name}: {lines:?}");
        serde_json::from_str::<serde_json::Value>(&lines[0]).unwrap()["revision"].clone()
    };
    assert_eq!(["alerts.json", "alerts.json.1", "alerts.json.2"].map(revision), [5, 4, 3]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_named_and_may_have_room_later() {
    let channel = open(ChannelKind::File(FileConfig::new("/dev/full", Format::Plain)));
    let error = channel.send(&message()).await.unwrap_err();
    assert!(!error.is_permanent && error.reason.contains("/dev/full: No space left"), "{error}");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_may_be_later() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("missing/alerts.json");
    let channel = open(ChannelKind::File(FileConfig::new(&path, Format::Json)));
    let error = channel.send(&message()).await.unwrap_err();
    assert!(!error.is_permanent && error.reason.contains("alerts.json"), "{error}");
    fs::create_dir(dir.path().join("missing")).unwrap();
    channel.send(&message()).await.unwrap();
    assert_eq!(lines(&path).len(), 1);
}
