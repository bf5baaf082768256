//! The journal of systemd, as its own program `journalctl` gives it: in the export format, and on as entries come.
//!
//! The cursor of the last entry stands in the journal record that holds the entries, so that a crash between the two
//! repeats nothing. The program is started anew when it ends.

use std::{path::PathBuf, process::Stdio, time::Duration};

use journal::Note;
use parse::Format;
use retry::Backoff;
use telemetry::{health::Component, task::Stop};
use tokio::{
    io::AsyncReadExt,
    process::{Child, ChildStdout, Command},
};

use crate::{Door, Origin};

/// Under which the cursor is noted.
const NOTE: &[u8] = b"journald/cursor";
/// Where reading begins the first time.
const SINCE: &str = "--since=-24h";
/// Read at a time, and the longest entry.
const READ_BYTES: usize = 256 << 10;
const ENTRY_BYTES_MAX: usize = 32 << 20;
/// How long to wait before the program is started again.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Reads the journal until told to stop.
pub async fn read(program: PathBuf, door: Door, health: Component, stop: Stop) {
    let mut pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    while !stop.is_cancelled() {
        match start(&program, &door) {
            Ok((mut child, output)) => {
                health.ok();
                let has_read = stop.run_until_cancelled(follow(output, &door)).await;
                let said = ended(&mut child).await;
                match has_read {
                    None => return,
                    Some(Ok(entries)) => {
                        if entries > 0 {
                            pauses.reset();
                        }
                        health.degraded(format!(
                            "{} has ended ({said}); it is started again",
                            program.display()
                        ));
                    }
                    Some(Err(failure)) => {
                        health.degraded(format!("the journal of systemd cannot be read: {failure}"));
                    }
                }
            }
            Err(failure) => {
                health.degraded(format!(
                    "cannot run {}: {failure}; without it the journal of systemd is not read",
                    program.display()
                ));
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(pauses.pause())).await.is_none() {
            return;
        }
    }
}

fn start(program: &PathBuf, door: &Door) -> std::io::Result<(Child, ChildStdout)> {
    let from = match door.journal().note(NOTE).and_then(|cursor| String::from_utf8(cursor).ok()) {
        Some(cursor) => format!("--after-cursor={cursor}"),
        None => SINCE.to_owned(),
    };
    let mut child = Command::new(program)
        .args(["--output=export", "--follow", "--no-tail", "--no-pager", "--quiet", &from])
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.stdout.take().ok_or_else(|| std::io::Error::other("it has no output"))?;
    Ok((child, output))
}

/// How the program ended.
async fn ended(child: &mut Child) -> String {
    // It may still run when its output could not be read.
    let _ignored: std::io::Result<()> = child.start_kill();
    match child.wait().await {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Takes in entries until the output ends; gives their number.
async fn follow(mut output: ChildStdout, door: &Door) -> std::io::Result<u64> {
    let (mut held, mut taken) = (Vec::with_capacity(READ_BYTES), 0);
    let mut scan = Scan::default();
    loop {
        if held.len() > ENTRY_BYTES_MAX {
            tracing::warn!(
                bytes = held.len(),
                "an entry of the journal of systemd is too long and is left out"
            );
            (held, scan) = (Vec::with_capacity(READ_BYTES), Scan::default());
        }
        held.reserve(READ_BYTES);
        if output.read_buf(&mut held).await? == 0 {
            return Ok(taken);
        }
        let Some(whole) = scan.on(&held) else { continue };
        take_in(door, &held[..whole.end], &whole.cursor).await;
        taken += whole.entries;
        held.drain(..whole.end);
        scan = Scan::default();
    }
}

/// Makes entries durable, with the cursor of the last. What is refused is tried until it is taken.
async fn take_in(door: &Door, entries: &[u8], cursor: &[u8]) {
    let delivery = || {
        let mut delivery = door.own_delivery();
        door.read(&mut delivery, &Origin::default(), Format::Lines, entries);
        delivery.note(Note { key: NOTE.to_vec(), value: Some(cursor.to_vec()) });
        delivery
    };
    door.append_at_last("journald", delivery).await;
}

/// Whole entries at the beginning of what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Whole {
    /// Behind the last of them.
    end: usize,
    /// Its cursor.
    cursor: Vec<u8>,
    entries: u64,
}

/// Looks for the ends of entries: lines `NAME=value`, or a name, a length in eight bytes and as many bytes
/// (<https://systemd.io/JOURNAL_EXPORT_FORMATS/>). An empty line ends an entry.
#[derive(Debug, Default)]
struct Scan {
    /// Up to where fields are whole.
    at: usize,
    cursor: Vec<u8>,
    found: Option<Whole>,
    entries: u64,
}

impl Scan {
    /// Goes on in all that was read so far; gives the entries that are whole.
    fn on(&mut self, held: &[u8]) -> Option<Whole> {
        const CURSOR: &[u8] = b"__CURSOR=";
        while let Some(line) = held[self.at..].iter().position(|byte| *byte == b'\n') {
            let text = &held[self.at..self.at + line];
            let mut next = self.at + line + 1;
            if text.is_empty() {
                if !self.cursor.is_empty() {
                    self.entries += 1;
                    let cursor = std::mem::take(&mut self.cursor);
                    self.found = Some(Whole { end: next, cursor, entries: self.entries });
                }
            } else if let Some(cursor) = text.strip_prefix(CURSOR) {
                self.cursor = cursor.to_vec();
            } else if !text.contains(&b'=') {
                let length = held.get(next..next + 8).and_then(|bytes| bytes.try_into().ok());
                let Some(length) = length.map(u64::from_le_bytes) else { break };
                let Some(end) =
                    usize::try_from(length).ok().and_then(|length| (next + 8 + 1).checked_add(length))
                else {
                    break;
                };
                if held.len() < end {
                    break;
                }
                next = end;
            }
            self.at = next;
        }
        self.found.take()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(number: usize, binary: bool) -> Vec<u8> {
        let mut bytes = format!("__CURSOR=s=1;i={number}\nPRIORITY=6\n").into_bytes();
        if binary {
            let value = b"two\n\nlines\n__CURSOR=no";
            bytes.extend(b"MESSAGE\n");
            bytes.extend((value.len() as u64).to_le_bytes());
            bytes.extend(value);
            bytes.push(b'\n');
        } else {
            bytes.extend(b"MESSAGE=one line\n");
        }
        bytes.push(b'\n');
        bytes
    }

    proptest! {
        #[test]
        fn entries_are_whole_however_they_come(
            kinds in prop::collection::vec(any::<bool>(), 1..12),
            cuts in prop::collection::vec(1usize..40, 1..40),
        ) {
            let all: Vec<u8> = kinds.iter().enumerate().flat_map(|(number, binary)| entry(number, *binary)).collect();
            let (mut held, mut scan, mut taken, mut last) = (vec![], Scan::default(), 0, vec![]);
            let mut at = 0;
            for cut in cuts.iter().cycle() {
                let end = (at + cut).min(all.len());
                held.extend(&all[at..end]);
                at = end;
                if let Some(whole) = scan.on(&held) {
                    taken += whole.entries;
                    last = whole.cursor;
                    held.drain(..whole.end);
                    scan = Scan::default();
                }
                if at == all.len() {
                    break;
                }
            }
            prop_assert_eq!(taken, kinds.len() as u64);
            prop_assert_eq!(last, format!("s=1;i={}", kinds.len() - 1).into_bytes());
            prop_assert!(held.is_empty());
        }

        #[test]
        fn whatever_comes_it_goes_on(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut scan = Scan::default();
            if let Some(whole) = scan.on(&bytes) {
                prop_assert!(whole.end <= bytes.len());
            }
        }
    }
}
