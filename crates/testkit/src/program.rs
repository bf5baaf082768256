//! Programs for a test to run, at a place of its own. They are put there by another program: a file that this one had open
//! to write would be busy while a test beside it, forked in that moment, still held it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

/// Copies a program.
///
/// # Panics
/// When it cannot be copied.
pub fn copy(program: impl AsRef<Path>, to: &Path) {
    let program = program.as_ref();
    let copied = Command::new("cp").arg(program).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()), "cannot copy {program:?} to {to:?}");
}

/// Makes a program of the text of a script, its first line included; the text is left beside it.
///
/// # Panics
/// When it cannot be written.
pub fn script(to: &Path, text: &str) {
    let source = to.with_extension("source");
    let written = fs::write(&source, text)
        .and_then(|()| fs::set_permissions(&source, fs::Permissions::from_mode(0o755)));
    assert!(written.is_ok(), "cannot write {source:?}: {written:?}");
    copy(&source, to);
}
