//! Opening the folder of an index: what there is, what there should be, and what is therefore lost.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use event::{JournalId, Position};

use super::{
    files::{Files, failed, remove, set_aside},
    losses::Loss,
    manifest::{Entry, Manifest},
    segment::{Segment, file_path, number_of_file},
};
use crate::IndexError;

/// What was found.
pub(super) struct Opened {
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) covered: Vec<(JournalId, Position)>,
    pub(super) files: Files,
    pub(super) losses: Vec<Loss>,
}

/// What lies in the folder.
#[derive(Default)]
struct Listing {
    unfinished: Vec<PathBuf>,
    set_aside: BTreeSet<u64>,
    segments: Vec<Segment>,
    damaged: Vec<(u64, PathBuf, String)>,
    next: u64,
}

/// Opens a folder. Files of a later version are refused before anything is changed.
pub(super) fn open(dir: &Path) -> Result<Opened, IndexError> {
    disk::create_dir_all(dir).map_err(failed("create", dir))?;
    let mut losses = Vec::new();
    let manifest = match Manifest::read(dir) {
        Err(IndexError::Damaged { path, reason, .. }) => {
            let what = format!("damaged ({reason}); whether files are missing cannot be told");
            losses.push(Loss { path, what, events: Some(0), times: (i64::MAX, i64::MIN), file: None });
            None
        }
        manifest => manifest?,
    };
    let is_listed = manifest.is_some();
    let manifest = manifest.unwrap_or_default();
    let mut listing = list(dir)?;
    for path in &listing.unfinished {
        remove(path)?;
    }
    for (_, path, _) in &listing.damaged {
        set_aside(path)?;
    }
    let replaced: BTreeSet<u64> =
        listing.segments.iter().flat_map(|segment| segment.replaces.iter().copied()).collect();
    listing.segments.retain(|segment| !replaced.contains(&segment.number));
    for number in &replaced {
        remove(&file_path(dir, *number))?;
    }
    listing.segments.sort_unstable_by_key(|segment| segment.number);
    losses.extend(lost(dir, &listing, &manifest, &replaced));
    for loss in &losses {
        tracing::error!(path = %loss.path.display(), events = loss.events, "part of the index is lost: {}", loss.what);
    }
    let covered = covered(&listing.segments, &manifest);
    let next = manifest.files.keys().next_back().map_or(1, |number| number + 1).max(listing.next);
    let mut files = Files { next, manifest, removable: Vec::new(), unsaved: !is_listed };
    complete(&mut files.manifest, &listing.segments, &replaced, &covered);
    Ok(Opened { segments: listing.segments.into_iter().map(Arc::new).collect(), covered, files, losses })
}

fn list(dir: &Path) -> Result<Listing, IndexError> {
    let mut listing = Listing { next: 1, ..Listing::default() };
    for entry in std::fs::read_dir(dir).map_err(failed("list", dir))? {
        let path = entry.map_err(failed("list", dir))?.path();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match (extension, number_of_file(&path.with_extension("segment"))) {
            ("tmp" | "unfinished", _) => listing.unfinished.push(path),
            ("damaged", Some(number)) => {
                listing.set_aside.insert(number);
                listing.next = listing.next.max(number + 1);
            }
            ("segment", Some(number)) => {
                listing.next = listing.next.max(number + 1);
                match Segment::open(&path, number) {
                    Ok(segment) => listing.segments.push(segment),
                    Err(IndexError::Damaged { reason, .. }) => listing.damaged.push((number, path, reason)),
                    Err(error) => return Err(error),
                }
            }
            _ => {}
        }
    }
    Ok(listing)
}

/// Files that are damaged now, were set aside before, or are listed and not there.
fn lost(dir: &Path, listing: &Listing, manifest: &Manifest, replaced: &BTreeSet<u64>) -> Vec<Loss> {
    let mut losses = Vec::new();
    let mut add = |number: u64, path: PathBuf, what: String| {
        let entry = manifest.files.get(&number);
        losses.push(loss(path, what, number, entry));
    };
    for (number, path, reason) in &listing.damaged {
        if !replaced.contains(number) {
            add(*number, path.with_extension("damaged"), format!("damaged ({reason}) and set aside"));
        }
    }
    for number in &listing.set_aside {
        add(
            *number,
            file_path(dir, *number).with_extension("damaged"),
            "damaged and set aside before".to_owned(),
        );
    }
    for number in manifest.files.keys().filter(|number| !replaced.contains(number)) {
        let is_there = listing.segments.iter().any(|segment| segment.number == *number)
            || listing.damaged.iter().any(|(damaged, ..)| damaged == number)
            || listing.set_aside.contains(number);
        if !is_there {
            add(*number, file_path(dir, *number), "the file is missing".to_owned());
        }
    }
    losses
}

fn loss(path: PathBuf, what: String, number: u64, entry: Option<&Entry>) -> Loss {
    let known = entry.map(|entry| (number, entry.ranges.clone()));
    match entry {
        Some(entry) if entry.rows > 0 => {
            Loss { path, what, events: Some(entry.rows), times: (entry.first, entry.last), file: known }
        }
        // It only said where the index stands, which the list says too.
        Some(_) => Loss { path, what, events: Some(0), times: (i64::MAX, i64::MIN), file: known },
        None => Loss { path, what, events: None, times: (i64::MIN, i64::MAX), file: None },
    }
}

/// Behind the last event of each journal.
fn covered(segments: &[Segment], manifest: &Manifest) -> Vec<(JournalId, Position)> {
    let mut covered: Vec<(JournalId, Position)> =
        manifest.covered.iter().map(|(journal, position)| (*journal, *position)).collect();
    for (journal, position) in segments.iter().flat_map(|segment| &segment.covered) {
        // The journal of the newest file stands last.
        match covered.iter().position(|(known, _)| known == journal) {
            Some(at) => {
                let (journal, before) = covered.remove(at);
                covered.push((journal, before.max(*position)));
            }
            None => covered.push((*journal, *position)),
        }
    }
    covered
}

/// Adds what is there and not listed. Lost files stay listed until their events were looked for.
fn complete(
    manifest: &mut Manifest,
    segments: &[Segment],
    replaced: &BTreeSet<u64>,
    covered: &[(JournalId, Position)],
) {
    manifest.files.retain(|number, _| !replaced.contains(number));
    for segment in segments {
        let entry =
            Entry { rows: segment.rows, first: segment.first, last: segment.last, ranges: Vec::new() };
        manifest.files.entry(segment.number).or_insert(entry);
    }
    manifest.covered = covered.iter().copied().collect();
}
