//! Opening: a new record, or one that is there, whose newest part is verified before anything is added to it.

use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use event::Timestamp;

use crate::{
    Action, Config, OpenError, RecordError, Source,
    checkpoint::Checkpoint,
    file::OpenFile,
    files::{self, io_error},
    header::Header,
    hex,
    key::{self, PublicKey},
    line,
    record::{Actor, Record},
    verify::{
        self, Head, begin_of, headers,
        scan::{Link, Scan, is_set_back, scan},
        verify,
        walk::{Walk, walk},
    },
    writer::{Bounds, Writer},
};

/// Opens or makes the record in a folder that is locked, and says in it that it was opened.
pub(crate) fn open(config: &Config, now: Timestamp) -> Result<Writer, OpenError> {
    let dir = &config.dir;
    disk::remove_unfinished(dir).map_err(io_error("clear", dir))?;
    let files = files::list(dir)?;
    let head = Head::read(dir)?;
    let (mut writer, cut_bytes) = match (files.is_empty(), &head) {
        (true, Head::Absent) => (begin(config, now)?, 0),
        (true, _) => return Err(removed(dir)?),
        (false, _) => resume(config, &files, &head, now)?,
    };
    let opened = Record::new(now, Actor::system(), Action::AuditOpened, writer.installation.clone());
    let opened = if cut_bytes > 0 { opened.with("cut_bytes", cut_bytes) } else { opened };
    let write = |writer: &mut Writer| {
        if writer.unsigned > 0 {
            writer.checkpoint(now)?;
        }
        writer.write(&[(now, opened.members()?)])?;
        if writer.unsigned > 0 { writer.checkpoint(now) } else { Ok(()) }
    };
    write(&mut writer).map_err(|source: RecordError| OpenError::Write { dir: dir.clone(), source })?;
    Ok(writer)
}

/// All files are gone, and a checkpoint says that there were some.
fn removed(dir: &Path) -> Result<OpenError, OpenError> {
    let report = verify(&Source::Folder(dir.to_owned()), None, &[])?;
    let head = dir.join(files::HEAD);
    Ok(report.findings.into_iter().next().map_or(
        OpenError::Read(crate::ReadError::NotAudit { path: head }),
        |finding| OpenError::Tampered { dir: dir.to_owned(), finding: Box::new(finding) },
    ))
}

fn key_path(config: &Config) -> PathBuf {
    config.key_file.clone().unwrap_or_else(|| config.dir.join(files::PRIVATE_KEY))
}

fn bounds(config: &Config) -> Bounds {
    Bounds { file_bytes: config.file_bytes, checkpoint_records: config.checkpoint_records.max(1) }
}

/// Makes a record with an installation id and, unless there is one, a key of its own.
fn begin(config: &Config, now: Timestamp) -> Result<Writer, OpenError> {
    let (dir, path) = (&config.dir, key_path(config));
    let key = match key::private(&path)? {
        Some(key) => key,
        None => key::make_private(&path)?,
    };
    PublicKey(key.verifying_key()).write(&dir.join(files::PUBLIC_KEY))?;
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| crate::KeyError::Random { source: error.into() })?;
    let installation = hex::encode(&id);
    let before = Link { seq: 0, hash: line::genesis(&installation) };
    let header = Header::new(&installation, 0, &before.hash, &key.verifying_key());
    let path = files::path(dir, 0);
    let (bytes, hash) = Writer::make_file(&path, &header, before, now).map_err(io_error("make", &path))?;
    Ok(Writer {
        dir: dir.clone(),
        bounds: bounds(config),
        installation,
        key,
        file: OpenFile::open(&path).map_err(io_error("open", &path))?,
        number: 0,
        bytes,
        end: Link { seq: 1, hash },
        unsigned: 0,
        last_checkpoint: None,
        broken: None,
    })
}

/// Goes on behind the last line of a record, and gives the bytes of an incomplete one that were cut off.
fn resume(
    config: &Config,
    files: &[PathBuf],
    head: &Head,
    now: Timestamp,
) -> Result<(Writer, u64), OpenError> {
    let dir = &config.dir;
    let key = private_key(config, files)?;
    let public = PublicKey(key.verifying_key());
    let headers = headers(files)?;
    let mut expected = verify::expected(&Source::Folder(dir.clone()), files, &headers, head, Some(&public))?;
    expected.checkpoints.extend(head.signed_by(&expected).cloned());
    let mut scans: Vec<Scan> = vec![];
    for path in files.iter().rev() {
        let scan = scan(path, &expected)?;
        let is_enough = scan.last_checkpoint.is_some()
            || scan.problem.is_some()
            || scan.header.is_none() && !scan.is_empty;
        scans.insert(0, scan);
        if is_enough {
            break;
        }
    }
    let first = files.len() - scans.len();
    let newest = &files[first..];
    let begin = match first {
        0 => Link { seq: 0, hash: line::genesis(&expected.installation) },
        _ => begin_of(headers[first].as_ref(), &expected.installation),
    };
    let walk = walk(newest, &scans, begin, &expected)?;
    let finding = walk.finding.clone().or_else(|| head.finding(dir, &walk, &expected));
    if let Some(finding) = finding {
        return Err(OpenError::Tampered { dir: dir.clone(), finding: Box::new(finding) });
    }
    if is_set_back(walk.latest, now) {
        tracing::warn!(
            "the clock was set back since the last line of the audit record, which is of {}",
            walk.latest
        );
    }
    let last = headers.last().and_then(Option::as_ref);
    let number = last.map_or(0, |header| header.header.file);
    let bytes = scans.last().map_or(0, |scan| scan.bytes);
    let path = &files[files.len() - 1];
    let file = OpenFile::open(path).map_err(io_error("open", path))?;
    if walk.torn_bytes > 0 {
        file.cut(bytes).and_then(|()| file.sync()).map_err(io_error("cut", path))?;
        let torn = walk.torn_bytes;
        tracing::warn!("{torn} bytes of a line that was never acknowledged were cut off {}", path.display());
    }
    let writer = writer(config, (expected.installation, key), (file, number, bytes), &walk);
    repair_head(&writer, head);
    Ok((writer, walk.torn_bytes))
}

fn writer(
    config: &Config,
    (installation, key): (String, SigningKey),
    (file, number, bytes): (OpenFile, u32, u64),
    walk: &Walk<'_>,
) -> Writer {
    Writer {
        dir: config.dir.clone(),
        bounds: bounds(config),
        installation,
        key,
        file,
        number,
        bytes,
        end: walk.end,
        unsigned: walk.unsigned,
        last_checkpoint: walk.last_checkpoint.clone(),
        broken: None,
    }
}

/// The copy may be one behind when the program was killed.
fn repair_head(writer: &Writer, head: &Head) {
    let kept = if let Head::Is(checkpoint) = head { Some(checkpoint) } else { None };
    if let Some(last) = writer.last_checkpoint.as_ref().filter(|last: &&Checkpoint| Some(*last) != kept) {
        writer.keep_head(last);
    }
}

/// The key with which the newest file is signed.
fn private_key(config: &Config, files: &[PathBuf]) -> Result<SigningKey, OpenError> {
    let (path, dir) = (key_path(config), config.dir.clone());
    let Some(key) = key::private(&path)? else { return Err(OpenError::NoKey { path, dir }) };
    let headers = headers(&files[files.len() - 1..])?;
    match headers.first().and_then(Option::as_ref) {
        Some(header) if header.is_whole && header.key != key.verifying_key() => {
            Err(OpenError::OtherKey { path, dir })
        }
        _ => Ok(key),
    }
}
