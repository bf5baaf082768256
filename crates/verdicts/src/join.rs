//! Events with what was said of them.

use event::{Analyzed, Batch, Event, EventId, Position, TemplateId, Variable};

use crate::{
    Verdicts,
    stretch::{self, Place, Rows},
};

impl Verdicts {
    /// Joins events, in the order of the journal, with what the analysis said of them. One of which
    /// nothing is known, or nothing can be read, stays without template and verdict. Gives the batch and
    /// how many those are.
    pub fn join<'r>(&self, events: Vec<(EventId, Event<'r>)>, end: Position) -> (Batch<'r>, u64) {
        let mut unknown = 0;
        let batch = self.said(events, end, |id, event| {
            unknown += 1;
            unscored(id, event)
        });
        (batch, unknown)
    }

    /// As [`Verdicts::join`], for one who only looks at the events: what would have to be worked out to store
    /// those of which nothing is known is left out.
    pub fn look<'r>(&self, events: Vec<(EventId, Event<'r>)>, end: Position) -> Vec<Analyzed<'r>> {
        self.said(events, end, Analyzed::unanalyzed).events
    }

    fn said<'r>(
        &self,
        events: Vec<(EventId, Event<'r>)>,
        end: Position,
        mut unknown: impl FnMut(EventId, Event<'r>) -> Analyzed<'r>,
    ) -> Batch<'r> {
        let from = events.first().map_or(end, |(id, _)| id.position);
        let mut batch = Batch { events: Vec::with_capacity(events.len()), variables: Vec::new(), end };
        let mut rows = Vec::new();
        for found in self.between(from, end) {
            let Some(mut found) = self.rows(&found.bytes) else { continue };
            let before = batch.variables.len() as u32;
            batch.variables.append(&mut found.variables);
            rows.extend(found.rows.into_iter().map(|row| {
                let variables = row.variables.start + before..row.variables.end + before;
                stretch::Row { variables, ..row }
            }));
        }
        let mut rows = rows.into_iter().peekable();
        for (id, event) in events {
            while rows.next_if(|row| row.position < id.position).is_some() {}
            let row = rows.next_if(|row| row.position == id.position);
            let said = row.filter(|row| {
                let range = row.variables.start as usize..row.variables.end as usize;
                fits(&event.message, batch.variables.get(range).unwrap_or_default())
            });
            batch.events.push(match said {
                Some(row) => Analyzed {
                    id,
                    event,
                    shape: row.shape,
                    variables: row.variables,
                    template: row.template,
                    verdict: row.verdict,
                },
                None => unknown(id, event),
            });
        }
        batch
    }

    fn rows(&self, place: &Place) -> Option<Rows> {
        let at = match place {
            Place::Memory(bytes) => return stretch::decode(bytes),
            Place::Log(at) => *at,
        };
        let records = self.shared.log.read(at, 1).map_err(|failure| {
            tracing::error!(
                error = &failure as &dyn std::error::Error,
                "verdicts of waiting events cannot be read"
            );
        });
        let records = records.ok()?;
        records.iter().find(|(position, _)| *position == at).and_then(|(_, record)| stretch::decode(record))
    }
}

/// An event of which nothing is known.
pub fn unscored(id: EventId, event: Event<'_>) -> Analyzed<'_> {
    // No two messages look alike without their variables.
    let shape = TemplateId::of(&event.message).0;
    Analyzed { shape, ..Analyzed::unanalyzed(id, event) }
}

/// Whether variables lie in a message as they must: those of another one, after damage, do not.
fn fits(message: &str, variables: &[Variable]) -> bool {
    let mut end = 0;
    variables.iter().all(|variable| {
        let (start, stop) = (variable.start as usize, variable.end as usize);
        let fits = end <= start
            && start <= stop
            && message.is_char_boundary(start)
            && message.is_char_boundary(stop);
        end = stop;
        fits
    })
}
