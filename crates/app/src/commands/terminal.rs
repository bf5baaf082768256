//! Standard output and standard error. Tests find there what was written by their own thread.

pub(crate) use written::*;

#[cfg(not(test))]
mod written {
    use std::io::{self, Write};

    pub(crate) fn output(bytes: &[u8]) -> io::Result<()> {
        io::stdout().lock().write_all(bytes)
    }

    pub(crate) fn error(line: &str) {
        eprintln!("{line}");
    }
}

#[cfg(test)]
mod written {
    use std::{cell::RefCell, io};

    thread_local! {
        static WRITTEN: RefCell<(Vec<u8>, String)> = RefCell::default();
    }

    pub(crate) fn output(bytes: &[u8]) -> io::Result<()> {
        WRITTEN.with_borrow_mut(|written| written.0.extend_from_slice(bytes));
        Ok(())
    }

    pub(crate) fn error(line: &str) {
        WRITTEN.with_borrow_mut(|written| written.1 += &format!("{line}\n"));
    }

    /// What was written to standard output and to standard error since this was last asked for.
    pub(crate) fn taken() -> (String, String) {
        let (output, errors) = WRITTEN.take();
        (String::from_utf8(output).unwrap(), errors)
    }
}
