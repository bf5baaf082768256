//! What people said of events: ordinary after all, or bad. It stands above every model.
//!
//! Feedback on an event holds for all *similar* ones: the same source and the same text around the
//! variables, each variable of the same kind, and those that are plain text with the same content.
//! From [`GENERAL_MIN`] dissimilar ones of a template at a source that agree, with none against them,
//! it holds for the whole template there. Of two on the same events the later one counts.
//!
//! What follows from a decision about something else, such as a signal, names that as its origin, and changes and
//! goes with it. The file is [`super::entry`]'s; one that does not load is set aside as `feedback.refused`, a further
//! one as `feedback.refused.1` and so on.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use arithmetic::hash;
use disk::sealed::SealedError;
use event::{Event, Template, TemplateId, Timestamp, Variable, VariableKind, Verdict};
use hashbrown::HashSet;
use template::Miner;

use super::entry::{self, Entry, FEEDBACK_MAX, Feedback, Label, Pattern};
use crate::{
    error::ModelError,
    explain::REASONS_MAX,
    files::{asides, earlier, replace, set_aside},
};

/// Dissimilar feedback on a template that makes it hold for the whole template.
const GENERAL_MIN: usize = 3;
/// Longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 1_024;

/// Why feedback was not taken in or back. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// As much is kept as may be.
    #[error(
        "{} pieces of feedback are kept, as many as may be; take back one that is no longer needed",
        FEEDBACK_MAX
    )]
    Full,
    /// The note is too long.
    #[error("the note is longer than {} bytes", NOTE_BYTES_MAX)]
    Note,
    /// The event's source is too long.
    #[error("the event's source is longer than 65,536 bytes")]
    Source,
    /// It follows from something else that was decided.
    #[error("feedback {id} follows from what was said of the signal {origin:032x}; take that back instead")]
    Follows {
        /// What was to be taken back.
        id: u64,
        /// What it follows from.
        origin: u128,
    },
    /// There is none of this id.
    #[error("there is no feedback {id}; the list of feedback names those there are")]
    Unknown {
        /// What was asked for.
        id: u64,
    },
    /// The disk refused.
    #[error("the feedback cannot be stored")]
    Store(#[source] ModelError),
}

/// Of a longer message only the beginning is kept.
const MESSAGE_BYTES_MAX: usize = 4_096;
/// Longest source and template kept.
const NAME_BYTES_MAX: usize = 64 << 10;
/// More than the ids that a file gives out. Behind a damaged one ids go on beyond those that it may have given.
const IDS_OF_A_FILE: u64 = 1 << 32;

/// Whether nothing of the message was cut off.
fn is_whole(entry: &Entry) -> bool {
    entry.feedback.message.len() < MESSAGE_BYTES_MAX - 4
}

/// The feedback that a verdict meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) label: Label,
    id: u64,
}

/// Feedback on whole templates, by what they are called now and by source.
pub(crate) type General = HashMap<(TemplateId, u64), Mark>;

/// Finds the feedback on an event.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    shapes: HashSet<u64, foldhash::fast::FixedState>,
    exact: HashMap<Pattern, Mark>,
    general: Vec<(TemplateId, u64, Mark)>,
}

/// All feedback, and its file.
#[derive(Debug)]
pub(crate) struct Book {
    path: PathBuf,
    next: u64,
    entries: Vec<Entry>,
    /// Why the file was set aside.
    pub(crate) problem: Option<String>,
}

/// The shape, the template and the variables of a message.
pub(crate) type Mined<'a> = (u64, &'a Template, &'a [Variable]);
/// What somebody said, why, and when.
pub(crate) type Spoken<'a> = (Label, &'a str, Timestamp);

/// What was said of an event, within the bounds of what is kept.
fn entry_of(
    id: u64,
    event: &Event<'_>,
    (shape, template, variables): Mined<'_>,
    (label, note, given_at): Spoken<'_>,
) -> Result<Entry, FeedbackError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(FeedbackError::Note);
    }
    if event.source.as_ref().is_some_and(|source| source.len() > NAME_BYTES_MAX) {
        return Err(FeedbackError::Source);
    }
    let feedback = Feedback {
        id,
        label,
        note: note.to_owned(),
        given_at,
        event_at: event.timestamp,
        message: cut(&event.message, MESSAGE_BYTES_MAX),
        source: event.source.as_deref().map(str::to_owned),
        template: template.clone(),
        general: false,
        origin: None,
    };
    Ok(Entry { feedback, shape, pattern: pattern(event.source.as_deref(), &event.message, variables) })
}

