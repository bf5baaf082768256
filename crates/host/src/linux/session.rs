//! Who is logged in: what systemd says of sessions, else the records of utmp(5).

use std::fs;

use super::kernel::Kernel;

/// More sessions are not counted.
const SESSIONS_MAX: usize = 4096;
/// The size of a record of glibc on 64-bit machines.
const RECORD_BYTES: usize = 384;
/// The kind of a record of a user who is logged in.
const USER_PROCESS: i16 = 7;

/// How many sessions of people there are; None where nothing tells.
pub(crate) fn count(kernel: &mut Kernel) -> Option<usize> {
    let run = kernel.roots().run.clone();
    match fs::read_dir(run.join("systemd/sessions")) {
        Ok(entries) => {
            let names =
                entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).take(SESSIONS_MAX);
            // Beside each stands a pipe by which its end is seen.
            let paths =
                names.filter(|name| !name.contains('.')).map(|name| run.join("systemd/sessions").join(name));
            Some(paths.filter(|path| kernel.file(path).is_ok_and(is_of_user)).count())
        }
        Err(_) => kernel.file(&run.join("utmp")).ok().map(count_utmp),
    }
}

/// A greeter and background jobs have sessions too.
fn is_of_user(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| line == b"CLASS=user")
}

pub(crate) fn count_utmp(bytes: &[u8]) -> usize {
    let kind = |record: &[u8]| record.get(..2).and_then(|kind| kind.try_into().ok()).map(i16::from_le_bytes);
    bytes.chunks_exact(RECORD_BYTES).filter(|record| kind(record) == Some(USER_PROCESS)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Roots;

    #[test]
    fn people_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let mut kernel = Kernel::new(Roots { run: dir.path().to_owned(), ..Roots::default() });
        assert_eq!(count(&mut kernel), None);
        let mut utmp = vec![0; 3 * RECORD_BYTES];
        utmp[0] = 7;
        utmp[RECORD_BYTES] = 8;
        fs::write(dir.path().join("utmp"), utmp).unwrap();
        assert_eq!(count(&mut kernel), Some(1));
        let sessions = dir.path().join("systemd/sessions");
        fs::create_dir_all(&sessions).unwrap();
        fs::write(sessions.join("1"), "UID=0\nCLASS=user\n").unwrap();
        fs::write(sessions.join("2"), "UID=0\nCLASS=greeter\n").unwrap();
        fs::write(sessions.join("1.ref"), "CLASS=user\n").unwrap();
        assert_eq!(count(&mut kernel), Some(1));
    }
}
