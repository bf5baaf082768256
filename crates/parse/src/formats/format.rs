//! What a format is: how its lines begin, how one is read, and samples of it.

use event::Event;

use crate::{
    Context,
    time::{self, Stamp},
};

/// A line, and the time stamp that it begins with.
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    pub(crate) stamp: Option<Stamp<'a>>,
}

impl<'a> Line<'a> {
    pub(crate) fn new(text: &'a str, context: &Context<'_>) -> Self {
        let stamp = time::stamp(text, context).or_else(|| time::clock(text, context));
        Self { text, stamp }
    }
}

/// How the lines of a format begin.
#[derive(Debug, Clone, Copy)]
pub(super) enum Begins {
    /// With a time stamp, behind which one of these bytes stands, blanks apart; any where there are none.
    Stamp(&'static [u8]),
    /// The same where the stamp begins with a digit.
    Digits(&'static [u8]),
    /// The same where the stamp begins with a digit and a number stands behind it: what follows this, blanks apart.
    Numbered(&'static [u8]),
    /// The same where it stands in brackets.
    Bracket(&'static [u8]),
    /// With one of these bytes, and no time stamp.
    With(&'static [u8]),
}

/// A format of one program or family of programs.
pub(super) struct Format {
    /// What its lines are called where one is explained.
    pub(super) name: &'static str,
    pub(super) begins: Begins,
    /// The event of a line, or None where it is of another format. It must say so after a few bytes.
    pub(super) read: for<'a> fn(&Line<'a>, &Context<'_>) -> Option<Event<'a>>,
    #[cfg(test)]
    pub(super) samples: &'static [Sample],
}

/// A line, and what must be read from it: its program or form, the line, the time (RFC 3339; empty where the line has
/// none, so that the time of receipt stands), the level, the host, the program (empty where the line names none), the
/// message.
#[cfg(test)]
pub(crate) type Sample = [&'static str; 7];