fn source_key(source: Option<&str>) -> u64 {
    hash(source.unwrap_or_default().as_bytes())
}

/// What similar events have in common. Not to be forged: nothing may hide behind another's feedback.
fn pattern(source: Option<&str>, message: &str, variables: &[Variable]) -> Pattern {
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(source.unwrap_or_default().as_bytes());
    let mut end = 0;
    for variable in variables {
        part(message.get(end..variable.start as usize).unwrap_or_default().as_bytes());
        part(&[variable.kind as u8]);
        if variable.kind == VariableKind::Text {
            part(variable.of(message).as_bytes());
        }
        end = variable.end as usize;
    }
    part(message.get(end..).unwrap_or_default().as_bytes());
    let mut pattern = Pattern::default();
    pattern.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    pattern
}

fn cut(text: &str, bytes_max: usize) -> String {
    let end = (0..=text.len().min(bytes_max)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text[..end].to_owned()
}

impl Lookup {
    pub(crate) fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// The feedback on whole templates, which may have been merged since.
    pub(crate) fn general(&self, current: impl Fn(TemplateId) -> TemplateId) -> General {
        self.general.iter().map(|(template, source, mark)| ((current(*template), *source), *mark)).collect()
    }

    pub(crate) fn find(
        &self,
        general: &General,
        shape: u64,
        template: Option<TemplateId>,
        event: &Event<'_>,
        variables: &[Variable],
    ) -> Option<Mark> {
        if self.shapes.contains(&shape)
            && let Some(mark) = self.exact.get(&pattern(event.source.as_deref(), &event.message, variables))
        {
            return Some(*mark);
        }
        if general.is_empty() {
            return None;
        }
        general.get(&(template?, source_key(event.source.as_deref()))).copied()
    }
}

impl Mark {
    /// Makes a verdict say what was said: below the threshold, or at least at it.
    pub(crate) fn apply(self, threshold: f32, verdict: &mut Verdict) {
        let steps = (threshold * 1_000.0).ceil();
        let strange = verdict.is_anomaly || verdict.score >= threshold;
        match self.label {
            Label::Normal if strange => {
                verdict.score = Verdict::quantize((steps - 1.0) / 1_000.0);
                verdict.is_anomaly = false;
                verdict.reasons = vec![format!("marked as normal by feedback {}", self.id)];
            }
            Label::Normal => {}
            Label::Bad => {
                verdict.score = verdict.score.max(Verdict::quantize(steps / 1_000.0));
                verdict.is_anomaly = true;
                if !strange {
                    verdict.reasons.clear();
                }
                verdict.reasons.insert(0, format!("marked as bad by feedback {}", self.id));
                verdict.reasons.truncate(REASONS_MAX);
            }
        }
    }
}

impl Book {
    /// Reads what there is.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join("feedback");
        let mut book = Self { path: path.clone(), next: 1, entries: Vec::new(), problem: None };
        let read = match fs::read(&path) {
            Ok(bytes) => book.load(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => return Err(error),
        };
        match read {
            Ok(()) => book.problem = earlier(&path),
            Err(error) => {
                let aside = set_aside(&path)?;
                book.entries.clear();
                book.problem = Some(format!(
                    "{error}; it was set aside as {}: restore it from a backup, or remove that file",
                    aside.display()
                ));
            }
        }
        let lost = asides(&path).take_while(|aside| aside.exists()).count() as u64;
        book.next = book.next.max(lost * IDS_OF_A_FILE + 1);
        Ok(book)
    }

    pub(crate) fn all(&self) -> Vec<Feedback> {
        self.entries.iter().map(|entry| entry.feedback.clone()).collect()
    }

    /// The events spoken of whose whole message is kept.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| is_whole(entry)).map(|entry| entry.feedback.message.as_str())
    }

    /// Finds each event anew whose whole message is kept: its template may have been split, or be whole again.
    pub(crate) fn rescan(&mut self, miner: &Miner) {
        let mut variables = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| is_whole(entry)) {
            variables.clear();
            let feedback = &mut entry.feedback;
            if let Some(mined) = miner.find(&feedback.message, &mut variables) {
                entry.shape = mined.shape;
                entry.pattern = pattern(feedback.source.as_deref(), &feedback.message, &variables);
                feedback.template.clone_from(&mined.template);
            }
        }
        self.generalise();
    }

    /// Takes in what was said of an event; on disk when this returns.
    pub(crate) fn add(
        &mut self,
        event: &Event<'_>,
        mined: Mined<'_>,
        said: Spoken<'_>,
    ) -> Result<Feedback, FeedbackError> {
        let id = self.next;
        self.entries.push(entry_of(id, event, mined, said)?);
        let done = self.commit(self.entries.len() - 1);
        if let Err(error) = done {
            self.entries.pop();
            return Err(error);
        }
        let found = self.entries.iter().find(|entry| entry.feedback.id == id);
        found.map(|entry| entry.feedback.clone()).ok_or(FeedbackError::Unknown { id })
    }

    /// Has exactly this follow from an origin: so many dissimilar events called so, or nothing any more. On disk when
    /// this returns; says whether anything changed.
    pub(crate) fn follow<'e>(
        &mut self,
        origin: u128,
        said: Option<Spoken<'_>>,
        events: impl Iterator<Item = (&'e Event<'e>, Mined<'e>)>,
    ) -> Result<bool, FeedbackError> {
        let is_own = |entry: &Entry| entry.feedback.origin == Some(origin);
        let label = said.map(|(label, ..)| label);
        let now = self.entries.iter().find(|entry| is_own(entry)).map(|entry| entry.feedback.label);
        if now == label {
            return Ok(false);
        }
        let before = self.entries.clone();
        self.entries.retain(|entry| !is_own(entry));
        let from = self.entries.len();
        for (event, mined) in events {
            let Some(said) = said else { break };
            let id = self.next + (self.entries.len() - from) as u64;
            let mut entry = match entry_of(id, event, mined, said) {
                Ok(entry) => entry,
                Err(error) => {
                    self.entries = before;
                    return Err(error);
                }
            };
            entry.feedback.origin = Some(origin);
            if self.entries[from..].iter().all(|other| other.pattern != entry.pattern) {
                self.entries.push(entry);
            }
        }
        if self.entries.len() == from && now.is_none() {
            return Ok(false);
        }
        if let Err(error) = self.commit(from) {
            self.entries = before;
            return Err(error);
        }
        Ok(true)
    }

    /// Writes the entries down, of which those from a place on are new, and lets them hold.
    fn commit(&mut self, from: usize) -> Result<(), FeedbackError> {
        let more = self.entries.len() - from;
        if more > 0 && self.entries.len() > FEEDBACK_MAX {
            return Err(FeedbackError::Full);
        }
        self.next += more as u64;
        if let Err(error) = self.store() {
            self.next -= more as u64;
            return Err(FeedbackError::Store(error));
        }
        self.generalise();
        Ok(())
    }

    /// Takes back what was said; on disk when this returns.
    pub(crate) fn remove(&mut self, id: u64) -> Result<Feedback, FeedbackError> {
        let at = self.entries.iter().position(|entry| entry.feedback.id == id);
        let at = at.ok_or(FeedbackError::Unknown { id })?;
        if let Some(origin) = self.entries[at].feedback.origin {
            return Err(FeedbackError::Follows { id, origin });
        }
        let entry = self.entries.remove(at);
        if let Err(error) = self.store() {
            self.entries.insert(at, entry);
            return Err(FeedbackError::Store(error));
        }
        self.generalise();
        Ok(entry.feedback)
    }

    /// Marks what holds for its whole template: enough that are dissimilar agree, and none differs.
    fn generalise(&mut self) {
        let mut said: HashMap<(TemplateId, u64), HashMap<Pattern, Label>> = HashMap::new();
        let key = |feedback: &Feedback| (feedback.template.id, source_key(feedback.source.as_deref()));
        for entry in &self.entries {
            said.entry(key(&entry.feedback)).or_default().insert(entry.pattern, entry.feedback.label);
        }
        for Entry { feedback, .. } in &mut self.entries {
            let agree = |labels: &HashMap<Pattern, Label>| {
                labels.len() >= GENERAL_MIN && labels.values().all(|label| *label == feedback.label)
            };
            feedback.general = said.get(&key(feedback)).is_some_and(agree);
        }
    }

    pub(crate) fn lookup(&self) -> Lookup {
        let mut lookup = Lookup::default();
        for Entry { feedback, shape, pattern } in &self.entries {
            let mark = Mark { label: feedback.label, id: feedback.id };
            lookup.shapes.insert(*shape);
            lookup.exact.insert(*pattern, mark);
            if feedback.general {
                lookup.general.push((feedback.template.id, source_key(feedback.source.as_deref()), mark));
            }
        }
        lookup
    }

    fn store(&self) -> Result<(), ModelError> {
        replace(&self.path, &entry::write(self.next, &self.entries))
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), SealedError> {
        (self.next, self.entries) = entry::read(bytes)?;
        self.generalise();
        Ok(())
    }
}
