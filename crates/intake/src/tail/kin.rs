//! Whether one file is a copy of another, or continues it.
//!
//! Rotation copies a file before it truncates it; editors, rsync and configuration tools write a
//! new file and rename it over the old one. What was read of the old one must not be read again of
//! the new one. But two logs may begin with the same line and have nothing else to do with each
//! other. So equal content alone never decides; it makes a file wait until the other one is
//! truncated, loses its place, or goes on differently.

use std::{cmp::Ordering, fs::File, io, path::Path, time::Duration};

use super::{
    bytes::read_at,
    file::is_intact,
    position::{LAST_BYTES, Position},
};
use crate::platform::{self, About};

/// How long a file that begins like another is left alone after it last changed. Copying and
/// truncating, writing and renaming follow each other at once.
const SETTLE: Duration = Duration::from_secs(2);
/// The same for one that by its name was made for this.
const SETTLE_NAMED: Duration = Duration::from_secs(10);
/// What a file holds is to be read of another one that is being read; how far tells then.
pub(super) const UNTIL_READ: Duration = Duration::from_secs(24 * 3600);
/// Compared byte by byte at the start and the end of two files.
const COMPARED_BYTES: usize = 64 << 10;
/// Compared at places in between.
const SAMPLES: u64 = 8;

/// What the content of one file says about another that was read.
#[derive(Debug)]
pub(super) enum Kinship {
    None,
    /// To be read on from here, where the other one had been read to.
    Continues(Position),
    /// All of it is in the other one, where the rest of it is yet to be read.
    Elsewhere,
    /// To be left alone for a while.
    Wait(Wait),
}

/// How a file is left alone that may be a copy.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) time: Duration,
    /// Bytes of it that the other file holds as well.
    pub(super) known: u64,
    /// When nothing has happened until then, it is a copy, and stands here: at its end. Without this, it
    /// is a file of its own.
    pub(super) end: Option<Position>,
}

/// A file that was read: what is left of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Original<'o> {
    /// How far, and where it stood.
    pub(super) position: &'o Position,
    /// What was last read of it.
    pub(super) recent: &'o [u8],
    /// It, when it still is there.
    pub(super) file: Option<&'o File>,
    /// Its place was taken by the other file.
    pub(super) is_replaced: bool,
    /// No path leads to it any more.
    pub(super) is_nameless: bool,
    /// Where it is now.
    pub(super) path: &'o Path,
}

/// How a file stands to an original.
pub(super) fn kinship(original: &Original<'_>, file: &File, path: &Path) -> io::Result<Kinship> {
    let Original { position, .. } = *original;
    let metadata = platform::about_open(file)?;
    let is_named = is_named_after(&position.path, path) || is_named_after(original.path, path);
    let look =
        |other| while_intact(position, other, || beside(original, other, file, &metadata, path, is_named));
    if let Some(found) = original.file.and_then(look) {
        return found;
    }
    let is_same_path = position.path == path && platform::links(&metadata) > 0;
    gone(original, file, metadata.len(), is_named, is_same_path)
}

/// What is found out about a file that holds what was read of it from beginning to end; if it is truncated
/// meanwhile, nothing of that counts.
fn while_intact<T>(position: &Position, file: &File, look: impl FnOnce() -> T) -> Option<T> {
    if !is_intact(position, file) {
        return None;
    }
    let found = look();
    is_intact(position, file).then_some(found)
}

/// How a file stands to one that is still there.
fn beside(
    original: &Original<'_>,
    other: &File,
    file: &File,
    metadata: &About,
    path: &Path,
    is_named: bool,
) -> io::Result<Kinship> {
    let Original { position, .. } = *original;
    let (size, is_deleted) = (metadata.len(), platform::links(metadata) == 0);
    let other_size = other.metadata()?.len();
    let both = size.min(other_size);
    if both == 0 || !begin_alike(other, file, both)? {
        return Ok(Kinship::None);
    }
    let lines = lines(file, both)?;
    if is_deleted && (lines > 1 || is_named) {
        // Nothing becomes of it any more that would tell, and no restart finds it again.
        return Ok(if size > other_size || size <= position.offset {
            Kinship::Continues(position.at(file, size.min(position.offset))?)
        } else {
            Kinship::Elsewhere
        });
    }
    if original.is_replaced || original.is_nameless {
        // A rotated file has a name that tells, and what follows it is younger and may begin alike. A
        // backup goes.
        let is_rotated = !original.is_nameless
            && is_named_after(path, original.path)
            && !is_backup(original.path)
            && is_older(&platform::about_open(other)?, metadata);
        return Ok(match size >= other_size {
            true if position.offset == 0 => settle(both, UNTIL_READ),
            true if lines > 1 && !is_rotated => Kinship::Continues(position.clone()),
            true => Kinship::None,
            // Being written, or a new one.
            false => settle(size, SETTLE),
        });
    }
    if lines < 2 && !is_named {
        return Ok(Kinship::None);
    }
    let is_known = lines > 1 && size <= position.offset;
    let end = if is_known && is_named { Some(position.at(file, size)?) } else { None };
    let time = match size.cmp(&other_size) {
        Ordering::Greater if is_named && lines > 1 => SETTLE_NAMED,
        Ordering::Less | Ordering::Equal if is_named && size > position.offset => UNTIL_READ,
        _ => SETTLE,
    };
    Ok(Kinship::Wait(Wait { time, known: both, end }))
}

