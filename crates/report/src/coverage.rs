//! What is watched: files and services that logs came from, those that fell silent, those that nothing can read.

use std::collections::HashMap;

use serde::Serialize;

/// Sources that are listed.
pub const SOURCES_MAX: usize = 50;
/// Silent ones that are listed.
pub const SILENT_MAX: usize = 50;
/// A source of whose events this share says nothing but its text has no parser.
const UNREAD_SHARE: f64 = 0.9;

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceType {
    /// A file, by its path.
    File,
    /// A program whose events came another way, by its name.
    Service,
}

/// What the store says of a source: what it is, its name, and how many events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it is.
    pub r#type: SourceType,
    /// Its name: text of others.
    pub name: String,
    /// How many events.
    pub events: u64,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// What it is.
    pub r#type: SourceType,
    /// Its name: text of others.
    pub name: String,
    /// How many events came in the time; of a silent one, in the time before.
    pub events: u64,
    /// Those of them of which nothing was read but their text: no level, no program, no request, no kind of event.
    pub unread: u64,
}

/// What is watched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// How many sources there were.
    pub total: u64,
    /// How many events came of them.
    pub events: u64,
    /// The sources with most events.
    pub sources: Vec<Source>,
    /// How many there were before of which nothing came now.
    pub silent_total: u64,
    /// Those with most events before.
    pub silent: Vec<Source>,
    /// Those that nothing can read.
    pub without_parser: Vec<Source>,
    /// Why this is not all; none where it is.
    pub problem: Option<String>,
}

impl Coverage {
    /// From what the store says of sources in the time, of those of their events that nothing was read of, and of the
    /// sources of the time before. `problem` says why that is not all.
    pub fn of(now: Vec<Seen>, unread: Vec<Seen>, before: Vec<Seen>, problem: Option<String>) -> Self {
        let key = |seen: &Seen| (seen.r#type, seen.name.clone());
        let unread: HashMap<_, u64> = unread.iter().map(|seen| (key(seen), seen.events)).collect();
        let mut sources: Vec<Source> = now
            .into_iter()
            .map(|seen| {
                let unread = unread.get(&key(&seen)).copied().unwrap_or(0).min(seen.events);
                Source { r#type: seen.r#type, name: seen.name, events: seen.events, unread }
            })
            .collect();
        sort(&mut sources);
        let is_unread = |source: &&Source| {
            source.unread > 0 && source.unread as f64 >= source.events as f64 * UNREAD_SHARE
        };
        let without_parser = sources.iter().filter(is_unread).take(SOURCES_MAX).cloned().collect();
        let known: std::collections::HashSet<_> =
            sources.iter().map(|source| (source.r#type, source.name.as_str())).collect();
        let mut silent: Vec<Source> = before
            .into_iter()
            .filter(|seen| !known.contains(&(seen.r#type, seen.name.as_str())))
            .map(|seen| Source { r#type: seen.r#type, name: seen.name, events: seen.events, unread: 0 })
            .collect();
        sort(&mut silent);
        let (total, silent_total) = (sources.len() as u64, silent.len() as u64);
        let events = sources.iter().map(|source| source.events).sum();
        sources.truncate(SOURCES_MAX);
        silent.truncate(SILENT_MAX);
        Self { total, events, sources, silent_total, silent, without_parser, problem }
    }
}

fn sort(sources: &mut [Source]) {
    sources.sort_by(|a, b| (b.events, a.r#type, &a.name).cmp(&(a.events, b.r#type, &b.name)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, events: u64) -> Seen {
        Seen { r#type: SourceType::File, name: name.to_owned(), events }
    }

    #[test]
    fn sources_are_seen_silent_or_without_a_parser() {
        let service = Seen { r#type: SourceType::Service, ..seen("a", 5) };
        let coverage = Coverage::of(
            vec![seen("a", 10), seen("b", 100), seen("c", 10)],
            vec![seen("a", 9), seen("b", 89), service.clone()],
            vec![seen("a", 1), seen("gone", 7), service],
            None,
        );
        let names = |sources: &[Source]| sources.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&coverage.sources), ["b", "a", "c"]);
        assert_eq!(names(&coverage.without_parser), ["a"]);
        assert_eq!(names(&coverage.silent), ["gone", "a"]);
        assert_eq!((coverage.total, coverage.events, coverage.silent_total), (3, 120, 2));
    }
}
