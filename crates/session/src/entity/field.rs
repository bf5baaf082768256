//! Keys that an event names by a field.

use arithmetic::{hash, mix};
use event::{Event, Value};

/// ECS fields that are an id of what they belong to, the one that says most first.
const IDS: [&str; 4] = ["trace.id", "transaction.id", "session.id", "http.request.id"];
/// Fields that may be one: of a process, of who did it and from where.
const PROCESS: &str = "process.pid";
const USER: &str = "user.name";
const ADDRESS: &str = "source.ip";

/// Fields that may be a key, in the order in which they are taken.
pub(super) const WEAK: usize = 3;
/// Of these, the process comes before what variables say, and the others after it.
pub(super) const PROCESS_PLACE: usize = 0;

/// The key that a field gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'e> {
    /// Which kind of session it belongs to.
    pub(super) kind: u64,
    pub(super) key: u64,
    pub(super) path: &'e str,
    pub(super) value: &'e Value<'e>,
    /// The program, where the kind depends on it.
    pub(super) program: Option<&'e str>,
}

/// What the fields say.
#[derive(Debug, Default)]
pub(super) struct Fields<'e> {
    /// An id, or a field that was given as one.
    pub(super) certain: Option<Named<'e>>,
    /// Process, user, address.
    pub(super) weak: [Option<Named<'e>>; WEAK],
}

fn hash_of(value: &Value<'_>) -> Option<u64> {
    match value {
        Value::String(text) if !text.is_empty() && text != "-" => Some(hash(text.as_bytes())),
        Value::Int(number) => Some(mix(*number as u64 ^ 0x5e55)),
        _ => None,
    }
}

/// The keys among an event's fields; those given come before all others, in the order given.
pub(super) fn fields<'e>(event: &'e Event<'e>, given: &[String]) -> Fields<'e> {
    let mut fields = Fields::default();
    let mut best = usize::MAX;
    for field in &event.fields {
        let path: &str = &field.path;
        let rank = match given.iter().position(|given| given == path) {
            Some(rank) => Some(rank),
            None if path.ends_with(".id") => {
                IDS.iter().position(|id| *id == path).map(|rank| given.len() + rank)
            }
            None => None,
        };
        let weak = match path {
            PROCESS => PROCESS_PLACE,
            USER => 1,
            ADDRESS => 2,
            _ if rank.is_some_and(|rank| rank < best) => usize::MAX,
            _ => continue,
        };
        let Some(value) = hash_of(&field.value) else { continue };
        let mut named =
            Named { kind: hash(path.as_bytes()), key: value, path, value: &field.value, program: None };
        if let Some(rank) = rank {
            if rank < best {
                best = rank;
                named.key = mix(named.kind ^ value.rotate_left(17));
                fields.certain = Some(named);
            }
            continue;
        }
        named.program = event.source.as_deref();
        named.kind ^= hash(named.program.unwrap_or_default().as_bytes()).rotate_left(7);
        let host = if path == PROCESS { event.host.as_deref().unwrap_or_default() } else { "" };
        named.key = mix(named.kind ^ value.rotate_left(17) ^ hash(host.as_bytes()).rotate_left(41));
        fields.weak[weak] = Some(named);
    }
    fields
}

impl Named<'_> {
    /// What it is called.
    pub(super) fn label(&self) -> String {
        match self.program {
            Some(program) => format!("{} of {program}", self.path),
            None => self.path.to_owned(),
        }
    }

    /// The key as text.
    pub(super) fn text(&self) -> String {
        match self.value {
            Value::String(text) => text.as_ref().to_owned(),
            other => other.to_json().to_string(),
        }
    }
}
