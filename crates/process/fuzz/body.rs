// What is done with each input of the fuzz targets; ordinary tests do the same.

use process::{
    Change,
    message::{self, v1},
};

/// Reads bytes as a file of `/proc`; panics where a promise is broken.
pub(crate) fn proc(bytes: &[u8]) {
    process::fuzz(bytes);
}

/// Reads bytes as frames; panics where a promise is broken.
pub(crate) fn frame(mut bytes: &[u8]) {
    while let Ok(Some(frame)) = message::read::<v1::ProcessFrame>(&mut bytes) {
        let Some(v1::process_frame::Content::Change(change)) = frame.content else { continue };
        let Ok(change) = Change::try_from(change) else { continue };
        let again = Change::try_from(v1::ProcessChange::from(&change));
        assert_eq!(again.ok(), Some(change), "what was taken is written so that it is taken again");
    }
}
