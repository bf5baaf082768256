//! The miner as bytes.
//!
//! ```text
//! 8 bytes  magic "LSTMPLT\0"
//! u32      format version, little-endian: 2 where operations made parts, else 1
//! varint   clock, varint shapes aged, varint templates aged, u8 whether messages went past the bounds
//! varint   number of templates, then for each:
//!            u8 open, varint used, varint number of aliases, u64 each,
//!            varint number of tokens, for each: u8 (1 space, 2 wild), varint length, UTF-8
//! varint   number of shapes, then for each: u64 hash, varint template, varint used
//! version 2: varint number of parts, then for each: u64 id of the template that was split, its text,
//!            varint number of values, for each: varint place, and text as varint length, UTF-8
//! 16 bytes BLAKE3 of everything before, cut to 16 bytes
//! ```
//! `varint` is LEB128. The checksum is tested before anything else is read. It is not that of `disk::sealed`: these
//! bytes lie within windows and models that programs of other versions read, and a second form would be one more to
//! read for good.

use std::{ops::RangeInclusive, sync::Arc};

pub(crate) use event::varint::put;
use event::{Template, TemplateId, varint};

use crate::{
    groups::{ALIASES_MAX, Group, Groups},
    miner::{Config, Miner, Shape},
    skeleton::Token,
    user::{PARTS_MAX, Part},
};

const MAGIC: &[u8; 8] = b"LSTMPLT\0";
const VERSION: u32 = 2;
const CHECKSUM: usize = 16;

/// Why bytes are no miner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// They begin with something else, or are too short to be anything.
    #[error("these are no templates saved by this program")]
    Foreign,
    /// Saved by a later version of this program.
    #[error(
        "templates were saved in format version {found}; this program reads version {known}: use a later one"
    )]
    Version {
        /// The version.
        found: u32,
        /// The latest that this program reads.
        known: u32,
    },
    /// The checksum is wrong, or what it covers is not what this program writes.
    #[error("saved templates are damaged at their {0}: restore the file or start without it")]
    Damaged(&'static str),
}

impl Miner {
    /// Everything it knows, with magic, version and checksum.
    pub fn save(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        let version = if self.user.parts.is_empty() { 1 } else { VERSION };
        out.extend_from_slice(&version.to_le_bytes());
        for number in [self.clock, self.aged[0], self.aged[1]] {
            put(&mut out, number);
        }
        out.push(u8::from(self.rest_used));
        let mut numbers = vec![0u64; self.groups.stored()];
        put(&mut out, self.groups.len() as u64);
        for (number, (at, group)) in self.groups.alive().enumerate() {
            numbers[at as usize] = number as u64;
            out.push(u8::from(group.open));
            put(&mut out, group.used);
            put(&mut out, group.aliases.len() as u64);
            for alias in &group.aliases {
                out.extend_from_slice(&alias.0.to_le_bytes());
            }
            put_tokens(&mut out, &group.tokens);
        }
        let mut shapes: Vec<_> = self.shapes.iter().collect();
        shapes.sort_unstable_by_key(|(hash, _)| **hash);
        put(&mut out, shapes.len() as u64);
        for (hash, shape) in shapes {
            out.extend_from_slice(&hash.to_le_bytes());
            put(&mut out, numbers[self.groups.resolve(shape.group) as usize]);
            put(&mut out, shape.used);
        }
        if version > 1 {
            self.save_parts(&mut out);
        }
        seal(out)
    }

    fn save_parts(&self, out: &mut Vec<u8>) {
        let mut parts: Vec<&Part> = self.user.parts.values().collect();
        parts.sort_unstable_by_key(|part| part.template.id.0);
        put(out, parts.len() as u64);
        for part in parts {
            out.extend_from_slice(&part.of.0.to_le_bytes());
            put_text(out, &part.template.text);
            put(out, part.values.len() as u64);
            for (place, value) in &part.values {
                put(out, u64::from(*place));
                put_text(out, value);
            }
        }
    }

    /// What [`Miner::save`] wrote. Where it exceeds the bounds of `config`, what was seen last is kept.
    ///
    /// # Errors
    /// When the bytes are not what `save` of this version wrote, to the last bit.
    pub fn load(bytes: &[u8], config: Config) -> Result<Self, LoadError> {
        let (mut input, version) = unseal(bytes, MAGIC, 1..=VERSION)?;
        let mut miner = Self::new(config);
        miner.clock = input.varint("clock")?;
        miner.aged = [input.varint("clock")?, input.varint("clock")?];
        if miner.aged.iter().any(|aged| *aged > miner.clock) {
            return Err(LoadError::Damaged("clock"));
        }
        miner.rest_used = input.flags("clock", 1)? == 1;
        let mut groups = Vec::new();
        for _ in 0..input.count("templates", 4)? {
            groups.push(input.group()?);
        }
        for _ in 0..input.count("shapes", 10)? {
            let hash = u64::from_le_bytes(input.array("shapes")?);
            let group = input.varint("shapes")?;
            let used = input.varint("shapes")?;
            let Some(owner) = usize::try_from(group).ok().and_then(|at| groups.get_mut(at)) else {
                return Err(LoadError::Damaged("shapes"));
            };
            owner.shapes += 1;
            if used > miner.clock || miner.shapes.insert(hash, Shape { group: group as u32, used }).is_some()
            {
                return Err(LoadError::Damaged("shapes"));
            }
        }
        if version > 1 {
            for _ in 0..input.count("parts", 13)? {
                let part = input.part()?;
                miner.user.parts.insert(part.template.id.0, part);
            }
            if miner.user.parts.len() > PARTS_MAX {
                return Err(LoadError::Damaged("parts"));
            }
        }
        input.end()?;
        miner.groups = Groups::from_alive(groups);
        miner.fit();
        Ok(miner)
    }
}

