//! Formats of one program or one family of programs, each in a module with samples of it.
//!
//! A new one is a module that gives its `FORMATS`, and a line in [`TABLE`]. It is asked for lines that begin as it
//! says, in the order of the table, and gives an event or at once None. What every program shares is elsewhere:
//! time stamps in `time`, levels in `level` and `header`, syslog, access logs and the lines of loggers beside `line`.

mod android;
pub(crate) mod appliances;
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
pub(crate) mod supercomputers;
pub(crate) mod vendor;

use std::sync::LazyLock;

use event::Event;
pub(crate) use format::Line;
#[cfg(test)]
pub(crate) use format::Sample;
use format::{Begins, Format};

use crate::{Context, cut, time::Form};

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

/// The event of a line in one of these formats, and what the format is called. None of them has the stamps of syslog.
pub(crate) fn event<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<(&'static str, Event<'a>)> {
    let first = *line.text.as_bytes().first()?;
    if line.stamp.is_some_and(|stamp| stamp.form == Form::Syslog) {
        return None;
    }
    let asked = match &line.stamp {
        Some(stamp) => {
            let is_blank = |byte: u8| matches!(byte, b' ' | b'\t');
            let rest = cut::behind(stamp.rest, is_blank);
            let first_of = |text: &str| usize::from(text.bytes().next().unwrap_or_default());
            match first {
                b'0'..=b'9' if rest.starts_with(|first: char| first.is_ascii_digit()) => {
                    let behind = cut::behind(cut::behind(rest, |byte| byte.is_ascii_digit()), is_blank);
                    &BY_START.numbered[first_of(behind)]
                }
                b'0'..=b'9' => &BY_START.digits[first_of(rest)],
                b'[' => &BY_START.bracket[first_of(rest)],
                _ => &BY_START.other[first_of(rest)],
            }
        }
        None => &BY_START.first_byte[usize::from(first)],
    };
    asked.iter().find_map(|format| Some((format.name, (format.read)(line, context)?)))
}

/// The formats of the table by how their lines begin: by what the stamp begins with and the byte behind it, or that
/// behind a number; else by the first byte.
struct ByStart {
    digits: Vec<Vec<&'static Format>>,
    numbered: Vec<Vec<&'static Format>>,
    bracket: Vec<Vec<&'static Format>>,
    other: Vec<Vec<&'static Format>>,
    first_byte: Vec<Vec<&'static Format>>,
}

static BY_START: LazyLock<ByStart> = LazyLock::new(|| {
    let by_byte = |bytes_of: fn(Begins) -> Option<&'static [u8]>| {
        let formats = |byte: u8| {
            let all = TABLE.iter().flat_map(|formats| formats.iter());
            let is_asked = |format: &&Format| {
                bytes_of(format.begins).is_some_and(|bytes| bytes.is_empty() || bytes.contains(&byte))
            };
            all.filter(is_asked).collect()
        };
        (0..=u8::MAX).map(formats).collect()
    };
    ByStart {
        digits: by_byte(|begins| match begins {
            Begins::Stamp(next) | Begins::Digits(next) => Some(next),
            _ => None,
        }),
        numbered: by_byte(|begins| match begins {
            Begins::Numbered(behind) => Some(behind),
            // Any digit is as good as the other.
            Begins::Stamp(next) | Begins::Digits(next) if next.is_empty() || next.contains(&b'0') => {
                Some(&[])
            }
            _ => None,
        }),
        bracket: by_byte(|begins| match begins {
            Begins::Stamp(next) | Begins::Bracket(next) => Some(next),
            _ => None,
        }),
        other: by_byte(|begins| match begins {
            Begins::Stamp(next) => Some(next),
            _ => None,
        }),
        first_byte: by_byte(|begins| match begins {
            Begins::With(first) => Some(first),
            _ => None,
        }),
    }
});

/// All samples of the formats of this folder.
#[cfg(test)]
pub(crate) fn samples() -> impl Iterator<Item = &'static Sample> {
    let table = TABLE.iter().flat_map(|formats| formats.iter()).flat_map(|format| format.samples);
    table
        .chain(network::SAMPLES)
        .chain(supercomputers::SAMPLES)
        .chain(vendor::SAMPLES)
        .chain(appliances::SAMPLES)
}
