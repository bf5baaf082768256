// What is done with each input of the fuzz targets; ordinary tests do the same.

use event::{Event, Timestamp, Value, codec};

#[path = "../../testkit/fuzz/changed.rs"]
mod changed;
use changed::changed;

fn written() -> Vec<u8> {
    let mut event = Event::new("message in the line", Timestamp::default());
    event.source = Some("sshd".into());
    event.host = Some("web-1".into());
    event.original = Some("Jun 14 15:16:01 message in the line".into());
    event.set("source.port", 22);
    event.set("labels.share", Value::Float(0.5));
    event.set("labels.on", true);
    event.set("labels.tags", Value::Json("[1,2]".into()));
    let mut record = Vec::new();
    codec::encode(&event, &mut record);
    record
}

/// Reads bytes as a record of the journal, and as changes to one; panics where a promise is broken.
pub(crate) fn codec(bytes: &[u8]) {
    for record in [bytes.to_vec(), changed(&written(), bytes)] {
        let Ok(event) = codec::decode(&record) else { continue };
        let mut again = Vec::new();
        codec::encode(&event, &mut again);
        // By their text, for NaN differs from itself.
        assert_eq!(
            format!("{:?}", codec::decode(&again)),
            format!("{:?}", Ok::<_, codec::DecodeError>(event))
        );
    }
}

/// Reads text as a time; what is shown of it reads as the same.
pub(crate) fn timestamp(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(time) = Timestamp::parse(&text) {
        assert_eq!(Timestamp::parse(&time.to_string()).ok(), Some(time), "{text}");
    }
}
