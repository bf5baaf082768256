//! What is mounted where (proc(5), `/proc/self/mountinfo`).

use std::path::{Path, PathBuf};

use super::number::{lines, text, words};

/// More mounts are left out.
const MOUNTS_MAX: usize = 1024;

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Where.
    pub(crate) path: PathBuf,
    /// Its kind, such as `ext4`.
    pub(crate) kind: String,
    /// Of what, such as `/dev/sda1`.
    pub(crate) source: String,
    /// Major and minor number: the same for all mounts of it.
    pub(crate) device: String,
    /// Whether nothing may be written.
    pub(crate) is_read_only: bool,
}

impl Mount {
    /// Whether it holds files on a disk or a server: those that people watch.
    pub(crate) fn is_real(&self) -> bool {
        const DISKS: [&str; 16] = [
            "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "vfat",
            "exfat", "ntfs", "ntfs3", "fuseblk", "9p",
        ];
        let is_root = self.path == Path::new("/");
        is_root || DISKS.contains(&self.kind.as_str()) || self.is_remote()
    }

    /// Whether asking it may wait for another machine or another program.
    pub(crate) fn is_remote(&self) -> bool {
        const SERVERS: [&str; 10] =
            ["nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "afs", "9p"];
        SERVERS.contains(&self.kind.as_str()) || self.kind.starts_with("fuse.")
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Vec<Mount> {
    let line = |line: &[u8]| {
        let fields: Vec<&[u8]> = words(line).collect();
        let dash = fields.iter().position(|word| *word == b"-")?;
        let options = fields.get(5)?;
        let of_file_system = fields.get(dash + 3).copied().unwrap_or_default();
        let is_read_only = |options: &[u8]| options.split(|byte| *byte == b',').any(|option| option == b"ro");
        Some(Mount {
            path: path(fields.get(4)?),
            kind: text(fields.get(dash + 1)?),
            source: text(&unescaped(fields.get(dash + 2)?)),
            device: text(fields.get(2)?),
            is_read_only: is_read_only(options) || is_read_only(of_file_system),
        })
    };
    lines(bytes).filter_map(line).take(MOUNTS_MAX).collect()
}

fn path(field: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(unescaped(field)).into()
}

/// Blanks and the like are written as three octal digits behind a backslash.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(field.len()), 0);
    while let Some(byte) = field.get(at) {
        let octal = field.get(at + 1..at + 4).filter(|_| *byte == b'\\').and_then(|digits| {
            digits.iter().try_fold(0u32, |sum, digit| {
                Some(sum * 8 + u32::from(digit.checked_sub(b'0').filter(|digit| *digit < 8)?))
            })
        });
        match octal.and_then(|code| u8::try_from(code).ok()) {
            Some(code) => {
                out.push(code);
                at += 4;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

/// Those that people watch, each file system once, at its shortest path.
pub(crate) fn real(mounts: &[Mount]) -> Vec<&Mount> {
    let mut real: Vec<&Mount> = mounts.iter().filter(|mount| mount.is_real()).collect();
    // The last mount at a path is the one that is seen there.
    real.reverse();
    real.sort_by_key(|mount| mount.path.as_os_str().len());
    let mut seen: Vec<&Mount> = Vec::new();
    for mount in real {
        if !seen.iter().any(|other| other.device == mount.device || other.path == mount.path) {
            seen.push(mount);
        }
    }
    seen
}

/// The file system that holds a path.
pub(crate) fn holding<'m>(mounts: &'m [Mount], path: &Path) -> Option<&'m Mount> {
    mounts
        .iter()
        .rev()
        .filter(|mount| path.starts_with(&mount.path))
        .max_by_key(|mount| mount.path.as_os_str().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n\
        23 22 0:21 / /proc rw - proc proc rw\n30 22 8:2 / /home\\040of\\040all ro shared:2 - xfs /dev/sda2 rw\n\
        31 22 8:2 /x /srv rw - xfs /dev/sda2 rw\n32 22 0:50 / /mnt/nas rw - nfs4 nas:/export rw,vers=4.2\n\
        33 22 0:51 / /run rw - tmpfs tmpfs rw\nnonsense\n";

    #[test]
    fn each_real_file_system_is_found_once() {
        let mounts = parse(TEXT);
        assert_eq!(mounts.len(), 6);
        let real: Vec<_> = real(&mounts).iter().map(|mount| mount.path.display().to_string()).collect();
        assert_eq!(real, ["/", "/srv", "/mnt/nas"]);
        assert!(mounts[2].is_read_only && !mounts[0].is_read_only && mounts[4].is_remote());
        assert_eq!(mounts[2].path, Path::new("/home of all"));
        assert_eq!(holding(&mounts, Path::new("/srv/www")).unwrap().path, Path::new("/srv"));
        assert_eq!(holding(&mounts, Path::new("/srvx")).unwrap().path, Path::new("/"));
    }
}
