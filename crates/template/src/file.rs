//! The miner as bytes.
//!
//! ```text
//! 8 bytes  magic "LSTMPLT\0"
//! u32      format version, 1, little-endian
//! varint   clock, varint shapes aged, varint templates aged, u8 whether messages went past the bounds
//! varint   number of templates, then for each:
//!            u8 open, varint used, varint number of aliases, u64 each,
//!            varint number of tokens, for each: u8 (1 space, 2 wild), varint length, UTF-8
//! varint   number of shapes, then for each: u64 hash, varint template, varint used
//! 16 bytes BLAKE3 of everything before, cut to 16 bytes
//! ```
//! `varint` is LEB128. The checksum is tested before anything else is read.

use std::sync::Arc;

use event::{Template, TemplateId};

use crate::{
    groups::{ALIASES_MAX, Group, Groups},
    miner::{Config, Miner, Shape},
    skeleton::{self, Token},
};

const MAGIC: &[u8; 8] = b"LSTMPLT\0";
const VERSION: u32 = 1;
const CHECKSUM: usize = 16;

/// Why bytes are no miner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// They begin with something else, or are too short to be anything.
    #[error("these are no templates saved by this program")]
    Foreign,
    /// Saved by a later version of this program.
    #[error(
        "templates were saved in format version {0}; this program reads version {VERSION}: use a later one"
    )]
    Version(u32),
    /// The checksum is wrong, or what it covers is not what this program writes.
    #[error("saved templates are damaged at their {0}: restore the file or start without it")]
    Damaged(&'static str),
}

impl Miner {
    /// Everything it knows, with magic, version and checksum.
    pub fn save(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
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
            put(&mut out, group.tokens.len() as u64);
            for token in &group.tokens {
                out.push(u8::from(token.space) | u8::from(token.wild) << 1);
                put(&mut out, token.text.len() as u64);
                out.extend_from_slice(token.text.as_bytes());
            }
        }
        let mut shapes: Vec<_> = self.shapes.iter().collect();
        shapes.sort_unstable_by_key(|(hash, _)| **hash);
        put(&mut out, shapes.len() as u64);
        for (hash, shape) in shapes {
            out.extend_from_slice(&hash.to_le_bytes());
            put(&mut out, numbers[self.groups.resolve(shape.group) as usize]);
            put(&mut out, shape.used);
        }
        let checksum = blake3::hash(&out);
        out.extend_from_slice(&checksum.as_bytes()[..CHECKSUM]);
        out
    }

    /// What [`Miner::save`] wrote. Where it exceeds the bounds of `config`, what was seen last is kept.
    ///
    /// # Errors
    /// When the bytes are not what `save` of this version wrote, to the last bit.
    pub fn load(bytes: &[u8], config: Config) -> Result<Self, LoadError> {
        if bytes.get(..MAGIC.len()) != Some(MAGIC) {
            return Err(LoadError::Foreign);
        }
        let Some((covered, checksum)) = bytes.split_last_chunk::<CHECKSUM>() else {
            return Err(LoadError::Damaged("end"));
        };
        let mut input = Input(covered.get(MAGIC.len()..).ok_or(LoadError::Damaged("version"))?);
        let version = u32::from_le_bytes(input.array("version")?);
        if blake3::hash(covered).as_bytes()[..CHECKSUM] != *checksum {
            return Err(LoadError::Damaged("checksum"));
        }
        if version != VERSION {
            return Err(LoadError::Version(version));
        }
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
        if !input.0.is_empty() {
            return Err(LoadError::Damaged("end"));
        }
        miner.groups = Groups::from_alive(groups);
        miner.fit();
        Ok(miner)
    }
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], LoadError> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(LoadError::Damaged(what))?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], LoadError> {
        self.take(N, what)?.try_into().map_err(|_| LoadError::Damaged(what))
    }

    fn flags(&mut self, what: &'static str, max: u8) -> Result<u8, LoadError> {
        let [flags] = self.array(what)?;
        if flags > max { Err(LoadError::Damaged(what)) } else { Ok(flags) }
    }

    fn varint(&mut self, what: &'static str) -> Result<u64, LoadError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array(what)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(LoadError::Damaged(what))
    }

    /// A number of things of so many bytes at least, so that a wrong one cannot ask for much memory.
    fn count(&mut self, what: &'static str, each: usize) -> Result<usize, LoadError> {
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
        let mut tokens = Vec::new();
        for _ in 0..self.count(WHAT, 2)? {
            let flags = self.flags(WHAT, 3)?;
            let length = self.count(WHAT, 1)?;
            let text = std::str::from_utf8(self.take(length, WHAT)?).map_err(|_| LoadError::Damaged(WHAT))?;
            if text.is_empty() {
                return Err(LoadError::Damaged(WHAT));
            }
            let (space, wild) = (flags & 1 != 0, flags & 2 != 0);
            tokens.push(Token { space, wild, text: text.to_owned(), start: 0, end: 0 });
        }
        let template = Arc::new(Template::new(skeleton::text(&tokens)));
        Ok(Group { tokens, template, aliases, parent: None, open, shapes: 0, used })
    }
}
