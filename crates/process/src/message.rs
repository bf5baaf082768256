//! Processes and their changes as messages of `proto/log_sentinel/v1/process.proto`, and frames of them.

use std::{
    io::{self, Read, Write},
    sync::Arc,
};

use event::Timestamp;
use prost::Message;

use crate::{
    change::{Change, ChangeKind},
    kind::{Capabilities, Listening, Process, StandardInput, ports},
};

/// The generated types.
#[expect(missing_docs, clippy::large_enum_variant, reason = "generated; described in proto/")]
pub mod v1 {
    include!("../generated/log_sentinel.v1.rs");
}

/// Frames are at most so long, bytes.
pub const FRAME_BYTES: usize = 1 << 20;

/// A frame that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side went away, or in the middle of a frame.
    #[error("reading a frame: {0}")]
    Io(#[from] io::Error),
    /// Its length is past the bound.
    #[error("a frame of {0} bytes: at most {FRAME_BYTES} are taken")]
    TooLong(usize),
    /// Its bytes are no message of this kind.
    #[error("a frame that is no message: {0}")]
    Message(#[from] prost::DecodeError),
    /// A part that must be there is missing or out of range.
    #[error("a frame without a valid '{0}'")]
    Invalid(&'static str),
}

/// Bytes of a frame: its length and the message.
///
/// # Errors
/// Where the message is longer than a frame may be.
pub fn frame<M: Message>(message: &M) -> Result<Vec<u8>, FrameError> {
    let length = message.encoded_len();
    let too_long = FrameError::TooLong(length);
    if length > FRAME_BYTES {
        return Err(too_long);
    }
    let mut bytes = Vec::with_capacity(4 + length);
    bytes.extend_from_slice(&u32::try_from(length).map_err(|_| too_long)?.to_be_bytes());
    bytes.extend_from_slice(&message.encode_to_vec());
    Ok(bytes)
}

/// Writes one frame.
///
/// # Errors
/// Where the message is too long, or the other side takes nothing.
pub fn write<M: Message>(to: &mut impl Write, message: &M) -> Result<(), FrameError> {
    Ok(to.write_all(&frame(message)?)?)
}

/// Reads one frame; `None` where the other side ended before one began.
///
/// # Errors
/// Where the frame is cut, too long or no message.
pub fn read<M: Message + Default>(from: &mut impl Read) -> Result<Option<M>, FrameError> {
    let mut length = [0; 4];
    let mut have = 0;
    while have < length.len() {
        match from.read(length.get_mut(have..).unwrap_or_default()) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(more) => have += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > FRAME_BYTES {
        return Err(FrameError::TooLong(length));
    }
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(Some(M::decode(bytes.as_slice())?))
}

impl From<&Process> for v1::Process {
    fn from(process: &Process) -> Self {
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        Self {
            pid: process.pid,
            started_at_unix_nano: process.started_at.as_nanos(),
            ppid: process.ppid,
            name: process.name.to_string(),
            command: process.command.to_string(),
            executable: text(&process.executable),
            executable_deleted: process.executable_deleted,
            executable_replaced: process.executable_replaced,
            executable_hash: process
                .executable_hash
                .as_deref()
                .and_then(|hex| Some(blake3::Hash::from_hex(hex).ok()?.as_bytes().to_vec())),
            user: process.user.to_string(),
            uid: process.uid,
            gid: process.gid,
            capabilities: process.capabilities.0,
            cgroup: text(&process.cgroup),
            cwd: text(&process.cwd),
            cpu_seconds: process.cpu_seconds,
            rss_bytes: process.rss_bytes,
            real_uid: process.real_uid,
            kernel_thread: process.kernel_thread,
            tracer_pid: process.tracer_pid,
            standard_input: match process.standard_input {
                None => v1::process::StandardInput::Unspecified,
                Some(StandardInput::Terminal) => v1::process::StandardInput::Terminal,
                Some(StandardInput::Pipe) => v1::process::StandardInput::Pipe,
                Some(StandardInput::Socket) => v1::process::StandardInput::Socket,
                Some(StandardInput::File) => v1::process::StandardInput::File,
                Some(StandardInput::Network) => v1::process::StandardInput::Network,
            }
            .into(),
            container: text(&process.container),
            device: process.device,
            inode: process.inode,
            set_uid: process.set_uid,
            namespaces: process.namespaces.iter().map(|name| name.to_string()).collect(),
            read_bytes: process.read_bytes,
            write_bytes: process.write_bytes,
            listening: process
                .listening
                .iter()
                .map(|place| v1::Listening {
                    protocol: place.protocol.to_string(),
                    address: place.address.to_string(),
                    port: place.port.into(),
                })
                .collect(),
        }
    }
}

impl TryFrom<v1::Process> for Process {
    type Error = FrameError;

    fn try_from(process: v1::Process) -> Result<Self, FrameError> {
        let hash = match &process.executable_hash {
            None => None,
            Some(bytes) => {
                let bytes: [u8; 32] =
                    bytes.as_slice().try_into().map_err(|_| FrameError::Invalid("executable_hash"))?;
                Some(blake3::Hash::from_bytes(bytes).to_hex().as_str().into())
            }
        };
        let standard_input = match process.standard_input() {
            v1::process::StandardInput::Unspecified => None,
            v1::process::StandardInput::Terminal => Some(StandardInput::Terminal),
            v1::process::StandardInput::Pipe => Some(StandardInput::Pipe),
            v1::process::StandardInput::Socket => Some(StandardInput::Socket),
            v1::process::StandardInput::File => Some(StandardInput::File),
            v1::process::StandardInput::Network => Some(StandardInput::Network),
        };
        let listening = process
            .listening
            .iter()
            .map(|place| {
                let port = u16::try_from(place.port).map_err(|_| FrameError::Invalid("port"))?;
                Ok(Listening {
                    protocol: place.protocol.as_str().into(),
                    address: place.address.as_str().into(),
                    port,
                })
            })
            .collect::<Result<Vec<_>, FrameError>>()?;
        Ok(Self {
            pid: process.pid,
            started_at: timestamp(process.started_at_unix_nano, "started_at")?,
            ppid: process.ppid,
            name: process.name.into(),
            command: process.command.into(),
            executable: process.executable.map(Arc::from),
            executable_deleted: process.executable_deleted,
            executable_replaced: process.executable_replaced,
            executable_hash: hash,
            user: process.user.into(),
            uid: process.uid,
            gid: process.gid,
            capabilities: Capabilities(process.capabilities),
            cgroup: process.cgroup.map(Arc::from),
            cwd: process.cwd.map(Arc::from),
            cpu_seconds: if process.cpu_seconds.is_finite() { process.cpu_seconds } else { 0.0 },
            rss_bytes: process.rss_bytes,
            open_ports: ports(&listening),
            real_uid: process.real_uid,
            kernel_thread: process.kernel_thread,
            tracer_pid: process.tracer_pid,
            standard_input,
            container: process.container.map(Arc::from),
            device: process.device,
            inode: process.inode,
            set_uid: process.set_uid,
            namespaces: process.namespaces.into_iter().map(Arc::from).collect(),
            read_bytes: process.read_bytes,
            write_bytes: process.write_bytes,
            listening,
        })
    }
}

fn timestamp(nanos: i64, field: &'static str) -> Result<Timestamp, FrameError> {
    Timestamp::from_nanos(nanos).ok_or(FrameError::Invalid(field))
}

impl From<&Change> for v1::ProcessChange {
    fn from(change: &Change) -> Self {
        let kind = match change.kind {
            ChangeKind::Present => v1::process_change::Kind::Present,
            ChangeKind::Started => v1::process_change::Kind::Started,
            ChangeKind::Ended => v1::process_change::Kind::Ended,
            ChangeKind::Executed => v1::process_change::Kind::Executed,
            ChangeKind::ExecutableChanged => v1::process_change::Kind::ExecutableChanged,
            ChangeKind::CredentialsChanged => v1::process_change::Kind::CredentialsChanged,
            ChangeKind::Renamed => v1::process_change::Kind::Renamed,
            ChangeKind::ListeningChanged => v1::process_change::Kind::ListeningChanged,
            ChangeKind::TracerChanged => v1::process_change::Kind::TracerChanged,
            ChangeKind::InputChanged => v1::process_change::Kind::InputChanged,
        };
        Self {
            kind: kind.into(),
            at_unix_nano: change.at.as_nanos(),
            process: Some((&change.process).into()),
            before: change.before.as_deref().map(Into::into),
        }
    }
}

impl TryFrom<v1::ProcessChange> for Change {
    type Error = FrameError;

    fn try_from(change: v1::ProcessChange) -> Result<Self, FrameError> {
        let kind = match change.kind() {
            v1::process_change::Kind::Unspecified => return Err(FrameError::Invalid("kind")),
            v1::process_change::Kind::Present => ChangeKind::Present,
            v1::process_change::Kind::Started => ChangeKind::Started,
            v1::process_change::Kind::Ended => ChangeKind::Ended,
            v1::process_change::Kind::Executed => ChangeKind::Executed,
            v1::process_change::Kind::ExecutableChanged => ChangeKind::ExecutableChanged,
            v1::process_change::Kind::CredentialsChanged => ChangeKind::CredentialsChanged,
            v1::process_change::Kind::Renamed => ChangeKind::Renamed,
            v1::process_change::Kind::ListeningChanged => ChangeKind::ListeningChanged,
            v1::process_change::Kind::TracerChanged => ChangeKind::TracerChanged,
            v1::process_change::Kind::InputChanged => ChangeKind::InputChanged,
        };
        Ok(Self {
            kind,
            at: timestamp(change.at_unix_nano, "at")?,
            process: change.process.ok_or(FrameError::Invalid("process"))?.try_into()?,
            before: change
                .before
                .map(|before| Ok::<_, FrameError>(Box::new(before.try_into()?)))
                .transpose()?,
        })
    }
}