/// Closes what was written with its checksum.
pub(crate) fn seal(mut out: Vec<u8>) -> Vec<u8> {
    let checksum = blake3::hash(&out);
    out.extend_from_slice(&checksum.as_bytes()[..CHECKSUM]);
    out
}

/// What was sealed, behind magic and version, when all of it is as written; and the version.
pub(crate) fn unseal<'a>(
    bytes: &'a [u8],
    magic: &[u8; 8],
    versions: RangeInclusive<u32>,
) -> Result<(Input<'a>, u32), LoadError> {
    if bytes.get(..magic.len()) != Some(magic) {
        return Err(LoadError::Foreign);
    }
    let Some((covered, checksum)) = bytes.split_last_chunk::<CHECKSUM>() else {
        return Err(LoadError::Damaged("end"));
    };
    let mut input = Input(covered.get(magic.len()..).ok_or(LoadError::Damaged("version"))?);
    let version = u32::from_le_bytes(input.array("version")?);
    if blake3::hash(covered).as_bytes()[..CHECKSUM] != *checksum {
        return Err(LoadError::Damaged("checksum"));
    }
    if !versions.contains(&version) {
        return Err(LoadError::Version { found: version, known: *versions.end() });
    }
    Ok((input, version))
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn put_tokens(out: &mut Vec<u8>, tokens: &[Token]) {
    put(out, tokens.len() as u64);
    for token in tokens {
        out.push(u8::from(token.space) | u8::from(token.wild) << 1);
        put_text(out, &token.text);
    }
}

/// Takes things from the front of bytes.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], LoadError> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(LoadError::Damaged(what))?;
        self.0 = tail;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], LoadError> {
        self.take(N, what)?.try_into().map_err(|_| LoadError::Damaged(what))
    }

    pub(crate) fn flags(&mut self, what: &'static str, max: u8) -> Result<u8, LoadError> {
        let [flags] = self.array(what)?;
        if flags > max { Err(LoadError::Damaged(what)) } else { Ok(flags) }
    }

    pub(crate) fn varint(&mut self, what: &'static str) -> Result<u64, LoadError> {
        varint::take(&mut self.0).ok_or(LoadError::Damaged(what))
    }

    /// A number of things of so many bytes at least, so that a wrong one cannot ask for much memory.
    pub(crate) fn count(&mut self, what: &'static str, each: usize) -> Result<usize, LoadError> {
        let count = usize::try_from(self.varint(what)?).map_err(|_| LoadError::Damaged(what))?;
        if count > self.0.len() / each { Err(LoadError::Damaged(what)) } else { Ok(count) }
    }

    fn group(&mut self) -> Result<Group, LoadError> {
        const WHAT: &str = "templates";
        let open = self.flags(WHAT, 1)? == 1;
        let used = self.varint(WHAT)?;
        let mut aliases = Vec::new();
        for _ in 0..self.count(WHAT, 8)? {
            aliases.push(TemplateId(u64::from_le_bytes(self.array(WHAT)?)));
        }
        if aliases.len() > ALIASES_MAX {
            return Err(LoadError::Damaged(WHAT));
        }
        let tokens = self.tokens(WHAT)?;
        Ok(Group { aliases, open, ..Group::new(tokens, used) })
    }

    pub(crate) fn text(&mut self, what: &'static str) -> Result<&'a str, LoadError> {
        let length = self.count(what, 1)?;
        std::str::from_utf8(self.take(length, what)?).map_err(|_| LoadError::Damaged(what))
    }

    pub(crate) fn tokens(&mut self, what: &'static str) -> Result<Vec<Token>, LoadError> {
        let mut tokens = Vec::new();
        for _ in 0..self.count(what, 2)? {
            let flags = self.flags(what, 3)?;
            let text = self.text(what)?;
            if text.is_empty() {
                return Err(LoadError::Damaged(what));
            }
            let (space, wild) = (flags & 1 != 0, flags & 2 != 0);
            tokens.push(Token { space, wild, text: text.to_owned(), start: 0, end: 0 });
        }
        Ok(tokens)
    }

    fn part(&mut self) -> Result<Part, LoadError> {
        const WHAT: &str = "parts";
        let of = TemplateId(u64::from_le_bytes(self.array(WHAT)?));
        let template = Arc::new(Template::new(self.text(WHAT)?));
        let mut values = Vec::new();
        for _ in 0..self.count(WHAT, 2)? {
            let place = u16::try_from(self.varint(WHAT)?).map_err(|_| LoadError::Damaged(WHAT))?;
            values.push((place, self.text(WHAT)?.to_owned()));
        }
        Ok(Part { template, of, values })
    }

    /// Everything has been taken.
    pub(crate) fn end(&self) -> Result<(), LoadError> {
        if self.0.is_empty() { Ok(()) } else { Err(LoadError::Damaged("end")) }
    }
}
