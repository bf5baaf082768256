//! An event as the window sees it, and the keys under which it remembers it.

use arithmetic::{hash, mix};
use event::{Event, Variable};

use super::memory::{Caller, Content, Contents, Outcome};

/// Everything the window keeps under for an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    pub(super) group: u64,
    pub(super) source: u64,
    pub(super) host: u32,
}

/// An event as the window sees it.
#[derive(Debug)]
pub(crate) struct Seen<'e> {
    pub(crate) event: &'e Event<'e>,
    /// None for a message of a template never seen.
    pub(crate) template: Option<event::TemplateId>,
    /// What stands at its first variables.
    pub(super) contents: Contents,
    pub(super) followed: usize,
    /// The first address in the message.
    pub(super) caller: Option<u32>,
    pub(super) outcome: Option<Outcome>,
}

impl<'e> Seen<'e> {
    pub(crate) fn new(
        event: &'e Event<'e>,
        template: Option<event::TemplateId>,
        variables: &[Variable],
    ) -> Self {
        let contents = Content::all(variables, &event.message);
        let followed = variables.len().min(contents.len());
        let caller = contents[..followed].iter().find_map(|content| match content {
            Content::Address(address) => Some(*address),
            _ => None,
        });
        Self { event, template, followed, contents, caller, outcome: Outcome::of(event) }
    }

    pub(super) fn contents(&self) -> &[Content] {
        &self.contents[..self.followed]
    }

    /// How often the address that the message names failed before it succeeded now, by what it did before.
    pub(super) fn failures(&self, caller: &Caller, nanos: i64) -> Option<u32> {
        let succeeded = self.caller.is_some() && self.outcome == Some(Outcome::Success);
        succeeded.then(|| caller.failures(nanos))
    }

    pub(crate) fn keys(&self) -> Keys {
        let source = hash(self.event.source.as_deref().unwrap_or_default().as_bytes());
        Keys {
            group: self.template.map_or(0, |id| group_key(id, source)),
            source,
            host: (hash(self.event.host.as_deref().unwrap_or_default().as_bytes()) >> 32) as u32,
        }
    }
}

pub(super) fn group_key(template: event::TemplateId, source: u64) -> u64 {
    mix(template.0 ^ source.rotate_left(32))
}