/// How a file stands to one that is gone or was truncated: only what is remembered of it tells.
fn gone(
    original: &Original<'_>,
    file: &File,
    size: u64,
    is_named: bool,
    is_same_path: bool,
) -> io::Result<Kinship> {
    let Original { position, recent, .. } = *original;
    if position.offset == 0 {
        return Ok(Kinship::None);
    }
    let is_enough = |upto| Ok::<_, io::Error>(is_named || lines(file, upto)? > 1);
    if size >= position.offset {
        let continues = position.is_in(file)? && is_enough(position.offset)?;
        return Ok(if continues { Kinship::Continues(position.clone()) } else { Kinship::None });
    }
    // It ends among what was read last.
    let begin = position.offset - recent.len() as u64;
    let known = size.saturating_sub(begin) as usize;
    if size <= begin || (begin > 0 && known < LAST_BYTES) {
        return Ok(Kinship::None);
    }
    let mut bytes = vec![0; known];
    let length = read_at(file, &mut bytes, begin)?;
    if length < known || bytes != recent[..known] || !is_enough(size)? {
        return Ok(Kinship::None);
    }
    let end = position.at(file, size)?;
    // Written anew under the same name, it may yet become what it was.
    Ok(if is_same_path { settle(size, SETTLE) } else { Kinship::Continues(end) })
}

fn settle(known: u64, time: Duration) -> Kinship {
    Kinship::Wait(Wait { time, known, end: None })
}

/// Whether two files are alike in their first `length` bytes: at the start, the end, and samples between.
pub(super) fn begin_alike(one: &File, other: &File, length: u64) -> io::Result<bool> {
    let (mut left, mut right) = (vec![0; COMPARED_BYTES], vec![0; COMPARED_BYTES]);
    let size = (length as usize).min(COMPARED_BYTES);
    let last = length - size as u64;
    let mut places: Vec<(u64, usize)> = vec![(0, size), (last, size)];
    if last > COMPARED_BYTES as u64 {
        places.extend((1..=SAMPLES).map(|part| (last / (SAMPLES + 1) * part, 4096)));
    }
    for (offset, size) in places {
        let (left, right) = (&mut left[..size], &mut right[..size]);
        if read_at(one, left, offset)? != read_at(other, right, offset)? || left != right {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many lines end within the first `upto` bytes, as far as it matters.
fn lines(file: &File, upto: u64) -> io::Result<usize> {
    let mut bytes = vec![0; (upto as usize).min(COMPARED_BYTES)];
    let length = read_at(file, &mut bytes, 0)?;
    let newlines = bytes[..length].iter().filter(|byte| **byte == b'\n').count();
    // A long line is as telling as two.
    Ok(if length == COMPARED_BYTES { newlines.max(2) } else { newlines })
}

/// Whether a name was made from another: by rotation (`app.log.1`, `app.log-20261129`,
/// `app-20261129.log`), or by a program that writes beside (`.app.log.x7Yz2q`, `app.log~`).
pub(super) fn is_named_after(original: &Path, path: &Path) -> bool {
    let bytes = |name: Option<&std::ffi::OsStr>| name.map(|name| name.as_encoded_bytes().to_vec());
    let (Some(name), Some(other)) = (bytes(original.file_name()), bytes(path.file_name())) else {
        return false;
    };
    let is_hidden = other.starts_with(b".") || other.starts_with(b"#");
    let shown = if is_hidden { &other[1..] } else { &other[..] };
    if let Some(rest) = shown.strip_prefix(&name[..]) {
        return rest.first().map_or(is_hidden, |byte| !byte.is_ascii_alphanumeric());
    }
    let stem = bytes(original.file_stem()).unwrap_or_default();
    let Some(rest) = other.strip_prefix(&stem[..]).filter(|_| !stem.is_empty()) else { return false };
    let ending = &name[stem.len()..];
    let Some(added) = rest.strip_suffix(ending) else { return false };
    let digits = added.iter().filter(|byte| byte.is_ascii_digit()).count();
    digits >= 6 && added.iter().all(|byte| byte.is_ascii_digit() || b"-_.:T".contains(byte))
}

/// Whether one file was made before another, as far as the file system tells.
fn is_older(one: &About, other: &About) -> bool {
    match (one.created(), other.created()) {
        (Ok(one), Ok(other)) => one < other,
        _ => true,
    }
}

/// Whether a name says that an editor keeps what was there before.
fn is_backup(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["~", ".bak", ".orig", ".swp"].iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_found_out_while_a_file_is_truncated_does_not_count() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"read\nand this\n").unwrap();
        let position = Position::default().at(&file, 5).unwrap();
        assert_eq!(while_intact(&position, &file, || "looked"), Some("looked"));
        assert_eq!(while_intact(&position, &file, || file.set_len(0).unwrap()), None);
        assert_eq!(while_intact(&position, &file, || "looked"), None);
    }

    #[test]
    fn names_made_from_others() {
        for (original, path, expected) in [
            ("app.log", "app.log.1", true),
            ("app.log", "old/app.log-20261122", true),
            ("app.log", "app-20240601.log", true),
            ("app.log", "app-2026-11-29_10.log", true),
            ("app.log", "app.log~", true),
            ("app.log", ".app.log.hJ3kd2", true),
            ("app.log", ".app.log", true),
            ("app", "app.1", true),
            ("app.log", "app.log", false),
            ("app.log", "other/app.log", false),
            ("app.log", "app2.log", false),
            ("app.log", "app-2.log", false),
            ("app.log", "app-worker.log", false),
            ("1.log", "11.log", false),
            ("app.log", "app.logs", false),
            ("app.log.1", "app.log.10", false),
        ] {
            let found = is_named_after(&Path::new("/l").join(original), &Path::new("/l").join(path));
            assert_eq!(found, expected, "{original} {path}");
        }
    }
}
