//! Reads what procmond tells.

use std::{
    io::{ErrorKind, Read},
    path::Path,
    sync::Arc,
    time::Duration,
};

use event::Timestamp;
use process::{
    Change,
    message::{
        self, FRAME_BYTES, FrameError,
        v1::{ProcessFrame, process_frame::Content},
    },
};
use telemetry::task::Stop;
use tracing::{info, warn};

use super::{
    frames::{Frames, Item},
    socket::{self, Stream},
};

/// How long a stop may take to be seen.
const LOOK: Duration = Duration::from_millis(250);
/// Between two tries to reach procmond, in looks; and where it does not let this user in.
const TRY_LOOKS: u32 = 4;
const REFUSED_LOOKS: u32 = 60;
/// Frames that can be acknowledged in this time are; whoever takes none is let go.
const ANSWER: Duration = Duration::from_secs(2);

/// Follows the procmond at a socket until told to stop.
pub(crate) fn follow(frames: &Arc<Frames>, path: &Path, stop: &Stop) {
    let mut is_told = false;
    while !stop.is_cancelled() {
        let mut looks = TRY_LOOKS;
        match socket::connect(path) {
            Ok(stream) => {
                let ended = Connection { stream, bytes: Vec::new(), frames, stop, is_greeted: false }.read();
                frames.gone();
                match ended {
                    Ok(true) => {}
                    Ok(false) => {
                        looks = REFUSED_LOOKS;
                        if !std::mem::replace(&mut is_told, true) {
                            warn!(socket = %path.display(), "procmond lets this user not in; name it among its 'peers'");
                        }
                    }
                    Err(error) if !is_told => {
                        warn!(%error, socket = %path.display(), "procmond cannot be followed; trying again");
                        is_told = true;
                    }
                    Err(_) => {}
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {}
            Err(error) if !is_told => {
                warn!(%error, socket = %path.display(), "procmond cannot be reached; trying again");
                is_told = true;
            }
            Err(_) => {}
        }
        for _ in 0..looks {
            if stop.is_cancelled() {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

struct Connection<'c> {
    stream: Stream,
    /// What came and is no whole frame yet.
    bytes: Vec<u8>,
    frames: &'c Frames,
    stop: &'c Stop,
    is_greeted: bool,
}

impl Connection<'_> {
    /// Until it ends; whether procmond greeted.
    fn read(mut self) -> Result<bool, FrameError> {
        self.stream.set_read_timeout(Some(LOOK))?;
        self.stream.set_write_timeout(Some(ANSWER))?;
        let mut buffer = vec![0; 64 << 10];
        let mut stream = self.stream.try_clone()?;
        while !self.stop.is_cancelled() {
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(self.is_greeted),
                Ok(length) => {
                    self.bytes.extend_from_slice(buffer.get(..length).unwrap_or_default());
                    self.whole()?;
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Takes the frames that are whole.
    fn whole(&mut self) -> Result<(), FrameError> {
        let mut at = 0;
        while let Some(length) = self.bytes.get(at..).and_then(<[u8]>::first_chunk::<4>) {
            let length = u32::from_be_bytes(*length) as usize;
            if length > FRAME_BYTES {
                return Err(FrameError::TooLong(length));
            }
            let Some(mut frame) = self.bytes.get(at..at + 4 + length) else { break };
            at += 4 + length;
            if let Some(frame) = message::read::<ProcessFrame>(&mut frame)? {
                self.frame(frame, length)?;
            }
        }
        self.bytes.drain(..at);
        Ok(())
    }

    fn frame(&mut self, frame: ProcessFrame, bytes: usize) -> Result<(), FrameError> {
        let item = match frame.content {
            Some(Content::Greeting(greeting)) => {
                info!(version = greeting.version, lacking = ?greeting.lacking, "procmond tells of processes");
                let item =
                    Item::Greeting { boot_id: greeting.boot_id, told_by_kernel: greeting.told_by_kernel };
                self.is_greeted = true;
                self.frames.greeted(&greeting.stream, item, self.stream.try_clone()?);
                return Ok(());
            }
            Some(Content::Change(change)) => Item::Change(Box::new(Change::try_from(change)?)),
            Some(Content::Gap(gap)) => Item::Gap { changes: gap.changes, given_up: gap.given_up },
            Some(Content::Complete(complete)) => {
                let at = Timestamp::from_nanos(complete.at_unix_nano);
                Item::Complete { at: at.ok_or(FrameError::Invalid("at"))? }
            }
            // Of a newer procmond.
            None => return Ok(()),
        };
        let mut item = Some(item);
        while !self.stop.is_cancelled()
            && let Some(next) = item.take()
        {
            item = self.frames.put(frame.sequence, bytes, next, LOOK).err();
        }
        Ok(())
    }
}
