//! `/proc`, as proc(5) describes it.

mod container;
mod executable;
mod port;
mod reader;
mod stat;
mod status;
mod users;

pub use executable::Executables;
pub use reader::{Error, Reader};

/// The parsers, for whoever feeds them any bytes.
pub fn fuzz(bytes: &[u8]) {
    if let Some(stat) = stat::Stat::parse(bytes) {
        assert!(stat.name.len() <= bytes.len());
    }
    let status = status::Status::parse(bytes);
    assert!(status.traced_by != Some(0), "no process traces as number 0");
    let table = port::table(port::Protocol::Tcp, bytes);
    assert!(table.len() <= bytes.len());
    let text = String::from_utf8_lossy(bytes);
    assert!(container::of(&text).is_none_or(|id| text.contains(id)));
    assert!(status::cgroup(bytes).is_none_or(|path| path.starts_with('/')));
    let users = users::Users::parse(bytes);
    assert!(!users.name(4_294_967_295).is_empty());
}
