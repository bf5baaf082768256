//! Formats of one program or one family of programs, each in a module with samples of it.
//!
//! A new one is a module that gives its `FORMATS`, and a line in [`TABLE`]. It is asked for lines that begin as it
//! says, in the order of the table, and gives an event or at once None. What every program shares is elsewhere:
//! time stamps in `time`, levels in `level` and `header`, syslog, access logs and the lines of loggers beside `line`.

mod android;
mod audit;
mod databases;
mod format;
pub(crate) mod kernel;
mod klog;
mod languages;
pub(crate) mod network;
mod packages;
mod postgres;
mod servers;
pub(crate) mod vendor;

use event::Event;
pub(crate) use format::Line;
#[cfg(test)]
pub(crate) use format::Sample;
use format::{Begins, Format};

use crate::{Context, time::Form};

const TABLE: &[&[Format]] = &[
    kernel::FORMATS,
    klog::FORMATS,
    android::FORMATS,
    postgres::FORMATS,
    databases::FORMATS,
    servers::FORMATS,
    packages::FORMATS,
    audit::FORMATS,
    languages::FORMATS,
];

/// The event of a line in one of these formats. None of them has the stamps of syslog.
pub(crate) fn event<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let first = *line.text.as_bytes().first()?;
    if line.stamp.is_some_and(|stamp| stamp.form == Form::Syslog) {
        return None;
    }
    TABLE.iter().flat_map(|formats| formats.iter()).find_map(|format| {
        let is_asked = match format.begins {
            Begins::Stamp => line.stamp.is_some(),
            Begins::With(bytes) => line.stamp.is_none() && bytes.contains(&first),
        };
        if is_asked { (format.read)(line, context) } else { None }
    })
}

/// All samples of the formats of this folder.
#[cfg(test)]
pub(crate) fn samples() -> impl Iterator<Item = &'static Sample> {
    let table = TABLE.iter().flat_map(|formats| formats.iter()).flat_map(|format| format.samples);
    table.chain(network::SAMPLES).chain(vendor::SAMPLES)
}
