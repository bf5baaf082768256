//! The kernel's own word on processes that start, run another file and end: the process connector, a netlink socket (`linux/cn_proc.h`).
//! Subscribing takes CAP_NET_ADMIN; reading does not, so that it is dropped afterwards.

use std::{io, os::fd::OwnedFd};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind,
        netlink::{self, SocketAddrNetlink},
        recv, send, socket_with, sockopt,
    },
};

/// What the kernel told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Started(u32),
    /// This process runs another file.
    Executed(u32),
    Ended(u32),
    /// More happened than the kernel kept for us.
    Lost,
}

/// A subscription.
#[derive(Debug)]
pub(crate) struct Kernel(OwnedFd);

const HEADER: usize = 16;
const CONNECTOR: usize = 20;
const NLMSG_DONE: u16 = 3;
const CN_IDX_PROC: u32 = 1;
const CN_VAL_PROC: u32 = 1;
const PROC_CN_MCAST_LISTEN: u32 = 1;
const PROC_EVENT_FORK: u32 = 0x0000_0001;
const PROC_EVENT_EXEC: u32 = 0x0000_0002;
const PROC_EVENT_EXIT: u32 = 0x8000_0000;
/// Room for what happens between two looks at it, bytes.
const RECEIVE_BYTES: usize = 4 << 20;

impl Kernel {
    pub(crate) fn subscribe() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(netlink::CONNECTOR))?;
        bind(&socket, &SocketAddrNetlink::new(0, CN_IDX_PROC))?;
        // Without the privilege for more, what the system allows.
        if sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BYTES).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BYTES)?;
        }
        send(&socket, &request(), SendFlags::empty())?;
        Ok(Self(socket))
    }

    /// Everything that was told since the last call, in its order; never waits.
    pub(crate) fn take(&self) -> io::Result<Vec<Told>> {
        let mut told = Vec::new();
        let mut buffer = [0u8; 4096];
        loop {
            match recv(&self.0, buffer.as_mut_slice(), RecvFlags::empty()) {
                Ok((length, _)) => told.extend(buffer.get(..length).and_then(parse)),
                Err(Errno::AGAIN) => return Ok(told),
                Err(Errno::INTR) => {}
                Err(Errno::NOBUFS) => told.push(Told::Lost),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// For waiting until something is told.
    pub(crate) fn socket(&self) -> &OwnedFd {
        &self.0
    }
}

/// `nlmsghdr`, `cn_msg`, `PROC_CN_MCAST_LISTEN`.
fn request() -> Vec<u8> {
    let length = HEADER + CONNECTOR + 4;
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(&(length as u32).to_ne_bytes());
    bytes.extend_from_slice(&NLMSG_DONE.to_ne_bytes());
    bytes.extend_from_slice(&0u16.to_ne_bytes());
    bytes.extend_from_slice(&[0; 8]);
    for word in [CN_IDX_PROC, CN_VAL_PROC, 0, 0] {
        bytes.extend_from_slice(&word.to_ne_bytes());
    }
    bytes.extend_from_slice(&4u16.to_ne_bytes());
    bytes.extend_from_slice(&0u16.to_ne_bytes());
    bytes.extend_from_slice(&PROC_CN_MCAST_LISTEN.to_ne_bytes());
    bytes
}

/// One datagram. Threads are passed over: a process is told by its first one.
fn parse(bytes: &[u8]) -> Option<Told> {
    let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if (word(HEADER)?, word(HEADER + 4)?) != (CN_IDX_PROC, CN_VAL_PROC) {
        return None;
    }
    let event = HEADER + CONNECTOR;
    // `what`, `cpu`, a time stamp of eight bytes, then what belongs to the kind.
    let data = event + 16;
    match word(event)? {
        PROC_EVENT_FORK => {
            let (pid, group) = (word(data + 8)?, word(data + 12)?);
            (pid == group).then_some(Told::Started(group))
        }
        PROC_EVENT_EXEC => Some(Told::Executed(word(data + 4)?)),
        PROC_EVENT_EXIT => {
            let (pid, group) = (word(data)?, word(data + 4)?);
            (pid == group).then_some(Told::Ended(group))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(what: u32, data: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        for word in [CN_IDX_PROC, CN_VAL_PROC, 0, 0, 0, what, 0, 0, 0].iter().chain(data) {
            bytes.extend_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    #[test]
    fn what_the_kernel_tells_is_read_and_threads_are_passed_over() {
        assert_eq!(parse(&datagram(PROC_EVENT_FORK, &[1, 1, 7, 7])), Some(Told::Started(7)));
        assert_eq!(parse(&datagram(PROC_EVENT_FORK, &[1, 1, 8, 7])), None);
        assert_eq!(parse(&datagram(PROC_EVENT_EXEC, &[7, 7])), Some(Told::Executed(7)));
        assert_eq!(parse(&datagram(PROC_EVENT_EXIT, &[7, 7, 0, 0])), Some(Told::Ended(7)));
        assert_eq!(parse(&datagram(PROC_EVENT_EXIT, &[8, 7, 0, 0])), None);
        let whole = datagram(PROC_EVENT_EXIT, &[7, 7]);
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "a cut datagram of {length} bytes");
        }
        assert_eq!(request().len(), 40);
    }
}
