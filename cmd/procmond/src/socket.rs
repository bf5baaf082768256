//! The socket on which the agent takes what is found. One at a time; who may connect is known by the kernel's word on the other side.

use std::{
    fs,
    io::{self, Read, Write},
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use process::message::{
    self, FrameError,
    v1::{ProcessAcknowledgement, ProcessFrame, ProcessGreeting, process_frame::Content},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::sockopt::socket_peercred,
};

use crate::outbox::Outbox;

/// How long is waited for something to send before it is looked whether something was answered.
const LOOK: Duration = Duration::from_millis(200);
/// An agent that takes nothing for so long is let go.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket, and what is said on it.
pub(crate) struct Speaker {
    pub(crate) listener: UnixListener,
    /// Users that may connect.
    pub(crate) peers: Vec<u32>,
    pub(crate) greeting: ProcessGreeting,
    pub(crate) outbox: Arc<Outbox>,
    /// Somebody connected, and is told what there is.
    pub(crate) asked: Arc<AtomicBool>,
    pub(crate) verbose: bool,
}

/// Makes the socket, in the place of one that an earlier run left.
pub(crate) fn bind(path: &Path) -> anyhow::Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            bail!("{} is there and is no socket: name another with 'socket'", path.display())
        }
        Ok(_) if UnixStream::connect(path).is_ok() => bail!("another procmond answers at {}", path.display()),
        Ok(_) => fs::remove_file(path)
            .with_context(|| format!("removing the socket {} of an earlier run", path.display()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("looking at {}", path.display())),
    }
    let listener = UnixListener::bind(path)
        .with_context(|| format!("making the socket {}: its folder must be there", path.display()))?;
    // Anybody may knock: who is let in is decided by user, and by the folder's own mode.
    fs::set_permissions(path, fs::Permissions::from_mode(0o666))
        .with_context(|| format!("setting the mode of {}", path.display()))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Speaker {
    /// Until nothing more comes.
    pub(crate) fn run(&self) {
        while !self.outbox.is_closed() {
            let mut wait = [PollFd::new(&self.listener, PollFlags::IN)];
            let timeout = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
            if matches!(poll(&mut wait, Some(&timeout)), Ok(0) | Err(Errno::INTR)) {
                continue;
            }
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if let Err(error) = self.serve(&stream)
                        && self.verbose
                    {
                        eprintln!("procmond: the agent went away: {error}");
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Such as no more files: the next look may find some.
                Err(error) => {
                    eprintln!("procmond: taking a connection: {error}");
                    std::thread::sleep(LOOK);
                }
            }
        }
    }

    fn serve(&self, stream: &UnixStream) -> Result<(), FrameError> {
        let peer = socket_peercred(stream).map_err(io::Error::from)?.uid.as_raw();
        if !self.peers.contains(&peer) {
            eprintln!("procmond: user {peer} may not connect: it is not among 'peers'");
            return Ok(());
        }
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut writer = stream;
        message::write(
            &mut writer,
            &ProcessFrame { sequence: 0, content: Some(Content::Greeting(self.greeting.clone())) },
        )?;
        self.asked.store(true, Ordering::Release);
        let mut sent = 0;
        let mut answers = Answers::default();
        while !self.outbox.is_closed() {
            if let Some((sequence, bytes)) = self.outbox.after(sent, LOOK) {
                writer.write_all(&bytes)?;
                sent = sequence;
            }
            if let Some(acknowledged) = answers.take(stream)? {
                // No more than was sent: what comes next is not theirs to give up.
                self.outbox.acknowledge(acknowledged.min(sent));
            }
        }
        Ok(())
    }
}

/// What came from the other side and is no whole frame yet.
#[derive(Default)]
struct Answers(Vec<u8>);

/// An acknowledgement takes at most a length and a number.
const ANSWER_BYTES: usize = 64;

impl Answers {
    /// The last acknowledgement that is there; never waits.
    fn take(&mut self, mut stream: &UnixStream) -> Result<Option<u64>, FrameError> {
        let mut last = None;
        loop {
            let mut wait = [PollFd::new(stream, PollFlags::IN)];
            if poll(&mut wait, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).map_err(io::Error::from)? == 0 {
                return Ok(last);
            }
            let mut buffer = [0; 4096];
            let length = stream.read(&mut buffer)?;
            if length == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            self.0.extend_from_slice(buffer.get(..length).unwrap_or_default());
            while let Some(whole) = self.whole()? {
                let frame: Vec<u8> = self.0.drain(..whole).collect();
                if let Some(answer) = message::read::<ProcessAcknowledgement>(&mut frame.as_slice())? {
                    last = last.max(Some(answer.sequence));
                }
            }
        }
    }

    /// Bytes of the first frame, once all of them are here.
    fn whole(&self) -> Result<Option<usize>, FrameError> {
        let Some(length) = self.0.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > ANSWER_BYTES {
            return Err(FrameError::TooLong(length));
        }
        Ok((self.0.len() >= 4 + length).then_some(4 + length))
    }
}
